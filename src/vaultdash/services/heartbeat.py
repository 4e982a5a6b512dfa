"""The only path to a fresh number: ask the market, mark every portfolio, publish, have it kept."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from vaultdash.clock import NEW_YORK, MarketHours
from vaultdash.domain.errors import VaultError
from vaultdash.domain.exchange import PAIRS
from vaultdash.domain.market import Freshness
from vaultdash.domain.portfolio import Portfolio, Snapshot, sigmas_to_price
from vaultdash.feed import Feed
from vaultdash.services.daily_history import DailyHistory, Volatility
from vaultdash.services.exchange_rates import rate_problem
from vaultdash.services.held_hedges import HeldHedges
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import PriceFeed, QuoteStatus

log = structlog.get_logger()
EXTENDED_PAUSE = timedelta(minutes=5)
CLOSED_PAUSE = timedelta(minutes=30)
OTHERS_SECONDS = 1.0  # how long a beat waits for the prices of other portfolios' gold
LONGEST_SECONDS = 20.0  # after which those are left for the next beat
KEEPING_SECONDS = 10.0
ASSUMED = Volatility(0.16, "assumed: too few daily prices")
ASSUMED_BESIDE_DEMO = Volatility(ASSUMED.value, "assumed: no real daily prices")


@dataclass(frozen=True, slots=True)
class Beat:
    """What is known at a moment: the quote, the current portfolio at it, and what went wrong, if anything.

    `status` is stale as well while the exchange rate of the current portfolio is. `statuses` holds the quote of every
    symbol that values a portfolio or its loan, `snapshots` every portfolio that has a price, by id, `volatilities`
    that of each gold, by symbol; `volatility` is that of the current portfolio's.
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
    volatilities: Mapping[str, float] = field(default_factory=dict)

    def volatility_of(self, snapshot: Snapshot) -> float:
        """That of a snapshot's own gold, a fraction per sqrt(year); the current portfolio's while it is not read."""
        return self.volatilities.get(snapshot.portfolio.collateral.quoted_by, self.volatility)

    def status_of(self, snapshot: Snapshot) -> QuoteStatus | None:
        """How far a snapshot can be trusted: its gold's quote, stale as well where `rate_problem` finds one."""
        gold = self.statuses.get(snapshot.portfolio.collateral.quoted_by)
        if gold is None or snapshot.rate.is_dollar:
            return gold
        rate = self.statuses.get(PAIRS[snapshot.rate.currency])
        problem = rate_problem(snapshot.rate, rate, beside_invented=gold.quote.is_demo)
        if problem is None:
            return gold
        return replace(gold, freshness=Freshness.STALE, problem=gold.problem or problem)

    @property
    def gold_status(self) -> QuoteStatus | None:
        """The quote of the current portfolio's gold as it is by itself, whatever the exchange rate is."""
        return None if self.status is None else self.statuses.get(self.status.quote.symbol, self.status)

    @property
    def daily_sigmas_to_call(self) -> float | None:
        """ln(S/H) in daily standard deviations; None without a price."""
        if self.snapshot is None:
            return None
        return sigmas_to_price(self.snapshot.price, self.snapshot.margin_call_price, self.volatility)


def needed(portfolio: Portfolio) -> tuple[str, ...]:
    """The symbols that value a portfolio: that of its gold first, then what a dollar costs in its loan's currency."""
    pair = PAIRS.get(portfolio.loan.currency)
    return (portfolio.collateral.quoted_by, *(() if pair is None else (pair,)))


