"""Options of the demo market: worth what a pricer says on a smile, quoted with the flaws of real quotes."""

import math
import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vaultdash.clock import NEW_YORK, MarketHours
from vaultdash.domain.market import DEMO_SOURCE, Quote
from vaultdash.domain.option import (
    ListedExpirations,
    OptionChain,
    OptionContract,
    OptionQuote,
    QuoteFlag,
    Right,
    price_flags,
    years_to_expiry,
)
from vaultdash.market.demo_listing import expirations, strikes
from vaultdash.market.demo_path import Floats
from vaultdash.market.listed import current, expired, is_past, not_listed

RATE = 0.0408  # continuously compounded a year: what a 13-week bill at a discount of 4.00 % comes to
DIVIDEND_YIELD = 0.0
SMILE_TILT = 0.08  # rho of the surface: calls a little dearer than puts
SMILE_BEND = 0.7  # eta; eta * (1 + |rho|) <= 2 excludes butterfly arbitrage
LONG_RUN = (0.085, 0.5)  # long-run volatility: a constant and a share of today's
REVERSION_YEARS = 0.25
LEAST_VOLATILITY = 0.06
TICK, COARSE_TICK, COARSE_FROM = 0.01, 0.05, 3.0  # USD
SPREAD_OF_PRICE, SPREAD_OF_VOLATILITY = 0.01, 0.0025  # half spreads
WIDE_SHARE, WIDE_HALF_SPREAD = 0.03, 0.4  # of the contracts, of the price
SESSION_OPENS, SESSION_HOURS = 9.5, 6.5  # New York
LONGEST_CLOSURE = timedelta(days=10)
U64 = npt.NDArray[np.uint64]


class OptionPrices(Protocol):
    """What options are worth, USD per share; arrays of one shape, years of 365 days, rates continuous."""

    def __call__(
        self,
        spot: npt.ArrayLike,
        strike: npt.ArrayLike,
        years: npt.ArrayLike,
        rate: npt.ArrayLike,
        dividend_yield: npt.ArrayLike,
        volatility: npt.ArrayLike,
        right: str | npt.ArrayLike,
    ) -> Floats:
        """`right` is C or P."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a fund stands: its quote, the lowest and highest of its late closes, and the volatility of a month."""

    quote: Quote
    lowest: float
    highest: float
    volatility: float

    @property
    def today(self) -> date:
        """The day in New York."""
        return self.quote.at.astimezone(NEW_YORK).date()


