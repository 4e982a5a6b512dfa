"""Buying, selling and settling the options of a replay, and how the premium is paid."""

from math import floor, isnan

from vaultdash.backtest import layout as at
from vaultdash.backtest.layout import Run
from vaultdash.backtest.loan_account import send
from vaultdash.backtest.model import (
    contract_volatility,
    half_spread,
    intrinsic,
    option_value,
    shape_of,
    vega_point,
    years_to,
)
from vaultdash.backtest.selection import is_quoted, keep_covered, puts_from, wanted_contracts

RETRY_DAYS = 30  # after a purchase that came to no contract


def modelled_quote(run: Run, t: int, right: float, strike: float, expires: float) -> tuple[float, float, float]:
    """Mid, bid and ask of the model at the close of day t, USD a share."""
    days, terms = run.days, run.terms
    spot, rate, years = days[at.CLOSE, t], days[at.RATE, t], years_to(expires, days[at.DAY, t])
    sigma = contract_volatility(days, t, strike, expires, shape_of(terms))
    mid = option_value(right, spot, strike, years, rate, sigma, run.early)
    half = half_spread(mid, vega_point(spot, strike, years, rate, sigma), terms)
    return mid, max(mid - half, 0.0), mid + half


def observed_mid(run: Run, t: int, column: int) -> float:
    """The mid of day t; without a quote intrinsic value plus the time value of the last one, USD a share."""
    quoted, days = run.quoted, run.days
    right, strike = run.contracts[at.CONTRACT_RIGHT, column], run.contracts[at.CONTRACT_STRIKE, column]
    s = t
    while s >= 0 and isnan(quoted[at.BID, s, column]):
        s -= 1
    now = intrinsic(right, days[at.CLOSE, t], strike)
    if s < 0:
        return now
    mid = 0.5 * (quoted[at.BID, s, column] + quoted[at.ASK, s, column])
    found: float = mid if s == t else now + max(mid - intrinsic(right, days[at.CLOSE, s], strike), 0.0)
    return found


def quote(run: Run, t: int, right: float, strike: float, expires: float, column: int) -> tuple[float, float, float]:
    """Mid, bid and ask of a contract at the close of day t, USD a share."""
    if column < 0:
        return modelled_quote(run, t, right, strike, expires)
    mid = observed_mid(run, t, column)
    if is_quoted(run.quoted, t, column):
        return mid, run.quoted[at.BID, t, column], run.quoted[at.ASK, t, column]
    half = half_spread(mid, 0.0, run.terms)
    return mid, max(mid - half, 0.0), mid + half


def commission(contracts: float, run: Run) -> float:
    """USD for trading so many, either way."""
    found: float = abs(contracts) * run.terms[at.COMMISSION]
    return found


def trade(run: Run, t: int, leg: int, reason: float, contracts: float) -> float:
    """Buy (above 0) or sell so many of the leg's contract at the close of day t; returns cash received, USD."""
    book = run.book
    right, strike, expires = run.legs[leg, at.LEG_RIGHT], book[leg, at.STRIKE], book[leg, at.EXPIRES]
    mid, bid, ask = quote(run, t, right, strike, expires, int(book[leg, at.COLUMN]))
    price = ask if contracts > 0 else bid
    fee = commission(contracts, run)
    cash = -contracts * at.SHARES * price - fee
    book[leg, at.HELD] += contracts
    write_trade(run, t, leg, reason, contracts, price, mid, fee, cash)
    return cash


def write_trade(
    run: Run, t: int, leg: int, reason: float, contracts: float, price: float, mid: float, fee: float, cash: float
) -> None:
    """A line of the trades, where there is room; all are counted."""
    account = run.account
    row = int(account[at.TRADES])
    account[at.TRADES] += 1
    account[at.PAID] += max(-cash, 0.0)
    account[at.RECOVERED] += max(cash, 0.0)
    if reason == at.ENTRY:
        account[at.ENTERED] -= cash
    if (reason == at.ROLL or reason == at.RATCHET) and account[at.ROLLED_ON] != t:
        account[at.ROLLS] += 1
        account[at.ROLLED_ON] = t
    run.series[at.AT_FLOW, t] += cash
    if row >= run.trades.shape[0]:
        return
    line = run.trades[row]
    line[at.TRADE_DAY], line[at.TRADE_REASON], line[at.TRADE_LEG] = t, reason, leg
    line[at.TRADE_STRIKE], line[at.TRADE_EXPIRES] = run.book[leg, at.STRIKE], run.book[leg, at.EXPIRES]
    line[at.TRADE_CONTRACTS], line[at.TRADE_PRICE], line[at.TRADE_MID] = contracts, price, mid
    line[at.TRADE_COMMISSION], line[at.TRADE_CASH] = fee, cash


