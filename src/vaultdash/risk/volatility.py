"""Volatility of daily closes, and of gold in a currency from that of gold in dollars and that of the dollar."""

import math
from collections.abc import Sequence

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.domain.validation import finite, not_negative, open_fraction, positive

MINIMUM_RETURNS = 20


def ewma_volatility(closes: Sequence[float], decay: float = 0.94) -> float:
    """Exponentially weighted volatility per sqrt(year) of daily log returns, newest weighted most.

    sigma^2 = sum(decay^i * r_i^2) / sum(decay^i) * 252, without a mean (RiskMetrics 1996). `closes` ascend in time.
    """
    open_fraction("decay", decay)
    if len(closes) <= MINIMUM_RETURNS:
        raise InvalidInput("closes", f"must hold more than {MINIMUM_RETURNS} prices, not {len(closes)}")
    weight, total, weights = 1.0, 0.0, 0.0
    for later, earlier in zip(reversed(closes), reversed(closes[:-1]), strict=False):
        move = math.log(positive("close", later) / positive("close", earlier))
        total += weight * move * move
        weights += weight
        weight *= decay
        if weight < 1e-12:
            break
    return math.sqrt(total / weights * TRADING_DAYS)


def return_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Correlation, -1 to 1, of the daily log returns of two rows of closes of the same days, ascending.

    Raises InvalidInput for rows of different lengths or too few closes, closes that are no prices, or none that move.
    """
    if len(first) != len(second):
        raise InvalidInput("second", f"must hold as many closes as the first, {len(first)}, not {len(second)}")
    if len(first) <= MINIMUM_RETURNS:
        raise InvalidInput("first", f"must hold more than {MINIMUM_RETURNS} prices, not {len(first)}")
    rows = []
    for name, closes in (("first", first), ("second", second)):
        returns = np.diff(np.log([positive(name, close) for close in closes]))
        returns -= returns.mean()
        length = math.sqrt(float(returns @ returns))
        if not length > 0.0:
            raise InvalidInput(name, "must move for a correlation")
        rows.append(returns / length)
    return min(max(float(rows[0] @ rows[1]), -1.0), 1.0)


def joined_volatility(price: float, rate: float, correlation: float) -> float:
    """Volatility per sqrt(year) of S*X, a dollar price in another currency, from those of S and of X, what a dollar
    costs: sigma_SX^2 = sigma_S^2 + sigma_X^2 + 2 rho sigma_S sigma_X, as ln(S*X) = ln S + ln X.
    """
    own, other = not_negative("price", price), not_negative("rate", rate)
    if abs(finite("correlation", correlation)) > 1.0:
        raise InvalidInput("correlation", f"must be between -1 and 1, not {correlation:g}")
    return math.sqrt(max(own * own + other * other + 2.0 * correlation * own * other, 0.0))
