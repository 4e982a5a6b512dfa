"""What the options of a hedge are worth over prices of the share, days forward, volatility and interest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import Greeks
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedLeg
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.option import SECONDS_PER_YEAR, Right
from vaultdash.pricing.american import american, american_price
from vaultdash.pricing.american_scenarios import scenario_prices
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.implied import implied_volatility
from vaultdash.risk.stress import (
    CRASH_BETA,
    LEAST_VOLATILITY,
    MOST_VOLATILITY,
    OptionBook,
    closing_value,
    crash_shift,
)

Places = npt.NDArray[np.int64]

MOST_ROWS = MOST_PRICES = 401
DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """One day and market of a grid: `days` calendar days forward, shifts of volatility and interest, fractions."""

    days: int = 0
    volatility: float = 0.0
    rate: float = 0.0
    crash_volatility: bool = False


NOW = WhatIfRow()


def hedge_book(hedge: ListedHedge, case: HedgeCase, engine: Engine = "kernel") -> OptionBook:
    """The legs as columns, at what closing them brings now: the bid of what is bought, the ask of what is sold.

    A leg that is not quoted closes at the price at which it was traded. One without a volatility takes that of its
    mid, or of that price, by the American model; NaN where there is none.
    """
    legs = hedge.legs

    def column(values: Sequence[float | None]) -> FloatArray:
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    rights = column([1.0 if leg.option.right is Right.CALL else -1.0 for leg in legs])
    strikes = column([leg.option.strike for leg in legs])
    years = column([case.years_to(leg.option.expiration) for leg in legs])
    volatilities = column([leg.option.volatility for leg in legs])
    volatilities[~(volatilities > 0)] = math.nan
    unknown = np.isnan(volatilities) & (years > 0)
    if unknown.any():
        mids = column([leg.price if leg.option.mid is None else leg.option.mid for leg in legs])
        letters = np.where(rights[unknown] > 0, "C", "P")
        terms = (case.spot, strikes[unknown], years[unknown], case.rate, case.dividend_yield, letters)
        volatilities[unknown] = implied_volatility(mids[unknown], *terms, engine=engine).value
    return OptionBook(
        strikes=strikes,
        years=years,
        volatilities=volatilities,
        rights=rights,
        shares=column([leg.shares for leg in legs]),
        prices=column([closing_price(leg) for leg in legs]),
    )


def closing_price(leg: ListedLeg) -> float:
    """What closing brings a share now, USD: bid or ask, or what was traded at where there is none."""
    quoted = leg.option.bid if leg.contracts > 0 else leg.option.ask
    return leg.price if quoted is None else quoted


def hedge_values(
    hedge: ListedHedge,
    case: HedgeCase,
    prices: FloatArray,
    rows: Sequence[WhatIfRow],
    engine: Engine = "kernel",
) -> FloatArray:
    """Pi, USD, shape (rows, prices): what closing the hedge brings on each row's day at each price, USD a share.

    American model values. Each option keeps its own volatility whatever the price does (sticky strike), plus the
    row's shift, plus what a fall adds when the row says so (`risk.stress.crash_shift`, by the time left); it keeps
    today's difference between its price and the model, half of the spread among it, and is never worth less than
    exercise. From its expiry on an option is the money that exercise paid at that price. Raises InvalidInput.
    """
    return book_values(hedge_book(hedge, case, engine), case, prices, rows, engine)


def book_values(
    book: OptionBook, case: HedgeCase, prices: FloatArray, rows: Sequence[WhatIfRow], engine: Engine = "kernel"
) -> FloatArray:
    """`hedge_values` of a book."""
    if prices.ndim != 1 or not 0 < prices.size <= MOST_PRICES or not 0 < len(rows) <= MOST_ROWS:
        raise InvalidInput("grid", f"must be a row of 1 to {MOST_PRICES} prices and have 1 to {MOST_ROWS} rows")
    if not np.isfinite(prices).all() or (prices <= 0).any():
        raise InvalidInput("prices", "must be finite and above zero")
    exercise = np.maximum(book.rights[:, None] * (prices - book.strikes[:, None]), 0.0)
    worth = np.repeat(exercise[:, None, :], len(rows), axis=1)
    left = _years_left(book, rows)
    alive = (left > 0) & (np.isfinite(book.volatilities) & np.isfinite(book.prices))[:, None]
    leg, row = np.nonzero(alive)
    if leg.size:
        # Side by side what shares a boundary: the same side and time to expiry, at all prices.
        order = np.lexsort((left[leg, row], book.rights[leg]))
        leg, row = leg[order], row[order]
        rates = np.array([case.rate + each.rate for each in rows])
        years = left[leg, row]
        then = scenario_prices(
            prices,
            book.strikes[leg, None],
            years[:, None],
            rates[row, None],
            case.dividend_yield,
            _volatilities(book, case, prices, rows, leg, row, years),
            _letters(book.rights[leg])[:, None],
            engine,
        )
        held = np.unique(leg)
        now = np.zeros(len(book.strikes))
        now[held] = _model_now(book, case, held, engine)
        worth[leg, row] = closing_value(then, now[leg, None], book.prices[leg, None], exercise[leg])
    found: FloatArray = np.tensordot(book.shares, worth, axes=1)
    return found


def book_greeks(
    book: OptionBook, case: HedgeCase, prices: FloatArray, row: WhatIfRow, engine: Engine = "kernel"
) -> tuple[Greeks, ...]:
    """Greeks of the whole book on the row's day at each price, in trading units; all None while a volatility is
    unknown. An option that has expired has none left.
    """
    left = _years_left(book, [row])[:, 0]
    if np.isnan(book.volatilities[left > 0]).any():
        return (Greeks(),) * prices.size
    leg = np.flatnonzero(left > 0)
    if not leg.size:
        return (Greeks(0.0, 0.0, 0.0, 0.0),) * prices.size
    volatilities = _volatilities(book, case, prices, [row], leg, np.zeros_like(leg), left[leg])
    terms = (book.strikes[leg, None], left[leg, None], case.rate + row.rate, case.dividend_yield, volatilities)
    value = american(prices, *terms, _letters(book.rights[leg])[:, None], engine=engine)
    scales = (value.delta, value.gamma, value.vega / 100.0, value.theta / DAYS_A_YEAR)
    sums = [np.tensordot(book.shares[leg], figures, axes=1) for figures in scales]
    return tuple(Greeks(*(float(figure) for figure in figures)) for figures in zip(*sums, strict=True))


def counted_ltv(loan: Loan, owed: FloatArray, gold_value: FloatArray, hedge_value: FloatArray) -> FloatArray:
    """`domain.portfolio.hedged_ltv` of arrays that broadcast: LTV as the loan's lender counts the hedge."""
    if loan.hedge_counting is HedgeCounting.AFTER_PAYMENT:
        return (owed - hedge_value) / gold_value
    if loan.hedge_counting is HedgeCounting.IGNORED:
        return owed / gold_value + 0.0 * hedge_value
    credit = np.where(hedge_value > 0, 1.0 - loan.hedge_haircut, 1.0)
    counted = gold_value + credit * hedge_value
    with np.errstate(divide="ignore"):
        return np.where(counted > 0, owed / np.maximum(counted, 1e-300), np.inf)


