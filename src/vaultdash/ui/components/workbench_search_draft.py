"""What is typed for the search of the cheapest hedge, and the request it makes, or what is wrong with each field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import USUAL_COMMISSION, HedgeCase
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.position import PremiumFunding
from vaultdash.services.workbench_advice import ROOM
from vaultdash.services.workbench_request import CaseChange, CheapestRequest, CheckDates, Goal
from vaultdash.ui.format import pct
from vaultdash.ui.typed import amount, as_amount, as_percent, percent, sentence, whole

T = TypeVar("T")
YES, NO = "yes", "no"
BELOW = 1e-6  # of LTV
DEEPEST, HIGHEST = 0.95, 2.0  # of the price: how far a search may look down and up
LABELS = {
    "ltv": "The LTV",
    "fall": "The fall",
    "budget": "The budget",
    "max_loss": "The loss",
    "call_above": "The distance",
    "max_puts": "The number of puts",
    "commission": "The commission",
    "broker_margin": "The money at the broker",
    "horizon": "The day",
}
# The names by which what is asked for is refused, where they differ from those of the fields.
ARGUMENTS = {
    "max_hedged_ltv": "ltv",
    "price_range": "fall",
    "min_call_strike": "call_above",
    "commission_per_contract": "commission",
    "commission": "commission",
    "credit": "counting",
}


@dataclass(slots=True)
class SearchDraft:
    """The form as text; an empty field imposes nothing."""

    goal: str = Goal.CHEAPEST.value
    ltv: str = ""
    horizon: date | None = None
    counting: str = HedgeCounting.AFTER_PAYMENT.value
    funding: str = PremiumFunding.CASH.value
    fall: str = "60"
    calls: str = NO
    call_above: str = "10"
    budget: str = ""
    max_loss: str = ""
    max_puts: str = ""
    commission: str = as_amount(USUAL_COMMISSION)
    check_dates: str = ""  # "" for what the search needs: earlier days, too, where calls may be sold
    custody: str = ""  # whether the gold is pledged elsewhere; "" as the owner's loan has it
    broker_margin: str = ""

    @property
    def sells_calls(self) -> bool:
        """True when calls may be sold."""
        return self.calls == YES or self.goal == Goal.ZERO_COST.value

    @property
    def dates_checked(self) -> str:
        """As chosen; else earlier days as well where a sold call may cost more before it expires than then."""
        return self.check_dates or (CheckDates.ALL if self.sells_calls else CheckDates.EXPIRY).value

    def begin(self, case: HedgeCase, horizon: date | None) -> None:
        """Fill it with what the owner's loan says: just below its call limit, and in its counting, unless no option
        counts there.
        """
        self.ltv = as_percent(round(case.loan.margin_call_ltv - ROOM, 6))
        counting = case.loan.hedge_counting
        self.counting = (HedgeCounting.AFTER_PAYMENT if counting is HedgeCounting.IGNORED else counting).value
        self.horizon = horizon


@dataclass(frozen=True, slots=True)
class SearchReading:
    """The request, or why there is none: a sentence for each field by its name."""

    request: CheapestRequest | None
    problems: Mapping[str, str]


def read_search(draft: SearchDraft, case: HedgeCase | None) -> SearchReading:
    """The request that the form makes; prices are judged on `case`."""
    reader = _Reader(draft)
    ltv = reader.read("ltv", _limit)
    fall = reader.read("fall", _fall) or 0.0
    budget = reader.read("budget", _not_negative)
    loss = reader.read("max_loss", _loss)
    puts = reader.read("max_puts", _count)
    commission = reader.read("commission", _not_negative)
    zero_cost, calls = draft.goal == Goal.ZERO_COST.value, draft.sells_calls
    above = reader.read("call_above", _above) if calls else None
    if case is not None and ltv is not None and ltv > case.loan.margin_call_ltv:
        reader.problems["ltv"] = f"The LTV must not be above the lender's limit of {pct(case.loan.margin_call_ltv)}."
    if draft.goal == Goal.CHEAPEST.value and ltv is None and loss is None and not reader.problems:
        reader.problems["ltv"] = "Say which LTV must be kept, or below which loss; the cheapest of all is no hedge."
    if draft.goal == Goal.BEST_PROTECTION.value and budget is None and "budget" not in reader.problems:
        reader.problems["budget"] = "The best protection needs a budget."
    if draft.horizon is None:
        reader.problems["horizon"] = "Choose the day until which it must last."
    if reader.problems:
        return SearchReading(None, reader.problems)
    strike = None if above is None or case is None else round(case.spot * (1 + above), 4)
    return SearchReading(
        CheapestRequest(
            goal=Goal(draft.goal),
            max_hedged_ltv=_below(ltv, case),
            credit=HedgeCounting(draft.counting),
            premium_funding=PremiumFunding(draft.funding),
            price_range=(-fall, max(fall, 0.6)),
            commission_per_contract=USUAL_COMMISSION if commission is None else commission,
            max_puts=puts,
            allow_calls=calls,
            min_call_strike=strike,
            max_loss=loss,
            budget=None if zero_cost else budget,
            horizon=draft.horizon,
            check_dates=CheckDates(draft.dates_checked),
            case=change_of(draft),
        ),
        {},
    )


def _below(ltv: float | None, case: HedgeCase | None) -> float | None:
    """At the call limit is a call already: what must be kept is below it."""
    if ltv is None or case is None or ltv < case.loan.margin_call_ltv - BELOW:
        return ltv
    return case.loan.margin_call_ltv - BELOW


def change_of(draft: SearchDraft) -> CaseChange:
    """What differs from the owner's loan: where the gold lies, and the broker's free money."""
    margin = None
    if draft.broker_margin.strip() and margin_problem(draft) is None:
        margin = _not_negative("broker_margin", draft.broker_margin)
    return CaseChange(split_custody=None if not draft.custody else draft.custody == YES, broker_margin=margin)


def margin_problem(draft: SearchDraft) -> str | None:
    """What is wrong with the broker's free money as it is typed; None when nothing is, or nothing is typed."""
    try:
        if draft.broker_margin.strip():
            _not_negative("broker_margin", draft.broker_margin)
    except InvalidInput as error:
        return error.reason
    return None


