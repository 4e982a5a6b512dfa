"""A chain as rows of `option_eod`, and rows as chains."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from vaultdash.clock import session_close
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.market import MarketState, Quote
from vaultdash.domain.option import LEAST_VENDOR_IV, OptionChain, OptionContract, OptionQuote, QuoteFlag, Right
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.flags import with_flags
from vaultdash.market.observed.schema import COLUMNS, dtypes

INT32_MAX = 2**31 - 1


def frame_of(chain: OptionChain, on: date, kind: SnapshotKind, source: str) -> pl.DataFrame:
    """The quotes of a chain as rows; InvalidInput when the chain has none."""
    if not chain.quotes:
        raise InvalidInput("chain", f"of {chain.symbol} for {chain.expiration} has no quotes")
    same: dict[str, object] = {
        "underlying": chain.symbol,
        "quote_date": on,
        "snapshot_ts": chain.at,
        "snapshot_kind": kind.value,
        "exercise": "american",
        "underlying_price": chain.underlying.price,
        "underlying_basis": "last",
        "source": source,
    }
    rows = [same | _row(quote) for quote in chain.quotes]
    frame = pl.DataFrame(rows, schema_overrides={name: dtypes()[name] for name in rows[0]})
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in dtypes().items() if name not in rows[0]]
    return with_flags(frame.with_columns(missing)).select(*COLUMNS).cast(dtypes())  # type: ignore[arg-type]  # a dict of str is a mapping of str


def chains_of(rows: pl.DataFrame, source: str) -> dict[date, OptionChain]:
    """The chains in rows of one day, kind and source, by expiration; Unavailable without an underlying price.

    The underlying's price is of the snapshot, at the latest of the session's close.
    """
    if rows.is_empty():
        return {}
    symbol, on = rows["underlying"][0], rows["quote_date"][0]
    price = rows["underlying_price"].drop_nulls()
    if price.is_empty():
        raise Unavailable(f"the chains of {symbol} recorded on {on} came without a price of {symbol}")
    found: dict[date, OptionChain] = {}
    adjusted = (pl.col("flags") & int(QuoteFlag.ADJUSTED)) != 0
    for (expiration,), chain in rows.sort("expiration", "strike_milli", "right").group_by(
        "expiration", maintain_order=True
    ):
        at = _instant(chain["snapshot_ts"].max(), on)
        prices = chain["underlying_price"].drop_nulls()
        spot = prices[0] if len(prices) else price[0]
        underlying = Quote(symbol, spot, None, min(at, session_close(on)), source, MarketState.CLOSED)
        sound = chain.filter(~adjusted)
        left_out = {"adjusted": chain.height - sound.height} if sound.height < chain.height else {}
        quotes = tuple(_quote(row) for row in sound.iter_rows(named=True))
        assert isinstance(expiration, date)
        found[expiration] = OptionChain(symbol, expiration, underlying, quotes, at, source, left_out)
    return found


def _row(quote: OptionQuote) -> dict[str, object]:
    contract = quote.contract
    return {
        "root": contract.root,
        "osi": contract.osi,
        "expiration": contract.expiration,
        "strike": contract.strike,
        "strike_milli": round(contract.strike * 1000),
        "right": contract.right.value,
        "multiplier": contract.multiplier,
        "bid": quote.bid if quote.bid or quote.ask else None,  # nothing bid and nothing asked is no quote
        "ask": quote.ask or None,
        "bid_size": _int32(quote.bid_size),
        "ask_size": _int32(quote.ask_size),
        "last": quote.last or None,
        "volume": quote.volume,
        "open_interest": quote.open_interest,
        "oi_asof": quote.open_interest_on,
        "iv_vendor": quote.vendor_iv if (quote.vendor_iv or 0) > LEAST_VENDOR_IV else None,
        "flags": int(quote.flags),
    }


def _int32(value: int | None) -> int | None:
    return None if value is None or value > INT32_MAX else value


def _quote(row: Mapping[str, Any]) -> OptionQuote:
    return OptionQuote(
        OptionContract(row["root"], row["expiration"], row["strike"], Right(row["right"]), row["multiplier"]),
        bid=row["bid"],
        ask=row["ask"],
        bid_size=row["bid_size"],
        ask_size=row["ask_size"],
        last=row["last"],
        volume=row["volume"],
        open_interest=row["open_interest"],
        open_interest_on=row["oi_asof"],
        vendor_iv=row["iv_vendor"],
        flags=QuoteFlag(row["flags"]),
    )


def _instant(moment: object, on: date) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else session_close(on)
