"""The newest real price, how fresh it is, and what stands behind it."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.builders import NOON, a_quote
from vaultdash.domain.errors import BadPayload, NotFound, ProviderError, RateLimited, Refused, Unavailable, VaultError
from vaultdash.domain.market import Freshness, Quote

FAILURES = [
    Unavailable("no route"),
    RateLimited("429"),
    BadPayload("HTML"),
    ProviderError("odd"),
    NotFound("unknown"),
]


async def test_a_new_price_is_live_and_kept_on_disk(house):
    status = await house.prices.refresh("GLD")
    assert (status.quote.price, status.freshness, status.age_seconds) == (460.0, Freshness.LIVE, 0.0)
    await house.prices.aclose()
    assert house.store.load_quote("GLD") == status.quote


async def test_without_any_price_a_failure_is_told(house):
    house.market.failure = Unavailable("no route to Yahoo")
    with pytest.raises(Unavailable, match="no route to Yahoo"):
        await house.prices.refresh("GLD")


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("ask", ["refresh", "latest"])
async def test_a_price_outlives_every_failure_with_its_age_and_the_reason(house, failure, ask):
    await house.prices.refresh("GLD")
    house.market.failure = failure
    house.clock.go_on(90)
    status = await getattr(house.prices, ask)("GLD")
    assert (status.quote.price, status.age_seconds, status.freshness) == (460.0, 90.0, Freshness.STALE)
    assert status.problem == str(failure)


async def test_the_reason_goes_when_the_provider_answers_again(house):
    await house.prices.refresh("GLD")
    house.market.failure = Unavailable("no route")
    await house.prices.refresh("GLD")
    house.market.failure = None
    assert (await house.prices.refresh("GLD")).problem is None


async def test_another_symbols_failure_is_not_this_ones_reason(house):
    await house.prices.refresh("GLD")
    house.market.failure = Unavailable("no route")
    with pytest.raises(Unavailable):
        await house.prices.latest("IAU")
    assert house.prices.status(a_quote()).problem is None


async def test_an_older_price_does_not_replace_a_newer_one(house):
    await house.prices.refresh("GLD")
    house.market.price, house.market.at = 300.0, NOON - timedelta(hours=1)
    assert (await house.prices.refresh("GLD")).quote.price == 460.0
    await house.prices.aclose()
    assert house.store.load_quote("GLD").price == 460.0


async def test_a_price_from_before_the_clock_was_set_back_is_replaced(house):
    await house.prices.refresh("GLD")
    house.clock.at -= timedelta(minutes=61)
    house.market.price = 455.0
    status = await house.prices.refresh("GLD")
    assert (status.quote.price, status.freshness) == (455.0, Freshness.LIVE)


async def test_a_price_from_the_future_is_stale_and_gives_way_to_no_demo(house):
    house.market.at = NOON + timedelta(seconds=61)
    assert (await house.prices.refresh("GLD")).freshness is Freshness.STALE
    house.market.source = "DEMO"
    assert not (await house.prices.refresh("GLD")).quote.is_demo


async def test_clocks_may_be_a_minute_apart(house):
    house.market.at = NOON + timedelta(seconds=60)
    assert (await house.prices.refresh("GLD")).freshness is Freshness.LIVE
    house.market.price, house.market.at = 300.0, NOON  # older, and the newer one is not from the future
    assert (await house.prices.refresh("GLD")).quote.price == 460.0


async def test_a_correction_of_the_same_moment_replaces_the_price(house):
    await house.prices.refresh("GLD")
    house.market.price = 461.0
    assert (await house.prices.refresh("GLD")).quote.price == 461.0


async def test_a_demo_price_never_replaces_a_real_one(house):
    await house.prices.refresh("GLD")
    house.clock.go_on(minutes=10)
    house.market.price, house.market.source = 500.0, "DEMO"
    status = await house.prices.refresh("GLD")
    assert (status.quote.price, status.quote.is_demo, status.freshness) == (460.0, False, Freshness.STALE)


async def test_a_real_price_replaces_a_demo_one_even_when_it_is_older(house):
    house.market.source = "DEMO"
    assert (await house.prices.refresh("GLD")).quote.is_demo
    house.market.source, house.market.at = "Scripted", NOON - timedelta(hours=1)
    assert not (await house.prices.refresh("GLD")).quote.is_demo


async def test_a_demo_price_is_never_kept_on_disk(house):
    house.market.source = "DEMO"
    await house.prices.refresh("GLD")
    assert house.store.load_quote("GLD") is None


async def test_a_demo_price_is_live_at_any_hour(house):
    house.market.source = "DEMO"
    house.clock.at = datetime(2026, 6, 13, 3, tzinfo=UTC)  # a Saturday
    assert (await house.prices.refresh("GLD")).freshness is Freshness.LIVE


async def test_a_disk_that_fails_does_not_stop_the_price(build, tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    house = build(tmp_path / "data")
    with capture_logs() as lines:
        status = await house.prices.refresh("GLD")
        await house.prices.aclose()
    assert status.quote.price == 460.0
    assert [(line["event"], line["symbol"]) for line in lines] == [("quote_not_stored", "GLD")]


class FailingStore:
    """Keeps quotes, or fails as told, once `gate` is open."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.saved: list[float] = []
        self.gate = threading.Event()
        self.gate.set()

    def save_quote(self, quote: Quote) -> None:
        self.gate.wait(5)
        if self.failure is not None:
            raise self.failure
        self.saved.append(quote.price)


