"""The path verdict as the workbench asks for it: term, volatility, models, and no hedge beside."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.services.conftest import House
from tests.services.workbench_house import SOON, USUAL, Bench, a_bench, an_option
from vaultdash.compute.base import WorkerDied
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.listed_hedge import ListedHedge, leg_at
from vaultdash.domain.market import Bar
from vaultdash.domain.option import Right
from vaultdash.services.workbench_request import CaseChange, HedgeRequest, LegRequest, PathRequest
from vaultdash.storage.sql import SqlDatabase

GIVEN = CaseChange(spot=460.0, units=2000.0, loan_amount=552_000.0)
PUT = HedgeRequest("put", (LegRequest(Right.PUT, 440.0, USUAL, 20, bid=11.9, ask=12.1, volatility=0.2),))
FEW = PathRequest((PUT,), months=2, paths=256, volatility=0.25, models=("flat",))


@pytest.fixture
async def bench(house: House, database: SqlDatabase) -> Bench:
    await house.heartbeat.beat()
    return a_bench(house, database)


async def test_no_hedge_is_judged_last_on_the_same_paths(bench: Bench) -> None:
    report = await bench.workbench.path_verdicts(replace(FEW, paths=512))
    put, nothing = report.found.verdicts
    assert (put.title, nothing.title) == ("put", "no hedge")
    assert [each.model for each in nothing.odds] == ["flat"]
    assert nothing.odds[0].uncured == nothing.odds[0].called > 0
    assert put.odds[0].uncured <= nothing.odds[0].uncured
    assert nothing.against_first[0].difference == pytest.approx(nothing.odds[0].uncured - put.odds[0].uncured)
    assert bench.compute.called == ["model_parameters", "path_verdicts"]


async def test_the_term_ends_when_the_first_of_the_hedges_does(bench: Bench) -> None:
    hedges = [ListedHedge(str(day), (leg_at(an_option(440.0, 9.0, 9.2, on=day), 20),)) for day in (SOON, USUAL)]
    report = await bench.workbench.path_verdicts(replace(FEW, months=None), hedges)
    assert report.found.months == 1  # 37 days
    later = await bench.workbench.path_verdicts(replace(FEW, months=None), hedges[1:])
    assert later.found.months == 4  # 128 days
    nothing = await bench.workbench.path_verdicts(replace(FEW, months=None, hedges=(HedgeRequest("none", ()),)))
    assert nothing.found.months == 12


async def test_the_volatility_is_the_one_given_else_what_the_odds_stand_on(bench: Bench) -> None:
    assert (await bench.workbench.path_verdicts(FEW)).volatility == 0.25
    report = await bench.workbench.path_verdicts(replace(FEW, volatility=None))
    assert report.volatility == pytest.approx(0.16)  # no closes are stored: as the beat assumes
    assert any("daily closes" in remark for remark in report.remarks)
    with pytest.raises(InvalidInput, match=r"volatility must be a fraction from 0\.01 to 4"):
        await bench.workbench.path_verdicts(replace(FEW, volatility=25.0))


async def test_without_a_price_the_contracts_tell_the_volatility(house: House, database: SqlDatabase) -> None:
    report = await a_bench(house, database).workbench.path_verdicts(replace(FEW, volatility=None, case=GIVEN))
    assert report.volatility == pytest.approx(0.2)


async def test_all_models_are_asked_unless_some_are_named(bench: Bench) -> None:
    report = await bench.workbench.path_verdicts(replace(FEW, models=None))
    assert [each.model for each in report.found.verdicts[0].odds] == ["flat", "jumps", "stochastic volatility"]
    assert any("past shocks are left out" in remark for remark in report.remarks)
    named = await bench.workbench.path_verdicts(replace(FEW, models=("Stochastic_Volatility",)))
    assert [each.model for each in named.found.verdicts[0].odds] == ["stochastic volatility"]
    with pytest.raises(InvalidInput, match="models must be of flat, jumps, stochastic volatility"):
        await bench.workbench.path_verdicts(replace(FEW, models=("heston",)))


async def test_past_shocks_come_from_the_daily_prices(bench: Bench) -> None:
    start = date(2022, 1, 3)
    closes = [300.0 * 1.01 ** ((-1) ** n * (n % 7) / 3) for n in range(1200)]
    bench.house.market.bars = tuple(Bar(start + timedelta(days=n), close) for n, close in enumerate(closes))
    report = await bench.workbench.path_verdicts(replace(FEW, models=None))
    assert len(report.found.verdicts[0].odds) in (3, 4)
    assert any("daily prices of GLD" in remark for remark in report.remarks)


@pytest.mark.parametrize("hedges", [(), (PUT,) * 9])
async def test_a_number_of_hedges_that_makes_no_sense_is_refused(bench: Bench, hedges: tuple[HedgeRequest]) -> None:
    with pytest.raises(InvalidInput, match="hedges must be 1 to 8"):
        await bench.workbench.path_verdicts(replace(FEW, hedges=hedges))


async def test_a_worker_that_dies_is_told_in_words(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(*_: object, **__: object) -> None:
        raise WorkerDied("the process that did the work has ended")

    monkeypatch.setattr(bench.compute, "run", die)
    with pytest.raises(Unavailable, match="could not be simulated: the process that did the work has ended"):
        await bench.workbench.path_verdicts(FEW)
