"""What is kept of backtests: in memory by size, in the database by number and size."""

import json
from dataclasses import replace

from tests.services.test_backtest_words import a_comparison, nine
from tests.services.twins import Clock
from vaultdash.domain.record import RunKind, RunState, StoredRun
from vaultdash.services.backtest_keeping import ReportsInMemory, beyond_limits, size_of
from vaultdash.services.backtest_request import BacktestReport, BacktestRequest, FanEntry

REPORT = BacktestReport(BacktestRequest(), None, a_comparison(nine(3)), (), "")


def a_stored(number: int, size: int | None) -> StoredRun:
    summary = None if size is None else json.dumps({"bytes": size})
    return StoredRun(str(number), RunKind.BACKTEST, "a run", RunState.DONE, Clock()(), "{}", summary=summary)


def test_the_size_is_of_every_path_once() -> None:
    paths = 9 + 1  # nine hedges and the path without, of two days and twelve columns
    assert size_of(REPORT) == paths * 2 * 12 * 8
    other = a_comparison(nine(3))
    fan = (FanEntry(0, REPORT.comparison), FanEntry(3, other), FanEntry(6, None, "no price"))
    assert size_of(replace(REPORT, fan=fan)) == 2 * paths * 2 * 12 * 8


def test_results_used_longest_ago_make_room_and_the_newest_stays_however_large() -> None:
    room = ReportsInMemory(most_bytes=2 * size_of(REPORT))
    for name in ("a", "b"):
        room.put(name, REPORT)
    assert room.get("a") is REPORT  # now b is the one used longest ago
    room.put("c", REPORT)
    assert [name for name in "abc" if room.get(name)] == ["a", "c"]
    room.drop("a")
    assert room.get("a") is None
    tiny = ReportsInMemory(most_bytes=1)
    tiny.put("large", REPORT)
    assert tiny.get("large") is REPORT


def test_the_oldest_beyond_number_or_size_are_let_go() -> None:
    runs = [a_stored(number, 10) for number in range(5)]  # newest first
    assert beyond_limits(runs, most=5, most_bytes=50) == []
    assert beyond_limits(runs, most=3, most_bytes=50) == runs[3:]
    assert beyond_limits(runs, most=5, most_bytes=25) == runs[2:]
    assert beyond_limits([a_stored(0, 100), a_stored(1, None)], most_bytes=50) == [a_stored(1, None)]
