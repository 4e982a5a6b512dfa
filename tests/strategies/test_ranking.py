"""The order for each profile, ties, and what the reason says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_situation
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import RiskProfile
from vaultdash.strategies.ranking import Candidate, rank, recommend

CONSERVATIVE, BALANCED, COST_SENSITIVE = RiskProfile.CONSERVATIVE, RiskProfile.BALANCED, RiskProfile.COST_SENSITIVE


def a_candidate(name: str, ltv: float, cost: float, keeps: bool = True) -> Candidate:
    return Candidate(name, ltv, cost * 1_000_000, cost, keeps)


SAFE = a_candidate("safe", 0.60, 0.043)
MIDDLE = a_candidate("middle", 0.63, 0.025)
CHEAP = a_candidate("cheap", 0.67, 0.014)
BARE = a_candidate("bare", 0.75, 0.001, keeps=False)
FIELD = (SAFE, MIDDLE, CHEAP, BARE)


def names(profile: RiskProfile, *field: Candidate) -> list[str]:
    return [each.name for each in rank(field, profile)]


def test_conservative_takes_the_lowest_ltv_first() -> None:
    assert names(CONSERVATIVE, BARE, CHEAP, SAFE, MIDDLE) == ["safe", "middle", "cheap", "bare"]


def test_conservative_breaks_a_tie_by_cost() -> None:
    assert names(CONSERVATIVE, SAFE, a_candidate("leaps", 0.60, 0.025)) == ["leaps", "safe"]


def test_cost_sensitive_takes_the_cheapest_that_keeps_the_buffer() -> None:
    assert names(COST_SENSITIVE, *FIELD) == ["cheap", "middle", "safe", "bare"]


def test_cost_sensitive_breaks_a_tie_by_ltv() -> None:
    assert names(COST_SENSITIVE, a_candidate("worse", 0.70, 0.014), CHEAP) == ["cheap", "worse"]


def test_cost_sensitive_ranks_all_by_cost_when_none_keeps_the_buffer() -> None:
    field = (a_candidate("dear", 0.75, 0.02, keeps=False), BARE)
    assert names(COST_SENSITIVE, *field) == ["bare", "dear"]


def test_balanced_weighs_both_columns_by_half_over_their_range() -> None:
    ranking = rank((SAFE, MIDDLE, CHEAP), BALANCED)
    scores = {each.name: each.score for each in ranking}
    assert scores["safe"] == pytest.approx(0.5)
    assert scores["cheap"] == pytest.approx(0.5)
    assert scores["middle"] == pytest.approx(0.5 * 0.03 / 0.07 + 0.5 * 0.011 / 0.029)
    assert ranking[0].name == "middle"


def test_balanced_breaks_a_tie_by_cost() -> None:
    assert names(BALANCED, SAFE, MIDDLE, CHEAP) == ["middle", "cheap", "safe"]


def test_a_column_in_which_all_are_equal_counts_nothing() -> None:
    same = [a_candidate(name, 0.75, cost) for name, cost in (("a", 0.03), ("b", 0.01), ("c", 0.02))]
    assert [(each.name, each.score) for each in rank(same, BALANCED)] == [("b", 0.0), ("c", 0.25), ("a", 0.5)]
    twins = [a_candidate("x", 0.6, 0.02), a_candidate("y", 0.6, 0.02)]
    assert [(each.name, each.score) for each in rank(twins, BALANCED)] == [("x", 0.0), ("y", 0.0)]


def test_full_ties_keep_the_given_order() -> None:
    twins = (a_candidate("first", 0.6, 0.02), a_candidate("second", 0.6, 0.02))
    for profile in RiskProfile:
        assert names(profile, *twins) == ["first", "second"]
        assert names(profile, *reversed(twins)) == ["second", "first"]


def test_scores_are_the_ltv_or_the_cost_as_a_fraction() -> None:
    assert rank(FIELD, CONSERVATIVE)[0].score == 0.60
    assert rank(FIELD, COST_SENSITIVE)[0].score == 0.014
    line = rank(FIELD, CONSERVATIVE)[0]
    assert (line.hedged_ltv_at_threshold, line.annualized_cost, line.maintains_margin_call_buffer) == (
        0.60,
        43_000.0,
        True,
    )


def test_an_empty_field_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        rank((), BALANCED)
    assert refusal.value.argument == "strategies"


@given(
    st.lists(st.tuples(st.floats(0.3, 0.9), st.floats(0.001, 0.2), st.booleans()), min_size=1, max_size=8),
    st.sampled_from(RiskProfile),
)
def test_the_winner_is_never_beaten_on_both_counts(
    field: list[tuple[float, float, bool]], profile: RiskProfile
) -> None:
    candidates = [a_candidate(str(place), *row) for place, row in enumerate(field)]
    ranking = rank(candidates, profile)
    assert sorted(each.name for each in ranking) == sorted(each.name for each in candidates)
    winner = candidates[int(ranking[0].name)]
    for each in candidates:
        if profile is COST_SENSITIVE and not each.keeps_buffer:
            continue
        assert not (
            each.hedged_ltv < winner.hedged_ltv - 1e-9
            and each.annualized_cost_pct < winner.annualized_cost_pct - 1e-9
        )


def test_conservative_reason_names_ltv_and_cost() -> None:
    reason = recommend(FIELD, CONSERVATIVE, a_situation()).reason
    assert reason == (
        "Lowest LTV of the four at the margin-call price: 60.0 % with the payoff counted as collateral; "
        "costs 4.30 % of the gold a year."
    )


def test_shared_lowest_ltv_is_said_to_be_shared() -> None:
    reason = recommend((*FIELD, a_candidate("leaps", 0.60, 0.025)), CONSERVATIVE, a_situation()).reason
    assert "which two of the five reach, and the cheapest of these at 2.50 % of the gold a year" in reason


def test_cost_sensitive_reason_says_how_many_keep_the_buffer() -> None:
    situation = a_situation()
    some = recommend(FIELD, COST_SENSITIVE, situation).reason
    assert some.startswith("Cheapest of the three hedges, out of four, that keep the LTV below 75.0 %")
    assert "1.40 % of the gold a year, LTV 67.0 % there" in some
    every = recommend((SAFE, CHEAP), COST_SENSITIVE, situation).reason
    assert every.startswith("Cheapest of the two, which all keep the LTV below 75.0 %")
    alone = recommend((CHEAP, BARE), COST_SENSITIVE, situation).reason
    assert alone.startswith("The only one of the two that keeps the LTV below 75.0 %")


def test_balanced_reason_names_both_counts() -> None:
    reason = recommend(FIELD, BALANCED, a_situation()).reason
    assert reason.startswith("Best balance of the four between protection and cost")
    assert "LTV 63.0 % at the margin-call price" in reason
    assert "2.50 % of the gold a year" in reason


@pytest.mark.parametrize("profile", list(RiskProfile))
def test_when_none_keeps_the_buffer_every_reason_says_so(profile: RiskProfile) -> None:
    field = (BARE, a_candidate("dear", 0.75, 0.02, keeps=False))
    reason = recommend(field, profile, a_situation()).reason
    assert reason.startswith("None of the two keeps the LTV below 75.0 % at the margin-call price. ")


@pytest.mark.parametrize("profile", list(RiskProfile))
@pytest.mark.parametrize("loan", [750_000.0, 800_000.0])
def test_when_the_loan_is_already_called_every_reason_says_so(profile: RiskProfile, loan: float) -> None:
    field = (BARE, a_candidate("dear", 0.75, 0.02, keeps=False))
    recommendation = recommend(field, profile, a_situation(loan_amount=loan))
    assert recommendation.reason.startswith(
        f"The loan is already called: its LTV of {loan / 10_000:.1f} % has reached"
    )
    assert "repay or add gold first" in recommendation.reason
    assert recommendation.name == "bare"


def test_all_equal_ltvs_are_said_to_be_equal() -> None:
    field = (BARE, a_candidate("dear", 0.75, 0.02, keeps=False))
    reason = recommend(field, CONSERVATIVE, a_situation()).reason
    assert "All two leave the LTV at 75.0 %" in reason
    assert "this one is the cheapest at 0.10 % of the gold a year" in reason
