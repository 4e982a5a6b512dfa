"""Tables as CSV that a spreadsheet reads as what they are: numbers exact, text never a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

# a cell that begins so is run as a formula by one spreadsheet or another; the last four are full-width forms
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Value = str | float | int | bool | date | datetime | Sequence[str] | None


def spreadsheet_csv(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    """RFC 4180: commas, CRLF, quotes where they are needed; see `cell` for what stands in it."""
    written = io.StringIO(newline="")
    lines = csv.writer(written)
    lines.writerow(header)
    lines.writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()


def cell(value: Value) -> object:
    """What is written for a value.

    Numbers with as many digits as it takes to read back the same float, also negative ones; times as ISO 8601 with
    the zone, UTC as Z; nothing for None; several words with a space between. Text that a spreadsheet would take for
    a formula begins with an apostrophe.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, date):
        return value.isoformat().replace("+00:00", "Z")
    text = value if isinstance(value, str) else " ".join(value)
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else str(text)
