"""The workbench in sentences: what a hedge is, what it keeps away and costs, and why one is the cheapest."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from vaultdash.domain.hedge_verdict import (
    BindingPrice,
    CallSafety,
    CheapestHedge,
    ListedMeasure,
    NearestRequest,
    PathVerdict,
    SolveStatus,
)
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedHedge, ListedLeg
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.services.workbench_request import CheapestReport, Goal
from vaultdash.strategies.frontier_alternatives import enough
from vaultdash.ui.format import day, moment, number, pct, price, strike, unbroken, usd
from vaultdash.ui.theme import Tone

COUNTED = {
    HedgeCounting.IGNORED: "options ignored",
    HedgeCounting.AFTER_PAYMENT: "after payment",
    HedgeCounting.CREDITED: "options credited",
}
COUNTING_NOTES = {
    HedgeCounting.IGNORED: "The lender looks at gold and loan alone: no option moves this LTV, and the call comes at "
    "the same price with every hedge.",
    HedgeCounting.AFTER_PAYMENT: "The options are sold or exercised and the money repays the loan, if it arrives in "
    "time.",
    HedgeCounting.CREDITED: "The lender holds the options and counts what they would pay as collateral.",
}
PER_CENT = re.compile(r"(?<=[0-9])%")
MINUS = re.compile(r"(?<![0-9A-Za-z-])-(?=[0-9$])")
SAME_FALL = 1e-6
NO_BROKER = "The paths know nothing of the broker, who calls first for the sold calls."
LENDER_SAYS = {
    HedgeCounting.IGNORED: "Your lender does not count it: you must sell it first, and repay before the deadline.",
    HedgeCounting.AFTER_PAYMENT: "Your lender counts it once it is sold and has repaid.",
    HedgeCounting.CREDITED: "Your lender counts it as collateral.",
}


def leg_words(leg: ListedLeg) -> str:
    """`22 puts 370`, `22 sold calls 520`."""
    count, name = abs(leg.contracts), "put" if leg.option.right is Right.PUT else "call"
    side = "" if leg.contracts > 0 else "sold "
    return f"{number(count)} {side}{name}{'' if count == 1 else 's'} {strike(leg.option.strike)}"


def legs_words(hedge: ListedHedge) -> str:
    """`22 puts 400 and 22 sold calls 520`; without legs `no hedge`."""
    said = [leg_words(leg) for leg in hedge.legs]
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said) or "no hedge"


def until(hedge: ListedHedge) -> str:
    """`until 18 Sep 2026`, and both days where the legs end on several."""
    first, last = hedge.first_expiration, hedge.last_expiration
    if first is None or first == last:
        return f"until {day(first)}"
    return f"until {day(first)}, its longest part until {day(last)}"


def cost_words(measure: ListedMeasure) -> str:
    """`for $ 8,120, 0.9 % a year of your gold`; one that brings money says so."""
    if measure.net_cost < 0:
        return f"bringing {usd(-measure.net_cost)}"
    a_year = "" if measure.cost_per_year_pct is None else f", {pct(measure.cost_per_year_pct, 2)} a year of your gold"
    return f"for {usd(measure.net_cost)}{a_year}"


def counted_as(measure: ListedMeasure) -> HedgeCounting:
    """The counting a sentence speaks of: the lender's own; of one who ignores options, once they have paid."""
    own = measure.case.loan.hedge_counting
    return HedgeCounting.AFTER_PAYMENT if own is HedgeCounting.IGNORED else own


def headline(measure: ListedMeasure, *, is_cheapest: bool) -> tuple[str, Tone]:
    """The first sentence about a hedge, and whether it says well."""
    hedge = measure.hedge
    if not hedge.legs:
        return nothing_words(measure.case)
    what = f"{legs_words(hedge)} {cost_words(measure)}"
    if counted_as(measure) is HedgeCounting.AFTER_PAYMENT:
        return _repaying(measure, what, is_cheapest=is_cheapest)
    found = measure.countings[HedgeCounting.CREDITED]
    if found.keeps:
        reach = f"at every price down to {pct(measure.price_range[0], 0)} {until(hedge)}"
        if is_cheapest:
            return f"The cheapest hedge that keeps a call away {reach}: {what}.", "room"
        return f"{_capital(what)}: keeps a call away {reach}.", "room"
    if found.deepest_fall is None:
        return f"{_capital(what)}: no help against the call, which is there now.", "call"
    call = f"down to {pct(-abs(found.deepest_fall))}, not further"
    return f"{_capital(what)}: keeps a call away {call}, {until(hedge)}.", "warning"


