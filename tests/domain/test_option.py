"""What an option pays at expiry."""

from hypothesis import given
from hypothesis import strategies as st

from vaultdash.domain.option import SHARES_PER_CONTRACT, Right, payoff

PRICES = st.floats(0.01, 1e6)


def test_a_put_pays_what_the_price_lies_below_the_strike():
    assert payoff(Right.PUT, 460.0, 368.0) == 92.0
    assert payoff(Right.PUT, 460.0, 500.0) == 0.0


def test_a_call_pays_what_the_price_lies_above_the_strike():
    assert payoff(Right.CALL, 460.0, 500.0) == 40.0
    assert payoff(Right.CALL, 460.0, 368.0) == 0.0


@given(PRICES, PRICES)
def test_call_less_put_is_price_less_strike(strike, price):
    assert payoff(Right.CALL, strike, price) - payoff(Right.PUT, strike, price) == price - strike


def test_a_contract_is_a_hundred_shares():
    assert SHARES_PER_CONTRACT == 100
