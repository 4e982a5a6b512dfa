"""One at-the-money put in several tenors, to find the one that is cheapest a year."""

from dataclasses import dataclass

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import HedgeLeg, HedgePlan, Situation
from vaultdash.domain.option import Right

DURATIONS = (3, 6, 9, 12, 18, 24)


@dataclass(frozen=True, slots=True)
class LeapsDurations:
    """The put at `strike_pct` of spot at each of `durations` months, whatever the situation's own tenor."""

    name: str
    title: str
    strike_pct: float = 1.0
    durations: tuple[int, ...] = DURATIONS

    def __post_init__(self) -> None:
        if not self.durations or list(self.durations) != sorted(set(self.durations)):
            raise InvalidInput("durations", "must be months in ascending order, each once")

    def propose(self, situation: Situation) -> tuple[HedgePlan, ...]:
        """A plan for each duration, ascending; the title names its months."""
        strike = situation.spot * self.strike_pct
        return tuple(
            HedgePlan(
                self.name, f"LEAPS, {months} months", (HedgeLeg(Right.PUT, strike, self.strike_pct, 1.0, months),)
            )
            for months in self.durations
        )
