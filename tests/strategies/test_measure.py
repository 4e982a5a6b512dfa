"""Cost, protection, scenarios and whole contracts, checked against QuantLib and laws."""

import math

import pytest
import QuantLib as ql  # noqa: N813  # the short name of its own documentation
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEED_UNITS, a_situation
from tests.strategies.plans import ladder, put
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import HedgeLeg, HedgePlan, MeasuredHedge, Situation
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.domain.option import Right
from vaultdash.strategies.measure import lowest_price_kept, measure, protection

unhurried = settings(deadline=None)  # the first example may load scipy
strikes = st.floats(0.5, 1.2)
volatilities = st.floats(0.05, 0.8)
loans = st.floats(50_000, 950_000)


def a_put(strike_pct: float = 1.0, **fields: object) -> MeasuredHedge:
    situation = a_situation(**fields)
    return measure(put(strike_pct).propose(situation)[0], situation)


def a_ladder(**fields: object) -> MeasuredHedge:
    situation = a_situation(**fields)
    return measure(ladder((1 / 3, 1 / 3, 1 / 3), (1.0, 0.95, 0.9)).propose(situation)[0], situation)


def quantlib_put(spot: float, strike: float, rate: float, volatility: float) -> float:
    """A one-year European put without yield, by QuantLib."""
    start, days = ql.Date(15, 1, 2025), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = start
    process = ql.BlackScholesProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(start, rate, days)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(start, ql.NullCalendar(), volatility, days)),
    )
    option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Put, strike), ql.EuropeanExercise(start + 365))
    option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
    return float(option.NPV())


@pytest.mark.parametrize("strike_pct", [1.0, 0.95, 0.90])
def test_cost_of_the_seeds_put_is_quantlibs_premium_on_all_units(strike_pct: float) -> None:
    premium = quantlib_put(460.0, 460.0 * strike_pct, 0.045, 0.16)
    cost = a_put(strike_pct).cost
    assert cost.premium_per_share == pytest.approx(premium, abs=1e-9)
    assert cost.total_cost == pytest.approx(premium * 1_000_000 / 460, abs=1e-5)
    assert cost.cost_pct_of_portfolio == pytest.approx(premium / 460, abs=1e-12)
    assert cost.term_months == 12
    assert cost.annualized_cost == pytest.approx(cost.total_cost)
    assert cost.annualized_cost_pct == pytest.approx(premium / 460, abs=1e-12)


def test_twelve_month_at_the_money_put_costs_about_4_28_per_cent() -> None:
    assert a_put().cost.cost_pct_of_portfolio == pytest.approx(0.0428, abs=5e-5)


def test_annual_cost_of_half_a_year_is_twice_its_cost() -> None:
    cost = a_put(months=6).cost
    assert cost.annualized_cost == pytest.approx(2 * cost.total_cost)
    assert cost.annualized_cost_pct == pytest.approx(2 * cost.cost_pct_of_portfolio)


def test_protection_of_the_seeds_put_at_the_call_price_of_368() -> None:
    protection = a_put().protection
    assert protection.threshold_price == pytest.approx(368.0)
    assert protection.gold_value_at_threshold == pytest.approx(800_000)
    assert protection.payoff_at_threshold == pytest.approx(200_000)
    assert protection.hedged_value_at_threshold == pytest.approx(1_000_000)
    assert protection.hedged_ltv_at_threshold == pytest.approx(0.60)
    assert protection.hedged_ltv_after_payment_at_threshold == pytest.approx(0.50)
    assert protection.maintains_margin_call_buffer
    assert protection.portfolio_floor_value == pytest.approx(1_000_000)


def test_floor_of_a_ladder_is_the_weighted_strikes_on_all_units() -> None:
    assert a_ladder().protection.portfolio_floor_value == pytest.approx(950_000)


def test_a_put_struck_at_the_call_price_does_not_keep_the_buffer() -> None:
    assert not a_put(0.8).protection.maintains_margin_call_buffer
    assert a_put(0.801).protection.maintains_margin_call_buffer


def test_a_fall_of_20_per_cent_lands_on_the_call_price_and_is_a_call_only_without_the_hedge() -> None:
    scenario = next(each for each in a_put().scenarios if each.price_change_pct == -0.2)
    assert scenario.scenario_price == pytest.approx(368.0)
    assert scenario.unhedged_ltv == pytest.approx(0.75)
    assert scenario.margin_call_without_hedge
    assert not scenario.margin_call_with_hedge
    assert not scenario.margin_call_after_payment


