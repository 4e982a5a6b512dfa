"""Tells the listeners of a feed how the house is: when that changed, and every minute."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from vaultdash.api.events import health_update
from vaultdash.api.respond import encode
from vaultdash.feed import Feed
from vaultdash.services.vault import Health, Vault

log = structlog.get_logger()


class HealthWatch:
    """Looks every `check_seconds`, and only while somebody listens; what did not change is told again after
    `repeat_seconds`.
    """

    def __init__(
        self, vault: Vault, messages: Feed[str], *, check_seconds: float = 5.0, repeat_seconds: float = 60.0
    ) -> None:
        self._vault = vault
        self._messages = messages
        self._check_seconds = check_seconds
        self._repeat_seconds = repeat_seconds
        self._sooner = asyncio.Event()
        self._known: tuple[float, Health] | None = None  # when it was looked at, by the loop's clock
        self._told: tuple[float, tuple[object, ...]] | None = None

    def greet(self, hear: Callable[[str], None]) -> None:
        """Tell one listener what is known; when that is nothing or old, all listeners are told at once."""
        if self._known is not None and _now() - self._known[0] < 2 * self._check_seconds:
            hear(self._message(self._known[1]))
        else:
            self._told = None
            self._sooner.set()

    async def follow(self) -> None:
        """Until cancelled."""
        broken = False
        while True:
            if self._messages.listeners:
                try:
                    await self._look()
                except Exception as error:  # the next look may succeed
                    if not broken:
                        log.error("health_not_told", reason=repr(error), exc_info=True)
                    broken = True
                else:
                    broken = False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), self._check_seconds)
            self._sooner.clear()

    async def _look(self) -> None:
        health = await self._vault.health()
        self._known = _now(), health
        state = (health.status, tuple(sorted(health.dependencies.items())), health.not_ready)
        if self._told is None or self._told[1] != state or _now() - self._told[0] >= self._repeat_seconds:
            self._told = _now(), state
            self._messages.publish(self._message(health))

    def _message(self, health: Health) -> str:
        return encode(health_update(health, self._vault.now())).decode()


def _now() -> float:
    return asyncio.get_running_loop().time()
