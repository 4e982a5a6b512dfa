"""Rows of a contract that meet: what the newer says replaces the older, part by part; what it leaves out stays."""

import polars as pl

from vaultdash.domain.option import QuoteFlag
from vaultdash.market.base import SnapshotMerge
from vaultdash.market.observed.flags import CARRIED, with_flags
from vaultdash.market.observed.schema import COLUMNS, KEY

# A part is taken whole from the newer row when that row says anything in the part's telling columns (the second
# tuple), else from the older: a file of open interest leaves quotes alone, and a bid never meets another row's ask.
PARTS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("bid", "ask", "bid_size", "ask_size", "snapshot_ts"), ("bid", "ask")),
    (("last", "open", "high", "low", "volume"), ("last", "open", "high", "low", "volume")),
    (("open_interest", "oi_asof"), ("open_interest",)),
    (
        (
            "iv_vendor",
            "delta_vendor",
            "gamma_vendor",
            "theta_vendor",
            "vega_vendor",
            "rho_vendor",
            "greek_convention",
        ),
        ("iv_vendor", "delta_vendor", "gamma_vendor", "theta_vendor", "vega_vendor", "rho_vendor"),
    ),
    (("underlying_price", "underlying_basis"), ("underlying_price",)),
    (("rate", "div_yield"), ("rate", "div_yield")),
    (("underlying", "osi", "strike", "multiplier"), ("osi",)),
    (("exercise",), ("exercise",)),
)
OF_THE_QUOTE = QuoteFlag.STALE | QuoteFlag.DUPLICATE_RESOLVED | QuoteFlag.CLOSED_MARKET
DERIVED = ("price_basis", "flags", "source_file_sha256")


def merged(kept: pl.DataFrame, given: pl.DataFrame) -> tuple[pl.DataFrame, SnapshotMerge]:
    """All contracts of two frames, sorted, and what the second changed in the first.

    The file a row came from does not make it another row.
    """
    pairs = kept.join(given, on=KEY, how="inner", suffix="__new")
    added = given.join(kept, on=KEY, how="anti")
    if pairs.is_empty():
        result = pl.concat([kept, added]) if added.height else kept
        return _sorted(result), SnapshotMerge(added.height, 0, 0)
    met = _met(pairs)
    before = kept.join(given.select(KEY), on=KEY, how="semi")
    both = met.join(before, on=KEY, how="left", suffix="__old", maintain_order="left")
    compared = [name for name in COLUMNS if name not in KEY and name != "source_file_sha256"]
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}__old")) for name in compared)
    both = both.with_columns(changed=differs).with_columns(
        source_file_sha256=pl.when("changed").then("source_file_sha256").otherwise("source_file_sha256__old")
    )
    replaced = int(both["changed"].sum())
    untouched = kept.join(given.select(KEY), on=KEY, how="anti")
    result = pl.concat([untouched, both.select(*COLUMNS), added])
    return _sorted(result), SnapshotMerge(added.height, replaced, pairs.height - replaced)


def _met(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row of each pair, whose newer columns end in `__new`."""
    columns: list[pl.Expr] = [pl.col(name) for name in KEY]
    for part, telling in PARTS:
        says = pl.any_horizontal(_tells(name, "__new") for name in telling)
        silent = ~pl.any_horizontal(_tells(name) for name in telling)
        for name in part:
            filled = pl.when(silent).then(pl.coalesce(name, f"{name}__new")).otherwise(pl.col(name))
            columns.append(pl.when(says).then(f"{name}__new").otherwise(filled).alias(name))
    requoted = pl.any_horizontal(pl.col("bid__new", "ask__new").is_not_null())
    older = pl.when(requoted).then(pl.col("flags") & int(CARRIED & ~OF_THE_QUOTE)).otherwise(pl.col("flags"))
    newer = (
        pl.when(requoted).then(pl.col("flags__new")).otherwise(pl.col("flags__new") & int(CARRIED & ~OF_THE_QUOTE))
    )
    carried = (older | newer) & int(CARRIED)
    iv_bad = int(QuoteFlag.VENDOR_IV_BAD)
    met = pairs.select(
        *columns,
        pl.coalesce("price_basis__new", "price_basis").alias("price_basis"),
        pl.col("source_file_sha256__new").alias("source_file_sha256"),
        carried.alias("flags"),
    ).with_columns(
        flags=pl.when(pl.col("iv_vendor").is_not_null()).then(pl.col("flags") & ~iv_bad).otherwise(pl.col("flags"))
    )
    return with_flags(met).select(*COLUMNS)


def _tells(name: str, end: str = "") -> pl.Expr:
    """Whether a column says anything; that nothing was traded does not speak against a trade elsewhere."""
    value = pl.col(f"{name}{end}")
    return (value > 0).fill_null(False) if name == "volume" else value.is_not_null()


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("snapshot_kind", "source", "expiration", "strike_milli", "right", "root")
