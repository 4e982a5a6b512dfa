"""What a search says beside its hedge: today's loan, nothing asked for, calls in one custody, options held."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from tests.builders import a_held_put, a_portfolio
from tests.services.conftest import House
from tests.services.twins import Clock, FixedHours, ScriptedChains
from tests.services.workbench_house import SOON, KnownRates, a_bench, an_option, by_quantlib
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import SolveStatus
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.option import Right
from vaultdash.risk.what_if import WhatIfChange
from vaultdash.services.held_hedges import HeldHedges
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.workbench_remarks import grown
from vaultdash.services.workbench_request import (
    CaseChange,
    CheapestRequest,
    Goal,
    HedgeRequest,
    LegRequest,
    WhatIfRequest,
)
from vaultdash.storage.sql import SqlDatabase

LOAN = CaseChange(spot=400.0, units=1000.0, loan_amount=240_000.0, split_custody=False)
PUTS = (an_option(330.0, 1.9, 2.1), an_option(345.0, 3.8, 4.0), an_option(360.0, 6.0, 6.3))
CALLS = (an_option(440.0, 9.0, 9.3, Right.CALL), an_option(460.0, 5.5, 5.8, Right.CALL))
ASKED = CheapestRequest(max_hedged_ltv=0.74, contracts=PUTS, case=LOAN)
OWN = CaseChange(spot=400.0, units=2_500.0, counting=HedgeCounting.CREDITED)  # of a loan of 600,000


async def owes(house: House, amount: float) -> None:
    """The owner's loan of an amount to which interest is added."""
    book = house.book
    await book.open()
    stored = book.stored(book.current.id)
    loan = replace(stored.portfolio.loan, amount=amount, interest=Interest(capitalised=True))
    await book.save(replace(stored.portfolio, loan=loan), "test", expected_version=stored.version)
    await house.heartbeat.beat()


async def test_the_nearest_loan_is_todays_and_can_be_kept_when_it_is_asked_for(
    house: House, database: SqlDatabase
) -> None:
    bench = a_bench(house, database)
    few = CheapestRequest(max_hedged_ltv=0.74, contracts=PUTS, case=OWN, max_puts=5)
    await owes(house, 600_000)
    found = (await bench.workbench.cheapest(few)).found
    near = found.nearest
    assert found.status is SolveStatus.INFEASIBLE
    assert near is not None
    assert near.loan_amount is not None
    assert near.repay == pytest.approx(600_000 - near.loan_amount, abs=0.011)
    assert f"a loan of {near.loan_amount:,.2f} today, which is {near.repay:,.2f} repaid" in near.words
    for amount, status in ((near.loan_amount, SolveStatus.OPTIMAL), (near.loan_amount + 1, SolveStatus.INFEASIBLE)):
        await owes(house, amount)
        report = await bench.workbench.cheapest(few)
        assert report.found.status is status
        assert grown(report.case, amount, PUTS[0].expiration) > amount * 1.01


async def test_what_is_to_be_repaid_to_a_lender_who_ignores_options_is_of_today(
    house: House, database: SqlDatabase
) -> None:
    await owes(house, 600_000)
    request = CheapestRequest(max_hedged_ltv=0.75, contracts=PUTS, case=replace(OWN, counting=HedgeCounting.IGNORED))
    report = await a_bench(house, database).workbench.cheapest(request)
    # at -60 % gold is worth 400,000 and keeps 300,000 at 75 %, interest of the months until then included
    least = 300_000 * 600_000 / report.case.owed_on(PUTS[0].expiration)
    assert report.found.nearest is not None
    assert report.found.nearest.loan_amount == pytest.approx(least, abs=0.02)
    assert f"Repay {report.found.nearest.repay:,.2f} today" in report.found.reason
    assert least < 299_000


async def test_a_loan_without_interest_added_is_said_as_it_was_found(house: House, database: SqlDatabase) -> None:
    found = (await a_bench(house, database).workbench.cheapest(replace(ASKED, max_puts=2))).found
    assert found.nearest is not None
    assert found.nearest.loan_amount is not None
    assert found.nearest.repay == pytest.approx(240_000 - found.nearest.loan_amount, abs=0.011)
    assert "today" not in found.nearest.words


async def test_a_search_without_a_rule_says_that_nothing_is_judged(house: House, database: SqlDatabase) -> None:
    bench = a_bench(house, database)
    report = await bench.workbench.cheapest(replace(ASKED, max_hedged_ltv=None))
    assert (report.found.status, report.found.net_cost) == (SolveStatus.OPTIMAL, 0.0)
    # 240,000 / (0.75 * 1000) = 320, a fifth below 400
    said = "the call comes at 320.00, after a fall of 20.0%, where LTV is 75.0%."
    assert report.found.reason.startswith("Nothing was asked for, so nothing is judged")
    for words in (report.found.reason, report.why[0], " ".join(report.found.remarks)):
        assert said in words
    sells = replace(ASKED, max_hedged_ltv=None, contracts=(*PUTS, *CALLS), allow_calls=True)
    sold = await bench.workbench.cheapest(sells)
    assert sold.found.net_cost is not None
    assert sold.found.net_cost < 0
    assert said in sold.found.reason
    called = await bench.workbench.cheapest(
        replace(ASKED, max_hedged_ltv=None, case=replace(LOAN, loan_amount=320_000.0))
    )
    assert "Without a hedge the loan is called now: LTV is 80.0%" in called.found.reason


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"max_hedged_ltv": None, "max_loss": 0.3},
        {"max_hedged_ltv": None, "goal": Goal.BEST_PROTECTION, "budget": 9e3},
    ],
)
async def test_a_search_with_a_rule_does_not_say_so(
    house: House, database: SqlDatabase, change: dict[str, object]
) -> None:
    report = await a_bench(house, database).workbench.cheapest(replace(ASKED, **change))  # type: ignore[arg-type]  # fields of several kinds
    assert "nothing is judged" not in " ".join([report.found.reason, *report.found.remarks])


