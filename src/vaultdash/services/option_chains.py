"""Option chains; a model chain until listed ones are read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from vaultdash.clock import NEW_YORK
from vaultdash.domain.gold import clean_symbol
from vaultdash.services.price_feed import PriceFeed, QuoteStatus
from vaultdash.strategies.engine import DEFAULT_RATE, DEFAULT_VOLATILITY

if TYPE_CHECKING:
    from vaultdash.pricing.model_chain import ModelChain


@dataclass(frozen=True, slots=True)
class ChainAnswer:
    """A chain and the price it stands on."""

    symbol: str
    at: datetime
    status: QuoteStatus
    chain: "ModelChain"


class OptionChains:
    """Loads chains off the event loop."""

    def __init__(self, prices: PriceFeed, now: Callable[[], datetime]) -> None:
        self._prices = prices
        self._now = now

    async def load(self, symbol: str, expiration: date | None = None) -> ChainAnswer:
        """The model chain of a symbol for one expiration, the nearest unless given."""
        from vaultdash.pricing.model_chain import model_chain  # loads QuantLib: not on the way to the first page

        name = clean_symbol(symbol)
        status = await self._prices.latest(name)
        on = self._now().astimezone(NEW_YORK).date()
        chain = await asyncio.to_thread(
            model_chain, name, status.quote.price, on, DEFAULT_VOLATILITY, DEFAULT_RATE, expiration=expiration
        )
        return ChainAnswer(name, self._now(), status, chain)
