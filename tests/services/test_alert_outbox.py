"""What is written is sent at least once, by the next channel when one is silent, and shown when nobody was told."""

import asyncio
import os
import random
import sys
import time as clocks
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from tests.builders import NOON
from tests.services.alert_house import AlertHouse
from tests.services.alert_memory import MemoryDatabase
from tests.services.twins import Clock, until
from vaultdash.domain.alert import (
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertRule,
    Channel,
    ChannelKind,
    DeliveryState,
    QuietHours,
)
from vaultdash.domain.alert_sending import MOST_ATTEMPTS
from vaultdash.domain.errors import InvalidInput, NotFound, RateLimited, Refused, Unavailable
from vaultdash.notify.base import Accepted, ChannelGone, Message
from vaultdash.services.alert_board import alert_board
from vaultdash.services.alert_notes import is_broken
from vaultdash.services.alert_outbox import MOST_CHANNELS
from vaultdash.storage.sql import SqlDatabase

LOST, UNDELIVERED = AlertEventKind.CHANNEL_LOST, AlertEventKind.UNDELIVERED
PUSH = ChannelKind.PUSH
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def house(database: SqlDatabase) -> AlertHouse:
    house = AlertHouse(database)
    await house.keep()
    return house


@pytest.fixture
async def long_house() -> AlertHouse:
    """For tests in which hours or weeks go by: on the twin of the database in memory."""
    house = AlertHouse(MemoryDatabase())  # type: ignore[arg-type]  # a twin
    await house.keep()
    return house


@pytest.fixture(params=["SQLite", "memory"])
async def either_house(request: pytest.FixtureRequest, database: SqlDatabase) -> AlertHouse:
    """On the real database, and on its twin, which has to behave alike."""
    house = AlertHouse(database if request.param == "SQLite" else MemoryDatabase())  # type: ignore[arg-type]  # a twin
    await house.keep()
    return house


async def deliver_for(house: AlertHouse, span: timedelta, step: timedelta = MINUTE) -> None:
    """Deliver again and again while the clock goes on."""
    end = house.clock() + span
    while house.clock() < end:
        await house.outbox.deliver()
        house.clock.go_on(step.total_seconds())


def receipts(channel: Channel, message: Message) -> Accepted:
    return Accepted(gives_receipts=True)


def failing(*names: str, error: Exception | None = None) -> object:
    return lambda channel, message: (
        (error or Unavailable("it is down")) if channel.name in names else Accepted(gives_receipts=False)
    )


async def test_an_alert_reaches_the_first_step_at_once_and_only_once(house: AlertHouse):
    await house.channel("phone")
    call, _ = await house.ltv(0.76)
    assert await house.outbox.deliver() == 1
    assert await house.outbox.deliver() == 0
    ((name, message),) = house.inbox.taken
    assert (name, message.key, message.title) == ("phone", call.id, call.title)
    (row,) = await house.outbox.deliveries(call.id)
    assert (row.state, row.attempts, row.accepted_at) == (DeliveryState.ACCEPTED, 1, NOON)
    assert message.receipt_path == f"/api/alerts/receipts/{row.id}"


async def test_without_an_answer_the_next_step_follows_after_its_wait(house: AlertHouse):
    await house.channel("phone", wait_minutes=1.0)
    await house.channel("mail", step=1, wait_minutes=5.0)
    await house.ltv(0.76)
    await deliver_for(house, 5 * MINUTE)
    assert house.inbox.titles == ["phone: Margin call: LTV 76.0 % (limit 75 %)"]
    await house.outbox.deliver()
    assert [name for name, _ in house.inbox.keys] == ["phone", "mail"]
    assert len({key for _, key in house.inbox.keys}) == 1


