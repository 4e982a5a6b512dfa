"""What an alert rule, quiet hours and a plan may be."""

from datetime import UTC, time

import pytest

from tests.builders import NOON, a_loan
from vaultdash.domain.alert import (
    USUAL_PLAN,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    Channel,
    ChannelKind,
    QuietHours,
    Reading,
    usual_plan,
)
from vaultdash.domain.errors import InvalidInput


def test_a_threshold_in_per_cent_is_told_how_to_write_it():
    with pytest.raises(InvalidInput, match=r"write 0.7 for 70 %"):
        AlertRule("a", AlertMetric.LTV, 70.0)


@pytest.mark.parametrize("threshold", [0.0, -0.1, float("nan"), float("inf"), 1.0])
def test_an_impossible_threshold_is_refused(threshold: float):
    with pytest.raises(InvalidInput, match="threshold"):
        AlertRule("a", AlertMetric.LTV, threshold)


def test_a_rule_that_could_never_be_armed_again_is_refused():
    with pytest.raises(InvalidInput, match="rearm"):
        AlertRule("a", AlertMetric.LTV, 0.7, rearm=0.7)


def test_an_ltv_is_armed_again_one_point_below_and_a_price_above():
    assert AlertRule("a", AlertMetric.LTV, 0.70).rearm_at == pytest.approx(0.69)
    assert AlertRule("a", AlertMetric.PRICE, 400.0).rearm_at == pytest.approx(404.0)
    assert AlertRule("a", AlertMetric.STALE_DATA, 15.0, rearm=5.0).rearm_at == pytest.approx(10.0)


def test_the_usual_plan_is_70_and_75_with_and_without_options():
    found = {(rule.metric, rule.threshold): rule.severity for rule in USUAL_PLAN.rules}
    for metric in (AlertMetric.LTV, AlertMetric.HEDGED_LTV):
        assert found[metric, 0.70] is AlertSeverity.WARNING
        assert found[metric, 0.75] is AlertSeverity.CALL


def test_a_stricter_lender_is_warned_of_at_its_own_limits():
    plan = usual_plan(a_loan(warning_ltv=0.55, margin_call_ltv=0.60))
    assert {rule.threshold for rule in plan.rules if rule.metric is AlertMetric.LTV} == {0.55, 0.60, 0.85}


def test_two_rules_of_one_id_are_refused():
    twice = AlertRule("a", AlertMetric.LTV, 0.7)
    with pytest.raises(InvalidInput, match="rules"):
        AlertPlan((twice, twice))


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "", "America", "../etc/passwd", "Europe/Zurich\0"])
def test_quiet_hours_want_a_time_zone_that_is_one(zone: str):
    with pytest.raises(InvalidInput, match="zone"):
        QuietHours(time(22), time(7), zone)


def test_quiet_hours_that_never_end_are_refused():
    with pytest.raises(InvalidInput, match="ends"):
        QuietHours(time(22), time(22))
    with pytest.raises(InvalidInput, match="begins"):
        QuietHours(time(22, tzinfo=UTC), time(7))


def test_a_value_that_is_no_number_is_not_known():
    rule = AlertRule("a", AlertMetric.PROBABILITY, 0.3, months=6)
    nan = float("nan")
    assert Reading(NOON, {}, {6: nan}).of(rule) is None
    assert Reading(NOON, {}, {3: 0.5}).of(rule) is None
    assert Reading(NOON, {AlertMetric.LTV: nan}).of(AlertRule("b", AlertMetric.LTV, 0.7)) is None


def test_the_address_of_a_channel_is_not_shown():
    channel = Channel("1", ChannelKind.APPRISE, "mail", "mailtos://me:secret@example.org")
    assert "secret" not in repr(channel)
