"""A cache in this process: a bounded number of entries, the least recently used leaves first."""

import time
from collections import OrderedDict
from collections.abc import Callable


class MemoryCache:
    """Bytes by key until they expire or make room."""

    name = "memory"

    def __init__(self, max_entries: int = 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """The value, or None when it is missing or expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if self._clock() >= expires:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep `value` for `ttl_seconds`; no time at all forgets the key."""
        self._entries.pop(key, None)
        if not ttl_seconds > 0:
            return
        self._entries[key] = (self._clock() + ttl_seconds, value)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    async def state(self) -> str:
        """Always `ok`."""
        return "ok"

    async def aclose(self) -> None:
        """Forget everything."""
        self._entries.clear()
