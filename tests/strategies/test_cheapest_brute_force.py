"""A thousand small random searches, each against every combination there is."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.strategies.brute_force import EXPIRATION, Search, every_combination, random_search
from vaultdash.domain.hedge_verdict import CheapestHedge, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies import cheapest_rows
from vaultdash.strategies.cheapest import cheapest_hedge

SEARCHES = 1_000
BATCH = 100
LEAST_OF_A_KIND = 100


def assert_keeps_every_rule(search: Search, found: CheapestHedge) -> None:
    """The answer again in decimals, from its legs alone."""
    assert found.hedge is not None
    number = Decimal
    legs = [(leg.option, leg.contracts * leg.option.multiplier, leg.contracts) for leg in found.hedge.legs]
    cost = number(0)
    for option, shares, contracts in legs:
        price = option.ask if contracts > 0 else option.bid
        assert price
        cost += shares * number(str(price)) + abs(contracts) * number(str(search.commission))
        assert abs(contracts) <= search.per_line
        assert (option.right is Right.PUT) == (contracts > 0)
    assert found.net_cost == pytest.approx(float(cost), abs=1e-6)
    spot, units, loan = number(search.spot), number(search.units), number(search.loan)
    if search.funding == "loan":
        loan += cost
    if search.funding == "sell_gold":
        units -= cost / spot
    paid = number(0) if search.funding == "sell_gold" else cost
    gold = number(search.units) * spot
    least = -gold * number("1e-9")
    assert units >= 0
    assert -sum(shares for _, shares, _ in legs if shares < 0) <= units - least
    assert search.budget is None or cost <= number(search.budget) + number("1e-6")
    assert search.max_puts is None or sum(max(count, 0) for _, _, count in legs) <= search.max_puts
    assert search.max_calls is None or sum(max(-count, 0) for _, _, count in legs) <= search.max_calls
    low, high = (search.spot * (1 + move) for move in search.price_range)
    prices = [low + (high - low) * step / 7 for step in range(8)]
    prices += [option.strike for option, _, _ in legs if low < option.strike < high]
    worst = number("-Infinity")
    for price in map(number, prices):
        payoff = number(0)
        for option, shares, _ in legs:
            gap = number(option.strike) - price if option.right is Right.PUT else price - number(option.strike)
            payoff += shares * max(gap, number(0))
        if search.call_ltv is not None:
            limit = number(search.call_ltv) - number(search.buffer)
            words = {"credited": limit, "after_payment": number(1), "ignored": number(0)}
            factor = words[search.credit] if isinstance(search.credit, str) else number(search.credit)
            owed = factor if search.owed is None else number(search.owed)
            credit = payoff * (factor if payoff > 0 else owed)
            assert limit * units * price + credit - loan >= least
            if search.credit == "credited" and search.owed is None:
                worst = max(worst, loan / (units * price + payoff))
        if search.max_loss is not None:
            assert units * price + payoff - paid - (1 - number(search.max_loss)) * gold >= least
    if worst.is_finite():
        assert found.worst_hedged_ltv == pytest.approx(float(worst), abs=1e-9)


@pytest.mark.parametrize("first", range(0, SEARCHES, BATCH))
def test_the_cheapest_of_a_small_chain_is_the_cheapest_of_all_combinations(first: int) -> None:
    hedged = infeasible = 0
    for seed in range(first, first + BATCH):
        search = random_search(seed)
        found, least = search.solve(), every_combination(search)
        if least is None:
            assert found.status is SolveStatus.INFEASIBLE, seed
            assert found.reason
            infeasible += 1
            continue
        assert found.status is SolveStatus.OPTIMAL, seed
        assert found.net_cost == pytest.approx(least, abs=1e-6), seed
        assert_keeps_every_rule(search, found)
        assert found.lp_bound is not None
        assert found.gap is not None
        assert found.lp_bound <= least + 1e-9
        assert found.gap >= 0
        assert all(each.net_cost < least and each.reason for each in found.neighbours)
        hedged += bool(found.hedge and found.hedge.legs)
    assert hedged >= BATCH // 5  # neither side is trivial
    assert infeasible >= BATCH // 5


def test_a_nearest_request_is_feasible_and_none_is_nearer() -> None:
    seen = {"ltv": 0, "loan": 0, "budget": 0}
    for seed in range(90):
        search = random_search(seed)
        found = search.solve()
        if found.status is not SolveStatus.INFEASIBLE:
            continue
        assert found.nearest is not None
        if found.nearest.budget is not None:
            least = every_combination(replace(search, budget=None))
            assert least is not None
            assert least - 1e-6 <= found.nearest.budget <= least + 0.01 + 1e-6
            seen["budget"] += 1
        ltv = found.nearest.max_hedged_ltv
        if ltv is not None:
            assert every_combination(replace(search, call_ltv=ltv)) is not None
            assert every_combination(replace(search, call_ltv=ltv - 3e-6)) is None
            seen["ltv"] += 1
        loan = found.nearest.loan_amount
        if loan is not None:
            assert every_combination(replace(search, loan=loan)) is not None
            assert every_combination(replace(search, loan=loan + 0.02 + 1e-8 * search.loan)) is None
            assert found.nearest.repay == pytest.approx(search.loan - loan, abs=0.011)
            seen["loan"] += 1
    assert min(seen.values()) >= 5


def test_a_kink_that_is_left_out_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the rows at one strike missing the solver's hedge breaks the rule there, and no optimum is claimed.

    Gold of 300 shares at 100 and a loan of 19,500: without a hedge 0.75 is reached at 86.67. The put at 80 is so
    cheap that a few keep the low end of the range, but at 80 it pays nothing: there only puts at 98 help.
    """
    contracts = [
        ListedOption(Right.PUT, 98.0, EXPIRATION, 1.9, 2.0),
        ListedOption(Right.PUT, 80.0, EXPIRATION, 0.05, 0.06),
    ]

    def search() -> CheapestHedge:
        return cheapest_hedge(contracts, 300, 19_500, 100, 0.75, premium_funding=PremiumFunding.LOAN)

    honest = search()
    assert honest.status is SolveStatus.OPTIMAL
    true_kinks = cheapest_rows.kinks

    def broken(lines, terms):  # type: ignore[no-untyped-def]  # stands in for the product's function
        return [price for price in true_kinks(lines, terms) if price != 80.0]

    monkeypatch.setattr(cheapest_rows, "kinks", lambda lines, terms: cheapest_rows.np.array(broken(lines, terms)))
    found = search()
    assert found.status is SolveStatus.TIMEOUT
    assert "did not hold when it was calculated again" in found.reason
    assert found.hedge is None
