"""What puts of known boundaries are worth: price and Greeks, sixteen contracts at once."""

import math

import numpy as np

from vaultdash.pricing.american_lanes import LANES, ROOT_TWO_PI, IntArray, below, exponential
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import kernel

POINTS = 20
KEPT = POINTS + 2  # the depth at each point, at the full time, and its slope there
TERMS = 12  # Chebyshev coefficients of each depth; fewer are filled up with zeros
LEAST_EARNED = 1e-9
FARTHEST = 6.0  # deviations from the boundary, beyond which nothing singular is left

# Rows of the work array, each of LANES numbers.
EARNED, PAID, WIDTH, LIMIT = 0, LANES, 2 * LANES, 3 * LANES
SPOT, STRIKE, MONEYNESS, PLACE = 4 * LANES, 5 * LANES, 6 * LANES, 7 * LANES
PRICE, DELTA, GAMMA, VEGA = 8 * LANES, 9 * LANES, 10 * LANES, 11 * LANES
NEAR, SLANT, EDGE = 12 * LANES, 13 * LANES, 14 * LANES
STRETCH, SUM = 15 * LANES, 16 * LANES
RATIO, OUTER, DRIFT = 17 * LANES, 18 * LANES, 19 * LANES
BASIS = 20 * LANES
SLOPES = BASIS + TERMS * LANES
DEPTH = SLOPES + TERMS * LANES
GROWTH = DEPTH + KEPT * LANES
CASH = GROWTH + KEPT * LANES
SHARE = CASH + POINTS * LANES
SIZE = SHARE + POINTS * LANES


@kernel
def polynomials(work: FloatArray) -> None:
    """Chebyshev's polynomials at each lane's place between -1 and 1, and their slopes."""
    for lane in range(LANES):
        twice = 2.0 * work[PLACE + lane]
        value, slope = work[PLACE + lane], 1.0
        last, last_slope = 1.0, 0.0
        work[BASIS + lane] = last
        work[SLOPES + lane] = last_slope
        work[BASIS + LANES + lane] = value
        work[SLOPES + LANES + lane] = slope
        for term in range(2, TERMS):
            slope, last_slope = 2.0 * value + twice * slope - last_slope, slope
            value, last = twice * value - last, value
            work[BASIS + term * LANES + lane] = value
            work[SLOPES + term * LANES + lane] = slope


@kernel
def shared_depths(work: FloatArray, table: FloatArray) -> None:
    """Depths of one group's boundary at each lane's volatility; `table` (TERMS, KEPT)."""
    for point in range(KEPT):
        at = DEPTH + point * LANES
        for lane in range(LANES):
            total = table[0, point]
            for term in range(1, TERMS):
                total += table[term, point] * work[BASIS + term * LANES + lane]
            work[SUM + lane] = total
        for lane in range(LANES):
            work[at + lane] = work[SUM + lane]


@kernel
def shared_growths(work: FloatArray, table: FloatArray) -> None:
    """How fast these depths grow with the volatility."""
    for point in range(POINTS):
        at = GROWTH + point * LANES
        for lane in range(LANES):
            total = table[1, point]
            for term in range(2, TERMS):
                total += table[term, point] * work[SLOPES + term * LANES + lane]
            work[SUM + lane] = total * work[STRETCH + lane]
        for lane in range(LANES):
            work[at + lane] = work[SUM + lane]


@kernel
def load(
    work: FloatArray,
    order: IntArray,
    first: int,
    count: int,
    group: int,
    shared: bool,
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
) -> None:
    """A block of rows into the lanes; lanes without a row repeat the last one."""
    for lane in range(LANES):
        row = order[first + min(lane, count - 1)]
        own = group if shared else row
        width = volatility[row] * root_years[own]
        work[SPOT + lane] = spot[row]
        work[STRIKE + lane] = strike[row]
        work[MONEYNESS + lane] = moneyness[row]
        work[PLACE + lane] = place[row]
        work[lane] = earned[own]
        work[PAID + lane] = paid[own]
        work[LIMIT + lane] = limit[own]
        work[WIDTH + lane] = width
        work[STRETCH + lane] = stretch[own] / width


@kernel
def discounts(work: FloatArray, cosine: FloatArray) -> None:
    """What cash and shares are worth at each point's time."""
    for point in range(POINTS):
        ahead = cosine[point]
        time = ahead * ahead
        cash, share = CASH + point * LANES, SHARE + point * LANES
        for lane in range(LANES):
            work[cash + lane] = exponential(-work[lane] * time)
            work[share + lane] = exponential(-work[PAID + lane] * time)


