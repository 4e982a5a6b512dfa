"""What a cache does: it may forget at any time, and it never raises."""

from typing import Protocol


class Cache(Protocol):
    """Bytes by key for a while. A failing cache answers like an empty one."""

    name: str

    async def get(self, key: str) -> bytes | None:
        """The value, or None when it is missing, expired, not ours or the cache is unwell."""
        ...

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep `value` for `ttl_seconds`; silently does nothing when the cache is unwell."""
        ...

    async def state(self) -> str:
        """`ok`, or a short reason why not."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
