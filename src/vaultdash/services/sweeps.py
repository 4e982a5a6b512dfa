"""Sweeps that run behind the pages and in commands: started, followed, cancelled, resumed, kept and read again."""

import asyncio
import json
import math
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import replace
from datetime import datetime

import structlog

from vaultdash.backtest.sweep import NotCompiled, Row, run_chunk
from vaultdash.compute.base import Compute, WorkerDied, WorkFailed
from vaultdash.domain.errors import InvalidInput, NotFound, Refused, VaultError
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.feed import Feed
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_document import document, from_document
from vaultdash.services.sweep_grid import LONGEST_NAME, SweepGrid, grid_of
from vaultdash.services.sweep_pace import Pace, gaps
from vaultdash.services.sweep_plan import SweepAsked, SweepPlan, SweepPlanner
from vaultdash.services.sweep_result import (
    SweepResult,
    packed_part,
    packed_result,
    result_of,
    unpacked_part,
    unpacked_result,
)
from vaultdash.services.sweep_words import summary_of
from vaultdash.storage.records import Database

SCHEMA = 1  # of what was asked for
OPEN = (RunState.WAITING, RunState.RUNNING)
MOST_WAITING = 20
KEEP_SECONDS = 1.0  # what a killed process loses at most
TOLD_EVERY_SECONDS = 0.1

log = structlog.get_logger()


class Stopped(Exception):
    """Another process cancelled or removed the sweep."""


