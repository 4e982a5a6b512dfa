"""Daily history from Yahoo: the real client against a server of our own."""

import warnings
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.builders import NOON
from vaultdash.domain.errors import BadPayload, InvalidInput, NotFound, RateLimited, Unavailable

CHART, CRUMB = "/v8/finance/chart/GLD", "/v1/test/getcrumb"
START, END = date(2026, 5, 20), date(2026, 6, 10)

# scenario, the error, a part of its sentence, HTTP requests of the first history, of a later one
FAILURES = [
    ("429", RateLimited, "429", 5, 3),
    ("500", Unavailable, "status 500", 5, 3),
    ("html", (BadPayload, Unavailable), "not JSON|no prices", 3, 1),
    ("truncated", BadPayload, "not JSON", 3, 1),
    ("wrong_shape", (BadPayload, Unavailable), "unknown shape|no prices", 3, 1),
    ("page_404", BadPayload, "not JSON", 5, 3),
    ("empty", Unavailable, "no prices", 3, 1),
    ("unknown", NotFound, "does not know GLD", 8, 3),
    ("dead", Unavailable, "could not be reached", 3, 2),
]


async def test_history_has_both_ends_and_costs_one_request_once_the_time_zone_is_known(server, yahoo):
    history = await yahoo.history("GLD", START, date(2026, 6, 9))
    assert server.paths == ["/", CRUMB, CHART, CHART]
    assert (history.symbol, history.source) == ("GLD", "Yahoo")
    assert (history.bars[0].on, history.bars[-1].on) == (START, date(2026, 6, 9))
    assert len(history.bars) == 15
    server.forget_requests()
    await yahoo.history("GLD", START, date(2026, 6, 9))
    assert server.paths == [CHART]


async def test_a_bar_carries_the_unadjusted_prices_of_the_exchange_day(server, yahoo):
    bar = (await yahoo.history("GLD", START, END)).bars[-1]
    assert bar.on == date(2026, 6, 9)
    assert bar.close == server.previous_close()
    assert bar.low < bar.open < bar.close < bar.high
    assert bar.volume == 6_000_000


async def test_what_a_dollar_cost_has_the_days_of_london_and_no_volume(server, yahoo):
    history = await yahoo.history("CHF=X", START, END)
    assert (history.bars[0].on, history.bars[-1].on, len(history.bars)) == (START, date(2026, 6, 9), 15)
    assert history.bars[-1].close == server.previous_close("CHF=X")
    assert not any(bar.volume for bar in history.bars)


async def test_todays_bar_waits_until_its_session_has_closed(build):
    open_market = await build().history("GLD", START, END)
    assert open_market.bars[-1].on == date(2026, 6, 9)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 6, 10, 19, 59, tzinfo=UTC), date(2026, 6, 9)),
        (datetime(2026, 6, 10, 20, 10, tzinfo=UTC), date(2026, 6, 9)),
        (datetime(2026, 6, 10, 20, 20, tzinfo=UTC), date(2026, 6, 10)),
        (datetime(2026, 6, 11, 3, 0, tzinfo=UTC), date(2026, 6, 10)),
    ],
)
async def test_the_last_bar_is_of_the_last_settled_session(server, build, now, last):
    server.now = lambda: now
    history = await build(now=lambda: now).history("GLD", START, END)
    assert history.bars[-1].on == last


async def test_a_day_without_a_close_is_left_out(server, yahoo):
    server.scenario = "gap"
    history = await yahoo.history("GLD", START, END)
    assert date(2026, 5, 21) not in [bar.on for bar in history.bars]
    assert len(history.bars) == 14


async def test_an_index_in_per_cent_comes_as_it_is_and_without_volume(yahoo):
    history = await yahoo.history("^GVZ", START, END)
    assert 10 < history.bars[-1].close < 30
    assert history.bars[-1].volume is None


@pytest.mark.parametrize(("scenario", "error", "words", "first", "later"), FAILURES)
async def test_a_failure_is_named_and_costs_what_it_should(server, build, scenario, error, words, first, later):
    server.scenario = scenario
    with pytest.raises(error, match=words):
        await build().history("GLD", START, END)
    assert len(server.requests) == first
    server.scenario = "ok"
    warm = build()
    await warm.history("GLD", START, END)
    server.scenario = scenario
    server.forget_requests()
    if scenario == "unknown":
        error, words = Unavailable, "gave prices before"
    with pytest.raises(error, match=words):
        await warm.history("GLD", START, END)
    assert len(server.requests) == later


async def test_history_works_while_only_the_crumb_is_refused(server, yahoo):
    server.scenario = "429_crumb"
    assert len((await yahoo.history("GLD", START, END)).bars) == 15
    assert len(server.requests) == 4


@pytest.mark.parametrize("scenario", ["500", "html", "empty", "unknown"])
async def test_a_failed_answer_for_past_days_is_not_remembered(server, yahoo, clock, scenario):
    past = NOON.date() - timedelta(days=20), NOON.date() - timedelta(days=10)
    server.scenario = scenario
    with pytest.raises((BadPayload, Unavailable, NotFound)):
        await yahoo.history("GLD", *past)
    server.scenario = "ok"
    clock.pass_by(301)
    assert (await yahoo.history("GLD", *past)).bars


async def test_days_without_any_session_are_an_error(yahoo):
    with pytest.raises(Unavailable, match="no prices"):
        await yahoo.history("GLD", date(2026, 6, 6), date(2026, 6, 7))


async def test_only_an_unfinished_day_is_an_error(yahoo):
    with pytest.raises(BadPayload, match="no finished day"):
        await yahoo.history("GLD", END, END)


async def test_an_end_before_the_start_is_refused_without_asking(server, yahoo):
    with pytest.raises(InvalidInput, match="end must not be before start"):
        await yahoo.history("GLD", END, START)
    assert server.requests == []


async def test_the_client_s_deprecation_warnings_stay_inside(yahoo):
    from pandas.errors import Pandas4Warning

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        await yahoo.history("GLD", START, END)
        warnings.warn("ours", Pandas4Warning, stacklevel=1)
    assert [str(warning.message) for warning in seen if warning.category is Pandas4Warning] == ["ours"]