async def test_a_receipt_keeps_the_next_step_quiet(house: AlertHouse):
    house.inbox.answer = receipts
    await house.channel("phone", PUSH)
    await house.channel("mail", step=1)
    call, *_ = await house.ltv(0.71)
    await house.outbox.deliver()
    row = (await house.outbox.deliveries(call.id))[0]
    assert row.awaits_receipt
    await house.outbox.confirm(row.id)
    await house.outbox.confirm("unknown")
    await deliver_for(house, 20 * MINUTE)
    assert [name for name, _ in house.inbox.keys] == ["phone"]
    assert [each.state for each in await house.outbox.deliveries(call.id)] == [
        DeliveryState.CONFIRMED,
        DeliveryState.CANCELLED,
    ]
    assert (await house.outbox.channels())[0].confirmed_at == NOON
    assert not await house.events(UNDELIVERED)


async def test_a_failure_is_tried_again_with_growing_pauses_and_the_same_key(house: AlertHouse):
    await house.channel("mail")
    house.inbox.answer = failing("mail")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await deliver_for(house, timedelta(seconds=30), timedelta(seconds=1))
    assert house.inbox.tried == 3  # at once, after 5 and after another 15 seconds
    assert (await house.outbox.channels())[0].problem == "it is down"
    house.inbox.answer = failing()  # type: ignore[assignment]
    await deliver_for(house, MINUTE, timedelta(seconds=5))
    assert house.inbox.keys == [("mail", call.id)]
    assert (await house.outbox.channels())[0].problem is None


async def test_a_service_that_asks_to_wait_is_waited_for(house: AlertHouse):
    await house.channel("mail")
    house.inbox.answer = failing("mail", error=RateLimited("later", 90))  # type: ignore[assignment]
    await house.ltv(0.76)
    await deliver_for(house, timedelta(seconds=89), timedelta(seconds=1))
    assert house.inbox.tried == 1
    await deliver_for(house, timedelta(seconds=3), timedelta(seconds=1))
    assert house.inbox.tried == 2


async def test_when_a_step_has_failed_for_good_the_next_is_due_at_once(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1, wait_minutes=1000.0)
    house.inbox.answer = failing("phone")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await deliver_for(house, timedelta(hours=1))
    assert [name for name, _ in house.inbox.keys] == ["mail"]
    rows = await house.outbox.deliveries(call.id)
    assert (rows[0].state, rows[0].attempts) == (DeliveryState.FAILED, MOST_ATTEMPTS)
    assert not await house.events(UNDELIVERED)


async def test_when_nobody_could_be_reached_it_is_shown_once_with_the_reasons(either_house: AlertHouse):
    house = either_house
    await house.channel("phone")
    await house.channel("mail", step=1)
    house.inbox.answer = failing("phone", "mail")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await deliver_for(house, timedelta(hours=2), 10 * MINUTE)
    (event,) = await house.events(UNDELIVERED)
    assert (event.about, event.severity) == (call.id, call.severity)
    assert event.title == "Nobody was reached: Margin call: LTV 76.0 % (limit 75 %)"
    assert event.body == "phone: it is down.\nmail: it is down."
    assert house.told[-1] == event
    board = await alert_board(house.database, house.portfolio)
    assert board.undelivered == (event,)
    await house.watch.acknowledge(event.id)  # which stands for the alert itself
    assert (await alert_board(house.database, house.portfolio)).undelivered == ()


async def test_accepted_without_a_receipt_and_nobody_else_is_shown(house: AlertHouse):
    house.inbox.answer = receipts
    await house.channel("phone", PUSH)
    await house.ltv(0.76)
    await deliver_for(house, 5 * MINUTE)
    assert not await house.events(UNDELIVERED)
    await house.outbox.deliver()
    (event,) = await house.events(UNDELIVERED)
    assert event.body == "phone: no device confirmed it."


async def test_one_who_has_answered_is_not_shown_as_unreached(house: AlertHouse):
    house.inbox.answer = receipts
    await house.channel("phone", PUSH)
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    await house.watch.acknowledge(call.id)
    await deliver_for(house, timedelta(hours=1))
    assert not await house.events(UNDELIVERED)


