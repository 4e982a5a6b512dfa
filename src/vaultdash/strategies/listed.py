"""Hedges built from listed contracts: protective put, LEAPS, put spread, collar and put ladder."""

from collections.abc import Sequence
from datetime import date

from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.listed_hedge import (
    USUAL_COMMISSION,
    HedgeCase,
    ListedHedge,
    ListedLeg,
    ListedOption,
    PriceBasis,
    StrategyKind,
    leg_at,
)
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.strategies.listed_choice import (
    Options,
    at_strike,
    first_above,
    listed_expiration,
    listed_expirations,
    months_to,
    nearest_expiration,
    nearest_strike,
    row,
    whole_down,
    whole_up,
)
from vaultdash.strategies.listed_template import from_template as from_template  # so that all that builds is here
from vaultdash.strategies.listed_template import to_template as to_template

USUAL_MONTHS, LEAPS_MONTHS = 3.0, 9.0
USUAL_PUT, USUAL_CALL = 0.95, 1.10  # of spot
USUAL_SOLD_PUT = 0.80  # of spot, as the spread among the templates of the house
USUAL_LADDER = (1.0, 0.95, 0.90)  # of spot
FEWEST_RUNGS, MOST_RUNGS = 2, 4


def build(
    kind: StrategyKind,
    options: Options,
    case: HedgeCase,
    *,
    expiration: date | None = None,
    strikes: Sequence[float] = (),
    contracts: int | None = None,
    basis: PriceBasis = PriceBasis.MARKET,
    commission: float = USUAL_COMMISSION,
    funding: PremiumFunding = PremiumFunding.CASH,
) -> ListedHedge:
    """A hedge of one kind from `options`, which are those that may be used; strikes USD a share.

    By default: `contracts` of puts cover the gold, rounded up, and calls are sold on whole contracts of it, rounded
    down and never more. The expiration is the listed one nearest to three months, for LEAPS the first at or after
    nine. The put alone or of a collar is the first listed above the call price for a lender who credits options
    (domain.md 3), else nearest to 95 % of spot; a spread is nearest to 95 and 80 % of spot; a collar's call to 110 %;
    a ladder's rungs to 100, 95 and 90 %, equal numbers, the rest on the highest. Where no strike is given only
    contracts that have the price asked for are chosen.

    Raises InvalidInput for an expiration or strike that is not listed (the nearest is named), for fewer contracts
    than rungs, or where nobody quotes the price; Refused without any contracts, or for calls on less than one
    contract's gold.
    """
    if kind is StrategyKind.CUSTOM:
        raise InvalidInput("kind", "custom follows no rule: give the legs themselves")
    if basis is PriceBasis.OWN:
        raise InvalidInput("basis", "own needs a price for each leg: give the legs themselves")
    day = _expiration(kind, options, case, expiration)
    puts = row(Right.PUT, day, options)
    count = whole_up(case.units, puts[0].multiplier) if contracts is None else contracts
    if count < 1:
        raise InvalidInput("contracts", f"must be at least one, not {count}")
    if kind is StrategyKind.PUT_LADDER:
        legs = _ladder(puts, strikes, count, case, basis)
    elif kind is StrategyKind.PUT_SPREAD:
        legs = _spread(puts, strikes, count, case, basis)
    elif kind is StrategyKind.COLLAR:
        legs = _collar(puts, row(Right.CALL, day, options), strikes, count, case, basis)
    else:
        _require(kind, strikes, (0, 1))
        legs = (leg_at(_put(puts, strikes, case, basis), count, basis),)
    return ListedHedge(_title(kind, legs, day), legs, commission, funding)


def leaps_expiration(options: Options, case: HedgeCase) -> date:
    """The first listed one at or after nine months; Refused when none lasts so long."""
    days = listed_expirations(options, case)
    found = [day for day in days if months_to(day, case) >= LEAPS_MONTHS]
    if not found:
        raise Refused(
            f"Nothing is listed that lasts {LEAPS_MONTHS:g} months or more; the longest ends on "
            f"{days[-1]:%-d %b %Y}. Choose a protective put."
        )
    return found[0]


def _expiration(kind: StrategyKind, options: Options, case: HedgeCase, given: date | None) -> date:
    if given is not None:
        day = listed_expiration(given, options, case)
        if kind is StrategyKind.LEAPS and months_to(day, case) < LEAPS_MONTHS:
            raise InvalidInput(
                "expiration",
                f"{day:%-d %b %Y} is less than {LEAPS_MONTHS:g} months away, and that is no LEAPS: choose a "
                "protective put or a later day",
            )
        return day
    if kind is StrategyKind.LEAPS:
        return leaps_expiration(options, case)
    return nearest_expiration(USUAL_MONTHS, options, case)


