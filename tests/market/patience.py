"""Asking again while a worker whose caller has left is still under way, as the next beat of the house does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from vaultdash.domain.errors import Unavailable

T = TypeVar("T")


async def in_the_end(ask: Callable[[], Awaitable[T]], seconds: float = 20.0) -> T:
    """The first answer; the last refusal when none came within `seconds`."""
    loop = asyncio.get_running_loop()
    latest = loop.time() + seconds
    while True:
        try:
            return await ask()
        except Unavailable:
            if loop.time() > latest:
                raise
        await asyncio.sleep(0.05)
