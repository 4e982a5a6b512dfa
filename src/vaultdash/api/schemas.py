"""The shapes of the answers. All `_pct`, LTV and rate values are fractions; money is USD; times are UTC."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from vaultdash.domain.hedge import (
    Cost,
    Duration,
    Exercise,
    Protection,
    RankedHedge,
    RiskProfile,
    Scenario,
    WholeContracts,
)
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Freshness, MarketState
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.position import MarkBasis


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """A price with its age and source. `freshness` judges it; `problem` says why a better source was not heard.

    `currency` is USD, but for a pair such as CHF=X, which is what one dollar costs in that currency.
    """

    price: float
    previous_close: float | None
    change_pct: float | None
    at: datetime
    source: str
    delayed: bool
    delay_seconds: float
    market_state: MarketState
    freshness: Freshness
    stale: bool
    demo: bool
    age_seconds: float
    problem: str | None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class RateAnswer:
    """What a dollar costs: units of the loan's currency for one USD, when it was quoted (`pair`) and by whom."""

    pair: str
    per_dollar: float
    at: datetime | None
    age_seconds: float | None
    freshness: Freshness
    source: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class GreeksState:
    """Of a number of shares' worth: delta in shares, gamma per USD, vega USD a volatility point, theta USD a day.

    Null is what is not known of one of the options.
    """

    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None


@dataclass(frozen=True, slots=True)
class PositionState:
    """A held option at a price. `price`, USD a share, is what closing it brings (the bid) or, sold, costs (the ask).

    `basis` says what it stands on: a quote, the model, or what exercise would pay; `problem` why it is not simply a
    quote of now. `doubtful` when the value is unknown, old or a lower bound. Greeks are of the whole position.
    """

    id: str
    contract: str
    symbol: str
    expiration: date
    strike: float
    right: Right
    contracts: int
    price_paid: float
    opened_on: date
    basis: MarkBasis
    price: float | None
    mid: float | None
    value: float | None
    profit: float | None
    at: datetime | None
    source: str
    stale: bool
    doubtful: bool
    problem: str | None
    implied_volatility: float | None
    greeks: GreeksState


@dataclass(frozen=True, slots=True)
class PortfolioState:
    """A loan at a price. Prices are per share of the quoted symbol; `shares` is the collateral in those shares.

    Every amount is USD, `loan_amount` too, but `loan_owed`: that is what is owed in `loan_currency`, and
    `exchange_rate`, null for a loan in USD, turned it into `loan_amount`. The prices at the limits hold while that
    rate stands.

    `ltv` counts no hedge, `lender_ltv` as the lender counts it, from which `zone` and `headroom` follow;
    `ltv_after_payment` and `ltv_credited` are the other ways to count it; null when sold options have eaten the
    collateral. `credit_factor` is h of
    no call <=> L <= m*V + h*Pi. `drop_to_margin_call` is a fraction of the price, negative once called.
    `problem` says why the loan cannot be judged by its exchange rate, which is old, not known, or invented beside a
    real price; the quote says by itself how far the price can be trusted.
    `accrued_interest` is in `loan_amount`. `position_greeks` are of gold and options together.
    """

    id: str
    collateral: str
    unit: str
    units: float
    shares: float
    gold_ounces: float | None
    gold_value: float
    loan_amount: float
    currency: str
    interest_rate: float
    hedge_counting: HedgeCounting
    ltv: float
    zone: Zone
    called: bool
    warning_ltv: float
    margin_call_ltv: float
    close_out_ltv: float
    warning_price: float
    margin_call_price: float
    close_out_price: float
    drop_to_margin_call: float
    headroom: float
    max_loan: float
    recommended_collateral: float
    name: str
    equity: float
    accrued_interest: float
    loan_currency: str
    loan_owed: float
    exchange_rate: RateAnswer | None
    cure_days: int
    credit_factor: float
    hedge_value: float
    lender_ltv: float | None
    ltv_after_payment: float
    ltv_credited: float | None
    hedge_doubts: tuple[str, ...]
    positions: tuple[PositionState, ...]
    option_greeks: GreeksState
    position_greeks: GreeksState
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PortfolioAnswer:
    """The current portfolio at the latest quote, or a research portfolio for another symbol."""

    symbol: str
    as_of: datetime
    own: bool
    quote: QuoteAnswer
    portfolio: PortfolioState
    volatility: float | None
    volatility_source: str | None
    daily_sigmas_to_call: float | None


