"""The store of recorded chains: a sealed Parquet file for each underlying and day, in a folder for each year."""

import contextlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from vaultdash.clock import utc_now
from vaultdash.domain.errors import NotFound, Refused, VaultError
from vaultdash.domain.gold import clean_symbol
from vaultdash.domain.market import STORED_SOURCE, Quote
from vaultdash.domain.option import OptionChain, OptionContract
from vaultdash.files.whole import (
    Stamp,
    StoreUnavailable,
    content_of,
    file_stem,
    locked,
    move_aside,
    replace_file,
    stamp_of,
)
from vaultdash.market.base import SnapshotKind, SnapshotMerge
from vaultdash.market.observed.schema import (
    DamagedSnapshots,
    StoredSession,
    packed,
    require_schema,
    unpacked,
    unpacked_contents,
)

if TYPE_CHECKING:
    import polars as pl

log = structlog.get_logger(__name__)

RECORDED = "recorded:"  # begins the source of what was read from the market, not from a file
PREFERRED = (
    SnapshotKind.CLOSE,
    SnapshotKind.REPORT,
    SnapshotKind.BEFORE_CLOSE,
    SnapshotKind.UNKNOWN,
    SnapshotKind.INTRADAY,
)
MOST_MIDS = 120  # sessions; reading one takes some milliseconds
REMEMBERED_CONTRACTS = 64  # whose mids are known
ABANDONED_AFTER = timedelta(hours=1)  # a file is written within seconds
_UNDERLYING, _YEAR = "underlying=", "year="
_DAY_FILE = re.compile(r"\d{4}-\d\d-\d\d\.parquet", re.ASCII)


