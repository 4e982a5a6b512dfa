"""Databento's OPRA files (DBN): definitions, quotes by the minute, open interest and daily bars, together.

Instrument numbers are given out anew each day, so everything is matched by day and number.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from vaultdash.clock import session_close
from vaultdash.domain.errors import InvalidInput
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.opening import DBN, ZSTD, begins_with

PRICE_UNIT = 1e-9
NO_PRICE = 2**63 - 1
NO_QUANTITY = 2**63 - 1
NO_MULTIPLIER = 2**31 - 1
OPEN_INTEREST = 9
ID = ["on", "instrument"]
SNAPSHOTS = {SnapshotKind.CLOSE: timedelta(0), SnapshotKind.BEFORE_CLOSE: timedelta(minutes=15)}
OLDEST_QUOTE = timedelta(minutes=30)  # before the snapshot; an older one tells nothing of that minute
SCHEMAS = ("definition", "cbbo-1m", "statistics", "ohlcv-1d")
FIELDS: Mapping[str, Mapping[str, str]] = {
    "definition": {
        "at": "ts_recv",
        "instrument": "instrument_id",
        "symbol": "raw_symbol",
        "class": "instrument_class",
        "underlying": "underlying",
        "multiplier": "contract_multiplier",
    },
    "cbbo-1m": {
        "at": "ts_recv",
        "instrument": "instrument_id",
        "bid": "bid_px_00",
        "ask": "ask_px_00",
        "bid_size": "bid_sz_00",
        "ask_size": "ask_sz_00",
    },
    "statistics": {"at": "ts_recv", "instrument": "instrument_id", "kind": "stat_type", "quantity": "quantity"},
    "ohlcv-1d": {"at": "ts_event", "instrument": "instrument_id", "high": "high", "low": "low", "volume": "volume"},
}
PRICES = ("bid", "ask", "high", "low")
QUOTE_COLUMNS: Mapping[str, Any] = {
    "on": pl.Date,
    "instrument": pl.UInt32,
    "snapshot_ts": pl.Datetime("us", "UTC"),
    "bid": pl.Float64,
    "ask": pl.Float64,
    "bid_size": pl.UInt32,
    "ask_size": pl.UInt32,
    "snapshot_kind": pl.String,
}
INSTALL = "reading Databento's files needs its library: pip install 'vault-dash[databento]'"


@dataclass(frozen=True, slots=True)
class OpraFiles:
    """What was read of several files: rows for `rows.rows_of`, the number of records, and remarks."""

    raw: pl.DataFrame
    records: int
    remarks: tuple[str, ...]


def is_dbn(path: Path) -> bool:
    """Whether a file is DBN, packed or not."""
    return begins_with(path, DBN) or (begins_with(path, ZSTD) and ".dbn" in path.name.lower())


def read_opra(paths: Sequence[Path]) -> OpraFiles:
    """The snapshots in files that belong together, of any of SCHEMAS; InvalidInput names what cannot be used.

    A snapshot is the last minute with both sides before the close, and before a quarter of an hour to it; a contract
    without such a minute has its last one with one side. Days are those of UTC, which for OPRA are New York's.
    """
    tables: dict[str, list[pl.DataFrame]] = {}
    mappings: list[pl.DataFrame] = []
    for path in paths:
        schema, found, mapping = _read(path)
        tables.setdefault(schema, []).append(found)
        mappings.append(mapping)
    there = {schema: pl.concat(frames) for schema, frames in tables.items()}
    if set(there) == {"definition"}:
        raise InvalidInput(paths[0].name, "defines contracts only; add the cbbo-1m, statistics or ohlcv-1d file")
    base = _base(there)
    for schema, once in (("statistics", _open_interest), ("ohlcv-1d", _bars)):
        if schema in there:
            base = base.join(once(there[schema]), on=ID, how="left")
    named = _named(base, there.get("definition"), pl.concat(mappings)).sort("on", "osi", "snapshot_kind")
    raw = named.with_row_index("line", 1).rename({"on": "quote_date"}).drop("instrument")
    remarks = () if "cbbo-1m" in there else ("no quotes: the files hold what was traded or open, no cbbo-1m",)
    return OpraFiles(raw, sum(frame.height for frame in there.values()), remarks)


def _read(path: Path) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """The schema, the records by day and instrument, and the symbols that the file's own header gives."""
    try:
        import databento
    except ImportError as error:
        raise InvalidInput(path.name, f"cannot be read: {INSTALL}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the library only warns of a file that is cut off
            store = databento.DBNStore.from_file(path)
            schema = str(store.schema)
            if schema not in SCHEMAS:
                raise InvalidInput(path.name, f"holds {schema}; the schemas that are read are {', '.join(SCHEMAS)}")
            return schema, _frame(store.to_ndarray(), schema), _mapping(store.mappings)
    except InvalidInput:
        raise
    except Exception as error:  # the library raises errors of its own, of Rust and of zstd
        raise InvalidInput(path.name, f"is no whole DBN file: {error}; download it again") from error


def _frame(records: Any, schema: str) -> pl.DataFrame:
    """The fields that are used, by UTC day; prices in dollars, null where there is none."""
    frame = pl.DataFrame({ours: _column(records, theirs) for ours, theirs in FIELDS[schema].items()})
    stamps = pl.col("at").cast(pl.Datetime("ns", "UTC")).dt.cast_time_unit("us")
    frame = frame.with_columns(at=stamps).with_columns(on=pl.col("at").dt.date())
    return frame.with_columns(
        pl.when(pl.col(name) != NO_PRICE).then(pl.col(name) * PRICE_UNIT).round(9).alias(name)
        for name in PRICES
        if name in frame.columns
    )


def _column(records: Any, name: str) -> Any:
    """One field of the records; bytes as text."""
    values = records[name]
    return values.astype(str) if values.dtype.kind == "S" else values.copy()


def _mapping(symbols: Mapping[str, Sequence[Mapping[str, Any]]]) -> pl.DataFrame:
    rows = [
        (interval["start_date"], interval["end_date"], int(interval["symbol"]), symbol)
        for symbol, intervals in symbols.items()
        for interval in intervals
        if str(interval["symbol"]).isdigit()
    ]
    columns = {"start": pl.Date, "end": pl.Date, "instrument": pl.UInt32, "mapped": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")


def _base(there: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row for each day, instrument and kind of snapshot; without quotes of a day its rows are of the close."""
    frames = [_snapshot(there["cbbo-1m"], kind) for kind in SNAPSHOTS] if "cbbo-1m" in there else []
    quotes = pl.concat(frames) if frames else pl.DataFrame(schema=QUOTE_COLUMNS)
    others = [there[schema].select(ID) for schema in ("statistics", "ohlcv-1d") if schema in there]
    if not others:
        return quotes
    silent = pl.concat(others).unique().join(quotes, on=ID, how="anti")
    return pl.concat([quotes, silent.with_columns(snapshot_kind=pl.lit(SnapshotKind.CLOSE.value))], how="diagonal")


def _snapshot(minutes: pl.DataFrame, kind: SnapshotKind) -> pl.DataFrame:
    """The last usable minute of each instrument before the time of the snapshot."""
    moments = {on: session_close(on) - SNAPSHOTS[kind] for on in minutes["on"].unique()}
    moment = pl.col("on").replace_strict(moments, return_dtype=pl.Datetime("us", "UTC"))
    sides = pl.col("bid").is_not_null().cast(pl.Int8) + pl.col("ask").is_not_null().cast(pl.Int8)
    return (
        minutes.with_columns(moment=moment, sides=sides)
        .filter(pl.col("sides") > 0, pl.col("at").is_between(pl.col("moment") - OLDEST_QUOTE, pl.col("moment")))
        .sort("sides", "at")
        .group_by(ID, maintain_order=True)
        .last()
        .with_columns(snapshot_kind=pl.lit(kind.value))
        .rename({"at": "snapshot_ts"})
        .select(*QUOTE_COLUMNS)
    )


def _open_interest(statistics: pl.DataFrame) -> pl.DataFrame:
    """Every venue repeats the figure of the session before: one for each instrument."""
    known = pl.col("quantity").is_between(0, NO_QUANTITY, closed="left")
    found = statistics.filter(pl.col("kind") == OPEN_INTEREST, known)
    return found.sort("at").group_by(ID).agg(pl.col("quantity").last().alias("open_interest"))


def _bars(bars: pl.DataFrame) -> pl.DataFrame:
    """Each venue has its own bar: volumes add up, and there is no first or last trade of all of them."""
    return bars.group_by(ID).agg(pl.col("volume").sum(), pl.col("high").max(), pl.col("low").min())


def _named(base: pl.DataFrame, definitions: pl.DataFrame | None, mapping: pl.DataFrame) -> pl.DataFrame:
    """With the OSI symbol of the day, and what the definition says of underlying and multiplier."""
    mapped = (
        base.select(ID)
        .unique()
        .join(mapping.unique(), on="instrument")
        .filter(pl.col("on") >= pl.col("start"), pl.col("end").is_null() | (pl.col("on") < pl.col("end")))
        .unique(ID)
        .select(*ID, "mapped")
    )
    named = base.join(mapped, on=ID, how="left")
    if definitions is None:
        return named.rename({"mapped": "osi"})
    defined = definitions.filter(pl.col("class").is_in(["C", "P"])).sort("at").group_by(ID).last()
    defined = defined.select(
        *ID,
        pl.col("symbol").alias("defined"),
        pl.when(pl.col("underlying").str.len_chars() > 0).then("underlying").alias("underlying"),
        pl.when(pl.col("multiplier").is_between(1, NO_MULTIPLIER, closed="left"))
        .then("multiplier")
        .alias("multiplier"),
    )
    named = named.join(defined, on=ID, how="left")
    return named.with_columns(osi=pl.coalesce("defined", "mapped")).drop("defined", "mapped")
