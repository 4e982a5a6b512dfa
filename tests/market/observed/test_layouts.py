"""Each vendor's file becomes the same rows: zeros that mean nothing are empty, times and sessions are told apart."""

import gzip
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.market.observed.texts import (
    CBOE,
    DAY,
    DOLTHUB,
    MASSIVE,
    OPTIONSDX,
    PLAIN,
    THETA_EOD,
    THETA_GREEKS,
    THETA_INTEREST,
    a_file,
    csv_text,
    imported,
    reasons,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import QuoteFlag
from vaultdash.market.base import SnapshotKind, SnapshotMerge
from vaultdash.market.observed.importing import Wish

Row = dict[str, object]


def only_row(folder: Path, *paths: Path, wish: Wish | None = None, kind: SnapshotKind | None = None) -> Row:
    """The one row of GLD on the usual day after an import without rejects."""
    store, reports = imported(folder, *paths, wish=wish)
    assert reasons(reports) == {}
    rows = store.load("GLD", DAY, kind)
    assert rows.height == 1
    return rows.row(0, named=True)


def test_plain_columns_become_a_row(tmp_path: Path) -> None:
    row = only_row(tmp_path, a_file(tmp_path, PLAIN))
    assert {name: row[name] for name in ("underlying", "root", "osi", "strike", "strike_milli", "right")} == {
        "underlying": "GLD",
        "root": "GLD",
        "osi": "GLD   260618P00420000",
        "strike": 420.0,
        "strike_milli": 420_000,
        "right": "P",
    }
    assert (row["bid"], row["ask"], row["last"], row["volume"], row["open_interest"]) == (6.1, 6.3, 6.2, 35, 1200)
    assert row["snapshot_ts"] == datetime(2026, 5, 14, 21, 30, tzinfo=UTC)
    assert (row["snapshot_kind"], row["source"], row["price_basis"]) == ("eod_1715", "plain", "quote")
    assert (row["underlying_price"], row["underlying_basis"], row["iv_vendor"]) == (430.0, "last", 0.21)
    assert (row["multiplier"], row["exercise"], row["flags"]) == (100, "american", 0)
    assert row["delta_vendor"] is None


def test_open_interest_is_of_the_session_before(tmp_path: Path) -> None:
    assert only_row(tmp_path, a_file(tmp_path, PLAIN))["oi_asof"] == date(2026, 5, 13)


def test_open_interest_after_a_holiday_is_of_the_last_session(tmp_path: Path) -> None:
    tuesday = {"quote_date": "2026-05-26", "quote_ts_utc": "2026-05-26T20:05:00Z"}  # after Memorial Day
    store, _ = imported(tmp_path, a_file(tmp_path, PLAIN, tuesday))
    assert store.load("GLD", date(2026, 5, 26))["oi_asof"].to_list() == [date(2026, 5, 22)]


@pytest.mark.parametrize(
    ("time", "kind"),
    [
        ("2026-05-14T19:45:00Z", SnapshotKind.BEFORE_CLOSE),
        ("2026-05-14T17:00:00Z", SnapshotKind.INTRADAY),
        ("2026-05-14T19:59:59Z", SnapshotKind.INTRADAY),
        ("2026-05-14T20:00:00Z", SnapshotKind.CLOSE),
        ("2026-05-14T20:30:00Z", SnapshotKind.CLOSE),
        ("2026-05-14T20:30:01Z", SnapshotKind.REPORT),
        ("2026-05-15T03:59:00Z", SnapshotKind.REPORT),
        ("2026-05-15T04:01:00Z", SnapshotKind.UNKNOWN),
        ("2026-05-14T12:00:00Z", SnapshotKind.UNKNOWN),
        ("2026-05-14T16:10:00-04:00", SnapshotKind.CLOSE),
        ("2026-05-14 20:10", SnapshotKind.CLOSE),
        ("2026-05-14", SnapshotKind.UNKNOWN),
        ("", SnapshotKind.UNKNOWN),
        ("soon", SnapshotKind.UNKNOWN),
    ],
)
def test_the_time_of_a_quote_says_what_kind_of_snapshot_it_is(tmp_path: Path, time: str, kind: SnapshotKind) -> None:
    assert only_row(tmp_path, a_file(tmp_path, PLAIN, {"quote_ts_utc": time}))["snapshot_kind"] == kind


def test_a_session_that_closes_early_has_its_close_at_one(tmp_path: Path) -> None:
    early = {"quote_date": "2025-11-28", "quote_ts_utc": "2025-11-28T18:05:00Z"}  # the day after Thanksgiving
    store, _ = imported(tmp_path, a_file(tmp_path, PLAIN, early))
    assert store.sessions()[0].kind is SnapshotKind.CLOSE


ZEROS = [
    ({"bid": 0, "ask": 0.05}, (0.0, 0.05), QuoteFlag.ZERO_BID),
    ({"bid": 0, "ask": 0}, (None, None), QuoteFlag.NO_BID | QuoteFlag.NO_ASK | QuoteFlag.TRADE_ONLY),
    ({"bid": 6.1, "ask": 0}, (6.1, None), QuoteFlag.NO_ASK),
    ({"bid": "", "ask": 6.3}, (None, 6.3), QuoteFlag.NO_BID),
    ({"bid": "nan", "ask": "NULL"}, (None, None), QuoteFlag.NO_BID | QuoteFlag.NO_ASK | QuoteFlag.TRADE_ONLY),
]


@pytest.mark.parametrize(("cells", "sides", "flags"), ZEROS)
def test_a_zero_bid_is_real_only_against_an_ask(
    tmp_path: Path, cells: Row, sides: tuple[float | None, float | None], flags: QuoteFlag
) -> None:
    row = only_row(tmp_path, a_file(tmp_path, PLAIN, cells))
    assert (row["bid"], row["ask"]) == sides
    assert QuoteFlag(row["flags"]) == flags


@pytest.mark.parametrize("iv", ["0.00001", "0", "0.0", "7.5"])
def test_a_vendor_volatility_that_cannot_be_true_is_left_out_and_marked(tmp_path: Path, iv: str) -> None:
    row = only_row(tmp_path, a_file(tmp_path, PLAIN, {"iv": iv}))
    assert row["iv_vendor"] is None
    assert QuoteFlag(row["flags"]) == QuoteFlag.VENDOR_IV_BAD


def test_missing_open_interest_is_marked(tmp_path: Path) -> None:
    row = only_row(tmp_path, a_file(tmp_path, PLAIN, {"open_interest": ""}))
    assert (row["open_interest"], row["oi_asof"]) == (None, None)
    assert QuoteFlag(row["flags"]) == QuoteFlag.OI_MISSING


# ThetaData


def test_thetadata_eod_is_the_report_of_a_quarter_past_five(tmp_path: Path) -> None:
    row = only_row(tmp_path, a_file(tmp_path, THETA_EOD))
    assert (row["snapshot_kind"], row["source"]) == ("eod_1715", "thetadata")
    assert row["snapshot_ts"] == datetime(2026, 5, 14, 21, 17, 3, 123_000, tzinfo=UTC)
    assert (row["bid"], row["bid_size"], row["ask"], row["ask_size"]) == (6.1, 20, 6.3, 30)
    assert (row["open"], row["high"], row["low"], row["last"], row["volume"]) == (6.0, 6.5, 5.9, 6.2, 35)
    assert QuoteFlag(row["flags"]) == QuoteFlag.OI_MISSING


def test_thetadata_zeros_are_missing_values(tmp_path: Path) -> None:
    zeros = dict.fromkeys(("open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size"), 0)
    row = only_row(tmp_path, a_file(tmp_path, THETA_EOD, zeros))
    assert [row[name] for name in ("open", "high", "low", "last", "bid", "ask", "price_basis")] == [None] * 7
    assert row["volume"] == 0


def test_a_contract_not_traded_since_the_session_before_the_last_is_stale(tmp_path: Path) -> None:
    row = only_row(tmp_path, a_file(tmp_path, THETA_EOD, {"last_trade": "2026-05-12T10:00:00"}))
    assert QuoteFlag.STALE in QuoteFlag(row["flags"])


def test_three_thetadata_files_make_one_row(tmp_path: Path) -> None:
    files = [
        a_file(tmp_path, header, name=f"{number}.csv")
        for number, header in enumerate((THETA_INTEREST, THETA_GREEKS, THETA_EOD))
    ]
    row = only_row(tmp_path, *files)
    assert (row["open_interest"], row["oi_asof"]) == (1200, date(2026, 5, 13))
    assert (row["iv_vendor"], row["delta_vendor"], row["underlying_price"]) == (0.21, -0.35, 430.0)
    assert (row["last"], row["bid"], row["flags"], row["greek_convention"]) == (6.2, 6.1, 0, "thetadata")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_the_order_of_thetadata_files_does_not_matter(tmp_path: Path, order: tuple[int, ...]) -> None:
    headers = (THETA_EOD, THETA_GREEKS, THETA_INTEREST)
    row = only_row(tmp_path, *(a_file(tmp_path, headers[n], name=f"{n}.csv") for n in order))
    assert (row["open_interest"], row["iv_vendor"], row["last"], row["volume"] is None) == (1200, 0.21, 6.2, False)
    assert row["flags"] == 0


@pytest.mark.parametrize("cells", [{"underlying_price": 0}, {"iv_error": 0.4}, {"iv_error": "-0.2"}])
def test_a_thetadata_volatility_without_price_or_with_a_large_error_is_left_out(tmp_path: Path, cells: Row) -> None:
    assert only_row(tmp_path, a_file(tmp_path, THETA_GREEKS, cells))["iv_vendor"] is None


# Cboe DataShop


def test_a_cboe_row_is_two_snapshots(tmp_path: Path) -> None:
    path = a_file(tmp_path, CBOE)
    early = only_row(tmp_path, path, kind=SnapshotKind.BEFORE_CLOSE)
    late = only_row(tmp_path, path, kind=SnapshotKind.CLOSE)
    assert (early["bid"], early["ask"], early["bid_size"]) == (6.0, 6.2, 11)
    assert (early["underlying_price"], early["underlying_basis"]) == (430.25, "active")
    assert (early["iv_vendor"], early["delta_vendor"], early["gamma_vendor"]) == (0.209, -0.34, None)
    assert early["snapshot_ts"] == datetime(2026, 5, 14, 19, 45, tzinfo=UTC)
    assert (late["bid"], late["ask"], late["ask_size"]) == (6.1, 6.3, 22)
    assert (late["underlying_price"], late["underlying_basis"]) == (430.0, "mid")
    assert late["snapshot_ts"] == datetime(2026, 5, 14, 20, tzinfo=UTC)
    assert (late["iv_vendor"], late["last"], late["volume"]) == (None, 6.2, 35)


def test_before_the_close_nobody_knew_what_the_day_would_trade(tmp_path: Path) -> None:
    early = only_row(tmp_path, a_file(tmp_path, CBOE), kind=SnapshotKind.BEFORE_CLOSE)
    assert [early[name] for name in ("open", "high", "low", "last", "volume")] == [None] * 5


def test_a_cboe_file_without_its_calculated_columns_is_read(tmp_path: Path) -> None:
    calculated = (
        "implied_underlying",
        "active_underlying",
        "implied_vol",
        "delta_",
        "gamma_",
        "theta_",
        "vega_",
        "rho_",
    )
    header = ",".join(name for name in CBOE.split(",") if not name.startswith(calculated) or name == "delivery_code")
    usual = csv_text(CBOE, {}).splitlines()[1].split(",")
    cells = [cell for name, cell in zip(CBOE.split(","), usual, strict=True) if name in header.split(",")]
    path = tmp_path / "short.csv"
    path.write_text(f"{header}\n{','.join(cells)}\n")
    early = only_row(tmp_path, path, kind=SnapshotKind.BEFORE_CLOSE)
    assert (early["iv_vendor"], early["underlying_price"]) == (None, pytest.approx(430.2))


def test_a_cboe_volatility_of_zero_is_missing_and_not_bad(tmp_path: Path) -> None:
    early = only_row(tmp_path, a_file(tmp_path, CBOE, {"implied_volatility_1545": 0}), kind=SnapshotKind.BEFORE_CLOSE)
    assert (early["iv_vendor"], early["flags"]) == (None, 0)


def test_an_adjusted_contract_is_marked(tmp_path: Path) -> None:
    odd = [{"delivery_code": "A"}, {"root": "GLD1"}]
    store, _ = imported(tmp_path, a_file(tmp_path, CBOE, *odd))
    flags = store.load("GLD", DAY, SnapshotKind.CLOSE)["flags"].to_list()
    assert [QuoteFlag.ADJUSTED in QuoteFlag(value) for value in flags] == [True, True]


def test_early_closes_of_cboe_are_early(tmp_path: Path) -> None:
    store, _ = imported(tmp_path, a_file(tmp_path, CBOE, {"quote_date": "2025-11-28"}))
    stamps = [store.load("GLD", date(2025, 11, 28), kind)["snapshot_ts"][0] for kind in ("t1545", "close_1600")]
    assert stamps == [datetime(2025, 11, 28, 17, 45, tzinfo=UTC), datetime(2025, 11, 28, 18, tzinfo=UTC)]


# the others


def test_optionsdx_rows_hold_a_call_and_a_put(tmp_path: Path) -> None:
    store, reports = imported(tmp_path, a_file(tmp_path, OPTIONSDX), wish=Wish(symbol="gld"))
    rows = store.load("GLD", DAY).sort("right").rows(named=True)
    assert [(row["right"], row["bid"], row["ask"], row["bid_size"], row["ask_size"]) for row in rows] == [
        ("C", 17.0, 17.4, 10, 12),
        ("P", 6.1, 6.3, 7, 9),
    ]
    assert [(row["volume"], row["iv_vendor"], row["snapshot_kind"]) for row in rows] == [
        (None, 0.2, "close_1600"),
        (35, 0.21, "close_1600"),
    ]
    assert reports[0].format == "optionsdx"


def test_optionsdx_takes_the_symbol_from_the_name_of_the_file_or_asks_for_it(tmp_path: Path) -> None:
    store, _ = imported(tmp_path, a_file(tmp_path, OPTIONSDX, name="slv_eod_202605.txt"))
    assert [line.underlying for line in store.sessions()] == ["SLV"]
    _, reports = imported(tmp_path, a_file(tmp_path, OPTIONSDX, name="download.txt"))
    assert reasons(reports) == {"has no symbol; say which with --symbol": 2}


def test_massive_day_bars_are_trades_only(tmp_path: Path) -> None:
    row = only_row(tmp_path, a_file(tmp_path, MASSIVE))
    assert (row["osi"], row["price_basis"], row["snapshot_kind"]) == ("GLD   260618P00420000", "trade", "unknown")
    assert (row["bid"], row["ask"], row["open"], row["high"], row["last"]) == (None, None, 6.0, 6.5, 6.2)
    assert QuoteFlag.TRADE_ONLY in QuoteFlag(row["flags"])


def test_of_a_file_of_the_whole_market_only_the_symbol_asked_for_is_taken(tmp_path: Path) -> None:
    symbols = [f"{chr(65 + n // 26)}{chr(65 + n % 26)}X" for n in range(40)]
    rows = [{"ticker": f"O:{symbol}260618P00420000"} for symbol in ["GLD", *symbols]]
    path = a_file(tmp_path, MASSIVE, *rows)
    with pytest.raises(InvalidInput, match="41 symbols; say which with --symbol"):
        imported(tmp_path, path)
    store, reports = imported(tmp_path, path, wish=Wish(symbol="GLD"))
    assert [line.underlying for line in store.sessions()] == ["GLD"]
    assert (reports[0].rows_read, reports[0].kept, reports[0].remarks) == (
        41,
        1,
        ("40 rows of other symbols left aside",),
    )


def test_dolthub_days_have_no_time(tmp_path: Path) -> None:
    row = only_row(tmp_path, a_file(tmp_path, DOLTHUB))
    assert (row["snapshot_kind"], row["snapshot_ts"], row["bid"], row["iv_vendor"]) == ("unknown", None, 6.1, 0.21)
    assert QuoteFlag(row["flags"]) == QuoteFlag.OI_MISSING


def eodhd_page(**cells: object) -> str:
    usual = {"contract": "GLD260618P00420000", "underlying_symbol": "GLD", "exp_date": "2026-06-18", "type": "put"}
    prices = {"strike": 420, "bid": 6.1, "ask": 6.3, "volume": 35, "open_interest": 1200, "volatility": 0.21}
    attributes = {**usual, **prices, "tradetime": "2026-05-13", **cells}
    item = {"id": "GLD260618P00420000-2026-05-14", "type": "options-eod", "attributes": attributes}
    return json.dumps({"meta": {"offset": 0}, "data": [item], "links": {}})


def test_eodhd_pages_are_read_by_their_attributes(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text(eodhd_page())
    row = only_row(tmp_path, path)
    assert (row["source"], row["bid"], row["iv_vendor"], row["open_interest"]) == ("eodhd", 6.1, 0.21, 1200)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"data": 5}', "is no answer of EODHD"),
        ('{"data": []}', "has no exp_date, type, strike"),
        ('{"errors": "none"}', "has no exp_date"),
        ("[1, 2]", "is no answer of EODHD"),
        ("{broken", "not readable as JSON"),
        ("[" * 100_000, "not readable as JSON"),
        ('{"data": [{"attributes": {"strike": ' + "9" * 5000 + "}}]}", "not readable as JSON"),
    ],
)
def test_json_that_is_no_chain_is_refused_in_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "page.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        imported(tmp_path, path)


