"""Logarithm and normal distribution as the standard library has them; kernels put branch-free ones in their place."""

from math import erfc, log

ROOT_HALF = 0.7071067811865476


def log_ratio(a: float, b: float) -> float:
    """ln(a / b)."""
    return log(a / b)


def normal(x: float) -> float:
    """The standard normal distribution's N(x)."""
    return 0.5 * erfc(-x * ROOT_HALF)


def weighted_normals(spot: float, x: float, kept: float, y: float) -> tuple[float, float]:
    """spot N(x) and kept N(y), where spot n(x) = kept n(y) with the density n, as in the formula of Black-Scholes."""
    return spot * normal(x), kept * normal(y)
