"""Daily prices: what is stored first, then the provider, and only when neither exists the demo market's."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog

from vaultdash.clock import MarketHours, session_close
from vaultdash.domain.errors import NotFound, Refused, Unavailable, VaultError
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.market.base import HistoryProvider
from vaultdash.risk.volatility import ewma_volatility
from vaultdash.storage.base import MergeResult, PriceStore, StoredSeries

log = structlog.get_logger()
FIRST_DAY = date(2004, 11, 18)
RETRY_AFTER = timedelta(minutes=30)
OVERLAP = timedelta(days=7)
LONGEST_GAP = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Volatility:
    """How much a price moves, per sqrt(year), with where that comes from; `is_demo` when the prices are invented."""

    value: float
    source: str
    is_demo: bool = False


class DailyHistory:
    """Loads, updates and lists daily prices."""

    def __init__(
        self,
        store: PriceStore,
        live: HistoryProvider | None,
        demo: HistoryProvider | None,
        hours: MarketHours,
        now: Callable[[], datetime],
        patience_seconds: float = 3.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._live = live
        self._demo = demo
        self._hours = hours
        self._now = now
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._tried: dict[str, float] = {}
        self._damaged: set[str] = set()
        self._failures: dict[str, Exception] = {}
        self._updates: dict[str, asyncio.Task[MergeResult | None]] = {}

    async def load(self, symbol: str, start: date | None = None, end: date | None = None) -> PriceHistory:
        """Bars of a symbol. Stored bars are given at once while an update runs behind them."""
        stored = await self._stored(symbol)
        update = self._start_update(symbol, stored)
        if stored is None:
            if update is not None:
                await asyncio.wait({update}, timeout=self._patience)
            # without an update of ours another may just have ended
            stored = await self._stored(symbol) or await self._stand_in(symbol)
        return stored.between(start, end)

    async def kept(self, symbol: str) -> PriceHistory | None:
        """What is stored of a symbol; the provider is not asked."""
        return await self._stored(symbol)

    async def _stored(self, symbol: str) -> PriceHistory | None:
        """What is stored; nothing when it cannot be read, for an update puts a damaged file aside and heals it."""
        try:
            stored = await asyncio.to_thread(self._store.load_history, symbol)
        except Unavailable as error:
            if symbol not in self._damaged:
                log.error("stored_history_unusable", symbol=symbol, reason=str(error))
            self._damaged.add(symbol)
            self._failures.setdefault(symbol, error)
            return None
        self._damaged.discard(symbol)
        return stored

    async def _stand_in(self, symbol: str) -> PriceHistory:
        """The demo market's bars; without them what the provider said, or that it has not answered."""
        failure = self._failures.get(symbol)
        if isinstance(failure, NotFound):
            raise NotFound(str(failure))
        reason = f": {failure}" if failure else ": import a file or wait for the provider"
        missing = Unavailable(f"no daily history of {symbol} is stored yet{reason}")
        if self._demo is None:
            raise missing
        try:
            return await self._demo.history(symbol, FIRST_DAY, self._today())
        except NotFound as unknown:
            if self._live is None:
                raise
            raise missing from unknown

    async def update(self, symbol: str) -> MergeResult:
        """Fetch what is missing from the provider and store it; raises what the provider raises."""
        if self._live is None:
            raise Refused("the demo market has no history worth storing; set VAULT_MARKET to auto or yahoo")
        stored = await self._stored(symbol)
        start = FIRST_DAY if stored is None else stored.bars[-1].on - OVERLAP
        history = await self._live.history(symbol, start, self._today())
        return await asyncio.to_thread(self._store.merge_history, history)

    async def volatility(self, symbol: str) -> Volatility | None:
        """EWMA volatility of the last year; None without enough prices."""
        try:
            history = await self.load(symbol, self._today() - timedelta(days=365))
            volatility = ewma_volatility([bar.close for bar in unbroken_bars(history.bars)])
        except VaultError:  # no prices, too few, or closes at or below zero
            return None
        if volatility <= 0:  # the price did not move, which no model can use
            return None
        last = history.bars[-1].on
        source = f"EWMA of daily closes to {last:%-d %b %Y}, {history.source}"
        return Volatility(volatility, source, history.is_demo)

    async def stored(self) -> list[StoredSeries]:
        """What is stored, by symbol."""
        return await asyncio.to_thread(self._store.list_histories)

    async def aclose(self) -> None:
        """Stop the updates under way."""
        for task in self._updates.values():
            task.cancel()
        await asyncio.gather(*self._updates.values(), return_exceptions=True)

    def _start_update(self, symbol: str, stored: PriceHistory | None) -> asyncio.Task[MergeResult | None] | None:
        running = self._updates.get(symbol)
        if running is not None and not running.done():
            return running
        tried = self._tried.get(symbol)
        if self._live is None or (tried is not None and self._monotonic() - tried < RETRY_AFTER.total_seconds()):
            return None
        if stored is not None and stored.bars[-1].on >= self._last_finished_session():
            return None
        self._tried[symbol] = self._monotonic()
        self._updates[symbol] = asyncio.create_task(self._update_quietly(symbol))
        return self._updates[symbol]

    async def _update_quietly(self, symbol: str) -> MergeResult | None:
        try:
            result = await self.update(symbol)
        except (VaultError, OSError) as error:
            log.warning("history_not_updated", symbol=symbol, reason=str(error))
            self._failures[symbol] = error
            return None
        self._failures.pop(symbol, None)
        log.info("history_updated", symbol=symbol, added=result.added, replaced=result.replaced)
        return result

    def _last_finished_session(self) -> date:
        now = self._now()
        days = self._hours.sessions(self._today() - timedelta(days=14), self._today())
        finished = [day for day in days if session_close(day) <= now]
        return finished[-1] if finished else self._today() - timedelta(days=14)

    def _today(self) -> date:
        return self._now().astimezone(UTC).date()


def unbroken_bars(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """The newest bars without a gap: three months between two bars are no daily move."""
    begin = len(bars) - 1
    while begin > 0 and bars[begin].on - bars[begin - 1].on <= LONGEST_GAP:
        begin -= 1
    return bars[max(begin, 0) :]
