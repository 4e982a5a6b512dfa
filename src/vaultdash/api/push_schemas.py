"""What browsers send and get to be notified."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

Endpoint = Annotated[str, Field(min_length=8, max_length=2000)]


@dataclass(frozen=True, slots=True)
class PushKeyAnswer:
    """The application server key for `PushManager.subscribe`, in base64url."""

    key: str


@dataclass(frozen=True, slots=True)
class SubscriptionKeys:
    """The browser's public key and its secret, in base64url."""

    p256dh: Annotated[str, Field(max_length=200)]
    auth: Annotated[str, Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class SubscriptionEntry:
    """A browser's subscription as `PushSubscription.toJSON()` gives it, with a name for the list of channels.

    `replaces` is the endpoint of the browser's subscription before, whose place this one takes.
    """

    endpoint: Endpoint
    keys: SubscriptionKeys
    name: Annotated[str | None, Field(max_length=80)] = None
    replaces: Annotated[str | None, Field(max_length=2000)] = None


@dataclass(frozen=True, slots=True)
class SubscriptionEnd:
    """Which subscription a browser withdraws."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class SubscriptionAnswer:
    """The channel that was made or found; the endpoint is a secret and is not repeated."""

    id: str
    name: str
    step: int
    wait_minutes: float
