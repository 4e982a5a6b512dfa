"""A twin of the database in memory, for runs by the thousand; tests hold it against the real one."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vaultdash.domain.alert import AlertEvent, AlertPlan, AlertState, Channel, Delivery, DeliveryState
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.record import LtvRecord, StoredPortfolio

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass
class Kept:
    """Everything; copied for each writer, whose copy takes its place at the commit. The values never change."""

    portfolios: dict[str, StoredPortfolio] = field(default_factory=dict)
    ltv: dict[tuple[str, datetime, str], LtvRecord] = field(default_factory=dict)
    plans: dict[str, AlertPlan] = field(default_factory=dict)
    states: dict[tuple[str, str], AlertState] = field(default_factory=dict)
    events: dict[str, AlertEvent] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    outbox: dict[str, Delivery] = field(default_factory=dict)

    def copied(self) -> "Kept":
        made = copy(self)
        for name in self.__dataclass_fields__:
            setattr(made, name, dict(getattr(self, name)))
        return made


class MemoryDatabase:
    """One writer at a time; what raises has changed nothing."""

    def __init__(self) -> None:
        self.kept = Kept()
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self._turn:
            written = self.kept.copied()
            yield MemoryTransaction(written)
            self.kept = written

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        yield MemoryTransaction(self.kept)


class MemoryTransaction:
    def __init__(self, kept: Kept) -> None:
        self.portfolios = MemoryPortfolios(kept)
        self.ltv = MemoryLtv(kept)
        self.alerts = MemoryAlerts(kept)


class MemoryPortfolios:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def all(self) -> Sequence[StoredPortfolio]:
        return list(self._kept.portfolios.values())

    async def get(self, portfolio_id: str) -> StoredPortfolio | None:
        return self._kept.portfolios.get(portfolio_id)

    async def put(self, portfolio: Portfolio, at: datetime, actor: str, what: str) -> StoredPortfolio:
        self._kept.portfolios[portfolio.id] = stored = StoredPortfolio(portfolio, 1, at, at)
        return stored


class MemoryLtv:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def add(self, record: LtvRecord) -> None:
        self._kept.ltv.setdefault((record.portfolio_id, record.at, record.kind), record)

    async def between(
        self, portfolio_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LtvRecord]:
        found = [record for record in self._kept.ltv.values() if record.portfolio_id == portfolio_id]
        inside = [each for each in found if (not start or each.at >= start) and (not end or each.at <= end)]
        return sorted(inside, key=lambda record: (record.at, record.kind))


class MemoryAlerts:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def plan(self, portfolio_id: str) -> AlertPlan | None:
        return self._kept.plans.get(portfolio_id)

    async def put_plan(self, portfolio_id: str, plan: AlertPlan) -> None:
        self._kept.plans[portfolio_id] = plan
        rules = {rule.id for rule in plan.rules}
        for name in [key for key in self._kept.states if key[0] == portfolio_id and key[1] not in rules]:
            del self._kept.states[name]

    async def states(self, portfolio_id: str) -> Mapping[str, AlertState]:
        return {name: state for (owner, name), state in sorted(self._kept.states.items()) if owner == portfolio_id}

    async def put_state(self, portfolio_id: str, state: AlertState) -> None:
        self._kept.states[portfolio_id, state.rule_id] = state

    async def add_event(self, event: AlertEvent) -> None:
        assert event.id not in self._kept.events, "the history is only ever added to"
        self._kept.events[event.id] = event

    async def event(self, event_id: str) -> AlertEvent | None:
        return self._kept.events.get(event_id)

    async def events(
        self, portfolio_id: str | None = None, limit: int = 100, before: datetime | None = None
    ) -> Sequence[AlertEvent]:
        found = [
            event
            for event in reversed(self._kept.events.values())
            if portfolio_id in (None, event.portfolio_id) and (before is None or event.at < before)
        ]
        return sorted(found, key=lambda event: event.at, reverse=True)[:limit]

    async def channels(self) -> Sequence[Channel]:
        found = [channel for channel in self._kept.channels.values() if channel.removed_at is None]
        return sorted(found, key=lambda channel: (channel.step, channel.added_at or LONG_AGO, channel.id))

    async def channel(self, channel_id: str) -> Channel | None:
        return self._kept.channels.get(channel_id)

    async def put_channel(self, channel: Channel) -> None:
        self._kept.channels[channel.id] = channel

    async def add_delivery(self, delivery: Delivery) -> None:
        assert delivery.event_id in self._kept.events
        assert delivery.channel_id in self._kept.channels
        assert delivery.id not in self._kept.outbox
        self._kept.outbox[delivery.id] = delivery

    async def put_delivery(self, delivery: Delivery) -> None:
        self._kept.outbox[delivery.id] = delivery

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return self._kept.outbox.get(delivery_id)

    async def deliveries(self, event_id: str) -> Sequence[Delivery]:
        found = [row for row in self._kept.outbox.values() if row.event_id == event_id]
        return sorted(found, key=lambda row: (row.step, row.due_at, row.id))

    async def due(self, now: datetime, limit: int = 100) -> Sequence[Delivery]:
        waiting = [
            row for row in self._kept.outbox.values() if row.state is DeliveryState.WAITING and row.due_at <= now
        ]
        return sorted(waiting, key=lambda row: (row.due_at, row.step, row.id))[:limit]
