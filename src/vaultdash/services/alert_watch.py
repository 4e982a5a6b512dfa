"""Holds every beat against the rules: a crossing, its event and its messages are one transaction."""

import math
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from vaultdash.clock import MarketHours
from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertState,
    Reading,
    usual_plan,
)
from vaultdash.domain.alert_rules import Crossing, decide
from vaultdash.domain.alert_sending import deliveries_of
from vaultdash.domain.alert_words import Occasion, plan_words, rule_words, told
from vaultdash.domain.errors import NotFound, VaultError
from vaultdash.domain.portfolio import Portfolio, Snapshot
from vaultdash.feed import Feed
from vaultdash.services import alert_answers
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.storage.records import Database, Transaction

log = structlog.get_logger()
Probabilities = Callable[[Snapshot, float], Mapping[int, float]]  # by months, from a snapshot and its volatility
CROSSINGS = (AlertEventKind.RAISED, AlertEventKind.CLEARED)
LARGEST_LTV = 99.0  # stands for one without bounds: sold options have eaten the collateral


@dataclass(frozen=True, slots=True)
class Marked:
    """A portfolio at a beat: `snapshot` and `status` are None when its symbol has no price."""

    portfolio: Portfolio
    snapshot: Snapshot | None
    status: QuoteStatus | None


