"""The volatility of the odds: options at the call, at the money, the index while it is new, daily closes."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.api.conftest import by_quantlib
from tests.builders import NOON, a_history, a_portfolio
from tests.services.twins import Clock, FixedHours, ScriptedChains, ScriptedMarket
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.option import DollarRate
from vaultdash.domain.portfolio import Snapshot, mark
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.odds_volatility import (
    HORIZONS,
    OddsVolatility,
    VolatilityChoice,
    VolatilityKind,
    nearest_expirations,
)
from vaultdash.services.option_chains import OptionChains
from vaultdash.storage.parquet_prices import ParquetPrices

DAYS = (date(2026, 7, 17), date(2026, 9, 18), date(2026, 12, 18), date(2027, 6, 17))
Choices = Callable[..., "list[VolatilityChoice]"]


class NoRate:
    """Dollars that earn nothing, as the scripted options suppose."""

    async def latest(self, *, invented: bool = False) -> DollarRate:
        return DollarRate(0.0, date(2026, 6, 9), "test")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listed(clock: Clock) -> ScriptedChains:
    return ScriptedChains(clock, *DAYS)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> ParquetPrices:
    return ParquetPrices(tmp_path, clock)


@pytest.fixture
def known(clock: Clock, listed: ScriptedChains, store: ParquetPrices) -> OddsVolatility:
    chains = OptionChains(listed, NoRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    history = DailyHistory(store, ScriptedMarket(clock), None, FixedHours(), clock)
    return OddsVolatility(history, chains, clock)


def a_snapshot() -> Snapshot:
    return mark(a_portfolio(), 460.0, date(2026, 6, 10))


async def kinds(known: OddsVolatility, *, is_demo: bool = False) -> list[VolatilityKind]:
    found = await known.choices(a_snapshot(), 0.17, "EWMA of daily closes", is_demo=is_demo)
    return [choice.kind for choice in found]


async def test_without_anything_else_daily_closes_are_used(known: OddsVolatility) -> None:
    (only,) = await known.choices(a_snapshot(), 0.17, "EWMA of daily closes", is_demo=False)
    assert only.kind is VolatilityKind.MOVES
    assert set(only.by_months.values()) == {0.17}
    assert only.source == "EWMA of daily closes"


async def test_in_another_currency_every_choice_is_joined_with_the_moves_of_the_rate(
    known: OddsVolatility, store: ParquetPrices
) -> None:
    store.merge_history(a_history({date(2026, 6, 9): 17.0, date(2026, 6, 8): 17.0}, "^GVZ"))
    assert await known.load_chains("GLD") is None
    rate = ExchangeRate("CHF", 0.80, NOON, "test")
    francs = mark(a_portfolio(loan=480_000, currency="CHF"), 460.0, date(2026, 6, 10), rate=rate)
    in_dollars = await known.choices(a_snapshot(), 0.17, "EWMA", is_demo=False)
    in_francs = await known.choices(francs, 0.17, "EWMA", is_demo=False)
    assert len(in_francs) == 4
    for alone, joined in zip(in_dollars, in_francs, strict=True):
        assert joined.kind is alone.kind
        assert joined.name == f"{alone.name}, in CHF"
        assert joined.source.startswith(f"{alone.source}; a dollar in CHF assumed to move by 8% a year")
        for months in HORIZONS:  # without a history of the rate: 8 % and no correlation
            assert joined.by_months[months] == pytest.approx((alone.by_months[months] ** 2 + 0.08**2) ** 0.5)


async def test_options_at_the_call_price_come_first_once_they_are_loaded(known: OddsVolatility) -> None:
    assert await known.load_chains("GLD") is None
    found = await known.choices(a_snapshot(), 0.17, "EWMA", is_demo=False)
    assert [choice.kind for choice in found] == [
        VolatilityKind.AT_CALL,
        VolatilityKind.AT_THE_MONEY,
        VolatilityKind.MOVES,
    ]
    for choice in found[:2]:  # the scripted options are priced with 20 %
        assert [choice.by_months[months] for months in HORIZONS] == pytest.approx([0.2] * 4, abs=0.005)
        assert choice.at == NOON
        assert "4 expirations, 17 Jul 2026 to 17 Jun 2027" in choice.source
    assert "368.00" in found[0].name


async def test_invented_options_never_stand_beside_a_real_price(
    known: OddsVolatility, listed: ScriptedChains
) -> None:
    listed.source = "DEMO"
    await known.load_chains("GLD")
    assert await kinds(known, is_demo=False) == [VolatilityKind.MOVES]
    assert await kinds(known, is_demo=True) == [
        VolatilityKind.AT_CALL,
        VolatilityKind.AT_THE_MONEY,
        VolatilityKind.MOVES,
    ]


@pytest.mark.parametrize(
    ("age", "expected"),
    [(1, [VolatilityKind.INDEX, VolatilityKind.MOVES]), (12, [VolatilityKind.MOVES, VolatilityKind.INDEX])],
)
async def test_the_index_stands_before_closes_while_it_is_new(
    known: OddsVolatility, store: ParquetPrices, age: int, expected: list[VolatilityKind]
) -> None:
    last = NOON.date() - timedelta(days=age)
    store.merge_history(a_history({last - timedelta(days=1): 30.0, last: 18.5}, "^GVZ", "gvz.csv"))
    assert await kinds(known) == expected
    found = await known.choices(a_snapshot(), 0.17, "EWMA", is_demo=False)
    index = next(choice for choice in found if choice.kind is VolatilityKind.INDEX)
    assert index.yearly == pytest.approx(0.185)
    assert "gvz.csv" in index.source


async def test_an_index_that_cannot_be_one_is_left_out(known: OddsVolatility, store: ParquetPrices) -> None:
    store.merge_history(a_history({NOON.date(): 0.0}, "^GVZ", "gvz.csv"))
    assert await kinds(known) == [VolatilityKind.MOVES]


async def test_why_options_cannot_be_had_is_told(known: OddsVolatility, listed: ScriptedChains) -> None:
    listed.failure = Unavailable("the source is away")
    assert await known.load_chains("GLD") == "the source is away"
    assert await kinds(known) == [VolatilityKind.MOVES]


def test_the_expirations_nearest_the_horizons_are_asked_for_once_each() -> None:
    today = date(2026, 6, 10)
    assert nearest_expirations(DAYS, today) == DAYS
    assert nearest_expirations(DAYS[:1], today) == DAYS[:1]
    many = tuple(today + timedelta(days=7 * week) for week in range(1, 60))
    assert [(day - today).days for day in nearest_expirations(many, today)] == [28, 91, 182, 364]


async def test_options_that_end_within_months_say_nothing_of_a_year(known: OddsVolatility) -> None:
    await known._chains.chain("GLD", DAYS[0])
    assert known.lacks_chains("GLD")
    assert await kinds(known) == [VolatilityKind.MOVES]
    await known.load_chains("GLD")
    assert not known.lacks_chains("GLD")
    assert (await kinds(known))[0] is VolatilityKind.AT_CALL
