"""The odds of a snapshot: closed forms against a formula of the test's own, the reverse, and the words."""

import math
from dataclasses import replace
from datetime import date

import pytest
from scipy.stats import norm

from tests.builders import NOON, a_portfolio
from tests.services.test_loan_stress import a_hedged, a_put
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.option import DollarRate
from vaultdash.domain.portfolio import Snapshot, mark
from vaultdash.services.odds_report import (
    Odds,
    accrual_rate,
    chances,
    closed_form,
    drifts_of,
    lower_odds,
    reckon,
)
from vaultdash.services.odds_volatility import HORIZONS, VolatilityChoice, VolatilityKind, flat
from vaultdash.services.risk_words import odds_sentence

RATE = DollarRate(0.04, date(2026, 6, 9), "test")


def a_snapshot(price: float = 460.0, **terms: object) -> Snapshot:
    return mark(a_portfolio(**terms), price, date(2026, 6, 10))  # type: ignore[arg-type]


def moves(value: float = 0.2) -> VolatilityChoice:
    return flat(VolatilityKind.MOVES, "daily closes", value, "test")


def some_odds(price: float = 460.0, view: float | None = None, **terms: object) -> Odds:
    chosen = moves()
    return reckon(a_snapshot(price, **terms), NOON, (chosen,), chosen, RATE, view)


def by_hand(spot: float, call: float, years: float, sigma: float, drift: float, rate: float) -> float:
    """domain notes, section 6, with scipy's normal distribution and the barrier moved for closes."""
    barrier = call * math.exp(-0.5826 * sigma * math.sqrt(1 / 252))
    x, nu, root = math.log(spot / barrier), drift - rate - sigma**2 / 2, sigma * math.sqrt(years)
    return float(
        norm.cdf((-x - nu * years) / root) + math.exp(-2 * nu * x / sigma**2) * norm.cdf((-x + nu * years) / root)
    )


@pytest.mark.parametrize("price", [400.0, 460.0, 520.0])
@pytest.mark.parametrize("drift", [-0.04, 0.0, 0.04])
def test_the_closed_form_is_the_formula(price: float, drift: float) -> None:
    found = closed_form(a_snapshot(price), moves(), drift, 0.03)
    for months in HORIZONS:
        assert found[months] == pytest.approx(by_hand(price, 368.0, months / 12, 0.2, drift, 0.03), abs=1e-9)


def test_the_range_goes_over_drifts_and_never_is_one_number() -> None:
    odds = some_odds()
    assert [drift.value for drift in odds.drifts] == [0.0, 0.04, -0.04]
    assert odds.central.drift.value == 0.0
    for months in HORIZONS:
        low, high = odds.span(months)
        assert low < odds.central.by_months[months] < high
        assert low == odds.closed[1].by_months[months]
        assert high == odds.closed[2].by_months[months]


def test_the_owners_view_joins_the_drifts() -> None:
    without, with_view = some_odds(), some_odds(view=-0.2)
    assert [drift.name for drift in with_view.drifts][-1] == "your own view"
    assert with_view.span(12)[1] > without.span(12)[1]
    assert drifts_of(DollarRate(0.0, None, "none"), None) == drifts_of(DollarRate(0.0, None, "none"), None)[:1]


def test_interest_that_is_added_raises_the_odds() -> None:
    cash, added = some_odds(), some_odds(interest=Interest(capitalised=True))
    assert cash.loan_rate == 0.0
    # 6.45 % on 360, compounded quarterly: four quarters multiply the loan by (1 + 0.0645 * 365/360 / 4)^4
    assert math.exp(added.loan_rate) == pytest.approx((1 + 0.0645 * 365 / 360 / 4) ** 4)
    assert accrual_rate(Interest(capitalised=True)) == added.loan_rate
    assert added.central.by_months[12] > cash.central.by_months[12]


def test_distance_is_in_moves_of_a_day_a_month_and_a_year() -> None:
    sigmas = dict(some_odds().sigmas())
    x = math.log(460 / 368)
    assert sigmas["day"] == pytest.approx(x / (0.2 / math.sqrt(252)))
    assert sigmas["month"] == pytest.approx(x / (0.2 * math.sqrt(21 / 252)))
    assert sigmas["year"] == pytest.approx(x / 0.2)


