"""Compiled courses of the gold price against a loan's limits, 128 at once; import it lazily, numba comes with it."""

import math

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import exact_kernel, inlined_kernel
from vaultdash.risk.lane_kernels import (
    LANES,
    LEAST_EXPONENT,
    BitArray,
    exp_of_negative,
    log_of_fraction,
    normals,
    seed_lanes,
    uniform,
)

DayArray = npt.NDArray[np.int32]
FlagArray = npt.NDArray[np.bool_]

DIFFUSION, HESTON, FILTERED = 0, 1, 2  # kinds of courses
PATHS = 2 * LANES  # of a block: each lane leads one path, and one whose chances are mirrored
NO_VARIANCE = 1e-30

# Rows of the work array at constant offsets: only so are the loops widened.
DISTANCE = 0  # ln(price / level watched) at the last close
AHEAD = PATHS  # the same at the next close
STEEPNESS = 2 * PATHS  # -2 / the variance between them
SURVIVAL = 3 * PATHS  # the chance not to have touched the level between closes
CHANCE = 4 * PATHS  # the level is touched when the survival falls below it; OVER once it was
CALL = 5 * PATHS  # day of the call, 0 before
SALE = 6 * PATHS  # day of the sale, 0 before
AT = 7 * PATHS  # distance at the call: 0 when it was reached between closes, below 0 at a close
VARIANCE = 8 * PATHS  # of the next day
KEPT = 9 * PATHS  # that variance at the call
FIRST = 10 * PATHS  # normal numbers, one for each lane
SECOND = 10 * PATHS + LANES
NEXT = 11 * PATHS  # day of the next jump, one for each lane
SIZE = 12 * PATHS
OVER = -1.0


@inlined_kernel
def begin(work: FloatArray, bits: BitArray, variance: float, level: float) -> None:
    """All paths of a block at today's price."""
    for path in range(PATHS):
        work[DISTANCE + path] = -level
        work[STEEPNESS + path] = -2.0 / (variance + NO_VARIANCE)
        work[SURVIVAL + path] = 1.0
        work[CALL + path] = 0.0
        work[SALE + path] = 0.0
        work[AT + path] = 0.0
        work[VARIANCE + path] = variance
        work[KEPT + path] = variance
    draw_chances(work, bits)


@inlined_kernel
def draw_chances(work: FloatArray, bits: BitArray) -> None:
    """A uniform number for each lane, and one less itself for its mirror."""
    for lane in range(LANES):
        u = uniform(bits, lane)
        work[CHANCE + lane] = u
        work[CHANCE + LANES + lane] = 1.0 - u


@inlined_kernel
def keep_ends(work: FloatArray, block: int, level: float, call_day: DayArray, end: FloatArray) -> None:
    """What is known when the horizon is reached; the block's last paths may be too many."""
    at = block * PATHS
    for path in range(min(PATHS, call_day.size - at)):
        call_day[at + path] = np.int32(work[CALL + path])
        end[at + path] = work[DISTANCE + path] + level


@inlined_kernel
def from_the_call(work: FloatArray, bits: BitArray, calls: FloatArray, sales: FloatArray) -> None:
    """Put every path back to its call, from where the level of the sale is watched."""
    draw_chances(work, bits)
    for path in range(PATHS):
        day = int(work[CALL + path])
        distance = work[AT + path] + calls[day] - sales[day]
        work[DISTANCE + path] = distance
        work[VARIANCE + path] = work[KEPT + path]
        work[SURVIVAL + path] = 1.0
        if distance <= 0.0:  # a gap through both levels
            work[SALE + path] = 1.0
            work[CHANCE + path] = OVER


@inlined_kernel
def level_of_sale(work: FloatArray, sales: FloatArray, day: int) -> None:
    """Measure the next closes from the close-out level, some days after each path's own call."""
    for path in range(PATHS):
        at = int(work[CALL + path]) + day
        work[AHEAD + path] -= sales[at] - sales[at - 1]


@inlined_kernel
def keep_sales(work: FloatArray, block: int, is_sold: FlagArray) -> None:
    """Which paths were called and, within the days to cure, reached the close-out level."""
    at = block * PATHS
    for path in range(min(PATHS, is_sold.size - at)):
        is_sold[at + path] = (work[CALL + path] > 0.0) & (work[SALE + path] > 0.0)


