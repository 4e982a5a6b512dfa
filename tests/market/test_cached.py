"""The cache spares the provider and changes no answer."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, a_history, a_quote
from vaultdash.cache.memory import MemoryCache
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.market import MarketState, Quote
from vaultdash.market.cached import Cached
from vaultdash.market.kept import read_quote, write_quote

DAY = date(2026, 6, 9)


class Source:
    """A market that counts how often it is asked, each time a dollar dearer, and waits for `gate`."""

    name = "source"

    def __init__(self) -> None:
        self.asked = 0
        self.refreshed: list[bool] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.closed = False

    async def quote(self, symbol, *, refresh=False):
        self.asked += 1
        self.refreshed.append(refresh)
        price = 459.0 + self.asked
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return a_quote(price, symbol=symbol)

    async def history(self, symbol, start, end):
        self.asked += 1
        await self.gate.wait()
        return a_history({DAY: 460.0}, symbol=symbol)

    async def aclose(self):
        self.closed = True


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def cache():
    return MemoryCache()


@pytest.fixture
def market(source, cache):
    return Cached(source, cache, now=lambda: NOON)


async def test_a_quote_is_remembered(market, source):
    first = await market.quote("GLD")
    assert await market.quote("gld") == first
    assert source.asked == 1


async def test_a_quote_is_forgotten_after_a_minute(source, cache):
    now = [NOON]
    market = Cached(source, cache, now=lambda: now[0])
    await market.quote("GLD")
    now[0] += timedelta(seconds=61)
    await market.quote("GLD")
    assert source.asked == 2


async def test_refresh_asks_again_and_what_it_brings_is_remembered(market, source):
    await market.quote("GLD")
    assert (await market.quote("GLD", refresh=True)).price == 461.0
    assert (await market.quote("GLD")).price == 461.0
    assert source.refreshed == [False, True]


async def test_each_symbol_has_its_own_quote(market, source):
    await market.quote("GLD")
    assert (await market.quote("IAU")).symbol == "IAU"
    assert source.asked == 2


async def test_many_who_ask_at_once_share_one_request(market, source):
    source.gate.clear()
    asking = [asyncio.create_task(market.quote("GLD", refresh=n % 2 == 0)) for n in range(20)]
    await asyncio.sleep(0)
    source.gate.set()
    assert {(await one).price for one in asking} == {460.0}
    assert source.asked == 1


@pytest.mark.parametrize("leaving", [0, 1])
async def test_one_who_leaves_does_not_take_the_answer_from_the_others(market, source, leaving):
    source.gate.clear()
    asking = [asyncio.create_task(market.quote("GLD")) for _ in range(3)]
    await asyncio.sleep(0.01)
    asking.pop(leaving).cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert [quote.price for quote in await asyncio.gather(*asking)] == [460.0, 460.0]
    assert source.asked == 1


async def test_an_answer_nobody_waited_for_is_still_remembered(market, source):
    source.gate.clear()
    asking = asyncio.create_task(market.quote("GLD"))
    await asyncio.sleep(0.01)
    asking.cancel()
    source.gate.set()
    await asyncio.sleep(0.01)
    await market.quote("GLD")
    assert source.asked == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(market, source):
    source.failure = Unavailable("down")
    outcomes = await asyncio.gather(*(market.quote("GLD") for _ in range(3)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["down"] * 3
    source.failure = None
    assert (await market.quote("GLD")).price == 461.0


async def test_history_is_shared_while_under_way_and_not_remembered(market, source):
    both = await asyncio.gather(market.history("GLD", DAY, DAY), market.history("gld", DAY, DAY))
    assert both[0] == both[1]
    assert source.asked == 1
    await market.history("GLD", DAY, DAY)
    assert source.asked == 2


async def test_markets_of_different_names_do_not_share_their_quotes(source, cache):
    other = Source()
    other.name = "DEMO"
    await Cached(other, cache, now=lambda: NOON).quote("GLD")
    await Cached(source, cache, now=lambda: NOON).quote("GLD")
    assert source.asked == 1


async def test_closing_ends_what_is_under_way_and_closes_the_provider(market, source):
    source.gate.clear()
    asking = asyncio.create_task(market.quote("GLD"))
    await asyncio.sleep(0.01)
    await market.aclose()
    assert source.closed
    with pytest.raises(asyncio.CancelledError):
        await asking


GOOD = orjson.loads(write_quote(a_quote(), NOON))
LIES = [
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b"460.0",
    b"{}",
    orjson.dumps({**GOOD, "symbol": "SLV"}),
    orjson.dumps({**GOOD, "price": "460"}),
    orjson.dumps({**GOOD, "price": True}),
    orjson.dumps({**GOOD, "price": None}),
    orjson.dumps({**GOOD, "price": 0}),
    orjson.dumps({**GOOD, "price": -460.0}),
    orjson.dumps({**GOOD, "previous_close": "x"}),
    orjson.dumps({**GOOD, "at": 1_781_100_000}),
    orjson.dumps({**GOOD, "at": "2026-06-10T16:00:00"}),
    orjson.dumps({**GOOD, "at": "yesterday"}),
    orjson.dumps({**GOOD, "source": ""}),
    orjson.dumps({**GOOD, "source": ["Yahoo"]}),
    orjson.dumps({**GOOD, "market_state": "half open"}),
    orjson.dumps({**GOOD, "delay_seconds": -1}),
    orjson.dumps({**GOOD, "currency": 840}),
    orjson.dumps({**GOOD, "kept_at": (NOON - timedelta(minutes=2)).isoformat()}),
    orjson.dumps({**GOOD, "kept_at": (NOON + timedelta(minutes=2)).isoformat()}),
    orjson.dumps({name: value for name, value in GOOD.items() if name != "delay_seconds"}),
]


@pytest.mark.parametrize("lie", LIES)
async def test_whatever_else_is_in_the_cache_counts_as_nothing(source, lie):
    class Lying(MemoryCache):
        async def get(self, key):
            return lie

    assert (await Cached(source, Lying(), now=lambda: NOON).quote("GLD")).price == 460.0
    assert source.asked == 1


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_reading_fail(kept):
    assert read_quote(kept, "GLD", NOON, 60.0) is None


@given(
    price=st.floats(0.01, 1e6),
    previous_close=st.none() | st.floats(0.01, 1e6),
    at=st.datetimes(datetime(2004, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # zone is given beside
    state=st.sampled_from(MarketState),
    delay=st.floats(0, 1e5),
)
def test_a_quote_is_read_as_it_was_written(price, previous_close, at, state, delay):
    quote = Quote("GLD", price, previous_close, at, "Yahoo", state, delay, "USD")
    assert read_quote(write_quote(quote, NOON), "GLD", NOON, 60.0) == quote
