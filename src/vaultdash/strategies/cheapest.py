"""The cheapest hedge of listed contracts that keeps every rule asked for, with the proof that it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from vaultdash.domain.hedge_verdict import CheapestHedge, NearestRequest
from vaultdash.domain.listed_hedge import USUAL_COMMISSION, ListedOption, Rejected
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.cheapest_answer import answered, infeasible, timed_out, why
from vaultdash.strategies.cheapest_check import check
from vaultdash.strategies.cheapest_dates import EarlierDates, add_grid, search_dates
from vaultdash.strategies.cheapest_infeasible import explain
from vaultdash.strategies.cheapest_neighbours import neighbours
from vaultdash.strategies.cheapest_prune import pruned
from vaultdash.strategies.cheapest_rows import rows
from vaultdash.strategies.cheapest_search import Searched, search
from vaultdash.strategies.cheapest_solver import fractions
from vaultdash.strategies.cheapest_terms import HedgeTerms, Line, search_terms, usable
from vaultdash.strategies.cheapest_time import Deadline

WITH_CALLS = 0.8  # of the time, so that some is left for puts alone and for the certificate


def cheapest_hedge(
    contracts: Sequence[ListedOption],
    units: float,
    loan: float,
    spot: float,
    call_ltv: float | None,
    *,
    credit_factor: HedgeCounting | float = HedgeCounting.CREDITED,
    horizon: date | None = None,
    allow_calls: bool = False,
    upside_cap: float | None = None,
    budget: float | None = None,
    buffer: float = 0.0,
    premium_funding: PremiumFunding = PremiumFunding.CASH,
    price_range: tuple[float, float] = (-0.6, 0.6),
    commission: float = USUAL_COMMISSION,
    max_contracts_per_line: int | None = None,
    max_puts: int | None = None,
    min_call_strike: float | None = None,
    max_calls: int | None = None,
    max_loss: float | None = None,
    check_dates: str = "expiry",
    at: datetime | None = None,
    rate: float = 0.045,
    owed_factor: float | None = None,
    time_limit: float = 10.0,
) -> CheapestHedge:
    """The hedge of least cost whose legs are bought puts and, where allowed, sold calls, in whole contracts.

    `units` shares of gold at `spot` USD secure a `loan` in USD; `call_ltv` is the highest hedged LTV (`buffer` is
    taken off it), kept at every price from `spot*(1 + price_range[0])` to `spot*(1 + price_range[1])`, the limit
    itself included; None imposes no such rule. `credit_factor` is the lender's counting or the factor h of `L' <=
    M*U'*S + h*Pi(S)`; `owed_factor` the factor where Pi is below zero. Puts are bought at the ask, calls sold at the
    bid, each contract costs `commission` USD. `premium_funding` says where the cost comes from: cash, the loan (L' =
    L + cost) or sold gold (U' = U - cost/S0). `max_loss` is a fraction of the gold's value now, cost included: U'*S
    + Pi - cost >= (1 - d)*U*S0. `upside_cap` c allows calls from (1 + c)*spot on, `min_call_strike` from a price on;
    sold calls are always covered by the gold that is left. A limit that is None is not imposed.

    `horizon` (default the earliest expiration given) leaves out what expires before it. Payoffs are those of
    exercise at the price tested, which is exact at the strikes and the ends of the range, and no more than bought
    puts are worth on any earlier day; `check_dates` "all" tests days before with model values too, which matters
    when calls are sold, and needs `at`. Everything together takes `time_limit` seconds; where they do not suffice the
    answer is the best hedge found, with how much less a better one could cost.

    Infeasible is an answer with its reason and the nearest request. Raises InvalidInput for what makes no sense,
    crossed quotes included. Formulas: docs/cheapest-hedge.md.
    """
    terms = search_terms(
        contracts,
        units,
        loan,
        spot,
        call_ltv,
        credit_factor=credit_factor,
        horizon=horizon,
        allow_calls=allow_calls,
        upside_cap=upside_cap,
        budget=budget,
        buffer=buffer,
        premium_funding=premium_funding,
        price_range=price_range,
        commission=commission,
        max_contracts_per_line=max_contracts_per_line,
        max_puts=max_puts,
        min_call_strike=min_call_strike,
        max_calls=max_calls,
        max_loss=max_loss,
        check_dates=check_dates,
        at=at,
        rate=rate,
        owed_factor=owed_factor,
    )
    lines, rejected = usable(contracts, terms)
    return cheapest(terms, lines, rejected, Deadline(time_limit))


def cheapest(
    terms: HedgeTerms, lines: Sequence[Line], rejected: Sequence[Rejected], deadline: Deadline
) -> CheapestHedge:
    """The search on terms that are checked already; everything it does ends with the deadline."""
    earlier = EarlierDates(terms, lines)
    chosen = list(lines) if earlier.moments else pruned(lines, terms)
    main = deadline.part(WITH_CALLS) if any(line.direction < 0 for line in chosen) else deadline
    found = search_dates(terms, chosen, rows(terms, chosen), main, earlier)
    if found.outcome == "infeasible":
        reason = _before_expiry(terms, chosen, deadline.part(0.5), earlier) if earlier.moments else None
        if reason is not None:
            return infeasible(terms, rejected, reason, NearestRequest())
        return infeasible(terms, rejected, *explain(terms, chosen, rejected, deadline))
    bound = _bound(terms, chosen, earlier, deadline)
    if found.outcome == "timeout" or found.hedge is None or found.check is None:
        bounds = [each for each in (bound, found.bound) if each is not None]
        known = found if found.hedge is not None else _puts_alone(terms, lines, deadline) or found
        return timed_out(terms, rejected, replace(known, bound=max(bounds, default=None)), deadline.spent)
    near = neighbours(terms, found.hedge, chosen, earlier.points, deadline)
    if near.refuting is not None:
        checked = check(terms, near.refuting, earlier.points(near.refuting))
        doubt = "a cheaper hedge beside it keeps every rule"
        better = Searched("timeout", near.refuting, checked, bound=bound, refuted=doubt)
        return timed_out(terms, rejected, better, deadline.spent)
    return answered(terms, rejected, found, bound, why(terms, found.hedge, found.check), near)


def _bound(terms: HedgeTerms, lines: Sequence[Line], earlier: EarlierDates, deadline: Deadline) -> float | None:
    """What fractions of contracts would cost, on rules as they stand: below it no whole number of them can be."""
    plain = rows(terms, lines, sharp=False, slack=0.0)
    add_grid(terms, lines, plain, earlier)
    return fractions(plain, deadline)


def _puts_alone(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline) -> Searched | None:
    """The cheapest hedge without calls, where a search with them found none in time; no earlier day needs a test."""
    puts = pruned([line for line in lines if line.direction > 0], terms)
    if len(puts) == len(lines):
        return None
    found = search(terms, puts, rows(terms, puts), deadline)
    return None if found.hedge is None else replace(found, outcome="timeout", is_puts_alone=True)


def _before_expiry(terms: HedgeTerms, lines: Sequence[Line], deadline: Deadline, earlier: EarlierDates) -> str | None:
    """Which day is in the way when payoffs at expiry alone are not; None when they are."""
    found = search(terms, lines, rows(terms, lines), deadline, enough=True)
    if found.hedge is None or found.check is None:
        return None
    broken = check(terms, found.hedge, earlier.points(found.hedge), steps=1).broken
    words = f": {broken[0].words}" if broken else ""
    return (
        f"Only the days before expiry are in the way. At expiry a hedge for {found.check.net_cost:,.2f} would do; "
        f"before it the calls that it sells cost more than exercise pays{words}."
    )
