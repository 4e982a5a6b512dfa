"""A whole GLD chain as Yahoo would answer it: some 25 expirations of some 300 contracts, with a smile."""

import math
from datetime import UTC, date, datetime, time
from functools import cache

from tests.market.yahoo_payloads import NEW_YORK, Listing
from tests.new_york import HOURS
from vaultdash.market.demo_listing import expirations, strikes

RATE = 0.0408


@cache
def days(on: date) -> list[date]:
    return expirations(on, HOURS)


def epochs(now: datetime) -> list[int]:
    """Midnight UTC of each day on which options expire."""
    today = now.astimezone(NEW_YORK).date()
    return [int(datetime.combine(day, time(), UTC).timestamp()) for day in days(today)]


def contracts(listing: Listing, expiry: int, now: datetime) -> tuple[list[dict], list[dict]]:
    """Calls and puts; Black-Scholes on a volatility of 16 %, more away from the money; quotes 2 % wide."""
    ladder = strikes(0.95 * listing.price, 1.05 * listing.price, max((expiry - int(now.timestamp())) // 86_400, 0))
    expires_at = datetime.combine(datetime.fromtimestamp(expiry, UTC).date(), time(16), NEW_YORK)
    years = max((expires_at - now).total_seconds(), 60.0) / (365 * 86_400)
    both = {
        right: [_contract(listing, strike, right, expiry, years, now) for strike in ladder.tolist()] for right in "CP"
    }
    return both["C"], both["P"]


def _contract(listing: Listing, strike: float, right: str, expiry: int, years: float, now: datetime) -> dict:
    spot = listing.price
    distance = math.log(strike / spot)
    volatility = 0.16 + 0.05 * distance**2 / years**0.5 + 0.01 * distance
    worth = _worth(spot, strike, years, volatility, right)
    half = max(0.01, 0.01 * worth)
    day = datetime.fromtimestamp(expiry, UTC).strftime("%y%m%d")
    return {
        "contractSymbol": f"{listing.symbol}{day}{right}{round(strike * 1000):08d}",
        "strike": strike,
        "currency": "USD",
        "lastPrice": round(max(worth, 0.01), 2),
        "change": 0.0,
        "percentChange": 0.0,
        "volume": int(400 * math.exp(-abs(distance) * 20)) + 1,
        "openInterest": int(9000 * math.exp(-abs(distance) * 12)),
        "bid": round(max(worth - half, 0.0), 2),
        "ask": round(worth + half, 2),
        "contractSize": "REGULAR",
        "expiration": expiry,
        "lastTradeDate": int(now.timestamp()) - 240,
        "impliedVolatility": round(volatility, 6),
        "inTheMoney": (strike < spot) == (right == "C"),
    }


def _worth(spot: float, strike: float, years: float, volatility: float, right: str) -> float:
    deviation = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + RATE * years) / deviation + deviation / 2
    sign = 1 if right == "C" else -1
    discounted = strike * math.exp(-RATE * years)
    european = sign * (spot * _normal(sign * d1) - discounted * _normal(sign * (d1 - deviation)))
    return max(european, sign * (spot - strike), 0.0)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))