@kernel
def european_part(work: FloatArray) -> None:
    """Price, delta, gamma and vega of the European put of strike 1 and time 1."""
    for lane in range(LANES):
        width, x = work[WIDTH + lane], work[MONEYNESS + lane]
        d1 = (x + work[lane] - work[PAID + lane]) / width + 0.5 * width
        d2 = d1 - width
        bell = exponential(-0.5 * d1 * d1)
        share = exponential(-work[PAID + lane])
        cash = exponential(-work[lane])
        ratio = work[RATIO + lane]
        short = share * below(-d1, bell)
        work[PRICE + lane] = cash * below(-d2, exponential(-0.5 * d2 * d2)) - ratio * short
        work[DELTA + lane] = -short
        density = share * bell / ROOT_TWO_PI
        work[GAMMA + lane] = density / (ratio * width)
        work[VEGA + lane] = density * ratio


@kernel
def find_edge(work: FloatArray) -> None:
    """How far each lane is from its boundary, and the boundary's slope and gain at the full time.

    Besides, what every point needs: spot over strike, and the distance to the limit and the drift in deviations.
    """
    edge, slope = DEPTH + POINTS * LANES, DEPTH + (POINTS + 1) * LANES
    for lane in range(LANES):
        earned, paid, width = work[lane], work[PAID + lane], work[WIDTH + lane]
        outer = (work[MONEYNESS + lane] + work[LIMIT + lane]) / width + work[edge + lane]
        gains = earned - paid * exponential(-work[LIMIT + lane] - width * work[edge + lane])
        drift = (earned - paid) / width
        work[RATIO + lane] = work[SPOT + lane] / work[STRIKE + lane]
        work[OUTER + lane] = outer - work[edge + lane]
        work[DRIFT + lane] = drift
        work[NEAR + lane] = min(max(outer, 0.0), FARTHEST)
        work[SLANT + lane] = drift - 0.5 * width - 0.5 * work[slope + lane]
        work[EDGE + lane] = gains if earned > LEAST_EARNED else 0.0


@kernel
def add_edge(work: FloatArray) -> None:
    """Add in closed form what `add_premium` takes away: the part of the integrals that is singular at the boundary.

    There the boundary is an exponential through its last point with its slope. With X deviations to it, a drift c,
    g = sqrt(c^2 + 2a), A = exp(-X (c + g)) N(g - X), B = exp(-X (c - g)) N(-g - X), from the Laplace transform of the
    first passage time: int_0^1 exp(-a u) phi((X + c u) / sqrt(u)) / sqrt(u) du = G = (A - B) / g, whose slope in X is
    -(c G + A + B); and int_0^1 exp(-a u) N(-(X + c u) / sqrt(u)) du = ((A + B - c G) / 2 - exp(-a) N(-X - c)) / a.
    """
    for lane in range(LANES):
        earned, near, slant, gains = work[lane], work[NEAR + lane], work[SLANT + lane], work[EDGE + lane]
        speed = math.sqrt(max(slant * slant + 2.0 * earned, 1e-8))
        fall, rise, last = speed - near, -speed - near, -near - slant
        above = exponential(-near * (slant + speed)) * below(fall, exponential(-0.5 * fall * fall))
        bell = exponential(-0.5 * rise * rise)
        beneath = exponential(-0.5 * last * last - earned) * below(rise, bell) / max(bell, 1e-300)
        both, whole = above + beneath, (above - beneath) / speed
        ended = exponential(-earned) * below(last, exponential(-0.5 * last * last))
        wide = work[RATIO + lane] * work[WIDTH + lane]
        work[PRICE + lane] += gains * (0.5 * (both - slant * whole) - ended) / max(earned, LEAST_EARNED)
        work[DELTA + lane] -= gains * whole / wide
        work[GAMMA + lane] += gains * (slant * whole + both) / (wide * wide)