def field_of(error: InvalidInput) -> str:
    """The field of the form to which a refusal belongs; of an unknown one the name stays."""
    plain = error.argument.split(".")[0]
    return ARGUMENTS.get(plain, plain)


class _Reader:
    """Reads field after field and notes what is wrong; an empty one is None."""

    def __init__(self, draft: SearchDraft) -> None:
        self.draft = draft
        self.problems: dict[str, str] = {}

    def read(self, name: str, reading: Callable[[str, str], T]) -> T | None:
        typed = str(getattr(self.draft, name))
        if not typed.strip():
            return None
        try:
            return reading(name, typed)
        except InvalidInput as error:
            self.problems[name] = sentence(LABELS[name], error)
            return None


def _limit(name: str, text: str) -> float:
    found = percent(name, text)
    if not 0 < found < 1:
        raise InvalidInput(name, "must be above 0 and below 100 %")
    return found


def _fall(name: str, text: str) -> float:
    found = abs(percent(name, text))
    if not 0 < found <= DEEPEST:
        raise InvalidInput(name, "must be above 0 and at most 95 %")
    return found


def _loss(name: str, text: str) -> float:
    found = abs(percent(name, text))
    if not 0 < found < 1:
        raise InvalidInput(name, "must be above 0 and below 100 % of the gold")
    return found


def _above(name: str, text: str) -> float:
    found = percent(name, text, least_bare=0.0)
    if not 0 <= found <= HIGHEST:
        raise InvalidInput(name, "must be between 0 and 200 % above the price")
    return found


def _count(name: str, text: str) -> int:
    found = whole(name, text)
    if found < 1:
        raise InvalidInput(name, "must be at least 1")
    return found


def _not_negative(name: str, text: str) -> float:
    found = amount(name, text)
    if found < 0:
        raise InvalidInput(name, "must not be negative")
    return found
