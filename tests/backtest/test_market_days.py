"""Market days: what was known on each day, and nothing of the days after it."""

import math
import statistics
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.builders import a_history
from vaultdash.backtest.market_days import MarketDays, market_days, market_remarks, monthly_expirations
from vaultdash.backtest.scenario import VolatilityLevel
from vaultdash.clock import NewYorkHours
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import DEMO_SOURCE, Bar, PriceHistory
from vaultdash.risk.volatility import ewma_volatility
from vaultdash.storage.price_csv import read_price_csv

MONDAY = date(2024, 1, 1)
LISTED = (date(2025, 1, 17),)


def weekdays(count: int, first: date = MONDAY) -> list[date]:
    days = [first + timedelta(days=ahead) for ahead in range(2 * count)]
    return [day for day in days if day.weekday() < 5][:count]


def closes(count: int, seed: int = 1) -> list[float]:
    moves = np.random.default_rng(seed).normal(0.0, 0.01, count)
    return [float(price) for price in 200.0 * np.exp(np.cumsum(moves))]


def gold(count: int = 120, seed: int = 1) -> PriceHistory:
    return a_history(dict(zip(weekdays(count), closes(count, seed), strict=True)), "GLD", "test")


def index(values: dict[date, float], source: str = "index") -> PriceHistory:
    return a_history(values, "^GVZ", source)


def made(
    history: PriceHistory,
    gvz: PriceHistory | None = None,
    bill: PriceHistory | None = None,
    start: date | None = None,
    end: date | None = None,
    level: VolatilityLevel = VolatilityLevel.AUTO,
) -> MarketDays:
    begin, stop = start or history.bars[0].on, end or history.bars[-1].on
    return market_days(history, gvz, bill, LISTED, begin, stop, level, 0.045)


def arrays(market: MarketDays) -> dict[str, list[float]]:
    values = {field.name: getattr(market, field.name) for field in fields(market)}
    return {name: value.tolist() for name, value in values.items() if isinstance(value, np.ndarray)}


def same(first: MarketDays, second: MarketDays) -> bool:
    """To the last bit, NaN where NaN is."""
    one, other = arrays(first), arrays(second)
    return all(np.array_equal(values, other[name], equal_nan=True) for name, values in one.items())


# ---- levels


def test_the_level_is_the_index_of_the_day() -> None:
    history = gold()
    days = [bar.on for bar in history.bars]
    market = made(history, index({day: 15.0 + n for n, day in enumerate(days)}), start=days[30])
    assert market.levels == pytest.approx([0.01 * (15 + n) for n in range(30, 120)])
    assert market.long_run == pytest.approx([0.01 * statistics.median(range(15, 16 + n)) for n in range(30, 120)])
    assert market.from_gvz.all()
    assert market_remarks(replace(market, has_rate=market.from_gvz), VolatilityLevel.AUTO) == ()


def test_an_old_print_of_the_index_holds_for_five_days_and_then_own_moves_stand_in() -> None:
    history = gold()
    days = [bar.on for bar in history.bars]
    friday = days[64]
    assert friday.weekday() == 4
    market = made(history, index({friday: 30.0}))
    known = dict(zip(days, market.levels.tolist(), strict=True))
    assert known[friday] == known[friday + timedelta(days=3)] == known[friday + timedelta(days=5)] == 0.30
    after = friday + timedelta(days=6)
    upto = [bar.close for bar in history.bars if bar.on <= after]
    assert known[after] == pytest.approx(1.1 * ewma_volatility(upto), rel=1e-9)
    assert np.count_nonzero(market.from_gvz) == 4


def test_own_moves_need_twenty_returns_and_are_the_weighted_volatility_times_1_1() -> None:
    history = gold()
    prices = [bar.close for bar in history.bars]
    market = made(history, level=VolatilityLevel.EWMA)
    assert np.isnan(market.levels[:20]).all()
    assert np.isnan(market.long_run[:20]).all()
    expected = [1.1 * ewma_volatility(prices[: n + 1]) for n in range(20, 120)]
    assert market.levels[20:] == pytest.approx(expected, rel=1e-9)
    assert market.long_run[20:] == pytest.approx([statistics.median(expected[: n + 1]) for n in range(100)], rel=1e-9)
    assert not market.from_gvz.any()


