"""The answers about risk. Probabilities, LTVs, rates and `_pct` are fractions; times are UTC. Money is USD, but what
ends in `_in_loan_currency`; `exchange_rate` is null for a loan in USD.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from vaultdash.api.schemas import QuoteAnswer, RateAnswer
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Cure, Zone
from vaultdash.risk.replay import Outcome
from vaultdash.services.odds_volatility import VolatilityKind


@dataclass(frozen=True, slots=True)
class CallParameters:
    """What the closed form was asked with; `volatility` per sqrt(year), `drift` and `loan_rate` continuous a year."""

    spot: float
    call_price: float
    years: float
    volatility: float
    drift: float
    loan_rate: float
    monitoring: Literal["continuous", "daily"]


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """Lowest and highest over the models and drifts that were looked at."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HorizonAnswer:
    """The closed form at a horizon with its range."""

    months: int
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """Years until half and a tenth of all courses have led to a call, null when fewer ever do.

    `ever` is the chance of a call at all, `expected_years` the mean time of those within `within_years`.
    """

    median_years: float | None
    tenth_years: float | None
    ever: float
    within_years: float
    expected_years: float | None


@dataclass(frozen=True, slots=True)
class DistanceAnswer:
    """How far the call is: `drop_pct` of the price, and in standard deviations; negative once called."""

    drop_pct: float
    daily_sigmas: float
    monthly_sigmas: float
    yearly_sigmas: float


@dataclass(frozen=True, slots=True)
class ModelHorizon:
    """A model at a horizon; the standard error of a simulation, null for a closed form."""

    months: int
    probability: float
    standard_error: float | None


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """One model at one drift. A simulation says the price it was made for, its seed and number of paths."""

    model: str
    drift_name: str
    drift: float
    horizons: tuple[ModelHorizon, ...]
    price: float | None
    at: datetime | None
    seed: int | None
    paths: int | None


@dataclass(frozen=True, slots=True)
class VolatilityAnswer:
    """A volatility of gold in the loan's currency that could be used, a year ahead, and the closed form's probability
    with it over a year.
    """

    kind: VolatilityKind
    name: str
    volatility: float
    probability: float
    source: str
    at: datetime | None
    stale: bool
    demo: bool
    used: bool


@dataclass(frozen=True, slots=True)
class LowerAnswer:
    """The LTV at which a call within `months` has the wanted probability at a drift, and the ways to come there."""

    wanted: float
    months: int
    drift_name: str
    drift: float
    ltv: float
    loan: float
    repay_cash: float
    add_gold: float | None
    sell_gold: float | None
    loan_in_loan_currency: float
    repay_cash_in_loan_currency: float


@dataclass(frozen=True, slots=True)
class CallProbabilityAnswer:
    """How likely a margin call is.

    `probability` is the closed form of `parameters`, `range` what drifts and simulated models make of it. `assumed`
    says of each parameter that was not given where it comes from. What follows the quote is null or empty when
    numbers were given; `models` holds simulations once they have been computed for this price.
    """

    probability: float
    range: RangeAnswer
    horizons: tuple[HorizonAnswer, ...]
    parameters: CallParameters
    assumed: dict[str, str]
    time_to_call: TimeAnswer
    distance: DistanceAnswer | None
    gap_risk: float
    as_of: datetime
    quote: QuoteAnswer | None
    portfolio_id: str | None
    models: tuple[ModelAnswer, ...]
    volatilities: tuple[VolatilityAnswer, ...]
    lower: tuple[LowerAnswer, ...]
    loan_currency: str | None
    exchange_rate: RateAnswer | None


@dataclass(frozen=True, slots=True)
class CureAnswer:
    """Three ways, each alone enough; `sell_gold` is null where no sale is."""

    repay_cash: float
    add_gold: float
    sell_gold: float | None
    repay_cash_in_loan_currency: float

    @classmethod
    def of(cls, ways: Cure, rate: ExchangeRate) -> "CureAnswer":
        """What is without limit is null."""
        sale = ways.sell_gold if ways.sell_gold < 1e300 else None
        return cls(ways.repay_cash, ways.add_gold, sale, rate.own(ways.repay_cash))


@dataclass(frozen=True, slots=True)
class StressRowAnswer:
    """A fall: LTVs as the lender counts and in each counting, volatility unchanged and as in a crash.

    An LTV is null where sold options have eaten the collateral. The cure leads back to the warning level.
    """

    price_change_pct: float
    price: float
    gold_value: float
    option_value: float
    option_value_in_crash: float
    lender_ltv: float | None
    ltv: dict[HedgeCounting, float | None]
    ltv_in_crash: dict[HedgeCounting, float | None]
    zone: Zone
    called: bool
    cure: CureAnswer


@dataclass(frozen=True, slots=True)
class LenderShockAnswer:
    """Harsher terms at the price now."""

    name: str
    told: str
    warning_ltv: float
    margin_call_ltv: float
    close_out_ltv: float
    ltv: float | None
    drop_to_margin_call: float
    zone: Zone
    called: bool
    cure: CureAnswer


@dataclass(frozen=True, slots=True)
class StressAnswer:
    """The current loan under falls of gold in USD, at the exchange rate of now, and under harsher terms."""

    portfolio_id: str
    as_of: datetime
    quote: QuoteAnswer
    ltv: float | None
    hedge_counting: HedgeCounting
    rows: tuple[StressRowAnswer, ...]
    lender_shocks: tuple[LenderShockAnswer, ...]
    loan_currency: str
    exchange_rate: RateAnswer | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarginCallAnswer:
    """A call in a replay: at a close, nothing done since the start. `to_warning` and `to_target` cure it that day."""

    on: date
    price: float
    ltv: float
    drop_pct: float
    owed: float
    deadline: date
    ltv_at_deadline: float | None
    owed_in_loan_currency: float
    to_warning: CureAnswer
    to_target: CureAnswer


@dataclass(frozen=True, slots=True)
class SelloffAnswer:
    """A fall replayed. `call` is the first of `calls`; `sale_possible_on` the first day a lender could sell.

    `worst_ltv` is of closes, `worst_ltv_intraday` of lows. `missing` says why there is no replay.
    """

    id: str
    name: str
    told: str
    start: date
    end: date
    depth_pct: float | None
    among_ten_deepest: bool
    outcome: Outcome | None
    called: bool | None
    call: MarginCallAnswer | None
    called_intraday_on: date | None
    close_out_on: date | None
    closed_out_intraday_on: date | None
    calls: int | None
    sale_possible_on: date | None
    close_out_within_cure: bool | None
    worst_ltv: float | None
    worst_on: date | None
    worst_ltv_intraday: float | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class SelloffsAnswer:
    """Past falls on today's loan, or with `ltv` on a loan drawn at each start; with `demo` prices are invented.

    For a loan in another currency than USD prices are those of gold in it by the rate of each day, in USD at the rate
    of now, where such rates are stored; `remarks` say so, or that the rate is held.
    """

    symbol: str
    source: str
    demo: bool
    first: date
    last: date
    as_of: datetime
    price: float
    start_ltv: float
    todays_loan: bool
    warning_ltv: float
    margin_call_ltv: float
    close_out_ltv: float
    cure_days: int
    loan_currency: str
    exchange_rate: RateAnswer | None
    selloffs: tuple[SelloffAnswer, ...]
    remarks: tuple[str, ...]
