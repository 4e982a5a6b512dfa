"""What goes wrong is said in a sentence, and no password is in it."""

import asyncio
import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import NOON, a_portfolio
from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql import address as addresses
from vaultdash.storage.sql.address import address_of


async def problem(database: SqlDatabase) -> str:
    with pytest.raises(DatabaseError) as raised:
        await database.open()
    await database.aclose()
    return str(raised.value)


async def put(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        await tx.portfolios.put(a_portfolio(), NOON, "test", "put")


async def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path / 'in' / 'folders?#%20' / 'vault.db'}")
    await put(database)
    assert database.address.file is not None
    files = list(database.address.file.parent.iterdir())
    assert {file.name for file in files} == {"vault.db", "vault.db-wal", "vault.db-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await database.aclose()
    assert {file.name for file in database.address.file.parent.iterdir()} == {"vault.db"}


async def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"this is no database at all" * 100)
    assert "is no database, or damaged; restore a backup" in await problem(
        SqlDatabase(f"sqlite:///{tmp_path}/vault.db")
    )
    assert (tmp_path / "vault.db").read_bytes().startswith(b"this is no database")


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "vault.db"
    database = SqlDatabase(f"sqlite:///{file}")
    await put(database)
    await database.aclose()
    content = bytearray(file.read_bytes())
    content[4096:] = random.Random(1).randbytes(len(content) - 4096)
    file.write_bytes(content)
    damaged = SqlDatabase(f"sqlite:///{file}")
    with pytest.raises(DatabaseError, match="is damaged; restore a backup"):
        await put(damaged)
    await damaged.aclose()


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = await problem(SqlDatabase(f"sqlite:///{tmp_path}/file/vault.db"))
    assert said == f"The database {tmp_path}/file/vault.db cannot be opened: File exists. Check who may write there."


async def test_nothing_is_acknowledged_into_a_file_that_has_lost_its_name(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}")
    await put(database)
    (tmp_path / "vault.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(DatabaseError, match="removed or replaced while it was in use"):
        await put(database)
    assert "removed or replaced" in await database.state()
    (tmp_path / "elsewhere.db").rename(tmp_path / "vault.db")
    await put(database)
    await database.aclose()


async def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}")
    await put(database)
    _, writer = await database._opened()
    async with writer.connect() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")  # at once as full as it can be
        await connection.rollback()
    with pytest.raises(DatabaseError, match="the disk is full"):  # noqa: PT012 - any of them may be the one
        for _ in range(200):
            await put(database)
    async with database.reading() as found:
        assert await found.portfolios.revision() >= 1
    await database.aclose()


async def test_another_writer_that_does_not_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "BUSY_SECONDS", 0.1)
    database = SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}")
    await put(database)
    other = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="kept busy by another process"):
        await put(database)
    async with database.reading() as found:
        assert await found.portfolios.revision() == 1
    other.execute("ROLLBACK")
    other.close()
    await put(database)
    await database.aclose()


async def test_a_place_where_power_loss_would_lose_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "PRAGMAS", ("journal_mode = WAL", "synchronous = NORMAL"))
    assert "cannot be kept safely there" in await problem(SqlDatabase(f"sqlite:///{tmp_path / 'a.db'}"))
    monkeypatch.setattr(addresses, "PRAGMAS", ("journal_mode = DELETE", "synchronous = FULL"))
    assert "put VAULT_DATA_DIR on a local disk" in await problem(SqlDatabase(f"sqlite:///{tmp_path / 'b.db'}"))


async def test_a_server_that_is_away_is_told_without_the_password() -> None:
    said = await problem(SqlDatabase("postgresql://owner:s3cret-word@127.0.0.1:1/vault"))
    assert said == (
        "The database 127.0.0.1/vault cannot be reached; check that the server runs and VAULT_DATABASE_URL names it."
    )


async def test_a_wrong_password_is_told_but_not_shown(postgresql_url: str, postgresql: str) -> None:
    import asyncpg

    hba = Path(postgresql.split("host=")[1]) / "pg_hba.conf"
    kept = hba.read_text()
    server = await asyncpg.connect(postgresql)
    await server.execute("CREATE ROLE guest LOGIN PASSWORD 'right'")
    hba.write_text("local all guest scram-sha-256\n" + kept)
    await server.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.2)
    try:
        said = await problem(SqlDatabase(postgresql_url.replace("postgres:", "guest:wr0ng-word")))
    finally:
        hba.write_text(kept)
        await server.execute("SELECT pg_reload_conf()")
        await server.execute("DROP ROLE guest")
        await server.close()
    assert "refuses this user name or password; check VAULT_DATABASE_URL" in said
    assert "wr0ng" not in said


async def test_a_database_that_is_not_there_is_told(postgresql: str) -> None:
    said = await problem(SqlDatabase(postgresql.replace("/postgres?", "/nowhere?")))
    assert "does not exist; create it" in said


async def test_a_server_that_goes_and_comes_back_is_survived(postgresql_url: str, postgresql: str) -> None:
    import asyncpg

    database = SqlDatabase(postgresql_url)
    await put(database)
    server = await asyncpg.connect(postgresql)
    name = postgresql_url.split("/")[3].split("?")[0]
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await server.close()
    await put(database)
    async with database.reading() as found:
        assert await found.portfolios.revision() == 2
    await database.aclose()


@pytest.mark.parametrize("url", ["", "mysql://root@localhost/x", "sqlite:///", "postgresql://u:p4ss@host:port/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match="VAULT_DATABASE_URL") as raised:
        address_of(url)
    assert "p4ss" not in str(raised.value)


def test_an_address_is_shown_without_its_password() -> None:
    found = address_of("postgresql://owner:s3cret@db.example.org:5433/vault?sslmode=require")
    assert found.shown == "db.example.org/vault"
    assert "s3cret" not in repr(found)
    assert found.url.query == {"ssl": "require"}


async def test_alembic_is_only_loaded_when_there_is_something_to_do(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path}/old.db")
    await database.open()
    await database.aclose()
    asked = (
        "import asyncio, sys; from vaultdash.storage.sql import SqlDatabase\n"
        "async def run(name):\n"
        f"    database = SqlDatabase(f'sqlite:///{tmp_path}/{{name}}.db')\n"
        "    await database.open()\n"
        "    await database.aclose()\n"
        "    print(name, 'alembic' in sys.modules)\n"
        "asyncio.run(run('old')); asyncio.run(run('new'))\n"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", asked], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "old False", done.stderr
    assert done.stdout.splitlines()[-1] == "new True"
