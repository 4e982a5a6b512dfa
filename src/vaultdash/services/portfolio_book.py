"""The owner's portfolios; one for now, from the settings."""

from datetime import date

from vaultdash.domain.gold import instrument
from vaultdash.domain.market import Quote
from vaultdash.domain.portfolio import Collateral, Portfolio, Snapshot, mark

RESEARCH_VALUE = 1_000_000.0


class PortfolioBook:
    """Holds the portfolio and marks it at a quote."""

    def __init__(self, portfolio: Portfolio, *, is_example: bool = False) -> None:
        self.current = portfolio
        self.is_example = is_example  # nobody has said what is owed on what

    @property
    def symbol(self) -> str:
        """The symbol whose price values the collateral."""
        return self.current.collateral.instrument.quoted_by

    def mark(self, quote: Quote, on: date) -> Snapshot:
        """The portfolio at a quote of its own symbol."""
        return mark(self.current, quote.price, on)

    def holds(self, symbol: str) -> bool:
        """True when the symbol's price values the owner's own collateral."""
        return symbol == self.symbol

    def priced_by(self, symbol: str, spot: float, on: date, value: float | None = None) -> tuple[Portfolio, bool]:
        """The portfolio to use for a symbol at `spot`, and whether its units are the owner's own.

        Another symbol than the collateral's, or a given `value`, makes a research portfolio whose units are
        value / spot; its value is 1,000,000 USD unless given.
        """
        if self.holds(symbol) and value is None:
            return self.current, True
        own = self.current if self.holds(symbol) else self._research(symbol)
        return own.with_value(RESEARCH_VALUE if value is None else value, spot, on), False

    def _research(self, symbol: str) -> Portfolio:
        return Portfolio("research", Collateral(instrument(symbol), 1.0), self.current.loan)