async def test_of_a_thousand_alerts_each_is_delivered_or_shown_when_a_fifth_is_dropped():
    house = AlertHouse(MemoryDatabase())  # type: ignore[arg-type]  # a twin
    await house.keep()
    await house.watch.configure("main", AlertPlan((AlertRule("75", AlertMetric.LTV, 0.75),)))
    chance = random.Random(5)
    print("seed 5")
    mail_is_down = False

    def answer(channel: Channel, message: Message) -> Accepted | Exception:
        if channel.kind is PUSH:
            return Accepted(gives_receipts=True)
        return Unavailable("the mail server is down") if mail_is_down else Accepted(gives_receipts=False)

    house.inbox.answer = answer
    await house.channel("phone", PUSH)
    await house.channel("mail", step=1)
    raised, shown_on_a_device, dropped = [], set(), 0
    for _ in range(1000):
        mail_is_down = chance.random() < 0.1
        (call,) = await house.ltv(0.80)
        raised.append(call.id)
        await house.outbox.deliver()
        if chance.random() < 0.8:
            rows = await house.outbox.deliveries(call.id)
            await house.outbox.confirm(rows[0].id)
            shown_on_a_device.add(call.id)
        else:
            dropped += 1
            await deliver_for(house, timedelta(minutes=60 if mail_is_down else 10), 5 * MINUTE)
        await house.ltv(0.60)
        house.clock.go_on(60)
    mailed = {key for name, key in house.inbox.keys if name == "mail"}
    undelivered = {event.about for event in await house.events(UNDELIVERED)}
    assert dropped > 150
    assert len([key for key in raised if key in shown_on_a_device | mailed | undelivered]) == 1000
    assert undelivered
    assert not undelivered & (shown_on_a_device | mailed)
    assert not mailed & shown_on_a_device & set(raised)
    assert max(Counter(house.inbox.keys).values()) == 1


async def test_a_withdrawn_subscription_leaves_and_the_others_tell(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1)
    house.inbox.answer = failing("phone", error=ChannelGone("The browser withdrew its subscription"))  # type: ignore[assignment]
    await house.ltv(0.76)
    await house.outbox.deliver()
    assert [channel.name for channel in await house.outbox.channels()] == ["mail"]
    (lost,) = await house.events(LOST)
    assert lost.title == "phone does not reach you any more"
    assert "Still told: mail." in lost.body
    await house.outbox.deliver()  # the alert by the next step at once, and that a channel was lost
    assert sorted(house.inbox.titles) == [
        "mail: Margin call: LTV 76.0 % (limit 75 %)",
        "mail: phone does not reach you any more",
    ]


async def test_the_last_channel_never_leaves_silently(house: AlertHouse):
    await house.channel("phone")
    house.inbox.answer = failing("phone", error=ChannelGone("withdrawn"))  # type: ignore[assignment]
    for _ in range(2):
        await house.ltv(0.76)
        await house.outbox.deliver()
        await house.ltv(0.60)
    (channel,) = await house.outbox.channels()
    assert is_broken(channel)
    (lost,) = await house.events(LOST)
    assert "NOBODY WOULD BE TOLD" in lost.body
    assert not (await alert_board(house.database, house.portfolio)).reaches_somebody
    assert len(await house.events(UNDELIVERED)) == 2


async def test_a_broken_one_leaves_when_there_is_another(house: AlertHouse):
    await house.channel("phone")
    house.inbox.answer = failing("phone", error=ChannelGone("withdrawn"))  # type: ignore[assignment]
    await house.ltv(0.71)
    await house.outbox.deliver()
    await house.channel("mail")
    await house.ltv(0.76)
    await house.outbox.deliver()
    assert [channel.name for channel in await house.outbox.channels()] == ["mail"]
    assert len(await house.events(LOST)) == 1
    assert house.inbox.titles == ["mail: Margin call: LTV 76.0 % (limit 75 %)"]


async def test_two_weeks_without_a_receipt_are_a_lost_channel(long_house: AlertHouse):
    house = long_house
    house.inbox.answer = lambda channel, message: Accepted(gives_receipts=channel.kind is PUSH)
    await house.channel("phone", PUSH)
    await house.channel("mail", step=1)
    await house.ltv(0.76)
    await deliver_for(house, timedelta(days=13, hours=23), timedelta(hours=1))
    assert not await house.events(LOST)
    await deliver_for(house, timedelta(hours=3), timedelta(hours=1))
    (lost,) = await house.events(LOST)
    assert "It took messages for 14 days, but no device confirmed one" in lost.body
    assert house.inbox.titles[-1] == "mail: phone does not reach you any more"


