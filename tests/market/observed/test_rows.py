"""What cannot be true is not taken, and the report says which line and why; junk is a sentence, never a traceback."""

import gzip
import random
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.market.observed.texts import (
    CBOE,
    DAY,
    DOLTHUB,
    HOURS,
    PLAIN,
    THETA_EOD,
    TODAY,
    a_file,
    csv_text,
    imported,
    reasons,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import OptionQuote, QuoteFlag, contract_from_osi, payoff, price_flags
from vaultdash.market.observed.importing import Wish, read_text
from vaultdash.market.observed.opening import RejectedLine
from vaultdash.market.observed.schema import require_schema

BAD = [
    ({"strike": "abc"}, "strike is not a number"),
    ({"strike": ""}, "strike is not a number"),
    ({"strike": "1e999"}, "strike is not a number"),
    ({"strike": "0"}, "strike is not between 0 and 100,000"),
    ({"strike": "-5"}, "strike is not between 0 and 100,000"),
    ({"strike": "100000"}, "strike is not between 0 and 100,000"),
    ({"strike": "1e300"}, "strike is not between 0 and 100,000"),
    ({"strike": "420.00005"}, "strike is not in thousandths of a dollar"),
    ({"type": "straddle"}, "is neither call nor put"),
    ({"type": ""}, "is neither call nor put"),
    ({"bid": "-0.01"}, "bid is negative"),
    ({"ask": "-3"}, "ask is negative"),
    ({"bid": "six"}, "bid is not a number"),
    ({"ask": "inf"}, "ask is not a number"),
    ({"ask": "6.3e12"}, "ask is not a price of an option"),
    ({"quote_date": "14.05.2026"}, "unreadable quote date; write it as YYYY-MM-DD"),
    ({"quote_date": "2026-02-30"}, "unreadable quote date; write it as YYYY-MM-DD"),
    ({"quote_date": "2026-05-16"}, "quote date on a weekend, when no market trades"),
    ({"quote_date": "2026-11-23", "expiration": "2027-01-15"}, "quote date in the future"),
    ({"quote_date": "1985-05-14", "expiration": "1985-06-20"}, "quote date before 1990"),
    ({"expiration": "soon"}, "unreadable expiration; write it as YYYY-MM-DD"),
    ({"expiration": "99999-01-01"}, "unreadable expiration; write it as YYYY-MM-DD"),
    ({"expiration": "2026-05-13"}, "expired before the quote date"),
    ({"expiration": "2076-06-18"}, "expires more than twelve years after the quote date"),
    ({"underlying": "GLD/../x"}, "has no symbol; say which with --symbol"),
    ({"underlying": ""}, "has no symbol; say which with --symbol"),
    ({"underlying": "ABCDEFGH"}, "root of the option is longer than six characters"),
]


@pytest.mark.parametrize(("cells", "reason"), BAD, ids=[f"{cells}" for cells, _ in BAD])
def test_a_row_that_cannot_be_true_is_left_out_with_line_and_reason(
    tmp_path: Path, cells: dict[str, object], reason: str
) -> None:
    path = a_file(tmp_path, PLAIN, {}, cells, {"strike": 425})
    store, (report,) = imported(tmp_path, path)
    assert report.rejected == (RejectedLine(3, reason),)
    assert dict(report.reasons) == {reason: 1}
    assert (report.rows_read, report.kept, store.load("GLD", DAY).height) == (3, 2, 2)


OSI_FILE = "quote_date,osi,root,expiration,strike,right,bid,ask"
SAYS_ANOTHER = "OSI symbol and columns are of different contracts"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("GLD260619P00380000,,,38000,C", SAYS_ANOTHER),
        ("GLD260619P00380000,,,38000,", SAYS_ANOTHER),
        ("GLD260619P00380000,,,380.01,", SAYS_ANOTHER),
        ("GLD260619P00380000,,,,call", SAYS_ANOTHER),
        ("GLD260619P00380000,,2026-06-26,,", SAYS_ANOTHER),
        ("GLD260619P00380000,,2026-06-18,,", SAYS_ANOTHER),
        ("GLD1  260619P00380000,GLD,,,", SAYS_ANOTHER),
        ("O:GLD260619P00380000,GLD,2026-06-19,380.0,put", None),
        ("GLD   260620P00380000,,2026-06-19,380,P", None),  # a Saturday, as in old symbols
    ],
)
def test_a_row_whose_symbol_and_columns_name_different_contracts_is_left_out(
    tmp_path: Path, cells: str, reason: str | None
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{OSI_FILE}\n2026-05-14,{cells},6.1,6.3\n2026-05-14,GLD260619P00390000,,,,,6.1,6.3\n")
    columns = {"osi": "osi", "quote_date": "quote_date"}
    store, (report,) = imported(tmp_path, path, wish=Wish(columns=columns, symbol="GLD"))
    assert report.rejected == (() if reason is None else (RejectedLine(2, reason),))
    kept = {"GLD   260619P00390000"} | ({"GLD   260619P00380000"} if reason is None else set())
    assert set(store.load("GLD", DAY)["osi"]) == kept


def test_rows_of_another_width_and_blank_lines_do_not_move_the_count_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    header, good = csv_text(DOLTHUB, {}).splitlines()
    bad = good.replace("420.00", "x")
    path.write_text(f"\n{header}\n\n{good}\n1,2\n,,,\n{bad}\n{good},9\n")
    _, (report,) = imported(tmp_path, path)
    assert report.rejected == (
        RejectedLine(5, "has 2 cells where the header has 13"),
        RejectedLine(7, "strike is not a number"),
        RejectedLine(8, "has 14 cells where the header has 13"),
    )
    assert (report.rows_read, report.kept) == (4, 1)


def test_what_matters_less_and_cannot_be_read_is_left_empty_and_counted(tmp_path: Path) -> None:
    cells = {"volume": "many", "open_interest": "12.5", "last": "x", "delta": "1e999", "rho": "9" * 500}
    store, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, cells))
    row = store.load("GLD", DAY).row(0, named=True)
    assert [row[name] for name in ("volume", "open_interest", "last", "delta_vendor", "rho_vendor")] == [None] * 5
    assert {f"1 unreadable value of {name} left empty" for name in ("volume", "open_interest", "last")} <= set(
        report.remarks
    )


