"""Held options: what they cost, what closing them brings, what is known of it."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import NOON, a_held_put
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.position import HedgeMark, MarkBasis, OptionMark


def marked(contracts: int = 5, price: float | None = 4.0, **fields: object) -> OptionMark:
    given: dict[str, object] = {"basis": MarkBasis.QUOTE, "mid": price, "at": NOON, "source": "test", **fields}
    return OptionMark(a_held_put(contracts=contracts), price=price, **given)  # type: ignore[arg-type]


def test_a_bought_option_costs_and_a_sold_one_pays():
    assert (a_held_put(contracts=5).cost, a_held_put(contracts=-5).cost) == (4_950.0, -4_950.0)
    assert (a_held_put(contracts=5).shares, a_held_put(contracts=-5).shares) == (500.0, -500.0)


def test_the_value_of_a_hedge_is_the_sum_with_sold_ones_against_it():
    hedge = HedgeMark((marked(5, 4.0), marked(-3, 2.0), marked(1, None)))
    assert hedge.value == 500 * 4.0 - 300 * 2.0
    assert hedge.cost == pytest.approx(9.9 * (500 - 300 + 100))


def test_payoff_at_expiry_is_the_intrinsic_value():
    assert HedgeMark((marked(5), marked(-3))).payoff(400.0) == 200 * 40.0
    assert HedgeMark((marked(5),)).payoff(500.0) == 0.0


def test_greeks_are_summed_by_shares_and_unknown_when_one_is():
    known = marked(5, delta=-0.4), marked(-3, delta=-0.2)
    assert HedgeMark(known).greek("delta") == pytest.approx(-200 + 60)
    assert HedgeMark((*known, marked(1))).greek("delta") is None


@pytest.mark.parametrize(
    ("fields", "doubtful"),
    [
        ({}, False),
        ({"basis": MarkBasis.MODEL, "problem": "carried along"}, False),
        ({"is_stale": True}, True),
        ({"price": None, "basis": MarkBasis.UNKNOWN}, True),
        ({"basis": MarkBasis.INTRINSIC, "problem": "no chain"}, True),
        ({"basis": MarkBasis.INTRINSIC}, False),
    ],
)
def test_what_is_old_unknown_or_a_lower_bound_is_doubted(fields, doubtful):
    mark = marked(**fields)
    assert mark.is_doubtful is doubtful
    assert len(HedgeMark((mark,)).doubts) == doubtful


def test_an_option_is_open_until_it_is_closed_or_has_expired():
    held = a_held_put()
    assert held.is_open(date(2026, 7, 17))
    assert not held.is_open(date(2026, 7, 18))
    assert not replace(held, closed_on=date(2026, 6, 9), closed_price=1.0).is_open(date(2026, 6, 10))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"contracts": 0}, "contracts"),
        ({"contracts": 1_000_001}, "contracts"),
        ({"price_paid": -0.01}, "price_paid"),
        ({"price_paid": float("nan")}, "price_paid"),
        ({"opened_on": date(2026, 7, 18)}, "opened_on"),
        ({"closed_on": date(2026, 6, 9)}, "closed_price"),
        ({"closed_price": 1.0}, "closed_price"),
        ({"closed_on": date(2026, 5, 1), "closed_price": 1.0}, "closed_on"),
        ({"closed_on": date(2026, 6, 9), "closed_price": -1.0}, "closed_price"),
    ],
)
def test_a_position_that_cannot_be_is_refused_by_name(fields, named):
    with pytest.raises(InvalidInput) as refusal:
        a_held_put(**fields)
    assert refusal.value.argument == named
