"""What every market keeps: subclass with a `market` fixture that gives a `Market`, or an `OptionMarket`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError
from vaultdash.domain.option import QuoteFlag, expiry_at
from vaultdash.market.base import ChainProvider, HistoryProvider, MarketProvider, QuoteProvider


@dataclass(frozen=True)
class Market:
    """A provider that knows GLD, the instant it is asked at, and whether it can say that a symbol is unknown."""

    provider: MarketProvider
    now: datetime
    knows_all_symbols: bool = True


@dataclass(frozen=True)
class OptionMarket:
    """A provider that lists options of GLD, the instant it is asked at, and what it knows to have no options."""

    provider: ChainProvider
    now: datetime
    without_options: str | None = None
    knows_all_symbols: bool = True


class MarketContract:
    async def test_it_has_a_name_and_is_a_provider_of_both_kinds(self, market):
        assert market.provider.name
        assert isinstance(market.provider, QuoteProvider)
        assert isinstance(market.provider, HistoryProvider)

    async def test_a_quote_is_of_the_symbol_that_was_asked_for(self, market):
        assert (await market.provider.quote("GLD")).symbol == "GLD"

    async def test_a_symbol_may_be_written_in_small_letters(self, market):
        assert (await market.provider.quote("gld")).symbol == "GLD"

    async def test_a_quote_says_when_and_where_it_was_made(self, market):
        quote = await market.provider.quote("GLD")
        assert quote.source
        assert quote.at.utcoffset() == UTC.utcoffset(None)
        assert quote.at <= market.now + timedelta(seconds=60)

    async def test_a_refreshed_quote_is_not_older(self, market):
        first = await market.provider.quote("GLD")
        assert (await market.provider.quote("GLD", refresh=True)).at >= first.at

    async def test_history_is_ascending_and_within_the_days_asked_for(self, market):
        end = market.now.date()
        start = end - timedelta(days=30)
        history = await market.provider.history("GLD", start, end)
        days = [bar.on for bar in history.bars]
        assert history.symbol == "GLD"
        assert history.source
        assert start <= days[0]
        assert days[-1] <= end
        assert all(earlier < later for earlier, later in pairwise(days))

    async def test_both_ends_of_a_history_belong_to_it(self, market):
        end = market.now.date()
        days = [bar.on for bar in (await market.provider.history("GLD", end - timedelta(days=30), end)).bars]
        inner = await market.provider.history("GLD", days[2], days[-2])
        assert [bar.on for bar in inner.bars] == days[2:-1]

    async def test_a_close_is_a_price_within_its_day(self, market):
        end = market.now.date()
        for bar in (await market.provider.history("GLD", end - timedelta(days=30), end)).bars:
            assert bar.close > 0
            assert bar.low is None or bar.low <= bar.close <= bar.high

    async def test_days_without_prices_are_an_error_and_not_an_empty_history(self, market):
        with pytest.raises(ProviderError):
            await market.provider.history("GLD", date(1999, 5, 3), date(1999, 5, 7))

    async def test_a_symbol_that_is_not_known_gets_no_price(self, market):
        expected = NotFound if market.knows_all_symbols else (NotFound, ProviderError)
        with pytest.raises(expected):
            await market.provider.quote("NOPE")
        with pytest.raises(expected):
            await market.provider.history("NOPE", market.now.date() - timedelta(days=9), market.now.date())

    @pytest.mark.parametrize("symbol", ["", "GLD; DROP", "../GLD", "G" * 16])
    async def test_what_cannot_be_a_symbol_is_refused(self, market, symbol):
        with pytest.raises(InvalidInput):
            await market.provider.quote(symbol)

    async def test_closing_twice_is_harmless(self, market):
        await market.provider.quote("GLD")
        await market.provider.aclose()
        await market.provider.aclose()


class ChainContract:
    async def test_it_is_a_provider_of_chains(self, market):
        assert market.provider.name
        assert isinstance(market.provider, ChainProvider)

    async def test_expirations_are_ascending_and_have_not_passed(self, market):
        listed = await market.provider.expirations("GLD")
        assert listed.symbol == listed.underlying.symbol == "GLD"
        assert listed.source
        assert listed.at <= market.now + timedelta(seconds=60)
        assert listed.days
        assert all(earlier < later for earlier, later in pairwise(listed.days))
        assert expiry_at(listed.days[0]) > market.now

    async def test_a_chain_that_comes_with_the_expirations_is_of_one_of_them(self, market):
        listed = await market.provider.expirations("GLD")
        assert listed.first is None or listed.first.expiration in listed.days

    async def test_a_chain_is_of_the_symbol_and_the_day_that_were_asked_for(self, market):
        day = (await market.provider.expirations("gld")).days[-1]
        chain = await market.provider.chain("gld", day)
        assert (chain.symbol, chain.underlying.symbol, chain.expiration) == ("GLD", "GLD", day)
        assert {(quote.contract.root, quote.contract.expiration) for quote in chain.quotes} == {("GLD", day)}

    async def test_a_chain_says_when_and_where_it_was_made(self, market):
        chain = await market.provider.chain("GLD", (await market.provider.expirations("GLD")).days[0])
        assert chain.source
        assert chain.at.utcoffset() == UTC.utcoffset(None)
        assert chain.at <= market.now + timedelta(seconds=60)

    async def test_every_contract_is_there_once_by_strike_and_the_call_before_the_put(self, market):
        for day in (await market.provider.expirations("GLD")).days[:3]:
            contracts = [quote.contract for quote in (await market.provider.chain("GLD", day)).quotes]
            order = [(contract.strike, contract.right) for contract in contracts]
            assert order == sorted(set(order))

    async def test_prices_are_credible_or_absent_and_flags_say_which_are(self, market):
        chain = await market.provider.chain("GLD", (await market.provider.expirations("GLD")).days[-1])
        for quote in chain.quotes:
            most = 2 * max(quote.contract.strike, chain.underlying.price)
            assert quote.bid is None or 0 <= quote.bid < most
            assert quote.ask is None or 0 < quote.ask < most
            assert (quote.bid is None) is (QuoteFlag.NO_BID in quote.flags)
            assert (quote.ask is None) is (QuoteFlag.NO_ASK in quote.flags)
            assert (quote.bid == 0) is (QuoteFlag.ZERO_BID in quote.flags)

    async def test_open_interest_is_of_a_day_before_the_chain(self, market):
        chain = await market.provider.chain("GLD", (await market.provider.expirations("GLD")).days[-1])
        for quote in chain.quotes:
            assert (quote.open_interest is None) is (quote.open_interest_on is None)
            assert quote.open_interest_on is None or quote.open_interest_on <= chain.at.date()

    async def test_a_refreshed_chain_is_not_older(self, market):
        day = (await market.provider.expirations("GLD")).days[-1]
        first = await market.provider.chain("GLD", day)
        assert (await market.provider.chain("GLD", day, refresh=True)).at >= first.at

    async def test_an_expiration_that_is_not_listed_is_not_found(self, market):
        days = (await market.provider.expirations("GLD")).days
        missing = next(day for n in range(1, 90) if (day := days[0] + timedelta(days=n)) not in days)
        with pytest.raises(NotFound):
            await market.provider.chain("GLD", missing)

    async def test_an_expiration_that_has_passed_is_not_found(self, market):
        with pytest.raises(NotFound):
            await market.provider.chain("GLD", date(2026, 1, 16))

    async def test_a_symbol_without_options_has_none(self, market):
        if market.without_options is not None:
            with pytest.raises(NotFound):
                await market.provider.expirations(market.without_options)

    async def test_a_symbol_that_is_not_known_has_no_options(self, market):
        expected = NotFound if market.knows_all_symbols else (NotFound, ProviderError)
        with pytest.raises(expected):
            await market.provider.expirations("NOPE")
        with pytest.raises(expected):
            await market.provider.chain("NOPE", date(2027, 1, 15))

    @pytest.mark.parametrize("symbol", ["", "GLD; DROP", "../GLD"])
    async def test_options_of_what_cannot_be_a_symbol_are_refused(self, market, symbol):
        with pytest.raises(InvalidInput):
            await market.provider.expirations(symbol)
        with pytest.raises(InvalidInput):
            await market.provider.chain(symbol, date(2027, 1, 15))
