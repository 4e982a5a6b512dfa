"""The endpoints of events: the named falls of gold, the owner's own days, and the report of one."""

from dataclasses import replace
from typing import Annotated

from fastapi import Body, Path, Request, Response

from vaultdash.api.backtest_answers import event_answer, request_of
from vaultdash.api.backtest_routes import begun
from vaultdash.api.backtest_schemas import (
    BacktestEntry,
    EventAnswer,
    EventChange,
    EventEntry,
    EventsAnswer,
    RunAnswer,
)
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS, WRITING
from vaultdash.api.respond import encode, respond
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.record import RunKind
from vaultdash.services.backtest_request import FAN_MONTHS
from vaultdash.services.vault import Vault

EventId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,60}$", description="id of an event, such as jan-2026")]


def event_router(vault: Vault) -> Endpoints:
    """Everything below /api/events."""
    router = Endpoints(tags=["backtests"])

    @router.get("/api/events", responses={200: {"model": EventsAnswer}, **ERRORS})
    async def events(request: Request) -> Response:
        """The owner's own events and the named falls, with their figures in the stored prices."""
        found = await vault.events.all()
        return respond(request, EventsAnswer(vault.now(), tuple(event_answer(event) for event in found)))

    @router.post("/api/events", status_code=201, responses={201: {"model": EventAnswer}, **WRITING})
    async def add_event(entry: Annotated[EventEntry, Body()]) -> Response:
        """Keep days of the owner's own; the id is made of the name."""
        event = await vault.events.add(entry.name, entry.start, entry.end, entry.note or "")
        headers = {"Location": f"/api/events/{event.id}", "Cache-Control": "no-store"}
        return Response(encode(event_answer(event)), 201, headers, "application/json")

    @router.get("/api/events/{event_id}", responses={200: {"model": EventAnswer}, **ERRORS})
    async def read_event(request: Request, event_id: EventId) -> Response:
        """One event; a month in its id may be written in full."""
        return respond(request, event_answer(await vault.events.get(event_id)))

    @router.put("/api/events/{event_id}", responses={200: {"model": EventAnswer}, **WRITING})
    async def change_event(event_id: EventId, entry: Annotated[EventChange, Body()]) -> Response:
        """Rename one of the owner's own, or move its days."""
        event = await vault.events.change(
            event_id, name=entry.name, start=entry.start, end=entry.end, note=entry.note
        )
        return Response(encode(event_answer(event)), 200, {"Cache-Control": "no-store"}, "application/json")

    @router.delete("/api/events/{event_id}", status_code=204, responses={204: {}, **WRITING})
    async def remove_event(event_id: EventId) -> Response:
        """Take one of the owner's own out; a named fall stays."""
        await vault.events.remove(event_id)
        return Response(status_code=204)

    @router.post("/api/events/{event_id}/report", status_code=202, responses={202: {"model": RunAnswer}, **WRITING})
    async def report_event(event_id: EventId, entry: Annotated[BacktestEntry | None, Body()] = None) -> Response:
        """Begin the report of an event: every hedge at its start, and bought one, three, six and nine months before.

        The body, which may be left out, gives terms and templates.
        """
        event = await vault.events.get(event_id)
        request = request_of(entry or BacktestEntry())
        if request.event not in (None, event_id, event.id):
            raise InvalidInput("event", f"is another than the {event.id} of the address")
        fan = request.fan if entry is not None and entry.fan is not None else FAN_MONTHS
        return begun(await vault.backtests.start(replace(request, event=event.id, fan=fan), RunKind.EVENT))

    return router
