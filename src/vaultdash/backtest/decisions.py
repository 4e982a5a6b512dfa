"""What a template and a borrower decide at a close, for the next one or the same: rolls, gains taken, cures."""

from math import ceil

from vaultdash.backtest import layout as at
from vaultdash.backtest.layout import Run
from vaultdash.backtest.loan_account import call_price, counted_value, is_breach, shortfall, spare_cash
from vaultdash.backtest.model import shape_of
from vaultdash.backtest.option_trades import commission, quote
from vaultdash.backtest.selection import (
    modelled_strike,
    nearest_expiration,
    observed_column,
    observed_expiration,
)


def decide(run: Run, t: int, ignored: float) -> None:
    """Give the orders of the template at the close of day t; `ignored` is L/V there."""
    if run.account[at.IS_DONE] > 0:
        return
    why = -1
    if monetises_delta(run, t):
        why = at.MONETISE_DELTA
    if monetises_ltv(run, ignored):
        why = at.MONETISE_LTV if why < 0 else why
    if why >= 0:
        take_gains(run, t, why)
        return
    for leg in range(run.legs.shape[0]):
        decide_leg(run, t, leg)


def holds_puts(run: Run) -> bool:
    """True when a bought put is held."""
    held = 0.0
    for leg in range(run.book.shape[0]):
        if run.legs[leg, at.LEG_RIGHT] < 0:
            held = max(held, run.book[leg, at.HELD])
    return held > 0


def monetises_delta(run: Run, t: int) -> bool:
    """True when a bought put's delta has come to the limit since the purchase."""
    limit, account = run.terms[at.DELTA_AT], run.account
    if limit <= 0 or not holds_puts(run):
        return False
    is_beyond = is_breach(run.series[at.DEEPEST, t], limit)
    fires = is_beyond and account[at.ARMED_DELTA] > 0
    account[at.ARMED_DELTA] = 0.0 if is_beyond else 1.0
    return fires


def monetises_ltv(run: Run, ignored: float) -> bool:
    """True when L/V has come to the limit from below while puts are held."""
    limit, account = run.terms[at.LTV_AT], run.account
    if limit <= 0 or account[at.STANDING] == at.NO_LOAN or not holds_puts(run):
        return False
    is_beyond = is_breach(ignored, limit)
    fires = is_beyond and account[at.ARMED_LTV] > 0
    account[at.ARMED_LTV] = 0.0 if is_beyond else 1.0
    return fires


def take_gains(run: Run, t: int, why: float) -> None:
    """Order the whole hedge sold and the loan repaid, and a new hedge where the template buys one."""
    account, book = run.account, run.book
    for leg in range(book.shape[0]):
        close_order(run, leg, abs(book[leg, at.HELD]), why)
        if run.terms[at.REBUYS] > 0 and choose(run, t, leg):
            book[leg, at.TO_DO] = at.REPLACE
    account[at.IS_ORDERED], account[at.REPAYS] = 1.0, 1.0
    account[at.IS_DONE] = 0.0 if run.terms[at.REBUYS] > 0 else 1.0


def close_order(run: Run, leg: int, contracts: float, why: float) -> None:
    """Order so many contracts of the leg closed."""
    run.book[leg, at.TO_DO] = at.END
    run.book[leg, at.TO_CLOSE] = contracts
    run.book[leg, at.WHY] = why


def decide_leg(run: Run, t: int, leg: int) -> None:
    """Order a leg bought that is not held, or replaced when its time or the ratchet has come."""
    book, terms, days = run.book, run.terms, run.days
    held = book[leg, at.HELD]
    if held == 0:
        if (book[leg, at.EVER] > 0 and terms[at.REBUYS] == 0) or days[at.DAY, t] < book[leg, at.TRY_AFTER]:
            return
        why = at.ROLL if book[leg, at.EVER] > 0 else at.ENTRY
    elif terms[at.RATCHET_AT] > 0 and days[at.CLOSE, t] >= book[leg, at.BOUGHT_AT] * (1.0 + terms[at.RATCHET_AT]):
        why = at.RATCHET
    elif book[leg, at.EXPIRES] - days[at.DAY, t] <= terms[at.ROLL_DAYS]:
        why = at.ROLL
    else:
        return
    if not choose(run, t, leg):
        return
    is_later = book[leg, at.NEW_EXPIRES] > book[leg, at.EXPIRES]
    is_other = is_later or book[leg, at.NEW_STRIKE] != book[leg, at.STRIKE]
    if held != 0 and not (is_later if why == at.ROLL else is_other):
        return  # nothing would be gained by the trade
    close_order(run, leg, abs(held), why)
    book[leg, at.TO_DO] = at.REPLACE
    run.account[at.IS_ORDERED] = 1.0


def choose(run: Run, t: int, leg: int) -> bool:
    """Write the contract that the leg's rule means at the close of day t into the order; False without one."""
    book, days, terms = run.book, run.days, run.terms
    row = run.legs[leg]
    right, rule, value, months = row[at.LEG_RIGHT], row[at.LEG_RULE], row[at.LEG_VALUE], row[at.LEG_MONTHS]
    if run.account[at.HELD_UNITS] <= 0:
        return False
    limit = call_price(run, t)
    day = float(days[at.DAY, t])
    if terms[at.IS_OBSERVED] > 0:
        expires = observed_expiration(run, t, day, right, months)
        column = observed_column(run, t, right, rule, value, expires, limit) if expires > 0 else -1
        if column < 0:
            return False
        book[leg, at.NEW_STRIKE], book[leg, at.NEW_COLUMN] = run.contracts[at.CONTRACT_STRIKE, column], column
    else:
        expires = nearest_expiration(run.listed, day, months)
        if expires < 0:
            return False
        strike = modelled_strike(days, t, right, rule, value, expires, limit, terms, shape_of(terms))
        book[leg, at.NEW_STRIKE], book[leg, at.NEW_COLUMN] = strike, -1.0
    book[leg, at.NEW_EXPIRES] = expires
    return True


