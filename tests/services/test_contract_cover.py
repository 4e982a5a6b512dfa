"""What a listed put costs and covers of the loan."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.builders import a_portfolio, a_quote
from vaultdash.domain.errors import Refused
from vaultdash.domain.market import Freshness
from vaultdash.domain.option import DollarRate, OptionContract, OptionQuote, Right
from vaultdash.domain.portfolio import mark
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.contract_cover import COMMISSION, cover

AT = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)
EXPIRY = date(2027, 6, 10)  # a year of 365 days


def an_option(strike: float = 380.0, ask: float | None = 8.0, right: Right = Right.PUT) -> PricedOption:
    return PricedOption(
        quote=OptionQuote(OptionContract("GLD", EXPIRY, strike, right), bid=7.8, ask=ask),
        moneyness=strike / 460 - 1,
        mid=7.9,
        spread_pct=0.02,
        reasons=(),
        implied_volatility=0.2,
        iv_status="ok",
        surface_volatility=0.2,
        delta=-0.1,
        gamma=0.002,
        vega=0.5,
        theta=-0.02,
        greeks_from="mid",
    )


def a_chain(*options: PricedOption, days: int = 365) -> PricedChain:
    return PricedChain(
        symbol="GLD",
        expiration=EXPIRY,
        days_to_expiry=days,
        years=days / 365,
        underlying=a_quote(460.0),
        at=AT,
        source="test",
        age_seconds=0.0,
        freshness=Freshness.LIVE,
        problem=None,
        rate=DollarRate(0.04, None, "test"),
        forward=478.0,
        effective_yield=0.0,
        yield_basis="assumed",
        parity_pairs=0,
        options=options,
        filtered={},
        left_out={},
        engine="reference",
    )


@pytest.fixture
def loan_at_460():
    return mark(a_portfolio(units=2150), 460.0, AT.date())  # called at 600,000 / (0.75 * 2150) = 372.09


def test_a_contract_is_paid_at_the_ask_with_commission_and_covers_a_hundred_shares(loan_at_460):
    found = cover(a_chain(an_option()), an_option(), loan_at_460)
    assert found.cost_per_contract == pytest.approx(800 + COMMISSION)
    assert found.covered_share == pytest.approx(100 / 2150)
    assert found.break_even == pytest.approx(372 - COMMISSION / 100)


def test_all_pledged_shares_are_covered_by_whole_contracts_rounded_up(loan_at_460):
    found = cover(a_chain(an_option()), an_option(), loan_at_460)
    whole = found.hedge.contracts_ceil
    assert found.contracts == whole.contracts == 22
    assert whole.cost.total_cost == pytest.approx(22 * (800 + COMMISSION))
    assert whole.cost.annualized_cost == pytest.approx(22 * (800 + COMMISSION))  # a term of one year
    assert whole.protection.payoff_at_threshold == pytest.approx(2200 * (380 - 600_000 / (0.75 * 2150)))


def test_a_short_term_costs_its_premium_several_times_a_year(loan_at_460):
    whole = cover(a_chain(an_option(), days=73), an_option(), loan_at_460).hedge.contracts_ceil
    assert whole.cost.annualized_cost == pytest.approx(5 * whole.cost.total_cost)


@pytest.mark.parametrize(("strike", "above"), [(380.0, True), (370.0, False)])
def test_only_a_strike_above_the_margin_call_price_keeps_a_credited_call_away(loan_at_460, strike, above):
    found = cover(a_chain(), an_option(strike), loan_at_460)
    assert found.is_above_the_call is above
    assert (found.hedge.contracts_ceil.protection.lowest_price_kept_credited == 0.0) is above


@pytest.mark.parametrize(
    ("chain", "option", "reason"),
    [
        (a_chain(), an_option(right=Right.CALL), "call"),
        (a_chain(), an_option(ask=None), "no ask"),
        (a_chain(), an_option(ask=0.0), "no ask"),
        (a_chain(days=0), an_option(), "expires"),
    ],
)
def test_what_cannot_be_bought_as_a_hedge_is_refused_with_the_reason(loan_at_460, chain, option, reason):
    with pytest.raises(Refused, match=reason):
        cover(chain, option, loan_at_460)


def test_the_volatility_of_a_contract_without_one_is_that_of_the_surface(loan_at_460):
    silent = replace(an_option(), implied_volatility=None, surface_volatility=0.31)
    assert cover(a_chain(), silent, loan_at_460).hedge.plan.title == "GLD 10 Jun 2027 380 put"