class AlertWatch:
    """`events` is told every event that was written, for pages and the WebSocket.

    Plans and states are read anew within each evaluation's transaction, of which there is one at a time: another
    process, such as the command line, may have changed them, and two that evaluate at once raise nothing twice.
    """

    def __init__(
        self,
        database: Database,
        records: LtvHistory,
        now: Callable[[], datetime],
        probabilities: Probabilities,
        evaluated: Callable[[Beat], Awaitable[None]],
        *,
        hours: MarketHours,
        trusts_demo: bool = False,
    ) -> None:
        self.events: Feed[AlertEvent] = Feed()
        self._database = database
        self._records = records
        self._now = now
        self._probabilities = probabilities
        self._evaluated = evaluated  # after a completed evaluation
        self._hours = hours
        self._trusts_demo = trusts_demo  # the demo market is what was asked for: its prices raise alerts
        self._fresh_at: dict[str, datetime] = {}  # by symbol, when a fresh price was last seen
        self._begun: datetime | None = None

    async def evaluate(self, beat: Beat) -> tuple[AlertEvent, ...]:
        """Record LTV, move the rules' states, write events and messages, all in one transaction.

        Raises DatabaseError, and then nothing has happened: the next beat finds the same crossings.
        """
        at = self._now()
        self._begun = self._begun or at
        written: list[AlertEvent] = []
        async with self._database.transaction() as into:
            crossed = []
            marks = await self._marked(into, beat)
            for mark in marks:
                events = await self._hold(into, mark, beat, at, is_one_of_many=len(marks) > 1)
                if any(event.kind in CROSSINGS and event.metric is not AlertMetric.STALE_DATA for event in events):
                    crossed.append(mark.portfolio.id)
                written += events
            await self._records.record(into, beat, crossed)
        self._publish(written)
        await self._evaluated(beat)
        return tuple(written)

    async def plan(self, portfolio_id: str) -> AlertPlan:
        """What is watched; the usual plan until the owner chose. Raises NotFound."""
        async with self._database.reading() as stored:
            return await _plan(stored, await self._portfolio(stored, portfolio_id))

    async def configure(self, portfolio_id: str, plan: AlertPlan) -> AlertPlan:
        """Replace what is watched; written into the history. Raises NotFound.

        A rule that is off, or watches something else under the same id, is armed; what it had raised stays in the
        history and in the outbox.
        """
        async with self._database.transaction() as into:
            before = {rule.id: rule for rule in (await _plan(into, await self._portfolio(into, portfolio_id))).rules}
            await into.alerts.put_plan(portfolio_id, plan)
            states = await into.alerts.states(portfolio_id)
            for rule in plan.rules:
                known = before.get(rule.id, rule)
                if rule.id in states and (
                    not rule.is_on or (known.metric, known.months) != (rule.metric, rule.months)
                ):
                    await into.alerts.put_state(portfolio_id, AlertState(rule.id))
            event = AlertEvent(
                id=new_id(),
                portfolio_id=portfolio_id,
                at=self._now(),
                kind=AlertEventKind.CONFIGURED,
                title="What is watched was changed",
                body=plan_words(plan),
            )
            await into.alerts.add_event(event)
        self._publish([event])
        return plan

    async def states(self, portfolio_id: str) -> Mapping[str, AlertState]:
        """By rule id; a rule without one is armed."""
        async with self._database.reading() as stored:
            return await stored.alerts.states(portfolio_id)

    async def history(
        self, portfolio_id: str | None = None, limit: int = 100, before: datetime | None = None
    ) -> Sequence[AlertEvent]:
        """Newest first."""
        async with self._database.reading() as stored:
            return await stored.alerts.events(portfolio_id, limit, before)

    async def acknowledge(self, event_id: str) -> AlertEvent:
        """The owner knows: nothing more is sent for that alert. Twice is the same as once.

        Raises NotFound, and Refused for an event that asks for no answer.
        """
        async with self._database.transaction() as into:
            event, is_new = await alert_answers.acknowledge(into, event_id, self._now())
        if is_new:
            self._publish([event])
        return event

    async def snooze(self, event_id: str, until: datetime) -> AlertEvent:
        """Send nothing until then; if it still holds, remind. Raises NotFound, InvalidInput, and Refused when it is
        over.
        """
        async with self._database.transaction() as into:
            event = await alert_answers.snooze(into, event_id, until, self._now(), new_id())
        self._publish([event])
        return event

    async def _hold(
        self, into: Transaction, mark: Marked, beat: Beat, at: datetime, *, is_one_of_many: bool
    ) -> list[AlertEvent]:
        """Hold one portfolio against its plan; what is to be sent is in the outbox when this returns."""
        portfolio = mark.portfolio
        plan = await _plan(into, portfolio)
        reading = self._reading(mark, plan, beat, at)
        decision = decide(plan, await into.alerts.states(portfolio.id), reading, new_id)
        if not decision.crossings:
            return []
        problem = (mark.status.problem if mark.status else None) or beat.problem
        snapshot = mark.snapshot if reading.price is not None else None  # none of a price that nobody asked for
        occasion = Occasion(portfolio, reading, snapshot, problem, is_one_of_many)
        events = [event_of(crossing, occasion) for crossing in decision.crossings]
        channels = await into.alerts.channels()
        for state in decision.states:
            await into.alerts.put_state(portfolio.id, state)
        for event in events:
            await into.alerts.add_event(event)
            if not event.covered:
                for row in deliveries_of(event, channels, plan.quiet, new_id):
                    await into.alerts.add_delivery(row)
        return events

    async def _marked(self, into: Transaction, beat: Beat) -> list[Marked]:
        """Every portfolio that is kept; those of the beat while nothing is."""
        snapshots = beat.snapshots or ({beat.snapshot.portfolio.id: beat.snapshot} if beat.snapshot else {})
        kept = [stored.portfolio for stored in await into.portfolios.all()]
        marks = []
        for portfolio in kept or [snapshot.portfolio for snapshot in snapshots.values()]:
            snapshot, symbol = snapshots.get(portfolio.id), portfolio.collateral.quoted_by
            status = beat.statuses.get(symbol)
            if status is None and beat.status is not None and beat.status.quote.symbol == symbol:
                status = beat.status
            marks.append(Marked(snapshot.portfolio if snapshot else portfolio, snapshot, status))
        return marks

    def _reading(self, mark: Marked, plan: AlertPlan, beat: Beat, at: datetime) -> Reading:
        """What is known of a portfolio: without a price that can be trusted only how long there has been none."""
        snapshot, status = mark.snapshot, mark.status
        is_known = status is not None and not status.is_stale and (self._trusts_demo or not status.quote.is_demo)
        values = {AlertMetric.STALE_DATA: self._minutes_without(mark, at, is_known=is_known)}
        probabilities: Mapping[int, float] = {}
        if is_known and snapshot is not None:
            values[AlertMetric.LTV] = snapshot.ltv
            values[AlertMetric.PRICE] = snapshot.price
            if snapshot.hedge is not None:
                values[AlertMetric.HEDGED_LTV] = min(snapshot.lender_ltv, LARGEST_LTV)
            if any(rule.is_on and rule.metric is AlertMetric.PROBABILITY for rule in plan.rules):
                probabilities = self._chances(snapshot, beat.volatility)
        quote = status.quote if status and (self._trusts_demo or not status.quote.is_demo) else None
        return Reading(
            at=at,
            values=values,
            probabilities=probabilities,
            price=quote.price if quote else None,
            quote_at=quote.at if quote else None,
            source=quote.source if quote else "",
            is_demo=quote.is_demo if quote else False,
            call_ltv=mark.portfolio.loan.margin_call_ltv,
        )

    def _chances(self, snapshot: Snapshot, volatility: float) -> Mapping[int, float]:
        try:
            found = self._probabilities(snapshot, volatility)
        except (VaultError, ArithmeticError, ValueError) as error:  # the other rules are held all the same
            log.warning("odds_unknown", reason=str(error))
            return {}
        return {months: chance for months, chance in found.items() if math.isfinite(chance)}

    def _minutes_without(self, mark: Marked, at: datetime, *, is_known: bool) -> float:
        """Minutes of trading since the last price that could be trusted; none while there is one."""
        symbol = mark.portfolio.collateral.quoted_by
        if is_known:
            self._fresh_at[symbol] = at
            return 0.0
        since = self._fresh_at.get(symbol)
        quote = mark.status.quote if mark.status else None
        if quote is not None and (self._trusts_demo or not quote.is_demo) and not quote.is_from_the_future(at):
            told_at = quote.at + timedelta(seconds=quote.delay_seconds)
            since = max(since, told_at) if since else told_at
        since = since or self._begun or at
        return self._hours.open_seconds(since, at) / 60.0

    async def _portfolio(self, stored: Transaction, portfolio_id: str) -> Portfolio:
        found = await stored.portfolios.get(portfolio_id)
        if found is None:
            raise NotFound(f"There is no portfolio {portfolio_id!r}")
        return found.portfolio

    def _publish(self, events: Sequence[AlertEvent]) -> None:
        for event in events:
            self.events.publish(event)


