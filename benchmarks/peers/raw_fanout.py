"""The least a fan-out can cost: one frame, written to every transport of uvloop.

Usage: python -m benchmarks.peers.raw_fanout PORT INTERVAL BYTES.
"""

import asyncio
import base64
import hashlib
import sys
import time
from typing import cast

import uvloop

from benchmarks.stamped_server import stamp

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer(asyncio.Protocol):
    """Accepts the upgrade and reads nothing more; also answers /health."""

    everybody: set[asyncio.Transport] = set()  # noqa: RUF012  # one process, one room

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client or a check."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """The request, which fits into one segment; frames of clients are ignored."""
        if self._transport in self.everybody:
            return
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in data.split(b"\r\n")[1:])
        }
        key = headers.get(b"sec-websocket-key")
        if key is None:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            self._transport.close()
            return
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.everybody.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self.everybody.discard(self._transport)


def framed(text: str) -> bytes:
    """A text frame of 126 to 65,535 bytes."""
    payload = text.encode()
    return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload


async def main(port: int, interval: float, size: int) -> None:
    """Write to all, every interval, until ended."""
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", port, backlog=1024)
    body = message_body(size)
    number = 0
    async with server:
        while True:
            await asyncio.sleep(interval)
            number += 1
            frame = framed(body + stamp(number, time.monotonic_ns()))
            for transport in Peer.everybody:
                transport.write(frame)


def message_body(size: int) -> str:
    """JSON without its end, so that with the stamp it has about the size wanted."""
    return '{"filler":"' + "x" * max(130, size - 60) + '"'


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
