"""Exercise boundaries kept as functions of volatility, one for each expiry, rate, yield and side."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.american_boundary import NODES, solve
from vaultdash.pricing.american_boundary import POINTS as BOUNDARY_POINTS
from vaultdash.pricing.american_quadrature import boundary_grid, price_grid
from vaultdash.pricing.american_values import KEPT, POINTS, TERMS
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.qdfp import LEAST_PAID, LONG_DRIFT, STRONG_DRIFT

Mask = npt.NDArray[np.bool_]

DOUBTFUL = 0.02  # the last Newton step, of the depth: beyond this the boundary was not found
NARROWEST = 1e-3  # half the width of a range of ln(volatility)
FEWEST_TERMS = 4

# Where the fixed grids are fine enough, and no exponent leaves the floats; T = 1, strike 1.
LEAST_DEVIATION, MOST_DEVIATION = 1e-3, 10.0
MOST_DRIFT = STRONG_DRIFT  # beyond what is outweighed, QuantLib's high precision answers
LEAST_EARNED = 1e-14  # times years
TERMS_PER_LOG = 2.6  # a range of volatilities e times as wide needs so many terms more


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Boundaries of `groups` puts of strike 1 and time 1 over a range of volatilities each.

    `terms` (groups, TERMS, KEPT) are Chebyshev coefficients in ln(volatility); the columns are by group: `earned` and
    `paid` are rate and yield times years (exchanged for calls), `limit` is how far the boundary lies below the
    strike on the last day, in logarithms, `middle` and `half` the range of ln(volatility), `is_sound` whether the
    boundary was found everywhere.
    """

    terms: FloatArray
    earned: FloatArray
    paid: FloatArray
    limit: FloatArray
    root_years: FloatArray
    middle: FloatArray
    half: FloatArray
    is_sound: Mask


def reachable(earned: FloatArray, paid: FloatArray, years: FloatArray, volatility: FloatArray) -> Mask:
    """Whether puts that earn and pay so much a year have one boundary, and the kernels are accurate there."""
    deviation = volatility * np.sqrt(years)
    drift = np.maximum(np.abs(earned), np.abs(paid)) * years
    reached = (deviation >= LEAST_DEVIATION) & (deviation <= MOST_DEVIATION)
    reached &= drift <= np.minimum(MOST_DRIFT * deviation, LONG_DRIFT)
    reached &= paid * years >= LEAST_PAID
    return np.asarray(reached & ((earned > 0) | ((earned == 0) & (paid < 0))), dtype=np.bool_)


def whole(earned: FloatArray, paid: FloatArray, years: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is earned and paid until expiry; so little earned that no price shows it is raised to LEAST_EARNED."""
    least = np.where((earned > 0) & (paid >= 0), LEAST_EARNED, 0.0)
    return np.maximum(earned * years, least), paid * years


def tables(earned: FloatArray, paid: FloatArray, years: FloatArray, least: FloatArray, most: FloatArray) -> Tables:
    """Boundaries for volatilities from `least` to `most`; all arrays (groups,), `earned` and `paid` a year.

    Years and volatilities above zero; earned above zero, or zero with paid below.
    """
    lowest, highest = np.log(least), np.log(most)
    middle, half = 0.5 * (lowest + highest), np.maximum(0.5 * (highest - lowest), NARROWEST)
    count = min(TERMS, FEWEST_TERMS + int(np.ceil(TERMS_PER_LOG * 2.0 * float(half.max(initial=0.0)))))
    node, transform = _chebyshev(count)
    root_years = np.sqrt(years)
    widths = np.exp(middle[:, None] + half[:, None] * node) * root_years[:, None]
    scaled_earned, scaled_paid = whole(earned, paid, years)
    depths, doubts, limit = depths_of(
        np.repeat(scaled_earned, count), np.repeat(scaled_paid, count), np.ascontiguousarray(widths.ravel())
    )
    return Tables(
        np.ascontiguousarray(transform @ depths.reshape(len(years), count, KEPT)),
        scaled_earned,
        scaled_paid,
        np.ascontiguousarray(limit[::count]),
        root_years,
        middle,
        half,
        np.asarray((doubts.reshape(len(years), count) < DOUBTFUL).all(axis=1), dtype=np.bool_),
    )


def depths_of(earned: FloatArray, paid: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Depths (rows, KEPT) of the boundaries below their limit, in deviations; doubts and limits (rows,).

    Puts of strike 1 and time 1, `width` the volatility.
    """
    limit = np.zeros_like(paid)
    late = paid > np.maximum(earned, 0.0)
    limit[late] = np.log(paid[late]) - np.log(earned[late])
    variance = width * width
    tilt = 2.0 * (earned - paid) / variance - 1.0
    power = 0.5 * (tilt + np.sqrt(tilt * tilt + 8.0 * earned / variance))
    # Without expiry the boundary is power / (1 + power) of the strike; power is a difference where tilt is negative.
    power = np.where(tilt < 0, 2.0 * earned / (variance * np.maximum(power - tilt, 1e-300)), power)
    far = np.log1p(1.0 / np.maximum(power, 1e-300)) - limit
    grid, kept = boundary_grid(NODES, BOUNDARY_POINTS), price_grid(NODES, POINTS)
    depths, doubts = np.empty((len(width), KEPT)), np.empty(len(width))
    solve(
        earned,
        paid,
        width,
        limit,
        np.maximum(far, 1e-6),
        grid.root,
        grid.sine,
        grid.cosine,
        grid.weight,
        grid.spread,
        grid.rest,
        kept.spread,
        depths,
        doubts,
    )
    return depths, doubts, limit


@cache
def _chebyshev(count: int) -> tuple[FloatArray, FloatArray]:
    """The roots of Chebyshev's polynomial, and the matrix from values there to coefficients, filled up with zeros."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    transform = np.zeros((TERMS, count))
    transform[:count] = 2.0 / count * np.cos(np.arange(count)[:, None] * angle)
    transform[0] *= 0.5
    return np.cos(angle), transform
