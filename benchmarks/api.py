"""`/api/*` and `/health` on a real server with 20 keep-alive clients, against FastAPI returning the same dict."""

import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import child, fetch, free_port, running, vault_dash

SECONDS = 12.0
CLIENTS = 20
ROUNDS = 4
GIVEN = (
    "/api/strategies?symbol=GLD&spot=460&volatility=0.16&risk_free_rate=0.045"
    "&portfolio_value=1000000&loan_amount=600000&margin_call_ltv=0.75"
)
TARGETS = {
    "strategies": "/api/strategies?symbol=GLD",
    "given": GIVEN,
    "portfolio": "/api/portfolio?symbol=GLD",
    "health": "/health",
}
TITLES = {
    "strategies": "/api/strategies, live quote",
    "given": "/api/strategies, given parameters",
    "portfolio": "/api/portfolio",
    "health": "/health",
}
P95 = Goal("p95", 150)
ALONE: dict[str, tuple[str, tuple[str, ...], tuple[Goal, ...]]] = {
    "/api/strategies, live quote, gzip": (TARGETS["strategies"], ("Accept-Encoding: gzip",), (P95,)),
    "/api/options": ("/api/options?symbol=GLD", (), (P95,)),
    "/api/history, 90 days": ("/api/history?symbol=GLD&days=90", (), (P95,)),
    "/api/history, all days": ("/api/history?symbol=GLD&days=20000", (), (P95,)),
    "/api/strategies, never asked before": ("/api/strategies?symbol=GLD&spot=4{n}&months=6", (), ()),
}


@dataclass(slots=True)
class Side:
    """What one side answered over all rounds."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    bytes_each: float = 0.0
    client_cpu: float = 0.0

    def add(self, port: int, path: str, clients: int, seconds: float, headers: tuple[str, ...] = ()) -> None:
        """One more round."""
        answer = loaded(port, path, clients, seconds, headers)
        if answer["refused"]:
            raise RuntimeError(f"{path}: {answer['refused']} answers were not 200")
        self.latencies += answer["latencies_ms"]
        self.rates.append(answer["per_second"])
        self.bytes_each = answer["bytes_each"]
        self.client_cpu = max(self.client_cpu, answer["client_cpu"])


def run(options: Options) -> list[Line]:
    """Both servers stand; they are asked by turns."""
    seconds, clients = options.seconds or SECONDS, options.clients or CLIENTS
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder:
        data_dir, payloads = Path(folder) / "data", Path(folder) / "payloads"
        payloads.mkdir()
        with vault_dash(data_dir) as product:
            wait_for_price(product.port)
            for name, path in TARGETS.items():
                (payloads / f"{name}.json").write_bytes(answer_of(product.port, path))
            port = free_port()
            with running(["benchmarks.peers.dict_route", str(port), str(payloads)], port) as plain:
                plain.until_200("/health")
                lines = []
                for name, path in TARGETS.items():
                    lines += compared(name, path, (product.port, plain.port), clients, seconds)
            for title, (path, headers, goals) in ALONE.items():
                loaded(product.port, path.replace("{n}", "00"), clients, 0.5, headers)
                side = Side()
                side.add(product.port, path, clients, seconds / 2, headers)
                lines.append(Line("api", title, "ms", Figure.of(side.latencies), goals=goals, note=said(side)))
    return lines


def compared(name: str, path: str, ports: tuple[int, int], clients: int, seconds: float) -> list[Line]:
    """Latency and rate of one endpoint on both sides."""
    for port, asked in zip(ports, (path, f"/{name}"), strict=True):
        loaded(port, asked, clients, 0.5)
    ours, plain = Side(), Side()
    for _ in range(ROUNDS):
        ours.add(ports[0], path, clients, seconds / ROUNDS)
        plain.add(ports[1], f"/{name}", clients, seconds / ROUNDS)
    is_hot = name in ("strategies", "given")
    title, peer = TITLES[name], "dict from FastAPI"
    times = Figure.of(ours.latencies), Figure.of(plain.latencies)
    rates = Figure.of(ours.rates), Figure.of(plain.rates)
    return [
        Line("api", title, "ms", *times, peer, (P95,), note=said(ours)),
        Line("api", title, "requests/s", *rates, peer, (Goal("ratio", 6, at_least=True),) if is_hot else ()),
    ]


def said(side: Side) -> str:
    """What the figures rest on."""
    return f"{side.bytes_each:,.0f} bytes an answer; the client process used {side.client_cpu:.0%} of a core"


def loaded(port: int, path: str, clients: int, seconds: float, headers: tuple[str, ...] = ()) -> dict[str, Any]:
    """One round of the load generator."""
    process = child("benchmarks.http_load", str(port), path, str(clients), str(seconds), *headers)
    try:
        out, _ = process.communicate(timeout=seconds + 90)
    finally:
        process.kill()
    if process.returncode != 0:
        raise RuntimeError(f"the load generator failed on {path}")
    answer: dict[str, Any] = json.loads(out)
    return answer


def wait_for_price(port: int, limit: float = 30.0) -> None:
    """Until the server knows a price."""
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        try:
            if fetch(port, "/health")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError("the server had no price in time")


def answer_of(port: int, path: str) -> bytes:
    """The body of a 200."""
    code, body = fetch(port, path)
    if code != 200:
        raise RuntimeError(f"{path} answered {code}")
    return body
