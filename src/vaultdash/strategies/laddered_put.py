"""Puts at several strikes, each over its part of the collateral."""

from dataclasses import dataclass

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import WEIGHT_TOLERANCE, HedgePlan, Situation
from vaultdash.domain.validation import positive
from vaultdash.strategies.protective_put import put_leg


@dataclass(frozen=True, slots=True)
class LadderSpec:
    """The steps of a ladder: `weights` sum to one, `strike_pcts` of spot, `months` or the situation's tenor."""

    weights: tuple[float, ...]
    strike_pcts: tuple[float, ...]
    months: int | None = None

    def __post_init__(self) -> None:
        if len(self.weights) != len(self.strike_pcts):
            raise InvalidInput("weights", f"must be as many as the strikes, {len(self.strike_pcts)}")
        for weight in self.weights:
            positive("weights", weight)
        for strike_pct in self.strike_pcts:
            positive("strike_pcts", strike_pct)
        if self.months is not None:
            positive("months", self.months)
        if abs(sum(self.weights) - 1.0) > WEIGHT_TOLERANCE:
            raise InvalidInput("weights", f"must sum to 1, not {sum(self.weights):.10g}")


@dataclass(frozen=True, slots=True)
class LadderedPut:
    """The ladder of a spec."""

    name: str
    title: str
    spec: LadderSpec

    def propose(self, situation: Situation) -> tuple[HedgePlan]:
        """One plan with a leg for each step."""
        months = situation.months if self.spec.months is None else self.spec.months
        steps = zip(self.spec.weights, self.spec.strike_pcts, strict=True)
        legs = tuple(put_leg(situation, strike_pct, weight, months) for weight, strike_pct in steps)
        return (HedgePlan(self.name, self.title, legs),)
