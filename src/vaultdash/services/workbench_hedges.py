"""Hedges as they are asked for, made of contracts with quotes: given ones, those of the chain, or those held."""

from collections.abc import Iterable, Mapping
from datetime import date

from vaultdash.domain.errors import InvalidInput, NotFound, Refused, VaultError
from vaultdash.domain.listed_hedge import (
    MOST_HEDGE_LEGS,
    HedgeMarket,
    ListedHedge,
    ListedLeg,
    ListedOption,
    PriceBasis,
    leg_at,
)
from vaultdash.domain.option import Right, payoff
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.workbench_market import HedgeMarkets
from vaultdash.services.workbench_request import HedgeRequest, LegRequest

HELD_TITLE = "options held"
NO_HEDGE = ListedHedge("no hedge", ())
NEAR = 2  # strikes that are named instead of one that is not listed

Key = tuple[date, Right, float]


async def resolved(request: HedgeRequest, markets: HedgeMarkets) -> ListedHedge:
    """The hedge with a price for every leg: by the quotes given with it, else by those of the live chain.

    Raises NotFound for a contract that is not listed, InvalidInput for one without the price it needs, Unavailable
    when no chain can be had and a leg brings no quotes.
    """
    lacking = sorted({leg.expiration for leg in request.legs if needs_chain(leg)})
    known = contracts_of(await markets.on(lacking)) if lacking else {}
    wished = sorted({leg.expiration for leg in request.legs if wants_volatility(leg)} - set(lacking))
    if wished:
        try:
            known = {**known, **contracts_of(await markets.on(wished))}
        except VaultError:  # the price is given, and alone says enough
            known = dict(known)
    legs = tuple(_leg(leg, known) for leg in request.legs)
    return ListedHedge(request.title, legs, request.commission, request.funding)


def needs_chain(leg: LegRequest) -> bool:
    """True when nothing given says at what it trades."""
    return leg.bid is None and leg.ask is None and not (leg.basis is PriceBasis.OWN and leg.price is not None)


def wants_volatility(leg: LegRequest) -> bool:
    """True when its price is given, and neither a volatility nor quotes that tell one."""
    return not needs_chain(leg) and leg.volatility is None and leg.bid is None and leg.ask is None


def contracts_of(market: HedgeMarket) -> Mapping[Key, ListedOption]:
    """Every contract of a market by what it is, also those that no strategy would choose."""
    every = (*market.options, *(each.option for each in market.rejected))
    return {(option.expiration, option.right, option.strike): option for option in every}


def held_hedge(snapshot: Snapshot) -> ListedHedge:
    """The options held against a loan as a hedge, at what closing them brings now; one without legs for none.

    Positions in one contract are added up. Raises Refused when there are more contracts than a hedge may have.
    """
    if snapshot.hedge is None or not snapshot.hedge.marks:
        return NO_HEDGE
    legs: dict[Key, ListedLeg] = {}
    for mark in snapshot.hedge.marks:
        contract = mark.held.contract
        key = contract.expiration, contract.right, contract.strike
        before = legs.pop(key, None)
        contracts = mark.held.contracts + (0 if before is None else before.contracts)
        if contracts == 0:
            continue
        option = ListedOption(
            right=contract.right,
            strike=contract.strike,
            expiration=contract.expiration,
            multiplier=contract.multiplier,
            volatility=mark.implied_volatility,
            root=contract.root,
        )
        worth = mark.price if mark.price is not None else payoff(contract.right, contract.strike, snapshot.price)
        legs[key] = ListedLeg(option, contracts, worth, PriceBasis.OWN)
    if len(legs) > MOST_HEDGE_LEGS:
        raise Refused(
            f"You hold {len(legs)} different contracts, and a hedge may have {MOST_HEDGE_LEGS}; choose some of them"
        )
    return ListedHedge(HELD_TITLE, tuple(legs.values()), commission=0.0) if legs else NO_HEDGE


def _leg(leg: LegRequest, known: Mapping[Key, ListedOption]) -> ListedLeg:
    listed = known.get((leg.expiration, leg.right, leg.strike))
    if needs_chain(leg) and listed is None:
        raise NotFound(_not_listed(leg, known.values()))
    if needs_chain(leg) or (listed is not None and wants_volatility(leg)):
        assert listed is not None
        if listed.multiplier != leg.multiplier:
            raise InvalidInput(
                "multiplier", f"is {listed.multiplier} shares for the {listed.title}, not {leg.multiplier}"
            )
        option = listed
    else:
        option = ListedOption(
            right=leg.right,
            strike=leg.strike,
            expiration=leg.expiration,
            bid=leg.bid,
            ask=leg.ask,
            multiplier=leg.multiplier,
            volatility=leg.volatility,
        )
    if leg.price is not None and leg.basis is not PriceBasis.OWN:
        raise InvalidInput("price", f"is given for the {option.title}, which trades at the {leg.basis}; say own")
    return leg_at(option, leg.contracts, leg.basis, leg.price)


def _not_listed(leg: LegRequest, known: Iterable[ListedOption]) -> str:
    strikes = sorted(
        {each.strike for each in known if (each.expiration, each.right) == (leg.expiration, leg.right)},
        key=lambda strike: abs(strike - leg.strike),
    )[:NEAR]
    right = "put" if leg.right is Right.PUT else "call"
    near = f"; the nearest strikes are {' and '.join(f'{each:g}' for each in sorted(strikes))}" if strikes else ""
    return f"There is no {leg.strike:g} {right} of {leg.expiration:%-d %b %Y} in the chain{near}"
