"""Cost a year against protection: hundreds of hedges from listed contracts, beside what is no option."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

import numpy as np

from vaultdash.domain.hedge_verdict import Frontier, FrontierPoint
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption, leg_at
from vaultdash.domain.loan import LTV_TOLERANCE, HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.strategies.frontier_alternatives import alternatives
from vaultdash.strategies.listed_choice import Options, listed_expirations, of_usual_size, whole_down, whole_up
from vaultdash.strategies.listed_measure import DEFAULT_RANGE, upside_kept
from vaultdash.strategies.listed_protection import PriceRange, counted_protection, known_range

SOONEST_DAYS = 30  # when no horizon is asked for
MOST_EXPIRATIONS = 6
FEW_PUTS, FEW_CALLS = 8, 6  # an expiration; of the latter in combinations
HIGHEST_PUT, LOWEST_CALL, HIGHEST_CALL = 1.10, 1.05, 1.50  # of spot
PARTS = (0.25, 0.50, 0.75)
MOST_COVER = 3  # times what covers the gold
SAME_DIGITS = 9  # of fractions; what differs by less is equal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Candidate:
    point: FrontierPoint
    keeps: bool


def frontier(
    options: Options,
    case: HedgeCase,
    *,
    counting: HedgeCounting | None = None,
    price_range: PriceRange = DEFAULT_RANGE,
    horizon: date | None = None,
) -> Frontier:
    """Every candidate in one counting (the lender's own by default), alternatives first, doing nothing the first.

    Of up to six expirations at or after `horizon` (30 days away by default), spread over those listed: puts over the
    whole gold at every strike from the call price to 110 % of spot and at a few below it, where a put pays only after
    the call; at each the fewest contracts that keep every call away; some over a part of the gold, put spreads,
    ladders, and, unless custody is split, collars. Bought at the ask, sold at the bid, with commissions, in cash.

    `dominated_by` is exact among hedges and doing nothing: it names the cheapest that protects as far and keeps as
    much of gold's rise, which only sold calls give away. `best` is the hedge that costs least a year of those for
    which no price of the range is a call and that sell no call: one that does would always win for its premium.
    Raises InvalidInput for a range that is none; Refused without contracts at or after the horizon.
    """
    known_range(price_range)
    loan = case.loan if counting is None else replace(case.loan, hedge_counting=counting)
    days, left_out = _days(options, case, horizon)
    counted = replace(case, loan=loan, until=case.until or days[-1])  # all on one loan, whenever they expire
    found = [
        _measured(hedge, counted, price_range)
        for day in days
        for hedge in _hedges(
            of_usual_size([each for each in options if each.expiration == day]), counted, price_range
        )
    ]
    best = min(
        (place for place, each in enumerate(found) if each.keeps and not _sells_calls(each)),
        key=lambda place: (found[place].point.cost_per_year, found[place].point.net_cost),
        default=None,
    )
    fall = _fall_of(found, best, -price_range[0])
    others = alternatives(counted, price_range, fall)
    points = _dominated((*others, *(each.point for each in found)))
    return Frontier(
        counting=loan.hedge_counting,
        price_range=price_range,
        points=points,
        best=None if best is None else best + len(others),
        remarks=_remarks(counted, found, best, fall, left_out),
    )


def _days(options: Options, case: HedgeCase, horizon: date | None) -> tuple[tuple[date, ...], int]:
    """The expirations that are looked at, and how many are left out."""
    listed = listed_expirations(
        [option for option in options if horizon is None or option.expiration >= horizon], case
    )
    later = tuple(day for day in listed if case.days_to(day) >= SOONEST_DAYS)
    days = listed if horizon is not None or not later else later
    chosen = _evenly(days, MOST_EXPIRATIONS)
    return tuple(chosen), len(days) - len(chosen)


def _evenly(listed: Sequence[T], most: int) -> list[T]:
    """At most so many, evenly by place, the first and the last among them."""
    if len(listed) <= most:
        return list(listed)
    return [listed[round(place * (len(listed) - 1) / (most - 1))] for place in range(most)]


def _hedges(options: Options, case: HedgeCase, price_range: PriceRange) -> Iterator[ListedHedge]:
    """The candidates of one expiration."""
    lowest, highest = case.spot * (1.0 + price_range[0]), HIGHEST_PUT * case.spot
    puts = [each for each in _quoted(options, Right.PUT, 1) if lowest < each.strike <= highest]
    if not puts:
        return
    whole = whole_up(case.units, puts[0].multiplier)
    useful = [put for put in puts if put.strike > case.call_price]
    for put in (*_evenly([put for put in puts if put.strike <= case.call_price], FEW_PUTS), *useful):
        yield _hedge("put", leg_at(put, whole))
        fewest = _fewest(put, case, lowest)
        if fewest is not None and fewest != whole:
            yield _hedge("put", leg_at(put, fewest))
    few = _evenly(useful or puts, FEW_PUTS)
    for put in few:
        for count in sorted({round(part * whole) for part in PARTS} - {0, whole}):
            yield _hedge("put", leg_at(put, count))
        below = [each for each in _quoted(options, Right.PUT, -1) if lowest <= each.strike < put.strike]
        for sold in _evenly(below, FEW_PUTS):
            yield _hedge("put spread", leg_at(put, whole), leg_at(sold, -whole))
    for rungs in (2, 3):
        each, rest = divmod(whole, rungs)
        for start in range(len(few) - rungs + 1 if each else 0):
            ladder = few[start : start + rungs][::-1]
            yield _hedge("put ladder", *(leg_at(put, each + (0 if k else rest)) for k, put in enumerate(ladder)))
    if not case.split_custody:
        yield from _collars(few, options, case)


def _collars(puts: Options, options: Options, case: HedgeCase) -> Iterator[ListedHedge]:
    quoted = _quoted(options, Right.CALL, -1)
    calls = [each for each in quoted if LOWEST_CALL <= each.strike / case.spot <= HIGHEST_CALL]
    for call in _evenly(calls, FEW_CALLS):
        covered = whole_down(case.units, call.multiplier)
        for put in puts:
            if covered and put.strike <= call.strike:
                whole = whole_up(case.units, put.multiplier)
                yield _hedge("collar", leg_at(put, whole), leg_at(call, -covered))


def _quoted(options: Options, right: Right, sign: int) -> list[ListedOption]:
    """Those of a right that have the price for that side, by strike."""

    def price(option: ListedOption) -> float | None:
        return option.ask if sign > 0 else option.bid

    return sorted(
        (each for each in options if each.right is right and price(each) and not each.is_crossed),
        key=lambda each: each.strike,
    )


def _fewest(put: ListedOption, case: HedgeCase, lowest: float) -> int | None:
    """The fewest contracts of one put that keep every call away down to the lowest price; None when none do.

    Between the strike and the lowest price the margin is straight: the strike must be above the call price, and at
    the lowest price h n (K - S) must be more than L - m U S (domain.md 3).
    """
    limit = case.loan.margin_call_ltv - LTV_TOLERANCE
    credit = case.loan.factor_of(1.0) * put.multiplier * (put.strike - lowest)
    missing = case.judged_loan(put.expiration) - limit * case.units * lowest
    if credit <= 0 or missing <= 0 or put.strike <= case.call_price:
        return None
    count = math.floor(missing / credit) + 1
    return count if count <= MOST_COVER * whole_up(case.units, put.multiplier) else None


def _hedge(name: str, *legs: ListedLeg) -> ListedHedge:
    strikes = "/".join(f"{leg.option.strike:g}" for leg in legs)
    day = legs[0].option.expiration
    return ListedHedge(f"{sum(max(leg.contracts, 0) for leg in legs)} x {strikes} {name}, {day:%-d %b %Y}", legs)


def _measured(hedge: ListedHedge, case: HedgeCase, price_range: PriceRange) -> _Candidate:
    kept = counted_protection(hedge, case, case.loan.hedge_counting, price_range)
    yearly = hedge.net_cost / case.years_to(hedge.legs[0].option.expiration)
    point = FrontierPoint(
        title=hedge.title,
        hedge=hedge,
        alternative=None,
        net_cost=hedge.net_cost,
        cost_per_year=yearly,
        cost_per_year_pct=yearly / case.gold_value,
        deepest_fall=kept.deepest_fall,
        worst_ltv=kept.worst_ltv,
        upside_kept=upside_kept(hedge, case, price_range[1]),
    )
    return _Candidate(point, kept.keeps)


def _sells_calls(found: _Candidate) -> bool:
    hedge = found.point.hedge
    return hedge is not None and any(leg.contracts < 0 and leg.option.right is Right.CALL for leg in hedge.legs)


def _fall_of(found: Sequence[_Candidate], best: int | None, whole: float) -> float:
    """Down to which the alternatives must keep the call away to do as much as the best hedge, or the most of one."""
    if best is not None or not found:
        return whole
    return max(each.point.deepest_fall or 0.0 for each in found)


def _dominated(points: tuple[FrontierPoint, ...]) -> tuple[FrontierPoint, ...]:
    """Each hedge that another, or doing nothing, makes pointless, with the place of the cheapest that does.

    That one costs no more a year, protects no less and keeps no less of the upside, and of equals it is the first. A
    loan that is called now protects least of all.
    """
    compared = [place for place, point in enumerate(points) if place == 0 or point.hedge is not None]
    falls = [points[place].deepest_fall for place in compared]
    fall = np.round([-1.0 if each is None else each for each in falls], SAME_DIGITS)
    upside = np.round([points[place].upside_kept for place in compared], SAME_DIGITS)
    cost = np.round([points[place].cost_per_year_pct for place in compared], SAME_DIGITS)
    order = np.lexsort((np.arange(len(compared)), -upside, -fall, cost))
    found = list(points)
    for rank, place in enumerate(order):
        before = order[:rank]
        better = before[(fall[before] >= fall[place]) & (upside[before] >= upside[place])]
        if better.size:
            which = compared[place]
            found[which] = replace(points[which], dominated_by=compared[better[0]])
    return tuple(found)


def _remarks(
    case: HedgeCase, found: Sequence[_Candidate], best: int | None, fall: float, left_out: int
) -> tuple[str, ...]:
    said = []
    if best is None and case.loan.hedge_counting is HedgeCounting.IGNORED:
        said.append("The lender looks at gold and loan alone: no option keeps its call away. Repaying or gold does.")
    elif best is None:
        said.append(
            f"None of {len(found):,} hedges keeps every call away in the range; the furthest keeps them away down to "
            f"a fall of {fall:.1%}."
        )
    else:
        said.append(
            "The search for the cheapest hedge mixes strikes freely: at the same limit it finds one that costs no "
            "more. Here the limit is the call itself; the workbench asks for a point below it."
        )
    if case.split_custody:
        said.append("No collars: the gold is pledged elsewhere, and a call sold at the broker would be uncovered.")
    if left_out:
        said.append(f"{left_out} more expirations are listed in between and were not looked at.")
    return tuple(said)
