"""Imported prices: every row is taken, remarked on, or rejected with its reason."""

import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.new_york import HOURS
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import Bar
from vaultdash.storage.base import ImportReport
from vaultdash.storage.price_csv import read_price_csv, symbol_in_name

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TODAY = date(2026, 8, 24)
needs_shared_data = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared market data")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, content: str | bytes, symbol: str = "GLD", **options: object) -> ImportReport:
    path = folder / "prices.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_price_csv(path, symbol, today=TODAY, **options)  # type: ignore[arg-type]


def reasons(report: ImportReport) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in report.rejected]


def test_a_plain_file_is_taken_whole(folder: Path) -> None:
    report = read(folder, "date,open,high,low,close,volume\n2026-08-20,410,416.45,409.82,415.26,13900940\n")
    assert report.history.bars == (Bar(date(2026, 8, 20), 415.26, 410.0, 416.45, 409.82, 13900940.0),)
    assert (report.history.symbol, report.history.source) == ("GLD", "prices.csv, imported")
    assert (report.rows_read, report.rejected, report.remarks) == (1, (), ())


def test_date_and_close_are_enough(folder: Path) -> None:
    assert read(folder, "Close,DATE\n415.26,2026-08-20\n").history.bars == (Bar(date(2026, 8, 20), 415.26),)


def test_rows_are_put_in_order(folder: Path) -> None:
    report = read(folder, "date,close\n2026-08-21,3\n2026-08-19,1\n2026-08-20,2\n")
    assert [bar.close for bar in report.history.bars] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffdate,close\r\n2026-08-20,415.26\r\n",
        '"Date","Close"\n"2026-08-20","415.26"\n',
        "date;close\n2026-08-20;415,26\n",
        "date\tclose\n2026-08-20\t415.26\n",
        "date,close\r2026-08-20,415.26\r",
        "\n\ndate, close\n\n2026-08-20 , 415.26 \n,\n\n",
        "Date,Close,Adj Close\n2026-08-20 00:00:00-04:00,415.26,1.0\n",
        "Date,Close/Last,Volume\n2026-08-20T00:00:00Z,$415.26,\n",
        'date,close\n2026-08-20,"$ 415.26"\n',
        "date,close,\n2026-08-20,415.26,\n",
        "date,close\n2026-08-20,415.26,extra\n",
    ],
)
def test_many_dialects_say_the_same(folder: Path, content: str) -> None:
    report = read(folder, content)
    assert [(bar.on, bar.close) for bar in report.history.bars] == [(date(2026, 8, 20), 415.26)]
    assert report.rejected == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.56", 1234.56),
        ("1.234,56", 1234.56),
        ("$4,475.80", 4475.8),
        ("4.1526e2", 415.26),
        (".5", 0.5),
        ("+5.", 5.0),
        ("1 234.5", 1234.5),
    ],
)
def test_numbers_are_read_as_written(folder: Path, text: str, value: float) -> None:
    assert read(folder, f'date,close\n2026-08-20,"{text}"\n').history.bars[0].close == value


def closes(report: ImportReport) -> list[float]:
    assert report.rejected == ()
    return [bar.close for bar in report.history.bars]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (("413,35",), [413.35]),
        (("413,3", "413,3451"), [413.3, 413.3451]),
        (("413,345",), [413.345]),
        (("413,345", "415"), [413.345, 415.0]),
        (("413,35", "413,345"), [413.35, 413.345]),
        (("1.234,56",), [1234.56]),
        (("1.234,56", "1.234"), [1234.56, 1234.0]),
        (("1.234.567,5", "0,345"), [1234567.5, 0.345]),
        (("1,234.56",), [1234.56]),
        (("1,234.56", "1,234"), [1234.56, 1234.0]),
        (("413.35", "413.345"), [413.35, 413.345]),
        (("413.345",), [413.345]),
        (("1234", "1235"), [1234.0, 1235.0]),
    ],
)
def test_a_file_has_one_decimal_mark_for_all_its_numbers(
    folder: Path, texts: tuple[str, ...], values: list[float]
) -> None:
    rows = "".join(f"2026-08-{18 + number};{text}\n" for number, text in enumerate(texts))
    assert closes(read(folder, f"date;close\n{rows}")) == values


def test_the_mark_of_one_column_holds_for_the_others(folder: Path) -> None:
    content = "date;open;high;low;close;volume\n2026-08-20;413,345;415,5;412,001;414,002;13.900.940\n"
    assert read(folder, content).history.bars == (
        Bar(date(2026, 8, 20), 414.002, 413.345, 415.5, 412.001, 13900940.0),
    )


