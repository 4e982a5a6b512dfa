"""How a sweep is cut into pieces: nothing twice, nothing left out, and as large as a worker is quick."""

from vaultdash.services.sweep_pace import CHUNK_SECONDS, FIRST_SIZE, MOST_SIZE, Pace, gaps


def test_gaps_are_the_points_without_a_row() -> None:
    row: list[object] = [1.0]
    rows = [None, row, None, None, row, row, None]
    assert gaps(rows) == [(0, 1), (2, 4), (6, 7)]  # type: ignore[arg-type]
    assert gaps([row, row]) == []  # type: ignore[list-item]
    assert gaps([None] * 3) == [(0, 3)]


def test_spans_cover_each_gap_once_whatever_the_pace() -> None:
    pace = Pace([(3, 400), (410, 411), (1_000, 9_000)])
    covered: list[int] = []
    for number, (first, last) in enumerate(pace.spans()):
        covered.extend(range(first, last))
        pace.done(last - first, now=float(number), workers=2)
    assert covered == [*range(3, 400), 410, *range(1_000, 9_000)]
    assert [point for first, last in pace.taken for point in range(first, last)] == covered


def test_pieces_grow_to_what_a_worker_does_in_a_fraction_of_a_second() -> None:
    pace = Pace([(0, 10_000_000)])
    spans, now, sizes = pace.spans(), 0.0, []
    for _ in range(200):
        first, last = next(spans)
        sizes.append(last - first)
        now += (last - first) / 5_000 / 2  # two workers, each 5,000 points a second
        pace.done(last - first, now, workers=2)
    assert sizes[0] == FIRST_SIZE
    assert abs(sizes[-1] - 5_000 * CHUNK_SECONDS) < 100


def test_pieces_of_slow_points_are_one_point_and_of_quick_ones_have_a_limit() -> None:
    slow, quick = Pace([(0, 1_000)]), Pace([(0, 10_000_000)])
    for pace, seconds in ((slow, 10.0), (quick, 1e-9)):
        spans, now = pace.spans(), 0.0
        for _ in range(30):
            first, last = next(spans)
            now += (last - first) * seconds
            pace.done(last - first, now, workers=1)
    assert slow.taken[-1][1] - slow.taken[-1][0] == 1
    assert quick.taken[-1][1] - quick.taken[-1][0] == MOST_SIZE
