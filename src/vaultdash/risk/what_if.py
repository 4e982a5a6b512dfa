"""What a change of the market or of the lender does to a loan and its hedge, by model values and at expiry."""

from dataclasses import dataclass, field

from vaultdash.domain.hedge_verdict import Greeks
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Zone
from vaultdash.pricing.base import FloatArray

PRICE_MOVES = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
VOLATILITY_SHIFTS = (-0.10, -0.05, 0.0, 0.05, 0.10, 0.20)
DAYS_FORWARD = (0, 30, 60, 90, 180)
MAP_SIZE = 41


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


@dataclass(frozen=True, slots=True)
class WhatIfPoint:
    """The loan and its hedge after a change; amounts USD.

    `ltvs` with the hedge in each counting, `unhedged_ltv`
    without; zones as the lender counts. `_pnl` against now, premium paid at the prices of the hedge.
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

    Worth of the hedge now, at the changed day and at its first expiration, USD, and LTVs as the lender counts.
    """

    prices: FloatArray
    value_now: FloatArray
    value_then: FloatArray
    value_at_expiry: FloatArray
    ltv_then: FloatArray
    ltv_at_expiry: FloatArray
    unhedged_ltv: FloatArray


@dataclass(frozen=True, slots=True)
class WhatIfMap:
    """Hedged LTV as the lender counts, and worth of the hedge, USD; shapes (rows, prices).

    A row for each of `rows` (`days` or volatility shifts), a column for each price.
    """

    kind: str
    prices: FloatArray
    rows: FloatArray
    ltv: FloatArray
    hedge_value: FloatArray


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
