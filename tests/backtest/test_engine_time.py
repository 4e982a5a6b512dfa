"""Nothing of a later day is in an earlier one, and the same run twice is the same."""

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from tests.backtest.invented import Case, random_case
from vaultdash.backtest import decisions, engine
from vaultdash.backtest.layout import CLOSE
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import BacktestRun, Series
from vaultdash.domain.hedge import Exercise
from vaultdash.pricing.compiled import ENGINES, Engine, kernels_problem

PLANTED = ("closes", "lows", "levels", "long_run", "rates")


def with_another_future(market: MarketDays, after: date) -> MarketDays:
    """Everything measured after that day is another: the calendar is not, it is known in advance."""
    first = market.days.index(after) + 1
    changed = {}
    for name in PLANTED:
        values = getattr(market, name).copy()
        values[first:] *= np.linspace(0.7, 1.9, len(values) - first)
        changed[name] = values
    return replace(market, **changed)


def told_until(run: BacktestRun, day: date) -> bytes:
    """Series and trades up to the close of that day, bit for bit."""
    count = sum(each <= day for each in run.series.days)
    columns = [getattr(run.series, field.name) for field in fields(Series) if field.name != "days"]
    trades = [repr(trade) for trade in run.trades if trade.on <= day]
    calls = [(call.called_on, call.price, call.ltv) for call in run.calls if call.called_on <= day]
    return b"".join(column[:count].tobytes() for column in columns) + repr((trades, calls)).encode()


def peeks(case: Case, engine_name: Engine, days: int) -> list[date]:
    """The days on which another future changes what was told up to them."""
    honest = engine.run(case.scenario, case.template, case.market, engine_name)
    looked = []
    known = honest.series.days.index(
        max(case.scenario.start, honest.series.days[0])
    )  # the loan's terms are of this day
    eventful = {trade.on for trade in honest.trades} | {call.called_on for call in honest.calls}
    every = [
        day for t, day in enumerate(honest.series.days[:-1]) if t >= known and (day in eventful or t % days == 0)
    ]
    for day in every:
        other = engine.run(case.scenario, case.template, with_another_future(case.market, day), engine_name)
        if told_until(other, day) != told_until(honest, day):
            looked.append(day)
    assert len(every) > 5
    return looked


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize("seed", [0, 3, 5, 8, 11])
def test_a_planted_future_changes_nothing_that_was_told_before_it(seed: int, engine_name: Engine) -> None:
    for exercise in Exercise:
        assert peeks(random_case(seed, exercise, 110), engine_name, 15) == []


@pytest.mark.parametrize("what", ["choose", "decide_leg"])
def test_a_rule_that_looks_a_day_ahead_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = getattr(decisions, what)

    def peeking(run, t, leg):  # type: ignore[no-untyped-def]
        seen = run.days.copy()
        seen[CLOSE, :-1] = run.days[CLOSE, 1:]
        return honest(run._replace(days=seen), t, leg)

    monkeypatch.setattr(decisions, what, peeking)
    assert any(peeks(random_case(seed, count=110), "reference", 15) for seed in (0, 3, 5, 8))


@pytest.mark.parametrize("engine_name", ENGINES)
def test_the_same_run_twice_is_the_same_to_the_last_bit(engine_name: Engine) -> None:
    for seed in range(12):
        case = random_case(seed, Exercise.AMERICAN)
        first, second = (engine.run(case.scenario, case.template, case.market, engine_name) for _ in range(2))
        end = first.series.days[-1]
        assert told_until(first, end) == told_until(second, end)
        assert repr((first.summary, first.calls)) == repr((second.summary, second.calls))


def test_compiled_and_plain_loop_trade_the_same_and_agree_to_the_last_digits() -> None:
    for seed in range(60):
        case = random_case(seed, list(Exercise)[seed % 2])
        plain = engine.run(case.scenario, case.template, case.market, "reference")
        compiled = engine.run(case.scenario, case.template, case.market, "kernel")
        assert [(t.on, t.reason, t.strike, t.expiration, t.contracts) for t in plain.trades] == [
            (t.on, t.reason, t.strike, t.expiration, t.contracts) for t in compiled.trades
        ]
        assert [(c.called_on, c.ended_on, c.ending) for c in plain.calls] == [
            (c.called_on, c.ended_on, c.ending) for c in compiled.calls
        ]
        assert kernels_problem() is None, kernels_problem()
        scale = float(plain.series.gold_value[0])
        for name in ("equity", "cash", "hedge_value", "loan"):
            np.testing.assert_allclose(
                getattr(plain.series, name), getattr(compiled.series, name), rtol=1e-10, atol=1e-10 * scale
            )
