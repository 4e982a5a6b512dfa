"""Random numbers for many paths at once: xoshiro256+ and Box-Muller in lanes; numba comes with it."""

import math

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import inlined_kernel
from vaultdash.pricing.elementary_kernels import (
    FRACTION_BITS,
    LN2_HIGH,
    LN2_LOW,
    LOG2_E,
    ONE_BITS,
    ROOT_TWO,
    ROUNDS,
    ROUNDS_BITS,
    bits_of,
    float_of,
)

BitArray = npt.NDArray[np.uint64]

LANES = 64
HALF_PI = 0.5 * math.pi
HALF_STEP = 2.0**-53
LEAST_EXPONENT = -700.0

ONE = np.uint64(ONE_BITS)
TOP = np.uint64(63)
SECOND, THIRD, SPARE = np.uint64(62), np.uint64(61), np.uint64(3)
DROPPED = np.uint64(12)  # the low bits of xoshiro256+ are its weakest
FIRST_BIT = np.uint64(1)
LEFT, TURN, TURN_BACK = np.uint64(17), np.uint64(45), np.uint64(19)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_ONE, MIX_TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
MIX_BY = (np.uint64(30), np.uint64(27), np.uint64(31))


@inlined_kernel
def mixed(counter: np.uint64) -> np.uint64:
    """splitmix64's scrambling of a counter."""
    z = counter * GOLDEN
    z = (z ^ (z >> MIX_BY[0])) * MIX_ONE
    z = (z ^ (z >> MIX_BY[1])) * MIX_TWO
    scrambled: np.uint64 = z ^ (z >> MIX_BY[2])
    return scrambled


@inlined_kernel
def seed_lanes(bits: BitArray, seed: int, block: int) -> None:
    """Four words of state for each lane; every lane of every block of a seed has its own stream."""
    start = mixed(np.uint64(seed) + GOLDEN)
    for word in range(4 * LANES):
        bits[word] = mixed(start + np.uint64(block * 4 * LANES + word))


@inlined_kernel
def draw(bits: BitArray, lane: int) -> np.uint64:
    """The next 64 bits of a lane (Blackman and Vigna 2018)."""
    s0, s1, s2, s3 = bits[lane], bits[LANES + lane], bits[2 * LANES + lane], bits[3 * LANES + lane]
    drawn: np.uint64 = s0 + s3
    shifted = s1 << LEFT
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << TURN) | (s3 >> TURN_BACK)
    bits[lane], bits[LANES + lane], bits[2 * LANES + lane], bits[3 * LANES + lane] = s0, s1, s2, s3
    return drawn


@inlined_kernel
def from_one(drawn: np.uint64) -> float:
    """Uniform from 1 up to but not including 2, of the upper bits."""
    number: float = float_of(np.int64((drawn >> DROPPED) | ONE))
    return number


@inlined_kernel
def uniform(bits: BitArray, lane: int) -> float:
    """Uniform between 0 and 1, both excluded, and as likely as one less itself."""
    return from_one(draw(bits, lane)) - 1.0 + HALF_STEP


@inlined_kernel
def log_of_fraction(w: float) -> float:
    """ln(w) of a normal number from 0 to 1, to 2e-11."""
    exponent = (bits_of(w) - ONE_BITS) >> FRACTION_BITS
    n: float = float_of(exponent + ROUNDS_BITS) - ROUNDS
    m: float = float_of(bits_of(w) - (exponent << FRACTION_BITS))
    is_high = m > ROOT_TWO
    n += 1.0 if is_high else 0.0
    m *= 0.5 if is_high else 1.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 0.18181818181818182
    p = p * z + 0.2222222222222222
    p = p * z + 0.2857142857142857
    p = p * z + 0.4
    p = p * z + 0.6666666666666666
    return n * LN2_HIGH + (n * LN2_LOW + p * z * s + 2.0 * s)


@inlined_kernel
def exp_of_negative(x: float) -> float:
    """The exponential of -700 to 0, to 8e-9 of itself: enough for a chance."""
    shifted = x * LOG2_E + ROUNDS
    n = shifted - ROUNDS
    r = x - n * LN2_HIGH - n * LN2_LOW
    p = 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power: float = float_of((bits_of(shifted) << FRACTION_BITS) + ONE_BITS)
    return p * power


@inlined_kernel
def normals(bits: BitArray, work: FloatArray, first: int, second: int) -> None:
    """Two standard normal numbers for each lane, at `first` and `second` of the work array (Box and Muller 1958).

    The angle is drawn within an eighth of a turn on either side; a bit swaps, and two give the signs.
    """
    for lane in range(LANES):
        w = 2.0 - from_one(draw(bits, lane))
        radius = math.sqrt(-2.0 * log_of_fraction(w))
        turn = draw(bits, lane)
        angle = (from_one(turn << SPARE) - 1.5) * HALF_PI
        z = angle * angle
        sine = 2.7557319223985893e-06
        sine = sine * z - 0.0001984126984126984
        sine = sine * z + 0.008333333333333333
        sine = sine * z - 0.16666666666666666
        sine = (sine * z + 1.0) * angle
        cosine = -2.755731922398589e-07
        cosine = cosine * z + 2.48015873015873e-05
        cosine = cosine * z - 0.001388888888888889
        cosine = cosine * z + 0.041666666666666664
        cosine = cosine * z - 0.5
        cosine = cosine * z + 1.0
        is_swapped = (turn >> TOP) != np.uint64(0)
        one = (cosine if not is_swapped else sine) * radius
        other = (sine if not is_swapped else cosine) * radius
        flip = np.int64(((turn >> SECOND) & FIRST_BIT) << TOP)
        flip_other = np.int64(((turn >> THIRD) & FIRST_BIT) << TOP)
        work[first + lane] = float_of(bits_of(one) ^ flip)
        work[second + lane] = float_of(bits_of(other) ^ flip_other)
