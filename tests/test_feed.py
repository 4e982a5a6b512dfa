"""The feed keeps the newest, and a slow listener harms nobody."""

import asyncio
from collections.abc import AsyncIterator

from vaultdash.feed import Feed


async def take(values: AsyncIterator[int]) -> int:
    return await asyncio.wait_for(anext(values), 20)


async def test_a_late_listener_gets_the_latest_value_first():
    feed: Feed[int] = Feed()
    feed.publish(1)
    feed.publish(2)
    assert await take(feed.follow()) == 2


async def test_an_early_listener_waits_for_the_first_value():
    feed: Feed[int] = Feed()
    first = asyncio.ensure_future(take(feed.follow()))
    await asyncio.sleep(0)
    assert not first.done()
    feed.publish(7)
    assert await first == 7


async def test_every_value_reaches_a_listener_who_keeps_up():
    feed: Feed[int] = Feed()
    feed.publish(0)
    values, seen = feed.follow(), []
    for number in range(1, 50):
        seen.append(await take(values))
        feed.publish(number)
    assert seen == list(range(49))


async def test_the_newest_replaces_what_a_slow_listener_missed():
    feed: Feed[int] = Feed()
    feed.publish(1)
    slow = feed.follow()
    assert await take(slow) == 1
    for number in range(2, 100):
        feed.publish(number)
    assert await take(slow) == 99


async def test_a_value_is_given_once():
    feed: Feed[int] = Feed()
    feed.publish(1)
    values = feed.follow()
    await take(values)
    again = asyncio.ensure_future(anext(values))
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()


async def test_a_listener_who_never_reads_holds_one_value():
    feed: Feed[int] = Feed()
    feed.publish(0)
    idle, quick = feed.follow(), feed.follow()
    await take(idle)
    for number in range(1, 1_000):
        feed.publish(number)
    assert await take(quick) == 999
    assert sorted(slot.qsize() for slot in feed._slots) == [0, 1]


async def test_all_listeners_get_the_same_value():
    feed: Feed[int] = Feed()
    listening = [asyncio.ensure_future(take(feed.follow())) for _ in range(500)]
    while feed.listeners < 500:  # noqa: ASYNC110  a feed tells nobody who listens
        await asyncio.sleep(0)
    feed.publish(3)
    assert await asyncio.gather(*listening) == [3] * 500


async def test_a_listener_who_leaves_is_forgotten():
    feed: Feed[int] = Feed()
    feed.publish(1)
    values = feed.follow()
    await take(values)
    assert feed.listeners == 1
    await values.aclose()
    assert feed.listeners == 0


async def test_a_listener_who_is_cancelled_is_forgotten():
    feed: Feed[int] = Feed()

    async def listen() -> None:
        async for _ in feed.follow():
            pass

    task = asyncio.create_task(listen())
    await asyncio.sleep(0)
    assert feed.listeners == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert feed.listeners == 0


def test_without_listeners_the_latest_is_kept():
    feed: Feed[int] = Feed()
    assert feed.latest is None
    feed.publish(5)
    assert feed.latest == 5


def test_who_hears_by_calls_gets_the_latest_first_and_each_one_after_it_at_once():
    feed: Feed[int] = Feed()
    feed.publish(1)
    heard: list[int] = []
    with feed.heard_by(heard.append):
        assert heard == [1]
        assert feed.listeners == 1
        feed.publish(2)
        feed.publish(3)
        assert heard == [1, 2, 3]
    feed.publish(4)
    assert heard == [1, 2, 3]
    assert feed.listeners == 0


def test_who_hears_before_the_first_value_is_called_with_it():
    feed: Feed[int] = Feed()
    heard: list[int] = []
    with feed.heard_by(heard.append):
        assert heard == []
        feed.publish(7)
    assert heard == [7]
