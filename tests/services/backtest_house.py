"""Prices, terms and services for tests of backtests: a year of calm, then the fall of January 2026 as it was."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

from tests.new_york import HOURS
from tests.services.twins import Clock
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.market.observed.history import ObservedHistory
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_asking import BacktestAsking
from vaultdash.services.backtest_market import BacktestMarkets
from vaultdash.services.backtest_work import BacktestWork
from vaultdash.services.backtester import Backtester
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.selloff_events import SelloffEvents
from vaultdash.services.templates import Templates
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.storage.records import Database

PEAK, SHOCK, TROUGH = date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)
CLOSES = {PEAK: 495.90, SHOCK: 444.95, TROUGH: 427.13}  # of GLD, as they were
LOWS = {SHOCK: 440.00, TROUGH: 422.55}
FIRST, LAST = date(2025, 1, 2), date(2026, 3, 31)


def january_prices(first: date = FIRST, last: date = LAST) -> PriceHistory:
    """Closes that swing by 1 % around a rise to the peak, the fall, and a slow recovery to 470; lows where known."""
    days = HOURS.sessions(first, last)
    peak = days.index(PEAK)
    bars = []
    for index, day in enumerate(days):
        swing = 1.0 + 0.005 * (-1) ** index
        if day in CLOSES:
            close = CLOSES[day]
        elif index < peak:
            close = round((380.0 + 110.0 * index / peak) * swing, 2)
        else:
            close = round((430.0 + 40.0 * (index - peak) / (len(days) - peak)) * swing, 2)
        bars.append(Bar(day, close, low=LOWS.get(day, close - 1.0)))
    return PriceHistory("GLD", "test", tuple(bars))


async def by_reference() -> Engine:
    """The engine that needs no compiler."""
    return "reference"


class BacktestHouse:
    """The services of backtests on what is stored in a folder, with a clock of their own."""

    def __init__(
        self, data_dir: Path, database: Database, engine: Callable[[], Awaitable[Engine]] = by_reference
    ) -> None:
        self.clock = Clock()
        self.database = database
        self.store = ParquetPrices(data_dir, self.clock)
        self.history = DailyHistory(self.store, None, None, HOURS, self.clock)
        self.markets = BacktestMarkets(self.history, HOURS, ObservedHistory(ObservedSnapshots(data_dir, self.clock)))
        self.events = SelloffEvents(database, self.markets)
        self.templates = Templates(database, self.clock)
        self.asking = BacktestAsking(self.events, self.templates)
        self.work = BacktestWork(self.markets, engine)
        self.backtests = self.another()

    def another(self) -> Backtester:
        """As after a restart of the server."""
        return Backtester(self.asking, self.work, self.database, self.clock)

    def store_prices(self, history: PriceHistory | None = None) -> None:
        self.store.merge_history(history or january_prices())
