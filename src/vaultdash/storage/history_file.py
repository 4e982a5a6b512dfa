"""Daily bars as the bytes of a Parquet file, and back."""

import io
from datetime import date
from pathlib import Path

from vaultdash.domain.errors import Refused, Unavailable
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.files.seal import BLANK_SEAL, SEAL_KEY, is_intact, sealed

SCHEMA_KEY, SYMBOL_KEY = "vaultdash.schema", "vaultdash.symbol"
SCHEMA = "1"
COLUMNS = ("date", "open", "high", "low", "close", "volume", "source")

SourcedBars = dict[date, tuple[Bar, str]]


class DamagedHistory(Unavailable):
    """A stored history that cannot be read; nothing in it is used."""


def packed(symbol: str, bars: SourcedBars) -> bytes:
    """A Parquet file (zstd) of the bars, ascending, each with its source; sealed."""
    import polars as pl  # slow to import, and not needed before the first history

    rows = [
        (day, bar.open, bar.high, bar.low, bar.close, bar.volume, source)
        for day, (bar, source) in sorted(bars.items())
    ]
    numbers = dict.fromkeys(COLUMNS[1:-1], pl.Float64)
    frame = pl.DataFrame(rows, schema={"date": pl.Date, **numbers, "source": pl.String}, orient="row")
    file = io.BytesIO()
    metadata = {SCHEMA_KEY: SCHEMA, SYMBOL_KEY: symbol, SEAL_KEY: BLANK_SEAL}
    frame.write_parquet(file, compression="zstd", metadata=metadata)
    return sealed(file.getvalue())


def unpacked(content: bytes, symbol: str, path: Path) -> SourcedBars:
    """The bars of a Parquet file; DamagedHistory when it cannot be trusted, Refused when a later release wrote it."""
    import polars as pl

    if not is_intact(content):
        raise DamagedHistory(
            f"The stored history {path} is damaged or not from Vault Dashboard and is not used; "
            "import it again (the damaged file is then kept beside the new one), or restore a backup"
        )
    metadata = pl.read_parquet_metadata(io.BytesIO(content))
    if metadata.get(SCHEMA_KEY) != SCHEMA:
        raise Refused(
            f"The stored history {path} was written by a later release of Vault Dashboard; use that release"
        )
    if metadata.get(SYMBOL_KEY) != symbol:
        raise DamagedHistory(
            f"The stored history {path} holds {metadata.get(SYMBOL_KEY)}, not {symbol}; rename or remove it"
        )
    frame = pl.read_parquet(io.BytesIO(content), columns=list(COLUMNS))
    columns = (frame[name].to_list() for name in ("date", "close", "open", "high", "low", "volume"))
    bars = map(Bar, *columns)
    return {bar.on: (bar, source) for bar, source in zip(bars, frame["source"].to_list(), strict=True)}


def as_history(symbol: str, bars: SourcedBars) -> PriceHistory:
    """The bars under one source: all sources in the order of their first bar."""
    sources = dict.fromkeys(source for _, source in bars.values())
    return PriceHistory(symbol, ", ".join(sources), tuple(bar for bar, _ in bars.values()))
