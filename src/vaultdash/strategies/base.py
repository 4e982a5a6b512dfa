"""The contract of a strategy: it chooses legs, nothing more."""

from collections.abc import Sequence
from typing import Protocol

from vaultdash.domain.hedge import HedgePlan, Situation


class Strategy(Protocol):
    """One way of hedging. It is given everything and asks for nothing."""

    @property
    def name(self) -> str:
        """The identifier under which the API knows it."""

    @property
    def title(self) -> str:
        """What the owner reads."""

    def propose(self, situation: Situation) -> Sequence[HedgePlan]:
        """One plan, or one for each tenor it can be had in, all named as the strategy is."""