def test_the_gap_is_from_the_call_to_the_close_out_within_the_days_to_cure() -> None:
    wide = some_odds(cure_days=20, close_out_ltv=0.78)
    x, nu, years = math.log(0.78 / 0.75), -0.02, 20 / 252
    root = 0.2 * math.sqrt(years)
    expected = norm.cdf((-x - nu * years) / root) + math.exp(-2 * nu * x / 0.04) * norm.cdf((-x + nu * years) / root)
    assert wide.gap == pytest.approx(expected)
    assert some_odds(close_out_ltv=0.75).gap == 1.0
    assert wide.gaps == (wide.gap,)


@pytest.mark.parametrize("wanted", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("months", [1, 12])
def test_the_reverse_brings_the_wanted_probability(wanted: float, months: int) -> None:
    odds = some_odds()
    for row in lower_odds(odds, wanted, months):
        loan = replace(odds.snapshot.portfolio.loan, amount=row.loan)
        after = mark(replace(odds.snapshot.portfolio, loan=loan), 460.0, date(2026, 6, 10))
        assert after.ltv == pytest.approx(row.ltv)
        assert closed_form(after, moves(), row.drift.value, 0.0)[months] == pytest.approx(wanted, abs=1e-6)
        if row.ways.repay_cash > 0:
            assert (600_000 - row.ways.repay_cash) / 1_000_000 == pytest.approx(row.ltv)
            assert 600_000 / (1_000_000 + row.ways.add_gold) == pytest.approx(row.ltv)


def test_a_loan_that_is_called_has_all_odds_against_it() -> None:
    odds = some_odds(price=368.0)
    assert odds.is_called
    assert not odds.needs_options
    assert odds.span(1) == odds.span(12) == (1.0, 1.0)
    assert odds.time.median == 0.0
    assert all(sigmas <= 0 for _, sigmas in odds.sigmas())
    assert odds.passed == "call"


def test_below_the_close_out_nothing_is_left_to_reckon() -> None:
    near = some_odds(price=330.0, cure_days=5)  # called at 368, sold at 324.71
    assert (near.passed, some_odds().passed) == ("call", "")
    assert near.gap > 0.4 > some_odds(cure_days=5).gap  # from the price now, not from the call
    gone = some_odds(price=300.0)
    assert gone.passed == "close-out"
    assert gone.gap == 1.0
    assert odds_sentence(gone).startswith("The close-out limit is passed: the lender may sell")


def test_for_a_loan_in_francs_the_drift_is_that_of_gold_in_francs() -> None:
    rate = ExchangeRate("CHF", 0.80, NOON, "test")
    francs = mark(a_portfolio(loan=480_000, currency="CHF"), 460.0, date(2026, 6, 10), rate=rate)
    chosen = moves()
    odds = reckon(francs, NOON, (chosen,), chosen, RATE, None)
    assert [drift.name for drift in odds.drifts][1:] == [
        "gold in CHF rises as dollars earn",
        "gold in CHF falls as much",
    ]
    assert odds.central.by_months == some_odds().central.by_months  # 480,000 francs are 600,000 dollars


def test_options_that_alone_keep_a_call_away_are_said_not_to_be_counted() -> None:
    hedged = a_hedged(a_put(contracts=20, price=60.0), counting=HedgeCounting.CREDITED)
    snapshot = mark(hedged.portfolio, 360.0, date(2026, 6, 10), hedged.hedge)
    assert snapshot.lender_ltv < 0.75 < snapshot.ltv
    chosen = moves()
    odds = reckon(snapshot, NOON, (chosen,), chosen, RATE, None)
    assert odds.needs_options
    assert odds.span(1) == (1.0, 1.0)
    assert "Only the options keep a call away" in odds_sentence(odds)


def test_each_volatility_says_what_it_would_mean() -> None:
    calm, wild = moves(0.15), replace(moves(0.3), kind=VolatilityKind.INDEX)
    odds = reckon(a_snapshot(), NOON, (calm, wild), calm, RATE, None)
    found = odds.by_volatility()
    assert found[0][1] == odds.central.by_months[12] < found[1][1]


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "less than one in 2,000"),
        (0.0004, "less than one in 2,000"),
        (0.0012, "about one in 830"),
        (0.05, "about one in 20"),
        (0.083, "about one in 12"),
        (0.25, "about one in four"),
        (0.48, "about one in two"),
        (0.7, "about seven in ten"),
        (0.94, "about nine in ten"),
        (0.95, "more than nine in ten"),
        (0.98, "more than nine in ten"),
        (0.994, "more than nine in ten"),
        (1.0, "all but certain"),
    ],
)
def test_chances_are_told_as_roughly_as_they_are_known(probability: float, words: str) -> None:
    assert chances(probability) == words
