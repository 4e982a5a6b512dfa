"""What a smile is fitted to: the options out of the money, by the volatility their mids imply."""

from datetime import date

import numpy as np
import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing import american_price, european
from vaultdash.pricing.parity import pairs_of, parity_forward
from vaultdash.pricing.smile import SmileQuotes, smile_quotes

SPOT, YEARS, RATE, YIELD = 430.0, 0.5, 0.04, 0.01
DAY = date(2026, 11, 20)


def chain() -> tuple[np.ndarray, ...]:
    strikes = np.arange(340.0, 541.0, 5.0)
    strike, sign = np.append(strikes, strikes), np.repeat([1.0, -1.0], strikes.size)
    k = np.log(strike / SPOT) - (RATE - YIELD) * YEARS
    volatility = 0.22 - 0.05 * k + 0.4 * k * k
    price = american_price(SPOT, strike, YEARS, RATE, YIELD, volatility, np.where(sign > 0, "C", "P"))
    return strike, sign, price - 0.04, price + 0.04, volatility


def test_puts_below_and_calls_above_the_forward_give_back_the_volatility_they_were_priced_with() -> None:
    strike, sign, bid, ask, volatility = chain()
    pairs = pairs_of(strike, sign, bid, ask)
    forward = parity_forward(
        pairs.strike, pairs.call_mid, pairs.put_mid, SPOT, YEARS, RATE, pairs.spread, spot_error=1e-5
    )
    found = smile_quotes(DAY, YEARS, RATE, forward, strike, sign, bid, ask)
    out = np.where(strike < forward.forward, sign < 0, sign > 0)
    np.testing.assert_array_equal(found.strike, strike[out])
    np.testing.assert_allclose(found.implied_volatility, volatility[out], rtol=0, atol=3e-4)
    vega = european(SPOT, strike[out], YEARS, RATE, YIELD, volatility[out], "C").vega
    np.testing.assert_allclose(found.weight, vega / 0.08, rtol=5e-3)
    np.testing.assert_allclose(found.log_moneyness, np.log(strike[out] / forward.forward))


def test_unusable_and_one_sided_quotes_and_prices_without_a_volatility_are_left_out() -> None:
    strike, sign, bid, ask, _ = chain()
    forward = parity_forward([], [], [], SPOT, YEARS, RATE)
    whole = smile_quotes(DAY, YEARS, RATE, forward, strike, sign, bid, ask)
    bid[np.flatnonzero((sign < 0) & (strike == 400.0))] = np.nan
    high = np.flatnonzero((sign > 0) & (strike == 460.0))
    bid[high], ask[high] = 440.0, 441.0  # above the share's price
    usable = ~((sign < 0) & (strike == 350.0))
    found = smile_quotes(DAY, YEARS, RATE, forward, strike, sign, bid, ask, usable)
    assert set(whole.strike) - set(found.strike) == {350.0, 400.0, 460.0}


def test_chain_without_quotes_gives_none() -> None:
    nothing = np.zeros(0)
    forward = parity_forward(nothing, nothing, nothing, SPOT, YEARS, RATE)
    assert smile_quotes(DAY, YEARS, RATE, forward, nothing, nothing, nothing, nothing).strike.size == 0


def test_weight_in_variance_is_one_over_the_spread_in_variance() -> None:
    quotes = SmileQuotes(DAY, 0.5, 430.0, 0.04, 0.0, np.array([400.0]), np.array([0.2]), np.array([100.0]))
    spread = (0.205**2 - 0.195**2) * 0.5  # one point of volatility wide
    assert quotes.variance_weight[0] == pytest.approx(1 / spread)
    assert quotes.total_variance[0] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("argument", "changes"),
    [
        ("years", {"years": 0.0}),
        ("forward", {"forward": -1.0}),
        ("implied_volatility", {"implied_volatility": np.array([np.nan])}),
        ("weight", {"weight": np.array([0.0])}),
        ("strike", {"strike": np.array([[400.0]])}),
        ("weight", {"weight": np.array([1.0, 2.0])}),
    ],
)
def test_faulty_quotes_are_refused_by_name(argument: str, changes: dict[str, object]) -> None:
    one = np.array([0.2])
    usual = {"years": 0.5, "forward": 430.0, "strike": 2000 * one, "implied_volatility": one, "weight": one}
    with pytest.raises(InvalidInput) as refused:
        SmileQuotes(expiration=DAY, rate=0.04, dividend_yield=0.0, **{**usual, **changes})  # type: ignore[arg-type]  # wrong on purpose
    assert refused.value.argument == argument
