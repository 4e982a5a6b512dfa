"""What is to be sent although its time has not come: alerts that stand unheard, and times a clock set back moved."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from vaultdash.domain.alert import AlertEvent, AlertSeverity, AlertState, Delivery, DeliveryState
from vaultdash.domain.alert_sending import is_settled, is_tried_again, is_unreachable
from vaultdash.services.alert_answers import message_of
from vaultdash.services.alert_notes import quiet_hours, reaches
from vaultdash.services.alert_watch import new_id
from vaultdash.storage.records import Transaction

FAR = timedelta(days=3650)
MOST_ROWS = 500
FIRST_PORTFOLIO = "main"  # which is watched before any is kept


async def overdue(stored: Transaction, at: datetime) -> list[Delivery]:
    """Rows to be taken up now: failed ones of alerts that stand, and waiting ones whose time is out of reach."""
    found = []
    for event in await standing_events(stored):
        rows = await stored.alerts.deliveries(event.id)
        for row in rows if _is_wanted(event, rows) else ():
            if row.state is DeliveryState.FAILED and is_tried_again(row, at):
                channel = await stored.alerts.channel(row.channel_id)
                if channel is not None and reaches(channel):
                    found.append(row)
    for row in await stored.alerts.due(at + FAR, MOST_ROWS):
        if row.due_at > at:
            event_of_row = await stored.alerts.event(row.event_id)
            if event_of_row is not None and is_unreachable(
                row, event_of_row, await quiet_hours(stored, event_of_row), at
            ):
                found.append(row)
    return found


async def queue_again(into: Transaction, channel_id: str, at: datetime, lease_until: datetime) -> None:
    """Make due what still stands and a channel that works again has not sent; what is on its way stays.

    A channel that was not there when the alert came gets it, too, unless somebody is known to be reached.
    """
    channel = await into.alerts.channel(channel_id)
    if channel is None or not reaches(channel):
        return
    for event in await standing_events(into):
        rows = await into.alerts.deliveries(event.id)
        own = [row for row in rows if row.channel_id == channel_id]
        for row in own if _is_wanted(event, rows) else ():
            waits = row.is_unsent and row.attempts > 0 and row.due_at > lease_until
            if row.state is DeliveryState.FAILED or waits:
                await into.alerts.put_delivery(_afresh(row, at))
        if not own and not is_settled(rows):
            await into.alerts.add_delivery(
                Delivery(new_id(), event.id, event.portfolio_id, channel.id, event.id, channel.step, at)
            )


async def standing_events(stored: Transaction) -> list[AlertEvent]:
    """The messages of all alerts that are raised, neither acknowledged nor put off; each once."""
    found: dict[str, AlertEvent] = {}
    kept = [each.portfolio.id for each in await stored.portfolios.all()]
    for portfolio_id in kept or [FIRST_PORTFOLIO]:
        for state in (await stored.alerts.states(portfolio_id)).values():
            event = await _message_of(stored, state)
            if event is not None:
                found[event.id] = event
    return list(found.values())


async def _message_of(stored: Transaction, state: AlertState) -> AlertEvent | None:
    """The event by which a standing alert is told: its own, or the more severe one that came with it."""
    if not state.is_raised or state.event_id is None or state.acknowledged_at or state.snoozed_until:
        return None
    event = await stored.alerts.event(state.event_id)
    found = None if event is None else await message_of(stored, event)
    return None if found is None or found.covered else found


def _is_wanted(event: AlertEvent, rows: Sequence[Delivery]) -> bool:
    """True while another try is worth it: a call until it is answered, anything else until somebody is reached."""
    return event.severity is AlertSeverity.CALL or not is_settled(rows)


def _afresh(row: Delivery, at: datetime) -> Delivery:
    return Delivery(
        row.id, row.event_id, row.portfolio_id, row.channel_id, row.key, row.step, at, problem=row.problem
    )
