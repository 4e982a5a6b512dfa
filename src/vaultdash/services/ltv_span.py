"""What a stretch of recorded LTV says: between what it lay, and for how long beyond a limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from vaultdash.domain.loan import is_breached
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.record import LtvRecord, RecordKind

WORSE = (Zone.ROOM, Zone.WARNING, Zone.CALL, Zone.CLOSE_OUT)  # each is worse than those before it


@dataclass(frozen=True, slots=True)
class LtvSpan:
    """LTV as the lender counts it. `hours` are those recorded, by how the loan stood among its limits of the time."""

    highest: LtvRecord
    lowest: LtvRecord
    last: LtvRecord
    worst: Zone
    hours: dict[Zone, int]

    @property
    def recorded_hours(self) -> int:
        """How many hours have a record."""
        return sum(self.hours.values())

    def hours_at_least(self, zone: Zone) -> int:
        """Recorded hours in a zone or a worse one."""
        return sum(self.hours[each] for each in WORSE[WORSE.index(zone) :])


def span_of(records: Sequence[LtvRecord]) -> LtvSpan | None:
    """What the records say together; None when there is none."""
    if not records:
        return None
    zones = [zone_of(record) for record in records]
    hourly = [zone for zone, record in zip(zones, records, strict=True) if record.kind is RecordKind.HOURLY]
    return LtvSpan(
        highest=max(records, key=lambda record: record.lender_ltv),
        lowest=min(records, key=lambda record: record.lender_ltv),
        last=records[-1],
        worst=max(zones, key=WORSE.index),
        hours={zone: hourly.count(zone) for zone in WORSE},
    )


def zone_of(record: LtvRecord) -> Zone:
    """Where LTV as the lender counted it stood among the limits of the time; on a limit is beyond it."""
    if is_breached(record.lender_ltv, record.close_out_ltv):
        return Zone.CLOSE_OUT
    if is_breached(record.lender_ltv, record.margin_call_ltv):
        return Zone.CALL
    return Zone.WARNING if is_breached(record.lender_ltv, record.warning_ltv) else Zone.ROOM
