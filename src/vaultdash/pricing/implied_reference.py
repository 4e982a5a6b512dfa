"""Inversion of option prices for volatility in plain NumPy: slow, and made differently from the kernels."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.american import american_price
from vaultdash.pricing.base import LARGEST_EXPONENT, FloatArray
from vaultdash.pricing.implied_status import (
    ABOVE_BOUND,
    AMERICAN_NOISE,
    BELOW_INTRINSIC,
    DETERMINED,
    EPSILON,
    FAR_MONEYNESS,
    HIGHEST,
    LARGEST,
    LEAST_PRICE,
    LONGEST,
    LOWEST,
    NO_CONVERGE,
    NO_QUOTE,
    NOISE,
    NOT_DETERMINED,
    OK,
    SMALLEST,
    StatusArray,
)

HALVINGS = 64
MOST_TRIES = 90
SMALL_GAP = 1e-12  # of the price
CLOSE = 1e-10  # volatility; an American price is not known better
EDGE = 1e-9  # of the searched range
ROOT_HALF_PI = float(np.sqrt(0.5 * np.pi))
ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))
Mask = npt.NDArray[np.bool_]
Found = tuple[FloatArray, StatusArray]


class Quoted(NamedTuple):
    """Prices and what they are for, flat arrays of one length, unchecked; `sign` is +1 for a call, -1 for a put."""

    price: FloatArray
    spot: FloatArray
    strike: FloatArray
    years: FloatArray
    rate: FloatArray
    dividend_yield: FloatArray
    sign: FloatArray

    def rows(self, chosen: Mask) -> "Quoted":
        """Some of them."""
        return Quoted(*(column[chosen] for column in self))


def invert_european(given: Quoted) -> Found:
    """Volatility by bisection on the price of the out-of-the-money option, and the status; NaN unless it is OK."""
    value, status = np.full(given.price.shape, np.nan), european_status(given)
    live = status == OK
    if live.any():
        value[live], status[live] = _bisected(given.rows(live))
    return value, status


def invert_american(given: Quoted) -> Found:
    """Volatility by regula falsi on the price of the reference pricer, and the status; NaN unless it is OK."""
    value, status = np.full(given.price.shape, np.nan), american_status(given)
    live = status == OK
    if live.any():
        value[live], status[live] = _approached(given.rows(live))
    return value, status


def european_status(given: Quoted) -> StatusArray:
    """OK where there may be a volatility, otherwise the reason why there is none."""
    with np.errstate(all="ignore"):
        share, cash = _discounted(given)
        return _status(given, given.sign * (share - cash), np.where(given.sign > 0, share, cash), 0.0 * cash)


def american_status(given: Quoted) -> StatusArray:
    """The same for American options, which are worth at least what exercise now pays.

    Their bound is the strike of a put and the spot of a call, or its discounted value where that is more.
    """
    with np.errstate(all="ignore"):
        share, cash = _discounted(given)
        floor = np.maximum(given.sign * (share - cash), given.sign * (given.spot - given.strike))
        cap = np.where(given.sign > 0, np.maximum(share, given.spot), np.maximum(cash, given.strike))
        return _status(given, floor, cap, AMERICAN_NOISE * given.strike)


def _discounted(given: Quoted) -> tuple[FloatArray, FloatArray]:
    share = given.spot * np.exp(-given.dividend_yield * given.years)
    return share, given.strike * np.exp(-given.rate * given.years)


def _status(given: Quoted, floor: FloatArray, cap: FloatArray, least_noise: FloatArray) -> StatusArray:
    price, spot, strike, years = given.price, given.spot, given.strike, given.years
    rt, qt = given.rate * years, given.dividend_yield * years
    usual = np.abs(np.log(spot / strike) + rt - qt) <= FAR_MONEYNESS
    for column, most in ((spot, LARGEST), (strike, LARGEST), (years, LONGEST)):
        usual &= (column >= SMALLEST) & (column <= most)
    for exponent in (rt, qt):
        usual &= np.abs(exponent) <= LARGEST_EXPONENT
    share, cash = _discounted(given)
    noise = NOISE * EPSILON * (share + cash)
    floor_noise = np.where(floor > 0, np.maximum(noise, least_noise), 0.0)
    above = price - np.maximum(floor, 0.0)
    conditions = [
        ~((price > 0) & np.isfinite(price)),
        ~usual,
        above < -np.where(floor > 0, noise, 0.0),
        above <= np.maximum(floor_noise, LEAST_PRICE * np.sqrt(share * cash)),
        cap - price <= noise,
    ]
    reasons = [NO_QUOTE, NOT_DETERMINED, BELOW_INTRINSIC, NOT_DETERMINED, ABOVE_BOUND]
    return np.select(conditions, reasons, OK).astype(np.int8)


def _bisected(given: Quoted) -> Found:
    share, cash = _discounted(given)
    moneyness = np.log(given.spot / given.strike) + (given.rate - given.dividend_yield) * given.years
    in_the_money = given.sign * moneyness > 0
    beyond = np.where(in_the_money, given.price - given.sign * (share - cash), given.price)
    x, scale, root = -np.abs(moneyness), np.sqrt(share * cash), np.sqrt(given.years)
    target, lack = beyond / scale, (np.minimum(share, cash) - beyond) / scale
    low, high = np.log(0.9 * LOWEST * root), np.log(1.1 * HIGHEST * root)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        price, rest, _vega = _normalised(x, np.exp(middle))
        too_low = np.where(target > rest, rest > lack, price < target)  # the smaller of the two has more digits
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    deviation = np.exp(0.5 * (low + high))
    value, vega = deviation / root, _normalised(x, deviation)[2] * root
    noise = EPSILON * (2.0 * given.price + np.where(in_the_money, share + cash, 0.0)) / scale
    is_known = (noise <= DETERMINED * vega) & _in_range(value)
    return np.where(is_known, value, np.nan), np.where(is_known, OK, NOT_DETERMINED).astype(np.int8)


def _normalised(x: FloatArray, deviation: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Price over sqrt(F K) of the option with ln(F/K) = x <= 0, what it lacks to its upper bound, and its vega."""
    from scipy.special import erfcx  # a third of a second to import

    h, t = x / deviation, 0.5 * deviation
    bell = np.exp(-0.5 * (h * h + t * t)) / ROOT_TWO_PI
    upper = ROOT_HALF_PI * erfcx(np.abs(h + t) / np.sqrt(2.0))
    lower = ROOT_HALF_PI * erfcx((t - h) / np.sqrt(2.0))
    near, away, cap = bell * (upper - lower), bell * (upper + lower), np.exp(0.5 * x)
    is_near = h + t <= 0
    return np.where(is_near, near, cap - away), np.where(is_near, cap - near, away), bell


