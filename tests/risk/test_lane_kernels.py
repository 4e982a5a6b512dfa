"""Random numbers of the lanes are what they are taken for."""

import math

import numpy as np
import pytest
from scipy import stats

from vaultdash.pricing.compiled import exact_kernel
from vaultdash.risk.lane_kernels import (
    LANES,
    exp_of_negative,
    log_of_fraction,
    normals,
    seed_lanes,
    uniform,
)

ROUNDS = 20_000


@exact_kernel
def drawn_normals(seed, block, rounds):
    bits, work = np.empty(4 * LANES, dtype=np.uint64), np.empty(2 * LANES)
    seed_lanes(bits, seed, block)
    found = np.empty((rounds, 2 * LANES))
    for row in range(rounds):
        normals(bits, work, 0, LANES)
        found[row] = work
    return found


@exact_kernel
def drawn_uniforms(seed, block, rounds):
    bits = np.empty(4 * LANES, dtype=np.uint64)
    seed_lanes(bits, seed, block)
    found = np.empty((rounds, LANES))
    for row in range(rounds):
        for lane in range(LANES):
            found[row, lane] = uniform(bits, lane)
    return found


@exact_kernel
def elementary(numbers):
    found = np.empty((2, numbers.size))
    for at in range(numbers.size):
        found[0, at] = log_of_fraction(numbers[at])
        found[1, at] = exp_of_negative(-700.0 * (1.0 - numbers[at]))
    return found


@pytest.fixture(scope="module")
def bells():
    return drawn_normals(7, 0, ROUNDS)


def test_normal_numbers_are_normal(bells):
    count = bells.size
    assert abs(bells.mean()) < 4 / math.sqrt(count)
    assert abs(bells.var() - 1) < 4 * math.sqrt(2 / count)
    assert abs(np.mean(bells**3)) < 4 * math.sqrt(15 / count)
    assert abs(np.mean(bells**4) - 3) < 4 * math.sqrt(96 / count)
    assert stats.kstest(bells.ravel(), "norm").pvalue > 1e-3
    beyond = np.mean(np.abs(bells) > 4.0)
    expected = 2 * stats.norm.sf(4.0)
    assert abs(beyond - expected) < 4 * math.sqrt(expected / count)


def test_the_two_of_a_pair_and_the_next_of_a_lane_know_nothing_of_each_other(bells):
    one, other = bells[:, :LANES].ravel(), bells[:, LANES:].ravel()
    for left, right in ((one, other), (one**2, other**2), (bells[1:].ravel(), bells[:-1].ravel())):
        assert abs(np.corrcoef(left, right)[0, 1]) < 4 / math.sqrt(left.size)


def test_lanes_blocks_and_seeds_know_nothing_of_each_other(bells):
    streams = np.hstack(
        [bells[:, :LANES], drawn_normals(7, 1, ROUNDS)[:, :LANES], drawn_normals(8, 0, ROUNDS)[:, :8]]
    )
    mutual = np.corrcoef(streams.T)[np.triu_indices(streams.shape[1], 1)] * math.sqrt(ROUNDS)
    assert np.abs(mutual).max() < 5.2  # of nine thousand
    assert mutual.std() == pytest.approx(1.0, abs=0.05)


def test_a_seed_gives_the_same_numbers_again(bells):
    assert np.array_equal(bells, drawn_normals(7, 0, ROUNDS))


@pytest.mark.parametrize("seed", [0, 1, 2**62, 2**63 - 1])
def test_uniform_numbers_are_uniform(seed):
    found = drawn_uniforms(seed, 3, ROUNDS).ravel()
    assert 0.0 < found.min() < 1e-5
    assert 1 - 1e-5 < found.max() < 1.0
    assert stats.kstest(found, "uniform").pvalue > 1e-3
    counts = np.bincount((found * 4096).astype(np.int64), minlength=4096)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_logarithm_and_exponential_are_as_exact_as_they_say():
    numbers = np.concatenate([np.linspace(1e-6, 1.0, 20_001), 2.0 ** -np.arange(1.0, 53.0)])
    log, exp = elementary(numbers)
    assert np.abs(log - np.log(numbers)).max() < 2e-11
    exact = np.exp(-700.0 * (1.0 - numbers))
    assert np.abs(exp / exact - 1.0).max() < 8e-9
