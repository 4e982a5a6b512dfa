"""Sweeps: the same result whatever does the work, and nothing done twice after an interruption."""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders import a_history
from tests.services.sweep_house import POINTS, Held, SweepHouse, a_grid, days
from vaultdash.backtest.sweep import COLUMNS, NotCompiled
from vaultdash.compute.local import LocalCompute
from vaultdash.domain.errors import InvalidInput, NotFound, Refused, Unavailable
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.files.whole import claimed
from vaultdash.pricing.compiled import Engine
from vaultdash.services.sweeps import Sweeps
from vaultdash.storage.sql import SqlDatabase


@pytest.fixture
async def house(tmp_path: Path, database: SqlDatabase) -> AsyncIterator[SweepHouse]:
    made = SweepHouse(tmp_path, database)
    yield made
    await made.aclose()


async def done(sweeps: Sweeps, run: StoredRun) -> bytes:
    """The result's bytes once it has ended well."""
    ended = await sweeps.wait(run.id)
    assert (ended.state, ended.problem, ended.progress) == (RunState.DONE, None, 1.0)
    return await sweeps.content(run.id)


async def until_held(held: Held) -> None:
    async with asyncio.timeout(60):
        await held.held.wait()
        await asyncio.sleep(0)


@pytest.fixture
async def undisturbed(house: SweepHouse) -> bytes:
    """What the grid comes to on one worker, without an interruption."""
    sweeps = house.sweeps()
    return await done(sweeps, await sweeps.start(a_grid()))


async def test_every_point_is_run_and_named(house: SweepHouse, undisturbed: bytes) -> None:
    sweeps = house.made[0]
    (run,) = await sweeps.runs()
    result = await sweeps.result(run.id)
    rows = list(result.table())
    assert len(rows) == POINTS
    assert len(set(map(tuple, (row[: result.header.index(COLUMNS[0])] for row in rows)))) == POINTS
    named = [dict(zip(result.header, row, strict=True)) for row in rows]
    one = next(
        row
        for row in named
        if row["terms.ltv"] == 0.66 and row["terms.counting"] == "credited" and row["template"] != "no_hedge"
    )
    assert {row["problem"] for row in named} == {None}
    assert {row["entry_months"] for row in named} == {0, 2}
    assert one["template"] == "protective_put_otm_95"
    assert 0.66 < one["max_ltv_ignored"] < 1.0  # type: ignore[operator]


async def test_two_workers_give_the_same_bytes(house: SweepHouse, undisturbed: bytes) -> None:
    sweeps = house.sweeps(LocalCompute(2))
    assert await done(sweeps, await sweeps.start(a_grid())) == undisturbed


async def test_a_cancelled_sweep_goes_on_from_where_it_was(house: SweepHouse, undisturbed: bytes) -> None:
    held = Held()
    held.allowed = 2
    sweeps = house.sweeps(held)
    run = await sweeps.start(a_grid())
    await until_held(held)
    stopped = await sweeps.cancel(run.id)
    first, held.allowed = held.points, 10**9
    assert stopped.state is RunState.CANCELLED
    assert stopped.progress == pytest.approx(first / POINTS)
    assert 0 < first < POINTS
    with pytest.raises(Refused, match="cancelled; there is no result"):
        await sweeps.result(run.id)
    await sweeps.resume(run.id)
    assert await done(sweeps, run) == undisturbed
    assert held.points == POINTS


async def test_a_closed_server_goes_on_at_its_next_start(house: SweepHouse, undisturbed: bytes) -> None:
    before = Held()
    before.allowed = 2
    sweeps = house.sweeps(before)
    run = await sweeps.start(a_grid())
    await until_held(before)
    await sweeps.aclose()
    after = Held()
    again = house.sweeps(after)
    await again.resume_open()
    assert await done(again, run) == undisturbed
    assert before.points + after.points == POINTS


async def test_what_was_made_from_other_prices_or_other_code_is_made_anew(house: SweepHouse) -> None:
    for change in ("prices", "code"):
        before = Held()
        before.allowed = 2
        sweeps = house.sweeps(before)
        run = await sweeps.start(a_grid())
        await until_held(before)
        await sweeps.cancel(run.id)
        after = Held()
        if change == "prices":
            bars = house.store.load_history("GLD")
            assert bars is not None
            day = next(bar for bar in bars.bars if bar.on.isoformat() == "2023-03-15")
            house.keep(a_history({day.on: day.close * 1.01}, source="mended"))
        again = house.sweeps(after, code="code" if change == "prices" else "newer code")
        await again.resume(run.id)
        content = await done(again, run)
        assert after.points == POINTS
        fresh = house.sweeps(code="newer code")
        assert await done(fresh, await fresh.start(a_grid())) == content


