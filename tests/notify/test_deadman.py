"""Somebody outside hears from us while the loan is watched on fresh prices, and nothing as soon as it is not."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.live_server import LiveServer
from tests.builders import a_portfolio, a_quote
from tests.services.twins import Clock, FixedHours, ScriptedMarket, until
from vaultdash.bootstrap import build_vault
from vaultdash.domain.alert import AlertEventKind
from vaultdash.domain.errors import DatabaseError, Unavailable
from vaultdash.domain.portfolio import Portfolio
from vaultdash.jobs import jobs, watched
from vaultdash.notify.deadman import DeadmansSwitch
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

SECRET = "canary-4711"
STEP_SECONDS = 15


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
    built.heartbeat.keep = built.alerts.evaluate  # as in a running server
    await built.open()
    yield built
    await built.aclose()


async def run(vault: Vault, clock: Clock, outside: Outside, minutes: float) -> list[datetime]:
    """Let the jobs run as often as their table says, by the test's clock; when somebody outside heard from us."""
    table = [(job, watched(job)) for job in jobs(vault) if job.name != "snapshots"]  # whose market has no options
    ran = {job.name: clock() for job, _ in table}
    heard = []
    for _ in range(round(minutes * 60 / STEP_SECONDS)):
        clock.go_on(STEP_SECONDS)
        before = outside.pings
        for job, work in table:
            if (clock() - ran[job.name]).total_seconds() >= job.seconds:
                ran[job.name] = clock()
                await work()
                await asyncio.gather(*calls())
        heard += [clock()] * (outside.pings - before)
    return heard


def calls() -> list[asyncio.Task[Any]]:
    """What is on its way to the outside."""
    return [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "").endswith("._call")]


def is_about_once_a_minute(heard: list[datetime], minutes: float) -> bool:
    pauses = [(after - before).total_seconds() for before, after in pairwise(heard)]
    return len(heard) >= minutes - 1 and all(55 <= pause <= 80 for pause in pauses)


async def test_it_hears_about_once_a_minute_while_the_market_is_open(vault: Vault, clock: Clock, outside: Outside):
    assert is_about_once_a_minute(await run(vault, clock, outside, 15), 15)


async def test_it_hears_on_after_a_loan_has_changed_its_currency(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket
):
    yahoo.dollar_costs["CHF=X"] = a_quote(0.80, "CHF=X", clock(), source="Yahoo", currency="CHF")
    dollars = vault.book.current
    await vault.book.save(replace(dollars, loan=replace(dollars.loan, amount=480_000, currency="CHF")), "test")
    await run(vault, clock, outside, 1)
    await vault.book.save(dollars, "test")
    assert is_about_once_a_minute(await run(vault, clock, outside, 10), 10)


@pytest.mark.parametrize(
    ("at", "beats"),
    [(datetime(2026, 6, 13, 12, tzinfo=UTC), 3), (datetime(2026, 6, 12, 21, tzinfo=UTC), 13)],
    ids=["shut", "around the session"],
)
async def test_it_hears_as_often_while_the_market_is_shut(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket, at: datetime, beats: int
):
    yahoo.at, clock.at = datetime(2026, 6, 12, 20, tzinfo=UTC), at  # the last price of Friday
    assert is_about_once_a_minute(await run(vault, clock, outside, 62), 62)
    assert yahoo.asked <= beats  # though prices are asked for as seldom as ever


async def test_evaluating_again_writes_nothing_again(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket
):
    yahoo.at = datetime(2026, 6, 12, 20, tzinfo=UTC)
    yahoo.price, clock.at = 360.0, datetime(2026, 6, 13, 12, 2, tzinfo=UTC)
    await run(vault, clock, outside, 50)
    async with vault.database.reading() as stored:
        records = await stored.ltv.between("main")
    assert [(record.kind.value, record.at.hour) for record in records] == [("crossing", 12), ("hourly", 12)]
    raised = [event for event in await vault.alerts.history() if event.kind is AlertEventKind.RAISED]
    assert len(raised) == len({event.rule_id for event in raised})


async def test_it_hears_nothing_while_the_feed_is_stale_and_again_when_it_is_back(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket
):
    assert await run(vault, clock, outside, 2)
    yahoo.failure = Unavailable("Yahoo does not answer")
    await run(vault, clock, outside, 2)  # until the last price is old
    assert await run(vault, clock, outside, 10) == []
    yahoo.failure = None
    assert is_about_once_a_minute(await run(vault, clock, outside, 5), 5)


async def test_it_hears_nothing_while_the_database_fails_and_again_when_it_is_well(
    vault: Vault, clock: Clock, outside: Outside, monkeypatch: pytest.MonkeyPatch
):
    assert await run(vault, clock, outside, 2)

    def full(_: object) -> Any:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(type(vault.database), "transaction", full)
        assert await run(vault, clock, outside, 5) == []
    assert is_about_once_a_minute(await run(vault, clock, outside, 5), 5)


async def test_a_shut_market_hides_no_broken_database(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket, monkeypatch: pytest.MonkeyPatch
):
    yahoo.at, clock.at = datetime(2026, 6, 12, 20, tzinfo=UTC), datetime(2026, 6, 13, 12, tzinfo=UTC)
    assert await run(vault, clock, outside, 2)

    def full(_: object) -> Any:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(type(vault.database), "transaction", full)
    assert await run(vault, clock, outside, 5) == []


async def test_a_second_loan_without_a_price_is_a_failure(
    vault: Vault, clock: Clock, outside: Outside, yahoo: ScriptedMarket
):
    second = a_portfolio(1_000.0, 20_000.0, symbol="IAU")
    await vault.book.add(Portfolio("second", second.collateral, second.loan, name="Second"), "test")
    assert is_about_once_a_minute(await run(vault, clock, outside, 5), 5)
    asked = yahoo.quote

    async def only_gld(symbol: str, *, refresh: bool = False) -> Any:
        if symbol == "IAU":
            raise Unavailable("Yahoo does not know IAU today")
        return await asked(symbol, refresh=refresh)

    yahoo.quote = only_gld  # type: ignore[method-assign]  # one symbol fails
    await run(vault, clock, outside, 3)
    assert await run(vault, clock, outside, 5) == []


async def test_a_command_that_only_asks_calls_nobody(vault: Vault, clock: Clock, outside: Outside):
    vault.heartbeat.keep = None
    assert await run(vault, clock, outside, 5) == []
    assert await vault.alerts.history() == []


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
    switch = DeadmansSwitch(url, clock, patience_seconds=20)
    begun = time.monotonic()
    await switch.alive()
    assert time.monotonic() - begun < 10
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
