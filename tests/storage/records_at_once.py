"""Years of LTV records, written straight into a SQLite file that the product has made."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.builders import an_ltv_record
from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.storage.sql.rows import row_of
from vaultdash.storage.sql.tables import ltv_snapshots


def write_at_once(file: Path, records: Iterable[LtvRecord]) -> None:
    """One statement for all of them, as thousands one by one take seconds."""
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(sa.insert(ltv_snapshots), [row_of(record) for record in records])
    engine.dispose()


def a_year(until: datetime, portfolio_id: str = "main", hours: int = 8_760) -> list[LtvRecord]:
    """A record an hour up to `until`: LTV in slow waves between 55 and 78 %, two gaps, limits that were changed once,
    and a hedge in the second half that is worth the more the higher LTV is.
    """
    records = []
    for back in range(hours - 1, -1, -1):
        if 0.30 * hours < back < 0.31 * hours or 4000 < back < 4009:
            continue
        done = 1 - back / hours
        ltv = 0.645 + 0.07 * math.sin(9 * done) + 0.03 * math.sin(61 * done) + 0.012 * math.sin(700 * done)
        value = 600_000.0 / ltv
        hedge = max(ltv - 0.60, 0.0) * 400_000.0 if done > 0.5 else 0.0
        at = until - timedelta(hours=back)
        records.append(
            an_ltv_record(
                at,
                ltv,
                portfolio_id,
                kind=RecordKind.HOURLY,
                hedge_value=hedge,
                ltv_after_payment=(600_000.0 - hedge) / value,
                ltv_credited=600_000.0 / (value + hedge),
                warning_ltv=0.70 if done > 0.2 else 0.65,
                market_open=at.weekday() < 5 and 14 <= at.hour < 20,
                source="Yahoo",
            )
        )
    return records
