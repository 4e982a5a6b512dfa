"""Backups: one committed state even under load, the same format from both databases and into both."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOON, a_portfolio
from tests.storage.sql.records import a_channel, a_delivery, a_template, an_event, an_ltv_record
from tests.storage.sql.test_upgrade import make_first
from tests.storage.sql.year import Year, write_a_year
from vaultdash.domain.errors import DatabaseError, NotFound, Refused
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.backup import Backup, back_up, verify
from vaultdash.storage.sql.copying import compare
from vaultdash.storage.sql.restoring import Restored, restore


async def make(database: SqlDatabase, file: Path, **more: bool) -> Backup:
    return await back_up(
        database.address, file, {"push.key": file.parent / "data" / "push.key"}, lambda: NOON, **more
    )


async def bring_back(file: Path, database: SqlDatabase, force: bool = False) -> Restored:
    keys = {"push.key": file.parent / "data" / "push.key"}
    return await restore(file, database.address, keys, lambda: NOON, force=force)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups are made; the data folder beside them holds a key."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "push.key").write_bytes(b"the key")
    return tmp_path


@asynccontextmanager
async def load(database: SqlDatabase) -> AsyncIterator[list[int]]:
    """Commits of five tables without end while it lasts; the numbers of those told kept."""
    told: list[int] = []
    begun = asyncio.Event()

    async def write() -> None:
        while True:
            number = len(told) + 1
            async with database.transaction() as tx:
                await tx.portfolios.put(a_portfolio(loan=float(number)), NOON, "test", "load")
                await tx.ltv.add(an_ltv_record(NOON + timedelta(seconds=number)))
                await tx.alerts.add_event(an_event(number))
                await tx.alerts.put_channel(a_channel(0, name=f"channel {number}"))
                await tx.alerts.add_delivery(a_delivery(number, event_id=f"event-{number}", channel_id="channel-0"))
            told.append(number)
            begun.set()

    writer = asyncio.create_task(write())
    try:
        await begun.wait()
        yield told
    finally:
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer


@pytest.mark.parametrize("backups", [4, pytest.param(20, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
async def test_a_backup_under_load_is_one_committed_state(database: SqlDatabase, folder: Path, backups: int) -> None:
    sizes = []
    async with load(database) as told:
        for number in range(backups):
            await asyncio.sleep(0.05)
            before = len(told)
            made = await make(database, folder / f"{number}.backup")
            after = len(told)
            count = made.counts["portfolio_changes"]
            assert before <= count <= after + 1, "it is not a state of the time in which it was made"
            sizes.append(count)
    assert len(set(sizes)) > 1, "nothing was written meanwhile"
    for number, count in enumerate(sizes):
        back = SqlDatabase(f"sqlite:///{folder}/restored-{number}.db")
        await bring_back(folder / f"{number}.backup", back)
        async with back.reading() as found, database.reading() as now:
            (kept,) = await found.portfolios.all()
            assert (kept.version, kept.portfolio.loan.amount) == (count, count)
            assert len(await found.ltv.between("main")) == count
            assert (await found.alerts.channels())[0].name == f"channel {count}"
            events = await found.alerts.events(limit=10**6)
            assert events == [await now.alerts.event(f"event-{line}") for line in range(count, 0, -1)]
            for line in (1, count):
                assert await found.alerts.deliveries(f"event-{line}") == await now.alerts.deliveries(f"event-{line}")
        await back.aclose()
    print(f"{backups} backups of {sizes[0]} to {sizes[-1]} commits: each equal to a committed state")


@pytest.fixture(params=["sqlite to sqlite", "sqlite to postgresql", "postgresql to sqlite"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The URLs of a database and of one that is not there yet."""
    source, target = request.param.split(" to ")
    second = f"sqlite:///{tmp_path}/new/vault.db" if source == target else request.getfixturevalue(f"{target}_url")
    return request.getfixturevalue(f"{source}_url"), second


async def test_a_backup_restores_into_both(way: tuple[str, str], folder: Path) -> None:
    source, target = SqlDatabase(way[0]), SqlDatabase(way[1])
    written = await write_a_year(source, Year(hours=60))
    made = await make(source, folder / "a.backup")
    assert (made.made_at, made.counts, made.files) == (NOON, written, {"push.key": b"the key"})
    assert stat.S_IMODE((folder / "a.backup").stat().st_mode) == 0o600
    (folder / "data" / "push.key").unlink()
    restored = await bring_back(folder / "a.backup", target)
    assert restored.aside == ()
    assert (folder / "data" / "push.key").read_bytes() == b"the key"
    async with source.reading_statements() as ours, target.reading_statements() as theirs:
        assert (await compare(ours, theirs)).differences == ()
    async with target.transaction() as tx:  # it goes on, and what was written down is still guarded
        assert "CHF" in {kept.portfolio.loan.currency for kept in await tx.portfolios.all()}
        await tx.portfolios.put(a_portfolio(), NOON, "test", "on")
    await source.aclose()
    await target.aclose()


async def test_what_is_there_is_only_replaced_when_told_to_and_kept_aside(
    database: SqlDatabase, folder: Path
) -> None:
    async with database.transaction() as tx:
        await tx.preferences.put("which", "old")
    await make(database, folder / "old.backup")
    async with database.transaction() as tx:
        await tx.preferences.put("which", "new")
        await tx.ltv.add(an_ltv_record())
    await database.aclose()
    (folder / "data" / "push.key").write_bytes(b"another key")
    with pytest.raises(Refused, match=r"is not empty \(.*1 in preferences.*--force"):
        await bring_back(folder / "old.backup", database)
    await database.open()
    async with database.reading() as found:
        assert await found.preferences.get("which") == "new"
    await database.aclose()
    restored = await bring_back(folder / "old.backup", database, force=True)
    await database.open()
    async with database.reading() as found:
        assert await found.preferences.get("which") == "old"
        assert await found.ltv.between("main") == []
    aside, key = restored.aside
    assert key.read_bytes() == b"another key"
    assert (folder / "data" / "push.key").read_bytes() == b"the key"
    before = SqlDatabase(f"sqlite:///{aside}")
    async with before.reading() as found:
        assert await found.preferences.get("which") == "new"
        assert len(await found.ltv.between("main")) == 1
    await before.aclose()