@inlined_kernel
def watch(work: FloatArray, mark: int, day: int, is_bridged: bool) -> None:
    """Go to the next close, and note on which paths the level was reached there, or on the way.

    Between two closes above the level at distances a and b a Brownian bridge touches it with the chance
    exp(-2 a b / variance).
    """
    found = 0
    if is_bridged:
        for path in range(PATHS):
            ahead = work[AHEAD + path]
            exponent = work[STEEPNESS + path] * work[DISTANCE + path] * ahead
            touched = exp_of_negative(min(max(exponent, LEAST_EXPONENT), 0.0))
            survival = work[SURVIVAL + path] * (1.0 - touched)
            work[DISTANCE + path] = ahead
            work[SURVIVAL + path] = survival
            found += 1 if survival < work[CHANCE + path] else 0
    else:
        for path in range(PATHS):
            ahead = work[AHEAD + path]
            work[DISTANCE + path] = ahead
            found += 1 if (ahead <= 0.0) & (work[CHANCE + path] > 0.0) else 0
    if found > 0:
        for path in range(PATHS):
            chance, ahead = work[CHANCE + path], work[DISTANCE + path]
            if chance > 0.0 and (work[SURVIVAL + path] < chance or ahead <= 0.0):
                note(work, path, mark, day, 0.0 if is_bridged else ahead)


@inlined_kernel
def note(work: FloatArray, path: int, mark: int, day: int, distance: float) -> None:
    """The level was reached on a path."""
    work[CHANCE + path] = OVER
    work[mark + path] = day
    if mark == CALL:
        work[AT + path] = distance
        work[KEPT + path] = work[VARIANCE + path]


@inlined_kernel
def next_jumps(work: FloatArray, bits: BitArray, since: float, intensity: float) -> float:
    """When each lane jumps next, days; the soonest of all."""
    soonest = np.inf
    for lane in range(LANES):
        wait = since - log_of_fraction(uniform(bits, lane)) / intensity
        work[NEXT + lane] = wait
        soonest = min(soonest, wait)
    return soonest


@inlined_kernel
def jump(work: FloatArray, bits: BitArray, row: int, day: int, intensity: float, mean: float, width: float) -> float:
    """Add the jumps until the close of a day to a row of distances; when the next one is."""
    soonest = np.inf
    for lane in range(LANES):
        while work[NEXT + lane] <= day:
            work[NEXT + lane] -= log_of_fraction(uniform(bits, lane)) / intensity
            radius = math.sqrt(-2.0 * log_of_fraction(uniform(bits, lane)))
            size = width * radius * math.cos(2.0 * math.pi * uniform(bits, lane))
            work[row + lane] += mean + size
            work[row + LANES + lane] += mean - size
        soonest = min(soonest, work[NEXT + lane])
    return soonest


@inlined_kernel
def watch_jumps(work: FloatArray, mark: int, day: int) -> None:
    """Note the paths that a jump has brought below the level."""
    for path in range(PATHS):
        if work[DISTANCE + path] <= 0.0 and work[CHANCE + path] > 0.0:
            note(work, path, mark, day, work[DISTANCE + path])


@inlined_kernel
def step_diffusion(work: FloatArray, pull: float, width: float) -> None:
    """A day of constant variance."""
    for lane in range(LANES):
        move = width * work[FIRST + lane]
        work[AHEAD + lane] = work[DISTANCE + lane] + (pull + move)
        work[AHEAD + LANES + lane] = work[DISTANCE + LANES + lane] + (pull - move)


@inlined_kernel
def step_heston(
    work: FloatArray, pull: float, reversion: float, long_run: float, own: float, shared: float, side: float
) -> None:
    """A day of Heston's model by full truncation (Lord, Koekkoek and van Dijk 2010); `side` 1 leads, -1 mirrors.

    `own` and `shared` are the volatility of the variance that is its own, and that it shares with the price.
    """
    at = 0 if side > 0.0 else LANES
    for lane in range(LANES):
        variance = max(work[VARIANCE + at + lane], 0.0)
        root = side * math.sqrt(variance)
        first, second = work[FIRST + lane], work[SECOND + lane]
        work[AHEAD + at + lane] = work[DISTANCE + at + lane] + (pull - 0.5 * variance + root * first)
        work[STEEPNESS + at + lane] = -2.0 / (variance + NO_VARIANCE)
        work[VARIANCE + at + lane] += reversion * (long_run - variance) + root * (shared * first + own * second)


