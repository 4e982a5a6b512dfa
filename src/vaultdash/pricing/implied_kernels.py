"""Compiled inversion of the European price for volatility; import it lazily, numba comes with it."""

import math
from typing import Any

import numpy as np

from vaultdash.pricing.base import CALL_CODE, LARGEST_EXPONENT, CodeArray, FloatArray
from vaultdash.pricing.compiled import exact_kernel, inlined_kernel
from vaultdash.pricing.elementary_kernels import exp, log_ratio, mills_above, mills_below
from vaultdash.pricing.implied_status import (
    ABOVE_BOUND,
    BELOW_INTRINSIC,
    DETERMINED,
    EPSILON,
    FAR_MONEYNESS,
    HIGHEST,
    LARGEST,
    LEAST_PRICE,
    LONGEST,
    LOWEST,
    NO_CONVERGE,
    NO_QUOTE,
    NOISE,
    NOT_DETERMINED,
    OK,
    SMALLEST,
    StatusArray,
)

INVERSE_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
TWO_OVER_PI = 2.0 / math.pi
FAR = 38.0  # deviations; as far as Mills' ratio is fitted
LEAST = 1e-300
STEPS = 2  # for every row, in vector registers
MOST_STEPS = 100  # for the few rows that are left
SMALL_STEP = 3e-4  # of the deviation; the error after a step is of its fourth power
SLACK = 1e-9  # a step may leave the bracket by rounding
HIGH, MIDDLE, LOW = 1.0, 0.0, -1.0  # which function of the price is iterated on


@inlined_kernel
def start(x: float, beta: float, half: float) -> float:
    """The deviation sigma sqrt(T) at which an option has about the price `beta`, mostly within a tenth.

    Stefanica & Radoicic 2017: with Polya's approximation of the normal distribution the formula can be solved.
    `x` = -|ln(F/K)|, `half` = exp(x / 2), `beta` the price of the out-of-the-money option over sqrt(F K).
    """
    e = half * half
    a = 2.0 * beta * half
    r = a + 1.0 - e
    wide = exp(TWO_OVER_PI * x)
    narrow = e / wide
    difference = narrow - 1.0 / narrow
    aa = difference * difference
    bb = 4.0 * (wide + 1.0 / wide) - 2.0 / e * (narrow + 1.0 / narrow) * (e * e + 1.0 - r * r)
    cc = a * (a + 2.0 * (1.0 - e)) * (2.0 * e - a) * (2.0 + a) / (e * e)
    solved = 2.0 * cc / (bb + math.sqrt(max(bb * bb + 4.0 * aa * cc, 0.0)))
    gamma = -log_ratio(min(max(solved, LEAST), 1.0), 1.0) / TWO_OVER_PI
    outer, inner = math.sqrt(max(gamma - x, 0.0)), math.sqrt(max(gamma + x, 0.0))
    turn = 0.5 * (e - 1.0 + math.sqrt(max(1.0 - wide * wide, 0.0)))
    return -2.0 * x / (outer + inner) if 0.5 * a <= turn else outer + inner


@inlined_kernel
def stepped(
    s: float, x: float, half: float, target: float, log_target: float, kind: float
) -> tuple[float, bool, float]:
    """One step of Householder's third-order method from `s`: the next value, whether `s` is too low, vega at `s`.

    The function iterated on is nearly straight: the logarithm of the price (MIDDLE), its inverse where the option is
    far out of the money (LOW), the logarithm of what the price lacks to its upper bound (HIGH). `target` is the
    price, or what it lacks.
    """
    inverse = 1.0 / s
    h, t = x * inverse, 0.5 * s
    upper, lower = h + t, h - t
    g = INVERSE_ROOT_TWO_PI * exp(max(-0.5 * (h * h + t * t), -690.0))
    far1, far2 = min(abs(upper), FAR), min(-lower, FAR)
    ratio1 = mills_above(far1) / mills_below(far1)
    ratio2 = mills_above(far2) / mills_below(far2)
    # Each of the two is a difference for one sign of `upper` only, and then of numbers that are not close.
    near = g * (ratio1 - ratio2)
    away = g * (ratio1 + ratio2)
    price = near if upper <= 0.0 else half - away
    lack = half - near if upper <= 0.0 else away
    y = max(lack if kind == HIGH else price, LEAST)
    rate = (-g if kind == HIGH else g) / y
    logarithm = log_ratio(y, 1.0)
    gap = logarithm - log_target
    backwards = 1.0 / logarithm if kind == LOW else 0.0
    first = 1.0 + 2.0 * backwards
    second = 2.0 + 6.0 * backwards * (1.0 + backwards)
    bend = (h * h - t * t) * inverse
    twist = bend * bend - 3.0 * h * h * inverse * inverse - 0.25
    newton = -gap / rate * (logarithm / log_target if kind == LOW else 1.0)
    h2 = bend - rate * first
    h3 = twist + rate * rate * second - 3.0 * bend * rate * first
    move = newton * (1.0 + 0.5 * h2 * newton) / (1.0 + newton * (h2 + h3 * newton / 6.0))
    return s + move, (gap > 0.0) == (kind == HIGH), g


