"""Backtests, what came of them and their parts, on both databases."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import NOON
from tests.storage.sql.records import a_run
from vaultdash.domain.errors import NotFound
from vaultdash.domain.record import RunKind, RunState
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.copying import count_rows

BYTES = random.Random(5).randbytes(3_000_000)


async def test_a_run_comes_back_and_goes_on_in_its_place(database: SqlDatabase) -> None:
    begun, other = a_run(), a_run(2)
    ended = replace(begun, state=RunState.DONE, progress=1.0, finished_at=NOON + timedelta(1), summary='{"a":1}')
    async with database.transaction() as tx:
        await tx.runs.put(begun)
        await tx.runs.put(other)
        assert await tx.runs.get("run-1") == begun
        await tx.runs.put(ended)
    async with database.reading() as found:
        assert await found.runs.get("run-1") == ended
        assert await found.runs.get("run-3") is None
        assert await found.runs.all() == [other, ended]


async def test_the_list_is_newest_first_and_can_be_of_one_kind(database: SqlDatabase) -> None:
    kinds = (RunKind.SWEEP, RunKind.BACKTEST, RunKind.SWEEP, RunKind.EVENT)
    made = [a_run(n, kind=kind, created_at=NOON - timedelta(hours=n // 2)) for n, kind in enumerate(kinds)]
    async with database.transaction() as tx:
        for run in made:
            await tx.runs.put(run)
    async with database.reading() as found:
        assert [run.id for run in await found.runs.all()] == ["run-1", "run-0", "run-3", "run-2"]
        assert [run.id for run in await found.runs.all(limit=2)] == ["run-1", "run-0"]
        assert [run.id for run in await found.runs.all(RunKind.SWEEP)] == ["run-0", "run-2"]


async def test_results_and_parts_are_kept_byte_by_byte_and_replaced(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        await tx.runs.put(a_run())
        assert await tx.runs.result("run-1") is None
        assert await tx.runs.parts("run-1") == {}
        await tx.runs.put_result("run-1", b"old")
        await tx.runs.put_result("run-1", BYTES)
        for number, content in ((2, b"two"), (0, b""), (2, b"\0two\xff")):
            await tx.runs.put_part("run-1", number, content)
        await tx.runs.put(a_run(state=RunState.CANCELLED))
    async with database.reading() as found:
        assert await found.runs.result("run-1") == BYTES
        assert list((await found.runs.parts("run-1")).items()) == [(0, b""), (2, b"\0two\xff")]


async def test_a_removed_run_takes_its_result_and_parts_along(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        for number in (1, 2):
            await tx.runs.put(a_run(number))
            await tx.runs.put_result(f"run-{number}", b"result")
            await tx.runs.put_part(f"run-{number}", 0, b"part")
        await tx.runs.remove("run-1")
    async with database.reading_statements() as statements:
        counts = await count_rows(statements)
    assert {name: count for name, count in counts.items() if count} == {
        "backtest_runs": 1,
        "backtest_results": 1,
        "backtest_parts": 1,
    }
    async with database.reading() as found:
        assert await found.runs.result("run-2") == b"result"


async def test_what_belongs_to_no_run_is_refused(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        for work in (tx.runs.put_result("x", b""), tx.runs.put_part("x", 1, b""), tx.runs.remove("x")):
            with pytest.raises(NotFound, match="no backtest 'x'"):
                await work
        assert await tx.runs.result("x") is None
