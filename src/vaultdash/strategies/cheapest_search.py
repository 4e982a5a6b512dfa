"""The search itself: solve, round, calculate everything again, and believe only that."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaultdash.domain.listed_hedge import ListedHedge, ListedLeg
from vaultdash.strategies.cheapest_check import GRID_STEPS, HedgeCheck, check
from vaultdash.strategies.cheapest_rows import Floats, Rows
from vaultdash.strategies.cheapest_solver import Deadline, Outcome, solve
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line

TITLE = "Cheapest hedge"
NO_HEDGE = "No hedge"
ATTEMPTS = 4
SHARPER = 30.0  # by how much rows are scaled up when a rounded answer breaks one


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to; `hedge` and `check` when whole counts were found that keep every rule."""

    outcome: Outcome
    hedge: ListedHedge | None = None
    check: HedgeCheck | None = None
    counts: Floats | None = None
    bound: float | None = None
    refuted: str = ""


def hedge_of(terms: HedgeTerms, lines: Sequence[Line], counts: Floats, title: str = TITLE) -> ListedHedge:
    """The lines with their whole counts as a hedge; those of zero are left out."""
    legs = [
        ListedLeg(line.option, line.direction * round(float(count)), line.price)
        for line, count in zip(lines, counts, strict=False)
        if round(float(count)) > 0
    ]
    legs.sort(key=lambda leg: (leg.option.right.value != "P", -leg.option.strike, leg.option.expiration))
    return ListedHedge(title if legs else NO_HEDGE, tuple(legs), terms.commission, terms.funding)


def search(
    terms: HedgeTerms,
    lines: Sequence[Line],
    rows: Rows,
    deadline: Deadline,
    objective: Floats | None = None,
    title: str = TITLE,
    steps: int = GRID_STEPS,
) -> Searched:
    """Solve, and hold the rounded answer against every rule outside the solver.

    A solver may call a point optimal that breaks a row (scipy issue 22812). Such an answer is thrown away and asked
    for again with the rows scaled up, which tightens the solver's own tolerance; when it stays wrong the search ends
    as a timeout that says so, never as an optimum. `steps` is how fine the grid of that check is beside the strikes.
    """
    refuted = ""
    bound: float | None = None
    for _ in range(ATTEMPTS):
        found = solve(rows, deadline, objective)
        bound = found.bound
        if found.counts is None:
            return Searched(found.outcome, bound=bound)
        hedge = hedge_of(terms, lines, found.counts, title)
        checked = check(terms, hedge, steps=steps)
        if not checked.broken:
            return Searched(found.outcome, hedge, checked, found.counts, bound)
        refuted = checked.broken[0].words
        if deadline.is_over:
            break
        rows.matrix *= SHARPER
        rows.least *= SHARPER
    return Searched("timeout", bound=bound, refuted=refuted)


def fraction_bound(rows: Rows, deadline: Deadline) -> float | None:
    """What fractions of contracts would cost: below it no whole number of them can be. None when unknown."""
    found = solve(rows, deadline, whole=False)
    if found.outcome != "optimal" or found.counts is None:
        return None
    return float(np.dot(rows.cost, found.counts[: len(rows.cost)])) if found.bound is None else found.bound
