"""The layouts of text files that are known: which columns tell one, and what its columns are called here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from vaultdash.clock import session_close
from vaultdash.domain.errors import InvalidInput
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.cells import EASTERN, day
from vaultdash.market.observed.opening import Table

Raw = Callable[[Table], pl.DataFrame]
GREEKS = ("delta", "gamma", "theta", "vega", "rho")


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: the columns that it must have, and how its cells become the columns of `rows.rows_of`."""

    format: str  # what the owner calls it
    source: str  # what the rows are called
    needs: tuple[str, ...]
    raw: Raw
    zero_iv_is_missing: bool = False

    def missing(self, table: Table) -> list[str]:
        """The columns a table lacks to have this layout."""
        return [name for name in self.needs if name not in table.header]


def renamed(table: Table, columns: Mapping[str, str], **constants: str | None) -> pl.DataFrame:
    """The columns of a table that are there under our names, and constants."""
    there = [pl.col(theirs).alias(ours) for ours, theirs in columns.items() if theirs in table.header]
    return table.rows.select("line", *there, *(pl.lit(value).alias(name) for name, value in constants.items()))


# ThetaData: a report of the last quotes at 17:15. Zeros stand for what is missing.

_THETA_KEY = {"underlying": "symbol", "expiration": "expiration", "strike": "strike", "right": "right"}
_THETA_QUOTE = {
    **_THETA_KEY,
    **{name: name for name in ("bid", "ask", "bid_size", "ask_size", "open", "high", "low", "volume")},
    "last": "close",
}


def _theta_eod(table: Table) -> pl.DataFrame:
    columns = {**_THETA_QUOTE, "quote_date": "created", "snapshot_ts": "created", "last_trade": "last_trade"}
    return renamed(table, columns, snapshot_kind=SnapshotKind.REPORT)


def _theta_greeks(table: Table) -> pl.DataFrame:
    greeks = {"iv_vendor": "implied_vol", **{f"{name}_vendor": name for name in GREEKS}}
    columns = {
        **_THETA_QUOTE,
        **greeks,
        "quote_date": "timestamp",
        "snapshot_ts": "timestamp",
        "iv_error": "iv_error",
        "underlying_price": "underlying_price",
    }
    raw = renamed(table, columns, snapshot_kind=SnapshotKind.REPORT, underlying_basis="vendor")
    if "underlying_price" not in raw.columns:
        return raw
    without_price = (pl.col("underlying_price").cast(pl.Float64, strict=False) == 0).fill_null(False)
    fitted = [name for name in greeks if name in raw.columns]
    return raw.with_columns(pl.when(~without_price).then(pl.col(name)).alias(name) for name in fitted)


def _theta_interest(table: Table) -> pl.DataFrame:
    columns = {**_THETA_KEY, "quote_date": "timestamp", "open_interest": "open_interest"}
    return renamed(table, columns, snapshot_kind=SnapshotKind.REPORT)


# Cboe DataShop: each row holds the quote a quarter of an hour before the close, and the one at the close.


def _cboe(table: Table) -> pl.DataFrame:
    contract = {
        "underlying": "underlying_symbol",
        "root": "root",
        "quote_date": "quote_date",
        "expiration": "expiration",
        "strike": "strike",
        "right": "option_type",
        "open_interest": "open_interest",
    }
    # What traded in the whole day belongs to the close: at 15:45 nobody knew it.
    of_the_day = {"open": "open", "high": "high", "low": "low", "last": "close", "volume": "trade_volume"}
    fitted = {"iv_vendor": "implied_volatility_1545", **{f"{name}_vendor": f"{name}_1545" for name in GREEKS}}
    early = _cboe_kind(table, {**contract, **fitted}, "1545", SnapshotKind.BEFORE_CLOSE)
    late = _cboe_kind(table, {**contract, **of_the_day}, "eod", SnapshotKind.CLOSE)
    return pl.concat([early, late], how="diagonal")


