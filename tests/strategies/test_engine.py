"""The six strategies compared, from situation to recommendation."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEED_CHANGES, a_situation
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Exercise, RiskProfile
from vaultdash.strategies import STRATEGIES, compare
from vaultdash.strategies.engine import DEFAULT_MONTHS, DEFAULT_PRICE_CHANGES, DEFAULT_RATE, DEFAULT_VOLATILITY
from vaultdash.strategies.leaps import LeapsDurations

SEED_NAMES = [
    "protective_put_atm",
    "protective_put_otm_95",
    "protective_put_otm_90",
    "laddered_put_50_50_atm_otm95",
    "laddered_put_33_33_33_atm_otm95_otm90",
    "lease_duration_analysis",
]
unhurried = settings(deadline=None, max_examples=50)


def test_the_six_of_the_seeds_stand_in_seed_order() -> None:
    assert [strategy.name for strategy in STRATEGIES] == SEED_NAMES
    assert [hedge.plan.name for hedge in compare(a_situation()).hedges] == SEED_NAMES


def test_every_plan_carries_the_name_of_its_strategy() -> None:
    for strategy in STRATEGIES:
        assert {plan.name for plan in strategy.propose(a_situation())} == {strategy.name}


def test_defaults_are_the_seeds() -> None:
    assert (DEFAULT_VOLATILITY, DEFAULT_RATE, DEFAULT_MONTHS) == (0.16, 0.045, 12)
    assert DEFAULT_PRICE_CHANGES == SEED_CHANGES


def test_seed_case_has_the_hedged_ltvs_of_the_formulas() -> None:
    ltvs = [hedge.protection.hedged_ltv_at_threshold for hedge in compare(a_situation()).hedges]
    values = [1_000_000, 950_000, 900_000, 975_000, 950_000, 1_000_000]
    assert ltvs == pytest.approx([600_000 / value for value in values], abs=1e-12)


def test_seed_case_recommends_leaps_for_safety_and_the_90_put_for_cost() -> None:
    chosen = {profile: each.name for profile, each in compare(a_situation()).recommendations.items()}
    assert chosen == {
        RiskProfile.CONSERVATIVE: "lease_duration_analysis",
        RiskProfile.BALANCED: "lease_duration_analysis",
        RiskProfile.COST_SENSITIVE: "protective_put_otm_90",
    }


def test_every_recommendation_ranks_all_six_and_names_the_first() -> None:
    for profile, each in compare(a_situation()).recommendations.items():
        assert each.profile is profile
        assert sorted(line.name for line in each.ranking) == sorted(SEED_NAMES)
        assert each.ranking[0].name == each.name


def test_three_way_ladder_and_95_put_tie_on_ltv_and_the_cheaper_goes_first() -> None:
    ranking = compare(a_situation()).recommendations[RiskProfile.CONSERVATIVE].ranking
    ladder = next(line for line in ranking if line.name == "laddered_put_33_33_33_atm_otm95_otm90")
    put = next(line for line in ranking if line.name == "protective_put_otm_95")
    assert ladder.score == put.score
    assert ranking.index(put) < ranking.index(ladder)


def test_leaps_stand_for_the_tenor_that_is_cheapest_a_year_and_show_all_six() -> None:
    leaps = compare(a_situation()).hedges[-1]
    assert [each.months for each in leaps.durations] == [3, 6, 9, 12, 18, 24]
    assert [each.cost.term_months for each in leaps.durations] == [3, 6, 9, 12, 18, 24]
    cheapest = min(leaps.durations, key=lambda each: each.cost.annualized_cost)
    assert leaps.cost == cheapest.cost
    assert leaps.plan.months == cheapest.months == 24
    assert leaps.scenarios[0].hedge_cost == cheapest.cost.total_cost


def test_at_negative_rates_a_longer_tenor_is_still_chosen_by_cost_a_year() -> None:
    leaps = compare(a_situation(rate=-0.1, volatility=0.01)).hedges[-1]
    assert leaps.cost.annualized_cost == min(each.cost.annualized_cost for each in leaps.durations)
    assert leaps.plan.months == 3


def test_only_leaps_have_durations() -> None:
    assert [bool(hedge.durations) for hedge in compare(a_situation()).hedges] == [False] * 5 + [True]


def test_durations_are_ascending_whatever_the_order_of_the_proposals() -> None:
    class Backwards(LeapsDurations):
        def propose(self, situation):  # type: ignore[no-untyped-def]
            return tuple(reversed(LeapsDurations.propose(self, situation)))

    (hedge,) = compare(a_situation(), [Backwards("b", "B")]).hedges
    assert [each.months for each in hedge.durations] == [3, 6, 9, 12, 18, 24]


def test_american_exercise_costs_more_and_protects_the_same() -> None:
    european, american = (compare(a_situation(exercise=exercise)) for exercise in Exercise)
    for one, other in zip(european.hedges, american.hedges, strict=True):
        assert other.cost.annualized_cost > one.cost.annualized_cost * 1.05
        assert other.protection.hedged_ltv_at_threshold == one.protection.hedged_ltv_at_threshold


def test_a_called_loan_is_compared_and_said_to_be_called() -> None:
    comparison = compare(a_situation(loan_amount=780_000.0))
    assert not any(hedge.protection.maintains_margin_call_buffer for hedge in comparison.hedges)
    for each in comparison.recommendations.values():
        assert each.reason.startswith("The loan is already called: its LTV of 78.0 % has reached the limit of 75.0 %")


def test_a_loan_exactly_on_its_limit_is_called() -> None:
    reason = compare(a_situation(loan_amount=750_000.0)).recommendations[RiskProfile.BALANCED].reason
    assert reason.startswith("The loan is already called")


def test_the_same_situation_gives_the_same_comparison() -> None:
    assert compare(a_situation()) == compare(a_situation())


@pytest.mark.parametrize(
    ("argument", "fields"),
    [
        ("spot", {"spot": 1e300}),
        ("units", {"units": 1e-300}),
        ("loan_amount", {"loan_amount": 1e300}),
        ("portfolio_value", {"spot": 1e10, "units": 1e10}),
        ("margin_call_ltv", {"margin_call_ltv": 1e-300}),
        ("price_changes", {"price_changes": (0.0, float("nan"))}),
    ],
)
def test_sizes_out_of_this_world_are_refused_by_name(argument: str, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        compare(a_situation(**fields))
    assert refusal.value.argument == argument


@unhurried
@given(
    st.floats(10, 5000),
    st.floats(0.05, 1.2),
    st.floats(0.3, 0.95),
    st.floats(0.05, 0.8),
    st.floats(-0.02, 0.12),
    st.integers(1, 60),
)
def test_winners_obey_their_rule_in_any_situation(
    spot: float, ltv: float, limit: float, volatility: float, rate: float, months: int
) -> None:
    comparison = compare(
        a_situation(
            spot=spot,
            units=1000.0,
            loan_amount=ltv * spot * 1000,
            margin_call_ltv=limit,
            volatility=volatility,
            rate=rate,
            months=months,
        )
    )
    hedges = {hedge.plan.name: hedge for hedge in comparison.hedges}
    safest = hedges[comparison.recommendations[RiskProfile.CONSERVATIVE].name]
    cheapest = hedges[comparison.recommendations[RiskProfile.COST_SENSITIVE].name]
    lowest = min(hedge.protection.hedged_ltv_at_threshold for hedge in hedges.values())
    assert safest.protection.hedged_ltv_at_threshold == pytest.approx(lowest, abs=2e-9)
    keepers = [hedge for hedge in hedges.values() if hedge.protection.maintains_margin_call_buffer]
    allowed = keepers or list(hedges.values())
    assert cheapest.cost.annualized_cost == pytest.approx(
        min(each.cost.annualized_cost for each in allowed), rel=1e-6
    )
    assert cheapest in allowed


def test_a_comparison_takes_milliseconds() -> None:
    situation = a_situation()
    compare(situation)
    fastest = min(_seconds(situation) for _ in range(10))
    assert fastest < 0.03  # about 3 ms on an idle machine


def _seconds(situation) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    compare(situation)
    return time.perf_counter() - start