class DemoOptions:
    """Lists and quotes options; the same for the same standing."""

    def __init__(self, hours: MarketHours, prices: OptionPrices) -> None:
        self._hours = hours
        self._prices = prices

    def listed(self, standing: Standing) -> ListedExpirations:
        """The days that have not passed."""
        quote = standing.quote
        return ListedExpirations(quote.symbol, self._days(standing), quote, quote.at, DEMO_SOURCE)

    def chain(self, standing: Standing, expiration: date) -> OptionChain:
        """The contracts of a day; NotListed when it is none of the listed ones."""
        quote = standing.quote
        if is_past(expiration, quote.at):
            raise expired(DEMO_SOURCE, quote.symbol, expiration)
        days = self._days(standing)
        if expiration not in days:
            raise not_listed(DEMO_SOURCE, quote.symbol, expiration, days)
        ladder = strikes(standing.lowest, standing.highest, (expiration - standing.today).days)
        strike = np.repeat(ladder, 2)
        years = years_to_expiry(expiration, quote.at)
        volatility = smile(quote.price, strike, years, standing.volatility)
        rights = [Right.CALL, Right.PUT] * len(ladder)
        fair = self._prices(
            quote.price, strike, years, RATE, DIVIDEND_YIELD, volatility, [right.value for right in rights]
        )
        bid, ask = _quoted(quote, expiration, strike, years, volatility, np.asarray(fair))
        quotes = self._quotes(quote, expiration, strike, fair, bid, ask)
        return OptionChain(quote.symbol, expiration, quote, quotes, quote.at, DEMO_SOURCE)

    def _days(self, standing: Standing) -> tuple[date, ...]:
        return current(expirations(standing.today, self._hours), standing.quote.at)

    def _quotes(
        self, underlying: Quote, expiration: date, strike: Floats, fair: Floats, bid: Floats, ask: Floats
    ) -> tuple[OptionQuote, ...]:
        today = underlying.at.astimezone(NEW_YORK).date()
        sessions = self._hours.sessions(today - 4 * LONGEST_CLOSURE, today)
        session, counted_on = sessions[-1], sessions[-2]
        interest, volume = _activity(underlying, expiration, strike, session)
        passed = _share_of_session(underlying.at, session)
        traded = np.floor(volume * passed).astype(int).tolist()
        chance = _noise(underlying.symbol, expiration, strike, session, "last").tolist()
        last_ticks = np.maximum(np.round(fair * (1 + 0.02 * (np.array(chance) - 0.5)) / TICK), 1)
        rows = zip(
            strike.tolist(),
            bid.tolist(),
            ask.tolist(),
            np.round(last_ticks * TICK, 2).tolist(),
            traded,
            interest.astype(int).tolist(),
            chance,
            strict=True,
        )
        made = []
        for place, (struck, bid_at, ask_at, last, count, open_interest, luck) in enumerate(rows):
            right = Right.PUT if place % 2 else Right.CALL
            back = 0 if count else 1 + int(luck**3 * (len(sessions) - 2))
            last_at = _traded_at(underlying.at, sessions[-1 - back], luck, today_counts=back == 0)
            flags = price_flags(bid_at, ask_at)
            if back > 1:
                flags |= QuoteFlag.STALE
            made.append(
                OptionQuote(
                    OptionContract(underlying.symbol, expiration, struck, right),
                    bid=bid_at,
                    ask=ask_at,
                    bid_size=int(luck * 90) + 1 if bid_at > 0 else 0,
                    ask_size=int(luck * 70) + 1,
                    last=last,
                    last_trade_at=last_at,
                    volume=count,
                    open_interest=open_interest,
                    open_interest_on=counted_on,
                    flags=flags,
                )
            )
        return tuple(made)


def smile(spot: float, strike: Floats, years: float, month_volatility: float) -> Floats:
    """Volatility per sqrt(year) by strike: an SSVI surface, free of arbitrage between strikes and expirations.

    w = theta / 2 * (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)), k = ln(K / F), phi = eta / sqrt(theta (1 +
    theta)) (Gatheral and Jacquier, 2014); theta, the variance at the money, reverts from `month_volatility` to a
    long-run level and never falls with time.
    """
    long_run = (LONG_RUN[0] + LONG_RUN[1] * month_volatility) ** 2
    month = (1 - math.exp(-1 / (12 * REVERSION_YEARS))) * 12 * REVERSION_YEARS
    now = max(long_run + (month_volatility**2 - long_run) / month, LEAST_VOLATILITY**2)
    theta = long_run * years + (now - long_run) * REVERSION_YEARS * (1 - math.exp(-years / REVERSION_YEARS))
    phi = SMILE_BEND / math.sqrt(theta * (1 + theta))
    k = np.log(strike / spot) - (RATE - DIVIDEND_YIELD) * years
    root = np.sqrt((phi * k + SMILE_TILT) ** 2 + 1 - SMILE_TILT**2)
    volatility: Floats = np.sqrt(theta / 2 * (1 + SMILE_TILT * phi * k + root) / years)
    return volatility


