"""Looks a database over without changing it: whole, safe, of this layout, and every document readable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.errors import DatabaseError, NotFound
from vaultdash.storage.sql.address import Address
from vaultdash.storage.sql.copying import count_rows
from vaultdash.storage.sql.database import FULL, SqlDatabase
from vaultdash.storage.sql.documents import Documents, plan_documents, portfolio_documents, template_documents
from vaultdash.storage.sql.rows import Statements
from vaultdash.storage.sql.tables import alert_plans, hedge_template_versions, portfolio_changes, portfolios
from vaultdash.storage.sql.upgrade import HEAD

SERVER_SAFETY = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(slots=True)
class Findings:
    """Facts in words, problems in words, and the rows of each table."""

    facts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)


async def check(address: Address) -> Findings:
    """Read all of it; raises NotFound when there is none, DatabaseError when it cannot be opened."""
    if address.file is not None and not address.file.exists():
        raise NotFound(f"There is no database {address.file} yet; `vault-dash serve` makes it")
    findings = Findings()
    database = SqlDatabase(address)
    try:
        layout = await database.layout()
        if layout != HEAD:
            findings.problems.append(
                f"The layout is {layout or 'not made yet'}; `vault-dash db upgrade` makes it {HEAD}"
            )
            return findings
        findings.facts.append(f"layout {layout}")
        async with database.reading_statements() as statements:
            await (_check_file(statements, findings) if address.is_sqlite else _check_server(statements, findings))
            findings.counts = await count_rows(statements)
            await _check_documents(statements, findings)
    finally:
        await database.aclose()
    return findings


async def _check_file(statements: Statements, findings: Findings) -> None:
    mode = await statements.scalar(sa.text("PRAGMA journal_mode"))
    synchronous = await statements.scalar(sa.text("PRAGMA synchronous"))
    findings.facts.append(f"journal_mode {mode}, synchronous {synchronous}")
    if mode != "wal" or synchronous != FULL:
        findings.problems.append(f"What is acknowledged could be lost: wal and synchronous {FULL} are needed")
    async for rows in statements.batches(sa.text("PRAGMA integrity_check(20)")):
        wrong = [row.integrity_check for row in rows if row.integrity_check != "ok"]
        findings.problems += [f"integrity: {line}" for line in wrong]
        if not wrong:
            findings.facts.append("integrity ok")
    async for rows in statements.batches(sa.text("PRAGMA foreign_key_check")):
        findings.problems += [f"integrity: row {row[1]} of {row[0]} refers to nothing in {row[2]}" for row in rows]


async def _check_server(statements: Statements, findings: Findings) -> None:
    findings.facts.append(f"PostgreSQL {await statements.scalar(sa.text('SHOW server_version'))}")
    for name in SERVER_SAFETY:
        value = await statements.scalar(sa.text(f"SHOW {name}"))
        findings.facts.append(f"{name} {value}")
        if value == "off":
            findings.problems.append(f"What is acknowledged could be lost: the server runs with {name} off")
    timescale = await statements.scalar(sa.text("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"))
    findings.facts.append(f"TimescaleDB {timescale}" if timescale else "no TimescaleDB")


async def _check_documents(statements: Statements, findings: Findings) -> None:
    """Every document that is kept, the old ones of the audit trail too."""
    read = 0
    kinds: tuple[tuple[sa.Table, Sequence[sa.Column[Any]], Documents[Any]], ...] = (
        (portfolios, (portfolios.c.document,), portfolio_documents),
        (portfolio_changes, (portfolio_changes.c.before, portfolio_changes.c.after), portfolio_documents),
        (alert_plans, (alert_plans.c.document,), plan_documents),
        (hedge_template_versions, (hedge_template_versions.c.document,), template_documents),
    )
    for table, columns, documents in kinds:
        keys = len(table.primary_key)
        async for rows in statements.batches(sa.select(*table.primary_key, *columns)):
            for row in rows:
                for text in row[keys:]:
                    if text is None:
                        continue
                    read += 1
                    try:
                        documents.unpacked(text)
                    except DatabaseError as error:
                        findings.problems.append(f"{table.name} {' '.join(map(str, row[:keys]))}: {error}")
    findings.facts.append(f"{read:,} documents read")