async def test_a_sweep_that_failed_says_why_and_can_be_gone_on_with(house: SweepHouse, undisturbed: bytes) -> None:
    async def broken() -> Engine:
        raise Unavailable("the compiler is away")

    sweeps = house.sweeps(engine=broken)
    run = await sweeps.wait((await sweeps.start(a_grid())).id)
    assert (run.state, run.problem) == (RunState.FAILED, "the compiler is away")
    again = house.sweeps()
    await again.resume(run.id)
    assert await done(again, run) == undisturbed


class HalfCompiled(Held):
    """One of its workers has no compiled code."""

    async def map(
        self, function: Callable[[Any, Any], Any], chunks: Iterable[Any], /, shared: Any
    ) -> AsyncGenerator[tuple[int, Any], None]:
        async with aclosing(super().map(function, chunks, shared=replace(shared, engine="reference"))) as results:
            async for place, rows in results:
                if shared.engine == "kernel" and self.points > 10:
                    raise NotCompiled("no compiler")
                yield place, rows


async def test_where_a_worker_cannot_compile_all_price_without(house: SweepHouse, undisturbed: bytes) -> None:
    async def kernel() -> Engine:
        return "kernel"

    compute = HalfCompiled()
    sweeps = house.sweeps(compute, engine=kernel)
    assert await done(sweeps, await sweeps.start(a_grid())) == undisturbed
    assert compute.points > POINTS  # what was done with compiled code was done anew


async def test_a_sweep_that_another_process_runs_is_left_to_it(house: SweepHouse) -> None:
    held = Held()
    held.allowed = 1
    sweeps = house.sweeps(held)
    run = await sweeps.start(a_grid())
    await until_held(held)
    other = house.sweeps()
    await other.resume_open()
    assert other.feed.latest is None
    with pytest.raises(Refused, match="another process"):
        await other.resume(run.id)
    with claimed(house.folder / "sweeps" / f"{run.id}.lock") as free:
        assert not free


async def test_a_sweep_cancelled_by_another_process_stops(house: SweepHouse) -> None:
    sweeps, other = house.sweeps(), house.sweeps()
    heard: list[float] = []
    run = await sweeps.start(a_grid(terms={"ltv": {"from": 0.3, "to": 0.7, "step": 0.001}}))
    with sweeps.feed.heard_by(lambda told: heard.append(told.progress)):
        async with asyncio.timeout(60):
            while not heard or heard[-1] == 0:  # noqa: ASYNC110 - a feed, not an event
                await asyncio.sleep(0.01)
        assert (await other.cancel(run.id)).state is RunState.CANCELLED
        ended = await sweeps.wait(run.id)
    assert ended.state is RunState.CANCELLED
    assert ended.progress < 1


async def test_a_removed_sweep_is_gone_with_its_parts(house: SweepHouse) -> None:
    held = Held()
    held.allowed = 2
    sweeps = house.sweeps(held)
    run = await sweeps.start(a_grid())
    await until_held(held)
    await sweeps.remove(run.id)
    assert await sweeps.runs() == ()
    with pytest.raises(NotFound, match="no sweep"):
        await sweeps.run(run.id)
    async with house.database.reading() as kept:
        assert await kept.runs.parts(run.id) == {}


async def test_parts_are_emptied_when_the_result_is_kept(house: SweepHouse, undisturbed: bytes) -> None:
    (run,) = await house.made[0].runs()
    async with house.database.reading() as kept:
        parts = await kept.runs.parts(run.id)
    assert parts
    assert set(parts.values()) == {b""}


async def test_progress_is_told_and_never_falls(house: SweepHouse) -> None:
    sweeps = house.sweeps()
    heard: list[StoredRun] = []
    with sweeps.feed.heard_by(heard.append):
        await done(sweeps, await sweeps.start(a_grid()))
    states = [told.state for told in heard]
    assert states[0] is RunState.WAITING
    assert states[-1] is RunState.DONE
    progress = [told.progress for told in heard]
    assert progress == sorted(progress)
    assert len(set(progress)) > 2


