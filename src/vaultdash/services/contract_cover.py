"""What a listed put costs and covers of the owner's loan."""

from dataclasses import dataclass

from vaultdash.domain.errors import Refused
from vaultdash.domain.hedge import Exercise, HedgeLeg, HedgePlan, MeasuredHedge, Situation
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.strategies.engine import DEFAULT_PRICE_CHANGES, DEFAULT_VOLATILITY
from vaultdash.strategies.measure import measure

DAYS_PER_MONTH = 365 / 12
COMMISSION = 0.65  # USD a contract; brokers differ


@dataclass(frozen=True, slots=True)
class ContractCover:
    """One put bought at the ask, and as many as cover all pledged shares; every cost with commission.

    `cost_per_contract` USD, `covered_share` the fraction of the collateral that one contract covers,
    `contracts` how many cover all of it (rounded up), `break_even` the price at expiry below which the put has paid
    for itself. `hedge` measures the put over the whole collateral, its `contracts_ceil` in whole contracts.
    """

    chain: PricedChain
    option: PricedOption
    ask: float
    cost_per_contract: float
    covered_share: float
    contracts: int
    break_even: float
    hedge: MeasuredHedge

    @property
    def is_above_the_call(self) -> bool:
        """True when the strike lies above the margin-call price: credited on all units, it keeps the call away."""
        return self.option.quote.contract.strike > self.hedge.protection.threshold_price


def cover(chain: PricedChain, option: PricedOption, snapshot: Snapshot) -> ContractCover:
    """Measure a listed put on the loan; raises Refused for a call, without an ask, or on its expiration."""
    contract, ask = option.quote.contract, option.quote.ask
    if contract.right is not Right.PUT:
        raise Refused("A bought call does not protect a loan on gold; choose a put")
    if ask is None or ask <= 0:
        raise Refused("Nobody offers this put now: it has no ask, so its cost is unknown")
    if chain.days_to_expiry < 1:
        raise Refused("This put expires today")
    loan = snapshot.portfolio.loan
    situation = Situation(
        spot=snapshot.price,
        units=snapshot.shares,
        loan_amount=loan.amount,
        margin_call_ltv=loan.margin_call_ltv,
        volatility=option.implied_volatility or option.surface_volatility or DEFAULT_VOLATILITY,
        rate=min(max(chain.rate.value, -0.1), 0.5),
        months=12,
        exercise=Exercise.AMERICAN,
        price_changes=DEFAULT_PRICE_CHANGES,
    )
    months = chain.days_to_expiry / DAYS_PER_MONTH
    leg = HedgeLeg(Right.PUT, contract.strike, contract.strike / snapshot.price, 1.0, months)
    title = f"{contract.root} {contract.expiration:%-d %b %Y} {contract.strike:g} put"
    paid = ask + COMMISSION / contract.multiplier
    hedge = measure(HedgePlan(contract.osi, title, (leg,)), situation, (paid,))
    return ContractCover(
        chain=chain,
        option=option,
        ask=ask,
        cost_per_contract=paid * contract.multiplier,
        covered_share=contract.multiplier / snapshot.shares,
        contracts=hedge.contracts_ceil.contracts,
        break_even=contract.strike - paid,
        hedge=hedge,
    )
