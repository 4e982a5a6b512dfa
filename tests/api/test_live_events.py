"""Quotes, alerts and health on the WebSocket: each at once and in order, and what stands for who comes late."""

import asyncio
import re
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection

from tests.api.open_house import House, hear, until
from tests.builders import NOON
from vaultdash.api.health_watch import HealthWatch
from vaultdash.domain.alert import AlertEvent, AlertEventKind, AlertMetric, AlertSeverity, AlertState
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.feed import Feed

DOCUMENT = Path(__file__).parents[2] / "docs" / "websocket.md"
Houses = Callable[..., Any]


def an_event(number: int, kind: AlertEventKind = AlertEventKind.RAISED, **fields: object) -> AlertEvent:
    given: dict[str, object] = {
        "title": f"Margin call {number}",
        "body": "Repay 20,000 USD",
        "rule_id": "ltv-call",
        "metric": AlertMetric.LTV,
        "severity": AlertSeverity.CALL,
        "threshold": 0.75,
        "value": 0.7512,
        "price": 367.4,
        "quote_at": NOON,
        "source": "test",
        **fields,
    }
    return AlertEvent(f"event-{number}", "main", NOON + timedelta(seconds=number), kind, **given)  # type: ignore[arg-type]


async def everything(client: ClientConnection, seconds: float = 0.4) -> list[dict[str, Any]]:
    """What is told until it is quiet for so long."""
    told = []
    while True:
        try:
            told.append(dict(orjson.loads(await asyncio.wait_for(client.recv(), seconds))))
        except TimeoutError:
            return told


async def one_of_each(client: ClientConnection, *kinds: str) -> dict[str, dict[str, Any]]:
    """A message of each type."""
    told: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(15):
        while not told.keys() >= set(kinds):
            message = dict(orjson.loads(await client.recv()))
            told[message["type"]] = message
    return told


@asynccontextmanager
async def a_client(open_house: House) -> Any:
    """One that has been told how things stand."""
    async with open_house.connect() as client:
        await hear(client)
        await hear(client, kind="health")
        yield client


async def test_who_comes_is_told_the_loan_first_then_prices_and_health(house: Houses) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        async with open_house.connect() as client:
            told = await everything(client)
    assert [message["type"] for message in told] == ["portfolio_update", "quote", "health"]
    assert {message["version"] for message in told} == {1}
    assert told[0]["portfolios"] == [told[0]["portfolio"]]
    assert told[1]["quote"] == told[0]["quote"]
    assert (told[2]["status"], told[2]["dependencies"]["database"]) == ("ok", "ok")


async def test_before_the_first_beat_nothing_comes_and_an_alert_waits_for_it(house: Houses) -> None:
    async with house() as open_house, open_house.connect() as client:
        await until(lambda: open_house.broadcast.messages.listeners == 1)
        open_house.vault.alerts.events.publish(an_event(1))
        assert await everything(client, 0.2) == []
        await open_house.vault.heartbeat.beat()
        told = [message["type"] for message in await everything(client)]
    assert told[0] == "portfolio_update"
    assert told.count("alert") == 1


async def test_a_quote_is_told_when_it_is_new_and_not_again(house: Houses) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        async with a_client(open_house) as client:
            beat = await open_house.vault.heartbeat.beat()
            moved = replace(beat.status, quote=replace(beat.status.quote, price=455.5))
            open_house.vault.heartbeat.feed.publish(
                replace(beat, number=9, status=moved, statuses={"GLD": moved, "IAU": _renamed(moved, "IAU")})
            )
            told = [await hear(client, kind="quote") for _ in range(2)]
            assert {(one["symbol"], one["quote"]["price"]) for one in told} == {("GLD", 455.5), ("IAU", 455.5)}
            open_house.vault.heartbeat.feed.publish(open_house.vault.heartbeat.feed.latest)
            assert [one["type"] for one in await everything(client)] == ["portfolio_update"]


def _renamed(status: Any, symbol: str) -> Any:
    return replace(status, quote=replace(status.quote, symbol=symbol))


async def test_a_quote_that_becomes_stale_is_told_again(house: Houses) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        async with a_client(open_house) as client:
            open_house.vault.prices._now = lambda: NOON + timedelta(hours=1)
            open_house.vault.heartbeat.republish()
            told = await hear(client, kind="quote")
    assert told["quote"]["freshness"] == "stale"
    assert told["quote"]["age_seconds"] == 3600.0