def settle(run: Run, t: int) -> bool:
    """Pay out what expires before the next session at intrinsic value; True when something did.

    What is over, net of what expired against its holder, repays the loan: own cash pays for what replaces it at the
    next close.
    """
    book, settled, received = run.book, False, 0.0
    for leg in range(book.shape[0]):
        held = book[leg, at.HELD]
        if held == 0 or book[leg, at.EXPIRES] >= run.days[at.NEXT_DAY, t]:
            continue
        price = intrinsic(run.legs[leg, at.LEG_RIGHT], run.days[at.CLOSE, t], book[leg, at.STRIKE])
        cash = held * at.SHARES * price
        book[leg, at.HELD] = 0.0
        received += cash
        write_trade(run, t, leg, at.EXPIRY, -held, price, price, 0.0, cash)
        settled = True
    if settled:
        received += cover_puts(run, t, at.CURE if run.account[at.STANDING] == at.CALLED else at.ROLL)
        repay_from_hedge(run, t, received)
    return settled


def close_legs(run: Run, t: int) -> float:
    """Close what the order closes; returns cash received, USD."""
    book, cash = run.book, 0.0
    for leg in range(book.shape[0]):
        held = book[leg, at.HELD]
        count = min(book[leg, at.TO_CLOSE], abs(held))
        if book[leg, at.TO_DO] != at.LEAVE and count > 0:
            cash += trade(run, t, leg, book[leg, at.WHY], -count if held > 0 else count)
    return cash


def open_legs(run: Run, t: int) -> float:
    """Open what the order opens, as far as units, budget and cover allow; returns what it costs, USD."""
    book, legs = run.book, run.legs
    plan_purchase(run, t)
    paid = 0.0
    for leg in range(book.shape[0]):
        if book[leg, at.TO_DO] != at.REPLACE or book[leg, at.HELD] != 0:
            continue
        if run.book[leg, at.WANTED] <= 0:
            book[leg, at.TRY_AFTER] = run.days[at.DAY, t] + RETRY_DAYS
            continue
        book[leg, at.STRIKE], book[leg, at.EXPIRES] = book[leg, at.NEW_STRIKE], book[leg, at.NEW_EXPIRES]
        book[leg, at.COLUMN] = book[leg, at.NEW_COLUMN]
        book[leg, at.BOUGHT_AT], book[leg, at.EVER] = run.days[at.CLOSE, t], 1.0
        paid -= trade(run, t, leg, book[leg, at.WHY], legs[leg, at.LEG_SIDE] * run.book[leg, at.WANTED])
        run.account[at.ARMED_DELTA] = 0.0
    book[:, at.WANTED] = 0.0  # it is held now
    return paid


def plan_purchase(run: Run, t: int) -> None:
    """Fill `wanted` with the contracts of each leg that is opened on day t, 0 for the others."""
    book, legs, wanted, days = run.book, run.legs, run.book[:, at.WANTED], run.days
    units = run.account[at.HELD_UNITS]
    wanted_contracts(legs, units, run.terms[at.COVERAGE], wanted)
    for leg in range(book.shape[0]):
        opens = book[leg, at.TO_DO] == at.REPLACE and book[leg, at.HELD] == 0
        column = int(book[leg, at.NEW_COLUMN])
        expires = book[leg, at.NEW_EXPIRES]
        if opens and (expires < days[at.NEXT_DAY, t] or (column >= 0 and not is_quoted(run.quoted, t, column))):
            book[leg, at.TO_DO] = at.LEAVE  # nothing to be had today: the next close decides anew
            opens = False
        if not opens:
            wanted[leg] = 0.0
            continue
        _, bid, ask = quote(run, t, legs[leg, at.LEG_RIGHT], book[leg, at.NEW_STRIKE], expires, column)
        book[leg, at.NEW_BID], book[leg, at.NEW_ASK] = bid, ask
    keep_covered(run, units)
    if run.terms[at.BUDGET] > 0:
        keep_to_budget(run, t)
    if run.terms[at.FUNDING] == at.BY_GOLD:
        price = days[at.CLOSE, t] * (1.0 - run.terms[at.SLIP])
        while keep_covered(run, units - max(purchase_cost(run), 0.0) / price):
            pass


def purchase_cost(run: Run) -> float:
    """What `wanted` costs with commission, sold legs taken off, USD."""
    cost = 0.0
    for leg in range(run.book.shape[0]):
        count = run.book[leg, at.WANTED]
        if count > 0:
            buys = run.legs[leg, at.LEG_SIDE] > 0
            price = run.book[leg, at.NEW_ASK] if buys else -run.book[leg, at.NEW_BID]
            cost += count * at.SHARES * price + commission(count, run)
    return cost


