"""What a way to the owner must do: take one message, and say whether it was taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from vaultdash.domain.alert import AlertSeverity, Channel
from vaultdash.domain.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `key` is the same on every repeat, so that device and mail client fold them.

    `receipt_path` is where a channel that can give receipts reports to, such as a service worker.
    """

    key: str
    title: str
    body: str
    severity: AlertSeverity
    path: str = "/alerts"  # page to open
    receipt_path: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel's service took the message. `gives_receipts` is false when nothing more will be heard."""

    gives_receipts: bool


class ChannelGone(ProviderError):
    """The address does not exist any more: the subscription was withdrawn. Trying again is useless."""


class Notifier(Protocol):
    """Sends to channels of one kind; a failure is a ProviderError with a sentence, RateLimited when it must wait."""

    async def check(self, address: str) -> None:
        """Raise InvalidInput, which says what is missing or refused, when this is no address of its kind."""
        ...

    async def send(self, channel: Channel, message: Message) -> Accepted:
        """Hand over one message; returns when the channel's service has taken it."""
        ...

    async def aclose(self) -> None:
        """Release what it holds."""
        ...
