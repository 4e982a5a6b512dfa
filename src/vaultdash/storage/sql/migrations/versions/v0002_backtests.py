"""The second layout: hedge templates in every version, and backtests with their results."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = "hedge_template_versions"


def upgrade() -> None:
    """Make the tables, and the triggers that keep a version of a template from being changed."""
    _templates()
    _runs()
    _append_only()


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def _templates() -> None:
    op.create_table(
        "hedge_templates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("changed_at", _moment(), nullable=False),
        sa.Column("removed_at", _moment()),
    )
    op.create_table(
        "hedge_template_versions",
        sa.Column("template_id", sa.Text, sa.ForeignKey("hedge_templates.id"), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )


def _runs() -> None:
    op.create_table(
        "backtest_runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("finished_at", _moment()),
        sa.Column("summary", sa.Text),
        sa.Column("problem", sa.Text),
    )
    op.create_index("backtest_runs_by_time", "backtest_runs", ["created_at", "number"])
    op.create_table(
        "backtest_results",
        sa.Column("run_id", sa.Text, sa.ForeignKey("backtest_runs.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "backtest_parts",
        sa.Column("run_id", sa.Text, sa.ForeignKey("backtest_runs.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def _append_only() -> None:
    """The function that refuses on PostgreSQL is there from the first layout."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {APPEND_ONLY}_no_{deed.lower()} BEFORE {deed} ON {APPEND_ONLY} "
                f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY} is only ever added to'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {APPEND_ONLY}_no_change BEFORE UPDATE OR DELETE ON {APPEND_ONLY} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {APPEND_ONLY}_no_truncate BEFORE TRUNCATE ON {APPEND_ONLY} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
