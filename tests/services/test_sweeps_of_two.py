"""Two processes on one database: what one has done with a sweep, the other one leaves as it is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.sweep_house import POINTS, Held, SweepHouse, a_grid
from vaultdash.domain.errors import NotFound, Refused
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.files.whole import claimed
from vaultdash.services.sweeps import Sweeps
from vaultdash.storage.sql import SqlDatabase


@pytest.fixture
async def house(tmp_path: Path, database: SqlDatabase) -> AsyncIterator[SweepHouse]:
    made = SweepHouse(tmp_path, database)
    yield made
    await made.aclose()


class Server:
    """A service at work on one sweep, with another one in its queue; `goes_on` lets it come to that one."""

    def __init__(self, sweeps: Sweeps, held: Held, at_work: StoredRun, waiting: StoredRun) -> None:
        self.sweeps, self.held, self.at_work, self.waiting = sweeps, held, at_work, waiting

    async def goes_on(self) -> None:
        self.held.allowed, self.held.points = 10**9, 0
        task = self.sweeps._tasks[self.waiting.id]
        await self.sweeps.cancel(self.at_work.id)
        async with asyncio.timeout(60):
            await asyncio.wait({task})


@pytest.fixture
async def server(house: SweepHouse) -> Server:
    sweeps, held = await at_work(house)
    (run,) = await sweeps.runs()
    return Server(sweeps, held, run, await sweeps.start(a_grid(name="in the queue")))


async def at_work(house: SweepHouse) -> tuple[Sweeps, Held]:
    """A service in the middle of a sweep."""
    held = Held()
    held.allowed = 2
    sweeps = house.sweeps(held)
    await sweeps.start(a_grid())
    async with asyncio.timeout(60):
        await held.held.wait()
    return sweeps, held


async def stored(house: SweepHouse, run: StoredRun) -> StoredRun | None:
    async with house.database.reading() as kept:
        return await kept.runs.get(run.id)


async def test_one_that_the_other_cancelled_is_not_begun(house: SweepHouse, server: Server) -> None:
    cancelled = await house.sweeps().cancel(server.waiting.id)
    assert await server.sweeps.run(server.waiting.id) == cancelled
    assert {run.state for run in await server.sweeps.runs()} == {RunState.RUNNING, RunState.CANCELLED}
    await server.goes_on()
    assert server.held.points == 0
    assert await stored(house, server.waiting) == cancelled


async def test_one_that_the_other_removed_stays_away(house: SweepHouse, server: Server) -> None:
    await house.sweeps().remove(server.waiting.id)
    with pytest.raises(NotFound, match="no sweep"):
        await server.sweeps.run(server.waiting.id)
    await server.goes_on()
    assert server.held.points == 0
    assert await stored(house, server.waiting) is None


async def test_one_that_the_other_goes_on_with_is_left_to_it(house: SweepHouse, server: Server) -> None:
    theirs = Held()
    theirs.allowed = 2
    other = house.sweeps(theirs)
    await other.resume(server.waiting.id)
    async with asyncio.timeout(60):
        await theirs.held.wait()
    await server.goes_on()
    assert server.held.points == 0
    found = await stored(house, server.waiting)
    assert found is not None
    assert (found.state, found.problem) == (RunState.RUNNING, None)
    assert (await server.sweeps.run(server.waiting.id)).state is RunState.RUNNING
    await other.cancel(server.waiting.id)
    theirs.allowed = 10**9
    await other.resume(server.waiting.id)
    assert (await other.wait(server.waiting.id)).state is RunState.DONE
    assert theirs.points == POINTS


async def test_one_that_the_other_has_done_is_not_done_again(house: SweepHouse, server: Server) -> None:
    other = house.sweeps()
    await other.resume(server.waiting.id)
    done = await other.wait(server.waiting.id)
    assert done.state is RunState.DONE
    await server.goes_on()
    assert server.held.points == 0
    assert await stored(house, server.waiting) == done


async def test_one_that_the_other_has_done_cannot_be_cancelled_or_gone_on_with(
    house: SweepHouse, server: Server
) -> None:
    other = house.sweeps()
    await other.resume(server.waiting.id)
    done = await other.wait(server.waiting.id)
    with pytest.raises(Refused, match="has ended already: it is done"):
        await server.sweeps.cancel(server.waiting.id)
    with pytest.raises(Refused, match="done already"):
        await house.sweeps().resume(server.waiting.id)
    assert await stored(house, server.waiting) == done


@pytest.mark.parametrize("ending", ["cancelled", "closed", "removed"])
async def test_one_removed_in_the_middle_stays_away_however_the_work_ends(house: SweepHouse, ending: str) -> None:
    sweeps, _ = await at_work(house)
    (run,) = await sweeps.runs()
    await house.sweeps().remove(run.id)
    if ending == "closed":
        await sweeps.aclose()
    else:
        with pytest.raises(NotFound):
            await (sweeps.cancel(run.id) if ending == "cancelled" else sweeps.remove(run.id))
    assert await stored(house, run) is None
    assert await sweeps.runs() == ()


async def test_closing_changes_nothing_of_what_the_other_does(house: SweepHouse, server: Server) -> None:
    theirs = Held()
    theirs.allowed = 1
    other = house.sweeps(theirs)
    await other.resume(server.waiting.id)
    async with asyncio.timeout(60):
        await theirs.held.wait()
    await server.sweeps.aclose()
    found, own = await stored(house, server.waiting), await stored(house, server.at_work)
    assert found is not None
    assert own is not None
    assert (found.state, own.state) == (RunState.RUNNING, RunState.WAITING)


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.CANCELLED])
async def test_what_another_process_holds_is_not_gone_on_with(
    house: SweepHouse, server: Server, state: RunState
) -> None:
    await server.sweeps.aclose()
    waiting = server.waiting
    if state is not RunState.WAITING:
        await house.sweeps().cancel(waiting.id)
    before = await stored(house, waiting)
    with claimed(house.folder / "sweeps" / f"{waiting.id}.lock") as free:
        assert free
        with pytest.raises(Refused, match="another process"):
            await house.sweeps().resume(waiting.id)
    assert await stored(house, waiting) == before
    again = house.sweeps()
    await again.resume(waiting.id)
    assert (await again.wait(waiting.id)).state is RunState.DONE


async def test_one_ended_elsewhere_is_gone_on_with_though_it_is_in_the_queue_still(
    house: SweepHouse, server: Server
) -> None:
    await house.sweeps().cancel(server.waiting.id)
    waiting, refusing = await asyncio.gather(
        server.sweeps.resume(server.waiting.id), server.sweeps.resume(server.waiting.id), return_exceptions=True
    )
    assert isinstance(waiting, StoredRun)
    assert waiting.state is RunState.WAITING
    assert isinstance(refusing, Refused)  # it is run once
    await server.goes_on()
    assert (await server.sweeps.run(server.waiting.id)).state is RunState.DONE
    assert server.held.points == POINTS
