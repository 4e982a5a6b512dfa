"""Every beat is held against the rules, and what follows is written in one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOON, a_portfolio
from tests.services.alert_house import LOAN, UNITS, AlertHouse, a_beat, a_status, price_at
from tests.services.alert_machine import worth
from tests.services.alert_memory import MemoryDatabase
from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    DeliveryState,
    QuietHours,
    usual_plan,
)
from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import DatabaseError, InvalidInput, NotFound, Refused
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Freshness
from vaultdash.domain.portfolio import Portfolio, mark
from vaultdash.domain.position import HedgeMark, MarkBasis
from vaultdash.domain.record import RecordKind
from vaultdash.services.heartbeat import Beat
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.storage.sql import SqlDatabase

RAISED, CLEARED, REMINDED = AlertEventKind.RAISED, AlertEventKind.CLEARED, AlertEventKind.REMINDED


@pytest.fixture
async def house(database: SqlDatabase) -> AlertHouse:
    house = AlertHouse(database)
    await house.keep()
    return house


def rules(events: list[Any]) -> list[tuple[str, str, bool]]:
    return [(event.kind.value, event.rule_id, event.covered) for event in events]


async def test_a_jump_from_65_to_80_raises_the_higher_one_within_one_evaluation(house: AlertHouse):
    await house.ltv(0.65)
    events = await house.ltv(0.80)
    assert rules(events) == [("raised", "ltv-call", False), ("raised", "ltv-warning", True)]
    assert events[0].severity is AlertSeverity.CALL
    assert events[0].title == "Margin call: LTV 80.0 % (limit 75 %)"
    assert (events[0].price, events[0].source) == (pytest.approx(price_at(0.80)), "test")


async def test_a_saw_tooth_around_70_per_cent_for_a_day_raises_and_clears_once():
    house = AlertHouse(MemoryDatabase())  # type: ignore[arg-type]  # a twin
    await house.keep()
    teeth = (0.6995, 0.7005, 0.698, 0.702, 0.6905)
    for tick in range(2 * 60 * 24):
        await house.ltv(teeth[tick % len(teeth)])
        house.clock.go_on(30)
    await house.ltv(0.68)
    assert [event.kind for event in await house.events()] == [RAISED, CLEARED]


async def test_the_crossing_its_event_and_its_messages_are_one_transaction(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1)
    events = await house.ltv(0.76)
    async with house.database.reading() as stored:
        rows = await stored.alerts.deliveries(events[0].id)
        states = await stored.alerts.states("main")
        records = await stored.ltv.between("main")
        assert not await stored.alerts.deliveries(events[1].id)  # covered by the first
    assert [(row.step, row.due_at - NOON, row.key) for row in rows] == [
        (0, timedelta(0), events[0].id),
        (1, timedelta(minutes=5), events[0].id),
    ]
    assert {name for name, state in states.items() if state.is_raised} == {"ltv-warning", "ltv-call"}
    assert [record.kind for record in records] == [RecordKind.CROSSING, RecordKind.HOURLY]


async def test_a_transaction_that_fails_has_raised_nothing_and_the_next_beat_finds_it(house: AlertHouse):
    class Full:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def transaction(self) -> Any:
            raise DatabaseError("the disk is full")

    whole = house.watch._database
    house.watch._database = Full(whole)  # type: ignore[assignment]  # a disk that is full
    with pytest.raises(DatabaseError):
        await house.ltv(0.76)
    assert not house.evaluated
    house.watch._database = whole
    assert len(await house.ltv(0.76)) == 2
    assert len(house.evaluated) == 1


async def test_two_processes_that_see_the_same_crossing_raise_it_once(house: AlertHouse, tmp_path: Path):
    other = AlertHouse(SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}"))  # where `database` is, too
    beat = a_beat(a_status(price_at(0.76)), house.portfolio)
    found = await asyncio.gather(house.watch.evaluate(beat), other.watch.evaluate(beat))
    await other.database.aclose()
    assert sorted(len(events) for events in found) == [0, 2]
    assert len(await house.events(RAISED)) == 2


async def test_events_are_told_after_they_are_written(house: AlertHouse):
    told = await house.ltv(0.76)
    assert house.told == told


async def test_a_stale_price_and_an_invented_one_raise_nothing(house: AlertHouse):
    assert await house.ltv(0.90, freshness=Freshness.STALE) == []
    assert await house.ltv(0.90, source="DEMO") == []
    await house.ltv(0.76)
    assert await house.ltv(0.50, freshness=Freshness.STALE) == []
    assert len(await house.ltv(0.50)) == 2


async def test_the_last_price_of_a_shut_market_raises(house: AlertHouse):
    assert len(await house.ltv(0.76, freshness=Freshness.CLOSED)) == 2


async def test_where_the_demo_market_was_asked_for_its_prices_raise_and_say_so(database: SqlDatabase):
    house = AlertHouse(database, trusts_demo=True)
    await house.keep()
    events = await house.ltv(0.76, source="DEMO")
    assert events[0].title.startswith("DEMO: Margin call")
    assert events[0].is_demo


async def test_rules_with_options_are_silent_while_none_is_held(house: AlertHouse):
    assert {event.metric for event in await house.ltv(0.76)} == {AlertMetric.LTV}


async def test_both_ltvs_crossing_at_once_are_one_message(database: SqlDatabase):
    house = AlertHouse(database, a_portfolio(UNITS, LOAN, hedge_counting=HedgeCounting.AFTER_PAYMENT))
    await house.keep()
    events = await house.ltv(0.76, worth(1_000.0))
    assert len(events) == 4
    sent = [event for event in events if not event.covered]
    assert len(sent) == 1
    assert sent[0].title == "Margin call: LTV with options 75.9 % (limit 75 %)"
    assert "Reached at once: LTV without options 76.0 %, the limit of 70 %." in sent[0].body


COUNTED = a_portfolio(UNITS, LOAN, hedge_counting=HedgeCounting.AFTER_PAYMENT)


@pytest.fixture
async def counted(database: SqlDatabase) -> AlertHouse:
    """A lender who takes what options bring off the loan."""
    house = AlertHouse(database, COUNTED)
    await house.keep()
    return house


def unloaded(contracts: int = 1, value: float = 0.0) -> HedgeMark:
    """One option at what exercise pays while its chain is not loaded."""
    (known,) = worth(value).marks
    held = replace(known.held, contracts=contracts)
    problem = "its chain is not loaded yet; counted at what exercise pays"
    return HedgeMark((replace(known, held=held, basis=MarkBasis.INTRINSIC, problem=problem),))


def for_ltv(alone: float, with_options: float) -> HedgeMark:
    """Options that bring one LTV to another: (L - Pi) / V."""
    return worth(LOAN - with_options * LOAN / alone)


async def test_the_end_of_a_hedge_that_kept_a_call_away_is_a_call(counted: AlertHouse):
    raised = await counted.ltv(0.78, for_ltv(0.78, 0.60))
    assert [event.rule_id for event in raised if not event.covered] == ["ltv-call"]
    assert raised[0].title.startswith("Warning: LTV without options 78.0 %")
    await counted.watch.acknowledge(raised[0].id)
    assert await counted.ltv(0.78, for_ltv(0.78, 0.60)) == []
    events = await counted.ltv(0.78)  # expired, or closed
    assert rules(events) == [("raised", "hedged-ltv-call", False), ("raised", "hedged-ltv-warning", True)]
    assert (events[0].severity, events[0].value) == (AlertSeverity.CALL, pytest.approx(0.78))
    assert events[0].title.startswith("Margin call")
    assert rules(await counted.ltv(0.60))[0][0] == "cleared"


async def test_where_the_lender_ignores_options_their_end_ends_what_they_raised(house: AlertHouse):
    assert len([event for event in await house.ltv(0.76, worth(0.0)) if not event.covered]) == 1
    assert await house.ltv(0.76) == []
    assert len(await house.ltv(0.60)) == 4


async def test_options_that_are_still_being_loaded_raise_nothing_after_a_start(counted: AlertHouse):
    await counted.ltv(0.78, for_ltv(0.78, 0.60))
    counted.restart()
    assert await counted.ltv(0.78, unloaded()) == []
    counted.clock.go_on(minutes=1)
    assert await counted.ltv(0.78, for_ltv(0.78, 0.60)) == []


async def test_options_that_are_not_loaded_minutes_after_a_start_count_at_what_exercise_pays(counted: AlertHouse):
    await counted.ltv(0.78, unloaded())
    counted.clock.go_on(minutes=5)
    events = await counted.ltv(0.78, unloaded())
    assert rules(events)[0] == ("raised", "hedged-ltv-call", False)
    assert "not loaded yet" in events[0].body


async def test_an_option_without_a_certain_value_ends_no_alert(counted: AlertHouse):
    await counted.ltv(0.78)
    sold, bought = unloaded(-1, -1.0), unloaded(1, 200_000.0)
    assert await counted.ltv(0.78, bought) == []
    over = await counted.ltv(0.60, bought)  # whatever it is worth
    assert {event.rule_id for event in over} == {"ltv-call", "ltv-warning", "hedged-ltv-call", "hedged-ltv-warning"}
    await counted.ltv(0.78)
    assert {event.metric for event in await counted.ltv(0.60, sold)} == {AlertMetric.LTV}
    old = HedgeMark(tuple(replace(mark, is_stale=True) for mark in for_ltv(0.745, 0.60).marks))
    assert {event.metric for event in await counted.ltv(0.745, old)} == {AlertMetric.LTV}


async def test_a_close_out_is_told_though_the_call_was_acknowledged_or_put_off(house: AlertHouse):
    call = (await house.ltv(0.76))[0]
    await house.watch.acknowledge(call.id)
    await house.watch.snooze(call.id, house.clock() + timedelta(days=1))
    events = await house.ltv(0.86)
    assert rules(events) == [("raised", "ltv-close-out", False)]
    assert (events[0].title, events[0].severity) == ("Close-out: LTV 86.0 % (limit 85 %)", AlertSeverity.CALL)


async def test_a_margin_call_is_a_call_whatever_the_threshold_that_tells_of_it(house: AlertHouse):
    await house.channel("phone")
    plan = AlertPlan((AlertRule("x", AlertMetric.LTV, 0.70),), QuietHours(time(0), time(23), "UTC"))
    await house.watch.configure("main", plan)
    (event,) = await house.ltv(0.76)
    assert (event.title[:11], event.severity) == ("Margin call", AlertSeverity.CALL)
    await house.outbox.deliver()
    assert len(house.inbox.taken) == 1


async def test_a_warning_of_gold_alone_is_no_call_while_options_keep_it_away(counted: AlertHouse):
    await counted.watch.configure("main", AlertPlan((AlertRule("x", AlertMetric.LTV, 0.70),)))
    (event,) = await counted.ltv(0.78, for_ltv(0.78, 0.60))
    assert (event.title[:7], event.severity) == ("Warning", AlertSeverity.WARNING)


@pytest.mark.parametrize("edit", [{"threshold": 0.73}, {"rearm": 0.03}, {"severity": AlertSeverity.CALL}])
async def test_a_rule_that_is_edited_while_raised_is_raised_anew(house: AlertHouse, edit: dict[str, Any]):
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    (event,) = await house.ltv(0.74)
    await house.watch.acknowledge(event.id)
    await house.watch.configure("main", AlertPlan((replace(rule, **edit),)))
    assert rules(await house.ltv(0.74)) == [("raised", "x", False)]
    assert await house.ltv(0.74) == []


@pytest.mark.parametrize("edit", [{"threshold": 0.73}, {"rearm": 0.03}])
async def test_an_answer_to_what_an_edit_raised_anew_takes_back_the_messages_of_before(
    house: AlertHouse, edit: dict[str, Any]
):
    await house.channel("phone")
    await house.channel("mail", step=1)
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    (before,) = await house.ltv(0.76)
    await house.watch.configure("main", AlertPlan((replace(rule, **edit),)))
    (anew,) = await house.ltv(0.76)
    assert anew.about == before.id
    await house.watch.acknowledge(anew.id)
    assert set(await states_of(house, before.id) + await states_of(house, anew.id)) == {DeliveryState.CANCELLED}


async def test_an_answer_to_what_an_edit_ended_is_none_to_what_it_raised_anew(house: AlertHouse):
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    (before,) = await house.ltv(0.76)
    await house.watch.configure("main", AlertPlan((replace(rule, threshold=0.75),)))
    await house.ltv(0.76)
    await house.watch.acknowledge(before.id)
    assert (await house.watch.states("main"))["x"].acknowledged_at is None


async def test_what_an_edit_ended_is_nothing_to_a_later_raise(house: AlertHouse):
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    await house.ltv(0.72)
    await house.watch.configure("main", AlertPlan((replace(rule, rearm=0.03),)))
    assert await house.ltv(0.65) == []
    (later,) = await house.ltv(0.71)
    assert (later.kind, later.about) == (RAISED, None)


async def test_saving_a_plan_without_a_change_raises_nothing_again(house: AlertHouse):
    await house.ltv(0.76)
    plan = await house.watch.plan("main")
    await house.watch.configure("main", replace(plan, quiet=QuietHours(time(22), time(7))))
    assert await house.ltv(0.76) == []


async def test_a_limit_that_the_lender_moved_is_crossed_anew(house: AlertHouse):
    call = (await house.ltv(0.76))[0]
    await house.watch.acknowledge(call.id)
    house.portfolio = a_portfolio(UNITS, LOAN, warning_ltv=0.72, margin_call_ltv=0.765)
    await house.keep()
    assert rules(await house.ltv(0.76)) == [("cleared", "ltv-call", False), ("raised", "ltv-warning", False)]
    assert rules(await house.ltv(0.77)) == [("raised", "ltv-call", False)]


async def test_a_chance_is_reckoned_with_the_moves_of_the_loans_own_gold(house: AlertHouse):
    used: list[tuple[str, float]] = []

    def chances(snapshot: Any, volatility: float) -> dict[int, float]:
        used.append((snapshot.portfolio.collateral.quoted_by, volatility))
        return {3: 0.5}

    house.watch._probabilities = chances
    ours = replace(a_portfolio(UNITS, LOAN), id="second")
    other = replace(ours, collateral=Collateral((replace(ours.collateral.lots[0], symbol="IAU"),)))
    await house.keep(house.portfolio, other)
    for name in ("main", "second"):
        await house.watch.configure(name, AlertPlan((AlertRule("chance", AlertMetric.PROBABILITY, 0.30),)))

    def beat(**volatilities: float) -> Beat:
        gld, iau = a_status(price_at(0.60)), a_status(price_at(0.60), symbol="IAU")
        made = a_beat(gld, house.portfolio, other)
        return replace(made, statuses={"GLD": gld, "IAU": iau}, volatilities=volatilities)

    events = await house.watch.evaluate(beat(GLD=0.16))
    assert used == [("GLD", 0.16)]  # nothing is reckoned with another's moves
    events += await house.watch.evaluate(beat(GLD=0.16, IAU=0.25))
    assert used[1:] == [("GLD", 0.16), ("IAU", 0.25)]
    assert [event.portfolio_id for event in events] == ["main", "second"]


async def test_a_clock_that_was_set_back_hides_no_missing_price(house: AlertHouse):
    house.clock.go_on(hours=1)
    await house.ltv(0.60)
    house.clock.at = NOON
    stale = a_beat(a_status(500.0, NOON - timedelta(hours=1), freshness=Freshness.STALE), house.portfolio)
    assert await house.watch.evaluate(stale) == ()
    house.clock.go_on(minutes=16)
    assert [event.rule_id for event in await house.watch.evaluate(stale)] == ["stale"]


async def test_fifteen_minutes_of_trading_without_a_fresh_price_raise_and_the_next_one_clears(house: AlertHouse):
    await house.ltv(0.60)
    quote_at = house.clock()
    found = []
    for _ in range(16):
        house.clock.go_on(60)
        status = a_status(500.0, quote_at, freshness=Freshness.STALE, problem="Yahoo does not answer")
        found += await house.watch.evaluate(a_beat(status, house.portfolio, at=house.clock()))
    assert [event.title for event in found] == ["No fresh price of GLD for 15 minutes of trading"]
    assert "Yahoo does not answer" in found[0].body
    assert [event.title for event in await house.ltv(0.60)] == ["Fresh prices of GLD again"]


PER_DOLLAR = 0.80
FRANCS = replace(
    a_portfolio(UNITS, LOAN * PER_DOLLAR, currency="CHF", warning_ltv=0.70), id="francs", name="Loan in francs"
)


def in_two_currencies(house: AlertHouse, rate: QuoteStatus | None, ltv: float = 0.60) -> Beat:
    """A beat at which both loans stand at an LTV; without a rate there is none of the one in francs."""
    gold = a_status(price_at(ltv), house.clock())
    snapshots = {"main": mark(house.portfolio, gold.quote.price, NOON.date())}
    statuses = {"GLD": gold}
    if rate is not None:
        snapshots["francs"] = mark(FRANCS, gold.quote.price, NOON.date(), rate=ExchangeRate.of(rate.quote))
        statuses["CHF=X"] = rate
    return Beat(1, house.clock(), gold, snapshots["main"], 0.16, "test", statuses=statuses, snapshots=snapshots)


def a_rate(at: datetime, per_dollar: float = PER_DOLLAR, **fields: object) -> QuoteStatus:
    return a_status(per_dollar, at, symbol="CHF=X", currency="CHF", **fields)


@pytest.fixture
async def franc_house(house: AlertHouse) -> AlertHouse:
    await house.keep(house.portfolio, FRANCS)
    return house


def by_loan(events: Sequence[AlertEvent], portfolio_id: str = "francs") -> list[tuple[str, str, bool]]:
    return rules([event for event in events if event.portfolio_id == portfolio_id])


async def test_by_an_old_exchange_rate_alerts_are_raised_and_none_is_ended(franc_house: AlertHouse):
    house = franc_house
    assert await house.watch.evaluate(in_two_currencies(house, a_rate(house.clock()))) == ()
    told_at = house.clock()
    old = {"freshness": Freshness.STALE, "problem": "Yahoo does not answer"}
    house.clock.go_on(minutes=10)
    assert await house.watch.evaluate(in_two_currencies(house, a_rate(told_at, **old))) == ()
    house.clock.go_on(minutes=50)
    events = await house.watch.evaluate(in_two_currencies(house, a_rate(told_at, **old), ltv=0.80))
    assert {event.metric for event in events if event.portfolio_id == "main"} == {AlertMetric.LTV}
    call, stale = (event for event in events if event.portfolio_id == "francs" and not event.covered)
    assert (call.title, call.severity) == (
        "Margin call: LTV 80.0 % (limit 75 %) · Loan in francs",
        AlertSeverity.CALL,
    )
    assert call.body.startswith("Judged by an exchange rate of 10 Jun 2026 12:00 New York (60 min old): ")
    assert stale.title == "No fresh exchange rate of the dollar in CHF for 60 minutes of trading · Loan in francs"
    assert stale.severity is AlertSeverity.WARNING
    assert "Why: What a dollar costs in CHF is old (Yahoo does not answer)." in stale.body
    assert "A dollar costs 0.8000 CHF, test, 10 Jun 2026 12:00 New York, 60 min old" in stale.body
    assert "LTV alerts are raised by an exchange rate of 10 Jun 2026 12:00 New York" in stale.body
    quiet = await house.watch.evaluate(in_two_currencies(house, a_rate(told_at, **old)))
    assert {event.portfolio_id for event in quiet} == {"main"}  # which is over, the other one is not
    back = await house.watch.evaluate(in_two_currencies(house, a_rate(house.clock())))
    assert by_loan(back) == [
        ("cleared", "ltv-call", False),
        ("cleared", "ltv-warning", True),
        ("cleared", "stale", False),
    ]


async def test_an_old_rate_ends_no_chance_of_a_call_and_no_edited_alert(franc_house: AlertHouse):
    house = franc_house
    chance, ltv = AlertRule("c", AlertMetric.PROBABILITY, 0.30), AlertRule("l", AlertMetric.LTV, 0.70)
    await house.watch.configure("francs", AlertPlan((chance, ltv)))
    at, house.chances = house.clock(), {3: 0.5}
    fresh = replace(in_two_currencies(house, a_rate(at), 0.72), volatilities={"GLD": 0.16})
    first = [event for event in await house.watch.evaluate(fresh) if event.portfolio_id == "francs"]
    assert rules(first) == [("raised", "l", False), ("raised", "c", False)]
    await house.watch.configure("francs", AlertPlan((chance, replace(ltv, rearm=0.02))))
    house.chances = {3: 0.1}
    stale = a_rate(at, freshness=Freshness.STALE)
    for ltv_now, expected in ((0.60, []), (0.72, [("raised", "l", False)])):
        beat = replace(in_two_currencies(house, stale, ltv_now), volatilities={"GLD": 0.16})
        found = await house.watch.evaluate(beat)
        assert by_loan(found) == expected
    assert next(event for event in found if event.portfolio_id == "francs").about == first[0].id


async def test_beyond_four_days_an_old_rate_raises_no_ltv_but_says_that_the_loan_would_be_called(
    franc_house: AlertHouse,
):
    house, at = franc_house, franc_house.clock()
    stale = a_rate(at, freshness=Freshness.STALE)
    house.clock.go_on(days=4)
    (first,) = await house.watch.evaluate(in_two_currencies(house, stale))
    assert (first.rule_id, first.severity) == ("stale", AlertSeverity.WARNING)
    await house.watch.acknowledge(first.id)
    house.clock.go_on(1)
    events = await house.watch.evaluate(in_two_currencies(house, stale, 1.20))
    assert by_loan(events) == [("raised", "stale", False)]  # anew: the first one told of no call
    (graver,) = (event for event in events if event.portfolio_id == "francs")
    assert graver.severity is AlertSeverity.CALL
    assert graver.title.startswith("Margin call by an old rate? No fresh exchange rate of the dollar in CHF")
    assert "10 Jun 2026 12:00 New York (4 days old) the lender would call: LTV 120.0 % (limit 75 %)" in graver.body
    assert by_loan(await house.watch.evaluate(in_two_currencies(house, stale, 1.20))) == []
    back = await house.watch.evaluate(in_two_currencies(house, a_rate(house.clock()), 0.60))
    assert by_loan(back) == [("cleared", "stale", False)]


async def test_a_loan_that_cannot_be_valued_for_another_reason_is_not_said_to_lack_a_rate(franc_house: AlertHouse):
    house, found = franc_house, ()
    for minutes in (0, 16):
        house.clock.go_on(minutes=minutes)
        beat = in_two_currencies(house, a_rate(house.clock()))
        beat = replace(beat, snapshot=None, snapshots={"main": beat.snapshots["main"]}, problem="No such option")
        found = await house.watch.evaluate(beat)
    (event,) = found
    assert event.title.startswith("No fresh value of the loan for 16 minutes")
    assert "Why: No such option." in event.body
    assert "rate" not in event.body
    assert house.watch.silence(FRANCS, beat) == (
        "No alert on the LTV can be raised now: the loan cannot be valued (No such option)."
    )


@pytest.mark.parametrize("source", [None, "DEMO"])
async def test_a_rate_that_is_unknown_or_invented_is_noticed_beside_a_fresh_price(
    franc_house: AlertHouse, source: str | None
):
    house, found = franc_house, []
    for minutes in (0, 14, 2):
        house.clock.go_on(minutes=minutes)
        rate = None if source is None else a_rate(house.clock(), source=source)
        found = list(await house.watch.evaluate(in_two_currencies(house, rate)))
    (event,) = found
    assert (event.portfolio_id, event.rule_id) == ("francs", "stale")
    assert "exchange rate" in event.title
    assert "LTV 60" not in event.body  # judged by no rate that was invented


async def test_a_price_is_watched_although_the_exchange_rate_is_missing(franc_house: AlertHouse):
    house = franc_house
    await house.watch.configure("francs", AlertPlan((AlertRule("p", AlertMetric.PRICE, 450.0),)))
    events = await house.watch.evaluate(in_two_currencies(house, None, ltv=300.0 / 440.0))
    assert [(event.portfolio_id, event.rule_id) for event in events] == [("francs", "p")]


async def test_why_nothing_can_be_raised_is_told(franc_house: AlertHouse):
    house, at = franc_house, franc_house.clock()

    def silent(beat: Beat, portfolio: Portfolio = house.portfolio) -> str | None:
        return house.watch.silence(portfolio, beat)

    fresh = in_two_currencies(house, a_rate(at))
    assert (silent(fresh), silent(fresh, FRANCS)) == (None, None)
    old = in_two_currencies(house, a_rate(at, freshness=Freshness.STALE))
    assert silent(old) is None
    assert silent(old, FRANCS) == (
        "The LTV is judged by an exchange rate of 10 Jun 2026 12:00 New York (0 s old): it raises alerts and ends "
        "none (What a dollar costs in CHF is old)."
    )
    past = in_two_currencies(house, a_rate(at - timedelta(days=5), freshness=Freshness.STALE))
    assert silent(past, FRANCS) == "No alert on the LTV can be raised now: What a dollar costs in CHF is old."
    invented = a_beat(a_status(460.0, source="DEMO", problem="Yahoo does not answer"), house.portfolio)
    assert silent(invented) == (
        "No alert can be raised now: the price of GLD is invented (DEMO), a real one is missing "
        "(Yahoo does not answer)."
    )
    assert "there is no price of GLD" in str(silent(a_beat(None, problem="no source answered")))
    house.watch._trusts_demo = True
    assert silent(invented) is None


async def test_a_shut_market_is_not_stale(house: AlertHouse):
    await house.ltv(0.60)
    quote_at = house.clock()
    house.clock.at = NOON.replace(hour=20, minute=5)  # it closed five minutes ago
    await house.ltv(0.60)
    for _ in range(8):
        house.clock.go_on(hours=2)
        if house.clock().hour < 13:
            status = a_status(500.0, quote_at, freshness=Freshness.CLOSED)
            assert await house.watch.evaluate(a_beat(status, house.portfolio, at=house.clock())) == ()


async def test_no_price_at_all_since_the_start_is_noticed(house: AlertHouse):
    nothing = a_beat(None, problem="no source answered")
    assert await house.watch.evaluate(nothing) == ()
    house.clock.go_on(minutes=16)
    events = await house.watch.evaluate(nothing)
    assert [event.rule_id for event in events] == ["stale"]
    assert "no source answered" in events[0].body


async def test_an_invented_price_that_stands_in_is_no_fresh_one(house: AlertHouse):
    await house.ltv(0.60, source="DEMO")
    house.clock.go_on(minutes=16)
    events = await house.ltv(0.60, source="DEMO")
    assert [event.rule_id for event in events] == ["stale"]
    assert not events[0].title.startswith("DEMO")
    assert events[0].price is None


async def test_a_chance_of_a_call_is_asked_for_only_where_it_is_watched(house: AlertHouse):
    house.chances = {3: 0.5, 6: 0.2}
    assert await house.ltv(0.60) == []
    rule = AlertRule("chance", AlertMetric.PROBABILITY, 0.30, months=3)
    await house.watch.configure("main", AlertPlan((rule,)))
    assert rules(await house.ltv(0.60)) == [("raised", "chance", False)]


async def test_odds_that_cannot_be_told_leave_the_other_rules_at_work(house: AlertHouse):
    def broken(*_: object) -> dict[int, float]:
        raise InvalidInput("volatility", "must be above zero")

    house.watch._probabilities = broken
    chance = AlertRule("chance", AlertMetric.PROBABILITY, 0.30)
    await house.watch.configure("main", AlertPlan((chance, AlertRule("70", AlertMetric.LTV, 0.70))))
    assert rules(await house.ltv(0.76)) == [("raised", "70", False)]


async def test_words_that_cannot_be_made_hide_no_alert(house: AlertHouse, monkeypatch: pytest.MonkeyPatch):
    def wordless(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("vaultdash.services.alert_watch.told", wordless)
    events = await house.ltv(0.76)
    assert events[0].title == "Alert: LTV at 75 %"


async def test_every_portfolio_is_held_against_its_own_plan(house: AlertHouse):
    second = replace(a_portfolio(UNITS, LOAN * 1.2), id="second", name="The other one")
    await house.keep(second)
    await house.watch.configure("second", AlertPlan((AlertRule("60", AlertMetric.LTV, 0.60),)))
    beat = a_beat(a_status(price_at(0.65)), house.portfolio, second)
    events = await house.watch.evaluate(beat)
    assert [(event.portfolio_id, event.rule_id) for event in events] == [("second", "60")]
    assert events[0].title.endswith("· The other one")


async def test_a_loan_that_is_not_kept_is_watched_no_more(house: AlertHouse):
    stranger = replace(a_portfolio(UNITS, LOAN), id="gone")
    assert await house.watch.evaluate(a_beat(a_status(price_at(0.9)), stranger)) == ()


async def test_the_usual_plan_follows_the_lenders_limits(database: SqlDatabase):
    house = AlertHouse(database, a_portfolio(UNITS, LOAN, warning_ltv=0.55, margin_call_ltv=0.60))
    await house.keep()
    assert rules(await house.ltv(0.56)) == [("raised", "ltv-warning", False)]


async def test_usual_rules_follow_the_lenders_limits_whatever_the_quiet_hours(house: AlertHouse):
    quiet = QuietHours(time(22), time(7))
    await house.watch.configure("main", replace(await house.watch.plan("main"), quiet=quiet))
    house.portfolio = a_portfolio(UNITS, LOAN, warning_ltv=0.55, margin_call_ltv=0.60)
    await house.keep()
    plan = await house.watch.plan("main")
    assert plan == replace(usual_plan(house.portfolio.loan), quiet=quiet)
    assert rules(await house.ltv(0.56)) == [("raised", "ltv-warning", False)]


async def test_rules_of_the_owner_stay_where_they_are_and_can_be_given_up_for_the_usual_ones(house: AlertHouse):
    usual = await house.watch.plan("main")
    own = await house.watch.configure("main", replace(usual, rules=usual.rules[:-1]))
    assert not own.follows_loan
    house.portfolio = a_portfolio(UNITS, LOAN, warning_ltv=0.55, margin_call_ltv=0.60)
    await house.keep()
    assert await house.watch.plan("main") == own
    await house.watch.configure("main", usual_plan(house.portfolio.loan))
    assert (await house.watch.plan("main")).follows_loan
    assert rules(await house.ltv(0.56)) == [("raised", "ltv-warning", False)]


async def test_another_plan_is_kept_and_told(house: AlertHouse):
    plan = AlertPlan((AlertRule("72", AlertMetric.LTV, 0.72),), QuietHours(time(22), time(7), "Europe/Zurich"))
    await house.watch.configure("main", plan)
    assert await house.watch.plan("main") == plan
    (event,) = await house.events(AlertEventKind.CONFIGURED)
    assert event.body.startswith("Watched: LTV at 72 %. Quiet from 22:00")
    assert house.told == [event]


async def test_a_rule_switched_off_and_on_again_is_raised_again(house: AlertHouse):
    on = AlertRule("70", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((on,)))
    await house.ltv(0.72)
    await house.watch.configure("main", AlertPlan((replace(on, is_on=False),)))
    await house.watch.configure("main", AlertPlan((on,)))
    assert rules(await house.ltv(0.72)) == [("raised", "70", False)]


async def test_a_threshold_moved_away_ends_the_alert(house: AlertHouse):
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    await house.ltv(0.72)
    await house.watch.configure("main", AlertPlan((replace(rule, threshold=0.80),)))
    assert rules(await house.ltv(0.72)) == [("cleared", "x", False)]


async def test_a_plan_of_no_portfolio_is_refused(house: AlertHouse):
    with pytest.raises(NotFound):
        await house.watch.configure("nobody", AlertPlan(()))


async def states_of(house: AlertHouse, event_id: str) -> list[DeliveryState]:
    return [row.state for row in await house.outbox.deliveries(event_id)]


async def test_acknowledging_stops_what_waits_and_what_was_told_with_it(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1)
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    answer = await house.watch.acknowledge(call.id)
    assert (answer.kind, answer.about) == (AlertEventKind.ACKNOWLEDGED, call.id)
    assert await states_of(house, call.id) == [DeliveryState.ACCEPTED, DeliveryState.CANCELLED]
    house.clock.go_on(minutes=10)
    await house.outbox.deliver()
    assert len(house.inbox.taken) == 1
    states = await house.watch.states("main")
    assert all(states[name].acknowledged_at == NOON for name in ("ltv-call", "ltv-warning"))
    assert await house.ltv(0.76) == []


async def test_acknowledging_twice_is_the_same_as_once(house: AlertHouse):
    call, _ = await house.ltv(0.76)
    first, second = await house.watch.acknowledge(call.id), await house.watch.acknowledge(call.id)
    assert first == second
    assert len(await house.events(AlertEventKind.ACKNOWLEDGED)) == 1


async def test_what_was_acknowledged_is_raised_again_only_after_it_was_over(house: AlertHouse):
    call, _ = await house.ltv(0.76)
    await house.watch.acknowledge(call.id)
    assert await house.ltv(0.745) == []
    assert rules(await house.ltv(0.735)) == [("cleared", "ltv-call", False)]
    assert rules(await house.ltv(0.75)) == [("raised", "ltv-call", False)]


async def test_a_snooze_reminds_once_when_it_still_holds(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1)
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    await house.watch.snooze(call.id, house.clock() + timedelta(minutes=30))
    house.clock.go_on(minutes=20)
    assert await house.ltv(0.77) == []
    await house.outbox.deliver()
    assert len(house.inbox.taken) == 1  # the step after five minutes was taken back
    house.clock.go_on(minutes=11)
    events = await house.ltv(0.77)
    assert rules(events) == [("reminded", "ltv-call", False), ("reminded", "ltv-warning", True)]
    await house.outbox.deliver()
    assert house.inbox.titles[-1] == "phone: Still: margin call: LTV 77.0 % (limit 75 %)"
    assert await house.ltv(0.77) == []


async def test_a_reminder_can_be_acknowledged_and_put_off_like_the_alert(house: AlertHouse):
    call, _ = await house.ltv(0.76)
    await house.watch.snooze(call.id, house.clock() + timedelta(minutes=1))
    house.clock.go_on(minutes=2)
    reminder = (await house.ltv(0.76))[0]
    await house.watch.snooze(reminder.id, house.clock() + timedelta(minutes=1))
    house.clock.go_on(minutes=2)
    again = (await house.ltv(0.76))[0]
    await house.watch.acknowledge(again.id)
    assert (await house.watch.states("main"))["ltv-call"].acknowledged_at is not None


async def test_while_snoozed_a_higher_limit_is_told_all_the_same(house: AlertHouse):
    (warning,) = await house.ltv(0.71)
    await house.watch.snooze(warning.id, house.clock() + timedelta(days=1))
    assert rules(await house.ltv(0.76)) == [("raised", "ltv-call", False)]


@pytest.mark.parametrize("days", [-1.0, 0.0, 31.0])
async def test_a_snooze_into_the_past_or_for_ever_is_refused(house: AlertHouse, days: float):
    call, _ = await house.ltv(0.76)
    with pytest.raises(InvalidInput, match="until"):
        await house.watch.snooze(call.id, house.clock() + timedelta(days=days))


async def test_what_is_over_cannot_be_put_off(house: AlertHouse):
    call, _ = await house.ltv(0.76)
    cleared = await house.ltv(0.60)
    with pytest.raises(Refused, match="over"):
        await house.watch.snooze(call.id, house.clock() + timedelta(hours=1))
    with pytest.raises(Refused, match="raised"):
        await house.watch.acknowledge(cleared[0].id)
    with pytest.raises(NotFound):
        await house.watch.acknowledge("nothing")


async def test_history_is_read_newest_first_and_before_a_time(house: AlertHouse):
    for ltv in (0.71, 0.60, 0.71):
        await house.ltv(ltv)
        house.clock.go_on(60)
    whole = await house.watch.history("main")
    assert [event.kind for event in whole] == [RAISED, CLEARED, RAISED]
    assert await house.watch.history("main", before=whole[0].at) == whole[1:]
    assert await house.watch.history("other") == []


async def test_an_evaluation_in_which_nothing_happens_writes_no_event(house: AlertHouse):
    for _ in range(5):
        await house.ltv(0.60)
    assert await house.events() == []
