"""The constant geometry of the American kernels: where the boundary is known, and where it is needed."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from vaultdash.pricing.base import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class BoundaryGrid:
    """`nodes` times at which the boundary is sought, each with an integral of `points`; time to expiry runs to 1.

    `root` (nodes,) is the root of each node's time, the last day first and expiry left out; `sine`, `cosine` and
    `weight` (points,) are Gauss and Legendre's rule in theta, where the root of the time at which the boundary is
    asked is root * sin(theta) and that of the time until then root * cos(theta): both ends of the integral become
    smooth. `spread` (nodes, points, nodes) takes values at the nodes to values at the points.
    """

    root: FloatArray
    sine: FloatArray
    cosine: FloatArray
    weight: FloatArray
    spread: FloatArray
    rest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PriceGrid:
    """The points of a contract's own integral, by the same substitution; `spread` (points + 2, nodes).

    The last two rows of `spread` give the value at the full time and its slope in the root of time.
    """

    sine: FloatArray
    cosine: FloatArray
    weight: FloatArray
    spread: FloatArray


@cache
def boundary_grid(nodes: int, points: int) -> BoundaryGrid:
    """The grid of one resolution."""
    root = _nodes(nodes)
    theta, weight = _rule(points)
    asked = (root[:, None] * np.sin(theta)).ravel()
    spread = _interpolation(root, asked).reshape(nodes, points, nodes)
    return BoundaryGrid(root, np.sin(theta), np.cos(theta), weight, spread, 1.0 - spread.sum(axis=2))


@cache
def price_grid(nodes: int, points: int) -> PriceGrid:
    """The points at which a boundary of that many nodes is kept."""
    root = _nodes(nodes)
    theta, weight = _rule(points)
    step = 1e-5
    last = _interpolation(root, np.array([1.0, 1.0 - step, 1.0 + step]))
    slope = (last[2] - last[1]) / (2.0 * step)
    spread = np.vstack([_interpolation(root, np.sin(theta)), last[0], slope])
    return PriceGrid(np.sin(theta), np.cos(theta), weight, spread)


def _nodes(count: int) -> FloatArray:
    # Chebyshev's extrema on [0, 1] without 0, where the boundary is known.
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.arange(count) / count))


def _rule(count: int) -> tuple[FloatArray, FloatArray]:
    node, weight = np.polynomial.legendre.leggauss(count)
    return np.asarray(0.25 * np.pi * (node + 1.0)), np.asarray(0.25 * np.pi * weight)


def _interpolation(root: FloatArray, asked: FloatArray) -> FloatArray:
    """Lagrange's polynomials through `root` and 0 at `asked`, without that of 0: what is interpolated is 0 there."""
    count = len(root)
    every = np.append(root, 0.0)
    values = np.ones((len(asked), count))
    for node in range(count):
        for other in range(count + 1):
            if other != node:
                values[:, node] *= (asked - every[other]) / (root[node] - every[other])
    return values
