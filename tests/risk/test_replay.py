"""A replay is what a plain loop over the days says, to the day, and exact on the limits."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_loan
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import Interest, Loan
from vaultdash.risk.replay import Outcome, PricePath, Replay, drawn_at, replay

# GLD, April 2013: closes and lows (Yahoo)
APRIL_2013 = (
    (date(2013, 4, 9), 153.34, 152.28),
    (date(2013, 4, 10), 150.75, 150.58),
    (date(2013, 4, 11), 151.05, 150.63),
    (date(2013, 4, 12), 143.95, 143.43),
    (date(2013, 4, 15), 131.31, 130.51),
    (date(2013, 4, 16), 132.80, 131.76),
    (date(2013, 4, 17), 132.87, 132.32),
)


def a_path(*closes: float, lows: tuple[float | None, ...] = (), begin: date = date(2024, 1, 2)) -> PricePath:
    days, day = [], begin
    while len(days) < len(closes):
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return PricePath(tuple(days), closes, lows)


def a_replay(path: PricePath, ltv: float = 0.6, units: float = 1000.0, **terms: object) -> Replay:
    loan = drawn_at(ltv, path.closes[0], units, a_loan(**terms))
    return replay(path, units, loan, 0.6)


def test_april_2013_from_its_peak_at_two_thirds() -> None:
    days, closes, lows = zip(*APRIL_2013, strict=True)
    found = a_replay(PricePath(days, closes, lows), ltv=0.65)
    # 0.65 * 153.34 / 131.31 = 0.7590...; the low of 12 April gives 0.6949, its close 0.6924: no call before the 15th
    assert found.call is not None
    assert found.call.on == date(2013, 4, 15)
    assert found.call.ltv == pytest.approx(0.65 * 153.34 / 131.31)
    assert found.call.drop == pytest.approx(131.31 / 153.34 - 1)
    assert found.call.deadline == date(2013, 4, 17)
    assert found.call.deadline_ltv == pytest.approx(0.65 * 153.34 / 132.87)
    assert found.called_intraday_on == date(2013, 4, 15)
    assert found.close_out_on is None
    assert found.outcome is Outcome.SOLD_AFTER_DEADLINE
    assert found.worst_ltv == pytest.approx(0.65 * 153.34 / 131.31)
    assert found.worst_low_ltv == pytest.approx(0.65 * 153.34 / 130.51)


def test_what_would_have_cured_a_call_brings_the_ltv_back() -> None:
    found = a_replay(a_path(100.0, 78.0, 79.0, 80.0))
    call = found.call
    assert call is not None
    value = 1000.0 * 78.0
    for ways, target in ((call.to_warning, 0.70), (call.to_target, 0.60)):
        assert (60_000 - ways.repay_cash) / value == pytest.approx(target)
        assert 60_000 / (value + ways.add_gold) == pytest.approx(target)
        assert (60_000 - ways.sell_gold) / (value - ways.sell_gold) == pytest.approx(target)


@pytest.mark.parametrize(
    ("closes", "outcome", "close_out"),
    [
        ((100.0, 81.0, 90.0), Outcome.NOT_CALLED, None),
        ((100.0, 79.0, 79.0, 81.0, 81.0), Outcome.CALLED, None),
        ((100.0, 79.0, 79.0, 79.0), Outcome.SOLD_AFTER_DEADLINE, None),
        ((100.0, 79.0, 85.0, 85.0, 70.0), Outcome.SOLD_AT_ONCE, 4),
        ((100.0, 79.0, 85.0, 85.0, 79.0, 79.0, 79.0), Outcome.SOLD_AFTER_DEADLINE, None),
        ((100.0, 79.0, 85.0, 85.0, 79.0, 70.0), Outcome.SOLD_IN_CURE, 5),
        ((100.0, 79.0, 75.0, 70.0, 70.0), Outcome.SOLD_IN_CURE, 3),
        ((100.0, 79.0, 75.0, 71.0, 70.0), Outcome.SOLD_AFTER_DEADLINE, 4),
        ((100.0, 70.0, 90.0), Outcome.SOLD_AT_ONCE, 1),
    ],
)
def test_each_outcome(closes: tuple[float, ...], outcome: Outcome, close_out: int | None) -> None:
    found = a_replay(a_path(*closes))
    assert found.outcome is outcome
    assert found.close_out_on == (None if close_out is None else found.days[close_out])


def test_the_tail_only_tells_what_becomes_of_a_call_before_it() -> None:
    path = a_path(100.0, 79.0, 75.0, 70.0, 60.0, lows=(100.0, 78.0, 75.0, 60.0, 50.0))
    loan = drawn_at(0.6, 100.0, 1000.0, a_loan())
    found = replay(path, 1000.0, loan, 0.6, tail=2)
    assert found.outcome is Outcome.SOLD_IN_CURE
    assert found.sale_on == found.close_out_on == path.days[3]
    assert found.worst_ltv == pytest.approx(0.8)
    assert found.worst_low_ltv == pytest.approx(0.8)
    assert found.closed_out_intraday_on is None
    quiet = replay(a_path(100.0, 90.0, 70.0), 1000.0, loan, 0.6, tail=1)
    assert quiet.outcome is Outcome.NOT_CALLED
    for tail in (-1, 5):
        with pytest.raises(InvalidInput, match="tail"):
            replay(path, 1000.0, loan, 0.6, tail=tail)


def test_on_the_limit_is_a_call_whatever_the_float_says() -> None:
    for units in (1.0, 3.0, 7.0, 2173.913043478261, 1e-3):
        exact = a_replay(a_path(460.0, 368.0), units=units)  # 0.6 * 460 / 368 = 0.75
        assert exact.call is not None
        assert exact.call.on == exact.days[1]
        beside = a_replay(a_path(460.0, 368.0 * (1 + 1e-7)), units=units)
        assert beside.call is None
        out = a_replay(a_path(170.0, 120.0), units=units)  # 0.6 * 170 / 120 = 0.85
        assert out.close_out_on == out.days[1]


def test_a_low_alone_is_a_call_within_the_day_only() -> None:
    found = a_replay(a_path(100.0, 82.0, 85.0, lows=(99.0, 79.5, None)))
    assert found.call is None
    assert found.called_intraday_on == found.days[1]
    assert found.outcome is Outcome.NOT_CALLED
    assert not found.has_lows
    assert math.isnan(found.low_ltvs[2])
    assert found.worst_low_ltv == pytest.approx(0.6 * 100 / 79.5)


def test_interest_that_is_added_brings_the_call_by_itself() -> None:
    flat = a_path(*[100.0] * 700)
    cash = a_replay(flat, ltv=0.70)
    assert cash.call is None
    added = a_replay(flat, ltv=0.70, interest=Interest(0.045, 0.0195, capitalised=True))
    assert added.call is not None
    # 6.45 % simple a quarter of some 91 days on 360: 0.70 reaches 0.75 after a year and about a month
    assert date(2025, 1, 1) < added.call.on < date(2025, 3, 1)
    assert added.call.owed == pytest.approx(added.loan.owed(added.call.on))
    assert added.loan.as_of == flat.days[0]


def test_the_deadline_counts_weekdays_where_the_path_has_ended() -> None:
    friday = a_path(100.0, 75.0, begin=date(2024, 1, 4))  # the call comes on Friday 5 January
    found = a_replay(friday, cure_days=3)
    assert found.call is not None
    assert found.call.deadline == date(2024, 1, 10)
    assert found.call.deadline_ltv is None
    assert found.outcome is Outcome.CALLED
    assert a_replay(friday, cure_days=0).call == replace(
        found.call, deadline=date(2024, 1, 5), deadline_ltv=found.call.ltv
    )


def test_a_loan_that_is_called_already_is_called_on_the_first_day() -> None:
    found = a_replay(a_path(100.0, 120.0), ltv=0.8)
    assert found.call is not None
    assert found.call.on == found.days[0]
    assert found.call.drop == 0.0


def test_scaling_changes_prices_and_money_but_no_ltv_and_no_day() -> None:
    path = a_path(100.0, 79.0, 75.0, 70.0, 70.0, lows=(99.0, 77.0, 74.0, 69.0, 68.0))
    here, there = a_replay(path), a_replay(path.scaled(460.0))
    assert here.ltvs == pytest.approx(there.ltvs)
    assert here.low_ltvs == pytest.approx(there.low_ltvs)
    assert (here.outcome, here.close_out_on) == (there.outcome, there.close_out_on)
    assert here.call is not None
    assert there.call is not None
    assert there.call.to_warning.repay_cash == pytest.approx(4.6 * here.call.to_warning.repay_cash)


def by_a_plain_loop(path: PricePath, units: float, loan: Loan) -> dict[str, object]:
    """The same question answered day by day, with nothing of the replay."""
    called = called_low = sold = sold_low = None
    worst, ltvs = 0.0, []
    for index, day in enumerate(path.days):
        owed = Loan(loan.amount, interest=loan.interest, as_of=path.days[0]).owed(day)
        ltv = owed / (units * path.closes[index])
        worst = max(worst, ltv)
        ltvs.append(ltv)
        if called is None and ltv >= loan.margin_call_ltv - 1e-9:
            called = day
        if sold is None and ltv >= loan.close_out_ltv - 1e-9:
            sold = day
        low = path.lows[index] if path.lows else None
        if low is not None:
            if called_low is None and owed / (units * low) >= loan.margin_call_ltv - 1e-9:
                called_low = day
            if sold_low is None and owed / (units * low) >= loan.close_out_ltv - 1e-9:
                sold_low = day
    calls, sale, index = 0, None, 0
    limit = loan.margin_call_ltv - 1e-9
    while index < len(ltvs) and sale is None:
        if ltvs[index] < limit:
            index += 1
            continue
        calls += 1
        deadline = index + loan.cure_days
        while index < len(ltvs) and index <= deadline and sale is None:
            if ltvs[index] >= loan.close_out_ltv - 1e-9 or (index == deadline and ltvs[index] >= limit):
                sale = path.days[index]
            index += 1
        index = min(deadline, len(ltvs)) if sale is None and loan.cure_days else index
    assert calls == 0 or called is not None
    return {
        "calls": calls,
        "sale": sale,
        "called": called,
        "sold": sold,
        "called_low": called_low,
        "sold_low": sold_low,
        "worst": worst,
    }


@settings(max_examples=150, deadline=None)
@given(
    moves=st.lists(st.floats(-0.12, 0.12), min_size=1, max_size=60),
    ltv=st.floats(0.3, 0.8),
    capitalised=st.booleans(),
    cure_days=st.integers(0, 5),
    has_lows=st.booleans(),
)
def test_any_path_is_replayed_as_a_plain_loop_does(
    moves: list[float], ltv: float, capitalised: bool, cure_days: int, has_lows: bool
) -> None:
    closes = [100.0, *(100.0 * np.cumprod(np.exp(moves))).tolist()]
    lows = tuple(close * 0.985 for close in closes) if has_lows else ()
    path = a_path(*closes, lows=lows)
    loan = drawn_at(ltv, 100.0, 10.0, a_loan(interest=Interest(capitalised=capitalised), cure_days=cure_days))
    found, told = replay(path, 10.0, loan, 0.6), by_a_plain_loop(path, 10.0, loan)
    assert (found.call.on if found.call else None) == told["called"]
    assert found.close_out_on == told["sold"]
    assert (found.calls, found.sale_on) == (told["calls"], told["sale"])
    assert found.called_intraday_on == told["called_low"]
    assert found.closed_out_intraday_on == told["sold_low"]
    assert found.worst_ltv == pytest.approx(told["worst"])
    harsher = replay(path, 10.0, replace(loan, margin_call_ltv=0.72, close_out_ltv=0.8), 0.6)
    assert found.call is None or harsher.call is not None, "a harsher term never raises safety"


@pytest.mark.parametrize(
    "make",
    [
        lambda: PricePath((), ()),
        lambda: PricePath((date(2024, 1, 3), date(2024, 1, 2)), (1.0, 1.0)),
        lambda: PricePath((date(2024, 1, 2),), (1.0, 2.0)),
        lambda: PricePath((date(2024, 1, 2),), (0.0,)),
        lambda: PricePath((date(2024, 1, 2),), (math.nan,)),
        lambda: PricePath((date(2024, 1, 2),), (1.0,), (-1.0,)),
        lambda: a_replay(a_path(1.0), units=0.0),
        lambda: a_replay(a_path(1.0), ltv=1.0),
        lambda: replay(a_path(1.0), 1.0, a_loan(0.5), 60.0),
    ],
)
def test_what_makes_no_sense_is_refused(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput):
        make()
