"""Tells somebody outside that all is well; when it falls silent, they notice."""

from collections.abc import Callable
from datetime import datetime


class DeadmansSwitch:
    """Calls the URL at most once a minute; a failure is logged once and harms nothing."""

    def __init__(self, url: str | None, now: Callable[[], datetime]) -> None:
        self._url = url
        self._now = now

    async def alive(self) -> None:
        """An evaluation on fresh data was completed."""

    async def aclose(self) -> None:
        """Let go of the connection."""
