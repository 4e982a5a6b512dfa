"""The layout of the tables: made by migrations, the same as the tables we speak of, and never one we do not know."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from vaultdash.domain.errors import DatabaseError
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.tables import APPEND_ONLY, metadata
from vaultdash.storage.sql.upgrade import HEAD, MIGRATIONS, REVISIONS, revision_of, upgrade


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


def test_append_only_tables_are_those_of_the_first_layout() -> None:
    from vaultdash.storage.sql.migrations.versions import v0001_records

    assert v0001_records.APPEND_ONLY == APPEND_ONLY
