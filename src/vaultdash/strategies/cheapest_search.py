"""The search itself: solve, round, calculate everything again, and believe only that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vaultdash.domain.listed_hedge import ListedHedge, ListedLeg
from vaultdash.strategies.cheapest_check import GRID_STEPS, HedgeCheck, check
from vaultdash.strategies.cheapest_rows import Floats, Rows
from vaultdash.strategies.cheapest_solver import Outcome, Verdict, solve
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line
from vaultdash.strategies.cheapest_time import Deadline

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
    is_puts_alone: bool = False


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
    *,
    further: Callable[[ListedHedge], int] | None = None,
    enough: bool = False,
) -> Searched:
    """Solve, and hold every rounded answer against every rule outside the solver.

    A solver may call a point optimal that breaks a row (scipy issue 22812). Such an answer is thrown away and asked
    for again with the rows scaled up, which tightens the solver's own tolerance; when it stays wrong the search ends
    as a timeout that says so, never as an optimum. `steps` is how fine the grid of that check is beside the strikes.
    `further` adds to the rows what a hedge breaks elsewhere, and says how many rows that were. `enough` ends with the
    first hedge that keeps everything.
    """
    refuted = ""

    def judge(counts: Floats) -> Verdict:
        nonlocal refuted
        hedge = hedge_of(terms, lines, counts, title)
        checked = check(terms, hedge, steps=steps)
        if checked.broken:
            refuted = checked.broken[0].words
            return "broken"
        return "more" if further is not None and further(hedge) else "kept"

    for _ in range(ATTEMPTS):
        found = solve(rows, deadline, objective, judge, enough=enough)
        if not found.is_refuted or deadline.is_over:
            break
        rows.matrix *= SHARPER
        rows.least *= SHARPER
    if found.counts is None:
        return Searched(found.outcome, bound=found.bound, refuted=refuted if found.is_refuted else "")
    hedge = hedge_of(terms, lines, found.counts, title)
    checked = check(terms, hedge, steps=steps)
    return Searched(found.outcome, hedge, checked, found.counts, found.bound, refuted if found.is_refuted else "")
