"""Chunks handed out as workers become free, and their results as they come."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

R = TypeVar("R")
C = TypeVar("C")


async def as_done(
    one: Callable[[C], Awaitable[R]],
    chunks: Iterable[C],
    at_once: Callable[[], int],
    look: Callable[[], Awaitable[None]] | None = None,
    seconds: float | None = None,
) -> AsyncGenerator[tuple[int, R], None]:
    """The place and the result of each chunk, in the order in which they are done.

    `at_once()` says how many may be on their way. While nothing is done for `seconds`, `look` is called, which may
    raise. The first error ends it all; closing cancels what is on its way and waits until that is over.
    """
    coming = enumerate(chunks)
    waiting: dict[asyncio.Future[R], int] = {}

    def hand_out() -> None:
        while len(waiting) < at_once():
            following = next(coming, None)
            if following is None:
                return
            place, chunk = following
            waiting[asyncio.ensure_future(one(chunk))] = place

    try:
        hand_out()
        while waiting:
            done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not done and look is not None:
                await look()
            results = [(waiting.pop(task), task.result()) for task in done]
            hand_out()  # before the results are looked at: no worker waits for who looks
            for result in results:
                yield result
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
