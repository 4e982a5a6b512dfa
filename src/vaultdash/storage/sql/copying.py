"""Copies every row of one database into another, and compares them row by row."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.errors import Refused
from vaultdash.storage.sql.rows import BATCH, Statements
from vaultdash.storage.sql.tables import Words, metadata

Progress = Callable[[str, int, int], None]  # table, rows done, rows of it
TABLES = tuple(metadata.sorted_tables)  # those that are referred to come first

BULKY = 4  # rows at a time of a table whose rows may be megabytes each

Row = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same in both: its table, its primary key, and what differs."""

    table: str
    key: Key
    what: str

    def __str__(self) -> str:
        return f"{self.table} {' '.join(map(str, self.key))}: {self.what}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of each table in both databases, and every difference between them."""

    counts: Mapping[str, tuple[int, int]]
    differences: tuple[Difference, ...]


async def count_rows(statements: Statements) -> dict[str, int]:
    """Rows of each table."""
    return {
        table.name: await statements.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in TABLES
    }


async def require_empty(statements: Statements, shown: str) -> None:
    """Refuse a database that holds anything."""
    filled = [f"{count:,} in {name}" for name, count in (await count_rows(statements)).items() if count]
    if filled:
        raise Refused(f"{shown} is not empty ({', '.join(filled)}): nothing was copied. Name an empty database.")


async def copy_rows(source: Statements, target: Statements, progress: Progress | None = None) -> dict[str, int]:
    """Write every row of the source into the target, which has none; how many of each table."""
    counts = await count_rows(source)
    for table in TABLES:
        done = 0
        async for rows in source.batches(_ordered(source, table), _at_once(table)):
            await target.add_rows(table, [dict(row._mapping) for row in rows])
            done += len(rows)
            if progress is not None:
                progress(table.name, done, counts[table.name])
    return counts


async def compare(source: Statements, target: Statements, progress: Progress | None = None) -> Comparison:
    """Read both side by side in the order of their keys; every value must be the same."""
    totals = await count_rows(source)
    counts: dict[str, tuple[int, int]] = {}
    differences: list[Difference] = []
    for table in TABLES:
        ours, theirs = _rows(source, table), _rows(target, table)
        here, there = await anext(ours, None), await anext(theirs, None)
        read, found = 0, 0
        while here is not None or there is not None:
            key = min(_sortable(table, row) for row in (here, there) if row is not None)
            left = here if here is not None and _sortable(table, here) == key else None
            right = there if there is not None and _sortable(table, there) == key else None
            told = _told(left, right)
            if told is not None:
                differences.append(Difference(table.name, _key(table, left or right or {}), told))
            if left is not None:
                read, here = read + 1, await anext(ours, None)
            if right is not None:
                found, there = found + 1, await anext(theirs, None)
            if progress is not None and read % 500 == 0:
                progress(table.name, read, totals[table.name])
        counts[table.name] = read, found
        if progress is not None:
            progress(table.name, read, totals[table.name])
    return Comparison(counts, tuple(differences))


async def _rows(statements: Statements, table: sa.Table) -> AsyncIterator[Row]:
    async for rows in statements.batches(_ordered(statements, table), _at_once(table)):
        for row in rows:
            yield dict(row._mapping)


def _at_once(table: sa.Table) -> int:
    return BULKY if any(isinstance(column.type, sa.LargeBinary) for column in table.columns) else BATCH


def _ordered(statements: Statements, table: sa.Table) -> sa.Select[Any]:
    """By primary key, text by its bytes on both: a server's own order may be that of a language."""
    by = [
        sa.collate(column, "C") if isinstance(column.type, Words) and not statements.is_sqlite else column
        for column in table.primary_key
    ]
    return sa.select(table).order_by(*by)


def _key(table: sa.Table, row: Row) -> Key:
    return tuple(row[column.name] for column in table.primary_key)


def _sortable(table: sa.Table, row: Row) -> Key:
    return tuple(value.encode() if isinstance(value, str) else value for value in _key(table, row))


def _told(left: Row | None, right: Row | None) -> str | None:
    if right is None:
        return "is missing in the copy"
    if left is None:
        return "is only in the copy"
    changed = [name for name, value in left.items() if value != right[name]]
    return f"{', '.join(changed)} differs" if changed else None
