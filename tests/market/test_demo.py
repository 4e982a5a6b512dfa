"""The demo market: invented, plainly so, the same everywhere, and true at its anchors."""

import csv
import itertools
import math
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.new_york import HOURS, KEPT
from vaultdash.clock import NewYorkHours
from vaultdash.domain.errors import InvalidInput, NotFound, Unavailable
from vaultdash.domain.gold import instrument
from vaultdash.domain.market import MarketState, PriceHistory
from vaultdash.market.base import HistoryProvider, QuoteProvider
from vaultdash.market.demo import DemoMarket
from vaultdash.market.demo_anchors import FALLS, anchor_closes

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
FIRST, FAR = date(2004, 11, 18), date(2031, 12, 31)
FRIDAY_CLOSE = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
STATED_CLOSES = [43.3, 81.02, 129.03, 423.68, 448.76]
STATED_PRICE = 447.0


class Clock:
    def __init__(self, now: datetime = FRIDAY_CLOSE) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def a_market(now: datetime = FRIDAY_CLOSE) -> DemoMarket:
    return DemoMarket(now=Clock(now), hours=HOURS)


async def whole(symbol: str = "GLD", now: datetime = FRIDAY_CLOSE) -> PriceHistory:
    return await a_market(now).history(symbol, FIRST, FAR)


async def test_it_is_a_provider_of_quotes_and_history() -> None:
    assert isinstance(a_market(), QuoteProvider)
    assert isinstance(a_market(), HistoryProvider)


async def test_everything_is_marked_demo() -> None:
    for symbol in ("GLD", "IAU", "GLDM", "SGOL", "^GVZ", "^IRX"):
        assert (await a_market().quote(symbol)).is_demo
        assert (await whole(symbol)).is_demo


async def test_history_has_every_trading_day_to_the_last_close() -> None:
    history = await whole()
    assert [bar.on for bar in history.bars] == HOURS.sessions(FIRST, date(2026, 11, 20))
    before = await whole(now=FRIDAY_CLOSE - timedelta(seconds=1))
    assert before.bars == history.bars[:-1]


async def test_history_passes_through_every_anchor_to_the_cent() -> None:
    closes = {bar.on: bar.close for bar in (await whole()).bars}
    assert {day: closes[day] for day in anchor_closes()} == anchor_closes()
    assert len(anchor_closes()) > 290


async def test_turning_points_are_the_extremes_of_their_falls() -> None:
    history = await whole()
    for fall in FALLS:
        window = history.between(fall.peak_on, fall.trough_on).bars
        assert max(window, key=lambda bar: bar.close).on == fall.peak_on
        assert min(window, key=lambda bar: bar.close).on == fall.trough_on


async def test_bars_hold_their_open_and_close_and_have_volume() -> None:
    for symbol in ("GLD", "IAU"):
        for bar in (await whole(symbol)).bars:
            assert bar.open is not None
            assert bar.high is not None
            assert bar.low is not None
            assert bar.volume is not None
            assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume > 100_000


async def test_prices_move_as_gold_does() -> None:
    closes = [bar.close for bar in (await whole(now=datetime(2031, 6, 1, tzinfo=UTC))).bars]
    moves = [math.log(after / before) for before, after in itertools.pairwise(closes)]
    assert 0.14 < math.sqrt(sum(move**2 for move in moves) / len(moves) * 252) < 0.20
    assert max(map(abs, moves)) < 0.12
    assert sum(move == 0 for move in moves) < 60


async def test_the_past_never_changes_as_time_goes_by() -> None:
    early, late = await whole(now=datetime(2026, 9, 1, tzinfo=UTC)), await whole(now=datetime(2030, 1, 1, tzinfo=UTC))
    assert early.bars == late.bars[: len(early.bars)]
    for symbol in ("SGOL", "^GVZ"):
        early, late = await whole(symbol), await whole(symbol, datetime(2030, 1, 1, tzinfo=UTC))
        assert early.bars == late.bars[: len(early.bars)]


