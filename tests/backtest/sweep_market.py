"""A market of our own for sweeps: a year and a half of invented closes with one steep fall."""

from datetime import date, timedelta

import numpy as np

from tests.builders import a_history
from vaultdash.backtest.market_days import MarketDays, market_days, monthly_expirations
from vaultdash.backtest.scenario import Scenario, VolatilityLevel
from vaultdash.domain.loan import Interest, Loan
from vaultdash.domain.market import PriceHistory

FIRST = date(2022, 1, 3)
COUNT = 420
START, END = date(2023, 3, 1), date(2023, 5, 31)  # the fall is in between
LISTED = monthly_expirations(FIRST, date(2030, 1, 1), [])


def weekdays() -> list[date]:
    days = [FIRST + timedelta(days=ahead) for ahead in range(2 * COUNT)]
    return [day for day in days if day.weekday() < 5][:COUNT]


def falling_gold() -> PriceHistory:
    """Quiet years, and within a few weeks of spring 2023 a loss of a fifth."""
    moves = np.random.default_rng(7).normal(0.0002, 0.008, COUNT)
    days = weekdays()
    fall = [place for place, day in enumerate(days) if date(2023, 3, 20) <= day < date(2023, 4, 14)]
    moves[fall] -= 0.25 / len(fall)
    closes = 180.0 * np.exp(np.cumsum(moves))
    return a_history(
        {day: round(float(close), 2) for day, close in zip(days, closes, strict=True)}, source="invented"
    )


def falling_days(start: date = START, end: date = END) -> MarketDays:
    """The days of the fall, unless others are named."""
    return market_days(falling_gold(), None, None, LISTED, start, end, VolatilityLevel.AUTO, 0.045)


def a_scenario(ltv: float = 0.66, start: date = START, end: date = END, **loan: object) -> Scenario:
    """A loan on 1,000 shares over the fall."""
    market = falling_days(start, end)
    price = float(market.closes[0])
    terms = Loan(amount=ltv * 1_000 * price, interest=Interest(0.0, 0.0), **loan)  # type: ignore[arg-type]
    return Scenario(market.days[0], market.days[-1], 1_000.0, terms)