def _repaying(measure: ListedMeasure, what: str, *, is_cheapest: bool) -> tuple[str, Tone]:
    """Of a lender who calls on the gold alone: the call comes all the same, and what a sale brings answers it."""
    alone, sold = (measure.countings[one] for one in (HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT))
    low, end = pct(measure.price_range[0], 0), until(measure.hedge)
    if alone.deepest_fall is None:
        return f"{_capital(what)}: no help against the call, which is there now.", "call"
    if alone.keeps:
        return f"{_capital(what)}: no call comes down to {low} {end}, with it or without.", "room"
    call = f"does not stop the call at {price(measure.case.spot * (1 - alone.deepest_fall))}"
    if sold.keeps:
        tone: Tone = "warning" if measure.case.loan.hedge_counting is HedgeCounting.IGNORED else ""
        reach = f"at every price down to {low} {end}"
        if is_cheapest:
            said = f"The cheapest hedge that would repay a call {reach}, if it is sold at once: {what}. It {call}."
            return said, tone
        return f"{_capital(what)}: {call}; sold at once it would repay enough {reach}.", tone
    if sold.deepest_fall is None or sold.deepest_fall <= alone.deepest_fall + SAME_FALL:
        return f"{_capital(what)}: {call}, and sold there it would not repay enough.", "call"
    reach = f"down to {pct(-abs(sold.deepest_fall))}, not further, {end}"
    return f"{_capital(what)}: {call}; sold at once it would repay enough {reach}.", "warning"


def nothing_words(case: HedgeCase) -> tuple[str, Tone]:
    """What holds without a hedge."""
    if case.ltv >= case.loan.margin_call_ltv:
        return f"No hedge, and the loan is called now: LTV is {pct(case.ltv)}.", "call"
    fall = 1 - case.call_price / case.spot
    return f"No hedge: the call comes at {price(case.call_price)}, {pct(-fall)} from here.", "warning"


def case_words(case: HedgeCase, symbol: str) -> str:
    """The loan that everything is judged on, in a line."""
    loan = case.loan
    return (
        f"{number(case.units)} {symbol} at {price(case.spot)}, loan {usd(loan.amount)}, LTV {pct(case.ltv)}, call at "
        f"{pct(loan.margin_call_ltv, 0)} ({price(case.call_price)}), {COUNTED[loan.hedge_counting]} by your lender"
    )


def market_words(market: HedgeMarket) -> str:
    """What the prices are: source, moment, how many contracts, and what is left out."""
    out = "; ".join(f"{count} {reason}" for reason, count in market.counts.items())
    left = f" · left out: {out}" if out else ""
    return f"{number(len(market.options))} contracts from {market.source}, {moment(market.at)}{left}"


def infeasible_words(found: CheapestHedge) -> str:
    """Why nothing fits, and what would."""
    said = found.reason if found.reason.endswith(".") else f"{found.reason}."
    return f"{said} {nearest_words(found.nearest)}".strip()


def nearest_words(nearest: NearestRequest | None) -> str:
    """What would have to be asked for instead; each alone is enough."""
    if nearest is None:
        return ""
    if nearest.words:
        return nearest.words
    ways = []
    if nearest.max_hedged_ltv is not None:
        ways.append(f"an LTV of {pct(nearest.max_hedged_ltv)}")
    if nearest.loan_amount is not None:
        repay = "" if nearest.repay is None else f" (repay {usd(nearest.repay)})"
        ways.append(f"a loan of {usd(nearest.loan_amount)}{repay}")
    if nearest.budget is not None:
        ways.append(f"a budget of {usd(nearest.budget)}")
    return f"What can be kept: {', or '.join(ways)}." if ways else ""


