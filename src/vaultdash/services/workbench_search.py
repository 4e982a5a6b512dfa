"""The search for the cheapest hedge on the owner's loan and the live chain, or on figures and contracts given."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import CheapestHedge, ListedMeasure, SolveStatus
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedOption
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right, expiry_at
from vaultdash.services.search_threads import SearchThreads
from vaultdash.services.workbench_calls import within_margin
from vaultdash.services.workbench_case import HedgeCases, is_whole, require_near
from vaultdash.services.workbench_market import HedgeMarkets, withheld_by
from vaultdash.services.workbench_remarks import asks_nothing, custody_remarks, in_todays_money, nothing_judged
from vaultdash.services.workbench_request import CheapestReport, CheapestRequest, CheckDates, Goal

TIME_LIMIT = 10.0  # seconds for all searches of an answer together
WITH_MARGIN = 0.5  # of what is left for each of them where the broker may refuse what it finds
LEAST_SECONDS = 1.0  # for puts alone take less
SAME_SPOT = 0.002  # a minute's move: quotes and price are never of the same moment


Found = tuple[CheapestHedge, ListedMeasure | None, tuple[str, ...], float]  # with reasons, and seconds it took


@dataclass(frozen=True, slots=True)
class Question:
    """A search with what it stands on; `is_dated` when all contracts still live at the case's moment.

    `owed` is the loan at the horizon, with the interest that is added to it until then; `until` is when the time for
    the answer ends, by the clock that counts only forward.
    """

    request: CheapestRequest
    case: HedgeCase
    is_dated: bool
    owed: float
    until: float

    @property
    def seconds(self) -> float:
        """For the next search: all that is left, or a part where another one may have to follow."""
        left = self.until - time.monotonic()
        follows = self.request.allow_calls and self.case.split_custody
        return max(left * (WITH_MARGIN if follows else 1.0), LEAST_SECONDS)


class HedgeSearch:
    """Runs searches in threads, two at once and a few waiting; the solver gives way to the event loop."""

    def __init__(self, cases: HedgeCases, markets: HedgeMarkets, *, demo: bool = False) -> None:
        self._cases = cases
        self._markets = markets
        self._demo = demo
        self._threads = SearchThreads()

    async def find(self, request: CheapestRequest, market: HedgeMarket | None = None) -> CheapestReport:
        """The answer with its reasons; `market` takes the place of the live chain.

        Raises InvalidInput for a request that makes no sense, Unavailable without a price or a chain that is needed,
        and while too many searches wait.
        """
        case, standing = await self._cases.of(request.case)
        case = _counted(case, request)
        if request.contracts is not None:
            market, options = None, request.contracts
            if not options:
                raise InvalidInput("contracts", "must not be empty; leave them out to use the live chain")
        else:
            market = market or await self._markets.of(request.horizon)
            options = market.options
        require_near((option.expiration for option in options), case)
        if request.horizon is not None:
            require_near([request.horizon], case, "horizon")
        work = partial(_answer, request, case, options, market)
        found, measure, why, seconds = await asyncio.wrap_future(self._threads.begin(work))
        held_back = standing.withheld or (None if market is None else withheld_by(market, demo=self._demo))
        return CheapestReport(
            found=found,
            case=case,
            measure=measure,
            market=market,
            request=request,
            why=why if standing.held is None else (*why, _sentence(standing.held)),
            standing=standing,
            withheld=None if is_whole(request.case) and market is None else held_back,
            seconds=seconds,
        )

    async def aclose(self) -> None:
        """Begin nothing any more; what is under way ends by itself, within its time."""
        self._threads.close()


def search(question: Question, options: Sequence[ListedOption], max_calls: int | None) -> CheapestHedge:
    """The search itself; raises as `strategies.cheapest` does."""
    request, case = question.request, question.case
    given = {**_terms(question), "max_calls": max_calls}
    about = options, case.units, question.owed, case.spot, request.max_hedged_ltv
    if request.goal is Goal.CHEAPEST:
        from vaultdash.strategies.cheapest import cheapest_hedge

        return cheapest_hedge(*about, **given)
    from vaultdash.strategies.cheapest_goals import best_protection, zero_cost_collar

    if request.goal is Goal.BEST_PROTECTION:
        if request.budget is None:
            raise InvalidInput("budget", "is missing: the best protection is that for a budget, USD")
        return best_protection(*about, **given)
    if not request.allow_calls:
        raise InvalidInput("allow_calls", "must be true: a collar that costs nothing sells calls")
    return zero_cost_collar(*about, **given)


def credit_of(request: CheapestRequest, case: HedgeCase) -> tuple[HedgeCounting | float, float | None]:
    """The credit factor of the search, and that of what is owed: a lender's haircut is not taken off a debt."""
    if request.credit is not None and not isinstance(request.credit, HedgeCounting):
        return request.credit, None
    counting = case.loan.hedge_counting
    if counting is HedgeCounting.CREDITED and case.loan.hedge_haircut > 0:
        limit = 1.0 if request.max_hedged_ltv is None else request.max_hedged_ltv
        return limit * (1.0 - case.loan.hedge_haircut), limit
    return counting, None


