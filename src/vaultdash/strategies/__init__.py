"""Which options to buy against a margin call: proposals, their measure, and a recommendation for each profile."""

from vaultdash.strategies.base import Strategy
from vaultdash.strategies.cheapest import cheapest_hedge
from vaultdash.strategies.engine import STRATEGIES, compare

__all__ = ["STRATEGIES", "Strategy", "cheapest_hedge", "compare"]
