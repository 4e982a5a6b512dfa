"""To whom an event goes and when."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON
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
    MOST_ATTEMPTS,
    deliveries_of,
    is_late,
    is_lost,
    is_tried_again,
    is_unreachable,
    last_pause,
    quiet_until,
    receipt_by,
    retry_after,
    silent_since,
)

NIGHT = QuietHours(time(22), time(7), "Europe/Zurich")
ZONES = ("Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


def zurich(*given: int) -> datetime:
    return datetime(*given, tzinfo=ZoneInfo("Europe/Zurich")).astimezone(UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (zurich(2026, 6, 10, 21, 59), None),
        (zurich(2026, 6, 10, 22, 0), zurich(2026, 6, 11, 7)),
        (zurich(2026, 6, 11, 0, 0), zurich(2026, 6, 11, 7)),
        (zurich(2026, 6, 11, 6, 59), zurich(2026, 6, 11, 7)),
        (zurich(2026, 6, 11, 7, 0), None),
        (zurich(2026, 3, 28, 23, 0), zurich(2026, 3, 29, 7)),  # an hour shorter: summer time begins
        (zurich(2026, 10, 24, 23, 0), zurich(2026, 10, 25, 7)),  # an hour longer
    ],
)
def test_quiet_hours_go_over_midnight_and_over_changes_of_the_clock(at: datetime, until: datetime | None):
    assert quiet_until(NIGHT, at) == until


def test_an_end_that_the_clock_jumps_over_ends_them_when_it_jumps():
    quiet = QuietHours(time(1), time(2, 30), "Europe/Zurich")
    found = quiet_until(quiet, zurich(2026, 3, 29, 1, 30))
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 on the wall


@given(
    at=st.integers(0, 4 * 365 * 86_400).map(
        lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(ZONES),
)
def test_quiet_hours_end_later_than_now_within_a_day_and_are_over_then(
    at: datetime, begins: time, ends: time, zone: str
):
    if begins == ends:
        return
    quiet = QuietHours(begins, ends, zone)
    until = quiet_until(quiet, at)
    local = at.astimezone(ZoneInfo(zone)).time()
    assert (until is not None) == (begins <= local < ends if begins < ends else not ends <= local < begins)
    if until is not None:
        assert timedelta(0) < until - at <= timedelta(hours=25)
        again = quiet_until(quiet, until)
        assert again is None or until.astimezone(ZoneInfo(zone)).time() < ends  # the hour that comes twice


def a_channel(name: str, step: int = 0, wait_minutes: float = 5.0, **fields: object) -> Channel:
    return Channel(name, ChannelKind.APPRISE, name, "x", step, wait_minutes, **fields)  # type: ignore[arg-type]


def an_event(severity: AlertSeverity = AlertSeverity.CALL, at: datetime = NOON) -> AlertEvent:
    return AlertEvent("e", "main", at, AlertEventKind.RAISED, "t", severity=severity)


def rows(event: AlertEvent, *channels: Channel, quiet: QuietHours | None = None) -> dict[str, timedelta]:
    ids = itertools.count()
    found = deliveries_of(event, channels, quiet, lambda: str(next(ids)))
    return {row.channel_id: row.due_at - event.at for row in found}


def test_the_lowest_step_is_due_at_once_and_the_next_after_its_wait():
    channels = a_channel("a", 1), a_channel("b", 1), a_channel("c", 3, 10.0), a_channel("d", 5, 20.0)
    minutes = {name: due.total_seconds() / 60 for name, due in rows(an_event(), *channels).items()}
    assert minutes == {"a": 0, "b": 0, "c": 10, "d": 30}


def test_a_channel_that_is_off_gets_nothing():
    assert rows(an_event(), a_channel("a", is_on=False)) == {}


def test_a_warning_waits_for_the_morning_and_a_call_does_not():
    at = zurich(2026, 6, 10, 23, 0)
    channels = a_channel("a"), a_channel("b", 1, 5.0)
    assert rows(an_event(AlertSeverity.CALL, at), *channels, quiet=NIGHT)["a"] == timedelta(0)
    late = rows(an_event(AlertSeverity.WARNING, at), *channels, quiet=NIGHT)
    assert late == {"a": timedelta(hours=8), "b": timedelta(hours=8, minutes=5)}


def test_every_row_of_an_event_has_its_key():
    found = deliveries_of(an_event(), [a_channel("a"), a_channel("b")], None, iter("12").__next__)
    assert {row.key for row in found} == {"e"}


def test_pauses_grow_and_come_to_an_end():
    pauses = [retry_after(attempts) for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert pauses[-1] is None
    seconds = [pause.total_seconds() for pause in pauses if pause is not None]
    assert seconds == sorted(seconds)
    assert retry_after(1, asked_seconds=90) == timedelta(seconds=90)


def a_row(state: DeliveryState = DeliveryState.WAITING, problem: str | None = None, **fields: object) -> Delivery:
    return Delivery("r", "e", "main", "c", "e", 0, NOON, state, problem=problem, **fields)  # type: ignore[arg-type]


AWAITS = a_row(accepted_at=NOON)


@pytest.mark.parametrize(
    ("found", "lost"),
    [
        ([], False),
        ([a_row()], False),
        ([a_row(DeliveryState.FAILED, "down")], True),
        ([a_row(DeliveryState.FAILED, "down"), a_row()], False),
        ([a_row(DeliveryState.FAILED, "down"), a_row(DeliveryState.ACCEPTED)], False),
        ([a_row(DeliveryState.FAILED, "down"), AWAITS], False),
        ([silent_since(AWAITS, "no receipt")], True),
        ([silent_since(AWAITS, "no receipt"), a_row(DeliveryState.CONFIRMED)], False),
        ([silent_since(AWAITS, None)], False),
        ([a_row(DeliveryState.FAILED, "down"), a_row(DeliveryState.CANCELLED)], False),
    ],
)
def test_it_is_lost_when_nothing_is_tried_any_more_and_nobody_is_known_to_be_reached(
    found: list[Delivery], lost: bool
):
    assert is_lost(found) is lost


def test_a_receipt_is_awaited_as_long_as_the_channel_waits():
    assert receipt_by(NOON, 5.0) == NOON + timedelta(minutes=5)
    assert receipt_by(NOON, 0.0) == NOON + timedelta(minutes=1)


def test_a_failed_row_is_tried_again_after_the_last_pause_or_when_the_clock_was_set_back():
    row = a_row(DeliveryState.FAILED, "down")
    assert is_tried_again(row, NOON)
    assert not is_tried_again(row, NOON - timedelta(minutes=20))
    assert is_tried_again(row, NOON - timedelta(hours=6))
    assert last_pause() == timedelta(minutes=20)


@pytest.mark.parametrize(
    ("row", "back", "moved"),
    [
        (a_row(), timedelta(0), False),
        (a_row(), timedelta(hours=3), True),
        (a_row(attempts=3), timedelta(minutes=20), False),
        (a_row(attempts=3), timedelta(hours=3), True),
        (AWAITS, timedelta(0), False),
        (AWAITS, timedelta(hours=3), True),
    ],
)
def test_what_is_due_later_than_any_pause_was_moved_by_the_clock(row: Delivery, back: timedelta, moved: bool):
    assert is_unreachable(row, an_event(), None, NOON - back) is moved


def test_what_waits_for_the_end_of_quiet_hours_was_not_moved_by_the_clock():
    at = zurich(2026, 6, 10, 23, 0)
    row = replace(a_row(attempts=1), due_at=zurich(2026, 6, 11, 7, 0))
    assert not is_unreachable(row, an_event(AlertSeverity.WARNING, at), NIGHT, at)
    assert is_unreachable(row, an_event(AlertSeverity.CALL, at), NIGHT, at)


def test_a_message_is_late_after_two_minutes():
    assert not is_late(an_event(), NOON + timedelta(minutes=2))
    assert is_late(an_event(), NOON + timedelta(minutes=2, seconds=1))