def test_the_levels_of_a_short_stretch_stand_on_the_days_before_it() -> None:
    history = gold()
    days = [bar.on for bar in history.bars]
    whole, part = made(history), made(history, start=days[90], end=days[100])
    assert part.days == tuple(days[90:101])
    assert part.levels.tolist() == whole.levels[90:101].tolist()
    assert part.long_run.tolist() == whole.long_run[90:101].tolist()


def test_the_index_alone_leaves_days_without_it_unknown() -> None:
    history = gold()
    market = made(history, index({history.bars[50].on: 20.0}), level=VolatilityLevel.GVZ)
    assert np.isnan(market.levels[:50]).all()
    assert np.isnan(market.levels[60:]).all()
    assert market.levels[50] == 0.2
    assert "115 of 120 days are without any volatility" in " ".join(market_remarks(market, VolatilityLevel.GVZ))
    assert np.isnan(made(history, level=VolatilityLevel.GVZ).levels).all()


def test_own_moves_alone_do_not_look_at_the_index() -> None:
    history = gold()
    with_index = made(history, index({bar.on: 90.0 for bar in history.bars}), level=VolatilityLevel.EWMA)
    assert same(with_index, made(history))


def test_after_a_pause_of_more_than_ten_days_own_moves_begin_anew() -> None:
    days = weekdays(60)
    later = [day + timedelta(days=11) for day in days[30:]]
    pause = a_history(dict(zip([*days[:30], *later], closes(60), strict=True)))
    market = made(pause, start=later[0])
    assert np.isnan(market.levels[:20]).all()
    assert market.levels[20] == pytest.approx(1.1 * ewma_volatility([bar.close for bar in pause.bars[30:51]]))


# ---- rates


def test_the_rate_is_that_of_the_bill_and_holds_for_ten_days() -> None:
    history = gold()
    first = history.bars[0].on
    market = made(history, bill=a_history({first: 3.60, first + timedelta(days=1): 99.0}, "^IRX"))
    # a bill of 1 costs 1 - 0.036 * 91 / 360
    rate = -math.log(1 - 0.036 * 91 / 360) * 365 / 91
    days_known = [n for n, day in enumerate(market.days) if (day - first).days <= 10]
    assert market.rates[days_known] == pytest.approx(rate)
    assert market.has_rate.tolist() == [1.0] * len(days_known) + [0.0] * (120 - len(days_known))
    assert (market.rates[len(days_known) :] == 0.045).all()
    assert f"{120 - len(days_known)} of 120 days are without a bill rate: 4.5% a year stands in." in market_remarks(
        market, VolatilityLevel.AUTO
    )


def test_without_series_everything_stands_in_and_is_said() -> None:
    history = gold()
    market = made(history, start=history.bars[30].on)
    assert (market.rates == 0.045).all()
    assert market_remarks(market, VolatilityLevel.AUTO) == (
        "All 90 days are without a gold volatility index: 1.1 times the weighted volatility (EWMA) of GLD's own "
        "returns stands in.",
        "All 90 days are without a bill rate: 4.5% a year stands in.",
    )
    assert market_remarks(market, VolatilityLevel.EWMA) == (
        "All 90 days are without a bill rate: 4.5% a year stands in.",
    )


# ---- prices


def test_a_low_above_the_close_or_not_above_zero_is_none() -> None:
    days = weekdays(4)
    lows = (99.0, 100.5, 0.0, None)
    history = PriceHistory(
        "GLD", "test", tuple(Bar(day, 100.0, low=low) for day, low in zip(days, lows, strict=True))
    )
    market = made(history)
    assert market.lows[0] == 99.0
    assert np.isnan(market.lows[1:]).all()
    assert market.closes.tolist() == [100.0] * 4


def test_the_source_names_every_series_that_was_used() -> None:
    history = gold()
    gvz, bill = index({history.bars[40].on: 15.0}), a_history({history.bars[0].on: 4.0}, "^IRX", "bills")
    assert made(history, gvz, bill).source == "test; volatility index; interest bills"
    assert made(history, None, None).source == "test"