async def test_sweeps_are_run_one_after_the_other(house: SweepHouse) -> None:
    sweeps = house.sweeps()
    heard: list[StoredRun] = []
    with sweeps.feed.heard_by(heard.append):
        first, second = await sweeps.start(a_grid(name="first")), await sweeps.start(a_grid(name="second"))
        await done(sweeps, first)
        await done(sweeps, second)
    order = [told.name for told in heard if told.state is RunState.RUNNING]
    assert order == sorted(order)
    assert set(order) == {"first", "second"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"templates": ["no_such"]}, "are not all known. There is no template 'no_such'"),
        ({"events": ["no-such"]}, "are not all known. There is no event 'no-such'"),
        ({"vary": {"legs[0].stirke.value": [1.0]}}, "there is no stirke"),
        ({"spans": days("1990-01-01", "1990-06-01")}, "has no scenario that can be played"),
        ({"terms": {"ltv": 0.8, "target_ltv": 0.9}}, "has no scenario that can be played: target_ltv"),
        (
            {"vary": {"coverage": {"from": 0.001, "to": 1, "step": 0.001}, "legs[0].months": list(range(1, 61))}},
            "has 960,008 points, 120,001 hedges on 8 scenarios",
        ),
    ],
)
async def test_what_cannot_be_run_is_refused_at_once(house: SweepHouse, given: dict[str, object], words: str) -> None:
    sweeps = house.sweeps()
    with pytest.raises(InvalidInput) as refused:
        await sweeps.start(a_grid(**given))
    assert words in str(refused.value)
    assert await sweeps.runs() == ()


async def test_terms_that_contradict_each_other_spoil_their_own_runs_alone(house: SweepHouse) -> None:
    sweeps = house.sweeps()
    grid = a_grid(vary={}, entries=[0], terms={"call_ltv": [0.65, 0.75], "warning_ltv": [0.6, 0.7]})
    run = await sweeps.start(grid)
    await done(sweeps, run)
    result = await sweeps.result(run.id)
    problems = {row[5:7]: row[-1] for row in result.table()}
    assert {terms for terms, problem in problems.items() if problem is not None} == {(0.65, 0.7)}
    assert problems[0.65, 0.7] == "warning_ltv must be below the margin-call LTV of 0.65"
    assert result.failed == len(result.hedges)


async def test_the_summary_ranks_hedges_by_what_they_survived(house: SweepHouse, undisturbed: bytes) -> None:
    sweeps = house.made[0]
    (run,) = await sweeps.runs()
    assert run.summary is not None
    told = json.loads(run.summary)
    result = await sweeps.result(run.id)
    standings = result.standings()
    assert [each.survived for each in standings] == sorted((each.survived for each in standings), reverse=True)
    assert told["best"][0]["survived"] == standings[0].survived > told["unhedged"]["survived"]
    assert told["sentence"].startswith(result.hedge_words(standings[0].hedge))
    # one of them, counted anew from the table
    best = result.hedges[standings[0].hedge]
    at = {name: place for place, name in enumerate(result.header)}
    mine = [row for row in result.table() if row[0] == best.template and row[1 : 1 + len(best.values)] == best.values]
    assert len(mine) == standings[0].ran == 8
    assert sum(row[at["survived"]] is True for row in mine) == standings[0].survived
    assert max(float(row[at["max_ltv"]]) for row in mine) == standings[0].worst_ltv  # type: ignore[arg-type]
    values = [scenario.gold_value for scenario in result.scenarios]
    costs = [float(row[at["hedge_cost_net"]]) / value for row, value in zip(mine, values, strict=True)]  # type: ignore[arg-type,operator]
    assert standings[0].cost == pytest.approx(math.fsum(costs) / 8)


async def test_a_damaged_part_is_run_again(house: SweepHouse, undisturbed: bytes) -> None:
    held = Held()
    held.allowed = 2
    sweeps = house.sweeps(held)
    run = await sweeps.start(a_grid())
    await until_held(held)
    await sweeps.cancel(run.id)
    async with house.database.transaction() as kept:
        for number in await kept.runs.parts(run.id):
            await kept.runs.put_part(run.id, number, b"damaged")
    held.allowed = 10**9
    held.points = 0
    await sweeps.resume(run.id)
    assert await done(sweeps, run) == undisturbed
    assert held.points == POINTS


async def test_one_that_is_done_is_not_gone_on_with(house: SweepHouse, undisturbed: bytes) -> None:
    sweeps = house.made[0]
    (run,) = await sweeps.runs()
    with pytest.raises(Refused, match="done already"):
        await sweeps.resume(run.id)
    with pytest.raises(Refused, match="has ended already"):
        await sweeps.cancel(run.id)
