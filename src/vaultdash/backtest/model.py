"""The model's volatility, option value, delta and spread on a day, and the value of a book over many days.

Plain functions over floats and float64 arrays: they run as they stand, and are compiled by `kernels`.
"""

from math import exp, sqrt

from vaultdash.backtest import layout as at
from vaultdash.backtest.elementary import log_ratio, normal, weighted_normals
from vaultdash.backtest.layout import Early, Shape
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.early_exercise import early_exercise_premium

INVERSE_ROOT_TWO_PI = 0.3989422804014327
LEAST_YEARS = 1e-6  # half a minute: what expires is settled, not marked
LEAST_VARIANCE = 1e-8
A_DAY = 1.0 / at.YEAR


def decay(kappa: float, years: float) -> float:
    """f(T) = (1 - exp(-kappa T)) / (kappa T)."""
    return (1.0 - exp(-kappa * years)) / (kappa * years)


def shape_of(terms: FloatArray) -> Shape:
    """The smile's parameters among the terms."""
    kappa = terms[at.KAPPA]
    thirty = decay(kappa, 30.0 / at.YEAR)
    return Shape(terms[at.AT_THE_MONEY], kappa, thirty, terms[at.SLOPE], terms[at.CURVATURE], terms[at.FLOOR])


def volatility(moneyness: float, years: float, level: float, long_run: float, shape: Shape) -> float:
    """sigma of a contract with ln(K/F) = `moneyness`, from the day's level; formula in `scenario.Smile`."""
    thirty = shape.at_the_money * level
    level_square, run_square = thirty * thirty, long_run * long_run
    weight = (1.0 - exp(-shape.kappa * years)) / (shape.kappa * shape.thirty * years)
    at_forward = sqrt(max(run_square + (level_square - run_square) * weight, LEAST_VARIANCE))
    deviations = moneyness / (at_forward * sqrt(years))
    return max(at_forward + shape.slope * deviations + shape.curvature * deviations * deviations, shape.floor)


def black(right: float, spot: float, kept: float, moneyness: float, deviation: float) -> float:
    """Black-Scholes without yield, USD a share; `right` is +1 for a call and -1 for a put.

    `kept` is the strike discounted to the day, `moneyness` ln(K/F), `deviation` sigma sqrt(T).
    """
    d2 = -moneyness / deviation - 0.5 * deviation
    gold, paid = weighted_normals(spot, right * (d2 + deviation), kept, right * d2)
    return max(right * (gold - paid), 0.0)


def european(right: float, spot: float, strike: float, years: float, rate: float, sigma: float) -> float:
    """`black` from rate, years and volatility."""
    moneyness = log_ratio(strike, spot) - rate * years
    return black(right, spot, strike * exp(-rate * years), moneyness, sigma * sqrt(years))


def delta_size(right: float, spot: float, strike: float, years: float, rate: float, sigma: float) -> float:
    """The closed form's delta without its sign."""
    deviation = sigma * sqrt(years)
    return normal(right * ((log_ratio(spot, strike) + rate * years) / deviation + 0.5 * deviation))


def vega_point(spot: float, strike: float, years: float, rate: float, sigma: float) -> float:
    """What a point of volatility, 0.01, is worth by the closed form, USD a share."""
    root = sqrt(years)
    d1 = (log_ratio(spot, strike) + rate * years) / (sigma * root) + 0.5 * sigma * root
    return 0.01 * spot * root * INVERSE_ROOT_TWO_PI * exp(-0.5 * min(d1 * d1, 1400.0))


def intrinsic(right: float, spot: float, strike: float) -> float:
    """What exercise brings, USD a share."""
    return max(right * (spot - strike), 0.0)


def option_value(
    right: float, spot: float, strike: float, years: float, rate: float, sigma: float, early: Early
) -> float:
    """The mid of the model, USD a share: the closed form, and for an American put what early exercise adds to it.

    Without yield an American call is a European one at rates of 0 and above; below 0 it counts as one.
    """
    value = european(right, spot, strike, years, rate, sigma)
    if right > 0 or early.values.size == 0:
        return value
    deviation = sigma * sqrt(years)
    distance = log_ratio(spot, strike) / deviation
    premium = early_exercise_premium(distance, rate * years, deviation, early.values, early.depths)
    return max(value + premium * strike, strike - spot)


def years_to(expires: float, day: float) -> float:
    """Years of 365 days from the close of one day to that of another."""
    return max((expires - day) * A_DAY, LEAST_YEARS)


def contract_volatility(days: FloatArray, t: int, strike: float, expires: float, shape: Shape) -> float:
    """sigma of a contract at the close of day t."""
    years = years_to(expires, days[at.DAY, t])
    moneyness = log_ratio(strike, days[at.CLOSE, t]) - days[at.RATE, t] * years
    return volatility(moneyness, years, days[at.LEVEL, t], days[at.LONG_RUN, t], shape)


def half_spread(mid: float, vega: float, terms: FloatArray) -> float:
    """Half of bid to ask, USD a share: the largest of a least, a share of the mid, and points of volatility."""
    found: float = max(terms[at.LEAST], terms[at.OF_MID] * mid, terms[at.VEGA_POINTS] * vega)
    return found


def mark_leg(
    days: FloatArray,
    first: int,
    last: int,
    right: float,
    strike: float,
    expires: float,
    shares: float,
    shape: Shape,
    early: Early,
    values: FloatArray,
) -> None:
    """Add the mid of `shares` of the contract to `values` of the days from first to last, both included."""
    # Loops from 0 over slices: an index that could be negative would keep them out of vector registers.
    day, close = days[at.DAY, first : last + 1], days[at.CLOSE, first : last + 1]
    rate, level = days[at.RATE, first : last + 1], days[at.LEVEL, first : last + 1]
    long_run = days[at.LONG_RUN, first : last + 1]
    log_close, log_strike = days[at.LOG_CLOSE, first : last + 1], log_ratio(strike, 1.0)
    out = values[first : last + 1]
    if right < 0 and early.values.size > 0:
        for i in range(out.size):
            years = years_to(expires, day[i])
            moneyness = log_strike - log_close[i] - rate[i] * years
            sigma = volatility(moneyness, years, level[i], long_run[i], shape)
            out[i] += shares * option_value(right, close[i], strike, years, rate[i], sigma, early)
        return
    for i in range(out.size):
        years = years_to(expires, day[i])
        moneyness = log_strike - log_close[i] - rate[i] * years
        sigma = volatility(moneyness, years, level[i], long_run[i], shape)
        kept = strike * exp(-rate[i] * years)
        out[i] += shares * black(right, close[i], kept, moneyness, sigma * sqrt(years))


def delta_leg(
    days: FloatArray,
    first: int,
    last: int,
    right: float,
    strike: float,
    expires: float,
    shape: Shape,
    deltas: FloatArray,
) -> None:
    """Raise `deltas` of the days to the size of the contract's where that is larger."""
    for t in range(first, last + 1):
        years = years_to(expires, days[at.DAY, t])
        spot, rate = days[at.CLOSE, t], days[at.RATE, t]
        moneyness = log_ratio(strike, spot) - rate * years
        sigma = volatility(moneyness, years, days[at.LEVEL, t], days[at.LONG_RUN, t], shape)
        deltas[t] = max(deltas[t], delta_size(right, spot, strike, years, rate, sigma))
