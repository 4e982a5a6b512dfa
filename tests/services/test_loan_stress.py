"""The stress report of a snapshot: options as they are marked, and a sentence for what it stands on."""

import math
from datetime import date

import pytest

from tests.api.conftest import KnownRate, by_quantlib
from tests.builders import NOON, a_contract, a_portfolio
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Snapshot, mark
from vaultdash.domain.position import HedgeMark, HeldOption, MarkBasis, OptionMark
from vaultdash.services.loan_stress import LoanStress, option_book


@pytest.fixture
def stress() -> LoanStress:
    return LoanStress(KnownRate(), lambda: NOON, by_quantlib)  # type: ignore[arg-type]  # a rate is enough


def a_put(
    strike: float = 420.0, contracts: int = 22, price: float | None = 9.0, iv: float | None = 0.2
) -> OptionMark:
    held = HeldOption("one", a_contract(strike, Right.PUT, date(2026, 12, 18)), contracts, 10.0, date(2026, 6, 1))
    basis = MarkBasis.UNKNOWN if price is None else MarkBasis.QUOTE
    problem = None if price is not None else "nobody quotes it"
    return OptionMark(held, basis, price, price, NOON, "test", problem=problem, implied_volatility=iv)


def a_hedged(*marks: OptionMark, counting: HedgeCounting = HedgeCounting.CREDITED) -> Snapshot:
    return mark(a_portfolio(hedge_counting=counting), 460.0, date(2026, 6, 10), HedgeMark(marks))


async def test_without_options_all_countings_are_the_same_and_that_is_said(stress: LoanStress) -> None:
    report = await stress.table(mark(a_portfolio(), 460.0, date(2026, 6, 10)))
    assert not report.has_options
    assert "No options are held" in report.remarks[1]
    assert [row.zone for row in report.rows].count("call") == 1
    assert len(report.shocks) == 2


async def test_a_fall_of_the_dollar_is_a_fall_of_gold_for_a_loan_in_francs(stress: LoanStress) -> None:
    def francs(price: float, per_dollar: float) -> Snapshot:
        rate = ExchangeRate("CHF", per_dollar, NOON, "test")
        return mark(a_portfolio(loan=480_000, currency="CHF"), price, date(2026, 6, 10), rate=rate)

    report = await stress.table(francs(460.0, 0.80))
    assert "today's 0.8000 CHF for a dollar" in report.remarks[1]
    assert "both at once are a fall of 19 %" in report.remarks[1]
    assert francs(460.0, 0.72).ltv == pytest.approx(francs(414.0, 0.80).ltv)  # what the remark says
    assert francs(414.0, 0.72).ltv == pytest.approx(francs(460.0 * 0.81, 0.80).ltv)


@pytest.mark.parametrize("loan", [400_000.0, 480_000.0])
async def test_gold_and_the_dollar_may_fall_at_once(stress: LoanStress, loan: float) -> None:
    rate = ExchangeRate("CHF", 0.80, NOON, "test")
    report = await stress.table(mark(a_portfolio(loan=loan, currency="CHF"), 460.0, date(2026, 6, 10), rate=rate))
    assert report.dollar_fall is not None
    row, fallen = report.dollar_fall.row, report.dollar_fall.rate
    ltv = loan / (1_000_000 * (1 - 0.20) * 0.80 * (1 - 0.10))  # L / (V (1 - d) X (1 - y)), L in francs
    assert row.lender_ltv == pytest.approx(ltv)
    assert (row.zone in ("call", "close_out")) == (ltv >= 0.75)
    repaid = max(loan - 0.70 * 800_000 * 0.72, 0.0) if ltv >= 0.70 else 0.0
    assert fallen.own(row.cure.repay_cash) == pytest.approx(repaid)
    told = f"LTV {ltv:.1%}, {'called' if ltv >= 0.75 else 'not called'}"
    assert any("the dollar -10%, to 0.7200 CHF" in said and told in said for said in report.remarks)


async def test_a_loan_in_dollars_knows_no_fall_of_the_dollar(stress: LoanStress) -> None:
    report = await stress.table(mark(a_portfolio(), 460.0, date(2026, 6, 10)))
    assert report.dollar_fall is None
    assert not any("dollar -10%" in said for said in report.remarks)


async def test_held_options_are_marked_at_each_fall(stress: LoanStress) -> None:
    report = await stress.table(a_hedged(a_put()))
    assert report.has_options
    assert len(report.shocks) == 4
    values = [row.option_value for row in report.rows]
    assert values == sorted(values)
    for row in report.rows:
        assert row.crashed_option_value >= row.option_value >= 2200 * max(420 - row.price, 0)
        assert row.ltvs[HedgeCounting.CREDITED] == pytest.approx(600_000 / (row.gold_value + row.option_value))
        assert row.ltvs[HedgeCounting.AFTER_PAYMENT] == pytest.approx((600_000 - row.option_value) / row.gold_value)
        assert row.crashed_ltvs[HedgeCounting.CREDITED] <= row.ltvs[HedgeCounting.CREDITED]
        assert row.lender_ltv == row.ltvs[HedgeCounting.CREDITED]
    assert "point per 1 % of fall" in report.remarks[1]


async def test_a_position_without_a_price_counts_as_exercise_and_is_named(stress: LoanStress) -> None:
    unknown = a_put(price=None, iv=None)
    report = await stress.table(a_hedged(unknown))
    for row in report.rows:
        assert row.option_value == pytest.approx(2200 * max(420 - row.price, 0))
    assert any("nobody quotes it" in remark for remark in report.remarks)


def test_marks_become_columns_with_nan_for_what_is_not_known() -> None:
    book = option_book(HedgeMark((a_put(), a_put(430.0, -10, None, None))), NOON)
    assert book.strikes.tolist() == [420.0, 430.0]
    assert book.shares.tolist() == [2200.0, -1000.0]
    assert book.rights.tolist() == [-1.0, -1.0]
    assert math.isnan(book.volatilities[1])
    assert math.isnan(book.prices[1])
    assert book.years[0] == pytest.approx((date(2026, 12, 18) - date(2026, 6, 10)).days / 365, abs=0.01)
