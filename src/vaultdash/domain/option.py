"""Options: the right a contract gives and what it pays at expiry."""

from enum import StrEnum

SHARES_PER_CONTRACT = 100


class Right(StrEnum):
    """C to buy, P to sell."""

    CALL = "C"
    PUT = "P"


def payoff(right: Right, strike: float, price: float) -> float:
    """Value per share at expiry, USD: max(K - S, 0) for a put, max(S - K, 0) for a call."""
    return max(strike - price, 0.0) if right is Right.PUT else max(price - strike, 0.0)
