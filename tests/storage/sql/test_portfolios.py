"""Portfolios and their audit trail, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import NOON, a_portfolio
from vaultdash.domain.errors import NotFound, Refused
from vaultdash.storage.sql import SqlDatabase


async def test_what_was_put_comes_back(database: SqlDatabase) -> None:
    portfolio = replace(a_portfolio(), name='Größe "1" \x00 \ud800', lender="Ǆ 🏦")
    async with database.transaction() as tx:
        stored = await tx.portfolios.put(portfolio, NOON, "page", "made")
    async with database.reading() as found:
        assert await found.portfolios.get("main") == stored
        assert await found.portfolios.all() == [stored]
        assert stored.portfolio == portfolio
        assert (stored.version, stored.created_at, stored.changed_at) == (1, NOON, NOON)


async def test_each_change_keeps_what_was_before(database: SqlDatabase) -> None:
    first, second = a_portfolio(loan=600_000), a_portfolio(loan=500_000)
    later = NOON + timedelta(microseconds=1)
    async with database.transaction() as tx:
        await tx.portfolios.put(first, NOON, "api", "made", expected_version=0)
        await tx.portfolios.put(second, later, "page", "repaid", expected_version=1)
        await tx.portfolios.remove("main", later, "cli", "gone")
        await tx.portfolios.put(first, later, "page", "back", expected_version=0, undoes=3)
    async with database.reading() as found:
        trail = await found.portfolios.changes("main")
        told = [(line.id, line.actor, line.what, line.before, line.after, line.undoes) for line in trail]
        assert told == [
            (4, "page", "back", None, first, 3),
            (3, "cli", "gone", second, None, None),
            (2, "page", "repaid", first, second, None),
            (1, "api", "made", None, first, None),
        ]
        assert [line.at for line in trail] == [later, later, later, NOON]
        assert await found.portfolios.change(2) == trail[2]
        assert await found.portfolios.change(5) is None
        assert await found.portfolios.changes(limit=1) == trail[:1]
        assert await found.portfolios.revision() == 4
        again = await found.portfolios.get("main")
        assert again is not None
        assert (again.version, again.created_at) == (4, NOON)


async def test_a_stale_change_is_refused_and_changes_nothing(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        await tx.portfolios.put(a_portfolio(), NOON, "page", "made")
    for expected, words in ((0, "already"), (2, "meanwhile")):
        with pytest.raises(Refused, match=words):
            async with database.transaction() as tx:
                await tx.portfolios.put(a_portfolio(loan=1.0), NOON, "page", "late", expected_version=expected)
    with pytest.raises(Refused, match="any more"):
        async with database.transaction() as tx:
            await tx.portfolios.put(replace(a_portfolio(), id="other"), NOON, "page", "late", expected_version=1)
    async with database.reading() as found:
        assert [kept.portfolio for kept in await found.portfolios.all()] == [a_portfolio()]
        assert len(await found.portfolios.changes()) == 1


async def test_the_list_is_in_the_order_of_making(database: SqlDatabase) -> None:
    names = ["zinc", "main", "alpha"]
    async with database.transaction() as tx:
        for name in names:
            await tx.portfolios.put(replace(a_portfolio(), id=name), NOON, "page", "made")
        await tx.portfolios.put(replace(a_portfolio(2.0), id="zinc"), NOON, "page", "changed")
    async with database.reading() as found:
        assert [kept.portfolio.id for kept in await found.portfolios.all()] == names


async def test_what_is_not_there_cannot_be_removed(database: SqlDatabase) -> None:
    with pytest.raises(NotFound, match="no portfolio 'main'"):
        async with database.transaction() as tx:
            await tx.portfolios.remove("main", NOON, "page", "gone")


async def test_preferences_are_any_json(database: SqlDatabase) -> None:
    values = {"current": "main", "done": True, "none": None, "deep": {"a": [1, 2.5, "ü"]}}
    async with database.transaction() as tx:
        await tx.preferences.put("current", "old")
        for name, value in values.items():
            await tx.preferences.put(name, value)
    async with database.reading() as found:
        assert {name: await found.preferences.get(name) for name in values} == values
        assert await found.preferences.get("never") is None
