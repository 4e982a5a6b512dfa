"""Exponential, logarithm and normal tail without branches and calls: loops over them run in vector registers."""

from typing import Any

from numba import types
from numba.extending import intrinsic

from vaultdash.pricing.compiled import inlined_kernel

LOG2_E = 1.4426950408889634
# ln 2 in two parts: the first has so few digits that its product with an exponent is exact.
LN2_HIGH, LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
ROUNDS = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer in the low bits
ROUNDS_BITS = 0x4338000000000000
FRACTION_BITS = 52
ONE_BITS = 0x3FF0000000000000
ROOT_TWO = 1.4142135623730951


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def bits_of(_: Any, __: Any) -> Any:
    """The 64 bits of a float."""

    def generated(context: Any, builder: Any, ___: Any, given: Any) -> Any:
        return builder.bitcast(given[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generated


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def float_of(_: Any, __: Any) -> Any:
    """The float of 64 bits."""

    def generated(context: Any, builder: Any, ___: Any, given: Any) -> Any:
        return builder.bitcast(given[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generated


@inlined_kernel
def exp(x: float) -> float:
    """The exponential of -708 to 709, to 3e-16 of itself: 2^n times the Taylor series of |r| <= ln(2) / 2."""
    shifted = x * LOG2_E + ROUNDS
    n = shifted - ROUNDS
    r = x - n * LN2_HIGH - n * LN2_LOW
    # 1/n! for n = 2 to 13: two chains, even and odd, run side by side
    square = r * r
    even = 2.08767569878681e-09
    even = even * square + 2.755731922398589e-07
    even = even * square + 2.48015873015873e-05
    even = even * square + 0.001388888888888889
    even = even * square + 0.041666666666666664
    even = even * square + 0.5
    odd = 1.6059043836821613e-10
    odd = odd * square + 2.505210838544172e-08
    odd = odd * square + 2.7557319223985893e-06
    odd = odd * square + 0.0001984126984126984
    odd = odd * square + 0.008333333333333333
    odd = odd * square + 0.16666666666666666
    p = (even + odd * r) * square + r + 1.0
    power: float = float_of((bits_of(shifted) << FRACTION_BITS) + ONE_BITS)
    return p * power


@inlined_kernel
def log_ratio(a: float, b: float) -> float:
    """ln(a / b) of normal numbers above zero, to 5e-16 of itself or of 1, with a single division.

    With a / b = 2^n m and m within a factor sqrt(2) of 1: n ln 2 + 2 artanh(s), where s = (m-1) / (m+1).
    """
    exponent_a = (bits_of(a) - ONE_BITS) >> FRACTION_BITS
    exponent_b = (bits_of(b) - ONE_BITS) >> FRACTION_BITS
    n: float = float_of(exponent_a - exponent_b + ROUNDS_BITS) - ROUNDS
    m_a: float = float_of(bits_of(a) - (exponent_a << FRACTION_BITS))
    m_b: float = float_of(bits_of(b) - (exponent_b << FRACTION_BITS))
    is_high, is_low = m_a > ROOT_TWO * m_b, m_b > ROOT_TWO * m_a
    n += 1.0 if is_high else (-1.0 if is_low else 0.0)
    m_a *= 0.5 if is_high else 1.0
    m_b *= 0.5 if is_low else 1.0
    s = (m_a - m_b) / (m_a + m_b)
    z = s * s
    # 2/n for n = 3, 5, ... 23
    square = z * z
    even = 0.08695652173913043
    even = even * square + 0.10526315789473684
    even = even * square + 0.13333333333333333
    even = even * square + 0.18181818181818182
    even = even * square + 0.2857142857142857
    even = even * square + 0.6666666666666666
    odd = 0.09523809523809523
    odd = odd * square + 0.11764705882352941
    odd = odd * square + 0.15384615384615385
    odd = odd * square + 0.2222222222222222
    odd = odd * square + 0.4
    p = even + odd * z
    return n * LN2_HIGH + (n * LN2_LOW + p * z * s + 2.0 * s)


@inlined_kernel
def mills_above(x: float) -> float:
    """The numerator of Mills' ratio, the normal tail N(-x) over the density at x, for 0 <= x <= 39.

    With `mills_below` a ratio of polynomials with positive coefficients, fitted by least squares in fifty digits to
    sqrt(pi/2) exp(x^2/2) erfc(x/sqrt(2)). The fit is off by 5e-17 of itself, its evaluation by 1e-15. They are two,
    so that the caller can do with one division for two ratios.
    """
    square = x * x
    even = 9.332271858507253e-05
    even = even * square + 0.010246005610977027
    even = even * square + 0.24483009796367833
    even = even * square + 1.4888521646682216
    even = even * square + 1.2533141373155001
    odd = 3.47071650692417e-06
    odd = odd * square + 0.0012286500942605436
    odd = odd * square + 0.05919227810998538
    odd = odd * square + 0.7251042395691073
    odd = odd * square + 1.9421838159317393
    return even + odd * x


@inlined_kernel
def mills_below(x: float) -> float:
    """The denominator; see `mills_above`."""
    square = x * x
    even = 3.4707165069345107e-06
    even = even * square + 0.001232120810967309
    even = even * square + 0.06041398719768887
    even = even * square + 0.7818741692102777
    even = even * square + 2.5609845466690557
    even = even * square + 1.0
    odd = 9.33227185829316e-05
    odd = odd * square + 0.010339328318345666
    odd = odd * square + 0.25488944639497574
    odd = odd * square + 1.7141195073425097
    odd = odd * square + 2.3475230417759843
    return even + odd * x
