"""The stress table of a loan: falls of gold with held options re-marked, and harsher lenders."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import DollarRate, Right, years_to_expiry
from vaultdash.domain.portfolio import Snapshot, Zone
from vaultdash.domain.position import HedgeMark
from vaultdash.pricing.compiled import Engine
from vaultdash.risk.stress import (
    CRASH_BETA,
    LenderShock,
    OptionBook,
    StressRow,
    lender_shocks,
    stress_table,
)
from vaultdash.services.dollar_rate import DollarRates

GOLD_FALLS, DOLLAR_FALLS = -0.20, -0.10  # at once, for a loan in another currency
COUNTING_WORDS = {
    HedgeCounting.IGNORED: "The lender looks at gold and loan alone",
    HedgeCounting.AFTER_PAYMENT: "The options are sold and the money repays the loan",
    HedgeCounting.CREDITED: "The lender counts the options as collateral",
}


@dataclass(frozen=True, slots=True)
class DollarFall:
    """A fall of gold by 20 % and of the dollar by 10 % at once; amounts of the row are dollars at `rate`."""

    row: StressRow
    rate: ExchangeRate


@dataclass(frozen=True, slots=True)
class StressReport:
    """What falls and harsher terms do to a snapshot; `remarks` say what it stands on.

    `dollar_fall` is there for a loan in another currency.
    """

    snapshot: Snapshot
    at: datetime
    rate: DollarRate
    rows: tuple[StressRow, ...]
    shocks: tuple[LenderShock, ...]
    remarks: tuple[str, ...]
    dollar_fall: DollarFall | None = None

    @property
    def has_options(self) -> bool:
        """True when options are held."""
        return self.snapshot.hedge is not None and bool(self.snapshot.hedge.marks)


class LoanStress:
    """Re-marks held options by the model, off the event loop."""

    def __init__(
        self, rates: DollarRates, now: Callable[[], datetime], engine: Callable[[], Awaitable[Engine]]
    ) -> None:
        self._rates = rates
        self._now = now
        self._engine = engine

    async def table(self, snapshot: Snapshot, *, invented: bool = False) -> StressReport:
        """All falls and shocks at the snapshot's price, with the loan's own terms; `invented` when that price is."""
        now = self._now()
        rate = await self._rates.latest(invented=invented)
        book = None if snapshot.hedge is None else option_book(snapshot.hedge, now)
        engine = "reference" if book is None else await self._engine()
        loan, price = snapshot.portfolio.loan, snapshot.price

        def falls() -> tuple[tuple[StressRow, ...], DollarFall | None]:
            units, own = snapshot.shares, snapshot.rate
            rows = stress_table(loan, units, price, book, rate.value, beta=CRASH_BETA, engine=engine)
            if own.is_dollar:
                return rows, None
            fallen = replace(own, per_dollar=own.per_dollar * (1.0 + DOLLAR_FALLS))
            dearer = replace(loan, amount=fallen.dollars(snapshot.owed))
            (row,) = stress_table(
                dearer, units, price, book, rate.value, (GOLD_FALLS,), beta=CRASH_BETA, engine=engine
            )
            return rows, DollarFall(row, fallen)

        rows, dollar_fall = await asyncio.to_thread(falls)
        shocks = lender_shocks(loan, snapshot.shares, price, snapshot.hedge_value)
        remarks = tuple(_remarks(snapshot, rate, dollar_fall))
        return StressReport(snapshot, now, rate, rows, shocks, remarks, dollar_fall)


def option_book(hedge: HedgeMark, now: datetime) -> OptionBook:
    """The marks as columns; what is not known is NaN."""

    def column(values: list[float | None]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    marks = hedge.marks
    contracts = [mark.held.contract for mark in marks]
    return OptionBook(
        strikes=column([contract.strike for contract in contracts]),
        years=column([years_to_expiry(contract.expiration, now) for contract in contracts]),
        volatilities=column([mark.implied_volatility for mark in marks]),
        rights=column([1.0 if contract.right is Right.CALL else -1.0 for contract in contracts]),
        shares=column([mark.held.shares for mark in marks]),
        prices=column([mark.price for mark in marks]),
    )


def _both(fall: DollarFall) -> str:
    row, rate = fall.row, fall.rate
    called = "called" if row.zone in (Zone.CALL, Zone.CLOSE_OUT) else "not called"
    ltv = f"LTV {row.lender_ltv:.1%}" if math.isfinite(row.lender_ltv) else "no cover"
    repaid = f", {rate.own(row.cure.repay_cash):,.0f} {rate.currency} to repay" if row.cure.repay_cash > 0 else ""
    return (
        f"Gold {GOLD_FALLS:+.0%} and the dollar {DOLLAR_FALLS:+.0%}, to {rate.per_dollar:.4f} {rate.currency}: "
        f"{ltv}, {called}{repaid}."
    )


def _remarks(snapshot: Snapshot, rate: DollarRate, dollar_fall: DollarFall | None) -> list[str]:
    loan, own = snapshot.portfolio.loan, snapshot.rate
    said = [f"{COUNTING_WORDS[loan.hedge_counting]}. The cure leads back to the warning level."]
    if not own.is_dollar:
        said.append(
            f"Gold falls in dollars, at today's {own.per_dollar:.4f} {own.currency} for a dollar. Without options a "
            f"dollar that falls by 10 % against {own.currency} does to this loan what a fall of gold by 10 % does; "
            "both at once are a fall of 19 %."
        )
    if dollar_fall is not None:
        said.append(_both(dollar_fall))
    if snapshot.hedge is None or not snapshot.hedge.marks:
        said.append("No options are held, so all countings are the same.")
        return said
    said.append(
        "Options keep their volatility, which gives them no help; in a crash it rises by one point per 1 % of fall "
        f"at 30 days and less beyond. American model at {rate.value:.2%} interest ({rate.source}), half of today's "
        "spread kept, at once: no time passes."
    )
    said.extend(snapshot.hedge.doubts)
    return said
