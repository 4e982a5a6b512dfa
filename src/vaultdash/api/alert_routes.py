"""The endpoints of alerts: what is watched, what stands, the history, answers to an alert, and the channels."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query, Request, Response

from vaultdash.api.alert_answers import (
    alerts_answer,
    channel_answer,
    channels_answer,
    event_answer,
    plan_answer,
    plan_of,
)
from vaultdash.api.alert_schemas import (
    AlertHistoryAnswer,
    AlertsAnswer,
    ChannelAnswer,
    ChannelChange,
    ChannelInput,
    ChannelsAnswer,
    EventAnswer,
    PlanAnswer,
    PlanInput,
    SnoozeInput,
    TestAnswer,
)
from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS
from vaultdash.api.respond import respond
from vaultdash.api.schemas import ErrorAnswer
from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.alert_answers import LONGEST_SNOOZE
from vaultdash.services.alert_board import alert_board
from vaultdash.services.alert_doubts import silence_of
from vaultdash.services.vault import Vault

SAME_MOMENT = 100  # events of one moment that a page of the history is lengthened by, so that none is skipped
PortfolioId = Annotated[str | None, Query(description="its id; default the current one", max_length=40)]
EventId = Annotated[str, Path(max_length=80)]
ChannelId = Annotated[str, Path(max_length=80)]
ALL_ERRORS = {
    **ERRORS,
    400: {"model": ErrorAnswer, "description": "The body cannot be read"},
    409: {"model": ErrorAnswer, "description": "Understood and declined: the alert is over, or there are enough"},
    413: {"model": ErrorAnswer, "description": "The body is too large"},
    415: {"model": ErrorAnswer, "description": "The body is of another kind"},
}


def alert_router(vault: Vault) -> Endpoints:
    """All endpoints under /api/alerts."""
    router = Endpoints(tags=["alerts"])

    @router.get("/api/alerts", responses={200: {"model": AlertsAnswer}, **ERRORS})
    async def alerts(request: Request, portfolio: PortfolioId = None) -> Response:
        """What is watched, what is raised and whom it reached, and who would be told."""
        chosen = _chosen(vault, portfolio)
        board = await alert_board(vault.database, chosen, silence_of(vault, chosen))
        return respond(request, alerts_answer(board, chosen.loan, vault.now()))

    @router.post("/api/alerts/configure", responses={200: {"model": PlanAnswer}, **ALL_ERRORS})
    async def configure(request: Request, plan: PlanInput, portfolio: PortfolioId = None) -> Response:
        """Choose what is watched: thresholds on LTV, every rule, or the usual ones, and quiet hours.

        What is not given stays.
        """
        if portfolio is not None and plan.portfolio not in (None, portfolio):
            raise InvalidInput("portfolio", "is another one in the address than in the body")
        chosen = _chosen(vault, portfolio or plan.portfolio)
        known = await vault.alerts.plan(chosen.id)
        await vault.alerts.configure(chosen.id, plan_of(plan, known, chosen.loan))
        board = await alert_board(vault.database, chosen)
        return respond(request, plan_answer(board, chosen.loan, vault.now()))

    @router.get("/api/alerts/history", responses={200: {"model": AlertHistoryAnswer}, **ERRORS})
    async def alert_history(
        request: Request,
        portfolio: PortfolioId = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[datetime | None, Query(description="only older ones; UTC unless it says otherwise")] = None,
    ) -> Response:
        """Everything that happened to alerts, newest first; nothing is ever taken out."""
        chosen = _chosen(vault, portfolio)
        until = None if before is None else _in_utc("before", before)
        found = list(await vault.alerts.history(chosen.id, limit + SAME_MOMENT, until))
        page = found[:limit]
        page += [event for event in found[limit:] if event.at == page[-1].at]
        answer = AlertHistoryAnswer(
            portfolio_id=chosen.id,
            events=tuple(event_answer(event) for event in page),
            next_before=page[-1].at if len(found) > len(page) else None,
        )
        return respond(request, answer)

    @router.post("/api/alerts/{event_id}/acknowledge", responses={200: {"model": EventAnswer}, **ALL_ERRORS})
    async def acknowledge(request: Request, event_id: EventId) -> Response:
        """You know: nothing more is sent for this alert. Twice is the same as once."""
        return respond(request, event_answer(await vault.alerts.acknowledge(event_id)))

    @router.post("/api/alerts/{event_id}/snooze", responses={200: {"model": EventAnswer}, **ALL_ERRORS})
    async def snooze(request: Request, event_id: EventId, put_off: SnoozeInput) -> Response:
        """Send nothing for some minutes, or until a time; if it still holds then, remind."""
        if (put_off.minutes is None) == (put_off.until is None):
            raise InvalidInput("minutes", "or until must be given: one of them")
        if put_off.minutes is not None:
            if not 0 < put_off.minutes <= LONGEST_SNOOZE.total_seconds() / 60:
                raise InvalidInput("minutes", f"must be above zero and within {LONGEST_SNOOZE.days} days")
            until = vault.now() + timedelta(minutes=put_off.minutes)
        else:
            assert put_off.until is not None
            until = _in_utc("until", put_off.until)
        return respond(request, event_answer(await vault.alerts.snooze(event_id, until)))

    @router.get("/api/alerts/channels", responses={200: {"model": ChannelsAnswer}, **ERRORS})
    async def channels(request: Request) -> Response:
        """The ways to you, by step, without their addresses."""
        return respond(request, channels_answer(tuple(await vault.outbox.channels())))

    @router.post("/api/alerts/channels", status_code=201, responses={201: {"model": ChannelAnswer}, **ALL_ERRORS})
    async def add_channel(request: Request, channel: ChannelInput) -> Response:
        """Add a way to you; send a test message after it."""
        made = await vault.outbox.add_channel(
            channel.kind, channel.name, channel.address, step=channel.step, wait_minutes=channel.wait_minutes
        )
        return respond(request, channel_answer(made), 201)

    @router.put("/api/alerts/channels/{channel_id}", responses={200: {"model": ChannelAnswer}, **ALL_ERRORS})
    async def change_channel(request: Request, channel_id: ChannelId, change: ChannelChange) -> Response:
        """Another name, address, step or wait, or switch it off."""
        known = next((each for each in await vault.outbox.channels() if each.id == channel_id), None)
        if known is None:
            raise NotFound("There is no such channel")
        given = {name: getattr(change, name) for name in ChannelChange.__dataclass_fields__}
        changed = replace(known, **{name: value for name, value in given.items() if value is not None})
        return respond(request, channel_answer(await vault.outbox.change_channel(changed)))

    @router.delete("/api/alerts/channels/{channel_id}", responses={200: {"model": ChannelsAnswer}, **ALL_ERRORS})
    async def remove_channel(request: Request, channel_id: ChannelId) -> Response:
        """Take a way to you away; the answer is what is left."""
        await vault.outbox.remove_channel(channel_id)
        return respond(request, channels_answer(tuple(await vault.outbox.channels())))

    @router.post("/api/alerts/channels/{channel_id}/test", responses={200: {"model": TestAnswer}, **ALL_ERRORS})
    async def try_channel(request: Request, channel_id: ChannelId) -> Response:
        """Send one message now; `problem` says in words why its service did not take it."""
        result = await vault.outbox.test(channel_id)
        return respond(request, TestAnswer(result.channel_id, result.is_accepted, result.problem, result.event_id))

    return router


def _chosen(vault: Vault, portfolio_id: str | None) -> Portfolio:
    return vault.book.current if portfolio_id is None else vault.book.stored(portfolio_id).portfolio


def _in_utc(argument: str, at: datetime) -> datetime:
    """The instant; UTC unless it says otherwise."""
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):  # at the very ends of what a date can be
        raise InvalidInput(argument, "must be a time of our days") from None
