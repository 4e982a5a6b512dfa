"""One client's way out: a message is written at once; a slow client gets a task, and the newest waits for it."""

import asyncio
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from starlette.types import Send


class Outlet:
    """Sends texts over one socket. `broken` ends with the error of the first that could not be sent."""

    def __init__(self, send: Send, timeout_seconds: float) -> None:
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send = send
        self._timeout_seconds = timeout_seconds
        self._waiting: str | None = None
        self._task: asyncio.Task[None] | None = None

    def put(self, message: str) -> None:
        """Write now if the client takes it now, which costs no task; else as soon as it does."""
        if self.broken.done():
            return
        if self._task is not None:
            self._waiting = message
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

    async def _finish(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await sending
            while self._waiting is not None:
                message, self._waiting = self._waiting, None
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
