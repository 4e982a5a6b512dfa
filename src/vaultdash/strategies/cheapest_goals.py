"""Searches with another aim than the least cost: the best floor for a budget, and a collar that costs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypedDict, Unpack

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import CheapestHedge, NearestRequest, SolveStatus
from vaultdash.domain.listed_hedge import ListedOption, Rejected
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.cheapest import cheapest
from vaultdash.strategies.cheapest_answer import answered, infeasible, timed_out
from vaultdash.strategies.cheapest_dates import EarlierDates, search_dates
from vaultdash.strategies.cheapest_infeasible import explain
from vaultdash.strategies.cheapest_prune import pruned
from vaultdash.strategies.cheapest_rows import SCALED_GOLD, Floats, floor_rows, rows
from vaultdash.strategies.cheapest_search import Searched
from vaultdash.strategies.cheapest_solver import Deadline
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line, search_terms, usable

FLOOR_TOLERANCE = 1e-9  # of the gold: how much of the best floor the second search may give up
UPSIDE_TOLERANCE = 1e-9  # of the gold


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
    made = floor_rows(terms, chosen)
    upwards = np.append(np.zeros(len(chosen)), -1.0)
    found, _ = search_dates(terms, chosen, made, deadline, earlier, upwards, "Best protection")
    early = _early(terms, chosen, rejected, found, time_limit)
    if early is not None:
        return early
    assert found.counts is not None
    # of all hedges with this floor the cheapest
    least = found.counts[-1] - FLOOR_TOLERANCE * SCALED_GOLD
    second = floor_rows(terms, chosen)
    second.fewest[-1] = least
    cost = np.append(second.cost, 0.0)
    cheaper, _ = search_dates(terms, chosen, second, deadline, earlier, cost, "Best protection")
    final = cheaper if cheaper.hedge is not None else found
    assert final.check is not None
    at = terms.price_words(final.check.floor_price)
    return answered(
        terms,
        rejected,
        replace(final, outcome="timeout" if cheaper.hedge is None else final.outcome),
        None,
        f"The highest floor that {terms.budget:,.2f} buys: gold and hedge, the cost taken off, are worth at least "
        f"{final.check.floor:,.2f} ({final.check.floor / terms.gold_value:.2%} of the gold now), at {at}; it costs "
        f"{final.check.net_cost:,.2f}.",
        None,
    )


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
    target = rules["budget"]
    lines, rejected = usable(contracts, terms)
    first = cheapest(replace(terms, budget=None), lines, rejected, time_limit)
    if first.status is not SolveStatus.OPTIMAL or first.net_cost is None:
        return first
    if target is not None and first.net_cost > target + 1e-6:
        return infeasible(
            terms,
            rejected,
            f"No collar costs at most {target:,.2f}: with every call that may be sold the cheapest costs "
            f"{first.net_cost:,.2f}.",
            NearestRequest(budget=first.net_cost, words=f"It would work with a budget of {first.net_cost:,.2f}."),
        )
    deadline = Deadline(time_limit)
    earlier = EarlierDates(terms, lines)
    chosen = _highest_calls(terms, lines, deadline, earlier)
    given_up = _upside_sold(terms, chosen)
    found, _ = search_dates(terms, chosen, rows(terms, chosen), deadline, earlier, given_up, "Zero-cost collar")
    early = _early(terms, chosen, rejected, found, time_limit)
    if early is not None:
        return early
    assert found.counts is not None
    second = rows(terms, chosen)
    most = float(given_up @ found.counts) + UPSIDE_TOLERANCE * terms.gold_value
    scale = SCALED_GOLD / terms.gold_value
    second.matrix = np.vstack([second.matrix, -given_up * scale])
    second.least = np.append(second.least, -most * scale)
    cheaper, _ = search_dates(terms, chosen, second, deadline, earlier, None, "Zero-cost collar")
    final = cheaper if cheaper.hedge is not None else found
    assert final.check is not None
    assert final.counts is not None
    cost, sold = final.check.net_cost, float(given_up @ final.counts)
    money = f"costs {cost:,.2f}" if cost > 0 else f"brings {-cost:,.2f}"
    strikes = [leg.option.strike for leg in final.hedge.legs if leg.contracts < 0] if final.hedge is not None else []
    kept = f"all of a rise is kept up to {min(strikes):,.2f}" if strikes else "no call is sold"
    more = f"With every call that may be sold the cheapest brings {-first.net_cost:,.2f}; it sells more of a rise."
    return answered(
        terms,
        rejected,
        replace(final, outcome="timeout" if cheaper.hedge is None else final.outcome),
        None,
        f"The collar that keeps most of a rise at a cost of at most {target:,.2f}: it {money}, {kept}, and over the "
        f"prices from {terms.spot:,.2f} to {terms.highest:,.2f} its calls would pay out {sold:,.2f} on average.",
        None,
        extra=(more,) if first.net_cost < min(cost, 0.0) - 0.005 else (),
    )


def _highest_calls(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline, earlier: EarlierDates) -> list[Line]:
    """The lines without the calls whose strike is below the highest from which a collar keeps rules and target.

    What can be done with calls from a strike on can be done with those from a lower one on, so halving finds it.
    """
    strikes = sorted({line.option.strike for line in lines if line.direction < 0})

    def from_strike(place: int) -> list[Line]:
        least = strikes[place] if place < len(strikes) else float("inf")
        return [line for line in lines if line.direction > 0 or line.option.strike >= least]

    works, fails = 0, len(strikes) + 1  # place len(strikes) is no call at all
    while fails - works > 1 and not deadline.is_over:
        middle = (works + fails) // 2
        tried = from_strike(middle)
        tried = tried if earlier.moments else pruned(tried, terms)
        found, _ = search_dates(terms, tried, rows(terms, tried), deadline, earlier)
        if found.hedge is not None:
            works = middle
        else:
            fails = middle
    return from_strike(works)


def _early(
    terms: HedgeTerms, lines: Sequence[Line], rejected: Sequence[Rejected], found: Searched, time_limit: float
) -> CheapestHedge | None:
    """The answer when a search did not end with a hedge that is proved."""
    if found.outcome == "infeasible":
        return infeasible(terms, rejected, *explain(terms, lines, rejected, Deadline(0.5 * time_limit)))
    if found.outcome == "timeout" or found.hedge is None:
        return timed_out(terms, rejected, found, time_limit)
    return None


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
