"""Delivery is proven: the outbox, the real senders, a push service that loses messages and a real mail server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.notify.mail_server import Mailbox, MailServer
from tests.notify.push_service import Browser, PushService
from tests.services.alert_house import AlertHouse
from vaultdash.domain.alert import AlertEventKind, Channel, ChannelKind
from vaultdash.notify.apprise_channel import AppriseNotifier
from vaultdash.notify.push_hosts import PushHosts
from vaultdash.notify.webpush import WebPushNotifier
from vaultdash.services import mail_server as mail
from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.storage.sql import SqlDatabase

RECEIPTS = "/api/alerts/receipts/"


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    server = MailServer(Mailbox())
    server.start()
    yield server
    server.stop()


@dataclass
class Proof:
    """The house, its services, and devices that confirm what they show."""

    house: AlertHouse
    service: PushService
    mailbox: MailServer
    confirmed: int = 0

    async def add_browser(self, browser: Browser, step: int = 0) -> Channel:
        return await self.house.outbox.add_channel(
            ChannelKind.PUSH, f"browser {step}", browser.subscription(), step=step, wait_minutes=5.0
        )

    async def add_mail(self, step: int = 1) -> Channel:
        server = mail.MailServer(
            "127.0.0.1", "owner@example.org", port=self.mailbox.port, security=mail.MailSecurity.NONE
        )
        return await self.house.outbox.add_channel(
            ChannelKind.APPRISE, "mail", server.address, step=step, wait_minutes=5.0
        )

    async def deliver(self) -> None:
        """Send what is due; each device that shows something new says so."""
        outbox, is_done = self.house.outbox, False
        while not is_done:
            accepted, sending = await outbox.deliver(), bool(outbox._sending)
            if outbox._sending:  # the clock must not be moved on meanwhile: leases would be over
                await asyncio.wait(outbox._sending)
            is_done = not accepted and not sending
        for browser in self.service.browsers.values():
            for payload in browser.got:
                assert payload["receipt_path"].startswith(RECEIPTS)
                await self.house.outbox.confirm(payload["receipt_path"].removeprefix(RECEIPTS))
                self.confirmed += 1
            browser.got.clear()

    async def crossing(self, ltv: float = 0.72) -> str:
        """One rise over a limit and back, with time for every step in between; the id of what was sent."""
        (event,) = [event for event in await self.house.ltv(ltv) if not event.covered]
        await self.deliver()
        for _ in range(2):
            self.house.clock.go_on(360)
            await self.deliver()
        await self.house.ltv(0.60)
        await self.deliver()
        self.house.clock.go_on(60)
        return event.id


@pytest.fixture
async def proof(
    database: SqlDatabase, push: Callable[..., WebPushNotifier], push_service: PushService, mailbox: MailServer
) -> AsyncIterator[Proof]:
    house = AlertHouse(database)
    await house.keep()
    house.outbox = AlertOutbox(
        database,
        {ChannelKind.PUSH: push(), ChannelKind.APPRISE: AppriseNotifier(PushHosts())},
        house.clock,
        told=house.watch.events,
        receipt_path=RECEIPTS + "{}",
    )
    yield Proof(house, push_service, mailbox)
    await house.outbox.aclose()


def keys_of_mails(proof: Proof) -> list[str]:
    return [mail["Message-ID"].strip("<>").partition("@")[0] for mail in proof.mailbox.box.mails]


async def every_crossing_is_proven_or_told_by_mail(proof: Proof, crossings: int) -> None:
    proof.service.lose(0.2, seed=7)
    await proof.add_browser(proof.service.subscribe())
    await proof.add_mail()
    shown = mailed = 0
    for _ in range(crossings):
        event_id = await proof.crossing()
        rows = {row.channel_id: row for row in await proof.house.outbox.deliveries(event_id)}
        is_shown = any(row.confirmed_at for row in rows.values())
        is_mailed = event_id in keys_of_mails(proof)
        assert is_shown != is_mailed, "the mail goes exactly when no device confirmed"
        shown, mailed = shown + is_shown, mailed + is_mailed
    assert shown + mailed == crossings
    assert proof.service.dropped >= mailed
    assert 0.1 * crossings < mailed < 0.32 * crossings
    assert len(set(keys_of_mails(proof))) == len(keys_of_mails(proof))
    assert await proof.house.events(AlertEventKind.UNDELIVERED) == []


async def test_what_a_service_takes_and_loses_goes_to_the_next_channel(proof):
    await every_crossing_is_proven_or_told_by_mail(proof, 30)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_thousand_crossings_are_all_proven_or_told_by_mail(proof):
    await every_crossing_is_proven_or_told_by_mail(proof, 1000)


async def test_a_call_goes_to_the_next_channel_although_a_device_has_shown_it(proof):
    await proof.add_browser(proof.service.subscribe())
    await proof.add_mail()
    call, warning = await proof.crossing(0.78), await proof.crossing(0.72)
    for event_id in (call, warning):
        assert any(row.confirmed_at for row in await proof.house.outbox.deliveries(event_id))
    assert keys_of_mails(proof) == [call]


async def test_without_another_channel_a_lost_message_is_shown_as_not_delivered(proof):
    proof.service.lose(1.0, seed=1)
    await proof.add_browser(proof.service.subscribe())
    event_id = await proof.crossing()
    (shown,) = await proof.house.events(AlertEventKind.UNDELIVERED)
    assert shown.about == event_id
    assert "no device confirmed it" in shown.body


@pytest.mark.parametrize("status", [404, 410])
async def test_a_withdrawn_browser_is_removed_and_the_owner_told_by_the_other_channel(proof, status):
    browser = proof.service.subscribe()
    gone = await proof.add_browser(browser)
    await proof.add_mail()
    proof.service.answers.append((status, {}))
    event_id = await proof.crossing()
    assert gone.id not in {channel.id for channel in await proof.house.outbox.channels()}
    assert event_id in keys_of_mails(proof)
    (lost,) = await proof.house.events(AlertEventKind.CHANNEL_LOST)
    assert lost.id in keys_of_mails(proof)
    assert "browser 0 does not reach you any more" in [each["Subject"] for each in proof.mailbox.box.mails]


async def test_the_last_channel_never_leaves_in_silence(proof):
    browser = proof.service.subscribe()
    last = await proof.add_browser(browser)
    proof.service.forget(browser)
    await proof.crossing()
    (kept,) = await proof.house.outbox.channels()
    assert kept.id == last.id
    assert kept.problem is not None
    (lost,) = await proof.house.events(AlertEventKind.CHANNEL_LOST)
    assert "NOBODY WOULD BE TOLD" in lost.body
    assert len(await proof.house.events(AlertEventKind.UNDELIVERED)) == 1
    assert browser.token not in f"{lost} {kept}"


async def test_a_browser_that_was_answered_for_but_never_confirms_is_lost_after_two_weeks(proof):
    proof.service.lose(1.0, seed=1)
    await proof.add_browser(proof.service.subscribe())
    await proof.add_mail()
    await proof.crossing()
    proof.house.clock.go_on(14 * 86_400 + 60)
    await proof.deliver()
    (kept,) = await proof.house.outbox.channels()
    assert kept.kind is ChannelKind.APPRISE
    (lost,) = await proof.house.events(AlertEventKind.CHANNEL_LOST)
    assert "no device confirmed" in lost.body
