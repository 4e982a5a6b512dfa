"""Yahoo as a market: one request at a time, prices first, in its own thread, no more often than Yahoo bears."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar, cast

import structlog

from vaultdash.clock import MarketHours, NewYorkHours, utc_now
from vaultdash.domain.errors import InvalidInput, NotFound, RateLimited, Unavailable, VaultError
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import PriceHistory, Quote
from vaultdash.domain.option import ListedExpirations, OptionChain
from vaultdash.market.base import is_for_the_record
from vaultdash.market.listed import NotListed, current, expired, is_past, no_options, not_listed
from vaultdash.market.yahoo.chains import (
    OPTION_DELAY_SECONDS,
    OptionsAnswer,
    chain_from_options,
    expirations_from_options,
)
from vaultdash.market.yahoo.client import YahooClient
from vaultdash.market.yahoo.limiter import BackOff, Limiter
from vaultdash.market.yahoo.listings import Listings
from vaultdash.market.yahoo.reading import SOURCE, Readings, history_from_chart, quote_from_chart, quote_from_options
from vaultdash.market.yahoo.turns import Rank, Turns

TIMEOUT_SECONDS = 20.0
REQUEST_SECONDS = 8.0  # of one HTTP request; also how long a stop may have to wait for it
UNKNOWN_SECONDS = 300.0  # an unknown symbol costs many requests, so its answer is remembered
NO_OPTIONS_SECONDS = 3600.0
MOST_WAITING_CHAINS = 8
ISIN = re.compile(r"^[A-Z]{2}[A-Z0-9]{9}[0-9]$")  # yfinance would go and search for it elsewhere

T = TypeVar("T")
log = structlog.get_logger()


class YahooMarket:
    """Quotes, daily history and option chains of any symbol Yahoo knows.

    `session_factory` makes the curl_cffi session; None makes the one yfinance would. `cache_dir` keeps Yahoo's cookie
    and time zones. Nothing remembered is given out: a failure is an error, whatever came before.

    Prices go before chains. Chains have a share of the hour's requests and a short line; those asked for inside
    `for_the_record` go before the others and are not counted in the share. `option_delay_seconds` is how late the
    quotes of options are taken to be, since Yahoo does not say.
    """

    name = "yahoo"
    option_delay_seconds: float = OPTION_DELAY_SECONDS

    def __init__(
        self,
        cache_dir: Path,
        *,
        session_factory: Callable[[], object] | None = None,
        limiter: Limiter | None = None,
        back_off: BackOff | None = None,
        hours: MarketHours | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cache_dir = cache_dir
        self._session_factory = session_factory
        self._limiter = limiter or Limiter(monotonic=monotonic)
        self._back_off = back_off or BackOff(monotonic=monotonic)
        self._hours = hours or NewYorkHours()
        self._timeout = timeout_seconds
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._turns = Turns()
        self._chain_turns = Turns()  # only the first of the chains stands in the line of the prices
        self._listings = Listings(monotonic)
        self._known: set[str] = set()
        self._readings = Readings()
        self._unknown: dict[str, float] = {}
        self._without_options: dict[str, float] = {}
        self._with_options: set[str] = set()
        self._closed = False
        self._job: Future[object] | None = None
        self._job_began = 0.0
        self._hire_worker()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the owner should know that is no failure, such as a cache directory that cannot be written."""
        return self._client.remarks

    async def quote(self, symbol: str, *, refresh: bool = False) -> Quote:
        """The last regular price; asks Yahoo every time. A large move is believed at the second print."""
        name = self._askable(symbol)
        if self._is_remembered(self._without_options, name):
            return self._readings.believe(
                await self._ask(name, lambda client: quote_from_chart(name, client.recent(name), self._now()))
            )
        quote, has_options = await self._ask(name, lambda client: self._quote(client, name))
        self._note_options(name, has_options)
        return self._readings.believe(quote)

    async def history(self, symbol: str, start: date, end: date) -> PriceHistory:
        """Unadjusted daily bars of finished sessions from `start` to `end`, by the exchange's days.

        Today's bar is left out until its session has closed. Yahoo divides old closes by later splits.
        """
        name = self._askable(symbol)
        if end < start:
            raise InvalidInput("end", f"must not be before start, {end} is before {start}")
        return await self._ask(
            name, lambda client: history_from_chart(name, client.daily(name, start, end), start, end, self._now())
        )

    async def expirations(self, symbol: str, *, refresh: bool = False) -> ListedExpirations:
        """The listed days with the chain of the nearest: one request. A large move is believed as for quotes."""
        listed = await self._options(symbol, None, expirations_from_options)
        self._readings.believe(listed.underlying)
        return listed

    async def chain(self, symbol: str, expiration: date, *, refresh: bool = False) -> OptionChain:
        """The contracts of one day: one request, none for a day that has passed or lately was not listed."""
        name = clean_symbol(symbol)
        if is_past(expiration, self._now()):
            raise expired(SOURCE, name, expiration)
        self._refuse_unlisted(name, expiration)
        chain = await self._options(
            symbol,
            expiration,
            lambda name, answer, now, hours: chain_from_options(name, expiration, answer, now, hours),
        )
        self._readings.believe(chain.underlying)
        return chain

    async def aclose(self) -> None:
        """Release the thread and the connections; a request under way ends within seconds."""
        if self._closed:
            return
        self._closed = True
        self._client.stop()
        self._executor.submit(self._client.close)
        self._executor.shutdown(wait=False)

    def _quote(self, client: YahooClient, symbol: str) -> tuple[Quote, bool | None]:
        """The quote, and whether the symbol has options; None when Yahoo did not say."""
        fields = client.underlying(symbol)
        if fields is not None:
            return quote_from_options(symbol, fields, self._now()), True
        has_options = False if client.has_no_options else None
        return quote_from_chart(symbol, client.recent(symbol), self._now()), has_options

    async def _options(
        self,
        symbol: str,
        expiration: date | None,
        read: Callable[[str, OptionsAnswer, datetime, MarketHours], T],
    ) -> T:
        name = self._askable(symbol)
        if self._is_remembered(self._without_options, name):
            raise no_options(SOURCE, name)

        def ask(client: YahooClient) -> T | None:
            if expiration is not None:
                self._refuse_unlisted(name, expiration)  # known while it waited for its turn
            answer = client.options(name, expiration)
            if answer is not None:
                now = self._now()
                try:
                    found = read(name, answer, now, self._hours)
                except NotListed:
                    self._listings.note(name, current(answer.days, now))
                    raise
                self._listings.note(name, current(answer.days, now))
                return found
            if not client.has_no_options:
                client.recent(name)  # tells an unknown symbol, which is NotFound, from a bad day of Yahoo's
                raise Unavailable(f"Yahoo gave no options for {name}")
            return None

        found = await self._ask(name, ask, Rank.RECORDING if is_for_the_record() else Rank.CHAINS)
        self._note_options(name, has_options=found is not None)
        if found is not None:
            return found
        if name in self._with_options:
            raise Unavailable(f"Yahoo says that {name} has no options, of which it listed some before")
        raise no_options(SOURCE, name)

    def _refuse_unlisted(self, symbol: str, expiration: date) -> None:
        days = self._listings.recent(symbol)
        if days is not None and expiration not in days:
            raise not_listed(SOURCE, symbol, expiration, days)

    def _note_options(self, symbol: str, has_options: bool | None) -> None:
        """Remember for an hour that a symbol has none, unless it had some before."""
        if has_options:
            self._with_options.add(symbol)
        elif has_options is False and symbol not in self._with_options:
            self._without_options[symbol] = self._monotonic() + NO_OPTIONS_SECONDS

    def _askable(self, symbol: str) -> str:
        name = clean_symbol(symbol)
        if ISIN.match(name):
            raise NotFound(f"{name} is an ISIN; Yahoo is asked by symbol, such as GLD")
        if self._is_remembered(self._unknown, name):
            raise NotFound(f"Yahoo does not know {name}")
        return name

    def _is_remembered(self, until: dict[str, float], symbol: str) -> bool:
        now = self._monotonic()
        for forgotten in [name for name, end in until.items() if end <= now]:
            del until[forgotten]
        return symbol in until

    async def _ask(self, symbol: str, ask: Callable[[YahooClient], T], rank: Rank = Rank.PRICES) -> T:
        """Wait for the turn, keep within the limits, and do all work of one request in the worker."""
        if self._closed:
            raise Unavailable("Yahoo is closed")
        if rank is Rank.PRICES:
            async with self._turns.take(rank, self._timeout):
                await self._free_worker()
                await self._pace()
                outcome = await self._work(ask, rank)
        else:
            self._admit(rank)
            async with self._chain_turns.take(rank, self._timeout):
                await self._pace()  # no price waits meanwhile
                async with self._turns.take(rank, self._timeout):
                    await self._free_worker()
                    self._back_off.check()
                    outcome = await self._work(ask, rank)
        if isinstance(outcome, NotFound) and not isinstance(outcome, NotListed):
            if symbol in self._known:
                raise Unavailable(f"Yahoo says that it does not know {symbol}, of which it gave prices before")
            self._unknown[symbol] = self._monotonic() + UNKNOWN_SECONDS
        if isinstance(outcome, VaultError):
            raise outcome
        self._known.add(symbol)
        return outcome

    def _admit(self, rank: Rank) -> None:
        """Let a request for chains join their line, unless that is long or their share is spent."""
        self._back_off.check()
        if rank is Rank.RECORDING:
            return
        if self._chain_turns.waiting(rank) >= MOST_WAITING_CHAINS:
            raise Unavailable("Yahoo is busy with other option chains; try again in some seconds")
        self._limiter.admit_chain()

    async def _pace(self) -> None:
        self._back_off.check()
        await self._sleep(self._limiter.reserve())

    async def _work(self, ask: Callable[[YahooClient], T], rank: Rank) -> T | VaultError:
        if self._closed:
            raise Unavailable("Yahoo is closed")
        job = self._executor.submit(self._perform, self._client, ask, rank)
        self._job, self._job_began = cast("Future[object]", job), time.monotonic()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self._timeout)
        except TimeoutError:
            raise Unavailable(f"Yahoo did not answer within {self._timeout:g} s") from None

    def _perform(self, client: YahooClient, ask: Callable[[YahooClient], T], rank: Rank) -> T | VaultError:
        """In the worker: ask, count what it took, and note a refusal even when nobody waits for the answer."""
        client.begin(self._timeout * 0.95)  # ends by itself before it is given up
        outcome: T | VaultError
        try:
            outcome = ask(client)
            self._back_off.answered()
        except RateLimited as error:
            pause = self._back_off.refused()
            log.warning("yahoo_refused", pause_seconds=round(pause))
            outcome = RateLimited(f"{error}; next try in {pause:.0f} s", pause)
        except VaultError as error:
            outcome = error
        finally:
            self._limiter.charge(max(len(client.answers) - 1, 0), of_chain=rank is Rank.CHAINS)
        return outcome

    async def _free_worker(self) -> None:
        """Wait for a job whose caller has left, refuse while one is overdue, and leave behind one that is lost."""
        if self._job is None or self._job.done():
            return
        age = time.monotonic() - self._job_began
        if age < self._timeout:
            await asyncio.wait({asyncio.wrap_future(self._job)}, timeout=self._timeout - age)
        if self._job.done():
            return
        if age < 3 * self._timeout:
            raise Unavailable("Yahoo has not come back from the previous request")
        log.warning("yahoo_worker_lost", age_seconds=round(age))
        self._client.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._hire_worker()

    def _hire_worker(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="yahoo")
        self._client = YahooClient(self._cache_dir, self._session_factory, REQUEST_SECONDS)
        self._job = None