@kernel
def add_premium(work: FloatArray, sine: FloatArray, cosine: FloatArray, weight: FloatArray) -> None:
    """Add what early exercise is worth to price, delta, gamma and vega."""
    for point in range(POINTS):
        ahead = cosine[point]
        inverse = 1.0 / ahead
        rule = 2.0 * weight[point] * sine[point] * ahead
        at, growth = DEPTH + point * LANES, GROWTH + point * LANES
        cash, share = CASH + point * LANES, SHARE + point * LANES
        for lane in range(LANES):
            earned, paid, width = work[lane], work[PAID + lane], work[WIDTH + lane]
            ratio, outer, drift = work[RATIO + lane], work[OUTER + lane], work[DRIFT + lane]
            d2 = (outer + work[at + lane]) * inverse + (drift - 0.5 * width) * ahead
            d1 = d2 + width * ahead
            bell2, bell1 = exponential(-0.5 * d2 * d2), exponential(-0.5 * d1 * d1)
            money, stock = earned * work[cash + lane], paid * work[share + lane]
            short = stock * below(-d1, bell1)
            money_bell, stock_bell = money * bell2 / ROOT_TWO_PI, stock * bell1 / ROOT_TWO_PI
            gains = money_bell - ratio * stock_bell
            narrow = 1.0 / (ratio * width * ahead)
            near = work[NEAR + lane] * inverse + work[SLANT + lane] * ahead
            bell = exponential(-0.5 * near * near)
            given = work[EDGE + lane] * work[cash + lane]
            known = given * bell / ROOT_TWO_PI
            turned = money_bell * d2 - ratio * stock_bell * d1 - known * near
            faster = work[growth + lane] * inverse - (outer * inverse + drift * ahead) / width - 0.5 * ahead
            work[PRICE + lane] += rule * (money * below(-d2, bell2) - ratio * short - given * below(-near, bell))
            work[DELTA + lane] -= rule * ((gains - known) * narrow + short)
            work[GAMMA + lane] += rule * ((turned * narrow + gains / ratio + 2.0 * stock_bell) * narrow)
            work[VEGA + lane] += rule * (ratio * stock_bell * ahead - gains * faster)


@kernel
def values(
    order: IntArray,
    starts: IntArray,
    shared: bool,
    tables: FloatArray,
    spot: FloatArray,
    strike: FloatArray,
    moneyness: FloatArray,
    volatility: FloatArray,
    place: FloatArray,
    is_call: IntArray,
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
    """Price, delta, gamma, vega and theta into the five rows of `out`, of the contracts as they are.

    Calls come as their mirror put: spot and strike exchanged, as are earned and paid. `order` lists the rows group by
    group, `starts` (groups + 1) where each begins. `tables` (groups, TERMS, KEPT) and the columns after `is_call` are
    by group; not `shared`, there is one group, and they are by row.
    """
    work = np.empty(SIZE)
    for group in range(starts.size - 1):
        for first in range(starts[group], starts[group + 1], LANES):
            count = min(LANES, starts[group + 1] - first)
            load(
                work, order, first, count, group, shared,
                spot, strike, moneyness, volatility, place, earned, paid, limit, root_years, stretch,
            )  # fmt: skip
            if shared:
                polynomials(work)
                shared_depths(work, tables[group])
                shared_growths(work, tables[group])
            else:
                for lane in range(LANES):
                    own = order[first + min(lane, count - 1)]
                    for point in range(KEPT):
                        work[DEPTH + point * LANES + lane] = tables[own, 0, point]
                        work[GROWTH + point * LANES + lane] = tables[own, 1, point] * work[STRETCH + lane]
            if first == starts[group] or not shared:
                discounts(work, cosine)
            find_edge(work)
            european_part(work)
            add_edge(work)
            add_premium(work, sine, cosine, weight)
            for lane in range(LANES):
                earned_, paid_, width = work[lane], work[PAID + lane], work[WIDTH + lane]
                ratio = work[SPOT + lane] / work[STRIKE + lane]
                decay = earned_ * work[PRICE + lane] - (earned_ - paid_) * ratio * work[DELTA + lane]
                work[SLANT + lane] = decay - 0.5 * width * width * ratio * ratio * work[GAMMA + lane]
            for lane in range(count):
                row = order[first + lane]
                own = group if shared else row
                base, ratio = strike[row], work[SPOT + lane] / work[STRIKE + lane]
                root = root_years[own]
                now = strike[row] - spot[row]
                price = work[PRICE + lane] * base
                deep = work[MONEYNESS + lane] + work[LIMIT + lane]
                deep += work[WIDTH + lane] * work[DEPTH + POINTS * LANES + lane]
                if deep <= 0.0 or (now > 0.0 and price <= now + 1e-13 * base):
                    out[0, row] = now
                    out[1, row] = 1.0 if is_call[row] else -1.0
                    out[2, row] = 0.0
                    out[3, row] = 0.0
                    out[4, row] = 0.0
                else:
                    delta = min(max(work[DELTA + lane], -1.0), 0.0)
                    gamma = max(work[GAMMA + lane], 0.0)
                    out[0, row] = max(price, 0.0)
                    out[1, row] = min(work[PRICE + lane] - ratio * delta, 1.0) if is_call[row] else delta
                    out[2, row] = gamma * ratio * ratio / base if is_call[row] else gamma / base
                    out[3, row] = max(work[VEGA + lane], 0.0) * base * root
                    out[4, row] = min(work[SLANT + lane], 0.0) * base / (root * root)
