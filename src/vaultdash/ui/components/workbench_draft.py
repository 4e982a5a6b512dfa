"""What lies on the workbench: up to four hedges of listed contracts, as they are chosen, typed and bent."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import (
    MOST_HEDGE_CONTRACTS,
    MOST_HEDGE_LEGS,
    USUAL_COMMISSION,
    HedgeMarket,
    ListedHedge,
    ListedLeg,
    ListedOption,
    PriceBasis,
    leg_at,
)
from vaultdash.domain.option import SHARES_PER_CONTRACT, Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.workbench_request import HedgeRequest, LegRequest

LETTERS = "ABCD"
Key = tuple[Right, int, date]


@dataclass(frozen=True, slots=True)
class LegDraft:
    """One contract as it is asked for: bought above zero, sold below; `own` is a typed price, USD a share."""

    right: Right
    strike: float
    expiration: date
    contracts: int
    basis: PriceBasis = PriceBasis.MARKET
    own: float | None = None

    @property
    def key(self) -> Key:
        """By which the listed contract is found."""
        return key_of(self.right, self.strike, self.expiration)


@dataclass(frozen=True, slots=True)
class HedgeDraft:
    """Legs that are held together; `origin` says where they come from, such as `the cheapest hedge`.

    Two with the same legs are the same, wherever they come from.
    """

    legs: tuple[LegDraft, ...] = ()
    commission: float = USUAL_COMMISSION
    funding: PremiumFunding = PremiumFunding.CASH
    origin: str = field(default="", compare=False)

    @property
    def sells_calls(self) -> bool:
        """True when a call is sold in it."""
        return any(leg.right is Right.CALL and leg.contracts < 0 for leg in self.legs)


def key_of(right: Right, strike: float, expiration: date) -> Key:
    """Strikes are listed in thousandths of a dollar."""
    return right, round(strike * 1000), expiration


def draft_of(hedge: ListedHedge | HedgeRequest, origin: str) -> HedgeDraft:
    """A draft with the legs of a hedge; a price that somebody typed stays, others follow the market again."""
    legs = []
    for leg in hedge.legs:
        option = leg.option if isinstance(leg, ListedLeg) else leg
        own = leg.price if leg.basis is PriceBasis.OWN else None
        legs.append(LegDraft(option.right, option.strike, option.expiration, leg.contracts, leg.basis, own))
    return HedgeDraft(tuple(legs), hedge.commission, hedge.funding, origin)


def request_of(draft: HedgeDraft) -> HedgeRequest:
    """What a link carries and a service is asked for: legs without quotes, which are those of the live chain."""
    legs = tuple(
        LegRequest(leg.right, leg.strike, leg.expiration, leg.contracts, leg.basis, leg.own) for leg in draft.legs
    )
    return HedgeRequest(title_of(draft), legs, draft.commission, draft.funding)


def title_of(draft: HedgeDraft) -> str:
    """What it is by its legs: `put 370`, `collar 400 / 520`, `put spread 400 / 340`, `put ladder 420 / 400`."""
    legs = draft.legs
    if not legs:
        return "no hedge"
    strikes = " / ".join(f"{leg.strike:g}" for leg in legs)
    if len(legs) == 1:
        return f"{_side(legs[0])}{_right(legs[0])} {strikes}"
    puts = [leg for leg in legs if leg.right is Right.PUT]
    bought = [leg for leg in puts if leg.contracts > 0]
    if len(puts) == len(legs):
        if len(bought) == len(legs):
            return f"put ladder {strikes}" if len(legs) <= 4 else f"put ladder of {len(legs)}"
        if len(legs) == 2 and len(bought) == 1:
            return f"put spread {strikes}"
    elif len(legs) == 2 and len(bought) == 1 and legs[0].contracts * legs[1].contracts < 0:
        return f"collar {strikes}"
    return f"own legs {strikes}" if len(legs) <= 4 else f"own legs, {len(legs)} of them"


def _side(leg: LegDraft) -> str:
    return "" if leg.contracts > 0 else "sold "


def _right(leg: LegDraft) -> str:
    return "put" if leg.right is Right.PUT else "call"


class Listed:
    """The contracts at hand: those that may be used, and why others may not; by expiration as they are read."""

    def __init__(self) -> None:
        self.expirations: tuple[date, ...] = ()
        self._options: dict[Key, ListedOption] = {}
        self._refused: dict[Key, tuple[ListedOption, str]] = {}
        self._read: set[date] = set()

    def add(self, market: HedgeMarket) -> None:
        """Take what was read, in place of what was known of the same expirations."""
        self.expirations = market.expirations or self.expirations
        days = {option.expiration for option in market.options} | {one.option.expiration for one in market.rejected}
        for known in (self._options, self._refused):
            for key in [key for key in known if key[2] in days]:
                del known[key]
        for option in market.options:
            self._options[key_of(option.right, option.strike, option.expiration)] = option
        for one in market.rejected:
            key = key_of(one.option.right, one.option.strike, one.option.expiration)
            self._refused.setdefault(key, (one.option, one.reason))
        self._read |= days

    def note_asked(self, expiration: date) -> None:
        """It was looked for, and nothing is listed there."""
        self._read.add(expiration)

    def has(self, expiration: date) -> bool:
        """True when its contracts have been read."""
        return expiration in self._read

    def strikes(self, right: Right, expiration: date) -> tuple[float, ...]:
        """Those that may be used, ascending."""
        return tuple(sorted(key[1] / 1000 for key in self._options if key[0] is right and key[2] == expiration))

    def option(self, leg: LegDraft) -> ListedOption | None:
        """The contract with its quotes; one that may not be used only where its own price is typed."""
        found = self._options.get(leg.key)
        if found is None and leg.basis is PriceBasis.OWN and leg.key in self._refused:
            return self._refused[leg.key][0]
        return found

    def nearest(self, right: Right, expiration: date, strike: float) -> float | None:
        """The listed strike nearest to one; None while there is none."""
        return min(self.strikes(right, expiration), key=lambda one: abs(one - strike), default=None)

    def beside(self, leg: LegDraft, step: int) -> float:
        """The next listed strike above (1) or below (-1) that of a leg; its own where there is none."""
        found = self.strikes(leg.right, leg.expiration)
        if not found:
            return leg.strike
        place = bisect_left(found, leg.strike)
        is_listed = place < len(found) and found[place] == leg.strike
        to = place + step if is_listed else place if step > 0 else place - 1
        return found[min(max(to, 0), len(found) - 1)]

    def leg(self, draft: LegDraft) -> ListedLeg:
        """The leg at its price; raises InvalidInput with what is missing."""
        option = self.option(draft)
        if option is not None:
            return leg_at(option, draft.contracts, draft.basis, draft.own)
        title = f"{draft.strike:g} {_right(draft)} of {draft.expiration:%-d %b %Y}"
        if draft.key in self._refused:
            raise InvalidInput("contract", f"the {title} is left out: {self._refused[draft.key][1]}")
        if not self.has(draft.expiration):
            raise InvalidInput("contract", f"the quotes of the {title} are not read yet")
        raise InvalidInput("contract", f"the {title} is not listed; take a strike that is")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A draft at the prices of now; without a hedge `problems` say why, by the place of the leg (-1 for all)."""

    draft: HedgeDraft
    hedge: ListedHedge | None
    problems: Mapping[int, str]


