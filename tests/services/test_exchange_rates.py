"""A loan in another currency is marked at the rate of the beat; without a current one nothing is judged by it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.builders import a_loan, a_portfolio, a_quote
from tests.services.twins import by_one_clock, until
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.loan import Interest
from vaultdash.domain.market import Freshness
from vaultdash.services import heartbeat
from vaultdash.services.exchange_rates import ExchangeRates, rate_words
from vaultdash.services.hedge_advisor import Research

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


class SlowPair:
    """A market in which what a dollar costs comes only after `gate` opens."""

    def __init__(self, market) -> None:
        self.gate = asyncio.Event()
        self._market = market

    async def quote(self, symbol, *, refresh=False):
        if symbol == PAIR:
            await self.gate.wait()
        return await self._market.quote(symbol, refresh=refresh)


async def test_a_rate_that_comes_soon_is_waited_for_and_never_missing_and_later_beats_do_not_wait(swiss, monkeypatch):
    monkeypatch.setattr(heartbeat, "OTHERS_SECONDS", 0.01)
    swiss.prices._provider = slow = SlowPair(swiss.market)
    told = []
    with swiss.heartbeat.feed.heard_by(told.append):
        first = asyncio.create_task(swiss.heartbeat.beat())
        await until(lambda: swiss.prices.known("GLD") is not None)
        await asyncio.sleep(0.05)  # much longer than the others are waited for
        assert told == []
        slow.gate.set()
        await first
        assert [(beat.snapshot.owed, beat.problem) for beat in told] == [(pytest.approx(480_000), None)]
        slow.gate.clear()
        swiss.market.price = 455.0
        second = asyncio.create_task(swiss.heartbeat.beat())
        await until(lambda: len(told) == 2)  # the known rate stands meanwhile
        assert told[1].snapshot.price == 455.0
        slow.gate.set()
        await second


@pytest.mark.parametrize("is_changed", [False, True], ids=["at the first beat", "after a change of currency"])
async def test_a_rate_that_never_comes_holds_up_no_other_loan_longer_than_once(build, monkeypatch, is_changed):
    monkeypatch.setattr(heartbeat, "OTHERS_SECONDS", 0.01)
    kept = []

    async def keep(beat):
        kept.append(set(beat.snapshots))

    house = build(patience=0.05, keep=keep)
    await house.book.open()
    await house.book.add(replace(a_portfolio(), id="second", name="Second"), "test")
    if is_changed:
        await house.heartbeat.beat()
    await house.book.save(in_francs(), "test")
    kept.clear()
    house.prices._provider = SlowPair(house.market)
    for patience in (0.05, 60.0):  # it is waited for in the first beat only
        house.heartbeat._patience = patience
        beating = asyncio.create_task(house.heartbeat.beat())
        await until(lambda: kept != [])
        assert kept == [{"second"}]
        assert "not known yet" in house.heartbeat.feed.latest.problem
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        kept.clear()
    await house.history.aclose()


async def test_a_rate_that_is_late_is_taken_when_it_comes(swiss, monkeypatch):
    monkeypatch.setattr(heartbeat, "OTHERS_SECONDS", 0.01)
    swiss.heartbeat._patience = 0.01
    swiss.prices._provider = slow = SlowPair(swiss.market)
    beating = asyncio.create_task(swiss.heartbeat.beat())
    await until(lambda: swiss.heartbeat.feed.latest is not None and "GLD" in swiss.heartbeat.feed.latest.statuses)
    assert swiss.heartbeat.feed.latest.snapshot is None
    slow.gate.set()
    assert (await beating).snapshot.owed == pytest.approx(480_000)


async def test_a_rate_that_is_missing_is_asked_for_every_interval_even_when_the_market_is_shut(house):
    house.clock.go_on(hours=10)
    house.market.at = house.clock() - timedelta(hours=6)
    await house.book.open()
    await house.book.save(in_francs(), "test")
    assert (await house.heartbeat.beat()).status.freshness is Freshness.CLOSED
    house.market.dollar_costs[PAIR] = francs(house)
    house.clock.go_on(30)
    await house.heartbeat.beat_if_due()
    assert house.heartbeat.feed.latest.snapshot is not None


async def test_a_rate_that_no_loan_needs_any_more_is_forgotten(swiss):
    await swiss.heartbeat.beat()
    await swiss.book.save(a_portfolio(), "test")
    assert set(swiss.heartbeat.feed.latest.statuses) == {"GLD"}
    swiss.clock.go_on(600)
    await swiss.heartbeat.beat()
    assert {name: each.freshness for name, each in swiss.heartbeat.current().statuses.items()} == {
        "GLD": Freshness.LIVE
    }


async def test_why_a_loan_is_not_marked_is_logged_once_until_it_changes(house):
    await house.book.open()
    await house.book.save(in_francs(), "test")

    async def logged() -> int:
        with capture_logs() as logs:
            for _ in range(2):
                await house.heartbeat.beat()
        return [line["event"] for line in logs].count("not_marked")

    assert (await logged(), await logged()) == (1, 0)
    house.market.dollar_costs[PAIR] = francs(house)
    assert await logged() == 0
    await house.book.save(replace(in_francs(), loan=a_loan(480_000, currency="EUR")), "test")
    assert house.heartbeat.feed.latest.snapshot is None
    assert await logged() == 0  # it was when it was saved


async def test_a_rate_that_does_not_come_is_stood_in_for_while_the_gold_is_of_now(impatient):
    impatient.store.save_quote(francs(impatient, 0.75))
    await impatient.book.open()
    await impatient.book.save(in_francs(), "test")
    impatient.market.dollar_costs[PAIR] = francs(impatient)
    impatient.prices._provider = slow = SlowPair(impatient.market)
    beating = asyncio.create_task(impatient.heartbeat.beat())
    await until(lambda: impatient.heartbeat.feed.latest is not None)
    beat = impatient.heartbeat.feed.latest
    assert (beat.statuses["GLD"].quote.source, beat.snapshot.rate.per_dollar) == ("Scripted", 0.75)
    slow.gate.set()
    await beating
    assert impatient.heartbeat.feed.latest.snapshot.rate.per_dollar == 0.80


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


async def test_a_pair_is_no_gold_to_compare_hedges_on(swiss):
    await swiss.heartbeat.beat()
    for symbol in (PAIR, "EUR=X"):
        with pytest.raises(InvalidInput, match="what a dollar costs in"):
            await swiss.advisor.advise(Research(symbol=symbol, spot=0.8))


async def test_a_comparison_says_what_has_accrued(swiss):
    interest = Interest(0.03, 0.01, capitalised=True)
    as_of = swiss.clock().date() - timedelta(days=36)
    loan = a_loan(480_000, currency="CHF", interest=interest, as_of=as_of)
    await swiss.heartbeat.beat()
    await swiss.book.save(replace(a_portfolio(), loan=loan), "test")
    snapshot = (await swiss.advisor.advise(Research(spot=460.0, margin_call_ltv=0.8))).snapshot
    assert snapshot.accrued_interest == pytest.approx(480_000 * 0.04 * 36 / 360 / 0.80)
    assert (snapshot.owed, snapshot.rate.per_dollar) == (pytest.approx(481_920), 0.80)


async def test_a_comparison_says_what_is_owed_in_the_loans_currency(swiss):
    await swiss.heartbeat.beat()
    advice = await swiss.advisor.advise(Research(spot=460.0))
    assert advice.snapshot.portfolio.loan.amount == pytest.approx(600_000)
    assert (advice.snapshot.owed, advice.snapshot.rate.per_dollar) == (pytest.approx(480_000), 0.80)


async def test_a_rate_is_asked_for_where_no_beat_has():
    asked = []

    async def ask(symbol: str) -> None:
        asked.append(symbol)

    rates = ExchangeRates(lambda symbol: a_quote(0.86, symbol, currency="EUR") if symbol == "EUR=X" else None, ask)
    for currency in ("USD", "EUR", "CHF"):
        await rates.learn(currency)
    assert asked == [PAIR]


async def test_a_rate_in_words_has_its_age_and_source(swiss):
    status = (await swiss.heartbeat.beat()).statuses[PAIR]
    assert rate_words(replace(status, age_seconds=300.0)) == (
        "1 USD = 0.8000 CHF, Scripted, 2026-06-10 16:00:00 UTC, 5 minutes old, live"
    )
