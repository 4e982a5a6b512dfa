"""LTV over time, on the real database: one record an hour whatever happens, gaps as gaps."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import NOON, a_portfolio, a_quote, an_ltv_record
from tests.services.twins import Clock, FixedHours
from vaultdash.clock import NEW_YORK
from vaultdash.domain.alert import AlertEventKind
from vaultdash.domain.market import DEMO_SOURCE, Freshness
from vaultdash.domain.portfolio import Portfolio, Snapshot, mark
from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.services.alert_watch import AlertWatch
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvHistory, gaps
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.storage.records import Transaction
from vaultdash.storage.sql import SqlDatabase

HOUR = timedelta(hours=1)


def a_beat(
    at: datetime,
    price: float = 460.0,
    portfolios: Sequence[Portfolio] = (),
    source: str = "test",
    freshness: Freshness = Freshness.LIVE,
) -> Beat:
    snapshots: dict[str, Snapshot] = {}
    statuses: dict[str, QuoteStatus] = {}
    for portfolio in portfolios or (a_portfolio(),):
        symbol = portfolio.collateral.quoted_by
        statuses[symbol] = QuoteStatus(a_quote(price, symbol, at, source=source), freshness, 0.0)
        snapshots[portfolio.id] = mark(portfolio, price, at.date())
    first = next(iter(snapshots.values()))
    return Beat(1, at, next(iter(statuses.values())), first, 0.16, "test", None, statuses, snapshots)


class House:
    """A history over a database, its clock, and a way to hand it beats."""

    def __init__(self, database: SqlDatabase, **fields: object) -> None:
        self.clock = Clock()
        self.database = database
        self.history = LtvHistory(database, FixedHours(), self.clock, **fields)  # type: ignore[arg-type]

    async def beat(self, beat: Beat, crossed: Sequence[str] = ()) -> None:
        self.clock.at = max(self.clock.at, beat.at)
        async with self.database.transaction() as into:
            await self.history.record(into, beat, crossed)

    async def records(self, portfolio_id: str = "main") -> tuple[LtvRecord, ...]:
        return (await self.history.series(portfolio_id, None)).records


@pytest.fixture
def house(database: SqlDatabase) -> House:
    return House(database)


async def test_the_first_beat_of_an_hour_is_written_down_and_no_other(house: House) -> None:
    for minutes in (3, 4, 33, 59, 60, 61, 119):
        await house.beat(a_beat(NOON + timedelta(minutes=minutes), 460 + minutes))
    assert [(record.at - NOON, record.price) for record in await house.records()] == [
        (timedelta(minutes=3), 463.0),
        (timedelta(minutes=60), 520.0),
    ]


async def test_a_record_says_what_the_loan_was_and_what_the_price_was_worth(house: House) -> None:
    loan = a_portfolio(loan=600_000, warning_ltv=0.65, margin_call_ltv=0.72, close_out_ltv=0.80)
    await house.beat(a_beat(NOON, 400.0, [loan], freshness=Freshness.STALE))
    (record,) = await house.records()
    assert record == LtvRecord(
        portfolio_id="main",
        at=NOON,
        kind=RecordKind.HOURLY,
        price=400.0,
        quote_at=NOON,
        source="test",
        is_fresh=False,
        is_demo=False,
        market_open=True,
        loan_amount=600_000.0,
        gold_value=1_000_000 / 460 * 400,
        hedge_value=0.0,
        ltv=600_000 / (1_000_000 / 460 * 400),
        lender_ltv=600_000 / (1_000_000 / 460 * 400),
        ltv_after_payment=600_000 / (1_000_000 / 460 * 400),
        ltv_credited=600_000 / (1_000_000 / 460 * 400),
        warning_ltv=0.65,
        margin_call_ltv=0.72,
        close_out_ltv=0.80,
    )


async def test_the_market_need_not_be_open_and_it_is_said_when_it_is_not(house: House) -> None:
    saturday = datetime(2026, 6, 13, 9, 30, tzinfo=UTC)
    await house.beat(a_beat(saturday, freshness=Freshness.CLOSED))
    (record,) = await house.records()
    assert (record.market_open, record.is_fresh) == (False, True)


async def test_a_restart_in_the_same_hour_writes_no_second_record(house: House) -> None:
    await house.beat(a_beat(NOON))
    for minutes in (1, 30):
        await House(house.database).beat(a_beat(NOON + timedelta(minutes=minutes)))
    assert len(await house.records()) == 1


async def test_two_processes_on_one_database_write_one_record_an_hour(tmp_path: Path) -> None:
    databases = [SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}") for _ in range(2)]
    for database in databases:
        await database.open()
    houses = [House(database) for database in databases]
    for hour in range(6):
        for minute in range(0, 60, 20):
            for number, house in enumerate(houses):
                await house.beat(a_beat(NOON + timedelta(hours=hour, minutes=minute, seconds=number)))
    assert [len(await house.records()) for house in houses] == [6, 6]
    for database in databases:
        await database.aclose()


async def test_a_transaction_that_fails_leaves_the_hour_to_the_next_beat(house: House) -> None:
    async def fail() -> None:
        async with house.database.transaction() as into:
            await house.history.record(into, a_beat(NOON))
            raise RuntimeError("the alert could not be written")

    with pytest.raises(RuntimeError):
        await fail()
    assert await house.records() == ()
    await house.beat(a_beat(NOON + timedelta(minutes=1)))
    assert [record.at for record in await house.records()] == [NOON + timedelta(minutes=1)]


async def test_a_crossing_is_written_at_once_beside_the_record_of_the_hour(house: House) -> None:
    await house.beat(a_beat(NOON, 460.0))
    await house.beat(a_beat(NOON + timedelta(minutes=7), 394.0), ["main"])
    await house.beat(a_beat(NOON + timedelta(minutes=8), 393.0))
    assert [(record.kind, record.price) for record in await house.records()] == [
        (RecordKind.HOURLY, 460.0),
        (RecordKind.CROSSING, 394.0),
    ]


async def test_every_portfolio_has_records_of_its_own(house: House) -> None:
    gld, iau = a_portfolio(), replace(a_portfolio(20_000, symbol="IAU"), id="second")
    await house.beat(a_beat(NOON, portfolios=[gld, iau]), ["second"])
    assert [record.kind for record in await house.records("main")] == [RecordKind.HOURLY]
    assert {record.kind for record in await house.records("second")} == {RecordKind.HOURLY, RecordKind.CROSSING}


async def test_an_invented_price_that_stands_in_is_not_written_but_the_real_one_after_it_is(house: House) -> None:
    await house.beat(a_beat(NOON, 500.0, source=DEMO_SOURCE), ["main"])
    assert await house.records() == ()
    await house.beat(a_beat(NOON + timedelta(seconds=30), 460.0))
    assert [record.price for record in await house.records()] == [460.0]


async def test_on_the_demo_market_invented_prices_are_kept_and_marked(database: SqlDatabase) -> None:
    house = House(database, keeps_demo=True)
    await house.beat(a_beat(NOON, source=DEMO_SOURCE))
    assert [record.is_demo for record in await house.records()] == [True]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 7), 24), (date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 11, 2), 24)],
)
async def test_a_day_of_new_york_has_23_24_or_25_records(house: House, day: date, hours: int) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    while at < datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=2):
        await house.beat(a_beat(at))
        at += timedelta(minutes=13)
    days = Counter(record.at.astimezone(NEW_YORK).date() for record in await house.records())
    assert days[day] == hours


async def test_a_day_of_flicker_around_the_limit_writes_the_hours_and_one_crossing(house: House) -> None:
    async def evaluated(_: Beat) -> None:
        pass

    hours = FixedHours()
    watch = AlertWatch(house.database, house.history, house.clock, lambda *_: {}, evaluated, hours=hours)
    seen = 0
    for minute in range(0, 24 * 60, 3):
        house.clock.at = NOON + timedelta(minutes=minute)
        price = 460.0 / 1_000_000 * 600_000 / (0.701 if minute % 2 else 0.699)
        events = await watch.evaluate(a_beat(house.clock.at, price))
        seen += len([event for event in events if event.kind is AlertEventKind.RAISED])
    kinds = Counter(record.kind for record in await house.records())
    assert kinds == {RecordKind.HOURLY: 24, RecordKind.CROSSING: 1}
    assert seen == 1


async def test_a_clock_set_back_writes_no_second_record_of_an_hour(house: House) -> None:
    for hours in (0, 1, 2, 0.5, 1.5, 2.5, 3):
        await house.beat(a_beat(NOON + hours * HOUR))
    assert [record.at for record in await house.records()] == [NOON + hours * HOUR for hours in range(4)]


async def test_gaps_are_spans_of_more_than_two_hours(house: House) -> None:
    for hours in (0, 1, 3, 5.5, 6):
        await house.beat(a_beat(NOON + hours * HOUR))
    found = await house.history.series("main", 30)
    assert found.gaps == ((NOON + 3 * HOUR, NOON + 5.5 * HOUR),)


async def test_silence_up_to_now_is_a_gap_to_the_present_hour(house: House) -> None:
    await house.beat(a_beat(NOON))
    house.clock.at = NOON + timedelta(hours=7, minutes=40)
    assert (await house.history.series("main")).gaps == ((NOON, NOON + 7 * HOUR),)


async def test_a_gap_that_began_before_the_days_asked_for_is_shown(house: House) -> None:
    await house.beat(a_beat(NOON - timedelta(days=20)))
    await house.beat(a_beat(NOON))
    found = await house.history.series("main", 7)
    assert len(found.records) == 1
    assert found.gaps == ((NOON - timedelta(days=20), NOON),)


def test_no_record_has_no_gap() -> None:
    assert gaps([], NOON) == ()


async def test_the_last_days_are_given_and_all_when_none_are_named(house: House) -> None:
    for days in (400, 100, 80, 20, 3):
        await house.beat(a_beat(NOON - timedelta(days=days)))
    house.clock.at = NOON
    assert [len((await house.history.series("main", days)).records) for days in (7, 30, 90, 365, None)] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip


async def test_the_same_series_is_given_until_something_was_written(house: House) -> None:
    await house.beat(a_beat(NOON))
    first = await house.history.series("main")
    house.clock.go_on(minutes=30)
    assert await house.history.series("main") is first
    await house.beat(a_beat(NOON + HOUR))
    assert len((await house.history.series("main")).records) == 2


async def test_what_another_process_wrote_is_seen(house: House) -> None:
    await house.beat(a_beat(NOON))
    assert len(await house.records()) == 1
    await House(house.database).beat(a_beat(NOON + HOUR))
    assert len(await house.records()) == 2


async def test_reading_bit_by_bit_gives_what_reading_at_once_gives(house: House) -> None:
    seed = 20261121
    print(f"seed {seed}")
    chance, at = random.Random(seed), NOON
    for _ in range(150):
        at += timedelta(minutes=chance.choice((5, 30, 61, 300, 4_000)))
        async with house.database.transaction() as into:
            await into.ltv.add(an_ltv_record(at, kind=chance.choice(list(RecordKind))))
        house.clock.at = at + timedelta(minutes=chance.choice((0, 20, 500)))
        if chance.random() < 0.5:
            days = chance.choice((7, 30, None))
            again = LtvHistory(house.database, FixedHours(), house.clock)
            assert await house.history.series("main", days) == await again.series("main", days)


async def test_a_portfolio_without_records_has_an_empty_series(house: House) -> None:
    found = await house.history.series("none")
    assert (found.records, found.gaps) == ((), ())


async def test_who_asks_in_the_same_moment_shares_one_read_and_one_answer(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, reads, usual = LtvHistory(database, FixedHours(), Clock()), [0], database.reading
    async with database.transaction() as into:
        for back in range(48):
            await into.ltv.add(an_ltv_record(NOON - back * HOUR))

    def reading() -> AbstractAsyncContextManager[Transaction]:
        reads[0] += 1
        return usual()

    monkeypatch.setattr(database, "reading", reading)
    found = await asyncio.gather(*(history.series("main", 7) for _ in range(20)))
    assert (reads, len(found[0].records)) == ([1], 48)
    assert all(each is found[0] for each in found)
    assert await history.series("main", 7) is found[0]
    assert reads == [2]  # who asks later sees what was written since
