"""The endpoints of hedges of listed contracts: found, built, measured, judged on paths, and compared."""

import asyncio
from collections.abc import Coroutine
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import Body, Query, Request, Response

from vaultdash.api import hedge_examples as examples
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.hedge_answers import (
    built_answer,
    cheapest_answer,
    evaluate_answer,
    frontier_answer,
    market_answer,
    path_verdicts_answer,
)
from vaultdash.api.hedge_entries import BuildEntry, CheapestEntry, EvaluateEntry, PathVerdictEntry
from vaultdash.api.hedge_requests import (
    build_request,
    case_change,
    cheapest_request,
    hedge_request,
    path_request,
    price_range,
)
from vaultdash.api.hedge_schemas import (
    BuiltAnswer,
    CheapestAnswer,
    EvaluateAnswer,
    FrontierAnswer,
    HedgeMarketAnswer,
    PathVerdictsAnswer,
)
from vaultdash.api.parameters import ERRORS, WRITING
from vaultdash.api.respond import Encoded, respond, written
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.vault import Vault

GONE = 499  # of a caller who has left: nobody reads it
LISTENING_SECONDS = 0.5
T = TypeVar("T")
Horizon = Annotated[date | None, Query(description="YYYY-MM-DD; default the first expiration 120 days away")]


def hedge_router(vault: Vault) -> Endpoints:
    """All endpoints under /api/hedges."""
    router = Endpoints(prefix="/api/hedges", tags=["hedges"])
    workbench = vault.workbench

    @router.post("/cheapest", responses={200: {"model": CheapestAnswer}, **WRITING})
    async def cheapest_hedge(
        request: Request, entry: Annotated[CheapestEntry, Body(openapi_examples=examples.CHEAPEST)]
    ) -> Response:
        """The cheapest hedge in whole contracts that keeps every rule, certified; infeasible is an answer."""
        asked = await asyncio.to_thread(cheapest_request, entry)
        report = await unless_left(request, workbench.cheapest(asked))
        return _left() if report is None else written(await asyncio.to_thread(cheapest_answer, report))

    @router.post("/evaluate", responses={200: {"model": EvaluateAnswer}, **WRITING})
    async def evaluate_hedge(
        entry: Annotated[EvaluateEntry, Body(openapi_examples=examples.EVALUATE)],
    ) -> Response:
        """Every figure of a hedge, and its curves at expiry."""
        hedge = hedge_request(entry.hedge, vault.book.symbol)
        report = await workbench.measure([hedge], case_change(entry), price_range(entry.price_range))
        return written(await asyncio.to_thread(evaluate_answer, report.measures[0], report.standing))

    @router.post("/path-verdict", responses={200: {"model": PathVerdictsAnswer}, **WRITING})
    async def path_verdict(
        request: Request, entry: Annotated[PathVerdictEntry, Body(openapi_examples=examples.PATHS)]
    ) -> Response:
        """How likely a call is that the hedge itself does not cure in time, by several models on the same paths."""
        report = await unless_left(request, workbench.path_verdicts(path_request(entry, vault.book.symbol)))
        return _left() if report is None else written(path_verdicts_answer(report))

    @router.post("/build", responses={200: {"model": BuiltAnswer}, **WRITING})
    async def build_hedge(entry: Annotated[BuildEntry, Body(openapi_examples=examples.BUILD)]) -> Response:
        """A strategy or a template made of contracts of the live chain; 409 for calls that split custody refuses."""
        report = await workbench.built(build_request(entry))
        return written(built_answer(report))

    @router.get("/market", responses={200: {"model": HedgeMarketAnswer}, **ERRORS})
    async def hedge_market(
        request: Request,
        horizon: Horizon = None,
        latest: Annotated[
            date | None, Query(description="YYYY-MM-DD, the last expiration; default three of them")
        ] = None,
    ) -> Response:
        """The contracts that a hedge may be made of, and those that are not used, with the reason."""
        market = await workbench.market(horizon, latest=latest)
        return respond(request, await asyncio.to_thread(lambda: Encoded.of(market_answer(market))))

    @router.get("/frontier", responses={200: {"model": FrontierAnswer}, **ERRORS})
    async def hedge_frontier(
        request: Request,
        horizon: Horizon = None,
        counting: Annotated[HedgeCounting | None, Query(description="default the lender's own")] = None,
    ) -> Response:
        """Cost a year against protection for many hedges of the live chain, beside what is no option."""
        report = await workbench.frontier(horizon, counting)
        return respond(request, await asyncio.to_thread(lambda: Encoded.of(frontier_answer(report))))

    return router


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work comes to; None when whoever asked has gone meanwhile, and then the work is given up."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LISTENING_SECONDS)
            if not task.done() and await request.is_disconnected():
                return None
        return task.result()
    finally:
        task.cancel()


def _left() -> Response:
    return Response(status_code=GONE)
