"""Option chains from Yahoo in good and bad times: the real client against a server of our own."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.builders import NOON
from tests.market.patience import in_the_end
from vaultdash.domain.errors import BadPayload, NotFound, RateLimited, Unavailable
from vaultdash.domain.option import QuoteFlag, Right
from vaultdash.market.base import ChainProvider
from vaultdash.market.yahoo import Limiter

OPTIONS, CRUMB = "/v7/finance/options/GLD", "/v1/test/getcrumb"
FIRST, SECOND, LEAPS = date(2026, 6, 12), date(2026, 6, 19), date(2027, 1, 15)

# scenario, the error, a part of its sentence, HTTP requests of the first question, of a later one
FAILURES = [
    ("429", RateLimited, "429", 5, 3),
    ("429_crumb", RateLimited, "crumb", 5, 3),
    ("500", Unavailable, "status 500", 5, 3),
    ("html", BadPayload, "not JSON", 3, 1),
    ("truncated", BadPayload, "not JSON", 3, 1),
    ("wrong_shape", BadPayload, "unknown shape", 3, 1),
    ("empty", Unavailable, "no prices", 4, 2),
    ("unknown", NotFound, "does not know GLD", 11, 9),
    ("dead", Unavailable, "could not be reached", 3, 2),
    ("no_price", BadPayload, "no usable price", 3, 1),
    ("no_time", BadPayload, "usable time", 3, 1),
    ("bad_print", BadPayload, "not credible", 3, 1),
    ("other_symbol", BadPayload, "answered for SLV", 3, 1),
]


def epoch(day):
    return int(datetime.combine(day, time(), UTC).timestamp())


def to_calls(change):
    """Alter every call of an answer."""

    def alter(result):
        for call in result["options"][0]["calls"]:
            change(call)

    return alter


async def test_it_is_a_provider_of_chains(yahoo):
    assert isinstance(yahoo, ChainProvider)


async def test_expirations_come_with_price_and_nearest_chain_in_one_request(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    listed = await yahoo.expirations("gld")
    assert server.paths == [OPTIONS]
    assert listed.days == (FIRST, SECOND, date(2026, 7, 10), LEAPS)
    assert (listed.symbol, listed.underlying.price, listed.at, listed.source) == ("GLD", 460.0, NOON, "Yahoo")
    assert listed.first.expiration == FIRST
    assert len(listed.first.quotes) == 14


async def test_a_chain_is_one_request_for_its_day(server, yahoo):
    await yahoo.quote("GLD")
    server.forget_requests()
    chain = await yahoo.chain("GLD", LEAPS)
    assert [(request.path, request.query["date"]) for request in server.requests] == [(OPTIONS, str(epoch(LEAPS)))]
    assert (chain.symbol, chain.expiration, chain.at, chain.source) == ("GLD", LEAPS, NOON, "Yahoo")
    assert chain.underlying.price == 460.0
    assert {quote.contract.expiration for quote in chain.quotes} == {LEAPS}
    assert chain.left_out == {}


async def test_a_quote_says_what_yahoo_says(yahoo):
    chain = await yahoo.chain("GLD", LEAPS)
    put = next(quote for quote in chain.quotes if quote.contract.osi == "GLD   270115P00460000")
    assert (put.bid, put.ask, put.last) == (9.02, 9.38, 9.2)
    assert (put.volume, put.open_interest, put.vendor_iv) == (120, 4500, 0.17)
    assert put.last_trade_at == NOON - timedelta(minutes=4)
    assert put.open_interest_on == date(2026, 6, 9)
    assert put.flags == 0
    assert (put.bid_size, put.ask_size) == (None, None)


async def test_a_whole_chain_is_read_without_a_loss(server, yahoo):
    server.whole_chains = True
    listed = await yahoo.expirations("GLD")
    assert len(listed.days) > 20
    chain = await yahoo.chain("GLD", listed.days[-1])
    sent = server.requests[-1]
    assert sent.query["date"] == str(epoch(listed.days[-1]))
    assert len(chain.quotes) > 250
    assert chain.left_out == {}
    assert all(quote.mid for quote in chain.quotes if abs(quote.contract.strike - 460) < 50)


async def test_every_request_is_charged(server, build, clock):
    yahoo = build(limiter=Limiter(monotonic=clock))
    await yahoo.expirations("GLD")  # with cookie and crumb three requests
    await yahoo.chain("GLD", LEAPS)
    await yahoo.chain("GLD", SECOND)
    assert len(server.requests) == 5
    assert clock.sleeps == [0.0, 1.0, 1.0]


async def test_a_day_that_is_listed_under_another_hour_takes_one_request_more(server, yahoo):
    def later(result):
        result["expirationDates"] = [day + 14_400 for day in result["expirationDates"]]
        for right in ("calls", "puts"):
            for contract in result["options"][0][right]:
                contract["contractSymbol"] = contract["contractSymbol"].replace("260612", "260619")

    server.alter = later
    chain = await yahoo.chain("GLD", SECOND)
    assert chain.expiration == SECOND
    asked = [int(request.query["date"]) for request in server.requests if request.path == OPTIONS]
    assert asked == [epoch(SECOND), epoch(SECOND) + 14_400]


@pytest.mark.parametrize(("scenario", "error", "words", "first", "later"), FAILURES)
async def test_a_failure_of_a_chain_is_named_and_costs_what_it_should(
    server, yahoo, scenario, error, words, first, later
):
    server.scenario = scenario
    with pytest.raises(error, match=words):
        await yahoo.chain("GLD", LEAPS)
    assert len(server.requests) == first


@pytest.mark.parametrize(("scenario", "error", "words", "first", "later"), FAILURES[1:4])
async def test_expirations_fail_as_chains_do(server, yahoo, scenario, error, words, first, later):
    server.scenario = scenario
    with pytest.raises(error, match=words):
        await yahoo.expirations("GLD")
    assert len(server.requests) == first


@pytest.mark.parametrize(("scenario", "error", "words", "first", "later"), FAILURES)
async def test_a_failure_after_a_good_chain_is_an_error_and_never_the_old_chain(
    server, yahoo, clock, scenario, error, words, first, later
):
    await yahoo.chain("GLD", LEAPS)
    server.forget_requests()
    server.scenario = scenario
    if scenario == "429_crumb":
        server.rotate_crumb()
    if scenario == "unknown":
        error, words = Unavailable, "gave prices before"
    with pytest.raises(error, match=words):
        await yahoo.chain("GLD", LEAPS)
    assert len(server.requests) == later
    server.scenario = "ok"
    clock.pass_by(300)
    assert (await yahoo.chain("GLD", LEAPS)).underlying.price == 460.0


async def test_after_a_refusal_chains_are_not_asked_for_either(server, yahoo):
    server.scenario = "429_crumb"
    with pytest.raises(RateLimited):
        await yahoo.expirations("GLD")
    server.forget_requests()
    server.scenario = "ok"
    with pytest.raises(RateLimited, match="asked us to wait"):
        await yahoo.chain("GLD", LEAPS)
    assert server.requests == []


async def test_a_rotated_crumb_heals_itself_in_three_requests(server, yahoo):
    await yahoo.expirations("GLD")
    server.forget_requests()
    server.rotate_crumb()
    assert (await yahoo.chain("GLD", LEAPS)).expiration == LEAPS
    assert server.paths == [OPTIONS, CRUMB, OPTIONS]


@pytest.mark.parametrize("scenario", ["slow", "slow30"])
async def test_a_slow_answer_is_given_up_in_time_and_a_late_one_is_taken(server, build, scenario):
    server.scenario = scenario
    yahoo = build(timeout_seconds=0.4)
    with pytest.raises(Unavailable, match="did not answer"):
        await yahoo.chain("GLD", LEAPS)
    server.scenario = "ok"
    server.delay_seconds = 0.05
    assert (await in_the_end(lambda: yahoo.chain("GLD", LEAPS))).expiration == LEAPS


async def test_a_closed_market_marks_every_quote(server, yahoo):
    server.scenario = "closed"
    chain = await yahoo.chain("GLD", LEAPS)
    assert all(quote.flags == QuoteFlag.CLOSED_MARKET for quote in chain.quotes)
    assert {quote.open_interest_on for quote in chain.quotes} == {date(2026, 6, 8)}


async def test_the_zeros_of_a_closed_market_are_no_prices(server, yahoo):
    server.scenario = "closed_zeros"
    for quote in (await yahoo.chain("GLD", LEAPS)).quotes:
        assert (quote.bid, quote.ask, quote.mid) == (None, None, None)
        assert quote.flags == QuoteFlag.NO_BID | QuoteFlag.NO_ASK | QuoteFlag.CLOSED_MARKET
        assert quote.last > 0


async def test_when_yahoo_does_not_say_the_calendar_says_whether_the_market_is_open(server, build):
    server.scenario = "missing_keys"
    assert all(quote.flags == 0 for quote in (await build().chain("GLD", LEAPS)).quotes)
    night = NOON + timedelta(hours=8)
    server.now = lambda: night
    at_night = await build(now=lambda: night).chain("GLD", LEAPS)
    assert all(quote.flags == QuoteFlag.CLOSED_MARKET for quote in at_night.quotes)


async def test_columns_that_are_missing_are_unknown_and_not_zero(server, yahoo):
    def strip(call):
        for name in set(call) - {"contractSymbol", "strike"}:
            del call[name]

    server.alter = to_calls(strip)
    chain = await yahoo.chain("GLD", LEAPS)
    for quote in chain.quotes:
        if quote.contract.right is Right.CALL:
            assert (quote.bid, quote.ask, quote.last, quote.volume) == (None, None, None, None)
            assert (quote.open_interest, quote.open_interest_on, quote.vendor_iv) == (None, None, None)
            assert set(quote.words) == {"no_bid", "no_ask", "stale", "vendor_iv_bad", "oi_missing"}
        else:
            assert quote.words == ()


@pytest.mark.parametrize("name", ["contractSymbol", "strike"])
async def test_without_names_or_strikes_there_is_no_chain(server, yahoo, name):
    def strip(result):
        for contract in result["options"][0]["calls"] + result["options"][0]["puts"]:
            del contract[name]

    server.alter = strip
    with pytest.raises(BadPayload, match="cannot be read"):
        await yahoo.chain("GLD", LEAPS)


@pytest.mark.parametrize("name", ["calls", "puts"])
async def test_without_one_side_there_is_no_chain(server, yahoo, name):
    server.alter = lambda result: result["options"][0].pop(name)
    with pytest.raises(BadPayload, match="unknown shape"):
        await yahoo.chain("GLD", LEAPS)


async def test_no_contracts_of_a_listed_day_are_an_error(server, yahoo):
    server.alter = lambda result: result["options"][0].update(calls=[], puts=[])
    with pytest.raises(Unavailable, match="though it lists the day"):
        await yahoo.chain("GLD", LEAPS)


@pytest.mark.parametrize("contracts", [[], [{"contractSymbol": "GLD1260612C00460000", "strike": 460.0}], [{}]])
async def test_expirations_do_not_fail_because_the_nearest_chain_cannot_be_read(server, yahoo, contracts):
    server.alter = lambda result: result["options"][0].update(calls=contracts, puts=[])
    listed = await yahoo.expirations("GLD")
    assert listed.first is None
    assert len(listed.days) == 4


async def test_no_options_for_a_listed_day_are_an_error_and_do_not_say_that_there_are_none(server, yahoo):
    server.alter = lambda result: result.update(options=[])
    with pytest.raises(Unavailable, match="though it lists the day"):
        await yahoo.chain("GLD", LEAPS)
    assert (await yahoo.expirations("GLD")).first is None
    server.alter = None
    assert (await yahoo.chain("GLD", LEAPS)).quotes


@pytest.mark.parametrize("answered", ["the options of another day", "no options", "an empty chain"])
async def test_an_expiration_that_is_not_listed_is_not_found_and_its_neighbours_are_named(server, yahoo, answered):
    if answered == "no options":
        server.alter = lambda result: result.update(options=[])
    elif answered == "an empty chain":
        server.alter = lambda result: result["options"][0].update(calls=[], puts=[])
    with pytest.raises(NotFound, match=r"2026-09-18 .*nearest are of 2026-07-10 and 2027-01-15"):
        await yahoo.chain("GLD", date(2026, 9, 18))
    assert (await yahoo.quote("GLD")).price == 460.0  # the symbol is known none the less


async def test_an_expiration_that_has_passed_is_not_asked_for(server, yahoo):
    with pytest.raises(NotFound, match="have expired"):
        await yahoo.chain("GLD", date(2026, 6, 5))
    assert server.requests == []


async def test_expirations_that_have_passed_are_not_listed(server, build):
    evening = datetime(2026, 6, 12, 20, 0, tzinfo=UTC)  # 16:00 in New York
    server.now = lambda: NOON  # what is listed stays
    listed = await build(now=lambda: evening - timedelta(seconds=1)).expirations("GLD")
    assert listed.days[0] == listed.first.expiration == FIRST
    listed = await build(now=lambda: evening).expirations("GLD")
    assert listed.days[0] == SECOND
    assert listed.first is None


@pytest.mark.parametrize("symbol", ["PHYS", "^GVZ"])
async def test_a_symbol_without_options_has_none_and_is_asked_once_an_hour(server, yahoo, clock, symbol):
    with pytest.raises(NotFound, match="has no listed options"):
        await yahoo.expirations(symbol)
    assert len(server.requests) == 3
    server.forget_requests()
    with pytest.raises(NotFound, match="has no listed options"):
        await yahoo.chain(symbol, LEAPS)
    assert server.requests == []
    assert (await yahoo.quote(symbol)).price > 0
    clock.pass_by(3601)
    server.forget_requests()
    with pytest.raises(NotFound):
        await yahoo.expirations(symbol)
    assert len(server.requests) == 1


async def test_an_empty_answer_on_a_bad_day_does_not_take_the_options_away(server, yahoo):
    await yahoo.expirations("GLD")
    server.alter = lambda result: result.update(options=[], expirationDates=[])
    with pytest.raises(Unavailable, match="listed some before"):
        await yahoo.chain("GLD", LEAPS)
    await yahoo.quote("GLD")
    server.alter = None
    assert (await yahoo.chain("GLD", LEAPS)).quotes


async def test_an_unknown_symbol_has_no_options_and_is_remembered(server, yahoo):
    with pytest.raises(NotFound, match="does not know NOPE"):
        await yahoo.expirations("NOPE")
    server.forget_requests()
    with pytest.raises(NotFound, match="does not know NOPE"):
        await yahoo.chain("NOPE", LEAPS)
    assert server.requests == []


async def test_a_chain_on_a_price_that_fell_far_comes_through_at_the_second_print(server, yahoo):
    await yahoo.quote("GLD")
    server.alter = lambda result: result["quote"].update(regularMarketPrice=340.0)
    for ask in (yahoo.chain("GLD", LEAPS), yahoo.quote("GLD"), yahoo.chain("GLD", LEAPS)):  # the same print
        with pytest.raises(BadPayload, match="waiting for a later one"):
            await ask
    server.now = lambda: NOON + timedelta(seconds=30)
    assert (await yahoo.chain("GLD", LEAPS)).underlying.price == 340.0


async def test_absurd_numbers_in_an_answer_come_through_as_unknown(server, yahoo):
    server.alter = to_calls(lambda call: call.update(bid=-1.0, ask=1e300, impliedVolatility=20.0, openInterest=-5))
    for quote in (await yahoo.chain("GLD", LEAPS)).quotes:
        if quote.contract.right is Right.CALL:
            assert (quote.bid, quote.ask, quote.vendor_iv, quote.open_interest) == (None, None, None, None)
            assert set(quote.words) == {"no_bid", "no_ask", "vendor_iv_bad", "oi_missing"}


async def test_a_time_no_calendar_knows_is_a_bad_answer(server, yahoo):
    server.alter = to_calls(lambda call: call.update(lastTradeDate=1e300))
    with pytest.raises(BadPayload, match="unknown shape"):
        await yahoo.chain("GLD", LEAPS)


async def test_quotes_and_chains_wait_for_each_other(server, yahoo):
    outcomes = await asyncio.gather(yahoo.quote("GLD"), yahoo.expirations("GLD"), yahoo.chain("GLD", LEAPS))
    assert outcomes[2].expiration == LEAPS
    assert server.paths == ["/", CRUMB, OPTIONS, OPTIONS, OPTIONS]
