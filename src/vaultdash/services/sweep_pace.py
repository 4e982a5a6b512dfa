"""How large the pieces of a sweep are, and which points are still to be run."""

from collections.abc import Iterator, Sequence

from vaultdash.backtest.sweep import Row

FIRST_SIZE = 8  # points, until it is known how long one takes
MOST_SIZE = 4_000
CHUNK_SECONDS = 0.2  # of one worker: progress moves several times a second, and handing out costs nothing beside it
Span = tuple[int, int]


class Pace:
    """Hands out spans of points as large as a worker does in CHUNK_SECONDS, by how fast they have come so far."""

    def __init__(self, gaps: Sequence[Span]) -> None:
        self.taken: list[Span] = []  # by their place among the chunks
        self._gaps = gaps
        self._size = FIRST_SIZE
        self._points = 0
        self._since: float | None = None

    def spans(self) -> Iterator[Span]:
        """Every gap, in pieces of the size that fits at the moment at which each is taken."""
        for first, last in self._gaps:
            while first < last:
                end = min(last, first + self._size)
                self.taken.append((first, end))
                yield first, end
                first = end

    def done(self, points: int, now: float, workers: int) -> None:
        """So many points came back at `now`, seconds of any clock; the first ones count only as the beginning."""
        if self._since is None:
            self._since = now
            return
        self._points += points
        seconds = now - self._since
        if seconds > 0:
            fitting = self._points / seconds / workers * CHUNK_SECONDS
            self._size = int(min(max(fitting, 1), MOST_SIZE, 4 * self._size))  # not all at once


def gaps(rows: Sequence[Row | None]) -> list[Span]:
    """The spans of points that have no row yet."""
    found: list[Span] = []
    begin: int | None = None
    for number, row in enumerate(rows):
        if row is None and begin is None:
            begin = number
        elif row is not None and begin is not None:
            found.append((begin, number))
            begin = None
    if begin is not None:
        found.append((begin, len(rows)))
    return found
