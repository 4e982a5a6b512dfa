"""What dollars earn, continuously compounded over years of 365 days, from the ways the market writes it."""

import math

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.validation import finite

MONEY_YEAR = 360  # days, in bank discounts and in money-market interest
CALENDAR_YEAR = 365
BILL_DAYS = 91  # of the 13-week bill, whose discount ^IRX is
MOST_DAYS = 366
LARGEST_RATE = 0.5  # a dollar rate beyond this was given in per cent


def continuous_from_bank_discount(discount: float, days: int = BILL_DAYS) -> float:
    """The continuous rate a year of a bill with `days` to run whose discount is `discount` a year.

    `discount` is a fraction: 0.036 for the 3.60 that ^IRX or DTB3 writes. A bill of 1 costs p = 1 - discount days/360
    and r = ln(1/p) 365/days; a negative discount gives a negative rate. Raises InvalidInput for a discount beyond
    50 %, which is one in per cent, and for days outside 1 to 366.
    """
    price = 1.0 - _fraction("discount", discount) * _days(days) / MONEY_YEAR
    if price <= 0:
        raise InvalidInput(
            "discount", f"leaves nothing to pay for the bill after {days} days, at {discount:g} a year"
        )
    return math.log(1.0 / price) * CALENDAR_YEAR / days


def continuous_from_simple(simple: float, days: int = 1) -> float:
    """The continuous rate a year of simple money-market interest, act/360, that is paid after `days`.

    `simple` is a fraction: 0.0359 for a SOFR of 3.59. One dollar becomes 1 + simple days/360 and
    r = ln(that) 365/days. Overnight rates have one day. Raises InvalidInput as `continuous_from_bank_discount`.
    """
    grown = 1.0 + _fraction("simple", simple) * _days(days) / MONEY_YEAR
    return math.log(grown) * CALENDAR_YEAR / days


def _fraction(argument: str, rate: float) -> float:
    number = finite(argument, rate)
    if abs(number) > LARGEST_RATE:
        raise InvalidInput(
            argument, f"must be a fraction a year, not {number:g}; write {number / 100:g} for {number:g} %"
        )
    return number


def _days(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("days", f"must be from 1 to {MOST_DAYS}, not {days}")
    return days