@dataclass(frozen=True, slots=True)
class PortfolioUpdate:
    """What the WebSocket pushes; `quote` and `portfolio` are null until a first price is known.

    `portfolio` is the current one, `portfolios` are all that have a price.
    """

    type: Literal["portfolio_update"]
    version: Literal[1]
    number: int
    symbol: str
    as_of: datetime
    quote: QuoteAnswer | None
    portfolio: PortfolioState | None
    portfolios: tuple[PortfolioState, ...]
    volatility: float
    volatility_source: str
    daily_sigmas_to_call: float | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the comparison was made with."""

    spot: float
    volatility: float
    risk_free_rate: float
    portfolio_value: float
    loan_amount: float
    margin_call_ltv: float
    months: int
    exercise: Exercise


@dataclass(frozen=True, slots=True)
class LegAnswer:
    """One bought option: `strike_pct` of spot, over `weight` of the collateral."""

    right: Right
    strike: float
    strike_pct: float
    weight: float
    months: float
    premium_per_share: float
    leg_cost: float


@dataclass(frozen=True, slots=True)
class ContractsAnswer:
    """The hedge in whole contracts of 100 shares: rounded down and rounded up a leg."""

    floor: WholeContracts
    ceil: WholeContracts


@dataclass(frozen=True, slots=True)
class StrategyAnswer:
    """One hedge, measured. `durations` is given for lease_duration_analysis only."""

    name: str
    title: str
    legs: tuple[LegAnswer, ...]
    cost: Cost
    protection: Protection
    scenarios: tuple[Scenario, ...]
    contracts: ContractsAnswer
    durations: tuple[Duration, ...] | None


@dataclass(frozen=True, slots=True)
class RecommendationAnswer:
    """The hedge for a profile; `name` is null and `reason` says why when advice is withheld."""

    name: str | None
    reason: str
    ranking: tuple[RankedHedge, ...]


@dataclass(frozen=True, slots=True)
class SensitivityAnswer:
    """Winners by profile at another volatility, or at another spot in USD, with units and loan held."""

    value: float
    recommendations: dict[RiskProfile, str]
    changed: tuple[RiskProfile, ...]


@dataclass(frozen=True, slots=True)
class SensitivitiesAnswer:
    """Whether the advice holds when an assumption is wrong."""

    volatility: tuple[SensitivityAnswer, ...]
    spot: tuple[SensitivityAnswer, ...]
    sentences: dict[RiskProfile, str]


@dataclass(frozen=True, slots=True)
class LeftOutAnswer:
    """A template of the owner's that cannot be compared, and why."""

    name: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class StrategiesAnswer:
    """The comparison. `quote` is null when the spot was given; `withheld` says why nothing is recommended.

    `strategies` are the six of the research and after them the owner's own templates; those that cannot be measured
    are `left_out`.
    """

    symbol: str
    as_of: datetime
    quote: QuoteAnswer | None
    parameters: Parameters
    assumptions: tuple[str, ...]
    portfolio: PortfolioState
    strategies: tuple[StrategyAnswer, ...]
    recommendations: dict[RiskProfile, RecommendationAnswer]
    sensitivity: SensitivitiesAnswer
    withheld: str | None
    left_out: tuple[LeftOutAnswer, ...]


@dataclass(frozen=True, slots=True)
class BarAnswer:
    """One trading day."""

    date: date
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float | None


@dataclass(frozen=True, slots=True)
class HistoryAnswer:
    """Daily prices, ascending, unadjusted."""

    symbol: str
    source: str
    demo: bool
    first: date | None
    last: date | None
    bars: tuple[BarAnswer, ...]


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """How the house is; 503 when `not_ready` names something."""

    status: Literal["ok", "degraded", "not_ready"]
    environment: str
    version: str
    market: str
    redis_enabled: bool
    dependencies: dict[str, str]
    quote_age_seconds: float | None
    not_ready: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What went wrong, in a sentence; `argument` names the wrong input."""

    code: str
    message: str
    argument: str | None


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Every error has this shape."""

    error: ErrorDetail
