"""What was known of volatility and interest on each day, from that day and earlier ones alone."""

import math
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from vaultdash.domain.market import PriceHistory
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.rates import LARGEST_RATE, continuous_from_bank_discount
from vaultdash.risk.volatility import MINIMUM_RETURNS

DECAY = 0.94
INDEX_OVER_MOVES = 1.1  # the index stands above what gold does: it contains a premium for risk, and the wings
PER_CENT = 0.01
FRESH_INDEX = timedelta(days=5)
FRESH_BILL = timedelta(days=10)
LONGEST_PAUSE = timedelta(days=10)  # between two closes; the move over a longer one is no day's move


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """30-day levels and the median of what they come from, to date; one value a day, NaN where none is known."""

    levels: FloatArray
    medians: FloatArray


def index_levels(index: PriceHistory, days: Sequence[date]) -> Levels:
    """The index, in per cent, as a fraction: of the day, else the last one at most five days old.

    The median is of all its prints to date, days included on which gold did not trade.
    """
    prints = [(bar.on, bar.close * PER_CENT) for bar in index.bars if bar.close > 0.0]
    value, age = _last_known(prints, days)
    medians = running_medians([level for _, level in prints])
    so_far = np.array([bisect_right(prints, (day, math.inf)) for day in days], dtype=np.intp)
    is_fresh = age <= FRESH_INDEX.days
    median = np.append(np.nan, medians)[so_far]
    return Levels(np.where(is_fresh, value, np.nan), np.where(is_fresh, median, np.nan))


def moved_levels(days: Sequence[date], closes: Sequence[float]) -> Levels:
    """1.1 times the exponentially weighted volatility (0.94 a day) of log returns up to each day, and its median.

    sigma^2 = 252 sum(0.94^i r_i^2) / sum(0.94^i), as `risk.ewma_volatility`; NaN before twenty returns. A pause of
    more than ten days begins it anew, but for the median. `closes` USD, above zero.
    """
    levels = np.full(len(days), np.nan)
    total = weights = 0.0
    returns = 0
    for i in range(1, len(days)):
        if days[i] - days[i - 1] > LONGEST_PAUSE:
            total, weights, returns = 0.0, 0.0, 0
            continue
        move = math.log(closes[i] / closes[i - 1])
        total = DECAY * total + move * move
        weights = DECAY * weights + 1.0
        returns += 1
        if returns >= MINIMUM_RETURNS:
            levels[i] = INDEX_OVER_MOVES * math.sqrt(total / weights * TRADING_DAYS)
    medians = np.full(len(days), np.nan)
    known = np.flatnonzero(~np.isnan(levels))
    medians[known] = running_medians(levels[known].tolist())
    return Levels(levels, medians)


def bill_rates(bill: PriceHistory, days: Sequence[date]) -> FloatArray:
    """Continuous rates a year from the 13-week bill's discount in per cent: of the day, or at most ten days old.

    NaN where there is none. A print beyond 50 % is no rate and is passed over.
    """
    prints = [(bar.on, bar.close * PER_CENT) for bar in bill.bars if abs(bar.close * PER_CENT) <= LARGEST_RATE]
    value, age = _last_known(prints, days)
    known = {float(each) for each in value[age <= FRESH_BILL.days]}
    rates = {discount: continuous_from_bank_discount(discount) for discount in known}
    return np.array([rates.get(each, math.nan) for each in np.where(age <= FRESH_BILL.days, value, np.nan).tolist()])


def running_medians(values: Sequence[float]) -> list[float]:
    """For each value the median of it and those before it."""
    ordered: list[float] = []
    medians = []
    for count, value in enumerate(values, start=1):
        insort(ordered, value)
        medians.append(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2]))
    return medians


def _last_known(prints: Sequence[tuple[date, float]], days: Sequence[date]) -> tuple[FloatArray, FloatArray]:
    """The last print at or before each day, and how many days old it is; NaN and infinity before the first."""
    if not prints:
        return np.full(len(days), np.nan), np.full(len(days), np.inf)
    printed = np.array([on.toordinal() for on, _ in prints])
    asked = np.array([day.toordinal() for day in days])
    place = np.searchsorted(printed, asked, side="right") - 1
    value = np.array([number for _, number in prints])[place]
    age = (asked - printed[place]).astype(np.float64)
    return np.where(place < 0, np.nan, value), np.where(place < 0, np.inf, age)