class ObservedSnapshots:
    """Recorded chains in `option_eod/underlying=GLD/year=2026/2026-05-15.parquet` of a data folder.

    A day is the unit that is written, checked and lost: recording a chain after the close rewrites one small file,
    and damage takes one session. Processes may share the folder. All calls block: use a thread.
    """

    def __init__(self, data_dir: Path, now: Callable[[], datetime] = utc_now) -> None:
        self.folder = data_dir / "option_eod"
        self._now = now
        self._guard = threading.Lock()
        self._known: dict[Path, tuple[Stamp, tuple[StoredSession, ...]]] = {}
        self._mids: OrderedDict[str, dict[Path, tuple[Stamp, float | None]]] = OrderedDict()

    def merge(self, frame: "pl.DataFrame") -> SnapshotMerge:
        """Add rows of `option_eod`; a row of the same key is brought up to date. The same rows again change nothing.

        Each day is written whole or not at all; after a crash between two days the same merge goes on where it ended.
        InvalidInput when the frame is of another form. A damaged file is kept aside first.
        """
        require_schema(frame)
        total = SnapshotMerge(0, 0, 0)
        for (underlying, on), rows in sorted(frame.partition_by("underlying", "quote_date", as_dict=True).items()):
            total += self._merge_day(clean_symbol(str(underlying)), on, rows)
        return total

    def sessions(self, underlying: str | None = None) -> list[StoredSession]:
        """What is stored, by underlying, day, kind and source; a damaged file is left out and logged."""
        found: list[StoredSession] = []
        for symbol, on, path in self.files(underlying):
            try:
                found += self._contents(symbol, on, path)
            except VaultError as error:
                log.warning("recorded chains left out", file=str(path), reason=str(error))
        return found

    def load(
        self, underlying: str, on: date, kind: SnapshotKind | None = None, source: str | None = None
    ) -> "pl.DataFrame":
        """The rows of one day, one kind and one source, by expiration, strike and right.

        Without a kind the first that is there of PREFERRED, without a source the one with most contracts. NotFound
        when there are none, DamagedSnapshots (a ProviderError) when the file cannot be trusted.
        """
        import polars as pl

        name = clean_symbol(underlying)
        path = self._path(name, on)
        content = content_of(path)
        asked = "".join(f", {word}" for word in (kind, source) if word)
        missing = NotFound(f"no chains of {name} are recorded for {on}{asked}")
        if content is None:
            raise missing
        there = [
            line
            for line in unpacked_contents(content, name, on, path)
            if kind in (None, line.kind) and source in (None, line.source)
        ]
        if not there:
            raise missing
        line = best(there)
        rows = unpacked(content, name, on, path)
        return rows.filter(pl.col("snapshot_kind") == line.kind.value, pl.col("source") == line.source)

    def recorded_expirations(self, symbol: str, on: date, kind: SnapshotKind) -> frozenset[date]:
        """The expirations that were recorded from the market for a session; none when its file is damaged."""
        import polars as pl

        name = clean_symbol(symbol)
        path = self._path(name, on)
        content = content_of(path)
        if content is None:
            return frozenset()
        try:
            rows = unpacked(content, name, on, path)
        except DamagedSnapshots as error:
            log.warning("recorded chains unusable", file=str(path), reason=str(error))
            return frozenset()
        ours = rows.filter(pl.col("source").str.starts_with(RECORDED), pl.col("snapshot_kind") == kind.value)
        return frozenset(ours["expiration"])

    def record(self, chain: OptionChain, on: date, kind: SnapshotKind) -> SnapshotMerge:
        """Keep a chain as a snapshot of the session `on`. Refuses demo and stored chains."""
        from vaultdash.market.observed.chains import frame_of

        if chain.is_demo or chain.underlying.is_demo:
            raise Refused("Demo chains are modelled and are never stored")
        if chain.source.startswith(("recorded", STORED_SOURCE)) or chain.underlying.is_stored:
            raise Refused("A chain that was stored before is not recorded again as a new one")
        return self.merge(frame_of(chain, on, kind, f"{RECORDED}{chain.source.strip().lower()}"))

    def mids(self, contract: OptionContract, most_sessions: int = MOST_MIDS) -> list[tuple[date, float]]:
        """What a contract was quoted at on the last recorded days, USD between bid and ask; no quote, no day.

        Of several snapshots of a day the one of PREFERRED kind counts. A damaged file is left out and logged. What
        was read of the last contracts is remembered as long as the file of the day stays the same.
        """
        with self._guard:
            known = self._mids.get(contract.osi, {})
        read: dict[Path, tuple[Stamp, float | None]] = {}
        found = []
        days = [day for day in self.files(contract.root) if day[1] <= contract.expiration]
        for symbol, on, path in days[-most_sessions:]:
            try:
                stamp = stamp_of(path)
                if stamp is None:
                    continue
                if path not in known or known[path][0] != stamp:
                    read[path] = stamp, _mid(self.load(symbol, on), contract.osi)
                else:
                    read[path] = known[path]
            except VaultError as error:
                log.warning("recorded chains left out", symbol=symbol, on=str(on), reason=str(error))
                continue
            mid = read[path][1]
            if mid is not None:
                found.append((on, mid))
        with self._guard:
            self._mids[contract.osi] = read
            self._mids.move_to_end(contract.osi)
            if len(self._mids) > REMEMBERED_CONTRACTS:
                self._mids.popitem(last=False)
        return found

    def last_price(self, underlying: str) -> Quote | None:
        """The underlying's price that came with the newest chains; None when none came, or the day is damaged."""
        from vaultdash.market.observed.chains import chains_of

        days = [on for _, on, _ in self.files(underlying)]
        if not days:
            return None
        try:
            rows = self.load(underlying, days[-1])
            chains = chains_of(rows, f"{STORED_SOURCE}, recorded with option chains")
        except VaultError as error:
            log.warning("recorded price left out", symbol=underlying, reason=str(error))
            return None
        return max((chain.underlying for chain in chains.values()), key=lambda quote: quote.at, default=None)

    def stamp(self, underlying: str, on: date) -> Stamp | None:
        """What changes when the file of a day changes; None when there is none."""
        return stamp_of(self._path(clean_symbol(underlying), on))

    def files(self, underlying: str | None = None) -> Iterator[tuple[str, date, Path]]:
        """The day files with what they are named for, in order; their content is not looked at."""
        from urllib.parse import unquote

        wanted = None if underlying is None else clean_symbol(underlying)
        try:
            paths = sorted(self.folder.glob(f"{_UNDERLYING}*/{_YEAR}*/*.parquet"))
        except OSError as error:
            raise StoreUnavailable(self.folder, "read", error) from error
        for path in paths:
            symbol = unquote(path.parent.parent.name.removeprefix(_UNDERLYING))
            if _DAY_FILE.fullmatch(path.name) and wanted in (None, symbol):
                try:
                    yield symbol, date.fromisoformat(path.stem), path
                except ValueError:  # a day that does not exist is no file of ours
                    continue

    def _merge_day(self, symbol: str, on: date, given: "pl.DataFrame") -> SnapshotMerge:
        from vaultdash.market.observed.merging import merged

        path = self._path(symbol, on)
        with locked(self._folder(symbol) / ".lock"):
            self._remove_abandoned(symbol)
            kept = self._sound_rows(symbol, on, path)
            result, change = merged(given.clear() if kept is None else kept, given)
            if change.added or change.replaced:
                replace_file(path, packed(result, symbol, on))
        return change

    def _remove_abandoned(self, symbol: str) -> None:
        """Remove what a writer that was killed left half written; to be called with the lock held."""
        latest = (self._now() - ABANDONED_AFTER).timestamp()
        with contextlib.suppress(OSError):  # what is left lying does no harm
            for part in self._folder(symbol).glob(f"{_YEAR}*/.*.parquet.*.part"):
                if part.stat().st_mtime < latest:
                    part.unlink()
                    log.warning("abandoned half of a file removed", file=str(part))

    def _sound_rows(self, symbol: str, on: date, path: Path) -> "pl.DataFrame | None":
        """The rows to merge into: none when there is no file, or when a damaged one was put aside."""
        content = content_of(path)
        if content is None:
            return None
        try:
            return unpacked(content, symbol, on, path)
        except DamagedSnapshots as error:
            aside = path.with_name(f"{path.name}.corrupt-{self._now():%Y%m%dT%H%M%S%fZ}")
            move_aside(path, aside)
            log.error("damaged chains kept aside", file=str(path), kept_as=str(aside), reason=str(error))
            return None

    def _contents(self, symbol: str, on: date, path: Path) -> tuple[StoredSession, ...]:
        stamp = stamp_of(path)
        with self._guard:
            known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        content = content_of(path)
        if content is None or stamp is None:
            return ()
        lines = tuple(unpacked_contents(content, symbol, on, path))
        with self._guard:
            self._known[path] = (stamp, lines)
        return lines

    def _folder(self, symbol: str) -> Path:
        return self.folder / f"{_UNDERLYING}{file_stem(symbol)}"

    def _path(self, symbol: str, on: date) -> Path:
        return self._folder(symbol) / f"{_YEAR}{on.year}" / f"{on.isoformat()}.parquet"


def best(lines: list[StoredSession]) -> StoredSession:
    """The line to use when nothing is said of kind and source: by PREFERRED, then the one with most contracts."""
    return min(lines, key=lambda line: (PREFERRED.index(line.kind), -line.contracts, line.source))


def _mid(rows: "pl.DataFrame", osi: str) -> float | None:
    import polars as pl

    quotes = rows.filter(pl.col("osi") == osi).select("bid", "ask").rows()
    if not quotes:
        return None
    bid, ask = quotes[0]
    return 0.5 * (bid + ask) if bid and ask and bid <= ask else None
