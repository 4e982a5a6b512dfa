"""TimescaleDB is used when the server offers it and passed over when it refuses.

The extension itself is not at hand here: one of the same name, which notes what is asked of it, stands in.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.storage.sql.records import an_ltv_record
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.checking import check

CONTROL = "default_version = '2.0'\nrelocatable = true\n"
NOTES = """
CREATE TABLE asked (relation regclass, by name);
CREATE FUNCTION create_hypertable(relation regclass, by name) RETURNS void LANGUAGE sql
AS 'INSERT INTO asked VALUES (relation, by)';
"""
REFUSES = """
CREATE FUNCTION create_hypertable(relation regclass, by name) RETURNS void LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
"""


@pytest.fixture
def offer() -> Iterator[Callable[[str], Path]]:
    """Make an extension `timescaledb` of some SQL, in a folder that the server's user may read."""
    with tempfile.TemporaryDirectory() as name:

        def make(content: str) -> Path:
            folder = Path(name) / "extension"
            folder.mkdir()
            (folder / "timescaledb.control").write_text(CONTROL)
            (folder / "timescaledb--2.0.sql").write_text(content)
            for path in (Path(name), folder):
                path.chmod(0o755)
            return Path(name)

        yield make


async def look_for_extensions_in(server: str, path: str) -> None:
    connection = await asyncpg.connect(server)
    if int(await connection.fetchval("SHOW server_version_num")) < 180000:
        await connection.close()
        pytest.skip("this PostgreSQL looks for extensions in its own folder only")
    await connection.execute(f"ALTER SYSTEM SET extension_control_path = '{path}'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    await asyncio.sleep(0.2)


@pytest.mark.parametrize(("content", "asked"), [(NOTES, ["ltv_snapshots at"]), (REFUSES, None)])
async def test_snapshots_become_a_hypertable_where_that_is_possible(
    offer: Callable[[str], Path],
    postgresql: str,
    postgresql_url: str,
    content: str,
    asked: list[str] | None,
) -> None:
    database = SqlDatabase(postgresql_url)
    await look_for_extensions_in(postgresql, f"{offer(content)}:$system")
    try:
        await database.open()
    finally:
        await look_for_extensions_in(postgresql, "$system")
    connection = await asyncpg.connect(postgresql_url)
    has_it = await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")
    assert has_it == (asked is not None)
    if asked is not None:
        rows = await connection.fetch("SELECT relation::text || ' ' || by AS said FROM asked")
        assert [row["said"] for row in rows] == asked
    await connection.close()
    async with database.transaction() as tx:
        await tx.ltv.add(an_ltv_record())
    facts = (await check(database.address)).facts
    assert ("TimescaleDB 2.0" if asked else "no TimescaleDB") in facts
    await database.aclose()
