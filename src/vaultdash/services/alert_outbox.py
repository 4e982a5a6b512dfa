"""Sends what the outbox holds: at least once, with one key an event, by the next channel when the first is silent."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from vaultdash.domain.alert import AlertEvent, AlertEventKind, AlertSeverity, Channel, ChannelKind, Delivery
from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError, Refused, Unavailable
from vaultdash.feed import Feed
from vaultdash.notify.base import Accepted, Message, Notifier
from vaultdash.services.alert_notes import Notes
from vaultdash.services.alert_overdue import overdue, queue_again
from vaultdash.storage.records import Database, Transaction

log = structlog.get_logger()
SEND_SECONDS = 15.0  # a channel that has not answered by then has failed
LEASE_SECONDS = 30.0  # a row that was claimed by a process that ended is due again after this
PATIENCE_SECONDS = 1.0  # how long one run waits for its sends; slower ones go on beside the next run
MOST_AT_ONCE = 32
MOST_OF_A_CHANNEL = 4  # at once, so that one that hangs leaves room for the others
MOST_CHANNELS = 20
CLOSING_SECONDS = 3.0
LOOK_SECONDS = 30.0  # between two looks for what is overdue
RECEIPT_PATH = "/api/alerts/receipts/{}"


@dataclass(frozen=True, slots=True)
class TestResult:
    """Whether a channel's service took a test message; `problem` says in words why not."""

    channel_id: str
    is_accepted: bool
    problem: str | None
    event_id: str


