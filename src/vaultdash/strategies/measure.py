"""The same figures for every plan: what it costs, what it keeps away, how it does in scenarios."""

import math
from collections.abc import Sequence
from dataclasses import replace

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import (
    Cost,
    Duration,
    HedgePlan,
    LegCost,
    MeasuredHedge,
    Protection,
    Scenario,
    Situation,
    WholeContracts,
)
from vaultdash.domain.loan import LTV_TOLERANCE, HedgeCounting, is_breached
from vaultdash.domain.option import SHARES_PER_CONTRACT, payoff
from vaultdash.strategies.premiums import premiums

ROUNDING = 1e-9
REMAINDER_DIGITS = 9
MONTHS_PER_YEAR = 12
LARGEST_CHANGE = 1000.0


def measure(plan: HedgePlan, situation: Situation, premium: Sequence[float] | None = None) -> MeasuredHedge:
    """Every figure of a plan; `premium` per share of each leg, USD, is the model's unless given."""
    if premium is None:
        (premium,) = premiums([(situation, plan)])
    units = _leg_units(plan, situation)
    paid = cost(plan, situation, premium)
    return MeasuredHedge(
        plan=plan,
        legs=tuple(
            LegCost(leg, price, price * covered)
            for leg, price, covered in zip(plan.legs, premium, units, strict=True)
        ),
        cost=paid,
        protection=protection(plan, situation),
        scenarios=scenarios(plan, situation, paid.total_cost),
        contracts_floor=_whole(plan, situation, premium, _shared(_floor(sum(units)), plan, units)),
        contracts_ceil=_whole(plan, situation, premium, _shared(_ceil(sum(units)), plan, units)),
    )


def duration(plan: HedgePlan, situation: Situation, premium: Sequence[float]) -> Duration:
    """Cost and protection of one tenor."""
    return Duration(plan.months, cost(plan, situation, premium), protection(plan, situation))


def cost(
    plan: HedgePlan, situation: Situation, premium: Sequence[float], units: Sequence[float] | None = None
) -> Cost:
    """What `units` of each leg (by default its weight of the collateral) cost at `premium` per share, USD.

    Annualised by the tenor, not compounded.
    `premium_per_share` is the mean over the covered units, 0 when none is; `_pct` are fractions of the collateral.
    """
    units = _leg_units(plan, situation) if units is None else units
    total = sum(price * covered for price, covered in zip(premium, units, strict=True))
    covered_units = sum(units)
    annualized = total * MONTHS_PER_YEAR / plan.months
    return Cost(
        premium_per_share=total / covered_units if covered_units > 0 else 0.0,
        total_cost=total,
        cost_pct_of_portfolio=total / situation.portfolio_value,
        term_months=plan.months,
        annualized_cost=annualized,
        annualized_cost_pct=annualized / situation.portfolio_value,
    )


def protection(plan: HedgePlan, situation: Situation, units: Sequence[float] | None = None) -> Protection:
    """`protection_at_threshold` with the lowest prices down to which the call is kept away."""
    return replace(
        protection_at_threshold(plan, situation, units),
        lowest_price_kept_credited=lowest_price_kept(plan, situation, HedgeCounting.CREDITED, units),
        lowest_price_kept_after_payment=lowest_price_kept(plan, situation, HedgeCounting.AFTER_PAYMENT, units),
    )


def protection_at_threshold(
    plan: HedgePlan, situation: Situation, units: Sequence[float] | None = None
) -> Protection:
    """What `units` of each leg (by default its weight of the collateral) do at the margin-call price H = L/(m*U).

    By expiry payoff, premium not deducted. The hedged LTV counts the payoff as collateral, L/(V+Pi); after payment
    it has repaid the loan, (L-Pi)/V. The floor is the sum of strike times units of the legs; for given `units`, which
    may cover more or less than the collateral, the least of U*S+Pi over all prices.
    """
    floor = sum(leg.strike * leg.weight for leg in plan.legs) * situation.units
    if units is not None:
        floor = _least_value(plan, situation, units)
    units = _leg_units(plan, situation) if units is None else units
    threshold = situation.margin_call_price
    gold_value = threshold * situation.units
    paid = _payoff(plan, units, threshold)
    hedged_ltv = situation.loan_amount / (gold_value + paid)
    return Protection(
        threshold_price=threshold,
        payoff_at_threshold=paid,
        gold_value_at_threshold=gold_value,
        hedged_value_at_threshold=gold_value + paid,
        hedged_ltv_at_threshold=hedged_ltv,
        hedged_ltv_after_payment_at_threshold=(situation.loan_amount - paid) / gold_value,
        maintains_margin_call_buffer=not is_breached(hedged_ltv, situation.margin_call_ltv),
        portfolio_floor_value=floor,
    )


