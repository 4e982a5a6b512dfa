"""The search in fractions of contracts: a bound below every whole hedge, and the contracts that it rules out."""

from dataclasses import dataclass, replace

import numpy as np

from vaultdash.strategies.cheapest_rows import Floats, Rows
from vaultdash.strategies.cheapest_time import Deadline

FIRST_ROWS = 24
PARTS = 40  # of the rows; the worst of each is added where it is broken
BROKEN = 1e-7  # of the largest number in a row: as exact as the solver
ROUNDS = 200
NO_DOUBT = 1e-7  # of the objective: what rounding may have done to it


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The least that fractions of contracts come to.

    `bound` follows from the prices of the rows alone (weak duality), so that no error of the solver's lifts it;
    `reduced` is by how much each unknown would add to it; `active` are the rows that were needed. `is_infeasible`
    when not even fractions keep the rows; without `counts` and not that, the solver did not end.
    """

    is_infeasible: bool
    counts: Floats | None
    bound: float | None
    reduced: Floats
    active: list[int]


def relaxed(rows: Rows, weights: Floats, deadline: Deadline, known: list[int] | None = None) -> Relaxed:
    """Minimise `weights @ x` over fractions; rows join only when they are broken, beside those `known` to matter."""
    from scipy.optimize import linprog

    active = _first(rows) if known is None else list(known)
    nothing = np.zeros(len(weights))
    for _ in range(ROUNDS):
        found = linprog(
            weights,
            A_ub=-rows.matrix[active] if active else None,
            b_ub=-rows.least[active] if active else None,
            bounds=np.column_stack([rows.fewest, rows.most]),
            method="highs-ds",
            options={"time_limit": deadline.left},
        )
        if found.status == 2:
            return Relaxed(True, None, None, nothing, active)
        if found.status != 0 or found.x is None:
            return Relaxed(False, None, None, nothing, active)
        more = broken(rows, found.x, active)
        if not more:
            price = np.maximum(-found.ineqlin.marginals, 0.0) if active else np.empty(0)
            reduced = weights - price @ rows.matrix[active]
            ends = np.where(reduced > 0, rows.fewest, rows.most)
            bound = float(price @ rows.least[active] + reduced @ ends)
            return Relaxed(False, np.asarray(found.x), bound, reduced, active)
        active += more
        if deadline.is_over:
            break
    return Relaxed(False, None, None, nothing, active)


def broken(rows: Rows, counts: Floats, active: list[int]) -> list[int]:
    """Rows that `counts` break and that are not active yet, the worst of each part of them."""
    if not len(rows.least):
        return []
    size = np.maximum(np.abs(rows.matrix).max(axis=1), 1.0)
    spare = (rows.matrix @ counts - rows.least) / size
    spare[active] = 0.0
    worst = [int(part[np.argmin(spare[part])]) for part in np.array_split(np.arange(len(spare)), PARTS) if len(part)]
    return [place for place in worst if spare[place] < -BROKEN]


def tightened(rows: Rows, found: Relaxed, best: float) -> Rows:
    """The rows with counts limited to those that can be better than `best`, which a whole hedge already reaches.

    Each contract of a line adds its reduced cost to the bound, so that (best - bound) / reduced is the most there can
    be of it, and likewise of contracts fewer than the most where that is what fractions choose.
    """
    assert found.bound is not None
    gap = max(best - found.bound, 0.0) + NO_DOUBT * max(1.0, abs(best))
    steps = np.floor(gap / np.maximum(np.abs(found.reduced), 1e-12))
    is_whole = rows.whole > 0
    most = np.where(is_whole & (found.reduced > 0), np.minimum(rows.most, rows.fewest + steps), rows.most)
    fewest = np.where(is_whole & (found.reduced < 0), np.maximum(rows.fewest, rows.most - steps), rows.fewest)
    return replace(rows, fewest=fewest, most=most)


def _first(rows: Rows) -> list[int]:
    """All rows of totals, and a few of those about prices."""
    of_price = np.flatnonzero(~np.isnan(rows.price))
    few = (
        of_price[np.unique(np.linspace(0, len(of_price) - 1, FIRST_ROWS).astype(int))] if len(of_price) else of_price
    )
    return [*np.flatnonzero(np.isnan(rows.price)).tolist(), *few.tolist()]
