"""What the options held against a portfolio are worth: quotes of the chain, else its surface, else exercise."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import structlog

from vaultdash.clock import NEW_YORK, MarketHours
from vaultdash.domain.errors import NotFound, ProviderError
from vaultdash.domain.market import Quote
from vaultdash.domain.option import expiry_at
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HedgeMark
from vaultdash.pricing.surface import VolatilitySurface
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.option_marks import Loaded, option_mark
from vaultdash.services.position_csv import ImportedOptions, read_positions

__all__ = ["HeldHedges", "ImportedOptions", "read_positions"]

log = structlog.get_logger()
REFRESH = timedelta(minutes=5)
MOST_AT_ONCE = 8  # chains a refresh asks for: each costs the source a request

Wanted = tuple[str, date]


class HeldHedges:
    """Marks positions with the chains that are loaded; never waits for a provider within a beat."""

    def __init__(self, chains: OptionChains, hours: MarketHours, now: Callable[[], datetime]) -> None:
        self._chains = chains
        self._hours = hours
        self._now = now
        self._surfaces: dict[str, VolatilitySurface | None] = {}
        self._problems: dict[Wanted, str] = {}
        self._tried: dict[Wanted, datetime] = {}

    def mark(self, portfolio: Portfolio, quote: Quote, now: datetime) -> HedgeMark | None:
        """The options held at a price of the share, from what is loaded; None when none is held.

        Invented chains do not mark a real price.
        """
        held = portfolio.open_options(now.astimezone(NEW_YORK).date())
        if not held:
            return None
        chains = tuple(chain for chain in self._chains.loaded(quote.symbol) if quote.is_demo or not chain.is_demo)
        surface = self._surfaces.get(quote.symbol) if chains else None
        return HedgeMark(
            tuple(
                option_mark(
                    option,
                    quote,
                    Loaded(chains, surface, self._problems.get((option.contract.root, option.contract.expiration))),
                    now,
                )
                for option in held
            )
        )

    async def refresh(self, portfolios: Sequence[Portfolio], *, newest: bool = False) -> None:
        """Load the chains of all held options; `newest` passes over what a source is remembered to have said."""
        await self._load(self._wanted(portfolios), newest)

    async def refresh_if_due(self, portfolios: Sequence[Portfolio]) -> bool:
        """Load what was never loaded at once, and what is older than five minutes of an open market; true if any."""
        now, wanted = self._now(), self._wanted(portfolios)
        new = [key for key in wanted if key not in self._tried or self._tried[key] > now]
        old = [key for key in wanted if key not in new and self._is_due(key, now)]
        if new:
            await self._load(new[:MOST_AT_ONCE], newest=False)
        if old:
            await self._load(sorted(old, key=lambda key: self._tried[key])[:MOST_AT_ONCE], newest=True)
        return bool(new or old)

    def _is_due(self, key: Wanted, now: datetime) -> bool:
        since = self._tried[key]
        moved = self._hours.open_seconds(since, now) > 0 or key in self._problems
        return moved and now - since >= REFRESH

    def _wanted(self, portfolios: Sequence[Portfolio]) -> list[Wanted]:
        """Symbol and expiration of the positions that have not expired, soonest first."""
        now = self._now()
        on = now.astimezone(NEW_YORK).date()
        found = {
            (option.contract.root, option.contract.expiration)
            for portfolio in portfolios
            for option in portfolio.open_options(on)
            if expiry_at(option.contract.expiration) > now
        }
        return sorted(found, key=lambda key: (key[1], key[0]))

    async def _load(self, wanted: Sequence[Wanted], newest: bool) -> None:
        for symbol, expiration in wanted:
            self._tried[symbol, expiration] = self._now()
            try:
                chain = await self._chains.chain(symbol, expiration, refresh=newest)
            except (ProviderError, NotFound) as error:
                self._tell(symbol, expiration, str(error))
                await self._load_any(symbol)
            else:
                if chain.problem is not None and chain.is_stale:
                    self._tell(symbol, expiration, chain.problem)
                elif self._problems.pop((symbol, expiration), None) is not None:
                    log.info("held_options_quoted_again", symbol=symbol, expiration=str(expiration))
        for symbol in {symbol for symbol, _ in wanted}:
            self._surfaces[symbol] = await self._chains.surface(symbol)

    async def _load_any(self, symbol: str) -> None:
        """Some chain, so that there is a surface to price from."""
        if self._chains.loaded(symbol):
            return
        try:
            await self._chains.chain(symbol)
        except (ProviderError, NotFound):  # which was told for the chain that is needed
            return

    def _tell(self, symbol: str, expiration: date, reason: str) -> None:
        if (symbol, expiration) not in self._problems:
            log.warning("held_options_not_quoted", symbol=symbol, expiration=str(expiration), reason=reason)
        self._problems[symbol, expiration] = reason
