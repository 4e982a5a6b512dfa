"""Holds a plan against a reading: which rules are raised, cleared or reminded of, and which of them is told."""

from collections.abc import Callable, Mapping, Sequence
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
    plan: AlertPlan, states: Mapping[str, AlertState], reading: Reading, new_id: Callable[[], str]
) -> Decision:
    """What a reading does to the rules of a plan.

    An armed rule whose threshold is reached is raised. A raised one is cleared when its value is back at
    `rearm_at`, once; until then it is never raised again, whatever was acknowledged. When a snooze is over and the
    value is beyond the threshold, the owner is reminded. A rule whose value is not known stays as it is.
    """
    changed: list[AlertState] = []
    crossings: list[Crossing] = []
    for rule in plan.rules:
        value = reading.of(rule)
        if value is None or not rule.is_on:
            continue
        state = states.get(rule.id) or AlertState(rule.id)
        if not state.is_raised:
            if is_reached(rule, value):
                made = Crossing(new_id(), AlertEventKind.RAISED, rule, value, severity_of(rule, reading.call_ltv))
                crossings.append(made)
                changed.append(AlertState(rule.id, True, made.event_id, reading.at))
        elif is_back(rule, value):
            sleeps = state.snoozed_until is not None and state.snoozed_until > reading.at
            crossings.append(
                Crossing(
                    new_id(), AlertEventKind.CLEARED, rule, value, AlertSeverity.INFO, state.event_id, covered=sleeps
                )
            )
            changed.append(AlertState(rule.id))
        elif state.snoozed_until is not None and state.snoozed_until <= reading.at and is_reached(rule, value):
            severity = severity_of(rule, reading.call_ltv)
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
