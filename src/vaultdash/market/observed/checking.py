"""Whether the store of recorded chains is sound: files unharmed, in form, without twins; and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from vaultdash.clock import MarketHours
from vaultdash.domain.errors import VaultError
from vaultdash.files.whole import StoreUnavailable
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.report import SessionFigures, figures_of, gaps
from vaultdash.market.observed.schema import DamagedSnapshots, require_schema, unpacked
from vaultdash.market.observed.store import ObservedSnapshots


@dataclass(frozen=True, slots=True)
class Series:
    """The sessions of one underlying, source and kind. Shares are fractions of all its contracts.

    `missing` are XNYS sessions between the first and the last without a snapshot, `other_days` days of snapshots on
    which New York did not trade. `dispersion` is the largest of a session, see `report.Parity`; None without pairs.
    """

    underlying: str
    source: str
    kind: SnapshotKind
    first: date
    last: date
    sessions: int
    contracts: int
    two_sided: float
    crossed: float
    dispersion: float | None
    missing: tuple[date, ...]
    other_days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """How many files were read, a sentence for each that is damaged, and the series in the sound ones.

    `aside` are damaged files that were kept beside new ones.
    """

    files: int
    problems: tuple[str, ...]
    series: tuple[Series, ...]
    aside: tuple[Path, ...]


def check_store(store: ObservedSnapshots, hours: MarketHours, underlying: str | None = None) -> StoreCheck:
    """Read everything; blocking, some ten milliseconds a file."""
    problems: list[str] = []
    figures: list[SessionFigures] = []
    count = 0
    for symbol, on, path in store.files(underlying):
        count += 1
        try:
            figures += _figures(symbol, on, path)
        except VaultError as error:
            problems.append(str(error))
    aside = tuple(sorted(store.folder.glob("underlying=*/year=*/*.corrupt-*")))
    return StoreCheck(count, tuple(problems), tuple(_series(figures, hours)), aside)


def _figures(symbol: str, on: date, path: Path) -> list[SessionFigures]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreUnavailable(path, "read", error) from error
    try:
        rows = unpacked(content, symbol, on, path)
    except pl.exceptions.PolarsError as error:  # sealed by us and yet without our columns
        raise DamagedSnapshots(f"{path} cannot be read: {error}") from error
    try:
        require_schema(rows)
    except VaultError as error:
        raise DamagedSnapshots(f"{path}: {error}") from error
    if rows.filter((pl.col("underlying") != symbol) | (pl.col("quote_date") != on)).height:
        raise DamagedSnapshots(f"{path} holds rows of another symbol or day")
    return figures_of(rows)


def _series(figures: Sequence[SessionFigures], hours: MarketHours) -> list[Series]:
    groups: dict[tuple[str, str, SnapshotKind], list[SessionFigures]] = {}
    for line in figures:
        groups.setdefault((line.underlying, line.source, line.kind), []).append(line)
    found = []
    for (underlying, source, kind), lines in sorted(groups.items()):
        days = {line.on for line in lines}
        missing, other = gaps(days, hours)
        contracts = sum(line.contracts for line in lines)
        dispersions = [line.parity.dispersion for line in lines if line.parity is not None]
        found.append(
            Series(
                underlying,
                source,
                kind,
                min(days),
                max(days),
                len(lines),
                contracts,
                sum(line.two_sided * line.contracts for line in lines) / contracts,
                sum(line.crossed * line.contracts for line in lines) / contracts,
                max(dispersions, default=None),
                tuple(missing),
                tuple(other),
            )
        )
    return found
