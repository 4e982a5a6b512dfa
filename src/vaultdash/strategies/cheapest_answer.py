"""From what a search came to, to an answer with its certificate, its reason and what an owner should know."""

from collections.abc import Sequence

from vaultdash.domain.hedge_verdict import CheapestHedge, NearestRequest, SolveStatus
from vaultdash.domain.listed_hedge import ListedHedge, Rejected
from vaultdash.domain.loan import HedgeCounting
from vaultdash.strategies.cheapest_check import HedgeCheck, ltv_words, per_cent
from vaultdash.strategies.cheapest_neighbours import Neighbours
from vaultdash.strategies.cheapest_search import Searched
from vaultdash.strategies.cheapest_terms import ALL_DATES, HedgeTerms

SMALLEST_DOUBT = 0.05  # USD a share


def infeasible(
    terms: HedgeTerms, rejected: Sequence[Rejected], reason: str, nearest: NearestRequest
) -> CheapestHedge:
    """No hedge keeps the rules."""
    return CheapestHedge(
        SolveStatus.INFEASIBLE,
        reason,
        rejected=tuple(rejected),
        nearest=nearest,
        remarks=remarks(terms, None),
    )


def timed_out(
    terms: HedgeTerms, rejected: Sequence[Rejected], found: Searched, seconds: float, aim: str = ""
) -> CheapestHedge:
    """No proof in time: the best hedge found so far, if one was, and how far from the bound it is.

    `aim` says what else than the cost was sought; the bound of a search, which is about its aim, says nothing then.
    """
    why = f"The search was not finished after {seconds:.2g} s"
    if found.refuted:
        why = f"The solver's answer did not hold when it was calculated again ({found.refuted})"
    if found.hedge is None or found.check is None:
        at_least = "" if aim or found.bound is None else f"; none can cost less than {found.bound:,.2f}"
        reason = f"{why}; no hedge was found, and whether there is one is not known{at_least}."
        low = None if aim else found.bound
        return CheapestHedge(SolveStatus.TIMEOUT, reason, lp_bound=low, rejected=tuple(rejected))
    if aim:
        return answered(terms, rejected, found, None, f"{why}: this hedge keeps every rule, but {aim}.", None)
    cost = found.check.net_cost
    low = None if found.bound is None else min(found.bound, cost)
    kept = "this hedge keeps every rule"
    if found.is_puts_alone:
        kept = "no hedge with sold calls was found; the cheapest without them is given, which keeps every rule"
    beside = "" if low is None else f"; a cheaper one would save at most {cost - low:,.2f}"
    return answered(terms, rejected, found, low, f"{why}: {kept}{beside}.", None)


def answered(
    terms: HedgeTerms,
    rejected: Sequence[Rejected],
    found: Searched,
    bound: float | None,
    reason: str,
    near: Neighbours | None,
    extra: Sequence[str] = (),
) -> CheapestHedge:
    """A hedge that was checked, with its proof."""
    assert found.hedge is not None
    assert found.check is not None
    cost = found.check.net_cost
    low = None if bound is None else min(bound, cost)
    return CheapestHedge(
        SolveStatus(found.outcome),
        reason,
        hedge=found.hedge,
        net_cost=cost,
        lp_bound=low,
        gap=None if low is None else cost - low,
        worst_hedged_ltv=found.check.worst_ltv,
        worst_price=found.check.worst_price,
        binding=found.check.binding,
        neighbours=() if near is None else near.shown,
        rejected=tuple(rejected),
        checked=found.check.checked,
        remarks=(*extra, *remarks(terms, found.hedge)),
    )


def why(terms: HedgeTerms, hedge: ListedHedge, checked: HedgeCheck) -> str:
    """The reason of an optimum in a sentence."""
    span = f"every price from {terms.lowest:,.2f} to {terms.highest:,.2f}"
    kept = []
    if terms.limit is not None and checked.worst_ltv is not None and checked.worst_price is not None:
        at = terms.price_words(checked.worst_price)
        worst = ltv_words(checked.worst_ltv, terms.limit)
        kept.append(f"the hedged LTV is at most {worst} (at {at}), within {per_cent(terms.limit)}")
    if terms.max_loss is not None:
        kept.append(f"the loss is within {terms.max_loss:.2%} of the gold, the cost included")
    held = f"at {span} {' and '.join(kept)}" if kept else "no rule about prices was asked for"
    if not hedge.legs:
        return f"Nothing is needed: without any option, {held}."
    money = f"costs {checked.net_cost:,.2f}" if checked.net_cost >= 0 else f"brings {-checked.net_cost:,.2f}"
    return f"No cheaper hedge of these contracts keeps every rule: it {money}, and {held}."


def remarks(terms: HedgeTerms, hedge: ListedHedge | None) -> tuple[str, ...]:
    """What was not tested, and what the counting takes for granted."""
    said = []
    sold = [leg.option for leg in hedge.legs if leg.contracts < 0] if hedge is not None else []
    if hedge is not None and hedge.legs and not sold:
        said.append(
            "With bought puts alone no earlier day needs a test: until it expires each is worth at least what "
            "exercise pays at once."
        )
    if sold and terms.check_dates != ALL_DATES:
        said.append(
            "Only payoffs at expiry were tested; before it sold calls cost more than exercise pays. "
            "Ask for earlier days as well to include them."
        )
    if sold and terms.check_dates == ALL_DATES:
        said.append(
            "Days before expiry were tested with model values: bought options without help from volatility, sold "
            "ones with volatility up by one point per 1 % of the move, each at its side of the spread."
        )
    for leg in hedge.legs if hedge is not None else ():
        pays = leg.option.pays(terms.spot)
        if leg.contracts > 0 and leg.price < pays - SMALLEST_DOUBT:
            said.append(
                f"The {leg.option.title} is asked {leg.price:,.2f} while exercise pays {pays:,.2f} now: that quote "
                "is old or wrong, and this hedge stands on it."
            )
    later = sorted({each.expiration for each in sold if each.expiration > terms.horizon})
    if later:
        said.append(
            f"Calls sold until {later[-1]:%-d %b %Y} outlive the horizon of {terms.horizon:%-d %b %Y}: on that day "
            "buying them back costs more than the exercise value counted here."
        )
    if hedge is not None and hedge.legs and terms.counting is HedgeCounting.AFTER_PAYMENT:
        said.append(
            "Counted after payment: the puts must be sold and the money reach the lender before a cure is due, and "
            "what is sold no longer protects against a further fall."
        )
    if hedge is not None and hedge.legs and terms.is_ignored and terms.limit is not None:
        said.append("This lender counts no option: only what the premium does to loan or gold is in this LTV.")
    return tuple(said)
