"""What the workbench says and draws of hedges, checked by hand on round numbers."""

from dataclasses import replace
from datetime import date

import pytest

from tests.builders import NOON, a_loan
from vaultdash.domain.hedge_verdict import (
    AlternativeKind,
    CallSafety,
    CheapestHedge,
    Frontier,
    FrontierPoint,
    ListedMeasure,
    NearestRequest,
    PathOdds,
    PathVerdict,
    SolveStatus,
)
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg, ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.listed_measure import measure_listed
from vaultdash.ui.components.frontier_chart import frontier_options
from vaultdash.ui.components.payoff_chart import Line, gain_options, ltv_at, ltv_options
from vaultdash.ui.components.workbench_compare import ROWS, Compared, Shown
from vaultdash.ui.components.workbench_words import (
    calls_words,
    headline,
    infeasible_words,
    legs_words,
    paths_words,
    sentences,
    typeset,
    verdict_words,
)
from vaultdash.ui.format import unbroken
from vaultdash.ui.theme import ChartColours

SEPTEMBER = date(2026, 9, 18)
COLOURS = ChartColours(dark=True)


def a_case(
    counting: HedgeCounting = HedgeCounting.AFTER_PAYMENT, loan: float = 60_000.0, **fields: object
) -> HedgeCase:
    """1,000 shares at 100: the call comes at 80."""
    return HedgeCase(100.0, 1000.0, a_loan(loan, hedge_counting=counting), NOON)


def a_leg(right: Right, strike: float, contracts: int, price: float) -> ListedLeg:
    option = ListedOption(right, strike, SEPTEMBER, price - 0.1, price + 0.1, volatility=0.2, open_interest=50)
    return ListedLeg(option, contracts, price)


def puts(strike: float = 90.0, contracts: int = 10, price: float = 2.0) -> ListedHedge:
    return ListedHedge("puts", (a_leg(Right.PUT, strike, contracts, price),), commission=0.0)


def a_collar() -> ListedHedge:
    return ListedHedge(
        "collar", (a_leg(Right.PUT, 90.0, 10, 2.0), a_leg(Right.CALL, 110.0, -10, 3.0)), commission=0.0
    )


def measured(hedge: ListedHedge, case: HedgeCase | None = None) -> ListedMeasure:
    return measure_listed(hedge, case or a_case())


def test_a_hedge_that_keeps_every_call_away_says_until_when_and_what_it_costs() -> None:
    words, tone = headline(measured(puts(), a_case(HedgeCounting.CREDITED)), is_cheapest=True)
    # 10 x 100 x 2.00 = 2,000 of 100,000 in 100 days and 4 hours: 7.29 % a year
    assert words.startswith("The cheapest hedge that keeps a call away at every price down to −60")
    assert "until 18 Sep 2026: 10 puts 90 for" in words
    assert "$\u00a02,000, 7.29" in words
    assert tone == "room"


def test_a_hedge_that_is_too_low_says_how_far_it_reaches() -> None:
    # Credited with 5 contracts of 70: 60,000 / (1,000 S + 500 max(70 - S, 0)) reaches 75 % at S = 80 already.
    words, tone = headline(measured(puts(70.0, 5), a_case(HedgeCounting.CREDITED)), is_cheapest=False)
    assert "keeps a call away down to −20.0" in words
    assert "not further" in words
    assert tone == "warning"


@pytest.mark.parametrize(
    ("counting", "tone"), [(HedgeCounting.IGNORED, "warning"), (HedgeCounting.AFTER_PAYMENT, "")]
)
@pytest.mark.parametrize("is_cheapest", [True, False])
def test_a_hedge_that_must_be_sold_first_stops_no_call_and_is_never_green(
    counting: HedgeCounting, tone: str, is_cheapest: bool
) -> None:
    # Sold at 40, 10 puts of 90 bring 50,000 of the 60,000: LTV 25 %. The lender called at 80 all the same.
    words, found = headline(measured(puts(), a_case(counting)), is_cheapest=is_cheapest)
    assert "keeps a call away" not in words
    assert "oes not stop the call at 80.00" in words
    assert "sold at once" in words
    assert "at every price down to −60\u00a0%" in unbroken(words)
    assert found == tone


def test_a_sale_that_brings_too_little_is_said_with_the_price_down_to_which_it_is_enough() -> None:
    # (60,000 - 500 (90 - S)) / 1,000 S = 75 % at S = 60; five puts of 70 pay nothing at the call of 80.
    words, tone = headline(measured(puts(90.0, 5)), is_cheapest=False)
    assert "sold at once it would repay enough down to −40.0" in words
    assert tone == "warning"
    words, tone = headline(measured(puts(70.0, 5)), is_cheapest=False)
    assert words.endswith("does not stop the call at 80.00, and sold there it would not repay enough.")
    assert tone == "call"


