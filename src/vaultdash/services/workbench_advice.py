"""What the hedge page says of listed contracts: the cheapest hedge for the owner's loan, beside what is no option."""

import asyncio
from dataclasses import dataclass, replace

from vaultdash.domain.errors import InvalidInput, ProviderError
from vaultdash.domain.hedge_verdict import AlternativeKind, FrontierPoint, ListedMeasure
from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.workbench_case import HedgeCases
from vaultdash.services.workbench_request import (
    DEFAULT_RANGE,
    CaseChange,
    CheapestReport,
    CheapestRequest,
    Standing,
)
from vaultdash.services.workbench_search import HedgeSearch
from vaultdash.strategies.frontier_alternatives import WithoutHedge, alternatives, better_without

ROOM = 0.01  # of LTV below the limit: on the limit is a call
NOT_COUNTED = (
    "Your lender does not count options, so none keeps its call away. Shown is the cheapest whose sale would repay "
    "the loan in time, if you sell it when the call comes."
)


@dataclass(frozen=True, slots=True)
class ListedAdvice:
    """The cheapest hedge of listed contracts for the owner's loan, doing nothing, and repaying.

    `counting` is the one it was searched in: the lender's own, or after payment where the lender ignores options
    (then `counts` is False). `cheapest` is None when no chain can be had, and `problem` says why. `without` says what
    is better: the hedge, nothing, or repaying. `alternatives` are doing nothing, and what each other way takes to do
    as much. `withheld` says why nothing is recommended.
    """

    case: HedgeCase
    standing: Standing
    counting: HedgeCounting
    counts: bool
    max_hedged_ltv: float
    cheapest: CheapestReport | None
    without: WithoutHedge
    alternatives: tuple[FrontierPoint, ...]
    words: tuple[str, ...]
    withheld: str | None
    problem: str | None


class HedgeCounsel:
    """Asks for the cheapest hedge as the lender counts."""

    def __init__(self, cases: HedgeCases, search: HedgeSearch) -> None:
        self._cases = cases
        self._search = search

    async def advise(self) -> ListedAdvice:
        """For the loan as it is now; raises Unavailable while there is no price. Without a chain it says so."""
        case, standing = await self._cases.of(CaseChange())
        own = case.loan.hedge_counting
        counts = own is not HedgeCounting.IGNORED
        counting = own if counts else HedgeCounting.AFTER_PAYMENT
        limit = case.loan.margin_call_ltv - ROOM
        request = CheapestRequest(max_hedged_ltv=limit, credit=None if counts else counting)
        found: CheapestReport | None = None
        problem: str | None = None
        try:
            found = await self._search.find(request)
        except (ProviderError, InvalidInput) as error:
            problem = str(error)
        measure = None if found is None else found.measure
        judged = case if measure is None else replace(case, until=measure.case.until)  # all ways on one loan
        without, others = await asyncio.to_thread(_without, measure, judged)
        withheld = standing.withheld if found is None else found.withheld
        words = [*([] if counts else [NOT_COUNTED]), *without.sentences]
        if standing.held is not None:
            words.append(f"{standing.held[0].upper()}{standing.held[1:]}.")
        return ListedAdvice(
            case, standing, counting, counts, limit, found, without, others, tuple(words), withheld, problem
        )


def _without(measure: ListedMeasure | None, case: HedgeCase) -> tuple[WithoutHedge, tuple[FrontierPoint, ...]]:
    judged = better_without(measure if measure is None or measure.hedge.legs else None, case)
    every = alternatives(case, DEFAULT_RANGE, -DEFAULT_RANGE[0])
    last = {point.alternative: point for point in every}  # of each kind that which keeps the whole range
    return judged, tuple(last[kind] for kind in AlternativeKind if kind in last)