async def test_calls_alone_with_split_custody_are_an_answer(house: House, database: SqlDatabase) -> None:
    bench = a_bench(house, database)
    only = replace(
        ASKED,
        contracts=(an_option(450.0, 7.0, 7.2, Right.CALL), an_option(480.0, None, 0.1, Right.CALL)),
        allow_calls=True,
        max_hedged_ltv=None,
        case=replace(LOAN, split_custody=True),
    )
    report = await bench.workbench.cheapest(only)
    assert report.found.hedge is not None
    assert report.found.hedge.legs == ()
    assert any(
        remark.startswith("No call is sold. The cheapest hedge sells 10 calls") for remark in report.found.remarks
    )
    reasons = {each.option.strike: each.reason for each in report.found.rejected}
    assert reasons.keys() == {450.0, 480.0}
    assert "pledged elsewhere" in reasons[450.0]
    assert "no bid" in reasons[480.0]
    limited = await bench.workbench.cheapest(replace(only, max_hedged_ltv=0.74))
    assert limited.found.status is SolveStatus.INFEASIBLE
    assert limited.found.hedge is None


async def test_sold_calls_in_one_custody_say_what_another_would_need(house: House, database: SqlDatabase) -> None:
    bench = a_bench(house, database)
    asked = replace(ASKED, contracts=(*PUTS, *CALLS), allow_calls=True, max_calls=10)
    together = await bench.workbench.cheapest(asked)
    told = [remark for remark in together.found.remarks if "taken as covered" in remark]
    assert len(told) == 1
    assert told[0].startswith("The 10 sold calls are taken as covered, with gold and options in one custody")
    # 10 calls at 440: 60 USD a share beside the call's own price of nine
    assert 60_000 < float(told[0].split("wants ")[1].split(" USD")[0].replace(",", "")) < 75_000
    apart = replace(asked, case=replace(LOAN, split_custody=True, broker_margin=1e6))
    assert not any("taken as covered" in remark for remark in (await bench.workbench.cheapest(apart)).found.remarks)
    assert not any("taken as covered" in remark for remark in (await bench.workbench.cheapest(ASKED)).found.remarks)


@pytest.fixture
async def holder(build: Callable[..., House]) -> House:
    """Who holds five puts at 440 and four at 430."""
    clock = Clock()
    chains = OptionChains(ScriptedChains(clock, SOON), KnownRates(), FixedHours(), clock, by_quantlib)
    house = build(held=HeldHedges(chains, FixedHours(), clock))
    await house.book.open()
    options = (a_held_put(), a_held_put(430.0, 4))
    await house.book.save(replace(a_portfolio(), options=options), "test")
    await house.heartbeat.beat()
    return house


async def test_options_held_already_are_named_and_said_not_to_be_counted(
    holder: House, database: SqlDatabase
) -> None:
    workbench = a_bench(holder, database).workbench
    said = "(5 of the 440 put, 17 Jul 2026; 4 of the 430 put, 17 Jul 2026): they are not counted here"
    report = await workbench.cheapest(CheapestRequest(max_hedged_ltv=0.74, credit=HedgeCounting.AFTER_PAYMENT))
    assert said in report.why[-1]
    assert report.why[-1].startswith("You hold options already")
    advice = await workbench.advise()
    assert said in advice.words[-1]
    measured = await workbench.measure([HedgeRequest("nothing", ())])
    assert any(said in remark for remark in measured.standing.remarks)
    held = await workbench.what_if(WhatIfRequest(WhatIfChange()))
    assert [leg.contracts for leg in held.hedge.legs] == [5, 4]
    assert not any(said in remark for remark in held.standing.remarks)
    again = await workbench.what_if(WhatIfRequest(WhatIfChange()), await workbench.held())
    assert not any(said in remark for remark in again.standing.remarks)
    given = await workbench.cheapest(ASKED)
    assert said not in " ".join(given.why)


async def test_who_holds_nothing_reads_nothing_of_it(house: House, database: SqlDatabase) -> None:
    await house.heartbeat.beat()
    _, standing = await a_bench(house, database).workbench.case()
    assert standing.held is None
    assert not any("hold options" in remark for remark in standing.remarks)


async def test_an_expiration_that_no_model_reaches_is_refused_in_words(house: House, database: SqlDatabase) -> None:
    workbench = a_bench(house, database).workbench
    for day in (date(2060, 5, 11), date.max):
        far = replace(PUTS[0], expiration=day)
        with pytest.raises(InvalidInput, match="more than 15 years after 2026-06-10"):
            await workbench.cheapest(replace(ASKED, contracts=(far,)))
        with pytest.raises(InvalidInput, match="more than 15 years after 2026-06-10"):
            await workbench.cheapest(replace(ASKED, horizon=day))
        hedge = HedgeRequest("far", (LegRequest(Right.PUT, 330.0, day, 1, bid=1.9, ask=2.1),))
        with pytest.raises(InvalidInput, match="a later as_of"):
            await workbench.measure([hedge], LOAN)
        with pytest.raises(InvalidInput, match="a later as_of"):
            await workbench.what_if(WhatIfRequest(WhatIfChange(), hedge, LOAN))
