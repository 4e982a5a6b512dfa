"""What early exercise adds to a put without yield: a table, made once a process, and the look-up in it."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from vaultdash.pricing.base import FloatArray

# Distances above the boundary, in deviations; fourth roots of the pull, earned / deviation; deviations to expiry.
PLACES, MOST_PLACE = 80, 7.0
PULLS, LEAST_PULL_ROOT, MOST_PULL_ROOT = 40, 3e-5**0.25, 3.0**0.25
WIDTHS, MOST_WIDTH = 8, 1.7
FIRST_WIDTH = 1e-3  # stands in for a deviation of 0, to which all tends
# Steps by their number a unit: where the loops run hot, a division costs as much as the rest of the line.
PER_PLACE = (PLACES - 1) / MOST_PLACE
PER_PULL = (PULLS - 1) / (MOST_PULL_ROOT - LEAST_PULL_ROOT)
PER_WIDTH = (WIDTHS - 1) / MOST_WIDTH
SIXTH = 1.0 / 6.0


@dataclass(frozen=True, slots=True, eq=False)
class EarlyExerciseTable:
    """Early exercise of puts of strike 1, flat float64 arrays for `early_exercise_premium`.

    `values` (PULLS * WIDTHS * PLACES,): what early exercise is worth, in parts of the rate times the years; `depths`
    (PULLS * WIDTHS,): how far today's boundary lies below the strike, ln(K/B), in deviations. The last named index
    runs fastest. Shared by all: not to be written to, though kernels want them writeable.
    """

    values: FloatArray
    depths: FloatArray

    def premium(self, distance: float, earned: float, deviation: float) -> float:
        """`early_exercise_premium` of this table, without a compiler."""
        return early_exercise_premium(distance, earned, deviation, self.values, self.depths)


def early_exercise_premium(
    distance: float, earned: float, deviation: float, values: FloatArray, depths: FloatArray
) -> float:
    """What an American put without yield is worth beyond the European one, in parts of the strike.

    `distance` = ln(S/K) / deviation, `earned` = r T, `deviation` = sigma sqrt(T), r continuous a year and T in years;
    `values` and `depths` of an `EarlyExerciseTable`. The put is max(European put + premium * K, K - S, 0): below the
    exercise boundary the premium is given as 0, because what exercise pays is then the price.

    Only these three matter: a put scales with its strike and with time. Cubic between nodes in ln(S/B), the fourth
    root of r T / deviation and the deviation, so that the kink at the boundary B lies on an edge of the table. Within
    1e-5 of the strike (docs/accuracy.md) while deviation <= 1.7 and earned <= 3 deviation: three years at 6 % and a
    volatility of 5 % earn 2.1 deviations. Beyond, the table's edge holds. 0 where nothing is earned, without a
    deviation, and for NaN. Compiled: `early_exercise_kernels.early_exercise_premium`, some 75 ns.
    """
    if not (earned > 0.0 and deviation > 0.0):
        return 0.0
    at = (math.sqrt(math.sqrt(earned / deviation)) - LEAST_PULL_ROOT) * PER_PULL
    at = min(max(at, 0.0), PULLS - 1.0)
    pull = min(max(int(at) - 1, 0), PULLS - 4)
    t = at - pull
    by_pull = (
        (t - 1.0) * (t - 2.0) * (3.0 - t) * SIXTH,
        t * (t - 2.0) * (t - 3.0) * 0.5,
        t * (t - 1.0) * (3.0 - t) * 0.5,
        t * (t - 1.0) * (t - 2.0) * SIXTH,
    )
    at = min(deviation * PER_WIDTH, WIDTHS - 1.0)
    width = min(max(int(at) - 1, 0), WIDTHS - 4)
    t = at - width
    by_width = (
        (t - 1.0) * (t - 2.0) * (3.0 - t) * SIXTH,
        t * (t - 2.0) * (t - 3.0) * 0.5,
        t * (t - 1.0) * (3.0 - t) * 0.5,
        t * (t - 1.0) * (t - 2.0) * SIXTH,
    )
    depth = 0.0
    for i in range(4):
        cell = (pull + i) * WIDTHS + width
        for j in range(4):
            depth += by_pull[i] * by_width[j] * depths[cell + j]
    at = (distance + depth) * PER_PLACE
    if not 0.0 < at <= PLACES - 1.0:
        return 0.0
    place = min(max(int(at) - 1, 0), PLACES - 4)
    t = at - place
    first = (t - 1.0) * (t - 2.0) * (3.0 - t) * SIXTH
    second = t * (t - 2.0) * (t - 3.0) * 0.5
    third = t * (t - 1.0) * (3.0 - t) * 0.5
    fourth = t * (t - 1.0) * (t - 2.0) * SIXTH
    share = 0.0
    for i in range(4):
        cell = ((pull + i) * WIDTHS + width) * PLACES + place
        for j in range(4):
            line = first * values[cell] + second * values[cell + 1] + third * values[cell + 2]
            share += by_pull[i] * by_width[j] * (line + fourth * values[cell + 3])
            cell += PLACES
    return max(earned * share, 0.0)


@cache
def early_exercise_table() -> EarlyExerciseTable:
    """The table of this process, made at the first call in a tenth of a second; it needs no compiler."""
    from vaultdash.pricing.early_exercise_boundary import boundary_depths, premiums_above

    pull: FloatArray = (LEAST_PULL_ROOT + np.arange(PULLS) / PER_PULL) ** 4
    width = np.maximum(np.arange(WIDTHS) / PER_WIDTH, FIRST_WIDTH)
    deviation: FloatArray = np.tile(width, PULLS)
    earned: FloatArray = np.repeat(pull, WIDTHS) * deviation
    boundary = boundary_depths(earned, deviation)
    values = premiums_above(np.arange(PLACES) / PER_PLACE, earned, deviation, boundary).ravel()
    depths = boundary[:, 0] / deviation
    return EarlyExerciseTable(values, depths)
