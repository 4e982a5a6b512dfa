"""LTV over time: written every hour and at each crossing, read with its gaps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vaultdash.clock import MarketHours
from vaultdash.domain.record import LtvRecord
from vaultdash.services.heartbeat import Beat
from vaultdash.storage.records import Database, Transaction


@dataclass(frozen=True, slots=True)
class LtvSeries:
    """Records ascending in time; `gaps` are spans longer than two hours without a record."""

    portfolio_id: str
    days: int | None
    records: tuple[LtvRecord, ...]
    gaps: tuple[tuple[datetime, datetime], ...]


class LtvHistory:
    """Writes within the transaction of a beat; reads for pages and files."""

    def __init__(self, database: Database, hours: MarketHours, now: Callable[[], datetime]) -> None:
        self._database = database
        self._hours = hours
        self._now = now

    async def record(self, into: Transaction, beat: Beat, crossed: Sequence[str] = ()) -> None:
        """Write each portfolio's first LTV of the hour, and one now for each portfolio in `crossed`."""

    async def series(self, portfolio_id: str, days: int | None = 90) -> LtvSeries:
        """The last `days`, or all."""
        raise NotImplementedError