def resolve(draft: HedgeDraft, listed: Listed) -> Resolved:
    """Find every leg's quote."""
    legs, problems = [], {}
    for place, leg in enumerate(draft.legs):
        try:
            legs.append(listed.leg(leg))
        except InvalidInput as error:
            problems[place] = f"{error.reason[0].upper()}{error.reason[1:]}."
    if problems:
        return Resolved(draft, None, problems)
    try:
        return Resolved(draft, ListedHedge(title_of(draft), tuple(legs), draft.commission, draft.funding), {})
    except InvalidInput as error:
        return Resolved(draft, None, {-1: f"{error}."})


@dataclass(slots=True)
class Bench:
    """The hedges side by side, A to D, and which of them is worked on; there is always one."""

    hedges: list[HedgeDraft] = field(default_factory=lambda: [HedgeDraft()])
    chosen: int = 0

    @property
    def current(self) -> HedgeDraft:
        """The one that is worked on."""
        return self.hedges[self.chosen]

    @property
    def is_full(self) -> bool:
        """True when no hedge can be put beside the others."""
        return len(self.hedges) >= len(LETTERS)

    def put(self, draft: HedgeDraft) -> None:
        """In place of the one that is worked on."""
        self.hedges[self.chosen] = draft

    def beside(self, draft: HedgeDraft) -> None:
        """Beside the others, and worked on; in place of the current one when there are four, or when it is empty."""
        if self.is_full or not self.current.legs:
            self.put(draft)
            return
        self.hedges.append(draft)
        self.chosen = len(self.hedges) - 1

    def choose(self, place: int) -> None:
        """Work on another one; a place that is gone is left out."""
        if 0 <= place < len(self.hedges):
            self.chosen = place

    def remove(self, place: int) -> None:
        """Take one away; of the last one its legs."""
        if len(self.hedges) == 1:
            self.hedges[0] = HedgeDraft()
        elif 0 <= place < len(self.hedges):
            del self.hedges[place]
            self.chosen = min(self.chosen - (place < self.chosen), len(self.hedges) - 1)

    def change(self, place: int, change: Callable[[LegDraft], LegDraft]) -> None:
        """Change one leg of the current hedge; it comes from nowhere else any more."""
        legs = list(self.current.legs)
        if 0 <= place < len(legs):
            legs[place] = change(legs[place])
            self._legs(legs)

    def add_leg(self, leg: LegDraft) -> None:
        """One more, as long as there is room."""
        if len(self.current.legs) < MOST_HEDGE_LEGS:
            self._legs([*self.current.legs, leg])

    def drop_leg(self, place: int) -> None:
        """One fewer."""
        self._legs([leg for at, leg in enumerate(self.current.legs) if at != place])

    def _legs(self, legs: list[LegDraft]) -> None:
        was = self.current
        origin = was.origin if not was.origin or was.origin.endswith(", changed") else f"{was.origin}, changed"
        self.put(replace(was, legs=tuple(legs), origin=origin))


def contracts_over(units: float) -> int:
    """Whole contracts that cover every share, rounded up; at least one."""
    return min(max(-int(-units // SHARES_PER_CONTRACT), 1), MOST_HEDGE_CONTRACTS)
