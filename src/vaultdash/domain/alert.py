"""Alerts: what is watched, when it was crossed, whom it reached."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import Loan
from vaultdash.domain.validation import finite, not_negative, positive

REARM_LTV = 0.01  # an LTV alert is armed again this far below its threshold
REARM_PRICE = 0.01  # of the threshold
REARM_PROBABILITY = 0.05
HORIZONS = (1, 3, 6, 12)  # months
STALE_MINUTES = 15.0
MOST_RULES = 50
LONGEST_RULE_ID = 60
LONGEST_RATE = timedelta(days=4)  # a weekend and a holiday: an exchange rate as old as that still raises alerts


class AlertMetric(StrEnum):
    """What a rule watches: LTV without options, as the lender counts it, price, chance of a call, age of the data."""

    LTV = "ltv"
    HEDGED_LTV = "hedged_ltv"
    PRICE = "price"
    PROBABILITY = "probability"
    STALE_DATA = "stale_data"


class AlertSeverity(IntEnum):
    """A call ignores quiet hours."""

    INFO = 0
    WARNING = 1
    CALL = 2


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Raised when the metric reaches `threshold`, armed again when it is `rearm` back.

    LTV and probability are fractions and rise to the threshold, `stale_data` is in minutes without a fresh price and
    rises, a price (USD a share) falls to it. `months` is the horizon of a probability.
    """

    id: str
    metric: AlertMetric
    threshold: float
    severity: AlertSeverity = AlertSeverity.WARNING
    rearm: float | None = None
    months: int = 3
    is_on: bool = True

    def __post_init__(self) -> None:
        if not self.id.strip() or len(self.id) > LONGEST_RULE_ID:
            raise InvalidInput("id", f"must have 1 to {LONGEST_RULE_ID} characters")
        positive("threshold", self.threshold)
        if self.metric in (AlertMetric.LTV, AlertMetric.HEDGED_LTV, AlertMetric.PROBABILITY) and self.threshold >= 1:
            hint = f"; write {self.threshold / 100:g} for {self.threshold:g} %" if self.threshold <= 100 else ""
            raise InvalidInput("threshold", f"must be a fraction between 0 and 1, not {self.threshold:g}{hint}")
        if self.rearm is not None:
            not_negative("rearm", self.rearm)
            if self.falls_back and self.rearm >= self.threshold:
                raise InvalidInput("rearm", f"must be below the threshold of {self.threshold:g}")
        if self.months not in HORIZONS:
            raise InvalidInput("months", f"must be one of {', '.join(map(str, HORIZONS))}, not {self.months}")

    @property
    def falls_back(self) -> bool:
        """True when the metric rises to the threshold and falls back to arm it again: all but a price."""
        return self.metric is not AlertMetric.PRICE

    @property
    def rearm_at(self) -> float:
        """The value at which a raised rule is armed again."""
        usual = {
            AlertMetric.LTV: REARM_LTV,
            AlertMetric.HEDGED_LTV: REARM_LTV,
            AlertMetric.PRICE: REARM_PRICE * self.threshold,
            AlertMetric.PROBABILITY: REARM_PROBABILITY,
            AlertMetric.STALE_DATA: 0.0,
        }[self.metric]
        back = usual if self.rearm is None else self.rearm
        return max(self.threshold - back, 0.0) if self.falls_back else self.threshold + back


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is remembered of a rule between evaluations. A rule without a state is armed.

    One that is not raised keeps the id of an event only from an edit that ended its alert to the next evaluation.
    """

    rule_id: str
    is_raised: bool = False
    event_id: str | None = None  # of the event that raised it, or that reminded of it last
    raised_at: datetime | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None


class AlertEventKind(StrEnum):
    """A line of the history."""

    RAISED = "raised"
    CLEARED = "cleared"
    REMINDED = "reminded"  # a snooze ended and the metric is still beyond its threshold
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    CONFIGURED = "configured"
    TEST = "test"
    UNDELIVERED = "undelivered"
    CHANNEL_LOST = "channel_lost"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that happened to an alert; history is only ever added to.

    `value` is the metric's value at the time. `about` is the id of the event that this one answers to: the raise, or
    the last reminder of it, that was acknowledged, cleared, not delivered, or ended by an edit of its rule and raised
    anew; of a test that failed, the test. `covered` is true for an event that is not sent because a more severe one
    of the same kind came with it and tells of both.
    """

    id: str
    portfolio_id: str
    at: datetime
    kind: AlertEventKind
    title: str
    body: str = ""
    rule_id: str | None = None
    metric: AlertMetric | None = None
    severity: AlertSeverity = AlertSeverity.INFO
    threshold: float | None = None
    value: float | None = None
    price: float | None = None
    quote_at: datetime | None = None
    source: str = ""
    is_demo: bool = False
    about: str | None = None
    covered: bool = False


