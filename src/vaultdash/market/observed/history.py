"""Recorded chains day by day, for studies of the past: what a day's recording says, and nothing of later days."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from vaultdash.domain.errors import NotFound
from vaultdash.domain.option import OptionChain
from vaultdash.market.base import SnapshotKind
from vaultdash.market.observed.store import PREFERRED, RECORDED, ObservedSnapshots


class ObservedHistory:
    """The store of recorded chains as a `ChainHistory`. Calls block: use a thread."""

    def __init__(self, store: ObservedSnapshots) -> None:
        self._store = store

    def usual_kind(self, symbol: str, start: date, end: date) -> SnapshotKind | None:
        """The kind that most days from `start` to `end` have, of equals the first of PREFERRED; None without any."""
        there = {(line.on, line.kind) for line in self._store.sessions(symbol) if start <= line.on <= end}
        counts = Counter(kind for _, kind in there)
        return max(PREFERRED, key=lambda kind: counts[kind]) if counts else None

    def days(self, symbol: str, kind: SnapshotKind | None = None, source: str | None = None) -> tuple[date, ...]:
        """The days with chains, ascending; of one kind and source where given. Damaged ones are left out."""
        lines = self._store.sessions(symbol)
        return tuple(
            sorted({line.on for line in lines if kind in (None, line.kind) and source in (None, line.source)})
        )

    def chains(
        self, symbol: str, on: date, kind: SnapshotKind | None = None, source: str | None = None
    ) -> Mapping[date, OptionChain]:
        """The chains of one day by expiration; without kind and source the best there are.

        Raises NotFound when there are none of that day, Unavailable when they are damaged or without a share price.
        """
        from vaultdash.market.observed.chains import chains_of  # polars comes with it

        try:
            rows = self._store.load(symbol, on, kind, source)
        except NotFound as error:
            days = self.days(symbol)
            there = f"there are {len(days)} days from {days[0]} to {days[-1]}" if days else "there are none at all"
            raise NotFound(f"{error}; {there}. `vault-dash snapshots import` takes more from a file") from None
        words = f"recorded {on:%-d %b %Y} ({str(rows['source'][0]).removeprefix(RECORDED)})"
        return chains_of(rows, words)
