"""What an entered portfolio must be beyond what any portfolio is: sizes, days and names that can be meant."""

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date

from vaultdash.domain.collateral import require_gold
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.exchange import DOLLAR, ExchangeRate
from vaultdash.domain.portfolio import USUAL_NAME, Portfolio, mark, require_solvent
from vaultdash.domain.position import HeldOption

LARGEST_AMOUNT = 1e12  # of units and of dollars
LEAST_AMOUNT = 1e-6
Rates = Callable[[str], ExchangeRate | None]  # by currency; None when it is not known
DEAREST_OPTION = 1e5  # USD a share
FIRST_DAY = date(1990, 1, 1)
MOST_LOTS = 100
MOST_OPTIONS = 500
LONGEST_ID = 40
RESERVED = ("research", "new")


def only_dollars(currency: str) -> ExchangeRate | None:
    """Rates for where no other currency's is known."""
    return DOLLAR if currency == DOLLAR.currency else None


def entered(
    portfolio: Portfolio, before: Portfolio | None, today: date, price: float | None, rates: Rates
) -> Portfolio:
    """The portfolio as it is kept; raises InvalidInput naming what cannot be meant.

    Interest that is added to the loan grows from today unless a day is given. The loan must be below the value of
    the gold at `price` (USD a share, None when none is known) and at the exchange rate, where one is known, unless
    the price has brought it there and the change makes it no worse.
    """
    require_gold(portfolio.collateral.lots)
    for name in ("name", "lender"):
        _printable(name, getattr(portfolio, name))
    if len(portfolio.collateral.lots) > MOST_LOTS:
        raise InvalidInput("lots", f"are more than {MOST_LOTS}")
    if len(portfolio.options) > MOST_OPTIONS:
        raise InvalidInput("options", f"are more than {MOST_OPTIONS}")
    for lot in portfolio.collateral.lots:
        _amount("units", lot.units)
        _amount("entry_price", lot.entry_price)
        _amount("start_value", lot.start_value)
        _past("acquired_on", lot.acquired_on, today)
    loan = portfolio.loan
    _amount("loan_amount", loan.amount)
    _past("as_of", loan.as_of, today)
    known = () if before is None else before.options
    for option in portfolio.options:
        if option not in known:
            check_option(option, today)
    if loan.interest.capitalised and loan.as_of is None:
        portfolio = replace(portfolio, loan=replace(loan, as_of=today))
    if price is not None:
        _solvent(portfolio, before, today, price, rates)
    return portfolio


def check_option(option: HeldOption, today: date) -> None:
    """Raises InvalidInput for an entered position that cannot be meant."""
    for name in ("price_paid", "closed_price"):
        value = getattr(option, name)
        if value is not None and value > DEAREST_OPTION:
            raise InvalidInput(name, f"must be USD a share and at most {DEAREST_OPTION:,.0f}")
    _past("opened_on", option.opened_on, today)
    _past("closed_on", option.closed_on, today)
    if option.closed_on is not None and option.closed_on > option.contract.expiration:
        raise InvalidInput("closed_on", f"is after the expiration on {option.contract.expiration}")
    _printable("note", option.note)


def slug(name: str, taken: Collection[str], otherwise: str = "loan") -> str:
    """An id from a name, or from `otherwise` where that has no letters of ours: small letters, digits and -, made
    unique by a number."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_ID - 5].strip("-") or otherwise
    number, found = 2, stem
    while found in taken or found in RESERVED:
        found = f"{stem}-{number}"
        number += 1
    return found


def free_name(portfolios: Collection[Portfolio]) -> str:
    """My loan, or the first of My loan 2, My loan 3 ... that none of the portfolios has."""
    taken = {portfolio.name.casefold() for portfolio in portfolios}
    name, number = USUAL_NAME, 2
    while name.casefold() in taken:
        name, number = f"{USUAL_NAME} {number}", number + 1
    return name


def _solvent(portfolio: Portfolio, before: Portfolio | None, today: date, price: float, rates: Rates) -> None:
    rate = rates(portfolio.loan.currency)
    if rate is None:
        return
    found = mark(portfolio, price, today, rate=rate)
    rate_before = None if before is None else rates(before.loan.currency)
    same_gold = before is not None and before.collateral.quoted_by == portfolio.collateral.quoted_by
    if found.ltv >= 1 and before is not None and rate_before is not None and same_gold:
        was = mark(before, price, today, rate=rate_before)
        if was.ltv >= 1 and found.ltv <= was.ltv:
            return
    require_solvent(found)


def _amount(name: str, value: float | None) -> None:
    if value is not None and not LEAST_AMOUNT <= value <= LARGEST_AMOUNT:
        raise InvalidInput(name, f"must be between {LEAST_AMOUNT:g} and {LARGEST_AMOUNT:,.0f}, not {value:g}")


def _past(name: str, day: date | None, today: date) -> None:
    if day is not None and not FIRST_DAY <= day <= today:
        when = "in the future" if day > today else f"before {FIRST_DAY.year}"
        raise InvalidInput(name, f"is {when}: {day}; today is {today}")


def _printable(name: str, text: str) -> None:
    if not text.isprintable():
        raise InvalidInput(name, "must be plain text on one line")