def decide_cure(run: Run, t: int, gold: float, options: float) -> None:
    """Order what brings the loan to the target at the prices of day t: puts sold, then spare cash, then gold sold."""
    account, terms = run.account, run.terms
    missing = shortfall(run, gold, options)
    if missing <= 0:
        return
    missing = order_puts(run, t, missing, gold, options)
    account[at.ORDER_CASH] = min(max(missing, 0.0), spare_cash(run))
    missing -= account[at.ORDER_CASH]
    kept = 1.0 - terms[at.SLIP] - terms[at.TARGET]
    if missing > at.TOLERANCE and kept > 0:
        account[at.ORDER_UNITS] = min(missing / (kept * run.days[at.CLOSE, t]), account[at.HELD_UNITS])
    account[at.IS_ORDERED], account[at.IS_CURE] = 1.0, 1.0


def order_puts(run: Run, t: int, missing: float, gold: float, options: float) -> float:
    """Order bought puts sold, those that bring most first, until `missing` USD are found; returns what still is.

    Where the lender credits options, a put that is sold takes its credit with it. Sold puts for which no bought one
    would remain are bought back with it.
    """
    book, legs = run.book, run.legs
    credit = put_credit(run, gold, options)
    bought, sold, short = 0.0, 0.0, -1
    for leg in range(book.shape[0]):
        book[leg, at.TO_DO], book[leg, at.TO_CLOSE] = at.LEAVE, 0.0
        if legs[leg, at.LEG_RIGHT] < 0:
            bought += max(book[leg, at.HELD], 0.0)
            sold -= min(book[leg, at.HELD], 0.0)
            short = leg if book[leg, at.HELD] < 0 else short
    debt = 0.0
    if short >= 0:
        mid, _, ask = held_quote(run, t, short)
        debt = at.SHARES * (ask - credit * mid) + commission(1.0, run)
    slack = bought - sold
    for _ in range(book.shape[0]):
        best, most = -1, 0.0
        for leg in range(book.shape[0]):
            if legs[leg, at.LEG_RIGHT] < 0 and book[leg, at.HELD] > 0 and book[leg, at.TO_DO] == at.LEAVE:
                _, bid, _ = held_quote(run, t, leg)
                if bid > most:
                    best, most = leg, bid
        if best < 0 or missing <= at.TOLERANCE:
            break
        mid, bid, _ = held_quote(run, t, best)
        gain = at.SHARES * (bid - credit * mid) - commission(1.0, run)
        alone = contracts_for(missing, gain, min(book[best, at.HELD], max(slack, 0.0)))
        missing -= alone * gain
        paired = contracts_for(missing, gain - debt, book[best, at.HELD] - alone)
        missing -= paired * (gain - debt)
        slack -= alone
        close_order(run, best, alone + paired, at.CURE)
        buy_back(run, paired)
    return missing


def put_credit(run: Run, gold: float, options: float) -> float:
    """By how much of its mid a sold option raises what must be repaid: the target times what the lender credits."""
    if run.terms[at.COUNTING] != at.CREDITED or options == 0:
        return 0.0
    found: float = run.terms[at.TARGET] * (counted_value(gold, options, run.terms[at.HAIRCUT]) - gold) / options
    return found


def contracts_for(missing: float, gain: float, most: float) -> float:
    """Contracts of a gain each that find `missing` USD, rounded up, at most so many; none without a gain."""
    if gain <= 0 or missing <= at.TOLERANCE:
        return 0.0
    return min(ceil(missing / gain - at.TOLERANCE), most)


def buy_back(run: Run, contracts: float) -> None:
    """Order so many sold puts bought back, from the last leg on."""
    left = contracts
    for k in range(run.book.shape[0]):
        leg = run.book.shape[0] - 1 - k
        if left > 0 and run.legs[leg, at.LEG_RIGHT] < 0 and run.book[leg, at.HELD] < 0:
            count = min(left, -run.book[leg, at.HELD] - run.book[leg, at.TO_CLOSE])
            close_order(run, leg, run.book[leg, at.TO_CLOSE] + count, at.CURE)
            left -= count


def held_quote(run: Run, t: int, leg: int) -> tuple[float, float, float]:
    """Mid, bid and ask of what the leg holds, USD a share."""
    book = run.book
    return quote(
        run,
        t,
        run.legs[leg, at.LEG_RIGHT],
        book[leg, at.STRIKE],
        book[leg, at.EXPIRES],
        int(book[leg, at.COLUMN]),
    )


def clear_order(run: Run) -> None:
    """No order stands."""
    account = run.account
    account[at.IS_ORDERED], account[at.IS_CURE], account[at.REPAYS] = 0.0, 0.0, 0.0
    account[at.ORDER_CASH], account[at.ORDER_UNITS] = 0.0, 0.0
    for leg in range(run.book.shape[0]):
        run.book[leg, at.TO_DO], run.book[leg, at.TO_CLOSE] = at.LEAVE, 0.0
