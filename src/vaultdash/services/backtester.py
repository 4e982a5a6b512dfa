"""Backtests that run behind the pages: started, followed, cancelled, kept and read again."""

import asyncio
import json
import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog

from vaultdash.domain.errors import InvalidInput, NotFound, Refused, VaultError
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.feed import Feed
from vaultdash.services.backtest_asking import BacktestAsking
from vaultdash.services.backtest_document import document, from_document, packed, unpacked
from vaultdash.services.backtest_keeping import KEPT_RUNS, ReportsInMemory, beyond_limits
from vaultdash.services.backtest_request import Asked, BacktestReport, BacktestRequest
from vaultdash.services.backtest_scenario import window_of
from vaultdash.services.backtest_summary import summary_of
from vaultdash.services.backtest_words import LONGEST_NAME, usual_name
from vaultdash.services.backtest_work import BacktestWork, Told
from vaultdash.storage.records import Database, Transaction

SCHEMA = 1  # of requests and results as they are kept
OURS = (RunKind.BACKTEST, RunKind.EVENT)
OPEN = (RunState.WAITING, RunState.RUNNING)
MOST_WAITING = 40
TOLD_EVERY_SECONDS = 0.1
INTERRUPTED = "It was interrupted when the server stopped, and was begun again."
INTERRUPTED_TWICE = "It was under way when the server stopped, twice; it is not tried a third time. Run it again."

log = structlog.get_logger()


class Ended(Refused):
    """The run was cancelled, removed or brought to its end by another process meanwhile: nothing more is written."""


