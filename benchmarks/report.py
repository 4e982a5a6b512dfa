"""Figures of both sides, their ratio and the goal; as a table or as JSON."""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from rich import box
from rich.console import Console
from rich.table import Table

PACKAGES = ("fastapi", "nicegui", "uvicorn", "uvloop", "websockets", "numpy", "scipy", "QuantLib", "orjson")
CONSOLE = Console(width=150)


@dataclass(frozen=True, slots=True)
class Figure:
    """The median and the tail of the samples of one side."""

    p50: float
    p95: float
    p99: float
    samples: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Figure":
        """Percentiles by the nearest sample above."""
        if not samples:
            raise ValueError("nothing was measured")
        ordered = sorted(samples)
        middle, count = len(ordered) // 2, len(ordered)
        median = ordered[middle] if count % 2 else (ordered[middle - 1] + ordered[middle]) / 2
        p95, p99 = (ordered[min(count - 1, int(share * count))] for share in (0.95, 0.99))
        return cls(median, p95, p99, count)

    @classmethod
    def one(cls, value: float) -> "Figure":
        """A single number, such as a size."""
        return cls(value, value, value, 1)

    def as_dict(self) -> dict[str, float]:
        """For a pipe."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit on the ratio to the peer, or on one of our own figures (`p50`, `p95`, `p99`)."""

    of: str
    limit: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """True when the value is on the right side of the limit; the limit itself is."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Line:
    """One thing measured. The ratio is ours divided by the peer's, whichever of them should be the larger."""

    row: str
    what: str
    unit: str
    ours: Figure
    peer: Figure | None = None
    peer_name: str = ""
    goals: tuple[Goal, ...] = ()
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Median against median."""
        return self.ours.p50 / self.peer.p50 if self.peer and self.peer.p50 else None

    def verdicts(self) -> list[tuple[str, bool]]:
        """Each goal in words, and whether it is met."""
        said = []
        for goal in self.goals:
            value = self.ratio if goal.of == "ratio" else getattr(self.ours, goal.of)
            unit = "x" if goal.of == "ratio" else f" {self.unit}"
            of = "" if goal.of != "ratio" and self.ours.samples == 1 else f"{goal.of} "
            words = f"{of}{'>=' if goal.at_least else '<='} {goal.limit:g}{unit}"
            said.append((words, value is not None and goal.is_met(value)))
        return said


def machine() -> dict[str, object]:
    """What must be known about the machine to read a figure; nothing that names it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": cores,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "packages": {name: version(name) for name in PACKAGES},
    }


def print_machine(about: dict[str, object]) -> None:
    """Two lines about the machine."""
    CONSOLE.print(
        ", ".join(f"{name} {value}" for name, value in about.items() if name != "packages"), highlight=False
    )
    CONSOLE.print(", ".join(f"{name} {version(name)}" for name in PACKAGES), highlight=False)


def print_lines(title: str, lines: Sequence[Line]) -> None:
    """A table, then the notes."""
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for name in ("what", "unit"):
        table.add_column(name)
    for name in ("p50", "p95", "p99", "n"):
        table.add_column(name, justify="right")
    table.add_column("peer")
    for name in ("p50", "p95", "p99", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("goal")
    for line in lines:
        ours, peer = line.ours, line.peer
        goals = "; ".join(f"{words}: {'met' if met else 'MISSED'}" for words, met in line.verdicts())
        table.add_row(
            line.what,
            line.unit,
            *_shown(ours),
            str(ours.samples),
            line.peer_name,
            *(_shown(peer) if peer else ("", "", "")),
            _times(line.ratio),
            goals,
        )
    CONSOLE.print(table)
    for line in lines:
        if line.note:
            CONSOLE.print(f"  {line.what}: {line.note}", highlight=False)


def as_json(lines: Sequence[Line], about: dict[str, object]) -> str:
    """Everything, for a script."""
    rows = [
        {
            **asdict(line),
            "ratio": line.ratio,
            "goals": [{"goal": words, "met": met} for words, met in line.verdicts()],
        }
        for line in lines
    ]
    return json.dumps({"machine": about, "lines": rows}, indent=1)


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.2f}x" if ratio >= 0.1 else f"{ratio:.2g}x"


def _shown(figure: Figure) -> tuple[str, str, str]:
    if figure.samples == 1:
        return (_number(figure.p50), "", "")
    return (_number(figure.p50), _number(figure.p95), _number(figure.p99))


def _number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
