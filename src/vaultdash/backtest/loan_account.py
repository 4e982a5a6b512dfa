"""The loan of a replay: interest, repayments, LTV in three countings, and what a cure needs."""

from math import inf

from vaultdash.backtest import layout as at
from vaultdash.backtest.layout import Run
from vaultdash.pricing.base import FloatArray


def owed(run: Run) -> float:
    """What is owed, USD: capitalised interest counts as it accrues, interest paid in cash does not."""
    account = run.account
    found: float = account[at.PRINCIPAL] + (account[at.ACCRUED] if run.terms[at.CAPITALISED] > 0 else 0.0)
    return found


def left_to_repay(run: Run) -> float:
    """What is owed less what is on its way to the lender, USD."""
    found: float = max(owed(run) - run.account[at.COMING_GOLD] - run.account[at.COMING_HEDGE], 0.0)
    return found


def earned(principal: float, days: float, terms: FloatArray) -> float:
    """Simple interest over calendar days, USD."""
    found: float = principal * terms[at.INTEREST] * days / terms[at.BASIS]
    return found


def accrue(run: Run, t: int) -> None:
    """Interest since the previous session; at each end of a quarter it is added to the loan or leaves cash."""
    days, account, terms = run.days, run.account, run.terms
    since = float(days[at.DAY, t - 1])
    quarter = int(account[at.QUARTER])
    while quarter < run.quarters.size and run.quarters[quarter] <= days[at.DAY, t]:
        _earn(run, run.quarters[quarter] - since)
        if terms[at.CAPITALISED] > 0:
            account[at.PRINCIPAL] += account[at.ACCRUED]
        else:
            account[at.CASH] -= account[at.ACCRUED]
        account[at.ACCRUED] = 0.0
        since = float(run.quarters[quarter])
        quarter += 1
    account[at.QUARTER] = quarter
    _earn(run, days[at.DAY, t] - since)


def _earn(run: Run, days: float) -> None:
    interest = earned(run.account[at.PRINCIPAL], days, run.terms)
    run.account[at.ACCRUED] += interest
    run.account[at.INTEREST_SUM] += interest


def repay(run: Run, amount: float) -> float:
    """Pay so much from cash, never more than is owed; returns what was paid, USD."""
    account = run.account
    paid = min(amount, owed(run))
    account[at.CASH] -= paid
    of_principal = min(paid, account[at.PRINCIPAL])
    account[at.PRINCIPAL] -= of_principal
    if paid > of_principal:
        account[at.ACCRUED] -= paid - of_principal
    return paid


def send(run: Run, t: int, amount: float, from_gold: bool) -> float:
    """Cash from a sale on day t repays after the days of settlement; returns what will, USD."""
    account = run.account
    paid = min(amount, left_to_repay(run))
    if paid <= 0:
        return 0.0
    days = int(run.terms[at.SETTLEMENT])
    if days == 0:
        return repay(run, paid)
    if from_gold:
        if t + days < run.series.shape[1]:
            run.series[at.DUE_GOLD, t + days] += paid
        account[at.COMING_GOLD] += paid
    else:
        if t + days < run.series.shape[1]:
            run.series[at.DUE_HEDGE, t + days] += paid
        account[at.COMING_HEDGE] += paid
    return paid


def receive(run: Run, t: int) -> None:
    """Repay with what reaches the lender on day t, and with what the schedule has for it."""
    account = run.account
    gold, hedge = run.series[at.DUE_GOLD, t], run.series[at.DUE_HEDGE, t]
    if gold > 0 or hedge > 0:
        account[at.COMING_GOLD] = max(account[at.COMING_GOLD] - gold, 0.0)
        account[at.COMING_HEDGE] = max(account[at.COMING_HEDGE] - hedge, 0.0)
        repay(run, gold + hedge)
    if run.series[at.SCHEDULE, t] > 0:
        repay(run, min(run.series[at.SCHEDULE, t], left_to_repay(run)))


def counted_value(gold: float, options: float, haircut: float) -> float:
    """Collateral of a lender who credits options, USD: without the haircut where they are owed."""
    return gold + (1.0 - haircut if options > 0 else 1.0) * options


def ratio(debt: float, collateral: float) -> float:
    """Debt by collateral; infinite without collateral."""
    if collateral > 0:
        return debt / collateral
    return inf if debt > 0 else 0.0


def lender_ratio(counting: float, debt: float, coming: float, gold: float, options: float, haircut: float) -> float:
    """Ignored L/V, after payment (L - Pi)/V, credited L/(V + (1 - haircut) Pi).

    `debt` is less what sold gold will repay; `coming` is what sold options will: a lender who ignores them sees that
    money when it arrives.
    """
    if counting == at.IGNORED:
        return ratio(debt, gold)
    if counting == at.AFTER_PAYMENT:
        return ratio(debt - coming - options, gold)
    return ratio(debt - coming, counted_value(gold, options, haircut))


def ltv(run: Run, counting: float, gold: float, options: float) -> float:
    """LTV in one of the countings with gold and options worth so much, USD."""
    account = run.account
    debt = owed(run) - account[at.COMING_GOLD]
    return lender_ratio(counting, debt, account[at.COMING_HEDGE], gold, options, run.terms[at.HAIRCUT])


def room(terms: FloatArray, debt: float, coming: float, gold: float, options: float) -> float:
    """m V + h Pi - L as the lender counts, USD."""
    left: float = terms[at.CALL] * gold - debt
    if terms[at.COUNTING] == at.IGNORED:
        return left
    left += coming
    if terms[at.COUNTING] == at.AFTER_PAYMENT:
        return left + options
    left += terms[at.CALL] * (counted_value(gold, options, terms[at.HAIRCUT]) - gold)
    return left


def is_breach(reading: float, limit: float) -> bool:
    """At the limit and above it."""
    return reading >= limit - at.TOLERANCE


def call_price(run: Run, t: int) -> float:
    """L / (m U), USD a share; before the loan is drawn that of the same LTV at the price of the day."""
    account, terms = run.account, run.terms
    if account[at.STANDING] == at.NO_LOAN:
        found: float = terms[at.START_LTV] * run.days[at.CLOSE, t] / terms[at.CALL]
        return found
    return ratio(left_to_repay(run), terms[at.CALL] * account[at.HELD_UNITS])


def shortfall(run: Run, gold: float, options: float) -> float:
    """What must be repaid to reach the target, USD, nothing sold: L - t V, with the credited options in V."""
    terms = run.terms
    value = counted_value(gold, options, terms[at.HAIRCUT]) if terms[at.COUNTING] == at.CREDITED else gold
    found: float = left_to_repay(run) - terms[at.TARGET] * value
    return found


def spare_cash(run: Run) -> float:
    """Cash that can cure, USD: what was set aside, or what is at hand where options have brought more."""
    account = run.account
    found: float = max(
        account[at.SPARE_LEFT], account[at.CASH] - account[at.COMING_GOLD] - account[at.COMING_HEDGE], 0.0
    )
    return found
