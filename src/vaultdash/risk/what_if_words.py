"""What may change, and what is said of a loan and its hedge after the change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import Greeks
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.validation import finite, share
from vaultdash.pricing.base import FloatArray
from vaultdash.risk.stress import lowered

MOST_DAYS = 3_650
MOST_RISE = 9.0  # a tenfold price


@dataclass(frozen=True, slots=True)
class LenderChange:
    """Harsher terms; None and 0 leave them.

    `haircut` of the options from now on, `limit_cut` taken off every limit, both fractions. `no_notice`: the sale
    follows the call at once. `stops_counting`: the lender looks at gold and loan alone.
    """

    haircut: float | None = None
    limit_cut: float = 0.0
    no_notice: bool = False
    stops_counting: bool = False

    def __post_init__(self) -> None:
        if self.haircut is not None:
            share("haircut", self.haircut)
        if not 0 <= finite("limit_cut", self.limit_cut) <= 0.9:
            raise InvalidInput("limit_cut", "must be a fraction from 0 to 0.9; write 0.05 for five points")

    def applied(self, loan: Loan) -> Loan:
        """The loan under these terms; without notice the call is the sale: no cure days, close-out at the call."""
        harsher = lowered(loan, self.limit_cut) if self.limit_cut > 0 else loan
        if self.haircut is not None:
            harsher = replace(harsher, hedge_haircut=self.haircut)
        if self.stops_counting:
            harsher = replace(harsher, hedge_counting=HedgeCounting.IGNORED)
        if self.no_notice:
            harsher = replace(harsher, cure_days=0, close_out_ltv=harsher.margin_call_ltv)
        return harsher


@dataclass(frozen=True, slots=True)
class WhatIfChange:
    """Everything that the sliders move.

    `price` a fraction of spot (-0.2), `volatility` added to each option's own
    (0.05 is five points), `days` calendar days forward, `rate` added to what dollars earn, a fraction a year.
    `crash_volatility` adds what falls usually add (`risk.stress.crash_shift`).
    """

    price: float = 0.0
    volatility: float = 0.0
    days: int = 0
    rate: float = 0.0
    crash_volatility: bool = False
    lender: LenderChange = field(default_factory=LenderChange)

    def __post_init__(self) -> None:
        if not -1 < finite("price", self.price) <= MOST_RISE:
            raise InvalidInput("price", "must be a fraction above -1 and at most 9; write -0.2 for a fall of 20 %")
        if not -4 <= finite("volatility", self.volatility) <= 4:
            raise InvalidInput("volatility", "must be a fraction between -4 and 4; write 0.05 for five points")
        if isinstance(self.days, bool) or int(self.days) != self.days or not 0 <= self.days <= MOST_DAYS:
            raise InvalidInput("days", f"must be a whole number from 0 to {MOST_DAYS:,}")
        if not -0.5 <= finite("rate", self.rate) <= 0.5:
            raise InvalidInput("rate", "must be a fraction between -0.5 and 0.5; write 0.01 for one point")


@dataclass(frozen=True, slots=True)
class WhatIfPoint:
    """The loan and its hedge after a change; amounts USD.

    `ltvs` with the hedge in each counting, `unhedged_ltv` without; zones as the lender counts. `loan_amount` and
    `gold_value` are those with the hedge, whose premium may have been lent or paid in gold. `_pnl` against now,
    before interest; the hedge's is its worth less what it cost at its own prices, commissions included. `equity` is
    gold and hedge less the loan. Greeks are the hedge's.
    """

    price: float
    days: int
    gold_value: float
    loan_amount: float
    hedge_value: float
    hedge_pnl: float
    gold_pnl: float
    net_pnl: float
    ltvs: dict[HedgeCounting, float]
    unhedged_ltv: float
    zone: Zone
    unhedged_zone: Zone
    equity: float
    unhedged_equity: float
    greeks: Greeks


@dataclass(frozen=True, slots=True)
class WhatIfCurves:
    """Over prices, USD a share; all arrays have the length of `prices`.

    Worth of the hedge now, at the changed day and at its first expiration, USD, and LTVs as the lender counts; `then`
    and `at_expiry` have them in every counting.
    """

    prices: FloatArray
    value_now: FloatArray
    value_then: FloatArray
    value_at_expiry: FloatArray
    ltv_then: FloatArray
    ltv_at_expiry: FloatArray
    unhedged_ltv: FloatArray
    then: Mapping[HedgeCounting, FloatArray] = field(default_factory=dict)
    at_expiry: Mapping[HedgeCounting, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WhatIfMap:
    """Hedged LTV as the lender counts, and worth of the hedge, USD; shapes (rows, prices).

    A row for each of `rows` (`days` or volatility shifts), a column for each price. `ltvs` in every counting.
    """

    kind: str
    prices: FloatArray
    rows: FloatArray
    ltv: FloatArray
    hedge_value: FloatArray
    ltvs: Mapping[HedgeCounting, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A change applied: now, then, the curves, the table over price moves, and two maps.

    The maps (price x time, price x volatility) are None when they were not asked for. `remarks` say what was assumed.
    """

    change: WhatIfChange
    now: WhatIfPoint
    then: WhatIfPoint
    curves: WhatIfCurves
    table: tuple[WhatIfPoint, ...]
    by_time: WhatIfMap | None
    by_volatility: WhatIfMap | None
    remarks: tuple[str, ...] = ()
