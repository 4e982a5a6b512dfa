"""Options held against the loan: what was bought or sold, and what it is worth now."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import OptionContract, payoff
from vaultdash.domain.validation import not_negative

MOST_CONTRACTS = 1_000_000


class PremiumFunding(StrEnum):
    """Where the premium came from; it says what the loan and the collateral already contain."""

    CASH = "cash"
    LOAN = "loan"
    SELL_GOLD = "sell_gold"


class MarkBasis(StrEnum):
    """What a mark stands on: a quote of the contract, the volatility surface, exercise value, or nothing."""

    QUOTE = "quote"
    MODEL = "model"
    INTRINSIC = "intrinsic"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HeldOption:
    """A position in one listed contract. `contracts` negative when sold; prices USD per share."""

    id: str
    contract: OptionContract
    contracts: int
    price_paid: float
    opened_on: date
    funding: PremiumFunding = PremiumFunding.CASH
    closed_on: date | None = None
    closed_price: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 < abs(self.contracts) <= MOST_CONTRACTS:
            raise InvalidInput("contracts", "must be a whole number other than zero: bought above, sold below")
        not_negative("price_paid", self.price_paid)
        if self.opened_on > self.contract.expiration:
            raise InvalidInput("opened_on", f"is after the expiration on {self.contract.expiration}")
        if (self.closed_on is None) != (self.closed_price is None):
            raise InvalidInput("closed_price", "and closed_on belong together")
        if self.closed_on is not None and self.closed_on < self.opened_on:
            raise InvalidInput("closed_on", f"is before it was opened on {self.opened_on}")
        if self.closed_price is not None:
            not_negative("closed_price", self.closed_price)

    @property
    def shares(self) -> float:
        """Shares the contracts stand for; negative when sold."""
        return float(self.contracts * self.contract.multiplier)

    @property
    def cost(self) -> float:
        """What was paid for it, USD; negative when it was sold."""
        return self.shares * self.price_paid

    def is_open(self, on: date) -> bool:
        """True while it is held and has not expired before `on`."""
        return self.closed_on is None and on <= self.contract.expiration

    def payoff(self, price: float) -> float:
        """What exercise at expiry brings at a price of the share, USD."""
        return self.shares * payoff(self.contract.right, self.contract.strike, price)


@dataclass(frozen=True, slots=True)
class OptionMark:
    """A position at a moment. `price` is what closing it brings or costs a share: the bid when held, the ask when
    sold; `mid` between them. None is what is not known. Greeks are per share, in trading units. `problem` says why it
    is not simply a quote of now.
    """

    held: HeldOption
    basis: MarkBasis
    price: float | None
    mid: float | None
    at: datetime | None
    source: str
    is_stale: bool = False
    problem: str | None = None
    implied_volatility: float | None = None
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None

    @property
    def value(self) -> float | None:
        """What closing the position brings, USD; negative when sold; None without a price."""
        return None if self.price is None else self.held.shares * self.price

    @property
    def is_doubtful(self) -> bool:
        """True when the value is unknown, old, or no more than what exercise would pay though there is time left."""
        return self.price is None or self.is_stale or (self.basis is MarkBasis.INTRINSIC and self.problem is not None)


@dataclass(frozen=True, slots=True)
class HedgeMark:
    """All options held against a loan, marked at one price of the share."""

    marks: tuple[OptionMark, ...]

    @property
    def value(self) -> float:
        """Pi of the LTV formulas, USD: what closing all of it brings. What has no price counts as nothing."""
        return math.fsum(mark.value or 0.0 for mark in self.marks)

    @property
    def doubts(self) -> tuple[str, ...]:
        """A sentence for each position whose value is unknown, old, or less than known."""
        return tuple(
            f"{mark.held.contract.osi}: {mark.problem or 'its price is old'}"
            for mark in self.marks
            if mark.is_doubtful
        )

    @property
    def cost(self) -> float:
        """What was paid for the positions, USD."""
        return math.fsum(mark.held.cost for mark in self.marks)

    def greek(self, name: str) -> float | None:
        """The sum over the positions of delta, gamma, vega or theta; None when one of them is not known."""
        found = [getattr(mark, name) for mark in self.marks]
        if any(value is None for value in found):
            return None
        return math.fsum(mark.held.shares * value for mark, value in zip(self.marks, found, strict=True))

    def payoff(self, price: float) -> float:
        """What exercise at expiry brings at a price of the share, USD, whatever the expirations."""
        return math.fsum(mark.held.payoff(price) for mark in self.marks)
