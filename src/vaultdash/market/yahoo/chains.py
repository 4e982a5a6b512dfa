"""What the rows of Yahoo's option chains mean: plain values in, a chain out, what cannot be true left out."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from vaultdash.clock import NEW_YORK, MarketHours
from vaultdash.domain.errors import BadPayload, InvalidInput, ProviderError, Unavailable
from vaultdash.domain.market import MarketState, Quote
from vaultdash.domain.option import (
    LEAST_VENDOR_IV,
    NO_FLAGS,
    ListedExpirations,
    OptionChain,
    OptionContract,
    OptionQuote,
    QuoteFlag,
    Right,
    contract_from_osi,
    payoff,
    price_flags,
)
from vaultdash.market.listed import current, not_listed
from vaultdash.market.yahoo.reading import FUTURE_TOLERANCE, SOURCE, quote_from_options

LARGEST_VENDOR_IV = 10.0
LARGEST_COUNT = 1_000_000_000  # contracts traded or open; all of GLD has a hundredth of it
LARGEST_PRICE = 2.0  # of spot or strike, whichever is more; an option is worth no more than the one or the other
EARLIEST_TRADE = datetime(1990, 1, 1, tzinfo=UTC)
SMALLEST_STRIKE_STEP = 0.001
OPTION_DELAY_SECONDS = 900.0  # Yahoo says nothing of its option quotes; the price beside them may well be of now
LONGEST_CLOSURE = timedelta(days=10)

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OptionsAnswer:
    """All listed days, the quote fields that came with them, and one day's contracts; None for what is missing."""

    days: tuple[date, ...]
    fields: Mapping[str, object]
    calls: Sequence[Row]
    puts: Sequence[Row]


def expirations_from_options(
    symbol: str, answer: OptionsAnswer, now: datetime, hours: MarketHours
) -> ListedExpirations:
    """The days that have not passed, with the chain of the nearest when its contracts came along and can be read."""
    underlying = quote_from_options(symbol, answer.fields, now)
    days = current(answer.days, now)
    if not days:
        raise BadPayload(f"Yahoo lists no expiration of {symbol} that has not passed")
    nearest = min(answer.days)
    first = None
    if nearest == days[0]:
        with suppress(ProviderError):  # whoever asks for that chain by itself hears what is wrong with it
            first = _chain(symbol, nearest, answer, underlying, now, hours)
    return ListedExpirations(symbol, days, underlying, now, SOURCE, first)


def chain_from_options(
    symbol: str, expiration: date, answer: OptionsAnswer, now: datetime, hours: MarketHours
) -> OptionChain:
    """The contracts of a day; NotListed when it is none of the answer's, an error when there is nothing to read."""
    underlying = quote_from_options(symbol, answer.fields, now)
    if expiration not in answer.days:
        raise not_listed(SOURCE, symbol, expiration, current(answer.days, now))
    return _chain(symbol, expiration, answer, underlying, now, hours)


def _chain(
    symbol: str, expiration: date, answer: OptionsAnswer, underlying: Quote, now: datetime, hours: MarketHours
) -> OptionChain:
    reader = _Reader(symbol, expiration, underlying, now, hours)
    quotes = reader.read(answer.calls, Right.CALL) | reader.read(answer.puts, Right.PUT)
    if not quotes:
        if reader.left_out["unreadable"]:
            raise BadPayload(f"Yahoo's {symbol} options of {expiration} cannot be read, not one of them")
        raise Unavailable(f"Yahoo gave no {symbol} options of {expiration}, though it lists the day")
    ordered = tuple(quotes[contract] for contract in sorted(quotes))
    late = replace(underlying, delay_seconds=max(underlying.delay_seconds, OPTION_DELAY_SECONDS))
    return OptionChain(symbol, expiration, late, ordered, now, SOURCE, dict(reader.left_out))


