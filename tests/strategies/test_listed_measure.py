"""The figures of listed hedges: by hand, by put-call parity, and against QuantLib."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEED_UNITS
from tests.pricing.quantlib_oracle import american_figure
from tests.strategies.listed_cases import FAR, MID, RATE, SOON, SPOT, a_call, a_case, a_hedge, a_put
from vaultdash.domain.hedge_verdict import Greeks
from vaultdash.domain.listed_hedge import ListedHedge, ListedLeg
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.listed_greeks import volatilities
from vaultdash.strategies.listed_measure import measure_all, measure_listed

VALUE = SEED_UNITS * SPOT  # a million


def test_cost_a_year_is_until_the_first_expiration() -> None:
    found = measure_listed(a_hedge(a_put(400.0, 22, 5.0), commission=0.65), a_case())
    assert found.net_cost == pytest.approx(22 * 500 + 22 * 0.65)
    assert found.years == pytest.approx(100 / 365)
    assert found.cost_per_year == pytest.approx(11_014.3 * 3.65)
    assert found.cost_pct == pytest.approx(0.0110143)
    assert found.cost_per_year_pct == pytest.approx(0.0110143 * 3.65)
    both = measure_listed(a_hedge(a_put(400.0, 11, expiration=SOON), a_put(400.0, 11, expiration=FAR)), a_case())
    assert both.years == pytest.approx(37 / 365)


def test_doing_nothing_costs_nothing_and_keeps_everything_but_the_floor() -> None:
    found = measure_listed(a_hedge(), a_case())
    assert (found.net_cost, found.cost_per_year, found.years) == (0.0, 0.0, None)
    assert found.floor_pct == pytest.approx(0.4)
    assert found.floor_price == pytest.approx(184.0)
    assert found.upside_kept == 1.0
    assert found.breakevens == ()
    assert found.hedge_greeks == Greeks(0.0, 0.0, 0.0, 0.0)
    assert found.total_greeks.delta == pytest.approx(SEED_UNITS)
    assert (found.widest_spread, found.least_open_interest, found.calls, found.remarks) == (None, None, None, ())


def test_the_floor_takes_the_cost_off_once_however_it_was_paid() -> None:
    # 22 puts at 400 for 11,000: over 2,200 shares on 2,173.9, so that the least is at 400
    legs = (a_put(400.0, 22),)
    cash, owed, gold = (measure_listed(a_hedge(*legs, funding=how), a_case()) for how in PremiumFunding)
    assert cash.floor_pct == pytest.approx((SEED_UNITS * 400 - 11_000) / VALUE)
    assert cash.floor_price == 400.0
    assert owed.floor_pct == cash.floor_pct
    assert gold.floor_pct == pytest.approx((SEED_UNITS - 11_000 / SPOT) * 400 / VALUE)
    assert gold.upside_kept == pytest.approx(1 - 0.011)
    assert (cash.upside_kept, owed.upside_kept) == (1.0, 1.0)
    assert gold.total_greeks.delta is not None
    assert cash.total_greeks.delta is not None
    assert cash.total_greeks.delta - gold.total_greeks.delta == pytest.approx(11_000 / SPOT)


def test_a_collar_keeps_the_rise_to_its_call_and_no_more() -> None:
    # to 736 gold gains 276 a share; 21 calls at 506 owe 230 on 2,100 of 2,173.9 shares
    found = measure_listed(a_hedge(a_put(400.0, 22), a_call(506.0, -21)), a_case())
    assert found.upside_kept == pytest.approx(1 - 2_100 * 230 / (SEED_UNITS * 276))
    assert measure_listed(a_hedge(a_call(506.0, -21)), a_case(), (-0.6, 0.05)).upside_kept == 1.0
    # a range without a rise takes the usual one
    assert measure_listed(a_hedge(a_call(506.0, -21)), a_case(), (-0.6, 0.0)).upside_kept == found.upside_kept


def test_breakevens_are_where_the_payoff_is_the_cost() -> None:
    assert measure_listed(a_hedge(a_put(400.0, 22, 5.0)), a_case()).breakevens == (395.0,)
    # a spread at 5 less 2: 400 - 3
    assert measure_listed(a_hedge(a_put(400.0, 10, 5.0), a_put(350.0, -10, 2.0)), a_case()).breakevens == (397.0,)
    # a straddle of 30 a share
    assert measure_listed(
        a_hedge(a_put(460.0, 10, 15.0), a_call(460.0, 10, 15.0)), a_case()
    ).breakevens == pytest.approx((430.0, 490.0))
    # a sold call that brought 12: paid back at 518
    assert measure_listed(a_hedge(a_call(506.0, -10, 12.0)), a_case()).breakevens == pytest.approx((518.0,))
    # a collar that cost nothing: from strike to strike it has paid for itself exactly
    assert measure_listed(a_hedge(a_put(400.0, 10), a_call(520.0, -10)), a_case()).breakevens == (400.0, 520.0)
    # dearer than it can ever pay
    assert measure_listed(a_hedge(a_put(10.0, 10, 11.0)), a_case()).breakevens == ()


def test_every_counting_is_there_and_the_lenders_own_is_named() -> None:
    found = measure_listed(a_hedge(a_put(400.0, 14)), a_case(HedgeCounting.AFTER_PAYMENT))
    assert set(found.countings) == set(HedgeCounting)
    assert found.as_counted.keeps
    assert found.as_counted.counting is HedgeCounting.AFTER_PAYMENT
    assert found.countings[HedgeCounting.IGNORED].deepest_fall == pytest.approx(0.2, abs=1e-8)


def test_greeks_are_those_of_quantlib_at_each_options_own_volatility() -> None:
    put, call = a_put(430.0, 22, volatility=0.22), a_call(500.0, -21, volatility=0.18)
    found = measure_listed(a_hedge(put, call), a_case())

    def moved(spot: float, days: int, shift: float) -> float:
        return 2_200 * american_figure(spot, 430.0, days, RATE, 0.0, 0.22 + shift, Right.PUT) - 2_100 * (
            american_figure(spot, 500.0, days, RATE, 0.0, 0.18 + shift, Right.CALL)
        )

    up, now, down = (moved(SPOT + step, 100, 0.0) for step in (0.5, 0.0, -0.5))
    greeks = found.hedge_greeks
    assert greeks.delta == pytest.approx(up - down, rel=1e-3)
    assert greeks.gamma == pytest.approx((up - 2 * now + down) / 0.25, rel=0.02)
    assert greeks.vega == pytest.approx((moved(SPOT, 100, 0.001) - moved(SPOT, 100, -0.001)) * 5, rel=2e-3)
    assert greeks.theta == pytest.approx((moved(SPOT, 99, 0.0) - moved(SPOT, 101, 0.0)) / 2, rel=5e-3)
    assert found.total_greeks.delta == pytest.approx(SEED_UNITS + (greeks.delta or 0.0))
    assert found.total_greeks.vega == greeks.vega


def test_a_call_bought_and_a_put_sold_are_the_share_where_nothing_is_exercised_early() -> None:
    # with rate and yield 0 put-call parity is exact for American options: delta 1, no gamma, vega or theta
    legs = (a_call(460.0, 10, volatility=0.2), a_put(460.0, -10, volatility=0.2))
    greeks = measure_listed(a_hedge(*legs), a_case(rate=0.0)).hedge_greeks
    assert greeks.delta == pytest.approx(1_000.0, abs=1e-6)
    assert (greeks.gamma, greeks.vega, greeks.theta) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_a_volatility_that_is_not_given_is_that_of_the_mid() -> None:
    fair = american_figure(SPOT, 430.0, 100, RATE, 0.0, 0.25, Right.PUT)
    quoted = a_put(430.0, 22, bid=fair - 0.2, ask=fair + 0.2).option
    unknown = a_put(430.0, 22, bid=None, ask=0.01).option
    expired = a_put(430.0, 22, expiration=a_case().at.date()).option
    found = volatilities([quoted, unknown, expired, a_put(430.0, 1, volatility=0.3).option], a_case())
    assert found[0] == pytest.approx(0.25, abs=1e-4)
    assert found[1:] == (None, 0.0, 0.3)


def test_greeks_of_which_one_is_unknown_are_unknown_and_said_so() -> None:
    found = measure_listed(a_hedge(a_put(430.0, 10, bid=None, ask=0.01), a_put(400.0, 12)), a_case())
    assert found.hedge_greeks == Greeks()
    assert found.total_greeks.delta is None
    assert any("430 put" in each and "Greeks are not known" in each for each in found.remarks)


def test_an_expired_option_is_worth_its_exercise_and_said_to_be_gone() -> None:
    found = measure_listed(a_hedge(a_put(500.0, 10, expiration=a_case().at.date())), a_case())
    assert found.hedge_greeks.delta == -1_000
    assert (found.years, found.cost_per_year) == (0.0, None)
    assert found.remarks[0].startswith("Expired already: 500 put")


@pytest.mark.parametrize(
    ("hedge", "said"),
    [
        (a_hedge(a_put(400.0, 30)), "over 3,000 shares and the gold is worth 2,174"),
        (a_hedge(a_put(400.0, 11)), "over 1,100 of the gold's 2,174 shares: 51%"),
        (a_hedge(a_put(400.0, 11), a_put(400.0, 11, expiration=FAR)), "expire from 18 Sep 2026 to 17 Jun 2027"),
        (a_hedge(a_put(400.0, 11), a_put(350.0, -12)), "sells more puts than it buys"),
        (a_hedge(a_put(400.0, 22), a_put(350.0, -22, expiration=FAR)), "350 put, 17 Jun 2027 outlives"),
        (a_hedge(a_put(400.0, 22, bid=1.0, ask=1.6)), "Wide between bid and ask"),
        (a_hedge(a_put(400.0, 22, bid=2.0, ask=1.6)), "one of the two is old: 400 put"),
        (a_hedge(a_put(400.0, 22, bid=None)), "Nobody bids"),
        (a_hedge(a_put(400.0, 22, open_interest=3)), "400 put, 18 Sep 2026 (3)"),
    ],
)
def test_what_an_owner_must_know_is_said(hedge: ListedHedge, said: str) -> None:
    assert said in " ".join(measure_listed(hedge, a_case()).remarks)


def test_a_hedge_in_order_needs_no_remark() -> None:
    spread = a_hedge(a_put(400.0, 22, open_interest=500), a_put(350.0, -22, open_interest=80))
    found = measure_listed(spread, a_case())
    assert found.remarks == ()
    assert found.least_open_interest == 80
    assert found.widest_spread == pytest.approx(0.2 / 5.0)


def test_gold_smaller_than_a_contract_is_said_to_be_less_than_what_is_bought() -> None:
    small = a_case(units=40.0, loan=replace(a_case().loan, amount=11_000.0))
    found = measure_listed(a_hedge(a_put(400.0, 1)), small)
    assert "One contract is over 100 shares and the gold is worth 40.0" in found.remarks[0]


def test_many_hedges_are_measured_as_each_alone() -> None:
    hedges = [a_hedge(a_put(strike, 22), a_call(520.0, -21)) for strike in (380.0, 400.0, 420.0)]
    assert measure_all(hedges, a_case()) == tuple(measure_listed(hedge, a_case()) for hedge in hedges)


LEG = st.builds(
    lambda is_put, strike, count, price: (a_put if is_put else a_call)(float(strike), count, price),
    st.booleans(),
    st.integers(300, 640),
    st.integers(-10, 22).filter(bool),
    st.sampled_from([0.0, 2.5, 11.0]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(LEG, min_size=1, max_size=4))
def test_floor_and_breakevens_agree_with_a_fine_grid(legs: list[ListedLeg]) -> None:
    hedge = a_hedge(*legs)
    found = measure_listed(hedge, a_case())
    prices = np.linspace(184.0, 736.0, 277)
    worths = [SEED_UNITS * price + hedge.payoff(price) - hedge.net_cost for price in prices]
    assert min(worths) / VALUE >= found.floor_pct - 1e-9
    at = SEED_UNITS * found.floor_price + hedge.payoff(found.floor_price) - hedge.net_cost
    assert at / VALUE == pytest.approx(found.floor_pct)
    assert all(hedge.payoff(price) == pytest.approx(hedge.net_cost, abs=1e-6) for price in found.breakevens)
    gains = np.sign([round(hedge.payoff(price) - hedge.net_cost, 6) for price in prices])
    for place in np.flatnonzero(gains[1:] * gains[:-1] < 0):  # a change of sign has a breakeven in it
        assert any(prices[place] <= each <= prices[place + 1] for each in found.breakevens)


def test_the_days_of_the_market_are_as_the_cases_say() -> None:
    assert [a_case().days_to(day) for day in (SOON, MID, FAR)] == [37, 100, 372]
