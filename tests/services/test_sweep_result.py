"""Rows as they are kept: plain JSON whatever their number, and read back bit by bit."""

import json
import math
import zlib

import pytest

from vaultdash.backtest.sweep import FIGURES, Row
from vaultdash.services.sweep_result import AT_ONCE, packed_part, unpacked_part


def a_row(number: int) -> Row:
    return (*(math.sqrt(number + place) for place in range(len(FIGURES))), None)


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE - 1])
def test_rows_are_the_same_json_in_pieces_as_in_one(count: int) -> None:
    rows = [a_row(number) for number in range(count)]
    content = packed_part("same", 7, rows)
    assert json.loads(zlib.decompress(content)) == ["same", 7, [list(row) for row in rows]]
    assert unpacked_part("same", content) == (7, [list(row) for row in rows])
    assert unpacked_part("other", content) is None
