"""Quotes from Yahoo in good and bad times: the real client against a server of our own."""

import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import NOON
from tests.market import yahoo_payloads as payloads
from tests.market.patience import in_the_end
from vaultdash.domain.errors import BadPayload, NotFound, RateLimited, Unavailable
from vaultdash.domain.market import MarketState

OPTIONS, CHART, CRUMB = "/v7/finance/options/GLD", "/v8/finance/chart/GLD", "/v1/test/getcrumb"

# scenario, the error, a part of its sentence, HTTP requests of the first quote, of a later one
FAILURES = [
    ("429", RateLimited, "429", 5, 3),
    ("429_crumb", RateLimited, "crumb", 5, 3),
    ("500", Unavailable, "status 500", 5, 3),
    ("html", BadPayload, "not JSON", 3, 1),
    ("truncated", BadPayload, "not JSON", 3, 1),
    ("wrong_shape", BadPayload, "unknown shape", 3, 1),
    ("page_404", BadPayload, "not JSON", 5, 3),
    ("empty", Unavailable, "no prices", 4, 2),
    ("unknown", NotFound, "does not know GLD", 11, 9),
    ("dead", Unavailable, "could not be reached", 3, 2),
    ("no_price", BadPayload, "no usable price", 3, 1),
    ("zero_price", BadPayload, "no usable price", 3, 1),
    ("null_price", BadPayload, "no usable price", 3, 1),
    ("nan_price", BadPayload, "not JSON", 3, 1),
    ("no_time", BadPayload, "usable time", 3, 1),
    ("future_time", BadPayload, "from the future", 3, 1),
    ("bad_print", BadPayload, "not credible", 3, 1),
    ("other_symbol", BadPayload, "answered for SLV", 3, 1),
]


async def test_the_first_quote_takes_cookie_crumb_and_one_data_request(server, yahoo):
    quote = await yahoo.quote("GLD")
    assert (quote.symbol, quote.price, quote.source, quote.currency) == ("GLD", 460.0, "Yahoo", "USD")
    assert quote.previous_close == server.previous_close()
    assert quote.at == NOON - timedelta(seconds=5)
    assert quote.market_state is MarketState.OPEN
    assert not quote.is_delayed
    assert server.paths == ["/", CRUMB, OPTIONS]


