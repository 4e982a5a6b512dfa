"""Turns alerts into the shapes of their answers, and what was posted into a plan."""

from dataclasses import replace
from datetime import datetime

from vaultdash.api.alert_schemas import (
    AlertsAnswer,
    ChannelAnswer,
    ChannelsAnswer,
    DeliveryAnswer,
    EventAnswer,
    PlanAnswer,
    PlanInput,
    QuietAnswer,
    QuietInput,
    RaisedAnswer,
    RuleAnswer,
    RuleInput,
    SeverityWord,
)
from vaultdash.domain.alert import (
    AlertEvent,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    AlertState,
    Channel,
    Delivery,
    QuietHours,
    usual_plan,
)
from vaultdash.domain.alert_rules import LTVS, severity_of
from vaultdash.domain.alert_sending import quiet_until
from vaultdash.domain.alert_words import rule_words
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import Loan
from vaultdash.services.alert_board import AlertBoard
from vaultdash.services.alert_notes import is_broken, reaches

SEVERITIES: dict[AlertSeverity, SeverityWord] = {
    AlertSeverity.INFO: "info",
    AlertSeverity.WARNING: "warning",
    AlertSeverity.CALL: "call",
}


def alerts_answer(board: AlertBoard, loan: Loan, now: datetime) -> AlertsAnswer:
    """Everything of one moment."""
    return AlertsAnswer(
        portfolio_id=board.portfolio_id,
        as_of=now,
        plan=plan_answer(board, loan, now),
        raised=tuple(
            RaisedAnswer(
                event_answer(raised.event),
                raised.state.acknowledged_at,
                raised.state.snoozed_until,
                tuple(delivery_answer(row) for row in raised.deliveries),
            )
            for raised in board.raised
        ),
        undelivered=tuple(event_answer(event) for event in board.undelivered),
        channels=tuple(channel_answer(channel) for channel in board.channels),
        nobody_told=not board.reaches_somebody,
        doubts=board.doubts,
        remarks=board.remarks,
    )


CLOSE_OUT = "-close-out"  # ends the ids of the usual rules at the loan's close-out


def plan_answer(board: AlertBoard, loan: Loan, now: datetime) -> PlanAnswer:
    """What is watched, with the states."""
    rules, quiet = board.plan.rules, board.plan.quiet
    return PlanAnswer(
        portfolio_id=board.portfolio_id,
        usual=board.plan.follows_loan,
        thresholds=tuple(
            sorted(
                rule.threshold
                for rule in rules
                if rule.is_on and rule.metric is AlertMetric.LTV and not rule.id.endswith(CLOSE_OUT)
            )
        ),
        rules=tuple(_rule(rule, board.states.get(rule.id) or AlertState(rule.id), loan) for rule in rules),
        quiet_hours=None
        if quiet is None
        else QuietAnswer(f"{quiet.begins:%H:%M}", f"{quiet.ends:%H:%M}", quiet.zone, quiet_until(quiet, now)),
    )


def event_answer(event: AlertEvent) -> EventAnswer:
    """A line of the history."""
    return EventAnswer(
        id=event.id,
        portfolio_id=event.portfolio_id,
        at=event.at,
        kind=event.kind,
        severity=SEVERITIES[event.severity],
        title=event.title,
        body=event.body,
        rule_id=event.rule_id,
        metric=event.metric,
        threshold=event.threshold,
        value=event.value,
        price=event.price,
        quote_at=event.quote_at,
        source=event.source,
        demo=event.is_demo,
        about=event.about,
        covered=event.covered,
    )


def delivery_answer(row: Delivery) -> DeliveryAnswer:
    """A message on its way to one channel."""
    return DeliveryAnswer(
        id=row.id,
        channel_id=row.channel_id,
        step=row.step,
        state=row.state,
        awaits_receipt=row.awaits_receipt,
        due_at=row.due_at,
        attempts=row.attempts,
        accepted_at=row.accepted_at,
        confirmed_at=row.confirmed_at,
        problem=row.problem,
    )


