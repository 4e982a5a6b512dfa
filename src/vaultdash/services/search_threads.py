"""The threads in which hedges are searched for: a few at once, a few waiting, and no more."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from vaultdash.domain.errors import Unavailable

AT_ONCE = 2  # searches: each takes a core
MOST_WAITING = 6  # beside them; a later one would wait for minutes
T = TypeVar("T")


class SearchThreads:
    """Two threads, however many callers come and leave."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search")
        self._under_way: set[Future[Any]] = set()

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """What the work will come to, in its turn; cancelled while it waits it is not begun, and leaves its place.

        Raises Unavailable while too many wait.
        """
        self._under_way = {each for each in self._under_way if not each.done()}
        if len(self._under_way) >= AT_ONCE + MOST_WAITING:
            raise Unavailable(
                f"This server is busy: {len(self._under_way)} searches for a hedge are under way or waiting, and no "
                "more are taken; ask again in a minute"
            )
        future = self._threads.submit(work)
        self._under_way.add(future)
        return future

    def close(self) -> None:
        """Begin nothing any more; what is under way ends by itself, within its time."""
        self._threads.shutdown(wait=False, cancel_futures=True)
