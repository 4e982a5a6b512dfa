"""Stretches of days come to the same as one day after the other."""

import numpy as np
import pytest

from tests.backtest.invented import days_of, random_case
from vaultdash.backtest import day_loop, engine, marks
from vaultdash.backtest.layout import Run
from vaultdash.backtest.result import BacktestRun
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.loan import Interest, Loan
from vaultdash.strategies.templates import system_template

ROWS = (
    *("units", "loan", "hedge_value", "cash", "equity"),
    *("lender_ltv", "ltv_ignored", "ltv_after_payment", "ltv_credited", "low_ltv"),
)


def never(run: Run, t: int) -> bool:
    """No day is quiet."""
    return False


def walked(seed: int) -> BacktestRun:
    case = random_case(seed, count=420)  # six ends of quarters and several rolls
    return engine.run(case.scenario, case.template, case.market, "reference")


@pytest.mark.parametrize("seed", range(24))
def test_a_stretch_says_what_its_days_say_one_by_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stretches = walked(seed)
    monkeypatch.setattr(day_loop, "is_quiet", never)
    monkeypatch.setattr(marks, "STRETCH", 1)
    monkeypatch.setattr(marks, "SHORT", 1)
    by_day = walked(seed)
    assert len(stretches.trades) == len(by_day.trades)
    assert [(each.called_on, each.ending) for each in stretches.calls] == [
        (each.called_on, each.ending) for each in by_day.calls
    ]
    for name in ROWS:
        ours, theirs = getattr(stretches.series, name), getattr(by_day.series, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-6, err_msg=name)
    assert stretches.summary.interest == pytest.approx(by_day.summary.interest, rel=1e-10)


def test_most_days_are_passed_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    read = day_loop.read

    def counting(run: Run, t: int) -> None:
        counted.append(t)
        read(run, t)

    monkeypatch.setattr(day_loop, "read", counting)
    market = days_of(np.linspace(100.0, 140.0, 600))
    loan = Loan(50_000.0, margin_call_ltv=0.75, interest=Interest(0.04, 0.01, capitalised=True))
    scenario = Scenario(market.days[0], market.days[-1], 1_000.0, loan)
    run = engine.run(scenario, system_template("protective_put_otm_95"), market, "reference")
    assert run.summary.interest > 0
    assert run.summary.rolls > 0
    assert 0 < len(counted) < 30
