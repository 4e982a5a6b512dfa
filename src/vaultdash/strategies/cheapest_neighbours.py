"""Cheaper hedges one contract away from the cheapest, and what each of them breaks: the proof an owner can follow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from vaultdash.domain.hedge_verdict import CheaperNeighbour
from vaultdash.domain.listed_hedge import ListedHedge, ListedLeg
from vaultdash.strategies.cheapest_check import HedgeCheck, check
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line
from vaultdash.strategies.cheapest_time import Deadline

Earlier = Callable[[ListedHedge], Sequence[tuple[date, float, float]]]
LEAST_SAVING = 1e-6  # USD
LARGEST_HEDGE = 60  # legs; beyond them only the first are shown


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Those that are shown; `refuting` is a cheaper one that breaks nothing, which an optimum does not have."""

    shown: tuple[CheaperNeighbour, ...]
    refuting: ListedHedge | None
    tried: int


def neighbours(
    terms: HedgeTerms, hedge: ListedHedge, lines: Sequence[Line], earlier: Earlier, deadline: Deadline
) -> Neighbours:
    """Every hedge that is cheaper by one contract less, more or elsewhere; of each leg the nearest are shown.

    Those that the time does not suffice for are left out: the solver's bound is the proof, they illustrate it.
    """
    shown: list[CheaperNeighbour] = []
    tried = 0
    for group in _groups(hedge, lines):
        fewer: list[CheaperNeighbour] = []
        moved: list[CheaperNeighbour] = []
        for change, changed in group:
            if changed.net_cost >= hedge.net_cost - LEAST_SAVING:
                continue
            if deadline.is_over:
                break
            tried += 1
            found = check(terms, changed, steps=1)
            if not found.broken:
                found = check(terms, changed, earlier(changed), steps=1)
            if not found.broken:
                return Neighbours(tuple(shown), changed, tried)
            (fewer if len(changed.legs) <= len(hedge.legs) and "replaced" not in change else moved).append(
                _why(change, found)
            )
        shown += fewer[:1] + sorted(moved, key=lambda each: (each.price is None, -each.net_cost))[:1]
    return Neighbours(tuple(sorted(shown, key=lambda each: -each.net_cost)), None, tried)


def _why(change: str, found: HedgeCheck) -> CheaperNeighbour:
    worst = found.broken[0]
    return CheaperNeighbour(change, found.net_cost, worst.words, worst.price, worst.ltv)


def _groups(hedge: ListedHedge, lines: Sequence[Line]) -> Iterator[list[tuple[str, ListedHedge]]]:
    for leg in hedge.legs[:LARGEST_HEDGE]:
        direction = 1 if leg.contracts > 0 else -1
        title = leg.option.title
        one_less = _with(hedge, leg, -direction)
        group = [(f"one {title} fewer" if direction > 0 else f"one {title} less sold", one_less)]
        if direction < 0:
            group.append((f"one more {title} sold", _with(hedge, leg, direction)))
        for line in lines:
            if line.direction == direction and line.option is not leg.option:
                moved = _with_line(one_less, line)
                group.append((f"one {title} replaced by the {line.option.title}", moved))
        yield group
    held = {id(leg.option) for leg in hedge.legs}
    yield [
        (f"one {line.option.title} sold as well", _with_line(hedge, line))
        for line in lines
        if line.direction < 0 and id(line.option) not in held
    ]


def _with(hedge: ListedHedge, leg: ListedLeg, by: int) -> ListedHedge:
    count = leg.contracts + by
    legs = [
        (each if each is not leg else replace(leg, contracts=count))
        for each in hedge.legs
        if each is not leg or count
    ]
    return replace(hedge, legs=tuple(legs))


def _with_line(hedge: ListedHedge, line: Line) -> ListedHedge:
    for leg in hedge.legs:
        if leg.option is line.option:
            return _with(hedge, leg, line.direction)
    return replace(hedge, legs=(*hedge.legs, ListedLeg(line.option, line.direction, line.price)))
