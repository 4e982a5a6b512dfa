"""A hedge through 5,000 days, and a thousand hedges through them, beside a loop over days with QuantLib."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from benchmarks.options import Options
from benchmarks.peers.backtest_loop import loop
from benchmarks.report import Figure, Goal, Line
from vaultdash.backtest import engine, kernels
from vaultdash.backtest.inputs import sets_of, stage
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.premiums import ModelledPremiums
from vaultdash.backtest.scenario import Costs, Scenario
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import HedgeCounting, Interest, Loan
from vaultdash.domain.template import HedgeTemplate, Strike, StrikeRule
from vaultdash.strategies.templates import system_template

DAYS, SETS = 5_000, 1_000
SAMPLES, LOOPS = 60, 3
UNITS, CONTRACTS = 10_000.0, 100
PUT = system_template("protective_put_otm_95")
FREE = Costs(commission=0, least_half_spread=0, half_spread_of_mid=0, half_spread_vega_points=0)
LEAST_RATIO, MOST_MS, MOST_SWEEP_MS = 300.0, 0.25, 150.0


def run(options: Options) -> list[Line]:
    """Both must agree before they are timed; then each in this process, one thread."""
    samples, market = options.samples or SAMPLES, invented()
    lines = []
    for exercise in (Exercise.EUROPEAN, Exercise.AMERICAN):
        given = scenario(market, exercise)
        agree(given, market)
        staged = stage(given, market, ModelledPremiums(), "kernel")

        def walk(staged=staged) -> float:  # type: ignore[no-untyped-def]
            ready = sets_of(staged, [PUT], None, 256, 32)
            return timed(lambda: kernels.walk_sets(ready))

        ours = Figure.of([walk() for _ in range(samples)])
        is_american = exercise is Exercise.AMERICAN
        theirs = Figure.of(
            [
                timed(lambda given=given, is_american=is_american: loop(given, market, CONTRACTS, is_american))
                for _ in range(LOOPS)
            ]  # type: ignore[misc]
        )
        whole = Figure.of([timed(lambda given=given: engine.run(given, PUT, market)) for _ in range(samples)])  # type: ignore[misc]
        title = f"{DAYS:,} days of a rolled put, {exercise.value}"
        peer = "QuantLib QdFp a day" if is_american else "QuantLib a day"
        lines.append(Line("backtest", f"E1 {title}: kernel", "ms", ours, theirs, peer, goals=goals(is_american)))
        lines.append(Line("backtest", "the same with trades, series and summary", "ms", whole, theirs, peer))
    given = scenario(market, Exercise.EUROPEAN)
    sets = parameter_sets()
    engine.summaries(given, sets[:2], market)
    swept = Figure.of([timed(lambda: engine.summaries(given, sets, market)) for _ in range(max(3, samples // 10))])
    title = f"E2 {SETS:,} parameter sets of {DAYS:,} days, one thread"
    lines.append(Line("backtest", title, "ms", swept, goals=(Goal("p50", MOST_SWEEP_MS),)))
    return lines


def goals(is_american: bool) -> tuple[Goal, ...]:
    """The promise is of European marks; American ones stand beside it without one."""
    return () if is_american else (Goal("ratio", 1 / LEAST_RATIO), Goal("p50", MOST_MS))


def invented() -> MarketDays:
    """Weekdays with a price that rises and falls by a third, without randomness."""
    day, days = date(2005, 1, 3), []
    while len(days) < DAYS:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(1)
    t = np.arange(DAYS)
    closes = 150 * np.exp(0.25 * np.sin(t / 190) + 0.04 * np.sin(t / 11) + 0.0001 * t)
    firsts = (date(year, month, 1) for year in range(2005, 2028) for month in range(1, 13))
    return MarketDays(
        "GLD",
        tuple(days),
        closes,
        closes * 0.99,
        0.18 + 0.05 * np.sin(t / 70),
        np.full(DAYS, 0.17),
        0.03 + 0.01 * np.sin(t / 300),
        np.ones(DAYS),
        np.ones(DAYS),
        tuple(first + timedelta((4 - first.weekday()) % 7 + 14) for first in firsts),
        "invented",
    )


def scenario(market: MarketDays, exercise: Exercise, costs: Costs | None = None) -> Scenario:
    """A loan at half of the gold's value, options credited, called at 0.8."""
    loan = Loan(
        0.5 * UNITS * float(market.closes[0]),
        margin_call_ltv=0.8,
        warning_ltv=0.75,
        close_out_ltv=0.9,
        hedge_counting=HedgeCounting.CREDITED,
        interest=Interest(0.0, 0.0),
    )
    return Scenario(market.days[0], market.days[-1], UNITS, loan, exercise=exercise, costs=costs or Costs())


def agree(given: Scenario, market: MarketDays) -> None:
    """Without spreads both must say the same of every day."""
    free = replace(given, costs=FREE)
    ours = engine.run(free, PUT, market)
    theirs = loop(free, market, CONTRACTS, given.exercise is Exercise.AMERICAN)
    off = float(np.abs(ours.series.lender_ltv - theirs.ltv).max())
    allowed = 1e-9 if given.exercise is Exercise.EUROPEAN else 1e-5
    if off > allowed or len(ours.calls) != len(theirs.calls):
        raise RuntimeError(f"LTVs differ by {off:g}; {len(ours.calls)} calls and {len(theirs.calls)}")


def parameter_sets() -> list[HedgeTemplate]:
    """Strikes from 80 to 105 % of spot, tenors of 6 to 24 months, rolled 10 to 60 days before expiry."""
    leg, found = PUT.legs[0], []
    for strike in np.linspace(0.80, 1.05, 25):
        for months in (6.0, 12.0, 18.0, 24.0):
            for days in range(10, 60, 5):
                rule = Strike(StrikeRule.PERCENT_OF_SPOT, float(strike))
                roll = replace(PUT.roll, days_before_expiry=days)
                found.append(replace(PUT, legs=(replace(leg, strike=rule, months=months),), roll=roll))
    return found[:SETS]


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
