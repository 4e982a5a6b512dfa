"""The owner's portfolios: kept in the database, marked at a quote, each change with its old value."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import NotFound
from vaultdash.domain.gold import instrument
from vaultdash.domain.market import Quote
from vaultdash.domain.portfolio import Portfolio, Snapshot, mark
from vaultdash.domain.position import HedgeMark
from vaultdash.domain.record import PortfolioChange, StoredPortfolio
from vaultdash.feed import Feed
from vaultdash.storage.records import Database

RESEARCH_VALUE = 1_000_000.0
CURRENT = "current_portfolio"


class PortfolioBook:
    """Knows all portfolios at any time; a change is on the disk before it is shown.

    Until `open` has read the database, the portfolio of the settings stands in; it becomes the first one kept.
    `changed` is told the id of each portfolio that changed, appeared or went.
    """

    def __init__(
        self, first: Portfolio, database: Database, now: Callable[[], datetime], *, is_example: bool = False
    ) -> None:
        self.changed: Feed[str] = Feed()
        self._first = first
        self._database = database
        self._now = now
        self._is_example = is_example
        self._kept: dict[str, StoredPortfolio] = {}
        self._current = first.id

    @property
    def is_example(self) -> bool:
        """True while nobody has said what is owed on what."""
        return self._is_example

    @property
    def current(self) -> Portfolio:
        """The portfolio that pages and commands speak of unless another is named."""
        return self._kept[self._current].portfolio if self._current in self._kept else self._first

    @property
    def symbol(self) -> str:
        """The symbol whose price values the current portfolio's collateral."""
        return self.current.collateral.quoted_by

    @property
    def all(self) -> tuple[Portfolio, ...]:
        """Every portfolio, in the order in which they were made."""
        return tuple(kept.portfolio for kept in self._kept.values()) or (self._first,)

    def stored(self, portfolio_id: str) -> StoredPortfolio:
        """One with its version; raises NotFound."""
        if portfolio_id not in self._kept:
            raise NotFound(f"There is no portfolio {portfolio_id!r}")
        return self._kept[portfolio_id]

    async def open(self) -> None:
        """Read what is kept; keep the portfolio of the settings when nothing is."""
        raise NotImplementedError

    async def refresh(self) -> None:
        """Read again what another process has changed, if anything."""
        raise NotImplementedError

    async def choose(self, portfolio_id: str) -> None:
        """Make one the current portfolio."""
        raise NotImplementedError

    async def add(self, portfolio: Portfolio, actor: str) -> StoredPortfolio:
        """Keep a new portfolio; its id must be free. Raises Refused or InvalidInput."""
        raise NotImplementedError

    async def save(
        self, portfolio: Portfolio, actor: str, *, what: str | None = None, expected_version: int | None = None
    ) -> StoredPortfolio:
        """Keep a changed portfolio; `what` changed is told in words when not given. Raises Refused when it was
        changed by somebody else since `expected_version`.
        """
        raise NotImplementedError

    async def remove(self, portfolio_id: str, actor: str) -> None:
        """Take one out; the last one is refused."""
        raise NotImplementedError

    async def changes(self, portfolio_id: str | None = None, limit: int = 100) -> Sequence[PortfolioChange]:
        """The audit trail, newest first."""
        raise NotImplementedError

    async def undo(self, change_id: int, actor: str) -> StoredPortfolio | None:
        """Bring back what was before a change, as a new change; None when that takes the portfolio away."""
        raise NotImplementedError

    def mark(
        self, quote: Quote, on: date, portfolio: Portfolio | None = None, hedge: HedgeMark | None = None
    ) -> Snapshot:
        """A portfolio, the current one unless given, at a quote of its own symbol."""
        return mark(portfolio or self.current, quote.price, on, hedge)

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
        return Portfolio("research", Collateral.of(instrument(symbol), 1.0), self.current.loan)
