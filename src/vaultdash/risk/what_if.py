"""What a change of the market or of the lender does to a loan and its hedge, by model values and at expiry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import Greeks
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import hedged_ltv, zone
from vaultdash.domain.position import PremiumFunding
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine
from vaultdash.risk.stress import OptionBook, counted_ltvs
from vaultdash.risk.what_if_remarks import remarks
from vaultdash.risk.what_if_values import (
    NOW,
    WhatIfRow,
    book_greeks,
    book_values,
    counted_ltv,
    hedge_book,
    hedge_values,
)
from vaultdash.risk.what_if_words import LenderChange, WhatIf, WhatIfChange, WhatIfCurves, WhatIfMap, WhatIfPoint

__all__ = [
    "DAYS_FORWARD",
    "MAP_SIZE",
    "PRICE_MOVES",
    "VOLATILITY_SHIFTS",
    "LenderChange",
    "WhatIf",
    "WhatIfChange",
    "WhatIfCurves",
    "WhatIfMap",
    "WhatIfPoint",
    "hedge_values",
    "what_if",
]

PRICE_MOVES = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
VOLATILITY_SHIFTS = (-0.10, -0.05, 0.0, 0.05, 0.10, 0.20)
DAYS_FORWARD = (0, 30, 60, 90, 180)
MAP_SIZE = 41
COARSE_SIZE = 9  # while nothing is compiled: a value then takes a hundred times as long
MAP_MOVES = (-0.6, 0.6)
MAP_SHIFTS = (-0.10, 0.30)
LEAST_MAP_DAYS = 30
CURVE_MOVES = (-0.7, 0.7)
CURVE_POINTS = 57


@dataclass(frozen=True, slots=True)
class _Stand:
    """A loan with its hedge, premium paid: what every figure is reckoned from."""

    case: HedgeCase
    hedge: ListedHedge
    book: OptionBook
    units: float
    loan: Loan
    unhedged: Loan
    change: WhatIfChange
    engine: Engine

    def row(self, days: int | None = None, volatility: float | None = None) -> WhatIfRow:
        """The changed market, on another day or at another shift of volatility."""
        change = self.change
        return WhatIfRow(
            days=change.days if days is None else days,
            volatility=change.volatility if volatility is None else volatility,
            rate=change.rate,
            crash_volatility=change.crash_volatility,
        )

    def owed(self, days: int) -> float:
        """What is owed so many days on, with the hedge."""
        return _owed(self.loan, self.case, days)

    def points(self, prices: FloatArray, row: WhatIfRow, lender: LenderChange) -> tuple[WhatIfPoint, ...]:
        """Loan and hedge at each price on the row's day, under the lender's terms then."""
        values = book_values(self.book, self.case, prices, [row], self.engine)[0]
        greeks = book_greeks(self.book, self.case, prices, row, self.engine)
        loan = lender.applied(replace(self.loan, amount=self.owed(row.days)))
        unhedged = lender.applied(replace(self.unhedged, amount=_owed(self.unhedged, self.case, row.days)))
        return tuple(
            self._point(float(price), row.days, float(value), each, loan, unhedged)
            for price, value, each in zip(prices, values, greeks, strict=True)
        )

    def _point(
        self, price: float, days: int, worth: float, greeks: Greeks, loan: Loan, unhedged: Loan
    ) -> WhatIfPoint:
        gold, alone = self.units * price, self.case.units * price
        gold_pnl, hedge_pnl = self.units * (price - self.case.spot), worth - self.hedge.net_cost
        unhedged_ltv = unhedged.amount / alone
        return WhatIfPoint(
            price=price,
            days=days,
            gold_value=gold,
            loan_amount=loan.amount,
            hedge_value=worth,
            hedge_pnl=hedge_pnl,
            gold_pnl=gold_pnl,
            net_pnl=gold_pnl + hedge_pnl,
            ltvs=counted_ltvs(loan, gold, worth),
            unhedged_ltv=unhedged_ltv,
            zone=zone(hedged_ltv(loan.amount, gold, worth, loan), loan),
            unhedged_zone=zone(unhedged_ltv, unhedged),
            equity=gold + worth - loan.amount,
            unhedged_equity=alone - unhedged.amount,
            greeks=greeks,
        )

    def map(self, kind: str, prices: FloatArray, rows: Sequence[WhatIfRow], labels: Sequence[float]) -> WhatIfMap:
        """A grid of the changed market."""
        values = book_values(self.book, self.case, prices, rows, self.engine)
        owed = np.array([self.owed(row.days) for row in rows])[:, None]
        loan = self.change.lender.applied(self.loan)
        ltvs = _ltvs(loan, owed, self.units * prices, values)
        named = np.array(labels, dtype=np.float64)
        return WhatIfMap(kind, prices, named, ltvs[loan.hedge_counting], values, ltvs)

    def curves(self) -> WhatIfCurves:
        """Worth and LTV over prices that contain every strike and today's price, wherever the price is moved to."""
        case, change = self.case, self.change
        least, most = (case.spot * (1.0 + move) for move in CURVE_MOVES)
        kinks = (*self.hedge.strikes, case.spot, case.call_price)
        inside = [kink for kink in kinks if least < kink < most]
        prices = np.unique(np.concatenate([np.linspace(least, most, CURVE_POINTS), inside]).round(6))
        first = self.hedge.first_expiration
        last = change.days if first is None else case.days_to(first)
        then, at_expiry = book_values(self.book, case, prices, [self.row(), self.row(last)], self.engine)
        now = book_values(self.book, case, prices, [NOW], self.engine)[0]
        loan, unhedged = (change.lender.applied(each) for each in (self.loan, self.unhedged))
        gold = self.units * prices
        ltvs_then = _ltvs(loan, np.array(self.owed(change.days)), gold, then)
        ltvs_at_expiry = _ltvs(loan, np.array(self.owed(last)), gold, at_expiry)
        return WhatIfCurves(
            prices=prices,
            value_now=now,
            value_then=then,
            value_at_expiry=at_expiry,
            ltv_then=ltvs_then[loan.hedge_counting],
            ltv_at_expiry=ltvs_at_expiry[loan.hedge_counting],
            unhedged_ltv=_owed(unhedged, case, change.days) / (case.units * prices),
            then=ltvs_then,
            at_expiry=ltvs_at_expiry,
        )


