"""A clock, market hours and providers that a test can direct."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from tests.builders import NOON, a_quote
from vaultdash.domain.errors import NotFound
from vaultdash.domain.exchange import PAIRS
from vaultdash.domain.market import Bar, PriceHistory, Quote
from vaultdash.domain.option import (
    ListedExpirations,
    OptionChain,
    OptionContract,
    OptionQuote,
    Right,
    years_to_expiry,
)
from vaultdash.pricing.european import european


class Clock:
    """Stands still until it is told to go on; setting `at` sets the clock, and no time passes by that."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self.passed = 0.0

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, seconds: float = 0.0, **span: float) -> None:
        self.at += timedelta(seconds=seconds, **span)
        self.passed += timedelta(seconds=seconds, **span).total_seconds()

    def monotonic(self) -> float:
        return self.passed


def by_one_clock(build: Callable[..., Any]) -> Callable[..., Any]:
    """Houses whose pauses are measured by their test's clock."""

    def build_by_one_clock(*given: object, **fields: object) -> Any:
        house = build(*given, **fields)
        house.heartbeat._monotonic = house.history._monotonic = house.clock.monotonic
        return house

    return build_by_one_clock


class FixedHours:
    """Every weekday from 13:30 to 20:00 UTC, with prices moving from 08:00 to 24:00: New York in summer time."""

    OPENS, CLOSES = time(13, 30), time(20)

    def is_open(self, now: datetime) -> bool:
        return now.weekday() < 5 and self.OPENS <= now.time() < self.CLOSES

    def is_extended(self, now: datetime) -> bool:
        return now.weekday() < 5 and now.time() >= time(8) and not self.is_open(now)

    def open_seconds(self, start: datetime, end: datetime) -> float:
        total = 0.0
        for day in self.sessions(start.date(), end.date()):
            opens, closes = (datetime.combine(day, at, UTC) for at in (self.OPENS, self.CLOSES))
            total += max((min(closes, end) - max(opens, start)).total_seconds(), 0.0)
        return total

    def sessions(self, start: date, end: date) -> list[date]:
        days = (start + timedelta(days=n) for n in range((end - start).days + 1))
        return [day for day in days if day.weekday() < 5]


class ScriptedMarket:
    """Quotes and history as the test says: a price, a failure, or no answer until `gate` opens."""

    def __init__(self, now: Callable[[], datetime], name: str = "Scripted") -> None:
        self.name = name
        self.price = 460.0
        self.at: datetime | None = None
        self.source = "Scripted"
        self.fields: dict[str, object] = {}
        self.dollar_costs: dict[str, Quote] = {}  # by pair; others are not known
        self.bars: tuple[Bar, ...] = ()
        self.failure: Exception | None = None
        self.history_failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0
        self.under_way = 0
        self.asked_days: list[tuple[date, date]] = []
        self._now = now

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        self.asked += 1
        self.under_way += 1
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.failure is not None:
            raise self.failure
        if symbol in PAIRS.values():
            if symbol not in self.dollar_costs:
                raise NotFound(f"{symbol} is not known")
            return self.dollar_costs[symbol]
        return a_quote(self.price, symbol, self.at or self._now(), source=self.source, **self.fields)

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        self.asked_days.append((start, end))
        await self.gate.wait()
        if self.history_failure is not None:
            raise self.history_failure
        return PriceHistory(symbol, self.name, self.bars).between(start, end)

    async def aclose(self) -> None:
        pass


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks and their threads run until the condition holds; fails after five seconds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  threads set it, which no event of the loop tells
            await asyncio.sleep(0.001)


class ScriptedChains:
    """Expirations and chains as the test says: kept ones, a failure, or no answer until `gate` opens."""

    name = "Scripted"

    def __init__(self, now: Callable[[], datetime], *days: date) -> None:
        self.days = days
        self.source = "Scripted"
        self.failure: Exception | None = None
        self.quotes: tuple[OptionQuote, ...] = ()
        self.asked: list[tuple[str, date | None]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.kept: dict[date, OptionChain] = {}
        self._now = now

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        await self._answer(symbol, None)
        underlying = a_quote(symbol=symbol, at=self._now(), source=self.source)
        return ListedExpirations(symbol, self.days, underlying, self._now(), self.source)

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        await self._answer(symbol, expiration)
        if expiration not in self.days:
            raise NotFound(f"{symbol} lists no {expiration}")
        if refresh or expiration not in self.kept:
            underlying = a_quote(symbol=symbol, at=self._now(), source=self.source)
            quotes = self.quotes or a_priced_smile(symbol, expiration, self._now())
            self.kept[expiration] = OptionChain(symbol, expiration, underlying, quotes, self._now(), self.source)
        return self.kept[expiration]

    async def _answer(self, symbol: str, expiration: date | None) -> None:
        self.asked.append((symbol, expiration))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    async def aclose(self) -> None:
        pass


def a_priced_smile(symbol: str, expiration: date, at: datetime, spot: float = 460.0) -> tuple[OptionQuote, ...]:
    """Calls and puts every 10 USD on a flat volatility of 20 %, without interest, 2 cents around the model price."""
    strikes = np.arange(400.0, 521.0, 10.0)
    years = years_to_expiry(expiration, at)
    quotes = []
    for right in Right:
        prices = european(spot, strikes, years, 0.0, 0.0, 0.2, right.value, engine="reference").price
        for strike, price in zip(strikes.tolist(), prices.tolist(), strict=True):
            contract = OptionContract(symbol, expiration, strike, right)
            quotes.append(OptionQuote(contract, bid=price - 0.02, ask=price + 0.02, open_interest=100))
    return tuple(sorted(quotes, key=lambda quote: (quote.contract.strike, quote.contract.right.value)))
