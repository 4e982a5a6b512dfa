"""A chain as one prices it first: QuantLib's QdFp engine, Brent's root for the volatility, small moves for Greeks."""

from collections.abc import Callable

import numpy as np
import QuantLib as ql  # noqa: N813
from scipy.optimize import brentq

Array = np.ndarray
DAYS = 365


class Pricer:
    """American prices by QdFp's fast scheme with quotes that are set anew for each contract."""

    def __init__(self) -> None:
        self._today = ql.Date(15, 1, 2024)
        ql.Settings.instance().evaluationDate = self._today
        self._quotes = [ql.SimpleQuote(value) for value in (100.0, 0.04, 0.0, 0.2)]
        spot, rate, carry, volatility = (ql.QuoteHandle(quote) for quote in self._quotes)
        count, calendar = ql.Actual365Fixed(), ql.NullCalendar()
        self._process = ql.BlackScholesMertonProcess(
            spot,
            ql.YieldTermStructureHandle(ql.FlatForward(self._today, carry, count)),
            ql.YieldTermStructureHandle(ql.FlatForward(self._today, rate, count)),
            ql.BlackVolTermStructureHandle(ql.BlackConstantVol(self._today, calendar, volatility, count)),
        )
        self._engine = ql.QdFpAmericanEngine(self._process, ql.QdFpAmericanEngine.fastScheme())

    def option(self, strike: float, days: int, is_call: bool) -> ql.VanillaOption:
        """A contract that expires `days` from now."""
        kind = ql.Option.Call if is_call else ql.Option.Put
        exercise = ql.AmericanExercise(self._today, self._today + days)
        option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), exercise)
        option.setPricingEngine(self._engine)
        return option

    def price(self, option: ql.VanillaOption, spot: float, rate: float, carry: float, volatility: float) -> float:
        """What it is worth on this market."""
        for quote, value in zip(self._quotes, (spot, rate, carry, volatility), strict=True):
            quote.setValue(value)
        return float(option.NPV())


def quantlib_chain(
    mid: Array, spot: float, strike: Array, days: Array, rate: float, carry: Array, is_call: Array
) -> Array:
    """For each contract volatility, price, delta, gamma, vega, theta; NaN where no volatility gives the mid."""
    pricer = Pricer()
    rows = np.full((len(mid), 6), np.nan)
    for row in range(len(mid)):
        option = pricer.option(float(strike[row]), int(days[row]), bool(is_call[row]))
        later = pricer.option(float(strike[row]), max(int(days[row]) - 1, 1), bool(is_call[row]))
        q = float(carry[row])

        def worth(volatility: float, at: float = spot, option: ql.VanillaOption = option, q: float = q) -> float:
            return pricer.price(option, at, rate, q, volatility)

        volatility = root(lambda sigma, worth=worth, row=row: worth(sigma) - mid[row])  # type: ignore[misc]
        if not np.isfinite(volatility):
            continue
        width, bump = 1e-3 * spot, 1e-3
        price, up, down = worth(volatility), worth(volatility, spot + width), worth(volatility, spot - width)
        vega = (worth(volatility + bump) - worth(volatility - bump)) / (2 * bump)
        theta = (pricer.price(later, spot, rate, q, volatility) - price) * DAYS
        rows[row] = volatility, price, (up - down) / (2 * width), (up - 2 * price + down) / width**2, vega, theta
    return rows


def root(miss: Callable[[float], float]) -> float:
    """Brent's method between 1 % and 500 %."""
    try:
        return float(brentq(miss, 0.01, 5.0, xtol=1e-8))
    except (ValueError, RuntimeError):
        return float("nan")
