"""The loan, its limits and its interest."""

import math
import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_loan
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest, day_count_after, is_breached, restated


@pytest.mark.parametrize("amount", [0, -1, math.nan, math.inf])
def test_a_loan_needs_an_amount_above_zero(amount):
    with pytest.raises(InvalidInput, match="loan_amount"):
        a_loan(amount)


@pytest.mark.parametrize("name", ["margin_call_ltv", "warning_ltv", "close_out_ltv"])
@pytest.mark.parametrize("value", [0, 1, 1.2, -0.5, 75, math.nan, math.inf])
def test_every_limit_is_a_fraction_below_one(name, value):
    with pytest.raises(InvalidInput, match=name):
        a_loan(**{name: value})


def test_a_limit_in_per_cent_is_told_how_to_write_it():
    with pytest.raises(InvalidInput, match=r"margin_call_ltv .* write 0\.75 for 75 %"):
        a_loan(margin_call_ltv=75)


@pytest.mark.parametrize("warning", [0.75, 0.8])
def test_the_warning_comes_before_the_call(warning):
    with pytest.raises(InvalidInput, match=r"warning_ltv must be below the margin-call LTV of 0\.75"):
        a_loan(warning_ltv=warning)


def test_the_close_out_does_not_come_before_the_call():
    with pytest.raises(InvalidInput, match=r"close_out_ltv must not be below the margin-call LTV of 0\.75"):
        a_loan(close_out_ltv=0.74)


def test_a_lender_may_call_and_sell_at_the_same_limit():
    assert a_loan(close_out_ltv=0.75).close_out_ltv == 0.75


def test_a_currency_that_is_not_understood_is_refused():
    with pytest.raises(InvalidInput, match="currency must be one of USD, CHF, EUR, GBP, not 'JPY'"):
        a_loan(currency="JPY")


@pytest.mark.parametrize(
    ("ltv", "breached"),
    [(0.75, True), (0.75 - 0.9e-9, True), (0.75 - 2e-9, False), (0.7499999, False), (0.76, True)],
)
def test_a_limit_is_reached_within_a_billionth(ltv, breached):
    assert is_breached(ltv, 0.75) is breached


def test_interest_of_a_quarter_by_the_banks_year():
    # 600,000 at 4.5 % + 1.95 % for 91 days of 360: 600000 * 0.0645 * 91 / 360
    assert Interest(0.045, 0.0195).accrued(600_000, 91) == pytest.approx(9_782.50, abs=1e-9)


def test_interest_by_a_year_of_365_days():
    assert Interest(0.04, 0.01, DayCount.ACT_365).accrued(365_000, 10) == pytest.approx(500.0, abs=1e-9)


@pytest.mark.parametrize(
    ("told", "was", "now", "meant"),
    [
        (DayCount.ACT_360, "USD", "GBP", DayCount.ACT_365),
        (DayCount.ACT_365, "GBP", "CHF", DayCount.ACT_360),
        (DayCount.ACT_360, "EUR", "CHF", DayCount.ACT_360),
        (DayCount.ACT_365, "USD", "EUR", DayCount.ACT_365),
        (DayCount.ACT_360, "GBP", "GBP", DayCount.ACT_360),
    ],
)
def test_a_pounds_year_has_365_days_and_an_unusual_day_count_stays(told, was, now, meant):
    assert day_count_after(told, was, now) is meant


def test_interest_on_pounds_by_a_year_of_365_days():
    interest = Interest(0.045, 0.0195, day_count_after(DayCount.ACT_360, "USD", "GBP"))
    assert interest.accrued(450_000.0, 365) == pytest.approx(29_025.0)  # 6.45 % of it, no more


def test_no_days_cost_nothing():
    assert Interest().accrued(600_000, 0) == 0.0


def test_a_reference_rate_below_zero_is_possible():
    assert Interest(-0.0075, 0.0195).rate == pytest.approx(0.012)


@pytest.mark.parametrize("name", ["reference_rate", "spread"])
@pytest.mark.parametrize("value", [4.5, -0.06, 0.51, math.nan, math.inf])
def test_a_rate_in_per_cent_is_refused(name, value):
    with pytest.raises(InvalidInput, match=name):
        Interest(**{name: value})


@given(st.floats(1, 1e9), st.integers(1, 3650), st.floats(0, 0.3))
def test_interest_grows_with_every_day(amount, days, rate):
    interest = Interest(rate, 0.01)
    assert interest.accrued(amount, days + 1) > interest.accrued(amount, days) > 0


# what is owed


LOAN_OF = date(2026, 1, 15)
GROWING = Interest(0.045, 0.0195, capitalised=True)


def test_capitalised_interest_is_added_at_each_end_of_a_quarter():
    """By hand, 600,000 USD at 6.45 % on a year of 360 days from 15 January to 20 August 2026.

    To 31 March 75 days: 600,000.00 * 0.0645 * 75/360 = 8,062.50; then 91 days on 608,062.50 to 30 June: 9,913.9523;
    then 51 days on 617,976.4523 that are accrued, not yet added: 5,646.7598.
    """
    loan = a_loan(600_000, interest=GROWING, as_of=LOAN_OF)
    assert loan.owed(date(2026, 3, 31)) == pytest.approx(608_062.50, abs=1e-6)
    assert loan.owed(date(2026, 6, 30)) == pytest.approx(617_976.4523, abs=1e-4)
    assert loan.owed(date(2026, 8, 20)) == pytest.approx(623_623.2122, abs=1e-4)