def _cboe_kind(table: Table, columns: Mapping[str, str], end: str, kind: SnapshotKind) -> pl.DataFrame:
    sides = {name: f"{name}_{end}" for name in ("bid", "ask", "bid_size", "ask_size")}
    raw = renamed(table, {**columns, **sides}, snapshot_kind=kind)
    cells = table.rows

    def price(name: str) -> pl.Expr:
        found = pl.col(name).cast(pl.Float64, strict=False) if name in cells.columns else pl.lit(None, pl.Float64)
        return pl.when(found > 0).then(found)

    bid, ask = price(f"underlying_bid_{end}"), price(f"underlying_ask_{end}")
    active, mid, implied = (
        price(f"active_underlying_price_{end}"),
        0.5 * (bid + ask),
        price(f"implied_underlying_price_{end}"),
    )
    basis = pl.coalesce(
        pl.when(value.is_not_null()).then(pl.lit(word))
        for value, word in ((active, "active"), (mid, "mid"), (implied, "implied"))
    )
    adjusted = pl.col("delivery_code").fill_null("") != "" if "delivery_code" in cells.columns else pl.lit(False)
    days = cells.select(day(cells, "quote_date")).to_series()
    before = pl.duration(minutes=15 if kind is SnapshotKind.BEFORE_CLOSE else 0)
    closes = {on: session_close(on) for on in days.unique().drop_nulls()}
    at = days.replace_strict(closes, default=None, return_dtype=pl.Datetime("us", "UTC"))
    found = cells.select(
        pl.coalesce(active, mid, implied).alias("underlying_price"),
        basis.alias("underlying_basis"),
        adjusted.alias("adjusted"),
        (at.alias("at").to_frame().select(pl.col("at") - before).to_series()).alias("snapshot_ts"),
    )
    return pl.concat([raw, found], how="horizontal")


# OptionsDX: call and put in one row, no symbol.


def _optionsdx(table: Table) -> pl.DataFrame:
    match = re.match(r"([a-z]{1,6})_(?:eod|\d+x)", table.name.lower())
    shared = {
        "underlying": "underlying_symbol",
        "quote_date": "quote_date",
        "snapshot_ts": "quote_readtime",
        "expiration": "expire_date",
        "strike": "strike",
        "underlying_price": "underlying_last",
    }
    sides = []
    for right in ("c", "p"):
        own = {f"{name}_vendor": f"{right}_{name}" for name in (*GREEKS, "iv")}
        columns = {**shared, **own, **{name: f"{right}_{name}" for name in ("bid", "ask", "last", "volume", "size")}}
        side = renamed(table, columns, right=right, underlying_basis="last")
        if "size" in side.columns:
            sizes = pl.col("size").str.extract_groups(r"^(\d+)\s*x\s*(\d+)$")
            side = side.with_columns(bid_size=sizes.struct.field("1"), ask_size=sizes.struct.field("2")).drop("size")
        sides.append(side)
    raw = pl.concat(sides)
    return raw if match is None else raw.with_columns(underlying=pl.lit(match[1].upper()))


# Files that need no more than other names.


def _dolthub(table: Table) -> pl.DataFrame:
    columns = {
        "quote_date": "date",
        "underlying": "act_symbol",
        "expiration": "expiration",
        "strike": "strike",
        "right": "call_put",
        "bid": "bid",
        "ask": "ask",
        "iv_vendor": "vol",
        **{f"{name}_vendor": name for name in GREEKS},
    }
    return renamed(table, columns)


def _massive(table: Table) -> pl.DataFrame:
    traded = {"open": "open", "high": "high", "low": "low", "last": "close", "volume": "volume"}
    raw = renamed(table, {"osi": "ticker", **traded, "start": "window_start"})
    start = pl.col("start").cast(pl.Int64, strict=False).cast(pl.Datetime("ns", "UTC"))
    return raw.with_columns(quote_date=start.dt.convert_time_zone(EASTERN).dt.date()).drop("start")


