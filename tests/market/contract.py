"""What every market keeps: subclass with a `market` fixture that gives a `Market`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError
from vaultdash.market.base import HistoryProvider, MarketProvider, QuoteProvider


@dataclass(frozen=True)
class Market:
    """A provider that knows GLD, the instant it is asked at, and whether it can say that a symbol is unknown."""

    provider: MarketProvider
    now: datetime
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
