"""The alert engine under every crash, edit and failure, held against an oracle of its own.

One run is a new installation and up to some twenty things that happen to it. After each, and at the end when all
that was due has been sent, the history and what the channels took are compared with what a second reading of the
rules says: a threshold that is reached between two values at which it is armed again is raised once.
"""

import asyncio
import atexit
import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.builders import a_contract, a_portfolio
from tests.services.alert_house import LOAN, UNITS, a_beat, a_status, price_at
from tests.services.alert_memory import MemoryDatabase
from tests.services.twins import Clock, FixedHours
from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    Channel,
    ChannelKind,
    Delivery,
    QuietHours,
)
from vaultdash.domain.errors import Refused, Unavailable
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Freshness
from vaultdash.domain.portfolio import mark
from vaultdash.domain.position import HedgeMark, HeldOption, MarkBasis, OptionMark
from vaultdash.notify.base import Accepted, ChannelGone, Message
from vaultdash.services.alert_outbox import AlertOutbox
from vaultdash.services.alert_watch import AlertWatch
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.storage.sql import SqlDatabase

MEMORY = Path("/dev/shm")
LTVS = (0.60, 0.64, 0.645, 0.65, 0.68, 0.6899999, 0.69, 0.6999999, 0.70, 0.705, 0.72, 0.74, 0.745, 0.75, 0.76, 0.80)
CALL_LTV = 0.75  # the loan's
RAISED_BY = 1.0  # stands for what raised a rule: beyond every threshold
THRESHOLDS = (0.65, 0.70, 0.75, 0.78)
ZURICH = ZoneInfo("Europe/Zurich")
QUIET = QuietHours(time(22), time(7), ZURICH.key)
PAUSE = timedelta(minutes=5)
HEDGES = st.sampled_from([None, None, 0.0, 30_000.0])
LAST_STEP = 30  # a transaction has fewer
PER_DOLLAR = 0.80  # francs, at which the second loan owes what the first one does
LOANS = ("main", "francs")
FRANC_RULES = (AlertRule("francs-70", AlertMetric.LTV, 0.70), AlertRule("francs-75", AlertMetric.LTV, 0.75))
RAISED, CLEARED, REMINDED = AlertEventKind.RAISED, AlertEventKind.CLEARED, AlertEventKind.REMINDED


class CrashNow(BaseException):
    """The process ends here: nothing may catch it, and nothing of the process goes on."""


@dataclass
class Process:
    """Counts the steps of one life of the services, and ends it at one of them."""

    ends_at: int | None = None
    steps: int = 0
    commits: int = 0
    is_dead: bool = False

    def step(self) -> None:
        if self.is_dead:
            raise CrashNow
        self.steps += 1
        if self.ends_at is not None and self.steps > self.ends_at:
            self.is_dead = True
            raise CrashNow


class Fragile:
    """Records whose every call is a step at which the process may end."""

    def __init__(self, inner: Any, process: Process) -> None:
        self._inner = inner
        self._process = process

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return Fragile(found, self._process)

        async def call(*given: Any, **named: Any) -> Any:
            self._process.step()
            return await found(*given, **named)

        return call


class FragileDatabase:
    """The real database, within a process that may end before, in and after each transaction."""

    def __init__(self, inner: Any, process: Process) -> None:
        self._inner = inner
        self._process = process

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self._process.step()
        async with self._inner.transaction() as into:
            yield Fragile(into, self._process)
            self._process.step()
        self._process.commits += 1
        self._process.step()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        self._process.step()
        async with self._inner.reading() as stored:
            yield Fragile(stored, self._process)


@dataclass(frozen=True)
class Taken:
    """A message that a channel's service took. With `gives_receipts` it may yet be dropped."""

    at: datetime
    channel: str
    message: Message
    gives_receipts: bool

    @property
    def key(self) -> str:
        return self.message.key


@dataclass
class Services:
    """What the channels' services do: by channel name `ok`, `receipts`, `error` or `gone`."""

    moods: dict[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)


