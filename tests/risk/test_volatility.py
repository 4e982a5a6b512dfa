"""Volatility of daily closes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.risk.volatility import MINIMUM_RETURNS, ewma_volatility


def walk(moves: list[float], start: float = 400.0) -> list[float]:
    closes = [start]
    for move in moves:
        closes.append(closes[-1] * math.exp(move))
    return closes


def test_moves_of_one_size_have_that_volatility():
    assert ewma_volatility(walk([0.01, -0.01] * 50)) == pytest.approx(0.01 * math.sqrt(252), rel=1e-9)


def test_the_newest_move_weighs_most():
    calm = [0.005, -0.005] * 30
    assert ewma_volatility(walk([*calm, 0.05])) > ewma_volatility(walk([0.05, *calm]))


def test_weights_fall_by_the_decay_each_day():
    moves = [0.01 * (1 + n % 3) for n in range(30)]
    weights = [0.94**age for age in range(30)]
    exact = sum(w * m * m for w, m in zip(weights, reversed(moves), strict=True)) / sum(weights)
    assert ewma_volatility(walk(moves)) == pytest.approx(math.sqrt(exact * 252), rel=1e-9)


@given(st.lists(st.floats(-0.05, 0.05), min_size=21, max_size=60), st.floats(0.01, 100))
def test_the_size_of_the_price_does_not_matter(moves, scale):
    closes = walk(moves)
    assert ewma_volatility([close * scale for close in closes]) == pytest.approx(ewma_volatility(closes), abs=1e-9)


def test_a_price_that_stands_still_has_none():
    assert ewma_volatility([400.0] * 50) == 0.0


def test_too_few_closes_are_refused():
    with pytest.raises(InvalidInput, match=f"closes must hold more than {MINIMUM_RETURNS} prices, not 20"):
        ewma_volatility([400.0] * MINIMUM_RETURNS)
    assert ewma_volatility([400.0] * (MINIMUM_RETURNS + 1)) == 0.0


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_close_that_is_no_price_is_refused(bad):
    with pytest.raises(InvalidInput, match="close"):
        ewma_volatility([400.0] * 30 + [bad])


@pytest.mark.parametrize("decay", [0, 1, 94, math.nan])
def test_a_decay_is_a_fraction(decay):
    with pytest.raises(InvalidInput, match="decay"):
        ewma_volatility([400.0] * 30, decay)
