"""Kept courses of the price against the courses that the odds of a call follow."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.risk.test_simulation import CLOSES, MODELS, paired_error
from vaultdash.risk import price_paths as module
from vaultdash.risk.price_paths import price_paths
from vaultdash.risk.simulation import Limits, follow

LEVEL = math.log(0.85)
PATHS, DAYS = 2_560, 63


def whole(model, engine="kernel", drift=0.0, days=DAYS, paths=PATHS, seed=9):
    return np.concatenate(list(price_paths(model, drift, days, paths, seed, engine)))


@pytest.mark.parametrize("name", MODELS)
def test_the_courses_are_those_of_the_simulated_odds(name):
    level = np.full(DAYS + 3, LEVEL)
    followed = follow(MODELS[name], CLOSES, Limits(level, level - 0.1), DAYS, PATHS, 9)
    prices = whole(MODELS[name])
    below = prices <= math.exp(LEVEL)
    first = np.where(below.any(axis=1), below.argmax(axis=1), 0)
    assert (first == followed.call_day).all()
    assert 0 < np.count_nonzero(first) < PATHS
    assert np.log(prices[:, -1]) == pytest.approx(followed.end, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_the_size_of_a_chunk_changes_nothing(name, monkeypatch):
    before = whole(MODELS[name])
    monkeypatch.setattr(module, "NUMBERS_OF_A_CHUNK", 256 * (DAYS + 1))
    chunks = list(price_paths(MODELS[name], 0.0, DAYS, PATHS, 9))
    assert len(chunks) == PATHS // 256
    assert np.concatenate(chunks).tobytes() == before.tobytes()


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("name", MODELS)
def test_the_price_drifts_as_it_is_told_and_starts_at_one(name, engine):
    prices = whole(MODELS[name], engine, drift=0.3, paths=12_800)
    assert (prices[:, 0] == 1.0).all()
    for day in (1, 20, DAYS):
        assert abs(prices[:, day].mean() - math.exp(0.3 * day / 252)) < 3.5 * paired_error(prices[:, day])


@pytest.mark.parametrize("name", MODELS)
def test_both_engines_draw_from_one_distribution(name):
    ours, theirs = (np.log(whole(MODELS[name], engine, paths=6_400)[:, -1]) for engine in ("kernel", "reference"))
    assert stats.ks_2samp(ours[::2], theirs[1::2]).pvalue > 0.001
    assert ours.tobytes() != theirs.tobytes()


def test_a_path_and_its_mirror_move_oppositely():
    moves = np.log(whole(MODELS["flat"], drift=0.5 * 0.25**2))  # no pull is left
    pairs = moves.reshape(-1, 2, 64, DAYS + 1)
    assert pairs[:, 0] == pytest.approx(-pairs[:, 1], abs=1e-12)