def _in_range(value: FloatArray) -> Mask:
    return np.asarray((value >= LOWEST * (1.0 - EDGE)) & (value <= HIGHEST * (1.0 + EDGE)), dtype=np.bool_)


def _approached(given: Quoted) -> Found:
    def gap(volatility: FloatArray, chosen: Mask) -> FloatArray:
        part = given.rows(chosen)
        terms = (part.spot, part.strike, part.years, part.rate, part.dividend_yield)
        right = np.where(part.sign > 0, "C", "P")
        return american_price(*terms, volatility, right, engine="reference") - part.price

    every = np.ones(given.price.shape, dtype=np.bool_)
    low, high = np.full(every.shape, LOWEST), np.full(every.shape, HIGHEST)
    below, above = gap(low, every), gap(high, every)
    value = np.where(below == 0, low, np.where(above == 0, high, np.nan))
    outside = (below > 0) | (above < 0)
    # Absurd terms leave the range of the pricer, which then knows no price.
    live = np.isnan(value) & ~outside & np.isfinite(below) & np.isfinite(above)
    value = _between(gap, low, high, below, above, value, SMALL_GAP * given.price, live)
    status = np.where(np.isnan(value), np.where(outside, NOT_DETERMINED, NO_CONVERGE), OK)
    return value, status.astype(np.int8)


def _between(
    gap: Callable[[FloatArray, Mask], FloatArray],
    low: FloatArray,
    high: FloatArray,
    below: FloatArray,
    above: FloatArray,
    value: FloatArray,
    least_gap: FloatArray,
    live: Mask,
) -> FloatArray:
    """Fill `value` by the Illinois method where `live`: the gap is negative at `low` and positive at `high`.

    A side that stays has its weight halved; every third try halves the bracket. Ends where the gap is at most
    `least_gap`.
    """
    side = np.zeros(low.shape)
    for count in range(MOST_TRIES):
        if not live.any():
            break
        a, b, f, g = low[live], high[live], below[live], above[live]
        tried = np.sqrt(a * b) if count % 3 == 2 else np.clip((a * g - b * f) / (g - f), a, b)
        found = gap(tried, live)
        last = side[live]
        is_low = found < 0
        low[live], high[live] = np.where(is_low, tried, a), np.where(is_low, b, tried)
        below[live] = np.where(is_low, found, np.where(last > 0, 0.5 * f, f))
        above[live] = np.where(is_low, np.where(last < 0, 0.5 * g, g), found)
        side[live] = np.where(is_low, -1.0, 1.0)
        done = (np.abs(found) <= least_gap[live]) | (high[live] - low[live] <= CLOSE)
        value[live] = np.where(done, tried, np.nan)
        live = live.copy()
        live[live] = ~done & np.isfinite(found)
    return value