async def test_a_receipt_within_two_weeks_keeps_the_channel(long_house: AlertHouse):
    house = long_house
    house.inbox.answer = receipts
    await house.channel("phone", PUSH)
    await house.ltv(0.71)
    await deliver_for(house, timedelta(days=10), timedelta(hours=1))
    (call,) = await house.ltv(0.76)
    await house.outbox.deliver()
    await house.outbox.confirm((await house.outbox.deliveries(call.id))[0].id)
    await deliver_for(house, timedelta(days=10), timedelta(hours=1))
    assert not await house.events(LOST)


async def test_a_channel_that_hangs_delays_no_other(house: AlertHouse):
    gate = asyncio.Event()
    house.inbox.gate = {"phone": gate}
    house.outbox._patience_seconds = 0.1
    await house.channel("phone")
    await house.channel("mail")
    for _ in range(8):
        await house.ltv(0.76)
        begun = clocks.monotonic()
        await house.outbox.deliver()
        assert clocks.monotonic() - begun < 5.0
        await house.ltv(0.60)
        await house.outbox.deliver()
    assert [name for name, _ in house.inbox.keys] == ["mail"] * 16
    gate.set()
    await until(lambda: not house.outbox._sending)
    assert Counter(name for name, _ in house.inbox.keys)["phone"] == 4  # no more than a channel's own share hung


async def test_no_answer_in_time_is_a_failure_like_others(house: AlertHouse):
    house.inbox.gate = {"phone": asyncio.Event()}
    house.outbox._send_seconds = 0.05
    await house.channel("phone")
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    (row,) = await house.outbox.deliveries(call.id)
    assert row.problem == "There was no answer within 0.05 seconds"
    assert row.due_at == NOON + timedelta(seconds=5)


async def test_a_notifier_that_breaks_is_a_failure_like_others(house: AlertHouse):
    await house.channel("phone")
    house.inbox.answer = failing("phone", error=ZeroDivisionError("https://secret.example"))  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    (row,) = await house.outbox.deliveries(call.id)
    assert row.problem == "It failed inside (ZeroDivisionError); the log says more"


async def test_what_waits_for_a_removed_or_silenced_channel_goes_to_the_next_step(house: AlertHouse):
    phone = await house.channel("phone")
    await house.channel("mail", step=1, wait_minutes=60.0)
    call, _ = await house.ltv(0.76)
    await house.outbox.remove_channel(phone.id)
    await house.outbox.deliver()
    await house.outbox.deliver()
    assert house.inbox.keys == [("mail", call.id)]


async def test_quiet_hours_hold_back_what_came_late_and_let_a_call_through(house: AlertHouse):
    rules = AlertRule("70", AlertMetric.LTV, 0.70), AlertRule("75", AlertMetric.LTV, 0.75)
    quiet = QuietHours(time(17), time(20), "UTC")
    await house.watch.configure("main", AlertPlan(rules, quiet))
    await house.channel("phone")
    await house.ltv(0.71)  # at 16:00; nothing is delivered until 17:30, as after an outage
    house.clock.at = NOON.replace(hour=17, minute=30)
    await house.outbox.deliver()
    assert house.inbox.taken == []
    await house.ltv(0.76)
    await house.outbox.deliver()
    assert house.inbox.titles == ["phone: Margin call: LTV 76.0 % (limit 75 %)"]
    house.clock.at = NOON.replace(hour=20)
    await house.outbox.deliver()
    assert house.inbox.titles[-1] == "phone: Warning: LTV 71.0 % (limit 70 %)"


async def test_what_ended_before_it_could_be_sent_says_so(house: AlertHouse):
    await house.channel("phone")
    await house.ltv(0.71)
    house.clock.go_on(60)
    await house.ltv(0.60)
    await house.outbox.deliver()
    assert sorted(house.inbox.titles) == [
        "phone: Ended since: Warning: LTV 71.0 % (limit 70 %)",
        "phone: Over: LTV back at 60.0 % (limit 70 %)",
    ]


