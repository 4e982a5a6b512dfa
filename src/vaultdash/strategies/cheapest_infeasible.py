"""Why no hedge keeps the rules, in words, and what would have to be asked for instead."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from vaultdash.domain.hedge_verdict import NearestRequest
from vaultdash.domain.listed_hedge import ListedHedge, Rejected, counted_reasons
from vaultdash.domain.loan import HedgeCounting
from vaultdash.strategies.cheapest_check import after_premium, check, ltv_words, per_cent, prices
from vaultdash.strategies.cheapest_rows import SCALED_GOLD, Floats, Rows, floor_rows, rows
from vaultdash.strategies.cheapest_search import NO_HEDGE, Searched, search
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line
from vaultdash.strategies.cheapest_time import Deadline

COUNTS = frozenset({"max_puts", "max_per_line", "max_calls"})
ROUNDS = 8
LTV_STEP = 1e-6  # the lowest LTV is rounded up to it
MOST_LTV = 0.95  # above it no lender leaves a loan alone, so that asking for it helps nobody
PART = 0.3  # of the time that is left, for one search


def explain(
    terms: HedgeTerms, lines: Sequence[Line], rejected: Sequence[Rejected], deadline: Deadline
) -> tuple[str, NearestRequest]:
    """The reason in words, and the nearest requests, each found by a search of its own; None where none was found.

    Each search takes a part of the time that is left, so that some remains for the reason.
    """
    budget = _cheapest_budget(terms, lines, deadline.part(PART))
    loan = _largest_loan(terms, lines, deadline.part(PART))
    lowest = None if terms.is_ignored else _lowest_ltv(terms, lines, deadline.part(PART))
    if lowest is not None and lowest > MOST_LTV:
        lowest = None
    loss = _least_loss(terms, lines, deadline.part(PART))
    repay = None if loan is None or loan >= terms.loan else _up(terms.loan - loan, 0.01)
    words = _nearest_words(lowest, loan, repay, budget, loss)
    nearest = NearestRequest(max_hedged_ltv=lowest, loan_amount=loan, repay=repay, budget=budget, words=words)
    return _reason(terms, lines, rejected, nearest, deadline), nearest


def _reason(
    terms: HedgeTerms,
    lines: Sequence[Line],
    rejected: Sequence[Rejected],
    nearest: NearestRequest,
    deadline: Deadline,
) -> str:
    nothing = check(terms, ListedHedge(NO_HEDGE, (), terms.commission, terms.funding), steps=1)
    unhedged = f"Without a hedge: {nothing.broken[0].words}." if nothing.broken else ""
    if not lines:
        why = "; ".join(f"{count} {reason}" for reason, count in counted_reasons(rejected).items())
        return f"No contract can be used: {why or 'none were given'}. {unhedged}"
    if nearest.budget is not None and terms.budget is not None:
        return (
            f"The budget of {terms.budget:,.2f} is too small: the cheapest hedge that keeps every other rule costs "
            f"{nearest.budget:,.2f}."
        )
    rules = _given_rules(terms)
    for size in range(1, len(rules) + 1):
        for without in combinations(rules, size):
            found = _least(terms, lines, frozenset(without), deadline)
            if found is None or found.hedge is None:
                continue
            if without == ("ltv",):
                return _ltv_reason(terms, lines, nearest, unhedged)
            if COUNTS.issuperset(without):
                legs = [f"{abs(leg.contracts)} of the {leg.option.title}" for leg in found.hedge.legs]
                need = ", ".join(legs[:4]) + (" and others" if len(legs) > 4 else "")
                return (
                    f"Too few contracts are allowed ({_listed(rules[name] for name in without)}): without that limit "
                    f"the cheapest hedge is {need}, for {found.hedge.net_cost:,.2f}."
                )
            kept = [words for name, words in rules.items() if name not in without]
            beside = f" beside {_listed(kept)}" if kept else ""
            return f"No hedge of these contracts keeps {_listed(rules[name] for name in without)}{beside}. {unhedged}"
    return f"No hedge of these contracts keeps every rule. {unhedged}"


def _given_rules(terms: HedgeTerms) -> dict[str, str]:
    """The rules that were asked for, those that are most often in the way first, each in words."""
    rules: dict[str, str] = {}
    if terms.max_per_line is not None:
        rules["max_per_line"] = f"at most {terms.max_per_line} of one contract"
    if terms.max_puts is not None:
        rules["max_puts"] = _counted(terms.max_puts, "put")
    if terms.max_calls is not None and terms.allow_calls:
        rules["max_calls"] = _counted(terms.max_calls, "call")
    if terms.max_loss is not None:
        rules["max_loss"] = f"a loss of at most {terms.max_loss:.2%} of the gold (cost included)"
    if terms.limit is not None:
        rules["ltv"] = f"an LTV of at most {per_cent(terms.limit)}"
    if terms.budget is not None:
        rules["budget"] = f"a budget of {terms.budget:,.2f}"
    return rules


def _listed(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _counted(most: int, what: str) -> str:
    return f"at most {most} {what}" + ("" if most == 1 else "s")


def _ltv_reason(terms: HedgeTerms, lines: Sequence[Line], nearest: NearestRequest, unhedged: str) -> str:
    assert terms.limit is not None
    if terms.is_ignored:
        repay = f" Repay {nearest.repay:,.2f}, or" if nearest.repay is not None else ""
        look = " look at a narrower price range." if repay else " Look at a narrower price range."
        return f"No option changes what this lender counts. {unhedged}{repay}{look}"
    strikes = [line.option.strike for line in lines if line.direction > 0]
    if not strikes:
        return f"There is no put to buy. {unhedged}"
    call_price = terms.loan / (terms.limit * terms.units)
    highest = max(strikes)
    if highest <= call_price:
        at = min(max(highest, terms.lowest), terms.highest)
        return (
            f"No strike is above {call_price:,.2f}, the price at which the LTV is {per_cent(terms.limit)}: "
            f"the highest put is {highest:g}, and it pays nothing at {terms.price_words(at)}, where the LTV is "
            f"{ltv_words(terms.loan / (terms.units * at), terms.limit)}."
        )
    if nearest.max_hedged_ltv is not None:
        asked = terms.limit + terms.buffer
        return (
            f"The lowest LTV that these contracts can keep is "
            f"{ltv_words(nearest.max_hedged_ltv, asked)}, above the {per_cent(asked)} asked for. {unhedged}"
        )
    return f"No hedge of these contracts keeps the LTV at {per_cent(terms.limit)}. {unhedged}"


def _least(terms: HedgeTerms, lines: Sequence[Line], without: frozenset[str], deadline: Deadline) -> Searched | None:
    """The cheapest hedge with rules left out; None when there is none, or the time is over."""
    if deadline.is_over:
        return None
    loosened = replace(
        terms,
        limit=None if "ltv" in without else terms.limit,
        max_loss=None if "max_loss" in without else terms.max_loss,
        budget=None if "budget" in without else terms.budget,
        max_puts=None if "max_puts" in without else terms.max_puts,
        max_calls=None if "max_calls" in without else terms.max_calls,
        max_per_line=None if "max_per_line" in without else terms.max_per_line,
    )
    found = search(loosened, lines, rows(loosened, lines), deadline, steps=1)
    return found if found.hedge is not None else None


def _cheapest_budget(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline) -> float | None:
    if terms.budget is None:
        return None
    found = _least(terms, lines, frozenset({"budget"}), deadline)
    return None if found is None or found.check is None else _up(found.check.net_cost, 0.01)


def _largest_loan(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline) -> float | None:
    """The largest loan, in whole cents, with which every rule can be kept."""
    if terms.limit is None or deadline.is_over:
        return None
    made = rows(terms, lines, sharp=False, slack=0.0)
    scale = _ltv_scale(terms)
    is_ltv = np.array([rule == "ltv" for rule in made.rules])
    made.least = np.where(is_ltv, made.least - terms.loan * scale, made.least)
    _with_unknown(made, np.where(is_ltv, -scale, 0.0), 0.0, terms.loan)
    upwards = np.append(np.zeros(len(lines)), -1.0)
    found = search(replace(terms, limit=None), lines, made, deadline, upwards, steps=1)  # the LTV is checked below
    if found.hedge is None or found.counts is None:
        return None
    loan = math.floor(float(found.counts[-1]) * 100) / 100
    if loan <= 0 or check(replace(terms, loan=loan), found.hedge, steps=1).broken:
        return None
    return loan


def _least_loss(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline) -> float | None:
    """The least loss, a fraction of the gold rounded up, that can be kept beside the other rules."""
    if terms.max_loss is None or deadline.is_over:
        return None
    loosened = replace(terms, max_loss=None)
    upwards = np.append(np.zeros(len(lines)), -1.0)
    found = search(loosened, lines, floor_rows(loosened, lines), deadline, upwards, steps=1)
    if found.check is None:
        return None
    return _up(1.0 - found.check.floor / terms.gold_value, 1e-4)


def _lowest_ltv(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline) -> float | None:
    """The lowest LTV that can be kept beside the other rules, buffer added: by Dinkelbach's iteration on M.

    With M given, the hedge with the most to spare at its worst price is a linear problem in whole numbers; the M that
    this hedge needs is lower, and the next to be tried; when nothing is left to spare M is the lowest there is.
    """
    if terms.limit is None:
        return None
    start = _least(terms, lines, frozenset({"ltv"}), deadline)
    best = None if start is None or start.hedge is None else needed_limit(terms, start.hedge)
    for _ in range(ROUNDS):
        if best is None or not math.isfinite(best) or deadline.is_over:
            break
        scale = best / terms.limit if _credits_collateral(terms) else 1.0
        tried = replace(terms, limit=best, factor=scale * terms.factor, owed_factor=scale * terms.owed_factor)
        made = rows(tried, lines, sharp=False)
        is_ltv = np.array([rule == "ltv" for rule in made.rules])
        _with_unknown(made, np.where(is_ltv, -_ltv_scale(tried), 0.0), 0.0, 10 * terms.gold_value + terms.loan)
        found = search(tried, lines, made, deadline, np.append(np.zeros(len(lines)), -1.0), steps=1)
        if found.hedge is None:
            break
        better = needed_limit(terms, found.hedge)
        if better >= best - LTV_STEP / 10:
            break
        best = better
    return None if best is None or not math.isfinite(best) else _up(best + terms.buffer, LTV_STEP)


def needed_limit(terms: HedgeTerms, hedge: ListedHedge) -> float:
    """The lowest M at which a hedge keeps the LTV rule: the largest L'/(U'S + (h/M)*Pi), or (L' - h*Pi)/(U'S)."""
    assert terms.limit is not None
    held = after_premium(terms, hedge.net_cost)
    worst = 0.0
    for price in prices(terms, hedge, 1):
        payoff, gold = hedge.payoff(price), held.units * price
        counted = min(terms.factor * payoff, terms.owed_factor * payoff)
        if _credits_collateral(terms):
            collateral = gold + counted / terms.limit
            needed = held.loan / collateral if collateral > 0 else math.inf
        else:
            needed = (held.loan - counted) / gold if gold > 0 else math.inf
        worst = max(worst, needed)
    return worst


def _credits_collateral(terms: HedgeTerms) -> bool:
    """True when options count as collateral, with a haircut or without: then h goes with the limit.

    A haircut comes as a factor below the limit, with the limit itself for what is owed; any other factor stands.
    """
    if terms.counting is not None or terms.limit is None:
        return terms.counting is HedgeCounting.CREDITED
    return terms.factor < terms.limit and math.isclose(terms.owed_factor, terms.limit)


def _ltv_scale(terms: HedgeTerms) -> float:
    return SCALED_GOLD / terms.gold_value


def _with_unknown(made: Rows, column: Floats, fewest: float, most: float) -> None:
    """One continuous unknown more, behind the lines."""
    made.matrix = np.hstack([made.matrix, column[:, None]])
    made.fewest, made.most = np.append(made.fewest, fewest), np.append(made.most, most)
    made.whole = np.append(made.whole, 0.0)


def _up(value: float, step: float) -> float:
    return float(round(math.ceil(value / step - 1e-6) * step, 10))


def _nearest_words(
    lowest: float | None, loan: float | None, repay: float | None, budget: float | None, loss: float | None
) -> str:
    said = []
    if budget is not None:
        said.append(f"a budget of {budget:,.2f}")
    if lowest is not None:
        said.append(f"an LTV of {per_cent(_up(lowest, 1e-4))}")
    if repay is not None:
        said.append(f"a loan of {loan:,.2f}, which is {repay:,.2f} repaid")
    if loss is not None:
        said.append(f"a loss of {loss:.2%}")
    return f"It would work with {'; or '.join(said)}." if said else ""
