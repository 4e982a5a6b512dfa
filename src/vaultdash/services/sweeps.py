"""Sweeps that run behind the pages and in commands: started, followed, cancelled, resumed, kept and read again."""

import asyncio
import json
import math
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from vaultdash.backtest.sweep import NotCompiled, Row, run_chunk
from vaultdash.compute.base import Compute, WorkerDied, WorkFailed
from vaultdash.domain.errors import NotFound, Refused, VaultError
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.feed import Feed
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_document import document, from_document
from vaultdash.services.backtester import checked_name
from vaultdash.services.sweep_grid import SweepGrid, grid_of
from vaultdash.services.sweep_pace import Pace, gaps
from vaultdash.services.sweep_plan import SweepAsked, SweepPlan, SweepPlanner
from vaultdash.services.sweep_records import OPEN, SweepRecords
from vaultdash.services.sweep_result import SweepResult, packed_part, packed_result, result_of, unpacked_result
from vaultdash.services.sweep_words import summary_of

SCHEMA = 1  # of what was asked for
ENDED = (RunState.CANCELLED, RunState.FAILED)  # and to be gone on with
MOST_WAITING = 20
KEEP_SECONDS = 1.0  # what a killed process loses at most
TOLD_EVERY_SECONDS = 0.1

log = structlog.get_logger()


class Stopped(Exception):
    """Another process has the sweep: it runs it, or has ended or removed it. Nothing more is written about it."""


