"""The endpoints of backtests: begun, followed, read, exported, removed."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Body, Path, Query, Request, Response

from vaultdash.api.backtest_answers import (
    backtest_answer,
    request_of,
    run_answer,
    runs_answer,
    series_csv,
    trades_csv,
)
from vaultdash.api.backtest_schemas import BacktestAnswer, BacktestEntry, NameEntry, RunAnswer, RunsAnswer
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS, WRITING
from vaultdash.api.respond import encode, respond
from vaultdash.backtest.result import Comparison
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.services.vault import Vault

RunId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,40}$", description="id of a backtest")]
Template = Annotated[
    str | None,
    Query(
        description="a template's id, `unhedged`, or `repaid:` and a template's id; default all and unhedged",
        max_length=80,
    ),
]
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A table for a spreadsheet"}
}


def backtest_router(vault: Vault) -> Endpoints:
    """Everything below /api/backtests."""
    router = Endpoints(tags=["backtests"])

    @router.get("/api/backtests", responses={200: {"model": RunsAnswer}, **ERRORS})
    async def backtests(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        """Every run that is kept, newest first, those under way with their progress."""
        return respond(request, runs_answer(await vault.backtests.runs(limit), vault.now()))

    @router.post("/api/backtests", status_code=202, responses={202: {"model": RunAnswer}, **WRITING})
    async def start_backtest(entry: Annotated[BacktestEntry, Body()]) -> Response:
        """Begin one; it runs behind, and `backtest_update` over the WebSocket says how far it is."""
        return begun(await vault.backtests.start(request_of(entry)))

    @router.get("/api/backtests/{run_id}", responses={200: {"model": BacktestAnswer}, **ERRORS, **_conflict()})
    async def read_backtest(request: Request, run_id: RunId) -> Response:
        """A run with what was asked for and, once it is done, what came of every hedge."""
        run, asked = await vault.backtests.run(run_id), await vault.backtests.asked(run_id)
        report = await vault.backtests.result(run_id) if run.state is RunState.DONE else None
        return respond(request, await asyncio.to_thread(backtest_answer, run, asked, report))

    @router.put("/api/backtests/{run_id}", responses={200: {"model": RunAnswer}, **WRITING})
    async def rename_backtest(run_id: RunId, entry: Annotated[NameEntry, Body()]) -> Response:
        """Give it another name."""
        return _told(run_answer(await vault.backtests.rename(run_id, entry.name)))

    @router.delete("/api/backtests/{run_id}", status_code=204, responses={204: {}, **WRITING})
    async def remove_backtest(run_id: RunId) -> Response:
        """Take it out with its result; one that is under way is stopped."""
        await vault.backtests.remove(run_id)
        return Response(status_code=204)

    @router.post("/api/backtests/{run_id}/cancel", responses={200: {"model": RunAnswer}, **WRITING})
    async def cancel_backtest(run_id: RunId) -> Response:
        """Stop it; refused with 409 when it has ended."""
        return _told(run_answer(await vault.backtests.cancel(run_id)))

    @router.post("/api/backtests/{run_id}/again", status_code=202, responses={202: {"model": RunAnswer}, **WRITING})
    async def repeat_backtest(run_id: RunId) -> Response:
        """Begin the same once more, with the templates in the versions of then."""
        return begun(await vault.backtests.again(run_id))

    @router.get(
        "/api/backtests/{run_id}/series.csv",
        responses={**CSV, **ERRORS, **_conflict()},
        response_class=Response,
    )
    async def backtest_series_csv(run_id: RunId, template: Template = None) -> Response:
        """A line a day: price, units, loan, options, cash, equity and LTV in each counting."""
        return await _file(vault, run_id, "series", template, series_csv)

    @router.get(
        "/api/backtests/{run_id}/trades.csv",
        responses={**CSV, **ERRORS, **_conflict()},
        response_class=Response,
    )
    async def backtest_trades_csv(run_id: RunId, template: Template = None) -> Response:
        """A line a trade, with its reason, price, commission and cash."""
        return await _file(vault, run_id, "trades", template, trades_csv)

    return router


def begun(run: StoredRun) -> Response:
    """A run that was begun, and where it is found."""
    return _told(run_answer(run), 202, {"Location": f"/api/backtests/{run.id}"})


async def _file(
    vault: Vault, run_id: str, kind: str, template: str | None, write: Callable[[Comparison, str | None], str]
) -> Response:
    report = await vault.backtests.result(run_id)
    text = await asyncio.to_thread(write, report.comparison, template)
    headers = {
        "Content-Disposition": f'attachment; filename="backtest-{run_id}-{kind}.csv"',
        "Cache-Control": "no-cache",
    }
    return Response(text.encode(), headers=headers, media_type="text/csv; charset=utf-8")


def _told(payload: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(payload), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def _conflict() -> dict[int | str, dict[str, Any]]:
    return {409: WRITING[409]}
