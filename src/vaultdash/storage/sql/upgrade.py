"""Brings the tables to this release; alembic is only loaded when there is something to do."""

from pathlib import Path

import sqlalchemy as sa

from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.sql.tables import metadata

REVISIONS = ("0001", "0002")  # every layout of the tables there has been, the newest last
HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
ADDED = {  # tables by the layout that brought them; all others are there from the first
    "0002": (
        "hedge_templates",
        "hedge_template_versions",
        "backtest_runs",
        "backtest_results",
        "backtest_parts",
    ),
}


def tables_of(layout: str) -> tuple[sa.Table, ...]:
    """Those of this release that a layout already has, what is referred to first."""
    later = {name for revision in REVISIONS[REVISIONS.index(layout) + 1 :] for name in ADDED.get(revision, ())}
    return tuple(table for table in metadata.sorted_tables if table.name not in later)


def revision_of(connection: sa.Connection) -> str | None:
    """The layout the tables have; None before the first. DatabaseError when a later release has made them."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in REVISIONS:
        raise DatabaseError(
            f"The database was made by a later release of Vault Dashboard (its layout is {found}, this release knows "
            f"{HEAD}); use that release, or restore a backup made by this one"
        )
    return found


def upgrade(connection: sa.Connection) -> str | None:
    """Within the caller's transaction; returns the layout there was before."""
    before = revision_of(connection)
    if before != HEAD:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
    return before
