"""The path verdict against the barrier formula, without chance, its interest, and what it refuses."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from tests.risk.closes_oracle import closes_probability
from tests.risk.verdict_cases import (
    ENGINES,
    FLAT,
    HESTON,
    JUMPS,
    NOW,
    PAID,
    SIX_PER_CENT,
    SPOT,
    STILL,
    UNITS,
    YEAR_ON,
    accrual,
    case,
    hedge,
    on_path,
    option,
    puts,
    uncured,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.listed_hedge import ListedHedge, ListedLeg, ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.pricing.american import american_price
from vaultdash.risk import Flat, call_probability, path_verdicts
from vaultdash.risk.path_verdict import growth_of_a_loan

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
