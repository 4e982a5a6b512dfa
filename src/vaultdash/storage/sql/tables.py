"""The tables: what each column holds, the same on SQLite and PostgreSQL."""

import math
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

TIME_LENGTH = len("2026-06-10T16:00:00.000000Z")


class Moment(TypeDecorator[datetime]):
    """An aware time, read back in UTC to the microsecond; in SQLite as text that sorts like the time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Text in SQLite, which knows no times."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(TIME_LENGTH))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """A time without a zone is refused: nobody knows when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} must say its zone")
        moment = value.astimezone(UTC)
        if dialect.name != "sqlite":
            return moment
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """In UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text. NUL and halves of surrogate pairs, which PostgreSQL or UTF-8 cannot hold, become U+FFFD on both."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """What both databases can hold."""
        if value is None:
            return None
        text = str(value).replace("\0", "\ufffd")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Figure(TypeDecorator[float]):
    """A float, bit by bit; only -0.0 becomes 0.0. What is not a number is refused on both."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: sa.Dialect) -> float | None:
        """As a float."""
        if value is None:
            return None
        if math.isnan(value):
            raise ValueError("a figure is not a number")
        return float(value) + 0.0


metadata = sa.MetaData()

portfolios = sa.Table(
    "portfolios",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),  # in the order in which they were made
    sa.Column("document", Words, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),
)

portfolio_changes = sa.Table(
    "portfolio_changes",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("portfolio_id", Words, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", Words, nullable=False),
    sa.Column("what", Words, nullable=False),
    sa.Column("before", Words),
    sa.Column("after", Words),
    sa.Column("undoes", sa.BigInteger),
    sa.Index("portfolio_changes_by_portfolio", "portfolio_id", "id"),
)

ltv_snapshots = sa.Table(
    "ltv_snapshots",
    metadata,
    sa.Column("portfolio_id", Words, primary_key=True),
    sa.Column("at", Moment, primary_key=True),
    sa.Column("kind", Words, primary_key=True),
    sa.Column("price", Figure, nullable=False),
    sa.Column("quote_at", Moment, nullable=False),
    sa.Column("source", Words, nullable=False),
    sa.Column("is_fresh", sa.Boolean, nullable=False),
    sa.Column("is_demo", sa.Boolean, nullable=False),
    sa.Column("market_open", sa.Boolean, nullable=False),
    sa.Column("loan_amount", Figure, nullable=False),
    sa.Column("gold_value", Figure, nullable=False),
    sa.Column("hedge_value", Figure, nullable=False),
    sa.Column("ltv", Figure, nullable=False),
    sa.Column("lender_ltv", Figure, nullable=False),
    sa.Column("ltv_after_payment", Figure, nullable=False),
    sa.Column("ltv_credited", Figure, nullable=False),
    sa.Column("warning_ltv", Figure, nullable=False),
    sa.Column("margin_call_ltv", Figure, nullable=False),
    sa.Column("close_out_ltv", Figure, nullable=False),
)

alert_plans = sa.Table(
    "alert_plans",
    metadata,
    sa.Column("portfolio_id", Words, primary_key=True),
    sa.Column("document", Words, nullable=False),
)

alert_states = sa.Table(
    "alert_states",
    metadata,
    sa.Column("portfolio_id", Words, primary_key=True),
    sa.Column("rule_id", Words, primary_key=True),
    sa.Column("is_raised", sa.Boolean, nullable=False),
    sa.Column("event_id", Words),
    sa.Column("raised_at", Moment),
    sa.Column("acknowledged_at", Moment),
    sa.Column("snoozed_until", Moment),
)

alert_events = sa.Table(
    "alert_events",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # in the order of writing
    sa.Column("id", Words, nullable=False, unique=True),
    sa.Column("portfolio_id", Words, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", Words, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("body", Words, nullable=False),
    sa.Column("rule_id", Words),
    sa.Column("metric", Words),
    sa.Column("severity", sa.Integer, nullable=False),
    sa.Column("threshold", Figure),
    sa.Column("value", Figure),
    sa.Column("price", Figure),
    sa.Column("quote_at", Moment),
    sa.Column("source", Words, nullable=False),
    sa.Column("is_demo", sa.Boolean, nullable=False),
    sa.Column("about", Words),
    sa.Column("covered", sa.Boolean, nullable=False),
    sa.Index("alert_events_by_time", "at", "number"),
    sa.Index("alert_events_by_portfolio", "portfolio_id", "at", "number"),
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("kind", Words, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("address", Words, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("wait_minutes", Figure, nullable=False),
    sa.Column("is_on", sa.Boolean, nullable=False),
    sa.Column("added_at", Moment),
    sa.Column("accepted_at", Moment),
    sa.Column("confirmed_at", Moment),
    sa.Column("problem", Words),
    sa.Column("removed_at", Moment),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("event_id", Words, sa.ForeignKey("alert_events.id"), nullable=False),
    sa.Column("portfolio_id", Words, nullable=False),
    sa.Column("channel_id", Words, sa.ForeignKey("channels.id"), nullable=False),
    sa.Column("key", Words, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("accepted_at", Moment),
    sa.Column("confirmed_at", Moment),
    sa.Column("problem", Words),
    sa.Index("outbox_due", "state", "due_at"),
    sa.Index("outbox_by_event", "event_id"),
    sa.Index("outbox_by_channel", "channel_id", "accepted_at"),
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("value", Words, nullable=False),
)

hedge_templates = sa.Table(
    "hedge_templates",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),  # in the order in which they were made
    sa.Column("version", sa.BigInteger, nullable=False),  # the newest
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),
)

hedge_template_versions = sa.Table(
    "hedge_template_versions",
    metadata,
    sa.Column("template_id", Words, sa.ForeignKey("hedge_templates.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("document", Words, nullable=False),
)

backtest_runs = sa.Table(
    "backtest_runs",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),  # in the order in which they were made
    sa.Column("kind", Words, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("request", Words, nullable=False),
    sa.Column("progress", Figure, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("summary", Words),
    sa.Column("problem", Words),
    sa.Index("backtest_runs_by_time", "created_at", "number"),
)

backtest_results = sa.Table(
    "backtest_results",
    metadata,
    sa.Column("run_id", Words, sa.ForeignKey("backtest_runs.id"), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

backtest_parts = sa.Table(
    "backtest_parts",
    metadata,
    sa.Column("run_id", Words, sa.ForeignKey("backtest_runs.id"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

APPEND_ONLY = ("portfolio_changes", "ltv_snapshots", "alert_events", "hedge_template_versions")
