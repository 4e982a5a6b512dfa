"""Templates in the comparison: strikes by their rules, the six of the research bit by bit, and what is left out."""

from dataclasses import replace

import pytest
import QuantLib as ql  # noqa: N813  # its usual name
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEED_UNITS, a_situation
from tests.strategies.plans import ladder, put
from vaultdash.domain.hedge import Exercise, HedgeLeg, HedgePlan
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.strategies import STRATEGIES, compare
from vaultdash.strategies.leaps import LeapsDurations
from vaultdash.strategies.measure import measure
from vaultdash.strategies.templated import Templated, resolved, unmeasured
from vaultdash.strategies.templates import TEMPLATES, system_template

CALL_PRICE = 600_000 / (0.75 * SEED_UNITS)  # 368 USD
FIRST = Strike(StrikeRule.FIRST_ABOVE_CALL)


def leg(strike: Strike = FIRST, months: float = 6.0, **fields: object) -> TemplateLeg:
    return TemplateLeg(Right.PUT, strike, months, **fields)  # type: ignore[arg-type]


def test_the_six_of_the_research_have_the_legs_they_always_had() -> None:
    shares = {
        "protective_put_atm": ((1.0, 1.0),),
        "protective_put_otm_95": ((1.0, 0.95),),
        "protective_put_otm_90": ((1.0, 0.90),),
        "laddered_put_50_50_atm_otm95": ((0.5, 1.0), (0.5, 0.95)),
        "laddered_put_33_33_33_atm_otm95_otm90": ((1 / 3, 1.0), (1 / 3, 0.95), (1 / 3, 0.90)),
    }
    titles = ("ATM put", "95 % put", "90 % put", "Ladder 50/50", "Ladder 33/33/33")
    for strategy, title in zip(STRATEGIES, titles, strict=False):
        for months in (3, 12, 17):
            steps = shares[strategy.name]
            legs = tuple(HedgeLeg(Right.PUT, 411.37 * part, part, weight, months) for weight, part in steps)
            expected = (HedgePlan(strategy.name, title, legs),)
            assert strategy.propose(a_situation(spot=411.37, months=months)) == expected


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.name)
def test_template_and_strategy_of_one_name_agree_on_the_legs(strategy) -> None:  # type: ignore[no-untyped-def]
    template = system_template(strategy.name)
    (plan,) = Templated(template).propose(a_situation(months=5))
    proposed = {each.months: each for each in strategy.propose(a_situation(months=int(plan.months)))}
    assert plan.legs == proposed[plan.months].legs
    assert plan.months == template.months
    assert isinstance(strategy, LeapsDurations) == (strategy.name == "lease_duration_analysis")


def test_a_part_of_the_call_price_and_the_first_strike_above_it() -> None:
    situation = a_situation()
    part = Strike(StrikeRule.DISTANCE_TO_CALL, 1.1)
    assert resolved(part, 6.0, situation) == pytest.approx(1.1 * CALL_PRICE, rel=1e-15)
    assert resolved(FIRST, 3.0, situation) == 369.0  # the call price of 368 is itself a listed strike
    assert resolved(FIRST, 3.01, situation) == 370.0
    for call_price, near, far in ((368.4, 369, 370), (369.999, 370, 370), (370.0, 371, 375), (370.001, 371, 375)):
        moved = replace(situation, loan_amount=call_price * 0.75 * SEED_UNITS)
        assert (resolved(FIRST, 1.0, moved), resolved(FIRST, 12.0, moved)) == (near, far)


@pytest.mark.parametrize("delta", [0.05, 0.25, 0.5, 0.8])
@pytest.mark.parametrize(
    ("months", "volatility", "rate"), [(3.0, 0.16, 0.045), (24.0, 0.25, 0.02), (12.0, 0.1, -0.01)]
)
def test_a_strike_by_delta_has_that_delta_by_quantlib(
    delta: float, months: float, volatility: float, rate: float
) -> None:
    for exercise in Exercise:
        situation = a_situation(volatility=volatility, rate=rate, exercise=exercise)
        strike = resolved(Strike(StrikeRule.DELTA, delta), months, situation)
        found = -quantlib_delta(460.0, strike, months, rate, volatility, exercise)
        assert found == pytest.approx(delta, abs=5e-4 if exercise is Exercise.AMERICAN else 1e-7)


def test_a_delta_follows_the_situation_and_a_rule_of_the_call_the_loan() -> None:
    by_delta = Strike(StrikeRule.DELTA, 0.3)
    calm, wild = (resolved(by_delta, 12.0, a_situation(volatility=level)) for level in (0.1, 0.3))
    assert wild < calm < 460
    twice = resolved(by_delta, 12.0, a_situation(spot=920.0))
    assert twice == pytest.approx(2 * resolved(by_delta, 12.0, a_situation()), rel=1e-12)
    more = resolved(Strike(StrikeRule.DISTANCE_TO_CALL, 1.0), 12.0, a_situation(loan_amount=660_000.0))
    assert more == pytest.approx(1.1 * CALL_PRICE)


