"""Prices of another instrument are noticed before they replace anything."""

from datetime import date, timedelta

import pytest

from tests.builders import a_history
from vaultdash.storage.price_doubts import doubt

START = date(2026, 3, 2)


def closes(*values: float, start: date = START) -> dict[date, float]:
    return {start + timedelta(days=number): value for number, value in enumerate(values)}


STORED = a_history(closes(400, 402, 404, 406))


def test_ounces_over_stored_shares_are_doubted_with_their_ratio() -> None:
    assert doubt(a_history(closes(4400, 4422, 4444)), STORED) == (
        "its closes are 11 times those stored for GLD (the median of 3 common days)"
    )


@pytest.mark.parametrize("factor", [0.5, 0.79, 1.21, 11.0])
def test_closes_that_differ_by_more_than_20_per_cent_are_doubted(factor: float) -> None:
    assert doubt(a_history(closes(400 * factor, 402 * factor)), STORED) is not None


@pytest.mark.parametrize("factor", [0.81, 0.999, 1.0, 1.19])
def test_closes_within_20_per_cent_are_not(factor: float) -> None:
    assert doubt(a_history(closes(400 * factor, 402 * factor)), STORED) is None


def test_one_odd_day_does_not_make_another_instrument() -> None:
    assert doubt(a_history(closes(4000, 402, 404)), STORED) is None


@pytest.mark.parametrize(
    ("start", "close", "said"),
    [
        (date(2026, 3, 6), 4466.0, "11 times those stored for GLD (from 406 stored of 2026-03-05 to 4466"),
        (date(2026, 2, 27), 4400.0, "11 times those stored for GLD (from 400 stored of 2026-03-02 to 4400"),
    ],
)
def test_without_common_days_the_join_is_judged(start: date, close: float, said: str) -> None:
    reason = doubt(a_history(closes(close, start=start)), STORED)
    assert reason is not None
    assert said in reason
    assert doubt(a_history(closes(410.0, start=start)), STORED) is None


def test_days_that_fill_a_gap_are_judged_by_both_sides() -> None:
    stored = a_history({date(2026, 3, 2): 400.0, date(2026, 3, 5): 406.0})
    assert doubt(a_history(closes(402.0, 404.0, start=date(2026, 3, 3))), stored) is None
    assert doubt(a_history(closes(4420.0, 4440.0, start=date(2026, 3, 3))), stored) is not None


def test_an_ounce_price_is_doubted_as_gld_when_nothing_is_stored() -> None:
    reason = doubt(a_history(closes(4400, 4422.5, 4444)), None)
    assert reason == "its median close of 4,422.50 looks like the price of an ounce of gold, not of a GLD share"
    assert doubt(a_history(closes(400, 402)), None) is None
    assert doubt(a_history(closes(4400, 4422), symbol="GC=F"), None) is None


def test_rates_are_not_judged_by_ratios() -> None:
    stored = a_history(closes(0.0, 0.01, 0.02), symbol="^IRX")
    assert doubt(a_history(closes(0.5, 0.0, -0.1), symbol="^IRX"), stored) is None