# the owner's own columns


def test_any_columns_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Day;Expiry;K;CP;Buy;Sell;bid_size\n2026-05-14;20260618;420;p;$6.10;6.30;4\n")
    names = {"quote_date": "Day", "expiration": "Expiry", "strike": "K", "type": "CP", "bid": "Buy", "ask": "Sell"}
    row = only_row(tmp_path, path, wish=Wish(symbol="GLD", columns=names))
    assert (row["bid"], row["ask"], row["bid_size"], row["source"]) == (6.1, 6.3, 4, "mapped")


def test_an_osi_symbol_is_enough_of_a_contract(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("contract,at,bid,ask\nGLD260618P00420500,2026-05-14 16:05:00,6.1,6.3\n")
    row = only_row(tmp_path, path, wish=Wish(columns={"osi": "contract", "snapshot_ts": "at"}))
    assert (row["strike"], row["right"], row["snapshot_kind"]) == (420.5, "P", "close_1600")


def test_a_mapping_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, DOLTHUB)
    with pytest.raises(InvalidInput, match="has no column expiry; it has date, act_symbol"):
        imported(
            tmp_path, path, wish=Wish(columns={"expiration": "expiry", "quote_date": "date", "right": "call_put"})
        )
    with pytest.raises(InvalidInput, match="--map knows no colour; it knows quote_date"):
        imported(tmp_path, path, wish=Wish(columns={"colour": "date"}))
    with pytest.raises(InvalidInput, match="--format must be one of"):
        Wish(format="excel")
    with pytest.raises(InvalidInput, match="--map"):
        Wish(format="cboe", columns={"bid": "b"})


