"""Everything moves from one database into another: a year of it, in both directions, and what differs is named."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import NOON, a_portfolio
from tests.storage.sql.year import Year, write_a_year
from vaultdash.domain.errors import Refused
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.copying import TABLES
from vaultdash.storage.sql.moving import Steps, compare_databases, copy_database


@pytest.fixture
async def pair(
    request: pytest.FixtureRequest, sqlite_url: str, postgresql_url: str
) -> AsyncIterator[tuple[SqlDatabase, SqlDatabase]]:
    """A database and an empty one of the other kind."""
    databases = [SqlDatabase(url) for url in (sqlite_url, postgresql_url)]
    yield tuple(databases) if request.param == "to_postgresql" else tuple(reversed(databases))  # type: ignore[misc]  # two
    for database in databases:
        await database.aclose()


both_ways = pytest.mark.parametrize("pair", ["to_postgresql", "to_sqlite"], indirect=True)


@both_ways
async def test_a_year_moves_without_a_difference(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    source, target = pair
    year = Year(hours=8760 if source.address.is_sqlite else 500)
    written = await write_a_year(source, year)
    told: list[tuple[str, int, int]] = []
    found = await copy_database(source, target, Steps(copying=lambda *step: told.append(step)))
    assert found.differences == ()
    assert found.counts == {name: (count, count) for name, count in written.items()}
    assert found.counts["ltv_snapshots"][0] == 2 * year.hours + year.crossings
    assert all(found.counts[table.name][0] > 0 for table in TABLES)
    assert told[-1][1] == told[-1][2]
    async with source.reading() as ours, target.reading() as theirs:
        assert await theirs.portfolios.all() == await ours.portfolios.all()
        assert await theirs.portfolios.changes() == await ours.portfolios.changes()
        assert await theirs.alerts.events() == await ours.alerts.events()
        assert await theirs.ltv.between("main") == await ours.ltv.between("main")
    async with target.transaction() as tx:  # and goes on from there
        stored = await tx.portfolios.put(a_portfolio(), NOON, "test", "after the move")
        assert (await tx.portfolios.changes(limit=1))[0].id == written["portfolio_changes"] + 1
        assert stored.version > 1


@both_ways
async def test_what_differs_is_named(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    source, target = pair
    await write_a_year(source, Year(hours=30))
    await copy_database(source, target)
    nudged = NOON + timedelta(microseconds=1)
    engine = target.address.writing_engine()
    async with engine.begin() as connection:
        if target.address.is_sqlite:
            await connection.execute(sa.text("DROP TRIGGER ltv_snapshots_no_update"))
            await connection.execute(sa.text("DROP TRIGGER portfolio_changes_no_delete"))
        else:
            await connection.execute(sa.text("ALTER TABLE ltv_snapshots DISABLE TRIGGER USER"))
            await connection.execute(sa.text("ALTER TABLE portfolio_changes DISABLE TRIGGER USER"))
        ltv = TABLES[[table.name for table in TABLES].index("ltv_snapshots")]
        first = sa.select(sa.func.min(ltv.c.at)).scalar_subquery()
        await connection.execute(
            sa.update(ltv).where(ltv.c.at == first, ltv.c.portfolio_id == "main").values(ltv=ltv.c.ltv + 2.0**-50)
        )
        await connection.execute(sa.text("DELETE FROM portfolio_changes WHERE id = 2"))
        await connection.execute(sa.text("INSERT INTO preferences VALUES ('planted', '1')"))
        await connection.execute(sa.text("UPDATE channels SET problem = 'x' WHERE id = 'channel-1'"))
    await engine.dispose()
    found = await compare_databases(source, target)
    told = {str(line) for line in found.differences}
    assert len(told) == 4
    assert "portfolio_changes 2: is missing in the copy" in told
    assert "preferences planted: is only in the copy" in told
    assert "channels channel-1: problem differs" in told
    assert any(line.startswith("ltv_snapshots main 2") and line.endswith(": ltv differs") for line in told)
    assert nudged


@both_ways
async def test_a_target_that_holds_something_is_refused_and_left_alone(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    source, target = pair
    for database, name in zip(pair, ("current", "theirs"), strict=True):
        async with database.transaction() as tx:
            await tx.preferences.put(name, 1)
    with pytest.raises(Refused, match="is not empty \\(1 in preferences\\): nothing was copied"):
        await copy_database(source, target)
    async with target.reading() as found:
        assert await found.preferences.get("current") is None


async def test_a_database_is_not_copied_into_itself(sqlite_url: str) -> None:
    database = SqlDatabase(sqlite_url)
    with pytest.raises(Refused, match="is the database itself"):
        await copy_database(database, SqlDatabase(sqlite_url))


@both_ways
async def test_a_copy_that_breaks_off_leaves_nothing(pair: tuple[SqlDatabase, SqlDatabase]) -> None:
    source, target = pair
    await write_a_year(source, Year(hours=1200))
    steps = itertools.count()

    def stop(_table: str, _done: int, _of: int) -> None:
        if next(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await copy_database(source, target, Steps(copying=stop))
    found = await copy_database(source, target)
    assert found.differences == ()
