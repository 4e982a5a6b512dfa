"""What the alerts remember, on both databases."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import NOON
from tests.storage.sql.records import a_channel, a_delivery, a_state, an_event, an_ltv_record
from vaultdash.domain.alert import USUAL_PLAN, AlertEvent, AlertPlan, AlertState, Channel, Delivery, DeliveryState
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.record import LtvRecord
from vaultdash.storage.sql import SqlDatabase, tables

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("kind", "table", "more"),
    [
        (AlertEvent, tables.alert_events, {"number"}),
        (AlertState, tables.alert_states, {"portfolio_id"}),
        (Channel, tables.channels, set()),
        (Delivery, tables.outbox, set()),
        (LtvRecord, tables.ltv_snapshots, set()),
    ],
)
def test_every_field_has_its_column(kind: type, table: sa.Table, more: set[str]) -> None:
    assert set(table.columns.keys()) == {field.name for field in fields(kind)} | more


def test_snapshots_are_read_in_the_order_of_their_fields() -> None:
    assert tables.ltv_snapshots.columns.keys() == [field.name for field in fields(LtvRecord)]


async def test_a_plan_replaces_the_one_before_and_drops_states_of_rules_that_are_gone(database: SqlDatabase) -> None:
    kept, gone = USUAL_PLAN.rules[0], USUAL_PLAN.rules[1]
    states = {rule.id: a_state(rule_id=rule.id) for rule in (kept, gone)}
    async with database.transaction() as tx:
        assert await tx.alerts.plan("main") is None
        await tx.alerts.put_plan("main", USUAL_PLAN)
        for state in states.values():
            await tx.alerts.put_state("main", state)
            await tx.alerts.put_state("other", state)
        assert await tx.alerts.states("main") == states
        await tx.alerts.put_plan("main", AlertPlan((kept,)))
    async with database.reading() as found:
        assert await found.alerts.plan("main") == AlertPlan((kept,))
        assert await found.alerts.states("main") == {kept.id: states[kept.id]}
        assert await found.alerts.states("other") == states
        assert await found.alerts.plan("other") is None


async def test_a_state_replaces_the_one_before(database: SqlDatabase) -> None:
    quiet = AlertState("ltv-warning")
    async with database.transaction() as tx:
        await tx.alerts.put_state("main", a_state())
        await tx.alerts.put_state("main", quiet)
    async with database.reading() as found:
        assert await found.alerts.states("main") == {"ltv-warning": quiet}


async def test_history_is_newest_first_and_by_order_of_writing_within_a_moment(database: SqlDatabase) -> None:
    events = [an_event(1), an_event(2), an_event(3, NOON + SECOND), an_event(4, NOON - SECOND, portfolio_id="other")]
    bare = AlertEvent("bare", "main", NOON - 2 * SECOND, events[0].kind, "")
    async with database.transaction() as tx:
        for event in [*events, bare]:
            await tx.alerts.add_event(event)
    first, second, third, fourth = events
    async with database.reading() as found:
        assert await found.alerts.events() == [third, second, first, fourth, bare]
        assert await found.alerts.events("main", limit=3) == [third, second, first]
        assert await found.alerts.events(before=NOON) == [fourth, bare]
        assert await found.alerts.event("event-2") == second
        assert await found.alerts.event("event-9") is None


async def test_an_event_is_written_once(database: SqlDatabase) -> None:
    with pytest.raises(DatabaseError):  # noqa: PT012 - the whole transaction must fail
        async with database.transaction() as tx:
            await tx.alerts.add_event(an_event())
            await tx.alerts.add_event(an_event())


async def test_channels_are_by_step_then_age_without_those_removed(database: SqlDatabase) -> None:
    first = a_channel(1, step=0, added_at=NOON + SECOND)
    second, third = a_channel(2, step=1, added_at=NOON), a_channel(3, step=1, added_at=NOON + SECOND)
    gone = a_channel(4, removed_at=NOON)
    async with database.transaction() as tx:
        for channel in (third, second, gone, replace(first, name="old")):
            await tx.alerts.put_channel(channel)
        await tx.alerts.put_channel(first)
    async with database.reading() as found:
        assert await found.alerts.channels() == [first, second, third]
        assert await found.alerts.channel("channel-4") == gone
        assert await found.alerts.channel("channel-5") is None


async def test_the_outbox_gives_what_is_due_oldest_first(database: SqlDatabase) -> None:
    rows = [
        a_delivery(1, due_at=NOON, step=1),
        a_delivery(2, due_at=NOON - SECOND),
        a_delivery(3, due_at=NOON + timedelta(microseconds=1)),
        a_delivery(4, due_at=NOON - SECOND, state=DeliveryState.ACCEPTED, accepted_at=NOON),
    ]
    async with database.transaction() as tx:
        await tx.alerts.add_event(an_event())
        await tx.alerts.put_channel(a_channel())
        for row in rows:
            await tx.alerts.add_delivery(row)
    async with database.reading() as found:
        assert await found.alerts.due(NOON) == [rows[1], rows[0]]
        assert await found.alerts.due(NOON, limit=1) == [rows[1]]
        assert await found.alerts.deliveries("event-1") == [rows[1], rows[3], rows[2], rows[0]]
    done = replace(rows[1], state=DeliveryState.CONFIRMED, confirmed_at=NOON, problem=None)
    async with database.transaction() as tx:
        await tx.alerts.put_delivery(done)
    async with database.reading() as found:
        assert await found.alerts.delivery(done.id) == done
        assert await found.alerts.due(NOON) == [rows[0]]
        assert await found.alerts.delivery("none") is None


async def test_messages_without_receipt_are_counted_since_the_last_one(database: SqlDatabase) -> None:
    def accepted(number: int, after: int, **fields: object) -> Delivery:
        return a_delivery(number, state=DeliveryState.ACCEPTED, accepted_at=NOON + after * SECOND, **fields)

    async with database.transaction() as tx:
        await tx.alerts.add_event(an_event())
        await tx.alerts.put_channel(a_channel(1))
        await tx.alerts.put_channel(a_channel(2))
        for number in range(1, 4):
            await tx.alerts.add_delivery(accepted(number, number))
        await tx.alerts.add_delivery(accepted(4, 9, channel_id="channel-2"))
        assert await tx.alerts.unconfirmed("channel-1") == 3
        confirmed = replace(accepted(1, 1), state=DeliveryState.CONFIRMED, confirmed_at=NOON + 2 * SECOND)
        await tx.alerts.put_delivery(confirmed)
        assert await tx.alerts.unconfirmed("channel-1") == 1
        await tx.alerts.put_channel(a_channel(1, confirmed_at=NOON + 3 * SECOND))
        assert await tx.alerts.unconfirmed("channel-1") == 0
        assert await tx.alerts.unconfirmed("channel-2") == 1


async def test_a_message_about_nothing_is_refused(database: SqlDatabase) -> None:
    with pytest.raises(DatabaseError):  # noqa: PT012 - the whole transaction must fail
        async with database.transaction() as tx:
            await tx.alerts.put_channel(a_channel())
            await tx.alerts.add_delivery(a_delivery(event_id="never"))


async def test_one_transaction_holds_crossing_event_and_message(database: SqlDatabase) -> None:
    class Struck(Exception):
        pass

    with pytest.raises(Struck):  # noqa: PT012 - the whole transaction must fail
        async with database.transaction() as tx:
            await tx.ltv.add(an_ltv_record())
            await tx.alerts.put_state("main", a_state())
            await tx.alerts.add_event(an_event())
            await tx.alerts.put_channel(a_channel())
            await tx.alerts.add_delivery(a_delivery())
            raise Struck
    async with database.reading() as found:
        assert await found.ltv.between("main") == []
        assert await found.alerts.states("main") == {}
        assert await found.alerts.events() == []
        assert await found.alerts.due(NOON + timedelta(days=1)) == []
