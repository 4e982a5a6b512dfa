"""Databento's files, built with Databento's own records: one row for each contract and snapshot."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.market.observed.dbn_files import Interval, Mapping, bar, definition, interest, minute, write
from tests.market.observed.texts import imported
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import QuoteFlag
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.importing import Wish
from vaultdash.market.observed.store import ObservedSnapshots

DAY = date(2026, 5, 14)
NEXT = date(2026, 5, 15)
JUNE = date(2026, 6, 18)
PUT, CALL, ODD = "GLD   260618P00420000", "GLD   260618C00420000", "GLD1  260618P00420000"
CLOSE = datetime(2026, 5, 14, 20, 0, tzinfo=UTC)


def at(minutes: float, on: date = DAY) -> datetime:
    """Minutes before the close of a day."""
    return CLOSE + (on - DAY) - timedelta(minutes=minutes)


def definitions(folder: Path) -> Path:
    """The put is 1 and the call 2 on the first day; the next day they have each other's number."""
    records = [
        definition(DAY, 1, PUT, JUNE),
        definition(DAY, 2, CALL, JUNE, multiplier=100),
        definition(DAY, 3, ODD, JUNE, multiplier=93),
        definition(NEXT, 1, CALL, JUNE),
        definition(NEXT, 2, PUT, JUNE),
    ]
    return write(folder / "opra-pillar-20260514.definition.dbn.zst", "definition", records)


def quotes(folder: Path) -> Path:
    records = [
        minute(at(390), 1, None, None),
        minute(at(60), 1, 5.0, 5.2),
        minute(at(20), 1, 6.0, 6.2),
        minute(at(15), 1, 6.05, 6.25),
        minute(at(14), 1, 9.0, 9.2),
        minute(at(2), 1, 6.1, 6.3, 21, 22),
        minute(at(1), 1, None, 6.35),  # one side is gone: the minute before counts
        minute(at(-1), 1, 7.0, 7.2),  # after the close
        minute(at(10), 2, None, 17.4),
        minute(at(5), 2, None, 17.5),
        minute(at(45), 3, 1.0, 1.2),  # too long before
        minute(at(3), 3, 2.0, 2.2),
        minute(at(1, NEXT), 1, 16.0, 16.4),
        minute(at(1, NEXT), 2, 7.1, 7.3),
    ]
    return write(folder / "opra-pillar-20260514.cbbo-1m.dbn.zst", "cbbo-1m", records)


def statistics(folder: Path) -> Path:
    records = [interest(DAY, 1, 1200, venue) for venue in (20, 22, 30)] + [
        interest(DAY, 2, 800),
        interest(NEXT, 2, 9),
    ]
    return write(folder / "opra-pillar-20260514.statistics.dbn.zst", "statistics", records)


def bars(folder: Path) -> Path:
    records = [bar(DAY, 1, 5.9, 6.4, 20, venue=20), bar(DAY, 1, 5.8, 6.2, 15, venue=22)]
    return write(folder / "opra-pillar-20260514.ohlcv-1d.dbn.zst", "ohlcv-1d", records)


@pytest.fixture
def store(tmp_path: Path) -> ObservedSnapshots:
    """All four files of two days, imported as a folder."""
    folder = tmp_path / "opra"
    folder.mkdir()
    for make in (definitions, quotes, statistics, bars):
        make(folder)
    (folder / "metadata.json").write_text("{}")
    kept, (report,) = imported(tmp_path, folder)
    assert (report.format, report.rejected_count, report.rows_read) == ("databento", 0, 5 + 14 + 5 + 2)
    return kept


def row(
    store: ObservedSnapshots, osi: str, kind: SnapshotKind = SnapshotKind.CLOSE, on: date = DAY
) -> dict[str, object]:
    return store.load("GLD", on, kind).row(by_predicate=pl.col("osi") == osi, named=True)


def test_the_last_minute_with_both_sides_before_the_close_is_the_quote(store: ObservedSnapshots) -> None:
    put = row(store, PUT)
    assert (put["bid"], put["ask"], put["bid_size"], put["ask_size"]) == (6.1, 6.3, 21, 22)
    assert (put["snapshot_ts"], put["source"], put["exercise"]) == (at(2), "databento", "american")


def test_a_quarter_of_an_hour_before_the_close_is_a_snapshot_of_its_own(store: ObservedSnapshots) -> None:
    put = row(store, PUT, SnapshotKind.BEFORE_CLOSE)
    assert (put["bid"], put["ask"], put["snapshot_ts"]) == (6.05, 6.25, at(15))


def test_a_contract_without_a_bid_has_its_last_ask(store: ObservedSnapshots) -> None:
    call = row(store, CALL)
    assert (call["bid"], call["ask"]) == (None, 17.5)
    assert QuoteFlag(call["flags"]) == QuoteFlag.NO_BID  # type: ignore[call-overload]  # a cell of flags is a number


