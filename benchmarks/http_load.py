"""Keep-alive clients in a process of their own, so that the server is what is measured.

Usage: python -m benchmarks.http_load PORT PATH CLIENTS SECONDS [Name:value ...]; prints JSON. Each client asks again
as soon as its answer is complete. `{n}` in the path becomes the number of the request.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

LENGTH = b"content-length:"


class Run:
    """What all clients share."""

    def __init__(self, path: str, seconds: float, head: str) -> None:
        self.path = path
        self.head = head
        self.seconds = seconds
        self.ends = 0.0
        self.asked = 0
        self.latencies: list[float] = []
        self.refused = 0
        self.bytes = 0

    def request(self) -> bytes:
        """The next request."""
        self.asked += 1
        return f"GET {self.path.replace('{n}', str(self.asked))} HTTP/1.1\r\n{self.head}\r\n".encode()


class Client(asyncio.Protocol):
    """One connection: asks, reads to the end, asks again."""

    def __init__(self, run: Run, done: asyncio.Future[None]) -> None:
        self._run = run
        self._done = done
        self._head = bytearray()
        self._missing = -1
        self._begun = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected: the first request."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is no subclass
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Part of an answer."""
        self._run.bytes += len(data)
        if self._missing < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            lower = bytes(self._head[:end]).lower()
            if not lower.startswith(b"http/1.1 200"):
                self._run.refused += 1
            at = lower.index(LENGTH) + len(LENGTH)
            self._missing = int(lower[at:].split(b"\r\n", 1)[0]) - (len(self._head) - end - 4)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        """The run is over, or the server went away."""
        if not self._done.done():
            if time.perf_counter() < self._run.ends:
                self._done.set_exception(ConnectionError(f"the server closed a connection: {exc}"))
            else:
                self._done.set_result(None)

    def _ask(self) -> None:
        assert self._transport is not None
        self._head.clear()
        self._missing = -1
        self._begun = time.perf_counter()
        self._transport.write(self._run.request())

    def _answered(self) -> None:
        now = time.perf_counter()
        self._run.latencies.append(now - self._begun)
        if now < self._run.ends:
            self._ask()
        else:
            assert self._transport is not None
            self._transport.close()


async def load(port: int, path: str, clients: int, seconds: float, headers: list[str]) -> dict[str, object]:
    """Run all clients for so long."""
    lines = "".join(f"{line}\r\n" for line in [f"Host: 127.0.0.1:{port}", *headers])
    run = Run(path, seconds, lines)
    loop = asyncio.get_running_loop()
    begun, cpu = time.perf_counter(), time.process_time()
    run.ends = begun + seconds
    waiting = []
    for _ in range(clients):
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)
        await loop.create_connection(lambda done=done: Client(run, done), "127.0.0.1", port)  # type: ignore[misc]
    async with asyncio.timeout(seconds + 60):
        await asyncio.gather(*waiting)
    wall = time.perf_counter() - begun
    return {
        "latencies_ms": [round(latency * 1000, 4) for latency in run.latencies],
        "per_second": len(run.latencies) / wall,
        "refused": run.refused,
        "bytes_each": run.bytes / max(1, len(run.latencies)),
        "client_cpu": (time.process_time() - cpu) / wall,
    }


if __name__ == "__main__":
    port, path, clients, seconds, *headers = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(int(port), path, int(clients), float(seconds), headers))))