def test_scenario_figures_follow_the_seeds_formulas() -> None:
    hedge = a_put(0.95)
    scenario = next(each for each in hedge.scenarios if each.price_change_pct == -0.4)
    payoff = (437.0 - 276.0) * SEED_UNITS
    assert scenario.gold_value == pytest.approx(600_000)
    assert scenario.option_payoff == pytest.approx(payoff)
    assert scenario.hedge_cost == hedge.cost.total_cost
    assert scenario.hedged_collateral == pytest.approx(600_000 + payoff)
    assert scenario.net_portfolio_value == pytest.approx(600_000 + payoff - hedge.cost.total_cost)
    assert scenario.net_equity == pytest.approx(payoff - hedge.cost.total_cost)
    assert scenario.unhedged_ltv == pytest.approx(1.0)
    assert scenario.hedged_ltv == pytest.approx(600_000 / (600_000 + payoff))
    assert scenario.hedged_ltv_after_payment == pytest.approx((600_000 - payoff) / 600_000)


def test_all_twelve_points_of_the_seeds_are_kept_in_order() -> None:
    assert [each.price_change_pct for each in a_put().scenarios] == list(a_situation().price_changes)


def test_scenarios_without_a_positive_price_are_left_out() -> None:
    assert [each.price_change_pct for each in a_put(price_changes=(-1.2, -1.0, -0.5)).scenarios] == [-0.5]


@pytest.mark.parametrize("change", [math.nan, math.inf, 1e300])
def test_a_price_change_that_is_no_number_is_refused(change: float) -> None:
    with pytest.raises(InvalidInput) as refusal:
        a_put(price_changes=(0.0, change))
    assert refusal.value.argument == "price_changes"


def test_repaid_loan_may_fall_below_zero() -> None:
    scenario = a_put(loan_amount=100_000.0, price_changes=(-0.6,)).scenarios[0]
    assert scenario.hedged_ltv_after_payment == pytest.approx((100_000 - 600_000) / 400_000)
    assert not scenario.margin_call_after_payment


def test_seed_portfolio_needs_21_or_22_contracts() -> None:
    hedge = a_put()
    assert (hedge.contracts_floor.contracts, hedge.contracts_ceil.contracts) == (21, 22)
    assert (hedge.contracts_floor.covered_units, hedge.contracts_ceil.covered_units) == (2100.0, 2200.0)
    assert hedge.contracts_ceil.cost.premium_per_share == pytest.approx(hedge.cost.premium_per_share)
    assert hedge.contracts_ceil.cost.total_cost == pytest.approx(2200 * hedge.cost.premium_per_share)
    assert hedge.contracts_floor.protection.payoff_at_threshold == pytest.approx(2100 * 92.0)
    assert hedge.contracts_floor.protection.hedged_ltv_at_threshold == pytest.approx(600_000 / (800_000 + 2100 * 92))
    assert hedge.contracts_floor.protection.portfolio_floor_value == pytest.approx(2100 * 460)


def test_a_ladder_is_rounded_as_a_whole_and_the_odd_contract_has_the_highest_strike() -> None:
    hedge = a_ladder()
    assert hedge.contracts_floor.contracts_per_leg == (7, 7, 7)
    assert hedge.contracts_ceil.contracts_per_leg == (8, 7, 7)
    assert (hedge.contracts_floor.contracts, hedge.contracts_ceil.contracts) == (21, 22)
    high, middle, low = (leg.premium_per_share for leg in hedge.legs)
    assert hedge.contracts_ceil.cost.total_cost == pytest.approx(800 * high + 700 * middle + 700 * low)


