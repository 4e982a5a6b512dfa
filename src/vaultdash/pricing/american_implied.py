"""The volatility at which American contracts have their prices, all of a chain at once."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from vaultdash.pricing import implied_kernels, implied_reference
from vaultdash.pricing.american_alive import Puts, grouped, puts, sharing_of
from vaultdash.pricing.american_boundary import NODES
from vaultdash.pricing.american_lanes import IntArray
from vaultdash.pricing.american_prices import FOUND, HIGHER, LOST, LOWER, search
from vaultdash.pricing.american_quadrature import price_grid
from vaultdash.pricing.american_tables import LEAST_DEVIATION, MOST_DRIFT, Mask, Tables, reachable, tables
from vaultdash.pricing.american_values import POINTS
from vaultdash.pricing.base import CALL_CODE, PUT_CODE, Contracts, FloatArray
from vaultdash.pricing.implied_reference import Found, Quoted
from vaultdash.pricing.implied_status import HIGHEST, LOWEST, NO_CONVERGE, NOT_DETERMINED, OK

EDGES = np.log(np.array([LOWEST, 0.009, 0.07, 0.65, HIGHEST]))  # a table of boundaries covers from one to the next
PANELS = len(EDGES) - 1
MOST_ROUNDS = 8
USUAL = 0.3  # where the search begins when nothing better is known
PRICE_NOISE = 2e-8  # of strike: how well the kernels know a price; or, out of the money, of the price itself
OWN_NOISE = 1e-4
LEAST_WORTH, LEAST_FAR_WORTH = 1e-9, 1e-15  # of strike: less time value says nothing; in and out of the money
DETERMINED = 1e-3  # a price determines a volatility when its noise moves it by less
ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))


class _Search(NamedTuple):
    """Rows as puts, what is sought, and where each search stands; by row."""

    rows: Puts
    wanted: FloatArray  # time value, of strike
    tilt: FloatArray
    guess: FloatArray  # ln(volatility)
    expiry: IntArray


def invert(
    price: FloatArray,
    spot: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    rate: FloatArray,
    dividend_yield: FloatArray,
    sign: FloatArray,
) -> Found:
    """Volatility between 0.001 and 5, NaN unless the status is OK; statuses (int8) as in `implied_status`.

    Flat float64 arrays of one length, `price` USD per share between its bounds, `sign` +1 for a call and -1 for a
    put; years above zero, and exercise before expiry must pay at some price (not `Regime.NEVER_EARLY`). Contracts of
    one expiry, rate and yield share their boundaries. Good to 1e-5 where the time value is a cent or more; what is
    worth too little beyond its intrinsic value to tell is not_determined.
    """
    given = Quoted(price, spot, strike, years, rate, dividend_yield, sign)
    value, status = np.full(price.shape, np.nan), np.full(price.shape, NO_CONVERGE, dtype=np.int8)
    slow = np.zeros(price.shape, dtype=np.bool_)
    if not price.size:
        return value, status
    with np.errstate(all="ignore"):  # what is no number by then is sought by the reference
        search_in = _begun(given)
    in_the_money = search_in.rows.strike > search_in.rows.spot
    worthless = search_in.wanted <= np.where(in_the_money, LEAST_WORTH, LEAST_FAR_WORTH)
    noise = np.where(in_the_money, PRICE_NOISE, np.minimum(PRICE_NOISE, OWN_NOISE * search_in.wanted))
    status[worthless] = NOT_DETERMINED
    live = np.flatnonzero(~worthless)
    panel = np.clip(np.searchsorted(EDGES, search_in.guess, side="right") - 1, 0, PANELS - 1)
    for _ in range(MOST_ROUNDS):
        if not live.size:
            break
        found, tilt, state = _searched(search_in, panel, live)
        ended = state == FOUND
        done = live[ended]
        value[done] = np.exp(found[ended])
        error = noise[done] / (search_in.wanted[done] * np.maximum(tilt[ended], 1e-300)) * value[done]
        status[done] = np.where(error < DETERMINED, OK, NOT_DETERMINED)
        slow[live[state == LOST]] = True
        going = (state == LOWER) | (state == HIGHER)
        moved = live[going]
        panel[moved] += state[going]
        search_in.guess[moved] = found[going]
        outside = (panel[moved] < 0) | (panel[moved] >= PANELS)
        status[moved[outside]] = NOT_DETERMINED
        live = moved[~outside]
    slow[live] = True
    if slow.any():
        value[slow], status[slow] = implied_reference.invert_american(given.rows(slow))
    return np.where(status == OK, value, np.nan), status


def _begun(given: Quoted) -> _Search:
    """Start from the European volatility: it is that of options out of the money nearly, and never too low."""
    rows = puts(Contracts(*given[1:6], np.zeros_like(given.price), given.sign))
    now = np.maximum(rows.strike - rows.spot, 0.0)
    wanted = (given.price - now) / rows.strike
    european, code = np.empty(len(now)), np.where(given.sign > 0, np.uint32(CALL_CODE), np.uint32(PUT_CODE))
    implied_kernels.invert(*given[:6], code, european, np.empty(len(now), dtype=np.int8))
    volatility = np.clip(np.where(np.isnan(european), USUAL, european), LOWEST, HIGHEST)
    deviation = volatility * np.sqrt(rows.years)
    d1 = (np.log(rows.spot / rows.strike) + (rows.earned - rows.paid) * rows.years) / deviation + 0.5 * deviation
    vega = rows.spot / rows.strike * np.exp(np.maximum(-0.5 * d1 * d1 - rows.paid * rows.years, -600.0)) / ROOT_TWO_PI
    tilt = np.clip(deviation * vega / np.maximum(wanted, 1e-300), 0.05, 1e4)
    shared = grouped((rows.years, rows.earned, rows.paid))
    expiry = np.empty(len(now), dtype=np.int64)
    expiry[shared.order] = np.repeat(np.arange(len(shared.starts) - 1), np.diff(shared.starts))
    return _Search(rows, wanted, tilt, np.log(volatility), expiry)


def _searched(search_in: _Search, panel: IntArray, live: IntArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """One round for the rows `live`, each within the table of its expiry and panel: ln(volatility), tilt, state."""
    rows = search_in.rows.at(live)
    every = search_in.expiry[live] * PANELS + panel[live]
    present = np.flatnonzero(np.bincount(every))
    group = np.searchsorted(present, every)
    shared = sharing_of(group, len(present))
    first = shared.order[shared.starts[:-1]]
    kept, clipped = _tables(rows.at(first), present % PANELS)
    grid = price_grid(NODES, POINTS)
    found, slope, state = np.empty(len(live)), np.empty(len(live)), np.empty(len(live), dtype=np.int64)
    search(
        shared.order,
        shared.starts,
        kept.terms,
        rows.spot,
        rows.strike,
        np.log(rows.spot / rows.strike),
        search_in.wanted[live],
        search_in.guess[live],
        search_in.tilt[live],
        kept.earned,
        kept.paid,
        kept.limit,
        kept.root_years,
        kept.middle,
        kept.half,
        grid.sine,
        grid.cosine,
        grid.weight,
        found,
        slope,
        state,
    )
    state[~kept.is_sound[group] | (clipped[group] & (state == LOWER))] = LOST
    return found, slope, state


def _tables(first: Puts, panel: IntArray) -> tuple[Tables, Mask]:
    """Boundaries of one panel each; those that start above it, because the kernels do not reach so low, are told."""
    root = np.sqrt(first.years)
    drift = np.maximum(np.abs(first.earned), np.abs(first.paid)) * first.years
    reach = np.log(1.001 * np.maximum(drift / MOST_DRIFT, LEAST_DEVIATION) / root)
    low, high = EDGES[panel], EDGES[panel + 1]
    clipped = reach > low
    low = np.where(clipped, np.minimum(reach, high), low)
    usable = (reach < high) & reachable(first.earned, first.paid, first.years, np.exp(high))
    # What cannot be used is replaced by numbers that do no harm.
    earned, paid, years = (
        np.where(usable, column, harmless)
        for column, harmless in ((first.earned, 0.01), (first.paid, 0.0), (first.years, 1.0))
    )
    kept = tables(earned, paid, years, np.exp(low), np.exp(high))
    return replace(kept, is_sound=kept.is_sound & usable), clipped
