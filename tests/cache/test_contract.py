"""What every cache does."""

import math

import pytest

from tests.cache.conftest import Clocks
from vaultdash.cache.base import Cache


async def test_a_value_is_given_back(cache: Cache) -> None:
    await cache.set("quote:GLD", b"460.00", 60)
    assert await cache.get("quote:GLD") == b"460.00"


async def test_an_unknown_key_is_a_miss(cache: Cache) -> None:
    assert await cache.get("quote:IAU") is None


async def test_a_later_value_replaces_the_earlier(cache: Cache) -> None:
    await cache.set("k", b"1", 60)
    await cache.set("k", b"2", 60)
    assert await cache.get("k") == b"2"


async def test_any_bytes_survive_even_none_at_all(cache: Cache) -> None:
    for value in (b"", b"\0\xff\r\n$5\r\n", bytes(range(256)) * 1_000):
        await cache.set("bytes", value, 60)
        assert await cache.get("bytes") == value


async def test_a_value_expires(cache: Cache, clock: Clocks) -> None:
    await cache.set("k", b"1", 60)
    clock.seconds += 59.9
    assert await cache.get("k") == b"1"
    clock.seconds += 0.1
    assert await cache.get("k") is None


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan])
async def test_a_value_kept_for_no_time_is_forgotten(cache: Cache, seconds: float) -> None:
    await cache.set("k", b"old", 60)
    await cache.set("k", b"new", seconds)
    assert await cache.get("k") is None


async def test_a_value_may_be_kept_without_end(cache: Cache) -> None:
    await cache.set("k", b"1", math.inf)
    assert await cache.get("k") == b"1"


async def test_keys_do_not_mix(cache: Cache) -> None:
    await cache.set("a", b"1", 60)
    await cache.set("a:b", b"2", 60)
    await cache.set("ä ^GVZ\n", b"3", 60)
    assert [await cache.get(key) for key in ("a", "a:b", "ä ^GVZ\n")] == [b"1", b"2", b"3"]


async def test_a_sound_cache_says_ok(cache: Cache) -> None:
    assert await cache.state() == "ok"


async def test_closing_twice_is_harmless(cache: Cache) -> None:
    await cache.set("k", b"1", 60)
    await cache.aclose()
    await cache.aclose()
