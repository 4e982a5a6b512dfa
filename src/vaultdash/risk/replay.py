"""A price path replayed on a loan: would it have been called, when, and what would have cured it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import LTV_TOLERANCE, Loan
from vaultdash.domain.portfolio import Cure, cure
from vaultdash.domain.validation import open_fraction, positive
from vaultdash.pricing.base import FloatArray


@dataclass(frozen=True, slots=True)
class PricePath:
    """Closes by trading day, ascending, USD a share; `lows` of the day where they are known."""

    days: tuple[date, ...]
    closes: tuple[float, ...]
    lows: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.days:
            raise InvalidInput("days", "must hold at least one trading day")
        if any(later <= earlier for earlier, later in zip(self.days, self.days[1:], strict=False)):
            raise InvalidInput("days", "must ascend, each day once")
        if len(self.closes) != len(self.days) or len(self.lows) not in (0, len(self.days)):
            raise InvalidInput("closes", "and lows must be as many as the days")
        for price in (*self.closes, *(low for low in self.lows if low is not None)):
            positive("close", price)

    def scaled(self, first: float) -> "PricePath":
        """The same moves from another first close."""
        factor = positive("first", first) / self.closes[0]
        lows = tuple(None if low is None else low * factor for low in self.lows)
        return PricePath(self.days, tuple(close * factor for close in self.closes), lows)


class Outcome(StrEnum):
    """How a replay ended, from the mildest: by closes, with nobody doing anything about it.

    `called`: back below the limit by itself at the deadline of each call, or the path ends before a deadline.
    `sold_after_deadline`: still called at a deadline, so the lender could sell. `sold_in_cure`: the close-out limit
    was reached between a call and its deadline. `sold_at_once`: it was reached on the day of a call.
    """

    NOT_CALLED = "not_called"
    CALLED = "called"
    SOLD_AFTER_DEADLINE = "sold_after_deadline"
    SOLD_IN_CURE = "sold_in_cure"
    SOLD_AT_ONCE = "sold_at_once"


@dataclass(frozen=True, slots=True)
class Call:
    """A margin call: its day, the price and LTV there, the last day to cure, and what cures it on the day itself.

    `drop` is the fall since the start, a negative fraction. `to_warning` and `to_target` are the ways back to those
    LTVs at that price, USD. `deadline_ltv` is the LTV at the deadline's close with nothing done; None when the path
    ends before it.
    """

    on: date
    price: float
    ltv: float
    drop: float
    owed: float
    deadline: date
    deadline_ltv: float | None
    to_warning: Cure
    to_target: Cure


@dataclass(frozen=True, slots=True)
class Replay:
    """A loan on a path. `ltvs` are those of the closes; `low_ltvs` of the lows, NaN where no low is known.

    `call` is the first of `calls` in all. `sale_on` is the first day on which the lender could sell: a deadline at
    which the call still stood, or a close at the close-out limit; `close_out_on` is the first such close. They follow
    from closes, `called_intraday_on` and `closed_out_intraday_on` from lows; None when it never came to that.
    `worst_low_ltv` is None without lows.
    """

    days: tuple[date, ...]
    closes: tuple[float, ...]
    ltvs: FloatArray
    low_ltvs: FloatArray
    loan: Loan
    units: float
    outcome: Outcome
    call: Call | None
    calls: int
    sale_on: date | None
    close_out_on: date | None
    called_intraday_on: date | None
    closed_out_intraday_on: date | None
    worst_ltv: float
    worst_on: date
    worst_low_ltv: float | None

    @property
    def has_lows(self) -> bool:
        """True when a low is known on every day: only then is a day without an intraday call one that had none."""
        return bool(np.isfinite(self.low_ltvs).all())


def replay(path: PricePath, units: float, loan: Loan, target_ltv: float, tail: int = 0) -> Replay:
    """`loan`, owed in its amount on the first day, on `units` shares over the path; options are not counted.

    Capitalised interest accrues from the first day. A day is a breach when its LTV is at the limit or above, within
    1e-9. The deadline is `cure_days` trading days after the call, weekdays where the path has ended. The last `tail`
    days only tell what becomes of a call before them. Raises InvalidInput for units, a target or a tail that make no
    sense.
    """
    positive("units", units)
    open_fraction("target_ltv", target_ltv)
    drawn = replace(loan, as_of=path.days[0])
    owed = np.array([drawn.owed(day) for day in path.days])
    closes = np.asarray(path.closes, dtype=np.float64)
    lows = np.array([np.nan if low is None else low for low in path.lows] or [np.nan] * len(path.days))
    ltvs, low_ltvs = owed / (units * closes), owed / (units * lows)
    if not 0 <= tail < len(path.days):
        raise InvalidInput("tail", f"must leave a day of {len(path.days)}, not {tail}")
    shown = slice(0, len(path.days) - tail)
    course = _course(ltvs, loan, shown.stop)
    called, sold = _first(ltvs[shown], loan.margin_call_ltv), _first(ltvs[shown], loan.close_out_ltv)
    if sold is None and course.outcome in (Outcome.SOLD_IN_CURE, Outcome.SOLD_AT_ONCE):
        sold = course.sale
    lows_shown = low_ltvs[shown]
    called_low, sold_low = _first(lows_shown, loan.margin_call_ltv), _first(lows_shown, loan.close_out_ltv)
    worst = int(np.argmax(ltvs[shown]))
    return Replay(
        days=path.days,
        closes=path.closes,
        ltvs=ltvs,
        low_ltvs=low_ltvs,
        loan=drawn,
        units=units,
        outcome=course.outcome,
        calls=course.calls,
        sale_on=None if course.sale is None else path.days[course.sale],
        call=None if called is None else _call(path, called, ltvs, owed, units, loan, target_ltv),
        close_out_on=None if sold is None else path.days[sold],
        called_intraday_on=None if called_low is None else path.days[called_low],
        closed_out_intraday_on=None if sold_low is None else path.days[sold_low],
        worst_ltv=float(ltvs[worst]),
        worst_on=path.days[worst],
        worst_low_ltv=float(np.nanmax(lows_shown)) if np.isfinite(lows_shown).any() else None,
    )


def drawn_at(ltv: float, price: float, units: float, terms: Loan) -> Loan:
    """A loan of `ltv` on `units` shares at `price`, with the limits and interest of `terms`."""
    return replace(terms, amount=open_fraction("ltv", ltv) * positive("price", price) * positive("units", units))


class _Course(NamedTuple):
    outcome: Outcome
    calls: int
    sale: int | None


def _course(ltvs: FloatArray, loan: Loan, until: int) -> _Course:
    """One call after the other, each before the index `until`, until the lender may sell or the path ends."""
    at, calls = _first(ltvs, loan.margin_call_ltv), 0
    while at is not None and at < until:
        calls += 1
        deadline = at + loan.cure_days
        sold = _first(ltvs[: deadline + 1], loan.close_out_ltv, at)
        if sold is not None:
            return _Course(Outcome.SOLD_AT_ONCE if sold == at else Outcome.SOLD_IN_CURE, calls, sold)
        if deadline >= len(ltvs):
            break
        if ltvs[deadline] >= loan.margin_call_ltv - LTV_TOLERANCE:
            return _Course(Outcome.SOLD_AFTER_DEADLINE, calls, deadline)
        at = _first(ltvs, loan.margin_call_ltv, deadline)
    return _Course(Outcome.CALLED if calls else Outcome.NOT_CALLED, calls, None)


def _first(ltvs: FloatArray, limit: float, begin: int = 0) -> int | None:
    """The first index from `begin` on at the limit or above it; NaN never is."""
    at = np.flatnonzero(ltvs[begin:] >= limit - LTV_TOLERANCE)
    return begin + int(at[0]) if len(at) else None


def _call(
    path: PricePath, index: int, ltvs: FloatArray, owed: FloatArray, units: float, loan: Loan, target_ltv: float
) -> Call:
    price, amount = path.closes[index], float(owed[index])
    last = index + loan.cure_days
    within = last < len(path.days)
    return Call(
        on=path.days[index],
        price=price,
        ltv=float(ltvs[index]),
        drop=price / path.closes[0] - 1.0,
        owed=amount,
        deadline=path.days[last] if within else _weekdays_after(path.days, last),
        deadline_ltv=float(ltvs[last]) if within else None,
        to_warning=cure(amount, units * price, loan.warning_ltv),
        to_target=cure(amount, units * price, target_ltv),
    )


def _weekdays_after(days: Sequence[date], index: int) -> date:
    """The day at `index` when weekdays follow the last day."""
    day, left = days[-1], index - (len(days) - 1)
    while left > 0:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day
