"""The path verdict, path by path, against a slow judge and hand computations."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.risk.path_judge import Held, Lender, judge_path
from tests.risk.verdict_cases import (
    ENGINES,
    LATER,
    PAID,
    SOON,
    SPOT,
    UNITS,
    case,
    hedge,
    on_path,
    option,
)
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.risk.path_verdict import growth_of_a_loan, judged, rules_of
from vaultdash.risk.path_verdict_layout import Marks, no_outcome
from vaultdash.risk.path_verdict_marks import safe_above, tabulated

TERM, EXTRA = 40, 2


def slow(prices, of, held, marks, columns, rules, growth, settlement):
    """The same by the slow judge, with the same values of the options."""
    nodes = marks.low + marks.step * np.arange(marks.values.shape[2])
    given = []
    for place, leg in enumerate(held.legs):
        strike, sign = leg.option.strike, 1.0 if leg.option.right is Right.CALL else -1.0
        half = 0.5 * (leg.option.ask - leg.option.bid)
        rows = marks.values[columns.table[place]]

        def closing(day, price, rows=rows, sign=sign, strike=strike, half=half, count=leg.contracts):
            value = np.interp(math.log(price / SPOT), nodes, rows[day])
            least = max(sign * (price - strike), 0.0)
            return max(max(value, least) - half, least) if count > 0 else max(value, least) + half

        what = Held(leg.contracts, leg.option.right.value, strike, int(columns.expiry[place]), closing)
        given.append((what, leg.option.multiplier))
    loan = of.loan
    share = 1.0 - loan.hedge_haircut if loan.hedge_counting is HedgeCounting.CREDITED else None
    return [
        judge_path(
            row * SPOT,
            growth,
            rules.loan,
            rules.units,
            Lender(loan.margin_call_ltv, loan.close_out_ltv, loan.cure_days, share),
            given,
            rules.steps,
            rules.sells,
            settlement,
            rules.target_ltv,
        )
        for row in prices
    ]


HEDGES = {
    "puts": [(380.0, Right.PUT, LATER, 70)],
    "puts that expire": [(410.0, Right.PUT, SOON, 60), (380.0, Right.PUT, LATER, 25)],
    "spread": [(400.0, Right.PUT, LATER, 100), (340.0, Right.PUT, LATER, -100)],
    "uneven spread": [(400.0, Right.PUT, LATER, 40), (350.0, Right.PUT, LATER, -70)],
    "collar": [(380.0, Right.PUT, LATER, 80), (460.0, Right.CALL, SOON, -80)],
    "sold puts": [(370.0, Right.PUT, LATER, -45), (350.0, Right.PUT, SOON, 10)],
    "ladder": [(410.0, Right.PUT, LATER, 33), (390.0, Right.PUT, LATER, 33), (370.0, Right.PUT, LATER, 34)],
    "anything": [
        (390.0, Right.PUT, LATER, 50),
        (470.0, Right.CALL, LATER, 10),
        (330.0, Right.PUT, SOON, -20),
        (450.0, Right.CALL, SOON, -30),
    ],
}


@pytest.mark.parametrize("name", HEDGES)
@pytest.mark.parametrize(
    ("counting", "haircut", "rule", "wait", "cure_days"),
    [
        (HedgeCounting.IGNORED, 0.0, HoldingRule.SELL, 2, 2),
        (HedgeCounting.IGNORED, 0.0, HoldingRule.SELL, 0, 1),
        (HedgeCounting.IGNORED, 0.0, HoldingRule.HOLD, 1, 3),
        (HedgeCounting.AFTER_PAYMENT, 0.0, HoldingRule.SELL, 1, 0),
        (HedgeCounting.CREDITED, 0.3, HoldingRule.SELL, 3, 4),
        (HedgeCounting.CREDITED, 0.0, HoldingRule.HOLD, 2, 2),
    ],
)
def test_both_engines_say_what_the_slow_judge_says(name, counting, haircut, rule, wait, cure_days):
    of = case(0.66, counting, hedge_haircut=haircut, cure_days=cure_days)
    held = hedge(*((option(strike, right, until), count) for strike, right, until, count in HEDGES[name]))
    days = TERM + cure_days
    rng = np.random.default_rng(len(name))
    prices = np.exp(np.cumsum(rng.normal(-0.002, 0.03, (60, days + 1)), axis=1))
    prices[:, 0] = 1.0
    columns, marks, _ = tabulated([held], of, days, 0.25, "kernel")
    rules, growth = rules_of(of, held, rule, 0.70, wait, TERM), growth_of_a_loan(of, days)
    expected = slow(prices, of, held, marks, columns[0], rules, growth, wait)
    for engine in ENGINES:
        outcome = no_outcome(len(prices))
        safe = safe_above(growth, rules, columns[0], marks)
        judged(prices, growth, rules, columns[0], marks, safe, outcome, engine)
        for flag in ("called", "uncured", "sold"):
            assert getattr(outcome, flag).tolist() == [getattr(told, flag) for told in expected], (engine, flag)
        assert outcome.repaid == pytest.approx([told.repaid for told in expected], rel=1e-9, abs=1e-6)
    assert counting is HedgeCounting.CREDITED or sum(told.called for told in expected) > 10


@pytest.mark.parametrize("name", HEDGES)
@pytest.mark.parametrize("counting", [HedgeCounting.IGNORED, HedgeCounting.CREDITED])
def test_days_that_are_passed_over_would_have_been_without_a_call(name, counting):
    """With no price known as safe every day is looked at: nothing else comes of it."""
    of = case(0.69, counting, hedge_haircut=0.2)
    held = hedge(*((option(strike, right, until), count) for strike, right, until, count in HEDGES[name]))
    columns, marks, _ = tabulated([held], of, TERM + EXTRA, 0.25, "kernel")
    rules, growth = rules_of(of, held, HoldingRule.SELL, 0.70, 2, TERM), growth_of_a_loan(of, TERM + EXTRA)
    rng = np.random.default_rng(3)
    prices = np.exp(np.cumsum(rng.normal(0.0, 0.02, (3_000, TERM + EXTRA + 1)), axis=1))
    prices[:, 0] = 1.0
    safe = safe_above(growth, rules, columns[0], marks)
    outcomes = no_outcome(len(prices)), no_outcome(len(prices))
    for outcome, above in zip(outcomes, (safe, np.full_like(safe, math.inf)), strict=True):
        judged(prices, growth, rules, columns[0], marks, above, outcome, "kernel")
    for passed, looked in zip(*outcomes, strict=True):
        assert (passed == looked).all()


def test_safe_is_a_step_of_the_table_above_the_call_price_at_most():
    of = case(interest=PAID)
    columns, marks, _ = tabulated([None], of, 10, 0.25, "kernel")
    safe = safe_above(np.ones(11), rules_of(of, None, HoldingRule.SELL, 0.70, 2, 8), columns[0], marks) * SPOT
    assert (safe > of.call_price).all()
    assert (safe < of.call_price * math.exp(2.0 * marks.step)).all()


def test_the_slow_judge_has_seen_everything_there_is():
    """The control of the test above: calls cured twice, sold, late, and paths without any."""
    of = case(0.66)
    held = hedge((option(420.0, expiration=LATER), 90))
    rng = np.random.default_rng(1)
    prices = np.exp(np.cumsum(rng.normal(-0.002, 0.03, (300, TERM + EXTRA + 1)), axis=1))
    prices[:, 0] = 1.0
    columns, marks, _ = tabulated([held], of, TERM + EXTRA, 0.25, "kernel")
    rules, growth = rules_of(of, held, HoldingRule.SELL, 0.70, 2, TERM), growth_of_a_loan(of, TERM + EXTRA)
    told = slow(prices, of, held, marks, columns[0], rules, growth, 2)
    assert any(len(each.calls) > 1 and not each.uncured for each in told)
    assert any(each.sold for each in told)
    assert any(each.uncured and not each.sold for each in told)
    assert any(not each.called for each in told)


# by hand


@pytest.mark.parametrize("engine", ENGINES)
def test_the_days_from_call_to_money_decide(engine):
    """Called at the close of day 1. With two days to cure the money must be there at the close of day 3."""
    path = [1.0, 0.79, 0.79, 0.79, 0.79, 0.79, 0.79]
    for cure_days, wait, cured in (
        (2, 2, True),
        (2, 3, False),
        (3, 3, True),
        (1, 1, True),
        (0, 0, True),
        (0, 1, False),
    ):
        of = case(interest=PAID, cure_days=cure_days)
        told = on_path(path, [(option(430.0), 100)], of, engine, wait=wait)
        assert told.called[0]
        assert told.uncured[0] != cured, (cure_days, wait)


@pytest.mark.parametrize("engine", ENGINES)
def test_close_out_before_the_money_is_a_sale(engine):
    """Day 1 call, day 2 at 0.70 of spot: LTV 0.857, above the close-out, while the money is due on day 3."""
    told = on_path([1.0, 0.79, 0.70, 0.79, 0.79, 0.79], [(option(430.0), 100)], engine=engine)
    assert (told.sold[0], told.uncured[0], told.repaid[0]) == (True, True, 0.0)
    in_time = on_path([1.0, 0.79, 0.72, 0.70, 0.79, 0.79], [(option(430.0), 100)], engine=engine)
    assert (in_time.sold[0], in_time.uncured[0]) == (False, False)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_gap_through_both_limits_is_a_sale_that_no_option_prevents(engine):
    for wait in (0, 2):
        told = on_path([1.0, 0.69, 0.9, 0.9, 0.9], [(option(430.0), 100)], engine=engine, wait=wait)
        assert (told.called[0], told.sold[0], told.uncured[0]) == (True, True, True)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_hedge_must_have_paid_what_was_called_for_and_the_ltv_be_below(engine):
    """One put pays 70 USD a share on 100 shares; 60,000 USD are called for at 0.786."""
    path = [1.0, 0.786, 0.786, 0.83, 0.83, 0.83]
    assert on_path(path, [(option(430.0), 1)], engine=engine).uncured[0]
    assert not on_path(path, [(option(430.0), 100)], engine=engine).uncured[0]
    falls_on = [1.0, 0.79, 0.79, 0.731, 0.731, 0.731]  # what led to 0.70 at day 2 is 0.7565 at day 3
    assert on_path(falls_on, [(option(430.0), 100)], engine=engine).uncured[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_sold_puts_are_bought_back_with_those_they_stand_against(engine):
    """At exercise value and no spread: the pairs sold, each 100 * 50 less two commissions, repay the shortfall."""
    long, short = (option(strike, half=0.0) for strike in (400.0, 350.0))
    of = replace(case(interest=PAID), rate=0.045)
    held = hedge((long, 100), (short, -100))
    relative = [1.0, 0.79, 0.79, 0.79, 0.79]
    columns, marks, _ = tabulated([held], of, 4, 0.25, engine)
    prices = SPOT * np.exp(marks.low + marks.step * np.arange(marks.values.shape[2]))
    plain = np.stack([np.maximum(strike - prices, 0.0) for strike in (400.0, 350.0)])
    flat = Marks(np.repeat(plain[:, None, :], 5, axis=1), marks.low, marks.step)
    outcome = no_outcome(1)
    rules = rules_of(of, held, HoldingRule.SELL, 0.70, 2, 2)
    safe = safe_above(np.ones(5), rules, columns[0], flat)
    judged(np.array([relative]), np.ones(5), rules, columns[0], flat, safe, outcome, engine)
    price = 0.79 * SPOT
    each = 100 * (400.0 - price) - 100 * (350.0 - price) - 2 * 0.65
    pairs = math.ceil((of.loan.amount - 0.70 * UNITS * price) / each)
    assert 10 < pairs < 100
    assert outcome.repaid[0] == pytest.approx(pairs * each, rel=1e-4)
    assert not outcome.uncured[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_expiring_put_pays_repays_the_loan_and_then_protects_nothing(engine):
    """21 trading days to 10 June; 60 contracts in the money by 43 USD pay 258,000 the day after."""
    day = round(case().years_to(SOON) * 252)
    falls = [1.0] * (day - 1) + [0.9] * 4 + [0.68] * 6
    told = on_path(falls, [(option(430.0, expiration=SOON), 60)], engine=engine, rule=HoldingRule.HOLD)
    assert told.repaid[0] == pytest.approx(60 * 100 * 43.0)
    assert (told.called[0], told.sold[0]) == (True, False)
    without = on_path(falls, [], engine=engine)
    assert without.sold[0]  # 0.60 / 0.68 is above the close-out at once


@pytest.mark.parametrize("engine", ENGINES)
def test_a_loan_that_is_repaid_is_never_called_again(engine):
    """A thousand contracts 43 USD in the money pay 4.3 million; 2.58 are owed, and no more is repaid."""
    day = round(case().years_to(SOON) * 252)
    path = [1.0] * (day - 1) + [0.9] * 4 + [0.1] * 6
    told = on_path(path, [(option(430.0, expiration=SOON), 1_000)], engine=engine, rule=HoldingRule.HOLD)
    assert not told.called[0]
    assert told.repaid[0] == pytest.approx(0.60 * SPOT * UNITS)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sold_call_that_expires_in_the_money_takes_gold(engine):
    """80 contracts 86 USD in the money cost 1,333 shares at 516; what is owed on each other one calls at 0.923."""
    day = round(case().years_to(SOON) * 252)
    for after, expected in ((0.93, False), (0.92, True)):
        path = [1.0] * (day - 1) + [1.2, 1.2] + [after] * 6
        told = on_path(path, [(option(430.0, Right.CALL, SOON), -80)], engine=engine)
        assert told.called[0] == expected
        assert told.repaid[0] == 0.0
    assert not on_path(path, [], engine=engine).called[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_money_under_way_in_the_lenders_own_custody_is_counted(engine):
    """At 0.62 of spot gold alone would be a close-out; the puts are sold, and the money is under way for two days."""
    of = case(interest=PAID, counting=HedgeCounting.CREDITED, cure_days=3)
    path = [1.0, 0.62, 0.62, 0.62, 0.62, 0.62, 0.62]
    told = on_path(path, [(option(330.0), 100)], of, engine, wait=3)
    assert (told.called[0], told.sold[0]) == (True, False)