class FragileNotifier:
    """Hands over to the services of the world, which outlive the process."""

    def __init__(self, services: Services, process: Process, clock: Clock) -> None:
        self._services = services
        self._process = process
        self._clock = clock

    async def check(self, address: str) -> None:
        pass

    async def send(self, channel: Channel, message: Message) -> Accepted:
        self._process.step()
        mood = self._services.moods[channel.name]
        if mood == "error":
            raise Unavailable("the service is down")
        if mood == "gone":
            raise ChannelGone("the subscription was withdrawn")
        self._services.taken.append(Taken(self._clock(), channel.name, message, mood == "receipts"))
        self._process.step()
        return Accepted(gives_receipts=mood == "receipts")

    async def aclose(self) -> None:
        pass


class Oracle:
    """What must have been raised and cleared, told from all values that a completed evaluation saw."""

    def __init__(self) -> None:
        self.seen: dict[str, list[float]] = {}
        self.rules: dict[str, AlertRule] = {}

    def configure(self, rules: tuple[AlertRule, ...], raised: Collection[str]) -> set[str]:
        """Gives back the raised rules that are other ones now at the same threshold: these are armed.

        One that is not raised begins anew when anything of it changed. A raise at another threshold is over with the
        next value.
        """
        before, self.rules = self.rules, {each.id: each for each in rules}
        kept = {name for name in self.rules if name in before and _told(before[name]) == _told(self.rules[name])}
        moved = {
            name
            for name in raised
            if name in self.rules and name in before and before[name].threshold != self.rules[name].threshold
        }
        self.seen = {
            name: [RAISED_BY] if name in moved else self.seen[name] if name in kept else [] for name in self.rules
        }
        return {name for name in raised if name in self.rules and name not in kept | moved}

    def sees(self, name: str, value: float, raised_at: float | None, *, by_old_rate: bool = False) -> tuple[int, int]:
        """How often a value raises and clears a rule that was raised at a threshold, or is armed.

        By an old exchange rate only what is beyond the threshold is seen.
        """
        rule = self.rules[name]
        if by_old_rate and value < rule.threshold - 1e-8:
            return 0, 0
        if raised_at is not None and raised_at != rule.threshold:
            is_beyond = value > rule.threshold - 1e-8
            self.seen[name] = [value] if is_beyond else []
            return int(is_beyond), int(not is_beyond)
        before = self.counts(name)
        self.seen[name].append(value)
        after = self.counts(name)
        return after[0] - before[0], after[1] - before[1]

    def counts(self, name: str) -> tuple[int, int]:
        """How often it was raised and cleared: the values are cut where it is armed again; a piece that reaches the
        threshold was raised once, and cleared once if it was cut.
        """
        threshold = self.rules[name].threshold
        back = self.rules[name].rearm
        armed_at = threshold - (0.01 if back is None else back)
        pieces: list[list[float]] = [[]]
        for value in self.seen[name]:
            if value < armed_at + 1e-7 and value < threshold - 1e-7:
                pieces.append([])
            else:
                pieces[-1].append(value)
        reached = [any(value > threshold - 1e-8 for value in piece) for piece in pieces]
        return sum(reached), sum(reached[:-1])


def _told(rule: AlertRule) -> tuple[float, float | None, bool]:
    """What decides whether a rule is the same: its severity only where the lender does not call anyway."""
    is_call = rule.threshold >= CALL_LTV or rule.severity is AlertSeverity.CALL
    return rule.threshold, rule.rearm, is_call


