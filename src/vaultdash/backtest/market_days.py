"""Prices and what was known of volatility and interest on each of them, from days up to that day alone."""

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from vaultdash.backtest.levels import Levels, bill_rates, index_levels, moved_levels
from vaultdash.backtest.scenario import VolatilityLevel
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import PriceHistory
from vaultdash.pricing.base import FloatArray

LONGEST_HOLE = timedelta(days=7)  # New York was once shut for six days; more is a hole in the data
FRIDAY, SATURDAY = 4, 5


@dataclass(frozen=True, slots=True, eq=False)
class MarketDays:
    """Trading days, ascending, with one value of each array a day. Nothing on a day comes from a later one.

    `closes` and `lows` USD a share (`lows` NaN where unknown). `levels`: the 30-day volatility level, per sqrt(year),
    before the factor for at the money; NaN where none is known. `long_run`: median of the level's source to date.
    `rates`: continuous a year. `from_gvz` and `has_rate` say by day where level and rate come from the series
    themselves and not from a fallback. `listed` are all monthly expirations (third Fridays, or the session before
    where that is a holiday), ascending, from the first day to well beyond the last.
    """

    symbol: str
    days: tuple[date, ...]
    closes: FloatArray
    lows: FloatArray
    levels: FloatArray
    long_run: FloatArray
    rates: FloatArray
    from_gvz: FloatArray
    has_rate: FloatArray
    listed: tuple[date, ...]
    source: str
    is_demo: bool = False

    def __post_init__(self) -> None:
        if len(self.days) < 2:
            raise InvalidInput("days", "must be at least two trading days")
        for name in ("closes", "lows", "levels", "long_run", "rates", "from_gvz", "has_rate"):
            if len(getattr(self, name)) != len(self.days):
                raise InvalidInput(name, f"must have {len(self.days)} values, one a day")


def market_days(
    history: PriceHistory,
    gvz: PriceHistory | None,
    bill: PriceHistory | None,
    listed: Sequence[date],
    start: date,
    end: date,
    level: VolatilityLevel,
    fallback_rate: float,
) -> MarketDays:
    """The trading days of `history` from `start` to `end`, both included, with what was known on each.

    Whole histories, because levels stand on earlier days: `history` in USD, `gvz` and `bill` in per cent (the bill's
    as a bank discount). The level is the index of the day, or the last at most five days old, and by `auto` and
    `ewma` 1.1 times the weighted volatility of gold's own returns (`levels`); its long run is the median to date of
    whichever of the two it is. The rate is the bill's of the day, or the last at most ten days old, else
    `fallback_rate`. A low that is above the close or not above zero is none. Invented series never stand beside real
    ones. Raises InvalidInput, in words, for days that the history does not have.
    """
    days = _days_between(history, start, end)
    begin = bisect_left(history.bars, days[0], key=lambda bar: bar.on)
    bars = history.bars[: begin + len(days)]  # what comes after the end is not even looked at
    closes = [bar.close for bar in bars]
    _require_prices(history, closes)
    lows = np.array([math.nan if bar.low is None else bar.low for bar in bars[begin:]])
    of_close = np.array(closes[begin:])

    index = _beside(history, gvz)
    of_index = None if level is VolatilityLevel.EWMA or index is None else index_levels(index, days)
    of_moves = None
    if level is not VolatilityLevel.GVZ and (of_index is None or bool(np.isnan(of_index.levels).any())):
        whole = moved_levels([bar.on for bar in bars], closes)
        of_moves = Levels(whole.levels[begin:], whole.medians[begin:])
    from_gvz, known = _joined(len(days), of_index, of_moves)

    discount = _beside(history, bill)
    rates = np.full(len(days), np.nan) if discount is None else bill_rates(discount, days)
    has_rate = ~np.isnan(rates)
    used = (
        (index, bool(from_gvz.any()), "volatility"),
        (discount, bool(has_rate.any()), "interest"),
    )
    named = [f"{what} {series.source}" for series, is_used, what in used if series is not None and is_used]
    return MarketDays(
        symbol=history.symbol,
        days=days,
        closes=of_close,
        lows=np.where((lows > 0.0) & (lows <= of_close), lows, np.nan),
        levels=known.levels,
        long_run=known.medians,
        rates=np.where(has_rate, rates, fallback_rate),
        from_gvz=from_gvz.astype(np.float64),
        has_rate=has_rate.astype(np.float64),
        listed=tuple(listed),
        source="; ".join([history.source, *named]),
        is_demo=history.is_demo,
    )


