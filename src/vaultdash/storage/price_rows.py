"""One row of a price file: its day, its numbers, and what makes it impossible."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.market import Bar

# Per cent a year, which may be zero or negative; everything else is a price or an index above zero.
RATE_SYMBOLS = frozenset({"^IRX", "^FVX", "^TNX", "^TYX", "SOFR", "EFFR", "DTB3", "RF"})
NO_VALUE = frozenset({"", ".", "-", "null", "n/a", "na", "#n/a"})
HALF_A_CENT = 0.005 + 1e-9
EARLIEST = date(1900, 1, 1)

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+|[+-]?\d{1,3}(,\d{3}){2,}", re.ASCII)
_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_SWAP = str.maketrans(",.", ".,")


class BadRow(Exception):
    """Why a row is not taken."""


def require_clear_dates(texts: Iterable[str], file_name: str) -> None:
    """Refuse a file whose slashed dates have the day first, or could be read either way."""
    matches = [match for match in map(_SLASHED.fullmatch, map(str.strip, texts)) if match]
    if not matches or any(int(match[2]) > 12 for match in matches):
        return
    if any(int(match[1]) > 12 for match in matches):
        raise InvalidInput(file_name, "has dates with the day first; write them as YYYY-MM-DD")
    raise InvalidInput(file_name, f"has dates such as {matches[0][0]} that could be read two ways; write YYYY-MM-DD")


class RowReader:
    """Turns the cells of a row into a bar."""

    def __init__(self, symbol: str, columns: dict[str, int], today: date, decimal: str = ".") -> None:
        self._is_rate = symbol in RATE_SYMBOLS
        self._decimal = decimal
        self._columns = columns
        self._today = today
        self.odd_volumes = 0

    def bar(self, row: Sequence[str]) -> Bar | None:
        """The bar of a row, None when it has no value that day; BadRow when it cannot be true."""
        close = self._price(row, "value", "close")
        if close is None:
            return None
        on = self._day(row[self._columns["date"]])
        open_, high, low = (self._price(row, part, part) for part in ("open", "high", "low"))
        _require_order(open_, high, low, close)
        return Bar(on, close, open_, high, low, self._volume(row))

    def _day(self, text: str) -> date:
        on = read_day(text)
        if on is None or on < EARLIEST:
            raise BadRow("unreadable date; write it as YYYY-MM-DD")
        if on > self._today:
            raise BadRow("date in the future")
        if on.weekday() >= 5:
            raise BadRow(f"a {on:%A}, when no market trades")
        return on

    def _price(self, row: Sequence[str], part: str, title: str) -> float | None:
        place = self._columns.get(part)
        if place is None:
            return None
        text = row[place].strip()
        if text.lower() in NO_VALUE:
            return None
        value = number(text, self._decimal)
        if value is None:
            raise BadRow(f"{title} is not a number")
        if not math.isfinite(value):
            raise BadRow(f"{title} is not a finite number")
        if value <= 0 and not self._is_rate:
            raise BadRow(f"{title} is not above zero")
        return value

    def _volume(self, row: Sequence[str]) -> float | None:
        place = self._columns.get("volume")
        if place is None or row[place].strip().lower() in NO_VALUE:
            return None
        value = number(row[place].strip(), self._decimal)
        if value is None or not math.isfinite(value) or value < 0:
            self.odd_volumes += 1
            return None
        return value


def read_day(text: str) -> date | None:
    """A date as YYYY-MM-DD (a time after it is ignored) or MM/DD/YYYY; None when it is neither."""
    text = text.strip()
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _SLASHED.fullmatch(text):
            return date(int(match[3]), int(match[1]), int(match[2]))
    except ValueError:
        return None
    return None


def number(text: str, decimal: str = ".") -> float | None:
    """A number with or without $ and thousands marks, its decimals after `decimal`; None when it is none.

    It may be NaN.
    """
    text = _bare(text, decimal)
    if _PLAIN.fullmatch(text):
        return float(text)
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return math.nan
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    return None


def decimal_mark(texts: Iterable[str], delimiter: str, file_name: str) -> str:
    """The mark before the decimals of all numbers of a file, `.` or `,`; InvalidInput when it cannot be told.

    413,345 alone is read as a decimal in a file whose cells are parted by `;`, and refused elsewhere.
    """
    marked = [text for text in map(str.strip, texts) if "," in text or "." in text]
    if not any("," in text for text in marked):
        return "."
    found = {mark: [text for text in marked if _decides(_bare(text, mark))] for mark in ".,"}
    if found["."] and found[","]:
        both = f"{found['.'][0]} and {found[','][0]}"
        raise InvalidInput(file_name, f"has numbers such as {both}, with two decimal marks; write all with one")
    doubtful = {mark: [text for text in marked if _TWO_WAYS.fullmatch(_bare(text, mark))] for mark in ".,"}
    for mark in ".,":
        if found[mark] and not (doubtful[mark] and not any(_GROUPED.fullmatch(_bare(text, mark)) for text in marked)):
            return mark
    if not found["."] and not found[","] and not (doubtful["."] and doubtful[","]):
        if not doubtful["."]:
            return "."
        if delimiter == ";":
            return ","
    example = (doubtful["."] or doubtful[","])[0]
    raise InvalidInput(
        file_name,
        f"has numbers such as {example} that could be read two ways; "
        "write them without thousands marks and with a dot before the decimals",
    )


def _decides(text: str) -> bool:
    """Whether a bare number can be read with its decimals after the dot alone."""
    if not ("." in text or "," in text) or _TWO_WAYS.fullmatch(text):
        return False
    is_number = _PLAIN.fullmatch(text) or _THOUSANDS.fullmatch(text)
    return bool(is_number) and not _TWO_WAYS.fullmatch(text.translate(_SWAP))


def _bare(text: str, decimal: str) -> str:
    """A number as text without $ and spaces, as if its decimals stood after a dot."""
    text = text.replace("$", "").replace(" ", "")
    return text.translate(_SWAP) if decimal == "," else text


def _require_order(open_: float | None, high: float | None, low: float | None, close: float) -> None:
    """Refuse a bar whose close or open lies outside its low and high by more than half a cent."""
    if high is not None and low is not None and high < low - HALF_A_CENT:
        raise BadRow("high is below low")
    for title, value in (("close", close), ("open", open_)):
        if value is not None and high is not None and value > high + HALF_A_CENT:
            raise BadRow(f"{title} is above high")
        if value is not None and low is not None and value < low - HALF_A_CENT:
            raise BadRow(f"{title} is below low")
