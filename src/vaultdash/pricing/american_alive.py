"""Contracts with one boundary through the kernels: which share boundaries, and what each is worth."""

from typing import NamedTuple

import numpy as np

from vaultdash.pricing.american_boundary import NODES
from vaultdash.pricing.american_lanes import IntArray
from vaultdash.pricing.american_prices import prices
from vaultdash.pricing.american_quadrature import price_grid
from vaultdash.pricing.american_tables import DOUBTFUL, Mask, Tables, depths_of, reachable, tables, whole
from vaultdash.pricing.american_values import POINTS, values
from vaultdash.pricing.base import Contracts, FloatArray

Five = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]

SMALLEST, LARGEST = 1e-100, 1e100
FEWEST_SHARING = 5  # rows a boundary table must serve on average, else each row gets a boundary of its own
PANEL_START, PANEL_WIDTH = float(np.log(0.08)), 3.0  # ranges of ln(volatility) that one table covers
MANY_RUNS = 30  # rows a run of equal ones must have on average, else they are sorted
MIXERS = (1.618, 31.4159, 271.828, 1.0)
NUDGE = 1e-4  # of the volatility, up and down, for the slope of a boundary of one's own


class Puts(NamedTuple):
    """Rows as puts: a call is the put with spot and strike, rate and yield exchanged (McDonald & Schroder 1998)."""

    spot: FloatArray
    strike: FloatArray
    years: FloatArray
    earned: FloatArray
    paid: FloatArray
    volatility: FloatArray
    is_call: IntArray

    def at(self, places: IntArray) -> "Puts":
        """Some of the rows."""
        return Puts(
            self.spot[places],
            self.strike[places],
            self.years[places],
            self.earned[places],
            self.paid[places],
            self.volatility[places],
            self.is_call[places],
        )


class Sharing(NamedTuple):
    """Rows group by group: `order` lists them, `starts` (groups + 1) says where each group begins."""

    order: IntArray
    starts: IntArray


def puts(given: Contracts) -> Puts:
    """Flat contracts as puts."""
    is_call = given.sign > 0
    return Puts(
        np.where(is_call, given.strike, given.spot),
        np.where(is_call, given.spot, given.strike),
        np.ascontiguousarray(given.years),
        np.where(is_call, given.dividend_yield, given.rate),
        np.where(is_call, given.rate, given.dividend_yield),
        np.ascontiguousarray(given.volatility),
        is_call.astype(np.int64),
    )


def in_reach(given: Contracts) -> Mask:
    """Which contracts are for the kernels."""
    rows = puts(given)
    return ordinary(given) & reachable(rows.earned, rows.paid, rows.years, rows.volatility)


def ordinary(given: Contracts) -> Mask:
    """Whether spot and strike are numbers whose ratio is one, too."""
    small, large = np.minimum(given.spot, given.strike), np.maximum(given.spot, given.strike)
    return np.asarray((small > SMALLEST) & (large < LARGEST), dtype=np.bool_)


def alive_values(rows: Puts) -> tuple[FloatArray, Mask]:
    """Price, delta, gamma, vega and theta (5, rows), and for which rows the boundary was found."""
    shared = sharing(rows)
    return _own(rows) if shared is None else _shared(rows, shared)


def sharing(rows: Puts) -> Sharing | None:
    """The rows by expiry, rates and range of volatility; None when hardly any two share them."""
    panel = np.floor((np.log(rows.volatility) - PANEL_START) / PANEL_WIDTH)
    found = grouped((rows.years, rows.earned, rows.paid, panel))
    return None if (len(found.starts) - 1) * FEWEST_SHARING > len(panel) else found


def grouped(columns: tuple[FloatArray, ...]) -> Sharing:
    """The rows by what is equal in all columns; rows that are not side by side may come as several groups."""
    count = len(columns[0])
    starts = _starts(columns)
    if (len(starts) - 1) * MANY_RUNS <= count:
        return Sharing(np.arange(count), starts)
    # Sorting one number is enough, because rows that only look alike by it are told apart after it.
    mixed = np.zeros(count)
    for column, factor in zip(columns, MIXERS, strict=False):
        mixed += column * factor
    order = np.argsort(mixed, kind="stable")
    return Sharing(order, _starts(tuple(column[order] for column in columns)))


