"""Every market keeps the contract."""

from datetime import date

import pytest

from tests.builders import NOON, a_history, a_quote
from tests.market.contract import ChainContract, Market, MarketContract, OptionMarket
from tests.new_york import HOURS
from vaultdash.cache.memory import MemoryCache
from vaultdash.domain.errors import Unavailable
from vaultdash.market.cached import Cached
from vaultdash.market.demo import DemoMarket
from vaultdash.market.failover import Failover
from vaultdash.market.stored import StoredMarket
from vaultdash.pricing import american_price


class Kept:
    """Prices of GLD that were kept earlier."""

    def load_quote(self, symbol):
        return a_quote() if symbol == "GLD" else None

    def load_history(self, symbol):
        sessions = HOURS.sessions(date(2026, 5, 1), date(2026, 6, 9))
        return a_history({day: 450.0 + day.day for day in sessions}) if symbol == "GLD" else None


class TestYahoo(MarketContract):
    @pytest.fixture
    def market(self, yahoo):
        return Market(yahoo, NOON)


class TestDemo(MarketContract):
    @pytest.fixture
    def market(self):
        return Market(DemoMarket(now=lambda: NOON, hours=HOURS), NOON)


class TestStored(MarketContract):
    @pytest.fixture
    def market(self):
        return Market(StoredMarket(Kept(), lambda: NOON), NOON, knows_all_symbols=False)


class TestCached(MarketContract):
    @pytest.fixture
    def market(self):
        return Market(Cached(DemoMarket(now=lambda: NOON, hours=HOURS), MemoryCache(), now=lambda: NOON), NOON)


class TestFailoverOfWorkingYahoo(MarketContract):
    @pytest.fixture
    def market(self, yahoo):
        return Market(Failover([yahoo, StoredMarket(Kept(), lambda: NOON)]), NOON)


class TestFailoverOfBrokenYahoo(MarketContract):
    @pytest.fixture
    def market(self, server, yahoo):
        server.scenario = "500"
        return Market(Failover([yahoo, StoredMarket(Kept(), lambda: NOON)]), NOON, knows_all_symbols=False)


DEMO = DemoMarket(lambda: NOON, HOURS, american_price)


class TestOptionsOfYahoo(ChainContract):
    @pytest.fixture
    def market(self, yahoo):
        return OptionMarket(yahoo, NOON, without_options="PHYS")


class TestOptionsOfDemo(ChainContract):
    @pytest.fixture
    def market(self):
        return OptionMarket(DEMO, NOON, without_options="^GVZ")


class TestCachedOptions(ChainContract):
    @pytest.fixture
    def market(self):
        return OptionMarket(Cached(DEMO, MemoryCache(), now=lambda: NOON), NOON, without_options="^GVZ")


class TestOptionsOfFailoverWithWorkingYahoo(ChainContract):
    @pytest.fixture
    def market(self, yahoo):
        return OptionMarket(Failover([yahoo, StoredMarket(Kept(), lambda: NOON), DEMO]), NOON, "PHYS")


class TestOptionsOfFailoverWithBrokenYahoo(ChainContract):
    @pytest.fixture
    def market(self, server, yahoo):
        server.scenario = "500"
        return OptionMarket(Failover([yahoo, DEMO]), NOON, knows_all_symbols=False)

    async def test_an_expiration_that_is_not_listed_is_not_found(self, market):
        with pytest.raises(Unavailable, match="DEMO: does not have it"):
            await market.provider.chain("GLD", date(2026, 7, 14))
