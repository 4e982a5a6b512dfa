"""The cache spares the provider of option chains and changes no chain."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import fakeredis
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, a_chain, a_contract, a_quote, an_option_quote
from vaultdash.cache.memory import MemoryCache
from vaultdash.cache.redis import RedisCache
from vaultdash.domain.errors import NotFound, Unavailable
from vaultdash.domain.option import ListedExpirations, QuoteFlag, Right
from vaultdash.market.base import ChainProvider, option_delay
from vaultdash.market.cached import Cached
from vaultdash.market.kept import read_chain, read_expirations, write_chain, write_expirations

FIRST, SECOND = date(2026, 6, 12), date(2026, 7, 17)
BARE = an_option_quote(a_contract(455.0), **dict.fromkeys(("bid", "ask", "last", "last_trade_at", "volume")))
RICH = an_option_quote(
    a_contract(465.5, Right.CALL), bid_size=3, ask_size=0, vendor_iv=0.17, flags=QuoteFlag.WIDE | QuoteFlag.STALE
)


class Source:
    """Options of GLD that count how often they are asked for, each time a dollar dearer, and wait for `gate`."""

    name = "source"

    def __init__(self):
        self.asked = []
        self.begun = asyncio.Queue()
        self.with_first = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure = None

    async def _answer(self, *question):
        self.asked.append(question)
        self.begun.put_nowait(question)
        price = 459.0 + len(self.asked)
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return a_quote(price)

    async def quote(self, symbol, *, refresh=False):
        return await self._answer("quote")

    async def history(self, symbol, start, end):
        raise Unavailable("no history here")

    async def expirations(self, symbol, *, refresh=False):
        underlying = await self._answer("expirations", symbol, refresh)
        first = a_chain(symbol=symbol, expiration=FIRST, underlying=underlying) if self.with_first else None
        return ListedExpirations(symbol, (FIRST, SECOND), underlying, NOON, "test", first)

    async def chain(self, symbol, expiration, *, refresh=False):
        underlying = await self._answer("chain", symbol, expiration, refresh)
        return a_chain(symbol=symbol, expiration=expiration, underlying=replace(underlying, symbol=symbol))

    async def aclose(self):
        pass


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def seconds(self):
        return self.now.timestamp()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source():
    return Source()


@pytest.fixture(params=["memory", "redis"])
async def cache(request, clock):
    if request.param == "memory":
        yield MemoryCache(clock=clock.seconds)
        return
    server = fakeredis.FakeServer()
    made = RedisCache(
        "redis://none",
        bytes(range(32)),
        client_factory=lambda _: fakeredis.FakeAsyncRedis(server=server),
        clock=clock.seconds,
        wall_clock=clock.seconds,
    )
    yield made
    await made.aclose()


@pytest.fixture
def market(source, cache, clock):
    return Cached(source, cache, now=clock)


async def test_it_is_a_provider_of_chains(market):
    assert isinstance(market, ChainProvider)


async def test_a_chain_is_remembered_as_it_was(market, source):
    first = await market.chain("GLD", SECOND)
    assert await market.chain("gld", SECOND) == first
    assert len(source.asked) == 1


async def test_expirations_are_remembered_with_the_chain_that_came_along(market, source):
    first = await market.expirations("GLD")
    assert await market.expirations("gld") == first
    assert first.first.expiration == FIRST
    assert len(source.asked) == 1


async def test_the_chain_that_came_along_is_not_asked_for_again(market, source):
    listed = await market.expirations("GLD")
    assert await market.chain("GLD", FIRST) == listed.first
    assert len(source.asked) == 1


async def test_without_a_chain_that_came_along_it_is_asked_for(market, source):
    source.with_first = False
    assert (await market.expirations("GLD")).first is None
    assert (await market.expirations("GLD")).first is None
    await market.chain("GLD", FIRST)
    assert [question[0] for question in source.asked] == ["expirations", "chain"]


async def test_each_day_and_symbol_has_its_own_chain(market, source):
    await market.chain("GLD", FIRST)
    assert (await market.chain("GLD", SECOND)).expiration == SECOND
    assert (await market.chain("IAU", SECOND)).symbol == "IAU"
    assert len(source.asked) == 3


@pytest.mark.parametrize("question", ["expirations", "chain"])
async def test_both_are_forgotten_after_five_minutes(market, source, clock, question):
    async def ask():
        return await (market.chain("GLD", SECOND) if question == "chain" else market.expirations("GLD"))

    await ask()
    clock.now += timedelta(seconds=299)
    await ask()
    assert len(source.asked) == 1
    clock.now += timedelta(seconds=2)
    await ask()
    assert len(source.asked) == 2


async def test_what_expires_meanwhile_is_not_given_out_any_more(market, source, clock):
    clock.now = datetime(2026, 6, 12, 19, 59, 30, tzinfo=UTC)
    await market.expirations("GLD")
    clock.now += timedelta(seconds=30)  # 16:00 in New York
    await market.expirations("GLD")
    await market.chain("GLD", FIRST)
    assert len(source.asked) == 3


async def test_refresh_asks_again_and_what_it_brings_is_remembered(market, source, clock):
    await market.chain("GLD", SECOND)
    clock.now += timedelta(seconds=31)
    assert (await market.chain("GLD", SECOND, refresh=True)).underlying.price == 461.0
    assert (await market.chain("GLD", SECOND)).underlying.price == 461.0
    assert [question[-1] for question in source.asked] == [False, True]


@pytest.mark.parametrize("question", ["expirations", "chain"])
async def test_within_half_a_minute_refreshing_answers_from_the_cache(market, source, clock, question):
    async def refresh():
        return await (
            market.chain("GLD", SECOND, refresh=True)
            if question == "chain"
            else market.expirations("GLD", refresh=True)
        )

    first = await refresh()
    clock.now += timedelta(seconds=30)
    assert await refresh() == first
    assert len(source.asked) == 1
    clock.now += timedelta(seconds=1)
    assert (await refresh()).underlying.price == 461.0


async def test_a_cache_that_keeps_a_chain_too_long_is_not_believed(source, clock):
    class Forever(MemoryCache):
        async def set(self, key, value, ttl_seconds):
            await super().set(key, value, 1e9)

    market = Cached(source, Forever(clock=clock.seconds), now=clock)
    await market.chain("GLD", SECOND)
    assert (await market.chain("GLD", SECOND)).underlying.price == 460.0
    clock.now += timedelta(seconds=301)
    assert (await market.chain("GLD", SECOND)).underlying.price == 461.0


async def test_how_late_option_quotes_are_is_said_as_the_provider_says_it(market, source, cache, clock):
    assert option_delay(market) == 0
    source.option_delay_seconds = 900.0
    assert option_delay(Cached(source, cache, now=clock)) == 900


async def test_refreshed_expirations_bring_a_new_first_chain(market, source, clock):
    await market.expirations("GLD")
    clock.now += timedelta(seconds=31)
    await market.expirations("GLD", refresh=True)
    assert (await market.chain("GLD", FIRST)).underlying.price == 461.0
    assert len(source.asked) == 2


@pytest.mark.parametrize("question", ["expirations", "chain"])
async def test_fifty_who_ask_at_once_share_one_request(market, source, question):
    source.gate.clear()

    def ask(refresh):
        if question == "chain":
            return market.chain("GLD", SECOND, refresh=refresh)
        return market.expirations("GLD", refresh=refresh)

    asking = [asyncio.create_task(ask(n % 2 == 0)) for n in range(50)]
    await source.begun.get()
    late = asyncio.create_task(ask(True))
    await asyncio.sleep(0.01)
    source.gate.set()
    answers = await asyncio.gather(*asking, late)
    assert {answer.underlying.price for answer in answers} == {460.0}
    assert len(source.asked) == 1


async def test_one_who_leaves_does_not_take_the_chain_from_the_others(market, source):
    source.gate.clear()
    asking = [asyncio.create_task(market.chain("GLD", SECOND)) for _ in range(3)]
    await source.begun.get()
    asking.pop(0).cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert [chain.underlying.price for chain in await asyncio.gather(*asking)] == [460.0, 460.0]
    assert len(source.asked) == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(market, source):
    source.failure = NotFound("not listed")
    outcomes = await asyncio.gather(*(market.chain("GLD", SECOND) for _ in range(3)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["not listed"] * 3
    source.failure = None
    assert (await market.chain("GLD", SECOND)).expiration == SECOND


async def test_markets_of_different_names_do_not_share_their_chains(market, source, cache, clock):
    other = Source()
    other.name = "DEMO"
    await Cached(other, cache, now=clock).expirations("GLD")
    await market.expirations("GLD")
    await market.chain("GLD", FIRST)
    assert len(source.asked) == 1


async def test_closing_ends_what_is_under_way(market, source):
    source.gate.clear()
    asking = [asyncio.create_task(market.chain("GLD", SECOND)), asyncio.create_task(market.expirations("GLD"))]
    await source.begun.get()
    await source.begun.get()
    await market.aclose()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)


async def test_a_provider_without_chains_gives_none(clock):
    class Prices:
        name = "prices"

        async def quote(self, symbol, *, refresh=False):
            return a_quote()

    with pytest.raises(Unavailable, match="prices gives no option chains"):
        await Cached(Prices(), MemoryCache(), now=clock).expirations("GLD")


def lies(good):
    """What somebody else may have left under the key."""
    row = good["rows"][0]

    def with_row(place, value):
        return {**good, "rows": [[*row[:place], value, *row[place + 1 :]], *good["rows"][1:]]}

    return [
        b"",
        b"\xff",
        b"{",
        b"null",
        b"[]",
        b"{}",
        *map(
            orjson.dumps,
            [
                {**good, "symbol": "SLV"},
                {**good, "expiration": "2026-07-24"},
                {**good, "underlying": None},
                {**good, "underlying": {**good["underlying"], "symbol": "SLV"}},
                {**good, "underlying": {**good["underlying"], "price": -1}},
                {**good, "at": "2026-06-10T16:00:00"},
                {**good, "source": ""},
                {**good, "left_out": []},
                {**good, "left_out": {"adjusted": -1}},
                {**good, "rows": []},
                {**good, "rows": {}},
                {**good, "rows": [row, row]},
                {**good, "rows": [row[:-1]]},
                {**good, "kept_at": (NOON - timedelta(seconds=301)).isoformat()},
                {**good, "kept_at": (NOON + timedelta(minutes=2)).isoformat()},
                with_row(0, "GLD   260724P00450000"),
                with_row(0, "GLD"),
                with_row(0, None),
                with_row(1, 0.5),
                with_row(2, "9.9"),
                with_row(2, -9.9),
                with_row(3, True),
                with_row(4, 1.5),
                with_row(7, 1_781_100_000),
                with_row(8, -1),
                with_row(10, "yesterday"),
                with_row(12, 1 << 20),
                with_row(12, None),
            ],
        ),
    ]


LIES = lies(orjson.loads(write_chain(a_chain(), NOON)))


@pytest.mark.parametrize("lie", LIES)
async def test_whatever_else_is_in_the_cache_counts_as_no_chain(source, lie):
    class Lying(MemoryCache):
        async def get(self, key):
            return lie

    assert (await Cached(source, Lying(), now=lambda: NOON).chain("GLD", SECOND)).underlying.price == 460.0
    assert len(source.asked) == 1


LISTED = orjson.loads(write_expirations(ListedExpirations("GLD", (FIRST, SECOND), a_quote(), NOON, "test"), NOON))


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"[]",
        *(
            orjson.dumps({**LISTED, **change})
            for change in (
                {"symbol": "SLV"},
                {"days": []},
                {"days": ["2026-07-17", "2026-06-12"]},
                {"days": ["2026-06-12", "2026-06-12"]},
                {"days": ["Friday"]},
                {"days": None},
                {"first": 7},
                {"underlying": {}},
                {"source": None},
                {"kept_at": "now"},
            )
        ),
    ],
)
async def test_whatever_else_is_in_the_cache_counts_as_no_expirations(source, lie):
    class Lying(MemoryCache):
        async def get(self, key):
            return lie

    assert (await Cached(source, Lying(), now=lambda: NOON).expirations("GLD")).days == (FIRST, SECOND)
    assert len(source.asked) == 1


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_reading_fail(kept):
    assert read_chain(kept, "GLD", SECOND) is None
    assert read_expirations(kept, "GLD", NOON, 300.0) is None


def test_a_chain_is_read_as_it_was_written():
    chain = a_chain(BARE, RICH, left_out={"adjusted": 2, "unreadable": 1})
    assert read_chain(write_chain(chain, NOON), "GLD", SECOND) == (chain, NOON)


def test_expirations_are_read_as_they_were_written_and_name_the_day_of_their_chain():
    listed = ListedExpirations("GLD", (FIRST, SECOND), a_quote(), NOON, "test", a_chain(expiration=FIRST))
    kept = write_expirations(listed, NOON)
    assert read_expirations(kept, "GLD", NOON, 300.0) == (replace(listed, first=None), FIRST)
