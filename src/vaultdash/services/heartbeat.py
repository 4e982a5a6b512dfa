"""The only path to a fresh number: ask the market, mark the portfolio, publish."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from vaultdash.clock import NEW_YORK, MarketHours
from vaultdash.domain.errors import ProviderError, VaultError
from vaultdash.domain.portfolio import Snapshot, sigmas_to_price
from vaultdash.feed import Feed
from vaultdash.services.daily_history import DailyHistory, Volatility
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import PriceFeed, QuoteStatus

log = structlog.get_logger()
EXTENDED_PAUSE = timedelta(minutes=5)
CLOSED_PAUSE = timedelta(minutes=30)
ASSUMED = Volatility(0.16, "assumed: too few daily prices")
ASSUMED_BESIDE_DEMO = Volatility(ASSUMED.value, "assumed: no real daily prices")


@dataclass(frozen=True, slots=True)
class Beat:
    """What is known at a moment: the quote, the current portfolio at it, and what went wrong, if anything.

    `statuses` holds the quote of every symbol that values a portfolio, `snapshots` every portfolio that has a price,
    by id.
    """

    number: int
    at: datetime
    status: QuoteStatus | None
    snapshot: Snapshot | None
    volatility: float
    volatility_source: str
    problem: str | None = None
    statuses: Mapping[str, QuoteStatus] = field(default_factory=dict)
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)

    @property
    def daily_sigmas_to_call(self) -> float | None:
        """ln(S/H) in daily standard deviations; None without a price."""
        if self.snapshot is None:
            return None
        return sigmas_to_price(self.snapshot.price, self.snapshot.margin_call_price, self.volatility)


class Heartbeat:
    """Beats while the market moves often, and seldom while it is shut."""

    def __init__(
        self,
        prices: PriceFeed,
        meanwhile: PriceFeed | None,
        book: PortfolioBook,
        history: DailyHistory,
        hours: MarketHours,
        now: Callable[[], datetime],
        patience_seconds: float = 3.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.feed: Feed[Beat] = Feed()
        self._prices = prices
        self._meanwhile = meanwhile
        self._book = book
        self._history = history
        self._hours = hours
        self._now = now
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._number = 0
        self._last: float | None = None
        self._lock = asyncio.Lock()

    async def beat_if_due(self) -> None:
        """Beat when the pause for the market's state is over: every interval open, 5 min around, 30 min shut."""
        if self._lock.locked():
            return  # a beat is under way
        pause = self._pause().total_seconds() - 0.5
        if self._last is None or self._monotonic() - self._last >= pause:
            await self.beat()

    async def beat(self) -> Beat:
        """Ask for a new price and publish what it means. Until the first answer, what is stored stands in."""
        async with self._lock:
            symbol = self._book.symbol
            asking = asyncio.ensure_future(self._prices.refresh(symbol))
            moving = asyncio.ensure_future(self._history.volatility(symbol))  # may wait for the provider as long
            try:
                if self.feed.latest is None and self._meanwhile is not None:
                    await asyncio.wait({asking}, timeout=self._patience)
                    if not asking.done():
                        await self._publish(self._meanwhile.refresh(symbol), await moving)
                        moving = asyncio.ensure_future(self._history.volatility(symbol))
                beat = await self._publish(asking, await moving)
            finally:
                asking.cancel()
                moving.cancel()
            self._last = self._monotonic()
            return beat

    def current(self) -> Beat | None:
        """The latest beat with age and freshness as of now."""
        beat = self.feed.latest
        if beat is None or beat.status is None:
            return beat
        return replace(beat, status=self._prices.status(beat.status.quote))

    def republish(self) -> None:
        """Hand out the latest beat again when its freshness has changed since."""
        beat, now = self.feed.latest, self.current()
        if beat and now and beat.status and now.status and beat.status.freshness != now.status.freshness:
            self.feed.publish(now)

    async def _publish(self, asking: Awaitable[QuoteStatus], known: Volatility | None) -> Beat:
        self._number += 1
        status, snapshot, problem = None, None, None
        try:
            status = await asking
            snapshot = self._book.mark(status.quote, status.quote.at.astimezone(NEW_YORK).date())
            problem = status.problem
        except (ProviderError, VaultError) as error:
            problem = str(error)
            log.warning("no_price", symbol=self._book.symbol, reason=problem)
        moves = known or ASSUMED
        if moves.is_demo and status is not None and not status.quote.is_demo:
            moves = ASSUMED_BESIDE_DEMO  # invented moves say nothing of a real price
        beat = Beat(self._number, self._now(), status, snapshot, moves.value, moves.source, problem)
        self.feed.publish(beat)
        return beat

    def _pause(self) -> timedelta:
        interval = timedelta(seconds=self._prices.interval_seconds)
        beat, now = self.current(), self._now()
        if beat is None or beat.status is None or beat.status.quote.is_demo or beat.status.is_stale:
            return interval
        if self._hours.is_open(now):
            return interval
        return max(interval, EXTENDED_PAUSE if self._hours.is_extended(now) else CLOSED_PAUSE)
