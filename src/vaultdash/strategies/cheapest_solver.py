"""The door to the solver of linear programs in whole numbers (HiGHS, by scipy), asked no more than is needed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from vaultdash.strategies.cheapest_relaxed import Relaxed, broken, relaxed, tightened
from vaultdash.strategies.cheapest_rows import Floats, Rows
from vaultdash.strategies.cheapest_time import Deadline

Outcome = Literal["optimal", "infeasible", "timeout"]
Verdict = Literal["kept", "more", "broken"]
Judge = Callable[[Floats], Verdict]  # of whole counts that keep the rows; `more`: it has added rows, which they break

FEW = (12, 24, 48)  # lines of first whole hedges: those that cost the least beside the fractions
SMALL = 100, 400  # lines and rows that the solver is given at once: it takes longer to rule some of them out
FIRST_SHARE = 0.5  # of the time
ROUND_SHARE = 0.8
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Solution:
    """How it ended, whole counts when some were found, and the bound below which no cost can be.

    `is_refuted` when counts of the solver's did not stand up to the judge.
    """

    outcome: Outcome
    counts: Floats | None
    bound: float | None
    is_refuted: bool = False


@dataclass(slots=True)
class _Course:
    """What is known while it is searched: the best whole counts so far, and the rows that matter."""

    rows: Rows
    weights: Floats
    deadline: Deadline
    judge: Judge
    active: list[int]
    is_enough: bool
    counts: Floats | None = None
    value: float = float("inf")
    is_refuted: bool = False

    def offer(self, counts: Floats) -> None:
        """Counts that keep everything."""
        value = float(self.weights @ counts)
        if value < self.value:
            self.counts, self.value = counts, value

    def ended(self, outcome: Outcome, bound: float | None) -> Solution:
        """The solution, when nothing more is tried."""
        return Solution(outcome, self.counts, bound, self.is_refuted)


def solve(
    rows: Rows,
    deadline: Deadline,
    objective: Floats | None = None,
    judge: Judge | None = None,
    *,
    enough: bool = False,
) -> Solution:
    """Least `objective @ x` (by default the cost) in whole numbers with `rows` kept; `enough` takes the first found.

    Fractions come first: their bound and the first whole hedge, made of the few lines nearest to them, rule out all
    lines that cannot be in a better one, exactly (`tightened`). Rows join when they are broken. Further continuous
    unknowns may stand behind the lines in `rows` with an `objective` of that length; `rows.whole` tells them apart.
    """
    weights = rows.cost if objective is None else objective
    judge = judge or (lambda _: "kept")
    if not len(weights):
        is_kept = bool((rows.least <= 1e-9).all())
        return Solution("optimal" if is_kept else "infeasible", np.empty(0) if is_kept else None, 0.0)
    below = relaxed(rows, weights, deadline)
    if below.is_infeasible:
        return Solution("infeasible", None, None)
    course = _Course(rows, weights, deadline, judge, below.active, enough)
    lines = int(rows.whole.sum())
    if lines <= SMALL[0] and len(rows.least) <= SMALL[1]:
        course.active = list(range(len(rows.least)))
    elif below.bound is not None and lines > FEW[0]:
        below = _first_whole(course, below)
        if course.is_refuted:
            return course.ended("timeout", below.bound)
        if enough and course.counts is not None:
            return course.ended("optimal", below.bound)
    if deadline.is_over:
        return course.ended("timeout", below.bound)
    limits = rows if below.bound is None or course.counts is None else tightened(rows, below, course.value)
    outcome, bound = _whole(course, limits, deadline)
    known = [each for each in (bound, below.bound) if each is not None]
    if outcome == "infeasible" and course.counts is not None:
        outcome = "timeout"  # the best known keeps the rows: the solver contradicts itself
    return course.ended(outcome, min(max(known), course.value) if known and outcome != "infeasible" else None)


def fractions(rows: Rows, deadline: Deadline) -> float | None:
    """The least cost in fractions of contracts; None when there is none, or it was not found."""
    if not len(rows.cost):
        return 0.0
    return relaxed(rows, rows.cost, deadline).bound


def _first_whole(course: _Course, below: Relaxed) -> Relaxed:
    """Good whole hedges of few lines, then of more, and the fractions with the rows that these brought to light."""
    deadline = course.deadline.part(FIRST_SHARE)
    beside = int((course.rows.whole == 0).sum())
    for few in FEW:
        assert below.counts is not None
        order = np.argsort(np.where((below.counts > 1e-9) | (course.rows.whole == 0), -1.0, below.reduced))
        limits = course.rows if course.counts is None else tightened(course.rows, below, course.value)
        before = len(course.rows.least)
        _whole(course, _only(limits, order[: few + beside]), deadline.part(FIRST_SHARE))
        if len(course.rows.least) > before:
            again = relaxed(course.rows, course.weights, course.deadline, course.active)
            if again.bound is None:
                return below
            below, course.active = again, again.active
        is_enough = course.is_enough and course.counts is not None
        if is_enough or course.is_refuted or deadline.is_over:
            break
    return below


def _only(rows: Rows, places: npt.NDArray[np.intp]) -> Rows:
    """The rows with nothing of all other lines."""
    most = rows.fewest.copy()
    most[places] = rows.most[places]
    return replace(rows, most=most)


def _whole(course: _Course, limits: Rows, deadline: Deadline) -> tuple[Outcome, float | None]:
    """The best counts within the limits, offered to the course; rows are the course's, which the judge adds to."""
    bound: float | None = None
    for _ in range(ROUNDS):
        share = 1.0 if len(course.active) == len(course.rows.least) else ROUND_SHARE
        outcome, counts, bound = _asked(course, limits, deadline.part(share))
        if counts is None:
            return outcome, bound
        more = broken(course.rows, counts, course.active)
        if not more:
            before = len(course.rows.least)
            verdict = course.judge(counts)
            if verdict == "kept":
                course.offer(counts)
                return outcome, bound
            if verdict == "broken":
                course.is_refuted = True
                return "timeout", bound
            more = list(range(before, len(course.rows.least)))
        course.active += more
        if deadline.is_over:
            break
    return "timeout", bound


