"""The owner's templates beside those of the house: made, changed, copied, removed, brought in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOON
from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services import templates as service
from vaultdash.services.template_files import export_text, read_fields
from vaultdash.services.templates import Templates
from vaultdash.storage.sql import SqlDatabase
from vaultdash.strategies.templates import TEMPLATES

PUT = {"right": "put", "strike": {"rule": "first_above_call"}, "months": 6}
MINE: dict[str, Any] = {"name": "Über dem Call", "legs": [PUT], "roll": {"days_before_expiry": 14}}


@pytest.fixture
async def templates(tmp_path: Path) -> AsyncIterator[Templates]:
    database = SqlDatabase(f"sqlite:///{tmp_path}/vault.db")
    yield Templates(database, lambda: NOON)
    await database.aclose()


async def test_those_of_the_house_come_first_then_the_owners_in_their_order(templates: Templates) -> None:
    made = [await templates.create({**MINE, "name": name}) for name in ("Zinc", "Alpha")]
    assert await templates.all() == (*TEMPLATES, *made)
    assert await templates.own() == tuple(made)


async def test_an_id_is_made_of_the_name_and_never_one_that_was_used(templates: Templates) -> None:
    first = await templates.create(MINE)
    assert (first.id, first.version, first.is_system) == ("uber-dem-call", 1, False)
    await templates.remove(first.id)
    again = await templates.create(MINE)
    assert (again.id, again.version) == ("uber-dem-call-2", 1)
    assert (await templates.create({**MINE, "name": "Schema"})).id == "schema-2"
    assert (await templates.create({**MINE, "name": "金"})).id == "template"
    assert (await templates.create({**MINE, "name": "Own id", "id": "no_1"})).id == "no_1"


async def test_one_is_had_by_name_and_version(templates: Templates) -> None:
    first = await templates.create(MINE)
    second = await templates.change(first.id, {"coverage": 0.5})
    assert await templates.named(first.id) == second
    assert await templates.named(first.id, 1) == first
    assert await templates.named("no_hedge") == await templates.named("no_hedge", 1) == TEMPLATES[-1]
    await templates.remove(first.id)
    assert await templates.named(first.id, 2) == second
    for name, version, words in (
        ("nothing", None, r"no template 'nothing'; there are protective_put_atm, .*, no_hedge"),
        (first.id, None, "no template 'uber-dem-call'"),
        (first.id, 9, "no template"),
        ("no_hedge", 2, "has version 1 only"),
    ):
        with pytest.raises(NotFound, match=words):
            await templates.named(name, version)
    other = await templates.create({**MINE, "name": "Other"})
    with pytest.raises(NotFound, match="has no version 9; the newest is 1"):
        await templates.named(other.id, 9)
    with pytest.raises(NotFound, match=r"no_hedge, other$"):
        await templates.named("nothing")


async def test_a_change_keeps_what_it_does_not_name(templates: Templates) -> None:
    first = await templates.create(MINE)
    second = await templates.change(first.id, {"roll": {"ratchet": 0.1}, "name": "Better"}, 1)
    assert second == replace(first, name="Better", roll=replace(first.roll, ratchet=0.1), version=2)
    assert second.roll.days_before_expiry == 14
    third = await templates.change(first.id, {"legs": [], "description": "Nothing"})
    assert (third.version, third.legs, third.name) == (3, (), "Better")


async def test_a_change_of_nothing_makes_no_version(templates: Templates) -> None:
    first = await templates.create(MINE)
    assert await templates.change(first.id, MINE) == first
    assert (await templates.named(first.id)).version == 1
    with pytest.raises(Refused, match="at version 1, not 7"):
        await templates.change(first.id, MINE, 7)


async def test_of_two_who_change_the_same_version_one_is_refused(templates: Templates) -> None:
    first = await templates.create(MINE)
    found = await asyncio.gather(
        *(templates.change(first.id, {"coverage": share}, 1) for share in (0.4, 0.5)), return_exceptions=True
    )
    kept = [each for each in found if isinstance(each, HedgeTemplate)]
    (refused,) = [each for each in found if isinstance(each, Refused)]
    assert len(kept) == 1
    assert "was changed meanwhile" in str(refused)
    assert await templates.named(first.id) == kept[0]
    with pytest.raises(Refused, match="at version 2, not 1"):
        await templates.remove(first.id, 1)
    await templates.remove(first.id, 2)
    assert await templates.own() == ()


@pytest.mark.parametrize("house", [each.id for each in TEMPLATES[:2]])
async def test_the_houses_own_are_copied_and_never_changed(templates: Templates, house: str) -> None:
    for deed in (templates.change(house, {"coverage": 0.5}), templates.remove(house)):
        with pytest.raises(Refused, match=r"is of the house and cannot be .*; copy it first"):
            await deed
    copied = await templates.copy(house, "My own")
    source = await templates.named(house)
    assert copied == replace(source, id="my-own", name="My own", is_system=False)
    assert await templates.copy("my-own", "Third", "third") == replace(copied, id="third", name="Third")
    with pytest.raises(NotFound, match="no template 'none'"):
        await templates.copy("none", "X")


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"id": "no_hedge"}, Refused, "is the id of a template of the house"),
        ({"id": "kept"}, Refused, "already a template 'kept'"),
        ({"id": "schema"}, InvalidInput, "is a path of the API"),
        ({"name": " KEPT "}, Refused, "'kept' has that name already"),
        ({"name": "95 % put"}, Refused, "'protective_put_otm_95' has that name already"),
        ({"name": "a\nb"}, InvalidInput, "plain text on one line"),
        ({"name": "a\ud800"}, InvalidInput, "plain text on one line"),
        ({"description": "a\x00"}, InvalidInput, "description must be plain text"),
        ({"name": None}, InvalidInput, "name must be text"),
        ({"legs": [{**PUT, "months": 70}]}, InvalidInput, r"legs\[0\].months must be between"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    templates: Templates, fields: dict[str, Any], kind: type[Exception], words: str
) -> None:
    kept = await templates.create({**MINE, "name": "Kept"})
    with pytest.raises(kind, match=words):
        await templates.create({**MINE, **fields})
    assert await templates.own() == (kept,)


async def test_a_change_may_not_take_anothers_id_or_name(templates: Templates) -> None:
    await templates.create({**MINE, "name": "One"})
    await templates.create({**MINE, "name": "Two"})
    assert (await templates.change("one", {"name": "ONE", "id": "one"})).name == "ONE"
    with pytest.raises(Refused, match="'two' has that name"):
        await templates.change("one", {"name": "two"})
    with pytest.raises(InvalidInput, match="id is another template's"):
        await templates.change("one", {"id": "two"})
    with pytest.raises(NotFound, match="yours are one, two"):
        await templates.change("three", {"name": "x"})


async def test_a_document_is_brought_in_as_new_or_as_a_new_version(templates: Templates) -> None:
    first = await templates.create(MINE)
    document = export_text(replace(first, coverage=0.3, description="changed"))
    with pytest.raises(Refused, match="have a template 'uber-dem-call' already"):
        await templates.bring(read_fields(document))
    second = await templates.bring(read_fields(document), replace_same=True)
    assert second == replace(first, coverage=0.3, description="changed", version=2)
    bare = await templates.bring({"id": first.id, "name": "Bare"}, replace_same=True)
    assert bare == HedgeTemplate(first.id, "Bare", version=3)  # what a document leaves out is what is usual
    with pytest.raises(InvalidInput, match="name is missing"):
        await templates.bring({"id": first.id}, replace_same=True)
    fresh = await templates.bring({"id": "fresh", "name": "Fresh"}, replace_same=True)
    assert fresh == HedgeTemplate("fresh", "Fresh")
    with pytest.raises(Refused, match="of the house"):
        await templates.bring(read_fields(export_text(TEMPLATES[0])), replace_same=True)


async def test_a_template_is_rewritten_as_a_whole(templates: Templates) -> None:
    first = await templates.create({**MINE, "coverage": 0.5})
    second = await templates.rewrite(first.id, MINE, 1)
    assert second == replace(first, coverage=1.0, version=2)
    with pytest.raises(Refused, match="at version 2, not 1"):
        await templates.rewrite(first.id, {**MINE, "coverage": 0.7}, 1)
    with pytest.raises(InvalidInput, match="id is another template's"):
        await templates.rewrite(first.id, {**MINE, "id": "other"})
    with pytest.raises(Refused, match="of the house"):
        await templates.rewrite("no_hedge", MINE)


async def test_there_is_an_end_to_templates(templates: Templates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_TEMPLATES", 1)
    await templates.create(MINE)
    with pytest.raises(Refused, match="remove one first"):
        await templates.create({**MINE, "name": "Other"})
