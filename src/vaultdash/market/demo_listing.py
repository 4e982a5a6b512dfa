"""Which options the demo market lists: expirations and strikes after the pattern of those on GLD."""

import itertools
from datetime import date, timedelta

import numpy as np

from vaultdash.clock import MarketHours
from vaultdash.market.demo_path import Floats

MONDAY, WEDNESDAY, FRIDAY = 0, 2, 4
WEEKS_OF_FRIDAYS = 8
WEEKS_OF_MORE = 2  # with expirations on Mondays and Wednesdays, too
MONTHS = 12
QUARTER_ENDS = 4
LONGEST_DAYS = 1000  # of a January
NEAR, NEAR_OF_LONG = 0.10, 0.05  # of the price; strikes within are a dollar apart
LONG_DAYS = 200
FAR_STEP = 5
WIDEST = (0.5, 1.6)  # of the price
SHORTEST_REACH, REACH = 0.10, 0.60  # of the price, and of it per sqrt(year)


def expirations(on: date, hours: MarketHours) -> list[date]:
    """The trading days from `on` at which options expire, ascending.

    Fridays of eight weeks, Mondays and Wednesdays of two, third Fridays of twelve months, four quarter ends and the
    Januaries of about two and a half years. A Friday without trading gives way to the session before it.
    """
    sessions = hours.sessions(on - timedelta(days=10), on + timedelta(days=LONGEST_DAYS))
    trading = set(sessions)
    fridays = [on + timedelta(days=(FRIDAY - on.weekday()) % 7 + 7 * week) for week in range(WEEKS_OF_FRIDAYS)]
    thirds = [_third_friday(on.year + month // 12, month % 12 + 1) for month in range(on.month - 1, on.month + 40)]
    months = [day for day in thirds if day >= on][:MONTHS]
    januaries = [day for day in thirds if day.month == 1]
    adjusted = (_session_until(day, trading) for day in (*fridays, *months, *januaries))
    soon = on + timedelta(days=7 * WEEKS_OF_MORE)
    midweek = (day for day in sessions if day < soon and day.weekday() in (MONDAY, WEDNESDAY))
    following = itertools.pairwise(sessions)
    quarters = [day for day, after in following if day.month != after.month and day.month % 3 == 0 and day >= on]
    chosen = {day for day in (*adjusted, *midweek, *quarters[:QUARTER_ENDS]) if day is not None}
    return sorted(day for day in chosen if day >= on)


def strikes(lowest: float, highest: float, days: int) -> Floats:
    """Strikes, USD, for a price that was lately between two closes: a dollar apart near them, five further out."""
    near = NEAR if days <= LONG_DAYS else NEAR_OF_LONG
    reach = SHORTEST_REACH + REACH * (days / 365) ** 0.5
    bottom = lowest * max(1 - reach, WIDEST[0])
    top = highest * min(1 + reach, WIDEST[1])
    fine = np.arange(np.ceil(lowest * (1 - near)), np.floor(highest * (1 + near)) + 1)
    coarse = np.arange(np.ceil(bottom / FAR_STEP), np.floor(top / FAR_STEP) + 1) * FAR_STEP
    both: Floats = np.union1d(fine[(fine >= bottom) & (fine <= top)], coarse)
    return both[both > 0]


def _third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(FRIDAY - first.weekday()) % 7 + 14)


def _session_until(day: date, trading: set[date]) -> date | None:
    """The day, else the session before it; None beyond the days that are known."""
    return next((near for back in range(5) if (near := day - timedelta(days=back)) in trading), None)
