"""The alerts page and the bell, as a person meets them, without a browser."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from nicegui.testing.user_simulation import user_simulation

from tests.builders import NOON
from vaultdash.bootstrap import build_vault
from vaultdash.clock import NewYorkHours
from vaultdash.domain.alert import AlertEventKind, AlertMetric, ChannelKind
from vaultdash.domain.errors import DatabaseError, Unavailable
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.notify.base import Accepted
from vaultdash.services.open_alerts import open_alerts
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings
from vaultdash.ui.components.alert_bell import AlertBell
from vaultdash.ui.components.channel_setup import HINDRANCES
from vaultdash.ui.pages import alerts

CANARY = "c4nary-s3cret"
TRIES = 60


async def see(user: User, words: str) -> None:
    await user.should_see(words, retries=TRIES)


def press(user: User, label: str, number: int = 0) -> None:
    """A button with this text: the first, or a later one."""
    labels = [each for each in user.find(kind=ui.label, content=label).elements if each.text == label]
    found = sorted(labels, key=lambda each: each.id)[number]
    assert found.parent_slot is not None
    UserInteraction(user, {found.parent_slot.parent}, None).click()


def fill(user: User, label: str, value: str, number: int = 0) -> None:
    """Type into a field of that name: the first, or a later one."""
    found = [each for each in user.find(kind=ui.input).elements if each.props.get("aria-label") == label]
    sorted(found, key=lambda each: each.id)[number].value = value


class Mailman:
    """Takes what it is given, or says why not."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.titles: list[str] = []
        self.addresses: list[str] = []

    async def check(self, address: str) -> None:
        self.addresses.append(address)

    async def send(self, channel, message):  # type: ignore[no-untyped-def]
        if self.problem:
            raise Unavailable(self.problem)
        self.titles.append(message.title)
        return Accepted(gives_receipts=False)

    async def aclose(self) -> None:
        """Nothing is held."""


@pytest.fixture
async def vault(demo_settings: Callable[..., Settings], new_york: NewYorkHours) -> AsyncIterator[Vault]:
    """A loan that the first demo price brings over the call limit."""
    made = build_vault(demo_settings(units=2174.0, VAULT_LOAN_AMOUNT=700_000.0), now=lambda: NOON, hours=new_york)
    made.heartbeat.keep = made.alerts.evaluate  # as in a running server
    await made.open()
    yield made
    await made.aclose()


@pytest.fixture
def mailman(vault: Vault) -> Mailman:
    taker = Mailman()
    vault.outbox._notifiers[ChannelKind.APPRISE] = taker  # type: ignore[index]  # the map that bootstrap made
    return taker


@pytest.fixture
async def user(vault: Vault) -> AsyncIterator[User]:
    async def root() -> None:
        AlertBell(vault.alerts, lambda: open_alerts(vault.database, [vault.book.current.id]), vault.now)
        await alerts.build(vault)

    async with user_simulation(root) as person:
        person.javascript_rules[re.compile("vdPush")] = lambda _: None
        person.javascript_rules[re.compile("Intl")] = lambda _: "Europe/Zurich"
        yield person


async def raise_the_call(vault: Vault) -> None:
    await vault.heartbeat.beat()
    board = [event for event in await vault.alerts.history() if event.kind is AlertEventKind.RAISED]
    assert board, "the demo price brings this loan over its limits"


async def test_without_a_channel_the_page_says_that_nobody_would_be_told(user: User) -> None:
    await user.open("/")
    await see(user, "Nobody would be told: add a way to reach you.")
    await see(user, "LTV at 70 %")
    await see(user, "Nothing has happened yet.")
    await see(user, "No way to reach you yet.")


async def test_the_sentence_says_what_watches_and_who_is_told(user: User, vault: Vault, mailman: Mailman) -> None:
    await vault.outbox.add_channel(ChannelKind.APPRISE, "E-mail", "x://", step=0, wait_minutes=5)
    await vault.outbox.add_channel(ChannelKind.APPRISE, "ntfy", "x://", step=1, wait_minutes=5)
    await user.open("/")
    await see(user, "Seven rules watch; told: E-mail and ntfy.")
    await see(user, "service · at once")
    await see(user, "service · 5 min after the first, if still needed")


async def test_a_raised_call_says_what_to_do_and_can_be_acknowledged(user: User, vault: Vault) -> None:
    await user.open("/")
    await raise_the_call(vault)
    await see(user, "A call stands and waits for your answer.")
    await see(user, "or repay")
    await see(user, "Told nobody: there was no channel when it was raised.")
    await see(user, "told with the one above")
    press(user, "I know")
    await see(user, "You know since")
    assert await open_alerts(vault.database, [vault.book.current.id]) == ()


async def test_an_alert_is_put_off(user: User, vault: Vault) -> None:
    await user.open("/")
    await raise_the_call(vault)
    await see(user, "Remind me in 1 hour")
    press(user, "Remind me in 1 hour")
    await see(user, "Put off until 10 Jun 2026 13:00 New York.")


