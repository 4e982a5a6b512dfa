"""LTV, call price, headroom and cure: exact to the cent against Decimal, monotone, and validated."""

import math
import random
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders import SEED_UNITS, a_held_put, a_loan, a_portfolio
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import instrument
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import (
    Collateral,
    Zone,
    cure,
    drop_to_price,
    largest_initial_ltv,
    largest_loan,
    loan_to_value,
    mark,
    price_at_ltv,
    recommended_collateral,
    require_solvent,
    sigmas_to_price,
    zone,
)
from vaultdash.domain.position import HedgeMark, MarkBasis, OptionMark

ON = date(2026, 6, 10)
SEED = 20_260_610
CASES = 20_000
CENT = Decimal("0.005")

UNITS = st.floats(0.01, 1e7)
PRICES = st.floats(0.01, 1e5)
LOANS = st.floats(1, 1e9)
LIMITS = st.floats(0.2, 0.98)
ABOVE = st.floats(1.001, 3)


NUMBERS_OF_CASES = [CASES, pytest.param(100_000, marks=pytest.mark.soak)]


@pytest.mark.parametrize("cases", NUMBERS_OF_CASES)
def test_numbers_equal_a_decimal_oracle_to_the_cent(cases):
    """J1: LTV, the three prices, drop, headroom, largest loan and recommended collateral."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with localcontext() as context:
        context.prec = 50
        for case in range(cases):
            units, price = round(chance.uniform(0.01, 50_000), 6), round(chance.uniform(0.5, 6_000), 4)
            loan, limit = (
                round(units * price * chance.uniform(0.01, 1.4), 2) + 0.01,
                round(chance.uniform(0.3, 0.95), 4),
            )
            warning, close_out = round(limit - 0.05, 4), round(limit + 0.04, 4)
            terms = {"margin_call_ltv": limit, "warning_ltv": warning, "close_out_ltv": close_out}
            found = mark(a_portfolio(units, loan, **terms), price, ON)
            u, s, owed, m = Decimal(units), Decimal(price), Decimal(loan), Decimal(limit)
            exact = {
                "gold_value": u * s,
                "warning_price": owed / (Decimal(warning) * u),
                "margin_call_price": owed / (m * u),
                "close_out_price": owed / (Decimal(close_out) * u),
                "max_loan": m * u * s,
                "headroom": m * u * s - owed,
                "recommended_collateral": owed / Decimal("0.6"),
            }
            for name, value in exact.items():
                assert abs(Decimal(getattr(found, name)) - value) < CENT, (case, name)
            assert abs(Decimal(found.ltv) - owed / (u * s)) < Decimal("1e-12"), case
            assert abs(Decimal(found.drop_to_margin_call) - (1 - owed / (m * u * s))) < Decimal("1e-12"), case


@pytest.mark.parametrize("cases", NUMBERS_OF_CASES)
def test_cure_amounts_equal_a_decimal_oracle_to_the_cent(cases):
    """J1: each of the three ways alone brings the loan to the target, and no more than that."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with localcontext() as context:
        context.prec = 50
        for case in range(cases):
            value, target = round(chance.uniform(100, 5e7), 2), round(chance.uniform(0.05, 0.95), 4)
            loan = round(value * chance.uniform(0.01, 1.4), 2) + 0.01
            ways = cure(loan, value, target)
            v, t, owed = Decimal(value), Decimal(target), Decimal(loan)
            short = owed - t * v
            if short <= 0:
                assert (ways.repay_cash, ways.add_gold, ways.sell_gold) == (0.0, 0.0, 0.0), case
                continue
            assert abs(Decimal(ways.repay_cash) - short) < CENT, case
            assert abs(Decimal(ways.add_gold) - (owed / t - v)) < CENT, case
            assert abs(Decimal(ways.sell_gold) - short / (1 - t)) < CENT, case


