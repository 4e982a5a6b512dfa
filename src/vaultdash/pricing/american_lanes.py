"""What the American kernels compute with: the exponential and the normal distribution without a branch or a call."""

import math

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.compiled import kernel
from vaultdash.pricing.elementary_kernels import exp

IntArray = npt.NDArray[np.int64]

LANES = 16  # contracts side by side: the innermost loop of every kernel
SMALLEST, LARGEST = -650.0, 700.0
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


@kernel
def exponential(number: float) -> float:
    """exp between -650 and 700, and its value there beyond: no infinity, no slow denormal number."""
    return exp(min(max(number, SMALLEST), LARGEST))


@kernel
def below(number: float, bell: float) -> float:
    """The normal distribution function; `bell` is exp(-number^2 / 2), which the caller has anyway.

    Source: the rational approximation 5666 of Hart, Computer Approximations, 1968, which also has the right limit far
    out: 1e-15 absolute everywhere.
    """
    x = abs(number)
    p = 0.0352624965998911
    p = p * x + 0.700383064443688
    p = p * x + 6.37396220353165
    p = p * x + 33.912866078383
    p = p * x + 112.079291497871
    p = p * x + 221.213596169931
    p = p * x + 220.206867912376
    q = 0.0883883476483184
    q = q * x + 1.75566716318264
    q = q * x + 16.064177579207
    q = q * x + 86.7807322029461
    q = q * x + 296.564248779674
    q = q * x + 637.333633378831
    q = q * x + 793.826512519948
    q = q * x + 440.413735824752
    tail = bell * p / q
    return 1.0 - tail if number > 0.0 else tail
