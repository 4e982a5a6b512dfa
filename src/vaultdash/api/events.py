"""The messages of `/ws/updates`: each says its type and version first, and the moment it is of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from vaultdash.api.alert_answers import event_answer
from vaultdash.api.alert_schemas import EventAnswer
from vaultdash.api.answers import quote_answer
from vaultdash.api.backtest_answers import run_answer
from vaultdash.api.backtest_schemas import RunAnswer
from vaultdash.api.schemas import QuoteAnswer
from vaultdash.domain.alert import AlertEvent
from vaultdash.domain.record import StoredRun
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Health

PORTFOLIO_UPDATE, QUOTE, ALERT, HEALTH = "portfolio_update", "quote", "alert", "health"
BACKTEST_UPDATE = "backtest_update"
VERSION = 1
BEGIN = '{"type":"'  # of every message, as its type is its first field


def type_of(message: str) -> str:
    """The type of an encoded message, read from its beginning; empty when it is none of ours."""
    if not message.startswith(BEGIN):
        return ""
    return message[len(BEGIN) : message.find('"', len(BEGIN))]


@dataclass(frozen=True, slots=True)
class QuoteUpdate:
    """A new price of a symbol that values a portfolio, or the same one that has become stale."""

    type: Literal["quote"]
    version: Literal[1]
    as_of: datetime
    symbol: str
    quote: QuoteAnswer


@dataclass(frozen=True, slots=True)
class AlertUpdate:
    """A line of the alert history, when it was written."""

    type: Literal["alert"]
    version: Literal[1]
    as_of: datetime
    event: EventAnswer


@dataclass(frozen=True, slots=True)
class HealthUpdate:
    """How the house is, as `/health` says it."""

    type: Literal["health"]
    version: Literal[1]
    as_of: datetime
    status: str
    environment: str
    release: str
    market: str
    redis_enabled: bool
    dependencies: dict[str, str]
    quote_age_seconds: float | None
    not_ready: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BacktestUpdate:
    """A backtest that was begun, got on or ended. `recent` are those that changed last, the newest change first: what
    a slow client missed of one is in the next message about another.
    """

    type: Literal["backtest_update"]
    version: Literal[1]
    as_of: datetime
    run: RunAnswer
    recent: tuple[RunAnswer, ...]


def quote_update(symbol: str, status: QuoteStatus, now: datetime) -> QuoteUpdate:
    """A price as it is told."""
    return QuoteUpdate("quote", 1, now, symbol, quote_answer(status))


def alert_update(event: AlertEvent, now: datetime) -> AlertUpdate:
    """An event of the alert history as it is told."""
    return AlertUpdate("alert", 1, now, event_answer(event))


def backtest_update(run: StoredRun, recent: Sequence[StoredRun], now: datetime) -> BacktestUpdate:
    """A run as it is told, with the others that changed last."""
    return BacktestUpdate("backtest_update", 1, now, run_answer(run), tuple(run_answer(each) for each in recent))


def health_update(health: Health, now: datetime) -> HealthUpdate:
    """The state of the house as it is told; `release` is the product's version."""
    return HealthUpdate(
        type="health",
        version=1,
        as_of=now,
        status=health.status,
        environment=health.environment,
        release=health.version,
        market=health.market,
        redis_enabled=health.redis_enabled,
        dependencies=health.dependencies,
        quote_age_seconds=health.quote_age_seconds,
        not_ready=health.not_ready,
    )
