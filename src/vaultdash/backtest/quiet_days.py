"""Stretches of days on which nothing is paid, traded or decided: their readings, all at once.

The figures are those of `day_loop`, written as loops without branches: most days are such days.
"""

from math import inf

from vaultdash.backtest import layout as at
from vaultdash.backtest.layout import Run
from vaultdash.backtest.loan_account import accrue, earned


def is_quiet(run: Run, t: int) -> bool:
    """True when day t may begin a stretch: a loan without a call, no order, nothing on its way, every leg held."""
    account, terms = run.account, run.terms
    if account[at.STANDING] != at.FINE or account[at.IS_ORDERED] > 0 or terms[at.IS_OBSERVED] > 0:
        return False
    if account[at.COMING_GOLD] > 0 or account[at.COMING_HEDGE] > 0 or account[at.HELD_UNITS] <= 0:
        return False
    if (terms[at.DELTA_AT] > 0 and account[at.ARMED_DELTA] == 0) or (
        terms[at.LTV_AT] > 0 and account[at.ARMED_LTV] == 0
    ):
        return False
    for leg in range(run.book.shape[0]):
        is_over = account[at.IS_DONE] > 0 or (run.book[leg, at.EVER] > 0 and terms[at.REBUYS] == 0)
        if run.book[leg, at.HELD] == 0 and not is_over:
            return False
    return True


def days_without_dates(run: Run, t: int, marked: int) -> int:
    """The first day from t on that is past the marks, a quarter's end, a roll or an expiry."""
    days, book = run.days, run.book
    until = float(days[at.DAY, marked]) + 1.0
    quarter = int(run.account[at.QUARTER])
    if quarter < run.quarters.size and run.terms[at.INTEREST] != 0:
        until = min(until, run.quarters[quarter])
    expires = inf
    for leg in range(book.shape[0]):
        if book[leg, at.HELD] != 0:
            expires = min(expires, book[leg, at.EXPIRES])
            if run.terms[at.ROLL_DAYS] > 0 and run.account[at.IS_DONE] == 0:
                until = min(until, book[leg, at.EXPIRES] - run.terms[at.ROLL_DAYS])
    stop = marked + 1
    while stop > t and (days[at.DAY, stop - 1] >= until or days[at.NEXT_DAY, stop - 1] > expires):
        stop -= 1
    return stop


def spot_limit(run: Run) -> float:
    """The price at which a leg would be replaced by the ratchet; infinite without one."""
    limit = inf
    if run.terms[at.RATCHET_AT] > 0 and run.account[at.IS_DONE] == 0:
        for leg in range(run.book.shape[0]):
            if run.book[leg, at.HELD] != 0:
                limit = min(limit, run.book[leg, at.BOUGHT_AT] * (1.0 + run.terms[at.RATCHET_AT]))
    return limit


def pass_quietly(run: Run, t: int, marked: int) -> int:
    """Fill the series from day t to the first day on which something happens, which is returned and not filled."""
    account, terms = run.account, run.terms
    quarter, principal, accrued = account[at.QUARTER], account[at.PRINCIPAL], account[at.ACCRUED]
    cash, interest_sum = account[at.CASH], account[at.INTEREST_SUM]
    since = t - 1
    if ends_quarter(run, t):  # a stretch may begin on such a day, for whose interest alone it need not be left
        accrue(run, t)
        since = t
    stop = days_without_dates(run, t, marked)
    if stop > t:
        fill(run, t, stop, since)
        stop = first_event(run, t, stop)
    if stop > t:
        interest = earned(account[at.PRINCIPAL], run.days[at.DAY, stop - 1] - run.days[at.DAY, since], terms)
        account[at.ACCRUED] += interest
        account[at.INTEREST_SUM] += interest
    else:
        account[at.QUARTER], account[at.PRINCIPAL], account[at.ACCRUED] = quarter, principal, accrued
        account[at.CASH], account[at.INTEREST_SUM] = cash, interest_sum
    return stop


def ends_quarter(run: Run, t: int) -> bool:
    """True when interest is paid or added to the loan on day t."""
    quarter = int(run.account[at.QUARTER])
    if quarter >= run.quarters.size or run.terms[at.INTEREST] == 0:
        return False
    is_past: bool = run.quarters[quarter] <= run.days[at.DAY, t]
    return is_past


