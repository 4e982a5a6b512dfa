"""The alerts that stand: raised, and not yet acknowledged."""

from collections.abc import Iterable

from vaultdash.domain.alert import AlertEvent
from vaultdash.storage.records import Database


async def open_alerts(database: Database, portfolio_ids: Iterable[str]) -> tuple[AlertEvent, ...]:
    """The event that raised each, or that reminded of it last, oldest first. Raises DatabaseError."""
    found: dict[str, AlertEvent] = {}
    async with database.reading() as stored:
        for portfolio_id in portfolio_ids:
            for state in (await stored.alerts.states(portfolio_id)).values():
                if not state.is_raised or state.acknowledged_at is not None or state.event_id is None:
                    continue
                event = await stored.alerts.event(state.event_id)
                if event is not None:
                    found[event.id] = event
    return tuple(sorted(found.values(), key=lambda event: (event.at, event.id)))
