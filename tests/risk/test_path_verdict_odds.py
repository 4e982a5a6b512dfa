"""What the path verdict makes of countings, spreads and volatilities, and how its odds compare."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from tests.risk.verdict_cases import (
    ENGINES,
    FLAT,
    HESTON,
    JUMPS,
    LATER,
    PAID,
    SPOT,
    UNITS,
    YEAR_ON,
    case,
    hedge,
    on_path,
    option,
    puts,
    uncured,
)
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption
from vaultdash.domain.loan import HedgeCounting, Interest, Loan
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.pricing.american import american_price
from vaultdash.risk import path_verdicts
from vaultdash.risk.path_verdict_marks import tabulated

# as the lender counts


def test_credited_puts_above_the_call_price_on_all_units_are_never_called():
    here = case(counting=HedgeCounting.CREDITED, interest=PAID)
    above, below = math.ceil(here.call_price) + 5.0, math.floor(here.call_price) - 15.0
    found = path_verdicts(here, [puts(above), puts(below)], [FLAT, JUMPS, HESTON], paths=12_800)
    assert [odds.called for odds in found.verdicts[0].odds] == [0.0, 0.0, 0.0]
    assert all(odds.called > 0.2 for odds in found.verdicts[1].odds)
    halved = case(counting=HedgeCounting.CREDITED, interest=PAID, hedge_haircut=0.5)
    assert path_verdicts(halved, [puts(above)], [FLAT], paths=12_800).verdicts[0].odds[0].called > 0.2


def test_a_rule_may_be_given_by_its_name():
    ours, theirs = (
        path_verdicts(case(), [puts(400.0)], [FLAT], months=3, paths=1_280, rule=rule)
        for rule in ("sell", HoldingRule.SELL)
    )
    assert ours == theirs


def test_ignored_and_after_payment_are_one_verdict():
    ours, theirs = (
        path_verdicts(case(counting=counting), [puts(390.0)], [JUMPS], paths=6_400)
        for counting in (HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT)
    )
    assert ours.verdicts == theirs.verdicts


def test_a_premium_that_is_borrowed_or_paid_in_gold_makes_calls_likelier():
    held = puts(390.0)
    hedges = [replace(held, funding=funding) for funding in PremiumFunding]
    cash, borrowed, gold = (
        verdict.odds[0].called for verdict in path_verdicts(case(), hedges, [FLAT], paths=12_800).verdicts
    )
    more = (held.net_cost + case().loan.amount) / case().loan.amount
    assert borrowed == path_verdicts(case(0.60 * more), [None], [FLAT], paths=12_800).verdicts[0].odds[0].called
    less = 1.0 - held.net_cost / case().gold_value
    assert gold == path_verdicts(case(0.60 / less), [None], [FLAT], paths=12_800).verdicts[0].odds[0].called
    assert cash < gold < borrowed  # 170,000 USD are 6.6 % of the loan and 4 % of the gold


# the marks


def test_a_leg_keeps_its_own_volatility_then_that_of_its_mid_then_the_one_assumed():
    own = replace(option(400.0), volatility=0.31)
    by_mid = replace(option(400.0, volatility=0.22), volatility=None)
    bare = ListedOption(Right.PUT, 400.0, YEAR_ON, None, None)
    held = ListedHedge("three", tuple(ListedLeg(each, 1, 10.0) for each in (own, by_mid, bare)))
    for engine, most in (("kernel", 5e-3), ("reference", 0.15)):
        columns, marks, known = tabulated([held], case(), 60, 0.19, engine)
        assert [known[each].volatility for each in (own, by_mid, bare)] == pytest.approx([0.31, 0.22, 0.19], abs=1e-4)
        nodes = SPOT * np.exp(marks.low + marks.step * np.arange(marks.values.shape[2]))
        for place, sigma in enumerate((0.31, 0.22, 0.19)):
            for day, price in ((0, 430.0), (33, 371.3), (60, 451.7)):
                years = case().years_to(YEAR_ON) - day / 252
                exact = float(american_price(price, 400.0, years, 0.045, 0.0, sigma, "P"))
                found = np.interp(price, nodes, marks.values[columns[0].table[place], day])
                assert found == pytest.approx(exact, abs=most), (engine, sigma, day)
    told = path_verdicts(case(), [held], [FLAT], months=1, paths=128, volatility=0.19).remarks
    assert any("19%" in remark for remark in told)
    assert any("no bid and ask" in remark for remark in told)


@pytest.mark.parametrize("engine", ENGINES)
def test_beyond_the_tables_a_sold_call_costs_more_than_exercise(engine):
    """At four times the price so many sold calls are a call as their model value says, and one less is none."""
    of, quote = case(interest=PAID, counting=HedgeCounting.CREDITED), option(460.0, Right.CALL, LATER)
    years = of.years_to(LATER) - 1 / 252
    value = float(american_price(4 * SPOT, 460.0, years, 0.045, 0.0, 0.25, "C")) + 0.5 * (quote.ask - quote.bid)
    spare = 4 * SPOT * UNITS - of.loan.amount / 0.75
    count = math.ceil(spare / (100 * value))
    assert count == math.ceil(spare / (100 * (4 * SPOT - 460.0))) - 1  # exercise alone would take one more
    for contracts, expected in ((count, True), (count - 1, False)):
        assert on_path([1.0, 4.0, 4.0, 4.0], [(quote, -contracts)], of, engine).called[0] == expected


def test_a_wider_spread_makes_the_verdict_worse_but_no_put_is_sold_below_exercise():
    path = [1.0, 0.79, 0.79, 0.79, 0.79]
    in_the_money = 430.0 - 0.79 * SPOT
    narrow, wide = (on_path(path, [(option(430.0, half=half), 100)]) for half in (0.05, 25.0))
    needed = 0.60 * SPOT * UNITS - 0.70 * UNITS * 0.79 * SPOT
    each = 100 * in_the_money - 0.65
    assert wide.repaid[0] == pytest.approx(math.ceil(needed / each) * each)
    assert narrow.repaid[0] != wide.repaid[0]
    ours, theirs = (
        uncured(path_verdicts(case(), [puts(380.0, half=half)], [FLAT], paths=6_400)) for half in (0.1, 6.0)
    )
    assert ours < theirs


# the odds


def test_the_orders_of_magnitude_of_the_trade():
    """60 %, 75 %, a year, 25 % with jumps, 6 %: no hedge one half, at the call price not much better, then soon."""
    at_call = float(round(case().call_price * 1.005))
    hedges = [None, puts(at_call), puts(0.90 * SPOT), puts(0.95 * SPOT)]
    none, call, ninety, higher = (
        verdict.odds[0].uncured for verdict in path_verdicts(case(), hedges, [JUMPS]).verdicts
    )
    assert 0.45 < none < 0.55
    assert 0.6 * none < call < none
    assert 0.05 < ninety < 0.10
    assert 0.005 < higher < 0.02


def test_threshold_test_and_path_verdict_reverse_the_order_of_two_hedges():
    """The example of docs/path-verdict.md, quotes of 11 May 2026: all shares just above the call, or half at 95 %."""
    spot, until = 434.65, date(2026, 9, 18)
    loan = Loan(0.60 * spot * UNITS, interest=Interest(0.04, 0.0195, capitalised=True))
    here = HedgeCase(spot, UNITS, loan, datetime(2026, 5, 11, 21, 38, tzinfo=UTC))
    low = hedge((ListedOption(Right.PUT, 349.0, until, 2.22, 2.59), 100))
    high = hedge((ListedOption(Right.PUT, 415.0, until, 13.80, 14.65), 50))

    def worst(held):  # after payment, by expiry payoff, over falls and rises of 60 %: kinks and ends are enough
        prices = (0.4 * spot, *held.strikes, 1.6 * spot)
        return max((loan.amount - held.payoff(price)) / (UNITS * price) for price in prices)

    assert worst(low) < 0.75 < worst(high)
    assert (worst(low), worst(high)) == pytest.approx((0.747, 0.807), abs=5e-4)
    found = path_verdicts(here, [low, high], [FLAT, JUMPS, HESTON], months=4)
    for mine, other, gap in zip(
        found.verdicts[0].odds, found.verdicts[1].odds, found.verdicts[1].against_first, strict=True
    ):
        assert mine.uncured == pytest.approx(0.085, abs=0.01)
        assert other.uncured < 0.03
        assert gap.difference == pytest.approx(other.uncured - mine.uncured)
        assert gap.difference < -30 * gap.error


def test_a_short_hedge_passes_its_threshold_and_leaves_the_rest_of_the_year_open():
    long, short = puts(387.0), puts(408.0, expiration=date(2026, 8, 21))
    found = path_verdicts(case(), [long, short], [FLAT], paths=12_800)
    assert uncured(found, 1) > 3 * uncured(found)
    assert any("expires within the term" in remark for remark in found.remarks)


def test_differences_on_the_same_paths_are_sharper_than_two_runs():
    hedges = [puts(387.0), puts(390.0)]
    found = path_verdicts(case(), hedges, [FLAT], paths=12_800)
    first, second = (verdict.odds[0] for verdict in found.verdicts)
    (gap,) = found.verdicts[1].against_first
    assert gap.difference < 0
    assert gap.error < 0.5 * math.hypot(first.uncured_error, second.uncured_error)
    assert found.verdicts[0].against_first == ()
    same = path_verdicts(case(), [hedges[0], hedges[0]], [FLAT], paths=1_280).verdicts[1].against_first[0]
    assert (same.difference, same.error) == (0.0, 1 / 1_280)  # as sharp as one path, not as nothing


def test_the_error_of_a_difference_is_what_thirty_seeds_spread():
    gaps, errors = [], []
    for seed in range(30):
        found = path_verdicts(case(), [None, puts(360.0)], [FLAT], months=6, paths=1_280, seed=seed)
        (gap,) = found.verdicts[1].against_first
        gaps.append(gap.difference)
        errors.append(gap.error)
    assert 0.65 < np.std(gaps, ddof=1) / np.mean(errors) < 1.4


def test_more_contracts_and_higher_strikes_are_never_likelier_to_fail():
    counts = path_verdicts(case(), [puts(400.0, count) for count in (20, 40, 60, 80, 100)], [JUMPS], paths=6_400)
    strikes = path_verdicts(
        case(), [puts(float(strike)) for strike in (340, 360, 380, 400, 420)], [JUMPS], paths=6_400
    )
    for found in (counts, strikes):
        shares = [verdict.odds[0].uncured for verdict in found.verdicts]
        assert shares == sorted(shares, reverse=True)
        assert shares[0] > shares[-1]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_seed_gives_the_same_bytes_whatever_else_is_asked(engine):
    terms = {"months": 3, "paths": 2_560, "engine": engine}
    alone = path_verdicts(case(), [puts(400.0)], [HESTON], **terms)
    again = path_verdicts(case(), [None, puts(400.0)], [FLAT, HESTON], **terms)
    assert repr(alone.verdicts[0].odds[0]) == repr(again.verdicts[1].odds[1])
    other = path_verdicts(case(), [puts(400.0)], [HESTON], seed=5, **terms)
    assert other.verdicts[0].odds != alone.verdicts[0].odds


def test_engines_agree_within_their_errors():
    hedges = [None, puts(390.0)]
    ours, theirs = (
        path_verdicts(case(), hedges, [JUMPS], months=6, paths=12_800, engine=engine) for engine in ENGINES
    )
    for mine, other in zip(ours.verdicts, theirs.verdicts, strict=True):
        for name in ("called", "uncured"):
            both = math.hypot(getattr(mine.odds[0], f"{name}_error"), getattr(other.odds[0], f"{name}_error"))
            assert abs(getattr(mine.odds[0], name) - getattr(other.odds[0], name)) < 4 * both


def test_paths_are_rounded_up_and_what_was_asked_is_told():
    found = path_verdicts(case(), [None], [FLAT], months=1, paths=1_000, seed=3, settlement_days=1)
    assert (found.paths, found.seed, found.months, found.settlement_days) == (1_024, 3, 1, 1)
    assert (found.target_ltv, found.rule) == (0.70, HoldingRule.SELL)
    assert found.verdicts[0].title == "no hedge"


def test_money_that_comes_after_the_deadline_is_told_of():
    found = path_verdicts(case(), [puts(400.0)], [FLAT], months=1, paths=128, settlement_days=3)
    assert any("no call can be cured by selling" in remark for remark in found.remarks)
