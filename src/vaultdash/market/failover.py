"""Several markets as one: the next is asked when one fails, never when it has answered."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import TypeVar

import structlog

from vaultdash.domain.errors import NotFound, ProviderError, RateLimited, Unavailable
from vaultdash.domain.market import PriceHistory, Quote
from vaultdash.domain.option import ListedExpirations, OptionChain
from vaultdash.market.base import ChainProvider, HistoryProvider, QuoteProvider

OK = "ok"
MOST_FAILURES = 500  # remembered at once; anyone may ask for any symbol

P = TypeVar("P", QuoteProvider, HistoryProvider, ChainProvider)
T = TypeVar("T")
log = structlog.get_logger()


class Failover:
    """Asks providers in order; each is used for what it can do.

    That a symbol is unknown is an answer and ends the search. A provider that stands in for a failed one may not know
    a symbol, though; then the first failure is what the caller hears.
    """

    def __init__(self, providers: Sequence[QuoteProvider | HistoryProvider | ChainProvider]) -> None:
        self._providers = tuple(providers)
        self._quotes = [provider for provider in self._providers if isinstance(provider, QuoteProvider)]
        self._histories = [provider for provider in self._providers if isinstance(provider, HistoryProvider)]
        self._chains = [provider for provider in self._providers if isinstance(provider, ChainProvider)]
        self._failures: dict[tuple[str, str, str], str] = {}  # provider, kind, symbol
        self.name = "+".join(provider.name for provider in self._providers)

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The first quote that is to be had."""
        return await self._first(
            "quote", symbol, self._quotes, lambda provider: provider.quote(symbol, refresh=refresh)
        )

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """The first history that is to be had; bars of two providers are never mixed."""
        return await self._first(
            "history", symbol, self._histories, lambda provider: provider.history(symbol, start, end)
        )

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        """The first expirations that are to be had."""
        return await self._first(
            "expirations", symbol, self._chains, lambda provider: provider.expirations(symbol, refresh=refresh)
        )

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        """The first chain of that day that is to be had; who does not list the day cannot stand in."""
        return await self._first(
            "chain", symbol, self._chains, lambda provider: provider.chain(symbol, expiration, refresh=refresh)
        )

    def states(self, symbol: str) -> dict[str, str]:
        """For each provider `ok`, or why it failed when it was last asked for the symbol."""
        return {provider.name: self._state(provider.name, _name(symbol)) for provider in self._providers}

    async def aclose(self) -> None:
        """Close every provider."""
        for provider in self._providers:
            await provider.aclose()

    def _state(self, name: str, symbol: str) -> str:
        reasons = {
            reason: None for (whose, _, what), reason in self._failures.items() if (whose, what) == (name, symbol)
        }
        return "; ".join(reasons) or OK

    async def _first(self, kind: str, symbol: str, providers: Sequence[P], ask: Callable[[P], Awaitable[T]]) -> T:
        failures: list[tuple[str, ProviderError]] = []
        ignorant: list[str] = []
        for provider in providers:
            try:
                answer = await ask(provider)
            except ProviderError as error:
                self._note_failure((provider.name, kind, _name(symbol)), error)
                failures.append((provider.name, error))
            except NotFound:
                self._note_answer((provider.name, kind, _name(symbol)))
                if not failures:
                    raise
                ignorant.append(f"{provider.name}: does not have it")
            else:
                self._note_answer((provider.name, kind, _name(symbol)))
                return answer
        if not failures:
            raise Unavailable(f"no provider can be asked for the {kind} of {_name(symbol)}")
        raise _summary(failures, ignorant) from failures[0][1]

    def _note_failure(self, asked: tuple[str, str, str], error: ProviderError) -> None:
        name, kind, symbol = asked
        if self._failures.pop(asked, None) is None:
            log.warning("market_failed", provider=name, asked_for=kind, symbol=symbol, reason=str(error))
        self._failures[asked] = str(error)
        if len(self._failures) > MOST_FAILURES:
            del self._failures[next(iter(self._failures))]  # the one that was longest not asked for

    def _note_answer(self, asked: tuple[str, str, str]) -> None:
        name, kind, symbol = asked
        if self._failures.pop(asked, None) is not None:
            log.info("market_recovered", provider=name, asked_for=kind, symbol=symbol)


def _name(symbol: str) -> str:
    return symbol.strip().upper()


def _summary(failures: Sequence[tuple[str, ProviderError]], ignorant: Sequence[str]) -> ProviderError:
    """An error like the first, with everyone's reason."""
    first = failures[0][1]
    if len(failures) + len(ignorant) == 1:
        return first
    message = "; ".join([f"{name}: {error}" for name, error in failures] + list(ignorant))
    if isinstance(first, RateLimited):
        return RateLimited(message, first.retry_after_seconds)
    return type(first)(message)
