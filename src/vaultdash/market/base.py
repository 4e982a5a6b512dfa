"""What a market can be asked for; a provider implements what it can."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
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


@runtime_checkable
class LateChains(Protocol):
    """A provider that knows how late its option quotes are, whatever it says of the underlying's price."""

    option_delay_seconds: float


def option_delay(provider: object) -> float:
    """How late the option quotes of a provider are, seconds; 0 when it does not say."""
    return provider.option_delay_seconds if isinstance(provider, LateChains) else 0.0


_IS_RECORDING: ContextVar[bool] = ContextVar("is_recording", default=False)


@contextmanager
def for_the_record() -> Iterator[None]:
    """Chains asked for inside are to be recorded: a provider that rations chains serves them all the same."""
    before = _IS_RECORDING.set(True)
    try:
        yield
    finally:
        _IS_RECORDING.reset(before)


def is_for_the_record() -> bool:
    """Whether the chains that are asked for are to be recorded."""
    return _IS_RECORDING.get()


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


class SnapshotKind(StrEnum):
    """When in its session a recorded chain was quoted; one study uses one kind."""

    CLOSE = "close_1600"  # at the close, which is 13:00 on the eves of holidays, or within half an hour after it
    BEFORE_CLOSE = "t1545"  # a quarter of an hour before the close
    REPORT = "eod_1715"  # the last quotes of the session, as reported later on the same day
    INTRADAY = "intraday"
    UNKNOWN = "unknown"  # the source gives a day and no time


@dataclass(frozen=True, slots=True)
class SnapshotMerge:
    """What a merge of recorded quotes changed, in contracts."""

    added: int
    replaced: int
    unchanged: int

    def __add__(self, other: "SnapshotMerge") -> "SnapshotMerge":
        return SnapshotMerge(
            self.added + other.added, self.replaced + other.replaced, self.unchanged + other.unchanged
        )


class SnapshotStore(Protocol):
    """Keeps chains as they were quoted; each writing call is all or nothing. Calls block: use a thread."""

    def recorded_expirations(self, symbol: str, on: date, kind: SnapshotKind) -> frozenset[date]:
        """The expirations that were recorded from the market, not imported, for a session."""
        ...

    def record(self, chain: OptionChain, on: date, kind: SnapshotKind) -> SnapshotMerge:
        """Keep a chain as a snapshot of the session `on`. Refuses demo and stored chains."""
        ...


class ChainHistory(Protocol):
    """Gives recorded chains day by day, as they were quoted on that day and no other; calls block: use a thread.

    One study uses one kind of snapshot: ask for the `usual_kind` of its days first. Symbols in any case.
    """

    def usual_kind(self, symbol: str, start: date, end: date) -> SnapshotKind | None:
        """The kind that most days from `start` to `end` have, of equals the one nearest the close; None if none."""
        ...

    def days(self, symbol: str, kind: SnapshotKind | None = None, source: str | None = None) -> tuple[date, ...]:
        """The days with chains, ascending; of one kind and source where those are given."""
        ...

    def chains(
        self, symbol: str, on: date, kind: SnapshotKind | None = None, source: str | None = None
    ) -> Mapping[date, OptionChain]:
        """The chains of one day by expiration, of one kind and source: the best there are where none is given.

        Raises NotFound when there are none of that day, Unavailable when they are damaged or without a share price.
        """
        ...