class Backtester:
    """Runs one backtest at a time; the others wait. `feed` is told every change and progress of each.

    A run is written down before it is begun, with all that is needed to run it again, and its result before it counts
    as done. What a killed server left waiting or running is begun again by `resume`, once.
    """

    def __init__(
        self,
        asking: BacktestAsking,
        work: BacktestWork,
        database: Database,
        now: Callable[[], datetime],
        most_kept: int = KEPT_RUNS,
    ) -> None:
        self.feed: Feed[StoredRun] = Feed()
        self._asking = asking
        self._work = work
        self._database = database
        self._now = now
        self._most_kept = most_kept
        self._open: dict[str, StoredRun] = {}  # waiting or running here, with the newest progress
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._saving = asyncio.Lock()  # so that a change stands on the one before it
        self._reports = ReportsInMemory()
        self._is_closing = False

    async def start(self, request: BacktestRequest, kind: RunKind = RunKind.BACKTEST) -> StoredRun:
        """Check, write down and begin behind the caller. Raises InvalidInput, NotFound, Refused, DatabaseError."""
        return await self._begin(await self._asking.asked(request), kind)

    async def again(self, run_id: str) -> StoredRun:
        """A new run of exactly what was asked then, in the versions of then. Raises NotFound and Refused."""
        run = await self.run(run_id)
        return await self._begin(_asked_in(run), run.kind)

    async def later_end(self, run_id: str, days: int) -> date | None:
        """The last day of a run moved on by so many days, the last stored one at most; None when nothing is stored
        after it. Raises NotFound and Refused.
        """
        asked = _asked_in(await self.run(run_id))
        _, end = window_of(asked.request, asked.event)
        later = await self._work.last_day(end + timedelta(days=days))
        return later if later > end else None

    async def go_on(self, run_id: str, days: int) -> StoredRun:
        """A new run of what was asked then, in the versions of then, that ends so many days later (`later_end`).
        Raises NotFound, Refused and InvalidInput.
        """
        later = await self.later_end(run_id, days)
        if later is None:
            raise Refused(
                "No later price is stored, so the run cannot go on; `vault-dash history update` may bring some"
            )
        run = await self.run(run_id)
        asked = _asked_in(run)
        return await self._begin(replace(asked, request=replace(asked.request, end=later)), run.kind)

    async def run_now(self, request: BacktestRequest, progress: Told = lambda _: None) -> BacktestReport:
        """The report, waited for, and nothing kept: what a command does. Raises InvalidInput and NotFound."""
        return await self._work.report(await self._asking.asked(request), progress)

    async def runs(self, limit: int = 100) -> tuple[StoredRun, ...]:
        """Newest first, those under way with their progress."""
        async with self._database.reading() as kept:
            found = [run for kind in OURS for run in await kept.runs.all(kind, limit)]
        found.sort(key=lambda run: run.created_at, reverse=True)
        return tuple(self._as_it_stands(run) for run in found[:limit])

    async def run(self, run_id: str) -> StoredRun:
        """One of them as it stands; raises NotFound."""
        async with self._database.reading() as kept:
            return self._as_it_stands(await _stored(kept, run_id))

    async def asked(self, run_id: str) -> Asked:
        """What it was asked for, with the templates it used. Raises NotFound and Refused."""
        return _asked_in(await self.run(run_id))

    async def result(self, run_id: str) -> BacktestReport:
        """What came of it, to the last bit. Raises NotFound, and Refused while there is none or it cannot be read."""
        known = self._reports.get(run_id)
        if known is None:
            run = await self.run(run_id)
            if run.state is not RunState.DONE:
                reason = f": {run.problem}" if run.problem and run.state is RunState.FAILED else ""
                raise Refused(f"The backtest is {run.state}{reason}; there is no result")
            async with self._database.reading() as kept:
                content = await kept.runs.result(run_id)
            if content is None:
                raise NotFound(f"The result of the backtest {run_id!r} is gone; run it again")
            known = await asyncio.to_thread(unpacked, BacktestReport, content, SCHEMA)
            self._reports.put(run_id, known)
        return known

    async def cancel(self, run_id: str) -> StoredRun:
        """Stop one that waits or runs; raises NotFound, and Refused when it has ended."""
        run = await self.run(run_id)
        if run.state in OPEN:
            await self._stop(run_id)
            try:
                return await self._end(run_id, state=RunState.CANCELLED, problem=None)
            except Ended:  # by itself, in the moment
                run = await self.run(run_id)
        raise Refused(f"The backtest has ended already: it is {run.state}")

    async def rename(self, run_id: str, name: str) -> StoredRun:
        """Give it another name; raises NotFound and InvalidInput."""
        return await self._change(run_id, name=checked_name(name))

    async def remove(self, run_id: str) -> None:
        """Take it out with its result, stopping it first; raises NotFound."""
        await self.run(run_id)
        await self._stop(run_id)
        async with self._saving, self._database.transaction() as kept:
            await kept.runs.remove(run_id)
        self._open.pop(run_id, None)
        self._reports.drop(run_id)

    async def resume(self) -> None:
        """Begin again what an earlier server left waiting or running; what was interrupted twice has failed.

        Only the server that runs does so: a command must not take up its work.
        """
        async with self._database.reading() as kept:
            found = [run for kind in OURS for run in await kept.runs.all(kind, 10_000)]
        for run in sorted(found, key=lambda run: run.created_at):
            if run.state not in OPEN or run.id in self._tasks:
                continue
            if run.state is RunState.RUNNING and run.problem is not None:
                await self._fail(run.id, INTERRUPTED_TWICE)
                continue
            problem = INTERRUPTED if run.state is RunState.RUNNING else run.problem
            try:
                asked = _asked_in(run)
            except Refused as error:
                await self._fail(run.id, str(error))
                continue
            self._go(replace(run, problem=problem, progress=0.0), asked)

    async def aclose(self) -> None:
        """Stop what is under way; it is begun again at the next start."""
        self._is_closing = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _begin(self, asked: Asked, kind: RunKind) -> StoredRun:
        if len(self._open) >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} backtests are waiting already; let some end, or cancel them")
        prepared, market = await self._work.prepared(asked)
        name = asked.request.name.strip() or usual_name(asked, prepared.scenario.start, market.days[-1])
        run = StoredRun(
            id=uuid.uuid4().hex[:16],
            kind=kind,
            name=checked_name(name),
            state=RunState.WAITING,
            created_at=self._now(),
            request=document(asked, SCHEMA),
        )
        async with self._saving, self._database.transaction() as kept:
            await kept.runs.put(run)
        return self._go(run, asked)

    def _go(self, run: StoredRun, asked: Asked) -> StoredRun:
        self._open[run.id] = run
        self.feed.publish(run)
        task = asyncio.create_task(self._worked(run.id, asked), name=f"backtest {run.id}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))
        return run

    async def _worked(self, run_id: str, asked: Asked) -> None:
        """From waiting to its end, whatever happens; a run that this process drops is open in the database still."""
        try:
            async with self._turn:
                problem = self._open[run_id].problem  # that it was interrupted before
                await self._go_on(run_id, state=RunState.RUNNING, progress=0.0, problem=problem)
                report = await self._work.report(asked, self._teller(run_id))
                content = await asyncio.to_thread(packed, report, SCHEMA)
                told = json.dumps({**summary_of(report), "bytes": len(content)}, allow_nan=False)
                await self._end(run_id, content, state=RunState.DONE, progress=1.0, summary=told, problem=None)
                self._reports.put(run_id, report)
                await self._make_room()
        except asyncio.CancelledError:
            if self._is_closing:
                with suppress(VaultError):  # then it is found running, which is the same after the next start
                    await self._go_on(run_id, state=RunState.WAITING, progress=0.0)
            raise
        except Ended:
            await self._let_go(run_id)
        except VaultError as error:
            await self._fail(run_id, str(error))
        except Exception as error:  # whatever broke, nobody must wait for it any longer
            log.error("backtest_broke", run=run_id, reason=repr(error), exc_info=True)
            await self._fail(run_id, f"Something went wrong ({type(error).__name__}); the log says what")

    async def _fail(self, run_id: str, problem: str) -> None:
        """Write down that it failed; where that fails it is told all the same, and found open at the next start."""
        now = self._now()
        try:
            await self._end(run_id, state=RunState.FAILED, problem=problem)
        except Ended:
            await self._let_go(run_id)
        except VaultError as error:
            log.error("backtest_not_kept", run=run_id, reason=str(error))
            run = self._open.pop(run_id, None)
            if run is not None:
                self.feed.publish(replace(run, state=RunState.FAILED, finished_at=now, problem=problem))

    async def _change(self, run_id: str, **fields: object) -> StoredRun:
        """Change fields of a run, whatever its state."""
        async with self._saving:
            async with self._database.transaction() as kept:
                run = replace(await _stored(kept, run_id), **fields)  # type: ignore[arg-type]  # fields of a run
                await kept.runs.put(run)
            return self._told(self._as_it_stands(run))

    async def _go_on(self, run_id: str, result: bytes | None = None, **fields: object) -> StoredRun:
        """Change a run that is open as the database has it, in one transaction with its result; raises Ended.

        Another process may have cancelled or removed it: what is over must not come back.
        """
        async with self._saving:
            async with self._database.transaction() as kept:
                found = await kept.runs.get(run_id)
                if found is None or found.state not in OPEN:
                    raise Ended(f"The backtest {run_id} was ended or removed elsewhere")
                run = replace(found, **fields)  # type: ignore[arg-type]  # fields of a run
                await kept.runs.put(run)
                if result is not None:
                    await kept.runs.put_result(run.id, result)
            return self._told(run)

    async def _end(self, run_id: str, result: bytes | None = None, **fields: object) -> StoredRun:
        return await self._go_on(run_id, result, finished_at=self._now(), **fields)

    async def _let_go(self, run_id: str) -> None:
        """Drop a run that is over elsewhere, and tell those who follow it."""
        run = self._open.pop(run_id, None)
        if run is None:
            return
        with suppress(VaultError):
            run = await self.run(run_id)
        if run.state in OPEN:  # it is gone altogether
            run = replace(run, state=RunState.CANCELLED, problem="It was removed")
        self.feed.publish(run)

    async def _make_room(self) -> None:
        """Remove the oldest runs beyond what is kept."""
        try:
            async with self._saving, self._database.transaction() as kept:
                found = [run for kind in OURS for run in await kept.runs.all(kind, 10_000)]
                ended = sorted((run for run in found if run.state not in OPEN), key=_age, reverse=True)
                gone = beyond_limits(ended, self._most_kept)
                for run in gone:
                    await kept.runs.remove(run.id)
        except VaultError as error:  # the next one tries again
            log.warning("backtests_not_removed", reason=str(error))
            return
        for run in gone:
            self._reports.drop(run.id)
            log.info("backtest_removed", run=run.id, name=run.name)

    def _told(self, run: StoredRun) -> StoredRun:
        """Remember and publish what the database has from now on."""
        if run.state not in OPEN:
            self._open.pop(run.id, None)
        elif run.id in self._open:
            self._open[run.id] = run
        self.feed.publish(run)
        return run

    def _as_it_stands(self, run: StoredRun) -> StoredRun:
        """A run of the database with what only this process knows: its progress, and that it was begun again."""
        here = self._open.get(run.id)
        if here is None or run.state not in OPEN:
            return run
        return replace(run, progress=here.progress, problem=run.problem or here.problem)

    def _teller(self, run_id: str) -> Told:
        loop, told_at = asyncio.get_running_loop(), -math.inf

        def tell(progress: float) -> None:
            nonlocal told_at
            if run_id not in self._open:  # removed meanwhile
                return
            self._open[run_id] = replace(self._open[run_id], progress=progress)
            if loop.time() - told_at >= TOLD_EVERY_SECONDS:
                told_at = loop.time()
                self.feed.publish(self._open[run_id])

        return tell

    async def _stop(self, run_id: str) -> None:
        task = self._tasks.get(run_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def checked_name(name: str) -> str:
    """A name for a run, trimmed; raises InvalidInput."""
    told = name.strip()
    if not told or len(told) > LONGEST_NAME or not told.isprintable():
        raise InvalidInput("name", f"must have 1 to {LONGEST_NAME} printable characters")
    return told


def _asked_in(run: StoredRun) -> Asked:
    return from_document(Asked, run.request, SCHEMA)


def _age(run: StoredRun) -> datetime:
    return run.created_at


async def _stored(kept: Transaction, run_id: str) -> StoredRun:
    found = await kept.runs.get(run_id)
    if found is None or found.kind not in OURS:
        raise NotFound(f"There is no backtest {run_id[:60]!r}; it may have been removed")
    return found
