"""Courses of the gold price by one of the models, in chunks that stay small, the same for whoever looks at them."""

from collections.abc import Iterator

import numpy as np

from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine, answered
from vaultdash.risk.models import Model
from vaultdash.risk.simulation import WHOLE_BLOCKS, encoded

NUMBERS_OF_A_CHUNK = 1_000_000  # 8 MB


def price_paths(
    model: Model, drift: float, days: int, paths: int, seed: int, engine: Engine = "kernel"
) -> Iterator[FloatArray]:
    """Prices over the price today at each close from today on, in chunks of shape (paths, `days` + 1).

    `drift` continuous a year, `paths` a multiple of 128: in each block of them the second 64 mirror the chances of
    the first. With "kernel" the courses are those that `simulated_odds` follows with the same seed, whatever the
    chunks; "reference" is NumPy with other random numbers. Nothing is checked.
    """
    most = max(NUMBERS_OF_A_CHUNK // (days + 1) // WHOLE_BLOCKS, 1) * WHOLE_BLOCKS
    for first in range(0, paths, most):
        moves = np.empty((min(most, paths - first), days + 1))
        _fill(moves, model, drift, first // WHOLE_BLOCKS, seed, engine)
        yield np.exp(moves, out=moves)


def _fill(moves: FloatArray, model: Model, drift: float, first_block: int, seed: int, engine: Engine) -> None:
    kind, numbers, shocks, mirrored = encoded(model, drift)

    def by_kernel() -> None:
        from vaultdash.risk.price_paths_kernels import follow_prices  # numba comes with it

        follow_prices(kind, seed, first_block, numbers, shocks, mirrored, moves)

    def by_reference() -> None:
        from vaultdash.risk.price_paths_reference import follow_prices

        follow_prices(kind, seed, first_block, numbers, shocks, mirrored, moves)

    answered(by_kernel, by_reference, engine)
