"""Prices as they came: a quote with its time and source, daily bars, and how fresh a quote is."""

import itertools
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.validation import finite, not_negative, positive

DEMO_SOURCE = "DEMO"
STORED_SOURCE = "stored close"
CLOCK_TOLERANCE_SECONDS = 60.0  # a price from further ahead was made under a wrong clock, its or ours
SAME_SESSION_SECONDS = 0.001  # two ways of counting seconds differ by less


class MarketState(StrEnum):
    """What the provider says of the session."""

    PRE = "pre"
    OPEN = "open"
    POST = "post"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Freshness(StrEnum):
    """LIVE as of now, CLOSED when it is the last price of a shut market, STALE when a newer one is missing."""

    LIVE = "live"
    CLOSED = "closed"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Quote:
    """The last price of a symbol, USD per unit. `delay_seconds` is what the source says it lags."""

    symbol: str
    price: float
    previous_close: float | None
    at: datetime
    source: str
    market_state: MarketState = MarketState.UNKNOWN
    delay_seconds: float = 0.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        clean_symbol(self.symbol)
        positive("price", self.price)
        if self.previous_close is not None:
            positive("previous_close", self.previous_close)
        not_negative("delay_seconds", self.delay_seconds)
        if self.at.tzinfo is None or self.at.utcoffset() != UTC.utcoffset(None):
            raise InvalidInput("at", "must be an aware time in UTC")

    @property
    def is_demo(self) -> bool:
        """True when the price is invented."""
        return self.source == DEMO_SOURCE

    @property
    def is_stored(self) -> bool:
        """True when the price is a close from the stored history, which alone says what it is."""
        return self.source.startswith(STORED_SOURCE)

    @property
    def is_delayed(self) -> bool:
        """True when the source says its prices lag."""
        return self.delay_seconds > 0

    @property
    def change_pct(self) -> float | None:
        """Move since the previous close, a fraction."""
        return None if self.previous_close is None else self.price / self.previous_close - 1.0

    def age_seconds(self, now: datetime) -> float:
        """Seconds since the price was made, never negative."""
        return max((now - self.at).total_seconds(), 0.0)

    def is_from_the_future(self, now: datetime) -> bool:
        """True when the price is further ahead of `now` than clocks usually differ."""
        return (self.at - now).total_seconds() > CLOCK_TOLERANCE_SECONDS


def freshness(
    quote: Quote, now: datetime, *, open_seconds: float, market_is_open: bool, interval_seconds: float
) -> Freshness:
    """How far the quote can be trusted.

    `open_seconds` is the time the market was open since the quote was made: a price is stale when the market has
    traded for more than two intervals (and the delay the source declares) without a newer one. A quote of a market
    that is shut, or of before this session's open, is closed, not stale. A quote from the future is stale.
    """
    if quote.is_from_the_future(now) or open_seconds > 2 * interval_seconds + quote.delay_seconds:
        return Freshness.STALE
    of_this_session = open_seconds >= (now - quote.at).total_seconds() - SAME_SESSION_SECONDS
    return Freshness.LIVE if market_is_open and of_this_session else Freshness.CLOSED


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of trading, USD; only the close is always known. `close` of a rate or index may be zero or negative."""

    on: date
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: float | None = None

    def __post_init__(self) -> None:
        finite("close", self.close)
        for name in ("open", "high", "low", "volume"):
            value = getattr(self, name)
            if value is not None:
                finite(name, value)


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """Daily bars of one symbol, ascending by day, unadjusted, with where they came from."""

    symbol: str
    source: str
    bars: tuple[Bar, ...]

    def __post_init__(self) -> None:
        days = [bar.on for bar in self.bars]
        if any(later <= earlier for earlier, later in itertools.pairwise(days)):
            raise InvalidInput("bars", "must be in ascending order of days, each day once")

    @property
    def is_demo(self) -> bool:
        """True when the bars are modelled."""
        return self.source == DEMO_SOURCE

    def between(self, start: date | None, end: date | None) -> "PriceHistory":
        """The bars from `start` to `end`, both included; None leaves a side open."""
        begin = 0 if start is None else bisect_left(self.bars, start, key=lambda bar: bar.on)
        stop = len(self.bars) if end is None else bisect_right(self.bars, end, key=lambda bar: bar.on)
        if begin == 0 and stop == len(self.bars):
            return self
        return PriceHistory(self.symbol, self.source, self.bars[begin:stop])
