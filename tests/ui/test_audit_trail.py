"""The list of changes keeps the rows that stay, so that a click on one is never lost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from tests.builders import a_portfolio
from vaultdash.domain.record import PortfolioChange
from vaultdash.ui.components.audit_trail import SHOWN, AuditTrail

START = datetime(2026, 3, 2, 15, tzinfo=UTC)


def a_change(number: int, undoes: int | None = None) -> PortfolioChange:
    before = a_portfolio()
    at, after = START + timedelta(minutes=number), replace(before, name=f"after {number}")
    return PortfolioChange(number, "main", at, "page", f"change {number}", before, after, undoes)


@pytest.fixture
async def trail() -> AsyncIterator[tuple[AuditTrail, User, list[int]]]:
    """The list on a page, the person in front of it, and the changes that were to be undone."""
    undone: list[int] = []
    made: list[AuditTrail] = []

    def root() -> None:
        made.append(AuditTrail(undone.append))

    async with user_simulation(root) as person:
        await person.open("/")
        yield made[-1], person, undone


def rows(user: User) -> list[ui.element]:
    """The rows of changes as they stand, top down."""
    with user.client:
        (body,) = [each for each in user.find(ui.element).elements if each.tag == "tbody"]
    return list(body.default_slot.children)


def words(row: ui.element) -> list[str]:
    return [each.text for each in row.descendants() if isinstance(each, ui.label)]


async def test_a_row_that_stays_is_the_same_element_when_newer_changes_arrive(
    trail: tuple[AuditTrail, User, list[int]],
) -> None:
    shown, user, _ = trail
    with user.client:
        shown.show([a_change(2), a_change(1)])
    before = rows(user)
    with user.client:
        shown.show([a_change(4), a_change(3), a_change(2), a_change(1)])
    after = rows(user)
    assert after[2:] == before
    assert [words(row)[1] for row in after] == ["change 4", "change 3", "change 2", "change 1"]


async def test_a_change_taken_back_loses_its_button_and_keeps_its_place(
    trail: tuple[AuditTrail, User, list[int]],
) -> None:
    shown, user, _ = trail
    with user.client:
        shown.show([a_change(3), a_change(2), a_change(1)])
        shown.show([a_change(4, undoes=2), a_change(3), a_change(2), a_change(1)])
    found = rows(user)
    assert [words(row)[1] for row in found] == ["change 4", "change 3", "change 2", "change 1"]
    assert [words(row)[-1] for row in found] == ["Undo", "Undo", "taken back", "Undo"]


async def test_the_oldest_leave_when_there_are_more_than_are_shown(trail: tuple[AuditTrail, User, list[int]]) -> None:
    shown, user, _ = trail
    changes = [a_change(number) for number in range(SHOWN + 5, 0, -1)]
    with user.client:
        shown.show(changes[5:])
        shown.show(changes)
    found = rows(user)
    assert len(found) == SHOWN
    assert words(found[0])[1] == f"change {SHOWN + 5}"
    with user.client:
        shown.show([])
    assert rows(user) == []
