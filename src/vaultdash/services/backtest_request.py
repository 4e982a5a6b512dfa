"""What the owner asks a backtest for, as the commands, the API and the page write it, and what is answered."""

from dataclasses import dataclass, field
from datetime import date

from vaultdash.backtest.result import Comparison
from vaultdash.backtest.scenario import Costs, Listing, Smile, Source, TradeAt, VolatilityLevel
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.selloff_events import Event

USUAL_UNITS = 10_000.0
USUAL_LTV = 0.60
FAN_MONTHS = (0, 1, 3, 6, 9)


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """Templates on an event, or on days. Fractions are fractions; amounts USD of the time; None takes the default.

    `event` gives start and end; `start` and `end` replace it. Collateral: `units` GLD shares, or `start_value` USD at
    the start's close; without either 10,000 shares. Loan: `loan` USD or `ltv` at the start's close; without either an
    LTV of 0.60. `interest` is simple a year, act/360; `capitalised` adds it to the loan, else it is paid in cash.
    `fan` lists months before the start at which the hedge was bought, each a run of its own beside the first.
    Without `templates` every one is replayed, those of the house and the owner's own.
    """

    templates: tuple[str, ...] = ()
    event: str | None = None
    start: date | None = None
    end: date | None = None
    units: float | None = None
    start_value: float | None = None
    loan: float | None = None
    ltv: float | None = None
    warning_ltv: float | None = None
    call_ltv: float = 0.75
    close_out_ltv: float | None = None
    cure_days: int = 2
    counting: HedgeCounting = HedgeCounting.CREDITED
    hedge_haircut: float = 0.0
    interest: float = 0.0
    capitalised: bool = False
    target_ltv: float | None = None
    spare_cash: float = 0.0
    source: Source = Source.MODELLED
    exercise: Exercise = Exercise.AMERICAN
    level: VolatilityLevel = VolatilityLevel.AUTO
    trade_at: TradeAt = TradeAt.NEXT_CLOSE
    costs: Costs = field(default_factory=Costs)
    smile: Smile = field(default_factory=Smile)
    listing: Listing = field(default_factory=Listing)
    fan: tuple[int, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with all it names: each template in the version that was used, and the event with its days then.

    `unsure` is what could not be looked up, such as the owner's own templates without their database.
    """

    request: BacktestRequest
    templates: tuple[HedgeTemplate, ...]
    event: Event | None
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FanEntry:
    """The same scenario with the hedge bought `months` before its start; `missing` says why there is none."""

    months: int
    comparison: Comparison | None
    missing: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BacktestReport:
    """What a request came to. `sentence` stands on top of every face: how many survived, and the cheapest of them."""

    request: BacktestRequest
    event: Event | None
    comparison: Comparison
    fan: tuple[FanEntry, ...]
    sentence: str
