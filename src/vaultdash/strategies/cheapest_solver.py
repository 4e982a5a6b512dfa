"""The door to the solver of linear programs in whole numbers (HiGHS, by scipy)."""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vaultdash.strategies.cheapest_rows import Floats, Rows

Outcome = Literal["optimal", "infeasible", "timeout"]
LEAST_SECONDS = 0.05


class Deadline:
    """Until when a search may go on; the clock that counts only forward."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never below what one attempt takes."""
        return max(self._end - time.monotonic(), LEAST_SECONDS)

    @property
    def is_over(self) -> bool:
        """True when nothing new should be begun."""
        return time.monotonic() >= self._end


@dataclass(frozen=True, slots=True)
class Solution:
    """How it ended, whole counts when some were found, and the bound below which no cost can be."""

    outcome: Outcome
    counts: Floats | None
    bound: float | None


def solve(rows: Rows, deadline: Deadline, objective: Floats | None = None, *, whole: bool = True) -> Solution:
    """Least `objective @ x` (by default the cost) with `rows` kept; `whole` False lets x be fractions.

    Further continuous unknowns may stand behind the lines in `rows` with an `objective` of that length; `rows.whole`
    tells them apart.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    weights = rows.cost if objective is None else objective
    if not len(weights):
        is_kept = bool((rows.least <= 1e-9).all())
        return Solution("optimal" if is_kept else "infeasible", np.empty(0) if is_kept else None, 0.0)
    for presolve in (True, False):  # without it where it cannot tell infeasible from unbounded
        found = milp(
            weights,
            integrality=rows.whole if whole else np.zeros(len(weights)),
            bounds=Bounds(rows.fewest, rows.most),
            constraints=LinearConstraint(rows.matrix, lb=rows.least) if len(rows.least) else None,
            options={"mip_rel_gap": 0.0, "time_limit": deadline.left, "presolve": presolve},
        )
        if found.status != 4:
            break
    counts = None if found.x is None else np.where(rows.whole > 0, np.rint(found.x), found.x) if whole else found.x
    bound = getattr(found, "mip_dual_bound", None) if whole else found.fun
    bound = None if bound is None or not np.isfinite(bound) else float(bound)
    if found.status == 0:
        return Solution("optimal", counts, bound)
    if found.status == 2:
        return Solution("infeasible", None, None)
    return Solution("timeout", counts, bound)
