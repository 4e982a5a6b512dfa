"""A hedge template: legs by rule, when they are rolled and turned into cash, and how the premium is paid.

It says nothing of prices or dates: the same template serves advice, what-if, backtests and orders.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.validation import open_fraction, positive

TEMPLATE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LONGEST_TITLE = 80
LONGEST_DESCRIPTION = 600
MOST_LEGS = 6
SHORTEST_MONTHS, LONGEST_MONTHS = 0.25, 60.0
MOST_CONTRACTS = 100_000
LONGEST_ROLL_DAYS = 365
ROUNDING = 1e-9  # of shares that add up


class Side(StrEnum):
    """Whether a leg is bought or sold."""

    BUY = "buy"
    SELL = "sell"


class StrikeRule(StrEnum):
    """How a strike is found on the day of the decision, among those that are listed.

    `percent_of_spot`: nearest to value x spot. `delta`: the one whose delta is nearest to the value, both without
    sign. `distance_to_call`: nearest to value x margin-call price. `first_above_call`: the lowest above that price.
    """

    PERCENT_OF_SPOT = "percent_of_spot"
    DELTA = "delta"
    DISTANCE_TO_CALL = "distance_to_call"
    FIRST_ABOVE_CALL = "first_above_call"


@dataclass(frozen=True, slots=True)
class Strike:
    """A rule with its value: a fraction of spot or of the call price, or a delta between 0 and 1."""

    rule: StrikeRule
    value: float | None = None

    def __post_init__(self) -> None:
        if self.rule is StrikeRule.FIRST_ABOVE_CALL:
            if self.value is not None:
                raise InvalidInput("strike.value", "is not wanted where the strike is the first above the call price")
            return
        if self.value is None:
            raise InvalidInput("strike.value", f"is missing; {self.rule} needs one, such as 0.95")
        if self.rule is StrikeRule.DELTA:
            open_fraction("strike.value", self.value)
        elif not 0.1 <= positive("strike.value", self.value) <= 3.0:
            raise InvalidInput("strike.value", f"must be between 0.1 and 3, not {self.value:g}; write 0.95 for 95 %")


@dataclass(frozen=True, slots=True)
class TemplateLeg:
    """One option of the hedge: `months` to expiry, over `share` of the covered units or a number of `contracts`."""

    right: Right
    strike: Strike
    months: float
    side: Side = Side.BUY
    share: float = 1.0
    contracts: int | None = None

    def __post_init__(self) -> None:
        if not SHORTEST_MONTHS <= positive("months", self.months) <= LONGEST_MONTHS:
            raise InvalidInput("months", f"must be between {SHORTEST_MONTHS:g} and {LONGEST_MONTHS:g}")
        if not 0 < positive("share", self.share) <= 1:
            raise InvalidInput("share", f"must be a fraction above 0 and at most 1, not {self.share:g}")
        if self.contracts is not None and not 1 <= self.contracts <= MOST_CONTRACTS:
            raise InvalidInput("contracts", f"must be between 1 and {MOST_CONTRACTS:,}")

    @property
    def sign(self) -> int:
        """+1 bought, -1 sold."""
        return 1 if self.side is Side.BUY else -1


@dataclass(frozen=True, slots=True)
class RollPolicy:
    """What is done with the hedge after it was bought; what is None is never done.

    Rolled `days_before_expiry` (calendar days, or fewer); without it the hedge is held to expiry and bought anew
    at the next close, unless `rebuy` is False. `ratchet`: rolled when spot has risen by that fraction since the
    purchase. `monetise_delta`: the puts are sold and the loan repaid when the delta of one is beyond it, without
    sign; `monetise_ltv`: when L/V has reached it. `rebuy` says whether a new hedge is bought after that, and after
    expiry. `yearly_budget`: the most that is paid for options, net, within 365 days, as a fraction of the
    collateral's value at the purchase; fewer contracts are bought where it binds.
    """

    days_before_expiry: int | None = 30
    ratchet: float | None = None
    monetise_delta: float | None = None
    monetise_ltv: float | None = None
    rebuy: bool = True
    yearly_budget: float | None = None

    def __post_init__(self) -> None:
        days = self.days_before_expiry
        if days is not None and not 1 <= days <= LONGEST_ROLL_DAYS:
            raise InvalidInput("roll.days_before_expiry", f"must be between 1 and {LONGEST_ROLL_DAYS}, not {days}")
        if self.ratchet is not None and not 0.005 <= positive("roll.ratchet", self.ratchet) <= 5:
            raise InvalidInput("roll.ratchet", "must be a fraction between 0.005 and 5; write 0.1 for 10 %")
        for name in ("monetise_delta", "monetise_ltv", "yearly_budget"):
            value = getattr(self, name)
            if value is not None:
                open_fraction(f"roll.{name}", value)


@dataclass(frozen=True, slots=True)
class HedgeTemplate:
    """A named hedge. `coverage` is the share of the pledged units that it is over, in whole contracts, rounded up.

    `counting` None leaves it to the loan how the lender counts the options. `repays`: nothing is bought, and what the
    legs would have cost repays the loan instead, on the same days. Without legs nothing is done. `version` counts
    the changes of a template that users edit; those of the house are `is_system` and never change under their id.
    """

    id: str
    name: str
    description: str = ""
    legs: tuple[TemplateLeg, ...] = ()
    roll: RollPolicy = field(default_factory=RollPolicy)
    coverage: float = 1.0
    funding: PremiumFunding = PremiumFunding.CASH
    counting: HedgeCounting | None = None
    repays: bool = False
    version: int = 1
    is_system: bool = False

    def __post_init__(self) -> None:
        if not TEMPLATE_ID.fullmatch(self.id):
            raise InvalidInput("id", "must be 1 to 60 small letters, digits, _ or -, a letter or digit first")
        if not self.name.strip() or len(self.name) > LONGEST_TITLE:
            raise InvalidInput("name", f"must have 1 to {LONGEST_TITLE} characters")
        if len(self.description) > LONGEST_DESCRIPTION:
            raise InvalidInput("description", f"must have at most {LONGEST_DESCRIPTION} characters")
        if len(self.legs) > MOST_LEGS:
            raise InvalidInput("legs", f"must be at most {MOST_LEGS}")
        if not 0 < positive("coverage", self.coverage) <= 1:
            raise InvalidInput("coverage", f"must be a fraction above 0 and at most 1, not {self.coverage:g}")
        if self.repays and not self.legs:
            raise InvalidInput("legs", "are missing: what they would cost is what repays the loan")
        if self.version < 1:
            raise InvalidInput("version", "must be 1 or more")
        self._require_cover()

    def _require_cover(self) -> None:
        """Sold calls need gold; sold puts need bought ones of their tenor or longer, and of their strike or above.

        Strikes by different rules can only be compared on the day: there a backtest sells no put it could not cover.
        """
        bought = [leg for leg in self.legs if leg.side is Side.BUY and leg.right is Right.PUT]
        sold = [leg for leg in self.legs if leg.side is Side.SELL and leg.right is Right.PUT]
        sold_calls = sum(leg.share for leg in self.legs if leg.side is Side.SELL and leg.right is Right.CALL)
        if sold_calls * self.coverage > 1 + ROUNDING:
            raise InvalidInput(
                "legs", "sell more calls than there is gold: the loss on an uncovered call has no limit"
            )
        if sum(leg.share for leg in sold) > sum(leg.share for leg in bought) + ROUNDING:
            raise InvalidInput("legs", "sell more puts than they buy: that adds to the fall instead of hedging it")
        for leg in sold:
            longer = sum(each.share for each in bought if each.months >= leg.months)
            if sum(each.share for each in sold if each.months >= leg.months) > longer + ROUNDING:
                raise InvalidInput(
                    "legs",
                    f"sell puts of {leg.months:g} months and buy too few that last as long: when these expire, the "
                    "sold ones are naked; sell shorter ones, or buy longer ones",
                )
            lowest = min(
                (each.strike.value or 0.0 for each in bought if each.strike.rule is leg.strike.rule), default=inf
            )
            if (leg.strike.value or 0.0) > lowest + ROUNDING:
                raise InvalidInput(
                    "legs",
                    f"sell a put at {leg.strike.value:g}, above the one bought at {lowest:g} by the same rule: what "
                    "is between them would be lost in a fall; sell the lower strike and buy the higher one",
                )

    @property
    def months(self) -> float | None:
        """The longest tenor of its legs; None without any."""
        return max((leg.months for leg in self.legs), default=None)

    @property
    def hedges(self) -> bool:
        """True when it buys or sells options."""
        return bool(self.legs) and not self.repays
