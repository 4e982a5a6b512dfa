"""Heavy work runs in another process, and ends when nobody wants it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from vaultdash.compute.base import WorkerDied, WorkFailed
from vaultdash.compute.local import LocalCompute
from vaultdash.domain.errors import InvalidInput, Refused


def whose() -> int:
    return os.getpid()


def slow(seconds: float, begun: str) -> int:
    Path(begun).write_text(str(os.getpid()))
    time.sleep(seconds)
    return os.getpid()


def refuse() -> None:
    raise Refused("not today")


def refuse_argument() -> None:
    raise InvalidInput("years", "must be above zero, not -1")


class OfTwoParts(Exception):
    """Cannot be made again of what it says."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} {why}")


def refuse_in_parts() -> None:
    raise OfTwoParts("years", "are long")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        die()
    return "done"


@pytest.fixture
async def compute() -> AsyncIterator[LocalCompute]:
    running = LocalCompute()
    yield running
    await running.aclose()


async def begun(file: Path) -> int:
    for _ in range(3000):
        if written(file):
            break
        await asyncio.sleep(0.02)
    return int(written(file))


def written(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def gone(pid: int) -> bool:
    for _ in range(500):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_work_is_done_in_one_other_process(compute: LocalCompute) -> None:
    first, second = await compute.run(whose), await compute.run(whose)
    assert first == second != os.getpid()


async def test_what_the_work_raises_is_raised_here_and_the_process_stays(compute: LocalCompute) -> None:
    before = await compute.run(whose)
    with pytest.raises(Refused, match="not today"):
        await compute.run(refuse)
    with pytest.raises(InvalidInput, match="years must be above zero") as refused:
        await compute.run(refuse_argument)
    assert refused.value.argument == "years"
    with pytest.raises(WorkFailed, match="OfTwoParts: years are long"):
        await compute.run(refuse_in_parts)
    with pytest.raises(WorkFailed, match="pickle"):
        await compute.run(lambda_maker)
    assert await compute.run(whose) == before


def lambda_maker() -> object:
    return lambda: None


async def test_a_process_that_dies_is_replaced_and_the_work_done(compute: LocalCompute, tmp_path: Path) -> None:
    assert await compute.run(die_once, str(tmp_path / "mark")) == "done"


async def test_work_that_kills_its_process_twice_is_given_up(compute: LocalCompute) -> None:
    with pytest.raises(WorkerDied):
        await compute.run(die)
    assert await compute.run(whose) != os.getpid()


async def test_cancelled_work_stops_and_the_next_goes_on(compute: LocalCompute, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    working = asyncio.create_task(compute.run(slow, 600.0, str(mark)))
    pid = await begun(mark)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await gone(pid)
    assert await compute.run(whose) != pid


async def test_closing_ends_work_under_way(tmp_path: Path) -> None:
    compute, mark = LocalCompute(), tmp_path / "pid"
    working = asyncio.create_task(compute.run(slow, 600.0, str(mark)))
    pid = await begun(mark)
    await compute.aclose()
    assert await gone(pid)
    with pytest.raises(WorkerDied):
        await working


async def test_a_process_that_nobody_uses_ends_and_another_begins() -> None:
    compute = LocalCompute(idle_seconds=0.05)
    pid = await compute.run(whose)
    assert await gone(pid)
    assert await compute.run(whose) != pid
    await compute.aclose()


PREPARED: list[str] = []


def prepare() -> None:
    PREPARED.append("ready")


def prepared() -> list[str]:
    return PREPARED


async def test_each_process_is_prepared_once() -> None:
    compute = LocalCompute(prepare=prepare)
    assert await compute.run(prepared) == await compute.run(prepared) == ["ready"]
    assert PREPARED == []
    await compute.aclose()


async def test_the_loop_goes_on_while_work_is_done(compute: LocalCompute, tmp_path: Path) -> None:
    await compute.run(whose)
    working = asyncio.create_task(compute.run(slow, 0.5, str(tmp_path / "pid")))
    turns = 0
    while not working.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 10


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.compute.test_local import slow
from vaultdash.compute.local import LocalCompute

async def main():
    await LocalCompute().run(slow, 600.0, sys.argv[1])

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_killed_parent_leaves_no_process_at_work(tmp_path: Path) -> None:
    script, mark = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(KILLED)
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(  # noqa: ASYNC220 - it begins at once
        [sys.executable, str(script), str(mark)], env={**os.environ, "PYTHONPATH": str(root)}, cwd=root
    )
    pid = await begun(mark)
    parent.kill()
    parent.wait()
    assert await gone(pid)
