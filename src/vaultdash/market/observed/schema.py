"""`option_eod` v1: the columns of a recorded chain, and a day of them as the bytes of a Parquet file, and back."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from vaultdash.domain.errors import InvalidInput, Refused, Unavailable
from vaultdash.files.seal import BLANK_SEAL, SEAL_KEY, is_intact, sealed
from vaultdash.market.base import SnapshotKind

if TYPE_CHECKING:
    import polars as pl

SCHEMA_NAME, SCHEMA_VERSION = "option_eod", "1"
NAME_KEY, VERSION_KEY = "vaultdash.schema_name", "vaultdash.schema"
SYMBOL_KEY, DAY_KEY, CONTENTS_KEY = "vaultdash.symbol", "vaultdash.quote_date", "vaultdash.contents"

# Column -> type. Nulls are what the source does not say; 0.0 is a real zero bid.
COLUMNS: Mapping[str, str] = {
    "underlying": "string",
    "root": "string",
    "osi": "string",  # 21 characters
    "quote_date": "date",
    "snapshot_ts": "instant",
    "snapshot_kind": "string",
    "expiration": "date",
    "strike": "float64",
    "strike_milli": "int32",
    "right": "string",  # C or P
    "multiplier": "int32",
    "exercise": "string",
    "bid": "float64",
    "ask": "float64",
    "bid_size": "int32",
    "ask_size": "int32",
    "last": "float64",
    "open": "float64",
    "high": "float64",
    "low": "float64",
    "volume": "int64",
    "open_interest": "int64",
    "oi_asof": "date",
    "price_basis": "string",  # quote, trade or model
    "underlying_price": "float64",
    "underlying_basis": "string",
    "iv_vendor": "float64",
    "delta_vendor": "float64",
    "gamma_vendor": "float64",
    "theta_vendor": "float64",
    "vega_vendor": "float64",
    "rho_vendor": "float64",
    "greek_convention": "string",
    "rate": "float64",
    "div_yield": "float64",
    "source": "string",
    "source_file_sha256": "string",
    "flags": "int32",
}
KEY = ("source", "snapshot_kind", "quote_date", "root", "expiration", "strike_milli", "right")
NEVER_NULL = (*KEY, "underlying", "osi", "strike", "multiplier", "flags")


class DamagedSnapshots(Unavailable):
    """A stored day of chains that cannot be read; nothing in it is used."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A line of the inventory: the chains of one underlying, day, source and kind of snapshot."""

    underlying: str
    on: date
    source: str
    kind: SnapshotKind
    contracts: int
    expirations: int
    first_expiration: date
    last_expiration: date


def dtypes() -> "dict[str, pl.DataType]":
    """The polars type of each column, in order."""
    import polars as pl  # slow to import, and not needed before the first chain

    known: dict[str, pl.DataType] = {
        "string": pl.String(),
        "date": pl.Date(),
        "instant": pl.Datetime("us", "UTC"),
        "float64": pl.Float64(),
        "int32": pl.Int32(),
        "int64": pl.Int64(),
    }
    return {name: known[kind] for name, kind in COLUMNS.items()}


def require_schema(frame: "pl.DataFrame") -> None:
    """Refuse a frame that is not `option_eod`: other columns or types, no value where one must be, twins."""
    expected, given = dtypes(), dict(frame.schema)
    if list(given.items()) != list(expected.items()):
        wrong = [name for name in (*expected, *given) if expected.get(name) != given.get(name)] or ["their order"]
        raise InvalidInput("columns", f"must be those of {SCHEMA_NAME} v{SCHEMA_VERSION}; wrong: {', '.join(wrong)}")
    empty = [name for name in NEVER_NULL if frame[name].null_count()]
    if empty:
        raise InvalidInput("rows", f"must have a value in {', '.join(empty)}")
    if frame.select(KEY).is_duplicated().any():
        raise InvalidInput("rows", "must hold each contract of a snapshot once")


def packed(frame: "pl.DataFrame", symbol: str, on: date) -> bytes:
    """A sealed Parquet file (zstd) of one day's rows; the inventory of it stands in the metadata."""
    file = io.BytesIO()
    lines = [
        (
            line.source,
            line.kind,
            line.contracts,
            line.expirations,
            str(line.first_expiration),
            str(line.last_expiration),
        )
        for line in contents(frame)
    ]
    metadata = {
        NAME_KEY: SCHEMA_NAME,
        VERSION_KEY: SCHEMA_VERSION,
        SYMBOL_KEY: symbol,
        DAY_KEY: on.isoformat(),
        CONTENTS_KEY: json.dumps(lines),
        SEAL_KEY: BLANK_SEAL,
    }
    frame.write_parquet(file, compression="zstd", metadata=metadata)
    return sealed(file.getvalue())


def unpacked(content: bytes, symbol: str, on: date, path: Path) -> "pl.DataFrame":
    """The rows of a file; DamagedSnapshots when it cannot be trusted, Refused when a later release wrote it."""
    import polars as pl

    _trusted_metadata(content, symbol, on, path)
    return pl.read_parquet(io.BytesIO(content), columns=list(COLUMNS))


def unpacked_contents(content: bytes, symbol: str, on: date, path: Path) -> list[StoredSession]:
    """The inventory of a file, without reading its rows; errors as for `unpacked`."""
    lines = json.loads(_trusted_metadata(content, symbol, on, path)[CONTENTS_KEY])
    return [
        StoredSession(
            symbol,
            on,
            source,
            SnapshotKind(kind),
            contracts,
            days,
            date.fromisoformat(first),
            date.fromisoformat(last),
        )
        for source, kind, contracts, days, first, last in lines
    ]


def contents(frame: "pl.DataFrame") -> list[StoredSession]:
    """The inventory of rows, by underlying, day, kind and source."""
    import polars as pl

    groups = (
        frame.group_by("underlying", "quote_date", "source", "snapshot_kind")
        .agg(
            pl.len().alias("contracts"),
            pl.col("expiration").n_unique().alias("expirations"),
            pl.col("expiration").min().alias("first"),
            pl.col("expiration").max().alias("last"),
        )
        .sort("underlying", "quote_date", "snapshot_kind", "source")
    )
    return [
        StoredSession(underlying, on, source, SnapshotKind(kind), contracts, days, first, last)
        for underlying, on, source, kind, contracts, days, first, last in groups.iter_rows()
    ]


def _trusted_metadata(content: bytes, symbol: str, on: date, path: Path) -> Mapping[str, str]:
    import polars as pl

    if not is_intact(content):
        raise DamagedSnapshots(
            f"The recorded chains {path} are damaged or not from Vault Dashboard and are not used; "
            "import them again (the damaged file is then kept beside the new one), or restore a backup"
        )
    metadata = pl.read_parquet_metadata(io.BytesIO(content))
    if metadata.get(NAME_KEY) != SCHEMA_NAME:
        raise DamagedSnapshots(f"{path} holds no recorded chains; remove it")
    if metadata.get(VERSION_KEY) != SCHEMA_VERSION:
        raise Refused(
            f"The recorded chains {path} were written by a later release of Vault Dashboard; use that release"
        )
    if (metadata.get(SYMBOL_KEY), metadata.get(DAY_KEY)) != (symbol, on.isoformat()):
        raise DamagedSnapshots(
            f"The recorded chains {path} are of {metadata.get(SYMBOL_KEY)} on {metadata.get(DAY_KEY)}, "
            f"not of {symbol} on {on}; rename or remove the file"
        )
    return metadata
