"""What is doubtful about recorded quotes, for a whole frame at once; the same verdicts as `domain.option`."""

import polars as pl

from vaultdash.domain.option import WIDE_SPREAD, WIDE_SPREAD_USD, QuoteFlag

# What the prices themselves do not tell; set by a reader and kept.
CARRIED = (
    QuoteFlag.STALE
    | QuoteFlag.ADJUSTED
    | QuoteFlag.VENDOR_IV_BAD
    | QuoteFlag.DUPLICATE_RESOLVED
    | QuoteFlag.CLOSED_MARKET
)

BID, ASK = pl.col("bid"), pl.col("ask")
MID = 0.5 * (BID + ASK)
TWO_SIDED = (BID > 0) & (ASK >= BID)  # null, which filters as false, when a side is missing
CROSSED = (BID > 0) & (ASK > 0) & (BID > ASK)


def with_flags(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `price_basis` and `flags` that follow from its prices; flags of CARRIED stay as they are.

    The basis of a row that was `model` stays.
    """
    quoted = BID.is_not_null() | ASK.is_not_null()
    traded = pl.any_horizontal(pl.col("last", "open", "high", "low").is_not_null())
    basis = (
        pl.when(pl.col("price_basis") == "model")
        .then(pl.lit("model"))
        .when(quoted)
        .then(pl.lit("quote"))
        .when(traded)
        .then(pl.lit("trade"))
        .otherwise(None)
    )
    frame = frame.with_columns(price_basis=basis.cast(pl.String))
    both = (BID > 0) & (ASK > 0)
    spread, widest = ASK - BID, pl.max_horizontal(pl.lit(WIDE_SPREAD_USD), WIDE_SPREAD * MID)
    exercise_pays = (
        pl.when(pl.col("right") == "P")
        .then(pl.col("strike") - pl.col("underlying_price"))
        .otherwise(pl.col("underlying_price") - pl.col("strike"))
    )
    verdicts = {
        QuoteFlag.ZERO_BID: BID <= 0,
        QuoteFlag.NO_BID: BID.is_null(),
        QuoteFlag.NO_ASK: ASK.is_null() | (ASK <= 0),
        QuoteFlag.CROSSED: CROSSED,
        QuoteFlag.LOCKED: both & (BID == ASK),
        QuoteFlag.WIDE: both & (spread > widest),
        QuoteFlag.BELOW_INTRINSIC: TWO_SIDED & (exercise_pays > MID),
        QuoteFlag.OI_MISSING: pl.col("open_interest").is_null(),
        QuoteFlag.TRADE_ONLY: (pl.col("price_basis") == "trade"),
    }
    found = [pl.when(verdict).then(int(flag)).otherwise(0) for flag, verdict in verdicts.items()]
    carried = pl.col("flags").fill_null(0) & int(CARRIED)
    return frame.with_columns(flags=pl.sum_horizontal(carried, *found).cast(pl.Int32))