def monthly_expirations(first: date, last: date, sessions: Sequence[date]) -> tuple[date, ...]:
    """The monthly expirations from `first` to `last`: third Fridays, or the session before where one is a holiday.

    `sessions` are trading days, ascending; a Friday outside them is taken as it is.
    """
    found = []
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month + 1):
        begin = date(month // 12, month % 12 + 1, 1)
        friday = begin + timedelta(days=(FRIDAY - begin.weekday()) % 7 + 14)
        place = bisect_left(sessions, friday)
        is_holiday = 0 < place < len(sessions) and sessions[place] != friday
        expiration = sessions[place - 1] if is_holiday else friday
        if first <= expiration <= last:
            found.append(expiration)
    return tuple(found)


def market_remarks(market: MarketDays, level: VolatilityLevel) -> tuple[str, ...]:
    """What had to stand in for what is not known of these days, in sentences; empty when nothing had to."""
    count = len(market.days)
    unknown = int(np.isnan(market.levels).sum())
    moved = count - int(np.count_nonzero(market.from_gvz)) - unknown
    without_rate = count - int(np.count_nonzero(market.has_rate))
    remarks = []
    if market.is_demo:
        remarks.append("The prices are DEMO: invented, and no history.")
    if moved and level is VolatilityLevel.AUTO:
        remarks.append(
            f"{_of(moved, count)} without a gold volatility index: 1.1 times the weighted volatility (EWMA) of "
            f"{market.symbol}'s own returns stands in."
        )
    if unknown:
        remarks.append(f"{_of(unknown, count)} without any volatility: no option can be priced on them.")
    if without_rate:
        rates = np.unique(market.rates[market.has_rate == 0.0])
        remarks.append(f"{_of(without_rate, count)} without a bill rate: {rates[0]:.1%} a year stands in.")
    return tuple(remarks)


def _of(some: int, count: int) -> str:
    return f"All {count} days are" if some == count else f"{some} of {count} days are"


def _beside(history: PriceHistory, series: PriceHistory | None) -> PriceHistory | None:
    return series if series is not None and series.is_demo == history.is_demo else None


def _joined(count: int, of_index: Levels | None, of_moves: Levels | None) -> tuple[npt.NDArray[np.bool_], Levels]:
    """Where the index is known it counts, elsewhere what moves say."""
    nothing = Levels(np.full(count, np.nan), np.full(count, np.nan))
    first, second = of_index or nothing, of_moves or nothing
    is_index = ~np.isnan(first.levels)
    return is_index, Levels(
        np.where(is_index, first.levels, second.levels), np.where(is_index, first.medians, second.medians)
    )


def _days_between(history: PriceHistory, start: date, end: date) -> tuple[date, ...]:
    symbol = history.symbol
    if not history.bars:
        raise InvalidInput(
            "start", f"cannot be: no prices of {symbol} are stored; `vault-dash history update` gets them"
        )
    first, last = history.bars[0].on, history.bars[-1].on
    for argument, asked, is_outside in (
        ("start", start, start < first and _is_trading_between(start, first)),
        ("end", end, end > last and _is_trading_between(last + timedelta(days=1), end + timedelta(days=1))),
    ):
        if is_outside:
            raise InvalidInput(
                argument,
                f"is {asked}, but the prices of {symbol} go from {first} to {last}; choose days within them, or get "
                "more with `vault-dash history update` or `vault-dash history import`",
            )
    days = tuple(bar.on for bar in history.between(start, end).bars)
    if len(days) < 2:
        raise InvalidInput(
            "end", f"leaves {len(days)} trading days of {symbol} from {start} to {end}; two are needed"
        )
    for before, after in itertools.pairwise((start, *days, end)):
        if after - before > LONGEST_HOLE:
            raise InvalidInput(
                "start",
                f"to end has a hole: no prices of {symbol} between {before} and {after}; "
                "`vault-dash history update` may fill it",
            )
    return days


def _is_trading_between(start: date, stop: date) -> bool:
    """Whether a weekday is among the days from `start` to before `stop`."""
    return any((start + timedelta(days=ahead)).weekday() < SATURDAY for ahead in range(min((stop - start).days, 7)))


def _require_prices(history: PriceHistory, closes: Sequence[float]) -> None:
    for bar, close in zip(history.bars, closes, strict=False):
        if close <= 0.0:
            raise InvalidInput("start", f"meets no price: the close of {history.symbol} on {bar.on} is {close:g}")