async def test_the_bell_counts_and_a_toast_tells(user: User, vault: Vault) -> None:
    await user.open("/")
    await raise_the_call(vault)
    await user.should_see(marker="bell-count", content="1", retries=TRIES)
    assert any("Margin call" in message for message in user.notify.messages)
    assert len(user.notify.messages) == 1  # the warning is told with it
    (raised,) = [each for each in await open_alerts(vault.database, [vault.book.current.id]) if not each.covered]
    await vault.alerts.acknowledge(raised.id)
    await see(user, "Acknowledged: DEMO: Margin call")
    assert len(user.notify.messages) == 1


async def test_rules_are_added_switched_off_and_removed(user: User, vault: Vault) -> None:
    await user.open("/")
    await see(user, "Add a rule")
    press(user, "Add a rule")
    await see(user, "A new rule")
    press(user, "price")
    fill(user, "Limit", "forty")
    press(user, "Keep")
    await see(user, "Limit must be a number")
    fill(user, "Limit", "400")
    press(user, "Keep")
    await see(user, "Price at 400.00 USD")
    plan = await vault.alerts.plan(vault.book.current.id)
    assert (plan.rules[-1].metric, plan.rules[-1].threshold) == (AlertMetric.PRICE, 400.0)
    await see(user, "Your own rules.")


async def test_rules_are_switched_off_and_removed(user: User, vault: Vault) -> None:
    await user.open("/")
    await see(user, "LTV with options at 75 %")
    press(user, "on")
    await see(user, "Your own rules.")
    assert [rule.is_on for rule in (await vault.alerts.plan(vault.book.current.id)).rules].count(False) == 1
    press(user, "Remove", -1)
    await user.should_not_see("No fresh price for 15 minutes", retries=TRIES)
    assert len((await vault.alerts.plan(vault.book.current.id)).rules) == 6


async def test_quiet_hours_are_kept_with_the_zone_of_the_browser(user: User, vault: Vault) -> None:
    await user.open("/")
    await see(user, "none: every alert is sent at once")
    press(user, "Change", 7)
    await see(user, "Europe/Zurich")  # the dialog is open and the browser has said its zone
    fill(user, "From", "25:00")
    press(user, "Keep", 1)
    await see(user, "From must be a time of day such as 22:00.")
    fill(user, "From", "23:00")
    press(user, "Keep", 1)
    await see(user, "23:00 to 07:00, Europe/Zurich; calls are sent all the same")
    plan = await vault.alerts.plan(vault.book.current.id)
    assert plan.quiet is not None
    assert plan.quiet.zone == "Europe/Zurich"


async def test_a_mail_server_is_added_and_tried(user: User, vault: Vault, mailman: Mailman) -> None:
    await user.open("/")
    await see(user, "E-mail")
    press(user, "E-mail")
    for label, value in (
        ("Mail server", "smtp.example.org"),
        ("User", "me"),
        ("Password", CANARY),
        ("To", "me@example.org"),
    ):
        fill(user, label, value, -1)
    press(user, "Add and send a test")
    await see(user, "Added. Sent: its service took the test.")
    (channel,) = await vault.outbox.channels()
    assert channel.name == "E-mail to me@example.org"
    assert f"me:{CANARY}@smtp.example.org:587" in mailman.addresses[0]
    assert mailman.titles == ["Test: a message to E-mail to me@example.org"]
    await user.should_not_see(CANARY)


async def test_a_test_that_fails_says_why(user: User, vault: Vault, mailman: Mailman) -> None:
    await vault.outbox.add_channel(ChannelKind.APPRISE, "my mail", f"x://{CANARY}", step=0, wait_minutes=5)
    mailman.problem = "The mail server does not accept this user and password (535)"
    await user.open("/")
    await see(user, "never used yet: send a test")
    press(user, "Send a test")
    await see(user, "Not sent: The mail server does not accept this user and password (535).")
    await user.should_not_see(CANARY)


async def test_a_test_that_failed_is_told_as_such_in_headline_toast_and_history(
    user: User, vault: Vault, mailman: Mailman
) -> None:
    channel = await vault.outbox.add_channel(ChannelKind.APPRISE, "my mail", "x://", step=0, wait_minutes=5)
    await user.open("/")
    await see(user, "Seven rules watch; told: my mail.")
    mailman.problem = "The mail server refuses it"
    await vault.outbox.test(channel.id)
    await see(
        user,
        "It is not sure that anybody would be told: the last message to my mail failed (The mail server refuses it).",
    )
    await see(user, "Test failed: my mail was not reached")
    assert user.notify.messages == ["Test failed: my mail was not reached"]
    mailman.problem = None
    await vault.outbox.test(channel.id)
    await see(user, "Seven rules watch; told: my mail.")
    async with asyncio.timeout(20):
        while len(user.notify.messages) < 2:  # noqa: ASYNC110  toasts set no event
            await asyncio.sleep(0.01)
    assert user.notify.messages[1:] == ["Test: a message to my mail"]