@pytest.mark.parametrize(
    ("delimiter", "texts", "sentence"),
    [
        (";", ("413,35", "413.35"), "has numbers such as 413.35 and 413,35, with two decimal marks"),
        (";", ("1.234,56", "1,234.56"), "with two decimal marks"),
        (";", ("413,345", "413.345"), "has numbers such as 413,345 that could be read two ways"),
        (";", ("413,35", "413.345"), "has numbers such as 413.345 that could be read two ways"),
        (";", ("413.35", "413,345"), "has numbers such as 413,345 that could be read two ways"),
        ("\t", ("413,345",), "has numbers such as 413,345 that could be read two ways"),
        (",", ('"4,475"',), "has numbers such as 4,475 that could be read two ways; write them without thousands"),
        (",", ("413,35",), "has more numbers in line 2 than columns; write decimals with a dot"),
    ],
)
def test_numbers_that_could_be_read_two_ways_are_refused(
    folder: Path, delimiter: str, texts: tuple[str, ...], sentence: str
) -> None:
    rows = "".join(f"2026-08-{18 + number}{delimiter}{text}\n" for number, text in enumerate(texts))
    with pytest.raises(InvalidInput, match=re.escape(sentence)):
        read(folder, f"date{delimiter}close\n{rows}")


def test_american_dates_are_read_when_the_file_leaves_no_doubt(folder: Path) -> None:
    report = read(folder, "Date,Close/Last\n08/21/2026,$423.36\n08/05/2026,$400.00\n13/08/2026,$1.00\n")
    assert [bar.on for bar in report.history.bars] == [date(2026, 8, 5), date(2026, 8, 21)]
    assert reasons(report) == [(4, "unreadable date; write it as YYYY-MM-DD")]


def test_dates_with_the_day_first_are_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="day first; write them as YYYY-MM-DD"):
        read(folder, "date,close\n21/08/2026,423.36\n05/08/2026,400\n")


def test_dates_that_could_be_read_two_ways_are_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="05/08/2026 that could be read two ways"):
        read(folder, "date,close\n05/08/2026,400\n06/08/2026,401\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("someday,1,1,1,1", "unreadable date; write it as YYYY-MM-DD"),
        ("2026-02-30,1,1,1,1", "unreadable date; write it as YYYY-MM-DD"),
        (",1,1,1,1", "unreadable date; write it as YYYY-MM-DD"),
        ("0026-08-20,1,1,1,1", "unreadable date; write it as YYYY-MM-DD"),
        ("2026-08-25,1,1,1,1", "date in the future"),
        ("2026-08-22,1,1,1,1", "a Saturday, when no market trades"),
        ("2026-08-20,1,1,1,nan", "close is not a finite number"),
        ("2026-08-20,1,1,1,-inf", "close is not a finite number"),
        ("2026-08-20,1,1,1,1e999", "close is not a finite number"),
        ("2026-08-20,1,1,1,0", "close is not above zero"),
        ("2026-08-20,1,1,1,-5", "close is not above zero"),
        ("2026-08-20,1,1,1,abc", "close is not a number"),
        ("2026-08-20,1,1,1,1.2.3", "close is not a number"),
        ("2026-08-20,1,1,1,0x10", "close is not a number"),
        ("2026-08-20,1,1,1,١٢", "close is not a number"),
        ("2026-08-20,x,1,1,1", "open is not a number"),
        ("2026-08-20,10,9,11,10", "high is below low"),
        ("2026-08-20,10,11,9,11.01", "close is above high"),
        ("2026-08-20,10,11,9,8.99", "close is below low"),
        ("2026-08-20,11.01,11,9,10", "open is above high"),
        ("2026-08-20,8.99,11,9,10", "open is below low"),
        ("2026-08-20,10,11", "has 3 cells where the header has 5"),
    ],
)
def test_an_impossible_row_is_rejected_with_its_line_and_reason(folder: Path, row: str, reason: str) -> None:
    report = read(folder, f"date,open,high,low,close\n2026-08-19,1,1,1,1\n{row}\n2026-08-21,1,1,1,1\n")
    assert [(bad.line, bad.text, bad.reason) for bad in report.rejected] == [(3, row, reason)]
    assert [bar.on.day for bar in report.history.bars] == [19, 21]
    assert report.rows_read == 3


