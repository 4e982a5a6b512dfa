"""QuantLib's American engines, driven one contract after the other with the same few objects."""

from enum import IntEnum
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.base import Contracts, FloatArray, Valuation

TIME_STEPS = 200
PRICE_STEPS = 400


class Regime(IntEnum):
    """How a contract must be priced, which the signs of rate and yield decide."""

    NEVER_EARLY = 0  # exercise before expiry never pays: European
    ONE_BOUNDARY = 1  # QdFp
    TWO_BOUNDARIES = 2  # QdFp refuses: finite differences


def regimes(rate: FloatArray, dividend_yield: FloatArray, sign: FloatArray) -> npt.NDArray[np.int64]:
    """The regime of each contract.

    Exercising a put gains r*K - q*S: never positive in the money when r <= 0 and q >= r; with q < r < 0 only
    between two boundaries. A call is a put with r and q exchanged (McDonald & Schroder 1998).
    """
    earned = np.where(sign < 0, rate, dividend_yield)
    paid = np.where(sign < 0, dividend_yield, rate)
    late = np.where(earned < 0, Regime.TWO_BOUNDARIES, Regime.ONE_BOUNDARY)
    return np.where((earned <= 0) & (paid >= earned), Regime.NEVER_EARLY, late)


def boundary_prices(given: Contracts) -> FloatArray:
    """American prices, USD, of contracts with one boundary, by QdFp's accurate scheme.

    Takes 1-dimensional arrays with years and volatility above zero. Within 1e-4 USD of QuantLib's high-precision
    scheme at a spot of 380 up to a year at volatilities of 10 % and more; within 1e-3 USD down to 5 % and up to 30
    months. Source: Andersen, Lake & Offengenden 2016.
    """
    engines = _engines()
    with engines.lock:
        unit = np.array([_price(engines, scaled) for scaled in _scaled(given)], dtype=np.float64)
    return unit * given.strike


def _price(engines: "_Engines", scaled: tuple[float, float, float, float, bool]) -> float:
    for differences in (False, True):
        try:
            return float(engines.set(*scaled, differences=differences).NPV())
        except RuntimeError:  # it finds no boundary where rates or the deviation to expiry all but vanish
            continue
    return 0.0  # callers know the European price and what exercise pays, and take the best


def finite_differences(given: Contracts) -> Valuation:
    """American values by finite differences, good to about 1e-4 of the strike; vega and rho are NaN.

    Takes 1-dimensional arrays with years and volatility above zero.
    """
    engines = _engines()
    rows = []
    with engines.lock:
        for scaled in _scaled(given):
            option = engines.set(*scaled, differences=True)
            rows.append((option.NPV(), option.delta(), option.gamma(), option.theta()))
    price, delta, gamma, theta = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    unknown = np.full(price.shape, np.nan)
    strike = given.strike
    return Valuation(price * strike, delta, gamma / strike, unknown, theta * strike / given.years, unknown)


def _scaled(given: Contracts) -> list[tuple[float, float, float, float, bool]]:
    # The price is homogeneous in spot and strike and depends on (r*T, q*T, sigma*sqrt(T)) only: every contract
    # becomes one of strike 1 and exactly one year, whatever its year fraction.
    columns = (
        given.spot / given.strike,
        given.rate * given.years,
        given.dividend_yield * given.years,
        given.volatility * np.sqrt(given.years),
        given.sign > 0,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


class _Engines:
    """Four quotes, one process, and an option of strike 1 for each right and engine."""

    def __init__(self) -> None:
        import QuantLib as ql  # noqa: N813  # the short name of its own documentation

        # A reference day far ahead: the option is alive on any evaluation date, so the global one stays untouched.
        start = ql.Date(1, 1, 2198)
        days = ql.Actual365Fixed()
        self.lock = Lock()
        self._quotes = [ql.SimpleQuote(start_value) for start_value in (1.0, 0.0, 0.0, 0.2)]
        spot, rate, dividend_yield, volatility = (ql.QuoteHandle(quote) for quote in self._quotes)
        process = ql.BlackScholesMertonProcess(
            spot,
            ql.YieldTermStructureHandle(ql.FlatForward(start, dividend_yield, days)),
            ql.YieldTermStructureHandle(ql.FlatForward(start, rate, days)),
            ql.BlackVolTermStructureHandle(ql.BlackConstantVol(start, ql.NullCalendar(), volatility, days)),
        )
        exercise = ql.AmericanExercise(start, start + 365)
        engines = {
            False: ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.accurateScheme()),
            True: ql.FdBlackScholesVanillaEngine(process, TIME_STEPS, PRICE_STEPS),
        }
        self._options: dict[tuple[bool, bool], Any] = {}
        for is_call, kind in ((True, ql.Option.Call), (False, ql.Option.Put)):
            for differences, engine in engines.items():
                option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, 1.0), exercise)
                option.setPricingEngine(engine)
                self._options[is_call, differences] = option

    def set(
        self,
        spot: float,
        rate: float,
        dividend_yield: float,
        volatility: float,
        is_call: bool,
        differences: bool = False,
    ) -> Any:
        """The option of that kind with the quotes set; hold `lock` until it has been read."""
        for quote, number in zip(self._quotes, (spot, rate, dividend_yield, volatility), strict=True):
            quote.setValue(number)
        return self._options[is_call, differences]


@cache
def _engines() -> _Engines:
    return _Engines()
