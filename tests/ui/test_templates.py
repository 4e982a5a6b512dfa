"""The page of templates, as a person without a browser meets it."""

import re
from collections.abc import AsyncIterator

import pytest
from nicegui import ui
from nicegui.element import Element
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from nicegui.testing.user_simulation import user_simulation

from tests.services.twins import until
from vaultdash.services.template_files import FileFormat, export_text
from vaultdash.services.vault import Vault
from vaultdash.strategies.templates import TEMPLATES
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import hedge, templates

TRIES = 60


@pytest.fixture
async def vault(demo_vault: Vault) -> Vault:
    """The demo house with what it keeps and its first price."""
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    return demo_vault


@pytest.fixture
async def user(vault: Vault) -> AsyncIterator[User]:
    """A person in front of the pages about hedges."""

    def root() -> None:
        shown = Page("/templates", "Templates", lambda: templates.build(vault), in_navigation=False)
        frame(vault, (Page("/hedge", "Hedge", lambda: hedge.build(vault)), shown))

    async with user_simulation(root) as person:
        person.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield person


async def see(user: User, words: str) -> None:
    await user.should_see(words, retries=TRIES)


def press(user: User, label: str) -> None:
    """Press the button that says so, or that is described so."""
    with user.client:
        buttons = [each for each in user.find(ui.element).elements if each.tag == "button"]
    (found,) = [each for each in buttons if label in (each.props.get("aria-label"), *_words(each))]
    UserInteraction(user, {found}, None).click()


def _words(button: Element) -> list[str]:
    return [each.text for each in button.descendants() if isinstance(each, ui.label)]


async def asked(user: User) -> None:
    """A dialog stands open."""
    await until(lambda: any(each.value for each in user.find(ui.dialog).elements))


def write(user: User, content: str) -> None:
    (area,) = user.find(ui.textarea).elements
    area.value = content


async def test_those_of_the_house_stand_there_in_words_and_cannot_be_edited(user: User) -> None:
    await user.open("/templates")
    await see(user, "You have no template of your own yet")
    await see(user, "put bought at the first strike above the margin-call price for 12 months")
    buttons = [each for each in user.find(ui.element).elements if each.tag == "button"]
    copies = [each for each in buttons if _words(each) == ["Copy"]]
    assert len(copies) == len(TEMPLATES)
    assert not [each for each in buttons if _words(each) in (["Edit"], ["Remove"])]


async def test_one_is_copied_edited_and_removed(user: User, vault: Vault) -> None:
    await user.open("/templates")
    await see(user, "Collar 95/110")
    press(user, "Copy Collar 95/110")
    await asked(user)
    press(user, "Save")
    await see(user, "Collar 95/110, mine is kept as collar-95-110-mine")
    (mine,) = await vault.templates.own()
    press(user, "Edit Collar 95/110, mine")
    await see(user, "Edit Collar 95/110, mine")
    changed = export_text(mine, FileFormat.YAML).replace("months: 12.0", "months: 6.0")
    write(user, changed.replace("right: put", "right: putt"))
    press(user, "Look at it")
    await see(user, "legs[0].right must be one of put, call, not 'putt'.")
    write(user, changed)
    press(user, "Look at it")
    await see(user, "Leg: put bought at 95 % of spot for 6 months")
    press(user, "Keep it")
    await see(user, "is kept as collar-95-110-mine, version 2.")
    (kept,) = await vault.templates.own()
    assert {leg.months for leg in kept.legs} == {6.0}
    press(user, "Remove Collar 95/110, mine")
    await asked(user)
    await see(user, "Backtests that used it keep the version they used.")
    press(user, "Remove it")
    await see(user, "Collar 95/110, mine is removed.")
    await see(user, "You have no template of your own yet")
    assert await vault.templates.own() == ()


async def test_who_edits_what_somebody_else_has_changed_is_told(user: User, vault: Vault) -> None:
    made = await vault.templates.copy("no_hedge", "Mine")
    await user.open("/templates")
    await see(user, "Mine")
    press(user, "Edit Mine")
    await see(user, "Nothing is kept before.")
    await vault.templates.change(made.id, {"description": "by another"})
    press(user, "Look at it")
    press(user, "Keep it")
    await see(user, "was changed meanwhile: it is at version 2, not 1")
    assert (await vault.templates.named(made.id)).description == "by another"


async def test_a_pasted_template_is_looked_at_kept_and_compared(user: User, vault: Vault) -> None:
    await user.open("/templates")
    await see(user, "Of the house")
    press(user, "Import a template from a file or text")
    await see(user, "Import a template")
    write(user, "name: Under the call\nlegs:\n- {right: put, months: 6, strike: {rule: first_above_call}}\n")
    press(user, "Look at it")
    await see(user, "Over all of the gold")
    press(user, "Keep it")
    await see(user, "Under the call is kept as under-the-call, version 1.")
    await vault.templates.copy("collar_95_110", "My collar")
    await user.open("/hedge")
    await see(user, "Your own templates stand after the six, with their own tenors.")
    await see(user, "Not compared: My collar: it sells options, and only bought puts are compared here.")
    await until(lambda: any(each.plan.name == "under-the-call" for each in _compared(vault)))


def _compared(vault: Vault):  # type: ignore[no-untyped-def]
    return [hedge for compared, _ in vault.advisor._remembered.values() for hedge in compared.hedges]