async def test_a_part_equals_the_part_of_the_whole() -> None:
    part = await a_market().history("gld", date(2013, 4, 13), date(2026, 10, 4))
    assert part == (await whole()).between(date(2013, 4, 13), date(2026, 10, 4))


async def test_the_path_is_the_same_on_every_machine() -> None:
    closes = {bar.on: bar.close for bar in (await whole(now=datetime(2031, 6, 1, tzinfo=UTC))).bars}
    days = (date(2005, 3, 7), date(2008, 10, 20), date(2019, 7, 9), date(2026, 8, 24), date(2028, 2, 29))
    assert [closes[day] for day in days] == STATED_CLOSES
    assert (await a_market(datetime(2026, 11, 20, 17, 30, 3, tzinfo=UTC)).quote("GLD")).price == STATED_PRICE


async def test_an_unforeseen_closure_changes_no_day_before_it() -> None:
    class OneClosure(NewYorkHours):
        def sessions(self, start: date, end: date) -> list[date]:
            return [day for day in super().sessions(start, end) if day != date(2027, 3, 3)]

    usual = await whole(now=datetime(2027, 6, 1, tzinfo=UTC))
    closed = await DemoMarket(Clock(datetime(2027, 6, 1, tzinfo=UTC)), OneClosure(KEPT)).history("GLD", FIRST, FAR)
    assert usual.between(None, date(2027, 3, 2)).bars == closed.between(None, date(2027, 3, 2)).bars
    assert closed.bars[-1].close == pytest.approx(usual.bars[-1].close, rel=0.05)


async def test_other_funds_follow_gold_by_their_ounces() -> None:
    gold = await whole()
    for symbol in ("IAU", "GLDM", "SGOL"):
        for bar, other in zip(gold.bars[::500], (await whole(symbol)).bars[::500], strict=True):
            own, of_gld = (instrument(name).ounces_per_unit(bar.on) for name in (symbol, "GLD"))
            assert own is not None
            assert of_gld is not None
            assert other.close == pytest.approx(bar.close * own / of_gld, abs=0.0051)


async def test_the_volatility_index_rises_in_falls() -> None:
    index = {bar.on: bar.close for bar in (await whole("^GVZ")).bars}
    assert 14 < sum(index.values()) / len(index) < 22
    assert all(8 < value < 70 for value in index.values())
    quick = [fall for fall in FALLS if (fall.trough_on - fall.peak_on).days <= 40]
    assert len(quick) > 8
    assert all(index[fall.trough_on] > index[fall.peak_on] for fall in quick)
    assert index[date(2013, 4, 15)] > 1.5 * index[date(2013, 4, 9)]


async def test_the_bill_rate_is_four_per_cent() -> None:
    assert {bar.close for bar in (await whole("^IRX")).bars} == {4.0}
    assert (await a_market().quote("^IRX")).price == 4.0


async def test_a_quote_is_of_this_second_and_the_market_is_open() -> None:
    quote = await a_market(datetime(2026, 11, 21, 3, 4, 5, 678_901, tzinfo=UTC)).quote("gld")
    assert quote.at == datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
    assert quote.market_state is MarketState.OPEN
    assert quote.symbol == "GLD"
    assert quote.previous_close == (await whole()).bars[-1].close


async def test_the_quote_at_a_close_is_that_close() -> None:
    market = a_market()
    quote = await market.quote("GLD")
    (bar,) = (await market.history("GLD", date(2026, 11, 20), date(2026, 11, 20))).bars
    assert quote.price == bar.close == quote.previous_close


async def test_quotes_move_in_small_steps_within_reach_of_the_close() -> None:
    clock = Clock(FRIDAY_CLOSE - timedelta(days=1))
    market = DemoMarket(clock, HOURS)
    prices = []
    for _ in range(1_440):
        clock.now += timedelta(seconds=60)
        prices.append((await market.quote("GLD")).price)
    steps = [abs(after / before - 1) for before, after in itertools.pairwise(prices)]
    assert max(steps) < 0.002
    assert sum(step > 0 for step in steps) > 1_000
    assert max(prices) / min(prices) < 1.05


