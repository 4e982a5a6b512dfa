"""Hedge templates with all their versions, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import NOON
from tests.storage.sql.records import a_template
from vaultdash.domain.errors import NotFound, Refused
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.checking import check


async def test_what_was_put_comes_back_bit_by_bit(database: SqlDatabase) -> None:
    template = a_template(version=7, coverage=0.1 + 0.2)
    async with database.transaction() as tx:
        kept = await tx.templates.put(template, NOON, expected_version=0)
    assert kept == a_template(version=1, coverage=0.1 + 0.2)
    async with database.reading() as found:
        assert await found.templates.all() == [kept]
        assert await found.templates.get("mine") == kept
        assert await found.templates.get("other") is None


async def test_every_version_stays(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        first = await tx.templates.put(a_template(), NOON, expected_version=0)
        second = await tx.templates.put(a_template(name="Second"), NOON, expected_version=1)
    async with database.reading() as found:
        assert [each.version for each in (first, second)] == [1, 2]
        assert await found.templates.get("mine", 1) == first
        assert await found.templates.get("mine", 2) == await found.templates.get("mine") == second
        for missing in (0, 3, -1, 2**63, 10**30):
            assert await found.templates.get("mine", missing) is None
        assert await found.templates.all() == [second]


async def test_a_stale_change_is_refused_and_keeps_no_version(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        await tx.templates.put(a_template(), NOON, expected_version=0)
    for name, expected, words in (("mine", 0, "already"), ("mine", 2, "at version 1, not 2"), ("b", 1, "any more")):
        with pytest.raises(Refused, match=words):
            async with database.transaction() as tx:
                await tx.templates.put(a_template(id=name, name="Late"), NOON, expected_version=expected)
    async with database.reading() as found:
        assert await found.templates.all() == [a_template()]
        assert await found.templates.get("mine", 2) is None


async def test_a_removed_one_can_only_be_had_by_version_and_made_again(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        for name in ("mine", "other"):
            await tx.templates.put(a_template(id=name), NOON, expected_version=0)
        await tx.templates.remove("mine", NOON)
        with pytest.raises(NotFound, match="no template 'mine'"):
            await tx.templates.remove("mine", NOON)
        assert await tx.templates.get("mine") is None
        assert await tx.templates.get("mine", 1) == a_template()
        assert [each.id for each in await tx.templates.all()] == ["other"]
        again = await tx.templates.put(a_template(name="Again"), NOON + timedelta(days=1), expected_version=0)
        assert again.version == 2
        assert [each.id for each in await tx.templates.all()] == ["mine", "other"]
        assert await tx.templates.get("mine", 1) == a_template()


async def test_a_template_of_the_house_is_kept_as_the_owners(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        assert not (await tx.templates.put(a_template(is_system=True), NOON, expected_version=0)).is_system


async def test_a_document_that_cannot_be_read_is_found_by_the_check(database: SqlDatabase) -> None:
    async with database.writing_statements() as statements:
        await statements.execute(
            sa.text("INSERT INTO hedge_templates VALUES ('mine', 1, 1, :at, :at, NULL)").bindparams(
                at=NOON if not database.address.is_sqlite else NOON.isoformat()
            )
        )
        await statements.execute(
            sa.text("INSERT INTO hedge_template_versions VALUES ('mine', 1, :at, '{}')").bindparams(
                at=NOON if not database.address.is_sqlite else NOON.isoformat()
            )
        )
    (problem,) = (await check(database.address)).problems
    assert problem.startswith("hedge_template_versions mine 1: A hedge template in the database cannot be read")
