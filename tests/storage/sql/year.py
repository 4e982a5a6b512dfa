"""A year of records: portfolios, a snapshot every hour, hundreds of changes, alerts, templates and backtests."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.builders import a_portfolio
from tests.storage.sql.records import a_channel, a_delivery, a_run, a_state, a_template, an_event, an_ltv_record
from vaultdash.domain.alert import USUAL_PLAN, DeliveryState
from vaultdash.domain.record import RecordKind
from vaultdash.storage.records import Transaction
from vaultdash.storage.sql import SqlDatabase
from vaultdash.storage.sql.copying import TABLES, count_rows
from vaultdash.storage.sql.rows import row_of

BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
PORTFOLIOS = ("main", "größe-im-namen".replace("ö", "o").replace("ß", "ss"))


@dataclass(frozen=True, slots=True)
class Year:
    """How much of it; `seed` makes it the same again."""

    hours: int = 8760
    seed: int = 7

    @property
    def crossings(self) -> int:
        """Raised and cleared alerts, with a snapshot each."""
        return max(self.hours // 40, 2)

    @property
    def changes(self) -> int:
        """Of the portfolios after they were made."""
        return max(self.hours // 20, 4)


async def write_a_year(database: SqlDatabase, year: Year) -> dict[str, int]:
    """Write it; how many rows each table has then."""
    chance = random.Random(year.seed)
    ltv = next(table for table in TABLES if table.name == "ltv_snapshots")
    async with database.transaction() as tx:
        for name in PORTFOLIOS:
            await tx.portfolios.put(replace(a_portfolio(), id=name, name=f"Crédit «{name}»"), BEGIN, "start", "made")
            await tx.alerts.put_plan(name, USUAL_PLAN)
        for number in range(year.changes):
            at = BEGIN + timedelta(seconds=number * 70_000, microseconds=chance.randrange(10**6))
            loan = 600_000 * chance.uniform(0.5, 1.1)
            name = chance.choice(PORTFOLIOS)
            changed = replace(a_portfolio(loan=loan, currency="CHF"), id=name, lender="Bank „Zürich“ 🏦")
            await tx.portfolios.put(changed, at, chance.choice(["page", "api"]), f"loan {loan!r}")
        for number in range(3):
            await tx.alerts.put_channel(a_channel(number, step=number))
        for number in range(year.crossings):
            at = BEGIN + timedelta(hours=chance.uniform(0, year.hours))
            await tx.ltv.add(an_ltv_record(at, RecordKind.CROSSING, ltv=chance.random()))
            await tx.alerts.add_event(an_event(number, at, value=chance.random(), body=f"line\n{chance.random()}"))
            sent = a_delivery(number, event_id=f"event-{number}", channel_id=f"channel-{number % 3}", due_at=at)
            await tx.alerts.add_delivery(replace(sent, state=DeliveryState.CONFIRMED, confirmed_at=at))
            await tx.alerts.put_state(chance.choice(PORTFOLIOS), a_state(raised_at=at))
        await tx.preferences.put("current_portfolio", "main")
        await _templates_and_runs(tx, random.Random(year.seed + 1))
    rows = [
        an_ltv_record(
            BEGIN + timedelta(hours=hour, microseconds=chance.randrange(10**6)),
            portfolio_id=name,
            price=chance.uniform(300, 500),
            ltv=chance.random(),
            ltv_credited=chance.random(),
            hedge_value=chance.expovariate(1e-4),
            market_open=chance.random() < 0.2,
        )
        for hour in range(year.hours)
        for name in PORTFOLIOS
    ]
    async with database.writing_statements() as statements:
        await statements.add_rows(ltv, [row_of(record) for record in rows])
        return await count_rows(statements)


async def _templates_and_runs(tx: Transaction, chance: random.Random) -> None:
    for number in range(12):
        at = BEGIN + timedelta(hours=number, microseconds=chance.randrange(10**6))
        own = a_template(id=f"own-{number % 3}", coverage=chance.uniform(0.1, 1.0))
        await tx.templates.put(own, at, expected_version=number // 3)
        await tx.runs.put(a_run(number, created_at=at, progress=chance.random(), finished_at=at, summary="{}"))
        await tx.runs.put_result(f"run-{number}", chance.randbytes(5000))
        for part in range(3):
            await tx.runs.put_part(f"run-{number}", part, chance.randbytes(200))
    await tx.templates.remove("own-1", BEGIN)