def status_words(report: CheapestReport) -> str:
    """How the search ended, in a line."""
    found = report.found
    took = f" in {report.seconds:.1f} s" if report.seconds >= 0.05 else ""
    looked = "" if report.market is None else f" among {number(len(report.market.options))} contracts"
    if found.status is SolveStatus.OPTIMAL and report.request.goal is not Goal.CHEAPEST:
        return f"Proved the best{looked}{took}, and re-checked at {number(found.checked)} prices."
    if found.status is SolveStatus.OPTIMAL:
        return f"Proved the cheapest{looked}{took}, and re-checked at {number(found.checked)} prices."
    if found.status is SolveStatus.TIMEOUT:
        return f"Time ran out{took}: the best found so far{looked}, not proved the cheapest."
    return f"No hedge{looked} does what is asked."


def binding_words(found: BindingPrice) -> str:
    """`at 276.00 LTV is 75.0 %, $ 120 to spare`."""
    on = "" if found.on is None else f" on {day(found.on)}"
    rule = "the loss allowed" if found.rule == "max_loss" else f"LTV {pct(found.ltv, 2)}"
    return f"at {price(found.price)}{on}: {rule}, {usd(found.spare)} to spare"


def verdict_words(verdict: PathVerdict) -> tuple[str, str]:
    """`0.1 to 1.2 %`, and the standard error: the lowest and highest over the models."""
    low, high = verdict.span
    error = max(one.uncured_error for one in verdict.odds)
    shown = pct(low) if pct(low) == pct(high) else f"{low * 100:.1f} to {pct(high)}"
    return shown, f"± {pct(error)}"


def repay_words(measure: ListedMeasure) -> str:
    """What would have to be repaid for the same, where no option stops the call; "" where one does."""
    if counted_as(measure) is not HedgeCounting.AFTER_PAYMENT:
        return ""
    low = measure.price_range[0]
    repay = enough(replace(measure.case, until=measure.hedge.first_expiration), -low).repay
    return f"Repaying {usd(repay)} keeps every call away down to {pct(low, 0)}." if repay > 0 else ""


def paths_words(verdict: PathVerdict | None, bare: PathVerdict | None) -> str:
    """What random paths came to with the hedge and without, in a sentence; "" while they have not been followed."""
    if verdict is None:
        return ""
    without = "" if bare is None else f", {verdict_words(bare)[0]} without a hedge"
    return f"Of random paths {verdict_words(verdict)[0]} have a call that it does not cure{without}."


def calls_words(calls: CallSafety, case: HedgeCase) -> str:
    """The broker's side of sold calls, the danger first."""
    if calls.is_covered:
        return "Gold and sold calls lie at the same broker: the calls are covered, and a rise brings no call."
    if calls.broker_calls_at is not None and calls.broker_calls_at > case.spot:
        rise = calls.broker_calls_at / case.spot - 1
        return (
            f"The rise is the danger here: the broker calls at {price(calls.broker_calls_at)} USD, {pct(rise)} above "
            f"now, while the gold that would cover it is pledged elsewhere."
        )
    if calls.requirement <= calls.broker_margin:
        return f"The broker wants {usd(calls.requirement)} for the sold calls, which its free money bears."
    return (
        f"The rise is the danger here: the broker asks {usd(calls.requirement)} at once, and "
        f"{usd(calls.after_rally)} after a rise of {pct(calls.rally, 0)}; the gold that would cover the calls is "
        "pledged elsewhere."
    )


def days_words(days: Sequence[date]) -> str:
    """`18 Sep 2026 and 15 Jan 2027`; of many the first and how many more."""
    shown = [day(one) for one in days]
    if len(shown) > 2:
        return f"{shown[0]} and {len(shown) - 1} more"
    return " and ".join(shown)


def typeset(words: str) -> str:
    """A sentence of a service as pages set it: `-24.7%` as `−24.7 %`, numbers kept beside their unit."""
    return unbroken(MINUS.sub("−", PER_CENT.sub(" %", words)))


def sentences(said: Iterable[str]) -> str:
    """Remarks as sentences, one after the other; what is said twice once."""
    plain = [one.strip() for one in dict.fromkeys(said) if one.strip()]
    ended = [one if one.endswith((".", "!", "?")) else f"{one}." for one in plain]
    return typeset(" ".join(_capital(one) for one in ended))


def _capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"
