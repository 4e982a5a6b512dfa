"""The shapes of what is asked of backtests and answered. LTVs, rates and shares are fractions; money is USD of the
time; days are trading days.
"""

from dataclasses import dataclass
from datetime import date, datetime

from vaultdash.api.portfolio_schemas import EXACT, Day, Flag, Number, Whole
from vaultdash.backtest.result import Ending
from vaultdash.backtest.scenario import Source, TradeAt, VolatilityLevel
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.record import RunKind, RunState


@dataclass(frozen=True, slots=True)
class CostsEntry:
    """What trading costs; what is left out is as usual. USD a contract, USD, fractions, volatility points."""

    __pydantic_config__ = EXACT

    commission: Number | None = None
    least_half_spread: Number | None = None
    half_spread_of_mid: Number | None = None
    half_spread_vega_points: Number | None = None
    gold_slippage: Number | None = None


@dataclass(frozen=True, slots=True)
class SmileEntry:
    """How volatilities follow from the 30-day level; what is left out is as usual."""

    __pydantic_config__ = EXACT

    at_the_money: Number | None = None
    kappa: Number | None = None
    slope: Number | None = None
    curvature: Number | None = None
    floor: Number | None = None


@dataclass(frozen=True, slots=True)
class ListingEntry:
    """Which strikes there are in the model, USD; what is left out is as usual."""

    __pydantic_config__ = EXACT

    near_step: Number | None = None
    far_step: Number | None = None
    near_months: Number | None = None


@dataclass(frozen=True, slots=True)
class BacktestEntry:
    """What is to be replayed; what is left out, or null, is as usual.

    `event` gives the days, or `start` and `end` do. The collateral is `units` GLD shares, or `start_value` USD at the
    start's close (10,000 shares); the loan `loan` USD, or `ltv` at the start (0.60). Without `templates` all of them
    are replayed; `mine@2` is the second version of one. Interest is 0 unless given, simple a year by act/360. `fan`
    lists months before the start at which the hedge was bought instead.
    """

    __pydantic_config__ = EXACT

    templates: list[str] | None = None
    event: str | None = None
    start: Day | None = None
    end: Day | None = None
    units: Number | None = None
    start_value: Number | None = None
    loan: Number | None = None
    ltv: Number | None = None
    warning_ltv: Number | None = None
    call_ltv: Number | None = None
    close_out_ltv: Number | None = None
    cure_days: Whole | None = None
    counting: HedgeCounting | None = None
    hedge_haircut: Number | None = None
    interest: Number | None = None
    capitalised: Flag | None = None
    target_ltv: Number | None = None
    spare_cash: Number | None = None
    source: Source | None = None
    exercise: Exercise | None = None
    level: VolatilityLevel | None = None
    trade_at: TradeAt | None = None
    costs: CostsEntry | None = None
    smile: SmileEntry | None = None
    listing: ListingEntry | None = None
    fan: list[Whole] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class NameEntry:
    """Another name for a run."""

    __pydantic_config__ = EXACT

    name: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a list shows of a run that is done: `survived` of so many `hedges`; `best` is the first of the ranking."""

    sentence: str
    event: str | None
    event_name: str | None
    start: date
    end: date
    ltv: float
    call_ltv: float
    hedges: int
    survived: int
    unhedged_survived: bool
    unhedged_max_ltv: float | None
    best: str | None
    best_name: str | None
    demo: bool
    source: str


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A run as it stands: `progress` is a fraction, `problem` says why it failed or that it was begun again.

    `summary` is null until it is done; a sweep has results of its own instead.
    """

    id: str
    kind: RunKind
    name: str
    state: RunState
    progress: float
    created_at: datetime
    finished_at: datetime | None
    problem: str | None
    summary: RunSummary | None


@dataclass(frozen=True, slots=True)
class RunsAnswer:
    """Runs, newest first."""

    as_of: datetime
    backtests: tuple[RunAnswer, ...]


@dataclass(frozen=True, slots=True)
class TemplateUsed:
    """A template in the version that was used."""

    id: str
    name: str
    version: int
    description: str


@dataclass(frozen=True, slots=True)
class TermsAnswer:
    """The loan and its terms at the start, and by which rules options were priced and traded."""

    units: float
    start_price: float
    start_value: float
    loan: float
    ltv: float
    warning_ltv: float
    call_ltv: float
    close_out_ltv: float
    target_ltv: float
    cure_days: int
    counting: HedgeCounting
    hedge_haircut: float
    interest: float
    capitalised: bool
    spare_cash: float
    source: Source
    exercise: Exercise
    level: VolatilityLevel
    trade_at: TradeAt
    settlement_days: int
    fallback_rate: float
    costs: dict[str, float]
    smile: dict[str, float]
    listing: dict[str, float]


