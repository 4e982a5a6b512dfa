"""From a request to a scenario: what is usual, what is refused and in which words."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.services.backtest_house import LAST, PEAK, TROUGH, january_prices
from vaultdash.backtest.market_days import MarketDays, market_days
from vaultdash.backtest.scenario import Costs, Listing, Smile, VolatilityLevel
from vaultdash.domain.errors import InvalidInput
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.backtest_scenario import check_terms, entry_before, scenario_of, window_of
from vaultdash.services.selloff_events import find

GOLD = january_prices()
FALL = find("jan-2026")
JANUARY = BacktestRequest(event="jan-2026", ltv=0.66)


def a_market(start: date = PEAK, end: date = TROUGH, level: VolatilityLevel = VolatilityLevel.AUTO) -> MarketDays:
    return market_days(GOLD, None, None, (), start, end, level, 0.045)


def test_an_ltv_becomes_a_loan_on_ten_thousand_shares_at_the_price_of_the_start() -> None:
    found = scenario_of(JANUARY, FALL, a_market())
    scenario, loan = found.scenario, found.scenario.loan
    assert (scenario.start, scenario.end, scenario.event) == (PEAK, TROUGH, "jan-2026")
    assert scenario.units == 10_000
    assert loan.amount == pytest.approx(0.66 * 10_000 * 495.90)
    assert (loan.warning_ltv, loan.margin_call_ltv, loan.close_out_ltv) == (0.70, 0.75, 0.85)
    assert loan.interest.rate == 0.0
    assert scenario.cure_target == 0.70
    assert found.remarks == ()


def test_value_and_amount_may_be_given_instead() -> None:
    request = replace(JANUARY, ltv=None, start_value=1_000_000.0, loan=600_000.0)
    scenario = scenario_of(request, FALL, a_market()).scenario
    assert scenario.units == pytest.approx(1_000_000 / 495.90)
    assert scenario.loan.amount == 600_000


def test_warning_and_close_out_follow_an_unusual_call() -> None:
    low = scenario_of(replace(JANUARY, ltv=0.4, call_ltv=0.60), FALL, a_market()).scenario.loan
    assert (low.warning_ltv, low.close_out_ltv) == (pytest.approx(0.56), 0.85)
    high = scenario_of(replace(JANUARY, call_ltv=0.90), FALL, a_market()).scenario.loan
    assert (high.warning_ltv, high.close_out_ltv) == (0.70, 0.90)


def test_days_of_the_request_replace_those_of_the_event() -> None:
    event = find("jan-2026")
    assert window_of(JANUARY, event) == (PEAK, TROUGH)
    later = replace(JANUARY, end=date(2026, 3, 1))
    assert window_of(later, event) == (PEAK, date(2026, 3, 1))
    moved = scenario_of(later, event, a_market(end=date(2026, 3, 1)))
    assert moved.scenario.end == date(2026, 2, 27)
    assert moved.remarks == ("2026-03-01 was no trading day: the end is 2026-02-27.",)


def test_a_loan_that_is_called_at_its_start_is_allowed_and_said() -> None:
    called = scenario_of(replace(JANUARY, ltv=0.75), FALL, a_market())
    assert "it is called on the first day" in called.remarks[-1]
    sold = scenario_of(replace(JANUARY, ltv=0.86), FALL, a_market())
    assert "may sell on the first day" in sold.remarks[-1]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"loan": 1e6}, "loan", "contradicts ltv"),
    ({"units": 1.0, "start_value": 1.0}, "units", "contradict start_value"),
    ({"ltv": 60.0}, "ltv", "write 0.6 for 60 %"),
    ({"call_ltv": 75.0}, "call_ltv", "write 0.75 for 75 %"),
    ({"interest": 6.45}, "interest", "write 0.06 for 6 %"),
    ({"hedge_haircut": 20.0}, "hedge_haircut", "write 0.2 for 20 %"),
    ({"ltv": None, "loan": 5_000_000.0}, "loan", "is 101% of the collateral, which was worth 4,959,000 USD"),
    ({"ltv": None, "loan": 0.0}, "loan", "above zero"),
    ({"ltv": float("nan")}, "ltv", "finite"),
    ({"units": float("inf")}, "units", "finite"),
    ({"spare_cash": -1.0}, "spare_cash", "negative"),
    ({"warning_ltv": 0.8}, "warning_ltv", "below the margin-call LTV of 0.75"),
    ({"close_out_ltv": 0.7}, "close_out_ltv", "not be below the margin-call LTV of 0.75"),
    ({"target_ltv": 0.75}, "target_ltv", "below the margin-call LTV"),
    ({"cure_days": -1}, "cure_days", "between 0 and"),
    ({"fan": (1, 1)}, "fan", "different"),
    ({"fan": (-1,)}, "fan", "from 0 to 36"),
    ({"smile": Smile(slope=float("nan"))}, "smile.slope", "finite"),
    ({"listing": Listing(near_step=1e-9)}, "listing.near_step", "between 0.05 and 100"),
    ({"costs": Costs(commission=1e9)}, "costs.commission", "between 0 and 1000"),
]


@pytest.mark.parametrize(("changes", "argument", "words"), REFUSED)
def test_what_cannot_be_is_refused_in_words(changes: dict[str, Any], argument: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        scenario_of(replace(JANUARY, **changes), FALL, a_market())
    assert refused.value.argument == argument
    assert words in str(refused.value)


def test_days_that_are_missing_or_turned_round_are_refused() -> None:
    with pytest.raises(InvalidInput, match="start is missing: name an event"):
        window_of(BacktestRequest(), None)
    with pytest.raises(InvalidInput, match="end is missing"):
        window_of(BacktestRequest(start=PEAK), None)
    with pytest.raises(InvalidInput, match="after the start"):
        window_of(BacktestRequest(start=TROUGH, end=PEAK), None)
    with pytest.raises(InvalidInput, match="after the start"):
        window_of(replace(JANUARY, start=date(2026, 3, 1)), find("jan-2026"))


def test_a_first_day_without_volatility_is_refused_with_the_day_from_which_it_is_known() -> None:
    early = date(2025, 1, 10)
    request = BacktestRequest(start=early, end=LAST)
    with pytest.raises(InvalidInput, match=r"start is too early: .* 2025-01-10, .*known from 2025-0[12]-"):
        scenario_of(request, None, a_market(early, LAST))
    with pytest.raises(InvalidInput, match=r"none of these days has one.*history import"):
        scenario_of(replace(JANUARY, level=VolatilityLevel.GVZ), FALL, a_market(level=VolatilityLevel.GVZ))


def test_the_terms_alone_can_be_checked_before_prices_are_read() -> None:
    assert check_terms(JANUARY).margin_call_ltv == 0.75
    with pytest.raises(InvalidInput):
        check_terms(replace(JANUARY, ltv=1.0))


@pytest.mark.parametrize(
    ("start", "months", "entry"),
    [
        (date(2026, 1, 29), 1, date(2025, 12, 29)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 29), 9, date(2025, 4, 29)),
        (date(2026, 1, 29), 36, date(2023, 1, 29)),
        (date(2026, 1, 29), 0, date(2026, 1, 29)),
    ],
)
def test_months_before_keep_the_day_where_the_month_has_it(start: date, months: int, entry: date) -> None:
    assert entry_before(start, months) == entry


def test_the_market_of_the_tests_has_the_days_of_the_fall() -> None:
    assert np.array_equal(a_market().closes, [495.90, 444.95, 427.13])
