"""What a run was asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """None means the row's own default; every row is bounded by it."""

    seconds: float | None = None
    samples: int | None = None
    clients: int | None = None
