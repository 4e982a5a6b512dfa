"""What may be asked of the workbench, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from vaultdash.domain.hedge_verdict import (
    CallSafety,
    CheapestHedge,
    Frontier,
    HoldingRule,
    ListedMeasure,
    PathVerdicts,
)
from vaultdash.domain.listed_hedge import (
    USUAL_COMMISSION,
    HedgeCase,
    HedgeMarket,
    ListedHedge,
    ListedOption,
    PriceBasis,
)
from vaultdash.domain.listed_hedge import StrategyKind as StrategyKind  # asked for with the other words of requests
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Quote
from vaultdash.domain.option import DollarRate, Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.risk.what_if import WhatIf, WhatIfChange

DEFAULT_RANGE = (-0.6, 0.6)
MOST_COMPARED = 4
MOST_JUDGED = 8  # hedges on the same paths


class Goal(StrEnum):
    """What the search is for: the least cost, the best floor for a budget, or a collar that costs nothing."""

    CHEAPEST = "cheapest"
    BEST_PROTECTION = "best_protection"
    ZERO_COST = "zero_cost"


class CheckDates(StrEnum):
    """`expiry` tests payoffs at expiry; `all` earlier days as well, by model values with shocked volatility."""

    EXPIRY = "expiry"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class CaseChange:
    """What differs from the owner's loan; None leaves it. Amounts USD.

    `at` is the moment that is judged, by default that of the price, or now where no price of the market is used.
    """

    spot: float | None = None
    units: float | None = None
    loan_amount: float | None = None
    margin_call_ltv: float | None = None
    counting: HedgeCounting | None = None
    haircut: float | None = None
    rate: float | None = None
    split_custody: bool | None = None
    broker_margin: float | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheapestRequest:
    """The search; a constraint that is None is not imposed.

    `credit` is a counting, or the credit factor h itself. `contracts` None takes the live chain at or after
    `horizon`. `max_loss` is a fraction of the gold's value now, the hedge's cost included; prices USD a share.
    """

    goal: Goal = Goal.CHEAPEST
    max_hedged_ltv: float | None = None
    credit: HedgeCounting | float | None = None
    premium_funding: PremiumFunding = PremiumFunding.CASH
    price_range: tuple[float, float] = DEFAULT_RANGE
    commission_per_contract: float = USUAL_COMMISSION
    max_contracts_per_line: int | None = None
    max_puts: int | None = None
    allow_calls: bool = False
    min_call_strike: float | None = None
    max_calls: int | None = None
    max_loss: float | None = None
    budget: float | None = None
    horizon: date | None = None
    check_dates: CheckDates = CheckDates.EXPIRY
    contracts: tuple[ListedOption, ...] | None = None
    case: CaseChange = field(default_factory=CaseChange)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the figures stand on: price with its time and source, the dollar's rate, and what is doubtful in words.

    `withheld` says why nothing may be recommended on it; `hypothetical` is True when a price was made up. `held` says
    which options are held already, and that they are not counted: it is one of the remarks.
    """

    symbol: str
    at: datetime
    quote: Quote | None
    rate: DollarRate
    remarks: tuple[str, ...] = ()
    withheld: str | None = None
    hypothetical: bool = False
    held: str | None = None


@dataclass(frozen=True, slots=True)
class CheapestReport:
    """The answer with what it stands on; `why` says why this one. `market` is None when contracts were given."""

    found: CheapestHedge
    case: HedgeCase
    measure: ListedMeasure | None
    market: HedgeMarket | None
    request: CheapestRequest
    why: tuple[str, ...]
    standing: Standing
    withheld: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LegRequest:
    """A leg as it is asked for: its quotes are those of the live chain unless given."""

    right: Right
    strike: float
    expiration: date
    contracts: int
    basis: PriceBasis = PriceBasis.MARKET
    price: float | None = None
    bid: float | None = None
    ask: float | None = None
    multiplier: int = 100
    volatility: float | None = None


@dataclass(frozen=True, slots=True)
class HedgeRequest:
    """A hedge by its legs."""

    title: str
    legs: tuple[LegRequest, ...]
    commission: float = USUAL_COMMISSION
    funding: PremiumFunding = PremiumFunding.CASH


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """A strategy by its kind, or a template by its id; what is None follows the rule of either."""

    kind: StrategyKind | None = None
    template: str | None = None
    expiration: date | None = None
    strikes: tuple[float, ...] = ()
    contracts: int | None = None
    basis: PriceBasis = PriceBasis.MARKET
    funding: PremiumFunding = PremiumFunding.CASH
    case: CaseChange = field(default_factory=CaseChange)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was built; `calls` says what its sold calls need, and is None when it sells none."""

    hedge: ListedHedge
    case: HedgeCase
    calls: CallSafety | None
    standing: Standing
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureReport:
    """Hedges measured on one case, in the order asked for."""

    case: HedgeCase
    measures: tuple[ListedMeasure, ...]
    standing: Standing
    verdicts: PathVerdicts | None = None


@dataclass(frozen=True, slots=True)
class PathRequest:
    """`months` of 21 trading days; None the hedge's first expiration, at most twelve."""

    hedges: tuple[HedgeRequest, ...]
    months: int | None = None
    rule: HoldingRule = HoldingRule.SELL
    settlement_days: int = 2
    target_ltv: float | None = None
    paths: int = 20_000
    seed: int = 20_041_118
    volatility: float | None = None
    models: tuple[str, ...] | None = None
    case: CaseChange = field(default_factory=CaseChange)


@dataclass(frozen=True, slots=True)
class PathReport:
    """Verdicts in the order asked for and last that of no hedge, with what they stand on.

    `volatility` is that of the models, a fraction a year.
    """

    case: HedgeCase
    found: PathVerdicts
    standing: Standing
    volatility: float = 0.0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioGrid:
    """A grid of what-if changes that the owner keeps under a name: price moves, volatility shifts, days forward."""

    name: str
    prices: tuple[float, ...]
    volatilities: tuple[float, ...]
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WhatIfRequest:
    """`hedge` None takes the options held against the loan; `grid` gives the steps of table and maps."""

    change: WhatIfChange
    hedge: HedgeRequest | None = None
    case: CaseChange = field(default_factory=CaseChange)
    with_maps: bool = True
    grid: ScenarioGrid | None = None


@dataclass(frozen=True, slots=True)
class WhatIfReport:
    """What changes, with what it stands on."""

    case: HedgeCase
    hedge: ListedHedge
    found: WhatIf
    standing: Standing


@dataclass(frozen=True, slots=True)
class FrontierReport:
    """Candidates of the live chain, and what is no option."""

    case: HedgeCase
    found: Frontier
    market: HedgeMarket
    standing: Standing


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence and the figures behind it, by name."""

    sentence: str
    figures: Mapping[str, float] = field(default_factory=dict)
