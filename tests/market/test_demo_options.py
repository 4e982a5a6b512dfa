"""Options of the demo market: listed like GLD's, without arbitrage, flawed as quotes are, the same for all."""

import itertools
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tests.builders import NOON
from tests.new_york import HOURS
from vaultdash.domain.errors import NotFound, Unavailable
from vaultdash.domain.option import QuoteFlag, Right, years_to_expiry
from vaultdash.market.base import ChainProvider
from vaultdash.market.demo import DemoMarket
from vaultdash.market.demo_listing import expirations, strikes
from vaultdash.market.demo_options import COARSE_TICK, RATE, smile
from vaultdash.pricing import american_price, european

FUNDS = ("GLD", "IAU", "GLDM", "SGOL")
MONTH, YEAR = date(2026, 7, 17), date(2027, 5, 21)
FRIDAY = date(2026, 11, 20)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


CLOCK = Clock()
DEMO = DemoMarket(CLOCK, HOURS, american_price)


@pytest.fixture
def clock():
    CLOCK.now = NOON
    yield CLOCK
    CLOCK.now = NOON


def by_right(chain, right):
    return [quote for quote in chain.quotes if quote.contract.right is right]


async def test_the_demo_market_is_a_provider_of_chains():
    assert isinstance(DEMO, ChainProvider)


async def test_without_a_pricer_there_are_no_options():
    market = DemoMarket(CLOCK, HOURS)
    for asking in (market.expirations("GLD"), market.chain("GLD", MONTH)):
        with pytest.raises(Unavailable, match="without option prices"):
            await asking


@pytest.mark.parametrize("symbol", FUNDS)
async def test_every_fund_has_options_and_they_are_marked_demo(symbol):
    listed = await DEMO.expirations(symbol)
    chain = await DEMO.chain(symbol, MONTH)
    assert listed.underlying == chain.underlying == await DEMO.quote(symbol)
    assert listed.source == chain.source == "DEMO"
    assert chain.is_demo
    assert chain.at == listed.at == NOON
    assert len(chain.quotes) > 20


@pytest.mark.parametrize("symbol", ["^GVZ", "^IRX"])
async def test_what_is_no_fund_has_no_options(symbol):
    with pytest.raises(NotFound, match="no listed options"):
        await DEMO.chain(symbol, MONTH)


async def test_an_expiration_that_is_not_listed_is_named_with_its_neighbours():
    with pytest.raises(NotFound, match=r"2026-07-16 .*2026-07-10 and 2026-07-17"):
        await DEMO.chain("GLD", date(2026, 7, 16))


async def test_another_market_quotes_the_same_at_the_same_instant():
    other = DemoMarket(lambda: NOON, HOURS, american_price)
    assert await other.expirations("GLD") == await DEMO.expirations("GLD")
    assert await other.chain("GLD", MONTH) == await DEMO.chain("GLD", MONTH)


async def test_funds_of_about_the_same_price_have_quotes_of_their_own():
    iau, gldm = [
        {quote.contract.osi[6:]: quote.open_interest for quote in (await DEMO.chain(symbol, MONTH)).quotes}
        for symbol in ("IAU", "GLDM")
    ]
    shared = iau.keys() & gldm.keys()
    assert len(shared) > 20
    assert sum(iau[name] == gldm[name] for name in shared) < len(shared) / 2


# third Fridays, or the day before when New York is shut (Good Friday, Juneteenth, Christmas)
def test_expirations_follow_the_pattern_of_gld():
    days = expirations(FRIDAY, HOURS)
    weekly = [date(2026, 11, 27), date(2026, 12, 4), date(2026, 12, 11), date(2026, 12, 24), date(2027, 1, 8)]
    midweek = [date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 30), date(2026, 12, 2)]
    monthly = [date(2026, 12, 18), date(2027, 2, 19), date(2027, 3, 19), date(2027, 5, 21), date(2027, 6, 17)]
    quarters = [date(2026, 12, 31), date(2027, 3, 31), date(2027, 6, 30), date(2027, 9, 30)]
    januaries = [date(2027, 1, 15), date(2028, 1, 21), date(2029, 1, 19)]
    assert {FRIDAY, *weekly, *midweek, *monthly, *quarters, *januaries} <= set(days)
    assert 22 <= len(days) <= 30


def test_good_friday_and_juneteenth_move_the_monthly_expiration_to_the_day_before():
    assert {date(2025, 4, 17), date(2026, 6, 18), date(2027, 6, 17)} <= {
        day for on in (date(2025, 4, 1), date(2026, 6, 1), date(2027, 6, 1)) for day in expirations(on, HOURS)
    }


