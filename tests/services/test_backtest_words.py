"""The sentence on top of a backtest: counted by hand, and honest where no hedge was needed or none helped."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from vaultdash.backtest.engine import ranked
from vaultdash.backtest.result import BacktestRun, Comparison, Ending, Reason, Series, Summary, Trade
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.backtest_cost import is_bought_again, yearly_cost
from vaultdash.services.backtest_request import Asked, BacktestRequest, FanEntry
from vaultdash.services.backtest_words import per_cent, sentence, usual_name
from vaultdash.services.selloff_events import find
from vaultdash.strategies.templates import TEMPLATES, system_template

START, END = date(2026, 1, 29), date(2026, 2, 2)
HEDGES = [template for template in TEMPLATES if template.hedges]


def a_summary(**fields: Any) -> Summary:
    given: dict[str, Any] = {
        "counting": HedgeCounting.CREDITED,
        "survived": True,
        "ending": Ending.NO_CALL,
        "first_breach_date": None,
        "first_intraday_breach_date": None,
        "days_in_breach": 0,
        "max_ltv": 0.697,
        "max_ltv_on": END,
        "max_ltv_ignored": 0.697,
        "max_ltv_after_payment": 0.697,
        "max_ltv_credited": 0.697,
        "least_headroom": 0.0,
        "hedge_cost_paid": 0.0,
        "hedge_recovered": 0.0,
        "hedge_value_end": 0.0,
        "hedge_cost_net": 0.0,
        "entry_cost": 0.0,
        "cost_per_year": 0.0,
        "trades": 0,
        "rolls": 0,
        "calls": 0,
        "interest": 0.0,
        "repaid_from_hedge": 0.0,
        "units_end": 10_000.0,
        "loan_end": 0.0,
        "final_equity": 0.0,
        "breaches": {},
        **fields,
    }
    return Summary(**given)


def a_run(template: HedgeTemplate, trades: Sequence[Trade] = (), **fields: Any) -> BacktestRun:
    """Without trades of its own it bought once, at the start."""
    prices = np.array([100.0, 90.0])
    series = Series((START, END), prices, *[prices] * 11)
    return BacktestRun(template, series, tuple(trades), (), a_summary(**{"trades": int(template.hedges), **fields}))


def a_trade(on: date, expiration: date, contracts: int, cash: float, leg: int = 0) -> Trade:
    return Trade(on, Reason.ROLL, leg, Right.PUT, 90.0, expiration, contracts, 1.0, 1.0, 0.0, cash)


def called(ending: Ending = Ending.LIQUIDATED, **fields: Any) -> dict[str, Any]:
    return {"survived": False, "ending": ending, "first_breach_date": END, "max_ltv": 0.80, **fields}


def a_comparison(runs: Sequence[BacktestRun], is_demo: bool = False, **unhedged: Any) -> Comparison:
    """On 10,000 shares at 100.00: 12,000 USD are 1.2 % of the gold."""
    scenario = Scenario(START, END, 10_000.0, Loan(600_000.0))
    without = a_run(system_template("no_hedge"), **(unhedged or called()))
    return Comparison(
        scenario, tuple(runs), without, (None,) * len(runs), ranked(runs), "test", is_demo=is_demo, remarks=()
    )


def nine(survivors: int, **of_others: Any) -> list[BacktestRun]:
    """Nine hedges of which the first ones survive, the third at the least cost."""
    costs = {2: 12_345.0}
    kept = [a_run(each, entry_cost=costs.get(n, 20_000.0 + n)) for n, each in enumerate(HEDGES[:survivors])]
    return [*kept, *(a_run(each, **(of_others or called())) for each in HEDGES[survivors:9])]


def test_survivors_are_counted_and_the_cheapest_named() -> None:
    assert sentence(a_comparison(nine(3))) == (
        "With these terms, three of nine hedges survived; the cheapest was the 90 % put, bought for 12,345 USD "
        "(1.2 % of the gold)."
    )
    assert sentence(a_comparison(nine(9))).startswith("With these terms, all nine hedges survived; the cheapest")
    assert sentence(a_comparison(nine(1))) == (
        "With these terms, one of nine hedges survived: the ATM put, bought for 20,000 USD (2.0 % of the gold)."
    )


def test_neither_doing_nothing_nor_repaying_is_counted_as_a_hedge() -> None:
    others = [a_run(system_template("no_hedge"), **called()), a_run(system_template("repay_with_premium"))]
    assert sentence(a_comparison([*nine(3), *others])).startswith("With these terms, three of nine hedges survived")
    assert sentence(a_comparison(others[:1])) == "Without a hedge: sold by the lender; first on 2 February 2026."


def test_the_cheapest_is_the_one_that_cost_least_to_buy_whatever_it_was_worth_at_the_low() -> None:
    dear = a_run(HEDGES[1], entry_cost=55_555.0, hedge_cost_net=-900_000.0)
    collar = a_run(HEDGES[6], entry_cost=-4_321.0, hedge_cost_net=-10.0)
    assert sentence(a_comparison([dear])) == (
        "With these terms, the 95 % put, bought for 55,555 USD (5.6 % of the gold), survived."
    )
    assert sentence(a_comparison([dear, collar])).endswith(
        "the cheapest was the Collar 95/110, which brought 4,321 USD (0.4 % of the gold)."
    )


YEAR_LATER = date(2027, 1, 29)
HALF_YEAR = (a_trade(START, date(2026, 7, 29), 1, -6_000.0), a_trade(date(2026, 7, 29), YEAR_LATER, 1, -7_000.0))


def test_hedges_that_are_bought_again_are_compared_by_a_year_of_options() -> None:
    # the first half-year's put costs 6,000 and its successor 7,000; what the old one brought back is not taken off
    rolled = a_run(
        HEDGES[1], [HALF_YEAR[0], a_trade(date(2026, 7, 29), date(2026, 7, 29), -1, 5_000.0), HALF_YEAR[1]]
    )
    once = a_run(HEDGES[2], [a_trade(START, YEAR_LATER, 1, -12_345.0)], entry_cost=12_345.0)
    rolled = replace(rolled, summary=replace(rolled.summary, entry_cost=6_000.0))
    assert sentence(a_comparison([rolled, once])).endswith(
        "the cheapest was the 90 % put, at 12,345 USD a year for options (1.2 % of the gold)."
    )
    assert sentence(a_comparison([rolled])) == (
        "With these terms, the 95 % put, at 13,000 USD a year for options (1.3 % of the gold), survived."
    )
    assert "bought for 12,345 USD (1.2 % of the gold)" in sentence(a_comparison([once]))


def test_a_put_of_three_months_is_not_cheaper_than_one_of_a_year_because_it_costs_less_today() -> None:
    # 4,000 for 90 days are 16,222 a year; 12,345 for 365 days are what they are
    short = a_run(HEDGES[1], [a_trade(START, date(2026, 4, 29), 1, -4_000.0)], entry_cost=4_000.0)
    long = a_run(HEDGES[2], [a_trade(START, YEAR_LATER, 1, -12_345.0)], entry_cost=12_345.0)
    assert sentence(a_comparison([short, long])).endswith(
        "the 90 % put, at 12,345 USD a year for options (1.2 % of the gold)."
    )
    assert yearly_cost(short) == pytest.approx(4_000 * 365 / 90)
    assert sentence(a_comparison([short])).endswith(
        "the 95 % put, bought for 4,000 USD (0.4 % of the gold), survived."
    )


def test_what_sold_options_brought_at_their_sale_is_taken_off_a_year_of_options() -> None:
    collar = next(each for each in HEDGES if any(leg.sign < 0 for leg in each.legs))
    sold = next(place for place, leg in enumerate(collar.legs) if leg.sign < 0)
    trades = [
        a_trade(START, YEAR_LATER, 1, -10_000.0, 1 - sold),
        a_trade(START, YEAR_LATER, -1, 8_000.0, sold),
        a_trade(END, YEAR_LATER, 1, -3_000.0, sold),  # bought back: no opening
    ]
    assert yearly_cost(a_run(collar, trades)) == pytest.approx(2_000)
    assert not is_bought_again(a_run(collar, trades))


def test_hedges_that_bought_nothing_are_in_no_count_and_are_never_the_cheapest() -> None:
    nothing = a_run(HEDGES[9], trades=[], survived=True, entry_cost=0.0)
    nothing = replace(nothing, summary=replace(nothing.summary, trades=0))
    assert sentence(a_comparison([*nine(3), nothing])) == (
        f"{sentence(a_comparison(nine(3)))} One of ten hedges bought nothing and is not counted."
    )
    assert sentence(a_comparison([nothing])) == (
        "Without a hedge: sold by the lender; first on 2 February 2026. The hedge bought nothing."
    )
    fan = [FanEntry(3, a_comparison([*nine(4), nothing]))]
    assert sentence(a_comparison(nine(3)), fan).endswith(" Bought 3 months before, four of nine survived.")


def test_where_none_survived_it_says_for_how_many_the_same_money_repaid_would_have_helped() -> None:
    runs = nine(0)
    repaid = [
        a_run(replace(each.template, repays=True), **({} if n < 4 else called())) for n, each in enumerate(runs)
    ]
    none = replace(a_comparison(runs), repaid=tuple(repaid))
    assert sentence(none).endswith("The same money repaid would have kept it away for four of nine.")
    alone = replace(a_comparison(runs[:1]), repaid=tuple(repaid[:1]))
    assert sentence(alone).endswith("The same money repaid would have kept it away.")
    never = replace(a_comparison(runs[4:]), repaid=tuple(repaid[4:]))
    assert "The same money" not in sentence(never)


def test_a_loan_that_is_called_on_its_first_day_is_told_first() -> None:
    at_once = called(first_breach_date=START)
    said = sentence(a_comparison(nine(3), **at_once))
    assert said.startswith(
        "On the first day already the loan stands at 60.0 % without options, and the call comes at 75 %. With these"
    )


def test_two_hedges_are_both_and_one_alone_is_not_the_cheapest() -> None:
    both = [a_run(each, entry_cost=1_000.0) for each in HEDGES[:2]]
    assert sentence(a_comparison(both)).startswith("With these terms, both hedges survived; the cheapest")
    alone = sentence(a_comparison(both[1:], survived=True))
    assert alone.endswith("The 95 % put, bought for 1,000 USD (0.1 % of the gold), came through as well.")
    worse = sentence(a_comparison([both[0], a_run(HEDGES[1], **called())], survived=True))
    assert worse.endswith(
        "One of two hedges made it worse: it was called. The other was the ATM put, bought for 1,000 USD "
        "(0.1 % of the gold)."
    )


def test_survivors_that_a_low_would_have_called_are_said() -> None:
    low = a_run(HEDGES[0], entry_cost=1000.0, first_intraday_breach_date=END)
    assert sentence(a_comparison([low, *nine(2)[1:]])).endswith("At a day's low one of them would have been called.")


def test_where_no_hedge_was_needed_that_comes_first() -> None:
    said = sentence(a_comparison(nine(9), survived=True))
    assert said.startswith(
        "No hedge was needed: without one the LTV reached 69.7 % on 2 February 2026, and the call comes at 75 %."
    )
    assert said.endswith("The cheapest hedge was the 90 % put, bought for 12,345 USD (1.2 % of the gold).")
    worse = sentence(a_comparison(nine(8), survived=True, first_intraday_breach_date=END))
    assert "At the low of 2 February 2026 it was reached." in worse
    assert "One of nine hedges made it worse: it was called." in worse


def test_where_none_survived_the_best_of_them_is_named() -> None:
    runs = nine(0)
    best = replace(runs[4], summary=a_summary(**called(Ending.CURED_BY_HEDGE, trades=1, max_ltv=0.79)))
    assert sentence(a_comparison([*runs[:4], best, *runs[5:]])) == (
        "With these terms, none of nine hedges kept a call away; the best was the Ladder 33/33/33: called, and cured "
        "by selling options; first on 2 February 2026."
    )
    assert sentence(a_comparison([best])).startswith("With these terms, the Ladder 33/33/33 did not keep a call away")


def test_a_lender_who_ignores_options_is_told_what_they_cure() -> None:
    ignored = {"counting": HedgeCounting.IGNORED}
    runs = nine(0, **called(**ignored))
    cured = replace(runs[0], summary=a_summary(trades=1, **called(Ending.CURED_BY_HEDGE, **ignored)))
    assert sentence(a_comparison([cured, *runs[1:]])) == (
        "As this lender counts, no option keeps a call away; one of nine hedges cured it by selling options."
    )
    assert sentence(a_comparison(runs)).endswith("none of nine hedges cured it by selling options.")
    late = replace(runs[0], summary=a_summary(trades=1, **called(Ending.OPEN, **ignored)))
    assert sentence(a_comparison([late, *runs[1:]])).endswith(
        "On the last day the deadline of one of nine hedges was still running."
    )
    repaid = a_run(system_template("repay_with_premium"))
    assert sentence(a_comparison([*runs, repaid])).endswith(
        "Repaying the loan with the premium instead kept it away."
    )


def test_invented_prices_are_said_first() -> None:
    said = sentence(a_comparison(nine(3), is_demo=True))
    assert said.startswith("On DEMO prices, which are invented: with these terms, three of nine hedges survived")


@pytest.mark.parametrize(
    ("survivors", "words"),
    [
        ({0: 9, 1: 5, 9: 2}, " Bought 1 to 9 months before, two to five of nine survived."),
        ({0: 9, 3: 4}, " Bought 3 months before, four of nine survived."),
        ({0: 9}, ""),
        ({3: None, 6: 9}, " Bought 6 months before, nine of nine survived."),
    ],
)
def test_with_a_fan_it_says_what_remains_of_hedges_bought_earlier(
    survivors: dict[int, int | None], words: str
) -> None:
    now = a_comparison(nine(3))
    fan = [
        FanEntry(months, None, "no prices") if some is None else FanEntry(months, a_comparison(nine(some)))
        for months, some in survivors.items()
    ]
    assert sentence(now, fan) == sentence(now) + words


def test_one_hedge_alone_survived_so_many_times() -> None:
    kept, lost = a_comparison([a_run(HEDGES[0])]), a_comparison([a_run(HEDGES[0], **called())])
    fan = [FanEntry(1, kept), FanEntry(3, lost), FanEntry(6, lost)]
    assert sentence(kept, fan).endswith(" Bought 1 to 6 months before, it survived one of three times.")
    assert sentence(kept, fan[:1]).endswith(" Bought 1 month before, it survived.")
    assert sentence(kept, fan[1:]).endswith(" Bought 3 to 6 months before, it did not survive.")


def test_an_own_template_stands_in_quotes() -> None:
    mine = replace(HEDGES[0], id="mine", name="My put", is_system=False)
    assert 'With these terms, "My put", bought for' in sentence(a_comparison([a_run(mine)]))


def test_a_run_that_nobody_named_is_called_by_its_days_and_loan() -> None:
    event = find("jan-2026")
    assert usual_name(Asked(BacktestRequest(ltv=0.665), (), event), START, END) == "January 2026, LTV 66.5 %"
    assert usual_name(Asked(BacktestRequest(ltv=0.651927), (), event), START, END) == "January 2026, LTV 65.2 %"
    own_days = Asked(BacktestRequest(start=START, loan=1e6), (), event)
    assert usual_name(own_days, START, END) == "29 Jan 2026 to 2 Feb 2026, loan 1,000,000 USD"
    assert per_cent(0.6) == "60.0 %"
