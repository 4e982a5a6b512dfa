"""Recorded chains given out again: the newest of each expiration, old quotes that say how old they are."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.market.observed.test_store import a_chain_of, rows_of
from tests.market.observed.texts import DAY
from vaultdash.domain.errors import InvalidInput, NotFound, Unavailable
from vaultdash.domain.market import MarketState
from vaultdash.domain.option import OptionContract, QuoteFlag, Right
from vaultdash.market.base import ChainProvider, SnapshotKind
from vaultdash.market.observed.provider import ObservedChains
from vaultdash.market.observed.store import ObservedSnapshots

JUNE, JULY = date(2026, 6, 18), date(2026, 7, 17)
FRIDAY = DAY + timedelta(days=1)
SATURDAY = datetime(2026, 5, 16, 12, 0, tzinfo=UTC)


def chains(folder: Path, now: datetime = SATURDAY) -> ObservedChains:
    return ObservedChains(ObservedSnapshots(folder), lambda: now)


def keep(folder: Path, *cells: dict[str, object]) -> None:
    ObservedSnapshots(folder).merge(rows_of(*cells))


async def test_it_is_a_chain_provider_called_recorded(tmp_path: Path) -> None:
    assert isinstance(chains(tmp_path), ChainProvider)
    assert chains(tmp_path).name == "recorded"
    await chains(tmp_path).aclose()


async def test_a_recorded_chain_comes_back_with_its_own_time_and_source(tmp_path: Path) -> None:
    keep(tmp_path, {"strike": 425}, {"type": "call"}, {}, {"expiration": str(JULY), "bid": 0, "iv": ""})
    provider = chains(tmp_path)
    listed = await provider.expirations("gld")
    assert (listed.symbol, listed.days, listed.source) == ("GLD", (JUNE, JULY), "recorded 14 May 2026 (plain)")
    chain = await provider.chain("gld", JUNE)
    assert (chain.symbol, chain.expiration, chain.source) == ("GLD", JUNE, listed.source)
    assert chain.at == datetime(2026, 5, 14, 21, 30, tzinfo=UTC)
    assert [(quote.contract.strike, quote.contract.right) for quote in chain.quotes] == [
        (420.0, Right.CALL),
        (420.0, Right.PUT),
        (425.0, Right.PUT),
    ]
    put = chain.quotes[1]
    assert put.contract == OptionContract("GLD", JUNE, 420.0, Right.PUT)
    assert (put.bid, put.ask, put.last, put.volume, put.open_interest) == (6.1, 6.3, 6.2, 35, 1200)
    assert (put.open_interest_on, put.vendor_iv, put.flags) == (date(2026, 5, 13), 0.21, QuoteFlag(0))
    later = (await provider.chain("GLD", JULY)).quotes[0]
    assert (later.bid, later.vendor_iv, later.flags) == (0.0, None, QuoteFlag.ZERO_BID)


async def test_the_price_of_the_underlying_is_at_the_latest_that_of_the_close(tmp_path: Path) -> None:
    keep(tmp_path, {})
    underlying = (await chains(tmp_path).chain("GLD", JUNE)).underlying
    assert (underlying.price, underlying.at) == (430.0, datetime(2026, 5, 14, 20, 0, tzinfo=UTC))
    assert (underlying.market_state, underlying.source) == (MarketState.CLOSED, "recorded 14 May 2026 (plain)")


async def test_quotes_without_a_time_are_of_the_close(tmp_path: Path) -> None:
    keep(tmp_path, {"quote_ts_utc": ""})
    assert (await chains(tmp_path).chain("GLD", JUNE)).at == datetime(2026, 5, 14, 20, 0, tzinfo=UTC)


async def test_adjusted_contracts_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = rows_of({}, {"strike": 425})
    odd = rows.tail(1).with_columns(root=pl.lit("GLD1"), flags=pl.lit(256, pl.Int32))
    ObservedSnapshots(tmp_path).merge(pl.concat([rows, odd]))
    chain = await chains(tmp_path).chain("GLD", JUNE)
    assert ([quote.contract.strike for quote in chain.quotes], dict(chain.left_out)) == (
        [420.0, 425.0],
        {"adjusted": 1},
    )


async def test_the_newest_recording_of_an_expiration_is_given(tmp_path: Path) -> None:
    keep(tmp_path, {}, {"expiration": str(JULY)})
    keep(tmp_path, {"quote_date": str(FRIDAY), "quote_ts_utc": "2026-05-15T20:01:00Z", "underlying_price": 431})
    provider = chains(tmp_path)  # Friday's recording has only begun
    june, july = [await provider.chain("GLD", day) for day in (JUNE, JULY)]
    assert (june.source, june.underlying.price) == ("recorded 15 May 2026 (plain)", 431.0)
    assert (july.source, july.underlying.price) == ("recorded 14 May 2026 (plain)", 430.0)
    listed = await provider.expirations("GLD")
    assert (listed.days, listed.underlying) == ((JUNE, JULY), june.underlying)


async def test_a_recording_of_more_than_a_week_before_the_newest_is_not_mixed_in(tmp_path: Path) -> None:
    keep(tmp_path, {"expiration": str(JULY), "quote_date": "2026-05-06"}, {})
    assert (await chains(tmp_path).expirations("GLD")).days == (JUNE,)


async def test_a_later_merge_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, {})
    provider = chains(tmp_path)
    assert await provider.chain("GLD", JUNE) is await provider.chain("GLD", JUNE)
    keep(tmp_path, {"bid": 6.0})
    assert (await provider.chain("GLD", JUNE)).quotes[0].bid == 6.0


async def test_an_expiration_that_has_passed_is_not_given(tmp_path: Path) -> None:
    keep(tmp_path, {}, {"expiration": str(JULY)})
    before = datetime(2026, 6, 18, 19, 59, tzinfo=UTC)
    assert (await chains(tmp_path, before).expirations("GLD")).days == (JUNE, JULY)
    after = chains(tmp_path, before + timedelta(minutes=1))
    assert (await after.expirations("GLD")).days == (JULY,)
    with pytest.raises(NotFound, match="no chain of GLD for 2026-06-18 is recorded"):
        await after.chain("GLD", JUNE)


async def test_when_all_has_expired_the_sentence_says_how_old_the_chains_are(tmp_path: Path) -> None:
    keep(tmp_path, {})
    with pytest.raises(
        Unavailable, match="recorded on 14 May 2026 are 191 days old and all their options have expired"
    ):
        await chains(tmp_path, datetime(2026, 11, 21, 15, 0, tzinfo=UTC)).expirations("GLD")


async def test_nothing_recorded_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no chains of SLV are recorded; import some"):
        await chains(tmp_path).expirations("SLV")
    with pytest.raises(InvalidInput, match="symbol"):
        await chains(tmp_path).chain("../GLD", JUNE)


async def test_chains_without_a_price_of_the_underlying_are_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, {"quote_date": str(FRIDAY), "underlying_price": ""})
    with pytest.raises(Unavailable, match="recorded on 2026-05-15 came without a price of GLD"):
        await chains(tmp_path).expirations("GLD")
    keep(tmp_path, {})
    assert (await chains(tmp_path).chain("GLD", JUNE)).source == "recorded 14 May 2026 (plain)"


async def test_the_close_goes_before_other_kinds_of_the_same_day(tmp_path: Path) -> None:
    store = ObservedSnapshots(tmp_path)
    store.merge(a_chain_of(5))
    store.merge(a_chain_of(1).with_columns(snapshot_kind=pl.lit(SnapshotKind.CLOSE.value), bid=pl.lit(5.0)))
    assert [quote.bid for quote in (await chains(tmp_path).chain("GLD", JUNE)).quotes] == [5.0]


async def test_the_real_chains_of_gld_are_given_out(tmp_path: Path, shared_data: Path) -> None:
    from tests.market.observed.texts import imported

    imported(tmp_path, shared_data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz")
    provider = chains(tmp_path / "data", datetime(2026, 5, 15, 23, 0, tzinfo=UTC))
    listed = await provider.expirations("GLD")
    assert (listed.underlying.price, listed.source) == (417.29, "recorded 15 May 2026 (plain)")
    assert listed.days[0] > date(2026, 5, 15)
    sizes = [len((await provider.chain("GLD", day)).quotes) for day in listed.days]
    assert min(sizes) > 50
