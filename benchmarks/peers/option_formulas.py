"""European prices and Greeks as one writes them first: a QuantLib loop, and plain NumPy with SciPy."""

import math
from dataclasses import dataclass

import numpy as np
import QuantLib as ql  # noqa: N813
from scipy.special import ndtr

Array = np.ndarray
EXPIRIES = 25
STRIKES = 100


@dataclass(frozen=True, slots=True)
class Chain:
    """A GLD-like chain of 5,000 contracts: 25 expiries of 7 to 912 days, 100 strikes, calls and puts."""

    spot: float
    strike: Array
    days: Array
    rate: Array
    carry: float
    volatility: Array
    right: Array

    @property
    def years(self) -> Array:
        """Act/365."""
        return self.days / 365.0


def chain() -> Chain:
    """Spot 380, smile 10 to 85 %, rates 3.0 to 4.5 %, carry 0.4 %."""
    spot = 380.0
    days = np.round(np.linspace(7, 912, EXPIRIES))
    grid_days, grid_strike, grid_right = np.meshgrid(
        days, spot * np.linspace(0.5, 1.6, STRIKES), np.array([1, -1]), indexing="ij"
    )
    days, strike, sign = grid_days.ravel(), grid_strike.ravel(), grid_right.ravel()
    deviations = np.log(strike / spot) / np.sqrt(days / 365.0)
    volatility = np.clip(0.15 + 0.05 * deviations**2 - 0.02 * deviations, 0.10, 0.85)
    rate = 0.030 + 0.015 * days / 912.0
    return Chain(spot, strike, days, rate, 0.004, volatility, np.where(sign > 0, "C", "P"))


def numpy_scipy(given: Chain) -> tuple[Array, ...]:
    """Price, delta, gamma, vega, theta, rho without any care for edges."""
    years, sign = given.years, np.where(given.right == "C", 1.0, -1.0)
    root = np.sqrt(years)
    d1 = (np.log(given.spot / given.strike) + (given.rate - given.carry + 0.5 * given.volatility**2) * years) / (
        given.volatility * root
    )
    d2 = d1 - given.volatility * root
    share, cash = given.spot * np.exp(-given.carry * years), given.strike * np.exp(-given.rate * years)
    n1, n2 = ndtr(sign * d1), ndtr(sign * d2)
    density = np.exp(-0.5 * d1**2) / math.sqrt(2 * math.pi) * share
    price = sign * (share * n1 - cash * n2)
    delta = sign * share / given.spot * n1
    gamma = density / (given.spot**2 * given.volatility * root)
    vega = density * root
    theta = -density * given.volatility / (2 * root) + sign * (given.carry * share * n1 - given.rate * cash * n2)
    return price, delta, gamma, vega, theta, sign * cash * years * n2


def quantlib_loop(given: Chain) -> Array:
    """A contract at a time through the analytic engine: 5,000 rows of six."""
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    quotes = [ql.SimpleQuote(value) for value in (given.spot, 0.04, given.carry, 0.2)]
    spot, rate, carry, volatility = (ql.QuoteHandle(quote) for quote in quotes)
    process = ql.BlackScholesMertonProcess(
        spot,
        ql.YieldTermStructureHandle(ql.FlatForward(today, carry, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, count)),
    )
    engine = ql.AnalyticEuropeanEngine(process)
    columns = (given.strike, given.days, given.rate, given.volatility, given.right)
    rows = []
    for strike, days, one_rate, one_volatility, right in zip(*(column.tolist() for column in columns), strict=True):
        quotes[1].setValue(one_rate)
        quotes[3].setValue(one_volatility)
        kind = ql.Option.Call if right == "C" else ql.Option.Put
        option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), ql.EuropeanExercise(today + int(days)))
        option.setPricingEngine(engine)
        rows.append((option.NPV(), option.delta(), option.gamma(), option.vega(), option.theta(), option.rho()))
    return np.array(rows)
