"""Work with a database that is brought to its end, whatever happens to the one who asked for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`; when the caller is cancelled meanwhile it still ends first, then the cancellation goes on.

    A driver that is stopped within a statement leaves its connection, and with it the lock, in a state nobody knows.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.cancelled() or task.exception()  # looked at, so that nobody complains that it was not
        raise cancelled
    return task.result()
