"""What is said of a hedge of listed contracts: its measure, the certificate of the cheapest, what paths came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, Rejected
from vaultdash.domain.loan import HedgeCounting


class SolveStatus(StrEnum):
    """How a search ended; `timeout` gives the best hedge found so far, if one was."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class BindingPrice:
    """A price, USD a share, at which a hedge has nothing to spare, on a day (None at expiry).

    `rule` is `ltv` (the highest LTV asked for) or `max_loss`; `ltv` is the hedged one there; `spare` how much
    could be lost there before the rule breaks, USD.
    """

    price: float
    rule: str
    ltv: float
    spare: float
    on: date | None = None


@dataclass(frozen=True, slots=True)
class CheaperNeighbour:
    """A change of one contract that would cost less, and what breaks: at which price, and by how much, in words."""

    change: str
    net_cost: float
    reason: str
    price: float | None = None
    ltv: float | None = None


@dataclass(frozen=True, slots=True)
class NearestRequest:
    """What would have to be asked for instead; one of them alone is enough. None is no help.

    `max_hedged_ltv` the lowest that these contracts can keep, `loan_amount` the largest loan that can be kept at the
    LTV asked for, `repay` what that means to repay, `budget` the cheapest that keeps everything else, USD.
    """

    max_hedged_ltv: float | None = None
    loan_amount: float | None = None
    repay: float | None = None
    budget: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class CheapestHedge:
    """The answer of the search for the cheapest hedge, re-checked outside the solver.

    `net_cost` USD with commissions, negative when it brings money; `lp_bound` what fractions of contracts would cost,
    below which nothing can be; `gap` the difference: the price of whole contracts. `worst_hedged_ltv` is the highest
    hedged LTV over the price range, at `worst_price`. `neighbours` are cheaper hedges one contract away, and why each
    fails. `checked` counts the prices at which everything was evaluated again.
    """

    status: SolveStatus
    reason: str
    hedge: ListedHedge | None = None
    net_cost: float | None = None
    lp_bound: float | None = None
    gap: float | None = None
    worst_hedged_ltv: float | None = None
    worst_price: float | None = None
    binding: tuple[BindingPrice, ...] = ()
    neighbours: tuple[CheaperNeighbour, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    nearest: NearestRequest | None = None
    checked: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountedProtection:
    """A hedge in one counting, by expiry payoff over the price range.

    `deepest_fall` is the fall of the price, a fraction, down to which no call comes at any price on the way: None
    when the loan is called now; the end of the range when no price in it is a call (`keeps`).
    """

    counting: HedgeCounting
    worst_ltv: float
    worst_price: float
    ltv_at_call: float
    deepest_fall: float | None
    keeps: bool


@dataclass(frozen=True, slots=True)
class Greeks:
    """Of a whole position, in trading units; None is not known.

    Delta in USD per 1 USD of the share, gamma per USD^2, vega per volatility point, theta per calendar day.
    """

    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None


@dataclass(frozen=True, slots=True)
class CallSafety:
    """What the sold calls of a hedge need while the gold is pledged elsewhere; amounts USD, prices USD a share.

    `requirement` now; `after_rally` when the share has risen by `rally`; `broker_calls_at` the price at which the
    broker's free money is used up (None without one: it is too little now); `refusal` why it is refused, "" when not.
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
class ListedMeasure:
    """Every figure by which hedges of listed contracts are compared; `_pct` are fractions of the gold's value.

    `years` to the first expiration. `floor_pct` is the least that gold and hedge are worth over the range, its cost
    taken off, `upside_kept` the share kept of a rise of the price to the upper end of it; both by expiry payoff.
    `breakevens` are prices at which the hedge has paid for itself. `widest_spread` is of mid.
    """

    case: HedgeCase
    hedge: ListedHedge
    price_range: tuple[float, float]
    net_cost: float
    cost_pct: float
    years: float | None
    cost_per_year: float | None
    cost_per_year_pct: float | None
    countings: Mapping[HedgeCounting, CountedProtection]
    floor_pct: float
    floor_price: float
    upside_kept: float
    breakevens: tuple[float, ...]
    hedge_greeks: Greeks
    total_greeks: Greeks
    widest_spread: float | None
    least_open_interest: int | None
    calls: CallSafety | None
    remarks: tuple[str, ...] = ()

    @property
    def as_counted(self) -> CountedProtection:
        """In the counting of the loan's own lender."""
        return self.countings[self.case.loan.hedge_counting]


class HoldingRule(StrEnum):
    """`sell`: at a call the puts are sold and repay the loan; `hold`: nothing is sold before it expires."""

    SELL = "sell"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class PathOdds:
    """One hedge under one model: the share of paths by the end of the term, with standard errors.

    `called` had at least one call; `uncured` a call that the hedge itself did not cure in time: the verdict; `sold`
    reached the close-out level before a cure. `mean_repaid` is what sold and exercised options repaid, USD a path.
    """

    model: str
    called: float
    called_error: float
    uncured: float
    uncured_error: float
    sold: float
    sold_error: float
    mean_repaid: float
    basis: str = ""


@dataclass(frozen=True, slots=True)
class PathDifference:
    """Uncured of one hedge less that of the first, on the same paths, with its standard error."""

    model: str
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """One hedge over the term, by model, and against the first hedge that was asked about with it."""

    title: str
    odds: tuple[PathOdds, ...]
    against_first: tuple[PathDifference, ...] = ()

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest probability over the models that a call is not cured."""
        found = [each.uncured for each in self.odds]
        return min(found), max(found)


@dataclass(frozen=True, slots=True)
class PathVerdicts:
    """Several hedges on the same random paths; `months` of 21 trading days.

    `settlement_days` are trading days from the close of a call until what is sold for it has repaid.
    """

    verdicts: tuple[PathVerdict, ...]
    months: int
    rule: HoldingRule
    settlement_days: int
    target_ltv: float
    paths: int
    seed: int
    engine: str
    remarks: tuple[str, ...] = ()


class AlternativeKind(StrEnum):
    """What is no option."""

    NOTHING = "nothing"
    REPAY = "repay"
    ADD_GOLD = "add_gold"
    SELL_GOLD = "sell_gold"


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """A candidate: cost a year and protection. `deepest_fall` is kept in the counting asked for, a fraction.

    `capital` is money or gold's worth put in, USD; `cost_per_year` what it costs a year, USD, negative when it saves
    interest. `dominated_by` is the place of a candidate that costs no more and protects no less; None on the
    frontier.
    """

    title: str
    hedge: ListedHedge | None
    alternative: AlternativeKind | None
    net_cost: float
    cost_per_year: float
    cost_per_year_pct: float
    deepest_fall: float | None
    worst_ltv: float
    upside_kept: float
    capital: float = 0.0
    dominated_by: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Frontier:
    """Every candidate in one counting; `best` is the place of the cheapest that keeps every call away."""

    counting: HedgeCounting
    price_range: tuple[float, float]
    points: tuple[FrontierPoint, ...]
    best: int | None
    remarks: tuple[str, ...] = ()