class AlertMachine(RuleBasedStateMachine):
    """See the module."""

    watch_type: ClassVar[type[AlertWatch]] = AlertWatch
    outbox_type: ClassVar[type[AlertOutbox]] = AlertOutbox
    crashes: ClassVar[Counter[str]] = Counter()
    seen: ClassVar[Counter[str]] = Counter()
    runs: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        type(self).runs += 1
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.oracle = Oracle()
        self.services = Services()
        self.portfolio = a_portfolio(UNITS, LOAN, hedge_counting=HedgeCounting.AFTER_PAYMENT)
        self.francs = replace(a_portfolio(UNITS, LOAN * PER_DOLLAR, currency="CHF"), id="francs")
        self.rate: tuple[float, datetime] | None = (PER_DOLLAR, self.clock())  # what was told last, and when
        self.rate_comes = True  # a fresh one with every price
        self.plan = AlertPlan(())
        self.events: list[AlertEvent] = []
        self.windows: Counter[tuple[str, str]] = Counter()  # repeats that a crash after the acceptance allows
        self.standing: dict[str, dict[str, Any]] = {}  # of each raised rule: since, events, snoozed
        self.edited: dict[str, list[str]] = {}  # of each rule that an edit armed: the events of what it had raised
        self.told_by: dict[str, set[str]] = defaultdict(set)  # of each event the channels there were
        self.silent: dict[str, int] = {}  # answered events, and how many messages had been taken then
        self.receipts: set[str] = set()
        self.names = iter("abcdefghij")
        self.commits = 0  # of the last life
        self.ended = False  # whether that one ended before its time
        self.random = Random(0)
        self.mortality = 0.0
        self.run(self.open())

    # ------------------------------------------------------------------ the world

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    async def open(self) -> None:
        self.database = await self.kept_in()
        self.start()

    async def kept_in(self) -> Any:
        """A database with the loan and nothing else."""
        made = MemoryDatabase()
        await self.keep_loans(made)
        return made

    async def keep_loans(self, database: Any) -> None:
        async with database.transaction() as into:
            for portfolio in (self.portfolio, self.francs):
                await into.portfolios.put(portfolio, self.clock(), "test", "made")
            await into.alerts.put_plan("francs", AlertPlan(FRANC_RULES))

    def start(self, ends_at: int | None = None) -> None:
        self.process = Process(ends_at)
        database: Any = FragileDatabase(self.database, self.process)
        hours = FixedHours()
        notifier = FragileNotifier(self.services, self.process, self.clock)

        async def evaluated(_: object) -> None:
            self.process.step()

        records = LtvHistory(database, hours, self.clock)
        self.watch = self.watch_type(database, records, self.clock, lambda *_: {}, evaluated, hours=hours)
        notifiers = dict.fromkeys((ChannelKind.PUSH, ChannelKind.APPRISE), notifier)
        self.outbox = self.outbox_type(
            database, notifiers, self.clock, told=self.watch.events, patience_seconds=600.0
        )

    @contextmanager
    def life(self, name: str) -> Iterator[None]:
        """The services, which may end at a step; afterwards they are started anew on what is on the disk."""
        self.start(self.random.randrange(LAST_STEP) if self.random.random() < self.mortality else None)
        try:
            yield
            self.ended = False
        except CrashNow:
            self.ended = True
            type(self).crashes[name] += 1
        finally:
            self.process.is_dead = True
            self.commits = self.process.commits
            self.run(self.buried(self.outbox))

    async def buried(self, outbox: AlertOutbox) -> None:
        for task in list(outbox._sending):
            task.cancel()
        await asyncio.gather(*outbox._sending, return_exceptions=True)

    async def history(self) -> list[AlertEvent]:
        async with self.database.reading() as stored:
            return list(await stored.alerts.events(limit=10_000))[::-1]

    def read(self) -> list[AlertEvent]:
        """The lines that are new in the history."""
        known = {event.id for event in self.events}
        found = self.run(self.history())
        assert [event.id for event in found][: len(known)] == [event.id for event in self.events], "history changed"
        self.events = found
        return [event for event in found if event.id not in known]

    # ------------------------------------------------------------------ what happens

    @initialize(
        thresholds=st.sampled_from([(0.70, 0.75), (0.70,), (0.65, 0.70, 0.75, 0.78)]),
        moods=st.sampled_from(
            ["ok", "receipts ok", "error ok", "receipts", "ok ok receipts", "error receipts", "error", ""]
        ),
        number=st.integers(0, 2**40),
    )
    def begin(self, thresholds: tuple[float, ...], moods: str, number: int) -> None:
        self.random = Random(number)  # of where the process ends
        self.configure(list(thresholds), quiet=False, rearm=None, severity=AlertSeverity.WARNING)
        for step, mood in enumerate(moods.split()):
            self.add_channel(step, mood)
        self.mortality = 0.25

    @rule(path=st.lists(st.tuples(st.sampled_from(LTVS), HEDGES), min_size=1, max_size=5))
    def market(self, path: list[tuple[float, float | None]]) -> None:
        """Prices one after the other, each delivered."""
        for ltv, hedge in path:
            self.price(ltv, hedge, False)
            self.deliver()
            self.clock.go_on(30)

    @rule(ltv=st.sampled_from(LTVS), hedge=HEDGES, stale=st.booleans())
    def price(self, ltv: float, hedge: float | None, stale: bool) -> None:
        status = a_status(price_at(ltv), self.clock(), freshness=Freshness.STALE if stale else Freshness.LIVE)
        beat = a_beat(status, self.portfolio, at=self.clock(), hedge=None if hedge is None else worth(hedge))
        beat = self.with_francs(beat)
        before = self.on()
        with self.life("evaluate"):
            self.run(self.watch.evaluate(beat))
        new = self.read()
        assert self.commits or not new, "written by an evaluation that was not completed"
        if self.commits:
            self.completed(beat.snapshots["main"] if not stale else None, new, before)

    @rule(
        what=st.sampled_from(["gets old", "gets old", "is gone", "moves"]),
        per_dollar=st.sampled_from([0.78, PER_DOLLAR, 0.83]),
        days=st.sampled_from([0, 3, 5]),
        ltv=st.sampled_from(LTVS),
    )
    def rate_and_look(self, what: str, per_dollar: float, days: int, ltv: float) -> None:
        """The exchange rate is from now on an old one or none; or it moves and, if it was away, is back."""
        self.rate_comes = what == "moves"
        self.rate = None if what == "is gone" else (per_dollar, self.clock() - timedelta(days=days))
        self.price(ltv, None, False)

    def with_francs(self, beat: Beat) -> Beat:
        """The same with the loan in francs, by the rate as it is known."""
        if self.rate is None:
            return beat
        if self.rate_comes:
            self.rate = self.rate[0], self.clock()
        per_dollar, at = self.rate
        told = a_status(
            per_dollar,
            at,
            symbol="CHF=X",
            currency="CHF",
            freshness=Freshness.LIVE if self.rate_comes else Freshness.STALE,
        )
        found = mark(self.francs, beat.snapshots["main"].price, at.date(), rate=ExchangeRate.of(told.quote))
        return replace(beat, statuses={**beat.statuses, "CHF=X": told}, snapshots={**beat.snapshots, "francs": found})

    def franc_ltv(self, price: float) -> float | None:
        """By the last rate, of four days at most; None without one."""
        if self.rate is None or self.clock() - self.rate[1] > timedelta(days=4):
            return None
        return LOAN * PER_DOLLAR / self.rate[0] / (UNITS * price)

    def completed(self, snapshot: Any, new: list[AlertEvent], channels: set[str]) -> None:
        expected: list[tuple[AlertEventKind, str]] = []
        if snapshot is not None:
            values = {AlertMetric.LTV: LOAN / (UNITS * snapshot.price)}
            options = 0.0 if snapshot.hedge is None else snapshot.hedge.value
            values[AlertMetric.HEDGED_LTV] = (LOAN - options) / (UNITS * snapshot.price)
            in_francs = self.franc_ltv(snapshot.price)
            for name, each in self.oracle.rules.items():
                is_franc = each in FRANC_RULES
                value = in_francs if is_franc else values[each.metric]
                if value is None:
                    continue
                alert = self.standing.get(name)
                at = None if alert is None else alert["threshold"]
                raises, clears = self.oracle.sees(name, value, at, by_old_rate=is_franc and not self.rate_comes)
                type(self).seen["by old rate"] += raises if is_franc and not self.rate_comes else 0
                expected += [(RAISED, name)] * raises + [(CLEARED, name)] * clears
                over = alert is not None and alert["snoozed"] is not None and alert["snoozed"] <= self.clock()
                if over and not raises and value > each.threshold - 1e-8:
                    expected.append((REMINDED, name))
        got = [(event.kind, event.rule_id or "") for event in new]
        assert Counter(got) == Counter(expected), f"wrote {got}, should {expected}"
        for kind, loan in product((RAISED, REMINDED), LOANS):
            told = [event for event in new if event.kind is kind and event.portfolio_id == loan]
            if told:
                sent = [event for event in told if not event.covered]
                assert len(sent) == 1, "one message for what came at once"
                assert sent[0].threshold == max(event.threshold or 0 for event in told), "the highest is told"
                lenders = values[AlertMetric.HEDGED_LTV] if loan == "main" else in_francs
                if lenders is not None and lenders > CALL_LTV - 1e-8:
                    assert sent[0].severity is AlertSeverity.CALL, "the lender calls"
        was = set(self.standing)
        for event in new:
            name = event.rule_id or ""
            if event.kind is CLEARED:
                del self.standing[name]
            elif event.kind is RAISED:
                replaced = self.edited.get(name, [])
                if name in was:
                    replaced = [*self.standing[name]["events"], *self.standing[name]["replaced"]]
                self.standing[name] = {
                    "since": event.at,
                    "loan": event.portfolio_id,
                    "events": [event.id],
                    "replaced": replaced,
                    "snoozed": None,
                    "threshold": event.threshold,
                }
                type(self).seen["anew"] += event.rule_id in was
            else:
                self.standing[name]["events"].append(event.id)
                self.standing[name]["snoozed"] = None
            if not event.covered:
                self.told_by[event.id] = channels
        if snapshot is not None:
            self.edited = {}

    @rule()
    def deliver(self) -> None:
        mark = len(self.services.taken)
        with self.life("deliver"):
            self.run(self.outbox.deliver())
        self.read()
        told = {event.id: event for event in self.events}
        for taken in self.services.taken[mark:]:
            if self.ended and self.run(self.row(taken)).accepted_at is None:
                self.windows[taken.key, taken.channel] += 1  # it ended after the acceptance and before the note
            of = told[taken.key]
            if self.plan.quiet and of.portfolio_id == "main" and of.severity is not AlertSeverity.CALL:
                assert 7 <= taken.at.astimezone(ZURICH).hour < 22, f"{taken.message.title} came at {taken.at}"

    @rule(seconds=st.sampled_from([5, 60, 301, 3600, 9 * 3600, 86_400]))
    def wait(self, seconds: int) -> None:
        self.clock.go_on(seconds)
        self.deliver()

    @rule(which=st.integers(0, 5))
    @precondition(lambda self: any(event.kind in (RAISED, REMINDED) for event in self.events))
    def acknowledge(self, which: int) -> None:
        event = self.alert(which)
        with self.life("acknowledge"):
            self.run(self.watch.acknowledge(event.id))
        if self.commits:
            self.answered(event, None)
        self.read()

    @rule(which=st.integers(0, 5), minutes=st.sampled_from([1, 30, 600]))
    @precondition(lambda self: any(event.kind in (RAISED, REMINDED) for event in self.events))
    def snooze(self, which: int, minutes: int) -> None:
        event = self.alert(which)
        until = self.clock() + timedelta(minutes=minutes)
        stands = event.id in self.standing.get(event.rule_id or "", {"events": []})["events"]
        with self.life("snooze"), suppress(Refused):
            self.run(self.watch.snooze(event.id, until))
            assert stands, "put off what is over"
        if self.commits:
            self.answered(event, until)
        self.read()

    @rule(which=st.integers(0, 1), ltv=st.sampled_from(LTVS))
    @precondition(lambda self: self.standing)
    def snooze_and_look_again(self, which: int, ltv: float) -> None:
        self.snooze(which, 30)
        self.price(ltv, None, False)
        self.clock.go_on(minutes=31)
        self.price(ltv, None, False)
        self.deliver()

    @rule(
        shift=st.sampled_from([-0.01, 0.01]),
        severity=st.sampled_from([AlertSeverity.WARNING, AlertSeverity.CALL]),
        ltv=st.sampled_from(LTVS),
    )
    @precondition(lambda self: self.standing)
    def edit_and_look_again(self, shift: float, severity: AlertSeverity, ltv: float) -> None:
        """The thresholds of rules of which some are raised move a little, or their severity is another."""
        limits = sorted({each.threshold for each in self.plan.rules})
        moved = [limit + shift if 0.6 < limit + shift < 0.8 else limit for limit in limits]
        self.configure(moved, self.plan.quiet is not None, self.plan.rules[0].rearm, severity)
        self.price(ltv, None, False)
        self.deliver()

    def answered(self, event: AlertEvent, until: datetime | None) -> None:
        own = self.standing.get(event.rule_id or "")
        stands = own is not None and event.id in own["events"]
        if until is None or stands:
            self.silent.setdefault(event.id, len(self.services.taken))
        for alert in self.standing.values() if stands else ():
            if own is not None and (alert["since"], alert["loan"]) == (own["since"], own["loan"]):
                alert["snoozed"] = until
                for name in [*alert["events"], *alert["replaced"]]:
                    self.silent.setdefault(name, len(self.services.taken))

    @rule(
        thresholds=st.lists(st.sampled_from(THRESHOLDS), min_size=1, max_size=4, unique=True),
        quiet=st.booleans(),
        rearm=st.sampled_from([None, None, 0.03]),
        severity=st.sampled_from([AlertSeverity.WARNING, AlertSeverity.WARNING, AlertSeverity.CALL]),
    )
    def configure(self, thresholds: list[float], quiet: bool, rearm: float | None, severity: AlertSeverity) -> None:
        """Rules keep their ids whatever becomes of them."""
        rules = tuple(
            AlertRule(f"{metric.value}-{number}", metric, each, severity, rearm)
            for metric in (AlertMetric.LTV, AlertMetric.HEDGED_LTV)
            for number, each in enumerate(sorted(thresholds))
        )
        plan = AlertPlan(rules, QUIET if quiet else None)
        with self.life("configure"):
            self.run(self.watch.configure("main", plan))
        if self.commits:
            self.plan = plan
            armed = self.oracle.configure((*rules, *FRANC_RULES), self.standing)
            self.edited = {name: self.edited[name] for name in self.oracle.rules if name in self.edited}
            self.edited |= {
                name: [*self.standing[name]["events"], *self.standing[name]["replaced"]] for name in armed
            }
            self.standing = {
                name: self.standing[name] for name in self.oracle.rules if name in self.standing and name not in armed
            }
        self.read()

    @rule(step=st.integers(0, 2), mood=st.sampled_from(["ok", "receipts", "error"]))
    @precondition(lambda self: len(self.services.moods) < 6)
    def add_channel(self, step: int, mood: str) -> None:
        name = next(self.names)
        self.services.moods[name] = mood
        with self.life("channel"):
            self.run(self.outbox.add_channel(ChannelKind.PUSH, name, "x", step=step, wait_minutes=5.0))

    @rule(which=st.integers(0, 5), mood=st.sampled_from(["ok", "ok", "receipts", "error", "gone"]))
    @precondition(lambda self: self.services.moods)
    def turn(self, which: int, mood: str) -> None:
        name = sorted(self.services.moods)[which % len(self.services.moods)]
        self.services.moods[name] = mood

    @rule(which=st.integers(0, 5))
    @precondition(lambda self: self.services.taken)
    def receipt(self, which: int) -> None:
        taken = self.services.taken[-1 - which % len(self.services.taken)]
        if not taken.gives_receipts:
            return
        row = self.run(self.row(taken))
        with self.life("confirm"):
            self.run(self.outbox.confirm(row.id))
        if self.commits:
            self.receipts.add(taken.key)

    # ------------------------------------------------------------------ what must hold

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        counted = Counter((taken.key, taken.channel) for taken in self.services.taken)
        for sent, times in counted.items():
            assert times <= 1 + self.windows[sent], f"{sent} was sent {times} times"

    @invariant()
    def what_was_answered_is_silent(self) -> None:
        for number, taken in enumerate(self.services.taken):
            if number >= self.silent.get(taken.key, number + 1):
                raise AssertionError(f"{taken.message.title} was sent although it was answered")

    def teardown(self) -> None:
        try:
            self.to_the_end()
        finally:
            self.run(self.database.aclose())
            self.runner.close()
            structlog.reset_defaults()

    def to_the_end(self) -> None:
        """Let everything that waits come due, the services as they are; then nobody may have been forgotten."""
        self.mortality = 0.0
        for _ in range(300):
            self.deliver()
            due = self.run(self.next_due())
            if due is None:
                break
            self.clock.at = max(due, self.clock.at + PAUSE)
        else:
            raise AssertionError("the outbox never comes to rest")
        type(self).seen.update(event.kind.value for event in self.events)
        type(self).seen.update(sent=len(self.services.taken), repeated=sum(self.windows.values()))
        self.nothing_is_sent_twice()
        self.what_was_answered_is_silent()
        shown = {event.about for event in self.events if event.kind is AlertEventKind.UNDELIVERED}
        reached = {taken.key for taken in self.services.taken if not taken.gives_receipts} | self.receipts
        left = self.left_to_another()
        for event in self.events:
            if event.kind in (RAISED, REMINDED) and not event.covered and self.told_by[event.id]:
                assert event.id in reached | shown | set(self.silent) | left, f"{event.title} was lost"

    def left_to_another(self) -> set[str]:
        """What an edit ended and raised anew: the message of the new raise, which was written, tells of it."""
        raised = [event for event in self.events if event.kind is RAISED]
        telling = {(event.at, event.portfolio_id): event.id for event in raised if not event.covered}
        return {event.about or "" for event in raised if self.told_by[telling[event.at, event.portfolio_id]]}

    async def next_due(self) -> datetime | None:
        async with self.database.reading() as stored:
            waiting = await stored.alerts.due(self.clock() + timedelta(days=13), 1)
            return waiting[0].due_at if waiting else None

    async def row(self, taken: Taken) -> Delivery:
        async with self.database.reading() as stored:
            for each in await stored.alerts.deliveries(taken.key):
                channel = await stored.alerts.channel(each.channel_id)
                if channel is not None and channel.name == taken.channel:
                    return each
        raise AssertionError(f"no row of {taken.key} to {taken.channel}")

    def on(self) -> set[str]:
        return {channel.id for channel in self.run(self.listed())}

    async def listed(self) -> list[Channel]:
        async with self.database.reading() as stored:
            return [channel for channel in await stored.alerts.channels() if channel.is_on]

    def alert(self, which: int) -> AlertEvent:
        found = [event for event in self.events if event.kind in (RAISED, REMINDED)]
        return found[-1 - which % len(found)]


