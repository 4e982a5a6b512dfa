"""What can be kept: daily history and the last quote of each symbol."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from vaultdash.domain.market import PriceHistory, Quote


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge changed, in bars."""

    added: int
    replaced: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of a file that was not taken: its line number (header is 1), its text and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file gave: the history read from it, rejected rows, and remarks that are no rejects."""

    history: PriceHistory
    rows_read: int
    rejected: tuple[RejectedRow, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """A line of the inventory."""

    symbol: str
    source: str
    first: date
    last: date
    bars: int


class PriceStore(Protocol):
    """Keeps daily history and last quotes; each writing call is all or nothing. Calls block: use a thread."""

    def load_history(self, symbol: str) -> PriceHistory | None:
        """The stored bars, or None."""
        ...

    def merge_history(self, history: PriceHistory) -> MergeResult:
        """Add bars; a bar of the same day is replaced by the newer one. Refuses demo history."""
        ...

    def list_histories(self) -> list[StoredSeries]:
        """What is stored, by symbol."""
        ...

    def load_quote(self, symbol: str) -> Quote | None:
        """The last quote that was kept."""
        ...

    def save_quote(self, quote: Quote) -> None:
        """Keep the quote if it is newer than the one kept. Refuses demo quotes."""
        ...
