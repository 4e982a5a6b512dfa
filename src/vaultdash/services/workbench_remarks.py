"""What is said beside the answer of a search: in today's money, with nothing asked for, of calls in one custody."""

import math
from dataclasses import replace
from datetime import date

from vaultdash.domain.hedge_verdict import CheapestHedge
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import is_breached
from vaultdash.services.workbench_request import CheapestRequest, Goal

CENT = 0.01


def in_todays_money(found: CheapestHedge, case: HedgeCase, horizon: date) -> CheapestHedge:
    """The nearest request said of today's loan: the search was for what is owed on `horizon`, interest added.

    Interest is in proportion to the amount, so today's loan is the horizon's in that proportion, rounded down to
    cents; what it grows to is calculated again.
    """
    near, amount, owed = found.nearest, case.loan.amount, case.owed_on(horizon)
    if near is None or near.loan_amount is None or owed == amount:
        return found
    loan = math.floor(near.loan_amount * amount / owed / CENT) * CENT
    while loan > CENT and grown(case, loan, horizon) > near.loan_amount:
        loan -= CENT
    loan = round(loan, 2)
    repay = round(amount - loan, 2) if loan < amount else None
    words, reason = near.words, found.reason
    if near.repay is not None and repay is not None:
        then = f"a loan of {near.loan_amount:,.2f}, which is {near.repay:,.2f} repaid"
        today = f"a loan of {loan:,.2f} today, which is {repay:,.2f} repaid"
        words = words.replace(then, today)
        reason = reason.replace(then, today).replace(f"Repay {near.repay:,.2f}", f"Repay {repay:,.2f} today")
    return replace(found, reason=reason, nearest=replace(near, loan_amount=loan, repay=repay, words=words))


def grown(case: HedgeCase, loan: float, on: date) -> float:
    """What a loan of so much today, on the terms of the case's own, is on a day, USD."""
    return replace(case, loan=replace(case.loan, amount=loan)).owed_on(on)


def asks_nothing(request: CheapestRequest) -> bool:
    """True when no rule about prices is asked for, so that doing nothing is the cheapest there is."""
    return request.goal is Goal.CHEAPEST and request.max_hedged_ltv is None and request.max_loss is None


def nothing_judged(found: CheapestHedge, case: HedgeCase) -> CheapestHedge:
    """The answer to a search without a rule about prices: it is none about protection, and says so."""
    said = (
        "Nothing was asked for, so nothing is judged: neither a highest hedged LTV nor a largest loss was given. "
        f"{unhedged_call(case)}"
    )
    has_legs = found.hedge is not None and found.hedge.legs
    return replace(found, reason=f"{found.reason} {said}" if has_legs else said, remarks=(*found.remarks, said))


def unhedged_call(case: HedgeCase) -> str:
    """At which price the lender calls when there is no hedge, as a sentence."""
    limit = case.loan.margin_call_ltv
    if is_breached(case.ltv, limit):
        return f"Without a hedge the loan is called now: LTV is {case.ltv:.1%}, and the lender calls at {limit:.1%}."
    return (
        f"Without a hedge the call comes at {case.call_price:,.2f}, after a fall of "
        f"{1 - case.call_price / case.spot:.1%}, where LTV is {limit:.1%}."
    )


def custody_remarks(found: CheapestHedge, case: HedgeCase, *, is_dated: bool) -> tuple[str, ...]:
    """What sold calls would need if the gold were pledged elsewhere; nothing where that is what was judged."""
    hedge = found.hedge
    if case.split_custody or hedge is None or all(leg.contracts > 0 for leg in hedge.legs):
        return ()
    sold = sum(-leg.contracts for leg in hedge.legs if leg.contracts < 0)
    wanted = ""
    if is_dated:
        from vaultdash.strategies.call_safety import call_safety

        safety = call_safety(hedge, replace(case, split_custody=True))
        if safety is not None and not safety.is_covered:
            wanted = (
                f", and wants {safety.requirement:,.0f} USD for them now and {safety.after_rally:,.0f} USD after a "
                f"rise of {safety.rally:.0%}"
            )
    return (
        f"The {sold:,} sold calls are taken as covered, with gold and options in one custody. Where the gold is "
        f"pledged elsewhere the broker counts them as uncovered{wanted}: tell split custody to have that judged.",
    )
