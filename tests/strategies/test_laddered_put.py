"""A ladder is checked when made, and weighs its legs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_situation
from vaultdash.domain.errors import InvalidInput
from vaultdash.strategies.laddered_put import LadderedPut, LadderSpec
from vaultdash.strategies.measure import measure
from vaultdash.strategies.protective_put import ProtectivePut


def test_each_step_becomes_a_leg_at_the_shared_tenor() -> None:
    (plan,) = LadderedPut("l", "L", LadderSpec((0.4, 0.6), (1.0, 0.9))).propose(a_situation(months=9))
    assert [(leg.strike, leg.weight, leg.months) for leg in plan.legs] == [(460.0, 0.4, 9), (414.0, 0.6, 9)]


@pytest.mark.parametrize(
    ("weights", "strike_pcts", "argument"),
    [
        ((0.5, 0.5), (1.0,), "weights"),
        ((0.5, 0.4), (1.0, 0.95), "weights"),
        ((0.5, 0.5 + 1e-8), (1.0, 0.95), "weights"),
        ((1.5, -0.5), (1.0, 0.95), "weights"),
        ((0.5, 0.5), (1.0, 0.0), "strike_pcts"),
        ((), (), "weights"),
    ],
)
def test_a_wrong_ladder_is_refused(weights: tuple[float, ...], strike_pcts: tuple[float, ...], argument: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        LadderSpec(weights, strike_pcts)
    assert refusal.value.argument == argument


def test_exact_thirds_are_accepted() -> None:
    assert LadderSpec((1 / 3, 1 / 3, 1 / 3), (1.0, 0.95, 0.9)).weights[0] == 1 / 3


@settings(deadline=None)  # the first example may load scipy
@given(
    st.floats(0.01, 0.99),
    st.floats(0.7, 1.1),
    st.floats(0.7, 1.1),
    st.floats(0.05, 0.6),
    st.integers(1, 36),
    st.floats(100_000, 900_000),
)
def test_cost_payoff_and_floor_of_a_ladder_are_the_weighted_sums_of_its_legs(
    weight: float, upper: float, lower: float, volatility: float, months: int, loan: float
) -> None:
    situation = a_situation(volatility=volatility, months=months, loan_amount=loan)
    spec = LadderSpec((weight, 1 - weight), (upper, lower))
    ladder = measure(LadderedPut("l", "L", spec).propose(situation)[0], situation)
    one, other = (measure(ProtectivePut("p", "P", pct).propose(situation)[0], situation) for pct in (upper, lower))
    for view, name in (
        ("cost", "total_cost"),
        ("cost", "premium_per_share"),
        ("cost", "annualized_cost_pct"),
        ("protection", "payoff_at_threshold"),
        ("protection", "portfolio_floor_value"),
    ):
        first, second, both = (getattr(getattr(each, view), name) for each in (one, other, ladder))
        assert both == pytest.approx(weight * first + (1 - weight) * second, rel=1e-9, abs=1e-9)
    for first, second, both in zip(one.scenarios, other.scenarios, ladder.scenarios, strict=True):
        expected = weight * first.option_payoff + (1 - weight) * second.option_payoff
        assert both.option_payoff == pytest.approx(expected, rel=1e-9, abs=1e-9)
