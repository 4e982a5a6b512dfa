"""The endpoints that browsers use to be notified: the key, their subscriptions, and receipts of what they showed."""

from dataclasses import replace
from typing import Any

import orjson
from fastapi import Request, Response

from vaultdash.api.endpoints import Endpoints
from vaultdash.api.parameters import ERRORS
from vaultdash.api.push_schemas import PushKeyAnswer, SubscriptionAnswer, SubscriptionEnd, SubscriptionEntry
from vaultdash.api.respond import respond
from vaultdash.api.schemas import ErrorAnswer
from vaultdash.domain.alert import Channel, ChannelKind
from vaultdash.domain.errors import InvalidInput
from vaultdash.services.vault import Vault

FIRST_STEP, USUAL_WAIT_MINUTES = 0, 5.0
LONGEST_ID = 64
DECLINED: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorAnswer, "description": "There are enough channels, or the key cannot be used"}
}


def push_router(vault: Vault) -> Endpoints:
    """Key, subscriptions and receipts."""
    router = Endpoints(tags=["alerts"])

    @router.get("/api/alerts/push/key", responses={200: {"model": PushKeyAnswer}, **ERRORS, **DECLINED})
    async def push_key(request: Request) -> Response:
        """The key by which a browser subscribes to notifications."""
        return respond(request, PushKeyAnswer(await vault.push_key()))

    @router.post(
        "/api/alerts/push/subscriptions", responses={200: {"model": SubscriptionAnswer}, **ERRORS, **DECLINED}
    )
    async def subscribe(request: Request, entry: SubscriptionEntry) -> Response:
        """Tell this browser from now on. The same subscription twice is one channel."""
        channel = await _kept(vault, entry)
        return respond(request, SubscriptionAnswer(channel.id, channel.name, channel.step, channel.wait_minutes))

    @router.delete("/api/alerts/push/subscriptions", status_code=204, responses=ERRORS)
    async def unsubscribe(entry: SubscriptionEnd) -> Response:
        """Tell this browser nothing more; one that is not known is gone already."""
        for channel in await vault.outbox.channels():
            if endpoint_of(channel) == entry.endpoint:
                await vault.outbox.remove_channel(channel.id)
        return Response(status_code=204)

    @router.post("/api/alerts/receipts/{delivery_id}", status_code=204, responses=ERRORS)
    async def receipt(delivery_id: str) -> Response:
        """A device has shown the message. Twice is the same as once, and an unknown id gets the same answer."""
        if len(delivery_id) <= LONGEST_ID and delivery_id.isascii() and delivery_id.isprintable():
            await vault.outbox.confirm(delivery_id)
        return Response(status_code=204)

    return router


def endpoint_of(channel: Channel) -> str | None:
    """Where a browser's messages go; None for other channels."""
    if channel.kind is not ChannelKind.PUSH:
        return None
    try:
        return str(orjson.loads(channel.address)["endpoint"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None


async def _kept(vault: Vault, entry: SubscriptionEntry) -> Channel:
    """The channel of a subscription: found, put in the place of an older one, or made."""
    keys = {"p256dh": _text(entry.keys.p256dh), "auth": _text(entry.keys.auth)}
    address = orjson.dumps({"endpoint": _text(entry.endpoint), "keys": keys}).decode()
    by_endpoint = {endpoint_of(channel): channel for channel in await vault.outbox.channels()}
    found = by_endpoint.get(entry.endpoint) or (by_endpoint.get(entry.replaces) if entry.replaces else None)
    if found is None:
        name = _text(entry.name or "").strip() or "This browser"
        return await vault.outbox.add_channel(
            ChannelKind.PUSH, name, address, step=FIRST_STEP, wait_minutes=USUAL_WAIT_MINUTES
        )
    return found if found.address == address else await vault.outbox.change_channel(replace(found, address=address))


def _text(given: str) -> str:
    """What was given, refused when it cannot be written down, such as half of a character."""
    try:
        given.encode()
    except UnicodeEncodeError:
        raise InvalidInput("name", "holds characters that cannot be stored") from None
    if not given.isprintable():
        raise InvalidInput("name", "holds characters that cannot be printed")
    return given
