"""The work of a backtest: from what was asked to the report, off the event loop, step by step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date

from vaultdash.backtest.engine import compare, ranked
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import BacktestRun, Comparison, Ending
from vaultdash.backtest.scenario import Scenario
from vaultdash.backtest.split_custody import most_margin
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_market import IMPORT_HINT, BacktestMarkets
from vaultdash.services.backtest_request import Asked, BacktestReport, FanEntry
from vaultdash.services.backtest_scenario import Prepared, entry_before, require_volatility, scenario_of, window_of
from vaultdash.services.backtest_words import day_words, months_words, sentence, template_words

Told = Callable[[float], None]
MOST_RUN_DAYS = (
    500_000  # hedges x purchases x days: 21 years of all hedges of the house, bought on five days, is 0.4 m
)
SESSIONS_A_MONTH = 21
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
        _require_size(asked, len(market.days))
        await self._markets.require_premiums(prepared.scenario, market)
        return prepared, market

    async def last_day(self, wanted: date) -> date:
        """That day, or the last one before it with a price of gold; raises InvalidInput before the first price."""
        return await self._markets.trading_day("GLD", wanted)

    async def report(self, asked: Asked, told: Told = lambda _: None) -> BacktestReport:
        """Replay everything that was asked for; `told` hears the fraction that is done. Raises InvalidInput.

        `told` hears 0.0 before the pricing code is waited for, which may have to be compiled first. The same prices
        and the same request give the same report, bit by bit.
        """
        prepared, market = await self.prepared(asked)
        told(0.0)
        engine = await self._engine()
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

        comparison = _with_margins(await replayed(prepared.scenario, market))
        said = (*_remarks(comparison, engine), *asked.unsure, *prepared.remarks)
        remarks = (*said, *comparison.remarks, *_split_custody(comparison))
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
        await self._markets.require_premiums(scenario, days, on=entry)
        return entry, days


def _require_size(asked: Asked, days: int) -> None:
    """Raises InvalidInput for more than can be kept day by day."""
    count = len(asked.templates)
    a_hedge = sum(days + SESSIONS_A_MONTH * months for months in {0, *asked.request.fan})
    if count * a_hedge <= MOST_RUN_DAYS:
        return
    most, times = MOST_RUN_DAYS // a_hedge, len({0, *asked.request.fan})
    how = f"at most {most:,} hedges" if most else "a shorter span"
    bought = "" if times == 1 else f", each bought on {times} days"
    raise InvalidInput(
        "templates",
        f"are {count:,} over {days:,} trading days{bought}: more than a backtest keeps day by day. Choose {how}, a "
        "shorter span or fewer days of purchase; `vault-dash sweep` takes them all and keeps the figures alone",
    )


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


def _margin_at_broker(run: BacktestRun) -> tuple[date, float] | None:
    """The most that its sold calls would need where options and gold are not at one lender; None where they are."""
    return None if run.summary.counting is HedgeCounting.CREDITED or not run.template.hedges else most_margin(run)


def _with_margins(comparison: Comparison) -> Comparison:
    """The comparison whose runs say what a broker would want for the calls they sell."""
    runs = []
    for run in comparison.runs:
        most = _margin_at_broker(run)
        if most is not None:
            said = (
                "Its sold calls are uncovered at a broker while the gold is pledged elsewhere and need margin there: "
                f"at the close of {day_words(most[0])} {most[1]:,.0f} USD or more, by the usual rule. This replay "
                "neither sets it aside nor pays it."
            )
            run = replace(run, remarks=(*run.remarks, said))
        runs.append(run)
    return replace(comparison, runs=tuple(runs))


def _split_custody(comparison: Comparison) -> list[str]:
    """The same on the whole, with the largest of them."""
    found = [(run, most) for run in comparison.runs if (most := _margin_at_broker(run)) is not None]
    if not found:
        return []
    names = ", ".join(template_words(run.template) for run, _ in found)
    largest = max(margin for _, (_, margin) in found)
    return [
        f"Calls are sold by {names}. With the gold pledged to a lender who does not credit options they are "
        f"uncovered at the broker, whose margin (up to {largest:,.0f} USD or more at a close) and whose own call as "
        "gold rises are not in these figures."
    ]


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
