"""What holding costs a year."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.builders import NOON, a_contract, a_portfolio
from vaultdash.domain.carry import carry, yearly_cost
from vaultdash.domain.loan import DayCount, Interest
from vaultdash.domain.portfolio import mark
from vaultdash.domain.position import HedgeMark, HeldOption, MarkBasis, OptionMark


def a_held(contracts: int = 10, paid: float = 10.0, days: int = 365) -> HeldOption:
    opened = date(2026, 1, 2)
    contract = a_contract(440.0, expiration=opened + timedelta(days=days))
    return HeldOption("a", contract, contracts, paid, opened)


def test_interest_is_that_of_the_loan_over_a_year() -> None:
    portfolio = a_portfolio(interest=Interest(0.045, 0.015, DayCount.ACT_360))
    found = carry(mark(portfolio, 460.0, NOON.date()))
    assert found.interest == pytest.approx(600_000 * 0.06 * 365 / 360)
    assert found.interest == pytest.approx(portfolio.loan.interest.accrued(600_000, 365))
    assert (found.hedge, found.total) == (0.0, found.interest)
    assert found.of_collateral == pytest.approx(found.total / 1_000_000)
    assert found.of_equity == pytest.approx(found.total / 400_000)


def test_a_premium_is_spread_over_the_life_of_the_option() -> None:
    assert yearly_cost(a_held(days=365)) == pytest.approx(10_000)
    assert yearly_cost(a_held(days=73)) == pytest.approx(50_000)
    assert yearly_cost(a_held(contracts=-10)) == pytest.approx(-10_000)


def test_what_an_option_is_worth_belongs_to_the_equity() -> None:
    held = a_held(days=400)
    hedge = HedgeMark((OptionMark(held, MarkBasis.QUOTE, 5.0, 5.1, NOON, "test"),))
    found = carry(mark(replace(a_portfolio(), options=(held,)), 460.0, NOON.date(), hedge))
    assert found.equity == pytest.approx(405_000)
    assert found.hedge == pytest.approx(10_000 * 365 / 400)


def test_without_equity_there_is_no_fraction_of_it() -> None:
    found = carry(mark(a_portfolio(), 250.0, NOON.date()))
    assert found.equity < 0
    assert found.of_equity is None