@pytest.mark.parametrize(
    ("weights", "strike_pcts", "units", "floor", "ceil"),
    [
        ((0.5, 0.5), (1.0, 0.95), 2100.0, (11, 10), (11, 10)),
        ((0.5, 0.5), (0.95, 1.0), 2100.0, (10, 11), (10, 11)),
        ((0.25, 0.75), (1.0, 0.95), 1000.0, (3, 7), (3, 7)),
        ((0.2, 0.8), (1.0, 0.95), 1250.0, (2, 10), (3, 10)),
        ((0.2, 0.8), (1.0, 0.95), 1230.0, (2, 10), (3, 10)),
        ((0.5, 0.5), (1.0, 0.95), 60.0, (0, 0), (1, 0)),
        ((1 / 3, 1 / 3, 1 / 3), (1.0, 0.95, 0.9), 3300.0 * (1 - 1e-13), (11, 11, 11), (11, 11, 11)),
    ],
)
def test_contracts_go_to_the_largest_remainders(
    weights: tuple[float, ...],
    strike_pcts: tuple[float, ...],
    units: float,
    floor: tuple[int, ...],
    ceil: tuple[int, ...],
) -> None:
    situation = a_situation(units=units, loan_amount=0.6 * 460 * units)
    plan = ladder(weights, strike_pcts).propose(situation)[0]
    hedge = measure(plan, situation)
    assert hedge.contracts_floor.contracts_per_leg == floor
    assert hedge.contracts_ceil.contracts_per_leg == ceil


@unhurried
@given(
    st.lists(st.tuples(st.floats(0.02, 1.0), strikes), min_size=1, max_size=6, unique_by=lambda leg: leg[1]),
    st.floats(5, 1_000_000),
)
def test_contracts_of_the_legs_sum_to_the_units_rounded_once(legs: list[tuple[float, float]], units: float) -> None:
    whole = sum(weight for weight, _ in legs)
    situation = a_situation(units=units, loan_amount=0.6 * 460 * units)
    weights = [weight / whole for weight, _ in legs]
    hedge = measure(ladder(weights, [strike for _, strike in legs]).propose(situation)[0], situation)
    quotas = [units * weight / 100 for weight in weights]
    for rounded, total in ((hedge.contracts_floor, math.floor), (hedge.contracts_ceil, math.ceil)):
        if abs(units / 100 - round(units / 100)) > 1e-6:
            assert rounded.contracts == sum(rounded.contracts_per_leg) == total(units / 100)
        for count, quota in zip(rounded.contracts_per_leg, quotas, strict=True):
            assert quota - 1.00001 < count < quota + 1.00001


@pytest.mark.parametrize("units", [2200.0, 2200.0 * (1 + 1e-13), 2200.0 * (1 - 1e-13), 0.22 * 10_000])
def test_a_whole_number_of_contracts_stays_whole_whatever_the_float_says(units: float) -> None:
    hedge = a_put(units=units)
    assert hedge.contracts_floor.contracts == hedge.contracts_ceil.contracts == 22


def test_one_unit_too_many_takes_another_contract() -> None:
    assert a_put(units=2201.0).contracts_ceil.contracts == 23
    assert a_put(units=2199.0).contracts_floor.contracts == 21


def test_a_portfolio_below_one_contract_is_unprotected_when_rounded_down() -> None:
    small = a_put(units=60.0, loan_amount=16_560.0).contracts_floor
    assert small.contracts == 0
    assert small.cost.total_cost == small.cost.premium_per_share == small.cost.annualized_cost_pct == 0.0
    assert small.protection.payoff_at_threshold == 0.0
    assert small.protection.hedged_ltv_at_threshold == pytest.approx(0.75)
    assert not small.protection.maintains_margin_call_buffer
    assert small.protection.portfolio_floor_value == 0.0


def test_given_premiums_replace_the_models() -> None:
    situation = a_situation()
    plan = put(1.0).propose(situation)[0]
    assert measure(plan, situation, [10.0]).cost.total_cost == pytest.approx(10 * SEED_UNITS)


def test_leg_costs_sum_to_the_total() -> None:
    hedge = a_ladder()
    assert sum(leg.leg_cost for leg in hedge.legs) == pytest.approx(hedge.cost.total_cost)


@unhurried
@given(strikes, strikes, loans)
def test_a_higher_strike_never_raises_the_hedged_ltv_nor_lowers_the_cost(
    one: float, other: float, loan: float
) -> None:
    low, high = (a_put(strike, loan_amount=loan) for strike in sorted((one, other)))
    assert high.protection.hedged_ltv_at_threshold <= low.protection.hedged_ltv_at_threshold + 1e-12
    assert high.cost.total_cost >= low.cost.total_cost - 1e-6
    for below, above in zip(low.scenarios, high.scenarios, strict=True):
        assert above.hedged_ltv <= below.hedged_ltv + 1e-12


