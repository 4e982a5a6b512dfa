"""Quotes, bars and the rule of freshness."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, a_history, a_quote
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import Bar, Freshness, PriceHistory, freshness

DAY = date(2026, 6, 10)


@pytest.mark.parametrize("price", [0, -1, math.nan, math.inf])
def test_a_quote_needs_a_price_above_zero(price):
    with pytest.raises(InvalidInput, match="price"):
        a_quote(price)


@pytest.mark.parametrize("close", [0, -1, math.nan, math.inf])
def test_a_previous_close_is_above_zero_when_there_is_one(close):
    with pytest.raises(InvalidInput, match="previous_close"):
        a_quote(previous_close=close)


@pytest.mark.parametrize("delay", [-1, math.nan, math.inf])
def test_a_delay_is_a_number_of_seconds(delay):
    with pytest.raises(InvalidInput, match="delay_seconds"):
        a_quote(delay_seconds=delay)


@pytest.mark.parametrize("at", [datetime(2026, 6, 10, 16), NOON.astimezone(timezone(timedelta(hours=2)))])  # noqa: DTZ001  naive is what is refused
def test_the_time_of_a_quote_is_aware_and_in_utc(at):
    with pytest.raises(InvalidInput, match="at must be an aware time in UTC"):
        a_quote(at=at)


def test_a_quote_needs_a_symbol():
    with pytest.raises(InvalidInput, match="symbol"):
        a_quote(symbol="no such thing")


def test_the_change_is_a_fraction_of_the_previous_close():
    assert a_quote(460.0, previous_close=400.0).change_pct == pytest.approx(0.15)


def test_without_a_previous_close_there_is_no_change():
    assert a_quote(previous_close=None).change_pct is None


def test_only_the_demo_source_is_demo():
    assert a_quote(source="DEMO").is_demo
    assert not a_quote(source="Yahoo").is_demo


def test_age_counts_from_when_the_price_was_made():
    assert a_quote().age_seconds(NOON + timedelta(minutes=3)) == 180.0


def test_a_price_from_a_clock_ahead_has_no_negative_age():
    assert a_quote().age_seconds(NOON - timedelta(seconds=2)) == 0.0


def fresh(
    open_seconds: float,
    *,
    shut_seconds: float = 0.0,
    market_is_open: bool = True,
    interval: float = 30.0,
    **quote: object,
) -> Freshness:
    return freshness(
        a_quote(**quote),
        NOON + timedelta(seconds=open_seconds + shut_seconds),
        open_seconds=open_seconds,
        market_is_open=market_is_open,
        interval_seconds=interval,
    )


@pytest.mark.parametrize(("open_seconds", "state"), [(0, "live"), (60, "live"), (60.001, "stale"), (3600, "stale")])
def test_in_an_open_market_a_price_is_stale_after_two_intervals(open_seconds, state):
    assert fresh(open_seconds) == state


def test_the_last_price_of_a_shut_market_is_closed_not_stale():
    assert fresh(20.0, market_is_open=False) is Freshness.CLOSED


def test_a_price_from_the_middle_of_a_session_stays_stale_after_the_close():
    assert fresh(4 * 3600, market_is_open=False) is Freshness.STALE


@pytest.mark.parametrize(("open_seconds", "state"), [(960, "live"), (961, "stale")])
def test_the_delay_that_a_source_declares_is_allowed_for(open_seconds, state):
    assert fresh(open_seconds, delay_seconds=900.0) == state


@pytest.mark.parametrize(
    ("open_seconds", "delay", "state"),
    [
        (0, 0, "closed"),
        (1, 0, "closed"),
        (60, 0, "closed"),
        (61, 0, "stale"),
        (960, 900, "closed"),
        (961, 900, "stale"),
    ],
)
def test_a_price_of_before_the_open_is_never_live(open_seconds, delay, state):
    assert fresh(open_seconds, shut_seconds=17.5 * 3600, delay_seconds=delay) == state


@pytest.mark.parametrize(("ahead", "state"), [(1, "live"), (60, "live"), (61, "stale"), (86400, "stale")])
@pytest.mark.parametrize("source", ["Yahoo", "DEMO"])
def test_a_price_from_the_future_is_stale(ahead, state, source):
    assert fresh(0.0, shut_seconds=-ahead, source=source) == state


def test_a_price_from_the_future_is_stale_in_a_shut_market_too():
    assert fresh(0.0, shut_seconds=-61, market_is_open=False) is Freshness.STALE


def test_the_interval_decides_how_long_a_price_is_good():
    assert fresh(100, interval=60.0) is Freshness.LIVE
    assert fresh(100, interval=30.0) is Freshness.STALE


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.booleans(), st.floats(5, 3600), st.floats(0, 1800))
def test_a_price_never_gets_fresher_by_waiting(earlier, more, market_is_open, interval, delay):
    def state(seconds: float) -> Freshness:
        return fresh(seconds, market_is_open=market_is_open, interval=interval, delay_seconds=delay)

    assert not (state(earlier) is Freshness.STALE and state(earlier + more) is not Freshness.STALE)


def test_a_bar_needs_a_close():
    for close in (math.nan, math.inf):
        with pytest.raises(InvalidInput, match="close"):
            Bar(DAY, close)


@pytest.mark.parametrize("name", ["open", "high", "low", "volume"])
def test_what_else_a_bar_holds_is_a_number_too(name):
    with pytest.raises(InvalidInput, match=name):
        Bar(DAY, 460.0, **{name: math.nan})


def test_a_rate_may_close_at_or_below_zero():
    assert Bar(DAY, -0.05).close == -0.05


def test_bars_ascend_by_day():
    with pytest.raises(InvalidInput, match="ascending"):
        PriceHistory("GLD", "test", (Bar(DAY, 1.0), Bar(DAY - timedelta(days=1), 1.0)))


def test_no_day_comes_twice():
    with pytest.raises(InvalidInput, match="each day once"):
        PriceHistory("GLD", "test", (Bar(DAY, 1.0), Bar(DAY, 2.0)))


def test_between_includes_both_ends():
    days = [DAY + timedelta(days=n) for n in range(5)]
    history = a_history(dict.fromkeys(days, 460.0))
    assert [bar.on for bar in history.between(days[1], days[3]).bars] == days[1:4]


def test_between_leaves_a_side_open():
    days = [DAY + timedelta(days=n) for n in range(3)]
    history = a_history(dict.fromkeys(days, 460.0))
    assert len(history.between(None, days[1]).bars) == 2
    assert len(history.between(days[1], None).bars) == 2
    assert history.between(None, None) == history


def test_a_quote_does_not_change():
    with pytest.raises(AttributeError):
        a_quote().price = 1.0


def test_utc_of_any_make_is_utc():
    assert a_quote(at=NOON.replace(tzinfo=timezone.utc)) == a_quote(at=NOON.replace(tzinfo=UTC))  # noqa: UP017  both
