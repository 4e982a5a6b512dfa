"""The smile of one expiry as five numbers: raw SVI, its laws, and its calibration."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.validation import finite
from vaultdash.pricing.base import FloatArray, Numbers

FARTHEST = 1.5  # |ln(K/F)| to which a smile must be free of butterflies
EVEN_POINTS = 301
NEAR_POINTS = 61  # more of them around the bend, which is narrow when little time is left
TOLERANCE = 1e-9  # below it a negative density is rounding
REFITS = 6
MARGIN = 1e-3  # of g, where it is held above zero
LEAST_QUOTES = 5  # for five numbers
MOST_SKEW = 1.0 - 1e-9

LOWEST = 10.0  # times max w: how far a may lie below zero, which a round smile needs
ROUNDEST = 1.0  # s over the quoted width: quotes cannot tell rounder smiles apart, and far out they explode
SHARPEST = 0.1  # s over the lowest deviation sigma sqrt(T): a kink is noise, not a smile
STARTS = 3  # valleys that are followed to the bottom
BENDS = np.geomspace(0.01, 1.0, 11)  # of the quoted width
CENTRES = np.linspace(-0.5, 1.5, 17)
STENCIL = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)])
PARABOLA = np.linalg.pinv(np.column_stack([STENCIL**0 @ [0.5, 0.5], STENCIL, STENCIL**2, STENCIL.prod(axis=1)]))
SHRINK = 0.4
MOST_STEPS = 40
FINEST = 1e-4  # of the first step
# Sides, edges and corners of the box: each coordinate free (0), low or high; the inside is tried first.
FACES = np.array(list(product((0, -1, 1), repeat=3))[1:])


@dataclass(frozen=True, slots=True)
class SviParameters:
    """w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + s^2)), w the total variance sigma^2 T, k = ln(K/F).

    b >= 0, |rho| < 1, s > 0 and a + b s sqrt(1 - rho^2) >= 0, so that w is never negative; InvalidInput otherwise.
    Source: Gatheral 2004.
    """

    a: float
    b: float
    rho: float
    m: float
    s: float

    def __post_init__(self) -> None:
        for name in ("a", "b", "rho", "m", "s"):
            finite(name, getattr(self, name))
        if self.b < 0:
            raise InvalidInput("b", f"must not be negative, not {self.b:g}")
        if not abs(self.rho) < 1:
            raise InvalidInput("rho", f"must lie between -1 and 1, not {self.rho:g}")
        if self.s <= 0:
            raise InvalidInput("s", f"must be above zero, not {self.s:g}")
        if self.least_variance < -TOLERANCE:
            raise InvalidInput("a", f"makes the lowest variance negative: {self.least_variance:g}")

    @property
    def least_variance(self) -> float:
        """The lowest total variance, a + b s sqrt(1 - rho^2)."""
        return self.a + self.b * self.s * math.sqrt(1.0 - self.rho**2)

    @property
    def wings(self) -> tuple[float, float]:
        """The slopes of w in |k| far left and far right, b (1 - rho) and b (1 + rho); Lee allows no more than 2."""
        return self.b * (1.0 - self.rho), self.b * (1.0 + self.rho)

    def total_variance(self, k: Numbers) -> FloatArray:
        """w at log-moneyness k."""
        x = np.asarray(k, dtype=np.float64) - self.m
        return np.asarray(self.a + self.b * (self.rho * x + np.sqrt(x * x + self.s * self.s)))

    def slope(self, k: Numbers) -> FloatArray:
        """dw/dk."""
        x = np.asarray(k, dtype=np.float64) - self.m
        return np.asarray(self.b * (self.rho + x / np.sqrt(x * x + self.s * self.s)))

    def curvature(self, k: Numbers) -> FloatArray:
        """d2w/dk2."""
        x = np.asarray(k, dtype=np.float64) - self.m
        return np.asarray(self.b * self.s**2 / (x * x + self.s * self.s) ** 1.5)

    def g(self, k: Numbers) -> FloatArray:
        """Durrleman's function: where it is negative the smile implies a negative probability."""
        return durrleman(np.asarray(k, dtype=np.float64), self.total_variance(k), self.slope(k), self.curvature(k))

    def worst_butterfly(self) -> tuple[float, float]:
        """The lowest g for k from -1.5 to 1.5, and where."""
        k = check_points(self.m, self.s)
        return worst_of(k, self.g(k))


