"""The single fields of a loan as they are typed: what is meant, or the reason why it cannot be."""

import itertools
from collections.abc import Collection
from datetime import date

from vaultdash.domain.collateral import Lot, require_gold
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.exchange import DOLLAR
from vaultdash.domain.gold import INSTRUMENTS
from vaultdash.domain.loan import LONGEST_CURE_DAYS
from vaultdash.domain.portfolio import LONGEST_NAME
from vaultdash.domain.validation import open_fraction
from vaultdash.services.portfolio_entry import FIRST_DAY, LARGEST_AMOUNT, LEAST_AMOUNT
from vaultdash.ui import typed

LEAST_BARE_RATE = 0.2  # per cent: a rate typed as 0.045 was meant as a fraction, one of 0.25 as per cent


def same_amount(one: str, other: str, currency: str) -> bool:
    """True when two texts are the same amount of a currency, or the same text when they are none."""
    try:
        return typed.amount("amount", one, currency=currency) == typed.amount("amount", other, currency=currency)
    except InvalidInput:
        return one.strip() == other.strip()


def gold(symbol: str) -> str:
    """The symbol of gold that may be pledged; raises InvalidInput."""
    if symbol not in INSTRUMENTS:
        raise InvalidInput("symbol", f"must be one of {', '.join(INSTRUMENTS)}")
    require_gold((Lot(symbol, 1.0),))
    return symbol


def above_zero(name: str, text: str, currency: str = DOLLAR.currency) -> float:
    """An amount above zero, which may be written with its currency; raises InvalidInput."""
    return sized(name, typed.amount(name, text, currency=currency))


def sized(name: str, value: float) -> float:
    """The value, when it can be meant; raises InvalidInput."""
    if value <= 0:
        raise InvalidInput(name, "must be above zero")
    if not LEAST_AMOUNT <= value <= LARGEST_AMOUNT:
        raise InvalidInput(name, f"must be between {LEAST_AMOUNT:f} and {LARGEST_AMOUNT:,.0f}")
    return value


def ltv(name: str, text: str) -> float:
    """A loan-to-value as a fraction; raises InvalidInput."""
    found = typed.percent(name, text)
    if not 0 < found < 1:
        raise InvalidInput(name, "must be above 0 and below 100 %")
    return open_fraction(name, found)


def haircut(text: str) -> float:
    """A haircut as a fraction; raises InvalidInput."""
    found = typed.percent("hedge_haircut", text)
    if not 0 <= found <= 1:
        raise InvalidInput("hedge_haircut", "must be between 0 and 100 %")
    return found


def rate(name: str, text: str) -> float:
    """A yearly rate as a fraction; raises InvalidInput."""
    found = typed.percent(name, text, least_bare=LEAST_BARE_RATE)
    if not -0.05 <= found <= 0.5:
        raise InvalidInput(name, "must be between -5 and 50 % a year")
    return found


def days(text: str) -> int:
    """Business days to cure; raises InvalidInput."""
    found = typed.whole("cure_days", text)
    if not 0 <= found <= LONGEST_CURE_DAYS:
        raise InvalidInput("cure_days", f"must be between 0 and {LONGEST_CURE_DAYS} business days")
    return found


def past(name: str, text: str, today: date, *, optional: bool) -> date | None:
    """A day that is not in the future, None when it may stay empty and does; raises InvalidInput."""
    if not text.strip():
        if optional:
            return None
        raise InvalidInput(name, "is missing: capitalised interest is counted from that day on")
    found = typed.day(name, text)
    if found > today:
        raise InvalidInput(name, "lies in the future")
    if found < FIRST_DAY:
        raise InvalidInput(name, f"must not be before {FIRST_DAY.year}")
    return found


def named(name: str, text: str, *, required: bool) -> str:
    """A name without spaces around it; raises InvalidInput."""
    found = " ".join(text.split())
    if required and not found:
        raise InvalidInput(name, "must not be empty")
    if len(found) > LONGEST_NAME:
        raise InvalidInput(name, f"must have at most {LONGEST_NAME} characters")
    return found


def own_name(name: str, text: str, taken: Collection[str]) -> str:
    """A name that no other loan has, however it is written; raises InvalidInput with one that is free."""
    found = named(name, text, required=True)
    others = {each.casefold() for each in taken}
    if found.casefold() in others:
        free = next(
            f"{found} {number}" for number in itertools.count(2) if f"{found} {number}".casefold() not in others
        )
        raise InvalidInput(name, f"is that of another loan already; write “{free}”, for instance")
    return found
