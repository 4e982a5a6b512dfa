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

# Where rate or yield outweigh the volatility so much that the accurate scheme errs.
STRONG_DRIFT = 3.0  # rate or yield times years, in deviations to expiry
LONG_DRIFT = 2.0  # rate or yield times years
LEAST_PAID = -0.3  # times years; a negative yield of a put, or a negative rate of a call
LEAST_PRECISE = 5e-3  # deviation to expiry; below, the high-precision scheme takes for ever

Mask = npt.NDArray[np.bool_]


class Method(IntEnum):
    """Which of QuantLib's engines prices a contract."""

    ACCURATE = 0
    PRECISE = 1
    DIFFERENCES = 2


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


def outweighed(given: Contracts) -> Mask:
    """Contracts whose rate or yield is too much for their volatility for the accurate scheme to be trusted."""
    drift = np.maximum(np.abs(given.rate), np.abs(given.dividend_yield)) * given.years
    paid = np.where(given.sign < 0, given.dividend_yield, given.rate) * given.years
    deviation = given.volatility * np.sqrt(given.years)
    is_strong = (drift > np.minimum(STRONG_DRIFT * deviation, LONG_DRIFT)) | (paid < LEAST_PAID)
    return np.asarray(is_strong & (deviation >= LEAST_PRECISE), dtype=np.bool_)


def boundary_prices(given: Contracts) -> FloatArray:
    """American prices, USD, of contracts with one boundary, by QdFp.

    Takes 1-dimensional arrays with years and volatility above zero. Those that are `outweighed` by the high-precision
    scheme, within 1e-6 of the strike in 5 to 20 ms a price; the others by the accurate one in a fifth of a
    millisecond: within 6e-4 USD of the kernels at a spot of 380 without a yield, 3e-3 USD with yields up to 25 %.
    Source: Andersen, Lake & Offengenden 2016.
    """
    engines = _engines()
    methods = np.where(outweighed(given), Method.PRECISE, Method.ACCURATE).tolist()
    with engines.lock:
        rows = zip(methods, _scaled(given), strict=True)
        unit = np.array([_price(engines, Method(method), scaled) for method, scaled in rows], dtype=np.float64)
    return unit * given.strike


def _price(engines: "_Engines", method: Method, scaled: tuple[float, float, float, float, bool]) -> float:
    for tried in (method, Method.DIFFERENCES):
        try:
            return float(engines.set(*scaled, tried).NPV())
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
            option = engines.set(*scaled, Method.DIFFERENCES)
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
            Method.ACCURATE: ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.accurateScheme()),
            Method.PRECISE: ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.highPrecisionScheme()),
            Method.DIFFERENCES: ql.FdBlackScholesVanillaEngine(process, TIME_STEPS, PRICE_STEPS),
        }
        self._options: dict[tuple[bool, Method], Any] = {}
        for is_call, kind in ((True, ql.Option.Call), (False, ql.Option.Put)):
            for method, engine in engines.items():
                option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, 1.0), exercise)
                option.setPricingEngine(engine)
                self._options[is_call, method] = option

    def set(
        self,
        spot: float,
        rate: float,
        dividend_yield: float,
        volatility: float,
        is_call: bool,
        method: Method,
    ) -> Any:
        """The option of that kind with the quotes set; hold `lock` until it has been read."""
        for quote, number in zip(self._quotes, (spot, rate, dividend_yield, volatility), strict=True):
            quote.setValue(number)
        return self._options[is_call, method]


@cache
def _engines() -> _Engines:
    return _Engines()
