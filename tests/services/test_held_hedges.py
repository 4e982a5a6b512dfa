"""Held options are marked at what closing them brings, from what is loaded, and say what they stand on."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
import QuantLib as ql  # noqa: N813  # its usual name

from tests.builders import NOON, a_contract, a_portfolio, a_quote
from tests.services.twins import Clock, FixedHours, ScriptedChains, a_priced_smile
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import DollarRate, OptionQuote, Right, years_to_expiry
from vaultdash.domain.portfolio import Portfolio, mark
from vaultdash.domain.position import HedgeMark, HeldOption, MarkBasis, OptionMark
from vaultdash.pricing.compiled import Engine
from vaultdash.services.held_hedges import HeldHedges
from vaultdash.services.option_chains import OptionChains

SOON, MONTH, QUARTER = date(2026, 6, 12), date(2026, 7, 17), date(2026, 8, 21)
FLAT = 0.2  # the volatility of the scripted chains; the rate is zero


class NoRate:
    """Dollars earn nothing, so that an American option is worth its European one."""

    async def latest(self, *, invented: bool = False) -> DollarRate:
        return DollarRate(0.0, None, "test")


async def by_quantlib() -> Engine:
    return "reference"


def black(strike: float, right: Right, spot: float, years: float) -> float:
    """QuantLib's Black formula, USD."""
    kind = ql.Option.Put if right is Right.PUT else ql.Option.Call
    return float(ql.blackFormula(kind, strike, spot, FLAT * math.sqrt(years)))


def held(
    strike: float = 440.0, contracts: int = 5, right: Right = Right.PUT, expiration: date = MONTH, **fields: object
) -> HeldOption:
    given: dict[str, object] = {"id": "one", "price_paid": 9.9, "opened_on": date(2026, 6, 1), **fields}
    return HeldOption(contract=a_contract(strike, right, expiration), contracts=contracts, **given)  # type: ignore[arg-type]