async def test_the_page_says_that_nothing_can_be_raised_while_the_price_is_invented(
    user: User, vault: Vault, mailman: Mailman
) -> None:
    vault.alerts._trusts_demo = False  # as where the real market was asked for
    await vault.outbox.add_channel(ChannelKind.APPRISE, "my mail", "x://", step=0, wait_minutes=5)
    await user.open("/")
    await vault.heartbeat.beat()
    await see(user, "No alert can be raised now: the price of GLD is invented (DEMO), a real one is missing.")
    await see(user, "held against no price now")


async def test_a_raised_alert_says_of_when_its_figures_are_and_how_the_loan_stands_now(
    user: User, vault: Vault
) -> None:
    await user.open("/")
    await raise_the_call(vault)
    await see(user, "Figures of 10 Jun 2026 12:00 New York. Now: LTV 7")
    loan = vault.book.current.loan
    await vault.book.save(replace(vault.book.current, loan=replace(loan, amount=500_000.0)), "test")
    await see(user, "Figures of 10 Jun 2026 12:00 New York. Now: LTV 5")


async def test_the_ltv_of_now_says_by_which_rate_it_is_and_that_this_is_old(user: User, vault: Vault) -> None:
    await user.open("/")
    kept = vault.book.current
    await vault.book.save(replace(kept, loan=replace(kept.loan, currency="CHF")), "test")
    await raise_the_call(vault)
    beat = vault.heartbeat.current()
    assert beat is not None
    assert beat.snapshot is not None
    quote = beat.statuses["CHF=X"].quote
    await see(user, f", a dollar at {quote.price:.4f} CHF, invented (DEMO), 10 Jun 2026 12:00 New York, 0 s ago.")
    old = replace(quote, at=quote.at - timedelta(hours=2))
    snapshot = replace(beat.snapshot, rate=ExchangeRate.of(old))
    told = {**beat.statuses, "CHF=X": replace(beat.statuses["CHF=X"], quote=old)}
    vault.heartbeat.feed.publish(replace(beat, statuses=told, snapshot=snapshot, snapshots={kept.id: snapshot}))
    await see(user, "10 Jun 2026 10:00 New York, 2 h ago. That exchange rate is old.")
    await see(user, "The LTV is judged by an exchange rate of 10 Jun 2026 10:00 New York (2 h old)")


async def test_what_the_plan_leaves_unwatched_is_said_and_the_usual_rules_come_back(user: User, vault: Vault) -> None:
    usual = await vault.alerts.plan(vault.book.current.id)
    await vault.alerts.configure(vault.book.current.id, replace(usual, rules=usual.rules[:1]))
    await user.open("/")
    await see(user, "No rule stands at the lender's call of 75 %.")
    press(user, "Back to the usual rules")
    await see(user, "Your own rules are given up; quiet hours stay.")
    press(user, "Use the usual rules")
    await see(user, "The usual rules, at the limits of your loan: they move with them.")
    await user.should_not_see("No rule stands at", retries=TRIES)
    assert await vault.alerts.plan(vault.book.current.id) == usual


async def test_a_limit_typed_in_per_cent_is_refused_in_per_cent(user: User) -> None:
    await user.open("/")
    await see(user, "Add a rule")
    press(user, "Add a rule")
    await see(user, "A new rule")
    fill(user, "Limit", "120")
    press(user, "Keep")
    await see(user, "Limit must be between 0 and 100 %, such as 72.5.")
    fill(user, "Limit", "72")
    fill(user, "Armed again after it is back by", "80")
    press(user, "Keep")
    await see(user, "Distance must be below the limit of 72 %.")


async def test_a_database_that_cannot_be_read_is_said_and_the_page_stays(
    user: User, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user.open("/")
    await see(user, "LTV at 70 %")

    def broken() -> None:
        raise DatabaseError("The database cannot be read: the disk is gone")

    monkeypatch.setattr(vault.database, "reading", broken)
    vault.book.changed.publish(vault.book.current.id)
    await see(user, "The database cannot be read: the disk is gone.")
    await see(user, "LTV at 70 %")


async def test_a_line_of_the_history_shows_where_its_messages_went(
    user: User, vault: Vault, mailman: Mailman
) -> None:
    channel = await vault.outbox.add_channel(ChannelKind.APPRISE, "my mail", "x://", step=0, wait_minutes=5)
    await vault.outbox.test(channel.id)
    await user.open("/")
    await see(user, "What happened")
    await see(user, "Seven rules watch; told: my mail.")
    (table,) = [each for each in user.find(kind=ui.table).elements if each.props["aria-label"] == "History of alerts"]
    (event,) = await vault.alerts.history()
    assert table.rows[0]["id"] == event.id
    UserInteraction(user, {table}, None).trigger("pick", event.id)
    await see(user, "my mail: taken by its service")


@pytest.mark.parametrize("reason", sorted(HINDRANCES))
def test_every_reason_why_a_browser_cannot_be_notified_says_what_to_do_instead(reason: str) -> None:
    words = HINDRANCES[reason]
    assert "e-mail or another service" in words or reason == "not_asked"
