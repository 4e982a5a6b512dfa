"""How far a hedge of listed contracts keeps the call away in each counting, exactly, by its payoff at expiry."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import CountedProtection
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import LTV_TOLERANCE, HedgeCounting
from vaultdash.domain.portfolio import hedged_ltv
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.validation import finite

LOWEST_MOVE, HIGHEST_MOVE = -1.0, 10.0  # the lowest itself excluded: at a price of zero there is no LTV
SAME_LTV = 1e-9

PriceRange = tuple[float, float]


class Kink(NamedTuple):
    """A price, USD a share, and the hedge's payoff there, USD; between neighbours the payoff is straight."""

    price: float
    payoff: float


class Funded(NamedTuple):
    """Once the hedge is paid for: the loan that is judged, USD, the units, and the loan now, USD."""

    owed: float
    units: float
    owed_now: float


def known_range(price_range: PriceRange) -> PriceRange:
    """The range itself; InvalidInput unless it is two moves of the price as fractions, the lower first."""
    low, high = (finite("price_range", move) for move in price_range)
    if not LOWEST_MOVE < low < high <= HIGHEST_MOVE:
        raise InvalidInput(
            "price_range",
            f"must be two moves of the price as fractions between {LOWEST_MOVE:g} and {HIGHEST_MOVE:g}, the lower "
            f"first, such as -0.6 and 0.6, not {low:g} and {high:g}",
        )
    return low, high


def funded(hedge: ListedHedge, case: HedgeCase) -> Funded:
    """Loan and units after the purchase: paid in cash, added to the loan, or by gold sold at spot (domain.md 3).

    The loan is that of `HedgeCase.judged_loan`, with the interest that is added to it until then. A hedge that brings
    money lowers the loan, or buys gold. InvalidInput when it costs as much as there is gold.
    """
    now, loan = case.loan.amount, case.judged_loan(hedge.first_expiration)
    if hedge.funding is PremiumFunding.LOAN:
        return Funded(loan + hedge.net_cost, case.units, now + hedge.net_cost)
    if hedge.funding is PremiumFunding.SELL_GOLD:
        units = case.units - hedge.net_cost / case.spot
        if units <= 0:
            raise InvalidInput(
                "funding",
                f"by selling gold is impossible: the hedge costs {hedge.net_cost:,.0f} USD and the gold is worth "
                f"{case.gold_value:,.0f}",
            )
        return Funded(loan, units, now)
    return Funded(loan, case.units, now)


def kinks(hedge: ListedHedge, case: HedgeCase, price_range: PriceRange) -> tuple[Kink, ...]:
    """Ascending prices of the range, and from there to spot, between which every counting is monotone.

    The ends, spot, the strikes, and where the payoff changes its sign, as what is owed gets no haircut.
    """
    ends = {case.spot, *(case.spot * (1.0 + move) for move in price_range)}
    prices = ends | {strike for strike in hedge.strikes if min(ends) < strike < max(ends)}
    found: list[Kink] = []
    for price in sorted(prices):
        kink = Kink(price, hedge.payoff(price))
        if found and found[-1].payoff * kink.payoff < 0:
            before = found[-1]
            part = before.payoff / (before.payoff - kink.payoff)
            found.append(Kink(before.price + part * (kink.price - before.price), 0.0))
        found.append(kink)
    return tuple(found)


def in_range(bends: Sequence[Kink], case: HedgeCase, price_range: PriceRange) -> list[Kink]:
    """Those of the range alone."""
    low, high = (case.spot * (1.0 + move) for move in price_range)
    return [kink for kink in bends if low <= kink.price <= high]


def counted_protection(
    hedge: ListedHedge,
    case: HedgeCase,
    counting: HedgeCounting,
    price_range: PriceRange,
    bends: Sequence[Kink] | None = None,
) -> CountedProtection:
    """The hedge in one counting over the prices of the range; `bends` are its `kinks` there, if known already.

    At the limit, to 1e-9, is a call (domain.md 11.4). The LTV is monotone between kinks, so the worst is at one of
    them, the nearest to spot when several are equal; the margin m V + h Pi - L is straight there, so the price at
    which the call comes is solved and not searched.
    """
    low, _ = known_range(price_range)
    bends = kinks(hedge, case, price_range) if bends is None else bends
    owed, units, owed_now = funded(hedge, case)
    loan = replace(case.loan, hedge_counting=counting)
    limit = loan.margin_call_ltv - LTV_TOLERANCE

    def missing(kink: Kink) -> float:
        """What is short of the limit, USD; zero or more is a call. Straight between kinks."""
        factor = loan.factor_of(kink.payoff)
        if counting is HedgeCounting.CREDITED:
            factor *= limit / loan.margin_call_ltv
        return owed - limit * units * kink.price - factor * kink.payoff

    def ltv(kink: Kink) -> float:
        return hedged_ltv(owed, units * kink.price, kink.payoff, loan)

    inside = in_range(bends, case, price_range)
    worst_price, worst_ltv = _worst([(kink.price, ltv(kink)) for kink in inside], case.spot)
    falling = [(kink, missing(kink)) for kink in reversed(bends) if kink.price <= case.spot]
    deepest = _deepest_fall(falling, case.spot, max(-low, 0.0))
    if deepest is None and falling[0][1] < owed - owed_now:  # not called now: interest alone brings the call
        deepest = 0.0
    return CountedProtection(
        counting=counting,
        worst_ltv=worst_ltv,
        worst_price=worst_price,
        ltv_at_call=ltv(Kink(case.call_price, hedge.payoff(case.call_price))),
        deepest_fall=deepest,
        keeps=all(missing(kink) < 0 for kink in inside),
    )


def _worst(found: Sequence[tuple[float, float]], spot: float) -> tuple[float, float]:
    highest = max(ltv for _, ltv in found)
    equal = [price for price, ltv in found if ltv >= highest - SAME_LTV]
    return min(equal, key=lambda price: abs(price - spot)), highest


def _deepest_fall(falling: Sequence[tuple[Kink, float]], spot: float, whole: float) -> float | None:
    (above, left), *rest = falling
    if left >= 0:
        return None
    for kink, short in rest:
        if short >= 0:
            reached = above.price + (kink.price - above.price) * left / (left - short)
            return 1.0 - reached / spot
        above, left = kink, short
    return whole
