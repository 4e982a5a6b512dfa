"""Workers on this machine: spawned processes, started when first needed."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from vaultdash.compute.base import DEATHS, WorkerDied
from vaultdash.compute.in_turn import as_done
from vaultdash.compute.worker import Worker, pickled

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
C = TypeVar("C")
WORKERS = 1  # simulations of one owner; the event loop keeps the other core
IDLE_SECONDS = 300.0  # then a worker ends: what it has imported is a few hundred megabytes
AHEAD = 2  # chunks a worker: one at work, and one that is ready when it ends


class LocalCompute:
    """Keeps its processes between calls; a worker that dies is replaced and the work tried again.

    A process nobody has used for `idle_seconds` ends. `prepare` is an importable function that each process calls
    before its first work. Cancelling a call ends its process: no core goes on with what nobody wants any more.
    """

    def __init__(
        self,
        workers: int = WORKERS,
        prepare: Callable[[], object] | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._workers = workers
        self._idle_seconds = idle_seconds
        self._resting: asyncio.TimerHandle | None = None
        self._prepare = prepare
        self._turns = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="compute")  # each waits for one process
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False

    @property
    def workers(self) -> int:
        """How many processes there are at most."""
        return self._workers

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `function(*args, **kwargs)` in a worker; tried once more when that dies."""
        return await self._survived(lambda worker: worker.call(function, args, kwargs), deaths=1)

    async def map(
        self, function: Callable[[S, C], R], chunks: Iterable[C], /, shared: S
    ) -> AsyncGenerator[tuple[int, R], None]:
        """`function(shared, chunk)` for each chunk, by its place, as they are done; see the contract."""
        sent = await asyncio.to_thread(pickled, shared)

        async def one(chunk: C) -> R:
            return await self._survived(lambda worker: worker.call_shared(function, sent, chunk), DEATHS)

        done = as_done(one, chunks, lambda: AHEAD * self._workers)
        try:
            async for each in done:
                yield each
        finally:
            await done.aclose()

    async def aclose(self) -> None:
        """End the workers, also those at work; whoever waits for one is told WorkerDied."""
        self._closed = True
        for worker in self._busy:
            worker.kill()
        self._rest()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _survived(self, work: Callable[[Worker], R], deaths: int) -> R:
        """What `work` makes in a worker, though up to `deaths` of them die over it."""
        async with self._turns:
            for _ in range(deaths):
                try:
                    return await self._once(work)
                except WorkerDied:
                    if self._closed:
                        raise
            try:
                return await self._once(work)
            except WorkerDied as end:
                if self._closed:
                    raise
                raise WorkerDied(
                    f"{deaths + 1} processes have died over the same piece of work; is there enough memory?"
                ) from end

    async def _once(self, work: Callable[[Worker], R]) -> R:
        if self._closed:
            raise WorkerDied("the house is being closed")
        worker = self._idle.pop() if self._idle else Worker(self._prepare)
        self._busy.add(worker)
        loop = asyncio.get_running_loop()
        try:
            result: R = await loop.run_in_executor(self._threads, work, worker)
        except (WorkerDied, asyncio.CancelledError):
            worker.kill()
            raise
        except BaseException:
            self._idle.append(worker)
            raise
        else:
            self._idle.append(worker)
            return result
        finally:
            self._busy.discard(worker)
            if self._resting is not None:
                self._resting.cancel()
            self._resting = None if self._closed else loop.call_later(self._idle_seconds, self._rest)

    def _rest(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        for worker in self._idle:
            worker.kill()
        self._idle.clear()


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