def spent(run: Run, t: int) -> float:
    """Net payments for options within the 365 days up to day t, USD."""
    total, s = 0.0, t
    while s >= 0 and run.days[at.DAY, s] > run.days[at.DAY, t] - 365:
        total -= run.series[at.AT_FLOW, s]
        s -= 1
    return total


def keep_to_budget(run: Run, t: int) -> None:
    """Take from `wanted` until its cost is within what is left of the year's budget."""
    wanted = run.book[:, at.WANTED]
    budget = run.terms[at.BUDGET] * run.account[at.HELD_UNITS] * run.days[at.CLOSE, t] - spent(run, t)
    cost = purchase_cost(run)
    if cost <= max(budget, 0.0):
        return
    part = max(budget, 0.0) / cost
    for leg in range(wanted.size):
        wanted[leg] = floor(wanted[leg] * part)
    keep_covered(run, run.account[at.HELD_UNITS])  # legs that are each rounded down may cover less together
    while purchase_cost(run) > max(budget, 0.0):
        most = -1
        for leg in range(wanted.size):
            if run.legs[leg, at.LEG_SIDE] > 0 and wanted[leg] > 0 and (most < 0 or wanted[leg] > wanted[most]):
                most = leg
        if most < 0:
            wanted[:] = 0.0
            return
        wanted[most] -= 1.0
        keep_covered(run, run.account[at.HELD_UNITS])


def fund(run: Run, t: int, debit: float) -> None:
    """Pay a net debit by cash, by the loan or by selling gold, as the template says; a credit goes to cash.

    Calls for which the sold gold was the cover are bought back from cash.
    """
    account, terms = run.account, run.terms
    how = terms[at.FUNDING] if debit > 0 and account[at.STANDING] != at.FLAT else at.BY_CASH
    if how == at.BY_LOAN and account[at.STANDING] != at.NO_LOAN:
        account[at.PRINCIPAL] += debit
    elif how == at.BY_GOLD:
        account[at.CASH] -= debit
        sell_gold(run, t, debit / (run.days[at.CLOSE, t] * (1.0 - terms[at.SLIP])))
        cover_calls(run, t, at.ROLL)
    else:
        account[at.CASH] -= debit
        if how == at.BY_LOAN:
            account[at.BORROWED] += debit  # the loan takes it over when it is drawn


def sell_gold(run: Run, t: int, units: float) -> float:
    """Sell units at the close of day t; returns cash received, USD."""
    sold = min(units, run.account[at.HELD_UNITS])
    cash = sold * run.days[at.CLOSE, t] * (1.0 - run.terms[at.SLIP])
    run.account[at.HELD_UNITS] -= sold
    run.account[at.CASH] += cash
    found: float = cash
    return found


def cover_calls(run: Run, t: int, reason: float) -> None:
    """Buy back sold calls for which there is no gold any more."""
    over = -floor(run.account[at.HELD_UNITS] / at.SHARES + at.TOLERANCE)
    for leg in range(run.book.shape[0]):
        if run.legs[leg, at.LEG_RIGHT] > 0:
            over -= min(run.book[leg, at.HELD], 0.0)
    for leg in range(run.book.shape[0]):
        if run.legs[leg, at.LEG_RIGHT] > 0 and run.book[leg, at.HELD] < 0 and over > 0:
            count = min(over, -run.book[leg, at.HELD])
            run.account[at.CASH] += trade(run, t, leg, reason, count)
            over -= count


def cover_puts(run: Run, t: int, reason: float) -> float:
    """Buy back sold puts without as many bought ones of their strike or above; returns cash received, USD.

    Their expiry does not matter here: when the bought ones are gone, this is asked again on the same day.
    """
    book, cash = run.book, 0.0
    for leg in range(book.shape[0]):
        if run.legs[leg, at.LEG_RIGHT] > 0 or book[leg, at.HELD] >= 0:
            continue
        over = min(-puts_from(run, book[leg, at.STRIKE], 0), -book[leg, at.HELD])
        if over > 0:
            cash += trade(run, t, leg, reason, over)
    return cash


def repay_from_hedge(run: Run, t: int, cash: float) -> None:
    """What options brought goes to cash, and from there to the lender; a net payment only leaves cash."""
    run.account[at.CASH] += cash
    sent = send(run, t, cash, False)
    run.account[at.FROM_HEDGE] += sent
    if run.account[at.STANDING] == at.CALLED:
        row = min(int(run.account[at.CALLS]), run.calls.shape[0]) - 1
        run.calls[row, at.CALL_HEDGE] += sent
