"""What is odd about imported prices without being wrong."""

import itertools
from datetime import date

from vaultdash.clock import CALENDAR_START, MarketHours
from vaultdash.domain.market import PriceHistory
from vaultdash.storage.price_rows import RATE_SYMBOLS

JUMP = 0.20
SHOWN_DAYS = 3


def remarks_on(
    history: PriceHistory, without_value: int, repeated: int, odd_volumes: int, hours: MarketHours | None
) -> tuple[str, ...]:
    """Sentences, one for each kind of oddity that occurs."""
    found = []
    if without_value:
        found.append(f"{_rows(without_value)} without a value skipped")
    if repeated:
        found.append(f"{_rows(repeated)} repeated word for word, each taken once")
    if odd_volumes:
        found.append(f"{_rows(odd_volumes)} with an unreadable volume, taken without it")
    if history.bars:
        found += _jumps(history)
        found += [] if hours is None else _sessions(history, hours)
    return tuple(found)


def _jumps(history: PriceHistory) -> list[str]:
    """Moves above 20 % in a day; a rate near zero moves so all the time and is left out."""
    if history.symbol in RATE_SYMBOLS:
        return []
    moves = [(after.close / before.close - 1, after.on) for before, after in itertools.pairwise(history.bars)]
    jumps = [move for move in moves if abs(move[0]) > JUMP]
    if not jumps:
        return []
    size, on = max(jumps, key=lambda move: abs(move[0]))
    count = "1 move" if len(jumps) == 1 else f"{len(jumps):,} moves"
    return [f"{count} above 20 % from one row to the next, the largest {size:+.1%} on {on}"]


def _sessions(history: PriceHistory, hours: MarketHours) -> list[str]:
    """Trading days without a row, and rows of days without trading, where the calendar reaches."""
    start = max(history.bars[0].on, date.fromisoformat(CALENDAR_START))
    trading = set(hours.sessions(start, history.bars[-1].on))
    given = {bar.on for bar in history.bars if bar.on >= start}
    found = []
    if missing := sorted(trading - given):
        found.append(f"{_rows(len(missing), 'trading day')} missing: {_days(missing)}")
    if other := sorted(given - trading):
        found.append(f"{_rows(len(other))} of days without a New York session: {_days(other)}")
    return found


def _rows(count: int, noun: str = "row") -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _days(days: list[date]) -> str:
    more = f" and {len(days) - SHOWN_DAYS:,} more" if len(days) > SHOWN_DAYS else ""
    return ", ".join(map(str, days[:SHOWN_DAYS])) + more
