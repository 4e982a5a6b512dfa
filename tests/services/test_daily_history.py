"""Stored bars first, the provider behind them, the demo market only when there is nothing."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.builders import a_history
from tests.services.twins import by_one_clock, until
from vaultdash.domain.errors import BadPayload, NotFound, Refused, Unavailable
from vaultdash.domain.market import Bar
from vaultdash.services.daily_history import unbroken_bars

LAST_SESSION = date(2026, 6, 9)  # the clock stands at noon in New York on the 10th


@pytest.fixture
def build(build):
    return by_one_clock(build)


def bars(start: date, end: date, close: float = 460.0) -> tuple[Bar, ...]:
    days = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return tuple(Bar(day, close) for day in days if day.weekday() < 5)


def keep(house, end: date, close: float = 460.0) -> None:
    house.store.merge_history(a_history({bar.on: bar.close for bar in bars(date(2026, 1, 2), end, close)}))


async def settled(house) -> None:
    """Wait for the updates that have been started."""
    await asyncio.gather(*house.history._updates.values())


async def test_stored_bars_are_given_at_once_while_the_update_runs_behind(house):
    keep(house, date(2026, 6, 5))
    house.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    house.market.gate.clear()
    assert (await house.history.load("GLD")).bars[-1].on == date(2026, 6, 5)
    house.market.gate.set()
    await until(lambda: house.store.load_history("GLD").bars[-1].on == LAST_SESSION)
    assert (await house.history.load("GLD")).bars[-1].on == LAST_SESSION


async def test_an_update_asks_from_a_week_before_the_last_stored_day(house):
    keep(house, date(2026, 6, 5))
    house.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    result = await house.history.update("GLD")
    assert house.market.asked_days == [(date(2026, 5, 29), date(2026, 6, 10))]
    assert (result.added, result.replaced, result.unchanged) == (2, 0, 6)


async def test_a_first_update_asks_for_everything(house):
    house.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    await house.history.update("GLD")
    assert house.market.asked_days == [(date(2004, 11, 18), date(2026, 6, 10))]


async def test_nothing_is_asked_when_the_last_finished_session_is_stored(house):
    keep(house, LAST_SESSION)
    await house.history.load("GLD")
    await settled(house)
    assert house.market.asked_days == []


async def test_a_session_is_finished_at_four_in_new_york(house):
    keep(house, LAST_SESSION)
    house.clock.at = datetime(2026, 6, 10, 20, 0, tzinfo=UTC)
    await house.history.load("GLD")
    await until(lambda: len(house.market.asked_days) == 1)


async def test_a_weekend_needs_no_update(house):
    keep(house, date(2026, 6, 12))
    house.clock.at = datetime(2026, 6, 14, 18, tzinfo=UTC)
    await house.history.load("GLD")
    await settled(house)
    assert house.market.asked_days == []


async def test_with_nothing_stored_the_provider_is_waited_for(house):
    house.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    found = await house.history.load("GLD")
    assert (found.source, found.bars[-1].on) == ("Scripted", LAST_SESSION)


async def test_a_slow_provider_is_waited_for_no_longer_than_patience(impatient):
    impatient.demo.bars = bars(date(2026, 5, 1), LAST_SESSION, 333.0)
    impatient.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    impatient.market.gate.clear()
    assert (await asyncio.wait_for(impatient.history.load("GLD"), 30)).source == "DEMO"
    impatient.market.gate.set()  # it answers after all, and what it says is kept
    await until(lambda: impatient.store.load_history("GLD") is not None)
    assert (await impatient.history.load("GLD")).source == "Scripted"


async def test_the_demo_stands_in_only_while_nothing_is_stored(house):
    house.demo.bars = bars(date(2026, 5, 1), LAST_SESSION, 333.0)
    house.market.history_failure = Unavailable("no route")
    assert (await house.history.load("GLD")).is_demo
    keep(house, date(2026, 3, 2))
    assert not (await house.history.load("GLD")).is_demo


async def test_demo_bars_are_never_stored(house):
    house.demo.bars = bars(date(2026, 5, 1), LAST_SESSION, 333.0)
    house.market.history_failure = Unavailable("no route")
    await house.history.load("GLD")
    assert house.store.load_history("GLD") is None


async def test_a_failed_update_is_not_tried_again_for_half_an_hour(house):
    keep(house, date(2026, 6, 5))
    house.market.history_failure = BadPayload("HTML")
    for _ in range(3):
        await house.history.load("GLD")
        await settled(house)
        house.clock.go_on(minutes=9)
    assert len(house.market.asked_days) == 1
    house.clock.go_on(minutes=3)
    await house.history.load("GLD")
    await until(lambda: len(house.market.asked_days) == 2)


async def test_a_clock_set_back_does_not_lengthen_the_pause(house):
    keep(house, date(2026, 6, 5))
    house.market.history_failure = BadPayload("HTML")
    await house.history.load("GLD")
    await settled(house)
    house.clock.at -= timedelta(hours=1)
    house.clock.go_on(minutes=30)
    await house.history.load("GLD")
    await until(lambda: len(house.market.asked_days) == 2)


def damage(house) -> None:
    keep(house, date(2026, 6, 5))
    (path,) = house.store._histories.glob("*.parquet")
    path.write_bytes(b"PAR1 and nothing more")


async def test_a_damaged_file_is_healed_by_the_provider(house):
    damage(house)
    house.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    found = await house.history.load("GLD")
    assert (found.source, found.bars[-1].on) == ("Scripted", LAST_SESSION)
    assert house.store.load_history("GLD") == found


async def test_a_damaged_file_counts_as_nothing_and_is_told_once(house):
    damage(house)
    house.market.history_failure = Unavailable("no route")
    house.demo.bars = bars(date(2026, 5, 1), LAST_SESSION, 333.0)
    with capture_logs() as lines:
        for _ in range(3):
            assert (await house.history.load("GLD")).is_demo
    assert [line["event"] for line in lines].count("stored_history_unusable") == 1


async def test_without_demo_and_provider_a_damaged_file_is_the_reason(build):
    house = build(with_demo=False)
    damage(house)
    house.history._live = None
    with pytest.raises(Unavailable, match=r"no daily history of GLD is stored yet: .*parquet"):
        await house.history.load("GLD")


async def test_each_symbol_has_its_own_pause(house):
    house.market.history_failure = Unavailable("no route")
    house.demo.bars = bars(date(2026, 5, 1), LAST_SESSION)
    await house.history.load("GLD")
    await house.history.load("IAU")
    await settled(house)
    assert len(house.market.asked_days) == 2


async def test_many_who_load_share_one_update(house):
    keep(house, date(2026, 6, 5))
    house.market.gate.clear()
    await asyncio.gather(*(house.history.load("GLD") for _ in range(20)))
    house.market.gate.set()
    await settled(house)
    assert len(house.market.asked_days) == 1


async def test_those_who_come_while_the_first_update_runs_wait_for_it_too(house):
    house.market.bars = bars(date(2026, 5, 1), LAST_SESSION)
    house.market.gate.clear()
    loading = [asyncio.create_task(house.history.load("GLD"))]
    await until(lambda: len(house.market.asked_days) == 1)
    loading.append(asyncio.create_task(house.history.load("GLD")))
    house.market.gate.set()
    assert [found.source for found in await asyncio.gather(*loading)] == ["Scripted", "Scripted"]
    assert len(house.market.asked_days) == 1


async def test_only_the_asked_days_are_given(house):
    keep(house, LAST_SESSION)
    found = await house.history.load("GLD", date(2026, 6, 1), date(2026, 6, 3))
    assert [bar.on for bar in found.bars] == [date(2026, 6, day) for day in (1, 2, 3)]


async def test_without_demo_the_providers_reason_is_told(build):
    house = build(with_demo=False)
    house.market.history_failure = Unavailable("no route to Yahoo")
    with pytest.raises(Unavailable, match="no daily history of GLD is stored yet: no route to Yahoo"):
        await house.history.load("GLD")


async def test_without_demo_and_answer_the_owner_is_told_to_wait_or_import(build):
    house = build(with_demo=False, patience=0.02)
    house.market.gate.clear()
    with pytest.raises(Unavailable, match="import a file or wait for the provider"):
        await house.history.load("GLD")
    await house.history.aclose()


@pytest.mark.parametrize("with_demo", [True, False])
async def test_a_symbol_the_provider_does_not_know_is_not_found(build, with_demo):
    house = build(with_demo=with_demo)
    house.market.history_failure = NotFound("Yahoo does not know NOSUCH")
    house.demo.history_failure = NotFound("The demo market has no price for NOSUCH")
    for _ in range(2):  # the second time without asking again
        with pytest.raises(NotFound, match="Yahoo does not know NOSUCH"):
            await house.history.load("NOSUCH")
        await settled(house)
    assert len(house.market.asked_days) == 1


async def test_a_symbol_only_the_demo_does_not_know_is_unavailable_and_not_unknown(house):
    house.market.history_failure = Unavailable("no route to Yahoo")
    house.demo.history_failure = NotFound("The demo market has no price for AAPL")
    with pytest.raises(Unavailable, match="no route to Yahoo"):
        await house.history.load("AAPL")


async def test_the_demo_market_has_nothing_to_update(house):
    house.history._live = None
    with pytest.raises(Refused, match="set VAULT_MARKET to auto or yahoo"):
        await house.history.update("GLD")


async def test_an_update_that_is_asked_for_tells_what_went_wrong(house):
    house.market.history_failure = BadPayload("HTML")
    with pytest.raises(BadPayload, match="HTML"):
        await house.history.update("GLD")


async def test_a_disk_that_fails_leaves_the_demo(build, tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    house = build(tmp_path / "data")
    house.market.bars = house.demo.bars = bars(date(2026, 5, 1), LAST_SESSION)
    with pytest.raises(OSError):
        await house.history.update("GLD")


async def test_closing_ends_the_updates_under_way(house):
    keep(house, date(2026, 6, 5))
    house.market.gate.clear()
    await house.history.load("GLD")
    (update,) = house.history._updates.values()
    await house.history.aclose()
    assert update.cancelled()


async def test_the_inventory_lists_what_is_stored(house):
    keep(house, LAST_SESSION)
    (line,) = await house.history.stored()
    assert (line.symbol, line.first, line.last) == ("GLD", date(2026, 1, 2), LAST_SESSION)


@pytest.mark.parametrize("closes", [[460.0] * 10, [460.0] * 60, [0.0] * 60, [-0.1] * 60])
async def test_prices_that_give_no_volatility_give_none(house, closes):
    days = house.hours.sessions(date(2026, 1, 1), LAST_SESSION)[-len(closes) :]
    house.store.merge_history(a_history(dict(zip(days, closes, strict=True))))
    assert await house.history.volatility("GLD") is None


async def test_volatility_is_that_of_the_last_year(house):
    wild = {bar.on: 460.0 * (1.1 if bar.on.day % 2 else 1.0) for bar in bars(date(2024, 1, 2), date(2025, 6, 9))}
    calm = {bar.on: 460.0 * (1.01 if n % 2 else 1.0) for n, bar in enumerate(bars(date(2025, 6, 10), LAST_SESSION))}
    house.store.merge_history(a_history({**wild, **calm}))
    volatility = await house.history.volatility("GLD")
    assert volatility.value == pytest.approx(0.01 * 252**0.5, rel=0.01)
    assert volatility.source == "EWMA of daily closes to 9 Jun 2026, test"
    assert not volatility.is_demo


def test_a_gap_of_months_is_no_daily_move():
    bars = tuple(
        Bar(date(2026, month, day), 400.0) for month, day in ((8, 20), (8, 21), (11, 16), (11, 18), (11, 19))
    )
    assert unbroken_bars(bars) == bars[2:]
    assert unbroken_bars(()) == ()