def _plain(table: Table) -> pl.DataFrame:
    same = ("quote_date", "underlying", "underlying_price", "expiration", "strike", "bid", "ask", "last")
    columns = {name: name for name in (*same, "open_interest", "volume", "bid_size", "ask_size")}
    columns |= {"snapshot_ts": "quote_ts_utc", "right": "type", "iv_vendor": "iv"}
    raw = renamed(table, columns | {f"{name}_vendor": name for name in GREEKS}, underlying_basis="last")
    if "snapshot_ts" not in raw.columns:
        return raw
    zoned = pl.col("snapshot_ts").str.contains(r"(Z|[+-]\d{2}:?\d{2})$")
    timed = pl.col("snapshot_ts").str.contains(":", literal=True)
    return raw.with_columns(
        snapshot_ts=pl.when(zoned | ~timed).then("snapshot_ts").otherwise(pl.col("snapshot_ts") + "Z")
    )


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "thetadata", "thetadata", ("symbol", "expiration", "strike", "right", "created", "bid", "ask"), _theta_eod
    ),
    Layout(
        "thetadata",
        "thetadata",
        ("symbol", "expiration", "strike", "right", "timestamp", "bid", "ask", "implied_vol"),
        _theta_greeks,
    ),
    Layout(
        "thetadata",
        "thetadata",
        ("symbol", "expiration", "strike", "right", "timestamp", "open_interest"),
        _theta_interest,
    ),
    Layout(
        "cboe",
        "cboe_datashop",
        (
            "underlying_symbol",
            "quote_date",
            "root",
            "expiration",
            "strike",
            "option_type",
            "bid_1545",
            "ask_1545",
            "bid_eod",
            "ask_eod",
        ),
        _cboe,
        zero_iv_is_missing=True,
    ),
    Layout(
        "optionsdx",
        "optionsdx",
        ("quote_date", "expire_date", "strike", "c_bid", "c_ask", "p_bid", "p_ask"),
        _optionsdx,
    ),
    Layout("massive", "massive", ("ticker", "window_start", "volume", "open", "close", "high", "low"), _massive),
    Layout("dolthub", "dolthub", ("date", "act_symbol", "expiration", "strike", "call_put", "bid", "ask"), _dolthub),
    Layout("plain", "plain", ("quote_date", "expiration", "type", "strike", "bid", "ask"), _plain),
)

# What the owner may map a column of any other file to, and shorter words for it.
MAPPABLE = (
    "quote_date",
    "snapshot_ts",
    "underlying",
    "root",
    "osi",
    "expiration",
    "strike",
    "right",
    "multiplier",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "last",
    "open",
    "high",
    "low",
    "volume",
    "open_interest",
    "oi_asof",
    "underlying_price",
    "iv_vendor",
    "delta_vendor",
    "gamma_vendor",
    "theta_vendor",
    "vega_vendor",
    "rho_vendor",
    "rate",
    "div_yield",
)
SHORT = {"type": "right", "iv": "iv_vendor", **{name: f"{name}_vendor" for name in GREEKS}}


def mapped_layout(mapping: Mapping[str, str]) -> Layout:
    """The layout of a file whose columns the owner named; columns that carry our names need no naming.

    InvalidInput when a name is none of ours.
    """
    columns = {SHORT.get(ours.strip().lower(), ours.strip().lower()): theirs for ours, theirs in mapping.items()}
    unknown = sorted(set(columns) - set(MAPPABLE))
    if unknown:
        raise InvalidInput("--map", f"knows no {', '.join(unknown)}; it knows {', '.join(MAPPABLE)}")
    asked = {ours: theirs.strip().strip("[]").lower() for ours, theirs in columns.items()}

    def raw(table: Table) -> pl.DataFrame:
        there = {**{name: name for name in MAPPABLE}, **{long: short for short, long in SHORT.items()}}
        own = {ours: theirs for ours, theirs in there.items() if theirs in table.header}
        return renamed(table, {**own, **{name: name for name in MAPPABLE if name in table.header}, **asked})

    contract = () if "osi" in asked else ("expiration", "strike", "right")
    when = () if "snapshot_ts" in asked else ("quote_date",)
    needs = (*asked.values(), *(name for name in (*when, *contract) if name not in asked))
    return Layout("mapped", "mapped", tuple(dict.fromkeys(needs)), raw)
