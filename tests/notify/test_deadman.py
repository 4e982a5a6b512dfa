"""Somebody outside hears from us while the loan is watched on fresh prices, and nothing as soon as it is not."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.live_server import LiveServer
from tests.builders import a_portfolio
from tests.services.twins import Clock, FixedHours, ScriptedMarket, until
from vaultdash.bootstrap import build_vault
from vaultdash.domain.errors import DatabaseError, Unavailable
from vaultdash.domain.portfolio import Portfolio
from vaultdash.notify.deadman import DeadmansSwitch
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

SECRET = "canary-4711"


class Outside:
    """Listens on the loopback and counts; `answer` is what it says."""

    def __init__(self) -> None:
        self.pings = 0
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
        self.port = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (head := await reader.readline()) not in (b"", b"\r\n"):
            self.pings += head.startswith(b"GET /" + SECRET.encode())
            while await reader.readline() not in (b"", b"\r\n"):
                pass
            writer.write(self.answer)
            await writer.drain()
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{SECRET}"


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    heard = Outside()
    server = await asyncio.start_server(heard.hear, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    yield heard
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def yahoo(clock: Clock) -> ScriptedMarket:
    return ScriptedMarket(clock, "Yahoo")


@pytest.fixture
async def vault(
    demo_settings: Callable[..., Settings], clock: Clock, yahoo: ScriptedMarket, outside: Outside
) -> AsyncIterator[Vault]:
    settings = demo_settings(market="yahoo", deadman_url=outside.url)
    built = build_vault(settings, now=clock, hours=FixedHours(), yahoo=yahoo, monotonic=clock.monotonic)  # type: ignore[arg-type]  # quotes only
    await built.open()
    yield built
    await built.aclose()


async def beats(vault: Vault, clock: Clock, outside: Outside, times: int = 5, patience: float = 5.0) -> int:
    """How many pings came of some beats a minute apart; each is waited for."""
    before = outside.pings
    for _ in range(times):
        clock.go_on(61)
        seen = outside.pings
        await vault.heartbeat.beat()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await until(lambda seen=seen: outside.pings > seen)  # type: ignore[misc]  # bound at once
    return outside.pings - before


async def test_it_hears_from_every_evaluation_on_a_fresh_price(vault: Vault, clock: Clock, outside: Outside):
    assert await beats(vault, clock, outside) == 5


async def test_it_hears_nothing_while_the_feed_is_stale_and_again_when_it_is_back(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket
):
    await beats(vault, clock, outside, 1)
    yahoo.failure = Unavailable("Yahoo does not answer")
    clock.go_on(minutes=2)
    assert await beats(vault, clock, outside, patience=0.2) == 0
    yahoo.failure = None
    assert await beats(vault, clock, outside) == 5


async def test_it_hears_nothing_while_the_database_fails_and_again_when_it_is_well(
    vault: Vault, clock: Clock, outside: Outside, monkeypatch: pytest.MonkeyPatch
):
    await beats(vault, clock, outside, 1)

    def full(_: object) -> Any:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(type(vault.database), "transaction", full)
        assert await beats(vault, clock, outside, patience=0.2) == 0
    assert await beats(vault, clock, outside) == 5


async def test_a_shut_market_is_no_failure(vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket):
    yahoo.at = datetime(2026, 6, 12, 19, 59, tzinfo=UTC)  # the last price of Friday
    clock.at = datetime(2026, 6, 13, 12, 0, tzinfo=UTC)
    assert await beats(vault, clock, outside) == 5


async def test_a_second_loan_without_a_price_is_a_failure(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket
):
    second = a_portfolio(1_000.0, 20_000.0, symbol="IAU")
    await vault.book.add(Portfolio("second", second.collateral, second.loan), "test")
    assert await beats(vault, clock, outside) == 5
    asked = yahoo.quote

    async def only_gld(symbol: str, *, refresh: bool = False) -> Any:
        if symbol == "IAU":
            raise Unavailable("Yahoo does not know IAU today")
        return await asked(symbol, refresh=refresh)

    yahoo.quote = only_gld  # type: ignore[method-assign]  # one symbol fails
    clock.go_on(minutes=3)
    assert await beats(vault, clock, outside, patience=0.2) == 0


async def test_at_most_once_a_minute(outside: Outside, clock: Clock):
    switch = DeadmansSwitch(outside.url, clock)
    for _ in range(12):
        await switch.alive()
        await asyncio.sleep(0.01)
        clock.go_on(10)
    await until(lambda: outside.pings == 2)
    await switch.aclose()


async def test_without_a_url_nothing_is_called(clock: Clock):
    switch = DeadmansSwitch(None, clock)
    await switch.alive()
    await switch.aclose()
    assert switch._calling is None


async def said(call: Callable[[], Awaitable[None]]) -> list[str]:
    with capture_logs() as lines:
        await call()
    return [f"{line['event']}: {line.get('reason', '')}" for line in lines]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "it answers 500"),
        (b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", "it answers 302"),
        (b"rubbish\r\n\r\n", "it could not be reached (RemoteProtocolError)"),
    ],
)
async def test_a_failure_is_said_once_without_the_url(outside: Outside, clock: Clock, answer: bytes, reason: str):
    outside.answer = answer
    switch = DeadmansSwitch(outside.url, clock)

    async def call() -> None:
        await switch.alive()
        await asyncio.gather(*filter(None, [switch._calling]))
        clock.go_on(61)

    assert await said(call) == [f"deadman_not_told: {reason}"]
    assert await said(call) == []
    outside.answer = Outside().answer
    assert await said(call) == ["deadman_told_again: "]
    await switch.aclose()


async def test_one_who_does_not_answer_delays_nobody(clock: Clock):
    async def silent(*_: object) -> None:
        await asyncio.sleep(30)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{SECRET}"
    switch = DeadmansSwitch(url, clock, patience_seconds=0.2)
    begun = time.monotonic()
    await switch.alive()
    assert time.monotonic() - begun < 0.2
    await asyncio.sleep(0)
    await switch.aclose()
    server.close()


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGKILL], ids=["loop", "process"])
async def test_it_falls_silent_when_the_loop_stops_or_the_process_ends(
    outside: Outside, tmp_path: Path, stop: signal.Signals
):
    server = LiveServer(tmp_path, VAULT_DEADMAN_URL=outside.url, VAULT_PRICE_INTERVAL_SECONDS="5")
    try:
        async with asyncio.timeout(240):
            while outside.pings < 2:  # noqa: ASYNC110  # what is waited for comes over a socket
                await asyncio.sleep(0.5)
        os.kill(server.process.pid, stop)
        await asyncio.sleep(2)
        before = outside.pings
        await asyncio.sleep(130)
        assert outside.pings == before
    finally:
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    assert SECRET not in server.said()
