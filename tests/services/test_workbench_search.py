"""The search for the cheapest hedge as the workbench asks for it: the lender's counting, sold calls, words."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.services.conftest import House
from tests.services.workbench_house import LEAPS, USUAL, Bench, a_bench, an_option
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.hedge_verdict import SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.option import Right
from vaultdash.services.workbench_request import CaseChange, CheapestRequest, CheckDates, Goal
from vaultdash.storage.sql import SqlDatabase
from vaultdash.strategies.frontier_alternatives import Instead

LOAN = CaseChange(spot=400.0, units=1000.0, loan_amount=240_000.0, split_custody=False)
PUTS = (an_option(330.0, 1.9, 2.1), an_option(345.0, 3.8, 4.0), an_option(360.0, 6.0, 6.3))
CALLS = (an_option(440.0, 9.0, 9.3, Right.CALL), an_option(460.0, 5.5, 5.8, Right.CALL))
ASKED = CheapestRequest(max_hedged_ltv=0.74, contracts=PUTS, case=LOAN)


@pytest.fixture
async def bench(house: House, database: SqlDatabase) -> Bench:
    await house.heartbeat.beat()
    return a_bench(house, database)


def by_hand(factor: float, limit: float = 0.74, owed: float = 240_000.0) -> float:
    """The least cost over every combination of up to fifteen of each put, by L <= M*V + h*Pi at every bend."""
    best = float("inf")
    for counts in itertools.product(range(16), repeat=3):
        cost = sum(n * (100 * put.ask + 0.65) for n, put in zip(counts, PUTS, strict=True) if put.ask)
        if cost >= best:
            continue
        prices = (160.0, 330.0, 345.0, 360.0, 640.0)
        pays = [
            sum(100 * n * max(put.strike - price, 0) for n, put in zip(counts, PUTS, strict=True)) for price in prices
        ]
        if all(owed <= limit * 1000 * price + factor * pay + 1e-6 for price, pay in zip(prices, pays, strict=True)):
            best = cost
    return best


@pytest.mark.parametrize(("credit", "factor"), [("credited", 0.74), ("after_payment", 1.0)])
async def test_the_cheapest_hedge_is_the_least_of_every_combination(bench: Bench, credit: str, factor: float) -> None:
    report = await bench.workbench.cheapest(replace(ASKED, credit=HedgeCounting(credit)))
    assert report.found.status is SolveStatus.OPTIMAL
    assert report.found.net_cost == pytest.approx(by_hand(factor))
    assert report.measure is not None
    assert report.measure.as_counted.keeps
    assert report.measure.net_cost == pytest.approx(by_hand(factor))


async def test_a_haircut_is_taken_off_what_options_count(bench: Bench) -> None:
    cut = replace(LOAN, counting=HedgeCounting.CREDITED, haircut=0.2)
    plain, with_haircut = [await bench.workbench.cheapest(replace(ASKED, case=case)) for case in (LOAN, cut)]
    assert with_haircut.found.net_cost == pytest.approx(by_hand(0.74 * 0.8))
    assert plain.found.net_cost == pytest.approx(by_hand(0.74))
    assert any("haircut of 20%" in said for said in with_haircut.why)


async def test_interest_added_to_the_loan_until_the_horizon_is_kept_too(bench: Bench) -> None:
    book = bench.house.book
    await book.open()
    stored = book.stored(book.current.id)
    loan = replace(stored.portfolio.loan, interest=Interest(capitalised=True))
    await book.save(replace(stored.portfolio, loan=loan), "test", expected_version=stored.version)
    await bench.house.heartbeat.beat()
    change = CaseChange(spot=400.0, units=2_500.0, split_custody=False, counting=HedgeCounting.CREDITED)
    case, _ = await bench.workbench.case(change)
    owed = case.owed_on(PUTS[0].expiration)
    assert owed > case.loan.amount
    grown = await bench.workbench.cheapest(replace(ASKED, case=change))
    given = replace(change, loan_amount=owed)  # price, units and loan given: nothing accrues
    alone = await bench.workbench.cheapest(replace(ASKED, case=given))
    assert grown.found.net_cost == alone.found.net_cost
    assert grown.measure is not None
    assert grown.measure.as_counted.worst_ltv == pytest.approx(grown.found.worst_hedged_ltv)
    assert any("interest is added to the loan" in said for said in grown.found.remarks)


async def test_a_credit_factor_stands_for_itself(bench: Bench) -> None:
    report = await bench.workbench.cheapest(replace(ASKED, credit=0.5))
    assert report.found.net_cost == pytest.approx(by_hand(0.5))
    assert "This holds for a lender who counts 0.5 of each dollar that the options pay." in report.why


async def test_without_a_counting_it_is_the_lenders_own(bench: Bench) -> None:
    report = await bench.workbench.cheapest(CheapestRequest(max_hedged_ltv=0.74))
    assert report.case.loan.hedge_counting is HedgeCounting.IGNORED
    assert report.found.status is SolveStatus.INFEASIBLE
    assert "No option changes what this lender counts" in report.found.reason


async def test_contracts_that_are_given_need_no_chain_and_no_price(house: House, database: SqlDatabase) -> None:
    bench = a_bench(house, database)
    bench.listed.failure = Unavailable("nobody answers")
    report = await bench.workbench.cheapest(ASKED)
    assert (report.market, report.withheld) == (None, None)
    assert report.found.status is SolveStatus.OPTIMAL
    assert bench.listed.asked == []


async def test_the_live_chain_is_taken_at_its_horizon_with_what_is_not_used(bench: Bench) -> None:
    request = CheapestRequest(max_hedged_ltv=0.74, credit=HedgeCounting.CREDITED, horizon=LEAPS)
    report = await bench.workbench.cheapest(request)
    assert report.found.hedge is not None
    assert {leg.option.expiration for leg in report.found.hedge.legs} == {LEAPS}
    assert report.market is not None
    reasons = {each.reason for each in report.found.rejected}
    assert "a call, and calls are not to be sold" in reasons


async def test_calls_are_sold_where_gold_and_options_are_together(bench: Bench) -> None:
    asked = replace(ASKED, contracts=(*PUTS, *CALLS), allow_calls=True, max_calls=10)
    report = await bench.workbench.cheapest(asked)
    assert report.found.hedge is not None
    assert report.found.net_cost is not None
    assert sum(-leg.contracts for leg in report.found.hedge.legs if leg.contracts < 0) == 10
    assert report.found.net_cost < 0


async def test_calls_are_refused_without_free_money_at_the_broker(bench: Bench) -> None:
    asked = replace(
        ASKED,
        contracts=(*PUTS, *CALLS),
        allow_calls=True,
        case=replace(LOAN, split_custody=True),
        credit=HedgeCounting.CREDITED,
    )
    report = await bench.workbench.cheapest(asked)
    found = report.found
    assert found.hedge is not None
    assert all(leg.contracts > 0 for leg in found.hedge.legs)
    assert found.net_cost == pytest.approx(by_hand(0.74))
    assert [each.option for each in found.rejected if "pledged elsewhere" in each.reason] == list(CALLS)
    # 10 calls at 440 with gold at 400: price + max(25 % of 400 - 40, 10 % of 400) = 60 a share besides the price
    told = next(remark for remark in found.remarks if remark.startswith("No call is sold"))
    assert "The cheapest hedge sells 10 calls" in told
    assert "0 USD are free, so that it would call at once" in told
    assert 60_000 < float(told.split("who wants ")[1].split(" USD")[0].replace(",", "")) < 75_000


async def test_as_many_calls_are_sold_as_the_broker_bears(bench: Bench) -> None:
    asked = replace(
        ASKED,
        contracts=(*PUTS, *CALLS),
        allow_calls=True,
        case=replace(LOAN, split_custody=True, broker_margin=80_000.0),
    )
    report = await bench.workbench.cheapest(asked)
    assert report.found.hedge is not None
    assert report.measure is not None
    calls = report.measure.calls
    assert calls is not None
    assert 0 < calls.contracts < 10
    assert calls.refusal == ""
    assert calls.after_rally <= 80_000 < calls.after_rally / calls.contracts * (calls.contracts + 1)
    assert any(remark.startswith(f"At most {calls.contracts} calls are sold") for remark in report.found.remarks)
    assert any("The broker calls at" in said for said in report.why)


async def test_crossed_quotes_are_refused_by_name(bench: Bench) -> None:
    crossed = an_option(350.0, 5.0, 4.0)
    with pytest.raises(InvalidInput, match=r"the 350 put, 16 Oct 2026 is bid 5 and asked 4; one of the two is old"):
        await bench.workbench.cheapest(replace(ASKED, contracts=(*PUTS, crossed)))


async def test_no_contracts_are_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="leave them out to use the live chain"):
        await bench.workbench.cheapest(replace(ASKED, contracts=()))


async def test_gold_worth_less_than_a_contract_is_told(bench: Bench) -> None:
    few = replace(LOAN, units=50.0, loan_amount=12_000.0)
    report = await bench.workbench.cheapest(replace(ASKED, case=few))
    assert report.found.hedge is not None
    assert [leg.contracts for leg in report.found.hedge.legs] == [1]
    assert any("less than one contract of 100" in remark for remark in report.found.remarks)


def of_last_year(option: ListedOption) -> ListedOption:
    return replace(option, expiration=date(2025, 9, 19))


async def test_contracts_of_the_past_are_searched_without_what_needs_a_day(bench: Bench) -> None:
    past = replace(ASKED, contracts=tuple(of_last_year(put) for put in PUTS))
    report = await bench.workbench.cheapest(past)
    assert report.found.net_cost == pytest.approx(by_hand(0.74))
    assert report.measure is None
    assert any("have expired by now" in remark for remark in report.found.remarks)
    every_day = await bench.workbench.cheapest(replace(past, check_dates=CheckDates.ALL))
    assert every_day.found.net_cost == report.found.net_cost  # of bought puts alone no earlier day needs a test
    calls = tuple(of_last_year(each) for each in (*PUTS, *CALLS))
    with pytest.raises(InvalidInput, match="no day before is left to check for the calls; give as_of"):
        await bench.workbench.cheapest(
            replace(past, contracts=calls, allow_calls=True, check_dates=CheckDates.ALL, max_hedged_ltv=0.74)
        )
    then = replace(LOAN, at=datetime(2025, 5, 12, 20, tzinfo=UTC))
    dated = replace(past, contracts=calls, allow_calls=True, check_dates=CheckDates.ALL, case=then)
    assert (await bench.workbench.cheapest(dated)).measure is not None


async def test_the_reasons_name_what_binds_what_fails_and_what_is_not_covered(bench: Bench) -> None:
    report = await bench.workbench.cheapest(ASKED)
    said = " ".join(report.why)
    assert report.found.gap is not None
    assert f"whole ones cost {report.found.gap:,.2f} more" in said
    least = min(report.found.binding, key=lambda one: one.spare)
    assert f"It has least to spare, {least.spare:,.0f} USD at {least.price:,.2f} (" in said
    assert "will not do: at " in said
    assert "only for a lender who credits the options" in said
    assert "Not covered: a price below 160.00, and anything after 16 Oct 2026" in said


async def test_an_ltv_that_is_the_limit_itself_is_told_to_be_a_call(bench: Bench) -> None:
    single = replace(ASKED, max_hedged_ltv=0.75, contracts=(an_option(320.0, 1.0, 1.1),))
    report = await bench.workbench.cheapest(single)
    assert report.found.worst_hedged_ltv == pytest.approx(0.75)
    assert any("on the limit is a call" in said for said in report.why)


async def test_a_budget_alone_buys_the_best_floor(bench: Bench) -> None:
    asked = replace(ASKED, goal=Goal.BEST_PROTECTION, max_hedged_ltv=None)
    with pytest.raises(InvalidInput, match="the best protection is that for a budget"):
        await bench.workbench.cheapest(asked)
    report = await bench.workbench.cheapest(replace(asked, budget=5_000.0))
    assert report.found.hedge is not None
    assert report.found.net_cost is not None
    assert 4_000 < report.found.net_cost <= 5_000


async def test_a_collar_that_costs_nothing_must_be_allowed_to_sell_calls(bench: Bench) -> None:
    asked = replace(ASKED, goal=Goal.ZERO_COST, contracts=(*PUTS, *CALLS))
    with pytest.raises(InvalidInput, match="must be true"):
        await bench.workbench.cheapest(asked)
    report = await bench.workbench.cheapest(replace(asked, allow_calls=True))
    assert report.found.net_cost is not None
    assert report.found.net_cost <= 0


async def test_advice_for_a_lender_who_ignores_options_says_so_and_shows_the_sale(bench: Bench) -> None:
    advice = await bench.workbench.advise()
    assert (advice.counts, advice.counting, advice.problem) == (False, HedgeCounting.AFTER_PAYMENT, None)
    assert advice.max_hedged_ltv == pytest.approx(0.74)
    assert advice.cheapest is not None
    assert advice.cheapest.found.status is SolveStatus.OPTIMAL
    assert advice.words[0].startswith("Your lender does not count options")
    assert advice.without.verdict is Instead.REPAY
    assert [point.title.split()[0] for point in advice.alternatives] == ["Do", "Repay", "Add", "Sell"]
    # down to -60 % of 1,000,000 at just below 75 %: 600,000 - 0.75 * 400,000
    assert advice.alternatives[1].capital == pytest.approx(300_000, abs=1)


async def test_advice_without_a_chain_still_knows_what_repaying_does(bench: Bench) -> None:
    bench.listed.failure = Unavailable("nobody answers")
    advice = await bench.workbench.advise()
    assert advice.cheapest is None
    assert advice.problem is not None
    assert "nobody answers" in advice.problem
    assert len(advice.alternatives) == 4


async def test_advice_on_an_old_price_is_withheld(bench: Bench) -> None:
    bench.house.clock.go_on(7200)
    advice = await bench.workbench.advise()
    assert advice.withheld == "The price is 2 hours old: no recommendation until a new one arrives."


async def test_the_frontier_stands_on_the_live_chain_in_the_counting_asked_for(bench: Bench) -> None:
    report = await bench.workbench.frontier(USUAL, HedgeCounting.CREDITED)
    assert report.found.counting is HedgeCounting.CREDITED
    assert {point.hedge.first_expiration for point in report.found.points if point.hedge} >= {USUAL}
    assert report.market.symbol == "GLD"
