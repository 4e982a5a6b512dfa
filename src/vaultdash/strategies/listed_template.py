"""Templates and listed contracts: a rule becomes a hedge of the chain, and such a hedge a rule."""

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
    leg_at,
)
from vaultdash.domain.option import SHARES_PER_CONTRACT, Right
from vaultdash.domain.template import (
    MOST_LEGS,
    SHORTEST_MONTHS,
    HedgeTemplate,
    RollPolicy,
    Side,
    Strike,
    StrikeRule,
    TemplateLeg,
)
from vaultdash.strategies.listed_choice import (
    Options,
    first_above,
    listed_expiration,
    months_to,
    nearest_expiration,
    nearest_strike,
    row,
    tradable,
    whole_down,
    whole_up,
)
from vaultdash.strategies.listed_greeks import option_greeks

ROLLED_BEFORE, SHORTEST_ROLLED = 30, 2.0  # days; months: shorter ones are held to expiry


def from_template(
    template: HedgeTemplate,
    options: Options,
    case: HedgeCase,
    *,
    expiration: date | None = None,
    basis: PriceBasis = PriceBasis.MARKET,
    commission: float = USUAL_COMMISSION,
) -> ListedHedge:
    """The hedge that a template means among `options` today, with its name and funding.

    Each leg takes the expiration nearest to its months (ties later) and the strike its rule means among those with a
    price (ties higher), as replays do; a delta is that of the American model at each contract's own volatility. Whole
    contracts: bought ones rounded up together, sold calls rounded down and never more than the gold, sold puts never
    more than bought ones. `expiration` takes the place of the tenor of a template that has one tenor.

    Raises Refused for a template that buys no option but repays, calls on less than one contract's gold, or where no
    contract fits; InvalidInput for an expiration that is not listed, or that is given for several tenors.
    """
    if template.repays:
        raise Refused(f"{template.name} buys no option: what it would cost repays the loan. Choose another template.")
    if expiration is not None and len({leg.months for leg in template.legs}) > 1:
        raise InvalidInput("expiration", f"cannot replace the different tenors of {template.name}: leave it out")
    if basis is PriceBasis.OWN:
        raise InvalidInput("basis", "own needs a price for each leg: give the legs themselves")
    chosen = [_contract(leg, options, case, expiration, basis) for leg in template.legs]
    sizes = [option.multiplier for option in chosen]
    counts = whole_contracts(template.legs, case.units, template.coverage, sizes)
    together: dict[ListedOption, int] = {}
    for leg, option, count in zip(template.legs, chosen, counts, strict=True):
        if leg.sign * together.get(option, 0) < 0:
            raise Refused(
                f"{template.name} would buy and sell the same {option.title}: too few strikes are listed then. "
                "Choose another expiration."
            )
        if count:
            together[option] = together.get(option, 0) + leg.sign * count
        elif leg.right is Right.CALL and leg.side is Side.SELL:
            raise Refused(
                f"A call is over {option.multiplier:,} shares, and there are not as many of the gold's "
                f"{case.units:,.1f} for each call that {template.name} sells. Choose a hedge without calls."
            )
    legs = tuple(leg_at(option, count, basis) for option, count in together.items())
    return ListedHedge(template.name, legs, commission, template.funding)


def to_template(hedge: ListedHedge, case: HedgeCase, id: str, name: str) -> HedgeTemplate:  # noqa: A002  # as templates call it
    """The rule of a hedge: strikes as parts of spot, tenors in months, numbers as shares of the gold.

    Used on the same chain and case it gives the same contracts again. A share stands for the number where it gives
    that number back, so that the template fits another loan; else the number itself. Raises InvalidInput for what no
    template can say: too many legs, tenors under a week, strikes far from spot, naked options.
    """
    if len(hedge.legs) > MOST_LEGS:
        raise InvalidInput(
            "legs", f"must be at most {MOST_LEGS} in a template, and the hedge has {len(hedge.legs)}: leave some out"
        )
    for leg in hedge.legs:
        if months_to(leg.option.expiration, case) < SHORTEST_MONTHS:
            raise InvalidInput(
                "expiration", f"of the {leg.option.title} is too near for a template: a week is the shortest tenor"
            )
    shares = [_share(leg, hedge.legs, case) for leg in hedge.legs]
    legs = tuple(_rule(leg, share, None, case) for leg, share in zip(hedge.legs, shares, strict=True))
    sizes = [leg.option.multiplier for leg in hedge.legs]
    if whole_contracts(legs, case.units, 1.0, sizes) != [abs(leg.contracts) for leg in hedge.legs]:
        legs = tuple(
            _rule(leg, share, abs(leg.contracts), case) for leg, share in zip(hedge.legs, shares, strict=True)
        )
    shortest = min((leg.months for leg in legs), default=0.0)
    return HedgeTemplate(
        id,
        name,
        f"Made of listed contracts on {case.at:%-d %b %Y}, with the share at {case.spot:,.2f}: {hedge.title}.",
        legs,
        RollPolicy(days_before_expiry=ROLLED_BEFORE if shortest >= SHORTEST_ROLLED else None),
        funding=hedge.funding,
    )