def lowest_price_kept(
    plan: HedgePlan, situation: Situation, counting: HedgeCounting, units: Sequence[float] | None = None
) -> float | None:
    """The gold price, USD, above which no price up to spot is a call at expiry in one way of counting the hedge.

    At that price the call comes, within the tolerance of `is_breached`. 0 when there is none, None when spot is one
    already. Exact: with limit m, no call means h*Pi + m*U*S > L (h is m credited, 1 after payment, 0 ignored), which
    is linear in S from strike to strike. `units` of each leg are by default its weight of the collateral.
    """
    units = _leg_units(plan, situation) if units is None else units
    limit = situation.margin_call_ltv - LTV_TOLERANCE
    credit = {HedgeCounting.CREDITED: limit, HedgeCounting.AFTER_PAYMENT: 1.0, HedgeCounting.IGNORED: 0.0}[counting]

    def margin(price: float) -> float:
        return limit * situation.units * price + credit * _payoff(plan, units, price) - situation.loan_amount

    above, left_above = situation.spot, margin(situation.spot)
    if left_above <= 0:
        return None
    for price in sorted({0.0, *(leg.strike for leg in plan.legs if leg.strike < situation.spot)}, reverse=True):
        left = margin(price)
        if left <= 0:
            return price + (above - price) * left / (left - left_above)
        above, left_above = price, left
    return 0.0


def scenarios(plan: HedgePlan, situation: Situation, hedge_cost: float) -> tuple[Scenario, ...]:
    """The portfolio at expiry after each price change; changes that leave no positive price are skipped.

    Raises InvalidInput when a change is not a number or absurdly large.
    """
    for change in situation.price_changes:
        if not abs(change) <= LARGEST_CHANGE:
            raise InvalidInput("price_changes", f"must be fractions up to {LARGEST_CHANGE:g}, not {change}")
    prices = [(change, situation.spot * (1.0 + change)) for change in situation.price_changes]
    return tuple(_scenario(plan, situation, hedge_cost, change, price) for change, price in prices if price > 0)


def hedged_ltv(plan: HedgePlan | None, situation: Situation, price: float, counting: HedgeCounting) -> float:
    """LTV at a gold price, USD, at expiry in one way of counting the hedge; None is no hedge.

    Ignored L/V, credited L/(V+Pi), after payment (L-Pi)/V and not below zero.
    """
    value = situation.units * price
    paid = 0.0 if plan is None else payoff_at(plan, situation, price)
    if counting is HedgeCounting.CREDITED:
        return situation.loan_amount / (value + paid)
    if counting is HedgeCounting.AFTER_PAYMENT:
        return max(situation.loan_amount - paid, 0.0) / value
    return situation.loan_amount / value


def payoff_at(plan: HedgePlan, situation: Situation, price: float) -> float:
    """Value of the hedge at expiry, USD, at a gold price, USD."""
    return _payoff(plan, _leg_units(plan, situation), price)


def _scenario(plan: HedgePlan, situation: Situation, hedge_cost: float, change: float, price: float) -> Scenario:
    loan, limit = situation.loan_amount, situation.margin_call_ltv
    gold_value = price * situation.units
    paid = _payoff(plan, _leg_units(plan, situation), price)
    unhedged, hedged, repaid = loan / gold_value, loan / (gold_value + paid), (loan - paid) / gold_value
    return Scenario(
        price_change_pct=change,
        scenario_price=price,
        gold_value=gold_value,
        option_payoff=paid,
        hedge_cost=hedge_cost,
        hedged_collateral=gold_value + paid,
        net_portfolio_value=gold_value + paid - hedge_cost,
        net_equity=gold_value + paid - hedge_cost - loan,
        unhedged_ltv=unhedged,
        hedged_ltv=hedged,
        hedged_ltv_after_payment=repaid,
        margin_call_without_hedge=is_breached(unhedged, limit),
        margin_call_with_hedge=is_breached(hedged, limit),
        margin_call_after_payment=is_breached(repaid, limit),
    )


def _whole(
    plan: HedgePlan, situation: Situation, premium: Sequence[float], contracts: Sequence[int]
) -> WholeContracts:
    units = [float(SHARES_PER_CONTRACT * count) for count in contracts]
    return WholeContracts(
        contracts=sum(contracts),
        contracts_per_leg=tuple(contracts),
        covered_units=sum(units),
        cost=cost(plan, situation, premium, units),
        protection=protection(plan, situation, units),
    )


def _least_value(plan: HedgePlan, situation: Situation, units: Sequence[float]) -> float:
    """The least of U*S+Pi(S) over all prices: linear from strike to strike, and rising above the last."""
    prices = (0.0, *(leg.strike for leg in plan.legs))
    return min(situation.units * price + _payoff(plan, units, price) for price in prices)


def _shared(contracts: int, plan: HedgePlan, units: Sequence[float]) -> list[int]:
    """Contracts shared over the legs by largest remainder, ties to the higher strike."""
    quotas = [covered / SHARES_PER_CONTRACT for covered in units]
    shares = [math.floor(quota) for quota in quotas]
    order = sorted(
        range(len(shares)),
        key=lambda leg: (-round(quotas[leg] - shares[leg], REMAINDER_DIGITS), -plan.legs[leg].strike),
    )
    for leg in order[: contracts - sum(shares)]:
        shares[leg] += 1
    return shares


def _leg_units(plan: HedgePlan, situation: Situation) -> list[float]:
    return [situation.units * leg.weight for leg in plan.legs]


def _payoff(plan: HedgePlan, units: Sequence[float], price: float) -> float:
    return sum(payoff(leg.right, leg.strike, price) * covered for leg, covered in zip(plan.legs, units, strict=True))


def _floor(units: float) -> int:
    contracts = units / SHARES_PER_CONTRACT
    return math.floor(contracts + ROUNDING * max(1.0, contracts))


def _ceil(units: float) -> int:
    contracts = units / SHARES_PER_CONTRACT
    return max(0, math.ceil(contracts - ROUNDING * max(1.0, contracts)))