def _asked(course: _Course, limits: Rows, deadline: Deadline) -> tuple[Outcome, Floats | None, float | None]:
    """The solver's own answer about the active rows; unknowns that cannot move are left out of what it is asked."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    free = np.flatnonzero(limits.most > limits.fewest)
    fixed = limits.fewest.copy()
    matrix, least = course.rows.matrix[course.active], course.rows.least[course.active]
    least = least - matrix @ np.where(limits.most > limits.fewest, 0.0, fixed)
    settled = float(course.weights @ np.where(limits.most > limits.fewest, 0.0, fixed))
    if not len(free):
        is_kept = bool((least <= 1e-9).all())
        return ("optimal", fixed, settled) if is_kept else ("infeasible", None, None)
    for presolve in (True, False):  # without it where it cannot tell infeasible from unbounded
        found = milp(
            np.zeros(len(free)) if course.is_enough else course.weights[free],
            integrality=limits.whole[free],
            bounds=Bounds(limits.fewest[free], limits.most[free]),
            constraints=LinearConstraint(matrix[:, free], lb=least) if len(least) else None,
            options={"mip_rel_gap": 0.0, "time_limit": deadline.left, "presolve": presolve},
        )
        if found.status != 4:
            break
    counts = None
    if found.x is not None:
        counts = fixed
        counts[free] = np.where(limits.whole[free] > 0, np.rint(found.x), found.x)
    bound = getattr(found, "mip_dual_bound", None)
    bound = None if course.is_enough or bound is None or not np.isfinite(bound) else float(bound) + settled
    if found.status == 0:
        return "optimal", counts, bound
    if found.status == 2:
        return "infeasible", None, None
    return "timeout", counts, bound
