"""The broker's requirement for uncovered calls, against figures reckoned by hand."""

import pytest

from vaultdash.domain.uncovered_calls import uncovered_margin


def test_twenty_two_calls_ten_per_cent_out_of_the_money_need_what_the_rule_says() -> None:
    # 460: max(115 - 46, 46) = 69 a share; after a rise of 20 % to 552: 46 + max(138, 55.2) = 184 a share
    assert uncovered_margin(22, 506.0, 460.0) == pytest.approx(151_800)
    assert uncovered_margin(22, 506.0, 552.0) == pytest.approx(404_800)
    assert uncovered_margin(1, 1_000.0, 460.0) == pytest.approx(100 * 46)  # far out: a tenth of the price
    assert uncovered_margin(1, 10.0, 5.0) == pytest.approx(100 * 2.50)  # never less than 2.50 a share


def test_the_calls_own_price_comes_on_top_and_is_never_below_what_exercise_pays() -> None:
    assert uncovered_margin(22, 506.0, 460.0, call_price=8.0) == pytest.approx(22 * 100 * (8 + 69))
    assert uncovered_margin(1, 400.0, 460.0, call_price=1.0) == pytest.approx(100 * (60 + 115))
    assert uncovered_margin(2, 506.0, 460.0, multiplier=10) == pytest.approx(2 * 10 * 69)
