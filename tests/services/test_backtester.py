"""Backtests behind the pages: kept to the last bit, followed, stopped, and never running for ever."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.services.backtest_house import LAST, BacktestHouse, by_reference
from vaultdash.backtest.result import Ending
from vaultdash.backtest.scenario import Source
from vaultdash.domain.errors import DatabaseError, InvalidInput, NotFound, Refused
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_asking import MOST_TEMPLATES
from vaultdash.services.backtest_document import packed
from vaultdash.services.backtest_request import BacktestReport, BacktestRequest
from vaultdash.services.backtest_work import MOST_RUN_DAYS
from vaultdash.services.backtester import INTERRUPTED, Backtester
from vaultdash.storage.sql import SqlDatabase
from vaultdash.strategies.templates import TEMPLATES

JANUARY = BacktestRequest(("protective_put_otm_95", "no_hedge"), event="jan-2026", ltv=0.66)


@pytest.fixture
def house(tmp_path: Path, database: SqlDatabase) -> BacktestHouse:
    made = BacktestHouse(tmp_path, database)
    made.store_prices()
    return made


async def ended(backtests: Backtester, run_id: str, seconds: float = 30) -> StoredRun:
    """The run when it has ended."""
    async with asyncio.timeout(seconds):
        while (run := await backtests.run(run_id)).state in (RunState.WAITING, RunState.RUNNING):  # noqa: ASYNC110  # what is waited for is in the database
            await asyncio.sleep(0.01)
    return run


class Gate:
    """An engine that nobody gets until it opens, so that a run stays under way."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> Engine:
        self.asked.set()
        await self.open.wait()
        return await by_reference()


async def test_without_a_hedge_the_ltvs_are_those_reckoned_by_hand(house: BacktestHouse) -> None:
    report = await house.backtests.run_now(JANUARY)
    loan = 0.66 * 10_000 * 495.90
    series, summary = report.comparison.unhedged.series, report.comparison.unhedged.summary
    assert series.lender_ltv.tolist() == pytest.approx([0.66, loan / 4_449_500, loan / 4_271_300])
    assert summary.max_ltv == pytest.approx(0.766263, abs=1e-6)
    assert summary.first_breach_date == date(2026, 2, 2)
    # at the low of 30 January: 0.66 x 495.90 / 440.00 = 0.74385, below the call; on 2 February 0.77457
    assert summary.first_intraday_breach_date == date(2026, 2, 2)
    assert summary.final_equity == pytest.approx(4_271_300 - loan)
    assert not summary.survived
    assert summary.ending is Ending.OPEN
    assert "All 3 days are without a gold volatility index" in " ".join(report.comparison.remarks)
    assert "without a bill rate: 4.5% a year" in " ".join(report.comparison.remarks)
    assert "still within their deadline on 2026-02-02" in " ".join(report.comparison.remarks)


async def test_a_run_is_kept_and_comes_back_to_the_last_bit(house: BacktestHouse) -> None:
    run = await house.backtests.start(replace(JANUARY, fan=(0, 3)))
    assert (run.state, run.kind, run.name) == (RunState.WAITING, RunKind.BACKTEST, "January 2026, LTV 66 %")
    done = await ended(house.backtests, run.id)
    assert (done.state, done.progress, done.problem) == (RunState.DONE, 1.0, None)
    direct = await house.backtests.run_now(replace(JANUARY, fan=(0, 3)))
    kept = await house.another().result(run.id)  # from the database, as after a restart
    assert packed(kept, 1) == packed(direct, 1)
    assert kept.request == replace(JANUARY, fan=(0, 3))
    assert kept.event is not None
    assert kept.event.id == "jan-2026"
    assert [entry.months for entry in kept.fan] == [0, 3]
    assert kept.fan[1].comparison is not None
    assert kept.fan[1].comparison.scenario.entry == date(2025, 10, 29)
    told = json.loads(str(done.summary))
    assert told["sentence"] == direct.sentence
    assert (told["hedges"], told["survived"], told["best"]) == (1, 1, "protective_put_otm_95")
    assert told["ltv"] == pytest.approx(0.66)


