"""What came of a sweep: a row a run, and the hedges ranked by how they came through all scenarios."""

import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from vaultdash.backtest.grid import Value
from vaultdash.backtest.result import Ending
from vaultdash.backtest.sweep import COLUMNS, FIGURES, PROBLEM, Cell, Row
from vaultdash.domain.errors import Refused
from vaultdash.files.spreadsheet_csv import spreadsheet_csv
from vaultdash.services.sweep_plan import SweepPlan

SCHEMA = 1
LEVEL = 1  # what more would save is a fifth, for ten times the time
AT_ONCE = 100  # rows: a millisecond or two
AT = {name: place for place, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class SweptHedge:
    """A hedge of the table: template and what was varied, in the order of `vary`; `problem` where it makes none."""

    template: str
    name: str
    values: tuple[Value, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class SweptScenario:
    """A scenario of the table; `terms` in the order of the result's. `gold_value` USD at the start."""

    window: str
    start: date
    end: date
    months: int
    terms: tuple[Value, ...]
    gold_value: float | None


@dataclass(frozen=True, slots=True)
class HedgeStanding:
    """How a hedge came through the scenarios it could be run on.

    `survived` without a call, `liquidated` sold by the lender, both counts. `worst_ltv` the highest close of all.
    `cost` is the mean of what the options cost, net, and `gain` the mean of the final equity above that without a
    hedge, both as fractions of the gold's value at the start.
    """

    hedge: int
    ran: int
    survived: int
    liquidated: int
    worst_ltv: float
    cost: float
    gain: float

    @property
    def rank(self) -> tuple[float, ...]:
        """The best first: who survived most often, was sold least often, stayed lowest, cost least."""
        if self.ran == 0:
            return (2.0,)
        return (1 - self.survived / self.ran, self.liquidated / self.ran, self.worst_ltv, self.cost, self.hedge)


@dataclass(frozen=True, slots=True, eq=False)
class SweepResult:
    """The whole table. Row number `n` is hedge n % len(hedges) on scenario n // len(hedges); hedge 0 is none."""

    vary: tuple[str, ...]
    terms: tuple[str, ...]
    hedges: tuple[SweptHedge, ...]
    scenarios: tuple[SweptScenario, ...]
    rows: tuple[Row, ...]
    source: str
    is_demo: bool

    @property
    def failed(self) -> int:
        """How many runs could not be made."""
        return sum(row[AT[PROBLEM]] is not None for row in self.rows)

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns of `table`."""
        varied = (f"hedge.{path}" for path in self.vary)  # a field of a hedge, a term and a figure may share a name
        terms = (f"terms.{path}" for path in self.terms)
        return ("template", *varied, "event", "start", "end", "entry_months", *terms, *COLUMNS)

    def table(self) -> Iterator[tuple[Cell | date, ...]]:
        """A line a run: hedge, scenario, figures."""
        width = len(self.hedges)
        for number, row in enumerate(self.rows):
            hedge, on = self.hedges[number % width], self.scenarios[number // width]
            yield (hedge.template, *hedge.values, on.window, on.start, on.end, on.months, *on.terms, *row)

    def standings(self) -> tuple[HedgeStanding, ...]:
        """Every hedge that could be run, the best first; that without options, number 0, among them."""
        width = len(self.hedges)
        found = [self._standing(hedge, width) for hedge in range(width)]
        return tuple(sorted((each for each in found if each.ran), key=lambda each: each.rank))

    def hedge_words(self, number: int) -> str:
        """`95 % put: coverage 0.5, roll.ratchet 0.1`."""
        hedge = self.hedges[number]
        varied = [
            f"{path} {value_words(value)}"
            for path, value in zip(self.vary, hedge.values, strict=True)
            if value is not None
        ]
        return hedge.name + (f": {', '.join(varied)}" if varied else "")

    def _standing(self, hedge: int, width: int) -> HedgeStanding:
        ran = survived = liquidated = 0
        worst, cost, gain = 0.0, 0.0, 0.0
        for place, scenario in enumerate(self.scenarios):
            row, bare = self.rows[place * width + hedge], self.rows[place * width]
            if row[AT[PROBLEM]] is not None or bare[AT[PROBLEM]] is not None or not scenario.gold_value:
                continue
            ran += 1
            survived += row[AT["survived"]] is True
            liquidated += row[AT["ending"]] == Ending.LIQUIDATED.value
            worst = max(worst, _number(row, "max_ltv"))
            cost += _number(row, "hedge_cost_net") / scenario.gold_value
            gain += (_number(row, "final_equity") - _number(bare, "final_equity")) / scenario.gold_value
        share = 1 / ran if ran else math.nan
        return HedgeStanding(hedge, ran, survived, liquidated, worst, cost * share, gain * share)


def result_of(plan: SweepPlan, rows: Sequence[Row]) -> SweepResult:
    """The rows of a plan, all of them, with its words."""
    return SweepResult(
        vary=plan.vary,
        terms=plan.terms,
        hedges=tuple(
            SweptHedge(each.template, plan.names.get(each.template, "No hedge"), each.values, each.problem)
            for each in plan.hedges
        ),
        scenarios=tuple(
            SweptScenario(each.window, each.start, each.end, each.months, each.terms, each.gold_value)
            for each in plan.scenarios
        ),
        rows=tuple(rows),
        source=plan.source,
        is_demo=plan.is_demo,
    )


def packed_result(result: SweepResult) -> bytes:
    """The result in bytes: the same bytes for the same result. Floats keep every bit."""
    told = {
        "schema": SCHEMA,
        "vary": result.vary,
        "terms": result.terms,
        "hedges": [[each.template, each.name, each.values, each.problem] for each in result.hedges],
        "scenarios": [
            [each.window, each.start.isoformat(), each.end.isoformat(), each.months, each.terms, each.gold_value]
            for each in result.scenarios
        ],
        "columns": COLUMNS,
        "source": result.source,
        "demo": result.is_demo,
    }
    return zlib.compress(b'%s,"rows":%s}' % (_json(told)[:-1], _rows_json(result.rows)), LEVEL)


def unpacked_result(content: bytes) -> SweepResult:
    """What `packed_result` wrote; raises Refused for what this release cannot read."""
    try:
        told = json.loads(zlib.decompress(content))
        if told["schema"] == SCHEMA and told["columns"] == list(COLUMNS):
            return SweepResult(
                vary=tuple(told["vary"]),
                terms=tuple(told["terms"]),
                hedges=tuple(SweptHedge(slug, name, tuple(given), why) for slug, name, given, why in told["hedges"]),
                scenarios=tuple(_scenario(each) for each in told["scenarios"]),
                rows=tuple(told["rows"]),
                source=told["source"],
                is_demo=told["demo"],
            )
    except (ValueError, TypeError, LookupError, zlib.error) as error:
        raise Refused(f"The stored result of the sweep cannot be read: {error}. Run it again") from error
    raise Refused("The stored result of the sweep is of another release. Run it again")


def sweep_csv(result: SweepResult) -> bytes:
    """The whole table for a spreadsheet."""
    return spreadsheet_csv(result.header, result.table()).encode()


def packed_part(basis: str, first: int, rows: Sequence[Row]) -> bytes:
    """Rows from number `first` on, with the fingerprint of what they were made from."""
    return zlib.compress(b"[%s,%d,%s]" % (_json(basis), first, _rows_json(rows)), LEVEL)


def unpacked_part(basis: str, content: bytes) -> tuple[int, list[Row]] | None:
    """The first number and the rows; None for a part that was emptied, is damaged, or was made from other data."""
    try:
        made_from, first, rows = json.loads(zlib.decompress(content))
    except (ValueError, TypeError, zlib.error):
        return None
    whole = made_from == basis and all(len(row) == len(FIGURES) + 1 for row in rows)
    return (first, rows) if whole else None


def value_words(value: Value) -> str:
    """A value as it is read: 0.95, true, credited."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _scenario(told: list[Any]) -> SweptScenario:
    window, start, end, months, terms, gold_value = told
    return SweptScenario(window, date.fromisoformat(start), date.fromisoformat(end), months, tuple(terms), gold_value)


def _number(row: Row, name: str) -> float:
    value = row[AT[name]]
    return float(value) if isinstance(value, int | float) else math.nan


def _rows_json(rows: Sequence[Row]) -> bytes:
    """The rows in pieces: writing JSON in one go would hold every other thread until its end."""
    pieces = (_json(rows[first : first + AT_ONCE])[1:-1] for first in range(0, len(rows), AT_ONCE))
    return b"[%s]" % b",".join(pieces)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()
