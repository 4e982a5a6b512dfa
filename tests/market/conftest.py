"""A Yahoo on the loopback and the market that asks it with the real client."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.builders import NOON
from tests.market.yahoo_server import YahooServer, forget_yfinance
from vaultdash.clock import NewYorkHours
from vaultdash.market.yahoo import BackOff, Limiter, YahooMarket


class Clock:
    """Seconds that pass only when somebody sleeps or says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(round(seconds, 3))
        self.seconds += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[YahooServer]:
    forget_yfinance()
    server = YahooServer(tmp_path / "authority", now=lambda: NOON)
    yield server
    server.stop()


@pytest.fixture
async def build(
    server: YahooServer, clock: Clock, tmp_path: Path, new_york: NewYorkHours
) -> AsyncIterator[Callable[..., YahooMarket]]:
    """Make a market on the loopback; given words replace the usual ones."""
    made: list[YahooMarket] = []

    def make(**given: object) -> YahooMarket:
        usual = {
            "cache_dir": tmp_path / "yfinance",
            "session_factory": server.session_factory,
            "limiter": Limiter(per_second=1000, burst=1000, per_hour=100_000, monotonic=clock),
            "back_off": BackOff(monotonic=clock, chance=lambda: 0.5),
            "hours": new_york,
            "now": lambda: NOON,
            "monotonic": clock,
            "sleep": clock.sleep,
        }
        made.append(YahooMarket(**{**usual, **given}))
        return made[-1]

    yield make
    for market in made:
        await market.aclose()


@pytest.fixture
def yahoo(build: Callable[..., YahooMarket]) -> YahooMarket:
    return build()
