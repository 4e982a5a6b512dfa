"""The work of a backtest: from what was asked to the report, off the event loop, step by step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date

from vaultdash.backtest.engine import compare, ranked
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import Comparison, Ending
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_market import IMPORT_HINT, BacktestMarkets
from vaultdash.services.backtest_request import Asked, BacktestReport, FanEntry
from vaultdash.services.backtest_scenario import Prepared, entry_before, require_volatility, scenario_of, window_of
from vaultdash.services.backtest_words import months_words, sentence, template_words

Told = Callable[[float], None]
WITHOUT_KERNELS = "Priced without compiled code, which cannot be had here: figures may differ in the last digits."


class BacktestWork:
    """Builds the market's days, replays, and puts the report together. `engine` gives the fastest way to price."""

    def __init__(self, markets: BacktestMarkets, engine: Callable[[], Awaitable[Engine]]) -> None:
        self._markets = markets
        self._engine = engine

    async def prepared(self, asked: Asked) -> tuple[Prepared, MarketDays]:
        """The scenario and its days; raises InvalidInput for what cannot be replayed."""
        start, end = window_of(asked.request, asked.event)
        request = asked.request
        market = await self._markets.days("GLD", start, end, request.level)
        prepared = scenario_of(request, asked.event, market)
        await self._markets.require_premiums(prepared.scenario, market)
        return prepared, market

    async def report(self, asked: Asked, told: Told = lambda _: None) -> BacktestReport:
        """Replay everything that was asked for; `told` hears the fraction that is done. Raises InvalidInput.

        The same prices and the same request give the same report, bit by bit.
        """
        prepared, market = await self.prepared(asked)
        engine = await self._engine()
        told(0.0)
        months = [each for each in asked.request.fan if each > 0]
        every = len(asked.templates) * (1 + len(months))
        done = 0

        async def replayed(scenario: Scenario, days: MarketDays) -> Comparison:
            """Template by template, so that somebody who waits sees that it moves, and can stop it."""
            nonlocal done
            premiums, remarks = await self._markets.premiums(scenario, days)
            found = []
            for template in asked.templates:
                found.append(await asyncio.to_thread(compare, scenario, [template], days, engine, premiums))
                done += 1
                told(done / every)
            return _joined(found, remarks)

        comparison = await replayed(prepared.scenario, market)
        remarks = (*_remarks(comparison, engine), *asked.unsure, *prepared.remarks, *comparison.remarks)
        comparison = replace(comparison, remarks=remarks)
        fan = {0: FanEntry(0, comparison)}
        for each in months:
            try:
                entry, days = await self._entry(each, prepared.scenario)
                fan[each] = FanEntry(each, await replayed(replace(prepared.scenario, entry=entry), days))
            except InvalidInput as error:
                fan[each] = FanEntry(each, None, str(error))
        entries = tuple(fan[each] for each in asked.request.fan)
        comparison = replace(comparison, remarks=(*comparison.remarks, *_called_at_start(entries)))
        entries = tuple(replace(each, comparison=comparison) if each.months == 0 else each for each in entries)
        return BacktestReport(asked.request, asked.event, comparison, entries, sentence(comparison, entries))

    async def _entry(self, months: int, scenario: Scenario) -> tuple[date, MarketDays]:
        """The day of a purchase so many months before the start, and the days since; raises InvalidInput."""
        entry = await self._markets.trading_day(scenario.symbol, entry_before(scenario.start, months))
        days = await self._markets.days(scenario.symbol, entry, scenario.end, scenario.level, scenario.fallback_rate)
        require_volatility(scenario.source, scenario.level, days)
        return entry, days


def _joined(found: Sequence[Comparison], remarks: Sequence[str]) -> Comparison:
    """Comparisons of one template each as one, ranked; `remarks` and those of the parts are said once."""
    runs = tuple(run for each in found for run in each.runs)
    return replace(
        found[0],
        runs=runs,
        repaid=tuple(run for each in found for run in each.repaid),
        ranking=ranked(runs),
        remarks=tuple(dict.fromkeys([*remarks, *(said for each in found for said in each.remarks)])),
    )


def _called_at_start(fan: Sequence[FanEntry]) -> list[str]:
    """A sold call may have become a debt by the start: then the loan is called before the fall has begun."""
    said = []
    for entry in fan:
        found = entry.comparison
        runs = [] if found is None or entry.months == 0 else found.runs
        names = [
            template_words(run.template)
            for run in runs
            if found is not None
            and run.summary.first_breach_date == found.scenario.start
            and found.unhedged.summary.first_breach_date != found.scenario.start
        ]
        if names:
            said.append(
                f"Bought {months_words(entry.months)} before, {', '.join(names)} would be called on the first day "
                "already: what was sold has become a debt. Nobody would grant that loan."
            )
    return said


def _remarks(comparison: Comparison, engine: Engine) -> list[str]:
    said = [f"For real prices: {IMPORT_HINT}"] if comparison.is_demo else []
    if engine == "reference":
        said.append(WITHOUT_KERNELS)
    if any(run.summary.ending is Ending.OPEN for run in (*comparison.runs, comparison.unhedged)):
        end = comparison.scenario.end
        said.append(f"Some calls were still within their deadline on {end}: a later end shows what became of them.")
    return said
