"""What a loan and its hedge cost a year."""

import math
from dataclasses import dataclass

from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.position import HeldOption

DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Carry:
    """USD a year: interest on what is owed now, and the premiums of open positions spread over their terms.

    Premiums of sold options count against the cost. `of_collateral` and `of_equity` are fractions of the gold's value
    and of what would be left of everything; the latter None when nothing would be.
    """

    interest: float
    hedge: float
    collateral: float
    equity: float

    @property
    def total(self) -> float:
        """Interest and hedge, USD a year."""
        return self.interest + self.hedge

    @property
    def of_collateral(self) -> float:
        """The total as a fraction of the gold's value."""
        return self.total / self.collateral

    @property
    def of_equity(self) -> float | None:
        """The total as a fraction of equity."""
        return self.total / self.equity if self.equity > 0 else None


def carry(snapshot: Snapshot) -> Carry:
    """The yearly cost of a portfolio as it is marked: interest L * (ref + spread) * 365 / basis, hedge cost below."""
    held = () if snapshot.hedge is None else tuple(mark.held for mark in snapshot.hedge.marks)
    loan = snapshot.portfolio.loan
    return Carry(
        interest=loan.interest.accrued(loan.amount, DAYS_PER_YEAR),
        hedge=math.fsum(yearly_cost(option) for option in held),
        collateral=snapshot.gold_value,
        equity=snapshot.equity,
    )


def yearly_cost(option: HeldOption) -> float:
    """What a position costs by the year of its term, USD: cost * 365 / days from opening to expiration."""
    term = max((option.contract.expiration - option.opened_on).days, 1)
    return option.cost * DAYS_PER_YEAR / term
