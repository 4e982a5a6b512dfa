"""The named falls are those of the market data, and what may not be a fall is refused."""

import csv
from datetime import date
from pathlib import Path

import pytest

from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.selloff import SELLOFFS, Selloff, selloff


def test_the_named_falls_are_there_with_ids_of_their_own() -> None:
    ids = [fall.id for fall in SELLOFFS]
    assert len(set(ids)) == len(ids)
    assert {"jan-2026", "apr-2013", "mar-2020", "2022", "2008"} <= set(ids)
    assert sum(fall.is_deepest for fall in SELLOFFS) == 10


def test_every_fall_says_what_happened_and_where_its_figures_are_from() -> None:
    for fall in SELLOFFS:
        assert fall.told.endswith("."), fall.name
        assert "GLD" in fall.source
        assert -0.5 < fall.depth < -0.05


def test_a_fall_is_found_by_its_id() -> None:
    assert selloff("apr-2013").trough_on == date(2013, 4, 15)
    assert selloff("April-2013") is selloff("apr-2013")
    assert selloff("january-july-2026").id == "jan-jul-2026"
    with pytest.raises(NotFound, match="jan-2026"):
        selloff("1929")


@pytest.mark.parametrize(
    ("peak", "trough", "closes"),
    [
        (date(2026, 2, 2), date(2026, 1, 29), (495.9, 427.13)),
        (date(2026, 1, 29), date(2026, 2, 2), (427.13, 495.9)),
        (date(2026, 1, 29), date(2026, 2, 2), (427.13, 0.0)),
    ],
)
def test_what_is_no_fall_is_refused(peak: date, trough: date, closes: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput):
        Selloff("x", "x", peak, trough, *closes, "told.")


def test_the_figures_are_those_of_the_market_data(shared_data: Path) -> None:
    closes = {}
    with (shared_data / "gld_daily.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            closes[date.fromisoformat(row["date"])] = float(row["close"])
    for fall in SELLOFFS:
        window = {day: close for day, close in closes.items() if fall.peak_on <= day <= fall.trough_on}
        assert round(window[fall.peak_on], 2) == fall.peak_close == round(max(window.values()), 2), fall.name
        assert round(window[fall.trough_on], 2) == fall.trough_close == round(min(window.values()), 2), fall.name


def test_the_ten_deepest_are_those_found_by_an_independent_zigzag(shared_data: Path) -> None:
    with (shared_data / "gld_daily.csv").open(encoding="utf-8") as file:
        rows = [(date.fromisoformat(row["date"]), float(row["close"])) for row in csv.DictReader(file)]
    falls, high, low, falling = [], rows[0], rows[0], False
    for day in rows:
        if falling:
            low = min(low, day, key=lambda each: each[1])
            if day[1] >= low[1] * 1.1:
                falls.append((low[1] / high[1] - 1, high[0], low[0]))
                falling, high = False, day
        else:
            high = max(high, day, key=lambda each: each[1])
            if day[1] <= high[1] * 0.9:
                falling, low = True, day
    falls.append((low[1] / high[1] - 1, high[0], low[0]))
    deepest = {(begin, end) for _, begin, end in sorted(falls)[:10]}
    assert deepest == {(fall.peak_on, fall.trough_on) for fall in SELLOFFS if fall.is_deepest}