@dataclass(frozen=True, slots=True)
class BacktestCallAnswer:
    """A margin call and what became of it; `ended_on` is null while it was open at the end."""

    called_on: date
    price: float
    ltv: float | None
    deadline: date | None
    ended_on: date | None
    ending: Ending
    from_hedge: float
    from_cash: float
    from_gold: float
    units_sold: float


@dataclass(frozen=True, slots=True)
class OutcomeAnswer:
    """How a path came through. `survived`: no close at the margin-call LTV or above, as the lender counts.

    `max_ltv` and `first_breach_date` are of closes, the latter null when there was none; `first_intraday_breach_date`
    of the days' lows. `hedge_cost_net` is what was paid, less what was recovered and what the options would bring at
    the end. `breaches` says when each way of counting would first have been a breach. null is what is not a number.
    """

    survived: bool
    ending: Ending
    counting: HedgeCounting
    first_breach_date: date | None
    first_intraday_breach_date: date | None
    days_in_breach: int
    max_ltv: float | None
    max_ltv_date: date
    max_ltv_ignored: float | None
    max_ltv_after_payment: float | None
    max_ltv_credited: float | None
    least_headroom: float | None
    hedge_cost_paid: float
    hedge_recovered: float
    hedge_value_end: float
    hedge_cost_net: float
    hedge_cost_of_gold: float
    entry_cost: float
    cost_per_year: float | None
    trades: int
    rolls: int
    calls: int
    interest: float
    repaid_from_hedge: float
    units_end: float
    loan_end: float
    final_equity: float
    breaches: dict[HedgeCounting, date | None]
    missing_days: int
    thin_quotes: int
    margin_calls: tuple[BacktestCallAnswer, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HedgeOutcomeAnswer(OutcomeAnswer):
    """A template's outcome and its place in the ranking, from 1. `repaid` is what the same money would have done on
    the same days as a repayment; null where nothing was paid.
    """

    template: str
    name: str
    version: int
    rank: int
    repaid: OutcomeAnswer | None


@dataclass(frozen=True, slots=True)
class FanOutcomeAnswer:
    """One template of a fan."""

    template: str
    survived: bool
    ending: Ending
    first_breach_date: date | None
    first_intraday_breach_date: date | None
    max_ltv: float | None
    hedge_cost_net: float
    final_equity: float


@dataclass(frozen=True, slots=True)
class FanAnswer:
    """The hedges bought `months` before the start, on `entry`; `missing` says why there are none."""

    months: int
    entry: date | None
    missing: str | None
    ranking: tuple[str, ...]
    results: tuple[FanOutcomeAnswer, ...]


@dataclass(frozen=True, slots=True)
class ResultAnswer:
    """What came of a request. `event` is null where only days were given; `demo` true on invented prices."""

    event: str | None
    event_name: str | None
    start: date
    end: date
    days: int
    sentence: str
    terms: TermsAnswer
    source: str
    demo: bool
    results: tuple[HedgeOutcomeAnswer, ...]
    unhedged: OutcomeAnswer
    ranking: tuple[str, ...]
    fan: tuple[FanAnswer, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BacktestAnswer:
    """A run with what was asked for, sent back to run it again, the templates it uses, and what came of it."""

    run: RunAnswer
    request: BacktestEntry
    templates: tuple[TemplateUsed, ...]
    result: ResultAnswer | None


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Days of the owner's own that are to be among the events."""

    __pydantic_config__ = EXACT

    name: str
    start: Day
    end: Day
    note: str | None = None


@dataclass(frozen=True, slots=True)
class EventChange:
    """What is to change of one of the owner's own; what is left out, or null, stays."""

    __pydantic_config__ = EXACT

    name: str | None = None
    start: Day | None = None
    end: Day | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class FiguresAnswer:
    """A window in the stored prices, USD a share; `depth` from the first close to the lowest."""

    first_day: date
    last_day: date
    first_close: float
    last_close: float
    lowest_close: float
    lowest_date: date
    lowest_low: float | None
    change: float
    depth: float
    days: int
    source: str
    demo: bool


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """Days that can be replayed. `depth` of a named fall is its source's; `figures` are of the stored prices, and
    `missing` says why there are none; `doubt` that they are not those the fall was measured on.
    """

    id: str
    name: str
    start: date
    end: date
    told: str
    source: str
    depth: float | None
    among_ten_deepest: bool
    own: bool
    figures: FiguresAnswer | None
    missing: str | None
    doubt: str | None


@dataclass(frozen=True, slots=True)
class EventsAnswer:
    """The owner's own events first, then the named falls."""

    as_of: datetime
    events: tuple[EventAnswer, ...]
