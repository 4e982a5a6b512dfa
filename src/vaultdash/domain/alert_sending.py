"""To whom an event goes and when: step by step, outside quiet hours, again after failures."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vaultdash.domain.alert import AlertEvent, AlertSeverity, Channel, Delivery, DeliveryState, QuietHours

RETRY_SECONDS = (5.0, 15.0, 45.0, 120.0, 300.0, 600.0, 1200.0)  # after each failure; then it has failed
MOST_ATTEMPTS = len(RETRY_SECONDS) + 1
LONGEST_ASKED = 3600.0  # seconds; no service is waited for longer, however long it asks
LATE = timedelta(minutes=2)  # what is sent later than this says of when it is
SILENCE = timedelta(days=14)  # a channel that gives receipts is lost when none came for so long
GONE = "Gone: "  # begins the problem of a channel that is lost but, as the last one, still listed


def quiet_until(quiet: QuietHours | None, at: datetime) -> datetime | None:
    """When the quiet hours end that `at` lies in, in UTC; None outside of them.

    Both ends are times on the wall of their zone. One that the change to summer time leaves out ends the quiet
    hours when the clock jumps; of one that comes twice the first counts, unless it is past.
    """
    if quiet is None:
        return None
    zone = ZoneInfo(quiet.zone)
    local = at.astimezone(zone)
    clock = local.time()
    if quiet.begins < quiet.ends:
        inside = quiet.begins <= clock < quiet.ends
    else:
        inside = clock >= quiet.begins or clock < quiet.ends
    if not inside:
        return None
    day = local.date() if clock < quiet.ends else local.date() + timedelta(days=1)
    ends = datetime.combine(day, quiet.ends, zone)
    first, second = (ends.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return first if first > at else second


def deliveries_of(
    event: AlertEvent, channels: Sequence[Channel], quiet: QuietHours | None, new_id: Callable[[], str]
) -> tuple[Delivery, ...]:
    """A row for every channel that is on: those of the lowest step due now, each later one after its wait.

    Quiet hours move what is no call to their end.
    """
    rows: list[Delivery] = []
    begins = event.at
    steps = sorted({channel.step for channel in channels if channel.is_on})
    for step in steps:
        of_step = [channel for channel in channels if channel.is_on and channel.step == step]
        dues = []
        for channel in of_step:
            wait = timedelta(minutes=0 if step == steps[0] else channel.wait_minutes)
            due = not_quiet(event.severity, quiet, begins + wait)
            dues.append(due)
            rows.append(Delivery(new_id(), event.id, event.portfolio_id, channel.id, event.id, step, due))
        begins = min(dues)
    return tuple(rows)


def not_quiet(severity: AlertSeverity, quiet: QuietHours | None, at: datetime) -> datetime:
    """The first time from `at` on at which something of that severity may be sent."""
    if severity is AlertSeverity.CALL:
        return at
    return quiet_until(quiet, at) or at


def retry_after(attempts: int, asked_seconds: float = 0.0) -> timedelta | None:
    """The pause after so many attempts, not shorter than the service asked for; None when there were enough."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return timedelta(seconds=max(RETRY_SECONDS[max(attempts, 1) - 1], min(asked_seconds, LONGEST_ASKED)))


def last_pause(asked_seconds: float = 0.0) -> timedelta:
    """The pause between tries of a row that has failed, while its alert stands."""
    return timedelta(seconds=max(RETRY_SECONDS[-1], min(asked_seconds, LONGEST_ASKED)))


def is_tried_again(row: Delivery, at: datetime) -> bool:
    """True when the last pause after a failure is over; one that seems longer than any is due to a clock set back."""
    return row.due_at <= at or row.due_at > at + last_pause(LONGEST_ASKED)


def is_unreachable(row: Delivery, event: AlertEvent, quiet: QuietHours | None, at: datetime) -> bool:
    """True for a waiting row that is due later than any pause can be: the clock was set back since it was written.

    Before the first try that is so when the event itself lies ahead; after it when the longest pause does not
    reach so far; of a receipt when the message lies ahead.
    """
    if row.awaits_receipt:
        return row.accepted_at is not None and row.accepted_at > at
    if not row.attempts:
        return event.at > at and not_quiet(event.severity, quiet, at) <= at
    return row.due_at > not_quiet(event.severity, quiet, at + last_pause(LONGEST_ASKED))


def is_late(event: AlertEvent, at: datetime) -> bool:
    """True when a message is sent so long after its event that its words are of another time."""
    return at - event.at > LATE


def receipt_by(accepted_at: datetime, wait_minutes: float) -> datetime:
    """When a receipt that has not come is missed for the first time."""
    return accepted_at + timedelta(minutes=max(wait_minutes, 1.0))


def silent_since(row: Delivery, problem: str | None) -> Delivery:
    """A row that waits for a receipt, put off to its last day; `problem` says that nobody is known to be reached."""
    assert row.accepted_at is not None
    return replace(row, due_at=row.accepted_at + SILENCE, problem=problem)


def waits_long(row: Delivery) -> bool:
    """True for a row of which only the last day of its receipt is still awaited."""
    return row.awaits_receipt and row.accepted_at is not None and row.due_at - row.accepted_at >= SILENCE


def is_settled(rows: Sequence[Delivery]) -> bool:
    """True when the owner was reached as far as can be known, or has shown to know.

    A receipt says so, or the acceptance of a service that gives no receipts; cancelled are only rows of events that
    somebody knew of.
    """
    sure = (DeliveryState.CONFIRMED, DeliveryState.ACCEPTED, DeliveryState.CANCELLED)
    return any(row.problem is None and (row.state in sure or waits_long(row)) for row in rows)


def is_lost(rows: Sequence[Delivery]) -> bool:
    """True when nothing more will be tried and nobody is known to be reached: it must be shown."""
    pending = any(row.state is DeliveryState.WAITING and not waits_long(row) for row in rows)
    return bool(rows) and not pending and not is_settled(rows)
