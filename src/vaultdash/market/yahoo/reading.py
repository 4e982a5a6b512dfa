"""What Yahoo's fields mean: plain values in, a Quote or a PriceHistory out, BadPayload when they make no sense."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import BadPayload
from vaultdash.domain.exchange import PAIRS
from vaultdash.domain.market import Bar, MarketState, PriceHistory, Quote

SOURCE = "Yahoo"
FUTURE_TOLERANCE = timedelta(seconds=60)
USUAL_DELAY_SECONDS = 900.0  # when Yahoo does not say how much a price lags
SETTLING = timedelta(minutes=20)  # closing prints reach the daily bar late
ASSUMED_CLOSE = time(16)


class Moves(NamedTuple):
    """Fractions: a `large` move is believed when two prints agree within `agreement`, the `largest` never is."""

    large: float
    largest: float
    agreement: float


SHARE_MOVES = Moves(large=0.2, largest=0.5, agreement=0.05)
PAIR_MOVES = Moves(large=0.05, largest=0.2, agreement=0.01)  # a large currency seldom moves by a twentieth in a day

MARKET_STATES = {
    "PREPRE": MarketState.PRE,
    "PRE": MarketState.PRE,
    "REGULAR": MarketState.OPEN,
    "POST": MarketState.POST,
    "POSTPOST": MarketState.POST,
    "CLOSED": MarketState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class ChartAnswer:
    """Daily bars, ascending, by the exchange's day, and the fields that came with them."""

    bars: tuple[Bar, ...]
    fields: Mapping[str, object]


def quote_from_options(symbol: str, fields: Mapping[str, object], now: datetime) -> Quote:
    """The regular price in the `underlying` fields of an option chain, never the one before or after hours."""
    return _quote(
        symbol,
        fields,
        now,
        previous_close=_positive(fields.get("regularMarketPreviousClose")),
        state=MARKET_STATES.get(str(fields.get("marketState")), MarketState.UNKNOWN),
        delay_seconds=_delay_seconds(fields),
    )


def quote_from_chart(symbol: str, chart: ChartAnswer, now: datetime) -> Quote:
    """The regular price in a chart's fields, for symbols without options.

    `chartPreviousClose` is the close before the whole chart, so yesterday's close is read from the bars.
    """
    at = _instant(chart.fields.get("regularMarketTime"), now)
    today = at.astimezone(_zone(chart.fields)).date()
    earlier = [bar.close for bar in chart.bars if bar.on < today]
    return _quote(
        symbol,
        chart.fields,
        now,
        previous_close=_positive(earlier[-1]) if earlier else None,
        state=_state_by_periods(chart.fields, now),
        delay_seconds=USUAL_DELAY_SECONDS,
    )


class Readings:
    """Believes a large move when a later print agrees with the first; a bad print seldom comes twice.

    The same print read again, in a quote or with a chain, is no second one, and an older one says nothing of it.
    """

    def __init__(self) -> None:
        self._believed: dict[str, float] = {}
        self._doubted: dict[str, Quote] = {}

    def believe(self, quote: Quote) -> Quote:
        """The quote; BadPayload while its move from the last one, else from the previous close, stands alone."""
        moves = _moves(quote.symbol)
        before = self._believed.get(quote.symbol, quote.previous_close)
        close = quote.previous_close
        if moves is PAIR_MOVES and close is not None and before is not None and _move(close, before) < moves.large:
            before = close  # not the last price, along which bad prints could creep away in small steps
        first = self._doubted.get(quote.symbol)
        if before is not None and _move(before, quote.price) >= moves.large:
            if quote.previous_close is None and _move(before, quote.price) >= moves.largest:
                raise BadPayload(
                    f"Yahoo's price for {quote.symbol} is not credible: {quote.price:g} after {before:g}"
                )
            is_later = first is None or quote.at > first.at
            if first is None or not is_later or _move(first.price, quote.price) > moves.agreement:
                if is_later:
                    self._doubted[quote.symbol] = quote
                raise BadPayload(
                    f"Yahoo's price for {quote.symbol} went from {before:g} to {quote.price:g}; "
                    "waiting for a later one that agrees"
                )
        if first is None or quote.at >= first.at:
            self._doubted.pop(quote.symbol, None)
        self._believed[quote.symbol] = quote.price
        return quote


def _moves(symbol: str) -> Moves:
    return PAIR_MOVES if symbol in PAIRS.values() else SHARE_MOVES


