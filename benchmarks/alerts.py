"""From a quote that crosses a threshold to the acceptance of its alert, with 500 viewers connected."""

import json
import subprocess
import tempfile
from typing import Any

from benchmarks.fanout import enough_files
from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import child, free_port

CLIENTS = 500
SAMPLES = 100
LONGEST_SECONDS = 3600.0


def run(options: Options) -> list[Line]:
    """Alone, then with viewers."""
    clients, samples = options.clients or CLIENTS, options.samples or SAMPLES
    enough_files(clients)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder:
        server = child("benchmarks.alert_server", str(port), folder)
        viewers = None
        try:
            _answer(server)
            _cross(server, 3)  # what is loaded with the first message is no delay of the others
            alone = _cross(server, max(samples // 5, 10))
            viewers = child(
                "benchmarks.ws_clients", str(port), "/ws/updates", str(clients), str(LONGEST_SECONDS), "plain"
            )
            _answer(viewers)
            watched = _cross(server, samples)
        finally:
            for process in filter(None, (viewers, server)):
                process.kill()
                process.wait()
    note = f"a webhook on the loopback by apprise; {clients} WebSocket clients, each told of every beat and alert"
    return [
        Line("alerts", "quote to acceptance, nobody connected", "ms", Figure.of(alone)),
        Line(
            "alerts",
            f"quote to acceptance, {clients} connected",
            "ms",
            Figure.of(watched),
            goals=(Goal("p99", 5000),),
            note=note,
        ),
    ]


def _cross(server: "subprocess.Popen[str]", times: int) -> list[float]:
    assert server.stdin is not None
    server.stdin.write(f"{times}\n")
    server.stdin.flush()
    found: list[float] = _answer(server)
    return found


def _answer(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a process ended early")
    return json.loads(line)
