"""Whoever asks for chains, and however often, prices go on."""

import asyncio
from datetime import date, timedelta

import pytest

from vaultdash.domain.errors import NotFound, RateLimited, Unavailable
from vaultdash.market.base import for_the_record, option_delay
from vaultdash.market.listed import NotListed
from vaultdash.market.yahoo import Limiter
from vaultdash.market.yahoo.listings import MOST_SYMBOLS, Listings

LEAPS = date(2027, 1, 15)
UNLISTED = [date(2026, 8, 1) + timedelta(days=number) for number in range(60)]


async def not_listed(yahoo, day):
    with pytest.raises(NotFound, match=f"no options that expire on {day}.*nearest are of 2026-07-10 and 2027-01-15"):
        await yahoo.chain("GLD", day)


async def test_sixty_unlisted_days_cost_one_request_in_five_minutes(server, yahoo, clock):
    await yahoo.quote("GLD")
    server.forget_requests()
    for day in UNLISTED:
        await not_listed(yahoo, day)
    assert len(server.requests) == 1
    clock.pass_by(299)
    await not_listed(yahoo, UNLISTED[0])
    assert len(server.requests) == 1
    clock.pass_by(1)
    await not_listed(yahoo, UNLISTED[0])
    assert len(server.requests) == 2


async def test_unlisted_days_asked_for_at_once_cost_one_request_too(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    outcomes = await asyncio.gather(*(yahoo.chain("GLD", day) for day in UNLISTED), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotListed, Unavailable}
    assert len(server.requests) == 1


@pytest.mark.parametrize("known_by", ["expirations", "another chain"])
async def test_once_the_days_are_known_an_unlisted_one_is_not_asked_for(server, yahoo, known_by):
    await (yahoo.expirations("GLD") if known_by == "expirations" else yahoo.chain("GLD", LEAPS))
    server.forget_requests()
    await not_listed(yahoo, UNLISTED[0])
    assert server.requests == []
    assert (await yahoo.chain("GLD", LEAPS)).expiration == LEAPS


async def test_the_days_of_an_answer_for_another_symbol_are_not_believed(server, yahoo):
    server.scenario = "other_symbol"
    with pytest.raises(Exception, match="answered for SLV"):
        await yahoo.expirations("GLD")
    server.scenario = "ok"
    server.forget_requests()
    await not_listed(yahoo, UNLISTED[0])
    assert len(server.requests) == 1


def test_the_days_of_so_many_symbols_are_remembered_and_no_more(clock):
    listings = Listings(clock)
    for number in range(MOST_SYMBOLS + 1):
        listings.note(f"S{number}", (LEAPS,))
    assert listings.recent("S0") is None
    assert listings.recent("S1") == listings.recent(f"S{MOST_SYMBOLS}") == (LEAPS,)


def test_chains_have_two_fifths_of_the_hour_and_prices_the_rest(clock):
    limiter = Limiter(per_second=1000, burst=1000, per_hour=300, monotonic=clock)
    for _ in range(120):
        limiter.admit_chain()
        limiter.reserve()
    with pytest.raises(RateLimited, match="share for option chains is used up; prices go on; again in 30 s") as spent:
        limiter.admit_chain()
    assert spent.value.retry_after_seconds == pytest.approx(30.0)
    assert [limiter.reserve() for _ in range(180)] == [0.0] * 180
    clock.pass_by(30.1)
    limiter.admit_chain()


def test_what_a_chain_took_beyond_its_request_is_of_its_share(clock):
    limiter = Limiter(per_hour=300, monotonic=clock)
    limiter.admit_chain()
    limiter.charge(119)
    limiter.admit_chain()
    limiter.charge(118, of_chain=True)
    with pytest.raises(RateLimited, match="prices go on"):
        limiter.admit_chain()


async def test_when_the_share_is_spent_prices_and_recordings_go_on(server, build, clock):
    yahoo = build(limiter=Limiter(per_second=1000, burst=1000, per_hour=30, monotonic=clock))
    await yahoo.quote("GLD")
    for _ in range(12):
        await yahoo.chain("GLD", LEAPS)
    server.forget_requests()
    for attempt in (yahoo.chain("GLD", LEAPS), yahoo.expirations("GLD")):
        with pytest.raises(RateLimited, match="The hour's share for option chains is used up; prices go on"):
            await attempt
    assert server.requests == []
    assert (await yahoo.quote("GLD")).price == 460.0
    with for_the_record():
        assert (await yahoo.expirations("GLD")).first is not None
        assert (await yahoo.chain("GLD", LEAPS)).expiration == LEAPS


async def test_many_unknown_symbols_do_not_take_the_hour_from_the_prices(server, build, clock):
    yahoo = build(limiter=Limiter(per_second=1000, burst=1000, per_hour=300, monotonic=clock))
    await yahoo.quote("GLD")
    server.forget_requests()
    for number in range(60):
        with pytest.raises((NotFound, RateLimited)):
            await yahoo.expirations(f"NOPE{number}")
    assert len(server.requests) < 132
    assert (await yahoo.quote("GLD")).price == 460.0


async def test_eight_chains_may_wait_and_the_next_is_told_at_once(server, yahoo):
    outcomes = await asyncio.gather(*(yahoo.chain("GLD", LEAPS) for _ in range(60)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert {str(refusal) for refusal in refused} == {
        "Yahoo is busy with other option chains; try again in some seconds"
    }
    assert len(refused) == 51
    assert server.paths.count("/v7/finance/options/GLD") == 9


def asked_for(server):
    return [request.query.get("date", "price") for request in server.requests]


async def test_a_price_goes_before_the_chains_that_wait(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    server.delay_seconds = 0.15
    chains = [asyncio.create_task(yahoo.chain("GLD", LEAPS)) for _ in range(6)]
    await asyncio.sleep(0.05)
    await yahoo.quote("GLD")
    server.delay_seconds = 0.0
    await asyncio.gather(*chains)
    assert asked_for(server).index("price") == 1
    assert len(server.requests) == 7


async def test_a_price_waits_for_no_chain_that_is_held_back_by_the_limits(server, build, clock):
    held = asyncio.Event()

    async def sleep(seconds):
        if seconds > 0.5:
            held.set()
            await asyncio.sleep(0.3)
        clock.pass_by(seconds)

    yahoo = build(limiter=Limiter(burst=1, per_second=1.0, monotonic=clock), sleep=sleep)
    with for_the_record():
        chain = asyncio.create_task(yahoo.chain("GLD", LEAPS))
        second = asyncio.create_task(yahoo.chain("GLD", date(2026, 6, 19)))
    await held.wait()
    await asyncio.sleep(0)
    clock.pass_by(10)
    await yahoo.quote("GLD")
    await asyncio.gather(chain, second)
    assert asked_for(server)[-1] != "price"


async def test_what_is_to_be_recorded_goes_before_other_chains(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    server.delay_seconds = 0.15
    chains = [asyncio.create_task(yahoo.chain("GLD", LEAPS)) for _ in range(4)]
    await asyncio.sleep(0.05)
    with for_the_record():
        await yahoo.expirations("GLD")
    server.delay_seconds = 0.0
    await asyncio.gather(*chains)
    assert asked_for(server).index("price") == 1  # the days are asked for as a price is


async def test_yahoo_says_that_its_option_quotes_are_late_and_its_price_need_not_be(yahoo):
    assert option_delay(yahoo) == 900.0
    assert (await yahoo.quote("GLD")).delay_seconds == 0.0
    assert (await yahoo.chain("GLD", LEAPS)).underlying.delay_seconds == 900.0
