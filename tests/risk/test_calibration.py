"""Four models of one volatility, from the closes."""

import math

import numpy as np
import pytest

from tests.risk.test_filtered_history import garch_closes
from vaultdash.domain.errors import InvalidInput
from vaultdash.risk import CallTerms, call_probability, model_parameters, odds_by_model
from vaultdash.risk.calibration import USUAL_INTENSITY, jumps
from vaultdash.risk.filtered_history import daily_returns
from vaultdash.storage.price_csv import read_price_csv

TERMS = CallTerms(1 / 0.60, 1 / 0.75, 1 / 0.85)


@pytest.fixture
def gld(shared_data) -> list[float]:
    return [bar.close for bar in read_price_csv(shared_data / "gld_daily.csv", "GLD").history.bars]


def with_jumps(count: int, every: int, size: float) -> np.ndarray:
    calm = np.random.default_rng(2).normal(0.0, 0.008, count)
    calm[every - 1 :: every] = size
    return calm


def test_jumps_are_found_as_often_and_as_large_as_they_are():
    found = jumps(with_jumps(2520, 252, -0.06), 0.25)
    assert found.intensity == pytest.approx(1.0, rel=0.11)
    assert found.mean == pytest.approx(-0.06, abs=0.005)
    assert found.total_volatility == pytest.approx(0.25, rel=1e-12)
    assert "days beyond 4 deviations among 2,520" in found.basis


def test_without_jumps_of_its_own_those_of_gold_are_taken_and_it_says_so():
    calm = jumps(np.random.default_rng(2).normal(0.0, 0.008, 2000), 0.25)
    assert calm.intensity == USUAL_INTENSITY
    assert calm.basis.startswith("the usual jumps of gold")


def test_jumps_never_make_up_more_than_three_quarters_of_the_variance():
    found = jumps(with_jumps(2520, 30, -0.10), 0.15)
    assert found.total_volatility == pytest.approx(0.15, rel=1e-12)
    assert found.volatility == pytest.approx(0.075, rel=1e-12)
    assert "made smaller" in found.basis


def test_the_usual_jumps_are_those_of_gld(gld):
    found = jumps(daily_returns(gld), 0.25)
    assert found.intensity == pytest.approx(1.15, abs=0.15)
    assert found.mean == pytest.approx(-0.021, abs=0.01)
    assert found.deviation == pytest.approx(0.050, abs=0.01)


def test_all_models_have_one_total_volatility(gld):
    models = model_parameters(gld, 0.25)
    assert [model.name for model in models.models] == ["flat", "jumps", "stochastic volatility", "filtered history"]
    assert models.flat.volatility == 0.25
    assert models.jumps.total_volatility == pytest.approx(0.25)
    assert models.stochastic.volatility == models.stochastic.long_run == 0.25
    assert "fitted to" in models.filtered.basis


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_without_a_history_there_are_three_models_and_a_reason(count):
    models = model_parameters(garch_closes(5000)[:count], 0.25)
    assert len(models.models) == 3
    assert models.filtered is None
    assert models.no_filtered_because


def test_a_volatility_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="volatility"):
        model_parameters(garch_closes(300), math.nan)


def test_one_call_gives_the_odds_by_each_model(gld):
    found = odds_by_model(gld, 0.25, TERMS, (1, 12), 40_000)
    assert [odds.model for odds in found] == ["flat", "jumps", "stochastic volatility", "filtered history"]
    exact = call_probability(1 / 0.60, 1 / 0.75, 1.0, 0.25, monitoring="daily")
    for odds in found:
        assert odds.probabilities[12] == pytest.approx(exact, abs=0.08)
        assert odds.basis
        assert odds.paths == 40_064
    flat, jumping, _, history = found
    assert history.probabilities[1] > jumping.probabilities[1] > flat.probabilities[1]