async def test_the_same_request_gives_the_same_bytes(house: BacktestHouse) -> None:
    first, second = [await house.backtests.run_now(JANUARY) for _ in range(2)]
    assert packed(first, 1) == packed(second, 1)
    other = await house.backtests.run_now(replace(JANUARY, ltv=0.6600001))
    assert packed(other, 1) != packed(first, 1)


async def test_template_by_template_it_is_what_the_engine_says_of_all_together(house: BacktestHouse) -> None:
    from vaultdash.backtest.engine import compare

    request = replace(JANUARY, templates=("no_hedge", "collar_95_110", "partial_50_otm_95"))
    report = await house.backtests.run_now(request)
    asked = await house.asking.asked(request)
    prepared, market = await house.work.prepared(asked)
    whole = compare(prepared.scenario, asked.templates, market, "reference")
    assert report.comparison.ranking == whole.ranking
    parts = replace(report.comparison, remarks=())
    assert packed(parts, 1) == packed(replace(whole, remarks=()), 1)


async def test_a_hedge_bought_before_the_prices_begin_is_missing_and_said(house: BacktestHouse) -> None:
    report = await house.backtests.run_now(replace(JANUARY, fan=(0, 13, 12)))
    found = {entry.months: entry for entry in report.fan}
    assert found[0].comparison is report.comparison
    assert "those of GLD begin on 2025-01-02" in str(found[13].missing)
    assert "no volatility is known for 2025-01-29" in str(found[12].missing)


async def test_a_collar_whose_call_has_become_a_debt_is_called_at_the_start_and_that_is_said(
    house: BacktestHouse,
) -> None:
    # bought at 412 in April, its call at 455 is 41 USD in the money when the loan is drawn at 496
    report = await house.backtests.run_now(replace(JANUARY, templates=("collar_95_110",), ltv=0.70, fan=(0, 9)))
    assert report.fan[1].comparison is not None
    assert report.fan[1].comparison.runs[0].summary.first_breach_date == date(2026, 1, 29)
    said = " ".join(report.comparison.remarks)
    assert "Bought 9 months before, the Collar 95/110 would be called on the first day already" in said
    assert report.fan[0].comparison is report.comparison
    usual = await house.backtests.run_now(replace(JANUARY, fan=(0, 9)))
    assert "on the first day already" not in " ".join(usual.comparison.remarks)


async def test_progress_and_states_are_told_in_order(house: BacktestHouse) -> None:
    heard: list[StoredRun] = []
    with house.backtests.feed.heard_by(heard.append):
        run = await house.backtests.start(JANUARY)
        await ended(house.backtests, run.id)
    states = [each.state for each in heard if each.id == run.id]
    assert states == sorted(states, key=[RunState.WAITING, RunState.RUNNING, RunState.DONE].index)
    assert {RunState.WAITING, RunState.RUNNING, RunState.DONE} == set(states)
    progress = [each.progress for each in heard]
    assert progress == sorted(progress)
    fractions: list[float] = []
    await house.backtests.run_now(replace(JANUARY, fan=(0, 1)), fractions.append)
    assert fractions == [0.0, 0.25, 0.5, 0.75, 1.0]


async def test_lists_have_the_newest_first_and_names_can_be_changed(house: BacktestHouse) -> None:
    first = await house.backtests.start(replace(JANUARY, name="  the first  "))
    house.clock.go_on(5)
    second = await house.backtests.start(replace(JANUARY, loan=3e6, ltv=None), RunKind.EVENT)
    await ended(house.backtests, second.id)
    assert [run.id for run in await house.backtests.runs()] == [second.id, first.id]
    assert [run.name for run in await house.backtests.runs()] == ["January 2026, loan 3,000,000 USD", "the first"]
    renamed = await house.backtests.rename(first.id, " Winter ")
    assert (renamed.name, renamed.state) == ("Winter", RunState.DONE)
    assert (await house.backtests.result(first.id)).request.ltv == 0.66
    with pytest.raises(InvalidInput, match="name must have"):
        await house.backtests.rename(first.id, "\n")
    await house.backtests.remove(first.id)
    assert [run.id for run in await house.backtests.runs()] == [second.id]
    for call in (house.backtests.run, house.backtests.result, house.backtests.remove, house.backtests.cancel):
        with pytest.raises(NotFound, match="no backtest"):
            await call(first.id)


