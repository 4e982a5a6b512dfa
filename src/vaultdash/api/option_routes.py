"""The endpoints of listed options: expirations, chains as JSON and CSV, the volatility surface."""

import asyncio
import re
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Request, Response

from vaultdash.api.endpoints import Endpoints
from vaultdash.api.option_answers import (
    Wanted,
    chain_answer,
    chains_csv,
    listing_answer,
    options_answer,
    parse_right,
    within_answer,
)
from vaultdash.api.option_schemas import ChainsAnswer, ExpirationsAnswer, OptionsAnswer, SurfaceAnswer
from vaultdash.api.parameters import ERRORS, Symbol, named
from vaultdash.api.respond import Encoded, respond
from vaultdash.api.surface_answers import surface_answer
from vaultdash.domain.errors import InvalidInput
from vaultdash.services.vault import Vault

HIGHEST_STRIKE = 1e5  # what an option symbol can name
Expiration = Annotated[date | None, Query(description="YYYY-MM-DD, one that is listed")]
MaxDays = Annotated[int | None, Query(description="30, 60 or 90: all expirations within so many days")]
RightText = Annotated[str | None, Query(description="C or call, P or put; default both", max_length=10)]
Strike = Annotated[float | None, Query(ge=0, le=HIGHEST_STRIKE, allow_inf_nan=False, description="USD")]
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A line a contract"}
}


def option_router(vault: Vault) -> Endpoints:
    """All endpoints under /api/options."""
    router = Endpoints(tags=["options"])

    async def chains(
        symbol: str | None,
        expiration: date | None,
        max_days: int | None,
        right: str | None,
        strikes: tuple[float | None, float | None],
    ) -> ChainsAnswer:
        wanted = Wanted(parse_right(right), *strikes)
        if max_days is None:
            chain = await vault.chains.chain(named(vault, symbol), expiration)
            return chain_answer(chain, wanted, vault.now())
        if expiration is not None:
            raise InvalidInput("max_days", "and expiration exclude each other: give one of them")
        return within_answer(await vault.chains.within(named(vault, symbol), max_days), wanted, vault.now())

    @router.get("/api/options", responses={200: {"model": OptionsAnswer}, **ERRORS})
    async def options(request: Request, symbol: Symbol = None, expiration: Expiration = None) -> Response:
        """The expirations and the contracts of one of them, the default one unless given."""
        listing = await vault.chains.expirations(named(vault, symbol))
        chain = await vault.chains.chain(listing.symbol, expiration or listing.default)
        return respond(request, options_answer(listing, chain, vault.now()))

    @router.get("/api/options/expirations", responses={200: {"model": ExpirationsAnswer}, **ERRORS})
    async def expirations(request: Request, symbol: Symbol = None) -> Response:
        """The expirations that have not passed, with the one to begin with."""
        return respond(request, listing_answer(await vault.chains.expirations(named(vault, symbol)), vault.now()))

    @router.get("/api/options/chain", responses={200: {"model": ChainsAnswer}, **ERRORS})
    async def chain(
        request: Request,
        symbol: Symbol = None,
        expiration: Expiration = None,
        max_days: MaxDays = None,
        right: RightText = None,
        min_strike: Strike = None,
        max_strike: Strike = None,
    ) -> Response:
        """The contracts of one expiration, or of all within some days, with our volatility and Greeks."""
        answer = await chains(symbol, expiration, max_days, right, (min_strike, max_strike))
        return respond(request, await asyncio.to_thread(Encoded.of, answer))

    @router.get("/api/options/chain.csv", responses={**CSV, **ERRORS}, response_class=Response)
    async def chain_csv(
        symbol: Symbol = None,
        expiration: Expiration = None,
        max_days: MaxDays = None,
        right: RightText = None,
        min_strike: Strike = None,
        max_strike: Strike = None,
    ) -> Response:
        """The same as a file for a spreadsheet."""
        answer = await chains(symbol, expiration, max_days, right, (min_strike, max_strike))
        days = [state.expiration.isoformat() for state in answer.expirations]
        name = "-".join([answer.symbol, *(days if max_days is None else [f"{max_days}-days"]), "options"])
        headers = {
            "Content-Disposition": f'attachment; filename="{re.sub(r"[^A-Za-z0-9._-]", "", name)}.csv"',
            "Cache-Control": "no-cache",
        }
        text = await asyncio.to_thread(chains_csv, answer)
        return Response(text.encode(), headers=headers, media_type="text/csv; charset=utf-8")

    @router.get("/api/options/surface", responses={200: {"model": SurfaceAnswer}, **ERRORS})
    async def surface(request: Request, symbol: Symbol = None) -> Response:
        """The volatility surface through the chains loaded so far; the default one is loaded when none is."""
        name = named(vault, symbol)
        if not vault.chains.loaded(name):
            await vault.chains.chain(name)
        found = await vault.chains.surface(name)
        return respond(request, surface_answer(name, vault.chains.loaded(name), found, vault.now()))

    return router
