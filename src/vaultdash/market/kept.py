"""Quotes and option chains as the bytes a cache keeps, which are read as if a stranger had written them."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import MarketState, Quote
from vaultdash.domain.option import (
    FLAG_WORDS,
    ListedExpirations,
    OptionChain,
    OptionQuote,
    QuoteFlag,
    contract_from_osi,
)

FLAWS = (ValueError, LookupError, TypeError, AttributeError, InvalidInput, OverflowError)
ALL_FLAGS = sum(FLAG_WORDS)
Fields = Mapping[str, Any]


def write_quote(quote: Quote, now: datetime) -> bytes:
    """The quote as JSON, with the time it was kept."""
    return orjson.dumps({**_quote_fields(quote), "kept_at": now.isoformat()})


def read_quote(kept: bytes, symbol: str, now: datetime, longest_seconds: float) -> Quote | None:
    """The quote in the bytes; None when they are not a quote of that symbol kept within `longest_seconds`."""
    try:
        fields = _recent(kept, symbol, now, longest_seconds)
        return None if fields is None else _quote(fields, symbol)
    except FLAWS:
        return None


def write_chain(chain: OptionChain, now: datetime) -> bytes:
    """The chain as JSON, a row a contract, with the time it was kept."""
    return orjson.dumps(
        {
            "symbol": chain.symbol,
            "expiration": chain.expiration.isoformat(),
            "underlying": _quote_fields(chain.underlying),
            "at": chain.at.isoformat(),
            "source": chain.source,
            "left_out": dict(chain.left_out),
            "rows": [_row(quote) for quote in chain.quotes],
            "kept_at": now.isoformat(),
        }
    )


def read_chain(kept: bytes, symbol: str, expiration: date) -> tuple[OptionChain, datetime] | None:
    """The chain in the bytes and when it was kept, see `is_recent`; None when they are not that chain, whole."""
    try:
        fields = orjson.loads(kept)
        if (fields["symbol"], fields["expiration"]) != (symbol, expiration.isoformat()):
            return None
        quotes = tuple(map(_option_quote, fields["rows"]))
        contracts = [quote.contract for quote in quotes]
        if len(set(contracts)) != len(contracts) or not contracts:
            return None
        if any(contract.expiration != expiration for contract in contracts):
            return None
        left_out = {_text(reason): _count(count) for reason, count in fields["left_out"].items()}
        underlying = _quote(fields["underlying"], symbol)
        source = _text(fields["source"])
        chain = OptionChain(symbol, expiration, underlying, quotes, _time(fields["at"]), source, left_out)
        return chain, _time(fields["kept_at"])
    except FLAWS:
        return None


def write_expirations(listed: ListedExpirations, now: datetime) -> bytes:
    """The days as JSON, with the time they were kept; of the chain that came with them only its day."""
    return orjson.dumps(
        {
            "symbol": listed.symbol,
            "days": [day.isoformat() for day in listed.days],
            "underlying": _quote_fields(listed.underlying),
            "at": listed.at.isoformat(),
            "source": listed.source,
            "first": None if listed.first is None else listed.first.expiration.isoformat(),
            "kept_at": now.isoformat(),
        }
    )


def read_expirations(
    kept: bytes, symbol: str, now: datetime, longest_seconds: float
) -> tuple[ListedExpirations, date | None] | None:
    """The days, and the day of the chain that came with them; None when the bytes are something else or too old."""
    try:
        fields = _recent(kept, symbol, now, longest_seconds)
        if fields is None:
            return None
        days = tuple(date.fromisoformat(_text(day)) for day in fields["days"])
        if not days or list(days) != sorted(set(days)):
            return None
        first = None if fields["first"] is None else date.fromisoformat(_text(fields["first"]))
        underlying = _quote(fields["underlying"], symbol)
        return ListedExpirations(symbol, days, underlying, _time(fields["at"]), _text(fields["source"])), first
    except FLAWS:
        return None


def is_recent(kept_at: datetime, now: datetime, longest_seconds: float) -> bool:
    """Whether something was kept within `longest_seconds`, and not in the future."""
    return -1.0 <= (now - kept_at).total_seconds() <= longest_seconds


def _recent(kept: bytes, symbol: str, now: datetime, longest_seconds: float) -> Fields | None:
    fields = orjson.loads(kept)
    if not isinstance(fields, dict) or fields["symbol"] != symbol:
        return None
    return fields if is_recent(_time(fields["kept_at"]), now, longest_seconds) else None


def _quote_fields(quote: Quote) -> dict[str, object]:
    return {
        "symbol": quote.symbol,
        "price": quote.price,
        "previous_close": quote.previous_close,
        "at": quote.at.isoformat(),
        "source": quote.source,
        "market_state": quote.market_state.value,
        "delay_seconds": quote.delay_seconds,
        "currency": quote.currency,
    }


def _quote(fields: Fields, symbol: str) -> Quote:
    if fields["symbol"] != symbol:
        raise ValueError("a quote of another symbol")
    return Quote(
        symbol=symbol,
        price=_number(fields["price"]),
        previous_close=_number_or_none(fields["previous_close"]),
        at=_time(fields["at"]),
        source=_text(fields["source"]),
        market_state=MarketState(_text(fields["market_state"])),
        delay_seconds=_number(fields["delay_seconds"]),
        currency=_text(fields["currency"]),
    )


def _row(quote: OptionQuote) -> tuple[object, ...]:
    return (
        quote.contract.osi,
        quote.contract.multiplier,
        quote.bid,
        quote.ask,
        quote.bid_size,
        quote.ask_size,
        quote.last,
        None if quote.last_trade_at is None else quote.last_trade_at.isoformat(),
        quote.volume,
        quote.open_interest,
        None if quote.open_interest_on is None else quote.open_interest_on.isoformat(),
        quote.vendor_iv,
        quote.flags.value,
    )


def _option_quote(row: object) -> OptionQuote:
    if not isinstance(row, list):
        raise TypeError("not a row")
    osi, multiplier, bid, ask, bid_size, ask_size, last, traded, volume, open_interest, counted_on, iv, flags = row
    if not 0 <= _count(flags) <= ALL_FLAGS:
        raise ValueError("unknown flags")
    return OptionQuote(
        contract_from_osi(_text(osi), _count(multiplier)),
        _price_or_none(bid),
        _price_or_none(ask),
        _count_or_none(bid_size),
        _count_or_none(ask_size),
        _price_or_none(last),
        None if traded is None else _time(traded),
        _count_or_none(volume),
        _count_or_none(open_interest),
        None if counted_on is None else date.fromisoformat(_text(counted_on)),
        _price_or_none(iv),
        QuoteFlag(flags),
    )


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _number_or_none(value: object) -> float | None:
    return None if value is None else _number(value)


def _price_or_none(value: object) -> float | None:
    number = _number_or_none(value)
    if number is not None and number < 0:
        raise ValueError("below zero")
    return number


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value


def _count_or_none(value: object) -> int | None:
    return None if value is None else _count(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError("a time without zone")
    return at.astimezone(UTC)