class Heartbeat:
    """Beats while the market moves often, and seldom while it is shut.

    What is published is given to `keep`, which records it and raises alerts: when that fails or takes more than
    ten seconds, prices go on, `keep_problem` says why, and it is tried again. Without `keep`, as in a command,
    nothing is recorded and nobody is told. A change in the book is published at once, at the prices known. With
    `seconds_per_symbol` a source that bears so many requests is asked about several symbols as seldom as it bears.
    """

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
        held: HeldHedges | None = None,
        keep: Callable[[Beat], Awaitable[object]] | None = None,
        keeping_seconds: float = KEEPING_SECONDS,
        seconds_per_symbol: float = 0.0,
    ) -> None:
        self.feed: Feed[Beat] = Feed()
        self.keep_problem: str | None = None
        self._prices = prices
        self._meanwhile = meanwhile
        self._book = book
        self._history = history
        self._hours = hours
        self._now = now
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._held = held
        self.keep = keep
        self._keeping_seconds = keeping_seconds
        self._interval = prices.interval_seconds
        self._seconds_per_symbol = seconds_per_symbol
        self._number = 0
        self._last: float | None = None
        self._lock = asyncio.Lock()
        self._statuses: dict[str, QuoteStatus] = {}
        self._problems: dict[str, str] = {}
        self._moves: dict[str, Volatility | None] = {}
        self._awaited: set[str] = set()  # rates a beat has waited for: the next ones do not
        self._is_unkept = False
        self._hearing = ExitStack()
        self._hearing.enter_context(book.changed.heard_by(lambda _: self.remark()))

    async def beat_if_due(self) -> None:
        """Beat when the pause for the market's state is over: every interval open, 5 min around, 30 min shut.

        Between beats what could not be kept, or has changed since, is given to be kept.
        """
        if self._lock.locked():
            return  # a beat is under way
        pause = self._pause().total_seconds() - 0.5
        if self._last is None or self._monotonic() - self._last >= pause:
            await self.beat()
        elif self._is_unkept:
            async with self._lock:
                await self._have_kept()

    async def beat(self) -> Beat:
        """Ask for new prices and publish what they mean. Until the first answer, what is stored stands in."""
        async with self._lock:
            symbol, symbols, wanted = self._book.symbol, self._symbols(), needed(self._book.current)
            self._prices.interval_seconds = max(self._interval, self._seconds_per_symbol * len(symbols))
            asking = {name: asyncio.ensure_future(self._prices.refresh(name)) for name in symbols}
            moving = {name: self._asked_moves(name) for name in symbols if name not in PAIRS.values()}
            try:
                if self.feed.latest is None and self._meanwhile is not None:
                    await asyncio.wait([asking[name] for name in wanted], timeout=self._patience)
                    self._awaited |= set(wanted)
                    if not all(asking[name].done() for name in wanted):
                        for name in wanted:
                            answer = asking[name]
                            if not answer.done():
                                answer = asyncio.ensure_future(self._meanwhile.refresh(name))
                            await self._learn_others({name: answer}, None)
                        self._moves[symbol] = await moving[symbol]
                        self._publish()
                        moving[symbol] = self._asked_moves(symbol)
                await self._learn(symbol, asking.pop(symbol))
                unknown = {name for name in asking if name in wanted and name not in self._statuses} - self._awaited
                self._awaited |= unknown
                # The current loan is not marked without its rate; the others are, and do not wait for it long.
                waiting = await self._learn_others({name: asking[name] for name in unknown}, self._patience)
                for name in unknown - waiting.keys():
                    del asking[name]
                self._moves[symbol] = await moving.pop(symbol)
                if others := {*asking.values(), *moving.values()}:
                    await asyncio.wait(others, timeout=OTHERS_SECONDS)
                late = await self._learn_others(asking, 0.0)
                self._moves |= {name: task.result() for name, task in moving.items() if _is_answered(task)}
                beat = self._publish()
                await self._have_kept()
                if late:
                    await self._learn_others(late, LONGEST_SECONDS)
                    beat = self._publish()
                    await self._have_kept()
            finally:
                for task in (*asking.values(), *moving.values()):
                    task.cancel()
            self._last = self._monotonic()
            return beat

    async def keep_again(self) -> None:
        """Give what is known, with its age as of now, to be kept: time alone ends snoozes and makes prices stale.

        Nothing is asked for, and what is being asked for will be kept without this.
        """
        if not self._lock.locked():
            async with self._lock:
                await self._have_kept()

    def current(self) -> Beat | None:
        """The latest beat with age and freshness as of now."""
        beat = self.feed.latest
        if beat is None or beat.status is None:
            return beat
        statuses = {symbol: self._prices.status(status.quote) for symbol, status in beat.statuses.items()}
        now = replace(beat, status=self._prices.status(beat.status.quote), statuses=statuses)
        return _judged(now)

    def republish(self) -> None:
        """Hand out the latest beat again when its freshness has changed since."""
        beat, now = self.feed.latest, self.current()
        if beat and now and beat.status and now.status and beat.status.freshness != now.status.freshness:
            self.feed.publish(now)

    def remark(self) -> None:
        """Publish the portfolios and their options as they are now, at the prices known; nothing is asked.

        Before the first beat there is nothing to publish. A symbol without a price makes the next beat due.
        """
        if self.feed.latest is None:
            return
        if any(symbol not in self._statuses for symbol in self._symbols()):
            self._last = None
        self._statuses = {symbol: self._prices.status(known.quote) for symbol, known in self._statuses.items()}
        self._publish()

    def _forget_others(self) -> None:
        """Drop what no portfolio needs any more: nobody asks for it again, and it would grow old for ever."""
        symbols = set(self._symbols())
        told = symbols | {portfolio.id for portfolio in self._book.all}
        self._statuses = {symbol: known for symbol, known in self._statuses.items() if symbol in symbols}
        self._moves = {symbol: known for symbol, known in self._moves.items() if symbol in symbols}
        self._problems = {name: known for name, known in self._problems.items() if name in told}
        self._awaited &= symbols

    def _symbols(self) -> list[str]:
        """What values the portfolios and their loans, the current one's first."""
        return list(
            dict.fromkeys(symbol for each in (self._book.current, *self._book.all) for symbol in needed(each))
        )

    def _asked_moves(self, symbol: str) -> asyncio.Task[Volatility | None]:
        """Behind the price, as it may wait for the provider as long."""
        return asyncio.create_task(self._history.volatility(symbol))

    async def _learn(self, symbol: str, asking: Awaitable[QuoteStatus]) -> None:
        try:
            self._statuses[symbol] = await asking
            self._problems.pop(symbol, None)
        except VaultError as error:
            self._statuses.pop(symbol, None)
            self._problems[symbol] = str(error)
            log.warning("no_price", symbol=symbol, reason=str(error))

    async def _learn_others(
        self, asking: Mapping[str, asyncio.Future[QuoteStatus]], seconds: float | None
    ) -> dict[str, asyncio.Future[QuoteStatus]]:
        """Take what comes within some seconds, None waits for all; gives back what did not."""
        if asking:
            await asyncio.wait(asking.values(), timeout=seconds)
        for symbol, answer in asking.items():
            if answer.done() and not answer.cancelled():
                try:
                    await self._learn(symbol, answer)
                except Exception as error:  # noqa: BLE001 - one symbol's failure is not that of the others
                    self._problems[symbol] = repr(error)
                    log.error("no_price", symbol=symbol, reason=repr(error))
        return {symbol: answer for symbol, answer in asking.items() if not answer.done()}

    def _publish(self) -> Beat:
        self._number += 1
        self._forget_others()
        symbol = self._book.symbol
        status = self._statuses.get(symbol)
        snapshots = self._snapshots()
        snapshot = snapshots.get(self._book.current.id)
        problem: str | None
        if status is None:
            problem = self._problems.get(symbol, f"the price of {symbol} is being asked for")
        else:
            problem = self._problems.get(self._book.current.id)  # why it is not marked
        moves = self._moves_of(symbol)
        beat = Beat(
            number=self._number,
            at=self._now(),
            status=status,
            snapshot=snapshot,
            volatility=moves.value,
            volatility_source=moves.source,
            problem=problem,
            statuses=dict(self._statuses),
            snapshots=snapshots,
            volatilities={name: self._moves_of(name).value for name in self._moves},
        )
        beat = _judged(beat)
        self._is_unkept = True
        self.feed.publish(beat)
        return beat

    def _moves_of(self, symbol: str) -> Volatility:
        moves, status = self._moves.get(symbol) or ASSUMED, self._statuses.get(symbol)
        if moves.is_demo and status is not None and not status.quote.is_demo:
            return ASSUMED_BESIDE_DEMO  # invented moves say nothing of a real price
        return moves

    def _snapshots(self) -> dict[str, Snapshot]:
        found, now = {}, self._now()
        for portfolio in self._book.all:
            status = self._statuses.get(portfolio.collateral.quoted_by)
            if status is None:
                continue
            quote = status.quote
            try:
                hedge = None if self._held is None else self._held.mark(portfolio, quote, now)
                on = quote.at.astimezone(NEW_YORK).date()
                found[portfolio.id] = self._book.mark(portfolio, quote.price, on, hedge)
                self._problems.pop(portfolio.id, None)
            except VaultError as error:
                reason = str(error)
                if self._problems.get(portfolio.id) != reason:
                    log.error("not_marked", portfolio=portfolio.id, reason=reason)
                self._problems[portfolio.id] = reason
        return found

    async def _have_kept(self) -> None:
        """Told once when it breaks and once when it recovers."""
        beat = self.current()
        if self.keep is None or beat is None:
            return
        self._is_unkept = False
        try:
            async with asyncio.timeout(self._keeping_seconds):
                await self.keep(beat)
        except Exception as error:  # whatever broke there, prices go on
            reason = str(error) or f"not done within {self._keeping_seconds:g} seconds"
            if self.keep_problem is None:
                log.error("beat_not_kept", reason=reason, exc_info=not isinstance(error, VaultError | TimeoutError))
            self.keep_problem = f"LTV is not recorded and alerts are not raised: {reason}"
            self._is_unkept = True
        else:
            if self.keep_problem is not None:
                log.info("beat_kept_again")
            self.keep_problem = None

    def _pause(self) -> timedelta:
        interval = timedelta(seconds=self._prices.interval_seconds)
        beat, now = self.current(), self._now()
        if beat is None or beat.status is None or beat.status.quote.is_demo or beat.status.is_stale:
            return interval
        if any(symbol not in beat.statuses for symbol in self._symbols()):
            return interval  # a loan that is not marked cannot wait for the market to open
        if self._hours.is_open(now):
            return interval
        return max(interval, EXTENDED_PAUSE if self._hours.is_extended(now) else CLOSED_PAUSE)


def _judged(beat: Beat) -> Beat:
    """A beat whose status and problem are those of its snapshot, if there is one."""
    whole = None if beat.snapshot is None else beat.status_of(beat.snapshot)
    return beat if whole is None else replace(beat, status=whole, problem=whole.problem)


def _is_answered(task: asyncio.Task[Volatility | None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
