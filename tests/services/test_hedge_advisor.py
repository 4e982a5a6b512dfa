"""Advice: on which price, on which assumptions, and when it is withheld."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from tests.builders import NOON, a_quote
from vaultdash.domain.errors import DatabaseError, InvalidInput, Unavailable
from vaultdash.domain.hedge import Exercise, RiskProfile
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Strike, StrikeRule, TemplateLeg
from vaultdash.services import hedge_advisor
from vaultdash.services.hedge_advisor import REMEMBERED, HedgeAdvisor, Research
from vaultdash.services.price_feed import QuoteStatus

SEED = Research(
    spot=460.0, volatility=0.16, risk_free_rate=0.045, portfolio_value=1_000_000, loan_amount=600_000,
    margin_call_ltv=0.75,
)  # fmt: skip


async def test_the_reference_case(house):
    advice = await house.advisor.advise(SEED)
    assert advice.snapshot.ltv == pytest.approx(0.60)
    assert advice.snapshot.margin_call_price == pytest.approx(368.0)
    atm = advice.comparison.hedges[0]
    assert atm.plan.name == "protective_put_atm"
    assert atm.cost.cost_pct_of_portfolio == pytest.approx(0.0428, abs=0.0001)
    fall = next(scenario for scenario in atm.scenarios if scenario.price_change_pct == -0.2)
    assert (fall.margin_call_without_hedge, fall.margin_call_with_hedge) == (True, False)
    assert set(advice.comparison.recommendations) == set(RiskProfile)


async def test_without_parameters_the_live_price_and_the_owners_loan_are_used(house):
    house.market.price = 450.0
    advice = await house.advisor.advise(Research())
    assert advice.comparison.situation.spot == 450.0
    assert advice.comparison.situation.units == pytest.approx(1_000_000 / 460)
    assert (advice.status.quote.price, advice.withheld, advice.at) == (450.0, None, NOON)


async def test_defaults_are_labelled_as_assumptions(house):
    said = (await house.advisor.advise(Research())).assumptions
    assert "volatility 16 % a year is assumed, not observed" in said
    assert "interest rate 4.5 % a year is assumed, not observed" in said


async def test_what_is_given_is_no_assumption(house):
    said = " ".join((await house.advisor.advise(SEED)).assumptions)
    assert "assumed" not in said
    assert "research portfolio" not in said


async def test_premiums_are_always_said_to_be_model_prices(house):
    assert any("model prices" in line for line in (await house.advisor.advise(SEED)).assumptions)


async def test_another_symbol_makes_a_research_portfolio(house):
    house.market.price = 86.0
    advice = await house.advisor.advise(Research(symbol="iau"))
    assert (advice.symbol, advice.snapshot.portfolio.id) == ("IAU", "research")
    assert advice.snapshot.gold_value == pytest.approx(1_000_000)
    assert advice.snapshot.portfolio.loan.amount == 600_000
    assert any("research portfolio worth 1,000,000 USD" in line for line in advice.assumptions)


async def test_a_symbol_that_is_no_gold_is_labelled(house):
    house.market.price = 200.0
    advice = await house.advisor.advise(Research(symbol="AAPL"))
    assert advice.snapshot.gold_ounces is None
    assert any("AAPL is no known gold instrument" in line for line in advice.assumptions)


async def test_a_given_value_rescales_units_in_the_what_if_only(house):
    advice = await house.advisor.advise(Research(spot=400.0, portfolio_value=2_000_000))
    assert advice.snapshot.shares == pytest.approx(5_000)
    assert house.book.current.collateral.units_on(date(2026, 6, 10)) == pytest.approx(1_000_000 / 460)


async def test_a_given_spot_leaves_units_so_that_the_ltv_moves(house):
    advice = await house.advisor.advise(Research(spot=400.0))
    assert advice.snapshot.shares == pytest.approx(1_000_000 / 460)
    assert advice.snapshot.ltv == pytest.approx(600_000 / (400.0 * 1_000_000 / 460))


async def test_tenor_exercise_and_grid_are_taken(house):
    research = Research(spot=460.0, months=6, exercise=Exercise.AMERICAN, price_changes=(-0.1, 0.1))
    situation = (await house.advisor.advise(research)).comparison.situation
    assert (situation.months, situation.exercise) == (6, Exercise.AMERICAN)
    assert situation.price_changes == (-0.1, 0.1)


# withheld


@pytest.mark.parametrize(
    ("seconds", "age"), [(61, "61 seconds"), (120, "2 minutes"), (3600, "60 minutes"), (7200, "2 hours")]
)
async def test_a_stale_price_withholds_advice_and_says_why(house, seconds, age):
    await house.prices.refresh("GLD")
    house.market.failure = Unavailable("no route")
    house.clock.go_on(seconds)
    advice = await house.advisor.advise(Research())
    assert advice.withheld == f"The price is {age} old: no recommendation until a new one arrives."


async def test_a_price_of_a_shut_market_withholds_nothing(house):
    house.market.at = NOON.replace(hour=20)
    house.clock.go_on(hours=12)
    assert (await house.advisor.advise(Research())).withheld is None


async def test_a_given_spot_is_never_withheld(house):
    await house.prices.refresh("GLD")
    house.market.failure = Unavailable("no route")
    house.clock.go_on(hours=5)
    stale = house.prices.status((await house.prices.latest("GLD")).quote)
    advice = await house.advisor.advise(Research(spot=460.0), stale)
    assert (advice.withheld, advice.status) == (None, None)


async def test_a_given_spot_asks_no_market(house):
    await house.advisor.advise(Research(spot=460.0))
    assert house.market.asked == 0


async def test_a_price_the_caller_has_is_not_asked_for_again(house):
    status: QuoteStatus = await house.prices.refresh("GLD")
    await house.advisor.advise(Research(), status)
    assert house.market.asked == 1


async def test_without_price_and_spot_there_is_no_advice(house):
    house.market.failure = Unavailable("no route")
    with pytest.raises(Unavailable, match="no route"):
        await house.advisor.advise(Research())


# withheld by the exchange rate of a loan in another currency


@pytest.fixture
async def swiss(house):
    """480,000 CHF, a dollar at 0.80 CHF: an LTV of 60 %, called at a rate below 0.64."""
    await set_rate(house, 0.80)
    await house.book.open()
    loan = replace(house.book.current.loan, amount=480_000.0, currency="CHF")
    await house.book.save(replace(house.book.current, loan=loan), "test")
    return house


async def set_rate(house, per_dollar: float, source: str = "Scripted") -> None:
    house.market.dollar_costs["CHF=X"] = a_quote(per_dollar, "CHF=X", house.clock(), source=source, currency="CHF")
    await house.prices.refresh("CHF=X")


RESEARCHES = (Research(), Research(symbol="IAU"), Research(spot=460.0))


@pytest.mark.parametrize("research", RESEARCHES)
async def test_a_current_rate_withholds_nothing(swiss, research):
    assert (await swiss.advisor.advise(research)).withheld is None


@pytest.mark.parametrize("research", RESEARCHES)
async def test_an_old_rate_withholds_advice_and_is_named(swiss, research):
    swiss.clock.go_on(7200)
    advice = await swiss.advisor.advise(research)
    assert advice.withheld == (
        "What a dollar costs in CHF is 2 hours old: no recommendation until a new rate arrives."
    )


async def test_an_old_rate_is_named_before_the_call_that_follows_from_it(swiss):
    await set_rate(swiss, 0.60)
    swiss.clock.go_on(7200)
    advice = await swiss.advisor.advise(Research())
    assert advice.is_called
    assert advice.withheld.startswith("What a dollar costs in CHF is 2 hours old: ")
    assert advice.withheld.endswith("By that rate the loan is called, at an LTV of 80.0 %.")


async def test_an_old_price_is_named_beside_an_old_rate(swiss):
    await swiss.prices.refresh("GLD")
    swiss.clock.go_on(7200)
    swiss.market.failure = Unavailable("no route")
    said = (await swiss.advisor.advise(Research())).withheld
    assert said.startswith("What a dollar costs in CHF is 2 hours old, the price 2 hours: ")


@pytest.mark.parametrize("per_dollar", [0.80, 0.60])
@pytest.mark.parametrize("research", RESEARCHES)
async def test_an_invented_rate_withholds_advice_and_calls_no_loan(house, research, per_dollar):
    await set_rate(house, per_dollar, "DEMO")
    await house.book.open()
    loan = replace(house.book.current.loan, amount=480_000.0, currency="CHF")
    await house.book.save(replace(house.book.current, loan=loan), "test")
    advice = await house.advisor.advise(research)
    assert advice.withheld.startswith("What a dollar costs in CHF is invented (DEMO)")
    assert not advice.is_called


async def test_a_status_that_is_stale_for_the_rate_is_not_blamed_on_a_price_of_now(swiss):
    await swiss.heartbeat.beat()
    swiss.clock.go_on(7200)
    beat = await swiss.heartbeat.beat()
    assert beat.status.is_stale
    said = (await swiss.advisor.advise(Research(), beat.status)).withheld
    assert said.startswith("What a dollar costs in CHF is 2 hours old: ")


# refused


@pytest.mark.parametrize("loan", [1_000_000, 1_500_000])
async def test_an_entered_loan_that_is_not_below_its_collateral_is_refused(house, loan):
    with pytest.raises(InvalidInput, match="a loan must be below 100 %"):
        await house.advisor.advise(Research(spot=460.0, portfolio_value=1_000_000, loan_amount=loan))


async def test_an_entered_value_that_does_not_cover_the_loan_is_refused(house):
    with pytest.raises(InvalidInput, match="a loan must be below 100 %"):
        await house.advisor.advise(Research(spot=460.0, portfolio_value=500_000))


async def test_a_loan_that_the_price_brought_under_water_is_advised_on(house):
    house.market.price = 200.0
    assert (await house.advisor.advise(Research())).snapshot.ltv > 1


async def test_a_loan_above_its_call_limit_is_advised_on(house):
    advice = await house.advisor.advise(Research(spot=460.0, portfolio_value=1_000_000, loan_amount=900_000))
    assert advice.snapshot.is_called


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("spot", (0.0, -1.0, NAN, INF)),
        ("volatility", (0.0, -0.1, 16.0, NAN, INF)),
        ("risk_free_rate", (4.5, -1.0, NAN, INF)),
        ("portfolio_value", (0.0, -1.0, NAN, INF)),
        ("loan_amount", (0.0, -1.0, NAN, INF)),
        ("margin_call_ltv", (0.0, 1.0, 75.0, NAN, INF)),
        ("months", (0, -1, 1000)),
    ],
)
async def test_a_wrong_parameter_is_refused_by_its_name(house, name, values):
    for value in values:
        with pytest.raises(InvalidInput) as refused:
            await house.advisor.advise(Research(**{"spot": 460.0, name: value}))
        assert refused.value.argument == name, value


@pytest.mark.parametrize("tiny", [1e-300, 1e-310, 1e-319, 5e-324])
async def test_absurd_sizes_are_refused_and_break_nothing(house, tiny):
    for research in (
        Research(spot=460.0, portfolio_value=tiny, margin_call_ltv=1e-10),
        Research(spot=tiny),
        Research(spot=tiny, portfolio_value=1e308),
        Research(spot=460.0, loan_amount=tiny),
        Research(spot=460.0, margin_call_ltv=tiny),
        Research(spot=1e308, portfolio_value=1e308, loan_amount=1e308 * (1 - tiny)),
    ):
        with pytest.raises(InvalidInput):
            await house.advisor.advise(research)


async def test_a_symbol_that_cannot_be_one_is_refused(house):
    with pytest.raises(InvalidInput, match="symbol"):
        await house.advisor.advise(Research(symbol="../etc/passwd"))


# remembered


async def test_the_same_question_is_answered_from_memory(house):
    one, other = await house.advisor.advise(SEED), await house.advisor.advise(SEED)
    assert other.comparison is one.comparison


async def test_another_question_is_worked_out(house):
    one = await house.advisor.advise(SEED)
    other = await house.advisor.advise(Research(spot=461.0))
    assert other.comparison is not one.comparison


async def test_memory_is_bounded_and_keeps_what_is_asked_for_often(house):
    first = await house.advisor.advise(Research(spot=460.0))
    for n in range(REMEMBERED + 10):
        await house.advisor.advise(Research(spot=300.0 + n))
        assert (await house.advisor.advise(Research(spot=460.0))).comparison is first.comparison
    assert len(house.advisor._remembered) == REMEMBERED


async def test_many_questions_at_once_are_all_answered(house):
    spots = [400.0 + n for n in range(20)]
    answers = await asyncio.gather(*(house.advisor.advise(Research(spot=spot)) for spot in spots))
    assert [answer.comparison.situation.spot for answer in answers] == spots


async def test_nothing_is_recommended_for_a_loan_that_is_called(house):
    advice = await house.advisor.advise(Research(spot=360.0))
    assert advice.withheld is not None
    assert advice.withheld.startswith("The loan is called")


# the owner's own templates

UNDER_CALL = TemplateLeg(Right.PUT, Strike(StrikeRule.DISTANCE_TO_CALL, 1.05), 6.0)
MINE = HedgeTemplate("mine", "Mine", legs=(UNDER_CALL,))
HALF = HedgeTemplate("half", "Half", legs=(UNDER_CALL,), coverage=0.5)


def advisor_with(house, *templates: HedgeTemplate) -> HedgeAdvisor:
    async def own() -> tuple[HedgeTemplate, ...]:
        return templates

    return HedgeAdvisor(house.prices, house.book, lambda: NOON, own=own)


async def test_the_owners_templates_follow_the_six_which_stay_as_they_are(house):
    six = (await house.advisor.advise(SEED)).comparison
    advice = await advisor_with(house, MINE, HALF).advise(SEED)
    *others, own = advice.comparison.hedges
    assert tuple(others) == six.hedges
    assert (own.plan.name, own.plan.title, own.plan.months) == ("mine", "Mine", 6)
    assert own.plan.legs[0].strike == pytest.approx(1.05 * 368)
    ranked = advice.comparison.recommendations[RiskProfile.COST_SENSITIVE].ranking
    assert "mine" in [line.name for line in ranked]
    (left_out,) = advice.left_out
    assert (left_out.name, left_out.title) == ("half", "Half")
    assert "not over the whole collateral" in left_out.reason


async def test_a_changed_template_is_compared_anew(house):
    kept = [MINE]

    async def own() -> list[HedgeTemplate]:
        return kept

    advisor = HedgeAdvisor(house.prices, house.book, lambda: NOON, own=own)
    first = await advisor.advise(SEED)
    assert (await advisor.advise(SEED)).comparison is first.comparison
    kept[0] = replace(MINE, legs=(replace(UNDER_CALL, months=3.0),), version=2)
    assert (await advisor.advise(SEED)).comparison.hedges[-1].plan.months == 3
    kept.clear()
    assert (await advisor.advise(SEED)).comparison == (await house.advisor.advise(SEED)).comparison


async def test_a_database_that_fails_leaves_the_six_and_says_so(house):
    async def own() -> tuple[HedgeTemplate, ...]:
        raise DatabaseError("The disk is full.")

    advice = await HedgeAdvisor(house.prices, house.book, lambda: NOON, own=own).advise(SEED)
    assert advice.comparison == (await house.advisor.advise(SEED)).comparison
    assert any("could not be read: The disk is full." in line for line in advice.assumptions)
    assert advice.withheld is None


async def test_a_database_that_does_not_answer_is_not_waited_for_and_asked_once(house, monkeypatch):
    monkeypatch.setattr(hedge_advisor, "PATIENCE_SECONDS", 0.01)
    answer, asked = asyncio.Event(), []

    async def own() -> tuple[HedgeTemplate, ...]:
        asked.append(1)
        await answer.wait()
        return (MINE,)

    advisor = HedgeAdvisor(house.prices, house.book, lambda: NOON, own=own)
    for _ in range(3):
        advice = await advisor.advise(SEED)
        assert len(advice.comparison.hedges) == 6
        assert "does not answer" in advice.assumptions[-1]
    answer.set()
    assert len((await advisor.advise(SEED)).comparison.hedges) == 7
    assert len(asked) == 1
    await advisor.advise(SEED)
    assert len(asked) == 2
