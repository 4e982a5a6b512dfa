"""Whether the winner changes, point by point and in a sentence."""

import pytest

from tests.builders import a_situation
from vaultdash.domain.hedge import Comparison, RiskProfile, Situation
from vaultdash.strategies.engine import STRATEGIES, compare
from vaultdash.strategies.sensitivity import other_spots, other_volatilities


def at(situation: Situation) -> dict[RiskProfile, str]:
    return {profile: each.name for profile, each in compare(situation).recommendations.items()}


def near_the_limit() -> Comparison:
    return compare(a_situation(spot=400.0))


def test_grid_holds_units_and_loan_so_that_the_ltv_moves() -> None:
    situation = a_situation()
    spots = other_spots(situation)
    assert [each.spot for each in spots] == pytest.approx([414.0, 437.0, 460.0, 483.0, 506.0])
    assert {(each.units, each.loan_amount) for each in spots} == {(situation.units, situation.loan_amount)}
    assert spots[0].loan_amount / spots[0].portfolio_value == pytest.approx(0.6 / 0.9)
    volatilities = other_volatilities(situation)
    assert [each.volatility for each in volatilities] == [0.10, 0.13, 0.16, 0.20, 0.25, 0.30]
    assert {each.spot for each in volatilities} == {460.0}


def test_points_are_named_by_volatility_and_by_price() -> None:
    sensitivity = compare(a_situation()).sensitivity
    assert [point.value for point in sensitivity.volatility] == [0.10, 0.13, 0.16, 0.20, 0.25, 0.30]
    assert [point.value for point in sensitivity.spot] == pytest.approx([414.0, 437.0, 460.0, 483.0, 506.0])


def test_each_point_is_the_comparison_made_afresh_there() -> None:
    situation = a_situation(spot=400.0)
    sensitivity = compare(situation).sensitivity
    for point, other in zip(sensitivity.volatility, other_volatilities(situation), strict=True):
        assert point.recommendations == at(other)
    for point, other in zip(sensitivity.spot, other_spots(situation), strict=True):
        assert point.recommendations == at(other)


def test_changed_lists_exactly_the_profiles_with_another_winner() -> None:
    comparison = near_the_limit()
    chosen = {profile: each.name for profile, each in comparison.recommendations.items()}
    points = (*comparison.sensitivity.volatility, *comparison.sensitivity.spot)
    for point in points:
        assert point.changed == tuple(p for p in RiskProfile if point.recommendations[p] != chosen[p])
    assert any(point.changed for point in points)


def test_sentence_of_a_firm_choice_says_that_it_stays() -> None:
    sentence = compare(a_situation()).sensitivity.sentences[RiskProfile.COST_SENSITIVE]
    assert sentence == (
        "Cost-sensitive stays with 90 % put at every volatility from 10 % to 30 % "
        "and every price from 414.00 to 506.00."
    )


def test_sentence_of_a_changing_choice_says_where_and_to_what() -> None:
    sentence = near_the_limit().sensitivity.sentences[RiskProfile.COST_SENSITIVE]
    assert sentence == (
        "Cost-sensitive chooses LEAPS, but 95 % put at a volatility of 10 % to 13 % and 90 % put at a price of "
        "420.00 to 440.00. At 360.00 and below the loan is already called."
    )


def test_sentence_says_from_which_price_the_loan_is_called() -> None:
    sentence = near_the_limit().sensitivity.sentences[RiskProfile.CONSERVATIVE]
    assert sentence.endswith("every price from 380.00 to 440.00. At 360.00 and below the loan is already called.")


def test_sentences_stand_even_when_the_loan_is_called_at_every_price() -> None:
    sentences = compare(a_situation(spot=300.0)).sensitivity.sentences
    assert set(sentences) == set(RiskProfile)
    for sentence in sentences.values():
        assert sentence.endswith("At 330.00 and below the loan is already called.")


def test_a_single_strategy_never_changes() -> None:
    sensitivity = compare(a_situation(), STRATEGIES[:1]).sensitivity
    assert not any(point.changed for point in (*sensitivity.volatility, *sensitivity.spot))
