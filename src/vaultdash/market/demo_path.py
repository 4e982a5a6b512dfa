"""The path of the demo market: a seeded bridge through true closes of gold, and a seeded walk after the last."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from vaultdash.market.demo_anchors import FALLS, FIRST_ANCHOR, anchor_closes

Floats = NDArray[np.float64]

SEED = 20041118
DRAWS = 16  # 32-bit numbers per calendar day: 12 for the return, one each for open, high, low, volume
BRIDGE_SHARE = 0.85  # turning points overstate the volatility around them
WALK_VOLATILITY = 0.0095  # a day, after the last anchor
WALK_DRIFT = 0.04 / 252
WINDOW = 21  # sessions the volatility index looks back


@dataclass(frozen=True, slots=True)
class DemoPath:
    """Columns over sessions; a value is fixed by its date and the anchors, never by the day of asking."""

    days: list[date]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def demo_path(days: Sequence[date]) -> DemoPath:
    """The path over trading days, ascending, from the first day GLD traded."""
    sessions = [day for day in days if day >= FIRST_ANCHOR[0]]
    uniform = _uniform(sessions)
    normal = uniform[:, :12] @ np.ones(12) - 6.0  # Irwin-Hall: variance 1, sums exact on every machine
    index = {day: position for position, day in enumerate(sessions)}
    anchors = {index[day]: close for day, close in anchor_closes().items() if day in index}
    position, level = np.array(list(anchors)), np.log(np.array(list(anchors.values())))
    volatility = _volatility(position, level, len(sessions))
    walk = np.cumsum(np.concatenate(([0.0], volatility[1:] * normal[1:])))
    days_after = np.maximum(np.arange(len(sessions)) - position[-1], 0)
    bridge = walk + np.interp(np.arange(len(sessions)), position, level - walk[position]) + WALK_DRIFT * days_after
    close = np.exp(_within(bridge, *_bounds(index, anchors))).round(2)
    close[position] = list(anchors.values())
    return _with_ranges(sessions, close, volatility, uniform[:, 12:])


def volatility_index(close: Floats) -> Floats:
    """A stand-in for ^GVZ, per cent: around 16, higher after wild weeks and falls. Looks back only."""
    returns = np.diff(np.log(close), prepend=math.log(close[0]))
    squares = np.cumsum(np.concatenate((np.full(WINDOW, 0.01**2), returns**2)))
    realised = np.sqrt((squares[WINDOW:] - squares[:-WINDOW]) / WINDOW * 252) * 100
    before = np.concatenate((np.full(WINDOW, close[0]), close[:-WINDOW]))
    fall = np.maximum(1.0 - close / before, 0.0) * 100
    index: Floats = np.round(9.0 + 0.45 * realised + 1.2 * fall, 2)
    return index


def _uniform(days: Sequence[date]) -> Floats:
    """Sixteen numbers in [0, 1) for each day, a multiple of 2**-32, fixed by the date alone.

    PCG64's raw output is promised to stay the same between numpy releases; its distributions are not.
    """
    offset = np.array([(day - FIRST_ANCHOR[0]).days for day in days])
    raw = np.random.PCG64(SEED).random_raw((int(offset[-1]) + 1) * DRAWS // 2)
    halves = np.stack((raw & np.uint64(0xFFFFFFFF), raw >> np.uint64(32)), axis=1)
    chosen: Floats = halves.reshape(-1, DRAWS)[offset].astype(np.float64) * 2.0**-32
    return chosen


def _volatility(position: NDArray[np.int_], level: Floats, count: int) -> Floats:
    """Daily volatility per session: what the anchors nearby realised."""
    per_day = np.diff(level) ** 2 / np.diff(position)
    smooth = np.convolve(np.pad(per_day, 3, mode="edge"), np.full(7, 1 / 7), mode="valid")
    local = np.clip(BRIDGE_SHARE * np.sqrt(smooth), 0.006, 0.018)
    volatility = np.full(count, WALK_VOLATILITY)
    segment = np.searchsorted(position, np.arange(position[-1] + 1), side="left") - 1
    volatility[: position[-1] + 1] = local[np.maximum(segment, 0)]
    return volatility


def _bounds(index: dict[date, int], anchors: dict[int, float]) -> tuple[Floats, Floats]:
    """Lowest and highest close allowed per session: turning points stay extremes of their falls and neighbourhood."""
    lower, upper = np.full(len(index), 0.01), np.full(len(index), np.inf)
    places = list(anchors)
    for fall in FALLS:
        if fall.peak_on not in index or fall.trough_on not in index:
            continue
        peak, trough = index[fall.peak_on], index[fall.trough_on]
        before, after = places.index(peak) - 1, places.index(trough) + 1
        start = places[before] if anchors[places[before]] < fall.peak else peak
        end = places[after] if anchors[places[after]] > fall.trough else trough
        upper[start:trough] = np.minimum(upper[start:trough], fall.peak - 0.01)
        lower[peak:end] = np.maximum(lower[peak:end], fall.trough + 0.01)
    return lower, upper


def _within(level: Floats, lower: Floats, upper: Floats) -> Floats:
    """Log levels reflected at the bounds, and cut where a reflection crosses the other bound."""
    low, high = np.log(lower), np.log(upper)
    reflected = np.where(level > high, 2 * np.minimum(high, 99.0) - level, level)
    reflected = np.where(reflected < low, 2 * low - reflected, reflected)
    inside: Floats = np.clip(reflected, low, high)
    return inside


def _with_ranges(days: list[date], close: Floats, volatility: Floats, uniform: Floats) -> DemoPath:
    """Opens, highs and lows that hold the close, and volumes that grow with the move."""
    previous = np.concatenate(([close[0]], close[:-1]))
    open_ = np.round(previous * np.exp(0.8 * volatility * (uniform[:, 0] - 0.5)), 2)
    high = np.round(np.maximum(open_, close) * np.exp(0.6 * volatility * uniform[:, 1]), 2)
    low = np.round(np.minimum(open_, close) * np.exp(-0.6 * volatility * uniform[:, 2]), 2)
    move = np.abs(np.log(close / previous)) / volatility
    volume = np.round(5e6 * (0.6 + 0.8 * uniform[:, 3] + 0.5 * move), -2)
    return DemoPath(days, open_, high, low, close, volume)
