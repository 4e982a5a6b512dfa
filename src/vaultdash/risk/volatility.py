"""Volatility of daily closes."""

import math
from collections.abc import Sequence

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.domain.validation import open_fraction, positive

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
