"""The WebSocket: each beat is encoded once and sent to every client; the newest replaces what one missed."""

import asyncio
from contextlib import suppress

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
        self.messages: Feed[str] = Feed()

    async def start(self) -> None:
        """Follow the heartbeat until stopped."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the broadcast."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        beats = self._vault.heartbeat.feed.follow()
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

    def _publish(self) -> None:
        beat = self._vault.heartbeat.current()
        if beat is not None and self.messages.listeners:
            self.messages.publish(encode(portfolio_update(beat, self._vault.book.symbol)).decode())

    def greeting(self) -> str | None:
        """What a new client is told at once."""
        beat = self._vault.heartbeat.current()
        return None if beat is None else encode(portfolio_update(beat, self._vault.book.symbol)).decode()


def live_router(broadcast: Broadcast) -> APIRouter:
    """`/ws/updates`. What a client sends is read and ignored; a client that takes nothing for 10 s is dropped."""
    router = APIRouter()

    @router.websocket("/ws/updates")
    async def updates(socket: WebSocket) -> None:
        await socket.accept()
        ended = asyncio.create_task(_until_gone(socket))
        sending = asyncio.create_task(_send_all(socket, broadcast))
        try:
            await asyncio.wait({ended, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, sending):
                task.cancel()
            await asyncio.gather(ended, sending, return_exceptions=True)

    return router


async def _send_all(socket: WebSocket, broadcast: Broadcast) -> None:
    greeting = broadcast.greeting()
    if greeting is not None:
        await _send(socket, greeting)
    async for message in broadcast.messages.follow():
        await _send(socket, message)


async def _send(socket: WebSocket, message: str) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
        await socket.send_text(message)


async def _until_gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()
