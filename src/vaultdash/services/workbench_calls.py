"""How many calls a hedge may sell while the gold is pledged elsewhere: what the broker's free money bears."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vaultdash.domain.hedge_verdict import CallSafety, CheapestHedge, SolveStatus
from vaultdash.domain.listed_hedge import HedgeCase, ListedOption, Rejected
from vaultdash.domain.option import Right
from vaultdash.services.workbench_remarks import unhedged_call

MOST_TRIES = 3  # each is a search of its own
NOT_SOLD = "a call: the gold is pledged elsewhere, and the broker's free money does not bear it uncovered"

Search = Callable[[Sequence[ListedOption], int | None], CheapestHedge]  # of these contracts, with so many calls


@dataclass(frozen=True, slots=True)
class Within:
    """A hedge that the broker carries; `rejected` are the calls when none may be sold, `remarks` say what was cut."""

    found: CheapestHedge
    rejected: tuple[Rejected, ...] = ()
    remarks: tuple[str, ...] = ()


def within_margin(search: Search, options: Sequence[ListedOption], most: int | None, case: HedgeCase) -> Within:
    """What `search` finds with as many sold calls as the broker's free money bears, by `strategies.call_safety`.

    First the hedge is found without that limit. Where the broker would refuse its calls, fewer are allowed, in the
    measure of money free and money wanted, until it would not; none where not even one is borne.
    """
    found = search(options, most)
    if not case.split_custody:
        return Within(found)
    first = safety = _safety(found, case)
    allowed = most
    for _ in range(MOST_TRIES):
        if safety is None or not safety.refusal:
            return Within(found, (), () if allowed == most or first is None else (_limited(first, allowed),))
        wanted = max(safety.requirement, safety.after_rally)
        allowed = min(int(safety.contracts * case.broker_margin / wanted), safety.contracts - 1) if wanted > 0 else 0
        if allowed < 1:
            break
        found = search(options, allowed)
        safety = _safety(found, case)
    assert first is not None
    puts = [option for option in options if option.right is Right.PUT]
    rejected = tuple(Rejected(option, NOT_SOLD) for option in options if option.right is Right.CALL and option.bid)
    if not puts:
        return Within(_unsold(search, options, case), rejected, (_refused(first),))
    return Within(search(puts, 0), rejected, (_refused(first),))


def _unsold(search: Search, calls: Sequence[ListedOption], case: HedgeCase) -> CheapestHedge:
    """Without a put to buy and a call that may be sold: doing nothing keeps every rule, or nothing does."""
    found = search([replace(call, bid=None) for call in calls], 0)
    rejected = tuple(each for each in found.rejected if each.option in calls)  # those that had no bid before either
    reason = found.reason
    if found.status is SolveStatus.INFEASIBLE:
        reason = f"There is no put to buy, and no call may be sold. {unhedged_call(case)}"
    return replace(found, reason=reason, rejected=rejected)


def _safety(found: CheapestHedge, case: HedgeCase) -> CallSafety | None:
    from vaultdash.strategies.call_safety import call_safety

    return None if found.hedge is None else call_safety(found.hedge, case)


def _wanted(safety: CallSafety) -> str:
    """What the cheapest hedge would need, had the broker the money for it."""
    if safety.requirement > safety.broker_margin:
        at = ", so that it would call at once"
    else:
        at = "" if safety.broker_calls_at is None else f", so that it would call at {safety.broker_calls_at:,.2f}"
    return (
        f"The cheapest hedge sells {safety.contracts:,} calls, but the gold is pledged elsewhere, so they are "
        f"uncovered at the broker, who wants {safety.requirement:,.0f} USD for them now and "
        f"{safety.after_rally:,.0f} USD after a rise of {safety.rally:.0%}; {safety.broker_margin:,.0f} USD are "
        f"free{at}."
    )


def _refused(safety: CallSafety) -> str:
    return f"No call is sold. {_wanted(safety)}"


def _limited(safety: CallSafety, allowed: int | None) -> str:
    return f"At most {allowed:,} calls are sold. {_wanted(safety)}"
