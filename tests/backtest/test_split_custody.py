"""The broker's margin for sold calls, against figures reckoned by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.services.test_backtest_words import a_run
from vaultdash.backtest.result import BacktestRun, Reason, Series, Trade
from vaultdash.backtest.split_custody import most_margin
from vaultdash.domain.option import Right
from vaultdash.strategies.templates import system_template

DAYS = tuple(date(2026, 1, day) for day in (5, 6, 7, 8))
EXPIRY = date(2027, 1, 15)


def collar(*trades: tuple[int, Right, int]) -> BacktestRun:
    prices = np.array([460.0, 552.0, 500.0, 600.0])
    made = [
        Trade(DAYS[day], Reason.ENTRY, 0, right, 506.0, EXPIRY, count, 1.0, 1.0, 0.0, 0.0)
        for day, right, count in trades
    ]
    run = a_run(system_template("collar_95_110"), made)
    return replace(run, series=Series(DAYS, prices, *[prices] * 11))


def test_the_most_is_of_a_day_on_which_calls_are_sold_and_not_bought_back() -> None:
    assert most_margin(collar((0, Right.CALL, -22), (3, Right.CALL, 22))) == (DAYS[1], pytest.approx(404_800))
    # left open it is the last day's: 94 + max(150, 60) = 244 a share
    assert most_margin(collar((0, Right.CALL, -22))) == (DAYS[3], pytest.approx(22 * 100 * 244))
    assert most_margin(collar((0, Right.CALL, -22), (2, Right.CALL, 11), (3, Right.CALL, 11))) == (
        DAYS[1],
        pytest.approx(404_800),
    )


def test_neither_puts_nor_bought_calls_need_any() -> None:
    assert most_margin(collar((0, Right.PUT, -22), (0, Right.CALL, 22))) is None
