"""How alerts, channels and deliveries are put into words on the pages."""

from collections.abc import Sequence
from datetime import datetime

from vaultdash.domain.alert import (
    AlertEvent,
    AlertEventKind,
    AlertMetric,
    AlertRule,
    AlertSeverity,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryState,
)
from vaultdash.domain.alert_words import percent, rule_words
from vaultdash.services.alert_board import AlertBoard
from vaultdash.services.alert_notes import is_broken, reaches
from vaultdash.ui.format import age
from vaultdash.ui.theme import Tone

SEVERITIES = {AlertSeverity.CALL: "call", AlertSeverity.WARNING: "warning", AlertSeverity.INFO: "notice"}
ARTICLES = {AlertSeverity.CALL: "A call", AlertSeverity.WARNING: "A warning", AlertSeverity.INFO: "A notice"}
SEVERITY_TONES: dict[AlertSeverity, Tone] = {
    AlertSeverity.CALL: "call",
    AlertSeverity.WARNING: "warning",
    AlertSeverity.INFO: "muted",
}
KINDS = {
    AlertEventKind.RAISED: "raised",
    AlertEventKind.CLEARED: "over",
    AlertEventKind.REMINDED: "reminded",
    AlertEventKind.ACKNOWLEDGED: "acknowledged",
    AlertEventKind.SNOOZED: "put off",
    AlertEventKind.CONFIGURED: "changed",
    AlertEventKind.TEST: "test",
    AlertEventKind.UNDELIVERED: "not delivered",
    AlertEventKind.CHANNEL_LOST: "channel lost",
}
DELIVERIES = {
    DeliveryState.ACCEPTED: "taken by its service",
    DeliveryState.CONFIRMED: "shown on the device",
    DeliveryState.CANCELLED: "no longer needed",
    DeliveryState.FAILED: "failed",
}
CHANNEL_KINDS = {
    ChannelKind.PUSH: "browser",
    ChannelKind.APPRISE: "service",
    ChannelKind.CONSOLE: "log of the server",
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def headline(board: AlertBoard) -> tuple[str, Tone]:
    """The sentence at the top: what is raised and not yet known to the owner, else why it is not sure that an alert
    would come, else what watches and who is told.
    """
    waiting = [each for each in board.raised if each.state.acknowledged_at is None and not each.event.covered]
    if waiting:
        worst = max(each.event.severity for each in waiting)
        if len(waiting) == 1:
            return f"{ARTICLES[worst]} stands and waits for your answer.", SEVERITY_TONES[worst]
        few = f"{counted(len(waiting), 'alert')} stand and wait for your answer"
        return f"{few.capitalize()}{'; the first is a call' if worst is AlertSeverity.CALL else ''}.", SEVERITY_TONES[
            worst
        ]
    if board.doubts:
        return board.doubts[0], "warning"
    watching = sum(rule.is_on for rule in board.plan.rules)
    if not watching:
        return "Nothing is watched: switch on a rule.", "warning"
    known = "Raised, and you know. " if board.raised else ""
    verb = "watches" if watching == 1 else "watch"
    told = joined([channel.name for channel in board.channels if reaches(channel)])
    return f"{known}{counted(watching, 'rule').capitalize()} {verb}; told: {told}.", "" if known else "room"


def counted(count: int, noun: str) -> str:
    """`one rule`, `two rules`, `12 rules`."""
    number = NUMBERS[count] if 0 <= count < len(NUMBERS) else str(count)
    return f"{number} {noun}" if count == 1 else f"{number} {noun}s"


def joined(names: Sequence[str], most: int = 4) -> str:
    """`A, B and C`; of many the first few and how many more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nobody"


def channel_words(channel: Channel, now: datetime) -> tuple[str, Tone]:
    """How a channel is: what is wrong with it, or when it last worked."""
    if not channel.is_on:
        return "off", "muted"
    if channel.problem:
        return channel.problem, "call" if is_broken(channel) else "warning"
    said = []
    if channel.accepted_at is not None:
        said.append(f"last message taken {age((now - channel.accepted_at).total_seconds())}")
    if channel.confirmed_at is not None:
        said.append(f"last shown on the device {age((now - channel.confirmed_at).total_seconds())}")
    elif channel.accepted_at is not None and channel.kind is ChannelKind.PUSH:
        said.append("not yet seen to be shown")
    return ("; ".join(said), "muted") if said else ("never used yet: send a test", "warning")


def step_words(channels: Sequence[Channel], channel: Channel) -> str:
    """When a channel is tried."""
    steps = sorted({each.step for each in channels if each.is_on})
    if not channel.is_on or not steps or channel.step == steps[0]:
        return "at once"
    before = "the first" if steps.index(channel.step) == 1 else "those before"
    return f"{channel.wait_minutes:g} min after {before}, if still needed"


def rule_detail(rule: AlertRule) -> str:
    """When a raised rule is armed again."""
    if rule.metric is AlertMetric.PRICE:
        return f"armed again at {rule.rearm_at:,.2f} USD"
    if rule.metric is AlertMetric.STALE_DATA:
        return "armed again by a fresh price"
    return f"armed again at {percent(rule.rearm_at)}"


def rule_name(rule: AlertRule) -> str:
    """`LTV at 75 %`, with a capital."""
    words = rule_words(rule)
    return words[:1].upper() + words[1:]


def delivery_words(row: Delivery, now: datetime) -> str:
    """Where a message is."""
    if row.state is DeliveryState.WAITING:
        if row.accepted_at is not None:
            words = "taken by its service; the device has not confirmed it yet"
        elif row.due_at > now:
            words = f"waits until {row.due_at:%H:%M:%S} UTC"
        else:
            words = "is being sent"
    else:
        words = DELIVERIES[row.state]
    tries = f" after {row.attempts} tries" if row.attempts > 1 else ""
    return f"{words}{tries}" + (f": {row.problem}" if row.problem else "")


def event_tone(event: AlertEvent) -> Tone:
    """The colour of a line of the history."""
    if event.kind in (AlertEventKind.UNDELIVERED, AlertEventKind.CHANNEL_LOST):
        return "call"
    if event.kind in (AlertEventKind.RAISED, AlertEventKind.REMINDED, AlertEventKind.TEST):
        return SEVERITY_TONES[event.severity]
    return "room" if event.kind is AlertEventKind.CLEARED else "muted"
