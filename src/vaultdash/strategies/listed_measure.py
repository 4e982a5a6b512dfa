"""Every figure by which hedges of listed contracts are compared, for one or for many of them."""

import math
from collections.abc import Sequence
from itertools import pairwise

from vaultdash.domain.hedge_verdict import Greeks, ListedMeasure
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.pricing.compiled import Engine
from vaultdash.strategies.call_safety import call_safety
from vaultdash.strategies.listed_greeks import OptionGreeks, hedge_greeks, option_greeks
from vaultdash.strategies.listed_protection import (
    Funded,
    Kink,
    counted_protection,
    funded,
    in_range,
    kinks,
    known_range,
)
from vaultdash.strategies.listed_remarks import remarks, spread_of

DEFAULT_RANGE = (-0.6, 0.6)
SAME_WORTH = 1e-9  # of the gold's value


def measure_listed(
    hedge: ListedHedge,
    case: HedgeCase,
    price_range: tuple[float, float] = DEFAULT_RANGE,
    *,
    engine: Engine | None = None,
) -> ListedMeasure:
    """Every figure of a hedge on a case; `price_range` as fractions of spot moves. As `measure_all` of one."""
    (found,) = measure_all([hedge], case, price_range, engine=engine)
    return found


def measure_all(
    hedges: Sequence[ListedHedge],
    case: HedgeCase,
    price_range: tuple[float, float] = DEFAULT_RANGE,
    *,
    engine: Engine | None = None,
) -> tuple[ListedMeasure, ...]:
    """Every figure of each hedge, in the order given; all options are valued together, each once.

    Protection, floor, breakevens and upside are by payoff at expiry, exactly, over the bends of the payoff; Greeks by
    the American model at each option's own volatility. A cost of the `cash` funding is taken off the floor, one that
    the loan pays is owed, one paid in gold is gold that is gone. Raises InvalidInput for a range that is none, or a
    hedge that would cost all of the gold.
    """
    known_range(price_range)
    greeks = option_greeks([leg.option for hedge in hedges for leg in hedge.legs], case, engine=engine)
    return tuple(_measured(hedge, case, price_range, greeks) for hedge in hedges)


def _measured(
    hedge: ListedHedge, case: HedgeCase, price_range: tuple[float, float], greeks: OptionGreeks
) -> ListedMeasure:
    bends = kinks(hedge, case, price_range)
    after = funded(hedge, case)
    years = None if hedge.first_expiration is None else case.years_to(hedge.first_expiration)
    cost = hedge.net_cost
    yearly = 0.0 if not hedge.legs else cost / years if years else None
    floor_price, floor = _floor(in_range(bends, case, price_range), after, hedge, case)
    own = hedge_greeks(hedge, greeks)
    spreads = [spread for leg in hedge.legs if (spread := spread_of(leg.option)) is not None]
    open_interest = [leg.option.open_interest for leg in hedge.legs if leg.option.open_interest is not None]
    return ListedMeasure(
        case=case,
        hedge=hedge,
        price_range=price_range,
        net_cost=cost,
        cost_pct=cost / case.gold_value,
        years=years,
        cost_per_year=yearly,
        cost_per_year_pct=None if yearly is None else yearly / case.gold_value,
        countings={
            counting: counted_protection(hedge, case, counting, price_range, bends) for counting in HedgeCounting
        },
        floor_pct=floor / case.gold_value,
        floor_price=floor_price,
        upside_kept=upside_kept(hedge, case, price_range[1]),
        breakevens=breakevens(hedge),
        hedge_greeks=own,
        total_greeks=Greeks(None if own.delta is None else own.delta + after.units, own.gamma, own.vega, own.theta),
        widest_spread=max(spreads, default=None),
        least_open_interest=min(open_interest, default=None),
        calls=call_safety(hedge, case),
        remarks=remarks(hedge, case, greeks),
    )


def upside_kept(hedge: ListedHedge, case: HedgeCase, rise: float) -> float:
    """Share of what the gold gains when the price rises by `rise`, a fraction, that is kept at expiry.

    (U' R + Pi) / (U R) at the upper end, R the rise in USD, U' the units left when gold paid for the hedge; the cost
    itself stands elsewhere. Below zero when the sold calls lose more than the gold gains. Without a rise to speak of
    it is that of the default range.
    """
    gain = case.spot * (rise if rise > 0 else DEFAULT_RANGE[1])
    kept = funded(hedge, case).units * gain + hedge.payoff(case.spot + gain)
    return kept / (case.units * gain)


def breakevens(hedge: ListedHedge) -> tuple[float, ...]:
    """Prices, USD a share and ascending, at which the payoff at expiry is exactly what the hedge cost.

    Where it stays so over a stretch of prices, both ends of the stretch; nothing above the last strike of a hedge
    without calls, whose payoff has ended there.
    """
    if not hedge.legs:
        return ()
    cost = hedge.net_cost
    beyond = 2.0 * hedge.strikes[-1]
    points = [Kink(price, hedge.payoff(price) - cost) for price in (0.0, *hedge.strikes, beyond)]
    found = []
    for before, after in pairwise(points):
        if before.payoff == 0:
            found.append(before.price)
        slope = (after.payoff - before.payoff) / (after.price - before.price)
        if before.payoff * after.payoff < 0 or (after.price == beyond and before.payoff * slope < 0):
            found.append(before.price - before.payoff / slope)
    return tuple(price for price in dict.fromkeys(found) if price > 0 and math.isfinite(price))


def _floor(bends: Sequence[Kink], after: Funded, hedge: ListedHedge, case: HedgeCase) -> tuple[float, float]:
    """The price, nearest to spot, and the least that gold and hedge are worth, USD, less what the hedge cost."""
    owed = hedge.net_cost if after.units == case.units else 0.0
    worths = [(bend.price, after.units * bend.price + bend.payoff - owed) for bend in bends]
    least = min(worth for _, worth in worths)
    equal = [price for price, worth in worths if worth <= least + SAME_WORTH * case.gold_value]
    return min(equal, key=lambda price: abs(price - case.spot)), least
