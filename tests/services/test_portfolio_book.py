"""Whose portfolio a price is applied to."""

import math

import pytest

from tests.builders import NOON, a_portfolio, a_quote
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import instrument
from vaultdash.services.portfolio_book import RESEARCH_VALUE, PortfolioBook

ON = NOON.date()


def test_the_owners_portfolio_is_marked_at_a_quote():
    snapshot = PortfolioBook(a_portfolio()).mark(a_quote(460.0), ON)
    assert (snapshot.price, snapshot.on) == (460.0, ON)
    assert snapshot.ltv == pytest.approx(0.6)


def test_bullion_is_valued_by_the_price_of_gld():
    book = PortfolioBook(a_portfolio(3.0, loan=200_000, symbol="XAU-KG"))
    assert book.symbol == "GLD"
    assert book.holds("GLD")
    assert book.priced_by("GLD", 410.0, ON) == (book.current, True)


def test_the_owners_units_stay_at_any_price():
    book = PortfolioBook(a_portfolio())
    assert book.priced_by("GLD", 300.0, ON) == (book.current, True)


def test_another_symbol_makes_a_research_portfolio_with_the_owners_loan():
    book = PortfolioBook(a_portfolio())
    portfolio, own = book.priced_by("IAU", 86.0, ON)
    assert (own, portfolio.id, portfolio.loan) == (False, "research", book.current.loan)
    assert portfolio.collateral.instrument is instrument("IAU")
    assert portfolio.collateral.units * 86.0 == pytest.approx(RESEARCH_VALUE)


def test_a_given_value_is_a_what_if():
    book = PortfolioBook(a_portfolio())
    portfolio, own = book.priced_by("GLD", 400.0, ON, 800_000)
    assert (own, portfolio.collateral.units) == (False, pytest.approx(2_000))


@pytest.mark.parametrize("value", [0, 0.0, -1, math.nan])
@pytest.mark.parametrize("symbol", ["GLD", "IAU"])
def test_a_value_of_nothing_is_refused_and_not_replaced(symbol, value):
    with pytest.raises(InvalidInput, match="portfolio_value"):
        PortfolioBook(a_portfolio()).priced_by(symbol, 460.0, ON, value)
