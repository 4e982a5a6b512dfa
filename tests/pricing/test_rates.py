"""Dollar rates: what a bill and an overnight deposit earn, continuously compounded."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.rates import continuous_from_bank_discount, continuous_from_simple


def test_bill_bought_at_its_discount_grows_to_its_face_value() -> None:
    rate = continuous_from_bank_discount(0.036)
    price = 1 - 0.036 * 91 / 360
    assert price * math.exp(rate * 91 / 365) == pytest.approx(1.0, abs=1e-15)


def test_discount_of_360_is_a_rate_of_367() -> None:
    # The bond-equivalent yield of a 13-week bill at 3.60 is 365 * 0.0360 / (360 - 91 * 0.0360) = 3.6835 % simple.
    simple = 365 * 0.0360 / (360 - 91 * 0.0360)
    expected = math.log(1 + simple * 91 / 365) * 365 / 91
    assert continuous_from_bank_discount(0.0360) == pytest.approx(expected, abs=1e-14)
    assert expected == pytest.approx(0.036667, abs=1e-6)


def test_overnight_interest_is_counted_by_the_actual_day_over_360() -> None:
    grown = math.exp(continuous_from_simple(0.0359) / 365)
    assert grown == pytest.approx(1 + 0.0359 / 360, abs=1e-15)


@given(st.floats(-0.05, 0.2), st.integers(1, 366))
def test_more_discount_is_a_higher_rate_with_the_same_sign(discount: float, days: int) -> None:
    rate = continuous_from_bank_discount(discount, days)
    assert rate * discount >= 0
    assert continuous_from_bank_discount(discount + 0.001, days) > rate


@given(st.floats(-0.05, 0.2), st.integers(1, 366))
def test_simple_interest_is_worth_less_than_the_same_discount(number: float, days: int) -> None:
    assert continuous_from_simple(number, days) <= continuous_from_bank_discount(number, days) + 1e-12


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 3.6, -3.6])
def test_rate_in_per_cent_or_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(InvalidInput, match="discount"):
        continuous_from_bank_discount(wrong)
    with pytest.raises(InvalidInput, match="simple"):
        continuous_from_simple(wrong)


def test_refusal_says_how_to_write_the_rate() -> None:
    with pytest.raises(InvalidInput, match=r"write 0\.036 for 3\.6 %"):
        continuous_from_bank_discount(3.6)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_days_outside_a_year_are_refused(days: int) -> None:
    with pytest.raises(InvalidInput, match="days"):
        continuous_from_bank_discount(0.03, days)
