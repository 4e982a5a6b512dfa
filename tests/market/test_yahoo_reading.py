"""What Yahoo's fields mean, without any client."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.builders import NOON, a_quote
from vaultdash.domain.errors import BadPayload
from vaultdash.domain.market import Bar, MarketState
from vaultdash.market.yahoo.reading import (
    ChartAnswer,
    Readings,
    history_from_chart,
    quote_from_chart,
    quote_from_options,
)

TODAY = NOON.date()


def fields(**given):
    return {"regularMarketPrice": 460.0, "regularMarketTime": int(NOON.timestamp()), **given}


def a_chart(*closes, now=NOON, **given):
    """Bars of the days up to the day of `now`, the last one today's."""
    days = [now.date() - timedelta(days=back) for back in range(len(closes))][::-1]
    bars = tuple(Bar(day, close) for day, close in zip(days, closes, strict=True))
    return ChartAnswer(bars, fields(regularMarketTime=now, **given))


def periods(day, zone="America/New_York"):
    def at(hour, minute=0):
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))

    return {
        "pre": {"start": at(4), "end": at(9, 30)},
        "regular": {"start": at(9, 30), "end": at(16)},
        "post": {"start": at(16), "end": at(20)},
    }


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("REGULAR", MarketState.OPEN),
        ("PREPRE", MarketState.PRE),
        ("PRE", MarketState.PRE),
        ("POST", MarketState.POST),
        ("POSTPOST", MarketState.POST),
        ("CLOSED", MarketState.CLOSED),
        ("LUNCH", MarketState.UNKNOWN),
        (None, MarketState.UNKNOWN),
    ],
)
def test_the_market_state_is_yahoos(word, state):
    assert quote_from_options("GLD", fields(marketState=word), NOON).market_state is state


def test_the_price_is_the_regular_one_even_when_a_later_one_is_there():
    later = fields(marketState="POST", postMarketPrice=470.0, preMarketPrice=450.0)
    assert quote_from_options("GLD", later, NOON).price == 460.0


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 0.0),
        ({"exchangeDataDelayedBy": 0, "quoteSourceName": "Delayed Quote"}, 0.0),
        ({"exchangeDataDelayedBy": 15}, 900.0),
        ({"exchangeDataDelayedBy": None, "quoteSourceName": "Delayed Quote"}, 900.0),
        ({"exchangeDataDelayedBy": "15", "quoteSourceName": "Nasdaq Real Time Price"}, 0.0),
    ],
)
def test_the_delay_is_what_yahoo_says(given, seconds):
    assert quote_from_options("GLD", fields(**given), NOON).delay_seconds == seconds


@pytest.mark.parametrize("price", [0, -1.0, None, "460", True, float("nan"), float("inf"), [460.0], {"raw": 460.0}])
def test_what_is_no_price_is_refused(price):
    with pytest.raises(BadPayload, match="no usable price"):
        quote_from_options("GLD", fields(regularMarketPrice=price), NOON)


@pytest.mark.parametrize("at", [0, -5, None, "now", True, float("nan"), 1e300, int(NOON.timestamp()) * 1000])
def test_what_is_no_time_is_refused(at):
    with pytest.raises(BadPayload, match="usable time"):
        quote_from_options("GLD", fields(regularMarketTime=at), NOON)


def test_a_clock_may_be_a_minute_apart_and_no_more():
    ahead = int(NOON.timestamp()) + 60
    assert quote_from_options("GLD", fields(regularMarketTime=ahead), NOON).at == NOON + timedelta(seconds=60)
    with pytest.raises(BadPayload, match="future"):
        quote_from_options("GLD", fields(regularMarketTime=ahead + 1), NOON)


@pytest.mark.parametrize("previous_close", [0, -1, None, "458", float("nan")])
def test_a_previous_close_that_is_none_is_left_out(previous_close):
    assert quote_from_options("GLD", fields(regularMarketPreviousClose=previous_close), NOON).previous_close is None


@pytest.mark.parametrize(("price", "credible"), [(149.9, True), (50.1, True), (50.0, False), (150.0, False)])
def test_a_move_by_half_or_more_is_a_bad_print(price, credible):
    given = fields(regularMarketPrice=price, regularMarketPreviousClose=100.0)
    if credible:
        assert quote_from_options("GLD", given, NOON).price == price
    else:
        with pytest.raises(BadPayload, match="not credible"):
            quote_from_options("GLD", given, NOON)


def taken(
    readings: Readings,
    *prices: float,
    close: float | None = 100.0,
    symbol: str = "GLD",
    seconds: tuple[float, ...] | None = None,
) -> list[bool]:
    """Whether each price is believed; they are of moments a second apart unless `seconds` says when."""

    def is_believed(price: float, second: float) -> bool:
        at = NOON + timedelta(seconds=second)
        try:
            return readings.believe(a_quote(price, symbol, at, previous_close=close)).price == price
        except BadPayload:
            return False

    return [is_believed(*each) for each in zip(prices, seconds or range(len(prices)), strict=True)]


@pytest.mark.parametrize(
    ("prices", "believed"),
    [
        ([100, 81, 66, 80], [True, True, True, False]),
        ([80.1], [True]),
        ([80], [False]),
        ([120], [False]),
        ([80, 80, 80], [False, True, True]),  # a real fall, from the previous close, then from the last price
        ([100, 70, 73], [True, False, True]),
        ([100, 70, 74], [True, False, False]),
        ([100, 70, 99, 70], [True, False, True, False]),  # a bad print does not vouch for the next one
        ([100, 70, 60, 61], [True, False, False, True]),
    ],
)
def test_a_large_move_is_believed_at_the_second_reading_that_agrees(prices, believed):
    assert taken(Readings(), *prices) == believed


