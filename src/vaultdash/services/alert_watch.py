"""Holds every beat against the rules: a crossing, its event and its messages are one transaction."""

import math
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from vaultdash.clock import MarketHours
from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertSeverity,
    AlertState,
    Reading,
    plan_in_force,
    usual_plan,
)
from vaultdash.domain.alert_rules import TOLERANCE, Crossing, decide, is_edited
from vaultdash.domain.alert_sending import deliveries_of
from vaultdash.domain.alert_words import Occasion, plan_words, rule_words, told
from vaultdash.domain.errors import NotFound, VaultError
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Portfolio, Snapshot, hedged_ltv
from vaultdash.domain.position import HedgeMark, MarkBasis
from vaultdash.feed import Feed
from vaultdash.services import alert_answers
from vaultdash.services.alert_marks import Marked, marked, why_missing, why_silent
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvHistory
from vaultdash.storage.records import Database, Transaction

log = structlog.get_logger()
Probabilities = Callable[[Snapshot, float], Mapping[int, float]]  # by months, from a snapshot and its volatility
CROSSINGS = (AlertEventKind.RAISED, AlertEventKind.CLEARED)
LOADING = timedelta(minutes=5)  # after the start, while chains are asked for
LARGEST_LTV = 99.0  # stands for one without bounds: sold options have eaten the collateral


