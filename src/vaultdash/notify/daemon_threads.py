"""Runs what blocks in threads that never hold up the end of the process."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DaemonThreads:
    """At most `most` at once; one that hangs keeps its place until it ends by itself."""

    def __init__(self, name: str, most: int = 8) -> None:
        self._name = name
        self._places = asyncio.Semaphore(most)

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` gives or raises; TimeoutError after `seconds`, when what it does may still come to pass."""
        async with asyncio.timeout(seconds):
            await self._places.acquire()
            loop = asyncio.get_running_loop()
            done: asyncio.Future[T] = loop.create_future()

            def settle(answer: T | None, error: BaseException | None) -> None:
                self._places.release()
                if done.cancelled():
                    return
                if error is not None:
                    done.set_exception(error)
                else:
                    done.set_result(answer)  # type: ignore[arg-type]  # no error, so it is what `work` gave

            def begin() -> None:
                answer, failed = None, None
                try:
                    answer = work()
                except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
                    failed = error
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(settle, answer, failed)

            threading.Thread(target=begin, name=self._name, daemon=True).start()
            return await done
