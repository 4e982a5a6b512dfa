"""What is stored answers when nothing else does, and says how old it is."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.builders import NOON, a_history, a_quote
from vaultdash.clock import session_close
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.market import MarketState, PriceHistory, Quote
from vaultdash.market.base import HistoryProvider, QuoteProvider
from vaultdash.market.stored import StoredMarket

CLOSES = {date(2026, 6, 8): 395.0, date(2026, 6, 9): 400.0}  # Monday and Tuesday; NOON is Wednesday


class Prices:
    """The simplest store there is; it notes which threads asked."""

    def __init__(
        self, quote: Quote | None = None, history: PriceHistory | None = None, *, damaged: bool = False
    ) -> None:
        self.quote, self.history, self.damaged = quote, history, damaged
        self.threads: set[int] = set()

    def load_quote(self, symbol: str) -> Quote | None:
        self.threads.add(threading.get_ident())
        return self.quote

    def load_history(self, symbol: str) -> PriceHistory | None:
        self.threads.add(threading.get_ident())
        if self.damaged:
            raise Unavailable("the stored history is damaged")
        return self.history


def a_market(prices: Prices, now: datetime = NOON) -> StoredMarket:
    return StoredMarket(prices, lambda: now)


async def test_it_is_a_provider_of_quotes_and_history() -> None:
    assert isinstance(a_market(Prices()), QuoteProvider)
    assert isinstance(a_market(Prices()), HistoryProvider)


async def test_the_last_close_is_a_quote_of_its_own_time() -> None:
    quote = await a_market(Prices(history=a_history(CLOSES, source="gld.csv (imported)"))).quote("gld")
    assert quote == Quote(
        symbol="GLD",
        price=400.0,
        previous_close=395.0,
        at=datetime(2026, 6, 9, 20, 0, tzinfo=UTC),
        source="stored close, gld.csv (imported)",
        market_state=MarketState.CLOSED,
    )


async def test_a_newer_stored_quote_beats_the_close() -> None:
    kept = a_quote(at=NOON - timedelta(hours=1), source="Yahoo")
    assert await a_market(Prices(kept, a_history(CLOSES))).quote("GLD") == kept


async def test_a_newer_close_beats_the_stored_quote() -> None:
    kept = a_quote(at=session_close(date(2026, 6, 8)))
    assert (await a_market(Prices(kept, a_history(CLOSES))).quote("GLD")).price == 400.0


async def test_a_session_that_is_not_over_gives_no_close() -> None:
    history = a_history({**CLOSES, date(2026, 6, 10): 444.0})
    assert (await a_market(Prices(history=history)).quote("GLD")).price == 400.0
    after = session_close(date(2026, 6, 10))
    assert (await a_market(Prices(history=history), after).quote("GLD")).price == 444.0


async def test_a_single_bar_has_no_previous_close() -> None:
    quote = await a_market(Prices(history=a_history({date(2026, 6, 9): 400.0}))).quote("GLD")
    assert quote.previous_close is None


async def test_nothing_stored_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="nothing is stored for GLD"):
        await a_market(Prices()).quote("GLD")
    with pytest.raises(Unavailable, match="nothing is stored for GLD"):
        await a_market(Prices()).history("GLD", date(2026, 1, 1), date(2026, 12, 31))
    with pytest.raises(Unavailable, match="nothing is stored for GLD"):
        await a_market(Prices(history=a_history({date(2026, 6, 10): 444.0}))).quote("GLD")


async def test_a_rate_below_zero_is_no_price() -> None:
    with pytest.raises(Unavailable):
        await a_market(Prices(history=a_history({date(2026, 6, 9): -0.05}, "^IRX"))).quote("^IRX")
    rates = a_history({date(2026, 6, 8): -0.05, date(2026, 6, 9): 0.02}, "^IRX")
    assert (await a_market(Prices(history=rates)).quote("^IRX")).previous_close is None


async def test_history_is_cut_to_the_days_asked_for() -> None:
    market = a_market(Prices(history=a_history(CLOSES)))
    assert (await market.history("GLD", date(2026, 6, 9), date(2026, 6, 30))).bars[0].close == 400.0
    with pytest.raises(Unavailable, match="from 2026-07-01 to 2026-07-31"):
        await market.history("GLD", date(2026, 7, 1), date(2026, 7, 31))


async def test_a_damaged_history_does_not_hide_the_stored_quote() -> None:
    kept = a_quote(source="Yahoo")
    assert await a_market(Prices(kept, damaged=True)).quote("GLD") == kept
    with pytest.raises(Unavailable, match="damaged"):
        await a_market(Prices(damaged=True)).quote("GLD")


async def test_files_are_read_beside_the_event_loop() -> None:
    prices = Prices(a_quote(), a_history(CLOSES))
    market = a_market(prices)
    await market.quote("GLD")
    await market.history("GLD", date(2026, 6, 1), date(2026, 6, 30))
    assert threading.get_ident() not in prices.threads


async def test_a_corrected_close_corrects_the_price() -> None:
    typo = a_quote(45.03, source="stored close, typo.csv, imported", at=session_close(date(2026, 6, 9)))
    corrected = a_history({date(2026, 6, 8): 449.0, date(2026, 6, 9): 450.3})
    quote = await a_market(Prices(typo, corrected)).quote("GLD")
    assert quote.price == 450.3
