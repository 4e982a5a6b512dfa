"""Daily prices from a CSV file: what could be read, which rows were not taken and why."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from vaultdash.clock import NEW_YORK, MarketHours, utc_now
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.storage.base import ImportReport, RejectedRow
from vaultdash.storage.price_remarks import remarks_on
from vaultdash.storage.price_rows import BadRow, RowReader, decimal_mark, read_day, require_clear_dates

MAX_BYTES = 100_000_000
DATE_HEADERS = ("date", "observation_date")
CLOSE_HEADERS = ("close", "close/last")
BAR_HEADERS = ("open", "high", "low", "volume")
MAX_ROWS = 200_000
SHOWN_CHARACTERS = 200

SYMBOL_WORDS = {
    "gld": "GLD",
    "iau": "IAU",
    "gldm": "GLDM",
    "sgol": "SGOL",
    "gvz": "^GVZ",
    "gvzcls": "^GVZ",
    "irx": "^IRX",
    "rates": "^IRX",
    "sofr": "SOFR",
    "gc": "GC=F",
}


def symbol_in_name(path: Path) -> str | None:
    """The symbol a file name speaks of, such as ^GVZ for gvz_daily.csv; None when it names none we know."""
    words = re.split(r"[^a-z0-9]+", path.stem.lower())
    return next((SYMBOL_WORDS[word] for word in words if word in SYMBOL_WORDS), None)


def read_price_csv(
    path: Path,
    symbol: str,
    column: str | None = None,
    today: date | None = None,
    hours: MarketHours | None = None,
) -> ImportReport:
    """Read a CSV with a date and a close column; blocking, about 10 microseconds a row.

    The value column is `column`, else close, else the symbol without ^ (irx for ^IRX). Dates are YYYY-MM-DD, or
    MM/DD/YYYY when the file leaves no doubt of it; all numbers have one decimal mark. InvalidInput when the file as
    a whole makes no sense. With `hours` the report remarks on missing sessions and on rows of other days.
    """
    name = clean_symbol(symbol)
    rows = _Rows(_text(path), path.name)
    columns = _columns(rows.header, name, column, path.name)
    today = today or utc_now().astimezone(NEW_YORK).date()
    require_clear_dates((row[columns["date"]] for _, row in rows.full), path.name)
    places = [place for part, place in columns.items() if part not in ("date", "volume")]
    decimal = decimal_mark((row[place] for _, row in rows.full for place in places), rows.delimiter, path.name)
    reader = RowReader(name, columns, today, decimal)
    bars: dict[date, Bar] = {}
    rejected = list(rows.short)
    without_value = repeated = 0
    for line, row in rows.full:
        try:
            bar = reader.bar(row)
            if bar is None:
                without_value += 1
            elif bar.on not in bars:
                bars[bar.on] = bar
            elif bars[bar.on] == bar:
                repeated += 1
            else:
                raise BadRow(f"another row of {bar.on} says {bars[bar.on].close:g}; the first is kept")
        except BadRow as bad:
            rejected.append(RejectedRow(line, _shown(row), str(bad)))
    ordered = tuple(bars[day] for day in sorted(bars))
    history = PriceHistory(name, f"{_printable(path.name)}, imported", ordered)
    remarks = remarks_on(history, without_value, repeated, reader.odd_volumes, hours)
    rejected.sort(key=lambda bad: bad.line)
    return ImportReport(history, len(rows.full) + len(rows.short), tuple(rejected), remarks)


class _Rows:
    """The cells of a file: its header, its full rows with their line numbers, and rows too short to be one."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        first = next((line for line in text.splitlines() if line.strip(' \t,;"')), "")
        self.delimiter = max(",;\t", key=first.count)
        self.header: list[str] = []
        self.full: list[tuple[int, list[str]]] = []
        self.short: list[RejectedRow] = []
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, skipinitialspace=True)
        try:
            for row in reader:
                self._take(reader.line_num, row)
        except csv.Error as error:
            raise InvalidInput(name, f"is not a readable CSV file: line {reader.line_num}: {error}") from error
        if not self.header:
            raise InvalidInput(name, "is empty; it needs a header line with date and close, and a line for each day")
        if not self.full and not self.short:
            raise InvalidInput(name, "has a header but no rows; export it again with its prices")

    def _take(self, line: int, row: list[str]) -> None:
        if not any(cell.strip() for cell in row):
            return
        if len(self.full) + len(self.short) >= MAX_ROWS:
            raise InvalidInput(self._name, f"has more than {MAX_ROWS:,} rows; these are no daily prices")
        if not self.header:
            self.header = [cell.strip().strip('"').lower() for cell in row]
        elif len(row) >= len(self.header):
            if self.delimiter == "," and any(cell.strip().isdigit() for cell in row[len(self.header) :]):
                raise InvalidInput(
                    self._name,
                    f"has more numbers in line {line} than columns; write decimals with a dot, or quote them",
                )
            self.full.append((line, row))
        else:
            reason = f"has {len(row)} cells where the header has {len(self.header)}"
            self.short.append(RejectedRow(line, _shown(row), reason))


def _text(path: Path) -> str:
    """The text of the file; InvalidInput says what to do when there is none in it."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InvalidInput(
                path.name, f"has {size / 1e6:,.0f} MB; daily prices need less than 100. Cut it in parts"
            )
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(path.name, f"cannot be read: {error.strerror or error}") from error
    if not content.strip():
        raise InvalidInput(path.name, "is empty; it needs a header line with date and close, and a line for each day")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(path.name, "is not a text file in UTF-8; unpack it, or save it as CSV UTF-8") from error
    if "\0" in text:
        raise InvalidInput(path.name, "is not a text file; unpack it, or save it as CSV UTF-8")
    return text


def _columns(header: Sequence[str], symbol: str, column: str | None, name: str) -> dict[str, int]:
    """Places of date, value and, beside a close, of the rest of the bar."""
    present = f"it has {', '.join(map(_printable, header))}"
    if any(read_day(cell) for cell in header):
        raise InvalidInput(name, "has no header line; put one first, such as date,close")
    day = next((title for title in DATE_HEADERS if title in header), None)
    wanted = [column.strip().lower()] if column else [*CLOSE_HEADERS, symbol.removeprefix("^").lower()]
    value = next((title for title in wanted if title in header), None)
    missing = ["date"] if day is None else []
    if value is None:
        missing.append(wanted[0] if column else f"close (or {wanted[-1]})")
    if day is None or value is None:
        raise InvalidInput(name, f"has no column {' and no column '.join(missing)}; {present}")
    rest = BAR_HEADERS if value in CLOSE_HEADERS else ()
    chosen = {"date": day, "value": value} | {title: title for title in rest if title in header}
    for title in chosen.values():
        if header.count(title) > 1:
            raise InvalidInput(name, f"has more than one column {title}; keep one")
    return {part: header.index(title) for part, title in chosen.items()}


def _shown(row: Sequence[str]) -> str:
    return _printable(",".join(row))


def _printable(text: str) -> str:
    """Text of a file made fit for a terminal."""
    return "".join(sign if sign.isprintable() else "·" for sign in text[:SHOWN_CHARACTERS])
