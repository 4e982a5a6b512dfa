"""Transactions of both databases: whole or not at all, one writer at a time, readers that wait for nobody."""

import asyncio
import itertools
from contextlib import suppress

import pytest
import sqlalchemy as sa

from tests.builders import NOON, a_portfolio
from tests.storage.sql.processes import processes
from tests.storage.sql.records import a_template, an_event, an_ltv_record
from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql import database as databases
from vaultdash.storage.sql.tables import APPEND_ONLY


def put_again(url: str, times: int) -> None:
    """As a program of its own would."""

    async def run() -> None:
        database = SqlDatabase(url)
        for _ in range(times):
            await put(database)
        await database.aclose()

    asyncio.run(run())


async def put(database: SqlDatabase, loan: float = 600_000) -> None:
    async with database.transaction() as tx:
        await tx.portfolios.put(a_portfolio(loan=loan), NOON, "test", "put")


async def count(database: SqlDatabase) -> int:
    async with database.reading() as found:
        return await found.portfolios.revision()


async def test_what_is_raised_in_it_takes_a_transaction_back(database: SqlDatabase) -> None:
    with pytest.raises(OSError, match="elsewhere"):  # noqa: PT012 - the transaction is what is left
        async with database.transaction() as tx:
            await tx.portfolios.put(a_portfolio(), NOON, "test", "put")
            raise OSError("elsewhere")
    assert await count(database) == 0
    await put(database)
    assert await count(database) == 1


async def test_who_is_cancelled_in_it_has_changed_nothing(database: SqlDatabase) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with database.transaction() as tx:
            await tx.portfolios.put(a_portfolio(), NOON, "test", "put")
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await count(database) == 0
    await put(database)
    assert await count(database) == 1


async def test_cancelled_at_any_moment_a_transaction_is_whole_or_not_there(database: SqlDatabase) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            await tx.portfolios.put(a_portfolio(), NOON, "test", "put")
            await tx.alerts.add_event(an_event(await tx.portfolios.revision()))

    for turn in range(60):
        task = asyncio.create_task(write())
        await asyncio.sleep(0.0002 * turn)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    async with database.reading() as found:
        assert len(await found.alerts.events()) == await found.portfolios.revision()
    before = await count(database)
    await put(database)
    assert await count(database) == before + 1


async def test_writers_take_turns(database: SqlDatabase) -> None:
    await asyncio.gather(*(put(database, loan) for loan in range(1, 41)))
    async with database.reading() as found:
        (kept,) = await found.portfolios.all()
        assert kept.version == 40
        assert [line.id for line in await found.portfolios.changes()] == list(range(40, 0, -1))


async def test_a_transaction_within_a_transaction_is_told_at_once(database: SqlDatabase) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):  # noqa: PT012 - the inner one is what fails
        async with database.transaction() as tx:
            await tx.portfolios.put(a_portfolio(), NOON, "test", "put")
            await put(database)
    assert await count(database) == 0


async def test_a_writer_that_does_not_end_is_not_waited_for_without_end(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "TURN_SECONDS", 0.1)
    async with database.transaction():
        other = asyncio.create_task(put(database))
        with pytest.raises(DatabaseError, match="busy with other work"):
            await other
    await put(database)


async def test_readers_neither_wait_for_a_writer_nor_see_half_of_it(database: SqlDatabase) -> None:
    await put(database)
    async with database.transaction() as tx:
        await tx.portfolios.put(a_portfolio(loan=1.0), NOON, "test", "put")
        async with asyncio.timeout(30):
            assert await count(database) == 1
    assert await count(database) == 2


async def test_a_reader_sees_one_state_to_its_end(database: SqlDatabase) -> None:
    await put(database)
    async with database.reading() as found:
        assert await found.portfolios.revision() == 1
        await put(database)
        assert await found.portfolios.revision() == 1
        assert len(await found.portfolios.changes()) == 1
    assert await count(database) == 2


async def test_nothing_is_written_while_reading(database: SqlDatabase) -> None:
    with pytest.raises(DatabaseError):
        async with database.reading() as found:
            await found.portfolios.put(a_portfolio(), NOON, "test", "put")
    assert await count(database) == 0


async def test_what_was_written_down_cannot_be_changed(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        await tx.portfolios.put(a_portfolio(), NOON, "test", "put")
        await tx.ltv.add(an_ltv_record())
        await tx.alerts.add_event(an_event())
        await tx.templates.put(a_template(), NOON, expected_version=0)
    deeds = ["UPDATE {} SET at = at", "DELETE FROM {}"]
    if not database.address.is_sqlite:
        deeds.append("TRUNCATE {} CASCADE")
    writer = database.address.writing_engine()
    for table, deed in itertools.product(APPEND_ONLY, deeds):
        async with writer.connect() as connection:
            with pytest.raises(sa.exc.DBAPIError, match=f"{table} is only ever added to"):
                await connection.execute(sa.text(deed.format(table)))
    await writer.dispose()


async def test_the_first_use_opens(database_url: str) -> None:
    database = SqlDatabase(database_url)
    assert await count(database) == 0
    assert await database.state() == "ok"
    await database.aclose()
    await database.aclose()


async def test_processes_that_start_at_once_write_all_they_have(database_url: str) -> None:
    started = [processes().Process(target=put_again, args=(database_url, 10)) for _ in range(3)]
    for process in started:
        process.start()
    for process in started:
        await asyncio.to_thread(process.join)
    assert [process.exitcode for process in started] == [0, 0, 0]
    database = SqlDatabase(database_url)
    async with database.reading() as found:
        (kept,) = await found.portfolios.all()
        assert kept.version == 30
    await database.aclose()


async def test_its_state_is_remembered_for_half_a_minute(database_url: str) -> None:
    now = [0.0]
    database = SqlDatabase(database_url, monotonic=lambda: now[0])
    assert await database.state() == "ok"
    spoil = database.address.writing_engine()
    async with spoil.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE portfolio_changes RENAME TO gone"))
    await spoil.dispose()
    now[0] = 29.0
    assert await database.state() == "ok"
    now[0] = 30.0
    assert "portfolio_changes" in await database.state()
    await database.aclose()
