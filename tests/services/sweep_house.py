"""Sweeps with all that they need: a store with a fall in it, a database, and workers that can be held back."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from tests.backtest.sweep_market import END, START, falling_gold
from tests.new_york import HOURS
from tests.services.twins import Clock
from vaultdash.compute.base import Compute
from vaultdash.domain.market import PriceHistory
from vaultdash.files.whole import claimed
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_market import BacktestMarkets
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.selloff_events import SelloffEvents
from vaultdash.services.sweep_grid import SweepGrid, grid_of
from vaultdash.services.sweep_plan import SweepPlanner
from vaultdash.services.sweep_records import SweepRecords
from vaultdash.services.sweeps import Sweeps
from vaultdash.services.templates import Templates
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.storage.records import Database

GRID: dict[str, Any] = {
    "templates": ["protective_put_otm_95", "collar_95_110"],
    "vary": {"legs[0].strike.value": [0.95, 1.0]},
    "spans": [{"start": START.isoformat(), "end": END.isoformat()}],
    "entries": [0, 2],
    "terms": {"ltv": [0.60, 0.66], "counting": ["ignored", "credited"], "units": 1000},
}
POINTS = 5 * 8  # four hedges and none, on two entries, two loans and two ways of counting


class AtOnce:
    """Does the work where it is asked for, chunk by chunk: the worker that needs no process."""

    workers = 1

    async def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    async def map(
        self, function: Callable[[Any, Any], Any], chunks: Iterable[Any], /, shared: Any
    ) -> AsyncGenerator[tuple[int, Any], None]:
        for place, chunk in enumerate(chunks):
            await asyncio.sleep(0)
            yield place, function(shared, chunk)

    async def aclose(self) -> None:
        pass


class Held:
    """Lets through as many results as were allowed, then waits; counts the points that were handed out."""

    def __init__(self) -> None:
        self.inner = AtOnce()
        self.points = 0
        self.allowed = 10**9
        self.held = asyncio.Event()

    @property
    def workers(self) -> int:
        return self.inner.workers

    async def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self.inner.run(function, *args, **kwargs)

    async def map(
        self, function: Callable[[Any, Any], Any], chunks: Iterable[Any], /, shared: Any
    ) -> AsyncGenerator[tuple[int, Any], None]:
        results = self.inner.map(function, chunks, shared=shared)
        try:
            async for place, rows in results:
                self.points += len(rows)
                yield place, rows
                self.allowed -= 1
                if self.allowed <= 0:
                    self.held.set()
                    await asyncio.Event().wait()
        finally:
            await results.aclose()

    async def aclose(self) -> None:
        await self.inner.aclose()


class SweepHouse:
    """One data directory; `sweeps` makes the service anew, as another start of the server would."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.clock = Clock()
        self.store = ParquetPrices(folder, self.clock)
        self.made: list[Sweeps] = []
        self.keep(falling_gold())

    def keep(self, history: PriceHistory) -> None:
        self.store.merge_history(history)

    def sweeps(
        self,
        compute: Compute | None = None,
        engine: Callable[[], Awaitable[Engine]] | None = None,
        code: str = "code",
    ) -> Sweeps:
        history = DailyHistory(self.store, None, None, HOURS, self.clock)
        markets = BacktestMarkets(history, HOURS, None)
        planner = SweepPlanner(markets, Templates(self.database, self.clock), SelloffEvents(self.database, markets))
        self.made.append(
            Sweeps(
                planner,
                lambda *_: compute or AtOnce(),
                SweepRecords(self.database),
                lambda run: claimed(self.folder / "sweeps" / f"{run}.lock"),
                engine or reference,
                lambda: code,
                self.clock,
            )
        )
        return self.made[-1]

    async def aclose(self) -> None:
        for sweeps in self.made:
            await sweeps.aclose()


async def reference() -> Engine:
    return "reference"


def a_grid(**given: object) -> SweepGrid:
    return grid_of({**GRID, **given})


def days(first: str, last: str) -> list[dict[str, str]]:
    return [{"start": date.fromisoformat(first).isoformat(), "end": date.fromisoformat(last).isoformat()}]