async def test_a_test_message_says_in_words_what_is_wrong_and_is_not_repeated(house: AlertHouse):
    channel = await house.channel("mail")
    assert (await house.outbox.test(channel.id)).is_accepted
    house.inbox.answer = failing("mail", error=Unavailable("535: wrong password"))  # type: ignore[assignment]
    result = await house.outbox.test(channel.id)
    assert (result.is_accepted, result.problem) == (False, "535: wrong password")
    tried = house.inbox.tried
    await deliver_for(house, timedelta(hours=1))
    assert house.inbox.tried == tried
    taken, tried_one, failed = await house.events(AlertEventKind.TEST)
    assert taken.title == tried_one.title == "Test: a message to mail"
    assert (failed.title, failed.about) == ("Test failed: mail was not reached", tried_one.id)
    assert failed.body.startswith("535: wrong password.")
    assert house.told == [taken, tried_one, failed]
    with pytest.raises(NotFound):
        await house.outbox.test("nobody")


async def test_channels_are_kept_changed_and_removed(house: AlertHouse):
    made = await house.channel("mail", wait_minutes=10.0)
    changed = await house.outbox.change_channel(replace(made, name="post", step=2, is_on=False))
    assert await house.outbox.channels() == [changed]
    assert (changed.name, changed.step, changed.is_on, changed.address) == ("post", 2, False, made.address)
    await house.outbox.remove_channel(made.id)
    assert await house.outbox.channels() == []
    with pytest.raises(NotFound):
        await house.outbox.remove_channel(made.id)
    with pytest.raises(InvalidInput, match="kind"):
        await house.channel("log", ChannelKind.CONSOLE)


async def test_there_is_an_end_to_channels(house: AlertHouse):
    for number in range(MOST_CHANNELS):
        await house.channel(f"c{number}")
    with pytest.raises(Refused, match="remove one"):
        await house.channel("one too many")


async def test_a_stop_leaves_what_was_not_sent_in_the_outbox(house: AlertHouse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("vaultdash.services.alert_outbox.CLOSING_SECONDS", 0.05)
    house.inbox.gate = {"phone": asyncio.Event()}
    house.outbox._patience_seconds = 0.01
    await house.channel("phone")
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    await house.outbox.aclose()
    (row,) = await house.outbox.deliveries(call.id)
    assert row.is_unsent
    house.inbox.gate = {}
    house.restart()
    house.clock.go_on(60)
    await house.outbox.deliver()
    assert house.inbox.keys == [("phone", call.id)]


async def test_killed_between_acceptance_and_note_it_repeats_with_the_same_key_and_nowhere_else(
    database: SqlDatabase, tmp_path: Path
):
    taken: list[str] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append((await reader.readline()).decode().strip())
        writer.write(b"taken\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    house = AlertHouse(database, clock=Clock(datetime.now(UTC)))
    await house.keep()
    await house.channel("phone")
    keys = {}
    for moment in ("claimed", "accepted", "noted"):
        call, _ = await house.ltv(0.76)
        keys[moment] = call.id
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.services.outbox_process",
            f"sqlite:///{tmp_path / 'vault.db'}",  # where `database` is
            port,
            moment,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert await process.wait() == -9
        for plan in (AlertPlan(()), USUAL):  # which forgets that it is raised, without a message
            await house.watch.configure("main", plan)
        house.clock.go_on(1)
    server.close()
    assert taken == [keys["accepted"], keys["noted"]]
    house.clock.go_on(60)  # when the leases are over
    await house.outbox.deliver()
    again = Counter([*taken, *(key for _, key in house.inbox.keys)])
    assert again == {keys["claimed"]: 1, keys["accepted"]: 2, keys["noted"]: 1}


USUAL = AlertPlan((AlertRule("75", AlertMetric.LTV, 0.75), AlertRule("70", AlertMetric.LTV, 0.70)))
