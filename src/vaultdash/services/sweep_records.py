"""What is kept of sweeps: where each stands, its parts and its result, changed only while it is still to be run."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

from vaultdash.backtest.sweep import Row
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.services.sweep_result import unpacked_part
from vaultdash.storage.records import Database

OPEN = (RunState.WAITING, RunState.RUNNING)


class SweepRecords:
    """Every change looks at the row in its own transaction first: another process may have ended or removed it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, limit: int) -> list[StoredRun]:
        """Newest first."""
        async with self._database.reading() as kept:
            return list(await kept.runs.all(RunKind.SWEEP, limit))

    async def get(self, run_id: str) -> StoredRun | None:
        """One of them; None when there is none, or it was removed."""
        async with self._database.reading() as kept:
            found = await kept.runs.get(run_id)
        return found if found is not None and found.kind is RunKind.SWEEP else None

    async def add(self, run: StoredRun) -> None:
        """Write a new one down."""
        async with self._database.transaction() as kept:
            await kept.runs.put(run)

    async def changed(
        self,
        run_id: str,
        fields: Mapping[str, object],
        result: bytes | None = None,
        among: Collection[RunState] = OPEN,
    ) -> StoredRun | None:
        """The sweep with those fields, written down; None, and nothing written, when it is gone or in another state.

        A result takes the place of the parts, which are emptied.
        """
        async with self._database.transaction() as kept:
            found = await kept.runs.get(run_id)
            if found is None or found.state not in among:
                return None
            run = replace(found, **fields)  # type: ignore[arg-type]  # fields of a run
            await kept.runs.put(run)
            if result is not None:
                await kept.runs.put_result(run_id, result)
                for number in await kept.runs.parts(run_id):
                    await kept.runs.put_part(run_id, number, b"")
        return run

    async def add_parts(self, run_id: str, number: int, parts: list[bytes], progress: float) -> StoredRun | None:
        """The sweep with parts from `number` on; None, and nothing written, as `changed` has it."""
        async with self._database.transaction() as kept:
            found = await kept.runs.get(run_id)
            if found is None or found.state not in OPEN:
                return None
            for place, content in enumerate(parts):
                await kept.runs.put_part(run_id, number + place, content)
            run = replace(found, progress=progress)
            await kept.runs.put(run)
        return run

    async def rows(self, run_id: str, basis: str, points: int) -> tuple[list[Row | None], int]:
        """The rows that an earlier attempt on the same data has kept, and the number for the next part."""
        async with self._database.reading() as kept:
            parts = await kept.runs.parts(run_id)

        def read() -> list[Row | None]:
            rows: list[Row | None] = [None] * points
            for content in parts.values():
                part = unpacked_part(basis, content)
                if part is not None and part[0] + len(part[1]) <= points:
                    rows[part[0] : part[0] + len(part[1])] = part[1]
            return rows

        return await asyncio.to_thread(read), max(parts, default=-1) + 1

    async def result(self, run_id: str) -> bytes | None:
        """What came of it; None until then."""
        async with self._database.reading() as kept:
            return await kept.runs.result(run_id)

    async def remove(self, run_id: str) -> None:
        """Take it out with all that came of it; raises NotFound."""
        async with self._database.transaction() as kept:
            await kept.runs.remove(run_id)
