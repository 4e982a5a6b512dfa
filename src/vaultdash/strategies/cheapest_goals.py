"""Searches with another aim than the least cost: the best floor for a budget, and a collar that costs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypedDict, Unpack

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import CheapestHedge, NearestRequest, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.cheapest import cheapest
from vaultdash.strategies.cheapest_answer import answered, infeasible, timed_out
from vaultdash.strategies.cheapest_dates import EarlierDates, search_dates
from vaultdash.strategies.cheapest_infeasible import explain
from vaultdash.strategies.cheapest_prune import pruned
from vaultdash.strategies.cheapest_rows import SCALED_GOLD, Floats, floor_rows, rows
from vaultdash.strategies.cheapest_search import Searched
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line, search_terms, usable
from vaultdash.strategies.cheapest_time import Deadline

FLOOR_TOLERANCE = 1e-9  # of the gold: how much of the best floor the second search may give up
UPSIDE_TOLERANCE = 1e-9  # of the gold
FIRST_AIM = 0.5  # of the time that is left
LEAST_COST = 0.2
ONE_STRIKE = 0.4


class SearchRules(TypedDict, total=False):
    """The constraints of `cheapest_hedge`, by the same names and with the same meaning."""

    credit_factor: HedgeCounting | float
    horizon: date | None
    allow_calls: bool
    upside_cap: float | None
    budget: float | None
    buffer: float
    premium_funding: PremiumFunding
    price_range: tuple[float, float]
    commission: float
    max_contracts_per_line: int | None
    max_puts: int | None
    min_call_strike: float | None
    max_calls: int | None
    max_loss: float | None
    check_dates: str
    at: datetime | None
    rate: float
    owed_factor: float | None


def best_protection(
    contracts: Sequence[ListedOption],
    units: float,
    loan: float,
    spot: float,
    call_ltv: float | None,
    *,
    time_limit: float = 10.0,
    **rules: Unpack[SearchRules],
) -> CheapestHedge:
    """The hedge with the highest floor that a budget buys; of equal ones the cheapest.

    The floor is the least that gold and hedge are worth at expiry over the price range, U'*S + Pi, less what cash or
    the loan paid for it: maximise z with z <= U'*S + Pi(S) - cost at every kink. Every other rule holds as well, the
    LTV where `call_ltv` is given. Arguments and errors as in `cheapest_hedge`; `budget` must be given.
    """
    terms = search_terms(contracts, units, loan, spot, call_ltv, **rules)
    if terms.budget is None:
        raise InvalidInput("budget", "is missing: the best protection is that which a budget buys; give one in USD")
    lines, rejected = usable(contracts, terms)
    deadline = Deadline(time_limit)
    earlier = EarlierDates(terms, lines)
    chosen = list(lines) if earlier.moments else pruned(lines, terms)
    title = "Best protection"
    upwards = np.append(np.zeros(len(chosen)), -1.0)
    found = search_dates(terms, chosen, floor_rows(terms, chosen), deadline.part(FIRST_AIM), earlier, upwards, title)
    if found.outcome == "infeasible":
        return infeasible(terms, rejected, *explain(terms, chosen, rejected, deadline))
    if found.hedge is None or found.counts is None:
        return timed_out(terms, rejected, found, deadline.spent, "a higher floor is not ruled out")
    # of all hedges with this floor the cheapest
    second = floor_rows(terms, chosen)
    second.fewest[-1] = found.counts[-1] - FLOOR_TOLERANCE * SCALED_GOLD
    cheaper = search_dates(terms, chosen, second, deadline, earlier, np.append(second.cost, 0.0), title)
    final = cheaper if cheaper.hedge is not None else found
    assert final.check is not None
    part, at = final.check.floor / terms.gold_value, terms.price_words(final.check.floor_price)
    floor = (
        f"gold and hedge, the cost taken off, are worth at least {final.check.floor:,.2f} "
        f"({part:.2%} of the gold now), at {at}"
    )
    if found.outcome != "optimal":
        better = _higher_floor(terms, found, final.check.floor)
        return timed_out(terms, rejected, replace(final, outcome="timeout"), deadline.spent, f"{better}; {floor}")
    if cheaper.outcome != "optimal":
        aim = f"the same floor for less is not ruled out; {floor}, the most that the budget buys"
        return timed_out(terms, rejected, replace(final, outcome="timeout"), deadline.spent, aim)
    reason = f"The highest floor that {terms.budget:,.2f} buys: {floor}; it costs {final.check.net_cost:,.2f}."
    return answered(terms, rejected, final, None, reason, None)


def _higher_floor(terms: HedgeTerms, found: Searched, floor: float) -> str:
    """How much higher the best floor could be, where the bound of its search says so."""
    if found.bound is None:
        return "a higher floor is not ruled out"
    more = max(-found.bound * terms.gold_value / SCALED_GOLD - floor, 0.0)
    return f"a floor higher by up to {more:,.2f} is not ruled out"


def zero_cost_collar(
    contracts: Sequence[ListedOption],
    units: float,
    loan: float,
    spot: float,
    call_ltv: float | None,
    *,
    time_limit: float = 10.0,
    **rules: Unpack[SearchRules],
) -> CheapestHedge:
    """A collar whose calls pay for its puts and that gives up no more of a rise than that takes.

    First the least cost with calls: if it is above the target (`budget`, by default 0) there is no such collar. Then,
    among all that keep the rules and the target, the one whose lowest sold strike is the highest: up to there the
    rise stays the owner's. Of those the one whose calls pay out least on average up to the end of the price range,
    and of equal ones the cheapest. Calls are allowed by what it is, from today's price on unless `min_call_strike` or
    `upside_cap` say otherwise; for the rest arguments and errors are those of `cheapest_hedge`.
    """
    if rules.get("min_call_strike") is None and rules.get("upside_cap") is None:
        rules["upside_cap"] = 0.0
    rules["allow_calls"] = True
    if rules.get("budget") is None:
        rules["budget"] = 0.0
    terms = search_terms(contracts, units, loan, spot, call_ltv, **rules)
    target = terms.budget
    assert target is not None
    lines, rejected = usable(contracts, terms)
    deadline = Deadline(time_limit)
    first = cheapest(replace(terms, budget=None), lines, rejected, deadline.part(LEAST_COST))
    if first.status is SolveStatus.INFEASIBLE or (first.status is SolveStatus.TIMEOUT and first.net_cost is None):
        return first
    assert first.net_cost is not None
    if first.status is SolveStatus.OPTIMAL and first.net_cost > target + 1e-6:
        return infeasible(
            terms,
            rejected,
            f"No collar costs at most {target:,.2f}: with every call that may be sold the cheapest costs "
            f"{first.net_cost:,.2f}.",
            NearestRequest(budget=first.net_cost, words=f"It would work with a budget of {first.net_cost:,.2f}."),
        )
    earlier = EarlierDates(terms, lines)
    chosen, is_settled = _highest_calls(terms, lines, deadline.part(FIRST_AIM), earlier)
    given_up, title = _upside_sold(terms, chosen), "Zero-cost collar"
    found = search_dates(terms, chosen, rows(terms, chosen), deadline.part(FIRST_AIM), earlier, given_up, title)
    if found.outcome == "infeasible":
        return infeasible(terms, rejected, *explain(terms, chosen, rejected, deadline))
    if found.hedge is None or found.counts is None:
        return timed_out(terms, rejected, found, deadline.spent, "whose calls give up least is not known")
    second = rows(terms, chosen)
    most = float(given_up @ found.counts) + UPSIDE_TOLERANCE * terms.gold_value
    scale = SCALED_GOLD / terms.gold_value
    second.matrix = np.vstack([second.matrix, -given_up * scale])
    second.least = np.append(second.least, -most * scale)
    second.price = np.append(second.price, np.nan)
    cheaper = search_dates(terms, chosen, second, deadline, earlier, None, title)
    final = cheaper if cheaper.hedge is not None else found
    assert final.check is not None
    assert final.counts is not None
    cost, sold = final.check.net_cost, float(given_up @ final.counts)
    money = f"costs {cost:,.2f}" if cost > 0 else f"brings {-cost:,.2f}"
    strikes = [leg.option.strike for leg in final.hedge.legs if leg.contracts < 0] if final.hedge is not None else []
    kept = f"all of a rise is kept up to {min(strikes):,.2f}" if strikes else "no call is sold"
    what = (
        f"it {money}, {kept}, and over the prices from {terms.spot:,.2f} to {terms.highest:,.2f} its calls would pay "
        f"out {sold:,.2f} on average"
    )
    if not is_settled or found.outcome != "optimal" or cheaper.outcome != "optimal":
        open_still = "one with less given up" if is_settled and found.outcome != "optimal" else "one for less"
        open_still = open_still if is_settled else "one with higher calls"
        aim = f"{open_still} is not ruled out; {what}"
        return timed_out(terms, rejected, replace(final, outcome="timeout"), deadline.spent, aim)
    brings = f"With every call that may be sold the cheapest brings {-first.net_cost:,.2f}; it sells more of a rise."
    reason = f"The collar that keeps most of a rise at a cost of at most {target:,.2f}: {what}."
    extra = (brings,) if first.status is SolveStatus.OPTIMAL and first.net_cost < min(cost, 0.0) - 0.005 else ()
    return answered(terms, rejected, final, None, reason, None, extra=extra)


def _highest_calls(
    terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline, earlier: EarlierDates
) -> tuple[list[Line], bool]:
    """The lines without the calls whose strike is below the highest from which a collar keeps rules and target.

    What can be done with calls from a strike on can be done with those from a lower one on, so halving finds it.
    False when the time did not suffice to tell whether a higher strike would do.
    """
    strikes = sorted({line.option.strike for line in lines if line.direction < 0})

    def from_strike(place: int) -> list[Line]:
        least = strikes[place] if place < len(strikes) else float("inf")
        return [line for line in lines if line.direction > 0 or line.option.strike >= least]

    works, fails, is_settled = 0, len(strikes) + 1, True  # place len(strikes) is no call at all
    while fails - works > 1:
        if deadline.is_over:
            return from_strike(works), False
        middle = (works + fails) // 2
        tried = from_strike(middle)
        tried = tried if earlier.moments else pruned(tried, terms)
        part = deadline.part(ONE_STRIKE)
        found = search_dates(terms, tried, rows(terms, tried), part, earlier, enough=True)
        if found.hedge is not None:
            works = middle
        else:
            fails = middle
            is_settled = is_settled and found.outcome == "infeasible"
    return from_strike(works), is_settled


def _upside_sold(terms: HedgeTerms, lines: Sequence[Line]) -> Floats:
    """What a sold contract of each line pays out on average over the prices from spot to the end of the range, USD.

    The mean of max(S - K, 0) is ((H - K)+^2 - (S0 - K)+^2) / (2 (H - S0)). A little is added for each share, so that
    calls whose strike is beyond the range are not sold for nothing.
    """
    strike = np.array([line.option.strike for line in lines])
    sold = np.array([-line.shares if line.direction < 0 else 0.0 for line in lines])
    high, spot = max(terms.highest, terms.spot * 1.01), terms.spot
    mean = (np.maximum(high - strike, 0.0) ** 2 - np.maximum(spot - strike, 0.0) ** 2) / (2 * (high - spot))
    return np.asarray(sold * (mean + 1e-6 * spot))
