"""Days before expiry: what options are taken at then, and the search that keeps the rules there."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # the name everybody gives it

from vaultdash.domain.hedge_verdict import CheapestHedge, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.option import Right, years_to_expiry
from vaultdash.strategies.cheapest import cheapest_hedge
from vaultdash.strategies.cheapest_dates import EarlierDates
from vaultdash.strategies.cheapest_goals import best_protection, zero_cost_collar
from vaultdash.strategies.cheapest_terms import HedgeTerms, search_terms, usable

NOW = datetime(2026, 6, 18, 20, 0, tzinfo=UTC)
SEPTEMBER, DECEMBER = date(2026, 9, 18), date(2026, 12, 18)
RATE = 0.04


def option(right: Right, strike: float, bid: float, ask: float, **fields: Any) -> ListedOption:
    given = {"expiration": SEPTEMBER, "volatility": 0.22, **fields}
    return ListedOption(right, strike, bid=bid, ask=ask, **given)


PUTS = [option(Right.PUT, strike, ask - 0.1, ask) for strike, ask in ((76.0, 0.45), (80.0, 0.80), (84.0, 1.40))]
CALLS = [option(Right.CALL, strike, bid, bid + 0.2) for strike, bid in ((110.0, 2.2), (120.0, 0.9))]


def found(contracts: list[ListedOption], **asked: Any) -> CheapestHedge:
    """1,000 shares at 100, a loan of 60,000 at most at 0.75, prices from 50 to 150."""
    terms = {"price_range": (-0.5, 0.5), "at": NOW, "rate": RATE, **asked}
    return cheapest_hedge(contracts, 1_000, 60_000, 100.0, 0.75, **terms)


def marks(contracts: list[ListedOption], **asked: Any) -> tuple[HedgeTerms, EarlierDates]:
    terms = search_terms(
        contracts, 1_000, 60_000, 100.0, 0.75, allow_calls=True, check_dates="all", at=NOW, rate=RATE, **asked
    )
    return terms, EarlierDates(terms, usable(contracts, terms)[0])


def black_scholes_call(spot: float, strike: float, years: float, volatility: float) -> float:
    deviation = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (RATE + volatility**2 / 2) * years) / deviation
    normal = [0.5 * (1 + math.erf(each / math.sqrt(2))) for each in (d1, d1 - deviation)]
    return spot * normal[0] - strike * math.exp(-RATE * years) * normal[1]


@pytest.mark.parametrize("price", [60.0, 100.0, 125.0])
@pytest.mark.parametrize("days", [0, 40, 80])
def test_a_sold_call_is_taken_at_its_ask_side_with_volatility_up_by_a_point_per_cent_moved(
    price: float, days: int
) -> None:
    _, earlier = marks([*PUTS, *CALLS])
    moment = NOW + timedelta(days=days)
    years = years_to_expiry(SEPTEMBER, moment)
    shifted = 0.22 + abs(price / 100 - 1) * math.sqrt(min(1.0, 30 / 365 / years))
    # without dividends an American call is a European one
    expected = -100 * (black_scholes_call(price, 110.0, years, shifted) + 0.1)
    assert earlier.values([3], moment, np.array([price]))[0, 0] == pytest.approx(expected, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("price", [70.0, 82.0, 100.0])
def test_a_bought_put_is_taken_half_its_spread_below_the_model_and_never_below_exercise(price: float) -> None:
    _, earlier = marks([*PUTS, *CALLS])
    years = years_to_expiry(SEPTEMBER, NOW)
    today = ql.Date(18, 6, 2026)
    ql.Settings.instance().evaluationDate = today
    flat = ql.Actual365Fixed()
    process = ql.BlackScholesProcess(
        ql.QuoteHandle(ql.SimpleQuote(price)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, flat)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.22, flat)),
    )
    listed = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Put, 84.0), ql.AmericanExercise(today, today + round(years * 365))
    )
    listed.setPricingEngine(ql.BinomialVanillaEngine(process, "lr", 1001))
    expected = max(listed.NPV() - 0.05, 84.0 - price, 0.0)
    assert earlier.values([2], NOW, np.array([price]))[0, 0] == pytest.approx(100 * expected, abs=0.5)


def test_an_option_without_volatility_or_quote_helps_nobody() -> None:
    unknown = ListedOption(Right.PUT, 84.0, DECEMBER, None, 1.4)
    bare = ListedOption(Right.CALL, 115.0, SEPTEMBER, 1.0, None)
    _, earlier = marks([unknown, *CALLS, bare])
    at = np.array([100.0, 80.0])
    put, sold = earlier.values([0], NOW, at)[:, 0], earlier.values([3], NOW, at)[0, 0]
    assert put == pytest.approx([0.0, 400.0])
    years = years_to_expiry(SEPTEMBER, NOW)
    # the highest volatility that is known, and half of a quarter of the bid for buying it back
    assert sold == pytest.approx(-100 * (black_scholes_call(100.0, 115.0, years, 0.22) + 0.125), rel=1e-6)


def test_a_volatility_that_is_not_given_is_that_of_the_mid() -> None:
    years = years_to_expiry(SEPTEMBER, NOW)
    fair = black_scholes_call(100.0, 110.0, years, 0.31)
    call = option(Right.CALL, 110.0, fair - 0.1, fair + 0.1, volatility=None)
    _, earlier = marks([call])
    assert earlier.values([0], NOW, np.array([100.0]))[0, 0] == pytest.approx(-100 * (fair + 0.1), rel=1e-6)


def test_bought_puts_alone_need_no_earlier_day() -> None:
    plain, every = found(PUTS), found(PUTS, check_dates="all")
    assert every.net_cost == plain.net_cost
    assert every.hedge == plain.hedge
    assert any("no earlier day needs a test" in each for each in every.remarks)


def test_calls_that_are_fine_at_expiry_may_not_be_before_it() -> None:
    """At 150 ten calls of 110 owe 40,000 at expiry, and with the shock a good deal more before."""
    asked: dict[str, Any] = {"allow_calls": True, "credit_factor": 1.0, "price_range": (-0.25, 0.02)}
    plain = found([*PUTS, *CALLS], **asked)
    every = found([*PUTS, *CALLS], **asked, check_dates="all")
    assert plain.status is every.status is SolveStatus.OPTIMAL
    assert plain.net_cost is not None
    assert every.net_cost is not None
    assert every.net_cost > plain.net_cost + 1
    assert every.lp_bound is not None
    assert every.lp_bound <= every.net_cost
    assert every.checked > plain.checked
    assert any(each.on is not None for each in every.binding)
    assert any("Days before expiry were tested" in each for each in every.remarks)


def test_the_answer_holds_between_the_days_and_prices_that_were_tested() -> None:
    asked: dict[str, Any] = {"allow_calls": True, "credit_factor": 1.0, "price_range": (-0.4, 0.3)}
    contracts = [*PUTS, *CALLS]
    answer = found(contracts, **asked, check_dates="all")
    assert answer.hedge is not None
    terms, earlier = marks(contracts, credit_factor=1.0, price_range=(-0.4, 0.3))
    places = [contracts.index(leg.option) for leg in answer.hedge.legs]
    counts = np.array([abs(leg.contracts) for leg in answer.hedge.legs])
    prices = np.linspace(terms.lowest, terms.highest, 500)
    for days in np.linspace(0, 91.9, 40):
        value = earlier.values(places, NOW + timedelta(days=float(days)), prices) @ counts
        ltv = (60_000 - value) / (1_000 * prices)
        assert ltv.max() <= 0.75 + 5e-4


def test_what_only_earlier_days_forbid_is_said() -> None:
    """A hedge that must sell calls to be paid for, and cannot bear them before expiry."""
    calls = [option(Right.CALL, 101.0, 6.0, 6.1, volatility=0.3)]
    asked: dict[str, Any] = {
        "allow_calls": True,
        "credit_factor": 1.0,
        "price_range": (-0.22, 0.0),
        "budget": -4_000.0,
        "owed_factor": 6.0,
    }
    puts = [replace(each, ask=0.05, bid=0.01) for each in PUTS[1:]]
    plain = found([*puts, *calls], **asked)
    every = found([*puts, *calls], **asked, check_dates="all")
    assert plain.status is SolveStatus.OPTIMAL
    assert every.status is SolveStatus.INFEASIBLE
    assert every.reason.startswith("Only the days before expiry are in the way")


def test_other_aims_keep_the_rules_before_expiry_as_well() -> None:
    asked: dict[str, Any] = {"price_range": (-0.25, 0.02), "at": NOW, "rate": RATE, "check_dates": "all"}
    asked["credit_factor"] = 1.0
    contracts, case = [*PUTS, *CALLS], (1_000, 60_000, 100.0, 0.75)
    for answer in (
        best_protection(contracts, *case, budget=500.0, allow_calls=True, **asked),
        zero_cost_collar(contracts, *case, **asked),
    ):
        assert answer.status is SolveStatus.OPTIMAL
        assert answer.hedge is not None
        assert any(leg.contracts < 0 for leg in answer.hedge.legs)
        terms, earlier = marks(contracts, credit_factor=1.0, price_range=(-0.25, 0.02))
        values = [(price, value) for _, price, value in earlier.points(answer.hedge)]
        assert max((60_000 - value) / (1_000 * price) for price, value in values) <= 0.75 + 1e-9
        assert terms.limit == 0.75
