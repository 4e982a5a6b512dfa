"""Follows a feed for as long as the browser tab is there."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from nicegui import background_tasks, context

from vaultdash.feed import Feed

T = TypeVar("T")
log = structlog.get_logger()


def follow(feed: Feed[T], update: Callable[[T], Awaitable[None] | None]) -> None:
    """Call `update` with the latest value and each new one, inside the slot of the caller, until its page is gone.

    An update that raises is logged once and the next one is tried again.
    """
    client, slot = context.client, context.slot
    parent = slot.parent  # held, so that it can be asked whether it is still on the page

    async def run() -> None:
        broken = False
        async for value in feed.follow():
            if parent.is_deleted:
                return
            with slot:
                try:
                    result = update(value)
                    if result is not None:
                        await result
                except Exception as error:  # one bad update must not freeze the page
                    if not broken:
                        log.error("page_not_updated", reason=str(error), exc_info=True)
                    broken = True
                else:
                    broken = False

    task = background_tasks.create(run(), name="follow")
    client.on_delete(task.cancel)