async def _plan(stored: Transaction, portfolio: Portfolio) -> AlertPlan:
    return await stored.alerts.plan(portfolio.id) or usual_plan(portfolio.loan)


def event_of(crossing: Crossing, occasion: Occasion) -> AlertEvent:
    """The line of the history for a crossing. Words that cannot be made hide no alert."""
    try:
        title, body = told(crossing, occasion)
    except Exception as error:
        log.error("alert_without_words", rule=crossing.rule.id, reason=repr(error), exc_info=True)
        title, body = f"Alert: {rule_words(crossing.rule)}", f"{crossing.kind.value}: the value is {crossing.value:g}"
    reading = occasion.reading
    return AlertEvent(
        id=crossing.event_id,
        portfolio_id=occasion.portfolio.id,
        at=reading.at,
        kind=crossing.kind,
        title=title,
        body=body,
        rule_id=crossing.rule.id,
        metric=crossing.rule.metric,
        severity=crossing.severity,
        threshold=crossing.rule.threshold,
        value=crossing.value,
        price=reading.price,
        quote_at=reading.quote_at,
        source=reading.source,
        is_demo=reading.is_demo,
        about=crossing.about,
        covered=crossing.covered,
    )


def new_id() -> str:
    """An id that nobody can guess: 32 hexadecimal digits, which push services take as a topic, too."""
    return uuid.uuid4().hex
