"""What came of a replay: day by day, trade by trade, call by call, and in sum."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.base import FloatArray


class Reason(StrEnum):
    """Why a trade was made."""

    ENTRY = "entry"
    ROLL = "roll"
    RATCHET = "ratchet"
    MONETISE_DELTA = "monetise_delta"
    MONETISE_LTV = "monetise_ltv"
    CURE = "cure"
    EXPIRY = "expiry"
    LIQUIDATION = "liquidation"


class Ending(StrEnum):
    """How a loan came through, from the mildest, as its lender counts: by closes.

    `no_call`; then by what cured the calls: `cured_by_itself` (gold rose again), `cured_by_hedge` (options sold),
    `cured_with_cash`, `cured_with_gold` (some of it sold); `open` when the last call was still within its deadline at
    the end; `liquidated` when the lender sold.
    """

    NO_CALL = "no_call"
    CURED_BY_ITSELF = "cured_by_itself"
    CURED_BY_HEDGE = "cured_by_hedge"
    CURED_WITH_CASH = "cured_with_cash"
    CURED_WITH_GOLD = "cured_with_gold"
    OPEN = "open"
    LIQUIDATED = "liquidated"


@dataclass(frozen=True, slots=True)
class Trade:
    """One line of options traded or settled. `contracts` signed, `price` and `mid` USD a share, `cash` what the
    borrower gets for it (negative: pays), commission included; `leg` its place in the template."""

    on: date
    reason: Reason
    leg: int
    right: Right
    strike: float
    expiration: date
    contracts: int
    price: float
    mid: float
    commission: float
    cash: float


@dataclass(frozen=True, slots=True)
class MarginCall:
    """A call, and what became of it. Amounts USD; `units_sold` GLD shares; `ended_on` None while it was open at the
    end of the run."""

    called_on: date
    price: float
    ltv: float
    deadline: date | None
    ended_on: date | None
    ending: Ending
    from_hedge: float
    from_cash: float
    from_gold: float
    units_sold: float


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One value a day at its close, after the trades of the day; NaN where there is none, such as LTV before a loan.

    `loan` is what is owed with interest that was added. `hedge_value` Pi at mid. `equity` = gold + Pi + cash - owed -
    interest due and not yet paid. `lender_ltv` counts as the scenario's lender does; `low_ltv` the same at the day's
    low, NaN where no low is known or where it cannot be a breach.
    """

    days: tuple[date, ...]
    price: FloatArray
    units: FloatArray
    gold_value: FloatArray
    loan: FloatArray
    hedge_value: FloatArray
    cash: FloatArray
    equity: FloatArray
    lender_ltv: FloatArray
    ltv_ignored: FloatArray
    ltv_after_payment: FloatArray
    ltv_credited: FloatArray
    low_ltv: FloatArray


@dataclass(frozen=True, slots=True)
class Summary:
    """The run in figures. `counting` is how the lender counted. Amounts USD, LTVs fractions.

    `survived`: no close at the margin-call LTV or above, as counted. `max_ltv`, `days_in_breach` and `least_headroom`
    (m V + h Pi - L, USD) are of closes. `hedge_cost_paid` is what options cost when bought, `hedge_recovered` what
    they brought when sold or at expiry, both with commission; `hedge_value_end` what the remaining ones would bring
    at the bid; net = paid - recovered - value at the end. `entry_cost` is what the first purchase cost, net of what
    its sold options brought; `cost_per_year` is NaN for a run under 90 days. `breaches` says when, if ever, each way
    of counting would first have been a breach on this path.
    """

    counting: HedgeCounting
    survived: bool
    ending: Ending
    first_breach_date: date | None
    first_intraday_breach_date: date | None
    days_in_breach: int
    max_ltv: float
    max_ltv_on: date
    max_ltv_ignored: float
    max_ltv_after_payment: float
    max_ltv_credited: float
    least_headroom: float
    hedge_cost_paid: float
    hedge_recovered: float
    hedge_value_end: float
    hedge_cost_net: float
    entry_cost: float
    cost_per_year: float
    trades: int
    rolls: int
    calls: int
    interest: float
    repaid_from_hedge: float
    units_end: float
    loan_end: float
    final_equity: float
    breaches: dict[HedgeCounting, date | None]
    missing_days: int = 0
    thin_quotes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class BacktestRun:
    """A template on a scenario. `remarks` say what was assumed, missing or done in another way than asked."""

    template: HedgeTemplate
    series: Series
    trades: tuple[Trade, ...]
    calls: tuple[MarginCall, ...]
    summary: Summary
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Templates on one scenario, in the order asked for, beside the path without a hedge.

    `repaid` holds for each run the one in which the same money, on the same days, repaid the loan instead; None where
    nothing was paid. `ranking` lists template ids from the best: survived first, then max LTV, net cost, final
    equity; where the lender ignores options, how the calls ended before the max LTV. `source` says where prices of
    gold and options come from.
    """

    scenario: Scenario
    runs: tuple[BacktestRun, ...]
    unhedged: BacktestRun
    repaid: tuple[BacktestRun | None, ...]
    ranking: tuple[str, ...]
    source: str
    is_demo: bool
    remarks: tuple[str, ...]
