"""LTV over time: written every hour and at each crossing, read with its gaps."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from vaultdash.clock import MarketHours
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.services.heartbeat import Beat
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.storage.records import Database, Transaction

HOUR = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=2)  # between two records; more is a gap
READ_AGAIN = timedelta(days=1)  # of what is known already, for records that another process has added
READ_ANEW = timedelta(minutes=10)  # after which everything is read, for what was copied or restored beneath us
MOST_KEPT = 4  # portfolios whose records are remembered
MOST_SERIES = 16


@dataclass(frozen=True, slots=True)
class LtvSeries:
    """Records ascending in time; `gaps` are spans longer than two hours without a record.

    The first gap may begin before the first record, at the last one before these `days`; the last one ends with the
    present hour when nothing has been written since. The same object is given again while nothing has changed.
    """

    portfolio_id: str
    days: int | None
    records: tuple[LtvRecord, ...]
    gaps: tuple[tuple[datetime, datetime], ...]


class LtvHistory:
    """Writes within the transaction of a beat; reads for pages and files.

    With `keeps_demo` the demo market is what was asked for, and its prices are written down like others, marked;
    without it an invented price stands in for a real one, and is not.
    """

    def __init__(
        self, database: Database, hours: MarketHours, now: Callable[[], datetime], *, keeps_demo: bool = False
    ) -> None:
        self._database = database
        self._hours = hours
        self._now = now
        self._keeps_demo = keeps_demo
        self._written: dict[str, datetime] = {}  # the hour of which a record was found in the database
        self._read: dict[str, tuple[datetime, tuple[LtvRecord, ...]]] = {}  # and when all was read
        self._given: dict[tuple[str, int | None], _Given] = {}
        self._turn = asyncio.Lock()
        self._next: dict[str, asyncio.Task[tuple[LtvRecord, ...]]] = {}  # reads that have not begun, by portfolio

    async def record(self, into: Transaction, beat: Beat, crossed: Sequence[str] = ()) -> None:
        """Write each portfolio's first LTV of the hour (UTC), and one now for each portfolio in `crossed`.

        Whether the hour has its record is asked of the database within the transaction, of which there is one at a
        time: a restart or a second process writes no other.
        """
        for portfolio_id, snapshot in beat.snapshots.items():
            status = beat.status_of(snapshot)
            is_demo = snapshot.rate.is_demo or (status is not None and status.quote.is_demo)
            if status is None or (is_demo and not self._keeps_demo):
                continue
            if await self._is_due(into, portfolio_id, beat.at):
                await into.ltv.add(self._of(snapshot, status, beat.at, RecordKind.HOURLY))
            if portfolio_id in crossed:
                await into.ltv.add(self._of(snapshot, status, beat.at, RecordKind.CROSSING))

    async def series(self, portfolio_id: str, days: int | None = 90) -> LtvSeries:
        """The last `days` of 24 hours, or all; empty when nothing was written. Raises DatabaseError."""
        records = await self._all(portfolio_id)
        now = self._now()
        start = None if days is None else now - timedelta(days=days)
        begin, hour = 0 if start is None else bisect_left(records, start, key=_at), _hour(now)
        known = self._given.pop((portfolio_id, days), None)
        if known is None or known.of is not records or (known.begin, known.hour) != (begin, hour):
            wanted, before = records[begin:], records[max(begin - 1, 0) : begin]
            found = gaps([record.at for record in (*before, *wanted)], hour)
            series = None if known is None else known.series
            if series is None or series.records != wanted or series.gaps != found:
                series = LtvSeries(portfolio_id, days, wanted, found)
            known = _Given(records, begin, hour, series)
        self._given[portfolio_id, days] = known  # the last used stands last
        if len(self._given) > MOST_SERIES:
            del self._given[next(iter(self._given))]
        return known.series

    async def _is_due(self, into: Transaction, portfolio_id: str, at: datetime) -> bool:
        hour = _hour(at)
        if self._written.get(portfolio_id) == hour:
            return False
        found = await into.ltv.between(portfolio_id, hour, hour + HOUR - timedelta(microseconds=1))
        if any(record.kind is RecordKind.HOURLY for record in found):
            self._written[portfolio_id] = hour  # only what was read: what is being written may yet be taken back
            return False
        return True

    def _of(self, snapshot: Snapshot, status: QuoteStatus, at: datetime, kind: RecordKind) -> LtvRecord:
        loan, quote = snapshot.portfolio.loan, status.quote
        return LtvRecord(
            portfolio_id=snapshot.portfolio.id,
            at=at,
            kind=kind,
            price=snapshot.price,
            quote_at=quote.at,
            source=quote.source,
            is_fresh=not status.is_stale,
            is_demo=quote.is_demo,
            market_open=self._hours.is_open(at),
            loan_amount=loan.amount,
            gold_value=snapshot.gold_value,
            hedge_value=snapshot.hedge_value,
            ltv=snapshot.ltv,
            lender_ltv=snapshot.lender_ltv,
            ltv_after_payment=snapshot.counted(HedgeCounting.AFTER_PAYMENT),
            ltv_credited=snapshot.counted(HedgeCounting.CREDITED),
            warning_ltv=loan.warning_ltv,
            margin_call_ltv=loan.margin_call_ltv,
            close_out_ltv=loan.close_out_ltv,
        )

    async def _all(self, portfolio_id: str) -> tuple[LtvRecord, ...]:
        """Every record. Who asks while another read is under way shares the next one with all who do."""
        reading = self._next.get(portfolio_id)
        if reading is None:
            reading = self._next[portfolio_id] = asyncio.create_task(self._read_in_turn(portfolio_id))
        return await asyncio.shield(reading)  # one who goes takes nothing from the others

    async def _read_in_turn(self, portfolio_id: str) -> tuple[LtvRecord, ...]:
        async with self._turn:
            del self._next[portfolio_id]
            return await self._read_again(portfolio_id)

    async def _read_again(self, portfolio_id: str) -> tuple[LtvRecord, ...]:
        """What was written never changes, so that mostly only the last day is read again."""
        now = self._now()
        read_at, known = self._read.pop(portfolio_id, (now, ()))
        since = known[-1].at - READ_AGAIN if known else None
        if since is not None and not (read_at <= now < read_at + READ_ANEW and since < now):
            since = None  # long ago, or the clock was set back: what is written now stands among what is known
        read_at = now if since is None else read_at
        async with self._database.reading() as stored:
            fresh = tuple(await stored.ltv.between(portfolio_id, since))
        begin = 0 if since is None else bisect_left(known, since, key=_at)
        if known[begin:] != fresh:
            known = known[:begin] + fresh
        self._read[portfolio_id] = read_at, known
        if len(self._read) > MOST_KEPT:
            del self._read[next(iter(self._read))]
        return known


@dataclass(frozen=True, slots=True)
class _Given:
    """A series, and of what it was made: all records, the first of its days, and the hour."""

    of: tuple[LtvRecord, ...]
    begin: int
    hour: datetime
    series: LtvSeries


def gaps(instants: Sequence[datetime], until: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The spans of more than two hours between ascending instants, and from the last one to `until`."""
    ends = [*instants, until] if instants else []
    return tuple((start, end) for start, end in pairwise(ends) if end - start > LONGEST_PAUSE)


def _at(record: LtvRecord) -> datetime:
    return record.at


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
