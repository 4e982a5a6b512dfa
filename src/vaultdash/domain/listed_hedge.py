"""A hedge of listed contracts: whole numbers of them, at prices somebody quotes, on a loan's gold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import Loan
from vaultdash.domain.option import SHARES_PER_CONTRACT, Right, expiry_at, payoff, years_to_expiry
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.validation import finite, not_negative, positive

USUAL_COMMISSION = 0.65  # USD a contract; brokers differ
MOST_HEDGE_LEGS = 12  # of a hedge that is put together by hand
MOST_FOUND_LEGS = 5_000  # of one that a search found: a limit per contract can spread it over a whole chain
MOST_HEDGE_CONTRACTS = 1_000_000
LONGEST_TITLE = 120


class PriceBasis(StrEnum):
    """At what a leg trades: `market` buys at the ask and sells at the bid, `mid` is between, `own` a given price."""

    MARKET = "market"
    MID = "mid"
    OWN = "own"


class StrategyKind(StrEnum):
    """What the workbench builds from listed contracts."""

    PROTECTIVE_PUT = "protective_put"
    PUT_SPREAD = "put_spread"
    COLLAR = "collar"
    PUT_LADDER = "put_ladder"
    LEAPS = "leaps"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class ListedOption:
    """A contract with what it is quoted at, USD a share; None is not quoted.

    `volatility` is its own implied one, a fraction, where one was found; `open_interest` and `volume` where known.
    """

    right: Right
    strike: float
    expiration: date
    bid: float | None = None
    ask: float | None = None
    multiplier: int = SHARES_PER_CONTRACT
    volatility: float | None = None
    open_interest: int | None = None
    volume: int | None = None
    root: str = "GLD"

    def __post_init__(self) -> None:
        positive("strike", self.strike)
        for name in ("bid", "ask"):
            value = getattr(self, name)
            if value is not None:
                not_negative(name, value)
        if not 1 <= self.multiplier <= 10_000:
            raise InvalidInput("multiplier", f"must be between 1 and 10,000 shares a contract, not {self.multiplier}")

    @property
    def mid(self) -> float | None:
        """Between bid and ask, when both are there and do not cross; a bid of zero is one."""
        if self.bid is None or self.ask is None or self.ask < self.bid:
            return None
        return 0.5 * (self.bid + self.ask)

    @property
    def is_crossed(self) -> bool:
        """True when somebody bids more than another asks: one of the two is old."""
        return self.bid is not None and self.ask is not None and self.bid > self.ask

    @property
    def title(self) -> str:
        """`410 put, 18 Sep 2026`."""
        right = "put" if self.right is Right.PUT else "call"
        return f"{self.strike:g} {right}, {self.expiration:%-d %b %Y}"

    def pays(self, price: float) -> float:
        """Exercise value a share at a price of the underlying, USD."""
        return payoff(self.right, self.strike, price)


@dataclass(frozen=True, slots=True)
class ListedLeg:
    """`contracts` of one option, bought above zero, sold below, at `price` USD a share, however that was found."""

    option: ListedOption
    contracts: int
    price: float
    basis: PriceBasis = PriceBasis.MARKET

    def __post_init__(self) -> None:
        if isinstance(self.contracts, bool) or not 0 < abs(self.contracts) <= MOST_HEDGE_CONTRACTS:
            raise InvalidInput(
                "contracts",
                f"must be a whole number other than zero, at most {MOST_HEDGE_CONTRACTS:,}: bought above, sold below",
            )
        not_negative("price", self.price)

    @property
    def shares(self) -> float:
        """Shares the contracts stand for; negative when sold."""
        return float(self.contracts * self.option.multiplier)

    @property
    def premium(self) -> float:
        """What is paid for it, USD, without commission; negative when it is sold."""
        return self.shares * self.price


@dataclass(frozen=True, slots=True)
class ListedHedge:
    """Legs that are held together. Without legs it is doing nothing."""

    title: str
    legs: tuple[ListedLeg, ...] = ()
    commission: float = USUAL_COMMISSION
    funding: PremiumFunding = PremiumFunding.CASH

    def __post_init__(self) -> None:
        if not self.title.strip() or len(self.title) > LONGEST_TITLE:
            raise InvalidInput("title", f"must have 1 to {LONGEST_TITLE} characters")
        if len(self.legs) > MOST_FOUND_LEGS:
            raise InvalidInput("legs", f"must be at most {MOST_FOUND_LEGS}")
        not_negative("commission", self.commission)

    @property
    def commissions(self) -> float:
        """USD for the purchase."""
        return self.commission * sum(abs(leg.contracts) for leg in self.legs)

    @property
    def net_cost(self) -> float:
        """What it costs, USD, commissions included; negative when it brings money."""
        return math.fsum(leg.premium for leg in self.legs) + self.commissions

    def payoff(self, price: float) -> float:
        """Pi at expiry, USD, every leg at exercise value; negative when sold options cost more than is paid."""
        return math.fsum(leg.shares * leg.option.pays(price) for leg in self.legs)

    @property
    def strikes(self) -> tuple[float, ...]:
        """Ascending, each once: where the payoff bends."""
        return tuple(sorted({leg.option.strike for leg in self.legs}))

    @property
    def first_expiration(self) -> date | None:
        """Until when all legs are there; None without legs."""
        return min((leg.option.expiration for leg in self.legs), default=None)

    @property
    def last_expiration(self) -> date | None:
        """Of the leg that lasts longest; None without legs."""
        return max((leg.option.expiration for leg in self.legs), default=None)


@dataclass(frozen=True, slots=True)
class HedgeCase:
    """What a hedge is judged on: gold worth `units` shares at `spot` USD, a loan in USD, at a moment.

    `rate` is what dollars earn, continuous a year; `dividend_yield` the share's yield or borrow cost. With
    `split_custody` the gold is pledged where no options are kept, so that a sold call is uncovered at the broker,
    whose free money for it is `broker_margin` USD. Protection is judged on the loan as it will be on the day `until`,
    with the interest added to it; None is the first expiration of each hedge, and today without one.
    """

    spot: float
    units: float
    loan: Loan
    at: datetime
    rate: float = 0.045
    dividend_yield: float = 0.0
    split_custody: bool = True
    broker_margin: float = 0.0
    until: date | None = None

    def __post_init__(self) -> None:
        for name in ("spot", "units"):
            positive(name, getattr(self, name))
        if not -0.1 <= finite("rate", self.rate) <= 0.5:
            raise InvalidInput("rate", "must be a fraction between -0.1 and 0.5; write 0.045 for 4.5 %")
        if not -0.1 <= finite("dividend_yield", self.dividend_yield) <= 0.5:
            raise InvalidInput("dividend_yield", "must be a fraction between -0.1 and 0.5")
        not_negative("broker_margin", self.broker_margin)

    @property
    def gold_value(self) -> float:
        """V, USD."""
        return self.units * self.spot

    @property
    def ltv(self) -> float:
        """L / V, options not counted."""
        return self.loan.amount / self.gold_value

    @property
    def call_price(self) -> float:
        """Price, USD a share, at which the lender calls when no option is counted: L / (m * U)."""
        return self.loan.amount / (self.loan.margin_call_ltv * self.units)

    def owed_on(self, day: date) -> float:
        """L on a day, USD: what is owed now, and the interest that is added to it until then."""
        return replace(self.loan, as_of=self.at.date()).owed(day)

    def judged_loan(self, expiration: date | None) -> float:
        """L, USD, by which a hedge is judged whose first expiration this is; None without a hedge."""
        day = self.until or expiration
        return self.loan.amount if day is None else self.owed_on(day)

    def years_to(self, expiration: date) -> float:
        """Calendar time to 16:00 New York of a day, years of 365 days; 0 after it."""
        return years_to_expiry(expiration, self.at)

    def days_to(self, expiration: date) -> int:
        """Calendar days to the expiration, whole ones rounded up; 0 after it."""
        return max(math.ceil((expiry_at(expiration) - self.at).total_seconds() / 86_400), 0)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A contract that is not used, and why."""

    option: ListedOption
    reason: str


