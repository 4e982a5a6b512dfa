"""What the options held in a replay are worth at mid, for a stretch of days at once, and at a day's low."""

from math import inf, isnan

from vaultdash.backtest import layout as at
from vaultdash.backtest.layout import Run
from vaultdash.backtest.model import (
    contract_volatility,
    delta_leg,
    delta_size,
    intrinsic,
    mark_leg,
    option_value,
    shape_of,
    years_to,
)
from vaultdash.backtest.option_trades import observed_mid

STRETCH = 256  # days that are marked at once; what is traded within them is marked again
SHORT = 4  # days that are marked at once while a trade is due


def mark_book(run: Run, t: int) -> int:
    """Value what is held from day t on, as though it stayed; returns the last day that is valued."""
    days, book, terms = run.days, run.book, run.terms
    held = False
    for leg in range(book.shape[0]):
        held = held or book[leg, at.HELD] != 0
    if not held:
        run.series[at.VALUE, t:] = 0.0
        found: int = days.shape[1] - 1
        return found
    last = last_to_mark(run, t)
    run.series[at.VALUE, t : last + 1] = 0.0
    if terms[at.DELTA_AT] > 0:
        run.series[at.DEEPEST, t : last + 1] = 0.0
    shape = shape_of(terms)
    for leg in range(book.shape[0]):
        right, shares = run.legs[leg, at.LEG_RIGHT], book[leg, at.HELD] * at.SHARES
        if shares == 0:
            continue
        strike, expires, column = book[leg, at.STRIKE], book[leg, at.EXPIRES], int(book[leg, at.COLUMN])
        wants_delta = terms[at.DELTA_AT] > 0 and right < 0 and shares > 0
        if column >= 0:
            mark_observed(run, t, last, column, shares, wants_delta)
            continue
        mark_leg(days, t, last, right, strike, expires, shares, shape, run.early, run.series[at.VALUE])
        if wants_delta:
            delta_leg(days, t, last, right, strike, expires, shape, run.series[at.DEEPEST])
    return last


def last_to_mark(run: Run, t: int) -> int:
    """The last day worth marking from day t on: what is held will hardly be held past its roll or its expiry."""
    days, book = run.days, run.book
    until = inf
    for leg in range(book.shape[0]):
        if book[leg, at.HELD] != 0:
            ends = float(book[leg, at.EXPIRES])
            if run.terms[at.ROLL_DAYS] > 0 and run.account[at.IS_DONE] == 0:
                ends -= run.terms[at.ROLL_DAYS]
            until = min(until, ends)
    is_due = days[at.DAY, t] >= until
    last: int = min(t + (SHORT if is_due else STRETCH), days.shape[1]) - 1
    while days[at.DAY, last] >= until and not is_due:
        last -= 1
    return last


def mark_observed(run: Run, first: int, last: int, column: int, shares: float, wants_delta: bool) -> None:
    """The same for a recorded contract; without a quote its delta does not count."""
    contracts, days = run.contracts, run.days
    right, strike = contracts[at.CONTRACT_RIGHT, column], contracts[at.CONTRACT_STRIKE, column]
    for t in range(first, last + 1):
        run.series[at.VALUE, t] += shares * observed_mid(run, t, column)
        sigma = run.quoted[at.SIGMA, t, column]
        if wants_delta and not isnan(sigma):
            years = years_to(contracts[at.CONTRACT_EXPIRES, column], days[at.DAY, t])
            run.series[at.DEEPEST, t] = max(
                run.series[at.DEEPEST, t],
                delta_size(right, days[at.CLOSE, t], strike, years, days[at.RATE, t], sigma),
            )


def options_at_low(run: Run, t: int, low: float) -> float:
    """What is held is worth at the day's low, at the volatilities of the day's close, USD.

    A recorded contract without a quote on the day is worth exercise; so is what expires on the day.
    """
    days, book, terms = run.days, run.book, run.terms
    total = 0.0
    for leg in range(book.shape[0]):
        shares = book[leg, at.HELD] * at.SHARES
        if shares == 0:
            continue
        right, strike, expires = run.legs[leg, at.LEG_RIGHT], book[leg, at.STRIKE], book[leg, at.EXPIRES]
        column = int(book[leg, at.COLUMN])
        if column >= 0:
            sigma = run.quoted[at.SIGMA, t, column]
        else:
            sigma = contract_volatility(days, t, strike, expires, shape_of(terms))
        if isnan(sigma) or expires <= days[at.DAY, t]:
            total += shares * intrinsic(right, low, strike)
        else:
            years = years_to(expires, days[at.DAY, t])
            total += shares * option_value(right, low, strike, years, days[at.RATE, t], sigma, run.early)
    return total
