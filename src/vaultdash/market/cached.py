"""A market that remembers quotes and option chains for a while, and asks once when many want the same."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Generic, TypeVar

from vaultdash.cache.base import Cache
from vaultdash.clock import utc_now
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import PriceHistory, Quote
from vaultdash.domain.option import ListedExpirations, OptionChain
from vaultdash.market.base import ChainProvider, MarketProvider, option_delay
from vaultdash.market.kept import (
    is_recent,
    read_chain,
    read_expirations,
    read_quote,
    write_chain,
    write_expirations,
    write_quote,
)
from vaultdash.market.listed import is_past

QUOTE_SECONDS = 60.0
MOST_READ = 64  # chains; reading one takes some milliseconds
CHAIN_SECONDS = 300.0
REFRESH_SECONDS = 30.0  # chains are not fetched anew more often, whoever wants it

K = TypeVar("K")
T = TypeVar("T")


class Cached:
    """Wraps a provider; the cache may forget, fail or lie without changing what a quote says.

    Quotes are remembered for a minute, expirations and chains for five, a chain that comes with the expirations
    among them; who wants those two fresh gets none older than half a minute. History is not remembered here, the
    store keeps it. The cache belongs to whoever made it and is not closed. `option_delay_seconds` is the provider's.
    """

    def __init__(
        self,
        provider: MarketProvider,
        cache: Cache,
        *,
        quote_seconds: float = QUOTE_SECONDS,
        chain_seconds: float = CHAIN_SECONDS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._provider = provider
        self._cache = cache
        self._quote_seconds = quote_seconds
        self._chain_seconds = chain_seconds
        self._now = now
        self._read: dict[str, tuple[bytes, OptionChain, datetime]] = {}  # what the bytes said, and when kept
        self._quotes: _Flights[str, Quote] = _Flights()
        self._histories: _Flights[tuple[str, date, date], PriceHistory] = _Flights()
        self._expirations: _Flights[str, ListedExpirations] = _Flights()
        self._chains: _Flights[tuple[str, date], OptionChain] = _Flights()
        self.name = provider.name
        self.option_delay_seconds = option_delay(provider)

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The remembered quote, else the provider's; with `refresh` always the provider's."""
        name = clean_symbol(symbol)
        if not refresh:
            kept = await self._cache.get(self._key(name))
            quote = None if kept is None else read_quote(kept, name, self._now(), self._quote_seconds)
            if quote is not None:
                return quote
        return await self._quotes.join(name, lambda: self._fetch(name, refresh))

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """The provider's bars; those who ask for the same days at the same time share one request."""
        name = clean_symbol(symbol)
        return await self._histories.join((name, start, end), lambda: self._provider.history(name, start, end))

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        """The remembered days, else the provider's; with `refresh` remembered ones of the last half minute only."""
        name = clean_symbol(symbol)
        listed = await self._kept_expirations(name, self._longest(refresh))
        if listed is not None:
            return listed
        return await self._expirations.join(name, lambda: self._fetch_expirations(name, refresh))

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        """The remembered chain, else the provider's; with `refresh` a remembered one of the last half minute only."""
        name = clean_symbol(symbol)
        chain = await self._kept_chain(name, expiration, self._longest(refresh))
        if chain is not None:
            return chain
        return await self._chains.join((name, expiration), lambda: self._fetch_chain(name, expiration, refresh))

    async def aclose(self) -> None:
        """End what is under way and close the provider."""
        for flights in (self._quotes, self._histories, self._expirations, self._chains):
            await flights.cancel()
        await self._provider.aclose()

    async def _fetch(self, symbol: str, refresh: bool) -> Quote:
        quote = await self._provider.quote(symbol, refresh=refresh)
        await self._cache.set(self._key(symbol), write_quote(quote, self._now()), self._quote_seconds)
        return quote

    async def _fetch_expirations(self, symbol: str, refresh: bool) -> ListedExpirations:
        listed = await self._chain_provider().expirations(symbol, refresh=refresh)
        if listed.first is not None:  # first, so that whoever finds the days finds the chain
            await self._keep_chain(listed.first)
        content = write_expirations(listed, self._now())
        await self._cache.set(self._expirations_key(symbol), content, self._chain_seconds)
        return listed

    async def _fetch_chain(self, symbol: str, expiration: date, refresh: bool) -> OptionChain:
        chain = await self._chain_provider().chain(symbol, expiration, refresh=refresh)
        await self._keep_chain(chain)
        return chain

    def _longest(self, refresh: bool) -> float:
        return min(REFRESH_SECONDS, self._chain_seconds) if refresh else self._chain_seconds

    async def _kept_expirations(self, symbol: str, longest_seconds: float) -> ListedExpirations | None:
        kept = await self._cache.get(self._expirations_key(symbol))
        found = None if kept is None else read_expirations(kept, symbol, self._now(), longest_seconds)
        if found is None:
            return None
        listed, first_on = found
        if is_past(listed.days[0], self._now()):
            return None
        first = None if first_on is None else await self._kept_chain(symbol, first_on, longest_seconds)
        return replace(listed, first=first)

    async def _kept_chain(self, symbol: str, expiration: date, longest_seconds: float) -> OptionChain | None:
        key = self._chain_key(symbol, expiration)
        kept = await self._cache.get(key)
        if kept is None or is_past(expiration, self._now()):
            return None
        known = self._read.get(key)
        if known is None or known[0] != kept:
            found = read_chain(kept, symbol, expiration)
            if found is None:
                return None
            known = self._read[key] = (kept, *found)
            if len(self._read) > MOST_READ:
                del self._read[next(iter(self._read))]
        _, chain, kept_at = known
        return chain if is_recent(kept_at, self._now(), longest_seconds) else None

    async def _keep_chain(self, chain: OptionChain) -> None:
        key = self._chain_key(chain.symbol, chain.expiration)
        await self._cache.set(key, write_chain(chain, self._now()), self._chain_seconds)

    def _chain_provider(self) -> ChainProvider:
        if not isinstance(self._provider, ChainProvider):
            raise Unavailable(f"{self.name} gives no option chains")
        return self._provider

    def _key(self, symbol: str) -> str:
        """With the provider in it, so that a demo's prices never serve another market in the same Redis."""
        return f"quote:{self.name}:{symbol}"

    def _expirations_key(self, symbol: str) -> str:
        return f"expirations:{self.name}:{symbol}"

    def _chain_key(self, symbol: str, expiration: date) -> str:
        return f"chain:{self.name}:{symbol}:{expiration}"


class _Flights(Generic[K, T]):
    """Requests under way, by what they ask for. Each runs in its own task, so a waiter may leave without harm."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[T]] = {}

    async def join(self, key: K, begin: Callable[[], Awaitable[T]]) -> T:
        """The result of the request under way for `key`, begun now if there is none."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(begin))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    async def cancel(self) -> None:
        """End everything under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: K, task: "asyncio.Task[T]") -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # looked at, in case every waiter has left


async def _run(begin: Callable[[], Awaitable[T]]) -> T:
    return await begin()
