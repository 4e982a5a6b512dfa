"""A loan in another currency than the dollar is the same loan in dollars at the rate of the day."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

import pytest

from tests.builders import a_loan, a_portfolio, a_quote
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.exchange import DOLLAR, PAIRS, ExchangeRate, quoted_in
from vaultdash.domain.loan import Interest, in_dollars
from vaultdash.domain.portfolio import mark

ON = date(2026, 6, 10)
FRANC = ExchangeRate("CHF", 0.8102)


def in_francs(amount: float = 486_120.0, **fields: object):
    return replace(a_portfolio(), loan=a_loan(amount, currency="CHF", **fields))


def test_ltv_and_prices_equal_those_of_the_loan_in_dollars():
    found, same = mark(in_francs(), 460.0, ON, rate=FRANC), mark(a_portfolio(loan=600_000), 460.0, ON)
    assert found.portfolio.loan.currency == "USD"
    for name in ("ltv", "margin_call_price", "close_out_price", "headroom", "max_loan", "recommended_collateral"):
        assert getattr(found, name) == pytest.approx(getattr(same, name), rel=1e-12)
    assert found.owed == pytest.approx(486_120.0, rel=1e-12)


@pytest.mark.parametrize("per_dollar", [0.5, 0.8102, 1.37])
def test_ltv_equals_a_decimal_oracle(per_dollar):
    portfolio = in_francs()
    with localcontext() as context:
        context.prec = 50
        shares = Decimal(portfolio.collateral.shares(ON))
        expected = Decimal(portfolio.loan.amount) / (shares * Decimal(460) * Decimal(per_dollar))
        call = Decimal(portfolio.loan.amount) / (Decimal("0.75") * shares * Decimal(per_dollar))
    found = mark(portfolio, 460.0, ON, rate=ExchangeRate("CHF", per_dollar))
    assert found.ltv == pytest.approx(float(expected), rel=1e-12)
    assert found.margin_call_price == pytest.approx(float(call), rel=1e-12)


def test_interest_is_added_in_the_loans_own_currency():
    grown = in_francs(as_of=date(2026, 4, 1), interest=Interest(0.01, 0.02, capitalised=True))
    found = mark(grown, 460.0, ON, rate=FRANC)
    assert found.owed == pytest.approx(grown.loan.owed(ON), rel=1e-12)
    assert found.accrued_interest == pytest.approx((grown.loan.owed(ON) - grown.loan.amount) / 0.8102, rel=1e-9)


def test_what_is_marked_may_be_marked_again():
    once = mark(in_francs(), 460.0, ON, rate=FRANC)
    assert mark(once.portfolio, 460.0, ON).ltv == pytest.approx(once.ltv, rel=1e-12)


def test_a_dearer_dollar_brings_no_call_nearer_and_a_cheaper_one_does():
    usual = mark(in_francs(), 460.0, ON, rate=FRANC).ltv
    assert mark(in_francs(), 460.0, ON, rate=ExchangeRate("CHF", 0.90)).ltv < usual
    assert mark(in_francs(), 460.0, ON, rate=ExchangeRate("CHF", 0.70)).ltv > usual


@pytest.mark.parametrize("rate", [DOLLAR, ExchangeRate("EUR", 0.86)])
def test_the_rate_of_another_currency_is_refused(rate):
    with pytest.raises(InvalidInput, match="CHF"):
        in_dollars(in_francs().loan, rate)


@pytest.mark.parametrize(("currency", "rate"), [("CHF", 0.0), ("CHF", float("nan")), ("JPY", 150.0)])
def test_a_rate_that_is_none_is_refused(currency, rate):
    with pytest.raises(InvalidInput):
        ExchangeRate(currency, rate)


def test_pairs_are_quoted_in_their_currency_and_gold_in_dollars():
    assert {quoted_in(pair): pair for pair in PAIRS.values()} == PAIRS
    assert quoted_in("GLD") == "USD"
    rate = ExchangeRate.of(a_quote(0.81, "CHF=X", currency="CHF"))
    assert (rate.currency, rate.per_dollar, rate.source) == ("CHF", 0.81, "test")
