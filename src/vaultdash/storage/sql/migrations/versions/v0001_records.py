"""The first layout: portfolios, LTV snapshots, alerts with channels and outbox, preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("portfolio_changes", "ltv_snapshots", "alert_events")


def upgrade() -> None:
    """Make the tables, their indexes, and the triggers that keep what was written from being changed."""
    _portfolios()
    _ltv_snapshots()
    _alerts()
    _outbox()
    op.create_table(
        "preferences",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    _append_only()
    if op.get_bind().dialect.name == "postgresql":
        _hypertable()


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def _portfolios() -> None:
    op.create_table(
        "portfolios",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("changed_at", _moment(), nullable=False),
        sa.Column("removed_at", _moment()),
    )
    op.create_table(
        "portfolio_changes",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("portfolio_id", sa.Text, nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("undoes", sa.BigInteger),
    )
    op.create_index("portfolio_changes_by_portfolio", "portfolio_changes", ["portfolio_id", "id"])


def _ltv_snapshots() -> None:
    figures = ("loan_amount", "gold_value", "hedge_value", "ltv", "lender_ltv", "ltv_after_payment", "ltv_credited")
    limits = ("warning_ltv", "margin_call_ltv", "close_out_ltv")
    op.create_table(
        "ltv_snapshots",
        sa.Column("portfolio_id", sa.Text, primary_key=True),
        sa.Column("at", _moment(), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("price", sa.Double, nullable=False),
        sa.Column("quote_at", _moment(), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("is_fresh", sa.Boolean, nullable=False),
        sa.Column("is_demo", sa.Boolean, nullable=False),
        sa.Column("market_open", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in (*figures, *limits)),
    )


def _alerts() -> None:
    op.create_table(
        "alert_plans",
        sa.Column("portfolio_id", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_states",
        sa.Column("portfolio_id", sa.Text, primary_key=True),
        sa.Column("rule_id", sa.Text, primary_key=True),
        sa.Column("is_raised", sa.Boolean, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("raised_at", _moment()),
        sa.Column("acknowledged_at", _moment()),
        sa.Column("snoozed_until", _moment()),
    )
    op.create_table(
        "alert_events",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("portfolio_id", sa.Text, nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text),
        sa.Column("metric", sa.Text),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("threshold", sa.Double),
        sa.Column("value", sa.Double),
        sa.Column("price", sa.Double),
        sa.Column("quote_at", _moment()),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("is_demo", sa.Boolean, nullable=False),
        sa.Column("about", sa.Text),
        sa.Column("covered", sa.Boolean, nullable=False),
    )
    op.create_index("alert_events_by_time", "alert_events", ["at", "number"])
    op.create_index("alert_events_by_portfolio", "alert_events", ["portfolio_id", "at", "number"])


def _outbox() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("wait_minutes", sa.Double, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("added_at", _moment()),
        sa.Column("accepted_at", _moment()),
        sa.Column("confirmed_at", _moment()),
        sa.Column("problem", sa.Text),
        sa.Column("removed_at", _moment()),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, sa.ForeignKey("alert_events.id"), nullable=False),
        sa.Column("portfolio_id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("due_at", _moment(), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("accepted_at", _moment()),
        sa.Column("confirmed_at", _moment()),
        sa.Column("problem", sa.Text),
    )
    op.create_index("outbox_due", "outbox", ["state", "due_at"])
    op.create_index("outbox_by_event", "outbox", ["event_id"])
    op.create_index("outbox_by_channel", "outbox", ["channel_id", "accepted_at"])


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for deed in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _hypertable() -> None:
    """With TimescaleDB the snapshots are stored by time; without it, or when it refuses, they stay a plain table."""
    bind = op.get_bind()
    try:
        with bind.begin_nested():
            offered = sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'")
            if bind.scalar(offered):
                op.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
                op.execute("SELECT create_hypertable('ltv_snapshots', 'at')")
    except sa.exc.DBAPIError:
        return