@unhurried
@given(strikes, volatilities, volatilities)
def test_dearer_volatility_never_lowers_the_cost(strike: float, one: float, other: float) -> None:
    calm, wild = (a_put(strike, volatility=volatility).cost for volatility in sorted((one, other)))
    assert wild.total_cost >= calm.total_cost - 1e-6


@unhurried
@given(strikes, loans, volatilities)
def test_a_hedge_never_raises_the_ltv_and_payment_beats_credit_while_the_loan_is_covered(
    strike: float, loan: float, volatility: float
) -> None:
    for each in a_put(strike, loan_amount=loan, volatility=volatility).scenarios:
        assert each.hedged_ltv <= each.unhedged_ltv + 1e-12
        assert each.hedged_ltv_after_payment <= each.unhedged_ltv + 1e-12
        assert each.margin_call_without_hedge or not each.margin_call_with_hedge
        # (L-P)/V <= L/(V+P) exactly when P*(V+P-L) >= 0
        if loan <= each.hedged_collateral:
            assert each.hedged_ltv_after_payment <= each.hedged_ltv + 1e-12


@unhurried
@given(strikes, st.floats(10, 100_000))
def test_rounding_down_never_covers_more_than_rounding_up(strike: float, units: float) -> None:
    hedge = a_put(strike, units=units, loan_amount=0.6 * 460 * units)
    floor, ceil = hedge.contracts_floor, hedge.contracts_ceil
    assert floor.contracts <= ceil.contracts <= floor.contracts + 1
    assert floor.covered_units <= units * (1 + 1e-8)
    assert ceil.covered_units >= units * (1 - 1e-8)
    assert floor.cost.total_cost <= ceil.cost.total_cost
    assert floor.protection.hedged_ltv_at_threshold >= ceil.protection.hedged_ltv_at_threshold


@unhurried
@given(st.floats(0.3, 0.74), st.floats(0.1, 0.95), strikes)
def test_full_cover_keeps_the_buffer_exactly_when_the_strike_is_above_the_call_price(
    ltv: float, limit: float, strike: float
) -> None:
    situation: Situation = a_situation(loan_amount=ltv * 1_000_000, margin_call_ltv=limit)
    strike_price = 460 * strike
    if abs(strike_price - situation.margin_call_price) > 1e-5:
        keeps = a_put(
            strike, loan_amount=ltv * 1_000_000, margin_call_ltv=limit
        ).protection.maintains_margin_call_buffer
        assert keeps == (strike_price > situation.margin_call_price)


# how far down the call is kept away


def a_plan(*legs: tuple[float, float], right: Right = Right.PUT) -> HedgePlan:
    """Legs of (weight, strike in parts of a spot of 460)."""
    return HedgePlan("plan", "Plan", tuple(HedgeLeg(right, 460 * pct, pct, weight, 12) for weight, pct in legs))


def is_called(plan: HedgePlan, situation: Situation, price: float, counting: HedgeCounting) -> bool:
    """The definition, at one price."""
    value = situation.units * price
    paid = sum(max(leg.strike - price, 0.0) * situation.units * leg.weight for leg in plan.legs)
    if counting is HedgeCounting.CREDITED:
        return is_breached(situation.loan_amount / (value + paid), situation.margin_call_ltv)
    if counting is HedgeCounting.AFTER_PAYMENT:
        return is_breached((situation.loan_amount - paid) / value, situation.margin_call_ltv)
    return is_breached(situation.loan_amount / value, situation.margin_call_ltv)


def test_a_full_put_above_the_call_price_keeps_the_call_away_at_every_price() -> None:
    kept = a_put(0.95).protection
    assert (kept.lowest_price_kept_credited, kept.lowest_price_kept_after_payment) == (0.0, 0.0)


def test_without_a_payoff_in_reach_the_call_comes_at_the_call_price() -> None:
    kept = a_put(0.5).protection
    assert kept.lowest_price_kept_credited == pytest.approx(368.0, abs=1e-5)
    assert kept.lowest_price_kept_after_payment == pytest.approx(368.0, abs=1e-5)
    plan = a_plan((1.0, 1.0))
    assert lowest_price_kept(plan, a_situation(), HedgeCounting.IGNORED) == pytest.approx(368.0, abs=1e-5)


