"""Redis gone, slow, emptied or lying changes no answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.cache.conftest import SECRET, Clocks
from tests.cache.redis_server import RedisServer
from vaultdash.cache.base import Cache
from vaultdash.cache.memory import MemoryCache
from vaultdash.cache.redis import PAUSE_SECONDS, RedisCache

KEYS = [f"quote:{symbol}" for symbol in ("GLD", "IAU", "GLDM", "SGOL")]


class CountedClients:
    """Makes real clients and counts how often Redis was tried."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, url: str) -> Redis:
        from vaultdash.cache.redis import _client

        self.made += 1
        return _client(url)


@pytest.fixture
def clients() -> CountedClients:
    return CountedClients()


@pytest.fixture
async def cache(redis_server: RedisServer, clock: Clocks, clients: CountedClients) -> AsyncIterator[RedisCache]:
    made = RedisCache(redis_server.url, SECRET, client_factory=clients, clock=clock)
    yield made
    await made.aclose()


@pytest.fixture
async def outsider(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """Someone else with access to the same Redis."""
    async with Redis.from_url(redis_server.url) as client:
        yield client


async def answers(cache: Cache) -> list[bytes]:
    """What a caller gets for every key: from the cache, else from the source, kept for the next time."""
    given = []
    for key in KEYS:
        value = await cache.get(key)
        if value is None:
            value = f"price of {key}".encode()
            await cache.set(key, value, 60)
        given.append(value)
    return given


async def truth() -> list[bytes]:
    return await answers(MemoryCache())


async def test_answers_are_the_same_with_redis(cache: RedisCache) -> None:
    assert await answers(cache) == await truth()
    assert await answers(cache) == await truth()
    assert await cache.get(KEYS[0]) is not None


async def test_a_stopped_redis_changes_no_answer(
    cache: RedisCache, redis_server: RedisServer, clock: Clocks, clients: CountedClients
) -> None:
    await answers(cache)
    redis_server.stop()
    try:
        assert await answers(cache) == await truth()
        assert await cache.state() == "Redis cannot be reached"
        made = clients.made
        for _ in range(50):
            assert await answers(cache) == await truth()
        assert clients.made == made, "left alone while unwell"
    finally:
        redis_server.start()
    clock.seconds += PAUSE_SECONDS
    assert await cache.state() == "ok"
    assert await answers(cache) == await truth()
    assert await cache.get(KEYS[0]) is not None


async def test_a_paused_redis_costs_one_timeout_each_pause(
    cache: RedisCache, redis_server: RedisServer, clock: Clocks, clients: CountedClients
) -> None:
    await answers(cache)
    redis_server.pause()
    try:
        made = clients.made
        for _ in range(3):
            for _ in range(50):
                assert await answers(cache) == await truth()
            clock.seconds += PAUSE_SECONDS
        assert clients.made - made == 2, "one try in each of the two pauses after the first failure"
        assert await cache.state() == "Redis does not answer in time"
    finally:
        redis_server.resume()
    clock.seconds += PAUSE_SECONDS
    assert await cache.state() == "ok"
    assert await answers(cache) == await truth()


async def test_only_one_of_many_callers_tries_a_paused_redis_again(
    cache: RedisCache, redis_server: RedisServer, clock: Clocks, clients: CountedClients
) -> None:
    redis_server.pause()
    try:
        await answers(cache)
        made = clients.made
        clock.seconds += PAUSE_SECONDS
        assert await asyncio.gather(*(answers(cache) for _ in range(20))) == [await truth()] * 20
        assert clients.made - made == 1
    finally:
        redis_server.resume()


async def test_a_flushed_redis_changes_no_answer(cache: RedisCache, outsider: Redis) -> None:
    await answers(cache)
    await outsider.flushall()
    assert await cache.get(KEYS[0]) is None
    assert await answers(cache) == await truth()


async def _garbage(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        await outsider.set(name, b"\0" * 500 + name)


async def _short(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        await outsider.set(name, b"1")


async def _huge(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        await outsider.set(name, b"9" * 20_000_000)


async def _swapped(outsider: Redis, names: list[bytes]) -> None:
    values = [await outsider.get(name) for name in names]
    for name, value in zip(names, values[1:] + values[:1], strict=True):
        assert value is not None
        await outsider.set(name, value)


async def _changed(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        await outsider.append(name, b"0")


async def _cut(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        await outsider.set(name, await outsider.getrange(name, 0, -2))


async def _postponed(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        value = await outsider.get(name)
        assert value is not None
        await outsider.set(name, value[:32] + (2**60).to_bytes(8, "big") + value[40:])


async def _lists(outsider: Redis, names: list[bytes]) -> None:
    for name in names:
        await outsider.delete(name)
        await outsider.rpush(name, b"a", b"b")  # type: ignore[misc]


@pytest.mark.parametrize("lie", [_garbage, _short, _huge, _swapped, _changed, _cut, _postponed, _lists])
async def test_a_lying_redis_changes_no_answer(
    cache: RedisCache, outsider: Redis, lie: Callable[[Redis, list[bytes]], Awaitable[None]]
) -> None:
    names: list[bytes] = []
    async with asyncio.timeout(20):
        while len(names) < len(KEYS):  # a write that takes long is given up, and made again by the next answer
            await answers(cache)
            names = sorted(await outsider.keys("vaultdash:*"))
    await lie(outsider, names)
    assert [await cache.get(key) for key in KEYS] == [None] * len(KEYS)
    assert await answers(cache) == await truth()
    assert await cache.state() == "ok"
    assert [await cache.get(key) for key in KEYS] == await truth(), "the next value takes the place of the lie"


async def test_an_expired_value_put_back_is_a_miss(redis_server: RedisServer, clock: Clocks, outsider: Redis) -> None:
    cache = RedisCache(redis_server.url, SECRET, clock=clock, wall_clock=clock)
    await cache.set("k", b"old price", 60)
    (name,) = await outsider.keys("*")
    kept = await outsider.get(name)
    assert kept is not None
    clock.seconds += 61
    await outsider.set(name, kept)
    assert await cache.get("k") is None
    await cache.aclose()


async def test_another_installation_reads_nothing_of_ours(redis_server: RedisServer, cache: RedisCache) -> None:
    await cache.set("k", b"ours", 60)
    other = RedisCache(redis_server.url, b"another secret of thirty-two byte")
    assert await other.get("k") is None
    await other.set("k", b"theirs", 60)
    assert await cache.get("k") == b"ours"
    await other.aclose()


async def test_processes_of_one_installation_share_values(redis_server: RedisServer, cache: RedisCache) -> None:
    await cache.set("k", b"ours", 60)
    second = RedisCache(redis_server.url, SECRET)
    assert await second.get("k") == b"ours"
    await second.aclose()


async def test_a_value_too_large_is_not_kept(cache: RedisCache) -> None:
    await cache.set("k", b"1" * 8_000_001, 60)
    assert await cache.get("k") is None
    assert await cache.state() == "ok"


async def test_keys_carry_our_name(cache: RedisCache, outsider: Redis) -> None:
    await cache.set("k", b"1", 60)
    assert [name.startswith(b"vaultdash:") for name in await outsider.keys("*")] == [True]


async def test_a_read_only_redis_changes_no_answer(cache: RedisCache, outsider: Redis) -> None:
    await outsider.config_set("maxmemory", "1")
    try:
        assert await answers(cache) == await truth()
        assert (await cache.state()).startswith("Redis failed")
    finally:
        await outsider.config_set("maxmemory", "0")


async def test_a_server_that_is_no_redis_changes_no_answer(clock: Clocks) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read(1_000)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cache = RedisCache(f"redis://127.0.0.1:{port}/0", SECRET, clock=clock)
    assert await answers(cache) == await truth()
    assert await cache.state() != "ok"
    await cache.aclose()
    server.close()


async def test_a_server_that_drips_bytes_is_left_alone(clock: Clocks) -> None:
    calls = 0

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        try:
            writer.write(b"$100000\r\n")
            for _ in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cache = RedisCache(f"redis://127.0.0.1:{port}/0", SECRET, clock=clock)
    for _ in range(10):
        assert await answers(cache) == await truth()
    assert calls == 1
    await cache.aclose()
    server.close()


@pytest.mark.parametrize("url", ["", "nonsense", "http://localhost", "redis://127.0.0.1:notaport/0"])
async def test_an_address_that_makes_no_sense_is_a_reason_not_an_error(url: str) -> None:
    cache = RedisCache(url, SECRET)
    assert await cache.get("k") is None
    await cache.set("k", b"1", 60)
    assert await cache.state() == "the Redis address makes no sense"


async def test_the_reason_never_shows_the_password(tmp_path: Path, redis_server: RedisServer) -> None:
    cache = RedisCache(f"redis://:hunter2@127.0.0.1:{redis_server.port}/0", SECRET)
    await cache.get("k")
    assert "hunter2" not in await cache.state()
    await cache.aclose()


async def test_a_cancelled_call_leaves_the_cache_usable(cache: RedisCache, redis_server: RedisServer) -> None:
    await cache.set("a", b"1", 60)
    await cache.set("b", b"2", 60)
    redis_server.pause()
    call = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0.02)
    call.cancel()
    redis_server.resume()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await cache.get("b") == b"2"
