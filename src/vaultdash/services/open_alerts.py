"""The alerts that stand: raised, and not yet acknowledged."""

from collections.abc import Iterable

from vaultdash.domain.alert import AlertEvent
from vaultdash.storage.records import Database


async def open_alerts(database: Database, portfolio_ids: Iterable[str]) -> tuple[AlertEvent, ...]:
    """The event that raised each, or that reminded of it last, oldest first. Raises DatabaseError."""
    found = []
    async with database.reading() as stored:
        for portfolio_id in portfolio_ids:
            for state in (await stored.alerts.states(portfolio_id)).values():
                if state.is_raised and state.acknowledged_at is None and state.event_id is not None:
                    found.append(await stored.alerts.event(state.event_id))
    return tuple(sorted((event for event in found if event is not None), key=lambda event: (event.at, event.id)))
