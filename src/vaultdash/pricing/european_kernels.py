"""Compiled European prices and Greeks; import it lazily, numba comes with it."""

import math
from typing import Any

import numpy as np

from vaultdash.pricing.base import CALL_CODE, LARGEST_DEVIATION, LARGEST_EXPONENT, PUT_CODE, CodeArray, FloatArray
from vaultdash.pricing.compiled import exact_kernel
from vaultdash.pricing.elementary_kernels import exp, log_ratio, mills_above, mills_below

INVALID, RARE = 1, 2  # what `value` found among the rows
FAR = 37.0  # deviations; beyond them nothing is left of a density
LEAST_USUAL, MOST_USUAL = 1e-100, 1e100  # beyond them products may leave the range of a float
LEAST_DEVIATION = 1e-12
INVERSE_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
LARGEST = float(np.finfo(np.float64).max)


@exact_kernel
def value(
    spot: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    rate: FloatArray,
    dividend_yield: FloatArray,
    volatility: FloatArray,
    code: CodeArray,
    price: FloatArray,
    delta: FloatArray,
    gamma: FloatArray,
    vega: FloatArray,
    theta: FloatArray,
    rho: FloatArray,
) -> int:
    """Fill the last six; 1-dimensional contiguous arrays of one length.

    Returns the sum of INVALID, when some row is no contract, and RARE, when some is at an edge (no time, no
    volatility, absurdly far) and must be valued otherwise; its price is NaN, its Greeks are rubbish. Everything is an
    expression without branches and calls, so that the loop runs in vector registers.
    """
    found = 0
    for i in range(spot.size):
        s, k, t, r, q, v = spot[i], strike[i], years[i], rate[i], dividend_yield[i], volatility[i]
        is_call = code[i] == CALL_CODE
        w = 1.0 if is_call else -1.0
        root = math.sqrt(t)
        deviation = v * root
        rt, qt = r * t, q * t
        # Comparisons with NaN are false, so that NaN is no valid number either.
        valid = (
            ((s > 0.0) & (s <= LARGEST))
            & ((k > 0.0) & (k <= LARGEST))
            & ((t >= 0.0) & (t <= LARGEST))
            & ((v >= 0.0) & (deviation <= LARGEST_DEVIATION))
            & ((abs(rt) <= LARGEST_EXPONENT) & (abs(qt) <= LARGEST_EXPONENT))
            & (is_call | (code[i] == PUT_CODE))
        )
        moneyness = log_ratio(s, k) + (rt - qt)
        usual = (
            ((s >= LEAST_USUAL) & (s <= MOST_USUAL))
            & ((k >= LEAST_USUAL) & (k <= MOST_USUAL))
            & ((deviation >= LEAST_DEVIATION) & (t <= MOST_USUAL))
        )
        found |= (0 if valid else INVALID) | (0 if usual else RARE)

        # Divisions cost most: one serves all that is divided by spot and deviation, one both normal tails.
        inverse = 1.0 / (s * deviation)
        ratio = moneyness * s * inverse
        d1 = min(max(ratio + 0.5 * deviation, -FAR), FAR)
        d2 = min(max(ratio - 0.5 * deviation, -FAR), FAR)
        price[i] = 0.0 if usual else math.nan
        delta[i], gamma[i], vega[i] = d1, d2, inverse
    # A second loop, because the first has a long chain of dependencies: short ones run side by side.
    for i in range(spot.size):
        s, k, t, r, q, v = spot[i], strike[i], years[i], rate[i], dividend_yield[i], volatility[i]
        w = 1.0 if code[i] == CALL_CODE else -1.0
        d1, d2, inverse = delta[i], gamma[i], vega[i]
        below1, below2 = mills_below(abs(d1)), mills_below(abs(d2))
        shared = INVERSE_ROOT_TWO_PI / (below1 * below2)
        kept, discount = exp(-q * t), exp(-r * t)
        bell = exp(-0.5 * d1 * d1)
        tail1 = bell * mills_above(abs(d1)) * below2 * shared
        tail2 = exp(-0.5 * d2 * d2) * mills_above(abs(d2)) * below1 * shared
        n1 = tail1 if w * d1 < 0.0 else 1.0 - tail1
        n2 = tail2 if w * d2 < 0.0 else 1.0 - tail2

        kept_n1 = kept * n1
        cash = k * discount * n2
        share = s * kept_n1
        kept_density = kept * bell * INVERSE_ROOT_TWO_PI
        price[i] = max(w * (share - cash), 0.0) + price[i]
        delta[i] = w * kept_n1
        gamma[i] = kept_density * inverse
        vega[i] = s * kept_density * math.sqrt(t)
        theta[i] = -0.5 * kept_density * inverse * (s * v) * (s * v) + w * (q * share - r * cash)
        rho[i] = w * t * cash
    return found


def warm() -> None:
    """Run every kernel once."""
    columns = [np.ones(1) for _ in range(12)]
    arguments: list[Any] = [*columns[:6], np.full(1, CALL_CODE, dtype=np.uint32), *columns[6:]]
    value(*arguments)
