"""What a replay comes to in figures, and many replays of the same days in one go."""

from math import inf, nan

from vaultdash.backtest import layout as at
from vaultdash.backtest.day_loop import walk
from vaultdash.backtest.layout import Run, Sets
from vaultdash.backtest.option_trades import quote
from vaultdash.pricing.base import FloatArray


def walk_sets(sets: Sets) -> None:
    """Replay every row of terms, legs, account and book; series, trades and calls are those of the last one."""
    for k in range(sets.terms.shape[0]):
        legs = int(sets.counts[k])
        run = Run(
            sets.days,
            sets.listed,
            sets.quarters,
            sets.contracts,
            sets.quoted,
            sets.early,
            sets.terms[k],
            sets.legs[k, :legs],
            sets.account[k],
            sets.book[k, :legs],
            sets.series,
            sets.trades,
            sets.calls,
        )
        clear(run)
        walk(run)
        sum_up(run, sets.figures[k])


def clear(run: Run) -> None:
    """What the days add to or leave out begins anew; what repays by schedule is given."""
    series = run.series
    series[at.AT_LOW, :] = nan
    series[at.AT_FLOW, :] = 0.0
    series[at.DUE_GOLD, :] = 0.0
    series[at.DUE_HEDGE, :] = 0.0
    if run.terms[at.DELTA_AT] > 0:
        series[at.DEEPEST, :] = 0.0


def sum_up(run: Run, figures: FloatArray) -> None:
    """Fill the figures from series and account; days by their index, -1 for never. LTVs are of days with a loan."""
    series, account, limit = run.series, run.account, run.terms[at.CALL] - at.TOLERANCE
    start, counting = int(run.terms[at.START]), int(run.terms[at.COUNTING])
    ignored, paid, credited = series[at.AT_IGNORED], series[at.AT_PAID], series[at.AT_CREDITED]
    room, low = series[at.AT_HEADROOM], series[at.AT_LOW]
    most_ignored, most_paid, most_credited, least, lows = -inf, -inf, -inf, inf, 0
    for t in range(start, room.size):  # in one loop, so that the comparisons wait for one another only in rows
        if ignored[t] > most_ignored:
            most_ignored = ignored[t]
        if paid[t] > most_paid:
            most_paid = paid[t]
        if credited[t] > most_credited:
            most_credited = credited[t]
        if room[t] < least:
            least = room[t]
        if low[t] >= limit:
            lows += 1
    figures[at.MOST_IGNORED], figures[at.MOST_PAID], figures[at.MOST_CREDITED] = (
        most_ignored,
        most_paid,
        most_credited,
    )
    figures[at.LEAST_ROOM] = least
    for k in range(3):
        row, most = series[at.AT_IGNORED + k], figures[at.MOST_IGNORED + k]
        figures[at.BREACH_IGNORED + k] = first_at(row, start, limit) if most >= limit else -1.0
    lender, first = series[at.AT_LENDER], figures[at.BREACH_IGNORED + counting]
    figures[at.FIRST_BREACH] = first
    figures[at.BREACH_DAYS] = days_at(lender, start, limit) if first >= 0 else 0.0
    figures[at.MOST_LTV] = figures[at.MOST_IGNORED + counting]
    figures[at.MOST_LTV_ON] = first_at(lender, start, figures[at.MOST_LTV])
    intraday = first_at(low, start, limit) if lows > 0 else -1.0
    figures[at.FIRST_INTRADAY] = min(first, intraday) if min(first, intraday) >= 0 else max(first, intraday)
    figures[at.ENDED] = at.OPEN if account[at.STANDING] == at.CALLED else account[at.WORST]
    figures[at.VALUE_END] = closing_value(run)
    figures[at.LOAN_END], figures[at.EQUITY_END] = series[at.AT_LOAN, -1], series[at.AT_EQUITY, -1]


def first_at(row: FloatArray, start: int, limit: float) -> float:
    """The first day from `start` on that is at the limit or above; -1 for never."""
    for t in range(start, row.size):
        if row[t] >= limit:
            return float(t)
    return -1.0


def days_at(row: FloatArray, start: int, limit: float) -> float:
    """How many days from `start` on are at the limit or above."""
    count = 0.0
    for t in range(start, row.size):
        if row[t] >= limit:
            count += 1.0
    return count


def closing_value(run: Run) -> float:
    """What closing the options held would bring at the end: bought ones at the bid, sold ones at the ask, USD."""
    total, last = 0.0, run.days.shape[1] - 1
    for leg in range(run.book.shape[0]):
        held = run.book[leg, at.HELD]
        if held != 0:
            right, column = run.legs[leg, at.LEG_RIGHT], int(run.book[leg, at.COLUMN])
            strike, expires = run.book[leg, at.STRIKE], run.book[leg, at.EXPIRES]
            _, bid, ask = quote(run, last, right, strike, expires, column)
            total += held * at.SHARES * (bid if held > 0 else ask)
    return total
