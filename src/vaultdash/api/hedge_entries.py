"""The shapes of what is asked of hedges. LTVs, rates and moves are fractions, prices USD a share, amounts USD."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, AllowInfNan, BeforeValidator, Field, Strict

from vaultdash.api.option_schemas import ContractAnswer
from vaultdash.api.portfolio_schemas import EXACT, Day, Flag, without
from vaultdash.domain.hedge_verdict import HoldingRule
from vaultdash.domain.listed_hedge import LONGEST_TITLE, PriceBasis, StrategyKind
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.workbench_case import FIRST_DAY, LAST_DAY
from vaultdash.services.workbench_request import MOST_JUDGED, CheckDates, Goal

MOST_CONTRACTS = 20_000
MOST_LEGS = 500
MOST_PATHS = 50_000
RIGHTS = {"c": Right.CALL, "call": Right.CALL, "p": Right.PUT, "put": Right.PUT}


def _right(value: Any) -> Any:
    found = RIGHTS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be C or call, or P or put")
    return found


def _credit(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value in set(HedgeCounting)):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be {', '.join(HedgeCounting)}, or the credit factor as a number from 0 to 1")
    return value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value  # 100.0, as tables write it


def _near(value: date) -> date:
    if not FIRST_DAY <= value <= LAST_DAY:
        raise ValueError(f"must be a day from {FIRST_DAY} to {LAST_DAY}")
    return value


Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
NearDay = Annotated[Day, AfterValidator(_near)]
Figure = Annotated[float, Strict(), AllowInfNan(False)]
Price = Annotated[Figure, Field(ge=0, le=1e6)]
Size = Annotated[Figure, Field(ge=0, le=1e15)]
Share = Annotated[Figure, Field(gt=0, lt=2)]
Count = Annotated[Whole, Field(ge=0, le=1_000_000)]
Traded = Annotated[Whole, Field(ge=-1_000_000, le=1_000_000)]
Multiplier = Annotated[Whole, Field(ge=1, le=10_000)]
Credit = Annotated[HedgeCounting | Figure | None, BeforeValidator(_credit)]
RightEntry = Annotated[Right, BeforeValidator(_right)]
Range = Annotated[list[Figure], Field(min_length=2, max_length=2)]


@dataclass(frozen=True, slots=True)
class ContractEntry:
    """A contract with its quote; a bid or ask that is null or 0 cannot be traded. `right` is C or P.

    What a row of /api/options/chain tells besides may be sent along, and is passed over.
    """

    __pydantic_config__ = EXACT

    right: RightEntry
    strike: Annotated[Figure, Field(gt=0, le=1e6)]
    expiration: NearDay
    bid: Price | None = None
    ask: Price | None = None
    multiplier: Multiplier | None = None
    implied_volatility: Annotated[Figure, Field(gt=0, le=5)] | None = None
    open_interest: Whole | None = None
    volume: Whole | None = None


PASSED_OVER = tuple({each.name for each in fields(ContractAnswer)} - {each.name for each in fields(ContractEntry)})
Contract = Annotated[ContractEntry, without(*PASSED_OVER)]


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """What is hedged; what is left out is the owner's own loan at the latest price.

    With `spot`, `units` and `loan_amount` given nothing of the owner's is used: the limit is 0.75 unless given, and
    options are credited. `rate` is what dollars earn, continuous a year. `as_of` is the day whose close is judged; no
    expiration may be more than fifteen years after it.
    `split_custody` says that the gold is pledged where no options are kept: a sold call is uncovered there, and
    `broker_margin` the money that is free for it.
    """

    __pydantic_config__ = EXACT

    spot: Annotated[Figure, Field(ge=1e-4, le=1e6)] | None = None
    units: Annotated[Figure, Field(ge=1e-6, le=1e12)] | None = None
    loan_amount: Annotated[Figure, Field(ge=1e-2, le=1e15)] | None = None
    margin_call_ltv: Figure | None = None
    counting: HedgeCounting | None = None
    hedge_haircut: Figure | None = None
    rate: Figure | None = None
    as_of: NearDay | None = None
    split_custody: Flag | None = None
    broker_margin: Size | None = None


@dataclass(frozen=True, slots=True)
class CheapestEntry(CaseEntry):
    """A search; a constraint that is left out is not imposed.

    `credit` is how the lender counts options, or the credit factor itself: no call while L <= m*V + h*payoff; by
    default the lender's own, credited where all figures are given. `price_range` are moves of the price within which
    every rule must hold, by default -0.6 to 0.6. `max_loss` is a fraction of the gold's value now, the cost of the
    hedge included. `contracts` are used as they are; left out they are the usable ones of the live chain at or after
    `horizon`: of the first three expirations, by default those at least 120 days away. `check_dates` all tests model
    values on days before the expiry as well. Calls are refused only with `split_custody`. `goal` best_protection
    needs a budget, zero_cost needs `allow_calls`.
    """

    __pydantic_config__ = EXACT

    goal: Goal | None = None
    max_hedged_ltv: Share | None = None
    credit: Credit = None
    premium_funding: PremiumFunding | None = None
    price_range: Range | None = None
    commission_per_contract: Annotated[Figure, Field(ge=0, le=1000)] | None = None
    max_contracts_per_line: Count | None = None
    max_puts: Count | None = None
    allow_calls: Flag | None = None
    min_call_strike: Price | None = None
    max_calls: Count | None = None
    max_loss: Annotated[Figure, Field(ge=0, le=1)] | None = None
    budget: Annotated[Figure, Field(ge=-1e15, le=1e15)] | None = None
    horizon: NearDay | None = None
    check_dates: CheckDates | None = None
    contracts: Annotated[list[Contract], Field(max_length=MOST_CONTRACTS)] | None = None


@dataclass(frozen=True, slots=True)
class LegEntry:
    """A leg: `contracts` above zero bought, below sold. Without quotes it trades at those of the live chain.

    `basis` market buys at the ask and sells at the bid, mid is between them, own is at `price`.
    """

    __pydantic_config__ = EXACT

    right: RightEntry
    strike: Annotated[Figure, Field(gt=0, le=1e6)]
    expiration: NearDay
    contracts: Traded
    basis: PriceBasis | None = None
    price: Price | None = None
    bid: Price | None = None
    ask: Price | None = None
    multiplier: Multiplier | None = None
    volatility: Annotated[Figure, Field(gt=0, le=5)] | None = None


@dataclass(frozen=True, slots=True)
class HedgeEntry:
    """A hedge by its legs, or by the text of a `link`."""

    __pydantic_config__ = EXACT

    legs: Annotated[list[LegEntry], Field(max_length=MOST_LEGS)] | None = None
    link: Annotated[str, Field(max_length=2000)] | None = None
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] | None = None
    commission_per_contract: Annotated[Figure, Field(ge=0, le=1000)] | None = None
    premium_funding: PremiumFunding | None = None


@dataclass(frozen=True, slots=True)
class EvaluateEntry(CaseEntry):
    """A hedge to be measured over `price_range`, moves of the price as fractions, by default -0.6 to 0.6."""

    __pydantic_config__ = EXACT

    hedge: HedgeEntry | None = None
    price_range: Range | None = None


@dataclass(frozen=True, slots=True)
class PathVerdictEntry(CaseEntry):
    """Hedges to be judged on the same random paths: how likely it is that a call comes which the hedge does not cure.

    `months` of 21 trading days, by default until the first of the hedges expires, at most 12. `rule` sell: at a call
    the puts are sold and repay the loan down to `target_ltv` (its warning LTV), `settlement_days` trading days after
    the call; hold: nothing is sold. `models` are of flat, jumps, stochastic volatility and filtered history.
    """

    __pydantic_config__ = EXACT

    hedges: Annotated[list[HedgeEntry], Field(min_length=1, max_length=MOST_JUDGED)] | None = None
    months: Annotated[Whole, Field(ge=1, le=12)] | None = None
    rule: HoldingRule | None = None
    settlement_days: Annotated[Whole, Field(ge=0, le=20)] | None = None
    target_ltv: Figure | None = None
    paths: Annotated[Whole, Field(ge=128, le=MOST_PATHS)] | None = None
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None
    volatility: Figure | None = None
    models: Annotated[list[str], Field(max_length=10)] | None = None


@dataclass(frozen=True, slots=True)
class BuildEntry(CaseEntry):
    """A strategy from the live chain by its `kind`, or by the id of a `template`; what is left out follows its rule.

    `strikes` of a spread are the bought and the sold one, of a collar put and call, of a ladder two to four. With
    `split_custody` true a hedge whose sold calls the broker would not carry is refused.
    """

    __pydantic_config__ = EXACT

    kind: StrategyKind | None = None
    template: Annotated[str, Field(max_length=80)] | None = None
    expiration: NearDay | None = None
    strikes: Annotated[list[Price], Field(max_length=4)] | None = None
    contracts: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    basis: PriceBasis | None = None
    premium_funding: PremiumFunding | None = None
