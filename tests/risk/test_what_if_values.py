"""Options of a hedge over prices, days and volatility: QuantLib, payoffs at expiry, and today's quotes."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.risk.what_if_cases import (
    AT,
    EXPIRATION,
    HALF_SPREAD,
    LATER,
    RATE,
    SPOT,
    UNITS,
    a_case,
    a_hedge,
    a_leg,
    model,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption, PriceBasis
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import hedged_ltv
from vaultdash.risk.stress import CRASH_BETA, option_value
from vaultdash.risk.what_if_values import NOW, WhatIfRow, book_greeks, counted_ltv, hedge_book, hedge_values

PRICES = np.array([230.0, 330.0, 400.0, 460.0, 520.0, 600.0])


def test_each_value_is_quantlibs_less_half_the_spread_and_never_below_exercise() -> None:
    legs = (a_leg(400.0), a_leg(360.0, -10), a_leg(520.0, -22, Right.CALL))
    rows = [NOW, WhatIfRow(days=30), WhatIfRow(days=179, volatility=0.1), WhatIfRow(volatility=-0.05, rate=0.02)]
    found = hedge_values(a_hedge(*legs), a_case(), PRICES, rows)
    for place, row in enumerate(rows):
        for column, price in enumerate(PRICES):
            worth = 0.0
            for leg in legs:
                option = leg.option
                then = model(
                    option.strike, option.right, price, 180 - row.days, 0.22 + row.volatility, RATE + row.rate
                )
                held = math.copysign(HALF_SPREAD, -leg.contracts)  # sold at the bid, bought back at the ask
                worth += leg.shares * max(then + held, option.pays(price))
            assert found[place, column] == pytest.approx(worth, abs=0.02 * UNITS / 100), (row, price)


def test_without_a_change_it_is_worth_what_closing_brings_today() -> None:
    legs = (a_leg(400.0), a_leg(520.0, -22, Right.CALL))
    found = hedge_values(a_hedge(*legs), a_case(), np.array([SPOT]), [NOW])
    bid, ask = legs[0].option.bid, legs[1].option.ask
    assert bid is not None
    assert ask is not None
    assert found[0, 0] == pytest.approx(2200 * bid - 2200 * ask, abs=1e-6)


def test_it_agrees_with_the_stress_table_when_only_the_price_moves() -> None:
    hedge, case = a_hedge(a_leg(400.0), a_leg(380.0, -5)), a_case()
    book = hedge_book(hedge, case)
    crashed = hedge_values(hedge, case, PRICES, [NOW, WhatIfRow(crash_volatility=True)])
    for beta, values in zip((0.0, CRASH_BETA), crashed, strict=True):
        one_by_one = [option_value(book, SPOT, float(price), RATE, beta=beta) for price in PRICES]
        assert values == pytest.approx(one_by_one, abs=1e-3)
    assert crashed[1, 2] > crashed[0, 2] + 1_000  # a fall by 13 % raises volatility


def test_at_and_after_expiry_it_is_the_payoff_kept_as_money() -> None:
    hedge = a_hedge(a_leg(400.0), a_leg(520.0, -22, Right.CALL))
    found = hedge_values(hedge, a_case(), PRICES, [WhatIfRow(days=180), WhatIfRow(days=500, volatility=0.3)])
    payoffs = [hedge.payoff(float(price)) for price in PRICES]
    assert found[0] == pytest.approx(payoffs)
    assert found[1] == pytest.approx(payoffs)
    assert min(payoffs) < 0 < max(payoffs)


def test_a_leg_that_lives_on_is_valued_beside_one_that_has_expired() -> None:
    long = a_leg(400.0, expiration=LATER)
    both = hedge_values(a_hedge(a_leg(420.0, 3), long), a_case(), PRICES, [WhatIfRow(days=200)])[0]
    alone = hedge_values(a_hedge(long), a_case(), PRICES, [WhatIfRow(days=200)])[0]
    assert both - alone == pytest.approx(300 * np.maximum(420.0 - PRICES, 0.0))
    assert alone[2] > 2200 * 5  # at the strike there is time value left


def test_doing_nothing_is_worth_nothing() -> None:
    nothing = ListedHedge("nothing")
    assert not hedge_values(nothing, a_case(), PRICES, [NOW, WhatIfRow(days=9)]).any()
    greeks = book_greeks(hedge_book(nothing, a_case()), a_case(), PRICES, NOW)
    assert greeks[0].delta == 0.0


def test_a_volatility_that_is_not_given_is_that_of_the_mid() -> None:
    book = hedge_book(a_hedge(a_leg(400.0, volatility=None)), a_case())
    assert book.volatilities[0] == pytest.approx(0.22, abs=1e-4)


def test_without_quotes_the_price_it_is_held_at_stands_in() -> None:
    fair = model(400.0)
    leg = ListedLeg(ListedOption(Right.PUT, 400.0, EXPIRATION), 10, fair, PriceBasis.OWN)
    book = hedge_book(a_hedge(leg), a_case())
    assert book.prices[0] == fair
    assert book.volatilities[0] == pytest.approx(0.22, abs=1e-4)


def test_a_price_that_no_volatility_gives_counts_as_exercise() -> None:
    leg = ListedLeg(ListedOption(Right.PUT, 520.0, EXPIRATION, bid=40.0, ask=41.0), 1, 41.0)  # exercise pays 60
    found = hedge_values(a_hedge(leg), a_case(), PRICES, [NOW])
    assert found[0] == pytest.approx(100 * np.maximum(520.0 - PRICES, 0.0))
    assert book_greeks(hedge_book(a_hedge(leg), a_case()), a_case(), PRICES, NOW)[0].delta is None


def test_greeks_are_the_slopes_of_the_values() -> None:
    hedge, case = a_hedge(a_leg(440.0), a_leg(380.0, -10)), a_case()
    row = WhatIfRow(days=30, volatility=0.03)
    (greeks,) = book_greeks(hedge_book(hedge, case), case, np.array([430.0]), row)
    low, middle, high = hedge_values(hedge, case, np.array([429.5, 430.0, 430.5]), [row])[0]
    more, less = hedge_values(
        hedge, case, np.array([430.0]), [replace(row, volatility=0.035), replace(row, volatility=0.025)]
    )[:, 0]
    later = hedge_values(hedge, case, np.array([430.0]), [replace(row, days=31)])[0, 0]
    assert greeks.delta == pytest.approx(high - low, rel=1e-3)
    assert greeks.gamma == pytest.approx((high - 2 * middle + low) / 0.25, rel=1e-2)
    assert greeks.vega == pytest.approx(more - less, rel=1e-3)
    assert greeks.theta == pytest.approx(later - middle, rel=2e-2)


@pytest.mark.parametrize("counting", list(HedgeCounting))
def test_ltvs_of_a_grid_are_those_of_one_loan(counting: HedgeCounting) -> None:
    loan = replace(a_case(counting).loan, hedge_haircut=0.2)
    values = np.array([[120_000.0, 0.0, -50_000.0, -2_000_000.0]])
    gold = np.array([500_000.0, 700_000.0, 900_000.0, 1_200_000.0])
    found = counted_ltv(loan, np.array([[loan.amount]]), gold, values)
    expected = [hedged_ltv(loan.amount, g, p, loan) for g, p in zip(gold, values[0], strict=True)]
    assert found[0] == pytest.approx(expected)


def test_a_hedge_that_expired_before_today_pays_exercise() -> None:
    case = HedgeCase(SPOT, UNITS, a_case().loan, AT + timedelta(days=181), RATE)
    found = hedge_values(a_hedge(), case, PRICES, [NOW])
    assert found[0] == pytest.approx(2200 * np.maximum(400.0 - PRICES, 0.0))


@pytest.mark.parametrize(
    ("prices", "rows"), [([], 1), ([math.nan], 1), ([0.0], 1), ([1.0] * 402, 1), ([460.0], 0), ([460.0], 402)]
)
def test_a_grid_that_makes_no_sense_is_refused(prices: list[float], rows: int) -> None:
    with pytest.raises(InvalidInput):
        hedge_values(a_hedge(), a_case(), np.array(prices), [NOW] * rows)


def test_the_reference_engine_says_the_same() -> None:
    hedge, rows = a_hedge(a_leg(400.0, expiration=LATER)), [NOW, WhatIfRow(days=60, volatility=0.05)]
    kernel, reference = (
        hedge_values(hedge, a_case(), PRICES, rows, engine=engine) for engine in ("kernel", "reference")
    )
    assert kernel == pytest.approx(reference, abs=2200 * 6e-4)
