"""Caches under test, and the Redis servers they talk to."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import fakeredis
import pytest
from redis.asyncio import Redis

from tests.cache.redis_server import RedisServer, find_redis_server
from vaultdash.cache.base import Cache
from vaultdash.cache.memory import MemoryCache
from vaultdash.cache.redis import RedisCache

SECRET = bytes(range(32))


class Clocks:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clocks:
    return Clocks()


@pytest.fixture(scope="session")
def redis_program() -> str:
    found = find_redis_server()
    if found is None:
        pytest.skip("needs redis-server on PATH, or root and apt-get to install it")
    return found


@pytest.fixture(scope="module")
def running_redis(redis_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(redis_program, tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
async def redis_server(running_redis: RedisServer) -> RedisServer:
    """A server with nothing in it."""
    async with Redis.from_url(running_redis.url) as client:
        await client.flushall()
    return running_redis


@pytest.fixture(params=["memory", "fakeredis", "redis"])
async def cache(request: pytest.FixtureRequest, clock: Clocks, tmp_path: Path) -> AsyncIterator[Cache]:
    made: Cache
    if request.param == "memory":
        made = MemoryCache(clock=clock)
    elif request.param == "fakeredis":
        server = fakeredis.FakeServer()
        made = RedisCache(
            "redis://none",
            SECRET,
            client_factory=lambda _: fakeredis.FakeAsyncRedis(server=server),
            clock=clock,
            wall_clock=clock,
        )
    else:
        running: RedisServer = request.getfixturevalue("running_redis")
        made = RedisCache(running.url, SECRET, clock=clock, wall_clock=clock)
        async with Redis.from_url(running.url) as client:
            await client.flushall()
    yield made
    await made.aclose()