class AlertOutbox:
    """Owns the channels. `deliver` is a job; it is also woken when something was written.

    `changed` is told the id of each channel that came, changed, went, or was tried.
    """

    def __init__(
        self,
        database: Database,
        notifiers: Mapping[ChannelKind, Notifier],
        now: Callable[[], datetime],
        *,
        told: Feed[AlertEvent],
        send_seconds: float = SEND_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        receipt_path: str = RECEIPT_PATH,
    ) -> None:
        self.changed: Feed[str] = Feed()
        self._database = database
        self._notifiers = notifiers
        self._now = now
        self._told = told
        self._send_seconds = send_seconds
        self._patience_seconds = patience_seconds
        self._receipt_path = receipt_path  # with {} for the delivery's id
        self._turn = asyncio.Lock()
        self._sending: dict[asyncio.Task[bool], str] = {}  # with the channel
        self._looked_at: datetime | None = None

    async def deliver(self) -> int:
        """Send what is due; how many were accepted. One that takes longer than a moment goes on behind this."""
        async with self._turn:
            begun = await self._begin()
        if not begun:
            return 0
        done, _ = await asyncio.wait(begun, timeout=self._patience_seconds)
        return sum(task.result() for task in done)

    async def confirm(self, delivery_id: str) -> None:
        """A receipt came: what is no call is not escalated further. An unknown id is ignored."""
        async with self._database.transaction() as into:
            await Notes(into, self._now()).confirmed(delivery_id)

    async def channels(self) -> Sequence[Channel]:
        """Those not removed, by step."""
        async with self._database.reading() as stored:
            return await stored.alerts.channels()

    async def add_channel(
        self, kind: ChannelKind, name: str, address: str, *, step: int, wait_minutes: float
    ) -> Channel:
        """Keep a new one; raises InvalidInput when its address is none."""
        channel = Channel(_new_id(), kind, name, address, step, wait_minutes, added_at=self._now())
        await self._notifier(kind).check(address)
        async with self._database.transaction() as into:
            if len(await into.alerts.channels()) >= MOST_CHANNELS:
                raise Refused(f"There are {MOST_CHANNELS} channels already; remove one first")
            await into.alerts.put_channel(channel)
        self.changed.publish(channel.id)
        return channel

    async def change_channel(self, channel: Channel) -> Channel:
        """Another name, address, step, wait, or off; it is given at once what still stands and it could not send.

        Raises NotFound and InvalidInput.
        """
        async with self._database.reading() as stored:
            known = await self._known(stored, channel.id)
        if channel.address != known.address:
            await self._notifier(known.kind).check(channel.address)
        async with self._database.transaction() as into:
            known = await self._known(into, channel.id)
            changed = replace(
                known,
                name=channel.name,
                address=channel.address,
                step=channel.step,
                wait_minutes=channel.wait_minutes,
                is_on=channel.is_on,
                problem=known.problem if channel.address == known.address else None,
            )
            await into.alerts.put_channel(changed)
            await queue_again(into, changed.id, self._now(), self._lease(self._now()))
        self.changed.publish(changed.id)
        return changed

    async def remove_channel(self, channel_id: str) -> None:
        """Take one away; raises NotFound. What waits to be sent by it goes to the next step."""
        async with self._database.transaction() as into:
            known = await self._known(into, channel_id)
            await into.alerts.put_channel(replace(known, removed_at=self._now()))
        self.changed.publish(channel_id)

    async def test(self, channel_id: str) -> TestResult:
        """Send one message now; a failure is told, not repeated, and is a line of the history. Raises NotFound.

        After one that was taken the channel is given what still stands and has reached nobody.
        """
        at = self._now()
        async with self._database.transaction() as into:
            channel = await self._known(into, channel_id)
            portfolios = await into.portfolios.all()
            event = AlertEvent(
                id=_new_id(),
                portfolio_id=portfolios[0].portfolio.id if portfolios else "main",
                at=at,
                kind=AlertEventKind.TEST,
                title=f"Test: a message to {channel.name}",
                body="Where you read this, alerts reach you. Nothing has happened to the loan.",
            )
            row = Delivery(
                _new_id(), event.id, event.portfolio_id, channel.id, event.id, channel.step, self._lease(at)
            )
            row = replace(row, attempts=1)
            await into.alerts.add_event(event)
            await into.alerts.add_delivery(row)
        outcome = await self._hand_over(channel, self._message(row, event))
        await self._note(row, outcome, again=False)
        problem = str(outcome) if isinstance(outcome, ProviderError) else None
        written = [event]
        async with self._database.transaction() as into:
            if problem is None:
                await queue_again(into, channel.id, self._now(), self._lease(self._now()))
            else:
                written.append(failed_test(event, channel, problem, self._now()))
                await into.alerts.add_event(written[-1])
        for each in written:
            self._told.publish(each)
        return TestResult(channel_id, problem is None, problem, event.id)

    async def deliveries(self, event_id: str) -> Sequence[Delivery]:
        """Where the messages of an event are."""
        async with self._database.reading() as stored:
            return await stored.alerts.deliveries(event_id)

    async def aclose(self) -> None:
        """Let go of the notifiers; what was not sent in time stays in the outbox."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=CLOSING_SECONDS)
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)
        for notifier in self._notifiers.values():
            await notifier.aclose()

    async def _begin(self) -> list[asyncio.Task[bool]]:
        """Claim what is due and start to send it."""
        at = self._now()
        looks = self._looked_at is None or not 0 <= (at - self._looked_at).total_seconds() < LOOK_SECONDS
        async with self._database.reading() as stored:
            if looks:
                looks = bool(await overdue(stored, at))
                self._looked_at = at
            if not looks and not await stored.alerts.due(at, 1):
                return []
        lanes = Counter(self._sending.values())
        claimed: list[tuple[Delivery, Channel, AlertEvent]] = []
        async with self._database.transaction() as into:
            notes = Notes(into, at)
            for row in [*await into.alerts.due(at, 500), *(await overdue(into, at) if looks else ())]:
                if row.awaits_receipt:
                    await notes.unanswered(row)
                elif lanes[row.channel_id] < MOST_OF_A_CHANNEL and lanes.total() < MOST_AT_ONCE:
                    found = await notes.claimed(row, self._lease(at))
                    if found is not None:
                        lanes[row.channel_id] += 1
                        claimed.append(found)
        self._tell(notes)
        begun = []
        for row, channel, event in claimed:
            task = asyncio.create_task(self._send(row, channel, event))
            self._sending[task] = channel.id
            task.add_done_callback(self._ended)
            begun.append(task)
        return begun

    async def _send(self, row: Delivery, channel: Channel, event: AlertEvent) -> bool:
        outcome = await self._hand_over(channel, self._message(row, event))
        await self._note(row, outcome)
        return isinstance(outcome, Accepted)

    async def _hand_over(self, channel: Channel, message: Message) -> Accepted | ProviderError:
        """What the channel's service said; no answer, and whatever breaks on the way, is a failure like others."""
        try:
            async with asyncio.timeout(self._send_seconds):
                return await self._notifier(channel.kind).send(channel, message)
        except TimeoutError:
            return Unavailable(f"There was no answer within {self._send_seconds:g} seconds")
        except (ProviderError, InvalidInput) as error:
            return error if isinstance(error, ProviderError) else Unavailable(str(error))
        except Exception as error:  # noqa: BLE001 - one channel's fault must not keep the others from sending
            log.error("channel_broke", channel=channel.id, kind=channel.kind.value, reason=type(error).__name__)
            return Unavailable(f"It failed inside ({type(error).__name__}); the log says more")

    async def _note(self, row: Delivery, outcome: Accepted | ProviderError, *, again: bool = True) -> None:
        async with self._database.transaction() as into:
            notes = Notes(into, self._now())
            if isinstance(outcome, Accepted):
                await notes.accepted(row.id, outcome)
            else:
                log.warning("alert_not_sent", delivery=row.id, attempt=row.attempts, reason=str(outcome))
                await notes.refused(row.id, outcome, again=again)
        self._tell(notes)
        self.changed.publish(row.channel_id)

    def _message(self, row: Delivery, event: AlertEvent) -> Message:
        return Message(
            key=row.key,
            title=event.title,
            body=event.body,
            severity=event.severity,
            receipt_path=self._receipt_path.format(row.id),
            details={"event_id": event.id, "portfolio_id": event.portfolio_id, "kind": event.kind.value},
        )

    def _notifier(self, kind: ChannelKind) -> Notifier:
        if kind not in self._notifiers:
            raise InvalidInput("kind", f"must be one of {', '.join(known.value for known in self._notifiers)} here")
        return self._notifiers[kind]

    async def _known(self, stored: Transaction, channel_id: str) -> Channel:
        channel = await stored.alerts.channel(channel_id)
        if channel is None or channel.removed_at is not None:
            raise NotFound("There is no such channel")
        return channel

    def _lease(self, at: datetime) -> datetime:
        return at + timedelta(seconds=max(LEASE_SECONDS, 2 * self._send_seconds))

    def _ended(self, task: asyncio.Task[bool]) -> None:
        self._sending.pop(task, None)
        if not task.cancelled() and task.exception() is not None:  # the row is due again when its lease is over
            log.error("delivery_not_noted", reason=repr(task.exception()))

    def _tell(self, notes: Notes) -> None:
        for event in notes.events:
            self._told.publish(event)


def failed_test(test: AlertEvent, channel: Channel, problem: str, at: datetime) -> AlertEvent:
    """The line of the history that says that a test reached nobody, and why."""
    return AlertEvent(
        id=f"{test.id}-failed",
        portfolio_id=test.portfolio_id,
        at=at,
        kind=AlertEventKind.TEST,
        title=f"Test failed: {channel.name} was not reached",
        body=f"{problem}.\nAlerts would not reach you by {channel.name} now.",
        severity=AlertSeverity.WARNING,
        about=test.id,
    )


def _new_id() -> str:
    return uuid.uuid4().hex
