"""A latest value and its listeners: the newest replaces what a slow listener has not taken yet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """Publishes values within one event loop; late listeners get the latest one first."""

    def __init__(self) -> None:
        self.latest: T | None = None
        self._slots: set[asyncio.Queue[T]] = set()
        self._hearers: set[Callable[[T], None]] = set()

    @property
    def listeners(self) -> int:
        """How many are following now."""
        return len(self._slots) + len(self._hearers)

    def publish(self, value: T) -> None:
        """Make `value` the latest and hand it to every listener, replacing one it has not taken."""
        self.latest = value
        for slot in self._slots:
            if slot.full():
                slot.get_nowait()
            slot.put_nowait(value)
        for hear in self._hearers:
            hear(value)

    @contextmanager
    def heard_by(self, hear: Callable[[T], None]) -> Iterator[None]:
        """Call `hear` with the latest value, if any, then within each `publish`; it must neither block nor raise."""
        if self.latest is not None:
            hear(self.latest)
        self._hearers.add(hear)
        try:
            yield
        finally:
            self._hearers.discard(hear)

    async def follow(self) -> AsyncIterator[T]:
        """The latest value, if any, then each new one; values a slow reader missed are skipped."""
        slot: asyncio.Queue[T] = asyncio.Queue(maxsize=1)
        if self.latest is not None:
            slot.put_nowait(self.latest)
        self._slots.add(slot)
        try:
            while True:
                yield await slot.get()
        finally:
            self._slots.discard(slot)
