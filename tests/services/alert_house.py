"""The alert engine on a real database, with a clock, prices and channels that a test can direct."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.builders import NOON, a_portfolio, a_quote
from tests.services.twins import Clock, FixedHours
from vaultdash.clock import NEW_YORK
from vaultdash.domain.alert import AlertEvent, AlertEventKind, Channel, ChannelKind
from vaultdash.domain.market import Freshness
from vaultdash.domain.portfolio import Portfolio, Snapshot, mark
from vaultdash.domain.position import HedgeMark
from vaultdash.notify.base import Accepted, Message
from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.services.alert_watch import AlertWatch
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.storage.records import Database

LOAN, UNITS = 600_000.0, 2_000.0  # LTV = 300 / price


def price_at(ltv: float) -> float:
    """The price at which the loan of these tests stands at an LTV."""
    return LOAN / UNITS / ltv


def a_status(price: float, at: datetime = NOON, **fields: object) -> QuoteStatus:
    freshness = fields.pop("freshness", Freshness.LIVE)
    problem = fields.pop("problem", None)
    return QuoteStatus(a_quote(price, at=at, **fields), freshness, 0.0, problem)  # type: ignore[arg-type]


def a_beat(
    status: QuoteStatus | None,
    *portfolios: Portfolio,
    at: datetime = NOON,
    hedge: HedgeMark | None = None,
    **fields: object,
) -> Beat:
    """One of portfolios that all are valued by the same price."""
    snapshots: dict[str, Snapshot] = {}
    if status is not None:
        on = status.quote.at.astimezone(NEW_YORK).date()
        snapshots = {each.id: mark(each, status.quote.price, on, hedge) for each in portfolios}
    first = next(iter(snapshots.values()), None)
    statuses = {} if status is None else {status.quote.symbol: status}
    moves = dict.fromkeys(statuses, 0.16)
    return Beat(1, at, status, first, 0.16, "test", fields.get("problem"), statuses, snapshots, moves)  # type: ignore[arg-type]


@dataclass
class Inbox:
    """What was taken, in order: channel, key, title, body. `answer` may raise, wait, or give no receipts."""

    taken: list[tuple[str, Message]] = field(default_factory=list)
    answer: Callable[[Channel, Message], Accepted | Exception] = lambda channel, message: Accepted(False)
    gate: Mapping[str, asyncio.Event] = field(default_factory=dict)
    tried: int = 0

    async def check(self, address: str) -> None:
        pass

    async def send(self, channel: Channel, message: Message) -> Accepted:
        self.tried += 1
        if channel.name in self.gate:
            await self.gate[channel.name].wait()
        answer = self.answer(channel, message)
        if isinstance(answer, Exception):
            raise answer
        self.taken.append((channel.name, message))
        return answer

    async def aclose(self) -> None:
        pass

    @property
    def titles(self) -> list[str]:
        return [f"{name}: {message.title}" for name, message in self.taken]

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [(name, message.key) for name, message in self.taken]


@dataclass
class AlertHouse:
    """The services, rebuilt on the same database by `restart`."""

    database: Database
    portfolio: Portfolio = field(default_factory=lambda: a_portfolio(UNITS, LOAN))
    clock: Clock = field(default_factory=Clock)
    inbox: Inbox = field(default_factory=Inbox)
    chances: Mapping[int, float] = field(default_factory=dict)
    evaluated: list[Beat] = field(default_factory=list)
    told: list[AlertEvent] = field(default_factory=list)
    trusts_demo: bool = False

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        hours = FixedHours()
        records = LtvHistory(self.database, hours, self.clock)
        self.watch = AlertWatch(
            self.database,
            records,
            self.clock,
            lambda snapshot, volatility: self.chances,
            self._note,
            hours=hours,
            trusts_demo=self.trusts_demo,
        )
        self.outbox = AlertOutbox(
            self.database,
            {ChannelKind.PUSH: self.inbox, ChannelKind.APPRISE: self.inbox},
            self.clock,
            told=self.watch.events,
        )
        hearing = self.watch.events.heard_by(self.told.append)
        hearing.__enter__()
        self._hearing = hearing

    async def _note(self, beat: Beat) -> None:
        self.evaluated.append(beat)

    async def keep(self, *portfolios: Portfolio) -> None:
        async with self.database.transaction() as into:
            for each in portfolios or (self.portfolio,):
                await into.portfolios.put(each, self.clock(), "test", "made")

    async def channel(
        self, name: str = "phone", kind: ChannelKind = ChannelKind.APPRISE, step: int = 0, wait_minutes: float = 5.0
    ) -> Channel:
        return await self.outbox.add_channel(kind, name, f"test://{name}", step=step, wait_minutes=wait_minutes)

    async def ltv(self, ltv: float, hedge: HedgeMark | None = None, **fields: object) -> list[AlertEvent]:
        """A beat at which the loan stands at an LTV."""
        status = a_status(price_at(ltv), self.clock(), **fields)
        return list(await self.watch.evaluate(a_beat(status, self.portfolio, at=self.clock(), hedge=hedge)))

    async def events(self, *kinds: AlertEventKind) -> list[AlertEvent]:
        """The history, oldest first."""
        found = [event for event in await self.watch.history(limit=100_000) if not kinds or event.kind in kinds]
        return found[::-1]
