"""Moves everything from one database into another that is empty, and proves that nothing was lost."""

from dataclasses import dataclass

from vaultdash.domain.errors import Refused
from vaultdash.storage.sql.copying import Comparison, Progress, compare, copy_rows, require_empty
from vaultdash.storage.sql.database import SqlDatabase


@dataclass(frozen=True, slots=True)
class Steps:
    """Who is told how far copying and comparing have come."""

    copying: Progress | None = None
    comparing: Progress | None = None


async def copy_database(source: SqlDatabase, target: SqlDatabase, steps: Steps | None = None) -> Comparison:
    """Copy all rows in one transaction, then read both again; raises Refused when the target holds anything.

    The source may be in use: both steps look at one state of it.
    """
    steps = steps or Steps()
    require_another(source, target)
    async with source.reading_statements() as ours:
        async with target.writing_statements() as theirs:
            await require_empty(theirs, target.address.shown)
            await copy_rows(ours, theirs, steps.copying)
        async with target.reading_statements() as kept:
            return await compare(ours, kept, steps.comparing)


async def compare_databases(source: SqlDatabase, target: SqlDatabase, progress: Progress | None = None) -> Comparison:
    """What differs between two databases."""
    require_another(source, target)
    async with source.reading_statements() as ours, target.reading_statements() as theirs:
        return await compare(ours, theirs, progress)


def require_another(source: SqlDatabase, target: SqlDatabase) -> None:
    """Refuse one database for both."""
    if source.address.url == target.address.url:
        raise Refused(f"{source.address.shown} is the database itself; name another")
