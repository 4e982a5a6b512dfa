"""A market that remembers quotes for a while, and asks once when many want the same."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Generic, TypeVar

import orjson

from vaultdash.cache.base import Cache
from vaultdash.clock import utc_now
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import MarketState, PriceHistory, Quote
from vaultdash.market.base import MarketProvider

QUOTE_SECONDS = 60.0

K = TypeVar("K")
T = TypeVar("T")


class Cached:
    """Wraps a provider; the cache may forget, fail or lie without changing what a quote says.

    History is not remembered here, the store keeps it. The cache belongs to whoever made it and is not closed.
    """

    def __init__(
        self,
        provider: MarketProvider,
        cache: Cache,
        *,
        quote_seconds: float = QUOTE_SECONDS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._provider = provider
        self._cache = cache
        self._quote_seconds = quote_seconds
        self._now = now
        self._quotes: _Flights[str, Quote] = _Flights()
        self._histories: _Flights[tuple[str, date, date], PriceHistory] = _Flights()
        self.name = provider.name

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

    async def aclose(self) -> None:
        """End what is under way and close the provider."""
        await self._quotes.cancel()
        await self._histories.cancel()
        await self._provider.aclose()

    async def _fetch(self, symbol: str, refresh: bool) -> Quote:
        quote = await self._provider.quote(symbol, refresh=refresh)
        await self._cache.set(self._key(symbol), write_quote(quote, self._now()), self._quote_seconds)
        return quote

    def _key(self, symbol: str) -> str:
        """With the provider in it, so that a demo's prices never serve another market in the same Redis."""
        return f"quote:{self.name}:{symbol}"


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


def write_quote(quote: Quote, now: datetime) -> bytes:
    """The quote as JSON, with the time it was kept."""
    return orjson.dumps(
        {
            "symbol": quote.symbol,
            "price": quote.price,
            "previous_close": quote.previous_close,
            "at": quote.at.isoformat(),
            "source": quote.source,
            "market_state": quote.market_state.value,
            "delay_seconds": quote.delay_seconds,
            "currency": quote.currency,
            "kept_at": now.isoformat(),
        }
    )


def read_quote(kept: bytes, symbol: str, now: datetime, longest_seconds: float) -> Quote | None:
    """The quote in the bytes; None when they are not a quote of that symbol kept within `longest_seconds`."""
    try:
        fields = orjson.loads(kept)
        if not isinstance(fields, dict) or fields["symbol"] != symbol:
            return None
        age = (now - _time(fields["kept_at"])).total_seconds()
        if not -1.0 <= age <= longest_seconds:
            return None
        previous_close = fields["previous_close"]
        return Quote(
            symbol=symbol,
            price=_number(fields["price"]),
            previous_close=None if previous_close is None else _number(previous_close),
            at=_time(fields["at"]),
            source=_text(fields["source"]),
            market_state=MarketState(_text(fields["market_state"])),
            delay_seconds=_number(fields["delay_seconds"]),
            currency=_text(fields["currency"]),
        )
    except (ValueError, LookupError, TypeError, InvalidInput, OverflowError):
        return None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError("a time without zone")
    return at.astimezone(UTC)
