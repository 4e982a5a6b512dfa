"""What a stretch of recorded LTV says, each record against the limits of its own time."""

from datetime import timedelta

import pytest

from tests.builders import NOON, an_ltv_record
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.record import RecordKind
from vaultdash.services.ltv_span import span_of, zone_of


def at(hours: float, ltv: float, **fields: object):  # type: ignore[no-untyped-def]  # a record
    return an_ltv_record(NOON + timedelta(hours=hours), ltv, **fields)


def test_nothing_recorded_says_nothing() -> None:
    assert span_of([]) is None


def test_highest_lowest_and_last_are_told_apart() -> None:
    span = span_of([at(0, 0.60), at(1, 0.72), at(2, 0.55), at(3, 0.61)])
    assert span is not None
    assert (span.highest.ltv, span.lowest.ltv, span.last.ltv) == (0.72, 0.55, 0.61)
    assert span.worst is Zone.WARNING


def test_hours_are_counted_by_zone_and_a_crossing_is_no_hour() -> None:
    records = [at(0, 0.60), at(1, 0.70), at(1.5, 0.76, kind=RecordKind.CROSSING), at(2, 0.76), at(3, 0.86)]
    span = span_of(records)
    assert span is not None
    assert span.hours == {Zone.ROOM: 1, Zone.WARNING: 1, Zone.CALL: 1, Zone.CLOSE_OUT: 1}
    assert (span.hours_at_least(Zone.WARNING), span.hours_at_least(Zone.CALL), span.recorded_hours) == (3, 2, 4)
    assert span.worst is Zone.CLOSE_OUT


def test_a_crossing_between_the_hours_is_the_worst_if_it_is() -> None:
    span = span_of([at(0, 0.60), at(0.5, 0.76, kind=RecordKind.CROSSING), at(1, 0.60)])
    assert span is not None
    assert span.worst is Zone.CALL
    assert span.hours_at_least(Zone.CALL) == 0


@pytest.mark.parametrize(
    ("ltv", "zone"),
    [(0.6999, Zone.ROOM), (0.70, Zone.WARNING), (0.75, Zone.CALL), (0.75 - 1e-12, Zone.CALL), (0.85, Zone.CLOSE_OUT)],
)
def test_on_a_limit_is_beyond_it(ltv: float, zone: Zone) -> None:
    assert zone_of(at(0, ltv)) is zone


def test_limits_are_those_of_the_time_and_ltv_is_as_the_lender_counted() -> None:
    assert zone_of(at(0, 0.66, warning_ltv=0.65)) is Zone.WARNING
    assert zone_of(at(0, 0.80, lender_ltv=0.60)) is Zone.ROOM
