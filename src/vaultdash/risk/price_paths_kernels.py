"""Compiled courses of the gold price, kept from close to close; import it lazily, numba comes with it."""

import math

import numpy as np

from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import exact_kernel, inlined_kernel
from vaultdash.risk.lane_kernels import LANES, normals, seed_lanes
from vaultdash.risk.simulation_kernels import (
    AHEAD,
    DIFFUSION,
    DISTANCE,
    FILTERED,
    FIRST,
    HESTON,
    PATHS,
    SECOND,
    SIZE,
    begin,
    jump,
    next_jumps,
    pick_blocks,
    step_diffusion,
    step_filtered,
    step_heston,
)


@inlined_kernel
def keep_close(work: FloatArray, moves: FloatArray, first: int, day: int) -> None:
    """Go to the next close, and write it down."""
    for path in range(PATHS):
        work[DISTANCE + path] = work[AHEAD + path]
    for path in range(PATHS):
        moves[first + path, day] = work[AHEAD + path]


@exact_kernel
def follow_prices(
    kind: int,
    seed: int,
    first_block: int,
    numbers: FloatArray,
    residuals: FloatArray,
    mirrored: FloatArray,
    moves: FloatArray,
) -> None:
    """Fill `moves`, ln(price / price today), shape (a multiple of 128 paths, days + 1).

    `numbers` and shocks are those of `simulation_kernels.courses`, and so are the random numbers and the order in
    which they are drawn.
    """
    growth, variance = numbers[0], numbers[1]
    width, compensation, intensity, block_days, count = 0.0, 0.0, 0.0, 1, residuals.size
    own, shared = 0.0, 0.0
    if kind == DIFFUSION:
        intensity, width = numbers[2], math.sqrt(variance)
        compensation = 0.5 * variance + intensity * (math.exp(numbers[3] + 0.5 * numbers[4] * numbers[4]) - 1.0)
    elif kind == FILTERED:
        block_days = int(numbers[7])
        count = residuals.size - block_days + 1
    else:
        own, shared = numbers[4] * math.sqrt(1.0 - numbers[5] * numbers[5]), numbers[4] * numbers[5]
    pull = growth - compensation
    work, bits = np.empty(SIZE), np.empty(4 * LANES, dtype=np.uint64)
    picks = np.zeros(LANES, dtype=np.uint64)
    for block in range(moves.shape[0] // PATHS):
        first = block * PATHS
        seed_lanes(bits, seed, first_block + block)
        begin(work, bits, variance, 0.0)
        soonest = next_jumps(work, bits, 0.0, intensity) if intensity > 0.0 else np.inf
        moves[first : first + PATHS, 0] = 0.0
        for step in range(1, moves.shape[1]):
            if kind == FILTERED:
                day_of_block = (step - 1) % block_days
                if day_of_block == 0:
                    pick_blocks(picks, bits, count)
                step_filtered(work, picks, pull, numbers, residuals, day_of_block, 0)
                step_filtered(work, picks, pull, numbers, mirrored, day_of_block, LANES)
            elif kind == HESTON:
                normals(bits, work, FIRST, SECOND)
                step_heston(work, pull, numbers[2], numbers[3], own, shared, 1.0)
                step_heston(work, pull, numbers[2], numbers[3], own, shared, -1.0)
            else:
                if step & 1:
                    normals(bits, work, FIRST, SECOND)
                else:
                    for lane in range(LANES):
                        work[FIRST + lane] = work[SECOND + lane]
                step_diffusion(work, pull, width)
            if soonest <= step:
                soonest = jump(work, bits, AHEAD, step, intensity, numbers[3], numbers[4])
            keep_close(work, moves, first, step)


def warm() -> None:
    """Compile, or load from disk, and run."""
    few = np.zeros(3)
    follow_prices(DIFFUSION, 1, 0, np.array([0.0, 1e-4, 0.0, 0.0, 0.0]), few, few, np.empty((PATHS, 2)))
