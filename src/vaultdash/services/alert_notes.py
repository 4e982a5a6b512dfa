"""What is written down after a message was sent, refused, confirmed or left without an answer."""

from dataclasses import replace
from datetime import datetime

from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertSeverity,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryState,
    QuietHours,
)
from vaultdash.domain.alert_sending import (
    GONE,
    MOST_ATTEMPTS,
    SILENCE,
    deliveries_of,
    is_late,
    is_lost,
    is_settled,
    last_pause,
    not_quiet,
    receipt_by,
    retry_after,
    silent_since,
    waits_long,
)
from vaultdash.domain.alert_words import dated
from vaultdash.domain.errors import ProviderError, RateLimited
from vaultdash.notify.base import Accepted, ChannelGone
from vaultdash.services.alert_answers import ANSWERED, ended_how, stop_sending, taken_over
from vaultdash.services.alert_watch import new_id
from vaultdash.storage.records import Transaction

NO_CHANNEL = "the channel was removed"
SWITCHED_OFF = "the channel is switched off"


class Notes:
    """Writes within one transaction; `events` are what it added to the history, to be told after the commit."""

    def __init__(self, into: Transaction, at: datetime) -> None:
        self.events: list[AlertEvent] = []
        self._into = into
        self._at = at

    async def claimed(self, row: Delivery, lease_until: datetime) -> tuple[Delivery, Channel, AlertEvent] | None:
        """A row that is due, counted as tried before it is; None when it cannot be sent, or not now.

        One that had failed is tried once more. What ended meanwhile is sent only when nobody was told, and not when
        an edit of its rule raised it anew: that is told by messages of its own. Should this process end before it is
        noted what became of it, it is due again when the lease is over.
        """
        channel = await self._into.alerts.channel(row.channel_id)
        event = await self._event(row.event_id)
        if channel is None or channel.removed_at is not None or not channel.is_on:
            gone = channel is None or channel.removed_at is not None
            await self._failed(row, event, NO_CHANNEL if gone else SWITCHED_OFF)
            return None
        if row.attempts >= MOST_ATTEMPTS and row.state is DeliveryState.WAITING:
            await self._failed(row, event, row.problem or f"was begun {row.attempts} times and never ended")
            return None
        allowed_at = not_quiet(event.severity, await self._quiet(event), self._at)
        if allowed_at > self._at:  # it came late, or the quiet hours are new
            await self._into.alerts.put_delivery(replace(row, due_at=allowed_at))
            return None
        ended = await ended_how(self._into, event)
        if ended is not None and (
            is_settled(await self._into.alerts.deliveries(event.id)) or await taken_over(self._into, event)
        ):
            await self._into.alerts.put_delivery(replace(row, state=DeliveryState.CANCELLED, problem=None))
            return None
        row = replace(row, state=DeliveryState.WAITING, attempts=row.attempts + 1, due_at=lease_until)
        await self._into.alerts.put_delivery(row)
        if ended is not None:
            event = replace(event, title=f"{ended}: {event.title}")
        if is_late(event, self._at):
            event = replace(event, body=f"{dated(event.at)}\n{event.body}")
        return row, channel, event

    async def accepted(self, delivery_id: str, answer: Accepted) -> None:
        """A channel's service took the message. Where receipts are given, one is awaited."""
        row, channel, event = await self._of(delivery_id)
        await self._into.alerts.put_channel(replace(channel, accepted_at=self._at, problem=None))
        known = row.state is DeliveryState.CANCELLED  # the owner answered while it was sent
        row = replace(row, accepted_at=self._at, problem=None)
        if row.state is DeliveryState.CONFIRMED:  # the receipt was quicker than this note
            await self._into.alerts.put_delivery(row)
        elif not answer.gives_receipts:
            await self._into.alerts.put_delivery(replace(row, state=DeliveryState.ACCEPTED))
        else:
            others = [each for each in await self._into.alerts.deliveries(event.id) if each.id != row.id]
            known = known or event.severity is AlertSeverity.INFO or is_settled(others)
            row = replace(row, state=DeliveryState.WAITING, due_at=receipt_by(self._at, channel.wait_minutes))
            await self._into.alerts.put_delivery(silent_since(row, None) if known else row)
        if event.severity is AlertSeverity.INFO:
            await stop_sending(self._into, event.id, after_step=row.step)

    async def refused(self, delivery_id: str, error: ProviderError, *, again: bool = True) -> None:
        """The channel failed: tried again after a pause, then the next one; a channel that is gone is taken away."""
        row, channel, event = await self._of(delivery_id)
        problem = str(error)
        if isinstance(error, ChannelGone):
            await self._lose(channel, problem, row.portfolio_id)
        else:
            await self._into.alerts.put_channel(replace(channel, problem=problem))
        if row.state is not DeliveryState.WAITING:
            return
        asked = error.retry_after_seconds if isinstance(error, RateLimited) else 0.0
        pause = retry_after(row.attempts, asked)
        if pause is None or not again or isinstance(error, ChannelGone):
            await self._failed(row, event, problem, asked)
        else:
            due_at = not_quiet(event.severity, await self._quiet(event), self._at + pause)
            await self._into.alerts.put_delivery(replace(row, due_at=due_at, problem=problem))

    async def confirmed(self, delivery_id: str) -> None:
        """A receipt: later steps need not be tried, unless it is a call, which asks for an answer of the owner.

        What goes by the same step goes on: a device that shows a message may lie where nobody looks. An unknown id is
        ignored.
        """
        row = await self._into.alerts.delivery(delivery_id)
        if row is None or row.state is DeliveryState.CONFIRMED:
            return
        channel = await self._into.alerts.channel(row.channel_id)
        if channel is not None:
            await self._into.alerts.put_channel(replace(channel, confirmed_at=self._at, problem=None))
        row = replace(row, state=DeliveryState.CONFIRMED, confirmed_at=self._at, problem=None)
        await self._into.alerts.put_delivery(replace(row, accepted_at=row.accepted_at or self._at))
        if (await self._event(row.event_id)).severity is not AlertSeverity.CALL:
            await stop_sending(self._into, row.event_id, after_step=row.step)

    async def unanswered(self, row: Delivery) -> None:
        """No receipt in time: shown when nobody else is known to be reached; after 14 days the channel is lost."""
        if row.accepted_at is not None and row.accepted_at > self._at:  # the clock was set back: from now on, then
            anew = replace(row, accepted_at=self._at, due_at=self._at + (row.due_at - row.accepted_at))
            await self._into.alerts.put_delivery(anew)
            return
        channel = await self._into.alerts.channel(row.channel_id)
        event = await self._event(row.event_id)
        if waits_long(row):
            await self._into.alerts.put_delivery(replace(row, state=DeliveryState.ACCEPTED))
            heard = channel is not None and channel.confirmed_at is not None and row.accepted_at is not None
            if channel is None or (heard and channel.confirmed_at >= row.accepted_at):  # type: ignore[operator]  # heard
                return
            days = f"{SILENCE.days} days"
            await self._lose(channel, f"It took messages for {days}, but no device confirmed one", row.portfolio_id)
            return
        problem = "no device confirmed it"
        await self._into.alerts.put_delivery(silent_since(row, problem))
        if channel is not None and channel.removed_at is None and channel.problem is None:
            await self._into.alerts.put_channel(
                replace(channel, problem="The last message was taken, but no device confirmed it")
            )
        await self._show_if_lost(event)

    async def _failed(self, row: Delivery, event: AlertEvent, problem: str, asked: float = 0.0) -> None:
        """The next step is due at once when nothing else of this one may still reach the owner.

        `due_at` is when it is tried once more should the alert still stand then; nobody counts on that.
        """
        failed = replace(row, state=DeliveryState.FAILED, problem=problem, due_at=self._at + last_pause(asked))
        await self._into.alerts.put_delivery(failed)
        rows = await self._into.alerts.deliveries(event.id)
        if all(each.state is DeliveryState.FAILED for each in rows if each.step <= row.step):
            later = [each for each in rows if each.is_unsent and each.step > row.step]
            due_at = not_quiet(event.severity, await self._quiet(event), self._at)
            for each in later:
                if each.step == later[0].step and each.due_at > due_at and not each.attempts:
                    await self._into.alerts.put_delivery(replace(each, due_at=due_at))
        await self._show_if_lost(event)

    async def _show_if_lost(self, event: AlertEvent) -> None:
        rows = await self._into.alerts.deliveries(event.id)
        if event.kind not in ANSWERED or not is_lost(rows):
            return
        shown_id = f"{event.id}-undelivered"
        if await self._into.alerts.event(shown_id) is not None:
            return
        reasons = []
        for row in rows:
            channel = await self._into.alerts.channel(row.channel_id)
            reasons.append(f"{channel.name if channel else 'A channel'}: {row.problem or 'not sent'}.")
        await self._add(
            AlertEvent(
                id=shown_id,
                portfolio_id=event.portfolio_id,
                at=self._at,
                kind=AlertEventKind.UNDELIVERED,
                title=f"Nobody was reached: {event.title}",
                body="\n".join(dict.fromkeys(reasons)),
                rule_id=event.rule_id,
                metric=event.metric,
                severity=event.severity,
                threshold=event.threshold,
                value=event.value,
                about=event.id,
            )
        )

    async def _lose(self, channel: Channel, reason: str, portfolio_id: str) -> None:
        """Take a channel away and tell by the others; the last one stays in the list, marked."""
        if channel.removed_at is not None:
            return
        others = [each for each in await self._into.alerts.channels() if each.id != channel.id and reaches(each)]
        removed_at = self._at if others else None
        if is_broken(channel):  # which was told when it was the last one
            await self._into.alerts.put_channel(replace(channel, removed_at=removed_at))
            return
        await self._into.alerts.put_channel(replace(channel, problem=f"{GONE}{reason}", removed_at=removed_at))
        rest = (
            f"It was removed. Still told: {', '.join(each.name for each in others)}."
            if others
            else "It was the last way to you: NOBODY WOULD BE TOLD OF A MARGIN CALL. Set up another one now."
        )
        event = AlertEvent(
            id=new_id(),
            portfolio_id=portfolio_id,
            at=self._at,
            kind=AlertEventKind.CHANNEL_LOST,
            title=f"{channel.name} does not reach you any more",
            body=f"{reason}.\n{rest}",
            severity=AlertSeverity.WARNING,
        )
        await self._add(event)
        for row in deliveries_of(event, others, await self._quiet(event), new_id):
            await self._into.alerts.add_delivery(row)

    async def _add(self, event: AlertEvent) -> None:
        await self._into.alerts.add_event(event)
        self.events.append(event)

    async def _of(self, delivery_id: str) -> tuple[Delivery, Channel, AlertEvent]:
        row = await self._into.alerts.delivery(delivery_id)
        channel = None if row is None else await self._into.alerts.channel(row.channel_id)
        assert row is not None  # neither is ever deleted
        assert channel is not None
        return row, channel, await self._event(row.event_id)

    async def _event(self, event_id: str) -> AlertEvent:
        event = await self._into.alerts.event(event_id)
        assert event is not None  # history is only ever added to
        return event

    async def _quiet(self, event: AlertEvent) -> QuietHours | None:
        return await quiet_hours(self._into, event)


async def quiet_hours(stored: Transaction, event: AlertEvent) -> QuietHours | None:
    """Those of the loan that an event is of."""
    plan = await stored.alerts.plan(event.portfolio_id)
    return plan.quiet if plan else None


def is_broken(channel: Channel) -> bool:
    """True for one that is gone but, as the last one, still listed."""
    return (channel.problem or "").startswith(GONE)


def reaches(channel: Channel) -> bool:
    """True for one that is on, not gone, and leads to a person and not into a log."""
    usable = channel.is_on and channel.removed_at is None and not is_broken(channel)
    return usable and channel.kind is not ChannelKind.CONSOLE
