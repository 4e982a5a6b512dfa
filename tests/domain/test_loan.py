"""The loan, its limits and its interest."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_loan
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import DayCount, Interest, is_breached


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
    with pytest.raises(InvalidInput, match="currency must be one of USD, not 'CHF'"):
        a_loan(currency="CHF")


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