@inlined_kernel
def step_filtered(
    work: FloatArray, picks: BitArray, pull: float, numbers: FloatArray, residuals: FloatArray, day: int, at: int
) -> None:
    """A day of a GARCH(1,1) whose shocks are past ones; `at` 0 leads, LANES mirrors.

    E(exp(root e)) is taken out to the fourth moment of the shocks, so that the price drifts as it is told.
    """
    omega, alpha, beta, skew, tail = numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]
    day_of_block = np.uint64(day)
    for lane in range(LANES):
        work[FIRST + lane] = residuals[picks[lane] + day_of_block]
    for lane in range(LANES):
        variance = work[VARIANCE + at + lane]
        root = math.sqrt(variance)
        shock = work[FIRST + lane]
        held = variance * (0.5 + root * (skew + root * tail))
        work[AHEAD + at + lane] = work[DISTANCE + at + lane] + (pull - held + root * shock)
        work[STEEPNESS + at + lane] = -2.0 / (variance + NO_VARIANCE)
        work[VARIANCE + at + lane] = omega + variance * (alpha * shock * shock + beta)


@inlined_kernel
def pick_blocks(picks: BitArray, bits: BitArray, count: int) -> None:
    """Where in the residuals the next days of each lane begin."""
    for lane in range(LANES):
        picks[lane] = np.uint64(uniform(bits, lane) * count)  # unsigned: no index is counted from the end


@exact_kernel
def courses(
    kind: int,
    seed: int,
    steps: int,
    cure_days: int,
    is_bridged: bool,
    calls: FloatArray,
    sales: FloatArray,
    numbers: FloatArray,
    residuals: FloatArray,
    mirrored: FloatArray,
    call_day: DayArray,
    is_sold: FlagArray,
    end: FloatArray,
) -> None:
    """Follow each path day by day, and fill the last three arrays, which have an element for each path.

    `calls` and `sales` are ln(level / price today) of the days from today to the end of the last days to cure.
    `numbers` are growth and variance of a day, and then by kind: jumps a day, mean and deviation of a jump; Heston's
    reversion, long run, volatility of variance and correlation; omega, alpha, beta, skewness / 6, excess kurtosis
    / 24 and the days of a block. `residuals` go round by a block; `mirrored` has at each place the residual of
    opposite rank. `call_day` is 0 without a call; `end` is ln(price / price today) at the horizon.
    """
    growth, variance = numbers[0], numbers[1]
    width, compensation, intensity, block_days, count = 0.0, 0.0, 0.0, 1, residuals.size
    if kind == DIFFUSION:
        intensity, width = numbers[2], math.sqrt(variance)
        compensation = 0.5 * variance + intensity * (math.exp(numbers[3] + 0.5 * numbers[4] * numbers[4]) - 1.0)
    elif kind == FILTERED:
        block_days = int(numbers[7])
        count = residuals.size - block_days + 1
    work, bits = np.empty(SIZE), np.empty(4 * LANES, dtype=np.uint64)
    picks = np.zeros(LANES, dtype=np.uint64)
    for block in range((call_day.size + PATHS - 1) // PATHS):
        seed_lanes(bits, seed, block)
        begin(work, bits, variance, calls[0])
        soonest = next_jumps(work, bits, 0.0, intensity) if intensity > 0.0 else np.inf
        for step in range(1, steps + cure_days + 1):
            pull, mark = growth - compensation, SALE
            if step <= steps:
                pull, mark = pull - (calls[step] - calls[step - 1]), CALL
            if step == steps + 1:
                keep_ends(work, block, calls[steps], call_day, end)
                from_the_call(work, bits, calls, sales)
            if kind == FILTERED:
                day_of_block = (step - 1) % block_days if step <= steps else (step - steps - 1) % block_days
                if day_of_block == 0:
                    pick_blocks(picks, bits, count)
                step_filtered(work, picks, pull, numbers, residuals, day_of_block, 0)
                step_filtered(work, picks, pull, numbers, mirrored, day_of_block, LANES)
            elif kind == HESTON:
                own, shared = numbers[4] * math.sqrt(1.0 - numbers[5] * numbers[5]), numbers[4] * numbers[5]
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
            if mark == SALE:
                level_of_sale(work, sales, step - steps)
            if soonest <= step and not is_bridged:
                soonest = jump(work, bits, AHEAD, step, intensity, numbers[3], numbers[4])
            watch(work, mark, step, is_bridged)
            if soonest <= step:
                soonest = jump(work, bits, DISTANCE, step, intensity, numbers[3], numbers[4])
                watch_jumps(work, mark, step)
        if cure_days == 0:
            keep_ends(work, block, calls[steps], call_day, end)
            from_the_call(work, bits, calls, sales)
        keep_sales(work, block, is_sold)


def warm() -> None:
    """Compile, or load from disk, and run."""
    flat, few = np.full(3, -0.1), np.zeros(3)
    outcome = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.bool_), np.zeros(1)
    numbers = np.array([0.0, 1e-4, 0.0, 0.0, 0.0])
    courses(DIFFUSION, 1, 1, 1, True, flat, flat - 0.1, numbers, few, few, *outcome)
