"""What the options held against a portfolio are worth: quotes of the chain, else its surface, else exercise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vaultdash.domain.market import Quote
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HedgeMark, HeldOption
from vaultdash.services.option_chains import OptionChains


@dataclass(frozen=True, slots=True)
class ImportedOptions:
    """What a CSV of positions gave, and the rows it did not take: line, text, reason."""

    options: tuple[HeldOption, ...]
    rejected: tuple[tuple[int, str, str], ...]


class HeldHedges:
    """Marks positions with the chains that are loaded; never waits for a provider within a beat."""

    def __init__(self, chains: OptionChains) -> None:
        self._chains = chains

    def mark(self, portfolio: Portfolio, quote: Quote, now: datetime) -> HedgeMark | None:
        """The options held at a price of the share, from what is loaded; None when none is held."""
        return None

    async def refresh(self, portfolios: Sequence[Portfolio]) -> None:
        """Load the chains of all held options, as a job does every few minutes."""