async def test_the_price_changes_every_five_seconds_and_not_between() -> None:
    clock = Clock(datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC))
    market = DemoMarket(clock, HOURS)
    first = (await market.quote("GLD")).price
    clock.now += timedelta(seconds=5)
    assert (await market.quote("GLD")).price != first


async def test_an_unknown_symbol_is_not_found_and_told_what_is_known() -> None:
    with pytest.raises(NotFound, match="The demo market has no price for XYZ; it knows GLD, IAU, GLDM, SGOL"):
        await a_market().quote("xyz")
    with pytest.raises(NotFound):
        await a_market().history("GC=F", FIRST, FAR)


async def test_days_without_a_session_are_an_error_not_an_empty_answer() -> None:
    for start, end in ((date(2026, 11, 21), date(2026, 11, 22)), (date(2000, 1, 1), date(2004, 11, 17))):
        with pytest.raises(Unavailable, match="no completed session"):
            await a_market().history("GLD", start, end)
    with pytest.raises(InvalidInput, match="start"):
        await a_market().history("GLD", FAR, FIRST)
    with pytest.raises(Unavailable, match="begins 2004-11-18"):
        await a_market(datetime(2004, 11, 1, tzinfo=UTC)).quote("GLD")


async def test_it_quotes_on_the_last_days_of_the_calendar() -> None:
    quote = await a_market(datetime(2032, 5, 1, tzinfo=UTC)).quote("GLD")
    assert quote.previous_close is not None
    assert quote.price == pytest.approx(quote.previous_close, rel=0.02)


async def test_the_whole_history_is_made_quickly() -> None:
    HOURS.warm()
    started = time.perf_counter()
    await whole()
    assert time.perf_counter() - started < 1.0  # about 0.03 s; the room is for busy machines


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared market data")
async def test_anchors_equal_the_true_closes() -> None:
    with (SHARED / "gld_daily.csv").open() as file:
        true = {date.fromisoformat(row["date"]): float(row["close"]) for row in csv.DictReader(file)}
    assert {day: round(true[day], 2) for day in anchor_closes()} == anchor_closes()
    month_ends = {max(days) for _, days in itertools.groupby(sorted(true), key=lambda day: (day.year, day.month))}
    assert month_ends <= set(anchor_closes())
    modelled = {bar.on: bar.close for bar in (await whole()).bars}
    apart = [abs(modelled[day] / close - 1) for day, close in true.items()]
    assert sum(apart) / len(apart) < 0.03
    assert sum(share == 0 for share in apart) < 0.12 * len(apart), "the days between are modelled, not copied"


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared market data")
def test_falls_equal_the_true_turning_points() -> None:
    with (SHARED / "selloff_windows.csv").open() as file:
        true = {
            (row["peak_date"], float(row["peak_close"]), row["trough_date"], float(row["trough_close"]))
            for row in csv.DictReader(file)
        }
    assert {(str(fall.peak_on), fall.peak, str(fall.trough_on), fall.trough) for fall in FALLS} == true


@pytest.mark.parametrize(("pair", "currency"), [("CHF=X", "CHF"), ("EUR=X", "EUR"), ("GBP=X", "GBP")])
async def test_what_a_dollar_costs_moves_as_currencies_do(pair, currency):
    market = a_market()
    quote = await market.quote(pair)
    assert (quote.currency, quote.source) == (currency, "DEMO")
    assert 0.5 < quote.price < 1.2
    bars = (await market.history(pair, date(2020, 1, 1), FRIDAY_CLOSE.date())).bars
    moves = np.diff(np.log([bar.close for bar in bars]))
    assert 0.03 < float(np.std(moves)) * math.sqrt(252) < 0.15
    assert abs(quote.price / bars[-1].close - 1) < 0.03
