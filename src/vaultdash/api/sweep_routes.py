"""The endpoints of sweeps: begun, followed, stopped, gone on with, read as a table, removed."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, Path, Query, Request, Response

from vaultdash.api.backtest_schemas import TemplateUsed
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS, WRITING
from vaultdash.api.respond import encode, respond
from vaultdash.api.sweep_schemas import (
    SweepAnswer,
    SweepEntry,
    SweepRunAnswer,
    SweepsAnswer,
    SweepSummary,
    SweptAnswer,
)
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.services.sweep_grid import SweepGrid, grid_of
from vaultdash.services.sweep_result import sweep_csv
from vaultdash.services.vault import Vault

BEGUN: dict[int | str, dict[str, Any]] = {202: {"model": SweepRunAnswer}, **WRITING}
SweepId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,40}$", description="id of a sweep")]
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A line a run"}
}


def sweep_router(vault: Vault) -> Endpoints:
    """Everything below /api/sweeps."""
    router = Endpoints(tags=["sweeps"])

    @router.get("/api/sweeps", responses={200: {"model": SweepsAnswer}, **ERRORS})
    async def sweeps(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        """Every sweep that is kept, newest first, those under way with their progress."""
        found = await vault.sweeps.runs(limit)
        return respond(request, SweepsAnswer(vault.now(), tuple(sweep_answer(run) for run in found)))

    @router.post("/api/sweeps", status_code=202, responses=BEGUN)
    async def start_sweep(entry: Annotated[SweepEntry, Body()]) -> Response:
        """Begin one; it runs behind, and `backtest_update` over the WebSocket says how far it is."""
        return _begun(await vault.sweeps.start(_grid(entry)))

    @router.get("/api/sweeps/{sweep_id}", responses={200: {"model": SweepAnswer}, **ERRORS})
    async def read_sweep(request: Request, sweep_id: SweepId) -> Response:
        """A sweep with its grid and, once it is done, the hedges that came through best."""
        run, asked = await vault.sweeps.run(sweep_id), await vault.sweeps.asked(sweep_id)
        templates = tuple(
            TemplateUsed(each.id, each.name, each.version, each.description) for each in asked.templates
        )
        results = f"/api/sweeps/{run.id}/results.csv" if run.state is RunState.DONE else None
        return respond(request, SweepAnswer(sweep_answer(run), json.loads(asked.grid), templates, results))

    @router.get(
        "/api/sweeps/{sweep_id}/results.csv",
        responses={**CSV, **ERRORS, 409: WRITING[409]},
        response_class=Response,
    )
    async def sweep_results_csv(sweep_id: SweepId) -> Response:
        """A line a run: the hedge with what was varied, the days, the terms, and every figure."""
        text = await asyncio.to_thread(sweep_csv, await vault.sweeps.result(sweep_id))
        headers = {
            "Content-Disposition": f'attachment; filename="sweep-{sweep_id}.csv"',
            "Cache-Control": "no-cache",
        }
        return Response(text, headers=headers, media_type="text/csv; charset=utf-8")

    @router.post("/api/sweeps/{sweep_id}/cancel", responses={200: {"model": SweepRunAnswer}, **WRITING})
    async def cancel_sweep(sweep_id: SweepId) -> Response:
        """Stop it; what is done stays. Refused with 409 when it has ended."""
        return _told(sweep_answer(await vault.sweeps.cancel(sweep_id)))

    @router.post(
        "/api/sweeps/{sweep_id}/resume", status_code=202, responses={202: {"model": SweepRunAnswer}, **WRITING}
    )
    async def resume_sweep(sweep_id: SweepId) -> Response:
        """Go on with one that was cancelled or has failed; refused with 409 when it is done or under way."""
        return _begun(await vault.sweeps.resume(sweep_id))

    @router.delete("/api/sweeps/{sweep_id}", status_code=204, responses={204: {}, **WRITING})
    async def remove_sweep(sweep_id: SweepId) -> Response:
        """Take it out with all that came of it; one that is under way is stopped."""
        await vault.sweeps.remove(sweep_id)
        return Response(status_code=204)

    return router


def sweep_answer(run: StoredRun) -> SweepRunAnswer:
    """A sweep as it stands."""
    return SweepRunAnswer(
        id=run.id,
        kind=run.kind,
        name=run.name,
        state=run.state,
        progress=run.progress,
        created_at=run.created_at,
        finished_at=run.finished_at,
        problem=run.problem,
        summary=None if run.summary is None else _summary(json.loads(run.summary)),
    )


def _summary(told: dict[str, Any]) -> SweepSummary:
    best = tuple(SweptAnswer(**each) for each in told["best"])
    bare = None if told["unhedged"] is None else SweptAnswer(**told["unhedged"])
    return SweepSummary(**{**told, "best": best, "unhedged": bare})


def _grid(entry: SweepEntry) -> SweepGrid:
    return grid_of({name: value for name, value in asdict(entry).items() if value is not None})


def _begun(run: StoredRun) -> Response:
    return _told(sweep_answer(run), 202, {"Location": f"/api/sweeps/{run.id}"})


def _told(payload: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(payload), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")
