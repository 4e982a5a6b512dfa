"""Which listed contracts a hedge means: expirations, strikes, and whole numbers of contracts."""

import math
from collections.abc import Callable, Sequence
from datetime import date
from statistics import mode

from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.listed_hedge import HedgeCase, ListedOption, PriceBasis
from vaultdash.domain.option import Right

DAYS_IN_MONTH = 365 / 12
ROUNDING = 1e-9
SAME_STRIKE = 1e-6  # USD

Options = Sequence[ListedOption]
WORDS = {Right.PUT: "put", Right.CALL: "call"}


def whole_up(units: float, multiplier: int) -> int:
    """Contracts that cover all units; rounding of a float is no contract."""
    contracts = units / multiplier
    return max(math.ceil(contracts - ROUNDING * max(1.0, contracts)), 0)


def whole_down(units: float, multiplier: int) -> int:
    """Contracts for which there are units: as many calls as may be sold."""
    contracts = units / multiplier
    return math.floor(contracts + ROUNDING * max(1.0, contracts))


def months_to(expiration: date, case: HedgeCase) -> float:
    """Months of 365/12 days until an expiration."""
    return case.days_to(expiration) / DAYS_IN_MONTH


def listed_expirations(options: Options, case: HedgeCase) -> tuple[date, ...]:
    """Those that are still to come, ascending; Refused when there are none."""
    days = sorted({option.expiration for option in options if case.years_to(option.expiration) > 0})
    if not days:
        raise Refused(
            "There are no listed contracts to build a hedge from: no chain is loaded, none of its contracts can be "
            "traded, or all have expired. Load the chain, or look at why its contracts are not used."
        )
    return tuple(days)


def listed_expiration(wanted: date, options: Options, case: HedgeCase) -> date:
    """The expiration itself; InvalidInput naming the nearest when nothing is listed for it."""
    days = listed_expirations(options, case)
    if wanted not in days:
        nearest = min(days, key=lambda day: (abs((day - wanted).days), -day.toordinal()))
        raise InvalidInput(
            "expiration",
            f"{wanted:%-d %b %Y} has no contract that can be traded; the nearest that has is {nearest:%-d %b %Y}",
        )
    return wanted


def nearest_expiration(months: float, options: Options, case: HedgeCase) -> date:
    """The listed one nearest to so many months from now, ties later, as in replays."""
    days = listed_expirations(options, case)
    return min(days, key=lambda day: (abs(case.days_to(day) - months * DAYS_IN_MONTH), -day.toordinal()))


def row(right: Right, day: date, options: Options) -> tuple[ListedOption, ...]:
    """The listed contracts of one right and expiration by strike, all of the usual size; Refused without any."""
    found = of_usual_size(
        sorted(
            (each for each in options if each.right is right and each.expiration == day), key=lambda each: each.strike
        )
    )
    if not found:
        raise Refused(
            f"No {WORDS[right]} of {day:%-d %b %Y} can be traded: choose another expiration, or look at why its "
            "contracts are not used."
        )
    return tuple(found)


def of_usual_size(options: Options) -> list[ListedOption]:
    """Those of the commonest multiplier: contracts over other numbers of shares do not go together with them."""
    if not options:
        return []
    size = mode(option.multiplier for option in options)
    return [option for option in options if option.multiplier == size]


def at_strike(strike: float, listed: Options) -> ListedOption:
    """The contract of exactly that strike in a row; InvalidInput naming the nearest."""
    nearest = min(listed, key=lambda option: (abs(option.strike - strike), -option.strike))
    if abs(nearest.strike - strike) > SAME_STRIKE:
        raise InvalidInput(
            "strikes",
            f"{strike:g} is not among the {WORDS[nearest.right]}s of {nearest.expiration:%-d %b %Y} that can be "
            f"traded; the nearest is {nearest.strike:g}",
        )
    return nearest


def nearest_strike(
    price: float,
    listed: Options,
    sign: int,
    basis: PriceBasis,
    allowed: Callable[[ListedOption], bool] = lambda option: True,
) -> ListedOption:
    """The contract of a row nearest to a price, ties higher, among those that have the price for that side.

    `sign` +1 bought, -1 sold. Refused when none has, or none is allowed.
    """
    found = tradable(listed, sign, basis, allowed)
    return min(found, key=lambda option: (abs(option.strike - price), -option.strike))


def first_above(price: float, listed: Options, sign: int, basis: PriceBasis) -> ListedOption:
    """The contract of the lowest strike above a price; Refused when there is none."""
    return tradable(listed, sign, basis, lambda option: option.strike > price * (1.0 + ROUNDING))[0]


def tradable(
    listed: Options,
    sign: int,
    basis: PriceBasis,
    allowed: Callable[[ListedOption], bool] = lambda option: True,
) -> list[ListedOption]:
    """Those of a row that have the price for that side and are allowed; Refused when none is left."""

    def has_price(option: ListedOption) -> bool:
        if basis is PriceBasis.MID:
            return option.mid is not None
        price = option.ask if sign > 0 else option.bid
        return not option.is_crossed and price is not None and price > 0

    found = [option for option in listed if has_price(option) and allowed(option)]
    if not found:
        price = "bid and ask" if basis is PriceBasis.MID else "an ask" if sign > 0 else "a bid"
        raise Refused(
            f"No {WORDS[listed[0].right]} of {listed[0].expiration:%-d %b %Y} where it is wanted has {price}: choose "
            "strikes yourself, or another expiration."
        )
    return found