@dataclass(frozen=True, slots=True)
class Hedged:
    """The LTV as the lender counts options: what raises, and what may end a raise; None is neither."""

    raising: float | None
    clearing: float | None


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
        self._fresh_at: dict[str, datetime] = {}  # by portfolio, when price and rate were last seen fresh
        self._seen_at: dict[str, datetime] = {}  # by portfolio, when it was first looked at
        self._begun: datetime | None = None

    async def evaluate(self, beat: Beat) -> tuple[AlertEvent, ...]:
        """Record LTV, move the rules' states, write events and messages, all in one transaction.

        Raises DatabaseError, and then nothing has happened: the next beat finds the same crossings.
        """
        at = self._now()
        self._begun = min(self._begun or at, at)
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

        A rule that is off, or is another one under the same id, is armed: what is beyond it is raised at the next
        beat. What it had raised stays in the history and in the outbox, until the new raise is answered to. Rules
        that are not the usual ones of this loan do not follow it.
        """
        async with self._database.transaction() as into:
            portfolio = await self._portfolio(into, portfolio_id)
            before = {rule.id: rule for rule in (await _plan(into, portfolio)).rules}
            call_ltv, usual = portfolio.loan.margin_call_ltv, usual_plan(portfolio.loan)
            plan = replace(plan, follows_loan=plan.follows_loan and plan.rules == usual.rules)
            await into.alerts.put_plan(portfolio_id, plan)
            states = await into.alerts.states(portfolio_id)
            for rule in plan.rules:
                if rule.id in states and is_edited(before.get(rule.id, rule), rule, call_ltv):
                    ended = states[rule.id].event_id if rule.is_on else None  # what is raised anew is about it
                    await into.alerts.put_state(portfolio_id, AlertState(rule.id, event_id=ended))
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

    def silence(self, portfolio: Portfolio, beat: Beat) -> str | None:
        """Why no alert on a portfolio's LTV can be raised, or only by an old rate; None while all is current."""
        return why_silent(marked(portfolio, beat), beat, self._now(), trusts_demo=self._trusts_demo)

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
        states = await into.alerts.states(portfolio.id)
        decision = decide(plan, states, reading, new_id, await _moved(into, plan, states, reading))
        for state in decision.states:
            await into.alerts.put_state(portfolio.id, state)
        if not decision.crossings:
            return []
        occasion = self._occasion(mark, reading, beat, is_one_of_many=is_one_of_many)
        events = [event_of(crossing, occasion) for crossing in decision.crossings]
        channels = await into.alerts.channels()
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
        return [marked(each, beat) for each in kept or [snapshot.portfolio for snapshot in snapshots.values()]]

    def _occasion(self, mark: Marked, reading: Reading, beat: Beat, *, is_one_of_many: bool) -> Occasion:
        """What is told with; nothing that stands on a price or a rate that nobody asked for."""
        is_invented = mark.snapshot is not None and mark.snapshot.rate.is_demo and not self._trusts_demo
        return Occasion(
            mark.portfolio,
            reading,
            None if reading.price is None or is_invented else mark.snapshot,
            why_missing(mark, beat, trusts_demo=self._trusts_demo),
            is_one_of_many,
            currency=mark.currency,
            lacks_rate=mark.lacks_rate(trusts_demo=self._trusts_demo),
            lacks_value=mark.lacks_value(trusts_demo=self._trusts_demo),
            by_old_rate=AlertMetric.LTV in reading.clearing,
        )

    def _reading(self, mark: Marked, plan: AlertPlan, beat: Beat, at: datetime) -> Reading:
        """What is known of a portfolio: without a price that can be trusted only how long there has been none.

        By an old exchange rate the LTV raises and ends nothing; without a rate it does neither, the price does.
        """
        snapshot, status = mark.snapshot, mark.status
        is_known = mark.is_known(trusts_demo=self._trusts_demo)
        is_judged = mark.is_judged(at, trusts_demo=self._trusts_demo)
        is_called = snapshot is not None and snapshot.is_called
        values = {AlertMetric.STALE_DATA: self._minutes_without(mark, at, is_known=is_known)}
        clearing: dict[AlertMetric, float | None] = {}
        probabilities: Mapping[int, float] = {}
        if status is not None and mark.has_price(trusts_demo=self._trusts_demo):
            values[AlertMetric.PRICE] = status.quote.price
        if is_judged and snapshot is not None:
            values[AlertMetric.LTV] = snapshot.ltv
            hedged = self._hedged(snapshot, at)
            if hedged.raising is not None:
                values[AlertMetric.HEDGED_LTV] = hedged.raising
            clearing[AlertMetric.HEDGED_LTV] = hedged.clearing
            if any(rule.is_on and rule.metric is AlertMetric.PROBABILITY for rule in plan.rules):
                probabilities = self._chances(snapshot, beat)
            if not is_known:  # the rate is old
                clearing = dict.fromkeys((AlertMetric.LTV, AlertMetric.HEDGED_LTV, AlertMetric.PROBABILITY))
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
            clearing=clearing,
            is_called=is_judged and is_called,
            may_be_called=not is_judged and is_called and mark.has_old_rate(trusts_demo=self._trusts_demo),
        )

    def _hedged(self, snapshot: Snapshot, at: datetime) -> Hedged:
        """The LTV as the lender counts the options, held or not: a hedge that is gone is what is to be noticed.

        Where the lender ignores options and none is held there is nothing to raise beside the LTV without them. In
        the first minutes, when chains are still being loaded, an option counted at what exercise pays raises
        nothing; after that it does, as nobody has a better value. A doubtful mark clears nothing: a raise is over
        when it would be with such bought options counted as nothing, and never while such a sold one is held.
        """
        ltv, loan, hedge = min(snapshot.lender_ltv, LARGEST_LTV), snapshot.portfolio.loan, snapshot.hedge
        if hedge is None:
            return Hedged(None if loan.hedge_counting is HedgeCounting.IGNORED else ltv, ltv)
        doubtful = [mark for mark in hedge.marks if mark.is_doubtful]
        unloaded = any(mark.price is None or mark.basis is MarkBasis.INTRINSIC for mark in doubtful)
        begun = self._begun or at
        raising = None if unloaded and at - begun < LOADING else ltv
        if loan.hedge_counting is HedgeCounting.IGNORED:
            return Hedged(ltv, ltv)  # whatever they are worth
        if any(mark.held.contracts < 0 for mark in doubtful):
            return Hedged(raising, None)
        certain = HedgeMark(tuple(mark for mark in hedge.marks if not mark.is_doubtful)).value
        least = hedged_ltv(loan.amount, snapshot.gold_value, certain, loan)
        return Hedged(raising, min(least, LARGEST_LTV))

    def _chances(self, snapshot: Snapshot, beat: Beat) -> Mapping[int, float]:
        """By months, with the volatility of the portfolio's own symbol; nothing while that was never told."""
        volatility = beat.volatilities.get(snapshot.portfolio.collateral.quoted_by)
        if volatility is None and not snapshot.is_called:  # after a call no volatility matters
            return {}
        volatility = beat.volatility if volatility is None else volatility
        try:
            found = self._probabilities(snapshot, volatility)
        except (VaultError, ArithmeticError, ValueError) as error:  # the other rules are held all the same
            log.warning("odds_unknown", reason=str(error))
            return {}
        return {months: chance for months, chance in found.items() if math.isfinite(chance)}

    def _minutes_without(self, mark: Marked, at: datetime, *, is_known: bool) -> float:
        """Minutes of trading since price and rate could last be trusted; none while they can."""
        key = mark.portfolio.id
        if is_known:
            self._fresh_at[key] = at
            return 0.0
        seen_at = self._seen_at[key] = min(self._seen_at.get(key, at), at)  # the clock may have been set back
        if key in self._fresh_at:
            self._fresh_at[key] = min(self._fresh_at[key], at)
        known = (self._fresh_at.get(key), mark.told_at(at, trusts_demo=self._trusts_demo))
        since = min(max((each for each in known if each is not None), default=seen_at), at)
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
    return plan_in_force(await stored.alerts.plan(portfolio.id), portfolio.loan)


async def _moved(
    stored: Transaction, plan: AlertPlan, states: Mapping[str, AlertState], reading: Reading
) -> set[str]:
    """Rules whose threshold is not the one at which they were raised: edited, or moved with the loan.

    One of data that stay away is another one, too, once the loan may be called meanwhile.
    """
    found = set()
    for rule in plan.rules:
        state = states.get(rule.id)
        if state is not None and state.is_raised and state.event_id is not None:
            event = await stored.alerts.event(state.event_id)
            raised_at = None if event is None else event.threshold
            if raised_at is not None and not math.isclose(raised_at, rule.threshold, rel_tol=TOLERANCE):
                found.add(rule.id)
            is_graver = rule.metric is AlertMetric.STALE_DATA and reading.may_be_called
            if is_graver and event is not None and event.severity is not AlertSeverity.CALL:
                found.add(rule.id)
    return found


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
