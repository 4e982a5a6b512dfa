"""Gold in the currency of a loan: joined on common days, and what is not known is assumed and said."""

import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.builders import NOON, a_history
from tests.services.twins import Clock, FixedHours, ScriptedMarket
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.market import DEMO_SOURCE
from vaultdash.risk.volatility import ewma_volatility
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.gold_in_currency import ASSUMED_VOLATILITY, GoldInCurrency, gold_words
from vaultdash.storage.parquet_prices import ParquetPrices

TODAY = date(2026, 6, 9)
RATE = ExchangeRate("CHF", 0.80, NOON, "test")
INVENTED = ExchangeRate("CHF", 0.80, NOON, DEMO_SOURCE, is_demo=True)


def weekdays(count: int) -> list[date]:
    """The last so many before the test's today, ascending."""
    days = (TODAY - timedelta(days=n) for n in range(2 * count))
    return sorted([day for day in days if day.weekday() < 5][:count])


def paths(correlation: float, days: int = 250) -> tuple[dict[date, float], dict[date, float]]:
    """Closes of gold at 20 % and of the rate at 9 % a year whose moves have that correlation, by Cholesky."""
    draws = np.random.default_rng(7).standard_normal((2, days - 1))
    rows = (0.20 * draws[0], 0.09 * (correlation * draws[0] + math.sqrt(1 - correlation**2) * draws[1]))
    when = weekdays(days)
    gold, rate = (np.exp(np.concatenate([[0.0], np.cumsum(row / math.sqrt(252))])) for row in rows)
    return dict(zip(when, 400.0 * gold, strict=True)), dict(zip(when, 0.8 * rate, strict=True))


@pytest.fixture
def store(tmp_path: Path) -> ParquetPrices:
    return ParquetPrices(tmp_path, Clock())


@pytest.fixture
def known(store: ParquetPrices) -> GoldInCurrency:
    clock = Clock()
    return GoldInCurrency(DailyHistory(store, None, ScriptedMarket(clock, DEMO_SOURCE), FixedHours(), clock))


def keep(store: ParquetPrices, gold: dict[date, float], rate: dict[date, float]) -> None:
    store.merge_history(a_history(gold))
    if rate:
        store.merge_history(a_history(rate, "CHF=X", "rates"))


async def test_closes_are_those_of_common_days_in_dollars_at_todays_rate(
    known: GoldInCurrency, store: ParquetPrices
) -> None:
    one, two, three = weekdays(3)
    keep(store, {one: 400.0, two: 410.0, three: 420.0}, {one: 0.88, three: 0.84})
    history, remark = await known.history("GLD", RATE)
    assert [(bar.on, bar.low) for bar in history.bars] == [(one, None), (three, None)]
    assert [bar.close for bar in history.bars] == pytest.approx([400 * 0.88 / 0.80, 420 * 0.84 / 0.80])
    assert "in CHF by CHF=X (rates)" in history.source
    assert "today's 0.8000" in remark
    dollars, nothing = await known.history("GLD", DOLLAR)
    assert [bar.close for bar in dollars.bars] == [400.0, 410.0, 420.0]
    assert nothing == ""


async def test_without_rates_of_the_past_the_rate_is_held_and_that_is_said(
    known: GoldInCurrency, store: ParquetPrices
) -> None:
    gold, _ = paths(0.0, 80)
    keep(store, gold, {})
    history, remark = await known.history("GLD", RATE)
    assert [bar.close for bar in history.bars] == pytest.approx(list(gold.values()))
    assert remark.startswith("No daily history of CHF=X is stored")
    assert "0.8000 CHF all the time" in remark
    moves = await known.moves("GLD", RATE)
    assert (moves.volatility, moves.correlation) == (ASSUMED_VOLATILITY, 0.0)
    assert "assumed to move by 8% a year" in moves.source
    assert "correlation with gold is not known and taken as 0" in moves.source


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.7])
async def test_the_joined_volatility_is_that_of_the_joined_closes(
    known: GoldInCurrency, store: ParquetPrices, correlation: float
) -> None:
    gold, rate = paths(correlation)
    keep(store, gold, rate)
    moves = await known.moves("GLD", RATE)
    assert moves.volatility == pytest.approx(ewma_volatility(list(rate.values())))
    assert moves.correlation == pytest.approx(correlation, abs=0.12)  # two standard errors of 249 days
    assert f"{moves.correlation:+.2f} over 249 days" in moves.source
    history, _ = await known.history("GLD", RATE)
    moved = np.diff(np.log([bar.close for bar in history.bars]))
    expected = math.sqrt(0.2**2 + 0.09**2 + 2 * correlation * 0.2 * 0.09)
    assert float(np.std(moved)) * math.sqrt(252) == pytest.approx(expected, rel=0.12)
    exact = moves.joined(0.20)
    assert exact**2 == pytest.approx(0.04 + moves.volatility**2 + 0.4 * moves.correlation * moves.volatility)


async def test_few_common_days_tell_no_correlation_but_the_rates_own_moves(
    known: GoldInCurrency, store: ParquetPrices
) -> None:
    gold, rate = paths(0.5)
    keep(store, dict(list(gold.items())[-40:]), rate)
    moves = await known.moves("GLD", RATE)
    assert moves.volatility == pytest.approx(ewma_volatility(list(rate.values())))
    assert moves.correlation == 0.0


async def test_an_invented_rate_counts_only_beside_an_invented_rate(
    known: GoldInCurrency, store: ParquetPrices
) -> None:
    gold, rate = paths(0.5)
    keep(store, gold, {})
    invented = ScriptedMarket(Clock(), DEMO_SOURCE)
    invented.bars = a_history(rate).bars
    known._history._demo = invented
    assert "assumed" in (await known.moves("GLD", RATE)).source
    assert (await known.history("GLD", RATE))[1].startswith("No daily history")
    moves = await known.moves("GLD", INVENTED)
    assert moves.correlation == pytest.approx(0.5, abs=0.12)
    assert "moves by" in moves.source


async def test_without_gold_nothing_is_joined(known: GoldInCurrency, store: ParquetPrices) -> None:
    known._history._demo = None
    with pytest.raises(Unavailable):
        await known.history("GLD", RATE)
    store.merge_history(a_history(paths(0.0)[1], "CHF=X"))
    assert (await known.moves("GLD", RATE)).correlation == 0.0


def test_what_moves_is_named_with_its_currency() -> None:
    assert gold_words(DOLLAR) == "gold"
    assert gold_words(RATE) == "gold in CHF"
