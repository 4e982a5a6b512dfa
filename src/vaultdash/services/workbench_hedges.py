"""Hedges as they are asked for, made of contracts with quotes: given ones, those of the chain, or those held."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from vaultdash.services.workbench_request import HedgeRequest, LegRequest, Standing

HELD_TITLE = "options held"
NO_HEDGE = ListedHedge("no hedge", ())
NEAR = 2  # strikes that are named instead of one that is not listed

Key = tuple[date, Right, float]


@dataclass(frozen=True, slots=True)
class QuotedHedge:
    """A hedge, what is doubtful of the quotes it is made of, and why nothing may be recommended on them."""

    hedge: ListedHedge
    remarks: tuple[str, ...] = ()
    withheld: str | None = None


async def resolved(request: HedgeRequest, markets: HedgeMarkets) -> QuotedHedge:
    """The hedge with a price for every leg: by the quotes given with it, else by those of the live chain.

    Raises NotFound for a contract that is not listed, InvalidInput for one without the price it needs, Unavailable
    when no chain can be had and a leg brings no quotes.
    """
    lacking = sorted({leg.expiration for leg in request.legs if needs_chain(leg)})
    market = await markets.on(lacking) if lacking else None
    known = {} if market is None else contracts_of(market)
    wished = sorted({leg.expiration for leg in request.legs if wants_volatility(leg)} - set(lacking))
    if wished:
        try:
            known = {**known, **contracts_of(await markets.on(wished))}
        except VaultError:  # the price is given, and alone says enough
            known = dict(known)
    legs = tuple(_leg(leg, known) for leg in request.legs)
    hedge = ListedHedge(request.title, legs, request.commission, request.funding)
    return QuotedHedge(hedge) if market is None else quoted(hedge, market, markets)


def quoted(hedge: ListedHedge, market: HedgeMarket, markets: HedgeMarkets) -> QuotedHedge:
    """A hedge of a market's contracts with the market's marks, and those of legs that no strategy would choose."""
    doubtful = {each.option: each.reason for each in market.rejected}
    said = [
        f"the quote of the {leg.option.title} is doubtful: {doubtful[leg.option]}"
        for leg in hedge.legs
        if leg.option in doubtful
    ]
    return QuotedHedge(hedge, (*market.remarks, *said), markets.withheld(market))


def standing_on(standing: Standing, hedges: Sequence[QuotedHedge]) -> Standing:
    """What figures stand on when hedges were made of quotes: each mark once.

    Where nothing but the options held is judged, they are counted, and nothing is said of their being left out.
    """
    is_held = bool(hedges) and all(each.hedge.title == HELD_TITLE for each in hedges)
    known = [remark for remark in standing.remarks if not (is_held and remark == standing.held)]
    said = [remark for each in hedges for remark in each.remarks]
    withheld = next((each.withheld for each in hedges if each.withheld), None)
    return replace(
        standing,
        remarks=tuple(dict.fromkeys([*known, *said])),
        withheld=standing.withheld or withheld,
    )


def days_of(hedges: Iterable[ListedHedge]) -> list[date]:
    """The expirations of every leg."""
    return [leg.option.expiration for hedge in hedges for leg in hedge.legs]


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
