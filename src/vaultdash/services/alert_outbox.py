"""Sends what the outbox holds: at least once, with one key an event, by the next channel when the first is silent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vaultdash.domain.alert import AlertEvent, Channel, ChannelKind, Delivery
from vaultdash.feed import Feed
from vaultdash.notify.base import Notifier
from vaultdash.storage.records import Database


@dataclass(frozen=True, slots=True)
class TestResult:
    """Whether a channel's service took a test message; `problem` says in words why not."""

    channel_id: str
    is_accepted: bool
    problem: str | None
    event_id: str


class AlertOutbox:
    """Owns the channels. `deliver` is a job; it is also woken when something was written."""

    def __init__(
        self,
        database: Database,
        notifiers: Mapping[ChannelKind, Notifier],
        now: Callable[[], datetime],
        *,
        told: Feed[AlertEvent],
    ) -> None:
        self._database = database
        self._notifiers = notifiers
        self._now = now
        self._told = told

    async def deliver(self) -> int:
        """Send what is due; how many were accepted."""
        return 0

    async def confirm(self, delivery_id: str) -> None:
        """A receipt came: nothing of this event is escalated further. An unknown id is ignored."""
        raise NotImplementedError

    async def channels(self) -> Sequence[Channel]:
        """Those not removed, by step."""
        raise NotImplementedError

    async def add_channel(
        self, kind: ChannelKind, name: str, address: str, *, step: int, wait_minutes: float
    ) -> Channel:
        """Keep a new one; raises InvalidInput when its address is none."""
        raise NotImplementedError

    async def change_channel(self, channel: Channel) -> Channel:
        """Another name, step, wait, or off."""
        raise NotImplementedError

    async def remove_channel(self, channel_id: str) -> None:
        """Take one away; raises NotFound."""
        raise NotImplementedError

    async def test(self, channel_id: str) -> TestResult:
        """Send one message now."""
        raise NotImplementedError

    async def deliveries(self, event_id: str) -> Sequence[Delivery]:
        """Where the messages of an event are."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Let go of the notifiers."""
        for notifier in self._notifiers.values():
            await notifier.aclose()
