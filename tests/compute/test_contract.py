"""What every compute must do, on processes of this computer and on a Dask scheduler with two workers."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.compute.dask_cluster import DaskCluster
from tests.compute.tasks import (
    Tough,
    dies_always,
    dies_once,
    halved,
    marked,
    refuse,
    refuse_third,
    sum_of,
    unsendable,
    waits_to_be_killed,
    whose,
)
from vaultdash.compute.base import Compute, WorkerDied, WorkFailed
from vaultdash.compute.dask import DaskCompute
from vaultdash.compute.local import LocalCompute
from vaultdash.domain.errors import Refused, VaultError


@pytest.fixture(params=["local", "dask"])
async def compute(request: pytest.FixtureRequest) -> AsyncIterator[Compute]:
    running: Compute
    if request.param == "local":
        running = LocalCompute(2)
    else:
        cluster: DaskCluster = request.getfixturevalue("dask_cluster")
        cluster.restore()
        running = DaskCompute(cluster.address, answer_seconds=30)
        await until_two(running)
    yield running
    await running.aclose()


async def until_two(running: DaskCompute) -> None:
    async with asyncio.timeout(60):
        while running.workers < 2:
            try:
                await running.run(whose)
            except VaultError:  # no worker has found the scheduler yet
                await asyncio.sleep(0.1)


async def all_of(compute: Compute, function: object, chunks: object, shared: object) -> list[tuple[int, object]]:
    return [each async for each in compute.map(function, chunks, shared=shared)]  # type: ignore[arg-type]


async def test_work_is_done_in_another_process(compute: Compute) -> None:
    assert await compute.run(whose) != os.getpid()


async def test_every_chunk_comes_back_once_with_its_place(compute: Compute) -> None:
    found = await all_of(compute, halved, range(200), 1)
    assert sorted(found) == [(place, (1 + place) / 2) for place in range(200)]


async def test_nothing_to_do_is_done_at_once(compute: Compute) -> None:
    assert await all_of(compute, halved, [], 1) == []


async def test_chunks_may_be_none(compute: Compute) -> None:
    assert sorted(await all_of(compute, pair, [None, 5, None], "kept")) == [
        (0, ("kept", None)),
        (1, ("kept", 5)),
        (2, ("kept", None)),
    ]


def pair(shared: object, chunk: object) -> object:
    return shared, chunk


async def test_what_is_shared_is_there_once_in_each_worker_and_can_be_written(compute: Compute) -> None:
    prices = np.arange(50_000.0)
    found = await all_of(compute, sum_of, range(40), prices)
    values = [value for _, (value, _, _) in sorted(found)]  # type: ignore[misc]
    assert values == [float(prices.sum()) * chunk for chunk in range(40)]
    copies = {(worker, identity) for _, (_, identity, worker) in found}  # type: ignore[misc]
    assert len(copies) == len({worker for worker, _ in copies}) == 2


async def test_another_map_has_its_own_shared_value(compute: Compute) -> None:
    first = await all_of(compute, halved, range(10), 100)
    second = await all_of(compute, halved, range(10), 0)
    assert [value for _, value in sorted(second)] == [value - 50 for _, value in sorted(first)]  # type: ignore[operator]


async def test_chunks_are_taken_only_as_workers_become_free(compute: Compute) -> None:
    taken = itertools.count()

    def chunks() -> Iterator[int]:
        for chunk in range(10_000):
            next(taken)
            yield chunk

    async with aclosing(compute.map(halved, chunks(), shared=0)) as results:
        async for _ in results:
            break
    assert next(taken) < 50


async def test_what_the_work_raises_is_raised_here_and_the_next_work_is_done(compute: Compute) -> None:
    with pytest.raises(Refused, match="not today"):
        await compute.run(refuse)
    with pytest.raises(Refused, match="terms: not the third"):
        await all_of(compute, refuse_third, range(6), "terms")
    assert sorted(await all_of(compute, refuse_third, [1, 2], "terms")) == [(0, 1), (1, 2)]


async def test_what_chunks_raise_is_raised_here(compute: Compute) -> None:
    def chunks() -> Iterator[int]:
        yield 1
        raise Refused("no more of them")

    with pytest.raises(Refused, match="no more of them"):
        await all_of(compute, halved, chunks(), 0)


async def test_what_cannot_be_sent_is_said(compute: Compute) -> None:
    with pytest.raises(WorkFailed, match="its result cannot be sent"):
        await all_of(compute, unsendable, [1], 0)
    with pytest.raises(WorkFailed, match="a socket cannot be sent"):
        await all_of(compute, halved, [1], Tough())


async def test_closing_leaves_the_rest_undone(compute: Compute, tmp_path: Path) -> None:
    async with aclosing(compute.map(marked, range(100), shared=str(tmp_path))) as results:
        async for _ in results:
            break
    begun = len(begun_in(tmp_path))
    assert await compute.run(whose)  # takes its turn after whatever is still under way
    await asyncio.sleep(0.3)
    assert len(begun_in(tmp_path)) <= begun + 2 < 10


def begun_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)


async def test_cancelling_who_waits_leaves_the_rest_undone(compute: Compute, tmp_path: Path) -> None:
    waiting = asyncio.create_task(all_of(compute, marked, range(100), str(tmp_path)))
    while not begun_in(tmp_path):  # noqa: ASYNC110 - it happens in another process
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await compute.run(whose)
    assert len(begun_in(tmp_path)) < 10


async def test_a_worker_that_takes_itself_away_loses_nothing(compute: Compute, tmp_path: Path) -> None:
    found = await all_of(compute, dies_once, range(60), str(tmp_path))
    assert (tmp_path / "died").exists()
    assert sorted(found) == [(chunk, chunk * chunk) for chunk in range(60)]


async def test_a_worker_killed_in_the_middle_loses_nothing(compute: Compute, tmp_path: Path) -> None:
    mark = tmp_path / "at-work"

    async def kill() -> int:
        while not begun_in(tmp_path) or not written(mark):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.01)
        os.kill(int(written(mark)), signal.SIGKILL)
        return int(written(mark))

    killing = asyncio.create_task(kill())
    found = await all_of(compute, waits_to_be_killed, range(24), str(tmp_path))
    killed = await killing
    assert sorted(found) == [(chunk, chunk) for chunk in range(24)]
    assert not psutil.pid_exists(killed) or psutil.Process(killed).status() == psutil.STATUS_ZOMBIE


def written(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def test_work_that_kills_every_worker_is_given_up_with_a_reason(compute: Compute) -> None:
    with pytest.raises(WorkerDied, match="have died over the same piece of work"):
        await all_of(compute, dies_always, [1], 0)