def _put(listed: Options, strikes: Sequence[float], case: HedgeCase, basis: PriceBasis) -> ListedOption:
    if strikes:
        return at_strike(strikes[0], listed)
    if case.loan.hedge_counting is HedgeCounting.CREDITED:
        return first_above(case.call_price, listed, 1, basis)
    return nearest_strike(USUAL_PUT * case.spot, listed, 1, basis)


def _spread(
    listed: Options, strikes: Sequence[float], count: int, case: HedgeCase, basis: PriceBasis
) -> tuple[ListedLeg, ...]:
    _require(StrategyKind.PUT_SPREAD, strikes, (0, 1, 2))
    highest_first = sorted(strikes, reverse=True)
    if highest_first:
        bought = at_strike(highest_first[0], listed)
    else:
        bought = nearest_strike(USUAL_PUT * case.spot, listed, 1, basis)
    if len(highest_first) > 1:
        sold = at_strike(highest_first[1], listed)
    else:
        wanted = bought.strike * USUAL_SOLD_PUT / USUAL_PUT
        sold = nearest_strike(wanted, listed, -1, basis, lambda option: option.strike < bought.strike)
    if sold.strike == bought.strike:
        raise InvalidInput("strikes", f"of a spread must differ, and both are {bought.strike:g}")
    return leg_at(bought, count, basis), leg_at(sold, -count, basis)


def _collar(
    puts: Options, calls: Options, strikes: Sequence[float], count: int, case: HedgeCase, basis: PriceBasis
) -> tuple[ListedLeg, ...]:
    """Strikes are put, call."""
    _require(StrategyKind.COLLAR, strikes, (0, 1, 2))
    bought = _put(puts, strikes, case, basis)
    if len(strikes) > 1:
        if strikes[1] < bought.strike:
            raise InvalidInput(
                "strikes",
                f"of a collar are put, call, and the call's {strikes[1]:g} is below the put's {bought.strike:g}",
            )
        sold = at_strike(strikes[1], calls)
    else:
        lowest = max(case.spot, bought.strike)
        sold = nearest_strike(USUAL_CALL * case.spot, calls, -1, basis, lambda option: option.strike > lowest)
    covered = whole_down(case.units, sold.multiplier)
    if covered < 1:
        raise Refused(
            f"A call is over {sold.multiplier:,} shares and the gold is worth {case.units:,.1f}: sold, it would not "
            "be covered. Choose a hedge without calls."
        )
    return leg_at(bought, count, basis), leg_at(sold, -min(count, covered), basis)


def _ladder(
    listed: Options, strikes: Sequence[float], count: int, case: HedgeCase, basis: PriceBasis
) -> tuple[ListedLeg, ...]:
    _require(StrategyKind.PUT_LADDER, strikes, (0, *range(FEWEST_RUNGS, MOST_RUNGS + 1)))
    if strikes:
        rungs = [at_strike(strike, listed) for strike in sorted(set(strikes), reverse=True)]
    else:
        chosen = (nearest_strike(part * case.spot, listed, 1, basis) for part in USUAL_LADDER)
        rungs = list(dict.fromkeys(chosen))
    if len(rungs) < FEWEST_RUNGS:
        raise InvalidInput("strikes", "of a ladder must be at least two different ones; choose a protective put")
    each, rest = divmod(count, len(rungs))
    if not each:
        raise InvalidInput(
            "contracts",
            f"must be at least {len(rungs)}, one for each rung, not {count}: take fewer rungs or a protective put",
        )
    return tuple(leg_at(rung, each + (rest if place == 0 else 0), basis) for place, rung in enumerate(rungs))


def _require(kind: StrategyKind, strikes: Sequence[float], allowed: Sequence[int]) -> None:
    if len(strikes) not in allowed:
        raise InvalidInput(
            "strikes",
            f"of a {kind.value.replace('_', ' ')} must be {' or '.join(map(str, allowed))}, not {len(strikes)}",
        )


def _title(kind: StrategyKind, legs: Sequence[ListedLeg], day: date) -> str:
    until = f"{day:%-d %b %Y}"
    strikes = "/".join(f"{leg.option.strike:g}" for leg in legs)
    name = {
        StrategyKind.PROTECTIVE_PUT: f"{strikes} put",
        StrategyKind.LEAPS: f"LEAPS {strikes} put",
        StrategyKind.PUT_SPREAD: f"{strikes} put spread",
        StrategyKind.COLLAR: f"{strikes} collar",
        StrategyKind.PUT_LADDER: f"{strikes} put ladder",
    }[kind]
    return f"{name}, {until}"