def test_what_is_owed_equals_a_decimal_oracle_to_the_cent():
    print("seed 20260610")
    chance = random.Random(20_260_610)
    with localcontext() as context:
        context.prec = 50
        for case in range(300):
            amount = round(chance.uniform(1_000, 1e8), 2)
            reference, spread = round(chance.uniform(-0.01, 0.12), 5), round(chance.uniform(0, 0.05), 5)
            count = chance.choice(list(DayCount))
            since = date(2020, 1, 1) + timedelta(days=chance.randrange(2_000))
            on = since + timedelta(days=chance.randrange(800))
            loan = a_loan(amount, interest=Interest(reference, spread, count, True), as_of=since)
            rate = (Decimal(reference) + Decimal(spread)) / (360 if count is DayCount.ACT_360 else 365)
            owed, accrued, day = Decimal(amount), Decimal(0), since
            while day < on:  # a day at a time, as a bank's ledger does
                day += timedelta(days=1)
                accrued += owed * rate
                if (day + timedelta(days=1)).day == 1 and day.month % 3 == 0:
                    owed, accrued = owed + accrued, Decimal(0)
            assert abs(Decimal(loan.owed(on)) - (owed + accrued)) < Decimal("0.005"), case


def test_interest_paid_in_cash_leaves_what_is_owed():
    loan = a_loan(600_000, interest=Interest(), as_of=LOAN_OF)
    assert loan.owed(date(2027, 1, 15)) == 600_000
    assert loan.brought_to(date(2027, 1, 15)) is loan


def test_before_its_day_and_without_one_the_amount_is_what_is_owed():
    assert a_loan(600_000, interest=GROWING, as_of=LOAN_OF).owed(date(2025, 12, 31)) == 600_000
    assert a_loan(600_000, interest=GROWING).owed(date(2030, 1, 1)) == 600_000


@given(st.integers(0, 2_000), st.integers(1, 2_000), st.floats(0, 0.2))
def test_what_is_owed_never_falls_while_the_rate_is_not_negative(days, more, rate):
    loan = a_loan(600_000, interest=Interest(rate, 0.0, capitalised=True), as_of=LOAN_OF)
    assert loan.owed(LOAN_OF + timedelta(days=days + more)) >= loan.owed(LOAN_OF + timedelta(days=days)) >= 600_000


# how a hedge counts


def test_the_credit_factor_of_each_counting():
    assert a_loan().credit_factor == 0.0
    assert a_loan(hedge_counting=HedgeCounting.AFTER_PAYMENT).credit_factor == 1.0
    assert a_loan(hedge_counting=HedgeCounting.CREDITED).credit_factor == 0.75
    assert a_loan(hedge_counting=HedgeCounting.CREDITED, hedge_haircut=0.2).credit_factor == pytest.approx(0.6)


def test_what_is_owed_on_sold_options_gets_no_haircut():
    loan = a_loan(hedge_counting=HedgeCounting.CREDITED, hedge_haircut=0.2)
    assert loan.factor_of(-1_000.0) == 0.75


@pytest.mark.parametrize("days", [-1, 61])
def test_cure_days_are_a_few_weeks_at_most(days):
    with pytest.raises(InvalidInput, match="cure_days"):
        a_loan(cure_days=days)


@pytest.mark.parametrize("haircut", [-0.1, 1.1, 20, math.nan])
def test_a_haircut_is_a_fraction(haircut):
    with pytest.raises(InvalidInput, match="hedge_haircut"):
        a_loan(hedge_haircut=haircut)


# restated


KEPT_LOAN = a_loan(600_000, interest=GROWING, as_of=LOAN_OF)
A_YEAR_ON = LOAN_OF + timedelta(days=365)


def test_a_new_amount_is_owed_today_and_no_interest_of_the_past_is_added_to_it_again():
    after = restated(KEPT_LOAN, replace(KEPT_LOAN, amount=600_252.0), A_YEAR_ON, day_given=False)
    assert (after.as_of, after.owed(A_YEAR_ON)) == (A_YEAR_ON, 600_252.0)


def test_a_new_amount_of_a_day_that_was_said_grows_from_that_day():
    told = replace(KEPT_LOAN, amount=500_000.0)
    assert restated(KEPT_LOAN, told, A_YEAR_ON, day_given=True) is told


@pytest.mark.parametrize(
    "terms",
    [
        Interest(0.10, 0.0195, capitalised=True),
        Interest(capitalised=True, spread=0.0),
        Interest(capitalised=True, day_count=DayCount.ACT_365),
        Interest(capitalised=False),
    ],
)
def test_new_terms_of_interest_leave_the_past_as_it_was(terms):
    after = restated(KEPT_LOAN, replace(KEPT_LOAN, interest=terms), A_YEAR_ON, day_given=False)
    assert after.interest == terms
    assert after.as_of == A_YEAR_ON
    assert after.owed(A_YEAR_ON) == pytest.approx(KEPT_LOAN.owed(A_YEAR_ON), abs=0.005)


def test_interest_that_was_paid_in_cash_is_not_charged_when_it_is_added_from_now_on():
    paid = a_loan(600_000, as_of=LOAN_OF)
    after = restated(paid, replace(paid, interest=GROWING), A_YEAR_ON, day_given=False)
    assert (after.amount, after.as_of) == (600_000, A_YEAR_ON)


def test_other_terms_leave_the_amount_and_its_day():
    told = replace(KEPT_LOAN, margin_call_ltv=0.8)
    assert restated(KEPT_LOAN, told, A_YEAR_ON, day_given=False) is told
