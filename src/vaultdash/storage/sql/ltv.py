"""LTV over time: one row a portfolio, time and kind, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.storage.sql.rows import Statements, add_row_once, row_of
from vaultdash.storage.sql.tables import ltv_snapshots

KINDS = {kind.value: kind for kind in RecordKind}


class SqlLtv:
    """Added to and read, nothing else."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, record: LtvRecord) -> None:
        """Write one down; a second one of the same portfolio, time and kind is left out."""
        await add_row_once(self._statements, ltv_snapshots, row_of(record))

    async def between(
        self, portfolio_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LtvRecord]:
        """Ascending in time, both ends included."""
        asked = sa.select(ltv_snapshots).where(ltv_snapshots.c.portfolio_id == portfolio_id)
        if start is not None:
            asked = asked.where(ltv_snapshots.c.at >= start)
        if end is not None:
            asked = asked.where(ltv_snapshots.c.at <= end)
        rows = await self._statements.execute(asked.order_by(ltv_snapshots.c.at, ltv_snapshots.c.kind))
        return [_record(row) for row in rows]

    async def latest(self, portfolio_id: str) -> LtvRecord | None:
        """The newest hourly one."""
        found = await self._statements.execute(
            sa.select(ltv_snapshots)
            .where(ltv_snapshots.c.portfolio_id == portfolio_id, ltv_snapshots.c.kind == RecordKind.HOURLY.value)
            .order_by(ltv_snapshots.c.at.desc())
            .limit(1)
        )
        row = found.one_or_none()
        return None if row is None else _record(row)


def _record(row: Sequence[Any]) -> LtvRecord:
    portfolio_id, at, kind, *rest = row  # in the order of the fields: a year is 8,760 rows
    return LtvRecord(portfolio_id, at, KINDS[kind], *rest)