@dataclass(frozen=True, slots=True)
class HedgeMarket:
    """The listed contracts that a hedge may be made of, and those that may not.

    `at` is when the quotes were made, `source` who gave them; `remarks` say what an owner must know of them, such as
    that they are old or invented; `counts` the rejected by reason. `expirations` are all that are listed.
    """

    symbol: str
    spot: float
    at: datetime
    source: str
    options: tuple[ListedOption, ...]
    rejected: tuple[Rejected, ...] = ()
    expirations: tuple[date, ...] = ()
    is_stale: bool = False
    is_demo: bool = False
    remarks: tuple[str, ...] = field(default=())

    @property
    def counts(self) -> dict[str, int]:
        """How many contracts are not used, by reason, the commonest first."""
        return counted_reasons(self.rejected)


def counted_reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    """How many by reason, the commonest first."""
    counts: dict[str, int] = {}
    for each in rejected:
        counts[each.reason] = counts.get(each.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def leg_at(
    option: ListedOption, contracts: int, basis: PriceBasis = PriceBasis.MARKET, own: float | None = None
) -> ListedLeg:
    """A leg at the ask when bought and the bid when sold, at mid, or at an own price; InvalidInput without one."""
    if basis is PriceBasis.OWN:
        if own is None:
            raise InvalidInput("price", f"is missing for the {option.title}: an own price is asked for")
        return ListedLeg(option, contracts, own, basis)
    if option.is_crossed:
        raise InvalidInput(
            "bid", f"{option.bid:g} is above the ask {option.ask:g} of the {option.title}: one of the two is old"
        )
    price = option.mid if basis is PriceBasis.MID else option.ask if contracts > 0 else option.bid
    if price is None or (contracts > 0 and basis is PriceBasis.MARKET and price <= 0):
        wanted = "bid and ask" if basis is PriceBasis.MID else "ask" if contracts > 0 else "bid"
        raise InvalidInput("contract", f"the {option.title} has no {wanted}: its price is unknown")
    return ListedLeg(option, contracts, price, basis)