def test_what_paths_came_to_is_said_beside_that_of_no_hedge() -> None:
    hedged, bare = (
        PathVerdict("any", (PathOdds("flat", 0.1, 0.01, uncured, 0.001, 0.0, 0.0, 0.0),)) for uncured in (0.012, 0.05)
    )
    said = "Of random paths 1.2\u00a0% have a call that it does not cure, 5.0\u00a0% without a hedge."
    assert unbroken(paths_words(hedged, bare)) == said
    assert paths_words(None, bare) == ""


def test_a_hedge_on_a_called_loan_is_no_help_against_the_call() -> None:
    words, tone = headline(measured(puts(), a_case(loan=80_000.0)), is_cheapest=False)
    assert "no help against the call, which is there now" in words
    assert tone == "call"


def test_without_legs_the_call_price_stands_in_the_sentence() -> None:
    words, _ = headline(measured(ListedHedge("no hedge")), is_cheapest=False)
    assert words.startswith("No hedge: the call comes at 80.00, −20.0")


def test_a_collar_that_brings_money_is_spoken_of_as_such() -> None:
    words, _ = headline(measured(a_collar()), is_cheapest=False)
    assert words.startswith("10 puts 90 and 10 sold calls 110 bringing $\u00a01,000")
    assert legs_words(a_collar()) == "10 puts 90 and 10 sold calls 110"


def test_the_broker_is_named_before_the_lender_when_the_rise_is_the_danger() -> None:
    safety = CallSafety(10, False, 25_000.0, 0.2, 52_000.0, 40_000.0, 112.5, "refused")
    words = calls_words(safety, a_case())
    assert words.startswith("The rise is the danger here: the broker calls at 112.50 USD, 12.5")
    at_once = calls_words(replace(safety, broker_margin=0.0, broker_calls_at=None), a_case())
    assert "the broker asks $\u00a025,000 at once" in at_once
    assert "a rise brings no call" in calls_words(replace(safety, is_covered=True), a_case())


def test_what_cannot_be_had_says_what_can() -> None:
    found = CheapestHedge(
        SolveStatus.INFEASIBLE, "No strike is high enough", nearest=NearestRequest(max_hedged_ltv=0.8)
    )
    assert infeasible_words(found) == "No strike is high enough. What can be kept: an LTV of 80.0\u00a0%."
    told = CheapestHedge(SolveStatus.INFEASIBLE, "Too few.", nearest=NearestRequest(words="Ask for 80 % instead."))
    assert infeasible_words(told) == "Too few. Ask for 80 % instead."


def test_a_verdict_is_a_range_over_models_with_the_largest_error() -> None:
    odds = tuple(
        PathOdds(name, 0.1, 0.01, uncured, error, 0.0, 0.0, 0.0)
        for name, uncured, error in (("flat", 0.012, 0.001), ("jumps", 0.034, 0.002))
    )
    assert verdict_words(PathVerdict("any", odds)) == ("1.2 to 3.4\u00a0%", "± 0.2\u00a0%")
    assert verdict_words(PathVerdict("any", odds[:1]))[0] == "1.2\u00a0%"


def test_sentences_of_services_are_set_as_pages_set_numbers() -> None:
    assert typeset("at 335.00 (-25.8%) it is 74.0%") == "at 335.00 (−25.8\u00a0%) it is 74.0\u00a0%"
    assert sentences(["the price is old", "the price is old", "Nothing else."]) == "The price is old. Nothing else."


@pytest.mark.parametrize(
    ("counting", "at", "ltv"),
    [
        (HedgeCounting.IGNORED, 60.0, 1.0),
        (HedgeCounting.AFTER_PAYMENT, 60.0, (60_000 - 30_000) / 60_000),
        (HedgeCounting.CREDITED, 60.0, 60_000 / 90_000),
        (HedgeCounting.CREDITED, 120.0, 0.5),
    ],
)
def test_the_drawn_ltv_is_that_of_the_counting(counting: HedgeCounting, at: float, ltv: float) -> None:
    assert ltv_at(puts(), a_case(), at, counting) == pytest.approx(ltv)


def test_a_premium_that_is_owed_or_paid_in_gold_is_in_the_drawn_ltv() -> None:
    owed = replace(puts(), funding=PremiumFunding.LOAN)
    sold = replace(puts(), funding=PremiumFunding.SELL_GOLD)
    assert ltv_at(owed, a_case(), 100.0, HedgeCounting.IGNORED) == pytest.approx(0.62)
    assert ltv_at(sold, a_case(), 100.0, HedgeCounting.IGNORED) == pytest.approx(60_000 / 98_000)


def test_the_gain_of_a_put_is_its_payoff_less_what_it_cost() -> None:
    line = Line("A · put 90", puts(), "#123456")
    drawn = gain_options([line], 0, a_case(), [88.0], COLOURS, with_gold=False)
    series, handles = drawn["series"]
    assert [(one["place"], one["value"]) for one in handles["data"]] == [(0, [90.0, -2_000])]
    gains = dict(map(tuple, series["data"]))
    assert gains[90.0] == -2_000
    assert gains[40.0] == 48_000
    assert series["markPoint"]["data"][0]["coord"] == [88.0, 0]
    with_gold = gain_options([line], 0, a_case(), [], COLOURS, with_gold=True)
    plain, hedged = (dict(map(tuple, one["data"])) for one in with_gold["series"][:2])
    assert plain[40.0] == -60_000
    assert hedged[40.0] == -12_000


