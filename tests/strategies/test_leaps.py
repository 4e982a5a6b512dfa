"""LEAPS are the same put in several tenors."""

import pytest

from tests.builders import a_situation
from vaultdash.domain.errors import InvalidInput
from vaultdash.strategies.leaps import LeapsDurations


def test_six_tenors_are_proposed_in_ascending_order_whatever_the_situations_own() -> None:
    plans = LeapsDurations("lease_duration_analysis", "LEAPS").propose(a_situation(months=7))
    assert [plan.months for plan in plans] == [3, 6, 9, 12, 18, 24]
    assert {plan.name for plan in plans} == {"lease_duration_analysis"}
    assert {plan.legs[0].strike for plan in plans} == {460.0}
    assert plans[-1].title == "LEAPS, 24 months"


@pytest.mark.parametrize("durations", [(), (6, 3), (3, 3)])
def test_durations_out_of_order_are_refused(durations: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        LeapsDurations("l", "L", durations=durations)
    assert refusal.value.argument == "durations"
