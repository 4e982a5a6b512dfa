"""The shapes of the answers about hedges. LTVs, rates and moves are fractions, prices USD a share, amounts USD."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from vaultdash.domain.hedge_verdict import AlternativeKind, HoldingRule, SolveStatus
from vaultdash.domain.listed_hedge import PriceBasis
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding


@dataclass(frozen=True, slots=True)
class HedgeLegAnswer:
    """A leg: so many `contracts` bought at the ask or sold at the bid, unless `basis` says otherwise."""

    side: Literal["buy", "sell"]
    right: Right
    strike: float
    expiration: date
    contracts: int
    price: float
    multiplier: int
    basis: PriceBasis
    bid: float | None
    ask: float | None
    volatility: float | None
    open_interest: int | None


@dataclass(frozen=True, slots=True)
class HedgeAnswer:
    """A hedge: `net_cost` with commissions, negative when it brings money; `link` is its text, null without legs."""

    title: str
    legs: tuple[HedgeLegAnswer, ...]
    net_cost: float
    commission_per_contract: float
    premium_funding: PremiumFunding
    link: str | None


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """What was judged: `hypothetical` when the price was given. `withheld` says why nothing is recommended on it."""

    symbol: str
    spot: float
    units: float
    loan_amount: float
    ltv: float
    margin_call_ltv: float
    call_price: float
    counting: HedgeCounting
    hedge_haircut: float
    rate: float
    rate_source: str
    at: datetime
    split_custody: bool
    broker_margin: float
    price_source: str | None
    demo: bool
    hypothetical: bool
    remarks: tuple[str, ...]
    withheld: str | None


@dataclass(frozen=True, slots=True)
class CountingAnswer:
    """A hedge in one counting at expiry; `deepest_fall` is that down to which no call comes, null when called now."""

    counting: HedgeCounting
    worst_ltv: float | None
    worst_price: float
    ltv_at_call: float | None
    deepest_fall: float | None
    keeps: bool


@dataclass(frozen=True, slots=True)
class GreeksAnswer:
    """Of a whole position: delta USD per 1 USD, gamma per USD squared, vega per point, theta per calendar day."""

    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None


@dataclass(frozen=True, slots=True)
class CallSafetyAnswer:
    """What sold calls need while the gold is pledged elsewhere; `refusal` is empty when they may be sold.

    `requirement` now, `after_rally` after a rise by `rally`; `broker_calls_at` where the free money is used up.
    """

    contracts: int
    is_covered: bool
    requirement: float
    rally: float
    after_rally: float
    broker_margin: float
    broker_calls_at: float | None
    refusal: str


@dataclass(frozen=True, slots=True)
class MeasureAnswer:
    """Every figure by which hedges are compared; `_pct` are fractions of the gold's value now.

    `floor_pct` is the least that gold and hedge are worth over the range, cost taken off; `upside_kept` the share of
    a rise to its upper end. `widest_spread` is a fraction of mid.
    """

    price_range: tuple[float, ...]
    net_cost: float
    cost_pct: float
    years: float | None
    cost_per_year: float | None
    cost_per_year_pct: float | None
    countings: tuple[CountingAnswer, ...]
    floor_pct: float
    floor_price: float
    upside_kept: float
    breakevens: tuple[float, ...]
    hedge_greeks: GreeksAnswer
    total_greeks: GreeksAnswer
    widest_spread: float | None
    least_open_interest: int | None
    calls: CallSafetyAnswer | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltAnswer(HedgeAnswer):
    """A hedge that was built: what its sold calls need (null when it sells none), and what is doubtful.

    `withheld` says why nothing is recommended on these quotes.
    """

    calls: CallSafetyAnswer | None
    remarks: tuple[str, ...]
    withheld: str | None


@dataclass(frozen=True, slots=True)
class BindingAnswer:
    """A price at which the hedge has nothing to spare, at expiry or `on` a day before."""

    price: float
    rule: str
    ltv: float | None
    spare: float
    on: date | None


@dataclass(frozen=True, slots=True)
class NeighbourAnswer:
    """A cheaper hedge one contract away, and what breaks."""

    change: str
    net_cost: float
    reason: str
    price: float | None
    ltv: float | None


@dataclass(frozen=True, slots=True)
class NearestAnswer:
    """What would have to be asked for instead; one of them alone is enough."""

    max_hedged_ltv: float | None
    loan_amount: float | None
    repay: float | None
    budget: float | None
    words: str


@dataclass(frozen=True, slots=True)
class RejectedAnswer:
    """A contract that is not used, and why."""

    right: Right
    strike: float
    expiration: date
    reason: str


@dataclass(frozen=True, slots=True)
class CheapestAnswer:
    """The cheapest hedge with its certificate, checked again outside the solver.

    `lp_bound` is what fractions of contracts would cost, `gap` the price of whole ones. `binding_prices` are the
    prices at which nothing is to spare. Infeasible is an answer: `reason` says why, `nearest` what could be kept.
    `timeout` gives the best hedge found by then, if there is one. `source` and `at` are those of the chain; null
    where contracts were given. `withheld` says why nothing should be bought on these figures.
    """

    status: SolveStatus
    reason: str
    net_cost: float | None
    lp_bound: float | None
    legs: tuple[HedgeLegAnswer, ...]
    worst_hedged_ltv: float | None
    binding_prices: tuple[float, ...]
    rejected: tuple[RejectedAnswer, ...]
    title: str | None
    gap: float | None
    worst_price: float | None
    binding: tuple[BindingAnswer, ...]
    neighbours: tuple[NeighbourAnswer, ...]
    nearest: NearestAnswer | None
    checked: int
    why: tuple[str, ...]
    remarks: tuple[str, ...]
    rejected_counts: dict[str, int]
    measure: MeasureAnswer | None
    link: str | None
    source: str | None
    at: datetime | None
    withheld: str | None
    seconds: float
    case: CaseAnswer


@dataclass(frozen=True, slots=True)
class ExpiryCurvesAnswer:
    """Over prices, all lists of one length: payoff of the hedge at expiry, its gain after cost, and LTVs.

    `credited`, `after_payment` and `ignored` are hedged LTVs in each counting; null where nothing is left to lend on.
    """

    prices: tuple[float, ...]
    payoff: tuple[float, ...]
    gain: tuple[float, ...]
    unhedged_ltv: tuple[float, ...]
    credited: tuple[float, ...]
    after_payment: tuple[float, ...]
    ignored: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EvaluateAnswer:
    """A hedge measured, with its curves at expiry."""

    hedge: HedgeAnswer
    measure: MeasureAnswer
    curves: ExpiryCurvesAnswer
    case: CaseAnswer


@dataclass(frozen=True, slots=True)
class PathOddsAnswer:
    """Shares of paths, with standard errors: `called` at least once, `uncured` the verdict, `sold` by the lender."""

    model: str
    called: float
    called_error: float
    uncured: float
    uncured_error: float
    sold: float
    sold_error: float
    mean_repaid: float
    basis: str


@dataclass(frozen=True, slots=True)
class PathDifferenceAnswer:
    """Uncured of this hedge less that of the first, on the same paths."""

    model: str
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class PathVerdictAnswer:
    """One hedge over the term by model; `lowest` and `highest` are of `uncured` over the models."""

    title: str
    lowest: float
    highest: float
    odds: tuple[PathOddsAnswer, ...]
    against_first: tuple[PathDifferenceAnswer, ...]


@dataclass(frozen=True, slots=True)
class PathVerdictsAnswer:
    """Verdicts in the order asked for, and last that of no hedge; differences are to the first."""

    verdicts: tuple[PathVerdictAnswer, ...]
    months: int
    rule: HoldingRule
    settlement_days: int
    target_ltv: float
    volatility: float
    paths: int
    seed: int
    engine: str
    remarks: tuple[str, ...]
    case: CaseAnswer


@dataclass(frozen=True, slots=True)
class ListedOptionAnswer:
    """A contract that a hedge may be made of."""

    right: Right
    strike: float
    expiration: date
    bid: float | None
    ask: float | None
    multiplier: int
    volatility: float | None
    open_interest: int | None
    volume: int | None


@dataclass(frozen=True, slots=True)
class HedgeMarketAnswer:
    """The contracts at or after a horizon: `contracts` can be used, `rejected` cannot, and `counts` says why.

    `expirations` are all that are listed; `at` is when the oldest of these quotes was made.
    """

    symbol: str
    spot: float
    at: datetime
    source: str
    stale: bool
    demo: bool
    expirations: tuple[date, ...]
    contracts: tuple[ListedOptionAnswer, ...]
    rejected: tuple[RejectedAnswer, ...]
    counts: dict[str, int]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrontierPointAnswer:
    """A candidate: what it costs a year and how deep a fall it keeps; `dominated_by` is the place of a better one.

    `alternative` is what is no option; `capital` is money or gold put in.
    """

    title: str
    alternative: AlternativeKind | None
    legs: tuple[HedgeLegAnswer, ...]
    link: str | None
    net_cost: float
    cost_per_year: float
    cost_per_year_pct: float
    deepest_fall: float | None
    worst_ltv: float | None
    upside_kept: float
    capital: float
    dominated_by: int | None
    note: str


@dataclass(frozen=True, slots=True)
class FrontierAnswer:
    """Every candidate in one counting; `best` is the place of the cheapest that keeps every call away."""

    counting: HedgeCounting
    price_range: tuple[float, ...]
    points: tuple[FrontierPointAnswer, ...]
    best: int | None
    remarks: tuple[str, ...]
    source: str
    at: datetime
    case: CaseAnswer
