"""Where a put is best exercised: the boundary at a few times before expiry, sixteen contracts at once."""

import math

import numpy as np

from vaultdash.pricing.american_lanes import LANES, ROOT_TWO_PI, below, exponential
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import kernel
from vaultdash.pricing.elementary_kernels import log_ratio

NODES = 12
POINTS = 14
SWEEPS = 8
SEED_STEPS = 3
SETTLED = 3e-4  # a step, of the depth; it squares the error, so what is left is far less
LEAST = 1e-12

# Rows of the work array, each of LANES numbers, at constant offsets: only so is the innermost loop widened.
EARNED, PAID, WIDTH, LIMIT = 0, LANES, 2 * LANES, 3 * LANES
DEPTH = 4 * LANES
FAR = DEPTH + NODES * LANES  # deepest depth, that of an option without expiry
RESIDUE = FAR + LANES
SQUARE = RESIDUE + NODES * LANES
PULL = SQUARE + POINTS * LANES
PUSH = PULL + POINTS * LANES
KEEP = PUSH + POINTS * LANES
GIVE = KEEP + LANES
OWN = GIVE + LANES
SUM = OWN + LANES
GRAND = SUM + LANES
MATRIX = GRAND + NODES * LANES
SIZE = MATRIX + NODES * NODES * LANES


@kernel
def seed(work: FloatArray, root: FloatArray) -> None:
    """A first boundary by Barone-Adesi & Whaley 1987, some Newton steps at each node."""
    for node in range(NODES):
        at = DEPTH + node * LANES
        time_root = root[node]
        time = time_root * time_root
        for lane in range(LANES):
            earned, paid, width, limit = work[lane], work[PAID + lane], work[WIDTH + lane], work[LIMIT + lane]
            far = work[FAR + lane]
            first = far * (1.0 - exponential(-1.7 * width * time_root / far))
            variance = width * width
            spent = earned * time
            gone = (1.0 - exponential(-spent)) / max(spent, 1e-8)
            gone = gone if spent > 1e-5 else 1.0 - 0.5 * spent
            tilt = 2.0 * (earned - paid) / variance - 1.0
            power = -0.5 * (tilt + math.sqrt(tilt * tilt + 8.0 / (variance * time * gone)))
            deviation = width * time_root
            discount = exponential(-paid * time)
            cash = exponential(-earned * time)
            depth = first
            for _ in range(SEED_STEPS):
                boundary = exponential(-limit - depth)
                d1 = ((earned - paid) * time - limit - depth) / deviation + 0.5 * deviation
                bell1 = exponential(-0.5 * d1 * d1)
                d2 = d1 - deviation
                n1 = discount * below(-d1, bell1)
                n2 = cash * below(-d2, exponential(-0.5 * d2 * d2))
                over = 1.0 - boundary - n2 + boundary * n1 + (1.0 - n1) * boundary / power
                slope = (1.0 - n1) * (1.0 / power - 1.0) + discount * bell1 / (ROOT_TWO_PI * power * deviation)
                depth = min(max(depth + over / (slope * boundary), 0.4 * depth), 2.5 * depth)
            work[at + lane] = min(max(depth, 0.2 * first), 4.0 * first) + limit


