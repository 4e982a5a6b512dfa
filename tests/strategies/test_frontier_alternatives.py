"""What is no option: how much is enough, what a year of it costs, and when it is better than the hedge."""

import math
from dataclasses import replace

import pytest

from tests.builders import SEED_UNITS
from tests.strategies.listed_cases import SPOT, a_call, a_case, a_hedge, a_put
from vaultdash.domain.hedge_verdict import AlternativeKind, FrontierPoint, ListedMeasure
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.portfolio import cure
from vaultdash.strategies.frontier_alternatives import Instead, alternatives, better_without, enough
from vaultdash.strategies.listed_measure import measure_listed

RANGE = (-0.6, 0.6)
AFTER_PAYMENT, IGNORED = HedgeCounting.AFTER_PAYMENT, HedgeCounting.IGNORED


def ltv_after(case: HedgeCase, fall: float) -> float:
    return case.loan.amount / (case.units * case.spot * (1 - fall))


def test_enough_is_just_enough_at_the_fallen_price() -> None:
    # after a fall of 60 % the gold is worth 400,000: 0.75 of it carries 300,000
    case = a_case()
    found = enough(case, 0.6)
    assert found.repay == pytest.approx(300_000, abs=1)
    repaid = replace(case, loan=replace(case.loan, amount=600_000 - found.repay))
    added = replace(case, units=case.units + found.add_gold / SPOT)
    smaller = replace(
        case,
        loan=replace(case.loan, amount=600_000 - found.sell_gold),
        units=case.units - found.sell_gold / SPOT,
    )
    for after in (repaid, added, smaller):
        assert ltv_after(after, 0.6) == pytest.approx(0.75, abs=2e-6)
        assert ltv_after(after, 0.6) < 0.75


def test_without_a_fall_it_is_the_cure() -> None:
    called = a_case(units=1_600.0)
    found, cured = enough(called, 0.0), cure(600_000, 1_600 * SPOT, 0.75 - 1e-6)
    assert (found.repay, found.add_gold, found.sell_gold) == pytest.approx(
        (cured.repay_cash, cured.add_gold, cured.sell_gold)
    )


def test_nothing_is_needed_where_no_call_comes_and_more_gold_than_there_is_cannot_be_sold() -> None:
    assert enough(a_case(), 0.1) == type(enough(a_case(), 0.1))(0.0, 0.0, 0.0)
    assert enough(a_case(units=1_000.0), 0.6).sell_gold == math.inf  # 460,000 of gold for 600,000


def of_kind(kind: AlternativeKind, case: HedgeCase | None = None) -> list[FrontierPoint]:
    return [point for point in alternatives(case or a_case(), RANGE, 0.6) if point.alternative is kind]


def test_a_year_of_repaying_costs_what_dollars_earn_less_the_interest() -> None:
    # 6.45 % of 60,000 over 365 of 360 days is 3,923.75; e^0.045 - 1 of it is 2,761.67
    point = of_kind(AlternativeKind.REPAY)[1]
    assert point.title == "Repay 60,000 USD"
    assert point.capital == 60_000
    assert point.cost_per_year == pytest.approx(60_000 * math.expm1(0.045) - 60_000 * 0.0645 * 365 / 360)
    assert point.cost_per_year < 0
    assert point.deepest_fall == pytest.approx(1 - 0.54 / 0.75, abs=1e-8)
    assert point.upside_kept == 1.0
    cheap = replace(a_case().loan, interest=Interest(reference_rate=0.0, spread=0.01))
    assert of_kind(AlternativeKind.REPAY, a_case(loan=cheap))[1].cost_per_year > 0


def test_added_gold_rises_too_and_sold_gold_no_more() -> None:
    added, sold = of_kind(AlternativeKind.ADD_GOLD)[1], of_kind(AlternativeKind.SELL_GOLD)[1]
    assert added.upside_kept == pytest.approx(1.06)
    assert added.capital == 60_000
    assert added.cost_per_year == pytest.approx(60_000 * math.expm1(0.045))
    assert sold.upside_kept == pytest.approx(0.94)
    assert sold.capital == 0.0
    assert sold.cost_per_year == pytest.approx(-60_000 * 0.0645 * 365 / 360)
    assert sold.deepest_fall == pytest.approx(1 - 540 / 940 / 0.75, abs=1e-8)


def test_each_is_there_at_the_size_that_does_as_much_as_the_hedge() -> None:
    for kind in (AlternativeKind.REPAY, AlternativeKind.ADD_GOLD, AlternativeKind.SELL_GOLD):
        point = of_kind(kind)[-1]
        assert point.deepest_fall == 0.6
        assert point.note.startswith("Keeps every call away down to a fall of 60%.")


def test_a_round_size_that_says_the_same_is_left_out() -> None:
    assert [point.capital for point in of_kind(AlternativeKind.REPAY)] == pytest.approx(
        [30_000, 60_000, 120_000, 180_000, 300_000], abs=1
    )