class ChannelKind(StrEnum):
    """A way to the owner: a browser's push service, or anything apprise has an address for (mail, ntfy, ...)."""

    PUSH = "push"
    APPRISE = "apprise"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to the owner. `address` is a secret: a push subscription as JSON, or an apprise URL.

    Channels are tried by `step`: all of the lowest at once, each of a later one its own `wait_minutes` after the step
    before it, unless an acknowledgement or a receipt came. `problem` says why the last message failed; `removed_at`
    is set when it is gone for good.
    """

    id: str
    kind: ChannelKind
    name: str
    address: str = field(repr=False)
    step: int = 0
    wait_minutes: float = 5.0
    is_on: bool = True
    added_at: datetime | None = None
    accepted_at: datetime | None = None  # the last time its service took a message
    confirmed_at: datetime | None = None  # the last receipt
    problem: str | None = None
    removed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 80:
            raise InvalidInput("name", "must have 1 to 80 characters")
        if not 0 <= self.step <= 9:
            raise InvalidInput("step", f"must be between 0 and 9, not {self.step}")
        if not 0 <= finite("wait_minutes", self.wait_minutes) <= 1440:
            raise InvalidInput("wait_minutes", "must be between 0 and 1440")


class DeliveryState(StrEnum):
    """Of one message to one channel.

    WAITING to be sent at `due_at`, or, once `accepted_at` is set, for a receipt until then; ACCEPTED by the channel's
    service; CONFIRMED by a receipt; CANCELLED because it was no longer needed; FAILED for good.
    """

    WAITING = "waiting"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox: one event on its way to one channel. `key` is the same on every repeat."""

    id: str
    event_id: str
    portfolio_id: str
    channel_id: str
    key: str
    step: int
    due_at: datetime
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    accepted_at: datetime | None = None
    confirmed_at: datetime | None = None
    problem: str | None = None

    @property
    def is_unsent(self) -> bool:
        """True while it must still be sent."""
        return self.state is DeliveryState.WAITING and self.accepted_at is None

    @property
    def awaits_receipt(self) -> bool:
        """True when a service took it and a device should still confirm it."""
        return self.state is DeliveryState.WAITING and self.accepted_at is not None

    @property
    def is_accepted(self) -> bool:
        """True when a service took it, whether or not a device confirmed it."""
        return self.accepted_at is not None or self.state in (DeliveryState.ACCEPTED, DeliveryState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` to `ends` in `zone` (IANA) only calls are sent; what else is due waits for the end."""

    begins: time
    ends: time
    zone: str = "America/New_York"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):  # unknown, no name of a zone, or a folder of zones
            raise InvalidInput("zone", "must be a time zone such as Europe/Zurich") from None
        for name in ("begins", "ends"):
            if getattr(self, name).tzinfo is not None:
                raise InvalidInput(name, "must be a time of day such as 22:00; the zone is given beside it")
        if self.begins == self.ends:
            raise InvalidInput("ends", "must be another time than begins")


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """What is watched for a portfolio, and when its owner sleeps.

    `follows_loan` while the rules are the usual ones: they move with the loan's limits.
    """

    rules: tuple[AlertRule, ...]
    quiet: QuietHours | None = None
    follows_loan: bool = False

    def __post_init__(self) -> None:
        if len({rule.id for rule in self.rules}) < len(self.rules):
            raise InvalidInput("rules", "must have an id of their own each")
        if len(self.rules) > MOST_RULES:
            raise InvalidInput("rules", f"must be at most {MOST_RULES}")


def usual_plan(loan: Loan) -> AlertPlan:
    """What is watched until the owner chooses: the loan's own warning, call and close-out LTV, and prices that stay
    away.
    """
    limits = (
        ("warning", loan.warning_ltv, AlertSeverity.WARNING),
        ("call", loan.margin_call_ltv, AlertSeverity.CALL),
        ("close-out", loan.close_out_ltv, AlertSeverity.CALL),
    )
    metrics = (("ltv", AlertMetric.LTV), ("hedged-ltv", AlertMetric.HEDGED_LTV))
    rules = [
        AlertRule(f"{of}-{name}", metric, limit, severity)
        for of, metric in metrics
        for name, limit, severity in limits
    ]
    return AlertPlan((*rules, AlertRule("stale", AlertMetric.STALE_DATA, STALE_MINUTES)), follows_loan=True)


def plan_in_force(kept: AlertPlan | None, loan: Loan) -> AlertPlan:
    """What is watched for a loan, given what is kept: the usual rules at its limits unless the owner has own ones."""
    if kept is None or kept.follows_loan:
        return replace(usual_plan(loan), quiet=None if kept is None else kept.quiet)
    return kept


USUAL_PLAN = usual_plan(Loan(1.0))  # of a loan on usual terms: 70, 75 and 85 %


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules are held against: a value for each metric that is known now, and what it stands on.

    A metric that is not known (no fresh price, no hedge held) is left out: its rules stay as they are.
    `clearing` holds, where it is another one, the value at which a raised rule may be over: None while nothing can
    be called over, and a value of a metric that raises nothing now. `probabilities` is by months. `call_ltv` is the
    loan's own limit: LTV rules at or above it are calls. `is_called`: the lender may call now, as it counts;
    `may_be_called`: it may by an exchange rate that is too old to raise an LTV by.
    """

    at: datetime
    values: Mapping[AlertMetric, float]
    probabilities: Mapping[int, float] = field(default_factory=dict)
    price: float | None = None
    quote_at: datetime | None = None
    source: str = ""
    is_demo: bool = False
    call_ltv: float | None = None
    clearing: Mapping[AlertMetric, float | None] = field(default_factory=dict)
    is_called: bool = False
    may_be_called: bool = False

    def of(self, rule: AlertRule) -> float | None:
        """The value that raises a rule, or None."""
        if rule.metric is AlertMetric.PROBABILITY:
            return _number(self.probabilities.get(rule.months))
        return _number(self.values.get(rule.metric))

    def clears(self, rule: AlertRule) -> float | None:
        """The value that may end what a rule has raised, or None."""
        if rule.metric in self.clearing:
            return _number(self.clearing[rule.metric])
        return self.of(rule)


def _number(found: float | None) -> float | None:
    return found if found is not None and not math.isnan(found) else None
