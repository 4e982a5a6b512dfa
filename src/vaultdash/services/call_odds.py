"""How likely a margin call is: a range over models and drifts, never one number."""

from collections.abc import Callable, Mapping
from datetime import datetime

from vaultdash.compute.base import Compute
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.daily_history import DailyHistory

HORIZONS = (1, 3, 6, 12)  # months


class CallOdds:
    """Closed form at once; simulations in a worker, remembered for the price and loan they were made for."""

    def __init__(self, history: DailyHistory, compute: Compute, now: Callable[[], datetime]) -> None:
        self._history = history
        self._compute = compute
        self._now = now

    def quick(self, snapshot: Snapshot, volatility: float) -> Mapping[int, float]:
        """Closed form by months, drift 0, close-of-day monitoring, at the loan's own accrual: what alerts watch."""
        return {}