def test_open_interest_is_counted_once_for_all_venues_and_is_of_the_session_before(store: ObservedSnapshots) -> None:
    put = row(store, PUT)
    assert (put["open_interest"], put["oi_asof"]) == (1200, date(2026, 5, 13))


def test_volumes_of_the_venues_add_up_and_there_is_no_last_trade_of_all(store: ObservedSnapshots) -> None:
    put = row(store, PUT)
    assert (put["volume"], put["high"], put["low"], put["open"], put["last"]) == (35, 6.4, 5.8, None, None)


def test_numbers_of_instruments_are_those_of_their_day(store: ObservedSnapshots) -> None:
    assert (row(store, CALL, on=NEXT)["bid"], row(store, PUT, on=NEXT)["bid"]) == (16.0, 7.1)
    assert row(store, PUT, on=NEXT)["open_interest"] == 9


def test_a_contract_that_delivers_something_else_is_marked(store: ObservedSnapshots) -> None:
    odd = row(store, ODD)
    assert (odd["underlying"], odd["root"], odd["multiplier"]) == ("GLD", "GLD1", 93)
    assert QuoteFlag.ADJUSTED in QuoteFlag(odd["flags"])  # type: ignore[call-overload]  # a cell of flags is a number


def test_files_that_come_one_after_another_meet_in_the_same_rows(tmp_path: Path, store: ObservedSnapshots) -> None:
    late = tmp_path / "late"
    late.mkdir()
    files = [definitions(late), quotes(late), statistics(late), bars(late)]
    kept, _ = imported(late, files[0], files[1])
    imported(late, files[0], files[3])
    imported(late, files[2], files[0])
    columns = pl.exclude("source_file_sha256")
    assert kept.load("GLD", DAY).select(columns).equals(store.load("GLD", DAY).select(columns))


def test_without_definitions_the_header_of_the_file_names_the_contracts(tmp_path: Path) -> None:
    known = [
        Mapping(PUT, [Interval(DAY, NEXT, "1")]),
        Mapping(CALL, [Interval(DAY, NEXT, "2"), Interval(NEXT, NEXT + timedelta(days=1), "1")]),
    ]
    records = [minute(at(1), 1, 6.1, 6.3), minute(at(1), 2, 17.0, 17.4), minute(at(1), 7, 1.0, 1.1)]
    records += [minute(at(1, NEXT), 1, 16.0, 16.4)]
    path = write(tmp_path / "q.dbn", "cbbo-1m", records, known, packed=False)
    kept, (report,) = imported(tmp_path, path)
    assert (row(kept, PUT)["bid"], row(kept, CALL)["bid"], row(kept, CALL, on=NEXT)["bid"]) == (6.1, 17.0, 16.0)
    assert list(report.reasons) == ["has no symbol; say which with --symbol"]  # number 7


def test_an_early_close_is_a_close(tmp_path: Path) -> None:
    on = date(2025, 11, 28)
    close = datetime(2025, 11, 28, 18, 0, tzinfo=UTC)
    contract = "GLD   260116P00380000"
    known = [Mapping(contract, [Interval(on, on + timedelta(days=1), "1")])]
    records = [minute(close - timedelta(minutes=1), 1, 6.0, 6.2), minute(close + timedelta(minutes=9), 1, 1.0, 1.2)]
    kept, _ = imported(tmp_path, write(tmp_path / "q.dbn.zst", "cbbo-1m", records, known))
    assert row(kept, contract, on=on)["bid"] == 6.0


def test_definitions_alone_are_no_chain(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="defines contracts only; add the cbbo-1m"):
        imported(tmp_path, definitions(tmp_path))


def test_another_schema_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.dbn.zst", "trades", [])
    with pytest.raises(InvalidInput, match="holds trades; the schemas that are read are definition, cbbo-1m"):
        imported(tmp_path, path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = quotes(tmp_path)
    whole = path.read_bytes()
    for content in (whole[:-20], whole[:5], b"DBN\x01junk"):
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match="is no whole DBN file"):
            imported(tmp_path, path)
    plain = write(tmp_path / "q.dbn", "cbbo-1m", [minute(at(1), 1, 6.1, 6.3)], packed=False)
    plain.write_bytes(plain.read_bytes()[:-9])
    with pytest.raises(InvalidInput, match="is no whole DBN file"):
        imported(tmp_path, plain)


def test_without_the_library_the_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "databento", None)
    with pytest.raises(InvalidInput, match=r"pip install 'vault-dash\[databento\]'"):
        imported(tmp_path, quotes(tmp_path))


def test_a_text_called_databento_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="is no whole DBN file"):
        imported(tmp_path, path, wish=Wish(format="databento"))
