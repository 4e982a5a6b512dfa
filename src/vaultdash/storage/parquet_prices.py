"""Prices in files: one Parquet file of daily bars and one JSON file of the last quote for each symbol."""

import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from vaultdash.clock import utc_now
from vaultdash.domain.errors import Refused, VaultError
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import Bar, PriceHistory, Quote
from vaultdash.files.whole import (
    Stamp,
    content_of,
    file_stem,
    locked,
    move_aside,
    replace_file,
    stamp_of,
    symbol_of,
)
from vaultdash.storage.base import MergeResult, StoredSeries
from vaultdash.storage.history_file import DamagedHistory, SourcedBars, as_history, packed, unpacked
from vaultdash.storage.quote_file import packed_quote, unpacked_quote

log = structlog.get_logger(__name__)

CLOCK_TOLERANCE = timedelta(minutes=5)  # a kept quote later than now by more was made under a wrong clock
SAME_CLOSE = 1e-4  # relative: vendors round the same close differently


class ParquetPrices:
    """The price store of one data folder: `history/` and `quotes/` in it.

    Processes may share the folder: a file is replaced whole, and merges wait for each other. Each bar keeps its own
    source; the source of a history names all of them in the order of their first bar.
    """

    def __init__(self, data_dir: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._histories = data_dir / "history"
        self._quotes = data_dir / "quotes"
        self._now = now
        self._guard = threading.Lock()
        self._loaded: dict[str, tuple[Stamp, PriceHistory]] = {}

    def load_history(self, symbol: str) -> PriceHistory | None:
        """The stored bars, or None; DamagedHistory (a ProviderError) when the file cannot be trusted."""
        name = clean_symbol(symbol)
        path = self._history_path(name)
        stamp = stamp_of(path)
        if stamp is None:
            return None
        with self._guard:
            known = self._loaded.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        content = content_of(path)
        if content is None:
            return None
        history = as_history(name, unpacked(content, name, path))
        with self._guard:
            self._loaded[name] = (stamp, history)
        return history

    def merge_history(self, history: PriceHistory) -> MergeResult:
        """Add bars; a bar of the same day is replaced. Refuses demo history. A damaged file is kept aside first.

        A bar that says nothing new (the same numbers, or fewer with the same close) leaves the stored one.
        """
        if history.is_demo:
            raise Refused("Demo prices are modelled and are never stored")
        name = clean_symbol(history.symbol)
        path = self._history_path(name)
        with locked(self._histories / ".lock"):
            bars = self._sound_bars(name, path)
            added = replaced = 0
            for bar in history.bars:
                kept = bars.get(bar.on)
                if kept is not None and _says_nothing_new(bar, kept[0]):
                    continue
                bars[bar.on] = (bar, history.source)
                added, replaced = added + (kept is None), replaced + (kept is not None)
            if added or replaced:
                replace_file(path, packed(name, bars))
        return MergeResult(added, replaced, len(history.bars) - added - replaced)

    def list_histories(self) -> list[StoredSeries]:
        """What is stored, by symbol; a damaged file is left out and logged, `load_history` says what is wrong."""
        series = []
        for path in sorted(self._histories.glob("*.parquet")):
            try:
                history = self.load_history(symbol_of(path))
            except VaultError as error:
                log.warning("stored history left out", file=str(path), reason=str(error))
                continue
            if history is not None and history.bars:
                bars = history.bars
                series.append(StoredSeries(history.symbol, history.source, bars[0].on, bars[-1].on, len(bars)))
        return sorted(series, key=lambda line: line.symbol)

    def load_quote(self, symbol: str) -> Quote | None:
        """The last quote that was kept; a broken or impossible one counts as none and is logged."""
        name = clean_symbol(symbol)
        path = self._quote_path(name)
        content = content_of(path)
        if content is None:
            return None
        try:
            quote = unpacked_quote(content, name)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("stored quote is broken", file=str(path), reason=str(error))
            return None
        if quote.at > self._now() + CLOCK_TOLERANCE:
            log.warning("stored quote is from the future", file=str(path), at=quote.at.isoformat())
            return None
        return quote

    def save_quote(self, quote: Quote) -> None:
        """Keep the quote if it is newer than the one kept. Refuses demo quotes."""
        if quote.is_demo:
            raise Refused("Demo prices are modelled and are never stored")
        name = clean_symbol(quote.symbol)
        with locked(self._quotes / ".lock"):
            kept = self.load_quote(name)
            if kept is None or quote.at > kept.at:
                replace_file(self._quote_path(name), packed_quote(quote))

    def _history_path(self, symbol: str) -> Path:
        return self._histories / f"{file_stem(symbol)}.parquet"

    def _quote_path(self, symbol: str) -> Path:
        return self._quotes / f"{file_stem(symbol)}.json"

    def _sound_bars(self, symbol: str, path: Path) -> SourcedBars:
        """The bars to merge into: none when there is no file, or when a damaged one was put aside."""
        content = content_of(path)
        if content is None:
            return {}
        try:
            return unpacked(content, symbol, path)
        except DamagedHistory as error:
            aside = path.with_name(f"{path.name}.corrupt-{self._now():%Y%m%dT%H%M%S%fZ}")
            move_aside(path, aside)
            log.error("damaged history kept aside", file=str(path), kept_as=str(aside), reason=str(error))
            return {}


def _says_nothing_new(bar: Bar, kept: Bar) -> bool:
    fields = ((bar.open, kept.open), (bar.high, kept.high), (bar.low, kept.low), (bar.volume, kept.volume))
    same = all(given is None or given == had for given, had in fields)
    return same and math.isclose(bar.close, kept.close, rel_tol=SAME_CLOSE)