def test_options_expire_on_trading_days_only_on_whichever_day_one_looks():
    for on in (date(2026, 1, 1) + timedelta(days=n) for n in range(0, 730, 5)):
        days = expirations(on, HOURS)
        assert days == sorted(set(days))
        assert days[0] >= on
        assert set(days) <= set(HOURS.sessions(days[0], days[-1]))
        assert (days[-1] - on).days > 600


async def test_what_expires_today_is_listed_until_four(clock):
    clock.now = datetime(2026, 6, 12, 19, 59, 59, tzinfo=UTC)
    assert (await DEMO.expirations("GLD")).days[0] == date(2026, 6, 12)
    assert (await DEMO.chain("GLD", date(2026, 6, 12))).quotes
    clock.now += timedelta(seconds=1)
    assert (await DEMO.expirations("GLD")).days[0] == date(2026, 6, 15)
    with pytest.raises(NotFound, match="expired"):
        await DEMO.chain("GLD", date(2026, 6, 12))


def test_strikes_are_a_dollar_apart_near_the_price_and_five_further_out():
    ladder = strikes(440.0, 460.0, 400)
    assert (ladder[0], ladder[-1]) == (220.0, 735.0)
    near = ladder[(ladder >= 420) & (ladder <= 480)]
    assert set(np.diff(near)) == {1.0}
    assert set(np.diff(ladder[ladder < 400])) == {5.0}
    assert strikes(440.0, 460.0, 7)[0] > 350


async def test_strikes_stay_the_same_through_the_day(clock):
    morning = [quote.contract for quote in (await DEMO.chain("GLD", MONTH)).quotes]
    clock.now += timedelta(hours=3)
    assert [quote.contract for quote in (await DEMO.chain("GLD", MONTH)).quotes] == morning


def test_the_smile_is_nearly_symmetric_and_leans_to_calls():
    forward = 460.0 * math.exp(RATE / 12)
    put, middle, call = smile(460.0, forward * np.exp([-0.1, 0.0, 0.1]), 1 / 12, 0.16)
    assert middle == pytest.approx(0.16, abs=0.002)
    assert middle < put < call < put * 1.1


@pytest.mark.parametrize("level", [0.10, 0.16, 0.35])
def test_total_variance_never_falls_with_time(level):
    years = np.geomspace(1e-3, 3.0, 60)
    at_forward = [
        [smile(460.0, np.array([460.0 * math.exp(RATE * time + k)]), time, level)[0] ** 2 * time for time in years]
        for k in (-0.6, -0.2, 0.0, 0.2, 0.4)
    ]
    assert (np.diff(at_forward) > 0).all()


@pytest.mark.parametrize("level", [0.10, 0.16, 0.35])
@pytest.mark.parametrize("years", [2 / 365, 0.1, 1.0, 2.6])
def test_no_butterfly_on_the_smile_has_a_negative_price(years, level):
    ladder = np.arange(230.0, 740.0)
    price = european(460.0, ladder, years, RATE, 0.0, smile(460.0, ladder, years, level), "C").price
    assert (np.diff(price) < 1e-12).all()
    assert (np.diff(price, 2) > -1e-9).all()


@pytest.mark.parametrize("day", [date(2026, 6, 12), MONTH, YEAR, date(2029, 1, 19)])
async def test_mids_leave_no_arbitrage_but_that_of_a_tick(day):
    chain = await DEMO.chain("GLD", day)
    for right, direction in ((Right.CALL, -1), (Right.PUT, 1)):
        quotes = [quote for quote in by_right(chain, right) if quote.mid is not None]
        for lower, upper in itertools.pairwise(quotes):
            step = upper.contract.strike - lower.contract.strike
            gain = direction * (upper.mid - lower.mid)
            assert -COARSE_TICK <= gain <= step + COARSE_TICK
        for low, middle, high in zip(quotes, quotes[1:], quotes[2:], strict=False):
            share = (high.contract.strike - middle.contract.strike) / (high.contract.strike - low.contract.strike)
            assert middle.mid <= share * low.mid + (1 - share) * high.mid + 2 * COARSE_TICK
            assert middle.bid <= share * low.ask + (1 - share) * high.ask  # nobody can trade on it


async def test_no_mid_is_below_what_exercise_pays(clock):
    for day in (date(2026, 6, 12), MONTH, YEAR):
        clock.now += timedelta(minutes=7)  # prices between nickels, too
        chain = await DEMO.chain("GLD", day)
        for quote in chain.quotes:
            sign = 1 if quote.contract.right is Right.CALL else -1
            pays = sign * (chain.underlying.price - quote.contract.strike)
            assert quote.mid is None or quote.mid >= pays - 1e-9


