"""The market as it was when it last answered: the newest stored quote or close, with its own time."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime

from vaultdash.clock import session_close
from vaultdash.domain.errors import InvalidInput, ProviderError, Unavailable
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import STORED_SOURCE, MarketState, PriceHistory, Quote
from vaultdash.market.base import StoredPrices


class StoredMarket:
    """Answers from what was kept; never asks the outside, so its prices may be old, and say so by `at`."""

    name = "stored"

    def __init__(
        self,
        prices: StoredPrices,
        now: Callable[[], datetime],
        recorded: Callable[[str], Quote | None] = lambda _: None,
    ) -> None:
        self._prices = prices
        self._now = now
        self._recorded = recorded  # the price that came with the newest recorded chains of a symbol

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The newest of the stored quote, the last close of a finished session and what was recorded with chains."""
        return await asyncio.to_thread(self._newest, clean_symbol(symbol))

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """The stored bars from `start` to `end`."""
        name = clean_symbol(symbol)
        stored = await asyncio.to_thread(self._prices.load_history, name)
        if stored is None:
            raise Unavailable(f"nothing is stored for {name}")
        chosen = stored.between(start, end)
        if not chosen.bars:
            raise Unavailable(f"nothing is stored for {name} from {start} to {end}")
        return chosen

    async def aclose(self) -> None:
        """Nothing to release."""

    def _newest(self, symbol: str) -> Quote:
        kept = self._prices.load_quote(symbol)
        if kept is not None and kept.is_stored:  # the history may have been corrected since
            kept = None
        known = [quote for quote in (kept, self._recorded(symbol)) if quote is not None]
        try:
            history = self._prices.load_history(symbol)
        except ProviderError:
            if not known:
                raise
            return max(known, key=lambda quote: quote.at)
        close = None if history is None else last_close(history, self._now())
        if close is not None:
            known.append(close)
        if not known:
            raise Unavailable(f"nothing is stored for {symbol}")
        return max(known, key=lambda quote: quote.at)


def last_close(history: PriceHistory, now: datetime) -> Quote | None:
    """The last close of a finished session as a quote; None when there is none above zero."""
    count = next((n for n in range(len(history.bars), 0, -1) if session_close(history.bars[n - 1].on) <= now), 0)
    if count == 0:
        return None
    last = history.bars[count - 1]
    previous = history.bars[count - 2].close if count > 1 else None
    if previous is not None and previous <= 0:
        previous = None
    try:
        source = f"{STORED_SOURCE}, {history.source}"
        return Quote(history.symbol, last.close, previous, session_close(last.on), source, MarketState.CLOSED)
    except InvalidInput:  # a rate may close at or below zero, which is no price
        return None
