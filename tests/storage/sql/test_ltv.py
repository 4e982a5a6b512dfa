"""LTV over time, on both databases."""

import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOON
from tests.storage.sql.records import an_ltv_record, ltv_records
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.storage.sql import SqlDatabase

HOUR = timedelta(hours=1)


async def test_records_come_back_by_time_with_both_ends(database: SqlDatabase) -> None:
    hourly = [an_ltv_record(NOON + hour * HOUR) for hour in range(5)]
    crossing = an_ltv_record(NOON + HOUR, RecordKind.CROSSING)
    async with database.transaction() as tx:
        for record in [*reversed(hourly), crossing, an_ltv_record(portfolio_id="other")]:
            await tx.ltv.add(record)
    async with database.reading() as found:
        assert await found.ltv.between("main", NOON + HOUR, NOON + 3 * HOUR) == [crossing, *hourly[1:4]]
        assert len(await found.ltv.between("main")) == 6
        assert await found.ltv.between("main", NOON + 5 * HOUR) == []
        assert await found.ltv.latest("main") == hourly[-1]
        assert await found.ltv.latest("nobody") is None


async def test_a_second_record_of_the_same_time_and_kind_is_left_out(database: SqlDatabase) -> None:
    async with database.transaction() as tx:
        await tx.ltv.add(an_ltv_record(price=460.0))
        await tx.ltv.add(an_ltv_record(price=461.0))
    async with database.reading() as found:
        assert [record.price for record in await found.ltv.between("main")] == [460.0]


async def test_times_of_another_zone_are_the_same_moment(database: SqlDatabase) -> None:
    zone = timezone(timedelta(hours=-4))
    at = datetime(2026, 6, 10, 12, 0, 0, 7, tzinfo=zone)
    async with database.transaction() as tx:
        await tx.ltv.add(an_ltv_record(at))
    async with database.reading() as found:
        (kept,) = await found.ltv.between("main", at, at)
    assert kept.at == at
    assert kept.at.tzinfo == UTC
    assert kept.at.microsecond == 7


async def test_a_time_without_zone_is_refused(database: SqlDatabase) -> None:
    with pytest.raises(DatabaseError, match="must say its zone"):
        async with database.transaction() as tx:
            await tx.ltv.add(an_ltv_record(quote_at=NOON.replace(tzinfo=None)))


async def test_what_is_no_number_is_refused(database: SqlDatabase) -> None:
    with pytest.raises(DatabaseError):
        async with database.transaction() as tx:
            await tx.ltv.add(an_ltv_record(ltv=float("nan")))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_every_bit_of_a_record_comes_back(data: st.DataObject, database: SqlDatabase) -> None:
    record = data.draw(ltv_records())

    class TakenBack(Exception):
        pass

    with pytest.raises(TakenBack):  # noqa: PT012 - the whole transaction must fail
        async with database.transaction() as tx:
            await tx.ltv.add(record)
            (kept,) = await tx.ltv.between("main")
            assert kept == record
            assert bits(kept) == bits(record)
            raise TakenBack


def bits(record: LtvRecord) -> list[bytes]:
    values = (getattr(record, name) for name in LtvRecord.__dataclass_fields__)
    return [struct.pack("d", value + 0.0) for value in values if isinstance(value, float)]  # -0.0 may become 0.0
