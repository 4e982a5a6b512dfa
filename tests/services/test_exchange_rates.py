"""A loan in another currency is marked at the rate of the beat; without a current one nothing is judged by it."""

from dataclasses import replace

import pytest

from tests.builders import a_loan, a_portfolio, a_quote
from tests.services.twins import by_one_clock
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.market import Freshness

PAIR = "CHF=X"


@pytest.fixture
def build(build):
    return by_one_clock(build)


def in_francs(amount: float = 480_000.0):
    return replace(a_portfolio(), loan=a_loan(amount, currency="CHF"))


def francs(house, price: float = 0.80, **fields: object):
    return a_quote(price, PAIR, house.clock(), source="Scripted", currency="CHF", **fields)


@pytest.fixture
async def swiss(house):
    house.market.dollar_costs[PAIR] = francs(house)
    await house.book.open()
    await house.book.save(in_francs(), "test")
    return house


async def test_a_beat_asks_for_the_rate_and_marks_by_it(swiss):
    beat = await swiss.heartbeat.beat()
    assert set(beat.statuses) == {"GLD", PAIR}
    assert beat.snapshot.ltv == pytest.approx(0.60)
    assert beat.snapshot.owed == pytest.approx(480_000)
    assert (beat.snapshot.rate.per_dollar, beat.snapshot.rate.source) == (0.80, "Scripted")
    assert (beat.status.freshness, beat.problem) == (Freshness.LIVE, None)


async def test_a_move_of_the_rate_alone_moves_ltv(swiss):
    await swiss.heartbeat.beat()
    swiss.clock.go_on(30)
    swiss.market.dollar_costs[PAIR] = francs(swiss, 0.70)
    beat = await swiss.heartbeat.beat()
    assert beat.snapshot.ltv == pytest.approx(0.60 * 0.8 / 0.7)


async def test_an_old_rate_makes_the_whole_stale(swiss):
    await swiss.heartbeat.beat()
    swiss.clock.go_on(3600)
    beat = await swiss.heartbeat.beat()  # gold is of now, what a dollar costs is not
    assert beat.statuses["GLD"].freshness is Freshness.LIVE
    assert beat.status.is_stale
    assert "a dollar costs in CHF is old" in beat.problem
    assert swiss.heartbeat.current().status.is_stale


async def test_without_a_rate_nothing_is_marked_and_the_reason_is_told(house):
    await house.book.open()
    await house.book.save(in_francs(), "test")
    beat = await house.heartbeat.beat()
    assert (beat.snapshot, dict(beat.snapshots)) == (None, {})
    assert "what a dollar costs in CHF is not known yet" in beat.problem
    with pytest.raises(Unavailable, match="CHF"):
        house.book.mark(house.book.current, 460.0, house.clock().date())


async def test_a_changed_currency_is_asked_for_at_the_next_beat(house):
    await house.book.open()
    await house.heartbeat.beat()
    house.market.dollar_costs[PAIR] = francs(house)
    await house.book.save(in_francs(), "test")
    house.clock.go_on(1)
    await house.heartbeat.beat_if_due()
    assert house.heartbeat.feed.latest.snapshot.owed == pytest.approx(480_000)


async def test_a_price_in_another_currency_than_the_pairs_is_refused(swiss):
    swiss.market.dollar_costs[PAIR] = replace(francs(swiss), currency="EUR")
    beat = await swiss.heartbeat.beat()
    assert beat.snapshot is None


async def test_a_loan_above_its_gold_is_refused_by_the_rate(swiss):
    await swiss.heartbeat.beat()
    with pytest.raises(InvalidInput, match="below 100 %"):
        await swiss.book.save(in_francs(900_000), "test")
    await swiss.book.save(in_francs(790_000), "test")  # 987,500 USD on a million


async def test_what_is_compared_for_the_loan_is_in_dollars(swiss):
    beat = await swiss.heartbeat.beat()
    portfolio, own = swiss.book.priced_by("GLD", 460.0, beat.snapshot.on)
    assert own
    assert portfolio.loan.amount == pytest.approx(600_000)