@pytest.fixture
def disk(house):
    house.prices._store = FailingStore()
    return house.prices._store


STORE_FAILURES = [Unavailable("locked"), Refused("no"), OSError("full"), VaultError("odd")]


@pytest.mark.parametrize("failure", STORE_FAILURES, ids=lambda failure: type(failure).__name__)
async def test_a_store_that_fails_is_told_once_and_costs_no_price(house, disk, failure):
    disk.failure = failure
    with capture_logs() as lines:
        for price in (460.0, 461.0, 462.0):
            house.market.price = price
            status = await house.prices.refresh("GLD")
            await house.prices.aclose()
            assert (status.quote.price, status.problem) == (price, None)
        disk.failure, house.market.price = None, 463.0
        await house.prices.refresh("GLD")
        await house.prices.aclose()
    assert [line["event"] for line in lines] == ["quote_not_stored", "quote_stored_again"]
    assert disk.saved == [463.0]


async def test_a_slow_disk_gets_the_newest_price_of_each_symbol(house, disk):
    disk.gate.clear()
    async with asyncio.timeout(20):
        for price in (460.0, 461.0, 462.0):
            house.market.price = price
            assert (await house.prices.refresh("GLD")).quote.price == price
            await asyncio.sleep(0.01)
        house.market.price = 86.0
        await house.prices.refresh("IAU")
    assert disk.saved == []
    disk.gate.set()
    await house.prices.aclose()
    assert disk.saved == [460.0, 462.0, 86.0]


async def test_closing_does_not_wait_for_a_disk_that_hangs(house, disk, monkeypatch):
    monkeypatch.setattr("vaultdash.services.price_feed.CLOSING_SECONDS", 0.05)
    disk.gate.clear()
    await house.prices.refresh("GLD")
    async with asyncio.timeout(4):
        await house.prices.aclose()
    disk.gate.set()


async def test_symbols_are_kept_apart(house):
    await house.prices.refresh("GLD")
    house.market.price = 86.0
    assert (await house.prices.latest("IAU")).quote.price == 86.0
    house.market.failure = Unavailable("no route")
    assert (await house.prices.latest("GLD")).quote.price == 460.0


@pytest.mark.parametrize("currency", ["GBp", "CHF", "EUR"])
async def test_a_price_in_another_currency_is_refused_and_not_taken_for_dollars(house, currency):
    house.market.fields = {"currency": currency}
    with pytest.raises(Refused, match=f"PHAU.L is quoted in {currency}; only USD"):
        await house.prices.latest("PHAU.L")


async def test_a_declared_delay_is_allowed_for(house):
    house.market.at, house.market.fields = NOON - timedelta(minutes=15), {"delay_seconds": 900.0}
    assert (await house.prices.refresh("GLD")).freshness is Freshness.LIVE
    house.clock.go_on(61)
    assert (await house.prices.refresh("GLD")).freshness is Freshness.STALE


async def test_the_last_price_of_the_session_is_closed_over_the_weekend(house):
    house.market.at = datetime(2026, 6, 12, 20, tzinfo=UTC)  # Friday, the close
    house.clock.at = datetime(2026, 6, 14, 12, tzinfo=UTC)
    status = await house.prices.refresh("GLD")
    assert (status.freshness, status.age_seconds) == (Freshness.CLOSED, 40 * 3600.0)


async def test_the_last_price_of_friday_is_stale_two_intervals_after_mondays_open(house):
    house.market.at = datetime(2026, 6, 12, 20, tzinfo=UTC)
    house.clock.at = datetime(2026, 6, 15, 13, 31, 1, tzinfo=UTC)
    assert (await house.prices.refresh("GLD")).freshness is Freshness.STALE


async def test_a_price_whose_feed_died_in_the_session_stays_stale_after_the_close(house):
    house.market.at = datetime(2026, 6, 10, 17, tzinfo=UTC)
    house.clock.at = datetime(2026, 6, 10, 23, tzinfo=UTC)
    assert (await house.prices.refresh("GLD")).freshness is Freshness.STALE
