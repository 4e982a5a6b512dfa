"""Many hedges on many scenarios: the points in their order, run in pieces, each to its summary alone."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from operator import attrgetter

from vaultdash.backtest.engine import summaries
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import Summary
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.compiled import Engine, kernels_problem

Cell = float | int | str | bool | None
Row = list[Cell]
FIGURES = tuple(
    [field.name for field in dataclasses.fields(Summary) if field.name != "breaches"]
    + [f"first_breach_{counting.value}" for counting in HedgeCounting]
)
_figures = attrgetter(*FIGURES[: -len(HedgeCounting)])
PROBLEM = "problem"
COLUMNS = (*FIGURES, PROBLEM)


class NotCompiled(VaultError):
    """A worker has no compiled code, so that its last digits are not those of the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Every hedge on every scenario. `market_of` says by its place in `markets` which days a scenario is played on.

    A scenario or hedge that is a sentence cannot be run: it says why. Point `number` is hedge number % len(hedges) on
    scenario number // len(hedges). `engine` is the same for all workers, so that all digits are.
    """

    scenarios: tuple[Scenario | str, ...]
    hedges: tuple[HedgeTemplate | str, ...]
    markets: tuple[MarketDays, ...]
    market_of: tuple[int, ...]
    engine: Engine = "kernel"

    def __post_init__(self) -> None:
        if len(self.market_of) != len(self.scenarios):
            raise InvalidInput("market_of", f"must have {len(self.scenarios)} values, one a scenario")

    @property
    def points(self) -> int:
        """How many there are."""
        return len(self.scenarios) * len(self.hedges)


def run_chunk(sweep: Sweep, span: tuple[int, int]) -> list[Row]:
    """The figures (COLUMNS) of the points from the first of `span` up to, and without, the second.

    What cannot be run has its reason in the last column and nothing else. A point's figures do not depend on which
    others are run with it. Raises NotCompiled where the sweep's engine is not to be had.
    """
    first, last = span
    width = len(sweep.hedges)
    rows: list[Row] = []
    while first < last:
        place = first // width
        end = min(last, (place + 1) * width)
        hedges = sweep.hedges[first - place * width : end - place * width]
        rows.extend(_on_scenario(sweep, place, hedges))
        first = end
    if sweep.engine == "kernel" and (problem := kernels_problem()) is not None:
        raise NotCompiled(problem)
    return rows


def figures_of(summary: Summary) -> Row:
    """A summary as plain values: dates as ISO days, what is no number as None."""
    firsts = (_plain(summary.breaches.get(counting)) for counting in HedgeCounting)
    return [*map(_plain, _figures(summary)), *firsts, None]


def _on_scenario(sweep: Sweep, place: int, hedges: Sequence[HedgeTemplate | str]) -> list[Row]:
    scenario = sweep.scenarios[place]
    if isinstance(scenario, str):
        return [_failed(scenario) for _ in hedges]
    market = sweep.markets[sweep.market_of[place]]
    able = [hedge for hedge in hedges if not isinstance(hedge, str)]
    found = iter(_summaries(scenario, able, market, sweep.engine))
    return [_failed(hedge) if isinstance(hedge, str) else next(found) for hedge in hedges]


def _summaries(scenario: Scenario, hedges: list[HedgeTemplate], market: MarketDays, engine: Engine) -> list[Row]:
    """One refusal must not take the others with it: then each is run alone."""
    if not hedges:
        return []
    try:
        return [figures_of(summary) for summary in summaries(scenario, hedges, market, engine)]
    except InvalidInput as error:
        if len(hedges) == 1:
            return [_failed(str(error))]
    return [row for hedge in hedges for row in _summaries(scenario, [hedge], market, engine)]


def _failed(problem: str) -> Row:
    return [*([None] * len(FIGURES)), problem]


def _plain(value: object) -> Cell:
    kind = type(value)  # most are numbers: they are not asked what else they may be
    if kind is float:
        return value if math.isfinite(value) else None  # type: ignore[arg-type,return-value]  # a float
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):  # of an array
        return float(value) if math.isfinite(value) else None
    assert value is None or isinstance(value, bool | int | str)  # Summary has no other kinds
    return value
