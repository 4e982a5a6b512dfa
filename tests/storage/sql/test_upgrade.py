"""The layout of the tables: made by migrations, the same as the tables we speak of, and never one we do not know."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.builders import NOON, a_portfolio
from tests.storage.sql.records import a_template, an_ltv_record
from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.address import address_of
from vaultdash.storage.sql.checking import check
from vaultdash.storage.sql.ltv import SqlLtv
from vaultdash.storage.sql.portfolios import SqlPortfolios
from vaultdash.storage.sql.rows import Statements
from vaultdash.storage.sql.tables import APPEND_ONLY, metadata
from vaultdash.storage.sql.upgrade import HEAD, MIGRATIONS, REVISIONS, revision_of, tables_of, upgrade


def test_the_layouts_we_know_are_those_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))


async def test_the_migrations_make_the_tables_we_speak_of(database: SqlDatabase) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        return [line for line in found if "alembic_version" not in repr(line)]

    engine = database.address.writing_engine()
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(revision_of) == HEAD
        assert await connection.run_sync(upgrade) == HEAD  # and changes nothing
    await engine.dispose()


async def test_a_table_that_differs_is_found(database: SqlDatabase) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        connection.execute(sa.text("ALTER TABLE preferences ADD COLUMN more TEXT"))
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = database.address.writing_engine()
    async with engine.connect() as connection:
        assert "more" in repr(await connection.run_sync(differences))
    await engine.dispose()


async def test_a_database_of_a_later_release_is_refused_and_left_alone(database_url: str) -> None:
    database = SqlDatabase(database_url)
    await database.open()
    await database.aclose()
    engine = database.address.writing_engine()
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="later release of Vault Dashboard"):
        await database.open()
    assert "later release" in await SqlDatabase(database_url).state()
    async with engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"
    await engine.dispose()


def test_append_only_tables_are_those_of_the_layouts() -> None:
    from vaultdash.storage.sql.migrations.versions import v0001_records, v0002_backtests

    assert (*v0001_records.APPEND_ONLY, v0002_backtests.APPEND_ONLY) == APPEND_ONLY


async def test_a_database_of_the_first_layout_is_brought_up_with_what_it_holds(database_url: str) -> None:
    await make_first(database_url)
    database = SqlDatabase(database_url)
    assert await database.layout() == "0001"
    assert await database.upgrade() == "0001"
    assert await database.layout() == HEAD
    async with database.transaction() as tx:
        assert [kept.portfolio for kept in await tx.portfolios.all()] == [a_portfolio()]
        assert [line.what for line in await tx.portfolios.changes()] == ["made"]
        assert await tx.ltv.between("main") == [an_ltv_record()]
        assert list(await tx.templates.all()) == []
        assert await tx.templates.put(a_template(), NOON, expected_version=0) == a_template()
    await database.aclose()
    assert (await check(database.address)).problems == []


async def test_an_upgrade_that_fails_leaves_the_first_layout(database_url: str) -> None:
    await make_first(database_url)
    database = SqlDatabase(database_url)
    engine = database.address.writing_engine()
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE backtest_parts (a INTEGER)"))  # as nobody should
    with pytest.raises(DatabaseError, match="backtest_parts"):
        await database.open()
    async with engine.begin() as connection:
        names = await connection.run_sync(lambda bound: sa.inspect(bound).get_table_names())
        assert await connection.run_sync(revision_of) == "0001"
        await connection.execute(sa.text("DROP TABLE backtest_parts"))
    await engine.dispose()
    assert "hedge_templates" not in names
    await database.open()
    async with database.reading() as found:
        assert await found.ltv.between("main") == [an_ltv_record()]
    await database.aclose()


async def test_the_tables_of_the_first_layout_are_those_it_makes(database_url: str) -> None:
    await make_first(database_url)
    engine = SqlDatabase(database_url).address.reading_engine()
    async with engine.connect() as connection:
        found = set(await connection.run_sync(lambda bound: sa.inspect(bound).get_table_names()))
    await engine.dispose()
    assert found - {"alembic_version"} == {table.name for table in tables_of("0001")}
    assert tables_of(HEAD) == tuple(metadata.sorted_tables)


async def make_first(url: str) -> None:
    """A database as release 0.3.0 leaves it: its layout, with a portfolio and a record."""
    address = address_of(url)
    address.prepare()

    def first(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    engine = address.writing_engine()
    async with engine.begin() as connection:
        await connection.run_sync(first)
        statements = Statements(connection, address)
        await SqlPortfolios(statements).put(a_portfolio(), NOON, "page", "made")
        await SqlLtv(statements).add(an_ltv_record())
    await engine.dispose()