async def test_calls_and_puts_agree_on_the_forward():
    chain = await DEMO.chain("GLD", YEAR)
    spot, years = chain.underlying.price, years_to_expiry(YEAR, NOON)
    for call, put in zip(by_right(chain, Right.CALL), by_right(chain, Right.PUT), strict=True):
        strike = call.contract.strike
        assert call.ask - put.bid >= spot - strike - 1e-9  # American: S - K <= C - P <= S - K exp(-r T)
        assert call.bid - put.ask <= spot - strike * math.exp(-RATE * years) + 1e-9


async def test_a_later_expiration_is_never_cheaper_to_buy_than_an_earlier_one_to_sell():
    days = (await DEMO.expirations("GLD")).days[::6]
    chains = [{quote.contract.osi[12:]: quote for quote in (await DEMO.chain("GLD", day)).quotes} for day in days]
    for earlier, later in itertools.pairwise(chains):
        shared = earlier.keys() & later.keys()
        assert len(shared) > 50
        assert all(later[name].ask >= earlier[name].bid for name in shared)


async def test_prices_are_in_cents_below_three_dollars_and_in_nickels_above():
    for quote in (await DEMO.chain("GLD", MONTH)).quotes:
        for price in (quote.bid, quote.ask):
            cents = price * 100
            assert abs(cents - round(cents)) < 1e-6
            if quote.bid > 3.1:
                assert round(cents) % 5 == 0


async def test_quotes_have_the_flaws_of_real_ones():
    seen = QuoteFlag(0)
    for day in (MONTH, YEAR):
        for quote in (await DEMO.chain("GLD", day)).quotes:
            seen |= quote.flags
            assert quote.ask > quote.bid
    assert seen == QuoteFlag.ZERO_BID | QuoteFlag.WIDE | QuoteFlag.STALE


async def test_what_is_traded_is_near_the_money():
    chain = await DEMO.chain("GLD", MONTH)
    spot = chain.underlying.price
    held = dict.fromkeys((True, False), 0)
    for quote in chain.quotes:
        held[abs(quote.contract.strike / spot - 1) < 0.1] += quote.open_interest
    assert held[True] > 2 * held[False] > 0
    at_the_money = next(quote for quote in chain.quotes if quote.contract.strike > spot)
    assert at_the_money.ask - at_the_money.bid < 0.05 * at_the_money.mid


async def test_open_interest_is_of_the_session_before_and_stands_still(clock):
    noon = await DEMO.chain("GLD", MONTH)
    assert {quote.open_interest_on for quote in noon.quotes} == {date(2026, 6, 9)}
    clock.now += timedelta(hours=3)
    later = await DEMO.chain("GLD", MONTH)
    assert [quote.open_interest for quote in later.quotes] == [quote.open_interest for quote in noon.quotes]
    clock.now = datetime(2026, 6, 14, 16, 0, tzinfo=UTC)  # a Sunday: the prices are of Friday's session
    assert {quote.open_interest_on for quote in (await DEMO.chain("GLD", MONTH)).quotes} == {date(2026, 6, 11)}


async def test_volume_begins_at_the_open_and_grows(clock):
    volumes = []
    for hour, minute in ((13, 29), (14, 0), (16, 0), (20, 0), (22, 0)):
        clock.now = NOON.replace(hour=hour, minute=minute)
        volumes.append(sum(quote.volume for quote in (await DEMO.chain("GLD", MONTH)).quotes))
    assert volumes[0] == 0 < volumes[1] < volumes[2] < volumes[3] == volumes[4]


async def test_last_trades_lie_in_sessions_and_not_ahead():
    for quote in (await DEMO.chain("GLD", MONTH)).quotes:
        assert quote.last_trade_at <= NOON
        assert HOURS.open_seconds(quote.last_trade_at - timedelta(hours=7), quote.last_trade_at) > 0
        is_of_today = quote.last_trade_at.date() == NOON.date()
        assert is_of_today == (quote.volume > 0)


async def test_options_follow_the_price(clock):
    before = await DEMO.chain("GLD", MONTH)
    for _ in range(200):
        clock.now += timedelta(seconds=60)
        if abs((await DEMO.quote("GLD")).price - before.underlying.price) > 1:
            break
    after = await DEMO.chain("GLD", MONTH)
    rose = after.underlying.price > before.underlying.price
    strike = round(before.underlying.price)
    call = {
        chain.at: next(q for q in by_right(chain, Right.CALL) if q.contract.strike == strike).mid
        for chain in (before, after)
    }
    assert (call[after.at] > call[before.at]) is rose
    assert replace(after, at=NOON) != before
