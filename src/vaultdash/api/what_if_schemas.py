"""The shapes of what-if, asked and answered. LTVs, rates and moves are fractions, prices USD a share, amounts USD."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vaultdash.api.hedge_entries import CaseEntry, Figure, HedgeEntry
from vaultdash.api.hedge_schemas import CaseAnswer, GreeksAnswer, HedgeAnswer
from vaultdash.api.portfolio_schemas import EXACT, Flag, Whole
from vaultdash.domain.portfolio import Zone

MOST_STEPS = 60
Steps = Annotated[list[Figure], Field(min_length=1, max_length=MOST_STEPS)]
Days = Annotated[list[Annotated[Whole, Field(ge=0, le=3650)]], Field(min_length=1, max_length=MOST_STEPS)]


@dataclass(frozen=True, slots=True)
class LenderEntry:
    """Harsher terms: `haircut` of options, `limit_cut` taken off every limit, no notice, options counted no more."""

    __pydantic_config__ = EXACT

    haircut: Figure | None = None
    limit_cut: Figure | None = None
    no_notice: Flag | None = None
    stops_counting: Flag | None = None


@dataclass(frozen=True, slots=True)
class GridEntry:
    """Steps of a scenario grid: moves of the price, shifts of volatility, calendar days forward."""

    __pydantic_config__ = EXACT

    prices: Steps
    volatilities: Steps
    days: Days


@dataclass(frozen=True, slots=True)
class WhatIfEntry(CaseEntry):
    """A change: `price_change` a fraction of spot, `volatility_change` and `rate_change` added, `days` forward.

    `crash_volatility` adds what falls usually add. Without `hedge` it is the options held against the loan; `maps`
    false leaves out the two maps. `grid` gives the steps of table and maps.
    """

    __pydantic_config__ = EXACT

    hedge: HedgeEntry | None = None
    price_change: Figure | None = None
    volatility_change: Figure | None = None
    days: Whole | None = None
    rate_change: Figure | None = None
    crash_volatility: Flag | None = None
    lender: LenderEntry | None = None
    maps: Flag | None = None
    grid: GridEntry | None = None


@dataclass(frozen=True, slots=True)
class LtvsAnswer:
    """Hedged LTV in each counting; null where nothing is left to lend on."""

    credited: float | None
    after_payment: float | None
    ignored: float | None


@dataclass(frozen=True, slots=True)
class WhatIfPointAnswer:
    """Loan and hedge at a price and day; `_pnl` against now. Zones are as the lender counts."""

    price: float
    days: int
    gold_value: float
    loan_amount: float
    hedge_value: float
    hedge_pnl: float
    gold_pnl: float
    net_pnl: float
    ltvs: LtvsAnswer
    unhedged_ltv: float
    zone: Zone
    unhedged_zone: Zone
    equity: float
    unhedged_equity: float
    greeks: GreeksAnswer


@dataclass(frozen=True, slots=True)
class WhatIfCurvesAnswer:
    """Over prices, all lists of one length: worth of the hedge now, then and at its first expiration, and LTVs."""

    prices: list[float]
    value_now: list[float]
    value_then: list[float]
    value_at_expiry: list[float]
    ltv_then: list[float | None]
    ltv_at_expiry: list[float | None]
    unhedged_ltv: list[float]


@dataclass(frozen=True, slots=True)
class WhatIfMapAnswer:
    """A row for each of `rows` (days, or shifts of volatility), a column for each price."""

    kind: str
    prices: list[float]
    rows: list[float]
    ltv: list[list[float | None]]
    hedge_value: list[list[float]]


@dataclass(frozen=True, slots=True)
class WhatIfAnswer:
    """A change applied, always hypothetical: now, then, the curves, the table over moves of the price, two maps."""

    hypothetical: bool
    hedge: HedgeAnswer
    now: WhatIfPointAnswer
    then: WhatIfPointAnswer
    table: tuple[WhatIfPointAnswer, ...]
    curves: WhatIfCurvesAnswer
    by_time: WhatIfMapAnswer | None
    by_volatility: WhatIfMapAnswer | None
    remarks: tuple[str, ...]
    case: CaseAnswer


@dataclass(frozen=True, slots=True)
class GridAnswer:
    """A scenario grid that is kept."""

    name: str
    prices: tuple[float, ...]
    volatilities: tuple[float, ...]
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GridsAnswer:
    """The scenario grids by name."""

    grids: tuple[GridAnswer, ...]
