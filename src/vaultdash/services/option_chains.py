"""Option chains; a model chain until listed ones are read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from vaultdash.clock import NEW_YORK
from vaultdash.domain.gold import clean_symbol
from vaultdash.pricing.model_chain import ModelChain, model_chain
from vaultdash.services.price_feed import PriceFeed, QuoteStatus
from vaultdash.strategies.engine import DEFAULT_RATE, DEFAULT_VOLATILITY


@dataclass(frozen=True, slots=True)
class ChainAnswer:
    """A chain and the price it stands on."""

    symbol: str
    at: datetime
    status: QuoteStatus
    chain: ModelChain


REMEMBERED = 16


class OptionChains:
    """Loads chains off the event loop and remembers the last ones."""

    def __init__(self, prices: PriceFeed, now: Callable[[], datetime]) -> None:
        self._prices = prices
        self._now = now
        self._remembered: dict[tuple[str, float, date, date | None], ModelChain] = {}

    async def load(
        self, symbol: str, expiration: date | None = None, status: QuoteStatus | None = None
    ) -> ChainAnswer:
        """The model chain of a symbol for one expiration, the nearest unless given."""
        name = clean_symbol(symbol)
        status = status or await self._prices.latest(name)
        on = self._now().astimezone(NEW_YORK).date()
        key = (name, status.quote.price, on, expiration)
        chain = self._remembered.get(key)
        if chain is None:
            chain = await asyncio.to_thread(
                model_chain, name, status.quote.price, on, DEFAULT_VOLATILITY, DEFAULT_RATE, expiration=expiration
            )
            self._remembered = dict([*self._remembered.items(), (key, chain)][-REMEMBERED:])
        return ChainAnswer(name, self._now(), status, chain)
