"""A protective put is one leg at a part of spot."""

import pytest

from tests.builders import a_situation
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.strategies.protective_put import ProtectivePut


def test_strike_is_a_part_of_spot_and_the_leg_covers_everything() -> None:
    (plan,) = ProtectivePut("p", "95 % put", 0.95).propose(a_situation(spot=460.0))
    (leg,) = plan.legs
    assert leg.right is Right.PUT
    assert leg.strike == pytest.approx(437.0)
    assert (leg.strike_pct, leg.weight, leg.months) == (0.95, 1.0, 12)
    assert (plan.name, plan.title) == ("p", "95 % put")


def test_tenor_is_the_situations_unless_it_has_its_own() -> None:
    situation = a_situation(months=6)
    assert ProtectivePut("p", "P", 1.0).propose(situation)[0].months == 6
    assert ProtectivePut("p", "P", 1.0, months=3).propose(situation)[0].months == 3


@pytest.mark.parametrize("strike_pct", [0.0, -0.9, float("nan")])
def test_a_strike_that_makes_no_sense_is_refused(strike_pct: float) -> None:
    with pytest.raises(InvalidInput) as refusal:
        ProtectivePut("p", "P", strike_pct)
    assert refusal.value.argument == "strike_pct"


def test_tenor_of_no_months_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        ProtectivePut("p", "P", 1.0, months=0)
    assert refusal.value.argument == "months"
