"""Whose turn it is to ask: one at a time, prices before what is recorded, and that before other chains."""

import asyncio
from bisect import insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from itertools import count

from vaultdash.domain.errors import Unavailable


class Rank(IntEnum):
    """What a request is for; the lower number goes first."""

    PRICES = 0
    RECORDING = 1
    CHAINS = 2  # that anyone may ask for


class Turns:
    """A line of which one is served at a time: by rank, and within a rank in the order of coming."""

    def __init__(self) -> None:
        self._taken = False
        self._numbers = count()
        self._line: list[tuple[Rank, int, asyncio.Future[None]]] = []  # sorted

    def waiting(self, rank: Rank) -> int:
        """How many of a rank stand in line."""
        return sum(1 for other, _, _ in self._line if other is rank)

    @asynccontextmanager
    async def take(self, rank: Rank, seconds: float) -> AsyncIterator[None]:
        """Have the turn; Unavailable when it does not come within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._acquire(rank)
        except TimeoutError:
            raise Unavailable("Yahoo is still busy with earlier requests") from None
        try:
            yield
        finally:
            self._pass_on()

    async def _acquire(self, rank: Rank) -> None:
        if not self._taken:
            self._taken = True
            return
        place = (rank, next(self._numbers), asyncio.get_running_loop().create_future())
        insort(self._line, place)
        try:
            await place[2]
        except asyncio.CancelledError:
            if place in self._line:
                self._line.remove(place)
            else:  # the turn came at the moment of leaving
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        self._taken = bool(self._line)
        if self._line:
            _, _, place = self._line.pop(0)
            if place.cancelled():  # its owner has not yet noticed, and must not be waited for
                self._pass_on()
            else:
                place.set_result(None)
