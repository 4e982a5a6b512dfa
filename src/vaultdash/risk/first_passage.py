"""When a price that moves as a geometric Brownian motion first falls to a level."""

import math

import numpy as np

from vaultdash.pricing.base import FloatArray

ROOT_TWO = math.sqrt(2.0)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
FAR = 37.0  # deviations; beyond them the normal tail leaves the range of a float, its ratio to the density does not
LARGEST_EXPONENT = 700.0


def touch_probability(distance: float, years: float, volatility: float, growth: float) -> float:
    """P(touched by `years`) from `distance` x = ln(S/H) > 0 with yearly growth g = mu - i of S over H.

    With nu = g - sigma^2/2: N((-x - nu T)/(sigma sqrt(T))) + exp(-2 nu x/sigma^2) N((-x + nu T)/(sigma sqrt(T)))
    (docs/decisions/0010-odds.md). Any finite numbers with x > 0, T >= 0, sigma >= 0 give a number from 0 to 1;
    without volatility the level is touched when the growth leads there.
    """
    deviation = volatility * math.sqrt(years)
    if deviation == 0.0:
        return 1.0 if distance + growth * years <= 0.0 else 0.0
    if deviation == math.inf:
        return 1.0
    a = -(distance + growth * years) / deviation + 0.5 * deviation
    b = -(distance - growth * years) / deviation - 0.5 * deviation
    below = 0.5 * math.erfc(-a / ROOT_TWO)
    if b > -FAR:  # then b^2 - a^2, twice the exponent, is below 1400
        exponent = distance * (1.0 - 2.0 * (growth / volatility) / volatility)
        back = math.exp(min(exponent, LARGEST_EXPONENT)) * 0.5 * math.erfc(-b / ROOT_TWO)
    else:  # exp(-2 nu x/sigma^2) N(b) = exp(-a^2/2) N(b)/exp(-b^2/2), and Mills' ratio by its asymptotic series
        inverse = 1.0 / (b * b)
        series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse * (1.0 - 7.0 * inverse)))
        back = math.exp(-0.5 * a * a) / (ROOT_TWO_PI * -b) * series
    return min(below + back, 1.0)


def touch_probabilities(
    distance: FloatArray, years: FloatArray, volatility: FloatArray, growth: FloatArray
) -> FloatArray:
    """The same of arrays of one shape; equal to the scalars to 1e-12 of themselves."""
    from scipy.special import erfcx, ndtr  # a third of a second to import: only when arrays are asked for

    with np.errstate(all="ignore"):  # extremes over- and underflow to their limits
        deviation = volatility * np.sqrt(years)
        a = -(distance + growth * years) / deviation + 0.5 * deviation
        b = -(distance - growth * years) / deviation - 0.5 * deviation
        exponent = distance * (1.0 - 2.0 * (growth / volatility) / volatility)
        near = np.exp(np.minimum(exponent, LARGEST_EXPONENT)) * ndtr(b)
        far = 0.5 * np.exp(-0.5 * a * a) * erfcx(-b / ROOT_TWO)
        spread = np.minimum(ndtr(a) + np.where(b > -FAR, near, far), 1.0)
        certain = np.where(distance + growth * years <= 0.0, 1.0, 0.0)
    return np.where(deviation == 0.0, certain, np.where(deviation == np.inf, 1.0, spread))


def ever_probability(distance: float, volatility: float, growth: float) -> float:
    """P(touched at all): 1 when nu = g - sigma^2/2 <= 0, else exp(-2 nu x/sigma^2); without volatility when g < 0."""
    if volatility == 0.0:
        return 1.0 if growth < 0.0 else 0.0
    steps = 2.0 * (growth / volatility) / volatility - 1.0  # 2 nu / sigma^2
    return math.exp(-steps * distance) if steps > 0.0 else 1.0


def mean_touch_time(distance: float, years: float, volatility: float, growth: float) -> float | None:
    """E(time of the touch | touched by `years`): the integral of t f(t), divided by P; None when P is 0.

    The integral is x/nu (exp(-2 nu x/sigma^2) N((nu T - x)/(sigma sqrt(T))) - N((-x - nu T)/(sigma sqrt(T)))), and
    2 x sqrt(T)/sigma (phi(z) - z N(-z)) with z = x/(sigma sqrt(T)) where nu vanishes.
    """
    touched = touch_probability(distance, years, volatility, growth)
    if touched == 0.0:
        return None
    deviation = volatility * math.sqrt(years)
    if deviation == 0.0:
        return -distance / growth
    if deviation == math.inf:
        return 0.0
    drift = growth - 0.5 * volatility * volatility
    z = distance / deviation
    if abs(drift) * math.sqrt(years) <= 1e-6 * volatility:
        partial = math.exp(-0.5 * z * z) / ROOT_TWO_PI - z * 0.5 * math.erfc(z / ROOT_TWO)
        mean = 2.0 * z * years * partial / touched
    else:
        below = 0.5 * math.erfc((distance + drift * years) / deviation / ROOT_TWO)
        mean = distance / drift * (touched - 2.0 * below) / touched
    return min(max(mean, 0.0), years)
