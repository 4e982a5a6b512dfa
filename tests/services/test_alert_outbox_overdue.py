"""What goes on until it is answered: failed messages of alerts that stand, later steps, late and moved times."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.services.alert_house import AlertHouse
from tests.services.alert_memory import MemoryDatabase
from tests.services.test_alert_outbox import MINUTE, PUSH, UNDELIVERED, USUAL, deliver_for, failing, receipts
from tests.services.twins import until
from vaultdash.domain.alert import AlertMetric, AlertPlan, AlertRule
from vaultdash.domain.alert_sending import MOST_ATTEMPTS
from vaultdash.domain.errors import Unavailable
from vaultdash.notify.base import Accepted


@pytest.fixture
async def house() -> AlertHouse:
    """Hours go by here: on the twin of the database in memory, which behaves as the real one does."""
    house = AlertHouse(MemoryDatabase())  # type: ignore[arg-type]  # a twin
    await house.keep()
    return house


async def test_a_call_that_stands_is_tried_until_its_only_channel_is_back(house: AlertHouse):
    await house.channel("mail")
    house.inbox.answer = failing("mail")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await deliver_for(house, timedelta(hours=5))
    (row,) = await house.outbox.deliveries(call.id)
    assert row.attempts > MOST_ATTEMPTS + 10
    assert len(await house.events(UNDELIVERED)) == 1
    house.inbox.answer = failing()  # type: ignore[assignment]
    await deliver_for(house, timedelta(minutes=22))
    assert house.inbox.keys == [("mail", call.id)]
    await deliver_for(house, timedelta(hours=2))
    assert len(house.inbox.taken) == 1


@pytest.mark.parametrize("end", ["acknowledged", "over", "no longer watched"])
async def test_what_ended_is_not_tried_without_end(house: AlertHouse, end: str):
    await house.channel("mail")
    house.inbox.answer = failing("mail")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await deliver_for(house, timedelta(hours=1))
    assert len(await house.events(UNDELIVERED)) == 1
    if end == "acknowledged":
        await house.watch.acknowledge(call.id)
    elif end == "over":
        await house.ltv(0.60)
    else:
        await house.watch.configure("main", AlertPlan(()))
    await deliver_for(house, timedelta(hours=1))
    tried = house.inbox.tried
    await deliver_for(house, timedelta(hours=3))
    assert house.inbox.tried == tried


async def test_a_limit_that_was_told_with_a_higher_one_keeps_its_message_going(house: AlertHouse):
    await house.channel("mail")
    house.inbox.answer = failing("mail")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await house.ltv(0.72)  # which ends the call, and not the warning that it told of
    await deliver_for(house, timedelta(hours=2))
    house.inbox.answer = failing()  # type: ignore[assignment]
    await deliver_for(house, timedelta(minutes=22))
    assert house.inbox.keys[0] == ("mail", call.id)
    assert house.inbox.titles[0] == "mail: Ended since: Margin call: LTV 76.0 % (limit 75 %)"


async def test_a_warning_that_somebody_took_is_not_tried_without_end_elsewhere(house: AlertHouse):
    await house.channel("mail")
    await house.channel("phone")
    house.inbox.answer = failing("phone")  # type: ignore[assignment]
    await house.ltv(0.71)
    await deliver_for(house, timedelta(hours=1))
    tried = house.inbox.tried
    await deliver_for(house, timedelta(hours=2))
    assert house.inbox.tried == tried == 1 + MOST_ATTEMPTS


@pytest.mark.parametrize("mending", ["address", "test", "switched on", "a new one"])
async def test_a_mended_channel_is_given_at_once_what_still_stands(house: AlertHouse, mending: str):
    mail = await house.channel("mail")
    house.inbox.answer = failing("mail")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    if mending == "switched on":
        await house.outbox.change_channel(replace(mail, is_on=False))
    await deliver_for(house, timedelta(minutes=65))
    house.inbox.answer = failing("mail" if mending == "a new one" else "")  # type: ignore[assignment]
    if mending == "address":
        await house.outbox.change_channel(replace(mail, address="test://mended"))
    elif mending == "switched on":
        await house.outbox.change_channel(mail)
    elif mending == "test":
        assert (await house.outbox.test(mail.id)).is_accepted
    else:
        assert (await house.outbox.test((await house.channel("phone")).id)).is_accepted
    await house.outbox.deliver()
    assert house.inbox.keys[-1] == ("phone" if mending == "a new one" else "mail", call.id)
    await deliver_for(house, timedelta(hours=1))
    assert [key for _, key in house.inbox.keys].count(call.id) == 1


async def test_a_message_on_its_way_is_not_queued_again_by_a_change(house: AlertHouse):
    gate = asyncio.Event()
    house.inbox.gate = {"mail": gate}
    house.outbox._patience_seconds = 0.05
    mail = await house.channel("mail")
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    await house.outbox.change_channel(replace(mail, address="test://mended"))
    await house.outbox.deliver()
    gate.set()
    await until(lambda: not house.outbox._sending)
    assert house.inbox.keys == [("mail", call.id)]


async def test_a_receipt_of_one_device_does_not_keep_a_call_from_the_others(house: AlertHouse):
    house.inbox.answer = lambda channel, message: (
        Unavailable("it is down") if channel.name == "phone" else Accepted(gives_receipts=channel.kind is PUSH)
    )
    desktop = await house.channel("desktop", PUSH)
    await house.channel("phone")
    await house.channel("mail", step=1)
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    rows = {row.channel_id: row for row in await house.outbox.deliveries(call.id)}
    await house.outbox.confirm(rows[desktop.id].id)
    house.inbox.answer = failing()  # type: ignore[assignment]
    await deliver_for(house, timedelta(seconds=10), timedelta(seconds=5))
    assert [name for name, _ in house.inbox.keys] == ["desktop", "phone"]
    await deliver_for(house, 6 * MINUTE)
    assert [name for name, _ in house.inbox.keys] == ["desktop", "phone", "mail"]
    assert not await house.events(UNDELIVERED)


async def test_a_receipt_of_a_warning_keeps_later_steps_quiet_and_not_its_own(house: AlertHouse):
    house.inbox.answer = lambda channel, message: (
        Unavailable("it is down") if channel.name == "phone" else Accepted(gives_receipts=channel.kind is PUSH)
    )
    desktop = await house.channel("desktop", PUSH)
    await house.channel("phone")
    await house.channel("mail", step=1)
    warning, *_ = await house.ltv(0.71)
    await house.outbox.deliver()
    rows = {row.channel_id: row for row in await house.outbox.deliveries(warning.id)}
    await house.outbox.confirm(rows[desktop.id].id)
    house.inbox.answer = failing()  # type: ignore[assignment]
    await deliver_for(house, 20 * MINUTE)
    assert [name for name, _ in house.inbox.keys] == ["desktop", "phone"]


@pytest.mark.parametrize("end", ["acknowledged", "over"])
async def test_a_call_goes_on_to_the_next_step_until_it_is_answered_or_over(house: AlertHouse, end: str):
    await house.channel("phone")
    await house.channel("mail", step=1)
    call, _ = await house.ltv(0.76)
    await house.outbox.deliver()
    if end == "acknowledged":
        await house.watch.acknowledge(call.id)
    else:
        await house.ltv(0.60)
    await deliver_for(house, 20 * MINUTE)
    assert ("mail", call.id) not in house.inbox.keys


async def test_what_is_sent_late_says_of_when_it_is(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1)
    call, _ = await house.ltv(0.76)
    await deliver_for(house, 7 * MINUTE)
    (_, first), (_, late) = house.inbox.taken
    assert first.body == call.body
    assert late.body == f"Of 12:00 New York, 10 Jun:\n{call.body}"


async def test_what_was_switched_off_has_not_ended(house: AlertHouse):
    await house.channel("phone")
    await house.watch.configure("main", USUAL)
    await house.ltv(0.76)
    await house.watch.configure("main", AlertPlan(tuple(replace(rule, is_on=False) for rule in USUAL.rules)))
    await house.outbox.deliver()
    assert house.inbox.titles == ["phone: No longer watched: Margin call: LTV 76.0 % (limit 75 %)"]


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_message_that_waits_is_left_to_what_an_edit_raised_anew(house: AlertHouse, is_over: bool):
    await house.channel("phone")
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    (old,) = await house.ltv(0.72)
    house.clock.go_on(60)
    await house.watch.configure("main", AlertPlan((replace(rule, threshold=0.71),)))
    (new,) = await house.ltv(0.72)
    assert new.about == old.id
    if is_over:
        house.clock.go_on(30)
        await house.ltv(0.60)
    await deliver_for(house, 3 * MINUTE)
    titles = [title for title in house.inbox.titles if "Over" not in title]
    assert titles == [f"phone: {'Ended since: ' if is_over else ''}{new.title}"]


async def test_a_message_of_an_edited_rule_has_not_ended_before_the_next_evaluation(house: AlertHouse):
    await house.channel("phone")
    await house.watch.configure("main", AlertPlan((rule := AlertRule("x", AlertMetric.LTV, 0.70),)))
    (old,) = await house.ltv(0.72)
    await house.watch.configure("main", AlertPlan((replace(rule, rearm=0.02),)))
    await house.outbox.deliver()
    assert house.inbox.titles == [f"phone: {old.title}"]


async def test_a_message_that_an_edit_ended_is_sent_when_nobody_is_told_of_what_it_raised_anew(house: AlertHouse):
    phone = await house.channel("phone")
    rule = AlertRule("x", AlertMetric.LTV, 0.70)
    await house.watch.configure("main", AlertPlan((rule,)))
    (old,) = await house.ltv(0.72)
    await house.outbox.change_channel(replace(phone, is_on=False))
    await house.watch.configure("main", AlertPlan((replace(rule, threshold=0.71),)))
    await house.ltv(0.72)
    await house.outbox.change_channel(phone)
    await deliver_for(house, 3 * MINUTE)
    assert ("phone", old.id) in house.inbox.keys


async def test_a_clock_that_is_set_back_delays_no_retry_by_hours(house: AlertHouse):
    await house.channel("phone")
    await house.channel("mail", step=1)
    house.inbox.answer = failing("phone")  # type: ignore[assignment]
    call, _ = await house.ltv(0.76)
    await deliver_for(house, 3 * MINUTE)
    house.clock.go_on(-6 * 3600)
    house.inbox.answer = failing()  # type: ignore[assignment]
    await deliver_for(house, MINUTE, timedelta(seconds=10))
    assert sorted(house.inbox.keys) == [("mail", call.id), ("phone", call.id)]


async def test_a_receipt_is_awaited_no_longer_when_the_clock_is_set_back(house: AlertHouse):
    house.inbox.answer = receipts
    await house.channel("phone", PUSH)
    await house.ltv(0.76)
    await house.outbox.deliver()
    house.clock.go_on(-6 * 3600)
    await deliver_for(house, 4 * MINUTE)
    assert not await house.events(UNDELIVERED)
    await deliver_for(house, 3 * MINUTE)
    assert len(await house.events(UNDELIVERED)) == 1
