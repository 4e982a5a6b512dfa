"""What a market can be asked for; a provider implements what it can."""

from datetime import date
from typing import Protocol, runtime_checkable

from vaultdash.domain.market import PriceHistory, Quote
from vaultdash.domain.option import ListedExpirations, OptionChain


@runtime_checkable
class QuoteProvider(Protocol):
    """Gives the last price of a symbol.

    Raises NotFound when the provider answered that it does not know the symbol, and ProviderError (RateLimited,
    Unavailable, BadPayload) when it did not answer. Never returns an invented or silently old price: `at` and
    `source` say what the price is.
    """

    name: str

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The last price; with `refresh` a wrapper that remembers asks again instead."""
        ...

    async def aclose(self) -> None:
        """Release threads and connections."""
        ...


@runtime_checkable
class HistoryProvider(Protocol):
    """Gives daily bars, unadjusted, ascending. Errors as for quotes; an empty answer is an error."""

    name: str

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """Bars from `start` to `end`, both included."""
        ...

    async def aclose(self) -> None:
        """Release threads and connections."""
        ...


@runtime_checkable
class ChainProvider(Protocol):
    """Gives listed options, one expiration a call. Errors as for quotes.

    NotFound also when the symbol has no options, or the expiration is not listed. Every contract of the expiration is
    there, doubtful ones with their flags; only adjusted and unreadable ones are left out, and counted.
    """

    name: str

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        """The expirations that have not passed; with `refresh` a wrapper that remembers asks again instead."""
        ...

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        """The quotes of one expiration."""
        ...

    async def aclose(self) -> None:
        """Release threads and connections."""
        ...


class MarketProvider(QuoteProvider, HistoryProvider, Protocol):
    """Quotes and daily history from one source."""


class StoredPrices(Protocol):
    """What was kept from earlier; blocking, cheap calls. The storage wing satisfies it."""

    def load_quote(self, symbol: str) -> Quote | None:
        """The last quote that was kept, with its own time and source."""
        ...

    def load_history(self, symbol: str) -> PriceHistory | None:
        """The stored bars, or None."""
        ...
