"""Sold calls at a broker who does not hold the gold: figures of the published rule, and the price of the call."""

from datetime import date

import pytest

from tests.builders import SEED_UNITS
from tests.pricing.quantlib_oracle import american_figure
from tests.strategies.listed_cases import FAR, RATE, SPOT, a_call, a_case, a_hedge, a_put
from vaultdash.domain.hedge_verdict import CallSafety
from vaultdash.domain.listed_hedge import ListedLeg
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.strategies.call_safety import call_safety


def bare(strike: float, contracts: int, price: float = 0.0, **fields: object) -> ListedLeg:
    """A call that nobody quotes, so that only exercise value (and the price given) is known of it."""
    return a_call(strike, contracts, price, bid=None, ask=None, **fields)


def safety(*legs: ListedLeg, **fields: object) -> CallSafety:
    found = call_safety(a_hedge(*legs), a_case(HedgeCounting.CREDITED, **fields))
    assert found is not None
    return found


def test_without_sold_calls_there_is_nothing_to_say() -> None:
    assert call_safety(a_hedge(a_put(400.0, 22), a_call(500.0, 22)), a_case()) is None


def test_twenty_two_calls_need_what_the_rule_says_before_time_value_and_after_a_rally() -> None:
    found = safety(bare(506.0, -22), units=2_200.0)
    assert found.requirement == pytest.approx(151_800)
    assert found.after_rally == pytest.approx(404_800)
    assert (found.contracts, found.is_covered) == (22, False)
    assert "151,800" in found.refusal


def test_the_price_of_the_brokers_call_is_solved_exactly() -> None:
    # beyond the strike a call needs S - 506 + S / 4: with 300,000 for 2,200 shares S = (136.36 + 506) / 1.25 = 513.89
    found = safety(bare(506.0, -22), units=2_200.0, broker_margin=300_000.0)
    assert found.broker_calls_at == pytest.approx((300_000 / 2_200 + 506) / 1.25, abs=1e-5)
    assert "after a rise of 20%" in found.refusal
    assert "513.89" in found.refusal
    # below the strike it needs S / 4 - (506 - S): with 200,000 S = (90.91 + 506) / 1.25 = 477.53
    assert safety(bare(506.0, -22), units=2_200.0, broker_margin=200_000.0).broker_calls_at == pytest.approx(
        (200_000 / 2_200 + 506) / 1.25, abs=1e-5
    )


def test_margin_for_the_rally_is_enough_and_the_call_comes_after_it() -> None:
    found = safety(bare(506.0, -22), units=2_200.0, broker_margin=404_800.0)
    assert found.refusal == ""
    assert found.broker_calls_at == pytest.approx(552.0, abs=1e-5)
    assert safety(bare(506.0, -22), units=2_200.0, broker_margin=404_799.0).refusal


def test_too_little_now_has_no_later_price() -> None:
    assert safety(bare(506.0, -22), units=2_200.0, broker_margin=100_000.0).broker_calls_at is None


def test_time_value_comes_on_top_now_and_after_the_rally() -> None:
    found = safety(a_call(506.0, -10, volatility=0.25))
    for price, requirement in ((SPOT, found.requirement), (SPOT * 1.2, found.after_rally)):
        call = american_figure(price, 506.0, 100, RATE, 0.0, 0.25, Right.CALL)
        beyond = max(0.25 * price - max(506.0 - price, 0.0), 0.10 * price)
        assert requirement == pytest.approx(1_000 * (call + beyond), rel=1e-5)
    # without a volatility today's time value stays: 4 a share
    kept = safety(bare(506.0, -10, 4.0))
    assert kept.requirement == pytest.approx(1_000 * (4 + 69))
    assert kept.after_rally == pytest.approx(1_000 * (50 + 138))


def test_with_time_value_the_brokers_price_is_where_its_requirement_is_the_money() -> None:
    found = safety(a_call(506.0, -10, volatility=0.25), broker_margin=120_000.0)
    price = found.broker_calls_at
    assert price is not None
    call = american_figure(price, 506.0, 100, RATE, 0.0, 0.25, Right.CALL)
    beyond = max(0.25 * price - max(506.0 - price, 0.0), 0.10 * price)
    assert 1_000 * (call + beyond) == pytest.approx(120_000.0, rel=1e-5)


def test_where_the_gold_is_a_call_is_covered_as_long_as_there_are_shares() -> None:
    found = safety(a_call(506.0, -21), split_custody=False)
    assert (found.is_covered, found.requirement, found.refusal) == (True, 0.0, "")


@pytest.mark.parametrize("split", [True, False])
def test_more_calls_than_shares_are_refused_wherever_the_gold_is(split: bool) -> None:
    found = safety(a_call(506.0, -23), split_custody=split, broker_margin=1e9)
    assert not found.is_covered
    assert "over 2,300 shares, and the gold is worth 2,174" in found.refusal


def test_beside_the_gold_only_what_is_beyond_it_needs_margin() -> None:
    found = safety(bare(506.0, -23), split_custody=False, units=2_200.0)
    assert found.requirement == pytest.approx(151_800 / 22)


def test_a_bought_call_covers_a_sold_one_above_and_bounds_one_below() -> None:
    assert safety(bare(506.0, -10), a_call(500.0, 10)).is_covered
    # 10 a share at most are lost between 506 and 516
    bounded = safety(bare(506.0, -10), a_call(516.0, 10), broker_margin=10_000.0)
    assert (bounded.requirement, bounded.after_rally, bounded.refusal) == (10_000, 10_000, "")
    assert bounded.broker_calls_at is None  # at no price is it more
    # one that expires before covers nothing, and so do fewer
    assert safety(bare(506.0, -10, expiration=FAR), a_call(500.0, 10)).requirement == pytest.approx(69_000)
    assert safety(bare(506.0, -10), a_call(500.0, 4)).requirement == pytest.approx(6 * 6_900)


def test_two_strikes_are_added_up() -> None:
    # 506: 69 a share; 552: max(115 - 92, 46) = 46
    assert safety(bare(506.0, -10), bare(552.0, -10)).requirement == pytest.approx(69_000 + 46_000)


def test_the_rally_can_be_another() -> None:
    found = call_safety(a_hedge(bare(506.0, -10)), a_case(), rally=0.10)
    assert found is not None
    assert found.after_rally == pytest.approx(1_000 * 0.25 * 506)


def test_an_expired_call_has_no_time_value() -> None:
    assert safety(bare(450.0, -10, 99.0, expiration=date(2026, 6, 10))).requirement == pytest.approx(1_000 * 125)


def test_a_bought_call_covers_only_once() -> None:
    # 510: max(115 - 50, 46) = 65 a share
    assert safety(bare(506.0, -10), bare(510.0, -10), a_call(500.0, 10)).requirement == pytest.approx(65_000)


def test_the_gold_covers_first_what_nothing_else_bounds() -> None:
    # 2,100 of 2,173.9 shares for the calls at 520, the rest for those that can lose 10 a share at most
    found = safety(bare(506.0, -10), a_call(516.0, 10), bare(520.0, -21), split_custody=False)
    assert found.requirement == pytest.approx((1_000 - (SEED_UNITS - 2_100)) * 10)
