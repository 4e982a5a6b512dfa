"""A chain of modelled options in the shape of a listed one, plainly marked as a model."""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.validation import finite, positive
from vaultdash.pricing.american import american

MODEL_SOURCE = "model"
DAYS_PER_YEAR = 365
MONTHS_LISTED = 12
LEAPS_LISTED = 2
USUAL_DAYS = 30  # without a wish, the first expiration at least this far away is priced
LOWEST_STRIKE, HIGHEST_STRIKE = 0.8, 1.2  # of spot
MOST_STRIKES = 40
FRIDAY = 4


@dataclass(frozen=True, slots=True)
class ModelOption:
    """One modelled contract. `price` USD per share; Greeks per share in trading units: delta per 1 USD, gamma per
    USD^2, vega per volatility point (0.01), theta per calendar day, rho per percentage point.
    """

    expiration: date
    days_to_expiry: int
    strike: float
    right: Right
    price: float
    implied_volatility: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


@dataclass(frozen=True, slots=True)
class ModelChain:
    """All `expirations` there would be on a day, and the options of one, by strike, call before put."""

    symbol: str
    on: date
    spot: float
    volatility: float
    rate: float
    dividend_yield: float
    expirations: tuple[date, ...]
    expiration: date
    options: tuple[ModelOption, ...]
    source: str = MODEL_SOURCE

    @property
    def days_to_expiry(self) -> int:
        """Calendar days from `on` to the priced expiration."""
        return (self.expiration - self.on).days


def model_chain(
    symbol: str,
    spot: float,
    on: date,
    volatility: float,
    rate: float,
    dividend_yield: float = 0.0,
    expiration: date | None = None,
) -> ModelChain:
    """American model options on strikes from 80 % to 120 % of `spot` for one expiration (about 50 ms).

    `spot` USD; `volatility` per sqrt(year) is every option's implied volatility; `rate` and `dividend_yield`
    continuously compounded per year; T = days / 365. Without `expiration` the first one at least 30 days away is
    priced; one that is not among `expirations(on)` raises InvalidInput, as do numbers that make no sense.
    """
    positive("spot", spot)
    positive("volatility", volatility)
    finite("rate", rate)
    finite("dividend_yield", dividend_yield)
    listed = expirations(on)
    chosen = _usual(listed, on) if expiration is None else expiration
    if chosen not in listed:
        raise InvalidInput("expiration", f"must be one of {', '.join(map(str, listed))}, not {chosen}")
    days = (chosen - on).days
    rows = [(strike, right) for strike in strikes(spot) for right in (Right.CALL, Right.PUT)]
    value = american(
        spot,
        np.array([strike for strike, _ in rows]),
        days / DAYS_PER_YEAR,
        rate,
        dividend_yield,
        volatility,
        [right.value for _, right in rows],
        rho=True,
    )
    figures = np.column_stack(
        [value.price, value.delta, value.gamma, value.vega / 100, value.theta / DAYS_PER_YEAR, value.rho / 100]
    ).tolist()
    options = tuple(
        ModelOption(chosen, days, strike, right, price, volatility, delta, gamma, vega, theta, rho)
        for (strike, right), (price, delta, gamma, vega, theta, rho) in zip(rows, figures, strict=True)
    )
    return ModelChain(symbol, on, spot, volatility, rate, dividend_yield, listed, chosen, options)


def expirations(on: date) -> tuple[date, ...]:
    """Monthly expirations strictly after `on`: the next twelve, then January of the next two years, ascending.

    The third Friday, or the business day of the New York Stock Exchange before it.
    """
    months = [(on.year + (on.month - 1 + ahead) // 12, (on.month - 1 + ahead) % 12 + 1) for ahead in range(14)]
    monthly = [day for year, month in months if (day := _expiration(year, month)) > on][:MONTHS_LISTED]
    leaps = [_expiration(on.year + ahead, 1) for ahead in range(1, LEAPS_LISTED + 1)]
    return tuple(sorted({*monthly, *leaps}))


def strikes(spot: float) -> tuple[float, ...]:
    """Strikes from 80 % to 120 % of `spot`, USD, about 40 at most: steps of 1, 2.5 or 5 times a power of ten."""
    finest = (HIGHEST_STRIKE - LOWEST_STRIKE) * positive("spot", spot) / MOST_STRIKES
    scale = 10.0 ** math.floor(math.log10(finest))
    step = next(factor * scale for factor in (1.0, 2.5, 5.0, 10.0) if factor * scale >= finest * (1 - 1e-12))
    first = math.ceil(LOWEST_STRIKE * spot / step - 1e-9)
    last = math.floor(HIGHEST_STRIKE * spot / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return tuple(round(count * step, digits) for count in range(first, last + 1))


def _usual(listed: tuple[date, ...], on: date) -> date:
    return next(day for day in listed if (day - on).days >= USUAL_DAYS)


def _expiration(year: int, month: int) -> date:
    first = date(year, month, 1)
    friday = first + timedelta(days=(FRIDAY - first.weekday()) % 7 + 14)
    return friday if _is_business_day(friday) else friday - timedelta(days=1)


def _is_business_day(day: date) -> bool:
    import QuantLib as ql  # noqa: N813  # the short name of its own documentation

    return bool(ql.UnitedStates(ql.UnitedStates.NYSE).isBusinessDay(ql.Date(day.day, day.month, day.year)))
