"""The time, and when the New York market is open: holidays, early and ad hoc closures (exchange_calendars XNYS)."""

import importlib.metadata
import itertools
import json
import os
import tempfile
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class Schedule:
    """The sessions, ascending: their days, and when each opens and closes in seconds since 1970."""

    days: list[date]
    opens: list[float]
    closes: list[float]

    def __post_init__(self) -> None:
        days = [day.toordinal() for day in self.days]
        instants = [instant for session in zip(self.opens, self.closes, strict=True) for instant in session]
        if len(days) != len(self.opens) or not _ascends(days) or not _ascends(instants):
            raise ValueError("sessions must follow one another")


class NewYorkHours:
    """The regular sessions of XNYS from 2004-11 to 2031, loaded on first use.

    The calendar takes about a second of imports and work; what was found is kept in `cache_file`, if one is given.
    """

    def __init__(self, cache_file: Path | None = None) -> None:
        self._cache_file = cache_file
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Load the calendar now; call it from a thread at start."""
        with self._lock:
            _ = self._schedule

    @cached_property
    def _schedule(self) -> Schedule:
        if self._cache_file is None:
            return _make_schedule()
        edition = [importlib.metadata.version("exchange_calendars"), CALENDAR_START, CALENDAR_END]
        schedule = _read_schedule(self._cache_file, edition)
        if schedule is None:
            schedule = _make_schedule()
            with suppress(OSError):  # then the next start makes it again
                _write_schedule(self._cache_file, edition, schedule)
        return schedule

    def is_open(self, now: datetime) -> bool:
        """True during the regular session."""
        opens, closes = self._schedule.opens, self._schedule.closes
        index = bisect_right(opens, now.timestamp()) - 1
        return index >= 0 and now.timestamp() < closes[index]

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """Seconds of regular session between two instants; 0 when `end` is not after `start`."""
        opens, closes = self._schedule.opens, self._schedule.closes
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
        days = self._schedule.days
        return days[bisect_left(days, start) : bisect_right(days, end)]


def session_close(on: date) -> datetime:
    """When a session of that day ends, in UTC: 16:00 New York, 13:00 on the eves of holidays; needs no calendar."""
    return datetime.combine(on, time(13) if _is_short(on) else time(16), NEW_YORK).astimezone(UTC)


def _is_short(on: date) -> bool:
    """The rules since 2004: the day after Thanksgiving, and 3 July and 24 December before a holiday on a weekday."""
    if (on.month, on.day) in ((7, 3), (12, 24)):
        return on.weekday() < 4
    return on.month == 11 and on.weekday() == 4 and 23 <= on.day <= 29


def _make_schedule() -> Schedule:
    import exchange_calendars  # brings pandas: not for the first page

    calendar = exchange_calendars.get_calendar("XNYS", start=CALENDAR_START, end=CALENDAR_END)
    return Schedule(
        days=[stamp.date() for stamp in calendar.schedule.index],
        opens=[stamp.timestamp() for stamp in calendar.schedule["open"]],
        closes=[stamp.timestamp() for stamp in calendar.schedule["close"]],
    )


def _read_schedule(file: Path, edition: list[str]) -> Schedule | None:
    """What was written for this edition; None when there is nothing, or something else."""
    try:
        kept = json.loads(file.read_bytes())
        if kept["edition"] != edition or not kept["days"]:
            return None  # another version may know other holidays
        return Schedule([date.fromisoformat(day) for day in kept["days"]], kept["opens"], kept["closes"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None


def _write_schedule(file: Path, edition: list[str], schedule: Schedule) -> None:
    days = [day.isoformat() for day in schedule.days]
    content = {"edition": edition, "days": days, "opens": schedule.opens, "closes": schedule.closes}
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w") as out:
            json.dump(content, out)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _ascends(values: Sequence[float]) -> bool:
    return all(earlier < later for earlier, later in itertools.pairwise(values))
