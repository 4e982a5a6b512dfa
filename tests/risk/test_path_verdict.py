"""The path verdict against the barrier formula, a slow judge of single paths, hand computations and itself."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tests.risk.closes_oracle import closes_probability
from tests.risk.path_judge import Held, Lender, judge_path
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption, leg_at
from vaultdash.domain.loan import DayCount, HedgeCounting, Interest, Loan
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.pricing.american import american_price
from vaultdash.risk import Flat, Jumps, StochasticVolatility, call_probability, path_verdicts
from vaultdash.risk.path_verdict import growth_of_a_loan, judged, rules_of
from vaultdash.risk.path_verdict_layout import Marks, no_outcome
from vaultdash.risk.path_verdict_marks import safe_above, tabulated

ENGINES = ("kernel", "reference")
NOW = datetime(2026, 5, 11, 20, tzinfo=UTC)
SPOT, UNITS = 430.0, 10_000.0
YEAR_ON = date(2027, 6, 17)
SIX_PER_CENT = Interest(0.04, 0.02, DayCount.ACT_365, capitalised=True)
PAID = replace(SIX_PER_CENT, capitalised=False)
FLAT = Flat(0.25)
STILL = 1e-5  # a volatility that moves nothing
JUMPS = Jumps(0.243, 1.15, -0.021, 0.05)
HESTON = StochasticVolatility(0.25, 0.25, 2.7, 0.44, -0.2)


def case(ltv=0.60, counting=HedgeCounting.IGNORED, interest=SIX_PER_CENT, rate=0.045, **terms):
    loan = Loan(ltv * SPOT * UNITS, hedge_counting=counting, interest=interest, **terms)
    return HedgeCase(SPOT, UNITS, loan, NOW, rate=rate)


def option(strike, right=Right.PUT, expiration=YEAR_ON, half=None, volatility=0.25):
    years = case().years_to(expiration)
    value = float(american_price(SPOT, strike, years, 0.045, 0.0, volatility, right.value))
    half = max(0.02, 0.01 * value) if half is None else half
    return ListedOption(right, strike, expiration, max(value - half, 0.0), value + half, volatility=volatility)


def hedge(*legs, title="hedge", **fields):
    return ListedHedge(title, tuple(leg_at(each, count) for each, count in legs), **fields)


def puts(strike, count=100, **terms):
    return hedge((option(strike, **terms), count), title=f"{count} puts at {strike:g}")


def uncured(found, place=0, model=0):
    return found.verdicts[place].odds[model].uncured


def accrual(of):
    return math.log(growth_of_a_loan(of, 252)[-1])


# what no hedge is


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("ltv", "volatility", "interest", "drift", "months", "limit"),
    [
        (0.60, 0.25, SIX_PER_CENT, 0.0, 12, 0.75),
        (0.60, 0.25, PAID, 0.0, 12, 0.75),
        (0.50, 0.20, SIX_PER_CENT, 0.05, 24, 0.75),
        (0.70, 0.16, SIX_PER_CENT, -0.05, 3, 0.75),
        (0.45, 0.40, PAID, 0.08, 6, 0.60),
    ],
)
def test_no_hedge_is_the_barrier_formula_within_three_standard_errors(
    engine, ltv, volatility, interest, drift, months, limit
):
    here = case(ltv, interest=interest, margin_call_ltv=limit, warning_ltv=limit - 0.05)
    found = path_verdicts(here, [None], [Flat(volatility)], months=months, drift=drift, engine=engine)
    (odds,) = found.verdicts[0].odds
    owed = accrual(here)
    exact = closes_probability(math.log(limit / ltv), 21 * months, volatility, drift - owed)
    formula = call_probability(SPOT, here.call_price, months / 12, volatility, drift, owed, "daily")
    assert abs(odds.uncured - exact) < 3 * odds.uncured_error
    assert abs(odds.uncured - formula) < 3 * odds.uncured_error
    assert (odds.called, odds.called_error, odds.mean_repaid) == (odds.uncured, odds.uncured_error, 0.0)
    assert 0.0005 < odds.uncured_error < 0.005
    assert found.engine == engine


def test_without_accrual_the_formula_would_be_missed():
    """The control of the test above: six per cent are many standard errors."""
    (odds,) = path_verdicts(case(), [None], [FLAT]).verdicts[0].odds
    assert odds.uncured - closes_probability(math.log(0.75 / 0.60), 252, 0.25, 0.0) > 10 * odds.uncured_error


def test_forty_seeds_are_as_far_from_the_integral_as_their_errors_say():
    exact = closes_probability(math.log(0.75 / 0.60), 63, 0.25, 0.0)
    away = []
    for seed in range(40):
        (odds,) = (
            path_verdicts(case(interest=PAID), [None], [FLAT], months=3, paths=6_400, seed=seed).verdicts[0].odds
        )
        away.append((odds.uncured - exact) / odds.uncured_error)
    assert abs(np.mean(away)) < 3 / math.sqrt(40)
    assert 0.7 < np.std(away) < 1.35


@pytest.mark.parametrize("counting", HedgeCounting)
@pytest.mark.parametrize("model", [FLAT, JUMPS, HESTON], ids=lambda model: model.name)
def test_puts_far_out_of_the_money_and_no_legs_are_no_hedge(counting, model):
    far = hedge((option(40.0, half=0.0), 100), title="far")
    found = path_verdicts(
        case(counting=counting), [None, far, hedge(title="nothing")], [model], months=6, paths=6_400
    )
    none, distant, nothing = (verdict.odds[0] for verdict in found.verdicts)
    assert none == nothing
    assert none.uncured > 0.2
    assert (distant.called, distant.uncured) == (none.called, none.uncured)
    assert distant.mean_repaid < 1e-3 * UNITS  # 10 USD, which cure nothing


def test_a_call_that_passes_by_itself_is_not_cured_by_the_hedge():
    """The price is back the next day, and worthless puts were sold: that counts as no cure."""
    told = on_path([1.0, 0.79, 0.95, 0.95, 0.95], [(option(40.0), 100)])
    assert (told.called[0], told.uncured[0], told.sold[0]) == (True, True, False)


def test_a_loan_that_is_called_now_is_called_for_certain():
    found = path_verdicts(case(0.76), [None, puts(410.0)], [FLAT], months=1, paths=1_280)
    assert [verdict.odds[0].called for verdict in found.verdicts] == [1.0, 1.0]
    assert uncured(found) == 1.0
    assert uncured(found, 1) < 0.4  # the puts are worth 273,000 USD, and 258,000 lead to 0.70


def test_holding_is_no_hedge_against_a_lender_who_looks_at_gold_alone():
    for counting in (HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT):
        found = path_verdicts(
            case(counting=counting), [None, puts(430.0)], [FLAT], rule=HoldingRule.HOLD, paths=6_400
        )
        assert uncured(found, 1) == uncured(found) > 0.4


# without chance


def closes(drift, days):
    return SPOT * np.exp(drift / 252 * np.arange(days + 1))


@pytest.mark.parametrize("engine", ENGINES)
def test_without_volatility_the_call_is_certain_or_none(engine):
    """Half a year at -50 % a year ends at 335 USD, below the call at 344; at -40 % at 352, above it."""
    for drift, expected in ((-0.5, 1.0), (-0.4, 0.0), (0.3, 0.0)):
        found = path_verdicts(
            case(interest=PAID), [None], [Flat(STILL)], months=6, drift=drift, paths=128, engine=engine
        )
        assert uncured(found) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_without_volatility_the_hedge_cures_for_what_was_reckoned_by_hand(engine):
    """One call, a sale at the next close: as many puts as lead back to the warning LTV, at value less half spread."""
    drift, strike = -0.5, 410.0
    here = case(interest=PAID)
    path = closes(drift, 126)
    day = int(np.argmax(here.loan.amount >= 0.75 * UNITS * path)) + 1  # the close after the call
    held = puts(strike)
    quote = held.legs[0].option
    years = here.years_to(YEAR_ON) - day / 252
    value = float(american_price(path[day], strike, years, 0.045, 0.0, 0.25, "P"))
    bid = value - 0.5 * (quote.ask - quote.bid)
    needed = here.loan.amount - 0.70 * UNITS * path[day]
    count = math.ceil(needed / (100 * bid - 0.65))
    assert 10 < count < 90
    found = path_verdicts(here, [held], [Flat(STILL)], months=6, drift=drift, paths=128, engine=engine)
    (odds,) = found.verdicts[0].odds
    assert (odds.called, odds.uncured, odds.sold) == (1.0, 0.0, 0.0)
    assert odds.mean_repaid == pytest.approx(count * (100 * bid - 0.65), rel=2e-3 if engine == "reference" else 1e-4)


def test_a_second_fall_needs_cover_that_is_gone():
    """Forty puts at 410 cure the first call; the fall goes on, and what is left does not cure the second."""
    for months, expected in ((6, 0.0), (12, 1.0)):
        few = puts(410.0, 40)
        found = path_verdicts(case(interest=PAID), [few], [Flat(STILL)], months=months, drift=-0.5, paths=128)
        assert (found.verdicts[0].odds[0].called, uncured(found)) == (1.0, expected)


# by the slow judge

TERM, EXTRA = 40, 2


def on_path(relative, legs, of=None, engine="kernel", rule=HoldingRule.SELL, wait=2, target=0.70, term=None):
    """What the product says of one path of closes over spot."""
    of = case(interest=PAID) if of is None else of
    prices = np.array([relative], dtype=np.float64)
    days = prices.shape[1] - 1
    held = hedge(*legs)
    columns, marks, _ = tabulated([held], of, days, 0.25, engine)
    rules = rules_of(of, held, rule, target, wait, days - of.loan.cure_days if term is None else term)
    outcome = no_outcome(1)
    growth = growth_of_a_loan(of, days)
    judged(prices, growth, rules, columns[0], marks, safe_above(growth, rules, columns[0], marks), outcome, engine)
    return outcome


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


SOON, LATER = date(2026, 6, 10), date(2026, 12, 18)  # the first expires within the term
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


# interest


def test_a_loan_grows_by_its_own_interest_quarter_by_quarter():
    growth = growth_of_a_loan(case(), 252)
    assert growth[0] == 1.0
    # 11 May to 30 June 50 days, then 92, 92, 90, and 41 to 11 May: simple within a quarter
    expected = math.prod(1 + 0.06 * days / 365 for days in (50, 92, 92, 90, 41))
    assert growth[-1] == pytest.approx(expected, abs=1e-12)
    assert (growth_of_a_loan(case(interest=PAID), 252) == 1.0).all()
    old = replace(case(), loan=replace(case().loan, as_of=NOW.date() - timedelta(days=400)))
    assert (growth_of_a_loan(old, 252) == growth).all()  # the amount of a case is what is owed now


# what is refused


@pytest.mark.parametrize(
    ("argument", "terms"),
    [
        ("months", {"months": 0}),
        ("months", {"months": 121}),
        ("paths", {"paths": 1}),
        ("seed", {"seed": -1}),
        ("settlement_days", {"settlement_days": -1}),
        ("settlement_days", {"settlement_days": 21}),
        ("target_ltv", {"target_ltv": 0.75}),
        ("target_ltv", {"target_ltv": 0.0}),
        ("volatility", {"volatility": 0.0}),
        ("drift", {"drift": math.nan}),
        ("drift", {"drift": 6.0}),
        ("engine", {"engine": "abacus"}),
        ("rule", {"rule": "gamble"}),
        ("hedges", {"hedges": []}),
        ("models", {"models": []}),
        ("expiration", {"hedges": [hedge((option(400.0), 1)), "past"]}),
        ("premium_funding", {"hedges": ["dear"]}),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(argument, terms):
    past = ListedHedge("past", (ListedLeg(ListedOption(Right.PUT, 400.0, date(2026, 5, 8), 1.0, 1.1), 1, 1.1),))
    quote = ListedOption(Right.PUT, 400.0, YEAR_ON, 429.0, 430.0)
    dear = ListedHedge("dear", (ListedLeg(quote, 200, 430.0),), funding=PremiumFunding.SELL_GOLD)
    given = {"hedges": [None], "models": [FLAT], "paths": 128, **terms}
    hedges = [
        {"past": past, "dear": dear}.get(each, each) if isinstance(each, str) else each
        for each in given.pop("hedges")
    ]
    with pytest.raises(InvalidInput) as refused:
        path_verdicts(case(), hedges, given.pop("models"), **given)
    assert refused.value.argument == argument
