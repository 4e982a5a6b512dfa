"""Courses of the gold price against a loan's limits in plain NumPy: what is asked until the kernels are compiled."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.base import FloatArray

DIFFUSION, HESTON, FILTERED = 0, 1, 2  # kinds of courses, as the kernels number them
LANES = 64
PAIRS = 128 * LANES  # of a chunk, whose arrays stay in the caches
LEAST_EXPONENT = -700.0
NO_VARIANCE = 1e-30
OVER = -1.0


@dataclass(slots=True)
class Paths:
    """A chunk: the first half leads, the second mirrors its chances. Distances are ln(price / level watched)."""

    distance: FloatArray
    survival: FloatArray
    chance: FloatArray
    call: npt.NDArray[np.int64]
    at: FloatArray
    variance: FloatArray
    kept: FloatArray
    steepness: FloatArray


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
    call_day: npt.NDArray[np.int32],
    is_sold: npt.NDArray[np.bool_],
    end: FloatArray,
) -> None:
    """What the kernel of this name does, from other random numbers: see there for the arguments."""
    for chunk, first in enumerate(range(0, call_day.size, 2 * PAIRS)):
        part = slice(first, min(first + 2 * PAIRS, call_day.size))
        pairs = (part.stop - part.start) // 2
        chances = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, chunk])))
        paths = begin(pairs, chances, numbers[1], calls[0])
        stepper = Stepper(kind, numbers, (residuals, mirrored), chances, pairs)
        for step in range(1, steps + 1):
            stepper.go(paths, step, -(calls[step] - calls[step - 1]))
            _watch(paths, stepper, paths.call, step, is_bridged)
        call_day[part] = in_blocks(paths.call)
        end[part] = in_blocks(paths.distance + calls[steps])
        sale = _from_the_call(paths, chances, calls, sales)
        for day in range(1, cure_days + 1):
            at = paths.call + day
            stepper.go(paths, day, sales[at - 1] - sales[at])
            _watch(paths, stepper, sale, day, is_bridged)
        is_sold[part] = in_blocks((paths.call > 0) & (sale > 0))


def in_blocks(column: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """In the order of the kernels: 64 that lead, then the 64 that mirror them."""
    return column.reshape(2, -1, LANES).swapaxes(0, 1).reshape(-1)


def begin(pairs: int, chances: np.random.Generator, variance: float, level: float) -> Paths:
    count = 2 * pairs
    return Paths(
        distance=np.full(count, -level),
        survival=np.ones(count),
        chance=_mirrored_chances(pairs, chances),
        call=np.zeros(count, dtype=np.int64),
        at=np.zeros(count),
        variance=np.full(count, variance),
        kept=np.full(count, variance),
        steepness=np.full(count, -2.0 / (variance + NO_VARIANCE)),
    )


def _mirrored_chances(pairs: int, chances: np.random.Generator) -> FloatArray:
    drawn = np.maximum(chances.random(pairs), 2.0**-53)
    return np.concatenate([drawn, 1.0 - drawn])


class Stepper:
    """Moves the distances of a chunk by a day, by one of the kinds."""

    def __init__(
        self,
        kind: int,
        numbers: FloatArray,
        shocks: tuple[FloatArray, FloatArray],
        chances: np.random.Generator,
        pairs: int,
    ) -> None:
        self.ahead = np.empty(2 * pairs)
        self._kind, self._numbers, self._shocks, self._chances, self._pairs = kind, numbers, shocks, chances, pairs
        self._work, self._pick = np.empty(2 * pairs), np.zeros(pairs, dtype=np.int64)
        self.jumps: FloatArray | None = None  # of the day, after which the level is looked at once more
        self._pull, self._width = numbers[0], 0.0
        if kind == DIFFUSION:
            jump = math.exp(numbers[3] + 0.5 * numbers[4] * numbers[4]) - 1.0
            self._pull = numbers[0] - 0.5 * numbers[1] - numbers[2] * jump
            self._width = math.sqrt(numbers[1])

    def go(self, paths: Paths, step: int, shift: FloatArray | float) -> None:
        """Fill `ahead`; variance and steepness too where they change."""
        if self._kind == FILTERED:
            self._filtered(paths, step)
        elif self._kind == HESTON:
            self._heston(paths)
        else:
            self._diffuse(paths)
        self.ahead += shift

    def _diffuse(self, paths: Paths) -> None:
        pairs, move = self._pairs, self._work[: self._pairs]
        self._chances.standard_normal(out=move)
        move *= self._width
        np.add(paths.distance, self._pull, out=self.ahead)
        self.ahead[:pairs] += move
        self.ahead[pairs:] -= move
        intensity, mean, deviation = self._numbers[2:5]
        self.jumps = None
        if intensity > 0.0:
            counts = self._chances.poisson(intensity, pairs)
            (jumping,) = np.nonzero(counts)
            if jumping.size:
                sizes = deviation * np.sqrt(counts[jumping]) * self._chances.standard_normal(jumping.size)
                self.jumps = np.zeros(2 * pairs)
                self.jumps[jumping] = mean * counts[jumping] + sizes
                self.jumps[pairs + jumping] = mean * counts[jumping] - sizes

    def _heston(self, paths: Paths) -> None:
        pairs, (reversion, long_run, width, correlation) = self._pairs, self._numbers[2:6]
        first, second = self._chances.standard_normal((2, pairs))
        variance = np.maximum(paths.variance, 0.0)
        root = np.sqrt(variance)
        root[pairs:] *= -1.0
        np.divide(-2.0, variance + NO_VARIANCE, out=paths.steepness)
        shared = width * (correlation * first + math.sqrt(1.0 - correlation * correlation) * second)
        np.multiply(root, np.tile(first, 2), out=self.ahead)
        self.ahead += paths.distance - 0.5 * variance + self._pull
        paths.variance += reversion * (long_run - variance) + root * np.tile(shared, 2)

    def _filtered(self, paths: Paths, step: int) -> None:
        omega, alpha, beta, skew, tail, block = self._numbers[2:8]
        day = (step - 1) % int(block)
        if day == 0:
            self._pick = self._chances.integers(0, self._shocks[0].size - int(block) + 1, self._pairs)
        shock = np.concatenate([shocks[self._pick + day] for shocks in self._shocks])
        variance = paths.variance
        root = np.sqrt(variance)
        np.divide(-2.0, variance + NO_VARIANCE, out=paths.steepness)
        np.multiply(root, shock, out=self.ahead)
        self.ahead += paths.distance - variance * (0.5 + root * (skew + root * tail)) + self._pull
        paths.variance = omega + variance * (alpha * shock * shock + beta)


def _watch(paths: Paths, stepper: Stepper, mark: npt.NDArray[np.int64], day: int, is_bridged: bool) -> None:
    ahead, jumps = stepper.ahead, stepper.jumps
    if is_bridged:
        touched = paths.distance  # its last use
        touched *= paths.steepness
        touched *= ahead
        np.clip(touched, LEAST_EXPONENT, 0.0, out=touched)
        np.exp(touched, out=touched)
        np.subtract(1.0, touched, out=touched)
        paths.survival *= touched
        _note(paths, paths.survival < paths.chance, mark, day, None)
    elif jumps is not None:
        ahead += jumps
    paths.distance[:] = ahead
    if is_bridged and jumps is not None:
        paths.distance += jumps
    if not is_bridged or jumps is not None:
        _note(paths, (paths.distance <= 0.0) & (paths.chance > 0.0), mark, day, paths.distance)


def _note(
    paths: Paths,
    is_new: npt.NDArray[np.bool_],
    mark: npt.NDArray[np.int64],
    day: int,
    where: FloatArray | None,
) -> None:
    (found,) = np.nonzero(is_new)
    if found.size:
        paths.chance[found] = OVER
        mark[found] = day
        if mark is paths.call:
            paths.at[found] = 0.0 if where is None else where[found]
            paths.kept[found] = paths.variance[found]


def _from_the_call(
    paths: Paths, chances: np.random.Generator, calls: FloatArray, sales: FloatArray
) -> npt.NDArray[np.int64]:
    """Put every path back to its call; the days of the sale, 1 where a gap went through both levels."""
    paths.chance = _mirrored_chances(paths.call.size // 2, chances)
    paths.distance = paths.at + calls[paths.call] - sales[paths.call]
    paths.variance = paths.kept
    paths.survival = np.ones(paths.call.size)
    is_over = paths.distance <= 0.0
    paths.chance[is_over] = OVER
    return is_over.astype(np.int64)
