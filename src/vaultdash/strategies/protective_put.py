"""One put over the whole collateral, struck at a part of spot."""

from dataclasses import dataclass

from vaultdash.domain.hedge import HedgeLeg, HedgePlan, Situation
from vaultdash.domain.option import Right
from vaultdash.domain.validation import positive


@dataclass(frozen=True, slots=True)
class ProtectivePut:
    """A put at `strike_pct` of spot for `months`, or for the situation's tenor."""

    name: str
    title: str
    strike_pct: float
    months: int | None = None

    def __post_init__(self) -> None:
        positive("strike_pct", self.strike_pct)
        if self.months is not None:
            positive("months", self.months)

    def propose(self, situation: Situation) -> tuple[HedgePlan]:
        """One plan of one leg."""
        months = situation.months if self.months is None else self.months
        return (HedgePlan(self.name, self.title, (put_leg(situation, self.strike_pct, 1.0, months),)),)


def put_leg(situation: Situation, strike_pct: float, weight: float, months: int) -> HedgeLeg:
    """A bought put struck at `strike_pct` of spot over `weight` of the collateral."""
    return HedgeLeg(Right.PUT, situation.spot * strike_pct, strike_pct, weight, months)
