"""Volatility of daily closes, and of a price in another currency."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.risk.volatility import MINIMUM_RETURNS, ewma_volatility, joined_volatility, return_correlation


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


@settings(deadline=None)
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


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.0, 0.4, 1.0])
def test_the_joined_volatility_is_that_of_the_product_on_joint_paths(correlation):
    first, second = np.random.default_rng(3).standard_normal((2, 200_000)) / math.sqrt(252)
    gold = 0.20 * first
    rate = 0.08 * (correlation * first + math.sqrt(1 - correlation**2) * second)
    measured = float(np.std(gold + rate)) * math.sqrt(252)  # ln(S X) = ln S + ln X
    assert joined_volatility(0.20, 0.08, correlation) == pytest.approx(measured, rel=0.01)


@settings(deadline=None)
@given(st.floats(0, 2), st.floats(0, 2), st.floats(-1, 1))
def test_the_joined_volatility_lies_between_difference_and_sum(price, rate, correlation):
    found = joined_volatility(price, rate, correlation)
    assert abs(price - rate) - 1e-7 <= found <= price + rate + 1e-9
    assert found == pytest.approx(joined_volatility(rate, price, correlation), abs=1e-9)


@pytest.mark.parametrize(
    ("given_", "argument"),
    [
        ((-0.1, 0.1, 0), "price"),
        ((0.1, -0.1, 0), "rate"),
        ((0.1, 0.1, 1.01), "correlation"),
        ((0.1, 0.1, math.nan), "correlation"),
    ],
)
def test_what_cannot_be_joined_is_refused(given_, argument):
    with pytest.raises(InvalidInput, match=argument):
        joined_volatility(*given_)


def test_the_correlation_is_that_of_numpy_and_at_most_one():
    draws = np.random.default_rng(5).standard_normal((2, 300)) * 0.01
    first, second = walk(list(draws[0])), walk(list(0.6 * draws[0] + 0.8 * draws[1]), 0.8)
    expected = np.corrcoef(np.diff(np.log(first)), np.diff(np.log(second)))[0, 1]
    assert return_correlation(first, second) == pytest.approx(expected, abs=1e-12)
    assert return_correlation(first, [1 / close for close in first]) == pytest.approx(-1.0)
    assert abs(return_correlation(first, first)) <= 1.0


@pytest.mark.parametrize(
    ("first", "second", "argument"),
    [
        ([400.0] * 30, walk([0.01, -0.01] * 15), "second"),
        ([400.0] * 31, walk([0.01, -0.01] * 15), "first must move"),
        (walk([0.01, -0.01] * 15), [0.0] * 31, "second"),
        (walk([0.01] * 5), walk([0.01] * 5), "first must hold more than"),
    ],
)
def test_rows_without_a_correlation_are_refused(first, second, argument):
    with pytest.raises(InvalidInput, match=argument):
        return_correlation(first, second)
