"""The WebSocket: each beat is encoded once and sent to every client; the newest replaces what one missed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, suppress
from typing import cast

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from vaultdash.api.answers import portfolio_update
from vaultdash.api.outlet import Outlet
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

    def heard_by(self, hear: Callable[[str], None]) -> AbstractContextManager[None]:
        """Tell a new client how things stand now, then each new message, until it is gone."""
        greeting = self._message()
        if greeting is not None:
            self.messages.latest = greeting  # what was last sent to others may be old by now
        return self.messages.heard_by(hear)

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
        if beat is None:
            return None
        return encode(portfolio_update(beat, self._vault.book.symbol, self._vault.now())).decode()


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
    outlet = Outlet(socket.send, timeout)
    try:
        with broadcast.heard_by(outlet.put):
            await outlet.broken
    finally:
        await outlet.aclose()


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