def _move(before: float, after: float) -> float:
    return round(abs(after / before - 1.0), 9)  # 80 after 100 is a move by a fifth, whatever floats make of it


def history_from_chart(symbol: str, chart: ChartAnswer, start: date, end: date, now: datetime) -> PriceHistory:
    """The bars from `start` to `end` whose session is over; BadPayload when none is left."""
    _check_symbol(symbol, chart.fields)
    finished = tuple(bar for bar in chart.bars if start <= bar.on <= end and _is_finished(bar.on, chart.fields, now))
    if not finished:
        raise BadPayload(f"Yahoo has no finished day of {symbol} from {start} to {end}")
    return PriceHistory(symbol, SOURCE, finished)


def _quote(
    symbol: str,
    fields: Mapping[str, object],
    now: datetime,
    *,
    previous_close: float | None,
    state: MarketState,
    delay_seconds: float,
) -> Quote:
    _check_symbol(symbol, fields)
    price = _positive(fields.get("regularMarketPrice"))
    if price is None:
        raise BadPayload(f"Yahoo gave no usable price for {symbol}: {fields.get('regularMarketPrice')!r}")
    at = _instant(fields.get("regularMarketTime"), now)
    if previous_close is not None and _move(previous_close, price) >= _moves(symbol).largest:
        raise BadPayload(f"Yahoo's price for {symbol} is not credible: {price:g} after {previous_close:g}")
    currency = fields.get("currency")
    return Quote(
        symbol=symbol,
        price=price,
        previous_close=previous_close,
        at=at,
        source=SOURCE,
        market_state=state,
        delay_seconds=delay_seconds,
        currency=currency if isinstance(currency, str) and currency else "USD",
    )


def _check_symbol(symbol: str, fields: Mapping[str, object]) -> None:
    answered = fields.get("symbol")
    if answered is not None and str(answered).upper() != symbol:
        raise BadPayload(f"Yahoo answered for {answered} when asked for {symbol}")


def _instant(value: object, now: datetime) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        at = datetime.fromtimestamp(value.timestamp(), UTC)
    else:
        seconds = _positive(value)
        if seconds is None or seconds > 1e11:
            raise BadPayload(f"Yahoo gave a price without a usable time: {value!r}")
        at = datetime.fromtimestamp(seconds, UTC)
    if at > now + FUTURE_TOLERANCE:
        raise BadPayload(f"Yahoo's price is from the future: {at.isoformat()}")
    return at


def _positive(value: object) -> float | None:
    """A finite number above zero, or None; text and truth values are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None


def _delay_seconds(fields: Mapping[str, object]) -> float:
    minutes = fields.get("exchangeDataDelayedBy")
    if isinstance(minutes, int | float) and math.isfinite(minutes) and minutes >= 0:
        return float(minutes) * 60.0
    return USUAL_DELAY_SECONDS if "delayed" in str(fields.get("quoteSourceName", "")).lower() else 0.0


def _state_by_periods(fields: Mapping[str, object], now: datetime) -> MarketState:
    names = {"pre": MarketState.PRE, "regular": MarketState.OPEN, "post": MarketState.POST}
    periods = {name: _period(fields, name) for name in names}
    for name, period in periods.items():
        if period is not None and period[0] <= now < period[1]:
            return names[name]
    return MarketState.CLOSED if periods["regular"] is not None else MarketState.UNKNOWN


def _is_finished(on: date, fields: Mapping[str, object], now: datetime) -> bool:
    """True when the session of that day has closed and its last prints have had time to arrive."""
    regular = _period(fields, "regular")
    zone = _zone(fields)
    if regular is not None and regular[0].astimezone(zone).date() == on:
        return now >= regular[1] + SETTLING
    return now >= datetime.combine(on, ASSUMED_CLOSE, zone) + SETTLING


def _period(fields: Mapping[str, object], name: str) -> tuple[datetime, datetime] | None:
    periods = fields.get("currentTradingPeriod")
    period = periods.get(name) if isinstance(periods, Mapping) else None
    if not isinstance(period, Mapping):
        return None
    start, end = period.get("start"), period.get("end")
    if not (isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo and end.tzinfo):
        return None
    return start, end


def _zone(fields: Mapping[str, object]) -> ZoneInfo:
    try:
        return ZoneInfo(str(fields.get("exchangeTimezoneName") or NEW_YORK.key))
    except (ZoneInfoNotFoundError, ValueError):
        return NEW_YORK
