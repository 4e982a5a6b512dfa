"""How often Yahoo is asked, and how long it is left alone."""

import asyncio

import pytest

from vaultdash.domain.errors import RateLimited, Unavailable
from vaultdash.market.yahoo import BackOff, Limiter


def test_three_requests_may_go_at_once_and_the_next_waits_a_second(clock):
    limiter = Limiter(monotonic=clock)
    assert [limiter.reserve() for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_waiting_callers_queue_up_a_second_apart(clock):
    limiter = Limiter(monotonic=clock)
    for _ in range(3):
        limiter.reserve()
    assert [limiter.reserve() for _ in range(3)] == [1.0, 2.0, 3.0]


def test_nobody_waits_longer_than_patience(clock):
    limiter = Limiter(monotonic=clock, patience_seconds=2.0)
    for _ in range(5):
        limiter.reserve()
    with pytest.raises(RateLimited) as refusal:
        limiter.reserve()
    assert refusal.value.retry_after_seconds == pytest.approx(3.0)
    clock.pass_by(3.0)
    assert limiter.reserve() == 0.0


def test_at_the_hourly_ceiling_the_caller_is_refused_and_told_when(clock):
    limiter = Limiter(per_second=1000, burst=1000, per_hour=300, monotonic=clock)
    for _ in range(300):
        assert limiter.reserve() == 0.0
    with pytest.raises(RateLimited) as refusal:
        limiter.reserve()
    assert refusal.value.retry_after_seconds == pytest.approx(12.0)
    clock.pass_by(12.1)
    assert limiter.reserve() == 0.0


def test_a_day_of_asking_without_pause_stays_under_the_ceiling(clock):
    limiter = Limiter(monotonic=clock)
    served = 0
    for _ in range(24 * 3600):
        clock.pass_by(1.0)
        try:
            limiter.reserve()
            served += 1
        except RateLimited:
            pass
    assert 24 * 300 <= served <= 25 * 300


def test_requests_made_beyond_the_reserved_one_count(clock):
    limiter = Limiter(monotonic=clock)
    limiter.reserve()
    limiter.charge(6)
    assert limiter.reserve() == 5.0


async def test_the_requests_of_a_first_quote_are_all_counted(server, build, clock):
    yahoo = build(limiter=Limiter(monotonic=clock))
    await yahoo.quote("GLD")
    await yahoo.quote("GLD")
    assert clock.sleeps == [0.0, 1.0]
    assert len(server.requests) == 4


async def test_our_own_ceiling_is_no_refusal_by_yahoo(server, build, clock):
    yahoo = build(limiter=Limiter(monotonic=clock, per_hour=3))
    await yahoo.quote("GLD")
    with pytest.raises(RateLimited, match="as often as we allow") as refusal:
        await yahoo.quote("GLD")
    assert len(server.requests) == 3
    clock.pass_by(refusal.value.retry_after_seconds)
    assert (await yahoo.quote("GLD")).price == 460.0


def test_each_refusal_makes_the_pause_longer_up_to_half_an_hour(clock):
    back_off = BackOff(monotonic=clock, chance=lambda: 0.0)
    assert [back_off.refused() for _ in range(7)] == [60, 120, 300, 900, 1800, 1800, 1800]


def test_the_pause_is_stretched_by_up_to_a_fifth(clock):
    assert BackOff(monotonic=clock, chance=lambda: 0.999).refused() == pytest.approx(72, abs=0.1)


async def test_while_yahoo_refuses_it_is_not_asked_at_all(server, yahoo, clock):
    server.scenario = "429"
    with pytest.raises(RateLimited) as first:
        await yahoo.quote("GLD")
    assert first.value.retry_after_seconds == pytest.approx(66)  # 60 s and half of the jitter
    server.forget_requests()
    server.scenario = "ok"
    clock.pass_by(65)
    for attempt in (yahoo.quote("GLD", refresh=True), yahoo.quote("IAU")):
        with pytest.raises(RateLimited) as refusal:
            await attempt
        assert refusal.value.retry_after_seconds == pytest.approx(1)
    assert server.requests == []
    clock.pass_by(2)
    assert (await yahoo.quote("GLD")).price == 460.0


async def test_refusal_after_refusal_waits_longer_and_success_begins_anew(server, yahoo, clock):
    pauses = []
    for scenario in ("429", "429_crumb", "ok", "429"):
        server.scenario = scenario
        server.rotate_crumb()
        clock.pass_by(2000)
        try:
            await yahoo.quote("GLD")
        except RateLimited as refusal:
            pauses.append(round(refusal.retry_after_seconds))
    assert pauses == [66, 132, 66]


async def test_those_who_waited_for_their_turn_do_not_ask_after_a_refusal(server, yahoo):
    server.scenario = "429"
    outcomes = await asyncio.gather(*(yahoo.quote("GLD") for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RateLimited] * 5
    assert len(server.requests) == 5  # of the first alone


async def test_a_failure_that_is_no_refusal_does_not_hold_back(server, yahoo):
    server.scenario = "500"
    with pytest.raises(Unavailable):
        await yahoo.quote("GLD")
    server.scenario = "ok"
    assert (await yahoo.quote("GLD")).price == 460.0
