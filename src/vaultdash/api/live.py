"""The WebSocket: each beat is encoded once and sent to every client; the newest replaces what one missed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import cast

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from vaultdash.api.answers import portfolio_update
from vaultdash.api.respond import encode
from vaultdash.feed import Feed
from vaultdash.services.vault import Vault

log = structlog.get_logger()
SEND_TIMEOUT_SECONDS = 10.0


class Broadcast:
    """Turns beats into messages, at each beat and every interval, on a feed of encoded text."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._task: asyncio.Task[None] | None = None
        self._broken = False
        self.messages: Feed[str] = Feed()

    async def start(self) -> None:
        """Follow the heartbeat until stopped."""
        self._task = asyncio.create_task(self._run(), name="broadcast")

    async def stop(self) -> None:
        """End the broadcast."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def join(self) -> AsyncGenerator[str, None]:
        """For a new client: how things stand now, then each new message. Close it when the client is gone."""
        greeting = self._message()
        if greeting is not None:
            self.messages.latest = greeting  # what was last sent to others may be old by now
        return cast(AsyncGenerator[str, None], self.messages.follow())

    async def _run(self) -> None:
        beats = cast(AsyncGenerator[object, None], self._vault.heartbeat.feed.follow())
        waiting = asyncio.ensure_future(anext(beats))
        try:
            while True:
                await asyncio.wait({waiting}, timeout=self._vault.websocket_interval_seconds)
                if waiting.done():
                    waiting.result()
                    waiting = asyncio.ensure_future(anext(beats))
                self._publish()
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await waiting
            await beats.aclose()

    def _publish(self) -> None:
        if not self.messages.listeners:
            return
        try:
            message = self._message()
        except Exception as error:  # one beat that cannot be told must not silence those after it
            if not self._broken:
                log.error("broadcast_broke", reason=repr(error), exc_info=True)
            self._broken = True
            return
        self._broken = False
        if message is not None:
            self.messages.publish(message)

    def _message(self) -> str | None:
        beat = self._vault.heartbeat.current()
        return None if beat is None else encode(portfolio_update(beat, self._vault.book.symbol)).decode()


def live_router(broadcast: Broadcast, send_timeout_seconds: float = SEND_TIMEOUT_SECONDS) -> APIRouter:
    """`/ws/updates`. What a client sends is read and ignored; a client that takes nothing for 10 s is dropped."""
    router = APIRouter()

    @router.websocket("/ws/updates")
    async def updates(socket: WebSocket) -> None:
        await socket.accept()
        ended = asyncio.create_task(_until_gone(socket))
        sending = asyncio.create_task(_send_all(socket, broadcast, send_timeout_seconds))
        try:
            await asyncio.wait({ended, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, sending):
                task.cancel()
            await asyncio.gather(ended, sending, return_exceptions=True)
        _explain(sending)

    return router


async def _send_all(socket: WebSocket, broadcast: Broadcast, timeout: float) -> None:  # noqa: ASYNC109  # for each message
    async with aclosing(broadcast.join()) as messages:
        async for message in messages:
            async with asyncio.timeout(timeout):
                await socket.send_text(message)


async def _until_gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()


def _explain(sending: asyncio.Task[None]) -> None:
    """A client that went is nothing to tell; a slow one is told once, anything else is our own mistake."""
    error = None if sending.cancelled() else sending.exception()
    if isinstance(error, TimeoutError):
        log.info("slow_client_dropped")
    elif error is not None and not isinstance(error, WebSocketDisconnect | RuntimeError | OSError):
        log.error("socket_broke", reason=repr(error), exc_info=error)