async def test_what_is_under_way_can_be_stopped_and_the_next_goes_on(tmp_path: Path, database: SqlDatabase) -> None:
    gate = Gate()
    house = BacktestHouse(tmp_path, database, gate)
    house.store_prices()
    running, waiting, removed = [await house.backtests.start(JANUARY) for _ in range(3)]
    await gate.asked.wait()
    assert (await house.backtests.run(running.id)).state is RunState.RUNNING
    with pytest.raises(Refused, match="is running; there is no result"):
        await house.backtests.result(running.id)
    cancelled = await house.backtests.cancel(running.id)
    assert cancelled.state is RunState.CANCELLED
    assert cancelled.finished_at == house.clock()
    with pytest.raises(Refused, match="ended already: it is cancelled"):
        await house.backtests.cancel(running.id)
    await house.backtests.remove(removed.id)
    gate.open.set()
    assert (await ended(house.backtests, waiting.id)).state is RunState.DONE
    assert {run.id for run in await house.backtests.runs()} == {running.id, waiting.id}


async def test_a_stopped_server_goes_on_after_its_next_start(tmp_path: Path, database: SqlDatabase) -> None:
    house = BacktestHouse(tmp_path, database, Gate())
    house.store_prices()
    begun = await house.backtests.start(JANUARY)
    await house.backtests.aclose()
    async with database.reading() as kept:
        left = await kept.runs.get(begun.id)
    assert left is not None
    assert left.state is RunState.WAITING
    again = BacktestHouse(tmp_path, database).backtests
    await again.resume()
    done = await ended(again, begun.id)
    assert (done.state, done.problem) == (RunState.DONE, None)


async def test_a_killed_server_begins_a_run_again_once_and_then_gives_up(
    tmp_path: Path, database: SqlDatabase
) -> None:
    gate = Gate()
    house = BacktestHouse(tmp_path, database, gate)
    house.store_prices()
    begun = await house.backtests.start(JANUARY)
    await gate.asked.wait()  # it runs, and this process is killed: nobody writes anything more

    second_gate = Gate()
    second = BacktestHouse(tmp_path, database, second_gate)
    await second.backtests.resume()
    await second_gate.asked.wait()
    under_way = await second.backtests.run(begun.id)
    assert (under_way.state, under_way.problem) == (RunState.RUNNING, INTERRUPTED)

    third = BacktestHouse(tmp_path, database).backtests
    await third.resume()
    failed = await third.run(begun.id)
    assert failed.state is RunState.FAILED
    assert "twice" in str(failed.problem)
    with pytest.raises(Refused, match="is failed: It was under way"):
        await third.result(begun.id)


async def test_a_sweep_is_left_to_those_whose_it_is(house: BacktestHouse) -> None:
    sweep = StoredRun("sweep", RunKind.SWEEP, "a sweep", RunState.RUNNING, house.clock(), "{}")
    async with house.database.transaction() as kept:
        await kept.runs.put(sweep)
    await house.backtests.resume()
    assert await house.backtests.runs() == ()
    with pytest.raises(NotFound):
        await house.backtests.remove("sweep")
    async with house.database.reading() as kept:
        assert await kept.runs.get("sweep") == sweep


async def test_a_run_keeps_the_template_of_then_and_can_be_run_again_with_it(house: BacktestHouse) -> None:
    mine = await house.templates.copy("protective_put_otm_95", "Mine")
    request = replace(JANUARY, templates=(mine.id,))
    first = await house.backtests.start(request)
    await ended(house.backtests, first.id)
    fields = {"legs": [{"right": "put", "strike": {"rule": "percent_of_spot", "value": 0.8}, "months": 6.0}]}
    changed = await house.templates.change(mine.id, fields)
    assert changed.version == 2
    again = await house.backtests.again(first.id)
    newest = await house.backtests.start(request)
    by_version = await house.backtests.start(replace(request, templates=(f"{mine.id}@1",)))
    reports: list[BacktestReport] = []
    for run in (first, again, newest, by_version):
        await ended(house.backtests, run.id)
        reports.append(await house.backtests.result(run.id))
    assert [each.comparison.runs[0].template.version for each in reports] == [1, 1, 2, 1]
    assert packed(reports[0], 1) == packed(reports[1], 1)
    assert reports[2].comparison.runs[0].summary != reports[0].comparison.runs[0].summary
    await house.templates.remove(mine.id)
    asked = await house.another().asked(first.id)
    assert asked.templates == (mine,)


