"""What Yahoo's option and chart endpoints answer, with every field yfinance reads."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
RANGE_DAYS = {"1d": 1, "5d": 5, "1mo": 22, "3mo": 64, "6mo": 128, "1y": 252}
HISTORY_DAYS = 60


@dataclass(frozen=True)
class Listing:
    """A symbol the server knows."""

    symbol: str
    price: float
    kind: str = "ETF"
    has_options: bool = True
    name: str = ""
    currency: str = "USD"

    @property
    def is_pair(self) -> bool:
        """Two currencies: traded from Monday to Friday around the clock of London, without volume."""
        return self.kind == "CURRENCY"

    @property
    def zone(self) -> ZoneInfo:
        return LONDON if self.is_pair else NEW_YORK


def listings(price: float) -> dict[str, Listing]:
    known = (
        Listing("GLD", price, name="SPDR Gold Shares"),
        Listing("IAU", round(price * 0.2046, 2), name="iShares Gold Trust"),
        Listing("GLDM", round(price * 0.2153, 2), name="SPDR Gold MiniShares Trust"),
        Listing("SGOL", round(price * 0.1040, 2), name="abrdn Physical Gold Shares ETF"),
        Listing("NEM", 96.4, kind="EQUITY", name="Newmont Corporation"),
        Listing("PHYS", 31.2, kind="EQUITY", has_options=False, name="Sprott Physical Gold Trust"),
        Listing("^GVZ", 18.42, kind="INDEX", has_options=False, name="CBOE Gold Volatility Index"),
        Listing("CHF=X", 0.8123, kind="CURRENCY", has_options=False, name="USD/CHF", currency="CHF"),
    )
    return {listing.symbol: listing for listing in known}


def closes(listing: Listing, now: datetime, days: int = HISTORY_DAYS) -> list[tuple[date, float]]:
    """Weekdays to today, oldest first; today's is the price."""
    today = now.astimezone(NEW_YORK).date()
    weekdays = [day for back in range(2 * days) if (day := today - timedelta(days=back)).weekday() < 5][:days]
    digits = 4 if listing.is_pair else 2
    moves = [round(listing.price * (1 + 0.02 * math.sin(0.3 * back)), digits) for back in range(len(weekdays))]
    return list(zip(weekdays, moves, strict=True))[::-1]


def previous_close(listing: Listing, now: datetime) -> float:
    """The close before the last session, which on a weekend is Thursday's."""
    return closes(listing, now)[-2][1]


def quote_fields(listing: Listing, now: datetime, *, state: str = "REGULAR", at: datetime | None = None) -> dict:
    close = previous_close(listing, now)
    at = at or now - timedelta(seconds=5)
    return {
        "language": "en-US",
        "region": "US",
        "quoteType": listing.kind,
        "typeDisp": listing.kind,
        "quoteSourceName": "Nasdaq Real Time Price",
        "triggerable": True,
        "currency": listing.currency,
        "symbol": listing.symbol,
        "shortName": listing.name,
        "longName": listing.name,
        "marketState": state,
        "exchange": "CCY" if listing.is_pair else "PCX",
        "fullExchangeName": "CCY" if listing.is_pair else "NYSEArca",
        "exchangeTimezoneName": listing.zone.key,
        "exchangeTimezoneShortName": "EDT",
        "gmtOffSetMilliseconds": -14400000,
        "exchangeDataDelayedBy": 0,
        "sourceInterval": 15,
        "priceHint": 2,
        "tradeable": False,
        "regularMarketPrice": listing.price,
        "regularMarketTime": int(at.timestamp()),
        "regularMarketPreviousClose": close,
        "regularMarketChange": round(listing.price - close, 4),
        "regularMarketChangePercent": round(100 * (listing.price / close - 1), 5),
        "regularMarketOpen": close,
        "regularMarketDayHigh": round(listing.price * 1.004, 2),
        "regularMarketDayLow": round(listing.price * 0.996, 2),
        "regularMarketVolume": 7_654_321,
        "bid": round(listing.price - 0.02, 2),
        "ask": round(listing.price + 0.02, 2),
        "bidSize": 8,
        "askSize": 10,
        "preMarketPrice": round(listing.price * 1.01, 2),
        "preMarketTime": int(at.timestamp()),
        "postMarketPrice": round(listing.price * 0.99, 2),
        "postMarketTime": int(at.timestamp()),
        "fiftyTwoWeekHigh": round(listing.price * 1.1, 2),
        "fiftyTwoWeekLow": round(listing.price * 0.7, 2),
        "firstTradeDateMilliseconds": 1100788200000,
        "hasPrePostMarketData": True,
        "esgPopulated": False,
    }


def option_payload(
    listing: Listing, fields: dict, now: datetime, expiry: int | None = None, *, whole: bool = False
) -> dict:
    """`/v7/finance/options/SYMBOL`: the quote, all expiries and the contracts of one; `whole` as many as GLD has."""
    expiries = _expiries(now) if listing.has_options else []
    if whole and expiries:
        from tests.market import yahoo_chain

        expiries = yahoo_chain.epochs(now)
    strikes = [round(listing.price * step) for step in (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1)]
    chosen = expiry if expiry in expiries else (expiries[0] if expiries else None)
    options = []
    if chosen is not None:
        calls, puts = ([_contract(listing, strike, right, chosen, now) for strike in strikes] for right in "CP")
        if whole:
            calls, puts = yahoo_chain.contracts(listing, chosen, now)
            strikes = [contract["strike"] for contract in calls]
        options = [{"expirationDate": chosen, "hasMiniOptions": False, "calls": calls, "puts": puts}]
    result = {
        "underlyingSymbol": listing.symbol,
        "expirationDates": expiries,
        "strikes": strikes if expiries else [],
        "hasMiniOptions": False,
        "quote": fields,
        "options": options,
    }
    return {"optionChain": {"result": [result], "error": None}}


