"""Sweeps: each point is the single backtest, whatever it is run with."""

import itertools
import pickle

import numpy as np
import pytest

from tests.backtest.sweep_market import a_scenario, falling_days
from vaultdash.backtest.engine import run
from vaultdash.backtest.grid import Axis, variants
from vaultdash.backtest.sweep import COLUMNS, FIGURES, Row, Sweep, run_chunk
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.strategies.templates import system_template

TEMPLATES = [system_template(slug) for slug in ("protective_put_otm_95", "collar_95_110", "repay_with_premium")]
FOUND = variants(TEMPLATES, [Axis("legs[0].strike.value", (0.95, 1.0)), Axis("coverage", (0.5, 1.0))])


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    market = falling_days()
    scenarios = (
        a_scenario(0.60, hedge_counting=HedgeCounting.CREDITED),
        "the loan is larger than its gold",
        a_scenario(0.62, cure_days=1, hedge_counting=HedgeCounting.CREDITED),
    )
    hedges = tuple(each.hedge or "" for each in FOUND)
    return Sweep(scenarios, (*hedges, "nothing of the kind is sold"), (market,), (0, 0, 0), "reference")


@pytest.fixture(scope="module")
def whole(sweep: Sweep) -> list[Row]:
    return run_chunk(sweep, (0, sweep.points))


def test_each_point_is_the_single_backtest_of_its_hedge_and_scenario(sweep: Sweep, whole: list[Row]) -> None:
    width = len(sweep.hedges)
    for number in (0, 1, 7, 2 * width + 3, 2 * width + 12):
        scenario, hedge = sweep.scenarios[number // width], sweep.hedges[number % width]
        assert not isinstance(scenario, str)
        assert not isinstance(hedge, str)
        summary = run(scenario, hedge, falling_days(), "reference").summary
        told = dict(zip(COLUMNS, whole[number], strict=True))
        for name in FIGURES[: -len(HedgeCounting)]:
            value = getattr(summary, name)
            assert told[name] == (getattr(value, "value", None) or getattr(value, "isoformat", lambda v=value: v)())
        for counting in HedgeCounting:
            first = summary.breaches[counting]
            assert told[f"first_breach_{counting.value}"] == (None if first is None else first.isoformat())
        assert told["problem"] is None


def test_the_fall_is_one_that_hedges_matter_in(sweep: Sweep, whole: list[Row]) -> None:
    last = whole[2 * len(sweep.hedges) :]
    assert {row[COLUMNS.index("survived")] for row in last[:-1]} == {True, False}


def test_the_figures_do_not_depend_on_the_pieces(sweep: Sweep, whole: list[Row]) -> None:
    chances = np.random.default_rng(3)
    for _ in range(3):
        cuts = sorted({0, sweep.points, *chances.integers(0, sweep.points, 7).tolist()})
        spans = list(itertools.pairwise(cuts))
        chances.shuffle(spans)
        pieces = {span: run_chunk(sweep, (int(span[0]), int(span[1]))) for span in spans}
        assert pickle.dumps([row for span in sorted(pieces) for row in pieces[span]]) == pickle.dumps(
            [list(row) for row in whole]
        )


def test_what_cannot_be_run_has_its_reason_and_nothing_else(sweep: Sweep, whole: list[Row]) -> None:
    width, problem = len(sweep.hedges), COLUMNS.index("problem")
    assert {row[problem] for row in whole[width : 2 * width]} == {"the loan is larger than its gold"}
    assert whole[width - 1][problem] == "nothing of the kind is sold"
    assert all(cell is None for cell in whole[width - 1][:problem])


def test_days_without_a_volatility_spoil_only_the_hedges_that_need_one(sweep: Sweep) -> None:
    market = falling_days()
    market.levels[:] = np.nan
    blind = Sweep(sweep.scenarios[:1], sweep.hedges, (market,), (0,), "reference")
    rows = run_chunk(blind, (0, blind.points))
    problems = [row[-1] for row in rows]
    assert problems[0] is None  # without a hedge no volatility is needed
    assert all(isinstance(each, str) and "volatility" in each for each in problems[1:-1])


def test_a_sweep_says_for_each_scenario_on_which_days_it_is_played(sweep: Sweep) -> None:
    with pytest.raises(InvalidInput, match="must have 3 values"):
        Sweep(sweep.scenarios, sweep.hedges, sweep.markets, (0,))
