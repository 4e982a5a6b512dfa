"""A running server in this process, with the Vault and the broadcast behind it, and clients of its WebSocket."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from tests.builders import NOON
from vaultdash.api.app import create_api
from vaultdash.api.live import Broadcast
from vaultdash.api.wire import wire_config
from vaultdash.bootstrap import build_vault
from vaultdash.clock import NewYorkHours
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

HANDSHAKE = (
    "GET /ws/updates HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@dataclass
class House:
    """A running server with the Vault and the broadcast behind it."""

    port: int
    vault: Vault
    broadcast: Broadcast

    def connect(self) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}/ws/updates", proxy=None)

    async def silent(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that shakes hands and never reads again."""
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
        writer.write(HANDSHAKE.encode())
        await reader.readline()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        return reader, writer


def houses(make_settings: Callable[..., Settings], new_york: NewYorkHours) -> Callable[..., Any]:
    """Opens a house on the demo market: `interval` of the broadcast, `send_timeout` and `ping` in seconds."""

    @asynccontextmanager
    async def open_house(interval: float = 30, send_timeout: float = 10, ping: float = 20) -> AsyncIterator[House]:
        settings = make_settings(websocket_interval_seconds=max(interval, 0.5))
        vault = build_vault(settings, now=lambda: NOON, hours=new_york)
        vault.websocket_interval_seconds = interval
        await vault.open()
        app = create_api(vault, send_timeout_seconds=send_timeout)
        with sockets.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(wire_config(app, ws_ping_interval=ping, ws_ping_timeout=ping))
            running = asyncio.create_task(server._serve([listening]))
            await until(lambda: server.started)
            try:
                yield House(listening.getsockname()[1], vault, app.state.broadcast)
            finally:
                server.should_exit = True
                async with asyncio.timeout(10):
                    await running
                await vault.aclose()

    return open_house


async def hear(client: ClientConnection, seconds: float = 15, kind: str = "portfolio_update") -> dict[str, Any]:
    """The next message of a type; others are passed over."""
    async with asyncio.timeout(seconds):
        while True:
            told = dict(orjson.loads(await client.recv()))
            if told["type"] == kind:
                return told


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for something that happens in the server."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for belongs to the server
            await asyncio.sleep(0.01)
