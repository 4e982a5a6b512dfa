"""How many backtests are kept: results in memory by their size, runs in the database by number and size."""

import json
from collections.abc import Sequence
from dataclasses import fields

from vaultdash.backtest.result import BacktestRun, Series
from vaultdash.domain.record import StoredRun
from vaultdash.services.backtest_request import BacktestReport

KEPT_RUNS = 200
KEPT_BYTES = 2_000_000_000  # of results in the database, packed
BYTES_IN_MEMORY = 150_000_000  # of results that were read last; the newest stays however large it is
_ARRAYS = len(fields(Series)) - 1  # all but the days
_NUMBER, _TRADE = 8, 400  # bytes


class ReportsInMemory:
    """The results that were used last: a page and its files ask for the same one."""

    def __init__(self, most_bytes: int = BYTES_IN_MEMORY) -> None:
        self._most = most_bytes
        self._kept: dict[str, tuple[BacktestReport, int]] = {}  # the last used stands last

    def get(self, run_id: str) -> BacktestReport | None:
        """The result, from now on the last used; None when it must be read."""
        known = self._kept.pop(run_id, None)
        if known is None:
            return None
        self._kept[run_id] = known
        return known[0]

    def put(self, run_id: str, report: BacktestReport) -> None:
        """Keep one; those used longest ago make room."""
        self.drop(run_id)
        self._kept[run_id] = (report, size_of(report))
        while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self._most:
            del self._kept[next(iter(self._kept))]

    def drop(self, run_id: str) -> None:
        """Forget one, if it is there."""
        self._kept.pop(run_id, None)


def size_of(report: BacktestReport) -> int:
    """About how many bytes a result takes in memory."""
    found = [report.comparison, *(each.comparison for each in report.fan if each.months > 0)]
    runs: list[BacktestRun] = []
    for comparison in found:
        if comparison is not None:
            repaid = [run for run in comparison.repaid if run is not None]
            runs += [*comparison.runs, comparison.unhedged, *repaid]
    return sum(len(run.series.days) * _ARRAYS * _NUMBER + len(run.trades) * _TRADE for run in runs)


def beyond_limits(ended: Sequence[StoredRun], most: int = KEPT_RUNS, most_bytes: int = KEPT_BYTES) -> list[StoredRun]:
    """Of ended runs, newest first, those that are removed: the oldest beyond the number and the size that are kept.

    The newest always stays.
    """
    total, gone = 0, []
    for place, run in enumerate(ended):
        total += 0 if run.summary is None else int(json.loads(run.summary).get("bytes", 0))
        if place >= most or (place > 0 and total > most_bytes):
            gone.append(run)
    return gone