# formats


def test_columns_of_no_known_format_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("quote_date,expiration,type,price\n2026-05-14,2026-06-18,put,6\n")
    with pytest.raises(
        InvalidInput,
        match="no known format: quote_date, expiration, type, price; for plain it lacks strike, bid, ask",
    ):
        imported(tmp_path, path)


def test_a_file_of_another_format_than_asked_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="for cboe it lacks underlying_symbol"):
        imported(tmp_path, a_file(tmp_path, PLAIN), wish=Wish(format="cboe"))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (PLAIN, "plain"),
        (THETA_EOD, "thetadata"),
        (THETA_GREEKS, "thetadata"),
        (THETA_INTEREST, "thetadata"),
        (CBOE, "cboe"),
        (OPTIONSDX, "optionsdx"),
        (MASSIVE, "massive"),
        (DOLTHUB, "dolthub"),
    ],
)
def test_the_format_is_told_by_the_columns_in_any_order(tmp_path: Path, header: str, name: str) -> None:
    lines = [line.split(",") for line in csv_text(header, {}).splitlines()]
    turned = "\n".join(",".join(reversed(cells)) for cells in lines)
    (tmp_path / "turned.csv").write_text(turned)
    _, (report,) = imported(tmp_path, tmp_path / "turned.csv", wish=Wish(symbol="GLD"))
    assert (report.format, report.rejected_count) == (name, 0)


def test_packed_files_are_read(tmp_path: Path) -> None:
    text = csv_text(CBOE, {}).encode()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("UnderlyingOptionsEOD_2026-05-14.csv", text)
        archive.writestr("other/2026-05-13.csv", csv_text(CBOE, {"quote_date": "2026-05-13"}))
        archive.writestr("__MACOSX/._x.csv", b"\0\1")
    store, reports = imported(tmp_path, tmp_path / "a.csv.gz", tmp_path / "b.zip")
    assert [report.stored for report in reports] == [
        SnapshotMerge(2, 0, 0),
        SnapshotMerge(0, 0, 2),
        SnapshotMerge(2, 0, 0),
    ]
    assert len(store.sessions("GLD")) == 4


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    a_file(folder, PLAIN)
    a_file(folder, DOLTHUB, name="dolt.csv")
    (folder / "notes.md").write_text("not data")
    (folder / "metadata.json").write_text("{}")
    _, reports = imported(tmp_path, folder)
    assert [report.format for report in reports] == ["plain", "dolthub"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no file that ends in"):
        imported(tmp_path, tmp_path / "empty")
    with pytest.raises(InvalidInput, match="does not exist"):
        imported(tmp_path, tmp_path / "nowhere.csv")
