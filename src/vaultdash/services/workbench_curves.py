"""What a hedge pays and where LTV stands at expiry, price by price."""

from dataclasses import dataclass, replace

from vaultdash.domain.hedge_verdict import ListedMeasure
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import hedged_ltv
from vaultdash.strategies.listed_protection import funded

POINTS = 61
MOST_BENDS = 200  # strikes that are points of their own; of a hedge with more the even steps must do


@dataclass(frozen=True, slots=True)
class ExpiryCurves:
    """Over prices, USD a share, all of one length: payoff and gain after cost in USD, LTV without and with the hedge.

    An LTV is infinite where nothing is left to lend on.
    """

    prices: tuple[float, ...]
    payoff: tuple[float, ...]
    gain: tuple[float, ...]
    unhedged_ltv: tuple[float, ...]
    ltvs: dict[HedgeCounting, tuple[float, ...]]


def expiry_curves(measure: ListedMeasure) -> ExpiryCurves:
    """Even steps over the measure's range, with spot, call price and every strike among them."""
    case, hedge = measure.case, measure.hedge
    low, high = (case.spot * (1.0 + move) for move in measure.price_range)
    steps = {low + (high - low) * number / (POINTS - 1) for number in range(POINTS)}
    bends = {case.spot, case.call_price, *hedge.strikes[:MOST_BENDS]}
    prices = tuple(sorted(steps | {price for price in bends if low < price < high}))
    payoffs = tuple(hedge.payoff(price) for price in prices)
    after = funded(hedge, case)

    def counted(counting: HedgeCounting) -> tuple[float, ...]:
        loan = replace(case.loan, hedge_counting=counting)
        return tuple(
            hedged_ltv(after.owed, after.units * price, worth, loan)
            for price, worth in zip(prices, payoffs, strict=True)
        )

    return ExpiryCurves(
        prices=prices,
        payoff=payoffs,
        gain=tuple(worth - measure.net_cost for worth in payoffs),
        unhedged_ltv=tuple(case.loan.amount / (case.units * price) for price in prices),
        ltvs={counting: counted(counting) for counting in HedgeCounting},
    )