def test_half_a_cent_outside_the_range_is_rounding(folder: Path) -> None:
    assert read(folder, "date,open,high,low,close\n2026-08-20,10,11,9,11.005\n").rejected == ()


def test_rates_may_be_zero_or_negative_and_prices_may_not(folder: Path) -> None:
    content = "date,close\n2026-08-19,-0.05\n2026-08-20,0\n"
    assert read(folder, content, "^IRX").rejected == ()
    assert len(read(folder, content, "^GVZ").rejected) == 2


def test_a_day_without_a_value_is_skipped_with_a_remark(folder: Path) -> None:
    report = read(folder, "observation_date,irx\n2026-08-18,3.6\n2026-08-19,\n2026-08-20,.\n2026-08-22,\n", "^IRX")
    assert len(report.history.bars) == 1
    assert report.rejected == ()
    assert report.remarks == ("3 rows without a value skipped",)


def test_the_same_row_twice_is_a_remark(folder: Path) -> None:
    report = read(folder, "date,close\n2026-08-20,1\n2026-08-20,1.00\n")
    assert (len(report.history.bars), report.rejected) == (1, ())
    assert report.remarks == ("1 row repeated word for word, each taken once",)


def test_a_row_that_contradicts_an_earlier_one_is_rejected(folder: Path) -> None:
    report = read(folder, "date,close\n2026-08-20,1\n2026-08-20,2\n")
    assert report.history.bars[0].close == 1.0
    assert reasons(report) == [(3, "another row of 2026-08-20 says 1; the first is kept")]


def test_an_unreadable_volume_costs_only_the_volume(folder: Path) -> None:
    report = read(folder, "date,close,volume\n2026-08-20,1,14.5M\n2026-08-21,1,7\n")
    assert [bar.volume for bar in report.history.bars] == [None, 7.0]
    assert report.remarks == ("1 row with an unreadable volume, taken without it",)


def test_a_large_move_is_a_remark_except_in_rates(folder: Path) -> None:
    content = "date,close\n2026-08-18,100\n2026-08-19,121\n2026-08-20,60\n"
    assert read(folder, content).remarks == (
        "2 moves above 20 % from one row to the next, the largest -50.4% on 2026-08-20",
    )
    assert read(folder, content, "SOFR").remarks == ()


def test_missing_and_additional_days_are_remarks_when_the_calendar_is_known(folder: Path) -> None:
    content = "date,close\n2026-07-01,1\n2026-07-03,1\n2026-07-06,1\n"
    assert read(folder, content).remarks == ()
    assert read(folder, content, hours=HOURS).remarks == (
        "1 trading day missing: 2026-07-02",
        "1 row of days without a New York session: 2026-07-03",
    )


def test_days_before_the_calendar_are_not_judged(folder: Path) -> None:
    assert read(folder, "date,close\n1999-12-25,1\n2000-01-03,1\n", "GC=F", hours=HOURS).remarks == ()


def test_the_value_column_is_named_like_the_symbol_when_there_is_no_close(folder: Path) -> None:
    content = "date,irx,sofr\n2026-06-08,3.5,3.6\n"
    assert read(folder, content, "^IRX").history.bars[0].close == 3.5
    assert read(folder, content, "SOFR").history.bars[0].close == 3.6


def test_a_named_column_beats_close_and_takes_nothing_else_of_the_row(folder: Path) -> None:
    report = read(folder, "date,close,high,USD_PM\n2026-06-08,3,4,1800\n", column="usd_pm")
    assert report.history.bars == (Bar(date(2026, 6, 8), 1800.0),)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"  \r\n\n ", "is empty"),
        (b",,,\n,,\n", "is empty"),
        (b"date,close\n", "has a header but no rows"),
        (b"date,usd_am,usd_pm\n2026-01-02,1,2\n", r"has no column close \(or gld\); it has date, usd_am, usd_pm"),
        (b"time,close\n2026-01-02,1\n", "has no column date; it has time, close"),
        (b"a,b\n1,2\n", r"has no column date and no column close \(or gld\); it has a, b"),
        (b"2026-01-02,1\n2026-01-05,2\n", "has no header line"),
        (b"date,close,close\n2026-01-02,1,2\n", "has more than one column close"),
        (b"\x1f\x8b\x08\x00\xff\xfe garbage", "is not a text file"),
        (b"PAR1\x00\x00\x00", "is not a text file"),
        ("date,close\n2026-01-02,1\n".encode("utf-16"), "is not a text file"),
        (b"<html><body>Sign in</body></html>\n<p>", "has no column date"),
        (b'date,close\n2026-01-02,"1\n' + b"x" * 200_000, "is not a readable CSV file: line"),
        (b"date,close\n" + b"2026-01-02,1\n" * 200_001, "has more than 200,000 rows"),
    ],
)
def test_a_file_that_is_no_price_file_is_refused_with_what_to_do(folder: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=rf"prices\.csv {sentence}"):
        read(folder, content)


