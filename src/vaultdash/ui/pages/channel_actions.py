"""What the set-up of channels does with the Vault: for the alerts page and for the first run."""

import hashlib
import json
from collections.abc import Awaitable, Callable

from vaultdash.domain.alert import Channel, ChannelKind
from vaultdash.services.vault import Vault
from vaultdash.ui.components.channel_setup import ChannelActions


def channel_actions(vault: Vault, changed: Callable[[], Awaitable[None]]) -> ChannelActions:
    """The actions; `changed` is told when a channel came or went."""

    async def add(kind: ChannelKind, name: str, address: str, step: int, wait_minutes: float) -> Channel:
        return await vault.outbox.add_channel(kind, name, address, step=step, wait_minutes=wait_minutes)

    async def channels() -> list[Channel]:
        return list(await vault.outbox.channels())

    async def is_known_browser(mark: str) -> bool:
        return any(mark_of(channel) == mark for channel in await vault.outbox.channels())

    return ChannelActions(add, vault.outbox.test, channels, is_known_browser, changed)


def mark_of(channel: Channel) -> str | None:
    """The fingerprint of a browser's endpoint, as the browser itself makes it; None for other channels."""
    if channel.kind is not ChannelKind.PUSH:
        return None
    try:
        endpoint = str(json.loads(channel.address)["endpoint"])
    except (ValueError, LookupError, TypeError):
        return None
    return hashlib.sha256(endpoint.encode()).hexdigest()
