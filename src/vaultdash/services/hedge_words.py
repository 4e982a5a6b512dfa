"""Why this hedge: what it keeps and where it binds, why no cheaper one will do, and what it does not cover."""

from vaultdash.domain.hedge_verdict import (
    CheaperNeighbour,
    CheapestHedge,
    ListedMeasure,
    SolveStatus,
)
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg
from vaultdash.domain.loan import HedgeCounting, is_breached
from vaultdash.domain.option import Right
from vaultdash.services.workbench_request import CheapestRequest

MOST_NAMED_LEGS = 4
MOST_NEIGHBOURS = 3
TIGHT = 1e-3  # of the loan
COUNTED = {
    HedgeCounting.CREDITED: (
        "This holds only for a lender who credits the options as collateral: they must be pledged to it, and its "
        "contract must say so."
    ),
    HedgeCounting.AFTER_PAYMENT: (
        "It does not stop the call: this holds only if the options are sold then and the money repays the loan "
        "before the lender's deadline; what is sold does not protect a second time."
    ),
    HedgeCounting.IGNORED: "This lender looks at gold and loan alone: no option moves its LTV.",
}


def why(
    found: CheapestHedge, case: HedgeCase, request: CheapestRequest, measure: ListedMeasure | None
) -> tuple[str, ...]:
    """The reasons as sentences, the most important first; `measure` is that of the hedge found, where it has one."""
    said = [found.reason] if found.reason else []
    hedge = found.hedge
    if hedge is None:
        nearest = "" if found.nearest is None else found.nearest.words
        return (*said, *([nearest] if nearest and nearest not in found.reason else []))
    if not hedge.legs:
        return tuple(said)
    said.append(_bought(hedge, measure))
    said += _binding(found, case)
    if found.status is SolveStatus.OPTIMAL:
        said += _not_cheaper(found)
    said.append(_counted(request, case))
    said += _limits(found, case, request)
    if measure is not None and measure.calls is not None and not measure.calls.is_covered:
        said.append(_calls(measure))
    return tuple(said)


def legs_words(hedge: ListedHedge) -> str:
    """`buys 44 puts 350, 18 Sep 2026; sells 1 call 500, 18 Sep 2026; ...`; of many legs the first."""
    named = [_leg_words(leg) for leg in hedge.legs[:MOST_NAMED_LEGS]]
    left = len(hedge.legs) - MOST_NAMED_LEGS
    return "; ".join([*named, *([f"and {left} more"] if left > 0 else [])])


def _leg_words(leg: ListedLeg) -> str:
    count, name = abs(leg.contracts), "put" if leg.option.right is Right.PUT else "call"
    plural = "" if count == 1 else "s"
    verb = "buys" if leg.contracts > 0 else "sells"
    return f"{verb} {count:,} {name}{plural} {leg.option.strike:g}, {leg.option.expiration:%-d %b %Y}"


def _bought(hedge: ListedHedge, measure: ListedMeasure | None) -> str:
    words = legs_words(hedge)
    money = f"costs {hedge.net_cost:,.0f} USD" if hedge.net_cost >= 0 else f"brings {-hedge.net_cost:,.0f} USD"
    told = f"It {words}: that {money}, commissions included"
    if measure is None or measure.cost_per_year_pct is None or hedge.net_cost < 0:
        return f"{told}."
    return f"{told}, {measure.cost_pct:.2%} of the gold, or {measure.cost_per_year_pct:.2%} a year."


def _binding(found: CheapestHedge, case: HedgeCase) -> list[str]:
    if not found.binding:
        return []
    least = min(each.spare for each in found.binding)
    tight = [each for each in found.binding if each.spare <= max(least, TIGHT * case.loan.amount)]
    told = [
        f"{max(each.spare, 0.0):,.0f} USD at {each.price:,.2f} ({each.price / case.spot - 1:+.1%})"
        f"{'' if each.on is None else f' on {each.on:%-d %b %Y}, before it expires'}"
        for each in sorted(tight, key=lambda one: one.spare)
    ]
    return [f"It has least to spare, {'; '.join(dict.fromkeys(told))}."]


def _not_cheaper(found: CheapestHedge) -> list[str]:
    said = []
    if found.lp_bound is not None and found.gap is not None and found.net_cost is not None:
        whole = f"whole ones cost {found.gap:,.2f} more" if found.gap > 0.005 else "whole ones cost no more"
        said.append(f"Even fractions of contracts would come to {found.lp_bound:,.2f} USD; {whole}.")
    return [*said, *(_neighbour(near, found.net_cost or 0.0) for near in found.neighbours[:MOST_NEIGHBOURS])]


def _neighbour(near: CheaperNeighbour, cost: float) -> str:
    return f"Cheaper by {cost - near.net_cost:,.2f}, {near.change}, will not do: {near.reason.rstrip('.')}."


def _counted(request: CheapestRequest, case: HedgeCase) -> str:
    if request.credit is not None and not isinstance(request.credit, HedgeCounting):
        return f"This holds for a lender who counts {request.credit:g} of each dollar that the options pay."
    said = COUNTED[case.loan.hedge_counting]
    if case.loan.hedge_counting is HedgeCounting.CREDITED and case.loan.hedge_haircut > 0:
        return f"{said} Its haircut of {case.loan.hedge_haircut:.0%} is taken off."
    return said


def _limits(found: CheapestHedge, case: HedgeCase, request: CheapestRequest) -> list[str]:
    """What is not covered."""
    hedge = found.hedge
    assert hedge is not None
    assert hedge.first_expiration is not None
    said = []
    limit = case.loan.margin_call_ltv
    if found.worst_hedged_ltv is not None and is_breached(found.worst_hedged_ltv, limit):
        said.append(
            f"At its worst LTV is {found.worst_hedged_ltv:.4f}, and the lender calls at {limit:g}: on the limit is a "
            "call. Ask for a lower LTV."
        )
    low = case.spot * (1 + request.price_range[0])
    said.append(f"Not covered: a price below {low:,.2f}, and anything after {hedge.first_expiration:%-d %b %Y}.")
    return said


def _calls(measure: ListedMeasure) -> str:
    calls = measure.calls
    assert calls is not None
    if calls.refusal:
        return calls.refusal
    at = "" if calls.broker_calls_at is None else f" The broker calls at {calls.broker_calls_at:,.2f}."
    return (
        f"The sold calls are uncovered at the broker: {calls.requirement:,.0f} USD now, {calls.after_rally:,.0f} "
        f"after a rise of {calls.rally:.0%}, of {calls.broker_margin:,.0f} that are free.{at}"
    )
