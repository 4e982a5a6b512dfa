"""The compiled look-up of what early exercise adds to a put; import it lazily, numba comes with it."""

import numpy as np

from vaultdash.pricing import early_exercise
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import exact_kernel

# For other kernels: one value a call, arguments as of the function that it compiles.
early_exercise_premium = exact_kernel(early_exercise.early_exercise_premium)


@exact_kernel
def early_exercise_premiums(
    distance: FloatArray,
    earned: FloatArray,
    deviation: FloatArray,
    values: FloatArray,
    depths: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` with the premium of each row; arrays of one length, but for the two of the table."""
    for i in range(out.size):
        out[i] = early_exercise_premium(distance[i], earned[i], deviation[i], values, depths)


def warm() -> None:
    """Compile, or load from disk, and run once."""
    table, column = early_exercise.early_exercise_table(), np.full(1, 0.1)
    early_exercise_premiums(column, column, column, table.values, table.depths, np.empty(1))