def test_a_template_stands_in_the_comparison_under_its_own_name_and_tenor() -> None:
    mine = Templated(
        HedgeTemplate("mine", "Mine", legs=(leg(share=0.5), leg(Strike(StrikeRule.DELTA, 0.2), share=0.5)))
    )
    comparison = compare(a_situation(), (*STRATEGIES, mine))
    *six, own = comparison.hedges
    assert tuple(six) == compare(a_situation()).hedges
    assert (own.plan.name, own.plan.title, own.plan.months) == ("mine", "Mine", 6.0)
    assert own.plan.legs[0].strike == 370.0
    assert all("mine" in [line.name for line in each.ranking] for each in comparison.recommendations.values())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"legs": ()}, "buys nothing"),
        ({"legs": (leg(),), "repays": True}, "buys no option"),
        ({"legs": (leg(), leg(side=Side.SELL))}, "sells options"),
        ({"legs": (TemplateLeg(Right.CALL, FIRST, 6.0),)}, "buys calls"),
        ({"legs": (leg(contracts=5),)}, "fixed number of contracts"),
        ({"legs": (leg(),), "coverage": 0.5}, "not over the whole collateral once"),
        ({"legs": (leg(share=0.5),)}, "not over the whole collateral once"),
        ({"legs": (leg(), leg())}, "not over the whole collateral once"),
        ({"legs": (leg(share=0.5), leg(months=7.0, share=0.5))}, "expire at different times"),
        ({"legs": (leg(),)}, None),
        ({"legs": (leg(share=0.25), leg(share=0.75))}, None),
    ],
)
def test_what_cannot_be_measured_says_why(fields: dict[str, object], words: str | None) -> None:
    template = HedgeTemplate("mine", "Mine", **fields)  # type: ignore[arg-type]
    found = unmeasured(template, a_situation())
    assert found is None if words is None else words in (found or "")
    if found is None:
        assert compare(a_situation(), (Templated(template),)).hedges[0].plan.name == "mine"


def test_what_cannot_be_measured_on_this_situation_says_why() -> None:
    far = HedgeTemplate("far", "Far", legs=(leg(Strike(StrikeRule.DISTANCE_TO_CALL, 0.1)),))
    assert unmeasured(far) is None
    assert "too far from the price" in (unmeasured(far, a_situation(loan_amount=1_000.0)) or "")
    deep = HedgeTemplate("deep", "Deep", legs=(leg(Strike(StrikeRule.DELTA, 0.99)),))
    assert unmeasured(deep, a_situation()) is None
    assert "no one strike" in (unmeasured(deep, a_situation(exercise=Exercise.AMERICAN)) or "")


def test_of_the_house_all_that_buy_one_tenor_of_puts_over_everything_are_measured() -> None:
    left_out = {each.id for each in TEMPLATES if unmeasured(each, a_situation()) is not None}
    assert left_out == {"collar_95_110", "put_spread_95_80", "partial_50_otm_95", "repay_with_premium", "no_hedge"}


@settings(deadline=None)  # the first example may load scipy
@given(
    st.floats(0.01, 0.99),
    st.floats(0.7, 1.1),
    st.floats(0.7, 1.1),
    st.floats(0.05, 0.6),
    st.integers(1, 36),
    st.floats(100_000, 900_000),
)
def test_cost_payoff_and_floor_of_a_ladder_are_the_weighted_sums_of_its_legs(
    weight: float, upper: float, lower: float, volatility: float, months: int, loan: float
) -> None:
    situation = a_situation(volatility=volatility, months=months, loan_amount=loan)
    both_legs = measure(ladder((weight, 1 - weight), (upper, lower)).propose(situation)[0], situation)
    one, other = (measure(put(pct).propose(situation)[0], situation) for pct in (upper, lower))
    for view, name in (
        ("cost", "total_cost"),
        ("cost", "premium_per_share"),
        ("cost", "annualized_cost_pct"),
        ("protection", "payoff_at_threshold"),
        ("protection", "portfolio_floor_value"),
    ):
        first, second, both = (getattr(getattr(each, view), name) for each in (one, other, both_legs))
        assert both == pytest.approx(weight * first + (1 - weight) * second, rel=1e-9, abs=1e-9)
    for first, second, both in zip(one.scenarios, other.scenarios, both_legs.scenarios, strict=True):
        expected = weight * first.option_payoff + (1 - weight) * second.option_payoff
        assert both.option_payoff == pytest.approx(expected, rel=1e-9, abs=1e-9)


def quantlib_delta(
    spot: float, strike: float, months: float, rate: float, volatility: float, exercise: Exercise
) -> float:
    """The delta of a put without yield by QuantLib: its formula, or a small move on a fine grid."""
    days = round(months / 12 * 36_500)  # hundredths; what ten years cannot hold is put into rate and volatility
    start = ql.Date(1, 1, 2001)
    ql.Settings.instance().evaluationDate = start
    scale = days / 36_500 / (min(days, 3_650) / 365.0)
    end = start + min(days, 3_650)
    counter = ql.Actual365Fixed()
    curve = ql.YieldTermStructureHandle(ql.FlatForward(start, rate * scale, counter))
    none = ql.YieldTermStructureHandle(ql.FlatForward(start, 0.0, counter))
    level = ql.BlackVolTermStructureHandle(
        ql.BlackConstantVol(start, ql.NullCalendar(), volatility * scale**0.5, counter)
    )

    def price(at: float) -> tuple[float, float | None]:
        quote = ql.QuoteHandle(ql.SimpleQuote(at))
        process = ql.BlackScholesMertonProcess(quote, none, curve, level)
        payoff = ql.PlainVanillaPayoff(ql.Option.Put, strike)
        if exercise is Exercise.EUROPEAN:
            option = ql.VanillaOption(payoff, ql.EuropeanExercise(end))
            option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
            return option.NPV(), option.delta()
        option = ql.VanillaOption(payoff, ql.AmericanExercise(start, end))
        option.setPricingEngine(ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.highPrecisionScheme()))
        return option.NPV(), None

    delta = price(spot)[1]
    move = spot * 1e-3
    return (price(spot + move)[0] - price(spot - move)[0]) / (2 * move) if delta is None else delta