def what_if(
    case: HedgeCase,
    hedge: ListedHedge,
    change: WhatIfChange,
    *,
    price_moves: Sequence[float] = PRICE_MOVES,
    with_maps: bool = True,
    map_days: Sequence[int] | None = None,
    map_volatilities: Sequence[float] | None = None,
    map_moves: Sequence[float] | None = None,
    engine: Engine = "kernel",
) -> WhatIf:
    """Apply a change to a loan and its hedge; see `what_if_values.hedge_values` for what an option is worth then.

    `price_moves` are the rows of the table, fractions; the maps have a column for each of `map_moves` and a row for
    each of `map_days` or `map_volatilities`, by default 41 from -60 to +60 %, from today to the last expiration, and
    from -10 to +30 points; 9 with the engine "reference", which is slow. Raises InvalidInput.
    """
    stand = _stand(case, hedge, change, engine)
    now = stand.points(np.array([case.spot]), NOW, LenderChange())[0]
    moves = np.array([change.price, *price_moves], dtype=np.float64)
    if not np.isfinite(moves).all() or (moves <= -1).any():
        raise InvalidInput("prices", "must be fractions above -1; write -0.2 for a fall of 20 %")
    then, *table = stand.points(case.spot * (1.0 + moves), stand.row(), change.lender)
    by_time = by_volatility = None
    if with_maps:
        size = MAP_SIZE if engine == "kernel" else COARSE_SIZE
        columns = np.linspace(*MAP_MOVES, size).round(9) if map_moves is None else np.array(map_moves)
        prices = case.spot * (1.0 + columns)
        days = _days(case, hedge, size) if map_days is None else map_days
        evenly = [float(shift) for shift in np.linspace(*MAP_SHIFTS, size).round(9)]
        shifts = evenly if map_volatilities is None else map_volatilities
        by_time = stand.map("time", prices, [stand.row(days=int(day)) for day in days], days)
        by_volatility = stand.map(
            "volatility", prices, [stand.row(volatility=float(shift)) for shift in shifts], shifts
        )
    return WhatIf(
        change=change,
        now=now,
        then=then,
        curves=stand.curves(),
        table=tuple(table),
        by_time=by_time,
        by_volatility=by_volatility,
        remarks=remarks(case, hedge, change, stand.book),
    )


def _stand(case: HedgeCase, hedge: ListedHedge, change: WhatIfChange, engine: Engine) -> _Stand:
    """The premium is in the loan or in the gold where the hedge is paid so; paid in cash it is in neither."""
    loan = case.loan if case.loan.as_of is not None else replace(case.loan, as_of=case.at.date())
    units, funded = case.units, loan
    if hedge.funding is PremiumFunding.LOAN:
        funded = replace(loan, amount=loan.amount + hedge.net_cost)
    elif hedge.funding is PremiumFunding.SELL_GOLD:
        units -= hedge.net_cost / case.spot
        if units <= 0:
            raise InvalidInput("funding", "by selling gold is impossible: the hedge costs more than all the gold")
    return _Stand(case, hedge, hedge_book(hedge, case, engine), units, funded, loan, change, engine)


def _ltvs(
    loan: Loan, owed: FloatArray, gold_value: FloatArray, hedge_value: FloatArray
) -> dict[HedgeCounting, FloatArray]:
    return {
        counting: counted_ltv(replace(loan, hedge_counting=counting), owed, gold_value, hedge_value)
        for counting in HedgeCounting
    }


def _owed(loan: Loan, case: HedgeCase, days: int) -> float:
    return loan.owed(case.at.date() + timedelta(days=days))


def _days(case: HedgeCase, hedge: ListedHedge, size: int) -> list[int]:
    """From today to the last expiration, or a year without one; whole days, each once."""
    last = hedge.last_expiration
    horizon = 365 if last is None else max(case.days_to(last), LEAST_MAP_DAYS)
    return sorted({round(day) for day in np.linspace(0, horizon, size)})
