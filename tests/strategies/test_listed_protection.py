"""How far listed hedges keep the call away: by hand, and against a fine grid of prices."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEED_UNITS
from tests.strategies.listed_cases import MID, SPOT, a_call, a_case, a_hedge, a_put
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import CountedProtection
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg
from vaultdash.domain.loan import HedgeCounting, Interest, is_breached
from vaultdash.domain.portfolio import hedged_ltv
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.listed_protection import counted_protection, funded

RANGE = (-0.6, 0.6)
CREDITED, AFTER_PAYMENT, IGNORED = HedgeCounting.CREDITED, HedgeCounting.AFTER_PAYMENT, HedgeCounting.IGNORED


def kept(
    hedge: ListedHedge,
    counting: HedgeCounting,
    case: HedgeCase | None = None,
    price_range: tuple[float, float] = RANGE,
) -> CountedProtection:
    return counted_protection(hedge, case or a_case(), counting, price_range)


def test_interest_that_is_added_to_the_loan_is_owed_when_the_hedge_ends() -> None:
    # from 10 June to 18 September: 20 days, added at the end of June, and 80 more, at 6.45 % a year of 360 days
    rate = Interest().rate
    grown = 600_000 * (1 + rate * 20 / 360) * (1 + rate * 80 / 360)
    case = a_case()
    case = replace(case, loan=replace(case.loan, interest=Interest(capitalised=True)))
    hedge = a_hedge(a_put(370.0, 22))
    assert funded(hedge, case).owed == pytest.approx(grown, abs=0.01)
    assert kept(hedge, CREDITED, case).worst_ltv == pytest.approx(grown / (SEED_UNITS * 370))
    assert not kept(hedge, CREDITED, case).keeps  # 75.9 %: the put that keeps today's loan does not keep that one
    assert funded(a_hedge(), case).owed == 600_000
    assert funded(a_hedge(), replace(case, until=MID)).owed == pytest.approx(grown, abs=0.01)


def test_interest_alone_brings_a_call_that_is_not_there_now() -> None:
    case = a_case(until=MID)  # 60 % now; at 405 USD 68.1 %, and 69.4 % with the interest
    loan = replace(case.loan, interest=Interest(capitalised=True), warning_ltv=0.65, margin_call_ltv=0.69)
    found = kept(a_hedge(), IGNORED, replace(case, loan=loan, spot=405.0))
    assert found.deepest_fall == 0
    assert not found.keeps
    called = kept(a_hedge(), IGNORED, replace(case, loan=loan, spot=390.0))
    assert called.deepest_fall is None


@pytest.mark.parametrize("counting", HedgeCounting)
def test_without_a_hedge_the_call_comes_after_the_fall_of_the_formula(counting: HedgeCounting) -> None:
    found = kept(a_hedge(), counting)
    assert found.deepest_fall == pytest.approx(1 - 0.60 / 0.75, abs=1e-8)
    assert found.ltv_at_call == pytest.approx(0.75)
    assert not found.keeps
    assert (found.worst_ltv, found.worst_price) == pytest.approx((1.5, 184.0))


def test_a_put_over_all_the_gold_above_the_call_price_keeps_every_call_away_when_credited() -> None:
    # 22 puts at 370 on 2,173.9 shares: V + Pi is least at 370, 600,000 / (2,173.9 x 370) = 0.74595
    found = kept(a_hedge(a_put(370.0, 22)), CREDITED)
    assert found.keeps
    assert found.deepest_fall == 0.6
    assert found.worst_ltv == pytest.approx(600_000 / (SEED_UNITS * 370))
    assert found.worst_price == 370.0
    # a put below the call price leaves the call where it was
    assert kept(a_hedge(a_put(365.0, 22)), CREDITED).deepest_fall == pytest.approx(0.2, abs=1e-8)


def test_a_strike_on_the_call_price_itself_is_a_call() -> None:
    assert not kept(a_hedge(a_put(368.0, 22)), CREDITED).keeps
    assert kept(a_hedge(a_put(368.01, 22)), CREDITED).keeps


def test_proceeds_that_repay_need_fewer_puts_than_collateral_does() -> None:
    # at 184 the gold is worth 400,000, and carries 300,000: 300,000 / (100 x 216) = 13.9 puts at 400 repay the rest;
    # credited at 0.75 they would have to be worth 400,000: 18.5 puts
    assert kept(a_hedge(a_put(400.0, 14)), AFTER_PAYMENT).keeps
    assert not kept(a_hedge(a_put(400.0, 13)), AFTER_PAYMENT).keeps
    assert kept(a_hedge(a_put(400.0, 19)), CREDITED).keeps
    assert not kept(a_hedge(a_put(400.0, 18)), CREDITED).keeps


def test_a_haircut_takes_from_what_is_held_and_not_from_what_is_owed() -> None:
    spread = a_hedge(a_put(400.0, 22), a_call(480.0, -22))
    whole, cut = a_case(), a_case(hedge_haircut=0.5)
    assert kept(spread, CREDITED, cut).worst_ltv > kept(spread, CREDITED, whole).worst_ltv
    # at 736 the calls owe 2,200 x 256 = 563,200, counted in full either way
    counted = 600_000 / (SEED_UNITS * 736 - 563_200)
    for case in (whole, cut):
        assert kept(spread, CREDITED, case, (0.599, 0.6)).worst_ltv == pytest.approx(counted)


def test_the_crossing_is_solved_exactly_in_each_counting() -> None:
    # 10 puts at 400. After payment: 600,000 - 1,000 (400 - S) = 0.75 x 2,173.913 S, S = 200,000 / 630.43 = 317.24
    hedge = a_hedge(a_put(400.0, 10))
    assert kept(hedge, AFTER_PAYMENT).deepest_fall == pytest.approx(1 - 200_000 / (0.75 * SEED_UNITS - 1_000) / SPOT)
    # credited: 600,000 = 0.75 (2,173.913 S + 1,000 (400 - S))
    assert kept(hedge, CREDITED).deepest_fall == pytest.approx(1 - 400_000 / (SEED_UNITS - 1_000) / SPOT)


def test_sold_calls_bring_a_call_on_the_way_up_that_the_fall_does_not_show() -> None:
    # far more calls than gold: at 736 they owe 100 x 60 x 236 = 1,416,000 against gold of 1,600,000
    found = kept(a_hedge(a_put(400.0, 22), a_call(500.0, -60)), CREDITED)
    assert found.deepest_fall == 0.6
    assert not found.keeps
    assert found.worst_price == pytest.approx(736.0)
    assert kept(a_hedge(a_call(500.0, -80)), CREDITED).worst_ltv == math.inf  # nothing is left of the collateral


def test_a_loan_that_is_called_now_protects_nothing() -> None:
    called = a_case(units=1_700.0)
    assert kept(a_hedge(), CREDITED, called).deepest_fall is None
    assert kept(a_hedge(a_put(400.0, 17)), IGNORED, called).deepest_fall is None
    on_it = a_case(units=600_000 / 0.75 / SPOT)
    assert kept(a_hedge(), CREDITED, on_it).deepest_fall is None  # at the limit is a call


def test_the_premium_is_owed_or_taken_in_gold_where_it_is_paid_so() -> None:
    # 22 puts at 10 USD: 22,000 USD
    legs = (a_put(400.0, 22, 10.0),)
    on_loan, in_gold = (a_hedge(*legs, funding=how) for how in (PremiumFunding.LOAN, PremiumFunding.SELL_GOLD))
    assert kept(on_loan, IGNORED).deepest_fall == pytest.approx(1 - 0.622 / 0.75, abs=1e-8)
    assert kept(in_gold, IGNORED).deepest_fall == pytest.approx(1 - 0.60 / 0.978 / 0.75, abs=1e-8)
    assert funded(on_loan, a_case()) == (622_000, SEED_UNITS, 622_000)
    assert funded(in_gold, a_case()).units == pytest.approx(SEED_UNITS - 22_000 / 460)
    with pytest.raises(InvalidInput, match="gold"):
        kept(a_hedge(a_put(460.0, 22, 460.0), funding=PremiumFunding.SELL_GOLD), IGNORED)


def test_a_range_that_leaves_spot_out_is_judged_where_it_is() -> None:
    # between 322 and 368 without a hedge: the call at 368 is there, and every price of the range is one
    found = kept(a_hedge(), CREDITED, price_range=(-0.3, -0.2))
    assert found.worst_price == pytest.approx(322.0)
    assert found.deepest_fall == pytest.approx(0.2, abs=1e-8)
    assert kept(a_hedge(), CREDITED, price_range=(0.1, 0.2)).keeps
    assert kept(a_hedge(), CREDITED, price_range=(0.1, 0.2)).deepest_fall == 0.0


@pytest.mark.parametrize("wrong", [(0.2, -0.2), (-1.0, 0.5), (0.1, 0.1), (-0.5, math.nan), (-60.0, 60.0)])
def test_a_range_that_is_none_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput, match="price_range"):
        kept(a_hedge(), CREDITED, price_range=wrong)


LEGS = st.builds(
    lambda is_put, strike, count: (a_put if is_put else a_call)(float(strike), count, 1.0),
    st.booleans(),
    st.integers(200, 720),
    st.integers(-15, 30).filter(bool),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(LEGS, min_size=1, max_size=4), st.sampled_from(HedgeCounting), st.sampled_from([0.0, 0.3]), st.booleans()
)
def test_a_fine_grid_of_prices_finds_nothing_worse(
    legs: list[ListedLeg], counting: HedgeCounting, haircut: float, is_owed: bool
) -> None:
    case = a_case(hedge_haircut=haircut)
    hedge = a_hedge(*legs, funding=PremiumFunding.LOAN if is_owed else PremiumFunding.CASH)
    found = kept(hedge, counting, case)
    owed = case.loan.amount + (hedge.net_cost if is_owed else 0.0)
    loan = replace(case.loan, hedge_counting=counting)
    prices = np.linspace(184.0, 736.0, 277)
    ltvs = [hedged_ltv(owed, case.units * price, hedge.payoff(price), loan) for price in prices]
    assert max(ltvs) <= found.worst_ltv + 1e-9
    called = [price for price, ltv in zip(prices, ltvs, strict=True) if is_breached(ltv, 0.75)]
    assert not (called and found.keeps)
    below = [price for price in called if price <= SPOT]
    if found.deepest_fall is None:
        assert is_breached(hedged_ltv(owed, case.units * SPOT, hedge.payoff(SPOT), loan), 0.75)
    else:
        reached = SPOT * (1 - found.deepest_fall)
        assert all(price <= reached + 1e-6 for price in below)  # nothing is called before
        if found.deepest_fall < 0.6:  # and there it is
            at = hedged_ltv(owed, case.units * reached, hedge.payoff(reached), loan)
            assert at == pytest.approx(0.75, abs=2e-9)


def test_the_end_of_the_range_on_the_call_price_is_a_call() -> None:
    found = kept(a_hedge(), CREDITED, price_range=(-0.2, 0.6))
    assert not found.keeps
    assert found.deepest_fall is not None
    assert 0.2 - 1e-8 < found.deepest_fall < 0.2
    assert kept(a_hedge(), CREDITED, price_range=(-0.199, 0.6)).keeps


def test_what_is_within_rounding_of_the_limit_is_on_it() -> None:
    almost = a_case(units=600_000 / (0.75 - 5e-10) / SPOT)
    assert kept(a_hedge(), CREDITED, almost).deepest_fall is None
    assert kept(a_hedge(), CREDITED, a_case(units=600_000 / (0.75 - 2e-9) / SPOT)).deepest_fall is not None


def test_of_equal_worst_prices_the_nearest_to_spot_is_named() -> None:
    # 2,200 shares: above 480 the calls take all that gold gains, below it the puts pay twice what gold loses
    found = kept(a_hedge(a_put(480.0, 44), a_call(480.0, -22)), CREDITED, a_case(units=2_200.0))
    assert found.worst_price == 480.0
    assert found.worst_ltv == pytest.approx(600_000 / (2_200 * 480))


def test_what_is_called_on_the_way_to_the_range_is_no_call_in_it() -> None:
    # 60 puts at 340 are worth more than is missing at 207 and below, and nothing at 360
    found = kept(a_hedge(a_put(340.0, 60)), CREDITED, price_range=(-0.6, -0.55))
    assert found.keeps
    assert found.deepest_fall == pytest.approx(0.2, abs=1e-8)