@pytest.mark.parametrize(("of_gold", "of_series"), [("test", DEMO_SOURCE), (DEMO_SOURCE, "index")])
def test_invented_and_real_series_never_stand_side_by_side(of_gold: str, of_series: str) -> None:
    history = replace(gold(), source=of_gold)
    days = [bar.on for bar in history.bars]
    gvz, bill = index(dict.fromkeys(days, 40.0), of_series), a_history(dict.fromkeys(days, 9.0), "^IRX", of_series)
    market = made(history, gvz, bill)
    assert same(market, made(history))
    assert market.source == of_gold
    assert market.is_demo == (of_gold == DEMO_SOURCE)


def test_invented_prices_are_said_to_be() -> None:
    market = made(replace(gold(), source=DEMO_SOURCE))
    assert "DEMO" in market_remarks(market, VolatilityLevel.AUTO)[0]


# ---- no day knows the next


@pytest.mark.parametrize("level", list(VolatilityLevel))
def test_planted_future_values_change_nothing_before_them(level: VolatilityLevel) -> None:
    history = gold(200)
    days = [bar.on for bar in history.bars]
    gvz = index({day: 12.0 + 5.0 * math.sin(n) for n, day in enumerate(days) if n % 9 < 6})
    bill = a_history({day: 4.0 + math.cos(n) for n, day in enumerate(days) if n % 4}, "^IRX")

    def planted(series: PriceHistory, factor: float) -> PriceHistory:
        changed = tuple(replace(bar, close=factor * bar.close) if bar.on > days[120] else bar for bar in series.bars)
        return replace(series, bars=changed)

    before = made(history, gvz, bill, level=level)
    after = made(planted(history, 1.7), planted(gvz, 3.0), planted(bill, 2.0), level=level)
    for name, values in arrays(before).items():
        assert np.array_equal(values[:121], arrays(after)[name][:121], equal_nan=True), name
    cut = made(history, gvz, bill, end=days[120], level=level)
    for name, values in arrays(cut).items():
        assert np.array_equal(values, arrays(before)[name][:121], equal_nan=True), name
    assert not np.array_equal(before.closes[121:], after.closes[121:])
    assert not np.array_equal(before.rates[121:], after.rates[121:])
    assert not np.array_equal(before.levels[121:], after.levels[121:], equal_nan=True)


def test_a_series_that_is_a_day_ahead_would_be_seen() -> None:
    history = gold(200)
    days = [bar.on for bar in history.bars]

    def ahead(values: list[float]) -> PriceHistory:
        return index(dict(zip(days, values[1:], strict=False)))

    values = [12.0 + 5.0 * math.sin(n) for n in range(200)]
    planted = [value * 3.0 if n > 120 else value for n, value in enumerate(values)]
    before, after = made(history, ahead(values)), made(history, ahead(planted))
    assert not np.array_equal(before.levels[:121], after.levels[:121])


# ---- refusals


@pytest.mark.parametrize(
    ("start", "end", "argument", "words"),
    [
        (date(2023, 12, 28), date(2024, 2, 1), "start", "go from 2024-01-01 to 2024-06-14"),
        (date(2024, 2, 1), date(2024, 6, 17), "end", "vault-dash history update"),
        (date(2030, 1, 1), date(2031, 1, 1), "end", "go from 2024-01-01 to 2024-06-14"),
        (date(2024, 2, 3), date(2024, 2, 4), "end", "leaves 0 trading days"),
        (date(2024, 2, 2), date(2024, 2, 4), "end", "leaves 1 trading days"),
    ],
)
def test_days_that_the_prices_do_not_have_are_refused(start: date, end: date, argument: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        made(gold(), start=start, end=end)
    assert refused.value.argument == argument


def test_a_weekend_beside_the_prices_is_no_day_that_is_missing() -> None:
    market = made(gold(), start=MONDAY - timedelta(days=2), end=date(2024, 6, 16))
    assert (market.days[0], market.days[-1]) == (MONDAY, date(2024, 6, 14))


def test_a_hole_of_more_than_a_week_is_refused_and_named() -> None:
    history = gold()
    kept = tuple(bar for bar in history.bars if not date(2024, 3, 4) <= bar.on <= date(2024, 3, 8))
    holed = replace(history, bars=kept)
    with pytest.raises(InvalidInput, match="between 2024-03-01 and 2024-03-11"):
        made(holed)
    assert made(holed, end=date(2024, 3, 1)).days[-1] == date(2024, 3, 1)
    with pytest.raises(InvalidInput, match="between 2024-03-02 and 2024-03-11"):
        made(holed, start=date(2024, 3, 2))


def test_no_prices_at_all_are_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="vault-dash history update"):
        market_days(PriceHistory("GLD", "test", ()), None, None, LISTED, MONDAY, MONDAY, VolatilityLevel.AUTO, 0.045)