class Sweeps:
    """Runs one sweep at a time on `compute`; the others wait. `feed` is told every change and progress of each.

    What is done is written down every second, with a fingerprint of the prices and the code it was made by: a sweep
    that was cancelled or killed goes on from there, and one whose prices have changed since begins anew. `claim`
    holds a sweep against every other process as long as it runs. `engine` says how all workers price.
    """

    def __init__(
        self,
        planner: SweepPlanner,
        compute: Callable[[int | None], Compute],
        database: Database,
        claim: Callable[[str], AbstractContextManager[bool]],
        engine: Callable[[], Awaitable[Engine]],
        code: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self.feed: Feed[StoredRun] = Feed()
        self.planner = planner
        self._make_compute = compute
        self._compute: Compute | None = None
        self.workers: int | None = None  # processes, of a command that limits them
        self._database = database
        self._claim = claim
        self._engine = engine
        self._code = code
        self._now = now
        self._open: dict[str, StoredRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._is_closing = False

    async def start(self, grid: SweepGrid, name: str = "") -> StoredRun:
        """Check, write down and begin behind the caller. Raises InvalidInput, Refused, DatabaseError."""
        if len(self._open) >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} sweeps are waiting already; let some end, or cancel them")
        asked = await self.planner.asked(grid)
        plan = await self.planner.plan(grid, asked)
        run = StoredRun(
            id=uuid.uuid4().hex[:16],
            kind=RunKind.SWEEP,
            name=checked_name(name or grid.name or f"{plan.points:,} runs"),
            state=RunState.WAITING,
            created_at=self._now(),
            request=document(asked, SCHEMA),
        )
        await self._keep(run)
        return self._go(run, plan)

    async def runs(self, limit: int = 100) -> tuple[StoredRun, ...]:
        """Newest first, those under way here with their progress."""
        async with self._database.reading() as kept:
            found = await kept.runs.all(RunKind.SWEEP, limit)
        return tuple(self._open.get(run.id, run) for run in found)

    async def run(self, run_id: str) -> StoredRun:
        """One of them as it stands; raises NotFound."""
        if run_id in self._open:
            return self._open[run_id]
        async with self._database.reading() as kept:
            found = await kept.runs.get(run_id)
        if found is None or found.kind is not RunKind.SWEEP:
            raise NotFound(f"There is no sweep {run_id[:60]!r}; it may have been removed")
        return found

    async def asked(self, run_id: str) -> SweepAsked:
        """What it was asked for, with the templates it used. Raises NotFound and Refused."""
        return _asked_in(await self.run(run_id))

    async def result(self, run_id: str) -> SweepResult:
        """What came of it. Raises NotFound, and Refused while there is none or it cannot be read."""
        return await asyncio.to_thread(unpacked_result, await self.content(run_id))

    async def content(self, run_id: str) -> bytes:
        """The same as it is kept: equal bytes are equal results. Raises as `result` does."""
        run = await self.run(run_id)
        if run.state is not RunState.DONE:
            reason = f": {run.problem}" if run.problem and run.state is RunState.FAILED else ""
            raise Refused(f"The sweep is {run.state}{reason}; there is no result yet")
        async with self._database.reading() as kept:
            content = await kept.runs.result(run_id)
        if content is None:
            raise NotFound(f"The result of the sweep {run_id!r} is gone; run it again")
        return content

    async def resume(self, run_id: str) -> StoredRun:
        """Go on with one that was cancelled, failed or killed. Raises NotFound and Refused."""
        run = await self.run(run_id)
        if run_id in self._tasks:
            raise Refused(f"The sweep is {run.state} already")
        if run.state is RunState.DONE:
            raise Refused("The sweep is done already; there is nothing to go on with")
        if run.state is RunState.RUNNING and not self._is_free(run_id):
            raise Refused("The sweep is being run by another process, such as the server; it goes on there")
        _asked_in(run)  # what cannot be read is refused here and now
        run = replace(run, state=RunState.WAITING, finished_at=None, problem=None)
        await self._keep(run)
        return self._go(run)

    async def resume_open(self) -> None:
        """Go on with all that an earlier server left waiting or running; only the server that runs does so."""
        async with self._database.reading() as kept:
            found = await kept.runs.all(RunKind.SWEEP, 10_000)
        for run in sorted(found, key=lambda run: run.created_at):
            if run.state in OPEN and run.id not in self._tasks and self._is_free(run.id):
                self._go(run)

    async def wait(self, run_id: str) -> StoredRun:
        """The sweep when it has ended, in whichever way."""
        task = self._tasks.get(run_id)
        if task is not None:
            await asyncio.wait({task})
        return await self.run(run_id)

    async def cancel(self, run_id: str) -> StoredRun:
        """Stop one that waits or runs, here or elsewhere; what is done stays. Raises NotFound and Refused."""
        run = await self.run(run_id)
        if run.state in OPEN:
            await self._stop(run_id)
            run = await self.run(run_id)
            if run.state in OPEN:  # it may have ended by itself in the moment
                return await self._change(run_id, state=RunState.CANCELLED, finished_at=self._now(), problem=None)
        raise Refused(f"The sweep has ended already: it is {run.state}")

    async def remove(self, run_id: str) -> None:
        """Take it out with all that came of it, stopping it first; raises NotFound."""
        await self.run(run_id)
        await self._stop(run_id)
        async with self._saving, self._database.transaction() as kept:
            await kept.runs.remove(run_id)
        self._open.pop(run_id, None)

    async def aclose(self) -> None:
        """Stop what is under way, keeping what is done; the next start of the server goes on."""
        self._is_closing = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._compute is not None:
            await self._compute.aclose()

    def _go(self, run: StoredRun, plan: SweepPlan | None = None) -> StoredRun:
        self._open[run.id] = run
        self.feed.publish(run)
        task = asyncio.create_task(self._worked(run, plan), name=f"sweep {run.id}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))
        return run

    async def _worked(self, run: StoredRun, plan: SweepPlan | None) -> None:
        """From waiting to its end, whatever happens."""
        try:
            async with self._turn:
                with self._claim(run.id) as free:
                    if not free:
                        raise Refused("The sweep is being run by another process; it goes on there")
                    await self._swept(run, plan)
        except asyncio.CancelledError:
            if self._is_closing:
                with suppress(VaultError):
                    await self._change(run.id, state=RunState.WAITING)
            raise
        except Stopped:
            self._open.pop(run.id, None)
            with suppress(VaultError):  # it may be gone altogether
                self.feed.publish(await self.run(run.id))
        except (VaultError, WorkerDied, WorkFailed) as error:
            await self._fail(run.id, str(error))
        except Exception as error:  # whatever broke, nobody must wait for it any longer
            log.error("sweep_broke", run=run.id, reason=repr(error), exc_info=True)
            await self._fail(run.id, f"Something went wrong ({type(error).__name__}); the log says what")

    async def _swept(self, run: StoredRun, plan: SweepPlan | None) -> None:
        if plan is None:
            asked = _asked_in(run)
            plan = await self.planner.plan(grid_of(json.loads(asked.grid)), asked)
        try:
            await self._priced(run, plan.priced_by(await self._engine()))
        except NotCompiled as error:  # some of the workers; then none shall use what others have not
            log.warning("sweep_without_kernels", run=run.id, reason=str(error))
            await self._priced(run, plan.priced_by("reference"))

    async def _priced(self, run: StoredRun, plan: SweepPlan) -> None:
        basis = await asyncio.to_thread(lambda: plan.basis(self._code()))
        rows, parts = await self._kept_rows(run.id, basis, plan.points)
        await self._change(run.id, state=RunState.RUNNING, progress=_share(rows))
        await self._run_gaps(run.id, plan, basis, rows, parts)
        whole = [row for row in rows if row is not None]
        assert len(whole) == plan.points  # every gap was run
        result = result_of(plan, whole)
        content = await asyncio.to_thread(packed_result, result)
        told = json.dumps(await asyncio.to_thread(summary_of, result), allow_nan=False)
        await self._change(
            run.id, content, state=RunState.DONE, progress=1.0, finished_at=self._now(), summary=told, problem=None
        )

    async def _run_gaps(self, run_id: str, plan: SweepPlan, basis: str, rows: list[Row | None], parts: int) -> None:
        """Run what has no row yet; what is done is kept every second, and at the end, however that comes."""
        loop, told_at, kept_at = asyncio.get_running_loop(), -math.inf, asyncio.get_running_loop().time()
        if self._compute is None:
            self._compute = self._make_compute(self.workers)
        pace = Pace(gaps(rows))
        fresh: list[tuple[int, list[Row]]] = []
        done = plan.points - sum(last - first for first, last in gaps(rows))

        async def keep() -> None:
            nonlocal fresh, parts, kept_at
            taken, fresh, kept_at = fresh, [], loop.time()
            if taken:
                packed = [packed_part(basis, first, found) for first, found in joined(taken)]
                await self._keep_parts(run_id, parts, packed, done / plan.points)
                parts += len(packed)

        try:
            async with aclosing(self._compute.map(run_chunk, pace.spans(), shared=plan.sweep)) as results:
                async for place, found in results:
                    first, last = pace.taken[place]
                    rows[first:last] = found
                    fresh.append((first, found))
                    done += len(found)
                    now = loop.time()
                    pace.done(len(found), now, self._compute.workers)
                    if now - told_at >= TOLD_EVERY_SECONDS:
                        told_at = now
                        self._open[run_id] = replace(self._open[run_id], progress=done / plan.points)
                        self.feed.publish(self._open[run_id])
                    if now - kept_at >= KEEP_SECONDS:
                        await keep()
        finally:
            with suppress(Stopped):  # the reason why it ends is told already
                await keep()

    async def _kept_rows(self, run_id: str, basis: str, points: int) -> tuple[list[Row | None], int]:
        """The rows that were kept by an earlier attempt on the same data, and the number for the next part."""
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

    async def _keep_parts(self, run_id: str, number: int, parts: list[bytes], progress: float) -> None:
        async with self._saving, self._database.transaction() as kept:
            run = await kept.runs.get(run_id)
            if run is None or run.state not in OPEN:
                raise Stopped
            for place, content in enumerate(parts):
                await kept.runs.put_part(run_id, number + place, content)
            await kept.runs.put(replace(run, progress=progress))
        self._open[run_id] = replace(run, progress=progress)

    async def _fail(self, run_id: str, problem: str) -> None:
        """Write down that it failed; where that fails it is told all the same, and found open at the next start."""
        ended = {"state": RunState.FAILED, "finished_at": self._now(), "problem": problem}
        try:
            await self._change(run_id, None, **ended)
        except VaultError as error:
            log.error("sweep_not_kept", run=run_id, reason=str(error))
            run = self._open.pop(run_id, None)
            if run is not None:
                self.feed.publish(replace(run, **ended))  # type: ignore[arg-type]  # fields of a run

    async def _change(self, run_id: str, result: bytes | None = None, **fields: object) -> StoredRun:
        async with self._saving:
            run = replace(await self.run(run_id), **fields)  # type: ignore[arg-type]  # fields of a run
            return await self._keep(run, result)

    async def _keep(self, run: StoredRun, result: bytes | None = None) -> StoredRun:
        """Write it down; a result takes the place of the parts, which are emptied."""
        async with self._database.transaction() as kept:
            await kept.runs.put(run)
            if result is not None:
                await kept.runs.put_result(run.id, result)
                for number in await kept.runs.parts(run.id):
                    await kept.runs.put_part(run.id, number, b"")
        if run.state in OPEN:
            self._open[run.id] = run
        else:
            self._open.pop(run.id, None)
        self.feed.publish(run)
        return run

    async def _stop(self, run_id: str) -> None:
        task = self._tasks.get(run_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _is_free(self, run_id: str) -> bool:
        """True when no process, this one included, is at work on it."""
        with self._claim(run_id) as free:
            return free


def joined(found: list[tuple[int, list[Row]]]) -> list[tuple[int, list[Row]]]:
    """Neighbouring pieces in one: fewer parts are written and read."""
    whole: list[tuple[int, list[Row]]] = []
    for first, rows in sorted(found, key=lambda each: each[0]):
        if whole and whole[-1][0] + len(whole[-1][1]) == first:
            whole[-1][1].extend(rows)
        else:
            whole.append((first, list(rows)))
    return whole


def checked_name(name: str) -> str:
    """The name as it is kept; raises InvalidInput."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name", f"must be plain text of 1 to {LONGEST_NAME} characters")
    return name


def _asked_in(run: StoredRun) -> SweepAsked:
    return from_document(SweepAsked, run.request, SCHEMA)


def _share(rows: list[Row | None]) -> float:
    return sum(row is not None for row in rows) / len(rows)