@pytest.mark.parametrize("cases", [4_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_hedged_numbers_equal_a_decimal_oracle_to_the_cent(cases):
    """J1 with options: L/V, (L - Pi)/V, L/(V + (1 - haircut)*Pi); sold options get no haircut."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with localcontext() as context:
        context.prec = 50
        for case in range(cases):
            units, price = round(chance.uniform(1, 50_000), 6), round(chance.uniform(0.5, 6_000), 4)
            loan, haircut = round(units * price * chance.uniform(0.1, 1.2), 2) + 0.01, round(chance.uniform(0, 1), 4)
            worth = round(chance.uniform(-0.05, 0.3) * price * units / 100, 4)
            counting = chance.choice(list(HedgeCounting))
            held = a_held_put(contracts=1 if worth >= 0 else -1)
            hedge = HedgeMark((OptionMark(held, MarkBasis.QUOTE, abs(worth), None, None, "test"),))
            terms = {"hedge_counting": counting, "hedge_haircut": haircut}
            found = mark(a_portfolio(units, loan, **terms), price, ON, hedge)
            v, owed, m = Decimal(units) * Decimal(price), Decimal(loan), Decimal("0.75")
            pi = Decimal(worth) * 100
            part = 1 - Decimal(haircut) if pi > 0 else Decimal(1)
            expected = {
                HedgeCounting.IGNORED: (owed / v, Decimal(0)),
                HedgeCounting.AFTER_PAYMENT: ((owed - pi) / v, pi),
                HedgeCounting.CREDITED: (owed / (v + part * pi), m * part * pi),
            }
            for each, (ltv, _) in expected.items():
                assert abs(Decimal(found.counted(each)) - ltv) < Decimal("1e-12"), (case, each)
            assert found.lender_ltv == found.counted(counting), case
            assert abs(Decimal(found.headroom) - (m * v + expected[counting][1] - owed)) < CENT, case
            assert abs(Decimal(found.equity) - (v + pi - owed)) < CENT, case
            # No call <=> L < m*V + h*Pi: the two ways to say it agree, but for what is on the line itself.
            if abs(found.headroom) > 0.01:
                assert found.is_called == (found.headroom < 0), case


def test_options_that_have_eaten_the_collateral_make_an_ltv_without_end():
    hedge = HedgeMark((OptionMark(a_held_put(contracts=-100), MarkBasis.MODEL, 150.0, None, None, "test"),))
    found = mark(a_portfolio(hedge_counting=HedgeCounting.CREDITED), 460.0, ON, hedge)
    assert (found.lender_ltv, found.zone, found.is_called) == (math.inf, Zone.CLOSE_OUT, True)


@given(worth=st.floats(0, 200), more=st.floats(0.01, 100), haircut=st.floats(0, 1))
def test_more_hedge_never_raises_the_ltv_and_a_larger_haircut_never_lowers_it(worth, more, haircut):
    def marked(each, of_haircut, counting):
        hedge = HedgeMark((OptionMark(a_held_put(), MarkBasis.QUOTE, each, None, None, "test"),))
        return mark(a_portfolio(hedge_counting=counting, hedge_haircut=of_haircut), 460.0, ON, hedge).lender_ltv

    for counting in HedgeCounting:
        assert marked(worth + more, haircut, counting) <= marked(worth, haircut, counting)
        assert marked(worth, haircut, counting) >= marked(worth, haircut / 2, counting)


def test_the_loan_of_the_brief():
    found = mark(a_portfolio(), 460.0, ON)
    assert found.ltv == pytest.approx(0.60, abs=1e-12)
    assert found.margin_call_price == pytest.approx(368.00, abs=1e-9)
    assert found.warning_price == pytest.approx(394.2857142857, abs=1e-9)
    assert found.close_out_price == pytest.approx(324.7058823529, abs=1e-9)
    assert found.drop_to_margin_call == pytest.approx(0.20, abs=1e-12)
    assert found.headroom == pytest.approx(150_000.0, abs=1e-6)
    assert found.max_loan == pytest.approx(750_000.0, abs=1e-6)
    assert found.recommended_collateral == pytest.approx(1_000_000.0, abs=1e-6)
    assert found.zone is Zone.ROOM
    assert not found.is_called


def test_exactly_on_the_call_price_is_a_call():
    found = mark(a_portfolio(SEED_UNITS, 600_000), 460.0 * (1 - 0.2), ON)
    assert found.is_called
    assert found.zone is Zone.CALL


def test_a_cent_above_the_call_price_is_no_call():
    assert not mark(a_portfolio(SEED_UNITS, 600_000), 368.01, ON).is_called


@given(UNITS, LOANS, LIMITS)
def test_every_call_price_is_a_call_whatever_the_float_says(units, loan, limit):
    terms = {"margin_call_ltv": limit, "warning_ltv": limit / 2, "close_out_ltv": 0.99}
    portfolio = a_portfolio(units, loan, **terms)
    assert mark(portfolio, price_at_ltv(loan, units, limit), ON).is_called


@pytest.mark.parametrize(
    ("ltv", "expected"),
    [(0.10, "room"), (0.6999, "room"), (0.70, "warning"), (0.7499, "warning"), (0.75, "call"), (0.8499, "call"),
     (0.85, "close_out"), (1.7, "close_out")],
)  # fmt: skip
def test_a_limit_belongs_to_the_zone_above_it(ltv, expected):
    assert zone(ltv, a_loan()) == expected


def test_a_loan_above_its_limit_is_shown_as_called():
    found = mark(a_portfolio(SEED_UNITS, 800_000), 460.0, ON)
    assert found.is_called
    assert found.drop_to_margin_call < 0
    assert found.headroom == pytest.approx(-50_000, abs=1e-6)


def test_a_loan_under_water_is_shown_when_the_price_brought_it_there():
    found = mark(a_portfolio(SEED_UNITS, 600_000), 200.0, ON)
    assert found.ltv > 1
    assert found.zone is Zone.CLOSE_OUT


@pytest.mark.parametrize("loan", [1_000_000.0, 1_200_000.0])
def test_an_entered_loan_of_all_the_collateral_or_more_is_refused(loan):
    with pytest.raises(InvalidInput, match=r"^loan_amount is 1[02]0% of the collateral's value.*below 100 %"):
        require_solvent(mark(a_portfolio(1_000, loan), 1_000.0, ON))


def test_an_entered_loan_above_its_call_limit_is_allowed():
    found = mark(a_portfolio(1_000, 990_000), 1_000.0, ON)
    assert require_solvent(found) is found


@pytest.mark.parametrize("price", [0, -1, math.nan, math.inf])
def test_a_portfolio_is_marked_at_a_price_above_zero(price):
    with pytest.raises(InvalidInput, match="price"):
        mark(a_portfolio(), price, ON)


@pytest.mark.parametrize("units", [0, -1, math.nan, math.inf])
def test_collateral_needs_units_above_zero(units):
    with pytest.raises(InvalidInput, match="units"):
        Collateral.of(instrument("GLD"), units)


@pytest.mark.parametrize("loan", [0, -1, math.nan, math.inf])
def test_arithmetic_refuses_a_loan_that_is_none(loan):
    for work in (lambda: loan_to_value(loan, 1e6), lambda: price_at_ltv(loan, 1, 0.75), lambda: cure(loan, 1e6, 0.6)):
        with pytest.raises(InvalidInput, match="loan_amount"):
            work()


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_arithmetic_refuses_collateral_that_is_worth_nothing(value):
    for work in (lambda: loan_to_value(1, value), lambda: cure(1, value, 0.6)):
        with pytest.raises(InvalidInput, match="collateral_value"):
            work()


def test_units_too_small_to_count_are_refused_and_do_not_divide_by_zero():
    with pytest.raises(InvalidInput, match="units"):
        price_at_ltv(600_000, 5e-324, 0.01)


# monotone laws


@given(UNITS, PRICES, LOANS, ABOVE)
def test_ltv_falls_as_gold_rises(units, price, loan, factor):
    portfolio = a_portfolio(units, loan)
    assert mark(portfolio, price * factor, ON).ltv < mark(portfolio, price, ON).ltv


@given(UNITS, PRICES, LOANS, ABOVE)
def test_a_larger_loan_is_called_at_a_higher_price(units, price, loan, factor):
    small, large = mark(a_portfolio(units, loan), price, ON), mark(a_portfolio(units, loan * factor), price, ON)
    assert large.margin_call_price > small.margin_call_price
    assert large.headroom < small.headroom
    assert large.drop_to_margin_call < small.drop_to_margin_call


@given(UNITS, PRICES, LOANS, ABOVE)
def test_more_gold_lowers_the_call_price(units, price, loan, factor):
    few, many = mark(a_portfolio(units, loan), price, ON), mark(a_portfolio(units * factor, loan), price, ON)
    assert many.margin_call_price < few.margin_call_price
    assert many.headroom >= few.headroom  # equal where a cent of gold is lost beside the loan


@given(UNITS, PRICES, LOANS)
def test_the_lender_warns_before_calling_and_calls_before_selling(units, price, loan):
    found = mark(a_portfolio(units, loan), price, ON)
    assert found.warning_price > found.margin_call_price > found.close_out_price


@given(UNITS, PRICES, LOANS, LIMITS, LIMITS)
def test_a_harsher_limit_never_raises_safety(units, price, loan, one, other):
    harsh, mild = sorted((one, other))
    assume(mild - harsh > 1e-6)

    def at(limit: float):
        terms = {"margin_call_ltv": limit, "warning_ltv": limit * 0.9, "close_out_ltv": 0.99}
        return mark(a_portfolio(units, loan, **terms), price, ON)

    assert at(harsh).margin_call_price > at(mild).margin_call_price
    assert at(harsh).headroom < at(mild).headroom


@given(LOANS, st.floats(1, 1e10), LIMITS, LIMITS)
def test_a_lower_target_never_needs_less(loan, value, one, other):
    low, high = sorted((one, other))
    strict, easy = cure(loan, value, low), cure(loan, value, high)
    assert strict.repay_cash >= easy.repay_cash
    assert strict.add_gold >= easy.add_gold


@given(st.floats(1, 1e9), st.floats(0.05, 1.5), LIMITS)
def test_each_cure_brings_the_loan_to_its_target(value, ltv, target):
    loan = value * ltv
    ways = cure(loan, value, target)
    if ltv <= target:
        assume(ltv < target * (1 - 1e-9))
        assert (ways.repay_cash, ways.add_gold, ways.sell_gold) == (0.0, 0.0, 0.0)
        return
    assert (loan - ways.repay_cash) / value == pytest.approx(target, rel=1e-9)
    assert loan / (value + ways.add_gold) == pytest.approx(target, rel=1e-9)
    if ways.sell_gold < 0.99 * value:
        assert (loan - ways.sell_gold) / (value - ways.sell_gold) == pytest.approx(target, rel=1e-6)


def test_a_cure_by_selling_more_than_there_is_says_the_loan_is_under_water():
    assert cure(1_100_000, 1_000_000, 0.75).sell_gold > 1_000_000


def test_selling_at_the_limit_takes_a_multiple_of_the_shortfall():
    ways = cure(760_000, 1_000_000, 0.75)
    assert ways.repay_cash == pytest.approx(10_000, abs=1e-6)
    assert ways.sell_gold == pytest.approx(40_000, abs=1e-6)  # 1 / (1 - 0.75) times as much


def test_the_largest_initial_ltv_survives_the_fall():
    assert largest_initial_ltv(0.75, 0.2) == pytest.approx(0.60)
    for limit, drop in ((1.0, 0.2), (0.75, 0.0), (0.75, 1.0), (0.75, 20)):
        with pytest.raises(InvalidInput):
            largest_initial_ltv(limit, drop)


def test_the_largest_loan_stands_at_its_limit():
    assert loan_to_value(largest_loan(1_000_000, 0.75), 1_000_000) == 0.75


def test_recommended_collateral_is_the_loan_by_the_target():
    assert recommended_collateral(600_000) == pytest.approx(1_000_000)
    assert recommended_collateral(600_000, 0.5) == pytest.approx(1_200_000)
    with pytest.raises(InvalidInput, match=r"write 0\.6 for 60 %"):
        recommended_collateral(600_000, 60)


def test_a_drop_is_a_fraction_of_the_price():
    assert drop_to_price(460, 368) == pytest.approx(0.2)
    assert drop_to_price(300, 368) < 0


def test_daily_sigmas_to_the_call():
    # ln(460/368) = 0.2231436; one day at 16 % is 0.16/sqrt(252) = 0.0100791
    assert sigmas_to_price(460, 368, 0.16) == pytest.approx(22.1393, abs=1e-3)
    assert sigmas_to_price(368, 368, 0.16) == 0.0
    assert sigmas_to_price(360, 368, 0.16) < 0


def test_a_year_is_252_daily_sigmas_squared():
    assert sigmas_to_price(460, 368, 0.16, days=252) == pytest.approx(math.log(460 / 368) / 0.16)


@pytest.mark.parametrize("volatility", [0, -0.1, math.nan])
def test_sigmas_need_a_volatility(volatility):
    with pytest.raises(InvalidInput, match="volatility"):
        sigmas_to_price(460, 368, volatility)


# what-if


def test_units_stay_when_the_price_moves():
    portfolio = a_portfolio()
    assert mark(portfolio, 300.0, ON).shares == mark(portfolio, 460.0, ON).shares == SEED_UNITS


def test_another_value_rescales_the_units_of_the_what_if_only():
    portfolio = a_portfolio()
    other = portfolio.with_value(500_000, 400.0, ON)
    assert other.collateral.units_on(ON) == pytest.approx(1_250.0)
    assert mark(other, 400.0, ON).gold_value == pytest.approx(500_000)
    assert portfolio.collateral.units_on(ON) == SEED_UNITS
    assert other.loan is portfolio.loan


def test_another_value_rescales_bullion_in_its_own_unit():
    other = a_portfolio(100.0, symbol="XAU-KG").with_value(1_000_000, 400.0, ON)
    assert mark(other, 400.0, ON).gold_value == pytest.approx(1_000_000)
    grams = other.collateral.units_on(ON) * 1000
    assert grams == pytest.approx(2_500 * instrument("GLD").ounces_per_unit(ON) * 31.1034768)


@pytest.mark.parametrize(
    ("value", "price", "named"),
    [
        (0, 460, "portfolio_value"),
        (-1, 460, "portfolio_value"),
        (math.nan, 460, "portfolio_value"),
        (1e6, 0, "spot"),
        (1e6, math.inf, "spot"),
        (1e-320, 1e5, "units"),
    ],
)
def test_a_what_if_is_validated_like_the_rest(value, price, named):
    with pytest.raises(InvalidInput, match=named):
        a_portfolio().with_value(value, price, ON)


def test_other_terms_replace_the_loan_of_the_what_if_only():
    portfolio = a_portfolio()
    other = portfolio.with_terms(500_000, 0.8)
    assert (other.loan.amount, other.loan.margin_call_ltv) == (500_000, 0.8)
    assert (portfolio.loan.amount, portfolio.loan.margin_call_ltv) == (600_000, 0.75)
    assert other.collateral is portfolio.collateral


def test_no_other_terms_leave_the_loan_as_it_is():
    assert a_portfolio().with_terms(None, None) == a_portfolio()


@given(st.floats(0.001, 0.999))
def test_any_limit_takes_the_other_limits_along(limit):
    loan = a_portfolio().with_terms(None, limit).loan
    assert loan.margin_call_ltv == limit
    assert 0 < loan.warning_ltv < limit <= loan.close_out_ltv < 1


@pytest.mark.parametrize(("amount", "limit", "named"), [(0, None, "loan_amount"), (math.nan, None, "loan_amount"),
    (None, 0, "margin_call_ltv"), (None, 1, "margin_call_ltv"), (None, 75, "margin_call_ltv")])  # fmt: skip
def test_other_terms_are_validated_like_the_rest(amount, limit, named):
    with pytest.raises(InvalidInput, match=named):
        a_portfolio().with_terms(amount, limit)
