"""The stress table against arithmetic by hand and a second pricer, and what the lender's counting makes of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEED_UNITS, a_loan
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Zone, cure_as_counted, hedged_ltv
from vaultdash.risk.stress import (
    FALLS,
    OptionBook,
    crash_shift,
    lender_shocks,
    option_value,
    stress_table,
)

SPOT, RATE = 460.0, 0.04


def by_a_tree(spot: float, strike: float, years: float, volatility: float, right: float = -1.0) -> float:
    """The American price by binomial trees of 500 and 501 steps (Cox, Ross and Rubinstein 1979), averaged."""
    found = []
    for steps in (500, 501):
        up = math.exp(volatility * math.sqrt(years / steps))
        growth = math.exp(RATE * years / steps)
        chance = (growth - 1 / up) / (up - 1 / up)
        prices = spot * up ** np.arange(steps, -steps - 1, -2.0)
        worth = np.maximum(right * (prices - strike), 0.0)
        while len(worth) > 1:
            prices = prices[:-1] / up
            held = (chance * worth[:-1] + (1 - chance) * worth[1:]) / growth
            worth = np.maximum(held, right * (prices - strike))
        found.append(float(worth[0]))
    return sum(found) / 2


def a_book(
    strike: float = 420.0,
    years: float = 0.5,
    volatility: float = 0.18,
    right: float = -1.0,
    shares: float = 2200.0,
    price: float | None = None,
) -> OptionBook:
    known = by_a_tree(SPOT, strike, years, volatility, right)
    columns = (strike, years, volatility, right, shares, known if price is None else price)
    return OptionBook(*(np.array([column]) for column in columns))


def test_falls_without_options_are_arithmetic() -> None:
    rows = stress_table(a_loan(), SEED_UNITS, SPOT, None, RATE)
    assert [row.change for row in rows] == list(FALLS) == [-0.05, -0.10, -0.15, -0.20, -0.30, -0.40]
    for row in rows:
        assert row.price == pytest.approx(SPOT * (1 + row.change))
        assert row.lender_ltv == pytest.approx(0.6 / (1 + row.change))
        assert set(row.ltvs.values()) == {row.lender_ltv}
        assert row.option_value == row.crashed_option_value == 0.0
    assert [row.zone for row in rows] == [
        Zone.ROOM, Zone.ROOM, Zone.WARNING, Zone.CALL, Zone.CLOSE_OUT, Zone.CLOSE_OUT,
    ]  # fmt: skip
    # at -20 %: 0.6/0.8 lands exactly on the limit; back to 70 % of 800,000 USD
    assert rows[3].cure.repay_cash == pytest.approx(600_000 - 0.70 * 800_000)
    assert rows[3].cure.add_gold == pytest.approx(600_000 / 0.70 - 800_000)
    assert rows[3].cure.sell_gold == pytest.approx(40_000 / 0.30)


def test_a_sale_of_more_gold_than_there_is_cures_nothing() -> None:
    rows = stress_table(a_loan(950_000.0), SEED_UNITS, SPOT, None, RATE)
    for row in rows:
        need = (950_000 - 0.70 * row.gold_value) / 0.30
        assert row.cure.sell_gold == (pytest.approx(need) if need <= row.gold_value else math.inf)
    assert rows[-1].cure.sell_gold == math.inf
    assert rows[-1].cure.repay_cash == pytest.approx(950_000 - 0.70 * 600_000)


@pytest.mark.parametrize("change", [0.0, *FALLS])
def test_a_held_put_is_marked_to_model_at_each_fall(change: float) -> None:
    book = a_book()
    expected = 2200.0 * by_a_tree(SPOT * (1 + change), 420.0, 0.5, 0.18)
    assert option_value(book, SPOT, SPOT * (1 + change), RATE, engine="reference") == pytest.approx(
        expected, rel=1e-3
    )


def test_a_crash_lifts_volatility_and_with_it_a_long_put() -> None:
    calm = option_value(a_book(), SPOT, SPOT * 0.85, RATE, engine="reference")
    crash = option_value(a_book(), SPOT, SPOT * 0.85, RATE, beta=1.0, engine="reference")
    lifted = 0.18 + 0.15 * math.sqrt(30 / 365 / 0.5)
    expected = 2200.0 * by_a_tree(SPOT * 0.85, 420.0, 0.5, lifted)
    assert crash == pytest.approx(expected, rel=1e-3)
    assert crash > calm


def test_the_crash_shift_is_a_point_a_per_cent_at_thirty_days_and_fades() -> None:
    years = np.array([7 / 365, 30 / 365, 120 / 365])
    assert crash_shift(-0.10, years) == pytest.approx([0.10, 0.10, 0.05])
    assert crash_shift(0.10, years) == pytest.approx([0.0, 0.0, 0.0])


def test_half_the_spread_is_kept() -> None:
    mid = by_a_tree(SPOT, 420.0, 0.5, 0.18)
    bid = option_value(a_book(price=mid - 0.4), SPOT, SPOT * 0.9, RATE, engine="reference")
    middle = option_value(a_book(), SPOT, SPOT * 0.9, RATE, engine="reference")
    assert middle - bid == pytest.approx(2200.0 * 0.4, rel=1e-3)


def test_what_has_no_volatility_or_has_expired_is_worth_exercise() -> None:
    for book in (a_book(volatility=0.18, price=math.nan), a_book(years=0.5, price=1.0)):
        unknown = replace(book, volatilities=np.array([math.nan]))
        assert option_value(unknown, SPOT, 400.0, RATE, engine="reference") == pytest.approx(2200.0 * 20.0)
    expired = replace(a_book(), years=np.array([0.0]))
    assert option_value(expired, SPOT, 400.0, RATE, engine="reference") == pytest.approx(2200.0 * 20.0)
    assert a_book(price=math.nan).value == 0.0


def test_a_sold_call_costs_less_after_a_fall() -> None:
    short = a_book(strike=500.0, right=1.0, shares=-2000.0)
    assert short.value < option_value(short, SPOT, SPOT * 0.9, RATE, engine="reference") < 0.0


@settings(max_examples=30, deadline=None)
@given(
    strike=st.floats(300.0, 520.0),
    volatility=st.floats(0.08, 0.6),
    years=st.floats(0.02, 2.0),
    change=st.floats(-0.5, 0.2),
)
def test_a_held_option_is_never_worth_less_than_exercise(
    strike: float, volatility: float, years: float, change: float
) -> None:
    book = a_book(strike, years, volatility, price=0.01)
    price = SPOT * (1 + change)
    least = 2200.0 * max(strike - price, 0.0)
    assert option_value(book, SPOT, price, RATE, engine="reference") >= least - 1e-6


@settings(max_examples=200, deadline=None)
@given(
    counting=st.sampled_from(list(HedgeCounting)),
    value=st.floats(3e5, 2e6),
    options=st.floats(-5e4, 4e5),
    haircut=st.floats(0.0, 1.0),
    target=st.floats(0.3, 0.8),
)
def test_every_cure_brings_the_counted_ltv_to_the_target(
    counting: HedgeCounting, value: float, options: float, haircut: float, target: float
) -> None:
    loan = a_loan(hedge_counting=counting, hedge_haircut=haircut)
    ways = cure_as_counted(loan, value, options, target)
    before = hedged_ltv(loan.amount, value, options, loan)
    if before <= target:
        assert (ways.repay_cash, ways.add_gold, ways.sell_gold) == (0.0, 0.0, 0.0)
        return

    def after(amount: float, gold: float) -> float:
        counted = Loan(amount, hedge_counting=counting, hedge_haircut=haircut)
        return hedged_ltv(amount, gold, options, counted)

    assert after(loan.amount - ways.repay_cash, value) == pytest.approx(target)
    assert after(loan.amount, value + ways.add_gold) == pytest.approx(target)
    if ways.sell_gold < min(0.99 * value, loan.amount):
        assert after(loan.amount - ways.sell_gold, value - ways.sell_gold) == pytest.approx(target)


def test_a_lender_who_counts_options_sees_another_ltv_and_another_cure() -> None:
    book = a_book(strike=440.0)
    rows = {
        counting: stress_table(
            a_loan(hedge_counting=counting), SEED_UNITS, SPOT, book, RATE, falls=(-0.25,), engine="reference"
        )[0]
        for counting in HedgeCounting
    }
    ignored, paid, credited = (rows[counting] for counting in HedgeCounting)
    assert ignored.zone is Zone.CALL
    assert paid.zone is Zone.ROOM
    assert credited.zone is Zone.ROOM
    assert ignored.ltvs == paid.ltvs == credited.ltvs
    assert paid.lender_ltv < credited.lender_ltv < ignored.lender_ltv
    assert ignored.cure.repay_cash > 0.0 == paid.cure.repay_cash


def test_harsher_terms_are_those_that_matter() -> None:
    plain = lender_shocks(a_loan(), SEED_UNITS, SPOT, 0.0)
    assert [shock.name for shock in plain] == ["limits 5 points lower", "limits 10 points lower"]
    five, ten = plain
    assert (five.loan.warning_ltv, five.loan.margin_call_ltv, five.loan.close_out_ltv) == pytest.approx(
        (0.65, 0.70, 0.80)
    )
    assert five.drop_to_call == pytest.approx(1 - 0.6 / 0.70)
    assert ten.zone is Zone.WARNING
    assert ten.cure.repay_cash == pytest.approx(0.0)  # 60 % is exactly on the warning level
    counted = lender_shocks(a_loan(hedge_counting=HedgeCounting.CREDITED), SEED_UNITS, SPOT, 50_000.0)
    assert [shock.name for shock in counted[2:]] == ["options no longer counted", "credit for options halved"]
    assert counted[2].ltv == pytest.approx(0.6)
    assert counted[3].ltv == pytest.approx(600_000 / (1_000_000 + 0.5 * 50_000))
    ignored = lender_shocks(a_loan(), SEED_UNITS, SPOT, 50_000.0)
    assert len(ignored) == 2


def test_limits_cannot_be_lowered_below_nothing() -> None:
    tight = a_loan(warning_ltv=0.02, margin_call_ltv=0.03, close_out_ltv=0.04)
    for shock in lender_shocks(tight, SEED_UNITS, SPOT, 0.0):
        assert 0 < shock.loan.warning_ltv < shock.loan.margin_call_ltv <= shock.loan.close_out_ltv
        assert shock.zone is Zone.CLOSE_OUT


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="same length"):
        replace(a_book(), shares=np.array([1.0, 2.0]))
    with pytest.raises(InvalidInput, match="price"):
        option_value(a_book(), SPOT, 0.0, RATE)
