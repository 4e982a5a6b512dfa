"""Prices and what was known of volatility and interest on each of them, from days up to that day alone."""

from dataclasses import dataclass
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.base import FloatArray


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
