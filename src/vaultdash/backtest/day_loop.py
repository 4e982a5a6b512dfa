"""The days of a replay in their order: what is paid, traded, marked, read by the lender and decided on each.

On day t, which is its close: interest; options that expire; the orders of the close before; money that reaches the
lender; marks; the lender's reading; margin call, cure or sale; decisions for the next close, from data up to t alone.
"""

from math import isnan, nan

from vaultdash.backtest import layout as at
from vaultdash.backtest.decisions import clear_order, decide, decide_cure
from vaultdash.backtest.layout import Run
from vaultdash.backtest.loan_account import accrue, is_breach, ltv, owed, receive, repay, room, send, spare_cash
from vaultdash.backtest.marks import mark_book, options_at_low
from vaultdash.backtest.option_trades import (
    close_legs,
    cover_calls,
    cover_puts,
    fund,
    open_legs,
    repay_from_hedge,
    sell_gold,
    settle,
    trade,
)
from vaultdash.backtest.quiet_days import is_quiet, pass_quietly
from vaultdash.backtest.selection import is_quoted


def walk(run: Run) -> None:
    """Fill series, trades, calls and account of a replay; all other arrays come ready from `engine`."""
    days, account, terms = run.days, run.account, run.terms
    begin(run)
    marked, start = -1, int(terms[at.START])
    t = 0
    while t < days.shape[1]:
        if t > marked:
            marked = mark_book(run, t)
        if t > start and is_quiet(run, t):
            t = pass_quietly(run, t, marked)
            if t > marked:
                continue
        if t > start:
            accrue(run, t)
            read_low(run, t)
        if settle(run, t):
            marked = mark_book(run, t)
        if t == start:
            draw(run)
        if t == 0 and run.legs.shape[0] > 0:
            decide(run, t, nan)
        if account[at.IS_ORDERED] > 0 and execute(run, t):
            marked = mark_book(run, t)
        receive(run, t)
        read(run, t)
        judge(run, t)
        if account[at.STANDING] == at.FINE or account[at.STANDING] == at.NO_LOAN:
            decide(run, t, run.series[at.AT_IGNORED, t])
        if terms[at.SAME_CLOSE] > 0 and account[at.IS_ORDERED] > 0 and execute(run, t):
            marked = mark_book(run, t)
        if account[at.STANDING] == at.FLAT:
            marked = days.shape[1] - 1
        record(run, t)
        t += 1


def begin(run: Run) -> None:
    """Units, own cash and no loan."""
    account, terms = run.account, run.terms
    account[at.HELD_UNITS] = terms[at.UNITS]
    account[at.CASH] = account[at.SPARE_LEFT] = terms[at.SPARE]
    account[at.STANDING] = at.NO_LOAN


def draw(run: Run) -> None:
    """The loan is drawn, with the premiums it was to pay before there was one."""
    account = run.account
    account[at.PRINCIPAL] = run.terms[at.AMOUNT] + account[at.BORROWED]
    account[at.CASH] += account[at.BORROWED]
    account[at.STANDING] = at.FINE


def read_low(run: Run, t: int) -> None:
    """The lender's LTV at the day's low, what is held being that of the close before; NaN where it is no breach."""
    account, terms, days = run.account, run.terms, run.days
    low = days[at.LOW, t]
    run.series[at.AT_LOW, t] = nan
    if isnan(low) or account[at.STANDING] == at.FLAT:
        return
    gold = account[at.HELD_UNITS] * low
    if not is_breach(ltv(run, at.IGNORED, gold, 0.0), terms[at.CALL]) and run.series[at.VALUE, t] >= 0:
        return
    options = 0.0 if terms[at.COUNTING] == at.IGNORED else options_at_low(run, t, low)
    run.series[at.AT_LOW, t] = ltv(run, terms[at.COUNTING], gold, options)


