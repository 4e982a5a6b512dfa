"""The shapes of what is asked of sweeps and answered; fields of templates and terms are named by their paths."""

from dataclasses import dataclass
from datetime import datetime

from vaultdash.api.backtest_schemas import TemplateUsed
from vaultdash.api.portfolio_schemas import EXACT, Day, Whole
from vaultdash.domain.record import RunKind, RunState

One = float | int | str | bool | None
Given = float | int | str | bool | None | list[One] | dict[str, float]


@dataclass(frozen=True, slots=True)
class SpanEntry:
    """Days of your own."""

    __pydantic_config__ = EXACT

    start: Day
    end: Day


@dataclass(frozen=True, slots=True)
class SweepEntry:
    """A grid: templates with what is varied in them, on events or days, under terms.

    `vary` has paths of a template, such as `legs[0].strike.value`, `terms` those of a backtest, such as `ltv`; each
    has one value, a list, or {"from", "to", "step"}. `rolling` has from, to, months, every_months. `entries`: months
    before the start at which the hedge was bought. Without `templates` all are meant.
    """

    __pydantic_config__ = EXACT

    name: str | None = None
    templates: list[str] | None = None
    vary: dict[str, Given] | None = None
    events: list[str] | None = None
    spans: list[SpanEntry] | None = None
    rolling: dict[str, str | int] | None = None
    entries: list[Whole] | None = None
    terms: dict[str, Given] | None = None


@dataclass(frozen=True, slots=True)
class SweptAnswer:
    """A hedge over all scenarios: how many of those it `ran` on passed without a call, in how many the lender sold.

    `cost` is the mean of what the options cost, net, and `gain` of the final equity above that without a hedge, both
    fractions of the gold's value at the start. null is what is not a number.
    """

    hedge: str
    template: str
    varied: dict[str, One]
    ran: int
    survived: int
    liquidated: int
    worst_ltv: float | None
    cost: float | None
    gain: float | None


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """What came of it in short: the best hedges first, and the path without one wherever it stands."""

    runs: int
    failed: int
    hedges: int
    scenarios: int
    sentence: str
    best: tuple[SweptAnswer, ...]
    unhedged: SweptAnswer | None
    source: str
    demo: bool


@dataclass(frozen=True, slots=True)
class SweepRunAnswer:
    """A sweep as it stands: `progress` is a fraction, `problem` says why it failed."""

    id: str
    kind: RunKind
    name: str
    state: RunState
    progress: float
    created_at: datetime
    finished_at: datetime | None
    problem: str | None
    summary: SweepSummary | None


@dataclass(frozen=True, slots=True)
class SweepsAnswer:
    """Sweeps, newest first."""

    as_of: datetime
    sweeps: tuple[SweepRunAnswer, ...]


@dataclass(frozen=True, slots=True)
class SweepAnswer:
    """A sweep with its grid and the templates it used; `run.summary` has the best hedges once it is done.

    `results` is where the whole table is, null until then.
    """

    run: SweepRunAnswer
    grid: SweepEntry
    templates: tuple[TemplateUsed, ...]
    results: str | None
