"""Holds every beat against the rules: a crossing, its event and its messages are one transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from vaultdash.domain.alert import AlertEvent, AlertPlan, AlertState
from vaultdash.domain.portfolio import Snapshot
from vaultdash.feed import Feed
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.storage.records import Database

Probabilities = Callable[[Snapshot, float], Mapping[int, float]]  # by months, from a snapshot and its volatility


class AlertWatch:
    """`events` is told every event that was written, for pages and the WebSocket."""

    def __init__(
        self,
        database: Database,
        records: LtvHistory,
        now: Callable[[], datetime],
        probabilities: Probabilities,
        evaluated: Callable[[Beat], Awaitable[None]],
        *,
        trusts_demo: bool = False,
    ) -> None:
        self.events: Feed[AlertEvent] = Feed()
        self._database = database
        self._records = records
        self._now = now
        self._probabilities = probabilities
        self._evaluated = evaluated  # after a completed evaluation
        self._trusts_demo = trusts_demo  # the demo market is what was asked for: its prices raise alerts

    async def evaluate(self, beat: Beat) -> tuple[AlertEvent, ...]:
        """Record LTV, move the rules' states, write events and messages, all in one transaction."""
        return ()

    async def plan(self, portfolio_id: str) -> AlertPlan:
        """What is watched; the usual plan until the owner chose."""
        raise NotImplementedError

    async def configure(self, portfolio_id: str, plan: AlertPlan) -> AlertPlan:
        """Replace what is watched; written into the history."""
        raise NotImplementedError

    async def states(self, portfolio_id: str) -> Mapping[str, AlertState]:
        """By rule id; a rule without one is armed."""
        raise NotImplementedError

    async def history(
        self, portfolio_id: str | None = None, limit: int = 100, before: datetime | None = None
    ) -> Sequence[AlertEvent]:
        """Newest first."""
        raise NotImplementedError

    async def acknowledge(self, event_id: str) -> AlertEvent:
        """The owner knows: nothing more is sent for that event. Raises NotFound; twice is the same as once."""
        raise NotImplementedError

    async def snooze(self, event_id: str, until: datetime) -> AlertEvent:
        """Send nothing until then; if it still holds, remind. Raises NotFound, InvalidInput."""
        raise NotImplementedError
