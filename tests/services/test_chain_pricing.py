"""A chain priced: what the mids imply is found again, and nothing absurd is shown as true."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.builders import NOON, a_quote
from tests.services.twins import a_priced_smile
from vaultdash.domain.market import MarketState
from vaultdash.domain.option import DollarRate, OptionChain, OptionQuote, QuoteFlag, Right, years_to_expiry
from vaultdash.pricing.american import american_price
from vaultdash.pricing.european import european
from vaultdash.services.chain_pricing import PricedChain, price_chain, surface_of

EXPIRY = date(2026, 12, 18)
YEARS = years_to_expiry(EXPIRY, NOON)
FREE = DollarRate(0.0, None, "test")


def priced(quotes: tuple[OptionQuote, ...], rate: DollarRate = FREE, **fields: object) -> PricedChain:
    given: dict[str, object] = {
        "underlying": a_quote(market_state=MarketState.CLOSED),
        "at": NOON,
        "source": "test",
        **fields,
    }
    return price_chain(OptionChain("GLD", EXPIRY, quotes=quotes, **given), rate, "reference")  # type: ignore[arg-type]


def with_quote(strike: float, right: Right, **fields: object) -> tuple[OptionQuote, ...]:
    """The flat smile with one quote changed."""
    quotes = a_priced_smile("GLD", EXPIRY, NOON)
    return tuple(
        replace(quote, **fields) if (quote.contract.strike, quote.contract.right) == (strike, right) else quote
        for quote in quotes
    )


def at(chain: PricedChain, strike: float, right: Right = Right.PUT):
    (option,) = [
        one for one in chain.options if (one.quote.contract.strike, one.quote.contract.right) == (strike, right)
    ]
    return option


def test_the_volatility_behind_the_mids_is_found_again():
    chain = priced(a_priced_smile("GLD", EXPIRY, NOON))
    own = [one.implied_volatility for one in chain.options if abs(one.moneyness) < 0.1]
    assert own == pytest.approx([0.2] * len(own), abs=1e-5)
    assert {one.iv_status for one in chain.options} == {"ok"}
    assert not chain.filtered


def test_forward_and_yield_come_from_put_call_parity():
    chain = priced(a_priced_smile("GLD", EXPIRY, NOON))
    assert chain.forward == pytest.approx(460.0, abs=0.01)
    assert chain.effective_yield == pytest.approx(0.0, abs=1e-4)
    assert (chain.yield_basis, chain.parity_pairs) == ("parity", 3)  # strikes within three per cent of spot


def test_american_prices_at_an_interest_rate_give_back_rate_yield_and_volatility():
    rate, carry = DollarRate(0.04, None, "test"), 0.01
    strikes = np.arange(400.0, 521.0, 5.0)
    quotes = []
    for right in Right:
        mids = american_price(460.0, strikes, YEARS, rate.value, carry, 0.18, right.value, engine="reference")
        for quote, mid in zip(_contracts(strikes, right), mids.tolist(), strict=True):
            quotes.append(replace(quote, bid=mid - 0.01, ask=mid + 0.01))
    chain = priced(tuple(quotes), rate)
    assert chain.effective_yield == pytest.approx(carry, abs=3e-4)
    assert chain.forward == pytest.approx(460.0 * math.exp((rate.value - carry) * YEARS), abs=0.08)
    near = [one.implied_volatility for one in chain.options if abs(one.moneyness) < 0.05]
    assert near == pytest.approx([0.18] * len(near), abs=5e-4)


def _contracts(strikes, right: Right) -> list[OptionQuote]:
    usual = a_priced_smile("GLD", EXPIRY, NOON)[0]
    return [
        replace(usual, contract=replace(usual.contract, strike=strike, right=right)) for strike in strikes.tolist()
    ]


def test_greeks_are_in_trading_units():
    put = at(priced(a_priced_smile("GLD", EXPIRY, NOON)), 440.0)
    theory = european(460.0, 440.0, YEARS, 0.0, 0.0, 0.2, "P", engine="reference")
    assert put.greeks_from == "mid"
    assert put.delta == pytest.approx(float(theory.delta), abs=1e-3)
    assert put.gamma == pytest.approx(float(theory.gamma), rel=5e-3)
    assert put.vega == pytest.approx(float(theory.vega) / 100, rel=5e-3)
    assert put.theta == pytest.approx(float(theory.theta) / 365, rel=2e-2)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"bid": None}, "no_bid"),
        ({"bid": 0.0}, "no_bid"),
        ({"ask": None}, "no_ask"),
        ({"ask": 0.0}, "no_ask"),
        ({"bid": 9.0, "ask": 7.0}, "crossed"),
        ({"bid": 100.0, "ask": 101.0}, "not_"),
        ({"bid": 0.01, "ask": 0.02}, "not_"),
        ({"bid": 500.0, "ask": 501.0}, "above_bound"),
    ],
)
def test_a_quote_that_cannot_be_true_gives_no_volatility_of_its_own(fields, reason):
    chain = priced(with_quote(430.0, Right.PUT, **fields))
    broken = at(chain, 430.0)
    assert any(word.startswith(reason) for word in broken.reasons)
    assert (broken.implied_volatility, broken.iv_status) == (None, "no_quote")
    assert broken.surface_volatility == pytest.approx(0.2, abs=1e-3)
    assert broken.greeks_from == "surface"
    assert chain.filtered
    others = [one for one in chain.options if one is not broken and abs(one.moneyness) < 0.1]
    assert all(one.is_usable for one in others)


def test_a_wide_quote_keeps_its_volatility_and_takes_its_greeks_from_the_surface():
    mid = at(priced(a_priced_smile("GLD", EXPIRY, NOON)), 430.0).mid
    wide = at(priced(with_quote(430.0, Right.PUT, bid=mid * 0.7, ask=mid * 1.5)), 430.0)
    assert wide.reasons == ("wide_spread",)
    assert wide.implied_volatility == pytest.approx(0.2, abs=0.02)
    assert wide.greeks_from == "surface"


def test_a_vendors_volatility_is_carried_and_never_used():
    absurd = with_quote(430.0, Right.PUT, vendor_iv=20.0, flags=QuoteFlag.VENDOR_IV_BAD)
    found = at(priced(absurd), 430.0)
    assert found.implied_volatility == pytest.approx(0.2, abs=1e-4)


def test_a_chain_without_any_quote_has_contracts_and_no_numbers():
    silent = tuple(replace(quote, bid=None, ask=None) for quote in a_priced_smile("GLD", EXPIRY, NOON))
    chain = priced(silent)
    assert len(chain.options) == len(silent)
    assert all(one.implied_volatility is one.delta is one.greeks_from is None for one in chain.options)
    assert chain.filtered == {"no_bid": len(silent), "no_ask": len(silent)}
    assert chain.yield_basis == "assumed"
    assert surface_of([chain]) is None


def test_an_expired_chain_has_no_volatility():
    over = priced(a_priced_smile("GLD", EXPIRY, NOON), underlying=a_quote(at=NOON.replace(month=12, day=19)))
    assert over.years == 0.0
    assert {one.implied_volatility for one in over.options} == {None}


def test_after_the_close_time_is_counted_from_the_price_the_quotes_belong_to():
    close = NOON.replace(hour=20)
    evening = priced(a_priced_smile("GLD", EXPIRY, close), underlying=a_quote(at=close), at=close.replace(hour=23))
    assert evening.years == years_to_expiry(EXPIRY, close)
    assert at(evening, 450.0).implied_volatility == pytest.approx(0.2, abs=1e-5)