def whole_contracts(
    legs: Sequence[TemplateLeg], units: float, coverage: float = 1.0, multipliers: Sequence[int] | None = None
) -> list[int]:
    """How many contracts each leg is over `units` shares, without sign, as in replays.

    Legs of one right and side are rounded together, so that the parts of a ladder add up to its whole: bought ones
    up, sold calls down and never more than whole contracts of the gold; sold puts never more than bought ones.
    """
    sizes = [SHARES_PER_CONTRACT] * len(legs) if multipliers is None else multipliers
    counts: list[int] = []
    for place, (leg, size) in enumerate(zip(legs, sizes, strict=True)):
        alike = [k for k in range(place) if (legs[k].right, legs[k].side) == (leg.right, leg.side)]
        before = sum(legs[k].share for k in alike if legs[k].contracts is None)
        sold_call = leg.right is Right.CALL and leg.side is Side.SELL
        rounded = whole_down if sold_call else whole_up
        count = leg.contracts
        if count is None:
            end = rounded(coverage * (before + leg.share) * units, size)
            count = end - rounded(coverage * before * units, size)
        if sold_call:
            count = min(count, max(whole_down(units, size) - sum(counts[k] for k in alike), 0))
        counts.append(count)
    left = sum(
        count for leg, count in zip(legs, counts, strict=True) if leg.right is Right.PUT and leg.side is Side.BUY
    )
    for place, leg in enumerate(legs):
        if leg.right is Right.PUT and leg.side is Side.SELL:
            counts[place] = min(counts[place], left)
            left -= counts[place]
    return counts


def _contract(
    leg: TemplateLeg, options: Options, case: HedgeCase, expiration: date | None, basis: PriceBasis
) -> ListedOption:
    if expiration is None:
        of_right = [option for option in options if option.right is leg.right]
        day = nearest_expiration(leg.months, of_right, case)
    else:
        day = listed_expiration(expiration, options, case)
    listed = row(leg.right, day, options)
    value = 1.0 if leg.strike.value is None else leg.strike.value
    if leg.strike.rule is StrikeRule.FIRST_ABOVE_CALL:
        return first_above(case.call_price, listed, leg.sign, basis)
    if leg.strike.rule is StrikeRule.DELTA:
        return _of_delta(value, tradable(listed, leg.sign, basis), case)
    start = case.spot if leg.strike.rule is StrikeRule.PERCENT_OF_SPOT else case.call_price
    return nearest_strike(value * start, listed, leg.sign, basis)


def _of_delta(wanted: float, listed: Options, case: HedgeCase) -> ListedOption:
    """Nearest delta without sign among those whose volatility is known; ties higher."""
    known = option_greeks(listed, case)
    sizes = {
        option: abs(greeks.delta)
        for option in listed
        if (greeks := known[option]) is not None and greeks.delta is not None
    }
    if not sizes:
        raise Refused(
            f"The strike is wanted by its delta, and no volatility is known for {listed[0].expiration:%-d %b %Y}: "
            "choose another expiration."
        )
    return min(sizes, key=lambda option: (abs(sizes[option] - wanted), -option.strike))


def _share(leg: ListedLeg, legs: Sequence[ListedLeg], case: HedgeCase) -> float:
    """Of the contracts that cover the gold, or of those there are when they are more; at most one."""
    size = leg.option.multiplier
    if leg.option.right is Right.CALL and leg.contracts < 0:
        whole = whole_down(case.units, size)
    else:
        whole = whole_up(case.units, size)
    alike = sum(
        abs(each.contracts)
        for each in legs
        if each.option.right is leg.option.right and each.contracts * leg.contracts > 0
    )
    bought = sum(each.contracts for each in legs if each.option.right is Right.PUT and each.contracts > 0)
    return abs(leg.contracts) / max(whole, alike, bought if leg.option.right is Right.PUT else 0)


def _rule(leg: ListedLeg, share: float, contracts: int | None, case: HedgeCase) -> TemplateLeg:
    return TemplateLeg(
        leg.option.right,
        Strike(StrikeRule.PERCENT_OF_SPOT, leg.option.strike / case.spot),
        months_to(leg.option.expiration, case),
        Side.BUY if leg.contracts > 0 else Side.SELL,
        share,
        contracts,
    )