def chart_payload(
    listing: Listing, days: Iterable[tuple[date, float | None]], fields: dict, now: datetime, *, span: str
) -> dict:
    """`/v8/finance/chart/SYMBOL`, daily; today's bar bears the time of its last trade, as Yahoo does it."""
    rows = list(days)
    today = now.astimezone(NEW_YORK).date()
    last_trade = fields.get("regularMarketTime")
    opens = time() if listing.is_pair else time(9, 30)
    stamps = [last_trade if day == today and last_trade else _epoch(day, opens, listing.zone) for day, _ in rows]
    values = [close for _, close in rows]
    meta = {
        "currency": listing.currency,
        "symbol": listing.symbol,
        "exchangeName": "CCY" if listing.is_pair else "PCX",
        "fullExchangeName": "CCY" if listing.is_pair else "NYSEArca",
        "instrumentType": listing.kind,
        "firstTradeDate": 1100788200,
        "regularMarketTime": last_trade,
        "hasPrePostMarketData": True,
        "gmtoffset": -14400,
        "timezone": "EDT",
        "exchangeTimezoneName": listing.zone.key,
        "regularMarketPrice": fields.get("regularMarketPrice"),
        "fiftyTwoWeekHigh": fields.get("fiftyTwoWeekHigh"),
        "fiftyTwoWeekLow": fields.get("fiftyTwoWeekLow"),
        "regularMarketDayHigh": fields.get("regularMarketDayHigh"),
        "regularMarketDayLow": fields.get("regularMarketDayLow"),
        "regularMarketVolume": fields.get("regularMarketVolume"),
        "longName": listing.name,
        "shortName": listing.name,
        "chartPreviousClose": round(listing.price * 0.93, 2),
        "priceHint": 2,
        "currentTradingPeriod": _round_the_clock(today)
        if listing.is_pair
        else {
            "pre": _period(today, time(4), time(9, 30)),
            "regular": _period(today, time(9, 30), time(16)),
            "post": _period(today, time(16), time(20)),
        },
        "dataGranularity": "1d",
        "range": span,
        "validRanges": VALID_RANGES,
    }
    quote = {
        "open": [_scaled(value, 0.998) for value in values],
        "high": [_scaled(value, 1.006) for value in values],
        "low": [_scaled(value, 0.994) for value in values],
        "close": values,
        "volume": [
            None if value is None else (6_000_000 if listing.currency == "USD" and listing.kind != "INDEX" else 0)
            for value in values
        ],
    }
    indicators = {"quote": [quote], "adjclose": [{"adjclose": values}]}
    result = {"meta": meta, "timestamp": stamps, "indicators": indicators}
    if not rows:
        result = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    return {"chart": {"result": [result], "error": None}}


def not_found(endpoint: str) -> dict:
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    return {endpoint: {"result": [] if endpoint == "optionChain" else None, "error": error}}


def unauthorized() -> dict:
    return {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}


def _expiries(now: datetime) -> list[int]:
    """The next Fridays and a January LEAPS, midnight UTC."""
    today = now.astimezone(NEW_YORK).date()
    friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
    leaps = date(today.year + 1, 1, 15)
    days = [friday, friday + timedelta(days=7), friday + timedelta(days=28), leaps]
    return sorted(int(datetime.combine(day, time(), UTC).timestamp()) for day in days)


def _contract(listing: Listing, strike: float, right: str, expiry: int, now: datetime) -> dict:
    in_money = strike < listing.price if right == "C" else strike > listing.price
    worth = max(listing.price - strike if right == "C" else strike - listing.price, 0.0) + 0.02 * listing.price
    day = datetime.fromtimestamp(expiry, UTC).strftime("%y%m%d")
    return {
        "contractSymbol": f"{listing.symbol}{day}{right}{round(strike * 1000):08d}",
        "strike": float(strike),
        "currency": "USD",
        "lastPrice": round(worth, 2),
        "change": 0.1,
        "percentChange": 1.2,
        "volume": 120,
        "openInterest": 4500,
        "bid": round(worth * 0.98, 2),
        "ask": round(worth * 1.02, 2),
        "contractSize": "REGULAR",
        "expiration": expiry,
        "lastTradeDate": int((now - timedelta(minutes=4)).timestamp()),
        "impliedVolatility": 0.17,
        "inTheMoney": in_money,
    }


def _period(day: date, start: time, end: time) -> dict:
    return {"timezone": "EDT", "start": _epoch(day, start), "end": _epoch(day, end), "gmtoffset": -14400}


def _round_the_clock(day: date) -> dict:
    """The periods of a pair: nothing before and nothing after the regular one, which is the whole day."""
    begin, end = _epoch(day, time(), LONDON), _epoch(day, time(23, 59), LONDON)
    spans = {"pre": (begin, begin), "regular": (begin, end), "post": (end, end)}
    return {
        name: {"timezone": "BST", "start": first, "end": last, "gmtoffset": 3600}
        for name, (first, last) in spans.items()
    }


def _epoch(day: date, at: time, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime.combine(day, at, zone).timestamp())


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 4)
