"""What the owner answers to an alert: acknowledged, or put off; its waiting messages are taken back."""

from dataclasses import replace
from datetime import datetime, timedelta

from vaultdash.domain.alert import MOST_RULES, AlertEvent, AlertEventKind, AlertState, DeliveryState
from vaultdash.domain.alert_rules import LTVS
from vaultdash.domain.alert_sending import silent_since
from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.storage.records import Transaction

LONGEST_SNOOZE = timedelta(days=30)
LOOKED_BACK = 500  # lines of the history searched for the end of an alert
ANSWERED = (AlertEventKind.RAISED, AlertEventKind.REMINDED)


async def acknowledge(into: Transaction, event_id: str, at: datetime) -> tuple[AlertEvent, bool]:
    """The line of the history that says so, and whether it is new. Raises NotFound and Refused."""
    event = await _asked(into, event_id)
    await stop_sending(into, event.id)
    for state in await _standing(into, event):
        await _stop_alert(into, state)
        await into.alerts.put_state(
            event.portfolio_id, replace(state, acknowledged_at=state.acknowledged_at or at, snoozed_until=None)
        )
    answer_id = f"{event.id}-ack"
    known = await into.alerts.event(answer_id)
    if known is not None:  # it may have been put off since, which this took back
        return known, False
    answer = _answer(event, answer_id, at, AlertEventKind.ACKNOWLEDGED, f"Acknowledged: {event.title}")
    await into.alerts.add_event(answer)
    return answer, True


async def snooze(into: Transaction, event_id: str, until: datetime, at: datetime, answer_id: str) -> AlertEvent:
    """The line of the history that says so. Raises NotFound, InvalidInput, and Refused when the alert is over."""
    if until.tzinfo is None:
        raise InvalidInput("until", "must say its time zone, such as 2026-06-10T16:00:00Z")
    if until <= at:
        raise InvalidInput("until", "must be in the future")
    if until - at > LONGEST_SNOOZE:
        raise InvalidInput("until", f"must be within {LONGEST_SNOOZE.days} days")
    event = await _asked(into, event_id)
    standing = await _standing(into, event)
    if not standing:
        raise Refused("This alert is over: there is nothing to put off")
    for state in standing:
        await _stop_alert(into, state)
        await into.alerts.put_state(event.portfolio_id, replace(state, snoozed_until=until))
    answer = _answer(event, answer_id, at, AlertEventKind.SNOOZED, f"Put off: {event.title}")
    answer = replace(answer, body=f"Until {until:%Y-%m-%d %H:%M} UTC.")
    await into.alerts.add_event(answer)
    return answer


async def stop_sending(into: Transaction, event_id: str, *, after_step: int = -1) -> None:
    """Take back what waits to be sent of an event by steps after one, else by all; the owner knows."""
    for row in await into.alerts.deliveries(event_id):
        if row.is_unsent and row.step > after_step:
            await into.alerts.put_delivery(replace(row, state=DeliveryState.CANCELLED, problem=None))
        elif row.awaits_receipt:
            await into.alerts.put_delivery(silent_since(row, None))


async def ended_how(stored: Transaction, event: AlertEvent) -> str | None:
    """What to say before an alert that is over by now; None while it stands, and for all that is no alert."""
    if event.kind not in ANSWERED or event.rule_id is None:
        return None
    state = (await stored.alerts.states(event.portfolio_id)).get(event.rule_id)
    if state is not None and state.is_raised and (state.raised_at or event.at) <= event.at:
        return None
    if state is not None and not state.is_raised and state.event_id == event.id:
        return None  # its rule was edited: the next evaluation says whether it still holds
    for other in await stored.alerts.events(event.portfolio_id, LOOKED_BACK):
        if other.at < event.at:
            break
        if other.kind is AlertEventKind.CLEARED and other.rule_id == event.rule_id:
            return "Ended since"
    return "No longer watched"


async def taken_over(stored: Transaction, event: AlertEvent) -> bool:
    """True when an edit of its rule ended an alert and what was raised anew has messages of its own."""
    for other in await stored.alerts.events(event.portfolio_id, LOOKED_BACK):
        if other.at < event.at:
            break
        if other.kind is AlertEventKind.RAISED and other.about == event.id:
            return bool(await stored.alerts.deliveries((await message_of(stored, other)).id))
    return False


async def message_of(stored: Transaction, event: AlertEvent) -> AlertEvent:
    """The event that tells of one: itself, or the more severe one that came with it."""
    if not event.covered:
        return event
    just_after = event.at + timedelta(microseconds=1)
    for other in await stored.alerts.events(event.portfolio_id, 2 * MOST_RULES, just_after):
        if other.at != event.at:
            break
        if other.kind is event.kind and not other.covered and family(other) == family(event):
            return other
    return event


async def _asked(into: Transaction, event_id: str) -> AlertEvent:
    """The raise or reminder that is meant: what says that it was not delivered means the alert itself."""
    event = await into.alerts.event(event_id)
    if event is not None and event.kind is AlertEventKind.UNDELIVERED and event.about is not None:
        event = await into.alerts.event(event.about)
    if event is None:
        raise NotFound("There is no such alert")
    if event.kind not in ANSWERED:
        raise Refused("Only an alert that was raised can be acknowledged or put off")
    return event


async def _standing(into: Transaction, event: AlertEvent) -> list[AlertState]:
    """The states that the event stands for: its own rule's while raised, and those told by the same message."""
    states = await into.alerts.states(event.portfolio_id)
    own = states.get(event.rule_id or "")
    if own is None or not own.is_raised or event.id not in await _alert(into, own):
        return []
    standing = [own]
    for state in states.values():
        if state.rule_id != own.rule_id and state.is_raised and state.raised_at == own.raised_at:
            raised = await into.alerts.event(state.event_id or "")
            if raised is not None and family(raised) == family(event):
                standing.append(state)
    return standing


async def _alert(into: Transaction, state: AlertState, *, with_replaced: bool = False) -> list[str]:
    """The ids of a raised alert's events: the last reminder, those before it, the raise, and on request those of the
    alert that an edit of its rule ended.
    """
    found: list[str] = []
    following = state.event_id
    while following is not None and following not in found:
        event = await into.alerts.event(following)
        if event is None:
            break
        found.append(event.id)
        if event.kind is AlertEventKind.RAISED and not with_replaced:
            break
        following = event.about
    return found


async def _stop_alert(into: Transaction, state: AlertState) -> None:
    for event_id in await _alert(into, state, with_replaced=True):
        await stop_sending(into, event_id)


def family(event: AlertEvent) -> str | None:
    """Events of one family that came at once are told by one message: both LTVs, or one metric."""
    return "ltv" if event.metric in LTVS else event.metric


def _answer(event: AlertEvent, answer_id: str, at: datetime, kind: AlertEventKind, title: str) -> AlertEvent:
    return AlertEvent(
        id=answer_id,
        portfolio_id=event.portfolio_id,
        at=at,
        kind=kind,
        title=title,
        rule_id=event.rule_id,
        metric=event.metric,
        threshold=event.threshold,
        value=event.value,
        about=event.id,
    )