@pytest.mark.parametrize("count", ["-1", "1e19", "99999999999999999999999"])
def test_a_count_beyond_all_bounds_is_left_empty(tmp_path: Path, count: str) -> None:
    store, _ = imported(tmp_path, a_file(tmp_path, CBOE, {"bid_size_eod": count, "trade_volume": count}))
    row = store.load("GLD", DAY).row(0, named=True)
    assert (row["bid_size"], row["volume"], row["ask_size"]) == (None, None, 22)


# twins


def test_a_row_repeated_word_for_word_is_taken_once(tmp_path: Path) -> None:
    store, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, {}, {}, {}))
    assert store.load("GLD", DAY)["flags"].to_list() == [0]
    assert report.remarks == ("2 rows repeated word for word, each taken once",)


@pytest.mark.parametrize(
    ("first", "second", "bid"),
    [
        ({"bid": ""}, {"bid": 6.05}, 6.05),
        ({"bid": 6.05}, {"ask": ""}, 6.05),
        ({"bid": 9.0}, {"bid": 6.05}, 6.05),  # above its ask
        ({"bid": 6.0}, {"bid": 6.05}, 6.0),
        ({"bid": 6.0}, {"bid": 6.05, "quote_ts_utc": "2026-05-14T21:31:00Z"}, 6.05),
    ],
)
def test_of_two_quotes_of_a_contract_the_better_is_kept_and_marked(
    tmp_path: Path, first: dict[str, object], second: dict[str, object], bid: float
) -> None:
    store, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, first, second))
    row = store.load("GLD", DAY).row(0, named=True)
    assert (row["bid"], QuoteFlag(row["flags"])) == (bid, QuoteFlag.DUPLICATE_RESOLVED)
    assert report.remarks == ("1 row of contracts that came more than once left aside for a better one",)
    assert report.kept == 1


# the same verdicts as one quote at a time


prices = st.one_of(st.none(), st.just(0.0), st.integers(1, 4000).map(lambda cents: cents / 100))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quotes=st.lists(st.tuples(prices, prices, st.sampled_from(["call", "put"])), min_size=1, max_size=30))
def test_flags_are_those_of_the_domain(quotes: list[tuple[float | None, float | None, str]]) -> None:
    cells = [
        {
            "strike": 400 + number,
            "bid": "" if bid is None else bid,
            "ask": "" if ask is None else ask,
            "type": right,
            "open_interest": 1,
        }
        for number, (bid, ask, right) in enumerate(quotes)
    ]
    _, reading = read_text(csv_text(PLAIN, *cells), "x.csv", Wish(), "", HOURS, TODAY)
    require_schema(reading.rows)
    priced = QuoteFlag.ZERO_BID | QuoteFlag.NO_BID | QuoteFlag.NO_ASK | QuoteFlag.CROSSED
    priced |= QuoteFlag.LOCKED | QuoteFlag.WIDE
    for row in reading.rows.iter_rows(named=True):
        flags = QuoteFlag(row["flags"])
        assert flags & priced == price_flags(row["bid"], row["ask"])
        quote = OptionQuote(contract_from_osi(row["osi"]), row["bid"], row["ask"])
        pays = payoff(quote.contract.right, quote.contract.strike, 430.0)
        assert (QuoteFlag.BELOW_INTRINSIC in flags) == (quote.mid is not None and quote.mid < pays)
        assert row["ask"] is None or row["ask"] > 0
        assert row["bid"] != 0 or row["ask"] is not None


