"""Holds a plan against a reading: which rules are raised, cleared or reminded of, and which of them is told."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from vaultdash.domain.alert import (
    AlertEventKind,
    AlertMetric,
    AlertPlan,
    AlertRule,
    AlertSeverity,
    AlertState,
    Reading,
)
from vaultdash.domain.loan import is_breached

TOLERANCE = 1e-9  # relative; a value this near to its threshold has reached it
LTVS = (AlertMetric.LTV, AlertMetric.HEDGED_LTV)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A rule that was raised, cleared or reminded of. `about` is the event before it in the same alert.

    A covered crossing is not sent; the one that is sent has it in `covers`.
    """

    event_id: str
    kind: AlertEventKind
    rule: AlertRule
    value: float
    severity: AlertSeverity
    about: str | None = None
    covered: bool = False
    covers: tuple["Crossing", ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The states that changed, and the crossings: of those that belong together the one that is sent comes first."""

    states: tuple[AlertState, ...] = ()
    crossings: tuple[Crossing, ...] = ()


def decide(
    plan: AlertPlan,
    states: Mapping[str, AlertState],
    reading: Reading,
    new_id: Callable[[], str],
    moved: Collection[str] = (),
) -> Decision:
    """What a reading does to the rules of a plan.

    An armed rule whose threshold is reached is raised. A raised one is cleared when its value is back at
    `rearm_at`, once; until then it is never raised again, whatever was acknowledged. When a snooze is over and the
    value is beyond the threshold, the owner is reminded. A rule whose value is not known stays as it is.

    `moved` are the ids of raised rules whose threshold is another one now: what they had raised is over, so beyond
    the threshold of now they are raised anew, and short of it cleared. A raise that takes the place of one that an
    edit ended is about it: an answer to the new one is an answer to both.
    """
    changed: list[AlertState] = []
    crossings: list[Crossing] = []
    for rule in plan.rules:
        value, back = reading.of(rule), reading.clears(rule)
        if not rule.is_on:
            continue
        state = states.get(rule.id) or AlertState(rule.id)
        is_moved = rule.id in moved
        if not state.is_raised or (is_moved and value is not None and is_reached(rule, value)):
            if value is not None and is_reached(rule, value):
                severity = severity_at(rule, reading)
                made = Crossing(new_id(), AlertEventKind.RAISED, rule, value, severity, state.event_id)
                crossings.append(made)
                changed.append(AlertState(rule.id, True, made.event_id, reading.at))
            elif state.event_id is not None and back is not None and not is_reached(rule, back):
                # what an edit ended does not hold any more
                changed.append(AlertState(rule.id))
        elif back is not None and (is_back(rule, back) or (is_moved and not is_reached(rule, back))):
            sleeps = state.snoozed_until is not None and state.snoozed_until > reading.at
            now = back if value is None else value
            crossings.append(
                Crossing(
                    new_id(), AlertEventKind.CLEARED, rule, now, AlertSeverity.INFO, state.event_id, covered=sleeps
                )
            )
            changed.append(AlertState(rule.id))
        elif (
            value is not None
            and state.snoozed_until is not None
            and state.snoozed_until <= reading.at
            and is_reached(rule, value)
        ):
            severity = severity_at(rule, reading)
            made = Crossing(new_id(), AlertEventKind.REMINDED, rule, value, severity, state.event_id)
            crossings.append(made)
            changed.append(replace(state, event_id=made.event_id, acknowledged_at=None, snoozed_until=None))
    return Decision(tuple(changed), _covered(crossings))


def is_reached(rule: AlertRule, value: float) -> bool:
    """True at the threshold and beyond it: above, or for a price below."""
    if rule.metric in LTVS:
        return is_breached(value, rule.threshold)
    slack = TOLERANCE * rule.threshold
    return value >= rule.threshold - slack if rule.falls_back else value <= rule.threshold + slack


def is_back(rule: AlertRule, value: float) -> bool:
    """True when the value has come back to where a raised rule is armed again, and is not beyond the threshold."""
    slack = TOLERANCE * max(rule.threshold, 1.0)
    came_back = value <= rule.rearm_at + slack if rule.falls_back else value >= rule.rearm_at - slack
    return came_back and not is_reached(rule, value)


def severity_of(rule: AlertRule, call_ltv: float | None) -> AlertSeverity:
    """The rule's own severity; a call for an LTV at or above the one at which the lender calls."""
    if rule.metric in LTVS and call_ltv is not None and is_breached(rule.threshold, call_ltv):
        return AlertSeverity.CALL
    return rule.severity


def severity_at(rule: AlertRule, reading: Reading) -> AlertSeverity:
    """What a rule's message is at a reading: a call whatever the rule says while the lender may call.

    Of data that stay away nothing follows for the loan, unless by the last of them it would be called.
    """
    if reading.may_be_called if rule.metric is AlertMetric.STALE_DATA else reading.is_called:
        return AlertSeverity.CALL
    return severity_of(rule, reading.call_ltv)


def is_edited(before: AlertRule, now: AlertRule, call_ltv: float) -> bool:
    """True when what a rule had raised is over because the rule is another one now.

    A threshold that moved is not looked at: `decide` is told of it, as it also moves with the loan.
    """
    if not now.is_on or (before.metric, before.months) != (now.metric, now.months):
        return True
    if not math.isclose(before.threshold, now.threshold, rel_tol=TOLERANCE):
        return False
    is_another = severity_of(before, call_ltv) is not severity_of(now, call_ltv)
    return is_another or not math.isclose(before.rearm_at, now.rearm_at, rel_tol=TOLERANCE)


def family(crossing: Crossing) -> tuple[str, str, int]:
    """Crossings of one family and evaluation are told in one message: both LTVs, or one metric."""
    rule = crossing.rule
    months = rule.months if rule.metric is AlertMetric.PROBABILITY else 0
    return crossing.kind.value, "ltv" if rule.metric in LTVS else rule.metric.value, months


def _covered(crossings: Sequence[Crossing]) -> tuple[Crossing, ...]:
    """Of each family only the most severe, then the farthest threshold, is sent."""
    told: list[Crossing] = []
    for _, members in groupby(sorted(crossings, key=family), key=family):
        silent: list[Crossing] = []
        sent: list[Crossing] = []
        for crossing in sorted(members, key=_weight, reverse=True):
            (silent if crossing.covered else sent).append(crossing)
        if sent:
            covered = [replace(crossing, covered=True) for crossing in sent[1:]]
            told += [replace(sent[0], covers=tuple(covered + silent)), *covered]
        told += silent
    return tuple(told)


def _weight(crossing: Crossing) -> tuple[int, float, bool]:
    rule = crossing.rule
    return (
        severity_of(rule, None) if crossing.kind is AlertEventKind.CLEARED else crossing.severity,
        rule.threshold if rule.falls_back else -rule.threshold,
        rule.metric is AlertMetric.LTV,
    )
