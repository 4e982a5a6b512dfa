"""The time, and when the New York market is open: holidays, early and ad hoc closures (exchange_calendars XNYS)."""

import threading
from bisect import bisect_right
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
CALENDAR_START = "2004-11-01"
CALENDAR_END = "2031-12-31"


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


class MarketHours(Protocol):
    """When a market trades."""

    def is_open(self, now: datetime) -> bool:
        """True during the regular session."""
        ...

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """Seconds of regular session between two instants; 0 when `end` is not after `start`."""
        ...

    def is_extended(self, now: datetime) -> bool:
        """True before and after the regular session while prices still move."""
        ...

    def sessions(self, start: date, end: date) -> list[date]:
        """Trading days from `start` to `end`, both included."""
        ...


class NewYorkHours:
    """The regular sessions of XNYS from 2004-11 to 2031; the calendar is loaded on first use, about half a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Load the calendar now; call it from a thread at start."""
        with self._lock:
            _ = self._schedule

    @cached_property
    def _schedule(self) -> tuple[list[date], list[float], list[float]]:
        import exchange_calendars  # half a second of imports, not needed for the first page

        calendar = exchange_calendars.get_calendar("XNYS", start=CALENDAR_START, end=CALENDAR_END)
        days = [stamp.date() for stamp in calendar.schedule.index]
        opens = [stamp.timestamp() for stamp in calendar.schedule["open"]]
        closes = [stamp.timestamp() for stamp in calendar.schedule["close"]]
        return days, opens, closes

    def is_open(self, now: datetime) -> bool:
        """True during the regular session."""
        _, opens, closes = self._schedule
        index = bisect_right(opens, now.timestamp()) - 1
        return index >= 0 and now.timestamp() < closes[index]

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """Seconds of regular session between two instants; 0 when `end` is not after `start`."""
        _, opens, closes = self._schedule
        begin, finish = start.timestamp(), end.timestamp()
        total = 0.0
        index = max(bisect_right(opens, begin) - 1, 0)
        while index < len(opens) and opens[index] < finish:
            total += max(min(closes[index], finish) - max(opens[index], begin), 0.0)
            index += 1
        return total

    def is_extended(self, now: datetime) -> bool:
        """True from 04:00 to 20:00 New York on a trading day, outside the regular session."""
        local = now.astimezone(NEW_YORK)
        inside = time(4) <= local.time() < time(20)
        return inside and not self.is_open(now) and bool(self.sessions(local.date(), local.date()))

    def sessions(self, start: date, end: date) -> list[date]:
        """Trading days from `start` to `end`, both included."""
        days, _, _ = self._schedule
        return [day for day in days if start <= day <= end]


def session_close(on: date) -> datetime:
    """16:00 New York of a day, in UTC."""
    return datetime.combine(on, time(16), NEW_YORK).astimezone(UTC)