def worth(value: float) -> HedgeMark:
    """One held option that closes at a value, USD."""
    held = HeldOption("put", a_contract(400.0, expiration=date(2027, 1, 15)), 1, 5.0, date(2026, 6, 1))
    return HedgeMark((OptionMark(held, MarkBasis.QUOTE, value / 100, value / 100, None, "test"),))


class SqliteMachine(AlertMachine):
    """The same on a SQLite file."""

    template: ClassVar[Path | None] = None

    async def kept_in(self) -> Any:
        if SqliteMachine.template is None:
            SqliteMachine.template = await self.empty()
        self.folder = new_folder()
        shutil.copy(SqliteMachine.template, self.folder / "vault.db")
        found = SqlDatabase(f"sqlite:///{self.folder / 'vault.db'}")
        await found.open()
        return found

    async def empty(self) -> Path:
        """A database with the loan and nothing else, made once and copied for each run."""
        made = new_folder() / "vault.db"
        atexit.register(shutil.rmtree, made.parent, ignore_errors=True)
        empty = SqlDatabase(f"sqlite:///{made}")
        await empty.open()
        await self.keep_loans(empty)
        await empty.aclose()
        return made

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def new_folder() -> Path:
    """In memory where there is such a place: what is tested is the order of writing, not the disk."""
    return Path(mkdtemp(prefix="vault-alerts-", dir=MEMORY if MEMORY.is_dir() else None))
