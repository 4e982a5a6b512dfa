"""The days that Yahoo listed lately, by which an unlisted one is known without asking."""

import threading
from collections.abc import Callable
from datetime import date

REMEMBERED_SECONDS = 300.0
MOST_SYMBOLS = 200  # anyone may ask for any


class Listings:
    """The listed days of each symbol for five minutes after an answer; safe to use from two threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._days: dict[str, tuple[float, tuple[date, ...]]] = {}

    def note(self, symbol: str, days: tuple[date, ...]) -> None:
        """Every answer lists all days, also that to a question for a day that is not listed."""
        with self._guard:
            self._days.pop(symbol, None)
            self._days[symbol] = (self._monotonic(), days)
            if len(self._days) > MOST_SYMBOLS:
                del self._days[next(iter(self._days))]

    def recent(self, symbol: str) -> tuple[date, ...] | None:
        """The days, ascending; None when they were not read within five minutes."""
        with self._guard:
            read_at, days = self._days.get(symbol, (0.0, None))
        return days if days is not None and self._monotonic() - read_at < REMEMBERED_SECONDS else None
