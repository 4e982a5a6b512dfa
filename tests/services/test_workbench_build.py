"""Hedges made of the live chain: with the marks of its quotes, and calls that nobody carries refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.builders import a_contract, an_option_quote
from tests.services.conftest import House
from tests.services.workbench_house import USUAL, Bench, a_bench
from vaultdash.domain.errors import InvalidInput, Refused, Unavailable
from vaultdash.domain.listed_hedge import PriceBasis, StrategyKind
from vaultdash.domain.option import Right
from vaultdash.risk.what_if import WhatIfChange
from vaultdash.services.workbench_request import (
    BuildRequest,
    CaseChange,
    HedgeRequest,
    LegRequest,
    PathRequest,
    Standing,
    WhatIfRequest,
)
from vaultdash.storage.sql import SqlDatabase

COLLAR = BuildRequest(StrategyKind.COLLAR, expiration=USUAL, strikes=(430.0, 510.0))
PUT = HedgeRequest("put", (LegRequest(Right.PUT, 430.0, USUAL, 22),))
SOLD = LegRequest(Right.CALL, 510.0, USUAL, -21)
FEW = PathRequest((PUT,), months=1, paths=128, volatility=0.25, models=("flat",))


@pytest.fixture
async def bench(house: House, database: SqlDatabase) -> Bench:
    await house.heartbeat.beat()
    return a_bench(house, database)


async def test_uncovered_calls_are_refused_where_custody_is_told_to_be_split(bench: Bench) -> None:
    split = CaseChange(split_custody=True)
    with pytest.raises(Refused, match=r"counts the sold calls as uncovered: it wants about [\d,]+ USD .* 0 is free"):
        await bench.workbench.built(replace(COLLAR, case=split))
    with pytest.raises(Refused, match="Sell no calls"):
        await bench.workbench.built(BuildRequest(template="collar_95_110", case=split))
    carried = await bench.workbench.built(replace(COLLAR, case=replace(split, broker_margin=5e6)))
    assert carried.calls is not None
    assert (carried.calls.contracts, carried.calls.is_covered, carried.calls.refusal) == (21, False, "")
    assert carried.remarks == ()


async def test_uncovered_calls_are_a_remark_where_nothing_is_told_of_custody(bench: Bench) -> None:
    report = await bench.workbench.built(COLLAR)
    assert report.calls is not None
    assert report.calls.broker_calls_at is None
    assert report.remarks == (
        f"it is not told where the gold is pledged; if the broker does not hold it: {report.calls.refusal}",
    )
    # 510 is 50 above the price: price + max(25 % of 460 - 50, 10 % of 460) = 65 a share besides the call's price
    assert 21 * 6_500 < report.calls.requirement < 21 * 8_500
    together = await bench.workbench.built(replace(COLLAR, case=CaseChange(split_custody=False)))
    assert together.calls is not None
    assert (together.calls.is_covered, together.remarks) == (True, ())
    assert (await bench.workbench.built(BuildRequest(StrategyKind.PROTECTIVE_PUT))).calls is None


async def test_a_path_verdict_of_calls_that_the_broker_calls_on_first_says_so(bench: Bench) -> None:
    collar = replace(PUT, title="collar", legs=(*PUT.legs, SOLD))
    remarks = (await bench.workbench.path_verdicts(replace(FEW, hedges=(collar, PUT)))).remarks
    told = [remark for remark in remarks if "counts the lender's calls alone" in remark]
    assert len(told) == 1
    assert told[0].startswith("collar: its verdict counts the lender's calls alone, and the broker would not")
    assert "0 is free there" in told[0]
    rich = replace(FEW, hedges=(collar,), case=CaseChange(broker_margin=500_000.0))
    (said,) = [
        each for each in (await bench.workbench.path_verdicts(rich)).remarks if "counts the lender's calls" in each
    ]
    assert 510 < float(said.split("for the sold calls at ")[1].replace(",", "")) < 620
    covered = replace(rich, case=CaseChange(split_custody=False))
    assert not any("broker" in each for each in (await bench.workbench.path_verdicts(covered)).remarks)


async def standings(bench: Bench) -> list[Standing]:
    """Of the same hedge measured, on paths, bent, built, and of the frontier."""
    workbench = bench.workbench
    return [
        (await workbench.measure([PUT])).standing,
        (await workbench.path_verdicts(FEW)).standing,
        (await workbench.what_if(WhatIfRequest(WhatIfChange(), PUT))).standing,
        (await workbench.built(COLLAR)).standing,
        (await workbench.measure([await workbench.quoted(PUT)])).standing,
    ]


async def test_old_quotes_mark_every_figure_that_is_made_of_them(bench: Bench) -> None:
    assert [each.withheld for each in await standings(bench)] == [None] * 5
    await bench.workbench.frontier(USUAL)
    bench.listed.failure = Unavailable("Scripted does not answer")
    bench.house.clock.go_on(1800)
    await bench.house.heartbeat.beat()
    for standing in await standings(bench):
        assert "the quotes of 16 Oct 2026 are old, of 10 Jun 2026, 16:00 UTC" in standing.remarks
        assert standing.withheld is not None
        assert "newer ones are missing" in standing.withheld
    frontier = (await bench.workbench.frontier(USUAL)).standing
    assert frontier.withheld is not None
    assert "newer ones are missing" in frontier.withheld
    given = replace(PUT, legs=(replace(PUT.legs[0], bid=8.0, ask=8.2),))
    assert (await bench.workbench.measure([given])).standing.withheld is None


async def test_invented_quotes_mark_every_figure_that_is_made_of_them(
    build: Callable[..., House], database: SqlDatabase
) -> None:
    house = build()
    await house.heartbeat.beat()
    bench = a_bench(house, database)
    bench.listed.source = "DEMO"
    for standing in await standings(bench):
        assert "the option quotes are invented (DEMO)" in standing.remarks
        assert standing.withheld is not None
        assert standing.withheld.startswith("The option quotes are invented (DEMO)")


async def test_a_leg_that_no_strategy_would_choose_is_named_with_its_reason(bench: Bench) -> None:
    bench.listed.quotes = (
        an_option_quote(a_contract(430.0, Right.PUT, USUAL), bid=0.0, ask=8.0),
        an_option_quote(a_contract(440.0, Right.PUT, USUAL), bid=12.0, ask=12.2),
        an_option_quote(a_contract(450.0, Right.PUT, USUAL), bid=16.0, ask=15.0),
    )
    doubtful = await bench.workbench.quoted(PUT)
    assert "the quote of the 430 put, 16 Oct 2026 is doubtful: no bid" in doubtful.remarks
    sound = await bench.workbench.quoted(replace(PUT, legs=(replace(PUT.legs[0], strike=440.0),)))
    assert not any("doubtful" in remark for remark in sound.remarks)
    for basis in (PriceBasis.MARKET, PriceBasis.MID):
        crossed = replace(PUT.legs[0], strike=450.0, basis=basis)
        with pytest.raises(InvalidInput, match="16 is above the ask 15 of the 450 put"):
            await bench.workbench.quoted(replace(PUT, legs=(crossed,)))