# junk


JUNK: dict[str, bytes] = {
    "empty": b"",
    "blank": b"\n \n\n",
    "header only": csv_text(PLAIN).encode(),
    "binary": bytes(range(256)) * 10,
    "nulls": b"a,b\n\0\0,1\n",
    "latin-1": "strike;prämie\n1;2\n".encode("latin-1"),
    "utf-16": csv_text(PLAIN, {}).encode("utf-16"),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "half a gzip": gzip.compress(csv_text(PLAIN, {}).encode())[:60],
    "gzip of nothing": gzip.compress(b""),
    "no zip": b"PK\x03\x04" + bytes(50),
    "DBN": b"DBN\x03" + bytes(20),
    "one cell": b"x",
    "many separators": b",,,,,,\n,,,,,\n",
    "same names": b"bid,bid\n1,2\n",
    "no names": b"1,,\n2,3,4\n",
}


@pytest.mark.parametrize("content", JUNK.values(), ids=JUNK.keys())
def test_junk_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"junk\.csv"):
        imported(tmp_path, path)
    assert not (tmp_path / "data").exists()


def test_an_archive_without_data_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.pdf", b"x")
    with pytest.raises(InvalidInput, match="holds no CSV or JSON file"):
        imported(tmp_path, tmp_path / "a.zip")


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", csv_text(PLAIN, {}))
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the mark of encryption, in the member's own head
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # and in the directory
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"cannot be unpacked: .*password"):
        imported(tmp_path, path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultdash.market.observed.opening.MOST_BYTES", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"x" * 5000))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", b"x" * 5000)
    (tmp_path / "c.csv").write_bytes(b"x" * 5000)
    for name in ("a.csv.gz", "b.zip", "c.csv"):
        with pytest.raises(InvalidInput, match=r"more than .* unpacked; cut it in parts"):
            imported(tmp_path, tmp_path / name)


def test_a_header_without_quotes_around_or_with_them_is_the_same(tmp_path: Path) -> None:
    text = csv_text(THETA_EOD, {})
    marked = "\r\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines())
    (tmp_path / "q.csv").write_bytes(b"\xef\xbb\xbf" + marked.encode())
    _, (report,) = imported(tmp_path, tmp_path / "q.csv")
    assert (report.kept, report.rejected_count) == (1, 0)


def read(text: str) -> None:
    """Reading ends in rows of the schema or in a sentence."""
    try:
        _, reading = read_text(text, "junk.csv", Wish(symbol="GLD"), "", HOURS, TODAY)
    except InvalidInput:
        return
    require_schema(reading.rows)
    assert reading.rows_read >= reading.rows.height


@settings(max_examples=40, deadline=None)
@given(
    header=st.sampled_from([PLAIN, THETA_EOD, CBOE, DOLTHUB]),
    cells=st.lists(
        st.one_of(
            st.text(max_size=12),
            st.integers().map(str),
            st.floats().map(str),
            st.dates().map(str),
            st.datetimes().map(str),
            st.sampled_from(["", "GLD", "C", "put", "2026-05-14", "20260618", "420", "1e308", "-0", "9" * 400]),
        ),
        max_size=80,
    ),
)
def test_any_cells_end_in_rows_or_in_reasons(header: str, cells: list[str]) -> None:
    width = header.count(",") + 1
    rows = [cells[start : start + width] for start in range(0, len(cells), width)]
    read("\n".join([header, *(",".join(row) for row in rows)]))


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_ends_in_rows_or_in_a_sentence(text: str) -> None:
    read(text)


def test_a_sound_file_with_any_byte_changed_ends_in_rows_or_in_a_sentence() -> None:
    chance = random.Random(5)
    sound = csv_text(PLAIN, {}, {"strike": 425}, {"type": "call"})
    for _ in range(40):
        place = chance.randrange(len(sound))
        read(sound[:place] + chr(chance.randrange(1, 0x250)) + sound[place + 1 :])


def test_a_day_that_was_no_session_is_kept_and_named(tmp_path: Path) -> None:
    rows = [{"quote_date": "2026-05-22"}, {"quote_date": "2026-05-25"}, {"quote_date": "2026-05-28"}]
    _, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, *rows))
    assert report.other_days == (date(2026, 5, 25),)
    assert report.missing_sessions == (date(2026, 5, 26), date(2026, 5, 27))


def test_a_file_without_a_sound_row_stores_nothing(tmp_path: Path) -> None:
    store, (report,) = imported(tmp_path, a_file(tmp_path, PLAIN, {"strike": "x"}))
    assert (report.kept, report.sessions, reasons([report])) == (0, (), {"strike is not a number": 1})
    assert store.sessions() == []