def test_a_size_that_is_more_than_the_gold_or_the_loan_is_left_out() -> None:
    points = alternatives(a_case(units=500.0), RANGE, 0.6)
    assert all(point.capital < 600_000 for point in points if point.alternative is AlternativeKind.REPAY)
    sizes = [point for point in points if point.alternative is AlternativeKind.SELL_GOLD]
    assert [point.upside_kept > 0 for point in sizes] == [True] * len(sizes)
    assert len(sizes) == 4  # of 230,000 of gold: 30, 60, 120 and 180 thousand


def a_measure(
    price: float, case: HedgeCase | None = None, contracts: int = 22, strike: float = 370.0
) -> ListedMeasure:
    return measure_listed(a_hedge(a_put(strike, contracts, price)), case or a_case())


def test_a_cheap_hedge_is_better_than_repaying_and_a_dear_one_is_not() -> None:
    # 22 puts for 100 days; 300,000 would have to be repaid, 5 % of which is 15,000 a year: 4,109.59 for 100 days
    cheap, dear = a_measure(1.86), a_measure(1.87)
    assert better_without(cheap, a_case()).verdict is Instead.HEDGE
    found = better_without(dear, a_case())
    assert found.verdict is Instead.REPAY
    assert found.figures["cost_per_year"] == pytest.approx(1.87 * 2_200 * 3.65)
    assert found.figures["part_of_repay"] == pytest.approx(1.87 * 2_200 * 3.65 / 300_000, rel=1e-5)
    assert "Repaying 300,000 USD keeps every call away down to a fall of 60%." in found.sentences[-1]
    assert better_without(dear, a_case(), dear=0.06).verdict is Instead.HEDGE


def test_nothing_is_better_where_no_price_asked_for_is_a_call() -> None:
    found = better_without(a_measure(0.01), a_case(), (-0.15, 0.6))
    assert found.verdict is Instead.NOTHING
    assert "down to a fall of 15%" in found.sentences[0]


def test_nothing_is_better_where_the_call_is_further_than_gold_has_ever_fallen() -> None:
    far = a_case(loan=replace(a_case().loan, amount=360_000.0))  # 36 % of a million: a fall of 52 %
    found = better_without(None, far)
    assert found.verdict is Instead.NOTHING
    assert "after a fall of 52.0%" in found.sentences[0]
    assert better_without(None, far, far=0.53).verdict is Instead.REPAY


def test_where_no_hedge_helps_the_loan_is_the_thing_to_change() -> None:
    assert (
        "looks at gold and loan alone"
        in better_without(a_measure(0.01, a_case(IGNORED)), a_case(IGNORED)).sentences[1]
    )
    assert "No hedge of the listed contracts" in better_without(None, a_case()).sentences[1]
    short = better_without(a_measure(0.01, contracts=5), a_case())
    assert short.verdict is Instead.REPAY
    assert "does not keep every call away" in short.sentences[1]
    collar = measure_listed(a_hedge(a_put(370.0, 22), a_call(506.0, -21)), a_case())
    assert "the broker counts the sold calls as uncovered" in better_without(collar, a_case()).sentences[1]


def test_the_hedge_is_judged_as_this_lender_counts_and_in_this_range() -> None:
    measured = a_measure(0.5, contracts=14, strike=400.0)  # credited, it does not keep every call away
    assert better_without(measured, a_case()).verdict is Instead.REPAY
    assert better_without(measured, a_case(AFTER_PAYMENT)).verdict is Instead.HEDGE
    assert better_without(measured, a_case(), (-0.3, 0.6)).verdict is Instead.HEDGE


def test_a_hedge_that_the_lender_ignores_answers_a_call_if_it_is_sold_in_time() -> None:
    case = a_case(IGNORED)
    found = better_without(a_measure(1.0, case, contracts=14, strike=400.0), case)
    assert found.verdict is Instead.REPAY
    # 1,400 USD for 100 days
    assert "repays enough down to a fall of 60%, for 5,110 USD a year" in found.sentences[-1]
    assert "within the 2 business days" in found.sentences[-1]
    too_few = better_without(a_measure(1.0, case, contracts=13, strike=400.0), case)
    assert "Without these dollars" not in too_few.sentences[-1]


def test_a_loan_that_is_called_is_cured_first() -> None:
    called = a_case(units=1_700.0)
    found = better_without(a_measure(0.01, called), called)
    assert found.verdict is Instead.REPAY
    # 600,000 on 782,000: 76.7 %; to 60 % repay 130,800
    assert "76.7%" in found.sentences[0]
    assert "repay 130,800 USD" in found.sentences[1]


def test_the_hedge_that_wins_after_payment_is_judged_after_payment() -> None:
    case = a_case(AFTER_PAYMENT)
    assert better_without(a_measure(1.0, case, contracts=14, strike=400.0), case).verdict is Instead.HEDGE
    assert case.units == SEED_UNITS
