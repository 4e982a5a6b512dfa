"""How the house says it is."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.twins import Clock, FixedHours, ScriptedMarket
from vaultdash.bootstrap import build_vault
from vaultdash.clock import utc_now
from vaultdash.domain.errors import Unavailable
from vaultdash.files import storage_probe
from vaultdash.files.storage_probe import StorageProbe
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings


class AlwaysOpen(FixedHours):
    """So that the state does not hang on the hour of the test."""

    def is_open(self, now: object) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock(utc_now())


@pytest.fixture
def yahoo(clock: Clock) -> ScriptedMarket:
    return ScriptedMarket(clock, "Yahoo")


@pytest.fixture
async def built(demo_settings: Callable[..., Settings], clock: Clock, yahoo: ScriptedMarket):
    vaults: list[Vault] = []

    def build(market: str = "auto", **given: object) -> Vault:
        settings = demo_settings(market=market, **given)
        vaults.append(build_vault(settings, now=clock, hours=AlwaysOpen(), yahoo=yahoo, monotonic=clock.monotonic))
        return vaults[-1]

    yield build
    for vault in vaults:
        await vault.aclose()


Build = Callable[..., Vault]


async def test_before_the_first_price_the_house_is_not_ready(built: Build):
    health = await built().health()
    assert (health.status, health.not_ready, health.quote_age_seconds) == ("not_ready", ("price",), None)


async def test_with_a_live_price_all_is_well(built: Build):
    vault = built()
    await vault.heartbeat.beat()
    health = await vault.health()
    assert (health.status, health.not_ready, health.quote_age_seconds) == ("ok", (), 0.0)
    assert (health.environment, health.market, health.redis_enabled) == ("local", "auto", False)
    assert {name: state for name, state in health.dependencies.items() if state != "ok"} == {}


async def test_the_age_of_the_price_is_that_of_now(built: Build, clock: Clock):
    vault = built()
    await vault.heartbeat.beat()
    clock.go_on(42)
    assert (await vault.health()).quote_age_seconds == 42.0


async def test_a_failing_provider_is_named_and_the_house_degraded(built: Build, clock: Clock, yahoo: ScriptedMarket):
    vault = built()
    await vault.heartbeat.beat()
    yahoo.failure = Unavailable("no route to Yahoo")
    clock.go_on(90)
    await vault.heartbeat.beat()
    health = await vault.health()
    assert (health.status, health.not_ready) == ("degraded", ())
    assert "no route to Yahoo" in health.dependencies["yahoo"]


async def test_the_house_recovers_with_its_provider(built: Build, clock: Clock, yahoo: ScriptedMarket):
    vault = built()
    yahoo.failure = Unavailable("no route to Yahoo")
    await vault.heartbeat.beat()
    yahoo.failure = None
    clock.go_on(30)
    await vault.heartbeat.beat_if_due()
    assert (await vault.health()).status == "ok"


async def test_demo_prices_in_place_of_real_ones_degrade_the_house(built: Build, yahoo: ScriptedMarket):
    vault = built()
    yahoo.failure = yahoo.history_failure = Unavailable("no route to Yahoo")
    beat = await vault.heartbeat.beat()
    assert beat.status is not None
    assert beat.status.quote.is_demo
    assert (await vault.health()).status == "degraded"


async def test_demo_prices_that_were_asked_for_are_well(built: Build):
    vault = built("demo")
    await vault.heartbeat.beat()
    health = await vault.health()
    assert (health.status, health.market) == ("ok", "demo")


async def test_without_demo_and_network_the_house_is_not_ready_and_says_why(built: Build, yahoo: ScriptedMarket):
    vault = built("yahoo")
    yahoo.failure = yahoo.history_failure = Unavailable("no route to Yahoo")
    await vault.heartbeat.beat()
    health = await vault.health()
    assert (health.status, health.not_ready) == ("not_ready", ("price",))
    assert "no route to Yahoo" in health.dependencies["yahoo"]


async def test_a_disk_that_fails_is_named(built: Build, tmp_path: Path):
    (tmp_path / "data").write_text("a file where the folder should be")
    vault = built("demo", data_dir=tmp_path / "data")
    await vault.heartbeat.beat()
    health = await vault.health()
    assert health.status == "degraded"
    assert "cannot be written" in health.dependencies["storage"]


async def test_another_symbols_failure_is_not_the_houses(built: Build, yahoo: ScriptedMarket):
    vault = built()
    await vault.heartbeat.beat()
    yahoo.failure = Unavailable("no route to AAPL")
    with pytest.raises(Unavailable):
        await vault.prices.latest("AAPL")
    health = await vault.health()
    assert (health.status, health.dependencies["yahoo"]) == ("ok", "ok")
    beat = vault.heartbeat.current()
    assert beat is not None
    assert beat.status is not None
    assert beat.status.problem is None


@pytest.mark.parametrize(
    ("market", "given", "used"),
    [("demo", 5, 5), ("auto", 5, 15), ("yahoo", 5, 15), ("auto", 15, 15), ("auto", 30, 30), ("yahoo", 3600, 3600)],
)
async def test_yahoo_is_asked_no_more_often_than_it_bears(
    demo_settings: Callable[..., Settings], clock: Clock, market: str, given: float, used: float
):
    vault = build_vault(demo_settings(market=market, price_interval_seconds=given), now=clock, hours=AlwaysOpen())
    assert vault.prices.interval_seconds == used
    await vault.aclose()


def full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_full_disk_is_seen_though_an_empty_file_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage_probe.os, "fsync", full_disk)
    assert await StorageProbe(tmp_path).state() == f"{tmp_path} cannot be written: No space left on device"
    assert os.listdir(tmp_path) == []  # noqa: PTH208  quick, and no path's method in a coroutine


async def test_the_disk_is_tried_every_half_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clock, synced = Clock(), []
    monkeypatch.setattr(storage_probe.os, "fsync", synced.append)
    probe = StorageProbe(tmp_path, clock.monotonic)
    for seconds, times in ((0, 1), (0, 1), (29, 1), (1, 2), (29, 2), (2, 3)):
        clock.go_on(seconds)
        assert await probe.state() == "ok"
        assert len(synced) == times


async def test_closing_releases_in_the_reverse_order_of_making(built: Build):
    vault = built("demo")
    released: list[str] = []

    def releases(name: str) -> Callable[[], object]:
        async def release() -> None:
            released.append(name)

        return release

    vault.closers = [releases(name) for name in ("cache", "provider", "history")]  # type: ignore[misc]
    await vault.aclose()
    assert released == ["history", "provider", "cache"]
