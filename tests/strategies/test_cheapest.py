"""Searches small enough to be done by hand, and laws that hold for all."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.strategies.brute_force import random_search
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import CheapestHedge, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies import cheapest_hedge

SEPTEMBER, DECEMBER = date(2026, 9, 18), date(2026, 12, 18)


def put(strike: float, ask: float | None, expiration: date = SEPTEMBER, **fields: Any) -> ListedOption:
    bid = fields.pop("bid", None if ask is None else round(ask * 0.9, 2))
    return ListedOption(Right.PUT, strike, expiration, bid, ask, **fields)


def call(strike: float, bid: float | None, expiration: date = SEPTEMBER, **fields: Any) -> ListedOption:
    ask = fields.pop("ask", None if bid is None else round(bid * 1.1, 2))
    return ListedOption(Right.CALL, strike, expiration, bid, ask, **fields)


def cheapest(contracts: list[ListedOption], **asked: Any) -> CheapestHedge:
    """1,000 shares at 100 and a loan of 60,000, called at 0.75: a price of 80. Prices down to 50."""
    units, loan = asked.pop("units", 1_000.0), asked.pop("loan", 60_000.0)
    ltv = asked.pop("call_ltv", 0.75)
    asked.setdefault("price_range", (-0.5, 0.5))
    return cheapest_hedge(contracts, units, loan, 100.0, ltv, **asked)


def bought(found: CheapestHedge) -> dict[float, int]:
    assert found.hedge is not None
    return {leg.option.strike: leg.contracts for leg in found.hedge.legs}


# --- the counting


def test_the_limit_itself_is_allowed_so_that_puts_at_the_call_price_are_enough() -> None:
    found = cheapest([put(80, 0.50), put(85, 1.00)])
    assert bought(found) == {80: 10}
    assert found.net_cost == pytest.approx(10 * (50 + 0.65))
    assert found.worst_hedged_ltv == pytest.approx(0.75)
    assert found.worst_price == 50.0


def test_a_buffer_asks_for_one_put_of_a_higher_strike() -> None:
    # at 80 gold and puts must be worth 60,000 / 0.749 = 80,107: one put at 85 pays 500 there
    assert bought(cheapest([put(80, 0.50), put(85, 1.00)], buffer=0.001)) == {80: 9, 85: 1}


@pytest.mark.parametrize(
    ("credit", "contracts"),
    # 100 n h (80 - S) >= 750 (80 - S): n >= 7.5 / h
    [(HedgeCounting.CREDITED, 10), (HedgeCounting.AFTER_PAYMENT, 8), (0.5, 15), (1.0, 8), ("after_payment", 8)],
)
def test_the_credit_factor_decides_how_many_puts(credit: HedgeCounting | float, contracts: int) -> None:
    assert bought(cheapest([put(80, 0.50)], credit_factor=credit)) == {80: contracts}


@pytest.mark.parametrize(
    ("credit", "ltv"),
    [
        (HedgeCounting.CREDITED, 60_000 / (50_000 + 30_000)),
        (HedgeCounting.AFTER_PAYMENT, 60_000 / 80_000),  # worst at the strike, where nothing is paid yet
        (0.5, 60_000 / (50_000 + 0.5 / 0.75 * 45_000)),
    ],
)
def test_the_worst_ltv_is_told_as_the_lender_counts(credit: HedgeCounting | float, ltv: float) -> None:
    assert cheapest([put(80, 0.50)], credit_factor=credit).worst_hedged_ltv == pytest.approx(ltv, abs=1e-12)


def test_a_lender_who_counts_nothing_is_not_helped_by_any_option() -> None:
    found = cheapest([put(80, 0.50), put(99, 2.0)], credit_factor=HedgeCounting.IGNORED)
    assert found.status is SolveStatus.INFEASIBLE
    assert found.hedge is None
    assert found.reason.startswith("No option changes what this lender counts.")
    assert found.nearest is not None
    assert found.nearest.repay == pytest.approx(60_000 - 0.75 * 50_000)
    assert "Repay 22,500.00" in found.reason


def test_what_is_owed_on_sold_calls_gets_no_haircut() -> None:
    """Half of what puts pay is counted, all of what calls cost: at 150 the loan has 52,500 to spare and no more."""
    asked: dict[str, Any] = {
        "allow_calls": True, "credit_factor": 0.5, "min_call_strike": 90.0, "price_range": (-0.1, 0.5)
    }  # fmt: skip
    contracts = [call(90, 20.0)]
    lenient = cheapest(contracts, **asked)
    strict = cheapest(contracts, **asked, owed_factor=1.0)
    # each contract costs 100 * 60 = 6,000 at 150
    assert bought(lenient) == {90: -10}
    assert bought(strict) == {90: -8}


# --- the cost


def test_premium_on_the_loan_asks_for_more_than_premium_in_cash() -> None:
    # with n puts at 81 the loan is 60,506.50 + 10 n, and 80,000 + 100 n at 80 must be worth it over 0.75: n >= 7.8
    contracts = [put(80, 0.50), put(81, 0.60)]
    assert bought(cheapest(contracts)) == {80: 10}
    found = cheapest(contracts, premium_funding=PremiumFunding.LOAN)
    assert bought(found) == {81: 8, 80: 2}
    assert found.worst_hedged_ltv == pytest.approx((60_000 + 8 * 60.65 + 2 * 50.65) / 80_800)


def test_premium_from_sold_gold_leaves_less_gold_to_count() -> None:
    found = cheapest([put(81, 0.60)], premium_funding=PremiumFunding.SELL_GOLD)
    units = 1_000 - 10 * 60.65 / 100
    assert bought(found) == {81: 10}
    assert found.worst_hedged_ltv == pytest.approx(60_000 / (units * 81), abs=1e-12)


def test_the_floor_rule_has_the_cost_in_it() -> None:
    # 95,000 - 10 * 100.65 is a loss of 6.01 %: at 6 % one put at 96 adds 100 for 20 more
    contracts = [put(95, 1.00), put(96, 1.20)]
    assert bought(cheapest(contracts, call_ltv=None, max_loss=0.061)) == {95: 10}
    assert bought(cheapest(contracts, call_ltv=None, max_loss=0.060)) == {95: 9, 96: 1}


def test_the_same_strike_is_bought_where_it_is_cheapest_and_never_before_the_horizon() -> None:
    october = date(2026, 10, 16)
    contracts = [put(80, 0.30), put(80, 0.60, october), put(80, 0.55, DECEMBER)]
    found = cheapest(contracts, horizon=october)
    assert [leg.option.expiration for leg in found.hedge.legs] == [DECEMBER]  # type: ignore[union-attr]  # it is one
    assert [(each.option.expiration, each.reason) for each in found.rejected] == [
        (SEPTEMBER, "expires before the horizon")
    ]


def test_the_horizon_is_the_earliest_expiration_when_none_is_given() -> None:
    found = cheapest([put(80, 0.60), put(80, 0.55, DECEMBER)])
    assert not found.rejected
    assert found.net_cost == pytest.approx(10 * 55.65)


def test_a_contract_is_as_many_shares_as_it_says() -> None:
    found = cheapest([put(80, 0.50, multiplier=10)])
    assert bought(found) == {80: 100}
    assert found.net_cost == pytest.approx(100 * (5 + 0.65))


def test_gold_of_less_than_one_contract_takes_one() -> None:
    found = cheapest([put(80, 0.50)], units=30.0, loan=1_800.0)
    assert bought(found) == {80: 1}


def test_each_line_may_be_used_only_as_often_as_allowed() -> None:
    found = cheapest([put(80, 0.50), put(85, 1.00)], max_contracts_per_line=9)
    assert bought(found) == {80: 9, 85: 1}


# --- calls


def test_calls_are_sold_only_where_allowed_and_only_on_gold_that_is_there() -> None:
    contracts = [put(80, 0.50), call(120, 1.50), call(130, 0.20)]
    assert bought(cheapest(contracts)) == {80: 10}
    found = cheapest(contracts, allow_calls=True, units=1_050.0, loan=63_000.0)
    assert bought(found) == {80: 11, 120: -10}
    assert found.net_cost == pytest.approx(11 * 50.65 - 10 * 149.35)
    assert bought(cheapest(contracts, allow_calls=True, upside_cap=0.25)) == {80: 10, 130: -10}
    assert bought(cheapest(contracts, allow_calls=True, max_calls=3)) == {80: 10, 120: -3}


def test_sold_calls_before_expiry_are_a_remark_unless_they_were_tested() -> None:
    found = cheapest([put(80, 0.50), call(120, 1.50, DECEMBER)], allow_calls=True)
    assert any("Only payoffs at expiry were tested" in each for each in found.remarks)
    assert any("outlive the horizon" in each for each in found.remarks)


# --- nothing, and not enough


def test_no_option_is_bought_when_none_is_needed() -> None:
    found = cheapest([put(80, 0.50)], loan=30_000.0)
    assert found.status is SolveStatus.OPTIMAL
    assert found.hedge is not None
    assert found.hedge.legs == ()
    assert found.net_cost == 0
    assert found.lp_bound == 0
    assert found.reason.startswith("Nothing is needed")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"contracts": [put(79, 0.50)]}, "No strike is above 80.00"),
        ({"contracts": [put(80, 0.50)], "budget": 500.0}, "The budget of 500.00 is too small"),
        ({"contracts": [put(80, 0.50)], "max_puts": 9}, "Too few contracts are allowed (at most 9 puts)"),
        (
            {"contracts": [put(80, 0.50)], "max_contracts_per_line": 3},
            "Too few contracts are allowed (at most 3 of one contract)",
        ),
        ({"contracts": [put(80, None)]}, "No contract can be used: 1 no ask"),
        ({"contracts": [call(120, 1.0)], "allow_calls": True}, "There is no put to buy"),
        (
            {"contracts": [put(80, 0.50)], "max_loss": 0.02},
            "No hedge of these contracts keeps a loss of at most 2.00% of the gold (cost included)",
        ),
        ({"contracts": [put(82, 0.50)], "loan": 70_000.0}, "No strike is above 93.33"),
    ],
)
def test_what_is_infeasible_says_which_rule_is_in_the_way(asked: dict[str, Any], said: str) -> None:
    found = cheapest(asked.pop("contracts"), **asked)
    assert found.status is SolveStatus.INFEASIBLE
    assert found.reason.startswith(said)
    assert found.net_cost is None


def test_a_budget_that_is_too_small_is_told_the_one_that_is_not() -> None:
    found = cheapest([put(80, 0.50)], budget=500.0)
    assert found.nearest is not None
    assert found.nearest.budget == pytest.approx(506.5)
    # nine puts for 455.85 leave 100 shares bare: 60,000 / (1,000 * 50 + 900 * 30)
    assert found.nearest.max_hedged_ltv == pytest.approx(60_000 / 77_000, abs=1e-6)
    assert found.nearest.loan_amount == pytest.approx(0.75 * 77_000)
    assert found.nearest.repay == pytest.approx(60_000 - 0.75 * 77_000)
    assert cheapest([put(80, 0.50)], budget=found.nearest.budget).status is SolveStatus.OPTIMAL


# --- the certificate


def test_the_certificate_names_bound_gap_binding_prices_and_why_cheaper_ones_fail() -> None:
    found = cheapest([put(78, 0.49), put(80, 0.50), put(85, 1.00)], units=1_050.0, loan=63_000.0)
    assert found.net_cost == pytest.approx(11 * 50.65)
    assert found.lp_bound == pytest.approx(10.5 * 50.65)
    assert found.gap == pytest.approx(0.5 * 50.65)
    assert {each.price for each in found.binding[:2]} == {80.0, 50.0}
    assert found.binding[0].spare == pytest.approx(0.0, abs=1e-6)
    fewer, moved = sorted(found.neighbours, key=lambda each: each.net_cost)
    assert fewer.change == "one 80 put, 18 Sep 2026 fewer"
    assert fewer.price == 50.0
    assert fewer.ltv == pytest.approx(63_000 / (52_500 + 30_000))
    assert moved.change == "one 80 put, 18 Sep 2026 replaced by the 78 put, 18 Sep 2026"
    assert moved.reason == "at 78.00 (-22.0%) the hedged LTV would be 75.1 %, above 75.0 %"
    assert found.checked > 200


def test_an_ask_below_what_exercise_pays_is_doubted() -> None:
    found = cheapest([put(130, 10.0, bid=9.0)], price_range=(-0.5, 0.1))
    assert any("that quote is old or wrong" in each for each in found.remarks)


# --- what makes no sense


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ({"contracts": [put(80, 0.50, bid=0.60)]}, "contracts"),
        ({"contracts": []}, "contracts"),
        ({"call_ltv": 75}, "max_hedged_ltv"),
        ({"call_ltv": 0.0}, "max_hedged_ltv"),
        ({"buffer": 0.75}, "buffer"),
        ({"units": 0.0}, "units"),
        ({"loan": float("nan")}, "loan_amount"),
        ({"price_range": (0.6, -0.6)}, "price_range"),
        ({"price_range": (-1.0, 0.6)}, "price_range"),
        ({"credit_factor": -0.1}, "credit_factor"),
        ({"credit_factor": 0.5, "owed_factor": 0.4}, "owed_factor"),
        ({"max_puts": -1}, "max_puts"),
        ({"max_contracts_per_line": 1.5}, "max_contracts_per_line"),
        ({"max_loss": 5.0}, "max_loss"),
        ({"budget": float("inf")}, "budget"),
        ({"check_dates": "some"}, "check_dates"),
        ({"check_dates": "all"}, "at"),
    ],
)
def test_what_makes_no_sense_is_named(asked: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        cheapest(asked.pop("contracts", [put(80, 0.50)]), **asked)
    assert refused.value.argument == argument


def test_a_crossed_quote_is_named_by_its_contract() -> None:
    with pytest.raises(InvalidInput, match=r"the 80 put, 18 Sep 2026 is bid 0\.6 and asked 0\.5"):
        cheapest([put(80, 0.50, bid=0.60)])


def test_an_ask_of_zero_is_no_ask() -> None:
    found = cheapest([put(80, 0.0, bid=0.0), put(81, 0.60)])
    assert bought(found) == {81: 10}
    assert [each.reason for each in found.rejected] == ["no ask: it cannot be bought"]


# --- laws


def cost_of(found: CheapestHedge) -> float:
    return float("inf") if found.net_cost is None else found.net_cost


@pytest.mark.parametrize("seed", range(2_000, 2_040))
def test_asking_for_more_never_costs_less(seed: int) -> None:
    search = random_search(seed)
    cost = cost_of(search.solve())
    if search.call_ltv is not None:
        assert cost_of(replace(search, call_ltv=search.call_ltv * 0.97).solve()) >= cost - 1e-6
    low, high = search.price_range
    assert cost_of(replace(search, price_range=(low - 0.1, high)).solve()) >= cost - 1e-6
    assert cost_of(replace(search, commission=search.commission + 0.5).solve()) >= cost - 1e-6
    if search.budget is not None:
        assert cost_of(replace(search, budget=search.budget + 50).solve()) <= cost + 1e-6


def test_the_lowest_ltv_for_a_lender_with_a_haircut_lets_what_is_counted_go_with_the_limit() -> None:
    put = ListedOption(Right.PUT, 380.0, date(2027, 1, 15), 4.9, 5.0)

    def asked(limit: float) -> CheapestHedge:  # 30 % of what the puts pay is left out
        terms = {"credit_factor": 0.7 * limit, "owed_factor": limit, "max_puts": 8}
        return cheapest_hedge([put], 1_000, 240_000, 400, limit, **terms)  # type: ignore[arg-type]  # rules by name

    nearest = asked(0.6).nearest
    assert nearest is not None
    # at 160 eight puts pay 176,000, of which 123,200 count: 240,000 / (160,000 + 123,200)
    assert nearest.max_hedged_ltv == pytest.approx(240 / 283.2, abs=1e-5)
    assert asked(nearest.max_hedged_ltv).status is SolveStatus.OPTIMAL
    assert asked(nearest.max_hedged_ltv - 1e-4).status is SolveStatus.INFEASIBLE
