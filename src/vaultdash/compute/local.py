"""Workers on this machine: spawned processes, started when first needed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from vaultdash.compute.worker import Worker, WorkerDied

P = ParamSpec("P")
R = TypeVar("R")
WORKERS = 1  # simulations of one owner; the event loop keeps the other core
IDLE_SECONDS = 300.0  # then a worker ends: what it has imported is a few hundred megabytes


class LocalCompute:
    """Keeps its processes between calls; a worker that dies is replaced and the work tried once more.

    A process nobody has used for `idle_seconds` ends. `prepare` is an importable function that each process calls
    before its first work. Cancelling a call ends its
    process at once: no core goes on with what nobody wants any more.
    """

    def __init__(
        self,
        workers: int = WORKERS,
        prepare: Callable[[], object] | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._resting: asyncio.TimerHandle | None = None
        self._prepare = prepare
        self._turns = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="compute")  # each waits for one process
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `function(*args, **kwargs)` in a worker."""
        async with self._turns:
            try:
                return await self._once(function, args, kwargs)
            except WorkerDied:
                if self._closed:
                    raise
                return await self._once(function, args, kwargs)

    async def aclose(self) -> None:
        """End the workers, also those at work; whoever waits for one is told WorkerDied."""
        self._closed = True
        for worker in self._busy:
            worker.kill()
        self._rest()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _once(self, function: Callable[..., R], args: tuple[object, ...], kwargs: dict[str, object]) -> R:
        if self._closed:
            raise WorkerDied("the house is being closed")
        worker = self._idle.pop() if self._idle else Worker(self._prepare)
        self._busy.add(worker)
        loop = asyncio.get_running_loop()
        try:
            result: R = await loop.run_in_executor(self._threads, worker.call, function, args, kwargs)
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
