"""The shapes of alerts: LTVs, probabilities and their thresholds are fractions, prices USD a share, times UTC."""

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from vaultdash.domain.alert import AlertEventKind, AlertMetric, ChannelKind, DeliveryState

SeverityWord = Literal["info", "warning", "call"]
Text = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]
STRICT = ConfigDict(extra="forbid")  # a misspelt name must not leave a loan unwatched


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """A line of the history. `about` is the alert that it answers to; a covered one was told with another."""

    id: str
    portfolio_id: str
    at: datetime
    kind: AlertEventKind
    severity: SeverityWord
    title: str
    body: str
    rule_id: str | None
    metric: AlertMetric | None
    threshold: float | None
    value: float | None
    price: float | None
    quote_at: datetime | None
    source: str
    demo: bool
    about: str | None
    covered: bool


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """A rule with its state. It is armed again at `rearm_at`; `months` is given for a probability only."""

    id: str
    metric: AlertMetric
    threshold: float
    rearm_at: float
    severity: SeverityWord
    months: int | None
    is_on: bool
    words: str
    is_raised: bool
    event_id: str | None
    raised_at: datetime | None
    acknowledged_at: datetime | None
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True)
class QuietAnswer:
    """From `begins` to `ends` on the clocks of `zone` only calls are sent; `until` is set while it is so."""

    begins: str
    ends: str
    zone: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """What is watched. `usual` while the rules are the usual ones, which move with the loan's limits.

    `thresholds` are those on LTV without options, the usual one at the close-out apart.
    """

    portfolio_id: str
    usual: bool
    thresholds: tuple[float, ...]
    rules: tuple[RuleAnswer, ...]
    quiet_hours: QuietAnswer | None


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """A message on its way to one channel. `awaits_receipt`: taken by its service, not yet confirmed by a device."""

    id: str
    channel_id: str
    step: int
    state: DeliveryState
    awaits_receipt: bool
    due_at: datetime
    attempts: int
    accepted_at: datetime | None
    confirmed_at: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class RaisedAnswer:
    """An alert that stands, and where its message is."""

    event: EventAnswer
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    deliveries: tuple[DeliveryAnswer, ...]


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """A way to the owner, without its address, which is a secret. `reaches`: it is on, and leads to a person."""

    id: str
    kind: ChannelKind
    name: str
    step: int
    wait_minutes: float
    is_on: bool
    reaches: bool
    broken: bool
    problem: str | None
    added_at: datetime | None
    accepted_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelsAnswer:
    """All channels by step. `nobody_told`: none of them leads to a person."""

    channels: tuple[ChannelAnswer, ...]
    nobody_told: bool


@dataclass(frozen=True, slots=True)
class AlertsAnswer:
    """How the alerts stand. `undelivered` reached nobody and was not acknowledged since. `doubts` say why it is not
    sure that an alert would come and be told, `remarks` what the plan leaves unwatched.
    """

    portfolio_id: str
    as_of: datetime
    plan: PlanAnswer
    raised: tuple[RaisedAnswer, ...]
    undelivered: tuple[EventAnswer, ...]
    channels: tuple[ChannelAnswer, ...]
    nobody_told: bool
    doubts: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertHistoryAnswer:
    """Newest first; ask again with `before` = `next_before` for older ones, null at the end."""

    portfolio_id: str
    events: tuple[EventAnswer, ...]
    next_before: datetime | None


@dataclass(frozen=True, slots=True)
class TestAnswer:
    """Whether the channel's service took the test message, and why not."""

    channel_id: str
    accepted: bool
    problem: str | None
    event_id: str


@dataclass(frozen=True)
class RuleInput:
    """A rule to watch. Without an id it gets one from what it watches; `rearm` is how far back it is armed again."""

    __pydantic_config__ = STRICT

    metric: AlertMetric
    threshold: Number
    id: Annotated[str, Field(max_length=60)] | None = None
    severity: SeverityWord | None = None
    rearm: Number | None = None
    months: int = 3
    is_on: bool = True


@dataclass(frozen=True)
class QuietInput:
    """Times of day such as 22:00, on the clocks of an IANA zone."""

    __pydantic_config__ = STRICT

    begins: time
    ends: time
    zone: Annotated[str, Field(max_length=60)] = "America/New_York"


@dataclass(frozen=True)
class PlanInput:
    """What to watch. `thresholds` sets the LTV rules, with and without options, and leaves the others and the usual
    rule at the close-out; empty it gives the usual LTV rules. `rules` sets all. `usual` true goes back to all usual
    rules, which move with the loan's limits. `quiet_hours` false means none; what is not given stays. `portfolio` is
    its id, here or in the address; default the current one.
    """

    __pydantic_config__ = STRICT

    thresholds: Annotated[tuple[Number, ...], Field(max_length=20)] | None = None
    rules: Annotated[tuple[RuleInput, ...], Field(max_length=50)] | None = None
    usual: Literal[True] | None = None
    quiet_hours: QuietInput | Literal[False] | None = None
    portfolio: Annotated[str, Field(max_length=40)] | None = None


@dataclass(frozen=True)
class SnoozeInput:
    """For so many minutes, or until a time: one of them."""

    __pydantic_config__ = STRICT

    minutes: Number | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class ChannelInput:
    """A new way to the owner. `address` is an apprise URL, or a push subscription as JSON."""

    __pydantic_config__ = STRICT

    kind: ChannelKind
    name: Text
    address: Annotated[str, Field(max_length=4000, repr=False)] = field(repr=False)
    step: int = 0
    wait_minutes: Number = 5.0


@dataclass(frozen=True)
class ChannelChange:
    """What to change of a channel; what is not given stays."""

    __pydantic_config__ = STRICT

    name: Text | None = None
    address: Annotated[str, Field(max_length=4000)] | None = field(default=None, repr=False)
    step: int | None = None
    wait_minutes: Number | None = None
    is_on: bool | None = None
