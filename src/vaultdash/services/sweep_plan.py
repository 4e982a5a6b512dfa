"""What a grid comes to: every scenario on its days, every hedge, and how both are called in the table."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b

from vaultdash.backtest.grid import (
    Axis,
    Value,
    Variant,
    combinations,
    count_of,
    hedge_count,
    require_few,
    variants,
    with_fields,
)
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.scenario import Scenario, Source, VolatilityLevel
from vaultdash.backtest.sweep import COLUMNS, Sweep
from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_document import document
from vaultdash.services.backtest_market import GOLD, BacktestMarkets
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.backtest_scenario import entry_before, require_volatility, scenario_of
from vaultdash.services.selloff_events import Event, SelloffEvents
from vaultdash.services.sweep_grid import SweepGrid
from vaultdash.services.templates import Templates

MOST_SCENARIOS = 20_000
SCHEMA = 1
Days = dict[tuple[date, date, VolatilityLevel], MarketDays | str]


@dataclass(frozen=True, slots=True)
class SweepAsked:
    """A grid, as JSON, with all it names: each template in the version that was used, each event with its days."""

    grid: str
    templates: tuple[HedgeTemplate, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario by its words. `window` is an event's id or empty; `months` how long before the start the hedge was
    bought; `terms` in the order of the plan's; `gold_value` USD at the start, None where it could not be made."""

    window: str
    start: date
    end: date
    months: int
    terms: tuple[Value, ...]
    gold_value: float | None


@dataclass(frozen=True, slots=True, eq=False)
class SweepPlan:
    """Everything a sweep needs, and the words of its table. `vary` and `terms` are the paths of the axes."""

    sweep: Sweep
    scenarios: tuple[Played, ...]
    hedges: tuple[Variant, ...]
    names: Mapping[str, str]
    vary: tuple[str, ...]
    terms: tuple[str, ...]
    source: str
    is_demo: bool

    @property
    def points(self) -> int:
        """How many runs there are."""
        return self.sweep.points

    def priced_by(self, engine: Engine) -> "SweepPlan":
        """The same with every run priced by that engine."""
        return replace(self, sweep=replace(self.sweep, engine=engine))

    def basis(self, code: str) -> str:
        """A fingerprint of all that the figures depend on: hedges, scenarios, every price, and the code."""
        digest = blake2b(f"{code}|{COLUMNS}|{self.sweep.engine}".encode(), digest_size=16)
        for hedge in self.sweep.hedges:
            digest.update((hedge if isinstance(hedge, str) else document(hedge, SCHEMA)).encode())
        for scenario in self.sweep.scenarios:
            digest.update((scenario if isinstance(scenario, str) else document(scenario, SCHEMA)).encode())
        digest.update(repr(self.sweep.market_of).encode())
        for market in self.sweep.markets:
            digest.update(repr((market.symbol, market.days, market.listed)).encode())
            for name in ("closes", "lows", "levels", "long_run", "rates"):
                digest.update(getattr(market, name).tobytes())
        return digest.hexdigest()