def test_the_ltv_chart_marks_call_spot_and_limit() -> None:
    drawn = ltv_options([Line("A", puts(), "#123456")], 0, a_case(), HedgeCounting.CREDITED, COLOURS)
    marked = [
        {key: each[key] for key in ("xAxis", "yAxis") if key in each}
        for each in drawn["series"][0]["markLine"]["data"]
    ]
    assert marked == [{"yAxis": 0.75}, {"xAxis": 100.0}, {"xAxis": 80.0}]
    assert [one["name"] for one in drawn["series"]] == ["No hedge", "A"]


def rows_of(
    hedge: ListedHedge, own: HedgeCounting = HedgeCounting.CREDITED, counting: HedgeCounting = HedgeCounting.CREDITED
) -> dict[str, Shown]:
    odds = PathOdds("flat", 0.1, 0.01, 0.0, 0.001, 0.0, 0.0, 0.0)
    column = Compared("A", "any", "#123456", verdict=PathVerdict("any", (odds,)))
    return {row.name: row.look(column, measured(hedge, a_case(own)), counting) for row in ROWS}


def test_every_row_of_the_comparison_has_words_for_a_hedge_and_for_none() -> None:
    found = rows_of(a_collar())
    assert found["legs"].text == "10 puts 90 + 10 sold calls 110"
    assert (found["cost"].text, found["cost"].sub) == ("$\u00a01,000", "comes in")
    # credited, 1,000 shares with puts of 90 never count less than 90,000
    assert found["worst LTV"].text == "66.7\u00a0%"
    assert found["falls without a call"].text == "every one"
    assert found["the broker calls at"].tone == "call"
    bare = rows_of(ListedHedge("no hedge"))
    assert bare["worst LTV"].text == "150.0\u00a0%"
    assert bare["falls without a call"].text == "−20.0\u00a0%"
    assert bare["widest spread"].text == bare["legs"].text == "–"


@pytest.mark.parametrize(
    ("own", "counting", "tone"),
    [
        (HedgeCounting.CREDITED, HedgeCounting.CREDITED, "room"),
        (HedgeCounting.IGNORED, HedgeCounting.CREDITED, ""),
        (HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT, ""),
        (HedgeCounting.AFTER_PAYMENT, HedgeCounting.AFTER_PAYMENT, ""),
    ],
)
def test_green_is_only_what_the_lender_himself_sees(own: HedgeCounting, counting: HedgeCounting, tone: str) -> None:
    found = rows_of(puts(), own, counting)
    assert found["falls without a call"].text == "every one"
    assert found["falls without a call"].tone == found["worst LTV"].tone == tone


def test_paths_of_calls_that_the_broker_refuses_are_greyed() -> None:
    assert rows_of(puts())["a call not cured"].tone == "room"
    refused = rows_of(a_collar())["a call not cured"]
    assert (refused.tone, refused.sub) == ("muted", "the broker calls first")


def a_point(
    title: str, fall: float, cost: float, dominated: int | None = None, kind: AlternativeKind | None = None
) -> FrontierPoint:
    return FrontierPoint(title, None, kind, cost * 1e5, cost * 1e5, cost, fall, 0.7, 1.0, dominated_by=dominated)


def test_the_frontier_greys_what_is_dominated_and_keeps_alternatives_apart() -> None:
    points = (
        a_point("best", 0.6, 0.01),
        a_point("worse", 0.4, 0.02, 0),
        a_point("Repay", 0.3, -0.01, None, AlternativeKind.REPAY),
    )
    found = Frontier(HedgeCounting.CREDITED, (-0.6, 0.6), points, best=0)
    drawn = frontier_options(found, COLOURS, frozenset([0]))
    grey, _, gold, other = drawn["series"]
    assert drawn["xAxis"]["name"] == "deepest fall without a call"
    assert "no call down to" in gold["data"][0]["words"]
    paid = frontier_options(replace(found, counting=HedgeCounting.AFTER_PAYMENT), COLOURS, frozenset())
    assert paid["xAxis"]["name"] == "deepest fall it repays"
    assert "sold at once it repays down to" in paid["series"][2]["data"][0]["words"]
    assert "no call down to" in paid["series"][3]["data"][0]["words"]  # of a repayment that stays true
    assert [one["name"] for one in grey["data"]] == ["worse"]
    assert [(one["name"], one["place"], one["value"]) for one in gold["data"]] == [("best", 0, [0.6, 0.01])]
    assert [(one["name"], one["symbol"]) for one in other["data"]] == [("repay", "diamond")]