async def test_every_later_quote_takes_one_request(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    server.price = 471.5
    assert (await yahoo.quote("GLD")).price == 471.5
    assert (await yahoo.quote("gld", refresh=True)).price == 471.5
    assert server.paths == [OPTIONS, OPTIONS]


async def test_the_cookie_survives_a_restart(server, build):
    first = build()
    await first.quote("GLD")
    await first.aclose()
    server.forget_requests()
    await build().quote("GLD")
    assert server.paths == [CRUMB, OPTIONS]


async def test_a_cookie_the_client_cannot_use_is_not_kept_for_ever(server, yahoo):
    server.cookie_name = "A4"
    with pytest.raises(Unavailable, match="cookie"):
        await yahoo.quote("GLD")
    server.cookie_name = "A3"
    assert (await yahoo.quote("GLD")).price == 460.0


async def test_a_closed_market_gives_its_last_price_and_says_so(server, yahoo):
    server.scenario = "closed"
    quote = await yahoo.quote("GLD")
    assert quote.market_state is MarketState.CLOSED
    assert quote.at == datetime(2026, 6, 9, 20, 0, tzinfo=UTC)
    assert quote.price == 460.0


async def test_missing_keys_leave_gaps_and_not_inventions(server, yahoo):
    server.scenario = "missing_keys"
    quote = await yahoo.quote("GLD")
    assert quote.price == 460.0
    assert quote.previous_close is None
    assert quote.market_state is MarketState.UNKNOWN


async def test_an_old_price_keeps_its_own_time(server, yahoo):
    server.scenario = "old_time"
    assert (await yahoo.quote("GLD")).at == NOON - timedelta(hours=3)


@pytest.mark.parametrize(("scenario", "error", "words", "first", "later"), FAILURES)
async def test_a_failure_at_the_first_quote_is_named_and_costs_what_it_should(
    server, yahoo, scenario, error, words, first, later
):
    server.scenario = scenario
    with pytest.raises(error, match=words):
        await yahoo.quote("GLD")
    assert len(server.requests) == first


@pytest.mark.parametrize(
    ("scenario", "error", "words", "first", "later"),
    [("unknown", Unavailable, "gave prices before", *row[3:]) if row[0] == "unknown" else row for row in FAILURES],
)
async def test_a_failure_after_good_quotes_is_an_error_and_never_the_old_price(
    server, yahoo, scenario, error, words, first, later
):
    await yahoo.quote("GLD")
    server.forget_requests()
    server.scenario = scenario
    if scenario == "429_crumb":
        server.rotate_crumb()
    with pytest.raises(error, match=words):
        await yahoo.quote("GLD")
    assert len(server.requests) == later


async def test_a_refused_crumb_does_not_matter_while_the_old_one_is_good(server, yahoo):
    await yahoo.quote("GLD")
    server.scenario = "429_crumb"
    assert (await yahoo.quote("GLD")).price == 460.0


@pytest.mark.parametrize("scenario", [row[0] for row in FAILURES])
async def test_quotes_come_back_by_themselves_when_yahoo_does(server, yahoo, clock, scenario):
    server.scenario = scenario
    with pytest.raises((NotFound, RateLimited, Unavailable, BadPayload)):
        await yahoo.quote("GLD")
    server.scenario = "ok"
    clock.pass_by(300)
    assert (await yahoo.quote("GLD")).price == 460.0


@pytest.mark.parametrize("symbol", ["GLD", "PHYS"])
async def test_a_large_fall_comes_through_at_the_second_print(server, yahoo, monkeypatch, symbol):
    usual = payloads.listings(460.0)[symbol]
    monkeypatch.setattr(payloads, "listings", lambda price: {symbol: replace(usual, price=price)})
    assert (await yahoo.quote(symbol)).price == 460.0
    server.price = 322.0
    for _ in range(3):  # the same print, polled again
        with pytest.raises(BadPayload, match="waiting for a later one"):
            await yahoo.quote(symbol)
    server.now = lambda: NOON + timedelta(seconds=30)
    assert (await yahoo.quote(symbol)).price == 322.0


async def test_the_client_logs_nothing_itself(server, yahoo, caplog):
    caplog.set_level(logging.DEBUG)
    server.scenario = "dead"
    with pytest.raises(Unavailable):
        await yahoo.quote("GLD")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("yfinance")] == []