def _starts(columns: tuple[FloatArray, ...]) -> IntArray:
    changes = np.zeros(len(columns[0]) - 1, dtype=np.bool_)
    for column in columns:
        changes |= column[1:] != column[:-1]
    return np.concatenate([[0], np.flatnonzero(changes) + 1, [len(columns[0])]]).astype(np.int64)


def alive_prices(rows: Puts) -> tuple[FloatArray, Mask] | None:
    """The prices alone, and for which rows the boundary was found; None when hardly any two rows share one."""
    shared = sharing(rows)
    if shared is None:
        return None
    kept, group = _kept(rows, shared)
    return shared_prices(rows, shared, kept, group), kept.is_sound[group]


def _shared(rows: Puts, shared: Sharing) -> tuple[FloatArray, Mask]:
    kept, group = _kept(rows, shared)
    return shared_values(rows, shared, kept, group), kept.is_sound[group]


def _kept(rows: Puts, shared: Sharing) -> tuple[Tables, IntArray]:
    order, starts = shared
    first = order[starts[:-1]]
    sorted_volatility = rows.volatility[order]
    kept = tables(
        rows.earned[first],
        rows.paid[first],
        rows.years[first],
        np.minimum.reduceat(sorted_volatility, starts[:-1]),
        np.maximum.reduceat(sorted_volatility, starts[:-1]),
    )
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(first)), np.diff(starts))
    return kept, group


def sharing_of(group: IntArray, groups: int) -> Sharing:
    """Rows by a group's number, which is known."""
    starts = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))]).astype(np.int64)
    small = group.astype(np.int16) if groups < 2**15 else group  # numpy sorts short integers by radix
    return Sharing(np.argsort(small, kind="stable"), starts)


def shared_values(rows: Puts, shared: Sharing, kept: Tables, group: IntArray) -> FloatArray:
    """Rows on boundaries that are kept; `group` says for each row which."""
    out = np.empty((5, len(rows.spot)))
    by_row, by_group = _columns(rows, kept, group)
    values(shared.order, shared.starts, True, kept.terms, *by_row, rows.is_call, *by_group, *_points(), out)
    return out


def shared_prices(rows: Puts, shared: Sharing, kept: Tables, group: IntArray) -> FloatArray:
    """The prices alone of rows on boundaries that are kept."""
    out = np.empty(len(rows.spot))
    by_row, by_group = _columns(rows, kept, group)
    prices(shared.order, shared.starts, kept.terms, *by_row, *by_group, *_points(), out)
    return out


def _columns(rows: Puts, kept: Tables, group: IntArray) -> tuple[Five, Five]:
    place = (np.log(rows.volatility) - kept.middle[group]) / kept.half[group]
    by_row = (rows.spot, rows.strike, np.log(rows.spot / rows.strike), rows.volatility, place)
    return by_row, (kept.earned, kept.paid, kept.limit, kept.root_years, 1.0 / kept.half)


def _points() -> tuple[FloatArray, FloatArray, FloatArray]:
    grid = price_grid(NODES, POINTS)
    return grid.sine, grid.cosine, grid.weight


def _own(rows: Puts) -> tuple[FloatArray, Mask]:
    count = len(rows.spot)
    root_years = np.sqrt(rows.years)
    earned, paid = whole(rows.earned, rows.paid, rows.years)
    width = rows.volatility * root_years
    both = np.concatenate([width * np.exp(-NUDGE), width * np.exp(NUDGE)])
    depths, doubts, limit = depths_of(np.tile(earned, 2), np.tile(paid, 2), both)
    below, above = depths[:count], depths[count:]
    out = np.empty((5, count))
    values(
        np.arange(count),
        np.array([0, count]),
        False,
        np.stack([0.5 * (above + below), 0.5 * (above - below)], axis=1),
        rows.spot,
        rows.strike,
        np.log(rows.spot / rows.strike),
        rows.volatility,
        np.zeros(count),
        rows.is_call,
        earned,
        paid,
        limit[:count].copy(),
        root_years,
        np.full(count, 1.0 / NUDGE),
        *_points(),
        out,
    )
    return out, np.asarray(np.maximum(doubts[:count], doubts[count:]) < DOUBTFUL, dtype=np.bool_)
