"""Courses of the gold price in plain NumPy: what is asked until the kernels are compiled."""

import numpy as np

from vaultdash.pricing.base import FloatArray
from vaultdash.risk.simulation_reference import Stepper, begin, in_blocks


def follow_prices(
    kind: int,
    seed: int,
    first_block: int,
    numbers: FloatArray,
    residuals: FloatArray,
    mirrored: FloatArray,
    moves: FloatArray,
) -> None:
    """What the kernel of this name does, from other random numbers: see there for the arguments."""
    pairs = moves.shape[0] // 2
    chances = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, first_block])))
    paths = begin(pairs, chances, numbers[1], 0.0)
    stepper = Stepper(kind, numbers, (residuals, mirrored), chances, pairs)
    moves[:, 0] = 0.0
    for step in range(1, moves.shape[1]):
        stepper.go(paths, step, 0.0)
        if stepper.jumps is not None:
            stepper.ahead += stepper.jumps
        paths.distance[:] = stepper.ahead
        moves[:, step] = in_blocks(paths.distance)