async def test_a_rotated_crumb_heals_itself_in_three_requests(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    server.rotate_crumb()
    assert (await yahoo.quote("GLD")).price == 460.0
    assert server.paths == [OPTIONS, CRUMB, OPTIONS]


async def test_without_any_crumb_the_chart_still_gives_a_price(server, yahoo):
    server.scenario = "no_crumb"
    quote = await yahoo.quote("GLD")
    assert quote.price == 460.0
    assert quote.is_delayed
    assert server.paths[-1] == CHART
    assert len(server.requests) == 9


async def test_a_slow_answer_is_given_up_in_time(server, build):
    server.scenario = "slow"
    yahoo = build(timeout_seconds=0.4)
    with pytest.raises(Unavailable, match="did not answer"):
        await yahoo.quote("GLD")
    server.scenario = "ok"
    assert (await in_the_end(lambda: yahoo.quote("GLD"))).price == 460.0


async def test_a_server_that_is_gone_is_unavailable(server, yahoo):
    await yahoo.quote("GLD")
    server.stop()
    with pytest.raises(Unavailable, match="could not be reached"):
        await yahoo.quote("GLD")


@pytest.mark.parametrize("symbol", ["PHYS", "^GVZ"])
async def test_a_symbol_without_options_is_quoted_from_its_chart(server, yahoo, symbol):
    quote = await yahoo.quote(symbol)
    assert quote.symbol == symbol
    assert quote.previous_close == server.previous_close(symbol)
    assert quote.at == NOON - timedelta(seconds=5)
    assert quote.market_state is MarketState.OPEN
    assert quote.is_delayed  # a chart does not say, so it is assumed
    assert len(server.requests) == 5  # cookie, crumb, options, time zone, chart


async def test_what_a_dollar_costs_is_quoted_in_its_currency_around_the_clock(server, build):
    evening = NOON + timedelta(hours=6)  # New York is shut, London's day goes on until midnight
    server.now = lambda: evening
    yahoo = build(now=server.now)
    quote = await yahoo.quote("CHF=X")
    assert (quote.symbol, quote.price, quote.currency, quote.source) == ("CHF=X", 0.8123, "CHF", "Yahoo")
    assert quote.previous_close == server.previous_close("CHF=X")
    assert quote.market_state is MarketState.OPEN
    server.forget_requests()
    await yahoo.quote("CHF=X")
    assert server.paths == ["/v8/finance/chart/CHF=X"]  # one, as gold costs


async def test_a_symbol_without_options_is_asked_for_them_once_an_hour(server, yahoo, clock):
    await yahoo.quote("PHYS")
    server.forget_requests()
    await yahoo.quote("PHYS")
    assert server.paths == ["/v8/finance/chart/PHYS"]
    clock.pass_by(3601)
    server.forget_requests()
    await yahoo.quote("PHYS")
    assert server.paths == ["/v7/finance/options/PHYS", "/v8/finance/chart/PHYS"]


@pytest.mark.parametrize("symbol", ["IAU", "GLDM", "SGOL", "NEM"])
async def test_any_symbol_yahoo_knows_works(yahoo, symbol):
    quote = await yahoo.quote(symbol)
    assert quote.symbol == symbol
    assert quote.price > 0


async def test_an_unknown_symbol_is_remembered_for_five_minutes(server, yahoo, clock):
    with pytest.raises(NotFound, match="does not know NOPE"):
        await yahoo.quote("NOPE")
    server.forget_requests()
    clock.pass_by(299)
    with pytest.raises(NotFound):
        await yahoo.quote("nope")
    assert server.requests == []
    clock.pass_by(2)
    with pytest.raises(NotFound):
        await yahoo.quote("NOPE")
    assert server.requests != []


async def test_a_symbol_that_had_a_price_is_not_unknown_because_yahoo_says_so_once(server, yahoo):
    await yahoo.quote("GLD")
    server.scenario = "unknown"
    with pytest.raises(Unavailable, match="gave prices before"):
        await yahoo.quote("GLD")
    server.scenario = "ok"
    assert (await yahoo.quote("GLD")).price == 460.0


async def test_an_unknown_symbol_does_not_disturb_the_known_ones(yahoo):
    with pytest.raises(NotFound):
        await yahoo.quote("NOPE")
    assert (await yahoo.quote("GLD")).price == 460.0


async def test_an_isin_is_refused_without_a_search(server, yahoo):
    with pytest.raises(NotFound, match="ISIN"):
        await yahoo.quote("US78463V1070")
    assert server.requests == []


async def test_a_cache_directory_that_cannot_be_made_is_reported_and_not_fatal(server, build, tmp_path):
    (tmp_path / "file").write_text("in the way")
    yahoo = build(cache_dir=tmp_path / "file" / "yfinance")
    assert (await yahoo.quote("GLD")).price == 460.0
    assert (await yahoo.quote("GLD")).price == 460.0
    assert "cookie cannot be kept" in yahoo.remarks[0]
    assert server.paths.count(OPTIONS) == 2


async def test_without_a_session_factory_the_real_session_is_made(build, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing listens there, so nothing leaves the host
    with pytest.raises(Unavailable, match="could not be reached"):
        await build(session_factory=None).quote("GLD")


def test_yfinance_is_not_imported_before_the_first_question():
    code = "import sys, vaultdash.market.yahoo; print({'yfinance', 'pandas', 'curl_cffi'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