@pytest.mark.parametrize(
    ("prices", "believed"),
    [
        ([0.80, 0.839, 0.762], [True, True, True]),
        ([0.80, 0.84], [True, False]),
        ([0.80, 0.84, 0.844], [True, False, True]),
        ([0.80, 0.84, 0.85], [True, False, False]),  # two bad prints are seldom so near to each other
        ([0.80, 0.83, 0.86], [True, True, False]),  # in small steps, too
        ([0.84, 0.84, 0.845, 0.81, 0.81], [False, True, True, True, True]),
        ([0.84, 0.84, 0.79, 0.79], [False, True, False, True]),
    ],
)
def test_a_pair_that_moves_by_a_twentieth_is_believed_at_the_second_reading(prices, believed):
    assert taken(Readings(), *prices, close=0.80, symbol="CHF=X") == believed


@pytest.mark.parametrize(("price", "is_credible"), [(0.90, True), (0.96, False), (0.64, False)])
def test_a_pair_that_moves_by_a_fifth_is_not_credible(price, is_credible):
    chart = ChartAnswer((Bar(TODAY - timedelta(days=1), 0.80),), fields(regularMarketPrice=price, currency="CHF"))
    if is_credible:
        assert quote_from_chart("CHF=X", chart, NOON).price == price
    else:
        with pytest.raises(BadPayload, match="not credible"):
            quote_from_chart("CHF=X", chart, NOON)


@pytest.mark.parametrize(
    ("prices", "seconds", "believed"),
    [
        ([440, 340, 340, 340], (0, 1, 1, 1), [True, False, False, False]),  # the same print, read again
        ([440, 340, 340, 339], (0, 1, 1, 2), [True, False, False, True]),  # it did not count, and took nothing back
        ([440, 340, 339], (0, 2, 1), [True, False, False]),  # an older one says nothing of it
        ([440, 340, 330, 340], (0, 1, 1, 2), [True, False, False, True]),
        ([440, 340, 440, 340], (0, 1, 1, 2), [True, False, True, False]),  # corrected
        ([440, 340, 440, 340], (0, 1, 0, 2), [True, False, True, True]),  # an answer from before corrects nothing
    ],
)
def test_a_print_that_is_read_again_does_not_vouch_for_itself(prices, seconds, believed):
    assert taken(Readings(), *prices, close=440.0, seconds=seconds) == believed


def test_without_a_previous_close_a_move_by_half_from_the_last_price_is_never_believed():
    assert taken(Readings(), 100, 50, 50, 50, 99, close=None) == [True, False, False, False, True]


def test_without_anything_to_compare_a_price_is_believed():
    assert taken(Readings(), 70, 90, close=None) == [True, False]


def test_readings_of_one_symbol_say_nothing_of_another():
    readings = Readings()
    assert taken(readings, 70) == [False]
    assert taken(readings, 70, symbol="IAU", seconds=(1,)) == [False]
    assert taken(readings, 70, seconds=(1,)) == [True]


def test_the_previous_close_of_a_chart_is_of_the_last_earlier_day():
    assert quote_from_chart("PHYS", a_chart(440.0, 455.0, 460.0), NOON).previous_close == 455.0
    assert quote_from_chart("PHYS", a_chart(460.0), NOON).previous_close is None


def test_the_day_of_a_chart_is_the_exchanges():
    late = datetime(2026, 6, 11, 1, 0, tzinfo=UTC)  # still the tenth in New York
    bars = (Bar(date(2026, 6, 9), 455.0), Bar(date(2026, 6, 10), 460.0))
    chart = ChartAnswer(bars, fields(regularMarketTime=late, exchangeTimezoneName="America/New_York"))
    assert quote_from_chart("PHYS", chart, late).previous_close == 455.0


@pytest.mark.parametrize(
    ("hour", "state"),
    [
        (2, MarketState.CLOSED),
        (5, MarketState.PRE),
        (12, MarketState.OPEN),
        (17, MarketState.POST),
        (21, MarketState.CLOSED),
    ],
)
def test_a_charts_periods_tell_the_market_state(hour, state):
    now = datetime(2026, 6, 10, hour, tzinfo=ZoneInfo("America/New_York"))
    chart = a_chart(460.0, now=now.astimezone(UTC), currentTradingPeriod=periods(TODAY))
    assert quote_from_chart("PHYS", chart, now.astimezone(UTC)).market_state is state


@pytest.mark.parametrize("broken", [None, {}, {"regular": None}, {"regular": {"start": 1, "end": 2}}])
def test_without_periods_the_state_is_unknown_and_a_day_closes_at_four(broken):
    chart = a_chart(455.0, 460.0, currentTradingPeriod=broken)
    assert quote_from_chart("PHYS", chart, NOON).market_state is MarketState.UNKNOWN
    days = TODAY - timedelta(days=1), TODAY
    assert [bar.on for bar in history_from_chart("PHYS", chart, *days, NOON).bars] == [days[0]]
    evening = datetime(2026, 6, 10, 20, 20, tzinfo=UTC)
    assert [bar.on for bar in history_from_chart("PHYS", chart, *days, evening).bars] == list(days)


def test_an_early_close_ends_the_day_earlier():
    day = date(2026, 11, 27)
    early = periods(day)
    early["regular"]["end"] = early["regular"]["start"] + timedelta(hours=3.5)
    now = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)
    chart = ChartAnswer((Bar(day, 460.0),), {"currentTradingPeriod": early})
    assert history_from_chart("GLD", chart, day, day, now).bars[0].on == day


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", None, "../etc/passwd"])
def test_an_unknown_time_zone_counts_as_new_york(zone):
    assert quote_from_chart("PHYS", a_chart(455.0, 460.0, exchangeTimezoneName=zone), NOON).previous_close == 455.0