def durrleman(k: FloatArray, w: FloatArray, slope: FloatArray, curvature: FloatArray) -> FloatArray:
    """g = (1 - k w'/(2w))^2 - w'^2/4 (1/w + 1/4) + w''/2, the sign of the density that a smile implies.

    Source: Gatheral & Jacquier 2014. Where w is 0 there is no density: g is -inf there.
    """
    with np.errstate(all="ignore"):
        found = (1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * curvature
    return np.where(np.isfinite(found) & (w > 0), found, -np.inf)


def check_points(centre: float, bend: float) -> FloatArray:
    """Points from -1.5 to 1.5, ascending, denser around `centre` on the scale of `bend`."""
    near = centre + bend * np.sinh(np.linspace(-4.0, 4.0, NEAR_POINTS))
    return np.sort(np.concatenate([np.linspace(-FARTHEST, FARTHEST, EVEN_POINTS), near[np.abs(near) <= FARTHEST]]))


def worst_of(k: FloatArray, g: FloatArray) -> tuple[float, float]:
    """The lowest g, and where."""
    lowest = int(np.argmin(g))
    return float(g[lowest]), float(k[lowest])


def calibrate_svi(k: Numbers, total_variance: Numbers, weight: Numbers | None = None) -> SviParameters:
    """The raw SVI nearest to quotes, minimising the sum of (weight (w(k) - total_variance))^2.

    Three arrays of equal length, at least five quotes; weights above zero. Raises InvalidInput otherwise. The wings
    are held to Lee's slope of 2 and the lowest variance to 0; butterflies in between are not excluded: see
    `worst_butterfly`.

    Quasi-explicit (De Marco & Martini 2009): with x = k - m and R = sqrt(x^2 + s^2), w = a + u (R - x) + v (R + x),
    u = b (1 - rho)/2, v = b (1 + rho)/2. For fixed (m, s) that is linear least squares with 0 <= u, v <= 1, which is
    their 0 <= e <= 2s, |d| <= e, |d| <= 2s - e turned by 45 degrees; it is solved exactly for many (m, s) at once,
    and (m, s) are sought from several starts. Their 0 <= a is only asked where the lowest variance would else be
    negative: gold's smiles are rounder than a >= 0 allows.
    """
    k, w, weights = _checked(k, total_variance, weight)
    problem = _Problem(k, w, weights)
    width = float(np.ptp(k))
    centres, bends = np.meshgrid(k.min() + width * CENTRES, np.log(width * BENDS))
    grid = np.clip(np.column_stack([centres.ravel(), bends.ravel()]), *problem.limits)
    errors = problem.errors(grid)
    steps = np.array([centres[0, 1] - centres[0, 0], bends[1, 0] - bends[0, 0]])
    best = min(
        (problem.descend(grid[start], steps) for start in _valleys(errors.reshape(centres.shape))),
        key=lambda at: at[1],
    )
    return problem.parameters(best[0])


def without_butterflies(
    start: SviParameters, k: Numbers, total_variance: Numbers, weight: Numbers | None = None
) -> SviParameters | None:
    """The raw SVI nearest to the same quotes among those whose g is nowhere negative for k from -1.5 to 1.5.

    Sought from `start`; None when none is found. About 20 ms.
    """
    from scipy.optimize import minimize  # a third of a second to import: only when a smile needs it

    ks, ws, weights = _checked(k, total_variance, weight)
    scale = np.sqrt(np.sum((weights * ws) ** 2))
    top, width = float(ws.max()), float(np.ptp(ks))
    grid = check_points(start.m, start.s)[::4]
    shrunk = [0.5 * start.b * (1.0 - start.rho), 0.5 * start.b * (1.0 + start.rho)]

    def curve(at: FloatArray) -> SviParameters:
        b = max(float(at[1] + at[2]), 1e-12)
        rho = float(np.clip((at[2] - at[1]) / b, -MOST_SKEW, MOST_SKEW))
        bend = math.exp(float(at[4]))
        least = max(float(at[0]), 0.0) * top
        return SviParameters(least - b * bend * math.sqrt(1.0 - rho * rho), b, rho, float(at[3]) * width, bend)

    def error(at: FloatArray) -> float:
        return float(np.sum((weights * (curve(at).total_variance(ks) - ws)) ** 2)) / float(scale**2)

    at = np.array([start.least_variance / top, *shrunk, start.m / width, math.log(start.s)])
    for _ in range(REFITS):
        held = grid
        at = minimize(
            error,
            at,
            method="SLSQP",
            bounds=[(1e-6, 1.0), (0.0, 1.0), (0.0, 1.0), (None, None), (math.log(1e-3 * width), math.log(10.0))],
            constraints=[{"type": "ineq", "fun": lambda x, held=held: curve(x).g(held) - MARGIN}],
            options={"maxiter": 100, "ftol": 1e-12},
        ).x
        refitted = curve(at)
        least, where = refitted.worst_butterfly()
        if least >= 0:
            return refitted
        grid = np.append(grid, where)  # it slipped through between the points
    return None


def _checked(k: Numbers, w: Numbers, weight: Numbers | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    ks, ws = np.asarray(k, dtype=np.float64), np.asarray(w, dtype=np.float64)
    weights = np.ones_like(ks) if weight is None else np.asarray(weight, dtype=np.float64)
    if ks.ndim != 1 or ks.shape != ws.shape or ks.shape != weights.shape:
        raise InvalidInput("total_variance", "must be as long as k and weight, all one-dimensional")
    if not (np.isfinite(ks).all() and np.isfinite(ws).all() and np.isfinite(weights).all()):
        raise InvalidInput("total_variance", "and k and weight must be finite")
    if (ws <= 0).any() or (weights <= 0).any():
        raise InvalidInput("total_variance", "and weight must be above zero")
    if np.unique(ks).size < LEAST_QUOTES:
        raise InvalidInput("k", f"must have at least {LEAST_QUOTES} different values, not {np.unique(ks).size}")
    return ks, ws, weights


def _valleys(errors: FloatArray) -> list[int]:
    """Flat positions of the lowest points of a grid that are no higher than their neighbours."""
    padded = np.pad(errors, 1, constant_values=np.inf)
    rows, columns = errors.shape
    around = [padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    is_low = np.ravel(errors <= np.min(around, axis=0))
    found = np.flatnonzero(is_low)
    return [int(position) for position in found[np.argsort(errors.ravel()[found])][:STARTS]]


class _Problem:
    """Weighted quotes, and the best (a, u, v) and its error for any (m, ln s)."""

    def __init__(self, k: FloatArray, w: FloatArray, weight: FloatArray) -> None:
        self._k, self._top = k, float(w.max())
        scale = float(np.sqrt(np.mean(weight**2)))
        self._weight = weight / scale
        width = float(np.ptp(k))
        sharpest = max(1e-3 * width, SHARPEST * math.sqrt(float(w.min())))
        self.limits = (
            np.array([k.min() - 2.0 * width, math.log(sharpest)]),
            np.array([k.max() + 2.0 * width, math.log(max(ROUNDEST * width, sharpest))]),
        )
        self._target = self._weight * w
        self._floor = 1e-26 * float(self._target @ self._target)

    def errors(self, at: FloatArray) -> FloatArray:
        """The least sums of squares at the rows (m, ln s) of `at`, shape (n, 2)."""
        return self._solve(at)[1]

    def parameters(self, at: FloatArray) -> SviParameters:
        """The parameters of the best solution at (m, ln s)."""
        (a, u, v), _ = (column[0] for column in self._solve(at[None, :]))
        b = u + v
        rho = 0.0 if b == 0 else float(np.clip((v - u) / b, -MOST_SKEW, MOST_SKEW))
        return SviParameters(float(a), float(b), rho, float(at[0]), math.exp(at[1]))

    def descend(self, start: FloatArray, steps: FloatArray) -> tuple[FloatArray, float]:
        """Follow a valley: nine points at a time and the bottom of the parabola through them."""
        here, reach = start, steps
        lowest = float(self.errors(here[None, :])[0])
        for _ in range(MOST_STEPS):
            points = np.clip(here + STENCIL * reach, *self.limits)
            values = self.errors(points)
            guess = _bottom(values)
            if guess is not None:
                points = np.vstack([points, np.clip(here + guess * reach, *self.limits)])
                values = np.append(values, self.errors(points[-1:]))
            best = int(np.argmin(values))
            moved = float(np.max(np.abs(points[best] - here) / reach))
            gain = lowest - float(values[best])
            if gain > 0:
                here, lowest = points[best], float(values[best])
            if gain <= 0 or moved < 0.5:
                reach = reach * (SHRINK if gain <= 0 or moved > 0.1 else max(2.0 * moved, 0.02))
            if (reach < FINEST * steps).all() or lowest <= self._floor:
                break
        return here, lowest

    def _solve(self, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        x = self._k - at[:, :1]
        bend = np.exp(at[:, 1:])
        root = np.sqrt(x * x + bend * bend)
        columns = np.stack([np.ones_like(x), root - x, root + x], axis=1) * self._weight
        gram = columns @ columns.transpose(0, 2, 1)
        moment = columns @ self._target
        found = _least_squares_in_box(gram, moment, -LOWEST * self._top, self._top)
        with np.errstate(invalid="ignore"):
            sinks = found[:, 0] + 2.0 * bend[:, 0] * np.sqrt(found[:, 1] * found[:, 2]) < 0
        if sinks.any():
            found[sinks] = _least_squares_in_box(gram[sinks], moment[sinks], 0.0, self._top)
        misfit = (found[:, None, :] @ columns)[:, 0, :] - self._target  # not from the Gram matrix, which cancels
        return found, np.einsum("nj,nj->n", misfit, misfit)


def _bottom(values: FloatArray) -> FloatArray | None:
    """The minimum of the parabola through the nine points of STENCIL, in its units; None when it has none near."""
    _, bx, by, cxx, cyy, cxy = PARABOLA @ values
    determinant = 4.0 * cxx * cyy - cxy * cxy
    if cxx <= 0 or determinant <= 0:
        return None
    guess = np.array([cxy * by - 2.0 * cyy * bx, cxy * bx - 2.0 * cxx * by]) / determinant
    return np.asarray(np.clip(guess, -3.0, 3.0))


def _least_squares_in_box(gram: FloatArray, moment: FloatArray, lowest: float, highest: float) -> FloatArray:
    """For each of n problems the (a, u, v) with the least p.G.p - 2 c.p, a within its limits, u and v in [0, 1]."""
    gram = gram + 1e-15 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    low, high = np.array([lowest, 0.0, 0.0]), np.array([highest, 1.0, 1.0])
    found = np.asarray(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])
    outside = ~((found >= low) & (found <= high)).all(axis=1)
    if outside.any():
        found[outside] = _best_on_faces(gram[outside], moment[outside], low, high)
    return found


def _best_on_faces(gram: FloatArray, moment: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    free = (FACES == 0).astype(np.float64)
    fixed = np.where(FACES < 0, low, high) * (1.0 - free)
    # For all problems and faces at once: a fixed coordinate's equation says that it is what it is fixed at.
    equations = gram[:, None] * free[:, :, None] * free[:, None, :] + np.eye(3) * (1.0 - free)[:, :, None]
    target = (moment[:, None] - fixed @ gram) * free + fixed
    points = np.where(FACES == 0, np.linalg.solve(equations, target[..., None])[..., 0], fixed)
    worth = ((points @ gram - 2.0 * moment[:, None]) * points).sum(axis=2)
    inside = ((points >= low) & (points <= high)).all(axis=2)
    best = np.argmin(np.where(inside, worth, np.inf), axis=1)
    return np.asarray(points[np.arange(len(gram)), best])
