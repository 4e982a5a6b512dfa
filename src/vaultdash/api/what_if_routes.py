"""The endpoints of what-if: a change applied to the loan and a hedge, and the owner's scenario grids."""

import asyncio
from typing import Annotated

from fastapi import Body, Path, Request, Response

from vaultdash.api import hedge_examples as examples
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS, WRITING
from vaultdash.api.respond import respond, written
from vaultdash.api.what_if_answers import grid_answer, grids_answer, scenario_grid, what_if_answer, what_if_request
from vaultdash.api.what_if_schemas import GridAnswer, GridEntry, GridsAnswer, WhatIfAnswer, WhatIfEntry
from vaultdash.services.vault import Vault

GridName = Annotated[str, Path(max_length=200, description="name of a scenario grid")]


def what_if_router(vault: Vault) -> Endpoints:
    """Everything below /api/whatif."""
    router = Endpoints(prefix="/api/whatif", tags=["what-if"])
    workbench = vault.workbench

    @router.post("", responses={200: {"model": WhatIfAnswer}, **WRITING})
    async def what_if(entry: Annotated[WhatIfEntry, Body(openapi_examples=examples.WHAT_IF)]) -> Response:
        """What a change of price, volatility, time, rate or lender does to the loan with and without the hedge."""
        report = await workbench.what_if(what_if_request(entry, vault.book.symbol))
        return written(await asyncio.to_thread(what_if_answer, report))

    @router.get("/grids", responses={200: {"model": GridsAnswer}, **ERRORS})
    async def scenario_grids(request: Request) -> Response:
        """The scenario grids that are kept."""
        return respond(request, grids_answer(await workbench.grids()))

    @router.put("/grids/{name}", responses={200: {"model": GridAnswer}, **WRITING})
    async def keep_grid(
        name: GridName, entry: Annotated[GridEntry, Body(openapi_examples=examples.GRID)]
    ) -> Response:
        """Make the grid of this name, or replace it."""
        return written(grid_answer(await workbench.keep_grid(scenario_grid(name, entry))))

    @router.delete("/grids/{name}", status_code=204, responses={204: {}, **WRITING})
    async def remove_grid(name: GridName) -> Response:
        """Take it out."""
        await workbench.remove_grid(name)
        return Response(status_code=204)

    return router