def holding(*options: HeldOption) -> Portfolio:
    return replace(a_portfolio(), options=tuple(replace(one, id=str(n)) for n, one in enumerate(options)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def market(clock: Clock) -> ScriptedChains:
    return ScriptedChains(clock, SOON, MONTH, QUARTER)


@pytest.fixture
def chains(clock: Clock, market: ScriptedChains) -> OptionChains:
    return OptionChains(market, NoRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough


@pytest.fixture
def hedges(chains: OptionChains, clock: Clock) -> HeldHedges:
    return HeldHedges(chains, FixedHours(), clock)


@pytest.fixture
def marked(hedges: HeldHedges, clock: Clock) -> Callable[..., HedgeMark]:
    """Marks at a price of now, without loading anything."""

    def mark_now(portfolio: Portfolio, price: float = 460.0, source: str = "Scripted") -> HedgeMark:
        found = hedges.mark(portfolio, a_quote(price, at=clock(), source=source), clock())
        assert found is not None
        return found

    return mark_now


def only(found: HedgeMark) -> OptionMark:
    (one,) = found.marks
    return one


# quotes


async def test_a_portfolio_without_options_has_no_hedge(hedges: HeldHedges, clock: Clock):
    assert hedges.mark(a_portfolio(), a_quote(), clock()) is None


async def test_a_held_option_is_worth_its_bid_and_a_sold_one_costs_its_ask(hedges, marked, chains):
    portfolio = holding(held(440.0, 5), held(420.0, -5))
    await hedges.refresh([portfolio])
    bought, sold = marked(portfolio).marks
    row = {
        option.quote.contract.strike: option
        for option in (await chains.chain("GLD", MONTH)).options
        if option.quote.contract.right is Right.PUT
    }
    assert (bought.basis, bought.price, bought.value) == (
        MarkBasis.QUOTE,
        row[440.0].quote.bid,
        500 * row[440.0].quote.bid,
    )
    assert (sold.basis, sold.price, sold.value) == (
        MarkBasis.QUOTE,
        row[420.0].quote.ask,
        -500 * row[420.0].quote.ask,
    )
    assert (bought.at, bought.source, bought.is_stale, bought.problem) == (NOON, "Scripted", False, None)
    assert (bought.delta, bought.vega) == (row[440.0].delta, row[440.0].vega)


async def test_a_mark_at_its_own_spot_is_quantlibs_price_less_half_the_spread(hedges, marked, clock):
    portfolio = holding(held(440.0))
    await hedges.refresh([portfolio])
    exact = black(440.0, Right.PUT, 460.0, years_to_expiry(MONTH, clock()))
    assert only(marked(portfolio)).mid == pytest.approx(exact, abs=1e-9)
    assert only(marked(portfolio)).price == pytest.approx(exact - 0.02, abs=1e-9)


@pytest.mark.parametrize("spot", [400.0, 430.0, 455.0, 459.0, 461.0, 500.0])
@pytest.mark.parametrize("strike", [400.0, 440.0, 480.0])
async def test_a_quote_of_another_spot_is_carried_along_and_says_so(hedges, marked, clock, spot, strike):
    portfolio = holding(held(strike))
    await hedges.refresh([portfolio])
    found = only(marked(portfolio, spot))
    exact = black(strike, Right.PUT, spot, years_to_expiry(MONTH, clock()))
    assert found.basis is MarkBasis.MODEL
    assert found.mid == pytest.approx(exact, abs=2e-3)
    assert found.price == pytest.approx(max(exact - 0.02, 0.0), abs=2e-3)
    assert found.problem is not None
    assert f"quoted when GLD stood at 460.00; carried to {spot:,.2f}" in found.problem
    assert (found.at, found.is_stale, found.is_doubtful) == (NOON, False, False)


async def test_time_passes_for_a_carried_quote(hedges, marked, clock):
    portfolio = holding(held(440.0))
    await hedges.refresh([portfolio])
    clock.go_on(hours=3)
    found = only(marked(portfolio, 455.0))
    assert found.mid == pytest.approx(black(440.0, Right.PUT, 455.0, years_to_expiry(MONTH, clock())), abs=2e-3)


async def test_the_greeks_of_a_carried_quote_are_the_models(hedges, marked, clock):
    portfolio = holding(held(440.0))
    await hedges.refresh([portfolio])
    found = only(marked(portfolio, 450.0))
    years = years_to_expiry(MONTH, clock())

    def price(spot: float) -> float:
        return black(440.0, Right.PUT, spot, years)

    assert found.delta == pytest.approx((price(450.5) - price(449.5)) / 1.0, abs=1e-3)
    assert found.gamma == pytest.approx(price(451.0) - 2 * price(450.0) + price(449.0), abs=1e-3)
    assert found.theta == pytest.approx((black(440.0, Right.PUT, 450.0, years - 1 / 365) - price(450.0)), abs=5e-3)


async def test_an_old_chain_is_said_to_be_old_and_doubted(hedges, marked, clock, market):
    portfolio = holding(held(440.0))
    await hedges.refresh([portfolio])
    market.failure = Unavailable("no route to the exchange")
    clock.go_on(minutes=20)
    assert await hedges.refresh_if_due([portfolio])
    for price in (460.0, 450.0):
        found = marked(portfolio, price)
        assert only(found).is_stale
        assert "its quotes are of 16:00 on 10 Jun UTC (no route to the exchange)" in (only(found).problem or "")
        assert len(found.doubts) == 1


# without a quote


def unquoted(expiration: date, clock: Clock, strike: float) -> tuple[OptionQuote, ...]:
    quotes = a_priced_smile("GLD", expiration, clock())
    return tuple(replace(quote, bid=None, ask=None) if quote.contract.strike == strike else quote for quote in quotes)


async def test_a_contract_without_a_usable_quote_is_worth_the_surface(hedges, marked, clock, market):
    market.quotes = unquoted(MONTH, clock, 440.0)
    portfolio = holding(held(440.0))
    await hedges.refresh([portfolio])
    found = only(marked(portfolio))
    assert found.basis is MarkBasis.MODEL
    assert found.price == pytest.approx(black(440.0, Right.PUT, 460.0, years_to_expiry(MONTH, clock())), abs=0.02)
    assert "no quote that can be believed (no bid, no ask); model price" in (found.problem or "")


async def test_a_chain_that_is_not_to_be_had_is_priced_from_the_others(hedges, marked, clock, market):
    portfolio = holding(held(440.0, expiration=date(2026, 7, 31)))
    await hedges.refresh([portfolio])  # that day is not listed, so the default chain is loaded
    found = only(marked(portfolio))
    years = years_to_expiry(date(2026, 7, 31), clock())
    assert found.basis is MarkBasis.MODEL
    assert found.price == pytest.approx(black(440.0, Right.PUT, 460.0, years), abs=0.05)
    assert "GLD lists no" in (found.problem or "")


async def test_without_any_chain_an_option_counts_what_exercise_pays_and_is_doubted(hedges, marked):
    found = marked(holding(held(480.0, 5), held(470.0, -3), held(440.0, 2)))
    assert [(one.basis, one.price) for one in found.marks] == [
        (MarkBasis.INTRINSIC, 20.0),
        (MarkBasis.INTRINSIC, 10.0),
        (MarkBasis.INTRINSIC, 0.0),
    ]
    assert found.value == 500 * 20.0 - 300 * 10.0
    assert len(found.doubts) == 3
    assert found.greek("delta") is None
    assert "not loaded yet; counted at what exercise pays" in found.doubts[0]


@pytest.mark.parametrize("spot", [300.0, 380.0, 420.0, 439.0, 460.0, 600.0])
async def test_a_sold_option_never_costs_less_than_what_its_exercise_takes(hedges, marked, spot):
    portfolio = holding(held(440.0, -5))
    await hedges.refresh([portfolio])
    found = only(marked(portfolio, spot))
    assert found.price is not None
    assert found.price >= max(440.0 - spot, 0.0)


async def test_an_invented_chain_does_not_mark_a_real_price(hedges, marked, market):
    market.source = "DEMO"
    portfolio = holding(held(440.0))
    await hedges.refresh([portfolio])
    assert only(marked(portfolio)).basis is MarkBasis.INTRINSIC
    assert only(marked(portfolio, source="DEMO")).basis is MarkBasis.QUOTE


# expiry


async def test_on_its_last_day_after_the_bell_an_option_is_worth_its_exercise(hedges, marked, clock):
    portfolio = holding(held(470.0, 5, expiration=SOON), held(440.0, expiration=MONTH))
    await hedges.refresh([portfolio])
    clock.at = NOON + timedelta(days=2, hours=4)  # 16:00 New York of the twelfth
    found = hedges.mark(portfolio, a_quote(460.0, at=clock()), clock())
    assert found is not None
    expired = found.marks[0]
    assert (expired.basis, expired.price, expired.delta, expired.is_doubtful) == (
        MarkBasis.INTRINSIC,
        10.0,
        0.0,
        False,
    )
    clock.go_on(days=1)
    later = hedges.mark(portfolio, a_quote(460.0, at=clock()), clock())
    assert later is not None
    assert len(later.marks) == 1


async def test_a_closed_position_is_worth_nothing(hedges, clock):
    gone = held(440.0, closed_on=date(2026, 6, 9), closed_price=3.0)
    assert hedges.mark(holding(gone), a_quote(), clock()) is None


# loading


async def test_nothing_is_asked_within_a_mark(marked, market):
    marked(holding(held(440.0)))
    assert market.asked == []


async def test_a_new_position_is_loaded_at_once_and_then_every_five_minutes_while_the_market_is_open(
    hedges, clock, market
):
    portfolio = holding(held(440.0))
    assert await hedges.refresh_if_due([portfolio])
    assert not await hedges.refresh_if_due([portfolio])
    clock.go_on(299)
    assert not await hedges.refresh_if_due([portfolio])
    clock.go_on(1)
    assert await hedges.refresh_if_due([portfolio])
    assert market.asked == [("GLD", MONTH)] * 2
    assert await hedges.refresh_if_due([holding(held(440.0), held(440.0, expiration=QUARTER))])
    assert market.asked[-1] == ("GLD", QUARTER)


async def test_while_the_market_is_shut_nothing_is_loaded_but_the_last_of_the_session(hedges, clock, market):
    portfolio = holding(held(440.0))
    clock.at = NOON + timedelta(hours=3, minutes=58)
    await hedges.refresh_if_due([portfolio])
    clock.go_on(minutes=6)
    assert await hedges.refresh_if_due([portfolio])
    for _ in range(10):
        clock.go_on(minutes=30)
        assert not await hedges.refresh_if_due([portfolio])


async def test_a_chain_that_failed_is_tried_again_whatever_the_hour(hedges, clock, market):
    clock.at = NOON + timedelta(hours=8)
    market.failure = Unavailable("no route")
    portfolio = holding(held(440.0))
    assert await hedges.refresh_if_due([portfolio])
    clock.go_on(minutes=5)
    market.failure = None
    assert await hedges.refresh_if_due([portfolio])
    clock.go_on(minutes=5)
    assert not await hedges.refresh_if_due([portfolio])


async def test_no_position_asks_for_nothing(hedges, market):
    assert not await hedges.refresh_if_due([a_portfolio()])
    assert market.asked == []


# what it means for the loan


async def test_the_hedge_counts_in_the_three_ways(hedges, marked, clock):
    portfolio = holding(held(480.0, 22))
    await hedges.refresh([portfolio])
    hedge = marked(portfolio)
    snapshot = mark(portfolio, 460.0, clock().date(), hedge)
    assert snapshot.ltv == snapshot.lender_ltv == pytest.approx(0.6)
    after = replace(portfolio, loan=replace(portfolio.loan, hedge_counting=HedgeCounting.AFTER_PAYMENT))
    assert mark(after, 460.0, clock().date(), hedge).lender_ltv == pytest.approx((600_000 - hedge.value) / 1e6)


async def test_the_greeks_of_the_whole_position_are_the_shares_and_the_options(hedges, marked):
    portfolio = holding(held(440.0, 5), held(420.0, -3))
    await hedges.refresh([portfolio])
    found = marked(portfolio)
    deltas = [one.delta for one in found.marks]
    assert found.greek("delta") == pytest.approx(500 * deltas[0] - 300 * deltas[1])
