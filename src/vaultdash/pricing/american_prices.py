"""What puts of known boundaries are worth, the price alone; and the volatility at which they have a price."""

import numpy as np

from vaultdash.pricing.american_lanes import LANES, IntArray, below, exponential
from vaultdash.pricing.american_values import (
    CASH,
    DEPTH,
    DRIFT,
    EDGE,
    NEAR,
    OUTER,
    PAID,
    PLACE,
    POINTS,
    PRICE,
    RATIO,
    SHARE,
    SIZE,
    SLANT,
    SPOT,
    STRETCH,
    STRIKE,
    WIDTH,
    add_edge,
    discounts,
    european_part,
    find_edge,
    load,
    polynomials,
    shared_depths,
)
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import kernel
from vaultdash.pricing.elementary_kernels import log_ratio

CLEAR = 1.5  # deviations from the boundary, beyond which the points see all there is
LEAST_WORTH = 1e-250
STEEP = -12.0  # of the time value's logarithm: less says only that there is none
MOST_TRIES = 24
CLOSE = 2e-7  # of ln(volatility); a step's error is far less than the step

# More rows of the work array, for the search.
WANTED = SIZE
HERE, LOW, HIGH, LAST = SIZE + LANES, SIZE + 2 * LANES, SIZE + 3 * LANES, SIZE + 4 * LANES
GAP, LAST_GAP, TILT = SIZE + 5 * LANES, SIZE + 6 * LANES, SIZE + 7 * LANES
SEARCH_SIZE = SIZE + 8 * LANES

FOUND, LOWER, HIGHER, LOST = 0, -1, 1, 2


@kernel
def add_premium_price(work: FloatArray, sine: FloatArray, cosine: FloatArray, weight: FloatArray) -> None:
    """Add what early exercise is worth to the price, well away from the boundary."""
    for point in range(POINTS):
        ahead = cosine[point]
        inverse = 1.0 / ahead
        rule = 2.0 * weight[point] * sine[point] * ahead
        at, cash, share = DEPTH + point * LANES, CASH + point * LANES, SHARE + point * LANES
        for lane in range(LANES):
            earned, paid, width = work[lane], work[PAID + lane], work[WIDTH + lane]
            d2 = (work[OUTER + lane] + work[at + lane]) * inverse + (work[DRIFT + lane] - 0.5 * width) * ahead
            d1 = d2 + width * ahead
            money = earned * work[cash + lane] * below(-d2, exponential(-0.5 * d2 * d2))
            stock = paid * work[share + lane] * below(-d1, exponential(-0.5 * d1 * d1))
            work[PRICE + lane] += rule * (money - work[RATIO + lane] * stock)


@kernel
def take_edge(work: FloatArray, sine: FloatArray, cosine: FloatArray, weight: FloatArray) -> None:
    """Take away from the price what `add_edge` has added."""
    for point in range(POINTS):
        ahead = cosine[point]
        inverse = 1.0 / ahead
        rule = 2.0 * weight[point] * sine[point] * ahead
        cash = CASH + point * LANES
        for lane in range(LANES):
            near = work[NEAR + lane] * inverse + work[SLANT + lane] * ahead
            given = work[EDGE + lane] * work[cash + lane]
            work[PRICE + lane] -= rule * given * below(-near, exponential(-0.5 * near * near))


@kernel
def price_block(
    work: FloatArray, table: FloatArray, sine: FloatArray, cosine: FloatArray, weight: FloatArray
) -> None:
    """Prices of the puts of strike 1 in the lanes; at least what exercise now pays."""
    polynomials(work)
    shared_depths(work, table)
    find_edge(work)
    european_part(work)
    nearest = CLEAR
    for lane in range(LANES):
        nearest = min(nearest, work[NEAR + lane])
    if nearest < CLEAR:
        add_edge(work)
        take_edge(work, sine, cosine, weight)
    add_premium_price(work, sine, cosine, weight)
    for lane in range(LANES):
        now = max(1.0 - work[SPOT + lane] / work[STRIKE + lane], 0.0)
        alive = max(work[PRICE + lane], now)
        work[PRICE + lane] = alive if work[NEAR + lane] > 0.0 else now


@kernel
def prices(
    order: IntArray,
    starts: IntArray,
    tables: FloatArray,
    spot: FloatArray,
    strike: FloatArray,
    moneyness: FloatArray,
    volatility: FloatArray,
    place: FloatArray,
    earned: FloatArray,
    paid: FloatArray,
    limit: FloatArray,
    root_years: FloatArray,
    stretch: FloatArray,
    sine: FloatArray,
    cosine: FloatArray,
    weight: FloatArray,
    out: FloatArray,
) -> None:
    """The price alone, of rows that share boundaries; arguments as in `american_values.values`."""
    work = np.empty(SIZE)
    for group in range(starts.size - 1):
        for first in range(starts[group], starts[group + 1], LANES):
            count = min(LANES, starts[group + 1] - first)
            load(
                work, order, first, count, group, True,
                spot, strike, moneyness, volatility, place, earned, paid, limit, root_years, stretch,
            )  # fmt: skip
            if first == starts[group]:
                discounts(work, cosine)
            price_block(work, tables[group], sine, cosine, weight)
            for lane in range(count):
                row = order[first + lane]
                out[row] = max(work[PRICE + lane] * strike[row], strike[row] - spot[row])