@kernel
def residues(
    work: FloatArray,
    root: FloatArray,
    sine: FloatArray,
    cosine: FloatArray,
    weight: FloatArray,
    spread: FloatArray,
    rest: FloatArray,
) -> None:
    """How far the slope of the value at the boundary is from -1, and the Jacobian of that in the depths."""
    for node in range(NODES):
        at, grand = DEPTH + node * LANES, GRAND + node * LANES
        for lane in range(LANES):
            work[grand + lane] = work[at + lane] * work[at + lane]
    for node in range(NODES):
        at = DEPTH + node * LANES
        time_root = root[node]
        for lane in range(LANES):
            work[KEEP + lane] = 0.0
            work[GIVE + lane] = 0.0
        for point in range(POINTS):
            row = SQUARE + point * LANES
            for lane in range(LANES):
                total = rest[node, point] * work[LIMIT + lane] * work[LIMIT + lane]
                for other in range(NODES):
                    total += spread[node, point, other] * work[GRAND + other * LANES + lane]
                work[SUM + lane] = total
            for lane in range(LANES):
                work[row + lane] = work[SUM + lane]
        for point in range(POINTS):
            row = SQUARE + point * LANES
            pull, push = PULL + point * LANES, PUSH + point * LANES
            ahead = time_root * cosine[point]
            rule = weight[point] * 2.0 * time_root * sine[point]
            for lane in range(LANES):
                earned, paid, width = work[lane], work[PAID + lane], work[WIDTH + lane]
                depth, least = work[at + lane], LEAST + work[LIMIT + lane]
                there = math.sqrt(max(work[row + lane], least * least))
                deviation = width * ahead
                time = ahead * ahead
                d2 = (there - depth + (earned - paid) * time) / deviation - 0.5 * deviation
                d1 = d2 + deviation
                bell1 = exponential(-0.5 * d1 * d1)
                discount = exponential(-paid * time)
                scale = rule / (ROOT_TWO_PI * width)
                cash = scale * earned * exponential(depth - earned * time - 0.5 * d2 * d2)
                share = scale * paid * discount * bell1
                kept, given = max(share, 0.0), max(-share, 0.0)  # both sides stay positive when the yield is not
                work[KEEP + lane] += rule * ahead * paid * discount * below(d1, bell1) + kept
                work[GIVE + lane] += cash + given
                work[pull + lane] = share - kept * d1 / deviation
                work[push + lane] = -(cash * d2 + given * d1) / deviation
                work[row + lane] = 1.0 / there
        for lane in range(LANES):
            paid, width = work[PAID + lane], work[WIDTH + lane]
            deviation = width * time_root
            time = time_root * time_root
            drift = (work[lane] - paid) * time
            d1 = (drift - work[at + lane]) / deviation + 0.5 * deviation
            bell = exponential(-0.5 * d1 * d1)
            discount = exponential(-paid * time)
            keep = max(work[KEEP + lane] + discount * below(d1, bell), 1e-300)
            give = max(work[GIVE + lane], 1e-300)
            work[KEEP + lane] = 1.0 / keep
            work[GIVE + lane] = 1.0 / give
            work[RESIDUE + node * LANES + lane] = log_ratio(keep, give)
            work[OWN + lane] = discount * bell / (ROOT_TWO_PI * deviation * keep) + 1.0
        for lane in range(LANES):
            slopes, keep, give = work[OWN + lane], work[KEEP + lane], work[GIVE + lane]
            for point in range(POINTS):
                at_lane = point * LANES + lane
                slope = work[PULL + at_lane] * keep - work[PUSH + at_lane] * give
                slopes += slope
                work[PULL + at_lane] = slope * work[SQUARE + at_lane]
            work[OWN + lane] = slopes
        for other in range(NODES):
            cell = MATRIX + (node * NODES + other) * LANES
            for lane in range(LANES):
                total = 0.0
                for point in range(POINTS):
                    total += spread[node, point, other] * work[PULL + point * LANES + lane]
                work[SUM + lane] = total
            for lane in range(LANES):
                work[cell + lane] = work[SUM + lane]
        cell = MATRIX + (node * NODES + node) * LANES
        for lane in range(LANES):
            work[cell + lane] -= work[OWN + lane] / work[at + lane]


