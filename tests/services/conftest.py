"""A house of real services around scripted markets."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders import a_portfolio
from tests.services.twins import Clock, FixedHours, ScriptedMarket
from vaultdash.market.stored import StoredMarket
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.exchange_rates import ExchangeRates
from vaultdash.services.heartbeat import Heartbeat
from vaultdash.services.hedge_advisor import HedgeAdvisor
from vaultdash.services.portfolio_book import PortfolioBook
from vaultdash.services.price_feed import PriceFeed
from vaultdash.storage.parquet_prices import ParquetPrices
from vaultdash.storage.sql import SqlDatabase


@dataclass
class House:
    clock: Clock
    hours: FixedHours
    store: ParquetPrices
    market: ScriptedMarket
    demo: ScriptedMarket
    prices: PriceFeed
    book: PortfolioBook
    history: DailyHistory
    heartbeat: Heartbeat
    advisor: HedgeAdvisor


@pytest.fixture
def build(tmp_path: Path, database: SqlDatabase) -> Callable[..., House]:
    def build(
        data_dir: Path = tmp_path,
        *,
        with_demo: bool = True,
        interval: float = 30.0,
        patience: float = 60.0,
        **of_heartbeat: object,
    ) -> House:
        clock, hours = Clock(), FixedHours()
        store = ParquetPrices(data_dir, clock)
        market, demo = ScriptedMarket(clock), ScriptedMarket(clock, "DEMO")
        prices = PriceFeed(market, store, hours, interval, clock)
        meanwhile = PriceFeed(StoredMarket(store, clock), store, hours, interval, clock)
        rates = ExchangeRates(lambda symbol: prices.known(symbol) or meanwhile.known(symbol))
        book = PortfolioBook(a_portfolio(), database, clock, price=lambda symbol: known(prices, symbol), rates=rates)
        history = DailyHistory(store, market, demo if with_demo else None, hours, clock, patience)
        heartbeat = Heartbeat(prices, meanwhile, book, history, hours, clock, patience, **of_heartbeat)  # type: ignore[arg-type]  # as a test gives them
        advisor = HedgeAdvisor(prices, book, clock)
        return House(clock, hours, store, market, demo, prices, book, history, heartbeat, advisor)

    return build


def known(prices: PriceFeed, symbol: str) -> float | None:
    quote = prices.known(symbol)
    return None if quote is None else quote.price


@pytest.fixture
async def house(build: Callable[..., House]) -> AsyncIterator[House]:
    """One that waits for its provider as long as a test may take."""
    house = build()
    yield house
    await house.history.aclose()


@pytest.fixture
async def impatient(build: Callable[..., House]) -> AsyncIterator[House]:
    """One that hardly waits for its provider."""
    house = build(patience=0.02)
    yield house
    await house.history.aclose()
