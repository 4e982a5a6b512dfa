"""Exercise boundaries of many puts without yield at once, and what early exercise is worth above them, in numpy."""

import numpy as np

from vaultdash.pricing.american_quadrature import BoundaryGrid, boundary_grid, price_grid
from vaultdash.pricing.base import FloatArray

NODES = 12  # times at which a boundary is known
BOUNDARY_POINTS = 14
PRICE_POINTS = 160  # just above the boundary the integrand is steep
SEED_STEPS = 3
SWEEPS = 15
SETTLED = 1e-10  # a step, of the depth
LEAST = 1e-12
LEAST_SHARE = 1e-300
ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))


def boundary_depths(earned: FloatArray, deviation: FloatArray) -> FloatArray:
    """How far the boundary lies below the strike, ln(K/B), (rows, NODES): at so many times, the full one first.

    Puts of strike 1 and time 1 without yield: `earned` (rows,) is the rate times the years, above zero, `deviation`
    (rows,) the volatility times their root. Smooth pasting, N(d1) = int a exp(-a u) n(d2) / (B w sqrt(u)) du, both
    sides as logarithms, by Newton's method from the boundary of Barone-Adesi & Whaley 1987; the squared depth is a
    polynomial in the root of time (Andersen, Lake & Offengenden 2016). It is found where `earned` is at most three
    times `deviation`.
    """
    from scipy.special import ndtr

    grid = boundary_grid(NODES, BOUNDARY_POINTS)
    depth = _seed(earned[:, None], deviation[:, None], grid.root)
    a, w = earned[:, None, None], deviation[:, None, None]
    ahead = grid.root[:, None] * grid.cosine
    rule = 2.0 * grid.weight * grid.root[:, None] * grid.sine / (ROOT_TWO_PI * w)
    spent, spread = w * grid.root[:, None], w * ahead
    for _ in range(SWEEPS):
        there = _between(grid, depth)
        d2 = (there - depth[:, :, None] + a * ahead**2) / spread - 0.5 * spread
        cash = rule * a * np.exp(depth[:, :, None] - a * ahead**2 - 0.5 * d2 * d2)
        own = spent[:, :, 0]
        d1 = (earned[:, None] * grid.root**2 - depth) / own + 0.5 * own
        kept, given = np.maximum(ndtr(d1), LEAST_SHARE), np.maximum(cash.sum(axis=2), LEAST_SHARE)
        share = cash / given[:, :, None]
        jacobian = np.einsum("rnp,npm->rnm", share * d2 / (spread * there), grid.spread) * depth[:, None, :]
        each = np.arange(NODES)
        jacobian[:, each, each] -= np.exp(-0.5 * d1 * d1) / (ROOT_TWO_PI * own * kept)
        jacobian[:, each, each] -= (share * (1.0 + d2 / spread)).sum(axis=2)
        step = np.linalg.solve(jacobian, np.log(kept / given)[:, :, None])[:, :, 0]
        moved = np.clip(depth - step, 0.5 * depth, 2.0 * depth)
        largest = float(np.max(np.abs(moved / depth - 1.0)))
        depth = moved
        if largest < SETTLED:
            break
    return depth


def premiums_above(places: FloatArray, earned: FloatArray, deviation: FloatArray, depths: FloatArray) -> FloatArray:
    """What early exercise is worth, in parts of `earned` times the strike; (rows, places).

    `places` are distances of the price above today's boundary, ln(S/B) in deviations, not negative; the others as
    `boundary_depths` takes and gives them. int exp(-a u) N(-d2(S, B(1 - u), u)) du (Kim 1990).
    """
    from scipy.special import ndtr

    grid = price_grid(NODES, PRICE_POINTS)
    there = np.sqrt(np.maximum((depths * depths) @ grid.spread[:-2].T, LEAST * LEAST)) / deviation[:, None]
    discount = np.exp(-earned[:, None] * grid.cosine**2)
    rule = 2.0 * grid.weight * grid.sine * grid.cosine * discount
    drift = earned / deviation - 0.5 * deviation
    result = np.empty((len(earned), len(places)))
    for column, place in enumerate(places):  # all at once would take a hundred megabytes
        above = place - depths[:, :1] / deviation[:, None] + there
        d2 = above / grid.cosine + drift[:, None] * grid.cosine
        result[:, column] = (rule * ndtr(-d2)).sum(axis=1)
    return result


def _between(grid: BoundaryGrid, depth: FloatArray) -> FloatArray:
    """Depths at the points of each node's integral (rows, nodes, points)."""
    squared = np.einsum("npm,rm->rnp", grid.spread, depth * depth)
    return np.asarray(np.sqrt(np.maximum(squared, LEAST * LEAST)))


def _seed(earned: FloatArray, deviation: FloatArray, root: FloatArray) -> FloatArray:
    """A first boundary by Barone-Adesi & Whaley 1987, some Newton steps from a guess."""
    from scipy.special import ndtr

    power = 2.0 * earned / deviation**2
    far = np.log1p(1.0 / power)  # without expiry the boundary is power / (1 + power)
    first = -far * np.expm1(-1.7 * deviation * root / far)
    spent = earned * root * root
    own = deviation * root
    gone = -np.expm1(-spent) / earned  # the part of the year's interest still to come, a year
    tilt = power - 1.0
    rise = -0.5 * (tilt + np.sqrt(tilt * tilt + 8.0 / (deviation**2 * gone)))
    depth = first
    for _ in range(SEED_STEPS):
        boundary = np.exp(-depth)
        d1 = (spent - depth) / own + 0.5 * own
        n1, n2 = ndtr(-d1), np.exp(-spent) * ndtr(own - d1)
        over = 1.0 - boundary - n2 + boundary * n1 + (1.0 - n1) * boundary / rise
        slope = (1.0 - n1) * (1.0 / rise - 1.0) + np.exp(-0.5 * d1 * d1) / (ROOT_TWO_PI * rise * own)
        depth = np.clip(depth + over / (slope * boundary), 0.4 * depth, 2.5 * depth)
    return np.asarray(np.clip(depth, 0.2 * first, 4.0 * first))
