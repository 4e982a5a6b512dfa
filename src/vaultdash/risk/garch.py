"""GARCH(1,1) with Student t fitted to daily returns by maximum likelihood."""

import math
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.base import FloatArray

BACKCAST_DAYS, BACKCAST_DECAY = 75, 0.94  # for the variance before the first day, RiskMetrics
FIRST = (0.05, 0.93, 8.0)  # alpha, beta and degrees of freedom to begin with: about those of daily markets
LEAST_FREEDOM, MOST_FREEDOM = 2.05, 500.0
STILL = 1e-12  # what rounding leaves of returns that are all the same
FLAT = 1e10  # instead of a likelihood that is no number


class Garch(NamedTuple):
    """r_t = mean + e_t, sigma^2_t = omega + alpha e^2_{t-1} + beta sigma^2_{t-1}, e_t / sigma_t a Student t of
    variance 1; `variances` of each day and of the day after the last.
    """

    mean: float
    omega: float
    alpha: float
    beta: float
    degrees_of_freedom: float
    variances: FloatArray
    log_likelihood: float


def fit_garch(returns: FloatArray) -> Garch:
    """The likeliest parameters (Bollerslev 1987), with the variance before the first day cast back from the first 75.

    Raises InvalidInput when the returns do not move or no maximum is found.
    """
    from scipy.optimize import minimize  # a third of a second to import: only when something is fitted

    scale = float(np.std(returns))
    if not (math.isfinite(scale) and scale > STILL):
        raise InvalidInput("returns", "must be finite and move")
    scaled = returns / scale
    alpha, beta, freedom = FIRST
    start = (float(scaled.mean()), *_free(1.0 - alpha - beta, alpha, beta, freedom))
    found = minimize(_loss, start, args=(scaled,), method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-11})
    if not (found.success and math.isfinite(found.fun) and found.fun < FLAT):
        raise InvalidInput("returns", "allow no fit: no likeliest parameters were found")
    mean, omega, alpha, beta, freedom = _parameters(found.x)
    variances = _variances(scaled - mean, omega, alpha, beta)
    return Garch(
        mean=mean * scale,
        omega=omega * scale * scale,
        alpha=alpha,
        beta=beta,
        degrees_of_freedom=freedom,
        variances=variances * (scale * scale),
        log_likelihood=-float(found.fun) * returns.size - returns.size * math.log(scale),
    )


def _free(omega: float, alpha: float, beta: float, freedom: float) -> tuple[float, float, float, float]:
    """Numbers without limits for those with limits: persistence and its parts stay between 0 and 1."""
    persistence = alpha + beta
    return (
        math.log(omega),
        math.log(persistence / (1.0 - persistence)),
        math.log(alpha / beta),
        math.log(freedom - LEAST_FREEDOM),
    )


def _parameters(free: FloatArray) -> tuple[float, float, float, float, float]:
    mean, log_omega, odds, share, tail = (float(number) for number in np.clip(free, -30.0, 30.0))
    persistence, part = 1.0 / (1.0 + math.exp(-odds)), 1.0 / (1.0 + math.exp(-share))
    freedom = min(LEAST_FREEDOM + math.exp(tail), MOST_FREEDOM)
    return mean, math.exp(log_omega), persistence * part, persistence * (1.0 - part), freedom


def _variances(shocks: FloatArray, omega: float, alpha: float, beta: float) -> FloatArray:
    squares = shocks * shocks
    weights = BACKCAST_DECAY ** np.arange(min(BACKCAST_DAYS, squares.size))
    before = float(weights @ squares[: weights.size] / weights.sum())
    driven = (omega + alpha * np.concatenate([[before], squares])).tolist()
    course = accumulate(driven, lambda variance, drive: drive + beta * variance, initial=before)
    return np.fromiter(course, np.float64, squares.size + 2)[1:]


def _loss(free: FloatArray, returns: FloatArray) -> float:
    """Minus the mean log likelihood of a day."""
    mean, omega, alpha, beta, freedom = _parameters(free)
    shocks = returns - mean
    variances = _variances(shocks, omega, alpha, beta)[:-1]
    constant = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(math.pi * (freedom - 2))
    with np.errstate(all="ignore"):
        tails = np.log1p(shocks * shocks / (variances * (freedom - 2)))
        likelihood = constant - 0.5 * float(np.mean(np.log(variances) + (freedom + 1) * tails))
    return -likelihood if math.isfinite(likelihood) else FLAT
