"""The past's own shocks: daily returns divided by the volatility a GARCH(1,1) saw in them the day before."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.pricing.base import FloatArray
from vaultdash.risk.garch import fit_garch
from vaultdash.risk.models import FilteredHistory

FITTED_FROM = 750  # daily returns; fewer do not tell persistence from a change of level
LEAST_RETURNS = 250
BLOCK_DAYS = 10
MOST_PERSISTENT = 0.999
EWMA_DECAY = 0.94
USUAL_ALPHA, USUAL_BETA = 0.06, 0.92  # of daily returns where none could be fitted


class Filter(NamedTuple):
    """A filter of daily returns, relative to its long run: what it leaves, and what tomorrow begins with."""

    residuals: FloatArray
    alpha: float
    beta: float
    start: float  # variance of tomorrow, of the long run's
    degrees_of_freedom: float | None
    basis: str


def filtered_history(closes: Sequence[float], volatility: float, years: float = 1.0) -> FilteredHistory:
    """The model of `closes` (daily, ascending), of `volatility` in all over `years`.

    GARCH(1,1) with Student t (Bollerslev 1987), fitted by maximum likelihood; its own forecast shapes the
    course of the variance, and all variances are scaled so that their mean over `years` is volatility^2. With fewer
    than 750 returns, or when the fit fails, an exponentially weighted filter (0.94) with usual weights stands in;
    `basis` says so, and why. Raises InvalidInput for fewer than 250 returns.
    """
    returns = daily_returns(closes)
    if returns.size < LEAST_RETURNS:
        raise InvalidInput("closes", f"must hold more than {LEAST_RETURNS} prices, not {returns.size + 1}")
    if returns.size < FITTED_FROM:
        found = _ewma(returns, f"fewer than {FITTED_FROM} daily returns")
    else:
        found = _garch(returns)
    residuals = (found.residuals - found.residuals.mean()) / found.residuals.std()
    variance = volatility * volatility / TRADING_DAYS / _variance_of_blocks(residuals)
    days = max(round(years * TRADING_DAYS), 1)
    persistence = found.alpha + found.beta
    # The mean of the expected variances of the days, whose distance from the long run shrinks by the persistence.
    lasting = (1.0 - persistence**days) / (days * (1.0 - persistence))
    long_run = variance / (1.0 + (found.start - 1.0) * lasting)
    return FilteredHistory(
        variance=long_run * found.start,
        omega=long_run * (1.0 - persistence),
        alpha=found.alpha,
        beta=found.beta,
        residuals=tuple(residuals.tolist()),
        block_days=BLOCK_DAYS,
        degrees_of_freedom=found.degrees_of_freedom,
        basis=found.basis,
    )


def daily_returns(closes: Sequence[float]) -> FloatArray:
    """ln of each close over the one before; raises InvalidInput when a close is not a price."""
    prices = np.asarray(closes, dtype=np.float64)
    if prices.ndim != 1 or prices.size < 2:
        raise InvalidInput("closes", "must be a row of daily prices")
    if not (np.isfinite(prices) & (prices > 0.0)).all():
        raise InvalidInput("closes", "must all be finite and above zero")
    return np.diff(np.log(prices))


def _garch(returns: FloatArray) -> Filter:
    try:
        found = fit_garch(returns)
    except InvalidInput as error:
        return _ewma(returns, f"GARCH(1,1) could not be fitted, as the {error}")
    alpha, beta, variances = found.alpha, found.beta, found.variances
    persistence = alpha + beta
    start = float(variances[-1]) * (1.0 - persistence) / found.omega
    if persistence > MOST_PERSISTENT:
        alpha, beta = (weight * MOST_PERSISTENT / persistence for weight in (alpha, beta))
    freedom = found.degrees_of_freedom
    basis = f"GARCH(1,1) with Student t, {freedom:.1f} degrees of freedom, fitted to {returns.size:,} daily returns"
    residuals = (returns - found.mean) / np.sqrt(variances[:-1])
    return Filter(residuals, alpha, beta, start, freedom, basis)


def _ewma(returns: FloatArray, reason: str) -> Filter:
    variance = float(np.mean(returns[:20] ** 2)) + 1e-12
    residuals = np.empty_like(returns)
    for day, move in enumerate(returns.tolist()):
        residuals[day] = move / math.sqrt(variance)
        variance = max(EWMA_DECAY * variance + (1.0 - EWMA_DECAY) * move * move, 1e-12)
    basis = (
        f"shocks of {returns.size:,} daily returns filtered with exponential weights ({EWMA_DECAY:g}), GARCH(1,1) "
        f"of usual weights ({USUAL_ALPHA:g}, {USUAL_BETA:g}): {reason}"
    )
    return Filter(residuals, USUAL_ALPHA, USUAL_BETA, 1.0, None, basis)


def _variance_of_blocks(residuals: FloatArray) -> float:
    """Variance of the sum of a block over that of its days drawn singly: 1 unless shocks follow one another."""
    ring = np.concatenate([residuals, residuals[: BLOCK_DAYS - 1]])
    sums = np.convolve(ring, np.ones(BLOCK_DAYS), "valid")
    return float(np.mean(sums * sums)) / BLOCK_DAYS
