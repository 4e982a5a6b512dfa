"""Follows a feed for as long as the browser tab is there."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from nicegui import background_tasks, context

from vaultdash.feed import Feed

T = TypeVar("T")


def follow(feed: Feed[T], update: Callable[[T], Awaitable[None] | None]) -> None:
    """Call `update` with the latest value and each new one, inside the slot of the caller, until the tab is gone."""
    client, slot = context.client, context.slot

    async def run() -> None:
        async for value in feed.follow():
            if slot.parent.is_deleted:
                return
            with slot:
                result = update(value)
                if result is not None:
                    await result

    task = background_tasks.create(run(), name="follow")
    client.on_delete(task.cancel)