def _years_left(book: OptionBook, rows: Sequence[WhatIfRow]) -> FloatArray:
    forward = np.array([each.days / DAYS_A_YEAR for each in rows])
    left = book.years[:, None] - forward
    # Less than a second is rounding: years are seconds by the year, days a division.
    return np.where(left * SECONDS_PER_YEAR > 1.0, left, 0.0)


def _volatilities(
    book: OptionBook,
    case: HedgeCase,
    prices: FloatArray,
    rows: Sequence[WhatIfRow],
    leg: Places,
    row: Places,
    years: FloatArray,
) -> FloatArray:
    """By pair of leg and row, (pairs, 1), or (pairs, prices) where a crash moves them."""
    shifts = np.array([each.volatility for each in rows])
    found: FloatArray = (
        np.clip(book.volatilities[leg], LEAST_VOLATILITY, MOST_VOLATILITY)[:, None] + shifts[row, None]
    )
    crashed = np.array([each.crash_volatility for each in rows])[row]
    if crashed.any():
        moves = [crash_shift(float(price) / case.spot - 1.0, years, CRASH_BETA) for price in prices]
        found = found + np.where(crashed[:, None], np.stack(moves, axis=1), 0.0)
    shifted: FloatArray = np.clip(found, LEAST_VOLATILITY, MOST_VOLATILITY)
    return shifted


def _model_now(book: OptionBook, case: HedgeCase, leg: Places, engine: Engine) -> FloatArray:
    sigma = np.clip(book.volatilities[leg], LEAST_VOLATILITY, MOST_VOLATILITY)
    terms = (book.strikes[leg], book.years[leg], case.rate, case.dividend_yield, sigma)
    return american_price(case.spot, *terms, _letters(book.rights[leg]), engine=engine)


def _letters(rights: FloatArray) -> npt.NDArray[np.str_]:
    return np.where(rights > 0, "C", "P")
