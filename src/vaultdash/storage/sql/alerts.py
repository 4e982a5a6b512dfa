"""Alert plans, the states of their rules, the history that only grows, channels and the outbox."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertSeverity,
    AlertState,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryState,
)
from vaultdash.storage.sql.documents import plan_documents
from vaultdash.storage.sql.rows import Statements, next_number, put_row, row_of
from vaultdash.storage.sql.tables import alert_events, alert_plans, alert_states, channels, outbox

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class SqlAlerts:
    """What the alerts remember, within one transaction."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def plan(self, portfolio_id: str) -> AlertPlan | None:
        """What is watched; None when nobody has chosen."""
        text = await self._statements.scalar(
            sa.select(alert_plans.c.document).where(alert_plans.c.portfolio_id == portfolio_id)
        )
        return None if text is None else plan_documents.unpacked(text)

    async def put_plan(self, portfolio_id: str, plan: AlertPlan) -> None:
        """Replace what is watched; states of rules that are gone go, too."""
        document = plan_documents.packed(plan)
        await put_row(self._statements, alert_plans, {"portfolio_id": portfolio_id, "document": document})
        await self._statements.execute(
            sa.delete(alert_states).where(
                alert_states.c.portfolio_id == portfolio_id,
                alert_states.c.rule_id.not_in([rule.id for rule in plan.rules]),
            )
        )

    async def states(self, portfolio_id: str) -> Mapping[str, AlertState]:
        """By rule id."""
        rows = await self._statements.execute(
            sa.select(alert_states)
            .where(alert_states.c.portfolio_id == portfolio_id)
            .order_by(alert_states.c.rule_id)
        )
        found = (dict(row._mapping) for row in rows)
        return {row["rule_id"]: AlertState(**_without(row, "portfolio_id")) for row in found}

    async def put_state(self, portfolio_id: str, state: AlertState) -> None:
        """Replace a rule's state."""
        await put_row(self._statements, alert_states, {"portfolio_id": portfolio_id, **row_of(state)})

    async def add_event(self, event: AlertEvent) -> None:
        """Add a line to the history."""
        number = await next_number(self._statements, alert_events.c.number)
        await self._statements.execute(sa.insert(alert_events).values(number=number, **row_of(event)))

    async def event(self, event_id: str) -> AlertEvent | None:
        """One line."""
        found = await self._statements.execute(sa.select(alert_events).where(alert_events.c.id == event_id))
        row = found.one_or_none()
        return None if row is None else _event(row)

    async def events(
        self, portfolio_id: str | None = None, limit: int = 100, before: datetime | None = None
    ) -> Sequence[AlertEvent]:
        """Newest first; of one time, the one written last comes first."""
        asked = sa.select(alert_events).order_by(alert_events.c.at.desc(), alert_events.c.number.desc()).limit(limit)
        if portfolio_id is not None:
            asked = asked.where(alert_events.c.portfolio_id == portfolio_id)
        if before is not None:
            asked = asked.where(alert_events.c.at < before)
        return [_event(row) for row in await self._statements.execute(asked)]

    async def channels(self) -> Sequence[Channel]:
        """Those not removed, by step, then by the time they were added."""
        rows = await self._statements.execute(sa.select(channels).where(channels.c.removed_at.is_(None)))
        found = [_channel(row) for row in rows]
        return sorted(found, key=lambda channel: (channel.step, channel.added_at or LONG_AGO, channel.id))

    async def channel(self, channel_id: str) -> Channel | None:
        """One, removed or not."""
        found = await self._statements.execute(sa.select(channels).where(channels.c.id == channel_id))
        row = found.one_or_none()
        return None if row is None else _channel(row)

    async def put_channel(self, channel: Channel) -> None:
        """Make or replace one."""
        await put_row(self._statements, channels, row_of(channel))

    async def add_delivery(self, delivery: Delivery) -> None:
        """A new row in the outbox; its event and its channel must be there."""
        await self._statements.execute(sa.insert(outbox).values(**row_of(delivery)))

    async def put_delivery(self, delivery: Delivery) -> None:
        """Replace a row."""
        await put_row(self._statements, outbox, row_of(delivery))

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """One row."""
        found = await self._statements.execute(sa.select(outbox).where(outbox.c.id == delivery_id))
        row = found.one_or_none()
        return None if row is None else _delivery(row)

    async def deliveries(self, event_id: str) -> Sequence[Delivery]:
        """All rows of an event, by step and due time."""
        rows = await self._statements.execute(
            sa.select(outbox)
            .where(outbox.c.event_id == event_id)
            .order_by(outbox.c.step, outbox.c.due_at, outbox.c.id)
        )
        return [_delivery(row) for row in rows]

    async def due(self, now: datetime, limit: int = 100) -> Sequence[Delivery]:
        """Waiting rows whose time has come, oldest first."""
        rows = await self._statements.execute(
            sa.select(outbox)
            .where(outbox.c.state == DeliveryState.WAITING.value, outbox.c.due_at <= now)
            .order_by(outbox.c.due_at, outbox.c.step, outbox.c.id)
            .limit(limit)
        )
        return [_delivery(row) for row in rows]

    async def unconfirmed(self, channel_id: str) -> int:
        """How many rows of a channel were accepted since its last receipt."""
        told = sa.select(channels.c.confirmed_at).where(channels.c.id == channel_id)
        seen = sa.select(sa.func.max(outbox.c.confirmed_at)).where(outbox.c.channel_id == channel_id)
        receipts = [await self._statements.scalar(asked) for asked in (told, seen)]
        last = max((at for at in receipts if at is not None), default=LONG_AGO)
        counted = await self._statements.scalar(
            sa.select(sa.func.count())
            .select_from(outbox)
            .where(outbox.c.channel_id == channel_id, outbox.c.accepted_at > last, outbox.c.confirmed_at.is_(None))
        )
        return counted or 0


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _event(row: sa.Row[Any]) -> AlertEvent:
    values = _without(dict(row._mapping), "number")
    metric = values["metric"]
    named = {
        "kind": AlertEventKind(values["kind"]),
        "metric": None if metric is None else AlertMetric(metric),
        "severity": AlertSeverity(values["severity"]),
    }
    return AlertEvent(**{**values, **named})


def _channel(row: sa.Row[Any]) -> Channel:
    values = dict(row._mapping)
    return Channel(**{**values, "kind": ChannelKind(values["kind"])})


def _delivery(row: sa.Row[Any]) -> Delivery:
    values = dict(row._mapping)
    return Delivery(**{**values, "state": DeliveryState(values["state"])})
