"""What is typed is read as it was meant, or refused with the reason."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import instrument
from vaultdash.services.typed import amount, as_amount, as_percent, day, percent, weight, whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000,000", 1e6),
        ("1'000'000", 1e6),
        ("1’000’000", 1e6),
        ("1 000 000", 1e6),
        ("1\u202f000\u202f000.50", 1_000_000.5),
        ("$ 5,000.50", 5000.5),
        ("600000 USD", 600_000),
        ("600,000", 600_000),
        (".5", 0.5),
        ("460.", 460),
        ("−5", -5),
        ("0.123", 0.123),
    ],
)
def test_thousands_are_separated_in_any_usual_way(text, value):
    assert amount("x", text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is missing"),
        ("4.012", "may mean 4012 or 4.012"),
        ("1.000.000", "write 1000000"),
        ("1.000,50", "write 1000.50"),
        ("460,5", "write 460.5"),
        ("1,00", "write 1.00"),
        ("0,123", "begins with a zero"),
        ("12,34,567", "must be a number"),
        ("1,000'000", "must be a number"),
        ("NaN", "must be a number"),
        ("inf", "must be a number"),
        ("1e6", "must be a number"),
        ("٣٤", "must be a number"),
        ("<b>5</b>", "must be a number"),
        ("9" * 20, "larger than all the gold"),
        ("1" * 500, "500 characters"),
    ],
)
def test_what_has_two_meanings_or_none_is_refused_in_words(text, reason):
    with pytest.raises(InvalidInput, match=reason):
        amount("x", text)


@pytest.mark.parametrize(
    ("text", "symbol", "value"),
    [
        ("1 500 g", "XAU-G", 1500),
        ("1'500 grams", "XAU-G", 1500),
        ("12.441 KG", "XAU-KG", 12.441),
        ("1,234.5 oz", "XAU-OZ", 1234.5),
        ("2,000 shares", "GLDM", 2000),
    ],
)
def test_a_weight_may_stand_with_its_unit_and_with_no_other(text, symbol, value):
    assert weight("x", text, instrument(symbol)) == value
    for wrong in (text.replace("shares", "oz"), f"${value}"):
        with pytest.raises(InvalidInput, match="must be a number"):
            weight("x", wrong, instrument("GLD"))


def test_what_is_advised_for_a_number_with_two_meanings_has_one():
    for text, small in (("600.000", 600), ("4.012", 4.012), ("1.230", 1.23)):
        with pytest.raises(InvalidInput) as refused:
            amount("x", text)
        large, smaller = re.search(r"write (\S+), or (\S+) for", refused.value.reason).groups()
        assert (amount("x", large), amount("x", smaller)) == (pytest.approx(small * 1000), small)


def test_a_weight_may_have_three_decimals_but_not_a_lone_comma():
    assert amount("x", "32.151", fine=True) == 32.151
    for text in ("32,151", "1.000"):
        with pytest.raises(InvalidInput, match="may mean"):
            amount("x", text, fine=True)


@given(st.floats(min_value=1e-6, max_value=1e12), st.booleans())
def test_a_number_put_into_a_field_is_read_back_as_the_same(value, fine):
    assert amount("x", as_amount(value, fine=fine), fine=fine) == value


@given(st.integers(0, 1_000_000), st.booleans())
def test_a_round_number_put_into_a_field_is_read_back_as_the_same(thousandths, fine):
    value = thousandths / 1000
    assert amount("x", as_amount(value, fine=fine), fine=fine) == value


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("75", 0.75), ("75 %", 0.75), ("75.5", 0.755), ("75,5%", 0.755), ("0", 0.0), ("0.4 %", 0.004)],
)
def test_per_cent_becomes_a_fraction(text, fraction):
    assert percent("x", text) == fraction


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.75", "may mean 0.75 % or 75 %"),
        ("", "is missing"),
        ("NaN", "per cent"),
        ("75 75", "per cent"),
        (".", "per cent"),
    ],
)
def test_a_fraction_typed_for_per_cent_is_asked_about(text, reason):
    with pytest.raises(InvalidInput, match=reason):
        percent("x", text)


@given(st.one_of(st.floats(min_value=1e-6, max_value=1), st.integers(0, 10_000).map(lambda each: each / 10_000)))
def test_a_fraction_put_into_a_field_is_read_back_as_the_same(fraction):
    assert percent("x", as_percent(fraction)) == fraction


def test_days_are_read_unless_month_and_day_could_be_swapped():
    assert day("x", "2026-11-20") == day("x", "20.11.2026") == date(2026, 11, 20)
    with pytest.raises(InvalidInput, match="month or the day first"):
        day("x", "11/12/2026")
    for text in ("2026-02-30", "tomorrow", "20261120"):
        with pytest.raises(InvalidInput, match="must be a day"):
            day("x", text)


def test_counts_are_whole_and_may_be_negative():
    assert whole("x", "-1,200") == -1200
    with pytest.raises(InvalidInput, match="whole number"):
        whole("x", "2.5")


def test_the_currency_that_is_meant_may_stand_beside_an_amount_and_no_other():
    assert amount("loan_amount", "400'000 CHF", currency="CHF") == amount("loan_amount", "CHF 400000", currency="CHF")
    assert amount("loan_amount", "$400,000") == amount("loan_amount", "400000 USD") == 400_000


@pytest.mark.parametrize(
    ("currency", "signs"),
    [
        ("USD", ("$", "US$", "usd", "USD")),
        ("CHF", ("Fr.", "fr", "SFr.", "chf", "CHF")),
        ("EUR", ("€", "eur", "EUR")),
        ("GBP", ("£", "gbp", "GBP")),
    ],
)
def test_every_usual_sign_of_the_currency_may_stand_before_or_after_and_another_is_named(currency, signs):
    other = "GBP" if currency != "GBP" else "EUR"
    for sign in signs:
        for text in (f"{sign} 480'000", f"{sign}480000", f"480,000 {sign}", f"480000{sign}"):
            assert amount("loan_amount", text, currency=currency) == 480_000
            with pytest.raises(InvalidInput, match=f"must be in {other}, not in {currency} as “.*” says"):
                amount("loan_amount", text, currency=other)
