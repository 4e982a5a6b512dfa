"""One smile shape for all expiries, SSVI, which admits neither butterflies nor calendar arbitrage."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.validation import finite, positive
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.svi import SviParameters

LARGEST_SKEW = 0.999
LEAST_SHARE = 1e-3  # of the largest eta that is free of butterflies
LEAST_GAMMA = 1e-3
USUAL = np.array([0.0, 0.5, 0.4])  # rho, share of the largest eta, gamma
PULL = 1e-6  # towards the usual shape: what quotes do not determine stays there
LEAST_THETA = 1e-10
STEP = 1e-6
FLATTEST = 1e-9  # phi below which a smile is a level


@dataclass(frozen=True, slots=True)
class SsviParameters:
    """w = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)), phi = eta / (theta^gamma (1+theta)^(1-gamma)).

    `theta` is the total variance at the money by expiry, ascending in time and never falling. |rho| < 1,
    0 < gamma <= 1/2 and 0 <= eta (1 + |rho|) <= 2; InvalidInput otherwise. So made, it is free of butterfly and
    calendar arbitrage. Source: Gatheral & Jacquier 2014.
    """

    rho: float
    eta: float
    gamma: float
    theta: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("rho", "eta", "gamma"):
            finite(name, getattr(self, name))
        if not abs(self.rho) < 1:
            raise InvalidInput("rho", f"must lie between -1 and 1, not {self.rho:g}")
        if not 0 < self.gamma <= 0.5:
            raise InvalidInput("gamma", f"must be above 0 and at most 1/2, not {self.gamma:g}")
        if not 0 <= self.eta * (1.0 + abs(self.rho)) <= 2.0 * (1.0 + 1e-12):
            raise InvalidInput("eta", f"times 1 + |rho| must be from 0 to 2, not {self.eta * (1 + abs(self.rho)):g}")
        for variance in self.theta:
            positive("theta", variance)
        if any(later < sooner for sooner, later in pairwise(self.theta)):
            raise InvalidInput("theta", "must not fall from one expiry to the next")

    def slice_at(self, theta: float) -> SviParameters:
        """The smile whose total variance at the money is `theta`, as raw SVI: the two are the same curve."""
        phi = self.eta / (theta**self.gamma * (1.0 + theta) ** (1.0 - self.gamma))
        if phi < FLATTEST:
            return SviParameters(theta, 0.0, 0.0, 0.0, 1.0)
        rest = 1.0 - self.rho**2
        return SviParameters(0.5 * theta * rest, 0.5 * theta * phi, self.rho, -self.rho / phi, math.sqrt(rest) / phi)

    @property
    def slices(self) -> tuple[SviParameters, ...]:
        """The smile of each theta."""
        return tuple(self.slice_at(theta) for theta in self.theta)


def calibrate_ssvi(
    k: Sequence[FloatArray], total_variance: Sequence[FloatArray], weight: Sequence[FloatArray]
) -> SsviParameters:
    """The SSVI nearest to the quotes of all expiries at once, minimising sum (weight (w(k) - total_variance))^2.

    One array an expiry in each sequence, expiries ascending, at least one quote in each; variances and weights above
    zero, InvalidInput otherwise. What the quotes do not determine (a single expiry says nothing about gamma) stays
    near rho = 0, gamma = 0.4, half the largest eta. About 50 ms for 20 expiries.
    """
    from scipy.optimize import least_squares  # a third of a second to import: only when a surface is fitted

    problem = _Problem(k, total_variance, weight)
    count = problem.count
    lowest = np.concatenate([[-LARGEST_SKEW, LEAST_SHARE, LEAST_GAMMA, LEAST_THETA], np.zeros(count - 1)])
    highest = np.concatenate([[LARGEST_SKEW, 1.0, 0.5], np.full(count, np.inf)])
    found = least_squares(
        problem.residuals, problem.start(), problem.jacobian, (lowest, highest), x_scale="jac", xtol=1e-10, ftol=1e-10
    ).x
    rho, share, gamma = (float(number) for number in found[:3])
    theta = np.maximum.accumulate(np.cumsum(found[3:]))
    return SsviParameters(rho, 2.0 * share / (1.0 + abs(rho)), gamma, tuple(theta.tolist()))


class _Problem:
    """Residuals by (rho, share, gamma, first theta, its increments)."""

    def __init__(
        self, k: Sequence[FloatArray], total_variance: Sequence[FloatArray], weight: Sequence[FloatArray]
    ) -> None:
        self.count = len(k)
        lengths = [[np.size(part) for part in given] for given in (k, total_variance, weight)]
        if not self.count or lengths[0] != lengths[1] or lengths[0] != lengths[2] or not min(lengths[0]):
            raise InvalidInput("k", "must be as long as total_variance and weight, with a quote in every expiry")
        self._k, self._w, weights = (np.concatenate(given) for given in (k, total_variance, weight))
        if not all((np.isfinite(given)).all() for given in (self._k, self._w, weights)):
            raise InvalidInput("k", "and total_variance and weight must be finite")
        if (self._w <= 0).any() or (weights <= 0).any():
            raise InvalidInput("total_variance", "and weight must be above zero")
        self._weight = weights / np.sqrt(np.sum((weights * self._w) ** 2))
        self._row = np.repeat(np.arange(self.count), lengths[0])
        self._before = np.tri(self.count)[self._row]  # theta is the sum of the increments up to its own

    def start(self) -> FloatArray:
        near = [np.argsort(np.abs(self._k[rows]))[:3] for rows in self._rows()]
        atm = [float(np.median(self._w[rows][some])) for rows, some in zip(self._rows(), near, strict=True)]
        theta = np.maximum.accumulate(atm)
        increments = np.maximum(np.diff(theta, prepend=0.0), 1e-3 * theta)
        return np.concatenate([USUAL, increments])

    def residuals(self, at: FloatArray) -> FloatArray:
        misfit = self._weight * (self._variance(at[:3], np.cumsum(at[3:])) - self._w)
        return np.concatenate([misfit, PULL * (at[:3] - USUAL)])

    def jacobian(self, at: FloatArray) -> FloatArray:
        shape, theta = at[:3], np.cumsum(at[3:])
        columns = []
        for i in range(3):
            step = np.zeros(3)
            step[i] = STEP
            columns.append((self._variance(shape + step, theta) - self._variance(shape - step, theta)) / (2.0 * STEP))
        up, down = theta * (1.0 + STEP), theta * (1.0 - STEP)
        by_theta = (self._variance(shape, up) - self._variance(shape, down)) / (up - down)[self._row]
        misfit = self._weight[:, None] * np.column_stack([*columns, by_theta[:, None] * self._before])
        return np.vstack([misfit, PULL * np.eye(3, 3 + self.count)])

    def _variance(self, shape: FloatArray, theta: FloatArray) -> FloatArray:
        rho, share, gamma = shape
        eta = 2.0 * share / (1.0 + abs(rho))
        at = (eta / (theta**gamma * (1.0 + theta) ** (1.0 - gamma)))[self._row] * self._k
        root = np.sqrt((at + rho) ** 2 + max(1.0 - rho * rho, 0.0))
        return np.asarray(0.5 * theta[self._row] * (1.0 + rho * at + root))

    def _rows(self) -> list[npt.NDArray[np.intp]]:
        return [np.flatnonzero(self._row == row) for row in range(self.count)]