def _quoted(
    underlying: Quote, expiration: date, strike: Floats, years: float, volatility: Floats, fair: Floats
) -> tuple[Floats, Floats]:
    """Bid and ask around what options are worth, in cents below 3 USD and in nickels from there; some far apart."""
    spot = underlying.price
    deviation = volatility * math.sqrt(years)
    distance = np.log(strike / spot) / deviation
    vega = spot * math.sqrt(years) * np.exp(-0.5 * distance**2) / math.sqrt(2 * math.pi)
    chance = _noise(underlying.symbol, expiration, strike, underlying.at.astimezone(NEW_YORK).date(), "spread")
    half = np.maximum.reduce(
        [np.full(len(strike), TICK * (1 + chance)), SPREAD_OF_PRICE * fair, SPREAD_OF_VOLATILITY * vega]
    )
    is_wide = (chance < WIDE_SHARE) & (np.abs(distance) > 0.5) & (fair < 0.1 * spot)
    half = np.where(is_wide, np.maximum(half, WIDE_HALF_SPREAD * fair), half)
    tick = np.where(fair < COARSE_FROM, TICK, COARSE_TICK)
    bid = np.maximum(np.round((fair - half) / tick), 0)
    ask = np.round((fair + half) / tick)  # more than bid: the spread is two cents at least, and 2 % from 3 USD on
    is_call = np.arange(len(strike)) % 2 == 0
    intrinsic = np.where(is_call, spot - strike, strike - spot)
    lift = ((bid > 0) & (0.5 * (bid + ask) * tick < intrinsic)).astype(float)  # rounding is no gift
    return np.round((bid + lift) * tick, 2), np.round((ask + lift) * tick, 2)


def _activity(underlying: Quote, expiration: date, strike: Floats, session: date) -> tuple[Floats, Floats]:
    """Open interest, and the volume of a whole session: most near the money, at round strikes, in monthly options."""
    days = (expiration - session).days
    is_monthly = expiration.weekday() in (3, 4) and 14 <= expiration.day <= 21
    deviation = 0.04 + 0.16 * math.sqrt(max(days, 1) / 365)
    # of the previous close, so that open interest stands still while the price moves
    distance = np.log(strike / (underlying.previous_close or underlying.price)) / deviation
    is_call = np.arange(len(strike)) % 2 == 0
    out_of_money = np.where((distance > 0) == is_call, 1.0, 0.35)
    is_round = np.where(strike % 10 == 0, 3.0, np.where(strike % 5 == 0, 1.6, 0.6))
    scale = (4000.0 if is_monthly else 900.0) / (1 + days / 400)
    weight = scale * out_of_money * is_round * np.exp(-0.5 * np.abs(distance) ** 1.5)
    held, traded = (_noise(underlying.symbol, expiration, strike, session, what) for what in ("held", "traded"))
    interest = np.floor(weight * (0.2 + 1.6 * held**2))
    volume = np.floor(weight * 0.25 * traded**3 / (1 + days / 60))
    return interest, volume


def _share_of_session(at: datetime, session: date) -> float:
    local = at.astimezone(NEW_YORK)
    if local.date() != session:
        return 1.0
    hour = local.hour + local.minute / 60 + local.second / 3600
    return min(max((hour - SESSION_OPENS) / SESSION_HOURS, 0.0), 1.0)


def _traded_at(at: datetime, session: date, luck: float, *, today_counts: bool) -> datetime:
    """An instant of a session, for the last one not after `at`."""
    opens = datetime.combine(session, datetime.min.time(), NEW_YORK) + timedelta(hours=SESSION_OPENS)
    lasted = timedelta(hours=SESSION_HOURS)
    if today_counts:
        lasted = min(lasted, max(at - opens, timedelta(0)))
    return (opens + lasted * (1 - luck**2)).astimezone(at.tzinfo).replace(microsecond=0)


def _noise(symbol: str, expiration: date, strike: Floats, day: date, what: str) -> Floats:
    """Numbers in [0, 1) fixed by contract, day and purpose (the splitmix64 finaliser)."""
    seed = zlib.crc32(f"{symbol} {expiration} {day} {what}".encode()) << 32
    place = np.round(strike * 2000).astype(np.uint64) + (np.arange(len(strike)) % 2).astype(np.uint64)
    mixed: U64 = (place + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    share: Floats = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share
