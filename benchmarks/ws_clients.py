"""WebSocket clients in a process of their own: they note when each stamped message arrived.

Usage: python -m benchmarks.ws_clients PORT PATH COUNT SECONDS plain|deflate. Prints a line of JSON when all are
connected and settled, one with the figures after SECONDS (the connections still stand), and leaves when its standard
input ends.
"""

import asyncio
import base64
import json
import os
import sys
import time
import zlib
from typing import cast

import uvloop

from benchmarks.report import Figure

STAMP_BYTES = 33  # `0000000001 00000000000000000001"}`
SETTLE_SECONDS = 3.0
LATE_SECONDS = 2.0  # the goal for the last client
AT_ONCE = 50
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Client(asyncio.Protocol):
    """One connection; unmasked server frames are read without a library."""

    def __init__(self, port: int, path: str, *, deflate: bool) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.arrived: dict[int, tuple[int, int]] = {}
        self.is_lost = False
        self.is_compressed = False
        self.transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(-15) if deflate else None
        extension = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" if deflate else ""
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"{extension}\r\n"
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Frames, whole or in parts."""
        now = time.monotonic_ns()
        self._buffer += data
        if not self.open.done():
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(ConnectionError(head[:60].decode("latin-1")))
                return
            self.is_compressed = b"permessage-deflate" in head.lower()
            self._buffer = bytearray(rest)
            self.open.set_result(None)
        while self._frame(now):
            pass

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self.is_lost = True
        if not self.open.done():
            self.open.set_exception(ConnectionError(str(exc)))

    def _frame(self, now: int) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, at = buffer[1] & 127, 2
        if size == 126:
            size, at = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + size:
            return False
        payload = bytes(buffer[at : at + size])
        kind, is_compressed = buffer[0] & 15, bool(buffer[0] & 64)
        del buffer[: at + size]
        if kind == TEXT:
            self._message(payload, now, is_compressed=is_compressed)
        elif kind == PING:
            self._answer_ping(payload)
        return True

    def _message(self, payload: bytes, now: int, *, is_compressed: bool) -> None:
        if is_compressed:
            assert self._inflate is not None
            payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
            now = time.monotonic_ns()
        end = payload[-STAMP_BYTES:]
        if len(end) == STAMP_BYTES and end.endswith(b'"}') and end[10:11] == b" " and end[:10].isdigit():
            self.arrived[int(end[:10])] = (int(end[11:31]), now)

    def _answer_ping(self, payload: bytes) -> None:
        assert self.transport is not None
        mask = b"\x00\x00\x00\x00"  # a mask of zeros leaves the payload as it is
        self.transport.write(bytes((128 | PONG, 128 | len(payload))) + mask + payload)


async def watch(port: int, path: str, count: int, seconds: float, *, deflate: bool) -> None:
    """Connect all, watch, tell, and stay until told to go."""
    loop = asyncio.get_running_loop()
    clients = [Client(port, path, deflate=deflate) for _ in range(count)]
    async with asyncio.timeout(60):
        for first in range(0, count, AT_ONCE):
            some = clients[first : first + AT_ONCE]
            await asyncio.gather(
                *(loop.create_connection(lambda one=one: one, "127.0.0.1", port) for one in some)  # type: ignore[misc]
            )
            await asyncio.gather(*(one.open for one in some))
    await asyncio.sleep(SETTLE_SECONDS)
    tell({"connected": count})
    first_ns, cpu = time.monotonic_ns(), time.process_time()
    await asyncio.sleep(seconds)
    last_ns = time.monotonic_ns()
    busy = (time.process_time() - cpu) / seconds
    await asyncio.sleep(LATE_SECONDS)  # what was published before the end may still arrive
    tell({**figures(clients, first_ns, last_ns), "client_cpu": busy})
    await loop.run_in_executor(None, sys.stdin.readline)
    for client in clients:
        if client.transport is not None:
            client.transport.write(bytes((128 | CLOSE, 128)) + b"\x00\x00\x00\x00")
            client.transport.close()
    await asyncio.sleep(0.5)


def figures(clients: list[Client], first_ns: int, last_ns: int) -> dict[str, object]:
    """Every message published in the window must have reached every client; times in ms from publish."""
    published: dict[int, int] = {}
    for client in clients:
        for number, (at, _) in client.arrived.items():
            if first_ns <= at < last_ns:
                published[number] = at
    expected = range(min(published, default=0), max(published, default=-1) + 1)
    missed, lasts, all_times = 0, [], []
    for number in expected:
        times = [one.arrived[number] for one in clients if number in one.arrived]
        missed += len(clients) - len(times)
        if times:
            taken = [(now - at) / 1e6 for at, now in times]
            all_times += taken
            lasts.append(max(taken))
    return {
        "messages": len(expected),
        "missed": missed,
        "compressed": all(client.is_compressed for client in clients),
        "disconnects": sum(client.is_lost for client in clients),
        "last_ms": [round(value, 3) for value in lasts],
        "each": Figure.of(all_times).as_dict() if all_times else None,
    }


def tell(what: dict[str, object]) -> None:
    """A line for the parent."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    port, path, count, seconds, kind = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watch(int(port), path, int(count), float(seconds), deflate=kind == "deflate"))
