"""The chance that a price watched at each close has been at or below a level, by integration over its density."""

import math

import numpy as np

NODES_OF_A_PANEL, DEVIATIONS_OF_A_PANEL = 10, 3.0


def closes_probability(distance: float, days: int, volatility: float, growth: float) -> float:
    """The density of ln(price / level) above 0 is carried from close to close by Gauss-Legendre panels.

    Nothing is shifted and nothing approximated but the integral, which is good to 1e-9.
    """
    deviation = volatility / math.sqrt(252.0)
    pull = growth / 252.0 - 0.5 * deviation * deviation
    far = distance + abs(pull) * days + 6.5 * deviation * math.sqrt(days)
    width = DEVIATIONS_OF_A_PANEL * deviation
    panels = math.ceil(far / width)
    nodes, weights = np.polynomial.legendre.leggauss(NODES_OF_A_PANEL)
    edges = np.arange(panels) * width
    at = (edges[:, None] + (nodes + 1.0) * 0.5 * width).ravel()
    weight = np.tile(weights * 0.5 * width, panels)

    def bell(to: np.ndarray, origin: np.ndarray | float) -> np.ndarray:
        z = (to - origin - pull) / deviation
        return np.exp(-0.5 * z * z) / (deviation * math.sqrt(2.0 * math.pi))

    density = bell(at, distance)
    carried = bell(at[:, None], at[None, :]) * weight[None, :]
    for _ in range(days - 1):
        density = carried @ density
    return 1.0 - float(weight @ density)
