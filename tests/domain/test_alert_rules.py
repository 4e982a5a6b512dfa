"""When a rule is raised, cleared and reminded of, and which of several is told."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON
from vaultdash.domain.alert import (
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    AlertState,
    Reading,
)
from vaultdash.domain.alert_rules import Crossing, decide, is_edited

LTV, HEDGED, PRICE = AlertMetric.LTV, AlertMetric.HEDGED_LTV, AlertMetric.PRICE
RAISED, CLEARED, REMINDED = AlertEventKind.RAISED, AlertEventKind.CLEARED, AlertEventKind.REMINDED
PLAN = AlertPlan(
    (
        AlertRule("70", LTV, 0.70),
        AlertRule("75", LTV, 0.75, AlertSeverity.CALL),
        AlertRule("h70", HEDGED, 0.70),
        AlertRule("h75", HEDGED, 0.75, AlertSeverity.CALL),
        AlertRule("stale", AlertMetric.STALE_DATA, 15.0),
    )
)


class Memory:
    """Decides one reading after the other, keeping the states."""

    def __init__(self, plan: AlertPlan = PLAN) -> None:
        self.plan = plan
        self.states: dict[str, AlertState] = {}
        self.ids: Iterator[int] = itertools.count(1)
        self.at: datetime = NOON

    def __call__(self, **values: float) -> tuple[Crossing, ...]:
        named = {AlertMetric(name): value for name, value in values.items()}
        self.at += timedelta(seconds=30)
        found = decide(self.plan, self.states, Reading(self.at, named, call_ltv=0.75), lambda: str(next(self.ids)))
        self.states.update({state.rule_id: state for state in found.states})
        return found.crossings


def words(crossings: tuple[Crossing, ...]) -> list[tuple[str, str, bool]]:
    return [(each.kind.value, each.rule.id, each.covered) for each in crossings]


def test_reaching_the_threshold_raises_once():
    hold = Memory()
    assert words(hold(ltv=0.6999)) == []
    assert words(hold(ltv=0.70)) == [("raised", "70", False)]
    assert words(hold(ltv=0.71)) == []


def test_a_rounding_error_below_the_threshold_has_reached_it():
    assert words(Memory()(ltv=0.70 - 1e-12)) == [("raised", "70", False)]


def test_it_is_armed_again_a_point_below_and_not_before():
    hold = Memory()
    hold(ltv=0.70)
    assert [words(hold(ltv=value)) for value in (0.695, 0.70, 0.691, 0.705)] == [[], [], [], []]
    assert words(hold(ltv=0.69)) == [("cleared", "70", False)]
    assert words(hold(ltv=0.70)) == [("raised", "70", False)]


def test_a_jump_over_both_raises_both_and_tells_the_higher_one():
    hold = Memory()
    hold(ltv=0.65)
    crossings = hold(ltv=0.80)
    assert words(crossings) == [("raised", "75", False), ("raised", "70", True)]
    assert crossings[0].severity is AlertSeverity.CALL
    assert [each.rule.id for each in crossings[0].covers] == ["70"]


def test_climbing_on_to_the_higher_one_raises_anew():
    hold = Memory()
    hold(ltv=0.71)
    assert words(hold(ltv=0.75)) == [("raised", "75", False)]


def test_both_ltvs_at_once_are_one_message():
    crossings = Memory()(ltv=0.76, hedged_ltv=0.71)
    assert [each.rule.id for each in crossings if not each.covered] == ["75"]
    assert {each.rule.id for each in crossings[0].covers} == {"70", "h70"}


def test_they_are_watched_separately():
    hold = Memory()
    hold(ltv=0.76, hedged_ltv=0.60)
    assert words(hold(ltv=0.76, hedged_ltv=0.71)) == [("raised", "h70", False)]


def test_an_unknown_value_leaves_everything_as_it_is():
    hold = Memory()
    hold(ltv=0.76, hedged_ltv=0.76)
    before = dict(hold.states)
    assert words(hold()) == []
    assert hold.states == before


def test_a_rule_that_is_off_is_silent():
    hold = Memory(AlertPlan((AlertRule("70", LTV, 0.70, is_on=False),)))
    assert words(hold(ltv=0.9)) == []


def test_a_price_falls_to_its_threshold_and_rises_back():
    hold = Memory(AlertPlan((AlertRule("400", PRICE, 400.0), AlertRule("380", PRICE, 380.0))))
    assert words(hold(price=400.01)) == []
    assert words(hold(price=379.0)) == [("raised", "380", False), ("raised", "400", True)]
    assert words(hold(price=403.0)) == [("cleared", "380", False)]
    assert words(hold(price=404.0)) == [("cleared", "400", False)]


def test_an_ltv_at_the_lenders_own_limit_is_a_call_whatever_the_rule_says():
    rule = AlertRule("x", LTV, 0.80, AlertSeverity.WARNING)
    found = decide(AlertPlan((rule,)), {}, Reading(NOON, {LTV: 0.81}, call_ltv=0.78), lambda: "1")
    assert found.crossings[0].severity is AlertSeverity.CALL
    lenient = decide(AlertPlan((rule,)), {}, Reading(NOON, {LTV: 0.81}, call_ltv=0.85), lambda: "1")
    assert lenient.crossings[0].severity is AlertSeverity.WARNING


def test_while_the_lender_may_call_every_ltv_that_is_reached_is_a_call():
    rules = (
        AlertRule("x", LTV, 0.60),
        AlertRule("400", PRICE, 400.0, AlertSeverity.INFO),
        AlertRule("stale", AlertMetric.STALE_DATA, 15.0),
    )
    reading = Reading(NOON, {LTV: 0.61, PRICE: 399.0, AlertMetric.STALE_DATA: 20.0}, call_ltv=0.75, is_called=True)
    found = {each.rule.id: each.severity for each in decide(AlertPlan(rules), {}, reading, lambda: "1").crossings}
    call = AlertSeverity.CALL
    assert found == {"x": call, "400": call, "stale": AlertSeverity.WARNING}


def test_what_may_only_clear_raises_nothing_and_what_may_only_raise_clears_nothing():
    plan = AlertPlan((AlertRule("h70", HEDGED, 0.70),))
    raised = {"h70": AlertState("h70", True, "1", NOON)}

    def kinds(states: dict[str, AlertState], value: float | None, clearing: float | None) -> list[AlertEventKind]:
        values = {} if value is None else {HEDGED: value}
        reading = Reading(NOON, values, clearing={HEDGED: clearing})
        return [each.kind for each in decide(plan, states, reading, lambda: "2").crossings]

    assert kinds({}, None, 0.80) == []
    assert kinds(raised, None, 0.60) == [CLEARED]
    assert kinds({}, 0.80, None) == [RAISED]
    assert kinds(raised, 0.60, None) == []
    assert kinds(raised, 0.60, 0.72) == []


def test_a_raised_rule_whose_threshold_moved_is_raised_anew_or_over():
    plan = AlertPlan((AlertRule("70", LTV, 0.70),))
    known = AlertState("70", True, "1", NOON, acknowledged_at=NOON, snoozed_until=NOON + timedelta(days=1))

    def at(value: float) -> list[tuple[str, str, bool]]:
        return words(decide(plan, {"70": known}, Reading(NOON, {LTV: value}), lambda: "2", {"70"}).crossings)

    assert at(0.71) == [("raised", "70", False)]
    assert at(0.695) == [("cleared", "70", True)]  # the owner had put it off
    assert words(decide(plan, {"70": known}, Reading(NOON, {}), lambda: "2", {"70"}).crossings) == []


def test_a_rule_is_another_one_when_its_severity_or_its_way_back_is():
    before = AlertRule("x", LTV, 0.70)
    for now in (
        replace(before, severity=AlertSeverity.CALL),
        replace(before, rearm=0.03),
        replace(before, metric=HEDGED),
    ):
        assert is_edited(before, now, 0.75)
    assert is_edited(before, replace(before, is_on=False), 0.75)
    assert not is_edited(before, replace(before, rearm=0.01), 0.75)  # which it was
    at_the_call = AlertRule("x", LTV, 0.75)
    assert not is_edited(at_the_call, replace(at_the_call, severity=AlertSeverity.CALL), 0.75)  # which it was


def test_what_was_acknowledged_stays_raised_until_it_is_over():
    hold = Memory()
    hold(ltv=0.71)
    hold.states["70"] = replace(hold.states["70"], acknowledged_at=NOON)
    assert words(hold(ltv=0.72)) == []
    hold(ltv=0.68)
    assert words(hold(ltv=0.71)) == [("raised", "70", False)]
    assert hold.states["70"].acknowledged_at is None


def test_after_a_snooze_the_owner_is_reminded_once_if_it_still_holds():
    hold = Memory()
    hold(ltv=0.71)
    hold.states["70"] = replace(hold.states["70"], snoozed_until=hold.at + timedelta(seconds=45))
    assert words(hold(ltv=0.72)) == []
    assert words(hold(ltv=0.72)) == [("reminded", "70", False)]
    assert words(hold(ltv=0.72)) == []


def test_a_snooze_that_ends_below_the_threshold_waits_until_it_is_beyond_or_over():
    hold = Memory()
    hold(ltv=0.71)
    hold.states["70"] = replace(hold.states["70"], snoozed_until=hold.at)
    assert words(hold(ltv=0.695)) == []
    assert words(hold(ltv=0.705)) == [("reminded", "70", False)]


def test_the_end_of_a_snoozed_alert_is_not_sent():
    hold = Memory()
    hold(ltv=0.71)
    hold.states["70"] = replace(hold.states["70"], snoozed_until=hold.at + timedelta(hours=1))
    assert words(hold(ltv=0.60)) == [("cleared", "70", True)]


def test_what_answers_to_an_alert_names_its_last_message():
    hold = Memory()
    raised = hold(ltv=0.71)[0]
    hold.states["70"] = replace(hold.states["70"], snoozed_until=hold.at)
    reminder = hold(ltv=0.71)[0]
    cleared = hold(ltv=0.60)[0]
    assert reminder.about == raised.event_id
    assert cleared.about == reminder.event_id


@given(st.lists(st.floats(0.5, 0.9), min_size=1, max_size=60))
def test_raises_and_clears_alternate_and_of_each_moment_one_is_told(values: list[float]):
    hold = Memory()
    told: dict[str, list[AlertEventKind]] = {}
    for value in values:
        crossings = hold(ltv=value)
        for kind in (RAISED, CLEARED):
            sent = [each for each in crossings if each.kind is kind and not each.covered]
            assert len(sent) == (1 if any(each.kind is kind for each in crossings) else 0)
        for each in crossings:
            told.setdefault(each.rule.id, []).append(each.kind)
    for kinds in told.values():
        assert kinds == [RAISED, CLEARED] * (len(kinds) // 2) + [RAISED] * (len(kinds) % 2)
