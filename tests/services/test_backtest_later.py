"""A run goes on past its last day: the same question, as far as prices are stored."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.services.backtest_house import LAST, BacktestHouse
from vaultdash.domain.errors import NotFound, Refused
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.template_files import fields_of
from vaultdash.storage.sql import SqlDatabase

JANUARY = BacktestRequest(("protective_put_otm_95", "no_hedge"), event="jan-2026", ltv=0.66)


@pytest.fixture
def house(tmp_path: Path, database: SqlDatabase) -> BacktestHouse:
    made = BacktestHouse(tmp_path, database)
    made.store_prices()
    return made


async def done(house: BacktestHouse, run: StoredRun) -> StoredRun:
    async with asyncio.timeout(30):
        while (found := await house.backtests.run(run.id)).state in (RunState.WAITING, RunState.RUNNING):  # noqa: ASYNC110  # what is waited for is in the database
            await asyncio.sleep(0.01)
    assert found.state is RunState.DONE, found.problem
    return found


async def test_it_ends_on_the_last_session_of_two_weeks_later_and_asks_nothing_else(house: BacktestHouse) -> None:
    run = await done(house, await house.backtests.start(JANUARY))
    friday = date(2026, 2, 13)  # 16 February 2026 is Washington's Birthday: the last session is Friday's
    assert await house.backtests.later_end(run.id, 14) == friday
    later = await done(house, await house.backtests.go_on(run.id, 14))
    report = await house.backtests.result(later.id)
    assert report.request == replace(JANUARY, end=friday)
    assert report.event is not None
    assert report.event.id == "jan-2026"
    assert (report.comparison.scenario.start, report.comparison.scenario.end) == (date(2026, 1, 29), friday)
    first = await house.backtests.result(run.id)
    shared = len(first.comparison.unhedged.series.days)
    assert (
        report.comparison.unhedged.series.price[:shared].tolist() == first.comparison.unhedged.series.price.tolist()
    )


async def test_it_stops_where_the_stored_prices_stop(house: BacktestHouse) -> None:
    near = replace(JANUARY, start=date(2026, 1, 29), end=date(2026, 3, 27))
    run = await done(house, await house.backtests.start(near))
    assert await house.backtests.later_end(run.id, 14) == LAST
    last = await done(house, await house.backtests.go_on(run.id, 14))
    assert await house.backtests.later_end(last.id, 14) is None
    with pytest.raises(Refused, match="No later price is stored"):
        await house.backtests.go_on(last.id, 14)


async def test_a_template_changed_since_goes_on_in_its_version_of_then(house: BacktestHouse) -> None:
    mine = await house.templates.copy("protective_put_otm_95", "Mine")
    run = await done(house, await house.backtests.start(replace(JANUARY, templates=(mine.id,))))
    changed = fields_of(mine) | {"description": "Other words."}
    await house.templates.rewrite(mine.id, changed, mine.version)
    later = await house.backtests.go_on(run.id, 14)
    assert (await house.backtests.asked(later.id)).templates == (mine,)
    await done(house, later)


async def test_an_unknown_run_cannot_go_on(house: BacktestHouse) -> None:
    with pytest.raises(NotFound):
        await house.backtests.go_on("gone", 14)