async def test_alerts_of_one_moment_come_all_and_in_order(house: Houses) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        async with a_client(open_house) as client:
            for number in range(50):
                open_house.vault.alerts.events.publish(an_event(number))
            told = [await hear(client, kind="alert") for _ in range(50)]
    assert [message["event"]["id"] for message in told] == [f"event-{number}" for number in range(50)]
    assert told[0]["event"]["severity"] == "call"
    assert told[0]["event"]["body"] == "Repay 20,000 USD"


async def test_who_comes_late_is_told_the_alerts_that_stand(house: Houses) -> None:
    async with house() as open_house:
        events = [an_event(1), an_event(2), an_event(3)]
        states = [
            AlertState("ltv-warning", True, "event-1", NOON),
            AlertState("ltv-call", True, "event-2", NOON, acknowledged_at=NOON),
            AlertState("stale", False, "event-3", NOON),
        ]
        await open_house.vault.heartbeat.beat()
        async with open_house.vault.database.transaction() as into:
            for event in events:
                await into.alerts.add_event(event)
            for state in states:
                await into.alerts.put_state("main", state)
        async with open_house.connect() as client:
            told = await everything(client)
    standing = [message for message in told if message["type"] == "alert"]
    assert [message["event"]["id"] for message in standing] == ["event-1"]
    assert told[0]["type"] == "portfolio_update"


async def test_a_database_that_cannot_be_read_ends_no_connection(
    house: Houses, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()

        def broken() -> None:
            raise DatabaseError("The database is locked.")

        monkeypatch.setattr(open_house.vault.database, "reading", broken)
        async with a_client(open_house) as client:
            open_house.vault.alerts.events.publish(an_event(1))
            assert (await hear(client, kind="alert"))["event"]["id"] == "event-1"


async def test_health_is_told_when_it_changes_and_again_after_a_while(
    house: Houses, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        messages: Feed[str] = Feed()
        told: list[dict[str, Any]] = []
        watch = HealthWatch(open_house.vault, messages, check_seconds=0.02, repeat_seconds=2)
        following = asyncio.create_task(watch.follow())
        with messages.heard_by(lambda message: told.append(orjson.loads(message))):
            await until(lambda: len(told) == 1)
            await asyncio.sleep(0.1)
            assert len(told) == 1
            states = {"demo": "ok", "cache": "gone", "storage": "ok", "database": "ok"}

            async def dependencies() -> dict[str, str]:
                return states

            monkeypatch.setattr(open_house.vault, "dependencies", dependencies)
            await until(lambda: len(told) == 2)
            assert (told[0]["status"], told[1]["status"]) == ("ok", "degraded")
            assert told[1]["dependencies"]["cache"] == "gone"
            await until(lambda: len(told) == 3)
            assert told[2]["dependencies"] == told[1]["dependencies"]
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_house_nobody_listens_to_is_asked_nothing(house: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    async with house() as open_house:

        async def health() -> None:
            asked.append(1)

        monkeypatch.setattr(type(open_house.vault), "health", lambda _: health())
        following = asyncio.create_task(HealthWatch(open_house.vault, Feed(), check_seconds=0.01).follow())
        await asyncio.sleep(0.1)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert asked == []


async def test_every_kind_of_message_is_as_the_document_shows_it(house: Houses) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        async with open_house.connect() as client:
            told = await one_of_each(client, "portfolio_update", "quote", "health")
            open_house.vault.alerts.events.publish(an_event(1))
            told["alert"] = await hear(client, kind="alert")
            run = StoredRun("r1", RunKind.EVENT, "January 2026, LTV 66 %", RunState.RUNNING, NOON, "{}", progress=0.4)
            open_house.vault.backtests.feed.publish(run)
            told["backtest_update"] = await hear(client, kind="backtest_update")
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    examples = [orjson.loads(block) for block in blocks]
    assert sorted(example["type"] for example in examples) == sorted(told)
    assert len(told) == 5
    for example in examples:
        _same_shape(example, told[example["type"]], example["type"])


def _same_shape(example: Any, told: Any, where: str) -> None:
    """The same fields in the same order, and values of one kind; null may stand for either.

    Of a portfolio the document shows some fields.
    """
    if isinstance(example, dict) and isinstance(told, dict):
        if where.endswith(".dependencies"):
            return
        shortened = where.endswith((".portfolio", ".portfolios[]"))
        assert list(example) == [name for name in told if name in example or not shortened], where
        for name, value in example.items():
            _same_shape(value, told[name], f"{where}.{name}")
    elif isinstance(example, list) and isinstance(told, list):
        for value in told[:1] if example else []:
            _same_shape(example[0], value, f"{where}[]")
    elif example is not None and told is not None:
        number = (int, float)
        alike = type(example) is type(told) or (type(example) in number and type(told) in number)
        assert alike, f"{where}: {example!r} and {told!r}"
