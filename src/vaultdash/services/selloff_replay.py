"""What past falls of gold would have done to the loan, from the daily prices that are stored."""

import asyncio
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from vaultdash.domain.errors import InvalidInput, NotFound
from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import Loan
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.selloff import SELLOFFS, Selloff
from vaultdash.domain.validation import open_fraction
from vaultdash.risk.replay import PricePath, Replay, drawn_at, replay
from vaultdash.services.daily_history import DailyHistory
from vaultdash.services.gold_in_currency import GoldInCurrency

LONGEST_BREAK = timedelta(days=7)  # between two trading days: GLD never rested longer
IMPORT_HINT = "`vault-dash history import FILE` stores daily prices of your own"
AT_RATE = " at today's rate"
DEMO_WORDS = (
    f"Only DEMO prices are there, which are invented: nothing of this happened. {IMPORT_HINT}, "
    "`vault-dash history update` asks the provider."
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A fall and what it did; without a replay `missing` says why. `end` is the last day of the fall itself."""

    id: str
    name: str
    told: str
    start: date
    end: date
    depth: float | None
    is_deepest: bool
    replay: Replay | None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class SelloffReport:
    """Falls replayed on a loan. `ltv` is that of the first day of each.

    `is_todays_loan` when today's loan met each fall at today's price, the path scaled to it; else a loan was drawn at
    each peak, at the prices of the time. Amounts are USD at `rate`, of which `rate.own` makes the loan's currency:
    the amounts of the time, where the path has the rate of each day.
    """

    symbol: str
    source: str
    is_demo: bool
    first: date
    last: date
    at: datetime
    price: float
    ltv: float
    is_todays_loan: bool
    loan: Loan
    rate: ExchangeRate
    rows: tuple[Replayed, ...]
    remarks: tuple[str, ...]

    @property
    def priced_by(self) -> str:
        """What the prices of the replays are of: `GLD`, or `GLD at today's rate`, which it never cost."""
        return self.symbol if self.rate.is_dollar else f"{self.symbol}{AT_RATE}"


class SelloffReplays:
    """Replays named falls and days of the owner's choice on a snapshot's loan."""

    def __init__(self, history: DailyHistory, now: Callable[[], datetime]) -> None:
        self._gold = GoldInCurrency(history)
        self._now = now

    async def named(self, snapshot: Snapshot, ltv: float | None = None) -> SelloffReport:
        """All named falls on today's loan, or with `ltv` on a loan drawn at each peak."""
        return await self._report(snapshot, SELLOFFS, ltv)

    async def between(
        self, snapshot: Snapshot, start: date | None, end: date | None, ltv: float | None = None
    ) -> SelloffReport:
        """The owner's own days; None is the first or last day known. Raises InvalidInput and NotFound."""
        history, remark = await self._known(snapshot)
        bars = history.between(start, end).bars
        if start is not None and end is not None and start >= end:
            raise InvalidInput("start", f"must be before the end; {start} is not before {end}")
        if len(bars) < 2:
            raise NotFound(
                f"Fewer than two daily prices of {history.symbol} lie in those days; they go from "
                f"{history.bars[0].on} to {history.bars[-1].on}"
            )
        first, last = bars[0], bars[-1]
        low = min(bars, key=lambda bar: bar.close)
        own = Replayed(
            "own",
            f"{first.on} to {last.on}",
            f"Lowest close {low.close:,.2f}{'' if snapshot.rate.is_dollar else AT_RATE} on {low.on}.",
            first.on,
            last.on,
            low.close / first.close - 1.0,
            is_deepest=False,
            replay=None,
        )
        return await asyncio.to_thread(self._replayed, history, remark, snapshot, (own,), ltv)

    async def _report(self, snapshot: Snapshot, falls: Sequence[Selloff], ltv: float | None) -> SelloffReport:
        rows = tuple(
            Replayed(
                fall.id, fall.name, fall.told, fall.peak_on, fall.trough_on, fall.depth, fall.is_deepest, replay=None
            )
            for fall in falls
        )
        history, remark = await self._known(snapshot)
        return await asyncio.to_thread(self._replayed, history, remark, snapshot, rows, ltv)

    async def _known(self, snapshot: Snapshot) -> tuple[PriceHistory, str]:
        """Prices of gold in the loan's currency, and what is to be said of them."""
        history, remark = await self._gold.history(snapshot.portfolio.collateral.quoted_by, snapshot.rate)
        if not history.bars:
            raise NotFound(f"No daily prices of {history.symbol} are stored: {IMPORT_HINT}")
        return history, remark

    def _replayed(
        self, history: PriceHistory, remark: str, snapshot: Snapshot, rows: Sequence[Replayed], ltv: float | None
    ) -> SelloffReport:
        if ltv is not None:
            open_fraction("ltv", ltv)
        loan = snapshot.portfolio.loan
        return SelloffReport(
            symbol=history.symbol,
            source=history.source,
            is_demo=history.is_demo,
            first=history.bars[0].on,
            last=history.bars[-1].on,
            at=self._now(),
            price=snapshot.price,
            ltv=snapshot.ltv if ltv is None else ltv,
            is_todays_loan=ltv is None,
            loan=loan,
            rate=snapshot.rate,
            rows=tuple(_row(history.bars, row, snapshot, ltv) for row in rows),
            remarks=tuple(_remarks(history, remark, snapshot)),
        )


def _row(bars: Sequence[Bar], row: Replayed, snapshot: Snapshot, ltv: float | None) -> Replayed:
    """The fall from the stored bars, with so many days after its end as a call on the last one has to be cured."""
    loan = snapshot.portfolio.loan
    begin = bisect_left(bars, row.start, key=lambda bar: bar.on)
    stop = bisect_right(bars, row.end, key=lambda bar: bar.on)
    known = bars[begin:stop]
    missing = _missing(bars, known, row)
    if missing is not None:
        return _with(row, None, missing)
    after = min(loan.cure_days, len(bars) - stop)
    path = path_of(bars[begin : stop + after])
    if ltv is None:
        path, drawn = path.scaled(snapshot.price), loan
    else:
        drawn = drawn_at(ltv, path.closes[0], snapshot.shares, loan)
    return _with(row, replay(path, snapshot.shares, drawn, snapshot.portfolio.target_ltv, after), None)


def _missing(bars: Sequence[Bar], known: Sequence[Bar], row: Replayed) -> str | None:
    if not known:
        return f"no prices of those days: they go from {bars[0].on} to {bars[-1].on}"
    if known[0].on - row.start > LONGEST_BREAK:
        return f"its beginning is missing: prices begin on {known[0].on}"
    if row.end - known[-1].on > LONGEST_BREAK:
        return f"its end is missing: prices end on {known[-1].on}"
    for earlier, later in itertools.pairwise(known):
        if later.on - earlier.on > LONGEST_BREAK:
            return f"prices are missing between {earlier.on} and {later.on}"
    return None


def path_of(bars: Sequence[Bar]) -> PricePath:
    """Closes and lows of daily bars; a low that cannot be one, at zero or above the close, counts as unknown."""
    return PricePath(
        tuple(bar.on for bar in bars),
        tuple(bar.close for bar in bars),
        tuple(bar.low if bar.low is not None and 0 < bar.low <= bar.close else None for bar in bars),
    )


def _with(row: Replayed, found: Replay | None, missing: str | None) -> Replayed:
    return Replayed(
        row.id, row.name, row.told, row.start, row.end, row.depth, row.is_deepest, replay=found, missing=missing
    )


def _remarks(history: PriceHistory, remark: str, snapshot: Snapshot) -> list[str]:
    said = [DEMO_WORDS] if history.is_demo else []
    if remark:
        said.append(f"{remark} The depth of a named fall is that in dollars.")
    loan = snapshot.portfolio.loan
    said.append(
        "Nobody does anything: nothing is repaid, added or sold, and options are not counted. "
        + ("Interest is added to the loan." if loan.interest.capitalised else "Interest is paid in cash.")
    )
    said.append(
        f"On the limit is a call. The deadline is {loan.cure_days} trading days after the call's close; a lender who "
        "looks during the day may call at the low."
    )
    return said