async def test_a_database_in_use_is_not_replaced(sqlite_url: str, folder: Path) -> None:
    database = SqlDatabase(sqlite_url)
    await database.open()
    await make(database, folder / "a.backup")
    async with database.transaction() as tx:
        await tx.preferences.put("which", "new")
    with pytest.raises(Refused, match="is in use: stop Vault Dashboard first"):
        await bring_back(folder / "a.backup", database, force=True)
    async with database.transaction() as tx:
        assert await tx.preferences.get("which") == "new"
    await database.aclose()
    assert await bring_back(folder / "a.backup", database, force=True)


async def test_a_damaged_database_is_replaced_and_kept_aside(sqlite_url: str, folder: Path) -> None:
    database = SqlDatabase(sqlite_url)
    await database.open()
    await make(database, folder / "a.backup")
    await database.aclose()
    assert database.address.file is not None
    database.address.file.write_bytes(b"rubbish" * 1000)
    with pytest.raises(Refused, match="cannot be read: nothing was changed"):
        await bring_back(folder / "a.backup", database)
    restored = await bring_back(folder / "a.backup", database, force=True)
    assert restored.aside[0].read_bytes() == b"rubbish" * 1000
    await database.open()
    assert await database.state() == "ok"
    await database.aclose()


async def test_a_backup_that_cannot_be_trusted_changes_nothing(sqlite_url: str, folder: Path) -> None:
    database = SqlDatabase(sqlite_url)
    await write_a_year(database, Year(hours=100))
    good = folder / "good.backup"
    await make(database, good)
    torn, other, later = folder / "torn", folder / "other", folder / "later"
    content = bytearray(good.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    torn.write_bytes(content)
    sqlite3.connect(other).execute("CREATE TABLE mine (a)").connection.close()
    later.write_bytes(good.read_bytes())
    with sqlite3.connect(later) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    before = database.address.file.read_bytes() if database.address.file else b""
    for file, words in (
        (torn, "damaged"),
        (other, "no backup"),
        (later, "later release"),
        (folder / "data" / "push.key", "is no database"),
    ):
        with pytest.raises(DatabaseError, match=words):
            await bring_back(file, database, force=True)
    with pytest.raises(NotFound):
        await bring_back(folder / "nowhere", database, force=True)
    assert before == (database.address.file.read_bytes() if database.address.file else b"")
    await database.aclose()


async def test_a_backup_is_not_overwritten_unless_told_to(sqlite_url: str, folder: Path) -> None:
    database = SqlDatabase(sqlite_url)
    with pytest.raises(NotFound, match="There is no database"):
        await make(database, folder / "a.backup")
    await database.open()
    await make(database, folder / "a.backup")
    with pytest.raises(Refused, match="is there already"):
        await make(database, folder / "a.backup")
    await make(database, folder / "a.backup", overwrite=True)
    assert database.address.file is not None
    with pytest.raises(Refused, match="is the database itself"):
        await make(database, database.address.file, overwrite=True)
    assert list(folder.glob(".*.part")) == []  # noqa: ASYNC240 - a folder of a test
    await database.aclose()


async def test_a_plain_copy_of_the_file_restores_too(sqlite_url: str, folder: Path) -> None:
    database = SqlDatabase(sqlite_url)
    await write_a_year(database, Year(hours=30))
    await database.aclose()
    assert database.address.file is not None
    copy = folder / "copy.db"
    copy.write_bytes(database.address.file.read_bytes())
    assert verify(copy).made_at is None
    back = SqlDatabase(f"sqlite:///{folder}/back.db")
    await bring_back(copy, back)
    await database.open()
    async with database.reading_statements() as ours, back.reading_statements() as theirs:
        assert (await compare(ours, theirs)).differences == ()
    await back.aclose()
    await database.aclose()


async def test_a_backup_of_an_earlier_layout_restores_and_is_brought_up(database_url: str, folder: Path) -> None:
    await make_first(f"sqlite:///{folder}/old.db")
    old = SqlDatabase(f"sqlite:///{folder}/old.db")
    made = await make(old, folder / "old.backup")  # before anybody has upgraded it
    assert (made.layout, made.counts["portfolios"], made.counts.get("hedge_templates")) == ("0001", 1, None)
    with pytest.raises(Refused, match=r"is not empty .*1 in portfolios"):
        await bring_back(folder / "old.backup", old)
    back = SqlDatabase(database_url)
    await bring_back(folder / "old.backup", back)
    async with back.transaction() as tx:
        assert [kept.portfolio for kept in await tx.portfolios.all()] == [a_portfolio()]
        await tx.templates.put(a_template(), NOON, expected_version=0)
    await back.aclose()


async def test_a_backup_that_lacks_a_table_of_its_layout_is_refused(sqlite_url: str, folder: Path) -> None:
    database = SqlDatabase(sqlite_url)
    await database.open()
    await make(database, folder / "a.backup")
    await database.aclose()
    with sqlite3.connect(folder / "a.backup") as opened:
        opened.execute("DROP TABLE backtest_parts")
    opened.close()
    with pytest.raises(DatabaseError, match="it has no table backtest_parts"):
        verify(folder / "a.backup")
