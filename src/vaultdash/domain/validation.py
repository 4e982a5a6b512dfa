"""Checks at the border of each object: a wrong number is named, with what it should have been."""

import math

from vaultdash.domain.errors import InvalidInput


def finite(argument: str, value: float) -> float:
    """`value` as a float, refused when it is NaN or infinite."""
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput(argument, f"must be a finite number, not {number}")
    return number


def positive(argument: str, value: float) -> float:
    """`value` as a float, refused unless finite and above zero."""
    number = finite(argument, value)
    if number <= 0:
        raise InvalidInput(argument, f"must be above zero, not {value}")
    return number


def not_negative(argument: str, value: float) -> float:
    """`value` as a float, refused unless finite and at least zero."""
    number = finite(argument, value)
    if number < 0:
        raise InvalidInput(argument, f"must not be negative, not {value}")
    return number


def open_fraction(argument: str, value: float) -> float:
    """`value` as a fraction strictly between 0 and 1; one such as 75 is told it looks like per cent, 1.2 is not."""
    number = finite(argument, value)
    if not 0 < number < 1:
        hint = f"; write {number / 100:g} for {number:g} %" if 2 <= number < 100 else ""
        raise InvalidInput(argument, f"must be a fraction between 0 and 1, not {value}{hint}")
    return number


def share(argument: str, value: float) -> float:
    """`value` as a fraction from 0 to 1, both allowed; a value such as 20 is told it looks like per cent."""
    number = finite(argument, value)
    if not 0 <= number <= 1:
        hint = f"; write {number / 100:g} for {number:g} %" if 1 < number <= 100 else ""
        raise InvalidInput(argument, f"must be a fraction from 0 to 1, not {value}{hint}")
    return number
