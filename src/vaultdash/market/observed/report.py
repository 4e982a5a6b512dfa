"""What an import brought: rows taken and not, sessions covered, and whether the quotes fit each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from vaultdash.clock import CALENDAR_START, MarketHours
from vaultdash.domain.option import QuoteFlag
from vaultdash.market.base import SnapshotKind, SnapshotMerge
from vaultdash.market.observed.flags import CROSSED, MID, TWO_SIDED
from vaultdash.market.observed.opening import RejectedLine
from vaultdash.market.observed.rows import Reading

NEAR_MONEY = 0.03  # |C - P| against the strike, which is |S - K| but for the interest
FEWEST_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Parity:
    """How well calls and puts of one snapshot agree, USD a share, from `pairs` near the money.

    `dispersion` is the median distance of K + C - P from its median in the expiration: what the quotes themselves
    contradict each other. `residual` is the median of (C - P) - (S - K), parity at a rate of zero: what is left is
    interest, and the early exercise of the put. `carry` is that as a rate a year, the median of (F / S - 1) / T.
    The last two are None without a price of the underlying.
    """

    pairs: int
    dispersion: float
    residual: float | None
    carry: float | None


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """One snapshot. Shares are fractions of its contracts, DTE calendar days."""

    underlying: str
    on: date
    kind: SnapshotKind
    source: str
    contracts: int
    expirations: int
    shortest_dte: int
    longest_dte: int
    two_sided: float
    crossed: float
    adjusted: int
    underlying_price: float | None
    parity: Parity | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file, or of several that were read together."""

    names: tuple[str, ...]
    format: str
    rows_read: int
    kept: int
    reasons: Mapping[str, int]  # against rows, with how often
    rejected: tuple[RejectedLine, ...]
    remarks: tuple[str, ...]
    sessions: tuple[SessionFigures, ...]
    missing_sessions: tuple[date, ...]  # XNYS sessions between the first and the last day without a row
    other_days: tuple[date, ...]  # days with rows on which New York did not trade
    stored: SnapshotMerge

    @property
    def rejected_count(self) -> int:
        """Rows that were not taken."""
        return sum(self.reasons.values())


def report_of(
    names: Sequence[str], layout: str, reading: Reading, stored: SnapshotMerge, hours: MarketHours
) -> ImportReport:
    """The report on a reading that was stored."""
    figures = figures_of(reading.rows)
    days = {line.on for line in figures}
    missing, other = gaps(days, hours)
    return ImportReport(
        tuple(names),
        layout,
        reading.rows_read,
        reading.rows.height,
        reading.reasons,
        reading.rejected,
        reading.remarks,
        tuple(figures),
        tuple(missing),
        tuple(other),
        stored,
    )


def gaps(days: set[date], hours: MarketHours) -> tuple[list[date], list[date]]:
    """Sessions without a row between the first and last day, and days that were no session."""
    known = {on for on in days if on >= date.fromisoformat(CALENDAR_START)}
    if not known:
        return [], []
    trading = set(hours.sessions(min(known), max(known)))
    return sorted(trading - known), sorted(known - trading)


def figures_of(rows: pl.DataFrame) -> list[SessionFigures]:
    """The figures of each snapshot in rows of `option_eod`, by underlying, day, kind and source."""
    snapshot = ["underlying", "quote_date", "snapshot_kind", "source"]
    life = (pl.col("expiration") - pl.col("quote_date")).dt.total_days()
    groups = (
        rows.group_by(snapshot)
        .agg(
            pl.len().alias("contracts"),
            pl.col("expiration").n_unique().alias("expirations"),
            life.min().alias("shortest"),
            life.max().alias("longest"),
            TWO_SIDED.fill_null(False).mean().alias("two_sided"),
            CROSSED.fill_null(False).mean().alias("crossed"),
            ((pl.col("flags") & int(QuoteFlag.ADJUSTED)) != 0).sum().alias("adjusted"),
            pl.col("underlying_price").median().alias("price"),
        )
        .sort(snapshot)
    )
    parities = _parities(rows, snapshot)
    return [
        SessionFigures(
            row["underlying"],
            row["quote_date"],
            SnapshotKind(row["snapshot_kind"]),
            row["source"],
            row["contracts"],
            row["expirations"],
            row["shortest"],
            row["longest"],
            row["two_sided"],
            row["crossed"],
            row["adjusted"],
            row["price"],
            parities.get(tuple(row[name] for name in snapshot)),
        )
        for row in groups.iter_rows(named=True)
    ]


def _parities(rows: pl.DataFrame, snapshot: list[str]) -> dict[tuple[object, ...], Parity]:
    adjusted = (pl.col("flags") & int(QuoteFlag.ADJUSTED)) != 0
    mids = rows.filter(TWO_SIDED, ~adjusted).select(
        *snapshot, "expiration", "strike", "right", "underlying_price", MID.alias("mid")
    )
    calls, puts = mids.filter(pl.col("right") == "C"), mids.filter(pl.col("right") == "P")
    on = [*snapshot, "expiration", "strike"]
    life = (pl.col("expiration") - pl.col("quote_date")).dt.total_days() / 365
    difference = pl.col("mid") - pl.col("mid_put")
    forward, spot = pl.col("strike") + difference, pl.col("underlying_price")
    pairs = (
        calls.join(puts.select(*on, pl.col("mid").alias("mid_put")), on=on)
        .filter(difference.abs() <= NEAR_MONEY * pl.col("strike"), life > 0)
        .with_columns(forward=forward, residual=forward - spot, carry=(forward / spot - 1) / life)
        .with_columns(
            pairs=pl.len().over(*snapshot, "expiration"),
            middle=pl.col("forward").median().over(*snapshot, "expiration"),
        )
        .filter(pl.col("pairs") >= FEWEST_PAIRS)
    )
    figures = pairs.group_by(snapshot).agg(
        pl.len().alias("pairs"),
        (pl.col("forward") - pl.col("middle")).abs().median().alias("dispersion"),
        pl.col("residual").median(),
        pl.col("carry").median(),
    )
    return {
        tuple(row[name] for name in snapshot): Parity(row["pairs"], row["dispersion"], row["residual"], row["carry"])
        for row in figures.iter_rows(named=True)
    }
