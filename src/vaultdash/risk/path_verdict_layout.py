"""What the judge of paths reads and writes: a loan's rules, the legs of a hedge and what they are worth."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.base import FloatArray

WholeArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.bool_]

NEVER = -1  # no day
ALMOST = 1.0 - 1e-12  # what was called for has been paid, whatever the last digit says


class Rules(NamedTuple):
    """Loan and behaviour. Amounts USD, LTVs fractions, days trading days.

    `counted` is the share of the options' value that stands beside the gold (1 - haircut), 0 for a lender who does
    not credit them. A sale follows a call by `sale_lag` days, its money the sale by `money_lag`. Calls are looked for
    until the close of day `steps`.
    """

    loan: float
    units: float
    spot: float
    call_ltv: float
    close_out_ltv: float
    target_ltv: float
    counted: float
    sells: bool
    steps: int
    cure_days: int
    sale_lag: int
    money_lag: int
    commission: float


class Legs(NamedTuple):
    """Columns of a hedge's legs: `contracts` negative when sold, `sign` +1 for a call and -1 for a put.

    `half` is what closing costs besides the model's value, USD a share; a leg pays exercise at the close of day
    `expiry`; `table` is its place in `Marks.values`.
    """

    contracts: WholeArray
    multiplier: FloatArray
    sign: FloatArray
    strike: FloatArray
    half: FloatArray
    expiry: WholeArray
    table: WholeArray


class Marks(NamedTuple):
    """Model values, USD a share, shape (tables, days + 1, prices); the prices are spot * exp(low + i * step)."""

    values: FloatArray
    low: float
    step: float


class Outcome(NamedTuple):
    """What happened on each path: a call, one that the hedge did not cure, a sale of gold, USD repaid by options."""

    called: FlagArray
    uncured: FlagArray
    sold: FlagArray
    repaid: FloatArray

    def part(self, first: int, size: int) -> "Outcome":
        """The same arrays from a path on."""
        here = slice(first, first + size)
        return Outcome(self.called[here], self.uncured[here], self.sold[here], self.repaid[here])


def no_outcome(paths: int) -> Outcome:
    """Nothing has happened yet."""
    return Outcome(np.zeros(paths, np.bool_), np.zeros(paths, np.bool_), np.zeros(paths, np.bool_), np.zeros(paths))
