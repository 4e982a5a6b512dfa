"""The best floor for a budget and the collar that costs nothing, against every combination of small chains."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.strategies.brute_force import Combinations, Floats, Search, combinations, random_search
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.option import Right
from vaultdash.strategies.cheapest_goals import best_protection, zero_cost_collar

EXPIRATION = date(2026, 9, 18)


@pytest.mark.parametrize("first", range(3_000, 3_080, 40))
def test_no_combination_within_the_budget_has_a_higher_floor(first: int) -> None:
    hedged = 0
    for seed in range(first, first + 40):
        search = random_search(seed)
        search = replace(search, budget=abs(search.budget or 0.03 * search.units * search.spot))
        found, every = search.solve(best_protection), combinations(search)
        if not every.keeps.any():
            assert found.status is SolveStatus.INFEASIBLE
            continue
        gold = search.units * search.spot
        best = every.floor[every.keeps].max()
        assert found.status is SolveStatus.OPTIMAL
        assert found.hedge is not None
        floor = floor_of(search, every, counts_of(every, found.hedge.legs))
        assert floor >= best - 2e-9 * gold
        as_good = every.keeps & (every.floor >= best - 1e-10 * gold)
        assert found.net_cost is not None
        assert found.net_cost <= every.cost[as_good].min() + 1e-6
        hedged += bool(found.hedge.legs)
    assert hedged >= 5


def test_no_zero_cost_combination_keeps_more_of_a_rise() -> None:
    sold = 0
    for seed in range(4_000, 4_250):
        search = random_search(seed)
        if not search.allow_calls:
            continue
        search = replace(search, budget=0.0, commission=0.0, max_loss=None, max_calls=None, least_call=40.0)
        search = replace(search, price_range=(search.price_range[0], max(search.price_range[1], 0.2)))
        found, every = search.solve(zero_cost_collar), combinations(search)
        if not every.keeps.any():
            assert found.status is SolveStatus.INFEASIBLE
            continue
        assert found.status is SolveStatus.OPTIMAL
        assert found.hedge is not None
        mine = counts_of(every, found.hedge.legs)
        row = int(np.flatnonzero((every.counts == mine).all(axis=1))[0])
        assert every.keeps[row]
        lowest = lowest_sold(every)
        assert lowest[row] == lowest[every.keeps].max()
        rivals = every.keeps & (lowest == lowest[row])
        given = given_up(search, every)
        gold = search.units * search.spot
        assert given[row] <= given[rivals].min() + 3e-9 * gold
        sold += bool(mine[[option.right is Right.CALL for option in every.traded]].sum())
    assert sold >= 10


def test_the_floor_is_bought_up_to_the_budget_and_said() -> None:
    contracts = [
        ListedOption(Right.PUT, strike, EXPIRATION, 0.9 * ask, ask) for strike, ask in ((80, 0.5), (90, 1.5))
    ]
    found = best_protection(contracts, 1_000, 60_000, 100.0, None, budget=1_000.0, price_range=(-0.5, 0.5))
    # n puts at 90 and 10 - n at 80 cost 506.50 + 100 n: four of 90
    assert found.hedge is not None
    assert [(leg.option.strike, leg.contracts) for leg in found.hedge.legs] == [(90, 4), (80, 6)]
    assert "at least 83,093.50 (83.09% of the gold now)" in found.reason


def test_a_budget_must_be_given_for_the_best_protection() -> None:
    with pytest.raises(InvalidInput, match="budget"):
        best_protection([ListedOption(Right.PUT, 80, EXPIRATION, 0.4, 0.5)], 1_000, 60_000, 100.0, 0.75)


def test_a_zero_cost_collar_sells_the_highest_calls_that_pay() -> None:
    contracts = [ListedOption(Right.PUT, 80, EXPIRATION, 0.45, 0.50)]
    contracts += [
        ListedOption(Right.CALL, k, EXPIRATION, bid, bid + 0.1)
        for k, bid in ((110, 3.0), (120, 1.4), (130, 0.6), (140, 0.3))
    ]
    asked: dict[str, Any] = {"price_range": (-0.5, 0.5)}
    found = zero_cost_collar(contracts, 1_000, 60_000, 100.0, 0.75, **asked)
    assert found.status is SolveStatus.OPTIMAL
    assert found.hedge is not None
    # ten puts cost 506.50; ten calls at 140 bring 293.50, nine at 130 bring 534.15 and eight 474.80
    legs = {(leg.option.right, leg.option.strike): leg.contracts for leg in found.hedge.legs}
    assert legs[Right.PUT, 80] == 10
    assert min(strike for right, strike in legs if right is Right.CALL) == 130
    assert found.net_cost is not None
    assert found.net_cost <= 0
    assert "all of a rise is kept up to 130.00" in found.reason


def test_puts_that_calls_cannot_pay_for_are_no_zero_cost_collar() -> None:
    contracts = [
        ListedOption(Right.PUT, 80, EXPIRATION, 0.45, 0.50),
        ListedOption(Right.CALL, 120, EXPIRATION, 0.2, 0.3),
    ]
    found = zero_cost_collar(contracts, 1_000, 60_000, 100.0, 0.75, price_range=(-0.5, 0.5))
    assert found.status is SolveStatus.INFEASIBLE
    assert found.nearest is not None
    assert found.nearest.budget == pytest.approx(506.5 - 10 * 19.35)
    assert found.reason.startswith("No collar costs at most 0.00")


def counts_of(every: Combinations, legs: Any) -> Floats:
    """How many of each traded contract the legs hold."""
    held = {id(leg.option): abs(leg.contracts) for leg in legs}
    return np.array([float(held.get(id(option), 0)) for option in every.traded])


def floor_of(search: Search, every: Combinations, counts: Floats) -> float:
    row = int(np.flatnonzero((every.counts == counts).all(axis=1))[0])
    assert every.keeps[row]
    return float(every.floor[row])


def lowest_sold(every: Combinations) -> Floats:
    """The lowest strike of the calls sold; infinite without one."""
    lowest = np.full(len(every.cost), np.inf)
    for place, option in enumerate(every.traded):
        if option.right is Right.CALL:
            lowest = np.where(every.counts[:, place] > 0, np.minimum(lowest, option.strike), lowest)
    return lowest


def given_up(search: Search, every: Combinations) -> Floats:
    """What the calls pay out on average over a fine row of prices up to the end of the range, and the tie-break."""
    high = search.spot * (1 + search.price_range[1])
    prices = np.linspace(search.spot, high, 20_001)
    middle = 0.5 * (prices[1:] + prices[:-1])
    given = np.zeros(len(every.cost))
    for place, option in enumerate(every.traded):
        if option.right is Right.CALL:
            mean = np.maximum(middle - option.strike, 0.0).mean() + 1e-6 * search.spot
            given += every.counts[:, place] * option.multiplier * mean
    return given
