"""One client's way out: a message is written at once; a slow client gets a task, and the newest wait for it."""

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from starlette.types import Send

from vaultdash.api.events import ALERT, type_of

MOST_ALERTS = 200  # that wait for one client; it is dropped then, and hears what still stands when it comes back


class Outlet:
    """Sends texts over one socket. `broken` ends with the error of the first that could not be sent.

    While a client takes nothing, of each type of message the newest waits for it, and every alert, in order.
    """

    def __init__(self, send: Send, timeout_seconds: float) -> None:
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send = send
        self._timeout_seconds = timeout_seconds
        self._newest: dict[str, str] = {}
        self._alerts: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, message: str) -> None:
        """Write now if the client takes it now, which costs no task; else as soon as it does."""
        if self.broken.done():
            return
        if self._task is not None:
            self._keep(message)
            return
        sending: Coroutine[Any, Any, None] = self._sending(message)
        try:
            pause = sending.send(None)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001  # whatever it is belongs to this client, not to those after it
            self.broken.set_exception(error)
            return
        self._task = asyncio.create_task(self._finish(_resumed(sending, pause)))

    async def aclose(self) -> None:
        """Stop sending."""
        if not self.broken.cancel() and not self.broken.cancelled():
            self.broken.exception()  # known: asyncio need not complain that nobody looked
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sending(self, message: str) -> None:
        await self._send({"type": "websocket.send", "text": message})

    def _keep(self, message: str) -> None:
        kind = type_of(message)
        if kind != ALERT:
            self._newest[kind] = message
        elif len(self._alerts) < MOST_ALERTS:
            self._alerts.append(message)
        else:
            self.broken.set_exception(TimeoutError("more alerts than a client may leave waiting"))

    def _next(self) -> str | None:
        if self._alerts:
            return self._alerts.popleft()
        return self._newest.pop(next(iter(self._newest))) if self._newest else None

    async def _finish(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await sending
            while (message := self._next()) is not None:
                async with asyncio.timeout(self._timeout_seconds):
                    await self._sending(message)
        except Exception as error:  # noqa: BLE001  # handed to whoever waits for `broken`
            if not self.broken.done():
                self.broken.set_exception(error)
        finally:
            self._task = None


@types.coroutine
def _resumed(sending: Coroutine[Any, Any, None], pause: object) -> Generator[Any, Any, None]:
    """What is left of a coroutine that has paused once, for a task to go on with."""
    try:
        yield pause
        yield from sending
    finally:
        sending.close()