def test_a_close_of_zero_is_no_price() -> None:
    history = gold()
    zero = replace(history, bars=(replace(history.bars[0], close=0.0), *history.bars[1:]))
    with pytest.raises(InvalidInput, match="2024-01-01 is 0"):
        made(zero, start=date(2024, 2, 1))


# ---- expirations


def test_monthly_expirations_are_third_fridays_or_the_session_before(new_york: NewYorkHours) -> None:
    first, last = date(2014, 1, 1), date(2026, 12, 31)
    expirations = monthly_expirations(first, last, new_york.sessions(first, last))
    assert len(expirations) == 13 * 12
    assert {date(2014, 4, 17), date(2019, 4, 18), date(2026, 6, 18)} <= set(expirations)  # Good Friday, Juneteenth
    assert date(2026, 5, 15) in expirations
    moved = [day for day in expirations if day.weekday() != 4]
    # the Thursdays before Good Friday, where that is a third Friday, and before Juneteenth
    assert moved == [date(2014, 4, 17), date(2019, 4, 18), date(2022, 4, 14), date(2025, 4, 17), date(2026, 6, 18)]
    assert all(15 <= day.day <= 21 or day.weekday() == 3 for day in expirations)


def test_an_expiration_that_moves_out_of_the_days_asked_for_is_left_out_and_one_that_moves_in_is_not(
    new_york: NewYorkHours,
) -> None:
    sessions = new_york.sessions(date(2019, 4, 1), date(2019, 5, 31))
    assert monthly_expirations(date(2019, 4, 19), date(2019, 5, 1), sessions) == ()
    assert monthly_expirations(date(2019, 4, 2), date(2019, 4, 18), sessions) == (date(2019, 4, 18),)


def test_beyond_the_calendar_third_fridays_are_taken_as_they_are() -> None:
    assert monthly_expirations(date(2035, 3, 1), date(2035, 4, 30), ()) == (date(2035, 3, 16), date(2035, 4, 20))
    assert monthly_expirations(date(2035, 5, 1), date(2035, 4, 30), ()) == ()


# ---- real prices


def test_on_the_real_series_the_january_of_2026_stands_on_the_index(
    shared_data: Path, new_york: NewYorkHours
) -> None:
    history = read_price_csv(shared_data / "gld_daily.csv", "GLD").history
    gvz = read_price_csv(shared_data / "gvz_daily.csv", "^GVZ").history
    bill = read_price_csv(shared_data / "rates_daily.csv", "^IRX").history
    market = market_days(
        history, gvz, bill, LISTED, date(2004, 11, 18), date(2026, 8, 21), VolatilityLevel.AUTO, 0.045
    )
    by_day = {day: n for n, day in enumerate(market.days)}
    assert market.levels[by_day[date(2026, 1, 29)]] == pytest.approx(0.4602)
    assert market.closes[by_day[date(2026, 1, 29)]] == 495.90
    assert market.from_gvz[by_day[date(2008, 6, 3)]]
    assert not market.from_gvz[by_day[date(2008, 6, 2)]]
    assert 0.1 < market.levels[by_day[date(2006, 6, 14)]] < 0.6
    assert math.isnan(market.levels[19])
    assert not math.isnan(market.levels[20])
    assert market.rates[by_day[date(2007, 1, 3)]] == pytest.approx(0.0495, abs=0.003)
    assert not market.has_rate[-1]
    assert len(market_remarks(market, VolatilityLevel.AUTO)) == 3