def execute(run: Run, t: int) -> bool:
    """Carry out the orders at the close of day t; False when nothing was done, as when a cure is needed no more."""
    account = run.account
    if not can_trade(run, t):
        return False
    if account[at.IS_CURE] > 0:
        gold = account[at.HELD_UNITS] * run.days[at.CLOSE, t]
        reading = ltv(run, run.terms[at.COUNTING], gold, run.series[at.VALUE, t])
        stands = is_breach(reading, run.terms[at.CALL])
        if stands:
            cure(run, t)
        clear_order(run)
        return stands
    enters = is_entry(run)
    cash = close_legs(run, t)
    cost = open_legs(run, t)
    cash += cover_puts(run, t, at.ROLL)
    if account[at.REPAYS] > 0:
        repay_from_hedge(run, t, cash + max(-cost, 0.0))
        fund(run, t, max(cost, 0.0))
    elif cash > cost and not enters:
        repay_from_hedge(run, t, cash - cost)  # in cash the lender would count it no more, and call for it
    else:
        fund(run, t, cost - cash)
    clear_order(run)
    return True


def is_entry(run: Run) -> bool:
    """True when the order opens legs that were never held, and does nothing else."""
    for leg in range(run.book.shape[0]):
        if run.book[leg, at.TO_DO] != at.LEAVE and run.book[leg, at.WHY] != at.ENTRY:
            return False
    return True


def can_trade(run: Run, t: int) -> bool:
    """False while something that is to be closed has no quote: the order waits."""
    for leg in range(run.book.shape[0]):
        column = int(run.book[leg, at.COLUMN])
        closes = run.book[leg, at.TO_DO] != at.LEAVE and run.book[leg, at.HELD] != 0
        if closes and column >= 0 and not is_quoted(run.quoted, t, column):
            return False
    return True


def cure(run: Run, t: int) -> None:
    """Sell puts, pay spare cash and sell gold as ordered."""
    account = run.account
    row = min(int(account[at.CALLS]), run.calls.shape[0]) - 1
    cash = close_legs(run, t)
    repay_from_hedge(run, t, cash + cover_puts(run, t, at.CURE))
    if account[at.ORDER_CASH] > 0:
        paid = repay(run, min(account[at.ORDER_CASH], spare_cash(run)))
        account[at.SPARE_LEFT] = max(account[at.SPARE_LEFT] - paid, 0.0)
        run.calls[row, at.CALL_CASH] += paid
    if account[at.ORDER_UNITS] > 0:
        before = account[at.HELD_UNITS]
        sent = send(run, t, sell_gold(run, t, account[at.ORDER_UNITS]), True)
        run.calls[row, at.CALL_GOLD] += sent
        run.calls[row, at.CALL_UNITS] += before - account[at.HELD_UNITS]
        cover_calls(run, t, at.CURE)


def read(run: Run, t: int) -> None:
    """LTV in each counting and headroom at the close of day t; NaN without a loan."""
    account, series = run.account, run.series
    if account[at.STANDING] == at.NO_LOAN or account[at.STANDING] == at.FLAT:
        for row in range(at.AT_LENDER, at.AT_CREDITED + 1):
            series[row, t] = nan
        series[at.AT_HEADROOM, t] = nan
        return
    gold, options = account[at.HELD_UNITS] * run.days[at.CLOSE, t], run.series[at.VALUE, t]
    for k in range(3):
        series[at.AT_IGNORED + k, t] = ltv(run, k, gold, options)
    series[at.AT_LENDER, t] = series[at.AT_IGNORED + int(run.terms[at.COUNTING]), t]
    debt = owed(run) - account[at.COMING_GOLD]
    series[at.AT_HEADROOM, t] = room(run.terms, debt, account[at.COMING_HEDGE], gold, options)


def judge(run: Run, t: int) -> None:
    """The margin-call machine: called, cured, or sold by the lender; and the borrower's answer to a call."""
    account, terms = run.account, run.terms
    standing, reading = account[at.STANDING], run.series[at.AT_LENDER, t]
    if standing != at.FINE and standing != at.CALLED:
        return
    breach = is_breach(reading, terms[at.CALL])
    if standing == at.FINE:
        if not breach:
            return
        open_call(run, t, reading)
    elif not breach:
        close_call(run, t)
        return
    if is_breach(reading, terms[at.CLOSE_OUT]) or t >= account[at.DEADLINE]:
        liquidate(run, t)
    elif account[at.IS_ORDERED] == 0:
        decide_cure(run, t, account[at.HELD_UNITS] * run.days[at.CLOSE, t], run.series[at.VALUE, t])


