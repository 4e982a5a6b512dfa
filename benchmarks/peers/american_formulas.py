"""American options as one prices them with QuantLib: its boundary engine in a loop, small moves for the Greeks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import QuantLib as ql  # noqa: N813
from scipy.optimize import brentq

Array = np.ndarray
EXPIRIES = 25
STRIKES = 200
SPOT = 380.0
CARRY = 0.004
SPOT_STEP = 1e-3
VOLATILITY_STEP = 1e-3
DAY = 1 / 365


@dataclass(frozen=True, slots=True)
class Puts:
    """A GLD-like chain of 5,000 puts, each with its own volatility; all columns by contract."""

    spot: Array
    strike: Array
    years: Array
    rate: Array
    carry: Array
    volatility: Array
    expiry: Array


def puts() -> Puts:
    """25 expiries of 7 to 912 days, smile 10 to 85 %, rates 3.0 to 4.5 %, carry 0.4 %."""
    days, moneyness = np.meshgrid(
        np.round(np.linspace(7, 912, EXPIRIES)), np.linspace(0.5, 1.6, STRIKES), indexing="ij"
    )
    years, moneyness = days.ravel() / 365.0, moneyness.ravel()
    deviations = np.log(moneyness) / np.sqrt(years)
    return Puts(
        np.full(years.size, SPOT),
        SPOT * moneyness,
        years,
        0.030 + 0.015 * days.ravel() / 912.0,
        np.full(years.size, CARRY),
        np.clip(0.10 + 0.05 * deviations**2 + 0.03 * np.abs(deviations), 0.10, 0.85),
        np.repeat(np.arange(EXPIRIES), STRIKES),
    )


def pricer(scheme: Callable[[], object], is_call: bool = False) -> Callable[[float, float, float, float], float]:
    """Price of strike 1 and one year by (spot, r T, q T, sigma sqrt(T)): on these alone any price depends."""
    start, days = ql.Date(1, 1, 2198), ql.Actual365Fixed()
    quotes = [ql.SimpleQuote(number) for number in (1.0, 0.0, 0.0, 0.2)]
    spot, rate, carry, volatility = (ql.QuoteHandle(quote) for quote in quotes)
    process = ql.BlackScholesMertonProcess(
        spot,
        ql.YieldTermStructureHandle(ql.FlatForward(start, carry, days)),
        ql.YieldTermStructureHandle(ql.FlatForward(start, rate, days)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(start, ql.NullCalendar(), volatility, days)),
    )
    kind = ql.Option.Call if is_call else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, 1.0), ql.AmericanExercise(start, start + 365))
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme()))

    def price(*numbers: float) -> float:
        for quote, number in zip(quotes, numbers, strict=True):
            quote.setValue(number)
        return float(option.NPV())

    return price


def quantlib_prices(given: Puts, scheme: Callable[[], object]) -> Array:
    """A contract at a time."""
    price = pricer(scheme)
    columns = (
        given.spot / given.strike,
        given.rate * given.years,
        given.carry * given.years,
        given.volatility * np.sqrt(given.years),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return given.strike * np.array([price(*row) for row in rows])


def quantlib_greeks(given: Puts, scheme: Callable[[], object]) -> tuple[Array, ...]:
    """Price, delta, gamma, vega and theta by five prices a contract."""
    price = pricer(scheme)
    found = []
    columns = (given.spot, given.strike, given.years, given.rate, given.carry, given.volatility)
    for spot, strike, years, rate, carry, sigma in zip(*(column.tolist() for column in columns), strict=True):
        root, step = years**0.5, SPOT_STEP * spot
        terms = (rate * years, carry * years)
        middle = price(spot / strike, *terms, sigma * root)
        up, down = (price((spot + side) / strike, *terms, sigma * root) for side in (step, -step))
        more = price(spot / strike, *terms, (sigma + VOLATILITY_STEP) * root)
        later = years - DAY
        aged = price(spot / strike, rate * later, carry * later, sigma * later**0.5)
        found.append(
            (
                strike * middle,
                strike * (up - down) / (2 * step),
                strike * (up - 2 * middle + down) / step**2,
                strike * (more - middle) / VOLATILITY_STEP,
                strike * (aged - middle) / DAY,
            )
        )
    return tuple(np.array(found).T)


def quantlib_implied(given: Puts, prices: Array, scheme: Callable[[], object]) -> Array:
    """Brent's root, a contract at a time."""
    price = pricer(scheme)
    found = []
    columns = (given.spot, given.strike, given.years, given.rate, given.carry, prices)
    for spot, strike, years, rate, carry, wanted in zip(*(column.tolist() for column in columns), strict=True):
        terms = (spot / strike, rate * years, carry * years)

        def gap(
            sigma: float,
            terms: tuple[float, float, float] = terms,
            root: float = years**0.5,
            unit: float = wanted / strike,
        ) -> float:
            return price(*terms, sigma * root) - unit

        try:
            found.append(brentq(gap, 0.03, 2.0, xtol=1e-7))
        except (ValueError, RuntimeError):
            found.append(np.nan)
    return np.array(found)