def test_a_missing_named_column_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="has no column usd; it has date, close"):
        read(folder, "date,close\n2026-01-02,1\n", column="USD")


def test_a_file_that_is_missing_or_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.csv cannot be read: No such file"):
        read_price_csv(folder / "none.csv", "GLD")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_price_csv(folder, "GLD")


def test_a_file_of_a_hundred_megabytes_is_refused_unread(folder: Path) -> None:
    path = folder / "big.csv"
    with path.open("wb") as file:
        file.truncate(100_000_001)
    with pytest.raises(InvalidInput, match=r"big\.csv has 100 MB"):
        read_price_csv(path, "GLD")


def test_an_impossible_symbol_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="symbol"):
        read(folder, "date,close\n2026-01-02,1\n", "../GLD")


def test_control_characters_of_a_file_never_reach_the_terminal(folder: Path) -> None:
    report = read(folder, "date,close\n\x1b[2Jboo,1\n2026-08-20,1\n")
    assert report.rejected[0].text == "·[2Jboo,1"


def test_a_file_without_a_sound_row_gives_an_empty_history_and_the_reasons(folder: Path) -> None:
    report = read(folder, "date,close\nx,1\ny,2\n")
    assert (report.rows_read, report.history.bars, len(report.rejected)) == (2, (), 2)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='date,close;\n"\r0123456789-./$ ', max_size=300).map(str.encode))
def test_any_file_gives_a_report_or_a_refusal(folder: Path, content: bytes) -> None:
    try:
        report = read(folder, b"date,close\n" + content)
    except InvalidInput:
        return
    assert report.rows_read >= len(report.history.bars) + len(report.rejected)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("gvz_daily.csv", "^GVZ"),
        ("GVZCLS.csv", "^GVZ"),
        ("rates_daily.csv", "^IRX"),
        ("irx.csv", "^IRX"),
        ("SOFR-2026.csv", "SOFR"),
        ("IAU (1).csv", "IAU"),
        ("my.gldm.csv", "GLDM"),
        ("sgol.csv", "SGOL"),
        ("gc_futures_daily.csv", "GC=F"),
        ("gld_daily.csv", "GLD"),
        ("prices.csv", None),
        ("golden_iaunch.csv", None),
    ],
)
def test_a_file_name_speaks_of_its_symbol(name: str, symbol: str | None) -> None:
    assert symbol_in_name(Path(name)) == symbol


@needs_shared_data
def test_the_gold_file_is_taken_without_a_single_reject() -> None:
    HOURS.warm()
    started = time.perf_counter()
    report = read_price_csv(SHARED / "gld_daily.csv", "GLD", hours=HOURS)
    assert time.perf_counter() - started < 2.0  # about 0.07 s; the room is for busy machines
    assert (report.rows_read, len(report.history.bars), report.rejected, report.remarks) == (5_473, 5_473, (), ())
    assert report.history.between(date(2026, 1, 30), date(2026, 1, 30)).bars[0].close == 444.95
    assert report.history.source == "gld_daily.csv, imported"


@needs_shared_data
def test_the_volatility_file_is_taken_without_a_single_reject() -> None:
    report = read_price_csv(SHARED / "gvz_daily.csv", "^GVZ", hours=HOURS)
    assert (len(report.history.bars), report.rejected) == (4_527, ())
    assert "2 rows of days without a New York session: 2021-04-02, 2021-12-24" in report.remarks


@needs_shared_data
@pytest.mark.parametrize(("symbol", "bars"), [("^IRX", 6_641), ("SOFR", 2_055), ("DTB3", 6_560)])
def test_the_rates_file_is_taken_without_a_single_reject(symbol: str, bars: int) -> None:
    report = read_price_csv(SHARED / "rates_daily.csv", symbol, hours=HOURS)
    assert (len(report.history.bars), report.rejected) == (bars, ())


@needs_shared_data
def test_the_rates_file_is_not_taken_for_gold() -> None:
    with pytest.raises(InvalidInput, match=r"has no column close \(or gld\); it has date, dtb3, irx"):
        read_price_csv(SHARED / "rates_daily.csv", "GLD")
