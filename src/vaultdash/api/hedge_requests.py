"""Reads what is asked of hedges into the words of the workbench."""

from vaultdash.api.hedge_entries import (
    BuildEntry,
    CaseEntry,
    CheapestEntry,
    ContractEntry,
    HedgeEntry,
    LegEntry,
    PathVerdictEntry,
)
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.listed_hedge import USUAL_COMMISSION, ListedOption, PriceBasis
from vaultdash.domain.option import SHARES_PER_CONTRACT, expiry_at
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.hedge_link import decode, title_of
from vaultdash.services.workbench_request import (
    DEFAULT_RANGE,
    BuildRequest,
    CaseChange,
    CheapestRequest,
    CheckDates,
    Goal,
    HedgeRequest,
    LegRequest,
    PathRequest,
)

NO_LEGS = "no hedge"


def case_change(entry: CaseEntry, *, split_custody: bool | None = None) -> CaseChange:
    """What differs from the owner's loan; gold and options are together unless told, where all figures are given."""
    told = split_custody if entry.split_custody is None else entry.split_custody
    is_own = entry.spot is None or entry.units is None or entry.loan_amount is None
    return CaseChange(
        spot=entry.spot,
        units=entry.units,
        loan_amount=entry.loan_amount,
        margin_call_ltv=entry.margin_call_ltv,
        counting=entry.counting,
        haircut=entry.hedge_haircut,
        rate=entry.rate,
        split_custody=told if told is not None or is_own else False,
        broker_margin=entry.broker_margin,
        at=None if entry.as_of is None else expiry_at(entry.as_of),
    )


def cheapest_request(entry: CheapestEntry) -> CheapestRequest:
    """The search. Calls are refused only where split custody is told."""
    return CheapestRequest(
        goal=entry.goal or Goal.CHEAPEST,
        max_hedged_ltv=entry.max_hedged_ltv,
        credit=entry.credit,
        premium_funding=entry.premium_funding or PremiumFunding.CASH,
        price_range=price_range(entry.price_range),
        commission_per_contract=_usual(entry.commission_per_contract),
        max_contracts_per_line=entry.max_contracts_per_line,
        max_puts=entry.max_puts,
        allow_calls=bool(entry.allow_calls),
        min_call_strike=entry.min_call_strike,
        max_calls=entry.max_calls,
        max_loss=entry.max_loss,
        budget=entry.budget,
        horizon=entry.horizon,
        check_dates=entry.check_dates or CheckDates.EXPIRY,
        contracts=None if entry.contracts is None else tuple(listed_option(each) for each in entry.contracts),
        case=case_change(entry, split_custody=False),
    )


def listed_option(entry: ContractEntry) -> ListedOption:
    """A contract as it is given; an ask of 0 is none."""
    return ListedOption(
        right=entry.right,
        strike=entry.strike,
        expiration=entry.expiration,
        bid=entry.bid,
        ask=entry.ask or None,
        multiplier=entry.multiplier or SHARES_PER_CONTRACT,
        volatility=entry.implied_volatility,
        open_interest=entry.open_interest,
        volume=entry.volume,
    )


def hedge_request(entry: HedgeEntry | None, symbol: str) -> HedgeRequest:
    """A hedge by its legs or its link; without either it is doing nothing. Raises InvalidInput for both."""
    if entry is None:
        return HedgeRequest(NO_LEGS, ())
    if entry.link is not None:
        if entry.legs is not None:
            raise InvalidInput("link", "and legs exclude each other: give one of them")
        linked = decode(entry.link, symbol)
        return HedgeRequest(
            title=entry.title or linked.title,
            legs=linked.legs,
            commission=linked.commission if entry.commission_per_contract is None else entry.commission_per_contract,
            funding=entry.premium_funding or linked.funding,
        )
    legs = tuple(_leg(each) for each in entry.legs or ())
    return HedgeRequest(
        title=entry.title or (title_of(legs) if legs else NO_LEGS),
        legs=legs,
        commission=_usual(entry.commission_per_contract),
        funding=entry.premium_funding or PremiumFunding.CASH,
    )


def path_request(entry: PathVerdictEntry, symbol: str) -> PathRequest:
    """Hedges to be judged; raises InvalidInput without any."""
    if not entry.hedges:
        raise InvalidInput("hedges", "must be given: a hedge without legs is doing nothing")
    usual = PathRequest(())
    return PathRequest(
        hedges=tuple(hedge_request(each, symbol) for each in entry.hedges),
        months=entry.months,
        rule=entry.rule or HoldingRule.SELL,
        settlement_days=usual.settlement_days if entry.settlement_days is None else entry.settlement_days,
        target_ltv=entry.target_ltv,
        paths=usual.paths if entry.paths is None else entry.paths,
        seed=usual.seed if entry.seed is None else entry.seed,
        volatility=entry.volatility,
        models=None if entry.models is None else tuple(entry.models),
        case=case_change(entry),
    )


def price_range(given: list[float] | None) -> tuple[float, float]:
    """The moves of the price, or the usual ones."""
    return DEFAULT_RANGE if given is None else (given[0], given[1])


def build_request(entry: BuildEntry) -> BuildRequest:
    """What is to be built; raises InvalidInput unless exactly one of kind and template is given."""
    if (entry.kind is None) == (entry.template is None):
        raise InvalidInput("kind", "or template must be given, one of them")
    return BuildRequest(
        kind=entry.kind,
        template=entry.template,
        expiration=entry.expiration,
        strikes=tuple(entry.strikes or ()),
        contracts=entry.contracts,
        basis=entry.basis or PriceBasis.MARKET,
        funding=entry.premium_funding or PremiumFunding.CASH,
        case=case_change(entry),
    )


def _leg(entry: LegEntry) -> LegRequest:
    if entry.contracts == 0:
        raise InvalidInput("contracts", "must be a whole number other than zero: bought above, sold below")
    own = entry.price is not None and entry.basis is None
    return LegRequest(
        right=entry.right,
        strike=entry.strike,
        expiration=entry.expiration,
        contracts=entry.contracts,
        basis=PriceBasis.OWN if own else entry.basis or PriceBasis.MARKET,
        price=entry.price,
        bid=entry.bid,
        ask=entry.ask,
        multiplier=entry.multiplier or SHARES_PER_CONTRACT,
        volatility=entry.volatility,
    )


def _usual(commission: float | None) -> float:
    return USUAL_COMMISSION if commission is None else commission