class Sweeps:
    """Runs one sweep at a time on `compute`; the others wait. `feed` is told every change and progress of each.

    What is done is written down every second, with a fingerprint of the prices and the code it was made by: a sweep
    that was cancelled or killed goes on from there, and one whose prices have changed since begins anew. `claim`
    holds a sweep against every other process as long as it runs: only who has it writes how it goes on, and only as
    long as the sweep is still there and open. `engine` says how all workers price.
    """

    def __init__(
        self,
        planner: SweepPlanner,
        compute: Callable[[int | None, bool], Compute],
        kept: SweepRecords,
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
        self.leaves_a_core = True  # to the pages; a command has none
        self._kept = kept
        self._claim = claim
        self._engine = engine
        self._code = code
        self._now = now
        self._open: dict[str, StoredRun] = {}  # waiting or running here, with the newest progress
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
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
        await self._kept.add(run)
        return self._go(run, plan)

    async def runs(self, limit: int = 100) -> tuple[StoredRun, ...]:
        """Newest first, those under way here with their progress."""
        return tuple(self._as_it_stands(run) for run in await self._kept.all(limit))

    async def run(self, run_id: str) -> StoredRun:
        """One of them as it stands; raises NotFound."""
        found = await self._kept.get(run_id)
        if found is None:
            raise NotFound(f"There is no sweep {run_id[:60]!r}; it may have been removed")
        return self._as_it_stands(found)

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
        content = await self._kept.result(run_id)
        if content is None:
            raise NotFound(f"The result of the sweep {run_id!r} is gone; run it again")
        return content

    async def resume(self, run_id: str) -> StoredRun:
        """Go on with one that was cancelled, failed or killed. Raises NotFound and Refused."""
        run = await self.run(run_id)
        if run_id in self._tasks:
            if run.state in OPEN:
                raise Refused(f"The sweep is {run.state} already")
            await self._stop(run_id)  # another process has ended it, which has not been noticed here yet
        _asked_in(run)  # what cannot be read is refused here and now
        with self._claim(run_id) as free:  # held while it is written: nobody begins or ends it in the moment
            if run_id in self._tasks:  # by now
                raise Refused("The sweep is waiting already")
            if not free and run.state in OPEN:
                raise Refused("The sweep is being run by another process, such as the server; it goes on there")
            if not free:
                raise Refused("The sweep is still being stopped by another process; try again in a moment")
            fields = {"state": RunState.WAITING, "finished_at": None, "problem": None}
            changed = await self._kept.changed(run_id, fields, among=(*OPEN, *ENDED))
        if changed is None:
            run = await self.run(run_id)
            raise Refused(f"The sweep is {run.state} already; there is nothing to go on with")
        return self._go(changed)

    async def resume_open(self) -> None:
        """Go on with all that an earlier server left waiting or running; only the server that runs does so."""
        for run in sorted(await self._kept.all(10_000), key=lambda run: run.created_at):
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
            fields = {"state": RunState.CANCELLED, "finished_at": self._now(), "problem": None}
            cancelled = await self._kept.changed(run_id, fields)
            if cancelled is not None:
                return self._told(cancelled)
            self._open.pop(run_id, None)
            run = await self.run(run_id)  # it ended by itself in the moment, or was removed
        raise Refused(f"The sweep has ended already: it is {run.state}")

    async def remove(self, run_id: str) -> None:
        """Take it out with all that came of it, stopping it first; raises NotFound."""
        await self._stop(run_id)
        self._open.pop(run_id, None)
        await self.run(run_id)
        await self._kept.remove(run_id)

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
                        raise Stopped
                    await self._at_work(run, plan)
        except Stopped:
            await self._let_go(run.id)
        except Exception as error:  # noqa: BLE001 - the claim could not even be asked for; it is logged and told
            await self._broke(run.id, error)

    async def _at_work(self, run: StoredRun, plan: SweepPlan | None) -> None:
        """The same from the claim on; Stopped when another process has ended or removed it, even while it waited."""
        try:
            await self._change(run.id, state=RunState.RUNNING)
            await self._swept(run, plan)
        except asyncio.CancelledError:
            if self._is_closing:
                with suppress(VaultError, Stopped):
                    await self._change(run.id, state=RunState.WAITING)
            raise
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, nobody must wait for it any longer
            await self._broke(run.id, error)

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
        rows, parts = await self._kept.rows(run.id, basis, plan.points)
        await self._change(run.id, progress=_share(rows))
        await self._run_gaps(run.id, plan, basis, rows, parts)

        def ended() -> tuple[bytes, str]:
            whole = [row for row in rows if row is not None]
            assert len(whole) == plan.points  # every gap was run
            result = result_of(plan, whole)
            return packed_result(result), json.dumps(summary_of(result), allow_nan=False)

        content, told = await asyncio.to_thread(ended)
        done: dict[str, Any] = {
            "state": RunState.DONE,
            "progress": 1.0,
            "finished_at": self._now(),
            "summary": told,
            "problem": None,
        }
        await self._change(run.id, content, **done)

    async def _run_gaps(self, run_id: str, plan: SweepPlan, basis: str, rows: list[Row | None], parts: int) -> None:
        """Run what has no row yet; what is done is kept every second, and at the end, however that comes."""
        loop, told_at, kept_at = asyncio.get_running_loop(), -math.inf, asyncio.get_running_loop().time()
        if self._compute is None:
            self._compute = self._make_compute(self.workers, self.leaves_a_core)
        left = gaps(rows)
        pace = Pace(left)
        fresh: list[tuple[int, list[Row]]] = []
        done = plan.points - sum(last - first for first, last in left)

        async def keep() -> None:
            nonlocal parts, kept_at
            kept_at = loop.time()
            if fresh:
                packed = await asyncio.to_thread(lambda: [packed_part(basis, *each) for each in joined(fresh)])
                run = await self._kept.add_parts(run_id, parts, packed, done / plan.points)
                if run is None:
                    fresh.clear()
                    raise Stopped
                self._open[run_id] = run
                parts += len(packed)
                fresh.clear()  # only now: what is cancelled before is kept at the end

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

    async def _broke(self, run_id: str, error: Exception) -> None:
        """Write down that it failed; where that fails it is told all the same, and found open at the next start."""
        problem = str(error)
        if not isinstance(error, VaultError | WorkerDied | WorkFailed):
            log.error("sweep_broke", run=run_id, reason=repr(error), exc_info=error)
            problem = f"Something went wrong ({type(error).__name__}); the log says what"
        ended: dict[str, Any] = {"state": RunState.FAILED, "finished_at": self._now(), "problem": problem}
        try:
            await self._change(run_id, **ended)
        except Stopped:
            await self._let_go(run_id)
        except VaultError as why:
            log.error("sweep_not_kept", run=run_id, reason=str(why))
            run = self._open.pop(run_id, None)
            if run is not None:
                self.feed.publish(replace(run, **ended))

    async def _let_go(self, run_id: str) -> None:
        """Leave it to the process that has it, and tell how it stands there."""
        self._open.pop(run_id, None)
        with suppress(VaultError):  # it may be gone altogether
            self.feed.publish(await self.run(run_id))

    async def _change(self, run_id: str, result: bytes | None = None, **fields: object) -> StoredRun:
        """Write down what became of one that is ours; raises Stopped when it is so no longer."""
        run = await self._kept.changed(run_id, fields, result)
        if run is None:
            raise Stopped
        return self._told(run)

    def _told(self, run: StoredRun) -> StoredRun:
        if run.state in OPEN:
            self._open[run.id] = run
        else:
            self._open.pop(run.id, None)
        self.feed.publish(run)
        return run

    def _as_it_stands(self, run: StoredRun) -> StoredRun:
        """A stored one, with the progress since that is known here."""
        here = self._open.get(run.id)
        return (
            run if here is None or run.state not in OPEN else replace(run, progress=max(run.progress, here.progress))
        )

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


def _asked_in(run: StoredRun) -> SweepAsked:
    return from_document(SweepAsked, run.request, SCHEMA)


def _share(rows: list[Row | None]) -> float:
    return sum(row is not None for row in rows) / len(rows)
