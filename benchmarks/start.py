"""Process start to the first 200, against a bare NiceGUI page started the same way; and `--help`."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from benchmarks.servers import clean_environment, free_port, running, vault_dash

SAMPLES = 7
HELP_SAMPLES = 15
PATHS = ("/health", "/")


def run(options: Options) -> list[Line]:
    """Both sides by turns, one start for each path; the first start of each is not counted."""
    samples = options.samples or SAMPLES
    ours: dict[str, list[Started]] = {path: [] for path in PATHS}
    bare: dict[str, list[Started]] = {path: [] for path in PATHS}
    with tempfile.TemporaryDirectory(prefix="vd-bench-") as folder:
        for _ in range(samples + 1):
            for path in PATHS:
                ours[path].append(start_product(Path(folder), path))
                bare[path].append(start_bare(path))
    lines = []
    for path in PATHS:
        mine, other, peer = ours[path][1:], bare[path][1:], "bare NiceGUI page"
        walls = Figure.of([one.wall for one in mine]), Figure.of([one.wall for one in other])
        cpus = Figure.of([one.cpu for one in mine]), Figure.of([one.cpu for one in other])
        lines += [
            Line("start", f"process start to 200 on {path}", "s", *walls, peer, (Goal("ratio", 1.25),)),
            Line("start", "processor time until then", "s", *cpus, peer),
        ]
    return [*lines, help_line(options.samples or HELP_SAMPLES)]


@dataclass(frozen=True, slots=True)
class Started:
    """Seconds until the first 200 by the clock, and of the processor, which a busy machine changes less."""

    wall: float
    cpu: float


def start_product(data_dir: Path, path: str) -> Started:
    """Until `vault-dash serve` answers."""
    with vault_dash(data_dir) as server:
        return Started(server.until_200(path), server.cpu())


def start_bare(path: str) -> Started:
    """Until the bare page answers."""
    port = free_port()
    with running(["benchmarks.peers.nicegui_page", str(port)], port) as server:
        return Started(server.until_200(path), server.cpu())


def help_line(samples: int) -> Line:
    """Wall time of `vault-dash --help` beside an interpreter that does nothing."""
    command = Path(sys.executable).with_name("vault-dash" + (".exe" if os.name == "nt" else ""))
    ours, bare = [], []
    for _ in range(samples + 1):
        ours.append(wall([str(command), "--help"]))
        bare.append(wall([sys.executable, "-c", "pass"]))
    return Line(
        "start",
        "vault-dash --help",
        "s",
        Figure.of(ours[1:]),
        Figure.of(bare[1:]),
        "python -c pass",
        (Goal("p50", 0.4),),
    )


def wall(command: list[str]) -> float:
    """Seconds a command takes."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=clean_environment(), timeout=60)
    return time.perf_counter() - begun