@kernel
def step(work: FloatArray, root: FloatArray) -> float:
    """Solve for Newton's step, take it within limits; the largest relative step of the block.

    The last moments before expiry count little: a node's step is weighed by the root of its time.
    """
    for pivot in range(NODES):
        own = MATRIX + (pivot * NODES + pivot) * LANES
        for node in range(pivot + 1, NODES):
            cell = MATRIX + (node * NODES + pivot) * LANES
            for lane in range(LANES):
                work[SUM + lane] = work[cell + lane] / work[own + lane]
            for other in range(pivot + 1, NODES):
                here = MATRIX + (node * NODES + other) * LANES
                there = MATRIX + (pivot * NODES + other) * LANES
                for lane in range(LANES):
                    work[here + lane] -= work[SUM + lane] * work[there + lane]
            here, there = RESIDUE + node * LANES, RESIDUE + pivot * LANES
            for lane in range(LANES):
                work[here + lane] -= work[SUM + lane] * work[there + lane]
    largest = 0.0
    for back in range(NODES):
        node = NODES - 1 - back
        here = RESIDUE + node * LANES
        for other in range(node + 1, NODES):
            cell = MATRIX + (node * NODES + other) * LANES
            there = RESIDUE + other * LANES
            for lane in range(LANES):
                work[here + lane] -= work[cell + lane] * work[there + lane]
        own = MATRIX + (node * NODES + node) * LANES
        for lane in range(LANES):
            work[here + lane] /= work[own + lane]
    for lane in range(LANES):
        work[SUM + lane] = 0.0
    for node in range(NODES):
        here, at = RESIDUE + node * LANES, DEPTH + node * LANES
        for lane in range(LANES):
            limit = work[LIMIT + lane]
            depth = work[at + lane] - limit
            moved = min(max(depth - work[here + lane] / work[at + lane], 0.5 * depth), 2.0 * depth)
            work[SUM + lane] = max(work[SUM + lane], root[node] * abs(moved - depth) / depth)
            work[at + lane] = moved + limit
    for lane in range(LANES):
        largest = max(largest, work[SUM + lane])
    return largest


@kernel
def solve(
    earned: FloatArray,
    paid: FloatArray,
    width: FloatArray,
    limit: FloatArray,
    far: FloatArray,
    root: FloatArray,
    sine: FloatArray,
    cosine: FloatArray,
    weight: FloatArray,
    spread: FloatArray,
    rest: FloatArray,
    kept: FloatArray,
    depths: FloatArray,
    doubts: FloatArray,
) -> int:
    """Boundaries of puts of strike 1 and time 1, as `depths` (rows, points) below their limit.

    By row: `earned` and `paid` are rate and yield, `width` the volatility, `limit` how far the boundary lies below
    the strike on the last day, `far` how far below that without expiry; all distances are logarithms, `depths` in
    units of `width`. The next five are a `BoundaryGrid`, `kept` is the `spread` of a `PriceGrid`. `doubts` (rows,)
    gets the last Newton step. Returns the number of sweeps. The condition is that of smooth pasting (system A of
    Andersen, Lake & Offengenden 2016), both sides as logarithms, which Newton's method solves in two to four sweeps.
    """
    count, rows = earned.size, kept.shape[0]
    work = np.empty(SIZE)
    used = 0
    for block in range(0, count, LANES):
        for lane in range(LANES):
            row = min(block + lane, count - 1)
            work[lane] = earned[row]
            work[PAID + lane] = paid[row]
            work[WIDTH + lane] = width[row]
            work[LIMIT + lane] = limit[row]
            work[FAR + lane] = far[row]
        seed(work, root)
        for _ in range(SWEEPS):
            residues(work, root, sine, cosine, weight, spread, rest)
            largest = step(work, root)
            used += 1
            if largest < SETTLED:
                break
        for lane in range(min(LANES, count - block)):
            doubts[block + lane] = work[SUM + lane]
        for point in range(rows - 1):
            factor = 1.0
            for node in range(NODES):
                factor -= kept[point, node]
            for lane in range(LANES):
                work[SUM + lane] = factor * work[LIMIT + lane] * work[LIMIT + lane]
            for node in range(NODES):
                factor = kept[point, node]
                at = DEPTH + node * LANES
                for lane in range(LANES):
                    work[SUM + lane] += factor * work[at + lane] * work[at + lane]
            for lane in range(LANES):
                least = LEAST + work[LIMIT + lane]
                work[SUM + lane] = math.sqrt(max(work[SUM + lane], least * least))
            for lane in range(min(LANES, count - block)):
                depths[block + lane, point] = (work[SUM + lane] - work[LIMIT + lane]) / work[WIDTH + lane]
        for lane in range(min(LANES, count - block)):
            slope = 0.0
            for node in range(NODES):
                slope -= kept[rows - 1, node]
            slope *= work[LIMIT + lane] * work[LIMIT + lane]
            for node in range(NODES):
                depth = work[DEPTH + node * LANES + lane]
                slope += kept[rows - 1, node] * depth * depth
            depths[block + lane, rows - 1] = 0.5 * slope / (work[SUM + lane] * work[WIDTH + lane])
    return used
