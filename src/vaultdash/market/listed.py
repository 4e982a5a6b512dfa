"""What is listed and what is not, in the words that every source of option chains uses."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from vaultdash.domain.errors import NotFound
from vaultdash.domain.option import expiry_at


class NotListed(NotFound):
    """The symbol is known; options of it, or of that day, are not."""


def is_past(expiration: date, now: datetime) -> bool:
    """True from 16:00 New York of the day on."""
    return expiry_at(expiration) <= now


def current(days: Iterable[date], now: datetime) -> tuple[date, ...]:
    """The expirations that have not passed, each once, ascending."""
    return tuple(sorted({day for day in days if not is_past(day, now)}))


def no_options(source: str, symbol: str) -> NotListed:
    """The symbol has none."""
    return NotListed(f"{symbol} has no listed options ({source})")


def not_listed(source: str, symbol: str, expiration: date, days: Sequence[date]) -> NotListed:
    """The day is none of `days`, ascending; the sentence names its neighbours among them."""
    place = bisect_left(days, expiration)
    near = " and ".join(str(day) for day in days[max(place - 1, 0) : place + 1])
    return NotListed(f"{symbol} has no options that expire on {expiration} ({source}); the nearest are of {near}")


def expired(source: str, symbol: str, expiration: date) -> NotListed:
    """The day has passed."""
    return NotListed(f"The {symbol} options of {expiration} have expired ({source})")
