"""What holding the loan and its hedge costs a year."""

import math
from dataclasses import dataclass

from vaultdash.domain.loan import DayCount
from vaultdash.domain.portfolio import Snapshot
from vaultdash.domain.position import HeldOption

DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Carry:
    """USD a year, and as fractions of the collateral and of the equity V + Pi - L (None when there is none)."""

    interest: float
    hedge: float
    collateral: float
    equity: float

    @property
    def total(self) -> float:
        """Interest and hedge together, USD a year."""
        return self.interest + self.hedge

    def of_collateral(self, cost: float) -> float:
        """A yearly cost as a fraction of the collateral's value."""
        return cost / self.collateral

    def of_equity(self, cost: float) -> float | None:
        """A yearly cost as a fraction of the equity; None when there is no equity left."""
        return cost / self.equity if self.equity > 0 else None


def carry(snapshot: Snapshot) -> Carry:
    """Interest at today's rate on what is owed, simple over 365 days, and the premiums of the options held a year.

    interest = L * (ref + spread) * 365 / basis; a premium is spread over the days from purchase to expiration.
    """
    loan = snapshot.portfolio.loan
    basis = 360 if loan.interest.day_count is DayCount.ACT_360 else DAYS_A_YEAR
    held = () if snapshot.hedge is None else tuple(mark.held for mark in snapshot.hedge.marks)
    return Carry(
        interest=loan.amount * loan.interest.rate * DAYS_A_YEAR / basis,
        hedge=math.fsum(cost_a_year(option) for option in held),
        collateral=snapshot.gold_value,
        equity=snapshot.gold_value + snapshot.hedge_value - loan.amount,
    )


def cost_a_year(option: HeldOption) -> float:
    """What was paid for a position, USD, as if paid evenly from its opening to its expiration; negative when sold."""
    days = max((option.contract.expiration - option.opened_on).days, 1)
    return option.cost * DAYS_A_YEAR / days