def test_a_loan_called_at_spot_has_no_price_at_which_the_call_is_kept_away() -> None:
    kept = a_put(1.0, loan_amount=750_000.0).protection
    assert (kept.lowest_price_kept_credited, kept.lowest_price_kept_after_payment) == (None, None)


def test_a_ladder_may_keep_the_buffer_at_the_call_price_and_be_called_soon_below_it() -> None:
    hedge = a_ladder(loan_amount=735_000.0, price_changes=(-0.05,))
    kept = hedge.protection
    assert kept.maintains_margin_call_buffer
    assert hedge.scenarios[0].margin_call_with_hedge
    assert hedge.scenarios[0].margin_call_after_payment
    # between 437 and 460 only the first third pays: 0.75*(S + (460-S)/3) = L/U and L/U - (460-S)/3 = 0.75*S
    credited = (0.735 / 0.75 - 1 / 3) * 460 * 1.5
    repaid = (0.735 - 1 / 3) * 460 / (0.75 - 1 / 3)
    assert kept.lowest_price_kept_credited == pytest.approx(credited, rel=1e-6)
    assert kept.lowest_price_kept_after_payment == pytest.approx(repaid, rel=1e-6)
    assert 437.0 < repaid < credited < 460.0


def test_rounded_down_cover_is_judged_by_its_own_units() -> None:
    hedge = a_put(1.0, units=190.0, loan_amount=0.7 * 460 * 190)
    assert hedge.protection.lowest_price_kept_credited == 0.0
    assert hedge.contracts_ceil.protection.lowest_price_kept_credited == 0.0
    expected = (0.7 * 190 / 0.75 - 100) * 460 / 90
    assert hedge.contracts_floor.protection.lowest_price_kept_credited == pytest.approx(expected, rel=1e-6)


@unhurried
@given(
    st.lists(st.tuples(st.floats(0.05, 1.0), st.floats(0.3, 1.3)), min_size=1, max_size=5),
    st.floats(0.2, 0.98),
    st.floats(0.3, 0.95),
    st.sampled_from(HedgeCounting),
)
def test_the_lowest_price_kept_is_the_first_call_going_down_a_fine_grid(
    legs: list[tuple[float, float]], ltv: float, limit: float, counting: HedgeCounting
) -> None:
    whole = sum(weight for weight, _ in legs)
    plan = a_plan(*((weight / whole, pct) for weight, pct in legs))
    situation = a_situation(loan_amount=ltv * 1_000_000, margin_call_ltv=limit)
    kept = lowest_price_kept(plan, situation, counting)
    if kept is None:
        assert is_called(plan, situation, 460.0, counting)
        return
    prices = [460.0 * (1 - step / 2000) for step in range(2000)]
    assert [
        price for price in prices if price > kept * (1 + 1e-7) and is_called(plan, situation, price, counting)
    ] == []
    if kept > 1e-3:
        assert is_called(plan, situation, kept * (1 - 1e-9), counting) or is_called(plan, situation, kept, counting)


# the least that is left


def test_more_puts_than_shares_are_worth_least_at_the_strike() -> None:
    hedge = a_put()
    assert hedge.contracts_ceil.covered_units > SEED_UNITS
    assert hedge.contracts_ceil.protection.portfolio_floor_value == pytest.approx(1_000_000)
    assert hedge.protection.portfolio_floor_value == pytest.approx(1_000_000)


@unhurried
@given(
    st.lists(st.tuples(st.floats(0.05, 1.0), st.floats(0.3, 1.3)), min_size=1, max_size=4),
    st.lists(st.integers(0, 40), min_size=4, max_size=4),
)
def test_the_floor_of_whole_contracts_is_the_least_over_all_prices(
    legs: list[tuple[float, float]], counts: list[int]
) -> None:
    whole = sum(weight for weight, _ in legs)
    plan = a_plan(*((weight / whole, pct) for weight, pct in legs))
    units = [100.0 * count for count in counts[: len(legs)]]

    def value(price: float) -> float:
        paid = sum(max(leg.strike - price, 0.0) * count for leg, count in zip(plan.legs, units, strict=True))
        return SEED_UNITS * price + paid

    floor = protection(plan, a_situation(), units).portfolio_floor_value
    grid = [*(float(price) for price in range(700)), *(leg.strike for leg in plan.legs)]
    assert floor == pytest.approx(min(map(value, grid)))
