"""A hedge: legs of options over the collateral, what they cost and what they keep away."""

from dataclasses import dataclass
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.validation import open_fraction, positive

WEIGHT_TOLERANCE = 1e-9


class RiskProfile(StrEnum):
    """What the owner wants most."""

    CONSERVATIVE = "conservative"
    BALANCED = "balanced"
    COST_SENSITIVE = "cost_sensitive"


class Exercise(StrEnum):
    """When an option may be exercised."""

    EUROPEAN = "european"
    AMERICAN = "american"


@dataclass(frozen=True, slots=True)
class HedgeLeg:
    """One bought option over `weight` of the collateral; `strike` USD per share, `months` to expiry.

    A listed contract has no whole number of months: twelve times its days by 365.
    """

    right: Right
    strike: float
    strike_pct: float
    weight: float
    months: float

    def __post_init__(self) -> None:
        positive("strike", self.strike)
        positive("strike_pct", self.strike_pct)
        positive("weight", self.weight)
        positive("months", self.months)

    @property
    def years(self) -> float:
        """Time to expiry in years: months / 12."""
        return self.months / 12.0


@dataclass(frozen=True, slots=True)
class HedgePlan:
    """A named set of legs with one tenor whose weights sum to one."""

    name: str
    title: str
    legs: tuple[HedgeLeg, ...]

    def __post_init__(self) -> None:
        if not self.legs:
            raise InvalidInput("legs", "must hold at least one option")
        if abs(sum(leg.weight for leg in self.legs) - 1.0) > WEIGHT_TOLERANCE:
            raise InvalidInput("weights", "must sum to 1")
        if len({leg.months for leg in self.legs}) > 1:
            raise InvalidInput("months", "must be the same for all legs of one hedge")

    @property
    def months(self) -> float:
        """Tenor in months, shared by all legs."""
        return self.legs[0].months


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a strategy may know: units and spot in the quoting symbol, loan, market assumptions.

    `volatility` per sqrt(year), `rate` continuously compounded per year, `months` the default tenor,
    `price_changes` the scenario grid as fractions of spot.
    """

    spot: float
    units: float
    loan_amount: float
    margin_call_ltv: float
    volatility: float
    rate: float
    months: int
    exercise: Exercise
    price_changes: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("spot", "units", "loan_amount", "volatility"):
            positive(name, getattr(self, name))
        open_fraction("margin_call_ltv", self.margin_call_ltv)
        if not 1 <= self.months <= 60:
            raise InvalidInput("months", f"must be between 1 and 60, not {self.months}")
        if not -0.1 <= self.rate <= 0.5:
            raise InvalidInput("risk_free_rate", "must be a fraction between -0.1 and 0.5; write 0.045 for 4.5 %")
        if not 0.001 <= self.volatility <= 5:
            raise InvalidInput("volatility", "must be a fraction between 0.001 and 5; write 0.16 for 16 %")

    @property
    def portfolio_value(self) -> float:
        """Collateral value, USD."""
        return self.spot * self.units

    @property
    def margin_call_price(self) -> float:
        """Spot, USD, at which the lender calls: L / (m * U)."""
        return self.loan_amount / (self.margin_call_ltv * self.units)


@dataclass(frozen=True, slots=True)
class LegCost:
    """A leg with its model premium per share and its share of the hedge's cost, USD."""

    leg: HedgeLeg
    premium_per_share: float
    leg_cost: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hedge costs; `_pct` are fractions of the collateral's value."""

    premium_per_share: float
    total_cost: float
    cost_pct_of_portfolio: float
    term_months: float
    annualized_cost: float
    annualized_cost_pct: float


@dataclass(frozen=True, slots=True)
class Protection:
    """What a hedge is worth at the margin-call price, by expiry payoff, premium not deducted.

    `lowest_price_kept_*` is the gold price, USD, above which no price up to spot is a call at expiry in that counting
    (at it, the call comes): 0 when the call is kept away at every price, None when the loan is called at spot.
    `portfolio_floor_value` is the least that gold and hedge are worth together.
    """

    threshold_price: float
    payoff_at_threshold: float
    gold_value_at_threshold: float
    hedged_value_at_threshold: float
    hedged_ltv_at_threshold: float
    hedged_ltv_after_payment_at_threshold: float
    maintains_margin_call_buffer: bool
    portfolio_floor_value: float
    lowest_price_kept_credited: float | None = None
    lowest_price_kept_after_payment: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The portfolio after one price change at expiry, in each way of counting the hedge.

    `unhedged_ltv` is also the LTV of a lender who ignores the puts; `hedged_ltv` counts the payoff as collateral;
    `hedged_ltv_after_payment` repays the loan with it and may fall to zero or below.
    """

    price_change_pct: float
    scenario_price: float
    gold_value: float
    option_payoff: float
    hedge_cost: float
    hedged_collateral: float
    net_portfolio_value: float
    net_equity: float
    unhedged_ltv: float
    hedged_ltv: float
    hedged_ltv_after_payment: float
    margin_call_without_hedge: bool
    margin_call_with_hedge: bool
    margin_call_after_payment: bool


@dataclass(frozen=True, slots=True)
class WholeContracts:
    """The same hedge in whole contracts of 100 shares: the units in all, rounded once, shared over the legs."""

    contracts: int
    contracts_per_leg: tuple[int, ...]
    covered_units: float
    cost: Cost
    protection: Protection


@dataclass(frozen=True, slots=True)
class Duration:
    """One tenor of a hedge that can be had in several."""

    months: float
    cost: Cost
    protection: Protection


@dataclass(frozen=True, slots=True)
class MeasuredHedge:
    """A plan with every figure by which it is compared."""

    plan: HedgePlan
    legs: tuple[LegCost, ...]
    cost: Cost
    protection: Protection
    scenarios: tuple[Scenario, ...]
    contracts_floor: WholeContracts
    contracts_ceil: WholeContracts
    durations: tuple[Duration, ...] = ()


@dataclass(frozen=True, slots=True)
class RankedHedge:
    """One line of a ranking; a lower score is better."""

    name: str
    score: float
    hedged_ltv_at_threshold: float
    annualized_cost: float
    maintains_margin_call_buffer: bool


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The winner for a profile, why it won, and the whole field in order."""

    profile: RiskProfile
    name: str
    reason: str
    ranking: tuple[RankedHedge, ...]


@dataclass(frozen=True, slots=True)
class SensitivityPoint:
    """Winners by profile when one assumption takes another value."""

    value: float
    recommendations: dict[RiskProfile, str]
    changed: tuple[RiskProfile, ...]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Whether the recommendation holds when volatility or spot differ; units and loan are held."""

    volatility: tuple[SensitivityPoint, ...]
    spot: tuple[SensitivityPoint, ...]
    sentences: dict[RiskProfile, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All hedges measured on one situation, with a recommendation for each profile."""

    situation: Situation
    hedges: tuple[MeasuredHedge, ...]
    recommendations: dict[RiskProfile, Recommendation]
    sensitivity: Sensitivity
