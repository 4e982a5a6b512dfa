"""Events: the named falls and the owner's own, with figures of the prices that are stored."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.services.backtest_house import BacktestHouse, january_prices
from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.domain.selloff import SELLOFFS
from vaultdash.storage.sql import SqlDatabase


@pytest.fixture
def house(tmp_path: Path, database: SqlDatabase) -> BacktestHouse:
    made = BacktestHouse(tmp_path, database)
    made.store_prices()
    return made


async def test_a_named_fall_has_its_figures_from_the_stored_prices(house: BacktestHouse) -> None:
    event = await house.events.get("January-2026")
    assert event.id == "jan-2026"
    assert event.depth == pytest.approx(427.13 / 495.90 - 1)
    figures = event.figures
    assert figures is not None
    assert (figures.first_close, figures.last_close, figures.lowest_on) == (495.90, 427.13, date(2026, 2, 2))
    assert figures.depth == pytest.approx(-0.138677, abs=1e-6)
    assert (figures.lowest_low, figures.days, figures.is_demo) == (422.55, 3, False)
    assert event.doubt is None


async def test_a_fall_whose_days_are_not_stored_says_what_is(house: BacktestHouse) -> None:
    found = {event.id: event for event in await house.events.all()}
    assert len(found) == len(SELLOFFS)
    assert found["2008"].figures is None
    assert "2025-01-02" in str(found["2008"].missing)
    assert "the end is missing" in str(found["jan-jul-2026"].missing)


async def test_prices_of_something_else_are_doubted(tmp_path: Path, database: SqlDatabase) -> None:
    house = BacktestHouse(tmp_path, database)
    halved = [Bar(bar.on, 200.0 + bar.close / 2) for bar in january_prices().bars]
    house.store_prices(PriceHistory("GLD", "test", tuple(halved)))
    event = await house.events.get("jan-2026")
    assert event.figures is not None
    assert "fall by 7.7%" in str(event.doubt)


async def test_own_events_are_kept_named_and_removed(house: BacktestHouse) -> None:
    made = await house.events.add(" Winter dip ", date(2026, 1, 30), date(2026, 2, 2), "mine")
    assert (made.id, made.name, made.is_own, made.told) == ("winter-dip", "Winter dip", True, "mine")
    assert made.depth == pytest.approx(427.13 / 444.95 - 1)
    second = await house.events.add("Winter-Dip!", date(2026, 1, 29), date(2026, 2, 2))
    assert second.id == "winter-dip-2"
    named_like_a_fall = await house.events.add("Jan 2026", date(2026, 1, 5), date(2026, 2, 2))
    assert named_like_a_fall.id == "jan-2026-2"
    assert [event.id for event in await house.events.all()][:4] == [
        "jan-2026-2", "winter-dip-2", "winter-dip", "jan-2026",
    ]  # fmt: skip
    renamed = await house.events.change("winter-dip", name="Dip", end=date(2026, 2, 4))
    assert (renamed.id, renamed.name, renamed.end, renamed.told) == ("winter-dip", "Dip", date(2026, 2, 4), "mine")
    await house.events.remove("winter-dip")
    with pytest.raises(NotFound, match="winter-dip-2"):
        await house.events.get("winter-dip")


async def test_own_days_that_gold_rose_in_have_no_depth_below_zero(house: BacktestHouse) -> None:
    made = await house.events.add("Rise", date(2026, 2, 2), date(2026, 3, 31))
    assert made.figures is not None
    assert made.depth == 0.0
    assert made.figures.change > 0


async def refused(house: BacktestHouse, error: type[Exception], words: str, call: Callable[[], object]) -> None:
    with pytest.raises(error, match=words):
        await call()  # type: ignore[misc]  # each gives a coroutine


async def test_what_cannot_be_kept_is_refused(house: BacktestHouse) -> None:
    events, day = house.events, date(2026, 1, 29)
    await events.add("Mine", day, date(2026, 2, 2))
    await refused(house, InvalidInput, "after the start", lambda: events.add("a", day, day))
    await refused(house, InvalidInput, "name must have", lambda: events.add("  ", day, date(2026, 2, 2)))
    await refused(house, InvalidInput, "name must have", lambda: events.add("a\x00b", day, date(2026, 2, 2)))
    await refused(house, InvalidInput, "note must have", lambda: events.add("a", day, date(2026, 2, 2), "x" * 301))
    await refused(house, Refused, "choose another", lambda: events.add("Mine", day, date(2026, 2, 2)))
    await refused(house, Refused, "named fall", lambda: events.remove("jan-2026"))
    await refused(house, NotFound, "of your own", lambda: events.remove("nothing"))
    await refused(house, InvalidInput, "after the start", lambda: events.change("mine", end=date(2026, 1, 1)))


async def test_a_row_that_cannot_be_read_hides_no_other(house: BacktestHouse) -> None:
    await house.events.add("Mine", date(2026, 1, 29), date(2026, 2, 2))
    async with house.database.transaction() as kept:
        rows = await kept.preferences.get("selloff_events")
        assert isinstance(rows, list)
        await kept.preferences.put("selloff_events", [{"id": 3}, "x", *rows])
    assert [event.id for event in await house.events.all() if event.is_own] == ["mine"]


async def test_the_real_prices_agree_with_every_named_fall(
    tmp_path: Path, database: SqlDatabase, shared_data: Path
) -> None:
    from vaultdash.storage.price_csv import read_price_csv

    house = BacktestHouse(tmp_path, database)
    house.store_prices(read_price_csv(shared_data / "gld_daily.csv", "GLD").history)
    for event in await house.events.named():
        assert event.missing is None, event.id
        assert event.doubt is None, event.id
        assert event.figures is not None
        assert event.figures.change == pytest.approx(event.depth, abs=1e-4), event.id
