"""Legs, plans and the situation they are made for."""

import math

import pytest

from tests.builders import a_situation
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import HedgeLeg, HedgePlan
from vaultdash.domain.option import Right


def a_leg(**fields: object) -> HedgeLeg:
    given: dict[str, object] = {"strike": 460.0, "strike_pct": 1.0, "weight": 1.0, "months": 12, **fields}
    return HedgeLeg(right=Right.PUT, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["strike", "strike_pct", "weight", "months"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_every_number_of_a_leg_is_above_zero(name, value):
    with pytest.raises(InvalidInput, match=name):
        a_leg(**{name: value})


def test_years_are_months_by_twelve():
    assert a_leg(months=18).years == 1.5


def test_a_plan_needs_a_leg():
    with pytest.raises(InvalidInput, match="legs must hold at least one"):
        HedgePlan("none", "None", ())


def test_exact_thirds_sum_to_one():
    plan = HedgePlan("ladder", "Ladder", tuple(a_leg(weight=1 / 3) for _ in range(3)))
    assert len(plan.legs) == 3


@pytest.mark.parametrize("weights", [(0.5, 0.4), (0.33, 0.33, 0.33), (0.5, 0.5 + 1e-8)])
def test_weights_that_do_not_sum_to_one_are_refused(weights):
    with pytest.raises(InvalidInput, match="weights must sum to 1"):
        HedgePlan("ladder", "Ladder", tuple(a_leg(weight=weight) for weight in weights))


def test_the_legs_of_a_plan_end_together():
    with pytest.raises(InvalidInput, match="months must be the same"):
        HedgePlan("mixed", "Mixed", (a_leg(weight=0.5), a_leg(weight=0.5, months=6)))


@pytest.mark.parametrize("name", ["spot", "units", "loan_amount", "volatility"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_every_size_of_a_situation_is_above_zero(name, value):
    with pytest.raises(InvalidInput, match=name):
        a_situation(**{name: value})


@pytest.mark.parametrize("value", [0, 1, 1.5, 75, math.nan])
def test_the_limit_of_a_situation_is_a_fraction(value):
    with pytest.raises(InvalidInput, match="margin_call_ltv"):
        a_situation(margin_call_ltv=value)


@pytest.mark.parametrize("months", [0, -1, 61, 1200])
def test_a_tenor_is_one_month_to_five_years(months):
    with pytest.raises(InvalidInput, match="months must be between 1 and 60"):
        a_situation(months=months)


@pytest.mark.parametrize("rate", [4.5, -0.2, math.nan, math.inf])
def test_a_rate_in_per_cent_is_told_how_to_write_it(rate):
    with pytest.raises(InvalidInput, match=r"risk_free_rate .*0\.045 for 4\.5 %"):
        a_situation(rate=rate)


@pytest.mark.parametrize("volatility", [16, 5.1, 0.0005])
def test_a_volatility_in_per_cent_is_told_how_to_write_it(volatility):
    with pytest.raises(InvalidInput, match=r"volatility .*0\.16 for 16 %"):
        a_situation(volatility=volatility)


def test_the_call_price_of_the_brief():
    assert a_situation().margin_call_price == pytest.approx(368.0, abs=1e-9)
    assert a_situation().portfolio_value == pytest.approx(1_000_000.0, abs=1e-6)