class SweepPlanner:
    """Looks up what a grid names, and builds its scenarios on the stored prices."""

    def __init__(self, markets: BacktestMarkets, templates: Templates, events: SelloffEvents) -> None:
        self._markets = markets
        self._templates = templates
        self._events = events

    async def asked(self, grid: SweepGrid) -> SweepAsked:
        """The grid with what it names; raises InvalidInput for what is unknown."""
        try:
            named = [await self._templates.named(slug) for slug in grid.templates]
        except NotFound as unknown:
            raise InvalidInput("templates", f"are not all known. {unknown}") from None
        try:
            events = [await self._events.get(slug) for slug in grid.events]
        except NotFound as unknown:
            raise InvalidInput("events", f"are not all known. {unknown}") from None
        return SweepAsked(grid.written, tuple(named) or await self._templates.all(), tuple(events))

    async def plan(self, grid: SweepGrid, asked: SweepAsked) -> SweepPlan:
        """All scenarios and hedges; raises InvalidInput when there are too many, or none that can be run."""
        windows = [(event.id, event.start, event.end) for event in asked.events]
        windows += [("", span.start, span.end) for span in grid.spans]
        scenarios = len(windows) * len(grid.entries) * count_of(grid.terms)
        require_few(scenarios, hedge_count(asked.templates, grid.vary))
        if scenarios > MOST_SCENARIOS:
            raise InvalidInput(
                "grid",
                f"has {scenarios:,} scenarios; at most {MOST_SCENARIOS:,} are played. Give fewer terms or days",
            )
        hedges = await asyncio.to_thread(variants, asked.templates, grid.vary)
        days = await self._days(windows, grid)
        made = await asyncio.to_thread(_scenarios, windows, grid, days)
        problems = [scenario for _, scenario, _ in made if isinstance(scenario, str)]
        if len(problems) == len(made):
            raise InvalidInput("grid", f"has no scenario that can be played: {problems[0]}")
        markets = tuple(each for each in days.values() if isinstance(each, MarketDays))
        place = {id(market): number for number, market in enumerate(markets)}
        return SweepPlan(
            sweep=Sweep(
                scenarios=tuple(scenario for _, scenario, _ in made),
                hedges=tuple(each.hedge or each.problem or "" for each in hedges),
                markets=markets,
                market_of=tuple(0 if market is None else place[id(market)] for _, _, market in made),
            ),
            scenarios=tuple(played for played, _, _ in made),
            hedges=hedges,
            names={template.id: template.name for template in asked.templates},
            vary=tuple(axis.path for axis in grid.vary),
            terms=tuple(axis.path for axis in grid.terms),
            source=markets[0].source,
            is_demo=any(market.is_demo for market in markets),
        )

    async def _days(self, windows: list[tuple[str, date, date]], grid: SweepGrid) -> Days:
        """The days of every window, from each entry on, by each kind of volatility; or why there are none."""
        levels = next((axis.values for axis in grid.terms if axis.path == "level"), (VolatilityLevel.AUTO.value,))
        found: Days = {}
        for level in (VolatilityLevel(str(value)) for value in levels):
            for _, start, end in windows:
                for months in {0, *grid.entries}:
                    begin = start if months == 0 else entry_before(start, months)
                    found[begin, end, level] = await self._one(begin, end, level, is_entry=months > 0)
        return found

    async def _one(self, begin: date, end: date, level: VolatilityLevel, *, is_entry: bool) -> MarketDays | str:
        try:
            first = await self._markets.trading_day(GOLD, begin) if is_entry else begin
            market = await self._markets.days(GOLD, first, end, level)
            require_volatility(Source.MODELLED, level, market)
        except InvalidInput as error:
            return str(error)
        return market


def _scenarios(
    windows: list[tuple[str, date, date]], grid: SweepGrid, days: Days
) -> list[tuple[Played, Scenario | str, MarketDays | None]]:
    """Windows, then entries, then terms, the last term fastest."""
    made: list[tuple[Played, Scenario | str, MarketDays | None]] = []
    for window, start, end in windows:
        for months in grid.entries:
            for values in combinations(grid.terms):
                request = BacktestRequest(start=start, end=end, source=Source.MODELLED)
                words = Played(window, start, end, months, values, None)
                try:
                    scenario, market = _scenario(_with_terms(request, grid.terms, values), months, days)
                except InvalidInput as error:
                    made.append((words, str(error), None))
                    continue
                price = float(market.closes[market.days.index(scenario.start)])
                words = replace(words, start=scenario.start, end=scenario.end, gold_value=scenario.units * price)
                made.append((words, replace(scenario, event=window or None), market))
    return made


def _scenario(request: BacktestRequest, months: int, days: Days) -> tuple[Scenario, MarketDays]:
    assert request.start is not None  # as made above
    assert request.end is not None
    market = days[request.start, request.end, request.level]
    if isinstance(market, str):
        raise InvalidInput("days", market)
    scenario = scenario_of(request, None, market).scenario
    if months == 0:
        return scenario, market
    since = days[entry_before(request.start, months), request.end, request.level]
    if isinstance(since, str):
        raise InvalidInput("entries", f"of {months} months before {request.start}: {since}")
    return replace(scenario, entry=since.days[0]), since


def _with_terms(request: BacktestRequest, axes: tuple[Axis, ...], values: tuple[Value, ...]) -> BacktestRequest:
    return with_fields(request, dict(zip((axis.path for axis in axes), values, strict=True)))
