"""What a database must keep: portfolios with their audit trail, LTV history, alerts and their outbox."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from vaultdash.domain.alert import AlertEvent, AlertPlan, AlertState, Channel, Delivery
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.record import LtvRecord, PortfolioChange, RunKind, StoredPortfolio, StoredRun
from vaultdash.domain.template import HedgeTemplate


class PortfolioRecords(Protocol):
    """Portfolios; each change is kept with time and old value in the same transaction."""

    async def all(self) -> Sequence[StoredPortfolio]:
        """Those not removed, in the order in which they were made."""
        ...

    async def get(self, portfolio_id: str) -> StoredPortfolio | None:
        """One, or None when there is none or it was removed."""
        ...

    async def put(
        self,
        portfolio: Portfolio,
        at: datetime,
        actor: str,
        what: str,
        *,
        expected_version: int | None = None,
        undoes: int | None = None,
    ) -> StoredPortfolio:
        """Make or replace one; raises Refused when it is no longer at `expected_version` (0: must not exist)."""
        ...

    async def remove(
        self, portfolio_id: str, at: datetime, actor: str, what: str, *, undoes: int | None = None
    ) -> None:
        """Take one out of the list; its history stays. Raises NotFound."""
        ...

    async def changes(self, portfolio_id: str | None = None, limit: int = 100) -> Sequence[PortfolioChange]:
        """The audit trail, newest first; of all portfolios unless one is named."""
        ...

    async def change(self, change_id: int) -> PortfolioChange | None:
        """One line of it."""
        ...

    async def revision(self) -> int:
        """Id of the newest change, 0 when there is none: it tells another process's writing."""
        ...


class LtvRecords(Protocol):
    """LTV over time; what is written is never changed."""

    async def add(self, record: LtvRecord) -> None:
        """Write one down; a second one of the same portfolio, time and kind is left out."""
        ...

    async def between(
        self, portfolio_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LtvRecord]:
        """Ascending in time, both ends included."""
        ...

    async def latest(self, portfolio_id: str) -> LtvRecord | None:
        """The newest hourly one."""
        ...


class AlertRecords(Protocol):
    """Plans, states, the append-only history, channels and the outbox."""

    async def plan(self, portfolio_id: str) -> AlertPlan | None:
        """What is watched; None when nobody has chosen."""
        ...

    async def put_plan(self, portfolio_id: str, plan: AlertPlan) -> None:
        """Replace what is watched; states of rules that are gone go, too."""
        ...

    async def states(self, portfolio_id: str) -> Mapping[str, AlertState]:
        """By rule id."""
        ...

    async def put_state(self, portfolio_id: str, state: AlertState) -> None:
        """Replace a rule's state."""
        ...

    async def add_event(self, event: AlertEvent) -> None:
        """Add a line to the history."""
        ...

    async def event(self, event_id: str) -> AlertEvent | None:
        """One line."""
        ...

    async def events(
        self, portfolio_id: str | None = None, limit: int = 100, before: datetime | None = None
    ) -> Sequence[AlertEvent]:
        """Newest first."""
        ...

    async def channels(self) -> Sequence[Channel]:
        """Those not removed, by step, then by the time they were added."""
        ...

    async def channel(self, channel_id: str) -> Channel | None:
        """One, removed or not."""
        ...

    async def put_channel(self, channel: Channel) -> None:
        """Make or replace one."""
        ...

    async def add_delivery(self, delivery: Delivery) -> None:
        """A new row in the outbox."""
        ...

    async def put_delivery(self, delivery: Delivery) -> None:
        """Replace a row."""
        ...

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """One row."""
        ...

    async def deliveries(self, event_id: str) -> Sequence[Delivery]:
        """All rows of an event, by step and due time."""
        ...

    async def due(self, now: datetime, limit: int = 100) -> Sequence[Delivery]:
        """Waiting rows whose time has come, oldest first."""
        ...

    async def unconfirmed(self, channel_id: str) -> int:
        """How many rows of a channel were accepted since its last receipt."""
        ...


class Preferences(Protocol):
    """Small values of the owner by name, as JSON: the chosen portfolio, whether the set-up is done."""

    async def get(self, name: str) -> object:
        """The value, or None."""
        ...

    async def put(self, name: str, value: object) -> None:
        """Replace it."""
        ...


class TemplateRecords(Protocol):
    """The owner's hedge templates; every version stays, so that a run can say which one it used."""

    async def all(self) -> Sequence[HedgeTemplate]:
        """The newest version of each that was not removed, in the order in which they were made."""
        ...

    async def get(self, template_id: str, version: int | None = None) -> HedgeTemplate | None:
        """One version, the newest for None; of a removed template only a named version."""
        ...

    async def put(self, template: HedgeTemplate, at: datetime, *, expected_version: int) -> HedgeTemplate:
        """Keep a new version and give it back with its number.

        Raises Refused when the newest is not `expected_version`; 0: there must be none. A removed id may be made
        again, and its numbers go on.
        """
        ...

    async def remove(self, template_id: str, at: datetime) -> None:
        """Take one out of the list; its versions stay. Raises NotFound."""
        ...


class RunRecords(Protocol):
    """Backtests: what was asked, where they stand, and what came of them."""

    async def all(self, kind: RunKind | None = None, limit: int = 100) -> Sequence[StoredRun]:
        """Newest first."""
        ...

    async def get(self, run_id: str) -> StoredRun | None:
        """One of them."""
        ...

    async def put(self, run: StoredRun) -> None:
        """Make or replace one; its result and parts stay."""
        ...

    async def put_result(self, run_id: str, content: bytes) -> None:
        """Keep what came of it; raises NotFound."""
        ...

    async def result(self, run_id: str) -> bytes | None:
        """What came of it; None until then."""
        ...

    async def put_part(self, run_id: str, number: int, content: bytes) -> None:
        """Keep what came of one part of the work, by which it is resumed; a second time replaces it."""
        ...

    async def parts(self, run_id: str) -> Mapping[int, bytes]:
        """The parts that are done, by number."""
        ...

    async def remove(self, run_id: str) -> None:
        """Delete one with its result and parts; raises NotFound."""
        ...


class Transaction(Protocol):
    """Everything in it is written together or not at all."""

    portfolios: PortfolioRecords
    ltv: LtvRecords
    alerts: AlertRecords
    preferences: Preferences
    templates: TemplateRecords
    runs: RunRecords


class Database(Protocol):
    """One database. A transaction that ends without an error is on the disk; one that raises has changed nothing."""

    async def open(self) -> None:
        """Bring the tables to this version; raises DatabaseError with a sentence when that cannot be done."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Read and write; one writer at a time."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Read one consistent state; what is written in it is refused."""
        ...

    async def state(self) -> str:
        """`ok`, or in words what is wrong."""
        ...

    async def aclose(self) -> None:
        """Let go of it."""
        ...
