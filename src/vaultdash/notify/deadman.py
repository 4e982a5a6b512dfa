"""Tells somebody outside that all is well; when it falls silent, they notice."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger()
PAUSE_SECONDS = 55.0  # evaluations come twice a minute, a little early or late
PATIENCE_SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "localhost")


class DeadmansSwitch:
    """Calls the URL about once a minute, behind whatever goes on; a failure is logged once and harms nothing.

    Who knows the URL can pretend that all is well: it is never logged, and no redirect is followed.
    """

    def __init__(
        self, url: str | None, now: Callable[[], datetime], *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._url = url
        self._now = now
        self._patience_seconds = patience_seconds
        self._last: datetime | None = None
        self._calling: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None
        self._failed = False

    async def alive(self) -> None:
        """An evaluation on fresh data was completed."""
        at = self._now()
        recently = self._last is not None and 0 <= (at - self._last).total_seconds() < PAUSE_SECONDS
        if self._url is None or recently or (self._calling is not None and not self._calling.done()):
            return
        self._last = at
        self._calling = asyncio.create_task(self._call(self._url))

    async def aclose(self) -> None:
        """Let go of the connection; a call under way is broken off."""
        if self._calling is not None:
            self._calling.cancel()
            await asyncio.gather(self._calling, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _call(self, url: str) -> None:
        problem = None
        try:
            if self._client is None:
                self._client = await asyncio.to_thread(_client, url, self._patience_seconds)
            async with asyncio.timeout(self._patience_seconds):
                answer = await self._client.get(url)
            if not answer.is_success:
                problem = f"it answers {answer.status_code}"
        except TimeoutError:
            problem = f"it did not answer within {self._patience_seconds:g} seconds"
        except Exception as error:  # noqa: BLE001 - the watch over us must not stop the watch over the loan
            problem = f"it could not be reached ({type(error).__name__})"  # the error's text may hold the URL
        if problem is not None and not self._failed:
            log.warning("deadman_not_told", reason=problem)
        elif problem is None and self._failed:
            log.info("deadman_told_again")
        self._failed = problem is not None


def _client(url: str, patience_seconds: float) -> "httpx.AsyncClient":
    """Blocks: the library and the certificates are loaded on first use."""
    import httpx

    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below it they write addresses down
    return httpx.AsyncClient(
        timeout=patience_seconds,
        follow_redirects=False,
        headers={"User-Agent": "vault-dash"},
        trust_env=httpx.URL(url).host not in LOOPBACK,  # a proxy does not lead to this computer
    )
