"""Redis stopped, flushed or lying: the loan, its history and its alerts are told as without it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from tests.builders import NOON
from tests.cache.redis_server import RedisServer
from tests.conftest import BASE_URL
from tests.services.twins import Clock
from vaultdash.bootstrap import build_vault
from vaultdash.clock import NewYorkHours
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

PATHS = (
    "/api/portfolio",
    "/api/portfolio?symbol=IAU",
    "/api/history/ltv?days=all",
    "/api/history/ltv.csv?days=all",
    "/api/alerts",
    "/api/alerts/history",
    "/api/options/expirations?symbol=GLDM",
)
LIE = b'{"price": 1.0, "symbol": "GLD"}'


@asynccontextmanager
async def a_house(
    settings: Settings, clock: Clock, hours: NewYorkHours
) -> AsyncIterator[tuple[Vault, httpx.AsyncClient]]:
    vault = build_vault(settings, now=clock, hours=hours, monotonic=clock.monotonic)
    vault.heartbeat.keep = vault.alerts.evaluate  # as in a running server
    await vault.open()
    transport = httpx.ASGITransport(create_app(settings, vault, pages=False))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, timeout=30) as client:
        yield vault, client
    await vault.aclose()


async def told(client: httpx.AsyncClient) -> dict[str, Any]:
    """What each path answers; ids of events are drawn by lot and are left out."""
    answers = {}
    for path in PATHS:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        answers[path] = answer.text if path.endswith("csv?days=all") else _without_ids(answer.json())
    return answers


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(each) for name, each in value.items() if name not in ("id", "about", "event_id")}
    return [_without_ids(each) for each in value] if isinstance(value, list) else value


async def lie(server: RedisServer) -> None:
    """Everything kept is replaced by something else, some of it of another kind."""
    async with Redis.from_url(server.url) as client:
        keys = [key async for key in client.scan_iter()]
        assert keys, "the house has kept nothing: this test would show nothing"
        for number, key in enumerate(keys):
            await client.delete(key)
            await (client.rpush(key, LIE) if number % 2 else client.set(key, LIE))


async def flush(server: RedisServer) -> None:
    async with Redis.from_url(server.url) as client:
        await client.flushall()


async def stop(server: RedisServer) -> None:
    await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("harm", [flush, lie, stop])
async def test_the_same_is_told_as_without_redis(
    harm: Any,
    redis_server: RedisServer,
    demo_settings: Callable[..., Settings],
    new_york: NewYorkHours,
    tmp_path: Path,
) -> None:
    clock = Clock()
    without = demo_settings(data_dir=tmp_path / "without")
    with_it = demo_settings(data_dir=tmp_path / "with", redis_url=redis_server.url)
    async with AsyncExitStack() as open_houses:
        houses = [
            await open_houses.enter_async_context(a_house(settings, clock, new_york))
            for settings in (without, with_it)
        ]
        try:
            for step in range(3):
                for vault, _ in houses:
                    await vault.heartbeat.beat()
                plain, cached = [await told(client) for _, client in houses]
                assert plain == cached
                assert len(plain["/api/history/ltv?days=all"]["records"]) == step + 1
                if step == 1:
                    await harm(redis_server)
                clock.go_on(hours=1)
                clock.go_on(seconds=7)
        finally:
            if harm is stop:
                await asyncio.to_thread(redis_server.start)
    assert clock() == NOON + timedelta(hours=3, seconds=21)
