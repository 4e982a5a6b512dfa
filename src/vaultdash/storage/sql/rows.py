"""Dataclasses as rows of tables, and back; and the few statements that all records need."""

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncResult

from vaultdash.storage.sql.address import Address
from vaultdash.storage.sql.problems import told
from vaultdash.storage.sql.unbroken import to_the_end

BATCH = 500


class Statements:
    """Runs statements within one transaction; what the drivers raise becomes DatabaseError."""

    def __init__(self, connection: AsyncConnection, address: Address) -> None:
        self._connection = connection
        self._address = address

    async def execute(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        """All rows of an answer."""
        with told(self._address):
            return await to_the_end(self._connection.execute(statement))

    async def scalar(self, statement: sa.Executable) -> Any:
        """The first column of the first row, or None."""
        with told(self._address):
            return await to_the_end(self._connection.scalar(statement))

    async def batches(
        self, statement: sa.Executable, size: int = BATCH
    ) -> AsyncIterator[Sequence[sa.Row[*tuple[Any, ...]]]]:
        """The rows of a long answer, `size` at a time."""
        with told(self._address):
            result = await to_the_end(self._streamed(statement, size))
        try:
            while True:
                with told(self._address):
                    rows = await to_the_end(result.fetchmany(size))
                if not rows:
                    return
                yield rows
        finally:
            await to_the_end(result.close())

    async def _streamed(self, statement: sa.Executable, size: int) -> AsyncResult[Any]:
        # else the driver reads ahead, more with each fetch
        return await self._connection.stream(statement, execution_options={"max_row_buffer": size})

    async def add_rows(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """New rows, all of them."""
        with told(self._address):
            await to_the_end(self._connection.execute(sa.insert(table), list(rows)))

    @property
    def is_sqlite(self) -> bool:
        """True in a SQLite file."""
        return self._address.is_sqlite

    def insert(self, table: sa.Table) -> Any:
        """An insert that can say what to do about a row that is there, as this database words it."""
        if self._address.is_sqlite:
            from sqlalchemy.dialects.sqlite import insert
        else:
            from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]  # the same methods
        return insert(table)


def row_of(record: Any) -> dict[str, Any]:
    """The fields of a flat dataclass by column; enumerations as their values."""
    values = {column.name: getattr(record, column.name) for column in dataclasses.fields(record)}
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}


async def put_row(statements: Statements, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Make the row of the table's primary key, or replace it."""
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    await statements.execute(
        statements.insert(table).values(**values).on_conflict_do_update(index_elements=keys, set_=rest)
    )


async def add_row_once(statements: Statements, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Make the row unless there is one of the same primary key."""
    keys = [column.name for column in table.primary_key]
    await statements.execute(statements.insert(table).values(**values).on_conflict_do_nothing(index_elements=keys))


async def next_number(statements: Statements, column: sa.Column[int]) -> int:
    """One more than the greatest; writers take turns, so that nobody else gets the same."""
    greatest = await statements.scalar(sa.select(sa.func.max(column)))
    return (greatest or 0) + 1