def channel_answer(channel: Channel) -> ChannelAnswer:
    """A channel without its address."""
    return ChannelAnswer(
        id=channel.id,
        kind=channel.kind,
        name=channel.name,
        step=channel.step,
        wait_minutes=channel.wait_minutes,
        is_on=channel.is_on,
        reaches=reaches(channel),
        broken=is_broken(channel),
        problem=channel.problem,
        added_at=channel.added_at,
        accepted_at=channel.accepted_at,
        confirmed_at=channel.confirmed_at,
    )


def channels_answer(channels: tuple[Channel, ...]) -> ChannelsAnswer:
    """All of them."""
    return ChannelsAnswer(
        tuple(channel_answer(channel) for channel in channels), not any(reaches(channel) for channel in channels)
    )


def plan_of(given: PlanInput, known: AlertPlan, loan: Loan) -> AlertPlan:
    """The plan that was asked for; what was not given stays. Raises InvalidInput."""
    if given.usual and not (given.rules is None and given.thresholds is None):
        raise InvalidInput("usual", "rules are asked for, and others with them: leave thresholds and rules out")
    usual = usual_plan(loan)
    rules = known.rules if given.rules is None else tuple(_rule_of(rule, known, loan) for rule in given.rules)
    follows_loan = known.follows_loan if given.rules is None and given.thresholds is None else False
    if given.usual:
        rules, follows_loan = usual.rules, True
    elif given.thresholds == ():
        own = rules if given.rules is not None else [rule for rule in rules if rule.metric not in LTVS]
        ids = {rule.id for rule in own}
        rules = (*(rule for rule in usual.rules if rule.metric in LTVS and rule.id not in ids), *own)
        follows_loan = rules == usual.rules
    elif given.thresholds is not None:
        watched = [
            _rule_of(RuleInput(metric, threshold), known, loan) for metric in LTVS for threshold in given.thresholds
        ]
        kept = [
            rule
            for rule in rules
            if rule.id not in {each.id for each in watched}
            and (given.rules is not None or rule.metric not in LTVS or rule.id.endswith(CLOSE_OUT))
        ]
        rules = (*watched, *kept)
    quiet = known.quiet
    if given.quiet_hours is False:
        quiet = None
    elif isinstance(given.quiet_hours, QuietInput):
        quiet = QuietHours(given.quiet_hours.begins, given.quiet_hours.ends, given.quiet_hours.zone)
    return AlertPlan(rules, quiet, follows_loan)


def rule_id(metric: AlertMetric, threshold: float, months: int) -> str:
    """What a rule is called when nobody named it: `ltv-0.7`, `probability-0.3-6m`."""
    return f"{metric.value}-{threshold:.6g}" + (f"-{months}m" if metric is AlertMetric.PROBABILITY else "")


def _rule_of(given: RuleInput, known: AlertPlan, loan: Loan) -> AlertRule:
    """A rule; one that watches the same as before keeps its id and with it its state."""
    metric, threshold = given.metric, given.threshold
    same = next(
        (
            rule
            for rule in known.rules
            if (rule.metric, rule.threshold) == (metric, threshold)
            and (metric is not AlertMetric.PROBABILITY or rule.months == given.months)
        ),
        None,
    )
    name = given.id or (same.id if same else rule_id(metric, threshold, given.months))
    rule = AlertRule(name, metric, threshold, AlertSeverity.WARNING, given.rearm, given.months, given.is_on)
    words = {word: severity for severity, word in SEVERITIES.items()}
    severity = severity_of(rule, loan.margin_call_ltv) if given.severity is None else words[given.severity]
    return replace(rule, severity=severity)


def _rule(rule: AlertRule, state: AlertState, loan: Loan) -> RuleAnswer:
    return RuleAnswer(
        id=rule.id,
        metric=rule.metric,
        threshold=rule.threshold,
        rearm_at=rule.rearm_at,
        severity=SEVERITIES[severity_of(rule, loan.margin_call_ltv)],
        months=rule.months if rule.metric is AlertMetric.PROBABILITY else None,
        is_on=rule.is_on,
        words=rule_words(rule),
        is_raised=state.is_raised,
        event_id=state.event_id if state.is_raised else None,
        raised_at=state.raised_at,
        acknowledged_at=state.acknowledged_at,
        snoozed_until=state.snoozed_until,
    )
