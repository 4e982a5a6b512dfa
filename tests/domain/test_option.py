"""Options: payoffs, contracts and their symbols, what a quote says of itself, and the time to expiry."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import (
    NO_FLAGS,
    OptionContract,
    OptionQuote,
    QuoteFlag,
    Right,
    contract_from_osi,
    expiry_at,
    flag_words,
    payoff,
    price_flags,
    years_to_expiry,
)

LEAPS = OptionContract("GLD", date(2027, 1, 15), 330.0, Right.PUT)


@pytest.mark.parametrize(
    ("right", "price", "paid"),
    [(Right.PUT, 360.0, 8.0), (Right.PUT, 400.0, 0.0), (Right.CALL, 400.0, 32.0), (Right.CALL, 360.0, 0.0)],
)
def test_payoff_is_what_exercise_gives_at_expiry(right, price, paid):
    assert payoff(right, 368.0, price) == paid


def test_the_symbol_of_a_contract_is_that_of_the_options_symbology_initiative():
    assert LEAPS.osi == "GLD   270115P00330000"
    assert OptionContract("GLD1", date(2026, 12, 18), 402.5, Right.CALL).osi == "GLD1  261218C00402500"


@pytest.mark.parametrize("symbol", ["GLD   270115P00330000", "GLD270115P00330000", " GLD270115P00330000 "])
def test_a_symbol_is_read_with_and_without_padding(symbol):
    assert contract_from_osi(symbol) == LEAPS


@pytest.mark.parametrize(
    "symbol",
    ["", "GLD", "GLD270115X00330000", "GLD271315P00330000", "GLD270230P00330000", "GLD270115P00000000", "=1"],
)
def test_what_is_no_symbol_is_refused(symbol):
    with pytest.raises(InvalidInput):
        contract_from_osi(symbol)


@given(
    root=st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    day=st.dates(date(2004, 1, 1), date(2099, 12, 31)),
    thousandths=st.integers(1, 10**8 - 1),
    right=st.sampled_from(Right),
)
def test_a_contract_survives_the_way_through_its_symbol(root, day, thousandths, right):
    contract = OptionContract(root, day, thousandths / 1000, right)
    assert contract_from_osi(contract.osi) == contract


@pytest.mark.parametrize("strike", [0.0, -5.0, float("nan"), 330.0001, 1e5, float("inf")])
def test_a_strike_that_no_symbol_can_carry_is_refused(strike):
    with pytest.raises(InvalidInput):
        OptionContract("GLD", date(2027, 1, 15), strike, Right.PUT)


@pytest.mark.parametrize(
    ("bid", "ask", "mid"),
    [(4.0, 4.2, 4.1), (4.0, 4.0, 4.0), (4.2, 4.0, None), (0.0, 0.05, None), (None, 4.2, None), (4.0, None, None)],
)
def test_a_mid_needs_two_sides_that_do_not_cross(bid, ask, mid):
    assert OptionQuote(LEAPS, bid, ask).mid == (None if mid is None else pytest.approx(mid))
    assert (OptionQuote(LEAPS, bid, ask).spread is None) == (mid is None)


@pytest.mark.parametrize(
    ("bid", "ask", "flags"),
    [
        (4.0, 4.2, NO_FLAGS),
        (None, 4.2, QuoteFlag.NO_BID),
        (0.0, 0.05, QuoteFlag.ZERO_BID),
        (4.0, None, QuoteFlag.NO_ASK),
        (4.0, 0.0, QuoteFlag.NO_ASK),
        (None, None, QuoteFlag.NO_BID | QuoteFlag.NO_ASK),
        (4.2, 4.0, QuoteFlag.CROSSED),
        (4.0, 4.0, QuoteFlag.LOCKED),
        (0.10, 0.19, NO_FLAGS),  # wide in per cent, but less than ten cents
        (1.0, 1.7, QuoteFlag.WIDE),
    ],
)
def test_bid_and_ask_say_what_is_doubtful(bid, ask, flags):
    assert price_flags(bid, ask) == flags


def test_flags_have_words_in_a_fixed_order():
    assert flag_words(QuoteFlag.WIDE | QuoteFlag.ZERO_BID | QuoteFlag.STALE) == ("zero_bid", "wide", "stale")
    assert {flag.value for flag in QuoteFlag} == {2**power for power in range(14)}


def test_an_option_expires_at_four_in_new_york_in_summer_and_winter():
    assert expiry_at(date(2026, 6, 19)) == datetime(2026, 6, 19, 20, 0, tzinfo=UTC)
    assert expiry_at(date(2026, 12, 18)) == datetime(2026, 12, 18, 21, 0, tzinfo=UTC)


def test_the_time_to_expiry_is_calendar_time_in_years_of_365_days():
    close = datetime(2026, 12, 18, 21, 0, tzinfo=UTC)
    assert years_to_expiry(date(2027, 12, 18), close) == pytest.approx(1.0, abs=1e-12)
    assert years_to_expiry(date(2026, 12, 18), close) == 0.0
    assert years_to_expiry(date(2026, 12, 17), close) == 0.0


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_call_less_put_is_price_less_strike(strike, price):
    assert payoff(Right.CALL, strike, price) - payoff(Right.PUT, strike, price) == price - strike
