"""Grids: which fields can be varied, in which order the points stand, and what is refused in words."""

import itertools
import re

import pytest

from vaultdash.backtest.grid import (
    MOST_POINTS,
    Axis,
    count_of,
    hedge_count,
    require_few,
    variants,
    with_fields,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, StrikeRule
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.strategies.templates import TEMPLATES, system_template

PUT = system_template("protective_put_otm_95")
COLLAR = system_template("collar_95_110")
STRIKE = "legs[0].strike.value"


def hedges(templates: list[HedgeTemplate], *axes: Axis) -> list[HedgeTemplate]:
    return [each.hedge for each in variants(templates, axes)[1:] if each.hedge is not None]


def test_every_combination_comes_once_with_the_last_axis_fastest() -> None:
    found = hedges([PUT], Axis(STRIKE, (0.9, 0.95)), Axis("coverage", (0.5, 1.0)), Axis("roll.ratchet", (None, 0.1)))
    points = [(each.legs[0].strike.value, each.coverage, each.roll.ratchet) for each in found]
    assert points == list(itertools.product((0.9, 0.95), (0.5, 1.0), (None, 0.1)))


def test_the_path_without_a_hedge_stands_first_and_once() -> None:
    found = variants(TEMPLATES, ())
    assert found[0].template == "no_hedge"
    assert [each.template for each in found].count("no_hedge") == 1
    assert len(found) == len(TEMPLATES)


def test_what_is_not_varied_stays() -> None:
    (varied,) = hedges([COLLAR], Axis("legs[1].strike.value", (1.2,)))
    assert varied.legs[0] == COLLAR.legs[0]
    assert (varied.legs[1].strike.value, varied.legs[1].side) == (1.2, COLLAR.legs[1].side)
    assert (varied.roll, varied.coverage, varied.id) == (COLLAR.roll, COLLAR.coverage, COLLAR.id)


def test_an_axis_that_a_template_has_no_field_for_leaves_it_as_it_is() -> None:
    found = variants([PUT, COLLAR], [Axis("legs[1].strike.value", (1.1, 1.2))])
    assert [(each.template, each.values) for each in found[1:]] == [
        (PUT.id, (None,)),
        (COLLAR.id, (1.1,)),
        (COLLAR.id, (1.2,)),
    ]


def test_words_become_what_the_field_wants() -> None:
    (found,) = hedges(
        [PUT],
        Axis("funding", ("loan",)),
        Axis("counting", ("ignored",)),
        Axis("roll.days_before_expiry", (45.0,)),
        Axis("legs[0].strike.rule", ("distance_to_call",)),
        Axis("roll.rebuy", (False,)),
    )
    assert found.funding is PremiumFunding.LOAN
    assert found.counting is HedgeCounting.IGNORED
    assert found.roll.days_before_expiry == 45
    assert isinstance(found.roll.days_before_expiry, int)
    assert found.legs[0].strike.rule is StrikeRule.DISTANCE_TO_CALL
    assert found.roll.rebuy is False


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [
        ("legs[0].strike.valu", (1.0,), "there is no valu in legs[0].strike; there are rule, value"),
        ("leg[0].months", (3,), "there is no leg; there are legs, roll, coverage"),
        ("legs[2].months", (3,), "legs are fewer than 3"),
        ("legs.months", (3,), "legs has no parts"),
        ("roll[0]", (3,), "roll is not a list"),
        ("roll", (3,), "cannot be varied as a whole; vary its parts: days_before_expiry, ratchet"),
        ("legs", (3,), "cannot be varied as a whole; name one of its parts, legs[0]"),
        ("legs[0]", (3,), "cannot be varied as a whole; vary its parts: right, strike"),
        ("Legs[0]..months", (3,), "write it like roll.ratchet"),
        ("id", ("other",), "says which template it is"),
        ("description", ("other",), "says which template it is"),
        ("coverage", ("half",), "must be a number, not 'half'"),
        ("coverage", (True,), "must be a number, not True"),
        ("coverage", (None,), "needs a value"),
        ("roll.days_before_expiry", (7.5,), "must be a whole number, not 7.5"),
        ("roll.rebuy", (1,), "must be true or false"),
        ("funding", ("gift",), "must be one of cash"),
        ("coverage", (float("inf"),), "finite"),
        ("coverage", (), "has no values"),
        ("coverage", (0.5, 0.5), "twice"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_what_there_is(
    path: str, values: tuple[object, ...], words: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)):
        variants([PUT], [Axis(path, values)])  # type: ignore[arg-type]


def test_a_combination_that_makes_no_sense_has_its_reason_and_the_others_stay() -> None:
    spread = system_template("put_spread_95_80")
    found = variants([spread], [Axis("legs[0].share", (0.5, 1.0)), Axis("legs[1].share", (0.5, 1.0))])[1:]
    assert [each.hedge is None for each in found] == [False, True, False, False]
    assert found[1].problem is not None
    assert "sell more puts than they buy" in found[1].problem


def test_no_combination_that_makes_sense_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"leaves no template that makes sense: .*coverage must be a fraction"):
        variants([PUT], [Axis("coverage", (1.5, 2.0))])


def test_too_many_points_are_refused_before_they_are_made() -> None:
    many = tuple(1 + place / 1000 for place in range(1000))
    axes = [Axis(STRIKE, many), Axis("legs[0].months", many), Axis("coverage", many)]
    assert count_of(axes) == 1_000_000_000
    assert hedge_count([PUT, *TEMPLATES[-1:]], axes) == 1_000_000_001
    with pytest.raises(InvalidInput, match="101 hedges on 2,000 scenarios"):
        require_few(2000, 101)
    assert require_few(2000, 100) == MOST_POINTS


def test_terms_of_a_request_are_set_by_path_too() -> None:
    request = with_fields(BacktestRequest(), {"costs.commission": 1.5, "counting": "after_payment"})
    assert request.costs.commission == 1.5
    assert request.costs.gold_slippage == BacktestRequest().costs.gold_slippage
    assert request.counting is HedgeCounting.AFTER_PAYMENT
    with pytest.raises(InvalidInput, match=re.escape("there is no fee in costs")):
        with_fields(BacktestRequest(), {"costs.fee": 1.0})