@kernel
def aim(work: FloatArray, root: float, middle: float, half: float) -> None:
    """Set the lanes' volatilities to where the search stands."""
    for lane in range(LANES):
        here = work[HERE + lane]
        work[WIDTH + lane] = exponential(here) * root
        work[PLACE + lane] = (here - middle) / half


@kernel
def advance(work: FloatArray) -> float:
    """One step of the secant method on the logarithm of the time value, within the bracket; the largest step."""
    for lane in range(LANES):
        now = max(1.0 - work[SPOT + lane] / work[STRIKE + lane], 0.0)
        worth = max(work[PRICE + lane] - now, LEAST_WORTH)
        gap = max(log_ratio(worth, work[WANTED + lane]), STEEP)
        here, low, high = work[HERE + lane], work[LOW + lane], work[HIGH + lane]
        low = here if gap < 0.0 else low
        high = here if gap >= 0.0 else high
        run, rise = here - work[LAST + lane], gap - work[LAST_GAP + lane]
        tilt = rise / run if run * rise > 1e-24 else work[TILT + lane]
        middle = 0.5 * (low + high)
        aimed = here - gap / tilt
        aimed = middle if (gap <= STEEP) | (work[LAST_GAP + lane] <= STEEP) else aimed
        aimed = min(max(aimed, low), high)
        # A step to an end of the bracket that was tried already would stand still.
        aimed = middle if (aimed == here) & (abs(gap) > 1e-12) & (high > low) else aimed
        work[LOW + lane], work[HIGH + lane] = low, high
        work[LAST + lane], work[LAST_GAP + lane], work[TILT + lane] = here, gap, tilt
        work[HERE + lane] = aimed
    largest = 0.0
    for lane in range(LANES):
        largest = max(largest, abs(work[HERE + lane] - work[LAST + lane]))
    return largest


@kernel
def search(
    order: IntArray,
    starts: IntArray,
    tables: FloatArray,
    spot: FloatArray,
    strike: FloatArray,
    moneyness: FloatArray,
    wanted: FloatArray,
    guess: FloatArray,
    tilt: FloatArray,
    earned: FloatArray,
    paid: FloatArray,
    limit: FloatArray,
    root_years: FloatArray,
    middle: FloatArray,
    half: FloatArray,
    sine: FloatArray,
    cosine: FloatArray,
    weight: FloatArray,
    found: FloatArray,
    slope: FloatArray,
    states: IntArray,
) -> None:
    """ln(volatility) at which each put has the time value `wanted` (of the strike), within its group's range.

    `guess` is where to begin, `tilt` how fast the logarithm of the time value grows there with that of the
    volatility. `states`: FOUND, LOWER or HIGHER when it lies outside the range, LOST when the search did not end.
    """
    work = np.empty(SEARCH_SIZE)
    for group in range(starts.size - 1):
        lowest, highest = middle[group] - half[group], middle[group] + half[group]
        for first in range(starts[group], starts[group + 1], LANES):
            count = min(LANES, starts[group + 1] - first)
            load(
                work, order, first, count, group, True,
                spot, strike, moneyness, guess, guess, earned, paid, limit, root_years, half,
            )  # fmt: skip
            if first == starts[group]:
                discounts(work, cosine)
            for lane in range(LANES):
                row = order[first + min(lane, count - 1)]
                work[STRETCH + lane] = 0.0
                work[WANTED + lane] = wanted[row]
                work[HERE + lane] = min(max(guess[row], lowest), highest)
                work[LOW + lane], work[HIGH + lane] = lowest, highest
                work[LAST + lane] = work[HERE + lane]
                work[LAST_GAP + lane] = 0.0
                work[TILT + lane] = tilt[row]
            for _ in range(MOST_TRIES):
                aim(work, root_years[group], middle[group], half[group])
                price_block(work, tables[group], sine, cosine, weight)
                if advance(work) < CLOSE:
                    break
            for lane in range(count):
                row = order[first + lane]
                here, gap = work[HERE + lane], work[LAST_GAP + lane]
                found[row] = here
                slope[row] = work[TILT + lane]
                if abs(here - work[LAST + lane]) >= CLOSE:
                    states[row] = LOST
                elif here <= lowest + CLOSE and gap > 1e-9:
                    states[row] = LOWER
                elif here >= highest - CLOSE and gap < -1e-9:
                    states[row] = HIGHER
                else:
                    states[row] = FOUND
