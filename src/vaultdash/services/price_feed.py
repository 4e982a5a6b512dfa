"""The price of gold as it is known now: the newest quote, how fresh it is, and what stands behind it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from vaultdash.clock import MarketHours
from vaultdash.domain.errors import NotFound, ProviderError, Refused, VaultError
from vaultdash.domain.exchange import quoted_in
from vaultdash.domain.market import Freshness, Quote, freshness
from vaultdash.market.base import QuoteProvider
from vaultdash.storage.base import PriceStore

log = structlog.get_logger()
CLOSING_SECONDS = 5.0  # how long a stop waits for the disk


@dataclass(frozen=True, slots=True)
class QuoteStatus:
    """A quote, how far it can be trusted, and why the source above it did not answer, if it did not."""

    quote: Quote
    freshness: Freshness
    age_seconds: float
    problem: str | None = None

    @property
    def is_stale(self) -> bool:
        """True when a newer price is missing: advice is withheld."""
        return self.freshness is Freshness.STALE

    @property
    def age_words(self) -> str:
        """`12 seconds`, `5 minutes`, `3 hours`, `4 days`."""
        seconds = self.age_seconds
        if seconds < 120:
            return "1 second" if round(seconds) == 1 else f"{seconds:.0f} seconds"
        if seconds < 7200:
            return f"{seconds / 60:.0f} minutes"
        return f"{seconds / 3600:.0f} hours" if seconds < 172_800 else f"{seconds / 86_400:,.0f} days"


class PriceFeed:
    """Asks the provider, keeps the best real quote, and judges freshness by the hours the market was open."""

    def __init__(
        self,
        provider: QuoteProvider,
        store: PriceStore,
        hours: MarketHours,
        interval_seconds: float,
        now: Callable[[], datetime],
        *,
        problems: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.interval_seconds = interval_seconds
        self._provider = provider
        self._store = store
        self._hours = hours
        self._now = now
        self._problems = problems
        self._best: dict[str, Quote] = {}
        self._failures: dict[str, str] = {}
        self._unsaved: dict[str, Quote] = {}
        self._saving: asyncio.Task[None] | None = None
        self._disk_failed = False

    async def refresh(self, symbol: str) -> QuoteStatus:
        """Ask for a new price; a real quote once had outlives failures, and no older or invented one replaces it."""
        return await self._ask(symbol, refresh=True)

    async def latest(self, symbol: str) -> QuoteStatus:
        """The price of any symbol, remembered for a minute by the provider."""
        return await self._ask(symbol, refresh=False)

    def known(self, symbol: str) -> Quote | None:
        """The best quote had so far; nothing is asked."""
        return self._best.get(symbol)

    async def aclose(self) -> None:
        """Wait for the quotes that are being saved, but not for a disk that does not answer."""
        if self._saving is not None:
            await asyncio.wait({self._saving}, timeout=CLOSING_SECONDS)
            self._saving.cancel()

    async def _ask(self, symbol: str, *, refresh: bool) -> QuoteStatus:
        try:
            quote = await self._provider.quote(symbol, refresh=refresh)
        except (ProviderError, NotFound) as error:  # a symbol that had a price is not gone because one answer says so
            if symbol not in self._best:
                raise
            self._failures[symbol] = str(error)
            quote = self._best[symbol]
        else:
            self._failures.pop(symbol, None)
        if quote.currency != quoted_in(symbol):
            raise Refused(f"{symbol} is quoted in {quote.currency}; only {quoted_in(symbol)} prices are understood")
        return self._keep(quote)

    def _keep(self, quote: Quote) -> QuoteStatus:
        best = self._best.get(quote.symbol)
        if best is not None and not best.is_demo and (quote.is_demo or self._is_older(quote, best)):
            quote = best
        elif quote != best:
            self._best[quote.symbol] = quote
            if not quote.is_demo and not quote.is_stored:
                self._save_soon(quote)
        return self.status(quote)

    def _is_older(self, quote: Quote, best: Quote) -> bool:
        """Never than one from the future: that was made before a clock was set back, and would stand for ever."""
        return quote.at < best.at and not best.is_from_the_future(self._now())

    def _save_soon(self, quote: Quote) -> None:
        """Behind the price, which waits for no disk; of each symbol only the newest is written."""
        self._unsaved[quote.symbol] = quote
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        while self._unsaved:
            symbol = next(iter(self._unsaved))
            try:
                await asyncio.to_thread(self._store.save_quote, self._unsaved.pop(symbol))
            except (OSError, VaultError) as error:  # a full or locked disk must not stop the price from being shown
                if not self._disk_failed:
                    log.error("quote_not_stored", symbol=symbol, reason=str(error))
                self._disk_failed = True
            else:
                if self._disk_failed:
                    log.info("quote_stored_again", symbol=symbol)
                self._disk_failed = False

    def status(self, quote: Quote) -> QuoteStatus:
        """The quote with its age and freshness now."""
        now = self._now()
        age = quote.age_seconds(now)
        open_now = quote.is_demo or self._hours.is_open(now)
        open_seconds = age if quote.is_demo else self._hours.open_seconds(quote.at, now)
        state = freshness(
            quote, now, open_seconds=open_seconds, market_is_open=open_now, interval_seconds=self.interval_seconds
        )
        return QuoteStatus(quote, state, age, self._problems(quote.symbol) or self._failures.get(quote.symbol))
