"""Backtests: what was asked for, where they stand, what came of them, and the parts by which they are resumed."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.errors import NotFound
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.storage.sql.rows import Statements, next_number, put_row, row_of
from vaultdash.storage.sql.tables import backtest_parts, backtest_results, backtest_runs


class SqlRuns:
    """A run's result and parts are kept beside it, so that lists are read without them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def all(self, kind: RunKind | None = None, limit: int = 100) -> Sequence[StoredRun]:
        """Newest first; of one time, the one written last comes first."""
        asked = sa.select(backtest_runs).order_by(backtest_runs.c.created_at.desc(), backtest_runs.c.number.desc())
        if kind is not None:
            asked = asked.where(backtest_runs.c.kind == kind.value)
        return [_run(row) for row in await self._statements.execute(asked.limit(limit))]

    async def get(self, run_id: str) -> StoredRun | None:
        """One of them."""
        found = await self._statements.execute(sa.select(backtest_runs).where(backtest_runs.c.id == run_id))
        row = found.one_or_none()
        return None if row is None else _run(row)

    async def put(self, run: StoredRun) -> None:
        """Make or replace one; its result and parts stay."""
        number = await self._number(run.id)
        if number is None:
            number = await next_number(self._statements, backtest_runs.c.number)
        await put_row(self._statements, backtest_runs, {**row_of(run), "number": number})

    async def put_result(self, run_id: str, content: bytes) -> None:
        """Keep what came of it; raises NotFound."""
        await self._require(run_id)
        await put_row(self._statements, backtest_results, {"run_id": run_id, "content": content})

    async def result(self, run_id: str) -> bytes | None:
        """What came of it; None until then."""
        found = await self._statements.scalar(
            sa.select(backtest_results.c.content).where(backtest_results.c.run_id == run_id)
        )
        return None if found is None else bytes(found)

    async def put_part(self, run_id: str, number: int, content: bytes) -> None:
        """Keep what came of one part of the work; a second time replaces it. Raises NotFound."""
        await self._require(run_id)
        await put_row(self._statements, backtest_parts, {"run_id": run_id, "number": number, "content": content})

    async def parts(self, run_id: str) -> Mapping[int, bytes]:
        """The parts that are done, by number, ascending."""
        rows = await self._statements.execute(
            sa.select(backtest_parts.c.number, backtest_parts.c.content)
            .where(backtest_parts.c.run_id == run_id)
            .order_by(backtest_parts.c.number)
        )
        return {row.number: bytes(row.content) for row in rows}

    async def remove(self, run_id: str) -> None:
        """Delete one with its result and parts; raises NotFound."""
        await self._require(run_id)
        for table in (backtest_parts, backtest_results):
            await self._statements.execute(sa.delete(table).where(table.c.run_id == run_id))
        await self._statements.execute(sa.delete(backtest_runs).where(backtest_runs.c.id == run_id))

    async def _number(self, run_id: str) -> int | None:
        number: int | None = await self._statements.scalar(
            sa.select(backtest_runs.c.number).where(backtest_runs.c.id == run_id)
        )
        return number

    async def _require(self, run_id: str) -> None:
        if await self._number(run_id) is None:
            raise NotFound(f"There is no backtest {run_id!r}")


def _run(row: sa.Row[Any]) -> StoredRun:
    values = {name: value for name, value in row._mapping.items() if name != "number"}
    return StoredRun(**{**values, "kind": RunKind(values["kind"]), "state": RunState(values["state"])})
