"""A writer that is killed at any moment has lost nothing that it was told is kept."""

import asyncio
import random
import time
from multiprocessing.connection import Connection

import pytest

from tests.builders import NOON, a_portfolio
from tests.storage.sql.processes import processes
from tests.storage.sql.records import an_event
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.checking import check

SEED = 4711
LONGEST_LIFE = 0.15  # seconds from its first commit to the kill


def write_on(url: str, told: Connection) -> None:
    """Commit without end; each number is told when it is kept, never before."""

    async def run() -> None:
        database = SqlDatabase(url)
        async with database.reading() as found:
            number = await found.portfolios.revision()
        while True:
            number += 1
            async with database.transaction() as tx:
                await tx.portfolios.put(a_portfolio(loan=float(number)), NOON, "test", f"change {number}")
                await tx.alerts.add_event(an_event(number))
            told.send(number)

    asyncio.run(run())


def last_told_by_a_victim(url: str, life: float) -> int:
    """Let a writer live a moment, kill it, and return the last number it told."""
    context = processes()
    ours, theirs = context.Pipe(duplex=False)
    victim = context.Process(target=write_on, args=(url, theirs), daemon=True)
    victim.start()
    theirs.close()
    assert ours.poll(60), "the writer did not begin"
    time.sleep(life)
    victim.kill()
    victim.join()
    assert victim.exitcode == -9
    last = 0
    try:
        while True:
            last = ours.recv()
    except (EOFError, OSError):  # the last telling may be half
        return last


@pytest.mark.parametrize("kills", [8, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
async def test_what_was_told_is_there_after_the_kill(database_url: str, kills: int) -> None:
    if kills > 100 and database_url.startswith("postgresql"):
        kills = 100  # there the server keeps it, and that one lives
    chance = random.Random(SEED)
    before, cut_short, missing = 0, 0, []
    for number in range(kills):
        told = await asyncio.to_thread(last_told_by_a_victim, database_url, chance.uniform(0, LONGEST_LIFE))
        database = SqlDatabase(database_url)
        async with database.reading() as found:
            changes = await found.portfolios.revision()
            stored = await found.portfolios.get("main")
            newest = (await found.alerts.events(limit=1))[0]
            assert stored is not None
            assert (stored.version, stored.portfolio.loan.amount) == (changes, changes), "half of a transaction"
            assert newest.id == f"event-{changes}", "half of a transaction"
        await database.aclose()
        if changes < told:
            missing.append((number, told, changes))
        cut_short += changes > told
        assert told > before, "the writer did not go on from what was there"
        before = changes
        if number % 100 == 99:
            print(f"{number + 1} kills, {before} commits", flush=True)
    assert missing == [], f"seed {SEED}"
    findings = await check(SqlDatabase(database_url).address)
    assert findings.problems == []
    print(f"{kills} kills after {before} commits: 0 lost; {cut_short} were kept without having been told")


async def test_a_writer_that_tells_too_early_is_caught(sqlite_url: str) -> None:
    """The control: told before the commit, some numbers are not there after the kill."""
    context = processes()
    missing = 0
    for life in range(12):
        ours, theirs = context.Pipe(duplex=False)
        victim = context.Process(target=tell_too_early, args=(sqlite_url, theirs), daemon=True)
        victim.start()
        theirs.close()
        told = await asyncio.to_thread(ours.recv)
        await asyncio.sleep(0.003 * life)
        victim.kill()
        victim.join()
        while ours.poll():
            try:
                told = ours.recv()
            except (EOFError, OSError):
                break
        database = SqlDatabase(sqlite_url)
        async with database.reading() as found:
            missing += await found.portfolios.revision() < told
        await database.aclose()
    assert missing > 0


def tell_too_early(url: str, told: Connection) -> None:
    """What no program may do."""

    async def run() -> None:
        database = SqlDatabase(url)
        async with database.reading() as found:
            number = await found.portfolios.revision()
        while True:
            number += 1
            async with database.transaction() as tx:
                await tx.portfolios.put(a_portfolio(), NOON, "test", "early")
                told.send(number)
                await asyncio.sleep(0.002)

    asyncio.run(run())
