"""Options: contracts, what they are quoted at and how good the quote is, and what they pay at expiry."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import IntFlag, StrEnum
from zoneinfo import ZoneInfo

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import DEMO_SOURCE, Quote
from vaultdash.domain.validation import positive

SHARES_PER_CONTRACT = 100
SECONDS_PER_YEAR = 365 * 86_400
EXPIRY_TIME = time(16)  # New York; the last moment a GLD option trades
EXCHANGE_ZONE = ZoneInfo("America/New_York")
WIDE_SPREAD = 0.5  # of mid
WIDE_SPREAD_USD = 0.10
LEAST_VENDOR_IV = 1e-4  # Yahoo writes 0.00001 for "unknown"
OSI = re.compile(r"^([A-Z0-9]{1,6}) *(\d{6})([CP])(\d{8})$")


class Right(StrEnum):
    """C to buy, P to sell."""

    CALL = "C"
    PUT = "P"


class QuoteFlag(IntFlag):
    """What is doubtful about a quote; the numbers are those of the stored `option_eod` format."""

    ZERO_BID = 1  # a bid of 0.00: nobody buys
    NO_BID = 2
    NO_ASK = 4
    CROSSED = 8  # bid above ask
    LOCKED = 16  # bid equal to ask
    WIDE = 32  # the spread is more than half of mid and more than 0.10
    BELOW_INTRINSIC = 64  # mid is less than exercise pays
    STALE = 128  # not traded for more than a session
    ADJUSTED = 256  # delivers something else than 100 shares
    VENDOR_IV_BAD = 512
    OI_MISSING = 1024
    TRADE_ONLY = 2048
    DUPLICATE_RESOLVED = 4096
    CLOSED_MARKET = 8192


NO_FLAGS = QuoteFlag(0)
FLAG_WORDS: Mapping[QuoteFlag, str] = {
    QuoteFlag.ZERO_BID: "zero_bid",
    QuoteFlag.NO_BID: "no_bid",
    QuoteFlag.NO_ASK: "no_ask",
    QuoteFlag.CROSSED: "crossed",
    QuoteFlag.LOCKED: "locked",
    QuoteFlag.WIDE: "wide",
    QuoteFlag.BELOW_INTRINSIC: "below_intrinsic",
    QuoteFlag.STALE: "stale",
    QuoteFlag.ADJUSTED: "adjusted",
    QuoteFlag.VENDOR_IV_BAD: "vendor_iv_bad",
    QuoteFlag.OI_MISSING: "oi_missing",
    QuoteFlag.TRADE_ONLY: "trade_only",
    QuoteFlag.DUPLICATE_RESOLVED: "duplicate_resolved",
    QuoteFlag.CLOSED_MARKET: "closed_market",
}


def flag_words(flags: QuoteFlag) -> tuple[str, ...]:
    """The names of the flags that are set, in order."""
    return tuple(word for flag, word in FLAG_WORDS.items() if flag in flags)


def payoff(right: Right, strike: float, price: float) -> float:
    """Value per share at expiry, USD: max(K - S, 0) for a put, max(S - K, 0) for a call."""
    return max(strike - price, 0.0) if right is Right.PUT else max(price - strike, 0.0)


@dataclass(frozen=True, slots=True, order=True)
class OptionContract:
    """A listed contract. `strike` USD; `root` is the class's symbol, which for an adjusted one is not the fund's."""

    root: str
    expiration: date
    strike: float
    right: Right
    multiplier: int = SHARES_PER_CONTRACT

    def __post_init__(self) -> None:
        positive("strike", self.strike)
        if round(self.strike * 1000) >= 10**8 or abs(self.strike * 1000 - round(self.strike * 1000)) > 1e-6:
            raise InvalidInput("strike", f"must be in thousandths of a dollar and below 100,000, not {self.strike}")

    @property
    def osi(self) -> str:
        """The 21 characters of the Options Symbology Initiative, root padded: `GLD   270115P00330000`."""
        return f"{self.root:<6}{self.expiration:%y%m%d}{self.right.value}{round(self.strike * 1000):08d}"


def contract_from_osi(symbol: str, multiplier: int = SHARES_PER_CONTRACT) -> OptionContract:
    """Read an OSI symbol, with or without padding; raises InvalidInput when it is none."""
    match = OSI.match(symbol.strip())
    if match is None:
        raise InvalidInput("contract", f"is no option symbol: {symbol!r}")
    root, digits, right, strike = match.groups()
    try:
        expiration = date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        raise InvalidInput("contract", f"has no such day: {symbol!r}") from None
    return OptionContract(root, expiration, int(strike) / 1000, Right(right), multiplier)


@dataclass(frozen=True, slots=True)
class OptionQuote:
    """What a contract is quoted at, USD per share. None is what the source does not say; 0.0 is a real zero.

    `open_interest` is that of the session `open_interest_on`, usually the one before. `vendor_iv` is the source's own
    implied volatility, a fraction, kept for comparison only.
    """

    contract: OptionContract
    bid: float | None = None
    ask: float | None = None
    bid_size: int | None = None
    ask_size: int | None = None
    last: float | None = None
    last_trade_at: datetime | None = None
    volume: int | None = None
    open_interest: int | None = None
    open_interest_on: date | None = None
    vendor_iv: float | None = None
    flags: QuoteFlag = NO_FLAGS

    @property
    def mid(self) -> float | None:
        """Between bid and ask, when both are there and do not cross; else None."""
        if self.bid is None or self.ask is None or self.bid <= 0 or self.ask < self.bid:
            return None
        return 0.5 * (self.bid + self.ask)

    @property
    def spread(self) -> float | None:
        """Ask less bid, when there is a mid."""
        return None if self.mid is None or self.bid is None or self.ask is None else self.ask - self.bid

    @property
    def words(self) -> tuple[str, ...]:
        """The flags by name."""
        return flag_words(self.flags)


def price_flags(bid: float | None, ask: float | None) -> QuoteFlag:
    """What bid and ask alone say. No bid is a missing one, a zero bid one of 0.00; an ask of 0.00 is none."""
    flags = NO_FLAGS
    if bid is None:
        flags |= QuoteFlag.NO_BID
    elif bid <= 0:
        flags |= QuoteFlag.ZERO_BID
    if ask is None or ask <= 0:
        flags |= QuoteFlag.NO_ASK
    elif bid is not None and bid > 0:
        if bid > ask:
            flags |= QuoteFlag.CROSSED
        elif bid == ask:
            flags |= QuoteFlag.LOCKED
        elif ask - bid > max(WIDE_SPREAD_USD, WIDE_SPREAD * 0.5 * (bid + ask)):
            flags |= QuoteFlag.WIDE
    return flags


@dataclass(frozen=True, slots=True)
class OptionChain:
    """The quotes of one expiration as a source gave them, with the underlying's price that belongs to them.

    `at` is when the quotes were made or read, `quotes` are by strike, call before put, one a contract. `left_out`
    counts, by reason, what the source listed and this chain does not carry (`adjusted`, `unreadable`, ...).
    """

    symbol: str
    expiration: date
    underlying: Quote
    quotes: tuple[OptionQuote, ...]
    at: datetime
    source: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_demo(self) -> bool:
        """True when the quotes are invented."""
        return self.source == DEMO_SOURCE


@dataclass(frozen=True, slots=True)
class ListedExpirations:
    """The expirations a source lists, ascending; `first` is the chain that came with them, if one did."""

    symbol: str
    days: tuple[date, ...]
    underlying: Quote
    at: datetime
    source: str
    first: OptionChain | None = None


@dataclass(frozen=True, slots=True)
class DollarRate:
    """What dollars earn: continuously compounded a year, of a day, from a source."""

    value: float
    on: date | None
    source: str


def expiry_at(expiration: date) -> datetime:
    """When the contracts of a day expire: 16:00 New York, in UTC."""
    return datetime.combine(expiration, EXPIRY_TIME, EXCHANGE_ZONE).astimezone(UTC)


def years_to_expiry(expiration: date, now: datetime) -> float:
    """Calendar time to 16:00 New York of the day, in years of 365 days; 0 after it."""
    return max((expiry_at(expiration) - now).total_seconds(), 0.0) / SECONDS_PER_YEAR
