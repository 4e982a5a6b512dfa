"""European options by the closed formula of Black, Scholes and Merton."""

import math
from typing import Any

import numpy as np

from vaultdash.pricing.base import (
    CALL_CODE,
    Columns,
    Contracts,
    FloatArray,
    Numbers,
    Rights,
    Valuation,
    columns,
    contracts,
)
from vaultdash.pricing.compiled import Engine, answered

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def european(
    spot: Numbers,
    strike: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
    volatility: Numbers,
    right: Rights,
    engine: Engine = "kernel",
) -> Valuation:
    """Price and Greeks of European options, arrays by numpy's broadcasting of all seven inputs.

    `spot` and `strike` USD, `years` to expiry, `rate` and `dividend_yield` continuously compounded per year,
    `volatility` per sqrt(year), `right` "C" or "P" (domain `Right` too) or an array of them; +1 and -1 when it is an
    array of int8. Units: see `Valuation`. `engine`: "kernel" is compiled code, "reference" plain NumPy, which is also
    what answers where nothing can be compiled; they agree to 1e-12 of spot and strike.

    Without volatility the price is the discounted intrinsic value of the forward, gamma and vega are 0. At
    `years == 0` the price is the intrinsic value, delta the step of the payoff (half of it at the strike), and the
    other Greeks are 0. Raises InvalidInput naming the argument.

    Source: Merton 1973; with F = S exp((r-q)T), d1 = ln(F/K)/(sigma sqrt(T)) + sigma sqrt(T)/2,
    d2 = d1 - sigma sqrt(T), w = +1 call, -1 put: price = w (S exp(-qT) N(w d1) - K exp(-rT) N(w d2)).
    """
    given = columns(
        right,
        spot=spot,
        strike=strike,
        years=years,
        rate=rate,
        dividend_yield=dividend_yield,
        volatility=volatility,
    )
    arguments = (spot, strike, years, rate, dividend_yield, volatility, right)
    valued = answered(lambda: _by_kernel(given), lambda: None, engine)
    return valued or value(contracts(*arguments))  # which also says what is wrong


def _by_kernel(given: Columns) -> Valuation | None:
    """None when some contract is none."""
    from vaultdash.pricing import european_kernels as kernels  # numba comes with it

    figures = [np.empty(given.code.size) for _ in NAMES]
    arguments: list[Any] = [*given.numbers, given.code, *figures]
    found = kernels.value(*arguments)
    if found & kernels.INVALID:
        return None
    if found & kernels.RARE:
        rare = np.isnan(figures[0])
        sign = np.where(given.code[rare] == CALL_CODE, 1.0, -1.0)
        edge = value(Contracts(*[*(column[rare] for column in given.numbers), sign]))
        for name, figure in zip(NAMES, figures, strict=True):
            figure[rare] = getattr(edge, name)
    return Valuation(*(figure.reshape(given.shape) for figure in figures))


def value(given: Contracts) -> Valuation:
    """The valuation of inputs that are checked already."""
    from scipy.special import ndtr  # a third of a second to import: only when something is priced

    spot, strike, years, rate, dividend_yield, volatility, sign = given
    with np.errstate(all="ignore"):  # far strikes over- and underflow to their limits
        root = np.sqrt(years)
        deviation = volatility * root
        d1, d2 = _distances(given, deviation)
        share = spot * np.exp(-dividend_yield * years) * ndtr(sign * d1)
        cash = strike * np.exp(-rate * years) * ndtr(sign * d2)
        density = np.exp(-0.5 * d1 * d1 - dividend_yield * years) / ROOT_TWO_PI
        is_certain = deviation == 0.0
        gamma = np.where(is_certain, 0.0, density / (spot * deviation))
        vega = np.where(is_certain, 0.0, spot * density * root)
        decay = np.where(is_certain, 0.0, -0.5 * spot * density * volatility / root)
        theta = decay + sign * (dividend_yield * share - rate * cash)
    # Adding zero turns -0.0 into 0.0.
    return Valuation(
        price=np.asarray(np.maximum(sign * (share - cash), 0.0)),
        delta=np.asarray(sign * share / spot + 0.0),
        gamma=gamma,
        vega=vega,
        theta=np.where(years == 0.0, 0.0, theta + 0.0),
        rho=np.asarray(sign * years * cash + 0.0),
    )


def _distances(given: Contracts, deviation: FloatArray) -> tuple[FloatArray, FloatArray]:
    moneyness = np.log(given.spot / given.strike) + (given.rate - given.dividend_yield) * given.years
    ratio = np.where(moneyness == 0.0, 0.0, moneyness / deviation)  # infinite without volatility: N becomes a step
    return ratio + 0.5 * deviation, ratio - 0.5 * deviation