def fill(run: Run, first: int, stop: int, since: int) -> None:
    """Every figure of the days, as though nothing happened on them; written over where something does.

    Interest is known up to the close of day `since`.
    """
    account, terms, days, series = run.account, run.terms, run.days, run.series
    units, principal, cash = account[at.HELD_UNITS], account[at.PRINCIPAL], account[at.CASH]
    accrued, a_day, known = account[at.ACCRUED], earned(principal, 1.0, terms), days[at.DAY, since]
    kept, call = 1.0 if terms[at.CAPITALISED] > 0 else 0.0, terms[at.CALL]
    credit = 1.0 - terms[at.HAIRCUT]
    day, close = days[at.DAY, first:stop], days[at.CLOSE, first:stop]
    value, loan = series[at.VALUE, first:stop], series[at.AT_LOAN, first:stop]
    equity = series[at.AT_EQUITY, first:stop]
    ignored, paid = series[at.AT_IGNORED, first:stop], series[at.AT_PAID, first:stop]
    credited, headroom = series[at.AT_CREDITED, first:stop], series[at.AT_HEADROOM, first:stop]
    for i in range(value.size):
        gold, options = units * close[i], value[i]
        due = accrued + a_day * (day[i] - known)
        loan[i] = principal + kept * due
        equity[i] = gold + options + cash - principal - due
    for i in range(value.size):
        inverse = 1.0 / (units * close[i])
        ignored[i] = loan[i] * inverse
        paid[i] = (loan[i] - value[i]) * inverse
        credited[i] = loan[i] / (units * close[i] + credit * value[i])
    if terms[at.COUNTING] == at.IGNORED:
        for i in range(value.size):
            headroom[i] = call * units * close[i] - loan[i]
        lender = ignored
    elif terms[at.COUNTING] == at.AFTER_PAYMENT:
        for i in range(value.size):
            headroom[i] = call * units * close[i] + value[i] - loan[i]
        lender = paid
    else:
        for i in range(value.size):
            headroom[i] = call * (units * close[i] + credit * value[i]) - loan[i]
        lender = credited
    counted, hedge = series[at.AT_LENDER, first:stop], series[at.AT_HEDGE, first:stop]
    for i in range(value.size):
        counted[i], hedge[i] = lender[i], value[i]
    series[at.AT_UNITS, first:stop] = units
    series[at.AT_CASH, first:stop] = cash


def first_event(run: Run, first: int, stop: int) -> int:
    """The first of the days on which something happens that only its price can tell; `stop` without any."""
    terms, days, series = run.terms, run.days, run.series
    limit, spot = terms[at.CALL] - at.TOLERANCE, spot_limit(run)
    at_low = limit * run.account[at.HELD_UNITS]
    delta = terms[at.DELTA_AT] - at.TOLERANCE if terms[at.DELTA_AT] > 0 else inf
    level = terms[at.LTV_AT] - at.TOLERANCE if terms[at.LTV_AT] > 0 else inf
    loan, lender = series[at.AT_LOAN, first:stop], series[at.AT_LENDER, first:stop]
    ignored, value = series[at.AT_IGNORED, first:stop], series[at.VALUE, first:stop]
    schedule, deepest = series[at.SCHEDULE, first:stop], series[at.DEEPEST, first:stop]
    close, low = days[at.CLOSE, first:stop], days[at.LOW, first:stop]
    found = 0
    for i in range(value.size):  # without branches: on most stretches there is nothing to be found
        found += (
            (lender[i] >= limit)
            | (value[i] < 0.0)
            | (loan[i] >= at_low * low[i])
            | (schedule[i] > 0.0)
            | (close[i] >= spot)
            | (deepest[i] >= delta)
            | (ignored[i] >= level)
        )
    if found == 0:
        return stop
    for i in range(value.size):
        if lender[i] >= limit or value[i] < 0.0 or loan[i] >= at_low * low[i] or schedule[i] > 0.0:
            return first + i
        if close[i] >= spot or deepest[i] >= delta or ignored[i] >= level:
            return first + i
    return stop