class _Reader:
    """Reads rows of one chain; `left_out` counts those that are not carried, by reason."""

    def __init__(self, symbol: str, expiration: date, underlying: Quote, now: datetime, hours: MarketHours) -> None:
        self._root = re.sub(r"[^A-Z0-9]", "", symbol)  # BRK-B is BRKB among options
        self._expiration = expiration
        self._spot = underlying.price
        self._now = now
        traded_on = underlying.at.astimezone(NEW_YORK).date()
        earlier = hours.sessions(traded_on - LONGEST_CLOSURE, traded_on - timedelta(days=1))
        self._session_before = earlier[-1] if earlier else traded_on - timedelta(days=1)
        state = underlying.market_state
        is_open = hours.is_open(now) if state is MarketState.UNKNOWN else state is MarketState.OPEN
        self._common = NO_FLAGS if is_open else QuoteFlag.CLOSED_MARKET
        self.left_out: Counter[str] = Counter()

    def read(self, rows: Sequence[Row], right: Right) -> dict[OptionContract, OptionQuote]:
        """The quotes of one side by contract; of several rows of the same contract the best counts."""
        quotes: dict[OptionContract, OptionQuote] = {}
        for row in rows:
            contract = self._contract(row, right)
            if contract is None:
                self.left_out["unreadable"] += 1
            elif contract.root != self._root or row.get("contractSize") not in (None, "REGULAR"):
                self.left_out["adjusted"] += 1
            elif contract in quotes:
                self.left_out["duplicate"] += 1
                better = max(quotes[contract], self._quote(contract, row), key=_worth)  # the first of equals
                quotes[contract] = replace(better, flags=better.flags | QuoteFlag.DUPLICATE_RESOLVED)
            else:
                quotes[contract] = self._quote(contract, row)
        return quotes

    def _contract(self, row: Row, right: Right) -> OptionContract | None:
        """What the row is about, when all its parts agree."""
        name, strike = row.get("contractSymbol"), _number(row.get("strike"))
        if not isinstance(name, str) or strike is None:
            return None
        try:
            contract = contract_from_osi(name)
        except InvalidInput:
            return None
        agrees = abs(contract.strike - strike) < SMALLEST_STRIKE_STEP / 2
        return contract if agrees and (contract.right, contract.expiration) == (right, self._expiration) else None

    def _quote(self, contract: OptionContract, row: Row) -> OptionQuote:
        bid, ask = self._bid_and_ask(contract, row)
        last = self._price(contract, row.get("lastPrice"))
        last_trade_at = self._last_trade(row.get("lastTradeDate"))
        open_interest = _count(row.get("openInterest"))
        vendor_iv = _number(row.get("impliedVolatility"))
        if vendor_iv is not None and not LEAST_VENDOR_IV < vendor_iv <= LARGEST_VENDOR_IV:
            vendor_iv = None
        flags = self._common | price_flags(bid, ask)
        if last_trade_at is None or last_trade_at.astimezone(NEW_YORK).date() < self._session_before:
            flags |= QuoteFlag.STALE
        if vendor_iv is None:
            flags |= QuoteFlag.VENDOR_IV_BAD
        if open_interest is None:
            flags |= QuoteFlag.OI_MISSING
        quote = OptionQuote(
            contract,
            bid=bid,
            ask=ask,
            last=last or None,
            last_trade_at=last_trade_at,
            volume=_count(row.get("volume")),
            open_interest=open_interest,
            # counted overnight, so it is that of the session before the one the prices are of
            open_interest_on=None if open_interest is None else self._session_before,
            vendor_iv=vendor_iv,
            flags=flags,
        )
        if quote.mid is not None and quote.mid < payoff(contract.right, contract.strike, self._spot):
            return replace(quote, flags=flags | QuoteFlag.BELOW_INTRINSIC)
        return quote

    def _bid_and_ask(self, contract: OptionContract, row: Row) -> tuple[float | None, float | None]:
        """Yahoo writes 0 for "none": always as an ask, as a bid when the market is shut or there is no ask either."""
        bid, ask = self._price(contract, row.get("bid")), self._price(contract, row.get("ask")) or None
        if bid == 0 and (ask is None or self._common):
            bid = None
        return bid, ask

    def _price(self, contract: OptionContract, value: object) -> float | None:
        number = _number(value)
        limit = LARGEST_PRICE * max(self._spot, contract.strike)
        return number if number is not None and 0 <= number <= limit else None

    def _last_trade(self, value: object) -> datetime | None:
        if not isinstance(value, datetime) or value.tzinfo is None:
            return None
        at = datetime.fromtimestamp(value.timestamp(), UTC)
        return at if EARLIEST_TRADE <= at <= self._now + FUTURE_TOLERANCE else None


def _worth(quote: OptionQuote) -> tuple[int, bool, datetime]:
    """By which one row is better than another: more sides, then not crossed, then the later trade."""
    sides = (quote.bid is not None) + (quote.ask is not None)
    return sides, QuoteFlag.CROSSED not in quote.flags, quote.last_trade_at or EARLIEST_TRADE


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _count(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number <= LARGEST_COUNT else None
