"""Records the chains of the day after the close: every expiration once, and those that failed until the next open."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import structlog

from vaultdash.clock import NEW_YORK, MarketHours, session_close
from vaultdash.domain.errors import BadPayload, NotFound, ProviderError, RateLimited, Refused, VaultError
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import Quote
from vaultdash.domain.option import ListedExpirations, OptionChain
from vaultdash.market.base import ChainProvider, SnapshotKind, SnapshotStore, for_the_record, option_delay

log = structlog.get_logger()

AFTER_CLOSE = timedelta(minutes=5)
RETRY_AFTER = timedelta(minutes=10)  # twice as long after each run that brings nothing
LONGEST_PAUSE = timedelta(hours=1)
QUOTES_ARRIVE = timedelta(minutes=1)  # after the delay of their source
CLOCK_LEEWAY = timedelta(minutes=5)  # a chain read just before the close is of the close
FAILURES_IN_A_ROW = 3  # then the provider is left alone for a while
NEAR_MONEY = 0.05  # of the underlying; there nearly every contract is quoted on both sides at the close
LOOK_BACK = timedelta(days=10)  # there is no longer pause between two sessions


@dataclass(slots=True)
class Recording:
    """How far the chains of a symbol are recorded for a session.

    `listed` is None until the provider has said which expirations there are. `gone` are those it did not know after
    all. `next_try` is None when nothing is left to be done.
    """

    symbol: str
    on: date
    kind: SnapshotKind
    listed: frozenset[date] | None = None
    stored: frozenset[date] = frozenset()
    gone: frozenset[date] = frozenset()
    next_try: datetime | None = None
    problem: str | None = None
    vain_runs: int = 0  # that brought nothing, one after another

    @property
    def missing(self) -> list[date]:
        """Expirations still to be recorded, the nearest first."""
        return sorted((self.listed or frozenset()) - self.stored - self.gone)

    @property
    def is_complete(self) -> bool:
        """True when everything that was listed is recorded."""
        return self.listed is not None and not self.missing

    @property
    def words(self) -> str:
        """`GLD: recorded 23 of 25 expirations for 2026-11-20, next try at 16:20 New York: why`."""
        done = len(self.stored & self.listed) if self.listed is not None else len(self.stored)
        of = "" if self.listed is None else f" of {len(self.listed - self.gone)}"
        count = f"{self.symbol}: recorded {done}{of} expirations for {self.on}"
        if self.kind is not SnapshotKind.CLOSE:
            count += f" ({self.kind})"
        if self.is_complete:
            return count
        if self.next_try is not None:
            count += f", next try at {self.next_try.astimezone(NEW_YORK):%H:%M} New York"
        return count if self.problem is None else f"{count}: {self.problem}"


@dataclass(slots=True)
class SnapshotRecorder:
    """Reads the chains of `symbols` from a live provider once a session and keeps them.

    What is stored is known from the store, so that a restart goes on where the last run ended. `chains` must be a
    provider of live chains; a chain that is invented, stored before, or of another session is never kept. A provider
    whose option quotes are late (`option_delay_seconds`) is asked when those of the close can be had.
    """

    chains: ChainProvider
    store: SnapshotStore
    symbols: Sequence[str]
    hours: MarketHours
    now: Callable[[], datetime]
    _recordings: dict[str, Recording] = field(default_factory=dict, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def record_if_due(self) -> None:
        """From five minutes after the close to the next open, record what is missing; else return at once.

        Errors of the provider and the disk are kept in the state; the next run after a pause tries again.
        """
        session = self.due_session()
        if session is None:
            return
        async with self._turn:
            for symbol in self.symbols:
                recording = self._recording(clean_symbol(symbol), session, SnapshotKind.CLOSE)
                if not recording.is_complete and self._may_try(recording):
                    await self._go_on(recording)

    async def record_now(self) -> tuple[Recording, ...]:
        """Record at once: today's chains as `intraday` while the market is open, else those of the last close.

        Raises nothing for a provider that fails: the recordings say so.
        """
        now = self.now()
        is_open = self.hours.is_open(now)
        session = now.astimezone(NEW_YORK).date() if is_open else self._last_session(timedelta(0))
        if session is None:
            raise Refused("A session that has not begun cannot be recorded; try after the open")
        async with self._turn:
            done = []
            for symbol in self.symbols:
                if is_open:
                    recording = Recording(clean_symbol(symbol), session, SnapshotKind.INTRADAY)
                    await self._go_on(recording, again=True)
                else:
                    recording = self._recording(clean_symbol(symbol), session, SnapshotKind.CLOSE)
                    await self._go_on(recording)
                done.append(recording)
        return tuple(done)

    def state(self) -> str:
        """A sentence for each symbol of the latest session that was recorded here."""
        return "; ".join(recording.words for recording in self._recordings.values()) or "nothing recorded yet"

    def due_session(self) -> date | None:
        """The session whose chains are to be recorded now; None before its time and once the next one has opened."""
        return self._last_session(AFTER_CLOSE)

    def _last_session(self, wait: timedelta) -> date | None:
        """The last session that has closed, when `wait` has passed since and no other has opened."""
        now = self.now()
        today = now.astimezone(NEW_YORK).date()
        closed = [day for day in self.hours.sessions(today - LOOK_BACK, today) if session_close(day) <= now]
        if not closed:
            return None
        close = session_close(closed[-1])
        if now < close + wait or self.hours.is_open(now) or self.hours.open_seconds(close, now) > 0:
            return None
        return closed[-1]

    def _recording(self, symbol: str, session: date, kind: SnapshotKind) -> Recording:
        known = self._recordings.get(symbol)
        if known is None or (known.on, known.kind) != (session, kind):
            known = self._recordings[symbol] = Recording(symbol, session, kind)
        return known

    def _may_try(self, recording: Recording) -> bool:
        pause = None if recording.next_try is None else recording.next_try - self.now()
        return pause is None or pause <= timedelta(0) or pause > LONGEST_PAUSE  # the clock was set back

    async def _go_on(self, recording: Recording, *, again: bool = False) -> None:
        """Record what is missing, one expiration after another; what fails sets the time of the next try."""
        recording.problem = recording.next_try = None
        if self._must_wait(recording):
            return
        recording.vain_runs += 1
        try:
            if not again:
                recording.stored = await asyncio.to_thread(
                    self.store.recorded_expirations, recording.symbol, recording.on, recording.kind
                )
            with for_the_record():
                listed = await self.chains.expirations(recording.symbol, refresh=True)
                self._require_session(recording, listed.underlying, listed.source)
                recording.listed = frozenset(listed.days)
                await self._record_missing(recording, listed)
        except VaultError as error:
            self._postpone(recording, error)
        if recording.is_complete:
            log.info("chains_recorded", symbol=recording.symbol, on=str(recording.on), count=len(recording.stored))

    def _must_wait(self, recording: Recording) -> bool:
        """Whether the quotes of the close cannot be had yet; then the recording says from when on."""
        delay = option_delay(self.chains)
        settled = _settled(recording.on, delay)
        if recording.kind is not SnapshotKind.CLOSE or delay <= 0 or self.now() >= settled:
            return False
        recording.next_try = settled
        recording.problem = (
            f"the option quotes of {self.chains.name} are {delay / 60:.0f} minutes late; "
            f"those of the close can be had from {settled.astimezone(NEW_YORK):%H:%M} New York"
        )
        return True

    async def _record_missing(self, recording: Recording, listed: ListedExpirations) -> None:
        failures = 0
        for expiration in recording.missing:
            try:
                chain = listed.first if listed.first is not None and listed.first.expiration == expiration else None
                chain = chain or await self.chains.chain(recording.symbol, expiration, refresh=True)
                self._require_usable(recording, chain)
            except NotFound:
                recording.gone |= {expiration}
                continue
            except RateLimited:
                raise
            except ProviderError as error:  # of this expiration; another may do
                failures += 1
                self._postpone(recording, error)
                if failures == FAILURES_IN_A_ROW:
                    return
                continue
            failures = 0
            await asyncio.to_thread(self.store.record, chain, recording.on, recording.kind)
            recording.stored |= {expiration}
            recording.vain_runs = 0

    def _require_usable(self, recording: Recording, chain: OptionChain) -> None:
        """Refuse what is not a chain of this session's end as the market quoted it."""
        if chain.is_demo:
            raise Refused("the source gives invented chains, which are never recorded")
        self._require_session(recording, chain.underlying, chain.source)
        delay = timedelta(seconds=max(option_delay(self.chains), chain.underlying.delay_seconds))
        close = session_close(recording.on)
        if recording.kind is SnapshotKind.CLOSE and chain.at < close + delay - CLOCK_LEEWAY:
            raise BadPayload(f"the chain for {chain.expiration} was quoted at {_local(chain.at)}, before the close")
        if not _is_quoted(chain):
            raise BadPayload(f"the chain for {chain.expiration} has hardly a bid and an ask near the money")

    def _require_session(self, recording: Recording, underlying: Quote, source: str) -> None:
        if underlying.is_demo:
            raise Refused("the source gives invented chains, which are never recorded")
        if underlying.is_stored or source.startswith("recorded"):
            raise Refused("the source gives chains that were stored before, which are not recorded again")
        if underlying.at.astimezone(NEW_YORK).date() != recording.on:
            raise BadPayload(
                f"{source} prices {recording.symbol} as of {_local(underlying.at)}, not of {recording.on}"
            )
        settled = _settled(recording.on, underlying.delay_seconds)
        if recording.kind is SnapshotKind.CLOSE and underlying.delay_seconds > 0 and self.now() < settled:
            wait = (settled - self.now()).total_seconds()
            raise RateLimited(f"{source} lags {underlying.delay_seconds / 60:.0f} minutes behind the close", wait)

    def _postpone(self, recording: Recording, error: VaultError) -> None:
        pause = RETRY_AFTER * 2 ** max(min(recording.vain_runs, 8) - 1, 0)
        if isinstance(error, RateLimited):
            pause = timedelta(seconds=error.retry_after_seconds)
        recording.next_try = self.now() + min(pause, LONGEST_PAUSE)
        if recording.problem is None:
            log.warning("chains_not_recorded", symbol=recording.symbol, on=str(recording.on), reason=str(error))
        recording.problem = str(error)


def complete(recordings: Iterable[Recording]) -> bool:
    """True when every recording has all that was listed."""
    return all(recording.is_complete for recording in recordings)


def _settled(on: date, delay_seconds: float) -> datetime:
    """From when on quotes that are so late are those of the close of a session, or of after it."""
    return session_close(on) + max(AFTER_CLOSE, timedelta(seconds=delay_seconds) + QUOTES_ARRIVE)


def _is_quoted(chain: OptionChain) -> bool:
    """Whether half of the contracts near the money have a bid and an ask; at night sources put zeros there."""
    spot = chain.underlying.price
    near = [quote for quote in chain.quotes if abs(quote.contract.strike / spot - 1) <= NEAR_MONEY]
    quoted = sum(quote.mid is not None for quote in near or chain.quotes)
    return quoted > 0 and (not near or quoted >= 0.5 * len(near))


def _local(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York"
