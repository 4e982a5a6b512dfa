"""`broadcast` of the websockets library on uvloop.

Usage: python -m benchmarks.peers.websockets_fanout PORT INTERVAL BYTES.
"""

import asyncio
import http
import sys
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request, Response

from benchmarks.peers.raw_fanout import message_body
from benchmarks.stamped_server import stamp

everybody: set[ServerConnection] = set()


async def stay(connection: ServerConnection) -> None:
    """One client."""
    everybody.add(connection)
    try:
        await connection.wait_closed()
    finally:
        everybody.discard(connection)


def check(connection: ServerConnection, request: Request) -> Response | None:
    """Answer /health without an upgrade."""
    return connection.respond(http.HTTPStatus.OK, "ok") if request.path == "/health" else None


async def main(port: int, interval: float, size: int) -> None:
    """Broadcast, every interval, until ended."""
    body = message_body(size)
    number = 0
    async with serve(stay, "127.0.0.1", port, compression=None, process_request=check, backlog=1024):
        while True:
            await asyncio.sleep(interval)
            number += 1
            broadcast(everybody, body + stamp(number, time.monotonic_ns()))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
