"""What is written down: LTV over time, and every change of a portfolio."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vaultdash.domain.portfolio import Portfolio


class RecordKind(StrEnum):
    """Why an LTV was written down."""

    HOURLY = "hourly"
    CROSSING = "crossing"


@dataclass(frozen=True, slots=True)
class LtvRecord:
    """A portfolio's LTV at a moment, with its limits then. LTVs are fractions, money USD, price USD a share.

    `ltv` counts no option; `lender_ltv` is as the lender counts. `market_open` says whether New York traded;
    `is_fresh` is false when the price was stale.
    """

    portfolio_id: str
    at: datetime
    kind: RecordKind
    price: float
    quote_at: datetime
    source: str
    is_fresh: bool
    is_demo: bool
    market_open: bool
    loan_amount: float
    gold_value: float
    hedge_value: float
    ltv: float
    lender_ltv: float
    ltv_after_payment: float
    ltv_credited: float
    warning_ltv: float
    margin_call_ltv: float
    close_out_ltv: float


@dataclass(frozen=True, slots=True)
class StoredPortfolio:
    """A portfolio as it is kept; `version` rises by one with each change."""

    portfolio: Portfolio
    version: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PortfolioChange:
    """One line of the audit trail. `before` is None when it was made, `after` None when it was removed.

    `what` says in words what changed, `actor` by which way (page, api, cli, start). `undoes` is the id of the change
    that this one took back.
    """

    id: int
    portfolio_id: str
    at: datetime
    actor: str
    what: str
    before: Portfolio | None
    after: Portfolio | None
    undoes: int | None = None


class RunKind(StrEnum):
    """What was asked for: a backtest on days, the report of an event, or a sweep over a grid."""

    BACKTEST = "backtest"
    EVENT = "event"
    SWEEP = "sweep"


class RunState(StrEnum):
    """Where a piece of long work stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A backtest that was asked for. `request`, `summary` are JSON; the whole result is kept beside it.

    `request` holds all that is needed to run it again, the templates in the version used included. `progress` is a
    fraction; `problem` says why it failed.
    """

    id: str
    kind: RunKind
    name: str
    state: RunState
    created_at: datetime
    request: str
    progress: float = 0.0
    finished_at: datetime | None = None
    summary: str | None = None
    problem: str | None = None
