"""The WebSocket on a real uvicorn in this process: who is told what, and that a slow client harms nobody."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psutil
import pytest
import websockets

from tests.api.open_house import hear, until
from tests.builders import NOON


async def test_a_client_is_told_at_once_how_things_stand(house: Callable[..., Any]) -> None:
    async with house() as open_house:
        await open_house.vault.heartbeat.beat()
        async with open_house.connect() as client:
            told = await hear(client)
    assert (told["type"], told["number"], told["symbol"]) == ("portfolio_update", 1, "GLD")
    assert told["quote"]["source"] == "DEMO"
    assert told["portfolio"]["margin_call_price"] == pytest.approx(368.0)


async def test_a_client_before_the_first_price_hears_it_when_it_comes(house: Callable[..., Any]) -> None:
    async with house() as open_house, open_house.connect() as client:
        await until(lambda: open_house.broadcast.messages.listeners == 1)
        with pytest.raises(TimeoutError):
            await hear(client, 0.2)
        await open_house.vault.heartbeat.beat()
        assert (await hear(client))["number"] == 1


async def test_every_client_hears_each_beat(house: Callable[..., Any]) -> None:
    async with house() as open_house, open_house.connect() as one, open_house.connect() as other:
        await until(lambda: open_house.broadcast.messages.listeners == 2)
        for number in (1, 2, 3):
            await open_house.vault.heartbeat.beat()
            assert [(await hear(client))["number"] for client in (one, other)] == [number, number]


async def test_between_beats_the_state_is_repeated_every_interval(house: Callable[..., Any]) -> None:
    async with house(interval=0.1) as open_house:
        await open_house.vault.heartbeat.beat()
        async with open_house.connect() as client:
            numbers = [(await hear(client))["number"] for _ in range(4)]
    assert numbers == [1, 1, 1, 1]


async def test_a_client_that_comes_late_is_never_told_an_older_price(house: Callable[..., Any]) -> None:
    async with house() as open_house:
        async with open_house.connect() as early:
            await until(lambda: open_house.broadcast.messages.listeners == 1)
            await open_house.vault.heartbeat.beat()
            assert (await hear(early))["number"] == 1
        await until(lambda: open_house.broadcast.messages.listeners == 0)
        for _ in range(3):  # nobody listens
            await open_house.vault.heartbeat.beat()
        async with open_house.connect() as late:
            assert (await hear(late))["number"] == 4
            await open_house.vault.heartbeat.beat()
            assert (await hear(late))["number"] == 5


async def test_a_message_is_of_the_moment_it_is_sent_and_so_is_the_age_in_it(house: Callable[..., Any]) -> None:
    async with house() as open_house:
        beat = await open_house.vault.heartbeat.beat()
        later = NOON + timedelta(seconds=90)
        open_house.vault.now = lambda: later
        async with open_house.connect() as client:
            told = await hear(client)
    assert beat.at == NOON
    assert datetime.fromisoformat(told["as_of"]) == later


async def test_a_client_that_goes_leaves_nothing_behind(house: Callable[..., Any]) -> None:
    async with house(interval=0.05) as open_house:
        await open_house.vault.heartbeat.beat()
        before = _tasks()
        clients = [await open_house.connect() for _ in range(20)]
        await until(lambda: open_house.broadcast.messages.listeners == 20)
        for client in clients[:10]:
            await client.close()
        for client in clients[10:]:
            client.transport.abort()
        await until(lambda: open_house.broadcast.messages.listeners == 0)
        pause = Counter({"Event.wait": 1})  # between two looks at the health, whoever listens
        await until(lambda: not _tasks() - before - pause)


async def test_a_closed_house_follows_no_feed(house: Callable[..., Any]) -> None:
    async with house() as open_house:
        vault = open_house.vault
        await until(lambda: vault.heartbeat.feed.listeners == 1)
    assert vault.heartbeat.feed.listeners == 0


async def test_what_a_client_says_is_ignored(house: Callable[..., Any]) -> None:
    async with house() as open_house, open_house.connect() as client:
        for said in ("hello", "x" * 500_000, b"\x00\xff", '{"type": NaN}'):
            await client.send(said)
        await open_house.vault.heartbeat.beat()
        assert (await hear(client))["number"] == 1


async def test_a_message_beyond_a_megabyte_ends_the_connection(house: Callable[..., Any]) -> None:
    async with house() as open_house, open_house.connect() as client:
        with suppress(websockets.ConnectionClosed):
            await client.send("x" * 1_100_000)
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await client.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009


async def test_50_clients_that_never_read_delay_nobody_and_are_cut_off(house: Callable[..., Any]) -> None:
    async with house(ping=1) as open_house:
        silent = [await open_house.silent() for _ in range(50)]
        async with open_house.connect() as reader:
            await until(lambda: open_house.broadcast.messages.listeners == 51)
            for number in range(1, 11):
                await open_house.vault.heartbeat.beat()
                assert (await hear(reader, 5))["number"] == number  # who does not read is waited for twice as long
            await until(lambda: open_house.broadcast.messages.listeners == 1)
            await open_house.vault.heartbeat.beat()
            assert (await hear(reader))["number"] == 11
        for _, writer in silent:
            writer.transport.abort()


async def test_a_client_whose_buffers_are_full_is_dropped_and_its_socket_closed(house: Callable[..., Any]) -> None:
    async with house(send_timeout=0.5, ping=60) as open_house:
        _, writer = await open_house.silent()
        await until(lambda: open_house.broadcast.messages.listeners == 1)
        mine = writer.get_extra_info("sockname")[1]
        async with asyncio.timeout(20):
            while open_house.broadcast.messages.listeners:
                open_house.broadcast.messages.publish("x" * 200_000)
                await asyncio.sleep(0.005)
        await until(lambda: not _server_side(open_house.port, mine))
        writer.transport.abort()


async def test_a_beat_that_cannot_be_told_does_not_silence_the_next(house: Callable[..., Any]) -> None:
    async with house() as open_house, open_house.connect() as client:
        await until(lambda: open_house.broadcast.messages.listeners == 1)
        open_house.vault.heartbeat.feed.publish(object())  # no message can be made of it
        await asyncio.sleep(0.05)
        open_house.vault.heartbeat.feed.latest = None
        await open_house.vault.heartbeat.beat()
        assert (await hear(client))["number"] == 1


def _tasks() -> Counter[str]:
    """What is under way, by name of the coroutine."""
    running = (task.get_coro() for task in asyncio.all_tasks() if not task.done())
    return Counter(getattr(one, "__qualname__", type(one).__name__) for one in running)


def _server_side(port: int, peer: int) -> bool:
    """True while the server holds the other end of the connection whose local port is `peer`."""
    return any(
        one.laddr.port == port and one.raddr and one.raddr.port == peer and one.status == psutil.CONN_ESTABLISHED
        for one in psutil.Process().net_connections("tcp")
    )
