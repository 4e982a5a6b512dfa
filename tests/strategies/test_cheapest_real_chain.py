"""The real chain of 11 May 2026 and a loan at 0.60, called at 0.75, in the three countings."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog

from vaultdash.domain.hedge_verdict import CheapestHedge, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.strategies.cheapest import cheapest_hedge

SPOT, HORIZON = 434.65, date(2026, 9, 11)
UNITS, LOAN, LIMIT = 1_000_000 / SPOT, 600_000.0, 0.75


@pytest.fixture
def chain(shared_data: Path) -> list[ListedOption]:
    """Every contract of the day, as it is recorded."""
    rows = pl.read_csv(shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz", try_parse_dates=True)
    of_day = rows.filter(pl.col("quote_date") == date(2026, 5, 11))
    return [
        ListedOption(
            Right.PUT if row["type"] == "put" else Right.CALL,
            row["strike"],
            row["expiration"],
            row["bid"],
            row["ask"],
        )
        for row in of_day.iter_rows(named=True)
    ]


def search(chain: list[ListedOption], counting: HedgeCounting) -> CheapestHedge:
    return cheapest_hedge(chain, UNITS, LOAN, SPOT, LIMIT, credit_factor=counting, horizon=HORIZON)


@pytest.mark.parametrize(
    ("counting", "factor", "cost"),
    [(HedgeCounting.CREDITED, 0.75, 5_818.95), (HedgeCounting.AFTER_PAYMENT, 1.0, 4_467.70)],
)
def test_the_cheapest_hedge_of_a_real_day_is_proved(
    chain: list[ListedOption], counting: HedgeCounting, factor: float, cost: float
) -> None:
    assert len(chain) == 3_108
    found = search(chain, counting)
    assert found.status is SolveStatus.OPTIMAL
    assert found.hedge is not None
    assert found.net_cost == pytest.approx(cost, abs=1e-6)
    paid = sum(leg.contracts * (100 * (leg.option.ask or 0) + 0.65) for leg in found.hedge.legs)
    assert paid == pytest.approx(cost, abs=1e-6)
    # the rule on a cent's grid of prices
    prices = np.arange(0.4 * SPOT, 1.6 * SPOT, 0.01)
    payoff = sum(leg.contracts * 100 * np.maximum(leg.option.strike - prices, 0.0) for leg in found.hedge.legs)
    ltv = LOAN / (UNITS * prices + payoff) if factor < 1 else (LOAN - payoff) / (UNITS * prices)
    assert ltv.max() <= LIMIT + 1e-9
    assert found.worst_hedged_ltv == pytest.approx(ltv.max(), abs=1e-5)
    # the bound, by a linear program made here of every put of the day
    puts = [each for each in chain if each.right is Right.PUT and each.ask and each.expiration >= HORIZON]
    at = np.unique([0.4 * SPOT, 1.6 * SPOT, *[each.strike for each in puts if 0.4 * SPOT < each.strike < 1.6 * SPOT]])
    pays = np.array([100 * np.maximum(each.strike - at, 0.0) for each in puts]).T
    bound = linprog(
        [100 * (each.ask or 0) + 0.65 for each in puts], A_ub=-factor * pays, b_ub=LIMIT * UNITS * at - LOAN
    )
    assert found.lp_bound == pytest.approx(bound.fun, abs=1e-4)
    assert found.net_cost is not None
    assert bound.fun <= found.net_cost
    legs = {f"{leg.option.title} " for leg in found.hedge.legs}
    assert all(any(f"one {leg}" in each.change + " " for each in found.neighbours) for leg in legs)


def test_a_lender_who_counts_nothing_leaves_only_repaying(chain: list[ListedOption]) -> None:
    found = search(chain, HedgeCounting.IGNORED)
    assert found.status is SolveStatus.INFEASIBLE
    assert found.nearest is not None
    assert found.nearest.repay == pytest.approx(LOAN - LIMIT * UNITS * 0.4 * SPOT, abs=0.011)


def test_a_search_that_is_not_finished_says_so_and_how_far_it_may_be_off(chain: list[ListedOption]) -> None:
    """A hundred thousand shares keep the solver busy for more than the blink it is given."""
    units = 115_035.09
    found = cheapest_hedge(chain, units, 0.6 * units * SPOT, SPOT, LIMIT, horizon=HORIZON, time_limit=0.01)
    assert found.status is SolveStatus.TIMEOUT
    assert found.reason.startswith("The search was not finished after ")
    assert found.hedge is None or (
        found.net_cost is not None
        and found.lp_bound is not None
        and 290_508 <= found.lp_bound <= found.net_cost
        and found.worst_hedged_ltv is not None
        and found.worst_hedged_ltv <= LIMIT + 1e-9
    )