async def test_what_cannot_be_replayed_is_refused_before_it_is_written_down(house: BacktestHouse) -> None:
    refusals: list[tuple[BacktestRequest, str]] = [
        (replace(JANUARY, event="no-such"), "event is unknown. There is no event 'no-such'; they are jan-2026"),
        (replace(JANUARY, templates=("none",)), "There is no template 'none'"),
        (replace(JANUARY, templates=("no_hedge@x",)), "a version is written no_hedge@2"),
        (replace(JANUARY, templates=("no_hedge@7",)), "version 1 only"),
        (replace(JANUARY, event="2008"), "prices of GLD go from 2025-01-02"),
        (replace(JANUARY, end=date(2026, 1, 1)), "after the start"),
        (replace(JANUARY, ltv=None, loan=9e6), "of the collateral"),
        (replace(JANUARY, start=date(2025, 1, 10), end=LAST), "no volatility is known"),
        (replace(JANUARY, source=Source.OBSERVED), "no option chains of GLD are recorded"),
    ]
    for request, words in refusals:
        with pytest.raises(InvalidInput) as refused:
            await house.backtests.start(request)
        assert words in str(refused.value)
    assert await house.backtests.runs() == ()


async def test_all_templates_are_meant_where_none_is_named(house: BacktestHouse) -> None:
    mine = await house.templates.copy("protective_put_atm", "Mine")
    asked = await house.asking.asked(replace(JANUARY, templates=()))
    assert asked.templates[-1] == mine
    assert len(asked.templates) == 15
    twice = await house.asking.asked(replace(JANUARY, templates=("no_hedge", "no_hedge")))
    assert [template.id for template in twice.templates] == ["no_hedge"]


async def test_a_lender_who_ignores_options_counts_so_for_every_hedge(house: BacktestHouse) -> None:
    report = await house.backtests.run_now(replace(JANUARY, counting=HedgeCounting.IGNORED))
    assert not report.comparison.runs[0].summary.survived
    assert report.sentence.startswith("As this lender counts, no option keeps a call away")


async def test_a_run_that_breaks_has_failed_and_the_next_goes_on(tmp_path: Path, database: SqlDatabase) -> None:
    broken = True

    async def engine() -> Engine:
        if broken:
            raise ZeroDivisionError("made up")
        return await by_reference()

    house = BacktestHouse(tmp_path, database, engine)
    house.store_prices()
    first = await house.backtests.start(JANUARY)
    failed = await ended(house.backtests, first.id)
    assert failed.state is RunState.FAILED
    assert "ZeroDivisionError" in str(failed.problem)
    broken = False
    second = await house.backtests.start(JANUARY)
    assert (await ended(house.backtests, second.id)).state is RunState.DONE


async def test_without_its_database_a_report_leaves_own_templates_out_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"this is no database" * 100)
    closed = SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}")
    house = BacktestHouse(tmp_path, closed)
    house.store_prices()
    report = await house.backtests.run_now(replace(JANUARY, templates=("no_hedge",)))
    assert report.comparison.ranking == ("no_hedge",)
    asked = await house.asking.asked(replace(JANUARY, templates=()))
    assert len(asked.templates) == 14
    assert asked.unsure[0].startswith("Your own templates are left out")
    with pytest.raises(DatabaseError):
        await house.backtests.start(JANUARY)
    await closed.aclose()