def _counted(case: HedgeCase, request: CheapestRequest) -> HedgeCase:
    """The case with its loan counted as the request says."""
    if not isinstance(request.credit, HedgeCounting):
        return case
    return replace(case, loan=replace(case.loan, hedge_counting=request.credit))


def _terms(question: Question) -> dict[str, Any]:
    request, case = question.request, question.case
    factor, owed = credit_of(request, case)
    return {
        "credit_factor": factor,
        "owed_factor": owed,
        "horizon": request.horizon,
        "allow_calls": request.allow_calls,
        "budget": request.budget,
        "premium_funding": request.premium_funding,
        "price_range": request.price_range,
        "commission": request.commission_per_contract,
        "max_contracts_per_line": request.max_contracts_per_line,
        "max_puts": request.max_puts,
        "min_call_strike": request.min_call_strike,
        "max_loss": request.max_loss,
        "check_dates": request.check_dates.value,
        "at": case.at if question.is_dated else None,
        "rate": case.rate,
        "time_limit": question.seconds,
    }


def _answer(
    request: CheapestRequest, case: HedgeCase, options: tuple[ListedOption, ...], market: HedgeMarket | None
) -> Found:
    """Search, measure, reasons, and the seconds they took; in a thread."""
    from vaultdash.services.hedge_words import why

    began = time.perf_counter()
    if not options:
        assert market is not None
        found = CheapestHedge(SolveStatus.INFEASIBLE, _nothing_usable(market), rejected=market.rejected)
        return found, None, why(found, case, request, None), time.perf_counter() - began
    first = request.horizon or min(option.expiration for option in options)
    is_dated = all(expiry_at(option.expiration) > case.at for option in options if option.expiration >= first)
    searched = request if is_dated else _at_expiry(request, case, options, first)
    question = Question(searched, case, is_dated, case.owed_on(first), time.monotonic() + TIME_LIMIT)
    within = within_margin(partial(search, question), options, request.max_calls, case)
    found = in_todays_money(within.found, case, first)
    if asks_nothing(request) and found.hedge is not None:
        found = nothing_judged(found, case)
    measure = None
    if found.hedge is not None and is_dated:
        from vaultdash.strategies.listed_measure import measure_listed

        measure = measure_listed(found.hedge, replace(case, until=first), request.price_range)
    unused = () if market is None else market.rejected
    found = replace(
        found,
        rejected=(*found.rejected, *within.rejected, *unused),
        remarks=tuple(
            dict.fromkeys(
                [
                    *within.remarks,
                    *found.remarks,
                    *custody_remarks(found, case, is_dated=is_dated),
                    *_remarks(question, options, market),
                ]
            )
        ),
    )
    reasons = why(found, case, request, measure)
    return found, measure, reasons, time.perf_counter() - began


def _at_expiry(
    request: CheapestRequest, case: HedgeCase, options: Sequence[ListedOption], first: date
) -> CheapestRequest:
    """What is asked where contracts have expired: payoffs at expiry, which say everything of puts that are bought."""
    sells = request.allow_calls and any(each.right is Right.CALL and each.expiration >= first for each in options)
    if request.check_dates is CheckDates.ALL and sells:
        raise InvalidInput(
            "check_dates",
            f"cannot be all: some of the contracts have expired by {case.at:%-d %b %Y}, so that no day before is "
            "left to check for the calls; give as_of, the day of these quotes",
        )
    return replace(request, check_dates=CheckDates.EXPIRY)


def _sentence(remark: str) -> str:
    return f"{remark[:1].upper()}{remark[1:]}."


def _nothing_usable(market: HedgeMarket) -> str:
    told = ", ".join(f"{count:,} {reason}" for reason, count in market.counts.items())
    return f"None of the {len(market.rejected):,} contracts can be used: {told or 'none is listed'}."


def _remarks(question: Question, options: Sequence[ListedOption], market: HedgeMarket | None) -> list[str]:
    said = []
    case = question.case
    if question.owed != case.loan.amount:
        said.append(
            f"interest is added to the loan: what is kept is the {question.owed:,.0f} USD owed at the horizon, not "
            f"today's {case.loan.amount:,.0f}"
        )
    if not question.is_dated:
        said.append("some contracts have expired by now: no cost a year, no Greeks and no earlier days are told")
    smallest = min(option.multiplier for option in options)
    if case.units < smallest:
        said.append(
            f"the gold is worth {case.units:,.4g} shares, less than one contract of {smallest}: a hedge in whole "
            "contracts is larger than the gold"
        )
    if market is not None:
        said += market.remarks
        if abs(market.spot / case.spot - 1.0) > SAME_SPOT:
            said.append(
                f"the quotes were made when {market.symbol} stood at {market.spot:,.2f}, not at {case.spot:,.2f}"
            )
    return said
