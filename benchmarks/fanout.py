"""500 WebSocket clients on the feed: what they miss, when the last has it, and what the server's memory does."""

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.api import answer_of, wait_for_price
from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import Server, child, free_port, running, vault_dash

SECONDS = 60.0
CLIENTS = 500
INTERVAL = 0.5
PEER_SECONDS = 15.0
ROUNDS = 2
AFTER_SECONDS = 5.0
UPDATE_OVER_PORTFOLIO_BYTES = 90  # a portfolio_update is /api/portfolio with all portfolios, its type, and the stamp
NOTHING = Goal("p50", 0)


@dataclass(slots=True)
class Watched:
    """What the clients of one server saw, and its memory: before, at the begin and end of the watch, and after."""

    last_ms: list[float] = field(default_factory=list)
    messages: int = 0
    missed: int = 0
    disconnects: int = 0
    compressed: bool = False
    client_cpu: float = 0.0
    each: dict[str, Any] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def cpu_each(self, clients: int) -> Figure:
        """Microseconds of the server's processor for a message to one client, all its other work included."""
        return Figure.one(1e6 * self.cpu / (self.messages * clients))


def run(options: Options) -> list[Line]:
    """Peers before and after the long watch of the product, so that a noisy minute hits both."""
    seconds, clients = options.seconds or SECONDS, options.clients or CLIENTS
    enough_files(clients)
    short = min(seconds, PEER_SECONDS)
    raw, library = Watched(), Watched()
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder, product(Path(folder)) as server:
        answer = answer_of(server.port, "/api/portfolio")
        one = json.dumps(json.loads(answer)["portfolio"], separators=(",", ":"))
        size = len(answer) + len(one) + UPDATE_OVER_PORTFOLIO_BYTES
        peers = (("raw_fanout", raw), ("websockets_fanout", library))
        for name, result in peers:
            watch_peer(name, size, clients, short / ROUNDS, result)
        ours = watch(server, "/ws/updates", clients, seconds, after=AFTER_SECONDS)
        for name, result in peers:
            watch_peer(name, size, clients, short / ROUNDS, result)
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder, product(Path(folder)) as server:
        packed = watch(server, "/ws/updates", clients, short, kind="deflate", after=AFTER_SECONDS)
    return lines(ours, raw, library, packed, clients)


def lines(ours: Watched, raw: Watched, library: Watched, packed: Watched, clients: int) -> list[Line]:
    """The watch as figures with their goals."""
    last, peer = Figure.of(ours.last_ms), Figure.of(raw.last_ms)
    before, begin, end, after = ours.memory
    told = f"{ours.messages} messages to {clients} clients; client process {ours.client_cpu:.0%} of a core"
    each = Figure(**ours.each)
    own = 1000 * (begin - before) / clients
    memory = f"before clients {before:.0f} MB, after they left {after:.0f} MB, {own:.0f} kB a client"
    answer = "compresses" if packed.compressed else "declines"
    browser = f"the server {answer}; {packed.missed} missed; {packed.memory[1]:.0f} MB with clients"
    return [
        Line("fanout", "messages missed", "messages", Figure.one(ours.missed), goals=(NOTHING,), note=told),
        Line("fanout", "disconnects", "clients", Figure.one(ours.disconnects), goals=(NOTHING,)),
        Line(
            "fanout",
            "publish to last client",
            "ms",
            last,
            peer,
            "raw uvloop writes",
            (Goal("p99", 2000), Goal("ratio", 1.8)),
        ),
        Line("fanout", "publish to last client", "ms", last, Figure.of(library.last_ms), "websockets broadcast"),
        Line("fanout", "publish to any client", "ms", each),
        Line(
            "fanout",
            "processor time a message and client",
            "us",
            ours.cpu_each(clients),
            raw.cpu_each(clients),
            "raw uvloop writes",
        ),
        Line(
            "fanout", "publish to last client, compression asked for", "ms", Figure.of(packed.last_ms), note=browser
        ),
        Line("fanout", "memory with clients, at begin", "MB", Figure.one(begin), note=memory),
        Line("fanout", "memory with clients, at end", "MB", Figure.one(end)),
        Line("fanout", "growth while watched", "%", Figure.one(100 * (end / begin - 1)), goals=(Goal("p50", 5),)),
    ]


@contextmanager
def product(data_dir: Path) -> Iterator[Server]:
    """The stamped product, with a price."""
    settings = {"WEBSOCKET_INTERVAL_SECONDS": str(INTERVAL)}
    with vault_dash(data_dir, module="benchmarks.stamped_server", **settings) as server:
        wait_for_price(server.port)
        watch(server, "/ws/updates", 20, 1.5)  # what is imported or made for the first client is not growth
        time.sleep(1.0)
        yield server


def watch_peer(name: str, size: int, clients: int, seconds: float, result: Watched) -> None:
    """One round of a peer, added to its result."""
    port = free_port()
    module = [f"benchmarks.peers.{name}", str(port), str(INTERVAL), str(size)]
    with running(module, port) as server:
        server.until_200("/health")
        seen = watch(server, "/ws", clients, max(seconds, 3 * INTERVAL))
    if seen.missed or seen.disconnects:
        raise RuntimeError(
            f"{name} lost {seen.missed} messages and {seen.disconnects} clients: no peer to measure by"
        )
    result.last_ms += seen.last_ms
    result.messages += seen.messages
    result.cpu += seen.cpu


def watch(
    server: Server, path: str, clients: int, seconds: float, kind: str = "plain", after: float = 0.0
) -> Watched:
    """Connect the clients, wait, and read what they saw."""
    before = server.rss()
    process = child("benchmarks.ws_clients", str(server.port), path, str(clients), str(seconds), kind)
    try:
        _answer(process)
        begin, cpu = server.rss(), server.cpu()
        seen = _answer(process)
        end, cpu = server.rss(), server.cpu() - cpu
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    time.sleep(after)
    if not seen["messages"]:
        raise RuntimeError("no message was published")
    return Watched(**seen, memory=[before, begin, end, server.rss()], cpu=cpu)


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the clients ended early")
    answer: dict[str, Any] = json.loads(line)
    return answer


def enough_files(clients: int) -> None:
    """Raise the soft limit of open files where it is too low for both ends' processes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients * 2 + 500
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