@pytest.mark.parametrize("what", ["removed", "cancelled"])
async def test_what_another_process_removed_or_cancelled_does_not_come_back(
    tmp_path: Path, database: SqlDatabase, what: str
) -> None:
    gate = Gate()
    house = BacktestHouse(tmp_path, database, gate)
    house.store_prices()
    begun = await house.backtests.start(JANUARY)
    await gate.asked.wait()
    heard: list[StoredRun] = []
    other = house.another()  # of a second process beside the server
    await (other.remove(begun.id) if what == "removed" else other.cancel(begun.id))
    with house.backtests.feed.heard_by(heard.append):
        gate.open.set()
        following = await house.backtests.start(JANUARY)
        assert (await ended(house.backtests, following.id)).state is RunState.DONE
    assert [run.state for run in heard if run.id == begun.id][-1] is RunState.CANCELLED
    assert RunState.DONE not in [run.state for run in heard if run.id == begun.id]
    async with database.reading() as kept:
        found = await kept.runs.get(begun.id)
        assert await kept.runs.result(begun.id) is None
    assert found is None if what == "removed" else found is not None and found.state is RunState.CANCELLED
    if what == "removed":
        with pytest.raises(NotFound):
            await house.backtests.rename(begun.id, "again")
    assert begun.id not in [run.id for run in await house.backtests.runs()] or what == "cancelled"


async def test_a_name_given_by_another_process_survives_the_end_of_the_run(
    tmp_path: Path, database: SqlDatabase
) -> None:
    gate = Gate()
    house = BacktestHouse(tmp_path, database, gate)
    house.store_prices()
    begun = await house.backtests.start(JANUARY)
    await gate.asked.wait()
    await house.another().rename(begun.id, "Winter")
    gate.open.set()
    assert (await ended(house.backtests, begun.id)).name == "Winter"


async def test_the_oldest_runs_beyond_what_is_kept_are_removed(house: BacktestHouse) -> None:
    backtests = Backtester(house.asking, house.work, house.database, house.clock, most_kept=2)
    runs = []
    for _ in range(4):
        runs.append((await backtests.start(JANUARY)).id)
        house.clock.go_on(5)
        await ended(backtests, runs[-1])
    async with asyncio.timeout(10):
        while len(await backtests.runs()) > 2:  # noqa: ASYNC110  # what is waited for is in the database
            await asyncio.sleep(0.01)
    assert [run.id for run in await backtests.runs()] == [runs[3], runs[2]]
    with pytest.raises(NotFound):
        await backtests.result(runs[0])


async def test_more_than_can_be_kept_day_by_day_is_refused_with_what_to_do(house: BacktestHouse) -> None:
    request = replace(JANUARY, start=date(2025, 3, 3), end=LAST, event=None, fan=(0, 1))
    names = [template.id for template in TEMPLATES]
    days = len((await house.markets.days("GLD", date(2025, 3, 3), LAST)).days)
    a_hedge = 2 * days + 21
    asked = replace(await house.asking.asked(request), templates=TEMPLATES * (MOST_RUN_DAYS // a_hedge))
    with pytest.raises(InvalidInput) as refused:
        await house.work.prepared(asked)
    for words in (
        f"over {days:,} trading days, each bought on 2 days",
        f"at most {MOST_RUN_DAYS // a_hedge:,} hedges",
    ):
        assert words in str(refused.value)
    assert "vault-dash sweep" in str(refused.value)
    await house.work.prepared(await house.asking.asked(replace(request, templates=tuple(names))))


async def test_own_templates_beyond_what_a_backtest_takes_must_be_named(house: BacktestHouse) -> None:
    for number in range(MOST_TEMPLATES - len(TEMPLATES) + 1):
        await house.templates.copy("protective_put_atm", f"Mine {number}")
    with pytest.raises(InvalidInput, match=f"must be named: there are {MOST_TEMPLATES + 1} with your own"):
        await house.asking.asked(replace(JANUARY, templates=()))


async def test_calls_sold_beside_a_lender_who_does_not_credit_options_are_said_to_need_margin(
    house: BacktestHouse,
) -> None:
    request = replace(JANUARY, templates=("collar_95_110", "protective_put_otm_95"))
    credited = await house.backtests.run_now(request)
    assert "margin" not in " ".join(credited.comparison.remarks)
    for counting in (HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT):
        report = await house.backtests.run_now(replace(request, counting=counting))
        (said,) = [each for each in report.comparison.remarks if "margin" in each]
        # 100 calls at 545 on the first day at 495.90: max(123.975 - 49.10, 49.59) = 74.875 a share
        assert said.startswith("Calls are sold by the Collar 95/110.")
        assert "748,750 USD" in said
        collar, put = report.comparison.runs
        assert "29 January 2026 748,750 USD or more" in collar.remarks[-1]
        assert "broker" not in " ".join(put.remarks)
