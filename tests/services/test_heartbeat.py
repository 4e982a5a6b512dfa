"""Beats when due, stands in, survives, recovers."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.builders import NOON, a_held_put, a_history, a_portfolio, a_quote
from tests.services.twins import by_one_clock, until
from vaultdash.domain.errors import BadPayload, DatabaseError, NotFound, RateLimited, Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Bar, Freshness
from vaultdash.domain.portfolio import Portfolio, Zone
from vaultdash.domain.position import HedgeMark, MarkBasis, OptionMark
from vaultdash.files.whole import locked

CLOSE = datetime(2026, 6, 10, 20, tzinfo=UTC)


@pytest.fixture
def build(build):
    return by_one_clock(build)


async def is_due(house) -> bool:
    before = house.market.asked
    await house.heartbeat.beat_if_due()
    return house.market.asked > before


async def test_a_beat_marks_the_portfolio_and_publishes_it(house):
    beat = await house.heartbeat.beat()
    assert house.heartbeat.feed.latest is beat
    assert (beat.at, beat.status.freshness, beat.problem) == (NOON, Freshness.LIVE, None)
    assert beat.snapshot.ltv == pytest.approx(0.60)
    assert beat.snapshot.margin_call_price == pytest.approx(368.0)


async def test_beats_are_numbered(house):
    assert [(await house.heartbeat.beat()).number for _ in range(3)] == [1, 2, 3]


async def test_a_follower_gets_every_beat_it_waits_for(house):
    beats = house.heartbeat.feed.follow()
    for price in (460.0, 455.0):
        house.market.price = price
        await house.heartbeat.beat()
        assert (await anext(beats)).snapshot.price == price


# when


async def test_the_first_beat_is_due_at_once(house):
    assert await is_due(house)


@pytest.mark.parametrize(("seconds", "due"), [(5, False), (29, False), (30, True), (45, True)])
async def test_an_open_market_is_asked_every_interval(house, seconds, due):
    await house.heartbeat.beat()
    house.clock.go_on(seconds)
    assert await is_due(house) is due


@pytest.mark.parametrize(("seconds", "due"), [(60, False), (299, False), (300, True)])
async def test_around_the_session_the_market_is_asked_every_five_minutes(house, seconds, due):
    house.clock.at, house.market.at = CLOSE + timedelta(minutes=30), CLOSE
    await house.heartbeat.beat()
    house.clock.go_on(seconds)
    assert await is_due(house) is due


@pytest.mark.parametrize(("minutes", "due"), [(6, False), (29, False), (30, True)])
async def test_a_shut_market_is_asked_every_half_hour(house, minutes, due):
    house.clock.at, house.market.at = CLOSE + timedelta(hours=6), CLOSE
    await house.heartbeat.beat()
    house.clock.go_on(minutes=minutes)
    assert await is_due(house) is due


async def test_the_open_ends_the_long_pause(house):
    house.clock.at, house.market.at = datetime(2026, 6, 11, 13, 29, 0, tzinfo=UTC), CLOSE
    await house.heartbeat.beat()
    house.clock.go_on(55)
    assert not await is_due(house)
    house.clock.go_on(5)
    assert await is_due(house)


async def test_a_stale_price_is_asked_for_every_interval_even_when_the_market_is_shut(house):
    house.clock.at, house.market.at = CLOSE + timedelta(hours=6), CLOSE - timedelta(hours=2)
    assert (await house.heartbeat.beat()).status.is_stale
    house.clock.go_on(30)
    assert await is_due(house)


async def test_the_demo_market_never_pauses(house):
    house.clock.at, house.market.source = CLOSE + timedelta(hours=6), "DEMO"
    await house.heartbeat.beat()
    house.clock.go_on(30)
    assert await is_due(house)


async def test_an_interval_longer_than_five_minutes_is_kept_around_the_session(build):
    house = build(interval=600)
    house.clock.at, house.market.at = CLOSE + timedelta(minutes=30), CLOSE
    await house.heartbeat.beat()
    house.clock.go_on(400)
    assert not await is_due(house)
    await house.history.aclose()


async def test_a_beat_under_way_is_not_doubled(house):
    house.market.gate.clear()
    first = asyncio.create_task(house.heartbeat.beat())
    await until(lambda: house.market.asked == 1)
    assert not await is_due(house)
    house.market.gate.set()
    await first
    assert house.market.asked == 1


async def test_a_clock_set_back_neither_stops_the_beats_nor_keeps_the_old_price_live(house):
    await house.heartbeat.beat()
    house.clock.at -= timedelta(hours=1)
    assert house.heartbeat.current().status.freshness is Freshness.STALE
    house.clock.go_on(30)
    house.market.price = 455.0
    assert await is_due(house)
    beat = house.heartbeat.current()
    assert (beat.snapshot.price, beat.status.freshness) == (455.0, Freshness.LIVE)


async def test_a_clock_set_forward_makes_no_beat_due(house):
    await house.heartbeat.beat()
    house.clock.at += timedelta(minutes=20)
    assert not await is_due(house)


async def test_yesterdays_close_is_not_live_after_the_open(house):
    house.clock.at, house.market.at = datetime(2026, 6, 11, 13, 30, 30, tzinfo=UTC), CLOSE
    assert (await house.heartbeat.beat()).status.freshness is Freshness.CLOSED
    house.clock.go_on(30)
    assert house.heartbeat.current().status.freshness is Freshness.CLOSED
    house.clock.go_on(1)
    assert house.heartbeat.current().status.freshness is Freshness.STALE
    house.market.at = None
    assert await is_due(house)
    assert house.heartbeat.current().status.freshness is Freshness.LIVE


# the first answer


async def test_what_is_stored_stands_in_while_the_first_answer_is_slow(impatient):
    impatient.store.save_quote(a_quote(450.0, at=NOON - timedelta(minutes=10)))
    impatient.market.gate.clear()
    beats = impatient.heartbeat.feed.follow()
    beating = asyncio.create_task(impatient.heartbeat.beat())
    stand_in = await asyncio.wait_for(anext(beats), 20)
    assert (stand_in.snapshot.price, stand_in.status.freshness) == (450.0, Freshness.STALE)
    impatient.market.gate.set()
    assert (await beating).snapshot.price == 460.0
    assert impatient.heartbeat.feed.latest.status.freshness is Freshness.LIVE


async def test_a_quick_first_answer_needs_no_stand_in(house):
    house.store.save_quote(a_quote(450.0, at=NOON - timedelta(minutes=10)))
    beat = await house.heartbeat.beat()
    assert (beat.number, beat.snapshot.price) == (1, 460.0)


async def test_nothing_stored_and_a_slow_answer_say_that_there_is_no_price(impatient):
    impatient.market.gate.clear()
    beating = asyncio.create_task(impatient.heartbeat.beat())
    stand_in = await asyncio.wait_for(anext(impatient.heartbeat.feed.follow()), 20)
    assert stand_in.snapshot is None
    assert "nothing is stored for GLD" in stand_in.problem
    impatient.market.gate.set()
    assert (await beating).snapshot is not None


async def test_quote_and_history_are_asked_for_together(house):
    house.market.gate.clear()
    beating = asyncio.create_task(house.heartbeat.beat())
    await until(lambda: house.market.asked == 1 and len(house.market.asked_days) == 1)
    house.market.gate.set()
    await beating


# failure and recovery

FAILURES = [Unavailable("no route"), RateLimited("429"), BadPayload("HTML"), NotFound("GLD is unknown")]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
async def test_a_failing_provider_leaves_the_last_value_which_becomes_stale(house, failure):
    await house.heartbeat.beat()
    house.market.failure = failure
    states = []
    for _ in range(12):  # an hour of five-minute steps
        house.clock.go_on(minutes=5)
        await house.heartbeat.beat_if_due()
        beat = house.heartbeat.current()
        states.append((beat.snapshot.price, beat.status.freshness, beat.status.problem))
    assert set(states) == {(460.0, Freshness.STALE, str(failure))}
    assert beat.status.age_seconds == 3600.0
    assert beat.problem == str(failure)


async def test_without_any_price_the_beat_says_why(house):
    house.market.failure = Unavailable("no route to Yahoo")
    beat = await house.heartbeat.beat()
    assert (beat.snapshot, beat.status, beat.problem) == (None, None, "no route to Yahoo")
    assert beat.daily_sigmas_to_call is None
    assert house.heartbeat.current() is beat


async def test_freshness_is_lost_without_a_beat(house):
    await house.heartbeat.beat()
    house.clock.go_on(61)
    assert house.heartbeat.current().status.freshness is Freshness.STALE
    assert house.heartbeat.feed.latest.status.freshness is Freshness.LIVE  # as it was published


async def test_changed_freshness_is_published(house):
    await house.heartbeat.beat()
    house.clock.go_on(61)
    house.heartbeat.republish()
    latest = house.heartbeat.feed.latest
    assert (latest.status.freshness, latest.status.age_seconds, latest.number) == (Freshness.STALE, 61.0, 1)


async def test_unchanged_freshness_is_not_published_again(house):
    beat = await house.heartbeat.beat()
    house.clock.go_on(45)
    house.heartbeat.republish()
    assert house.heartbeat.feed.latest is beat


async def test_the_close_is_published_as_closed(house):
    house.clock.at = CLOSE - timedelta(seconds=10)
    await house.heartbeat.beat()
    house.clock.go_on(15)
    house.heartbeat.republish()
    assert house.heartbeat.feed.latest.status.freshness is Freshness.CLOSED


def test_before_the_first_beat_there_is_nothing_to_publish(build):
    house = build()
    house.heartbeat.republish()
    assert house.heartbeat.feed.latest is None
    assert house.heartbeat.current() is None


@pytest.mark.parametrize("outage", [1, 60, 600, 3600, 24 * 3600])
async def test_the_house_recovers_within_an_interval_of_the_providers_return(house, outage):
    await house.heartbeat.beat()
    house.market.failure = Unavailable("no route")
    for _ in range(10):
        house.clock.go_on(outage / 10)
        await house.heartbeat.beat_if_due()
        house.heartbeat.republish()
    house.market.failure, house.market.price = None, 455.0
    for _ in range(6):  # one interval in the steps of the job
        house.clock.go_on(5)
        await house.heartbeat.beat_if_due()
    beat = house.heartbeat.current()
    assert (beat.snapshot.price, beat.status.is_stale, beat.problem) == (455.0, False, None)


async def test_a_provider_that_breaks_its_contract_leaves_the_last_value(house):
    await house.heartbeat.beat()
    house.market.failure = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await house.heartbeat.beat()
    house.clock.go_on(90)
    assert (house.heartbeat.current().snapshot.price, house.heartbeat.current().status.is_stale) == (460.0, True)
    house.market.failure = None
    assert (await house.heartbeat.beat()).status.freshness is Freshness.LIVE


async def test_a_cancelled_beat_does_not_block_the_next(house):
    house.market.gate.clear()
    beating = asyncio.create_task(house.heartbeat.beat())
    await until(lambda: house.market.asked == 1)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await until(lambda: house.market.under_way == 0)
    house.market.gate.set()
    assert (await house.heartbeat.beat()).snapshot.price == 460.0


# what it means


async def test_a_fall_moves_the_loan_into_the_call_zone(house):
    await house.heartbeat.beat()
    house.market.price = 368.0
    house.clock.go_on(30)
    beat = await house.heartbeat.beat()
    assert (beat.snapshot.zone, beat.snapshot.is_called) == (Zone.CALL, True)


async def test_too_few_prices_leave_an_assumed_volatility(house):
    house.market.history_failure = house.demo.history_failure = Unavailable("no route")
    beat = await house.heartbeat.beat()
    assert (beat.volatility, beat.volatility_source) == (0.16, "assumed: too few daily prices")
    assert beat.daily_sigmas_to_call == pytest.approx(22.14, abs=0.01)


async def test_volatility_comes_from_stored_prices(house):
    days = house.hours.sessions(date(2026, 3, 1), date(2026, 6, 9))
    house.store.merge_history(a_history({day: 460.0 * (1.01 if n % 2 else 1.0) for n, day in enumerate(days)}))
    beat = await house.heartbeat.beat()
    assert beat.volatility == pytest.approx(0.01 * 252**0.5, rel=0.01)
    assert beat.volatility_source == "EWMA of daily closes to 9 Jun 2026, test"


async def test_a_price_that_never_moves_leaves_an_assumed_volatility(house):
    days = house.hours.sessions(date(2026, 3, 1), date(2026, 6, 9))
    house.store.merge_history(a_history(dict.fromkeys(days, 460.0)))
    beat = await house.heartbeat.beat()
    assert beat.volatility == 0.16
    assert beat.daily_sigmas_to_call > 0


def wavering(house) -> tuple[Bar, ...]:
    days = house.hours.sessions(date(2026, 3, 1), date(2026, 6, 9))
    return tuple(Bar(day, 460.0 * (1.01 if n % 2 else 1.0)) for n, day in enumerate(days))


async def test_invented_moves_are_not_those_of_a_real_price(house):
    house.market.history_failure = Unavailable("no route")
    house.demo.bars = wavering(house)
    beat = await house.heartbeat.beat()
    assert not beat.status.quote.is_demo
    assert (beat.volatility, beat.volatility_source) == (0.16, "assumed: no real daily prices")


async def test_invented_moves_stand_beside_an_invented_price(house):
    house.market.history_failure, house.market.source = Unavailable("no route"), "DEMO"
    house.demo.bars = wavering(house)
    beat = await house.heartbeat.beat()
    assert beat.volatility == pytest.approx(0.01 * 252**0.5, rel=0.01)
    assert beat.volatility_source == "EWMA of daily closes to 9 Jun 2026, DEMO"


async def test_a_locked_disk_delays_no_beat(house):
    with locked(house.store._quotes / ".lock"):
        async with asyncio.timeout(20):
            beat = await house.heartbeat.beat()
    assert (beat.snapshot.price, beat.problem) == (460.0, None)
    await house.prices.aclose()
    assert house.store.load_quote("GLD").price == 460.0


# several portfolios, their options, and a book that changes


def second(symbol: str = "IAU", units: float = 20_000.0, loan: float = 500_000) -> Portfolio:
    return replace(a_portfolio(units, loan, symbol), id="second", name="Second")


async def test_every_portfolio_is_marked_by_the_price_of_its_gold(house):
    await house.book.open()
    await house.book.add(second(), "test")
    await house.book.add(replace(second("XAU-KG", 3.0, 200_000), id="third", name="Third"), "test")
    beat = await house.heartbeat.beat()
    assert set(beat.statuses) == {"GLD", "IAU"}
    assert set(beat.snapshots) == {"main", "second", "third"}
    assert beat.snapshot is beat.snapshots["main"]
    assert beat.status is beat.statuses["GLD"]
    assert beat.snapshots["second"].ltv == pytest.approx(500_000 / (20_000 * 460.0))


async def test_gold_that_no_loan_is_secured_by_any_more_is_forgotten(house):
    await house.book.open()
    await house.book.add(second(), "test")
    assert set((await house.heartbeat.beat()).volatilities) == {"GLD", "IAU"}
    await house.book.remove("second", "test")
    latest = house.heartbeat.feed.latest
    assert (set(latest.statuses), set(latest.volatilities)) == ({"GLD"}, {"GLD"})


async def test_a_slow_price_of_other_gold_does_not_hold_up_the_current_one(house):
    await house.book.open()
    await house.book.add(second(), "test")
    slow = asyncio.Event()
    usual = house.market.quote

    async def quote(symbol: str, *, refresh: bool = False):
        if symbol == "IAU":
            await slow.wait()
        return await usual(symbol, refresh=refresh)

    house.market.quote = quote
    beats = house.heartbeat.feed.follow()
    beating = asyncio.create_task(house.heartbeat.beat())
    first = await asyncio.wait_for(anext(beats), 20)
    assert (set(first.snapshots), first.snapshot.price) == ({"main"}, 460.0)
    slow.set()
    assert set((await asyncio.wait_for(beating, 20)).snapshots) == {"main", "second"}


async def test_a_failure_of_other_gold_is_not_that_of_the_current_portfolio(house):
    await house.book.open()
    await house.book.add(second(), "test")
    usual = house.market.quote

    async def quote(symbol: str, *, refresh: bool = False):
        if symbol == "IAU":
            raise RuntimeError("a bug")
        return await usual(symbol, refresh=refresh)

    house.market.quote = quote
    beat = await house.heartbeat.beat()
    assert (set(beat.snapshots), beat.problem) == ({"main"}, None)


async def test_a_source_that_bears_so_many_requests_is_asked_more_seldom_about_more_gold(build):
    house = build(interval=15, seconds_per_symbol=15.0)
    await house.book.open()
    await house.heartbeat.beat()
    assert house.prices.interval_seconds == 15
    await house.book.add(second(), "test")
    await house.heartbeat.beat()
    assert house.prices.interval_seconds == 30
    await house.history.aclose()


async def test_a_change_in_the_book_is_published_at_once_without_a_request(house):
    await house.book.open()
    before = await house.heartbeat.beat()
    asked = house.market.asked
    loan = replace(house.book.current.loan, amount=500_000.0)
    await house.book.save(replace(house.book.current, loan=loan), "test")
    latest = house.heartbeat.feed.latest
    assert (latest.number, latest.snapshot.ltv, house.market.asked) == (before.number + 1, pytest.approx(0.5), asked)
    assert latest.status.quote is before.status.quote


async def test_a_new_portfolio_of_other_gold_makes_the_next_beat_due(house):
    await house.book.open()
    await house.heartbeat.beat()
    await house.book.add(second(), "test")
    await house.book.choose("second")
    latest = house.heartbeat.feed.latest
    assert (latest.snapshot, latest.problem) == (None, "the price of IAU is being asked for")
    await house.heartbeat.beat_if_due()
    assert house.heartbeat.feed.latest.snapshot.portfolio.id == "second"


class OneMark:
    """A hedge that is always worth the same."""

    def mark(self, portfolio, quote, now):
        return HedgeMark((OptionMark(a_held_put(), MarkBasis.QUOTE, 20.0, 20.0, now, "test"),))


async def test_held_options_are_marked_in_every_beat(build):
    house = build(held=OneMark())
    beat = await house.heartbeat.beat()
    assert beat.snapshot.hedge_value == 500 * 20.0
    assert beat.snapshot.counted(HedgeCounting.AFTER_PAYMENT) == pytest.approx(0.59)
    await house.history.aclose()


# what is kept of a beat


class Keeper:
    """Keeps beats, fails, or never ends."""

    def __init__(self) -> None:
        self.beats: list[int] = []
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, beat) -> None:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.beats.append(beat.number)


async def test_every_beat_is_kept_after_it_was_published(build):
    keeper = Keeper()
    house = build(keep=keeper)
    await house.heartbeat.beat()
    await house.heartbeat.beat()
    assert (keeper.beats, house.heartbeat.keep_problem) == ([1, 2], None)
    await house.history.aclose()


async def test_keeping_that_fails_is_told_once_tried_again_and_stops_no_price(build):
    keeper = Keeper()
    house = build(keep=keeper)
    keeper.failure = DatabaseError("the disk is full")
    with capture_logs() as logs:
        for _ in range(3):
            assert (await house.heartbeat.beat()).snapshot.price == 460.0
        assert "alerts are not raised: the disk is full" in house.heartbeat.keep_problem
        keeper.failure = None
        house.clock.go_on(5)
        await house.heartbeat.beat_if_due()  # no beat is due, but what was not kept is
    assert (keeper.beats, house.heartbeat.keep_problem, house.market.asked) == ([3], None, 3)
    assert [line["event"] for line in logs if "kept" in line["event"]] == ["beat_not_kept", "beat_kept_again"]
    await house.history.aclose()


async def test_keeping_that_never_ends_is_given_up(build):
    keeper = Keeper()
    keeper.gate.clear()
    house = build(keep=keeper, keeping_seconds=0.02)
    async with asyncio.timeout(20):
        await house.heartbeat.beat()
    assert "not done within 0.02 seconds" in house.heartbeat.keep_problem
    await house.history.aclose()


async def test_a_change_in_the_book_is_kept_before_the_next_beat(build):
    keeper = Keeper()
    house = build(keep=keeper)
    await house.book.open()
    await house.heartbeat.beat()
    await house.book.save(replace(house.book.current, name="Another name"), "test")
    house.clock.go_on(5)
    await house.heartbeat.beat_if_due()
    await house.heartbeat.beat_if_due()
    assert (keeper.beats, house.market.asked) == ([1, 2], 1)
    await house.history.aclose()


async def test_what_is_known_is_given_to_be_kept_again_with_its_age_and_without_a_request(build):
    given = []

    async def keep(beat) -> None:
        given.append(beat)

    house = build(keep=keep)
    await house.heartbeat.keep_again()  # nothing is known yet
    await house.heartbeat.beat()
    house.clock.go_on(120)
    await house.heartbeat.keep_again()
    assert [(beat.number, beat.status.age_seconds, beat.status.is_stale) for beat in given] == [
        (1, 0.0, False),
        (1, 120.0, True),
    ]
    assert house.market.asked == 1
    await house.history.aclose()


async def test_what_is_being_asked_for_is_kept_once_and_not_beside_it(build):
    keeper = Keeper()
    house = build(keep=keeper)
    await house.heartbeat.beat()
    house.market.gate.clear()
    beating = asyncio.create_task(house.heartbeat.beat())
    await until(lambda: house.market.asked == 2)
    await house.heartbeat.keep_again()
    assert keeper.beats == [1]
    house.market.gate.set()
    await beating
    assert keeper.beats == [1, 2]
    await house.history.aclose()


async def test_without_anybody_to_keep_it_a_beat_is_published_and_that_is_all(house):
    await house.heartbeat.beat()
    await house.heartbeat.keep_again()
    assert (house.heartbeat.feed.latest.number, house.heartbeat.keep_problem) == (1, None)


async def test_each_gold_has_a_volatility_of_its_own(house):
    for symbol, move in (("GLD", 0.01), ("IAU", 0.02)):
        days = [NOON.date() - timedelta(days=back) for back in range(60, 0, -1)]
        closes = {day: 400.0 * (1.0 + move * (place % 2)) for place, day in enumerate(days)}
        house.store.merge_history(a_history(closes, symbol))
    await house.book.open()
    await house.book.add(second(), "test")
    beat = await house.heartbeat.beat()
    gold, other = (beat.volatility_of(beat.snapshots[name]) for name in ("main", "second"))
    assert gold == beat.volatility
    assert other == pytest.approx(2 * gold, rel=0.02)