def open_call(run: Run, t: int, reading: float) -> None:
    """A line of the calls; whatever was ordered besides is called off."""
    account = run.account
    row = int(account[at.CALLS])
    account[at.CALLS] += 1
    account[at.STANDING] = at.CALLED
    account[at.DEADLINE] = t + run.terms[at.CURE_DAYS]
    clear_order(run)
    line = run.calls[min(row, run.calls.shape[0] - 1)]
    line[:] = 0.0
    line[at.CALL_DAY], line[at.CALL_PRICE], line[at.CALL_LTV] = t, run.days[at.CLOSE, t], reading
    line[at.CALL_ENDED], line[at.CALL_ENDING] = -1.0, at.OPEN


def close_call(run: Run, t: int) -> None:
    """Below the limit again: by what was sold or paid, or by itself."""
    account = run.account
    account[at.STANDING] = at.FINE
    clear_order(run)
    line = run.calls[min(int(account[at.CALLS]), run.calls.shape[0]) - 1]
    ending = at.BY_ITSELF
    if line[at.CALL_GOLD] > 0:
        ending = at.WITH_GOLD
    elif line[at.CALL_CASH] > 0:
        ending = at.WITH_CASH
    elif line[at.CALL_HEDGE] > 0:
        ending = at.WITH_HEDGE
    line[at.CALL_ENDED], line[at.CALL_ENDING] = t, ending
    account[at.WORST] = max(account[at.WORST], ending)


def liquidate(run: Run, t: int) -> None:
    """The lender sells all gold; the options are closed, what is owed is paid, and nothing more happens."""
    account, book = run.account, run.book
    clear_order(run)
    for leg in range(book.shape[0]):
        if book[leg, at.HELD] != 0:
            account[at.CASH] += trade(run, t, leg, at.LIQUIDATION, -book[leg, at.HELD])
    before = account[at.HELD_UNITS]
    cash = sell_gold(run, t, before)
    line = run.calls[min(int(account[at.CALLS]), run.calls.shape[0]) - 1]
    line[at.CALL_GOLD] += min(cash, account[at.PRINCIPAL] + account[at.ACCRUED])
    line[at.CALL_UNITS] += before
    line[at.CALL_ENDED], line[at.CALL_ENDING] = t, at.LIQUIDATED
    account[at.WORST] = at.LIQUIDATED
    account[at.CASH] -= account[at.PRINCIPAL] + account[at.ACCRUED]
    account[at.PRINCIPAL], account[at.ACCRUED] = 0.0, 0.0
    account[at.COMING_GOLD], account[at.COMING_HEDGE] = 0.0, 0.0
    run.series[at.DUE_GOLD, :], run.series[at.DUE_HEDGE, :] = 0.0, 0.0
    account[at.STANDING] = at.FLAT
    run.series[at.VALUE, t:] = 0.0


def record(run: Run, t: int) -> None:
    """Units, loan, options, cash and equity after everything that happened on day t."""
    account, series = run.account, run.series
    options = run.series[at.VALUE, t]
    unpaid = 0.0 if run.terms[at.CAPITALISED] > 0 else account[at.ACCRUED]
    series[at.AT_UNITS, t] = account[at.HELD_UNITS]
    series[at.AT_HEDGE, t] = options
    series[at.AT_CASH, t] = account[at.CASH]
    if account[at.STANDING] == at.NO_LOAN:
        series[at.AT_LOAN, t] = series[at.AT_EQUITY, t] = nan
        return
    debt = owed(run)
    series[at.AT_LOAN, t] = debt
    gold = account[at.HELD_UNITS] * run.days[at.CLOSE, t]
    series[at.AT_EQUITY, t] = gold + options + account[at.CASH] - debt - unpaid
    if run.terms[at.IS_OBSERVED] > 0:
        count_missing(run, t)


def count_missing(run: Run, t: int) -> None:
    """Count the day when something held has no quote on it."""
    for leg in range(run.book.shape[0]):
        if run.book[leg, at.HELD] != 0 and not is_quoted(run.quoted, t, int(run.book[leg, at.COLUMN])):
            run.account[at.MISSING] += 1
            return