@exact_kernel
def invert(
    price: FloatArray,
    spot: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    rate: FloatArray,
    dividend_yield: FloatArray,
    code: CodeArray,
    value: FloatArray,
    status: StatusArray,
) -> None:
    """Fill `value` and `status`; 1-dimensional contiguous arrays of one length, each row call or put.

    `value` is NaN where `status` is not OK.
    """
    size = price.size
    xs, halves, targets, logs = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    kinds, lows, highs, lasts = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    noises, vegas = np.empty(size), np.empty(size)
    for i in range(size):
        p, s, k, t = price[i], spot[i], strike[i], years[i]
        rt, qt = rate[i] * t, dividend_yield[i] * t
        is_call = code[i] == CALL_CODE
        w = 1.0 if is_call else -1.0
        share, cash = s * exp(-qt), k * exp(-rt)
        moneyness = log_ratio(s, k) + (rt - qt)
        root = math.sqrt(t)
        usual = (
            ((s >= SMALLEST) & (s <= LARGEST) & (k >= SMALLEST) & (k <= LARGEST))
            & ((t >= SMALLEST) & (t <= LONGEST))
            & ((abs(rt) <= LARGEST_EXPONENT) & (abs(qt) <= LARGEST_EXPONENT))
            & (abs(moneyness) <= FAR_MONEYNESS)
        )
        x = -abs(moneyness)
        half = exp(0.5 * max(x, -FAR_MONEYNESS))
        scale = 1.0 / (max(share, cash) * half)
        in_the_money = w * moneyness > 0.0
        beyond = p - max(w * (share - cash), 0.0) if in_the_money else p
        lack = min(share, cash) - beyond
        noise = NOISE * EPSILON * (share + cash)
        floor_noise = noise if in_the_money else 0.0
        found = BELOW_INTRINSIC if beyond < -floor_noise else NOT_DETERMINED
        found = found if beyond <= floor_noise else (ABOVE_BOUND if lack <= noise else OK)
        found = NOT_DETERMINED if (found == OK) & (beyond * scale < LEAST_PRICE) else found
        found = found if usual else NOT_DETERMINED
        status[i] = found if (p > 0.0) & (p < math.inf) else NO_QUOTE

        beta = min(max(beyond * scale, LEAST), half)
        least = max(ROOT_TWO_PI * beta, 0.9 * LOWEST * root)
        most = max(1.1 * HIGHEST * root, 1.0001 * least)
        guess = start(x, beta, half)
        guess = min(max(guess, least), most)
        is_high = beta > 0.5 * half
        target = max(lack * scale, LEAST) if is_high else beta
        xs[i], halves[i], targets[i] = x, half, target
        logs[i] = log_ratio(target, 1.0)
        kinds[i] = HIGH if is_high else (LOW if -x > guess else MIDDLE)
        lows[i], highs[i], value[i] = least, most, guess
        noises[i] = EPSILON * (2.0 * p + (share + cash if in_the_money else 0.0)) * scale
    for _ in range(STEPS):
        for i in range(size):
            s = value[i]
            moved, is_low, vega = stepped(s, xs[i], halves[i], targets[i], logs[i], kinds[i])
            low = s if is_low else lows[i]
            high = highs[i] if is_low else s
            inside = (moved >= low * (1.0 - SLACK)) & (moved <= high * (1.0 + SLACK))
            moved = moved if inside else math.sqrt(low * high)
            lows[i], highs[i], value[i], vegas[i] = low, high, moved, vega
            lasts[i] = abs(moved - s) if inside else math.inf
    for i in range(size):
        if status[i] != OK:
            value[i] = math.nan
            continue
        count = 0
        while not lasts[i] <= SMALL_STEP * value[i] and count < MOST_STEPS:
            s = value[i]
            moved, is_low, vegas[i] = stepped(s, xs[i], halves[i], targets[i], logs[i], kinds[i])
            if is_low:
                lows[i] = s
            else:
                highs[i] = s
            low, high = lows[i] * (1.0 - SLACK), highs[i] * (1.0 + SLACK)
            lasts[i] = abs(moved - s)
            # Every third step halves the bracket, should the others creep; it says nothing about convergence.
            if count % 3 == 2 or not low <= moved <= high:
                moved = math.sqrt(lows[i] * highs[i])
                lasts[i] = highs[i] - lows[i] if highs[i] <= lows[i] * (1.0 + SLACK) else math.inf
            value[i] = moved
            count += 1
        root = math.sqrt(years[i])
        sigma = value[i] / root
        if not lasts[i] <= SMALL_STEP * value[i]:
            status[i] = NO_CONVERGE
        elif not LOWEST * (1.0 - SLACK) <= sigma <= HIGHEST * (1.0 + SLACK) or (
            noises[i] > DETERMINED * vegas[i] * root
        ):
            status[i] = NOT_DETERMINED
        value[i] = sigma if status[i] == OK else math.nan


def warm() -> None:
    """Run every kernel once."""
    columns = [np.ones(1) for _ in range(6)]
    arguments: list[Any] = [*columns, np.full(1, CALL_CODE, dtype=np.uint32), np.empty(1), np.empty(1, dtype=np.int8)]
    invert(*arguments)
