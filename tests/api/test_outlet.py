"""One client's way out: at once when it can be, else the newest as soon as it can."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from vaultdash.api.outlet import MOST_ALERTS, Outlet


class Client:
    """Takes messages while `ready`; `error` is raised at the next one."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()
        self.error: Exception | None = None
        self.got: list[str] = []

    async def send(self, message: Message) -> None:
        await self.ready.wait()
        if self.error is not None:
            raise self.error
        self.got.append(message["text"])


async def turns_of_the_loop() -> None:
    """As many as whatever can be done by now needs; however busy the machine is."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def client() -> Client:
    return Client()


@pytest.fixture
async def outlet(client: Client) -> AsyncIterator[Outlet]:
    outlet = Outlet(client.send, 0.5)
    yield outlet
    await outlet.aclose()
    assert outlet.broken.done()


async def test_a_ready_client_gets_each_message_at_once_and_without_a_task(client: Client, outlet: Outlet) -> None:
    before = len(asyncio.all_tasks())
    outlet.put("1")
    outlet.put("2")
    assert client.got == ["1", "2"]
    assert len(asyncio.all_tasks()) == before


async def test_a_slow_client_gets_what_was_begun_and_then_the_newest(client: Client, outlet: Outlet) -> None:
    client.ready.clear()
    for number in range(1, 21):
        outlet.put(str(number))
    await turns_of_the_loop()
    outlet.put("21")
    assert client.got == []
    client.ready.set()
    await turns_of_the_loop()
    assert client.got == ["1", "21"]
    outlet.put("22")
    assert client.got == ["1", "21", "22"]


async def test_a_client_that_takes_nothing_is_given_up(client: Client, outlet: Outlet) -> None:
    client.ready.clear()
    outlet.put("1")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outlet.broken, 15)
    client.ready.set()
    outlet.put("2")
    await turns_of_the_loop()
    assert client.got == []


@pytest.mark.parametrize("ready", [True, False])
async def test_the_error_of_a_client_is_told_and_never_raised_at_who_publishes(
    client: Client, outlet: Outlet, ready: bool
) -> None:
    if not ready:
        client.ready.clear()
    client.error = OSError("gone")
    outlet.put("1")
    client.ready.set()
    with pytest.raises(OSError, match="gone"):
        await asyncio.wait_for(outlet.broken, 15)


async def test_an_outlet_closed_in_the_middle_leaves_no_task(client: Client) -> None:
    before = len(asyncio.all_tasks())
    for begun in (False, True):  # before its task has begun, and after
        outlet = Outlet(client.send, 5)
        client.ready.clear()
        outlet.put("1")
        outlet.put("2")
        if begun:
            await turns_of_the_loop()
        await outlet.aclose()
        client.ready.set()
        await turns_of_the_loop()
    assert client.got == []
    assert len(asyncio.all_tasks()) == before


def message(kind: str, number: int) -> str:
    return f'{{"type":"{kind}","number":{number}}}'


async def test_what_waits_is_the_newest_of_each_type_and_every_alert_in_order(client: Client, outlet: Outlet) -> None:
    client.ready.clear()
    outlet.put(message("portfolio_update", 0))  # under way
    for number in range(1, 6):
        for kind in ("portfolio_update", "quote", "alert", "health"):
            outlet.put(message(kind, number))
    client.ready.set()
    await turns_of_the_loop()
    assert client.got[0] == message("portfolio_update", 0)
    assert client.got[1:6] == [message("alert", number) for number in range(1, 6)]
    assert sorted(client.got[6:]) == [message(kind, 5) for kind in ("health", "portfolio_update", "quote")]


async def test_a_client_with_too_many_alerts_waiting_is_given_up(client: Client, outlet: Outlet) -> None:
    client.ready.clear()
    outlet.put(message("alert", 0))
    for number in range(MOST_ALERTS):
        outlet.put(message("alert", number))
    assert not outlet.broken.done()
    outlet.put(message("alert", MOST_ALERTS))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outlet.broken, 15)
