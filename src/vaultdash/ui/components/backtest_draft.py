"""What is typed for a backtest, and the request it makes, or what is wrong with each field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from vaultdash.backtest.scenario import Source, TradeAt
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import instrument
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import Snapshot
from vaultdash.services.backtest_request import FAN_MONTHS, USUAL_LTV, USUAL_UNITS, BacktestRequest
from vaultdash.services.backtest_words import LONGEST_NAME
from vaultdash.services.selloff_events import Event
from vaultdash.ui.typed import amount, as_amount, as_percent, day, percent, sentence, whole

T = TypeVar("T")
OWN_DAYS = ""
FIRST_EVENT = "jan-jul-2026"
TODAY, TYPED = "today", "typed"
BY_LTV, BY_AMOUNT = "ltv", "loan"
PAID, CAPITALISED = "paid", "capitalised"
FIRST_HEDGES = (
    "protective_put_atm",
    "protective_put_otm_95",
    "collar_95_110",
    "first_strike_above_call",
    "rolling_quarterly_95",
)
LABELS = {
    "start": "The first day",
    "end": "The last day",
    "units": "The gold",
    "ltv": "The LTV",
    "loan": "The loan",
    "call_ltv": "The call limit",
    "warning_ltv": "The warning level",
    "close_out_ltv": "The close-out level",
    "cure_days": "The number of days",
    "interest": "The interest",
    "haircut": "The haircut",
    "spare_cash": "The cash",
    "name": "The name",
    "event": "The fall",
    "source": "The source of prices",
}
# The names by which what is asked for is refused, where they differ from those of the fields.
ARGUMENTS = {
    "loan_amount": "loan",
    "margin_call_ltv": "call_ltv",
    "hedge_haircut": "haircut",
    "start_value": "units",
    "template": "templates",
}


@dataclass(slots=True)
class BacktestDraft:
    """The form as text. `base` is a request that is run again: what the form does not show is taken from it."""

    event: str = FIRST_EVENT
    start: str = ""
    end: str = ""
    basis: str = TODAY
    owes: str = BY_LTV
    units: str = as_amount(USUAL_UNITS)
    ltv: str = as_percent(USUAL_LTV)
    loan: str = ""
    call_ltv: str = "75"
    warning_ltv: str = ""
    close_out_ltv: str = ""
    cure_days: str = "2"
    interest: str = "0"
    paying: str = PAID
    counting: str = HedgeCounting.CREDITED.value
    haircut: str = "0"
    spare_cash: str = "0"
    templates: list[str] = field(default_factory=lambda: list(FIRST_HEDGES))
    source: str = Source.MODELLED.value
    trade_at: str = TradeAt.NEXT_CLOSE.value
    fan: bool = True
    name: str = ""
    base: BacktestRequest | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The request, or why there is none: a sentence for each field by its name."""

    request: BacktestRequest | None
    problems: Mapping[str, str]


def gld_shares(snapshot: Snapshot) -> float | None:
    """What is pledged as GLD shares, by the gold behind them; None when it is not gold."""
    if snapshot.portfolio.collateral.quoted_by == "GLD":
        return snapshot.shares
    share = instrument("GLD").ounces_per_unit(snapshot.on)
    return None if snapshot.gold_ounces is None or share is None else snapshot.gold_ounces / share


def of_today(snapshot: Snapshot, units: float) -> dict[str, object]:
    """Today's loan as fields of a request: its gold, its LTV at prices of the time, its terms and counting."""
    loan = snapshot.portfolio.loan
    return {"units": units, "ltv": snapshot.ltv, "loan": None, "start_value": None} | _terms(loan)


def typed_as_today(draft: BacktestDraft, snapshot: Snapshot) -> None:
    """Fill the typed terms with today's, as a start for others."""
    loan = snapshot.portfolio.loan
    draft.units = as_amount(round(gld_shares(snapshot) or USUAL_UNITS, 2))
    draft.ltv = as_percent(round(snapshot.ltv, 4))
    draft.loan = as_amount(round(loan.amount))
    draft.owes = BY_LTV
    _fill_terms(draft, _terms(loan))


def draft_of(request: BacktestRequest, event: Event | None = None) -> BacktestDraft:
    """The form filled with a request that is to be run again; `event` is the one it names, as it was then."""
    start, end = request.start, request.end
    own_days = start is not None or end is not None
    if own_days and event is not None:
        start, end = start or event.start, end or event.end
    draft = BacktestDraft(
        event=OWN_DAYS if own_days else request.event or OWN_DAYS,
        start="" if start is None else start.isoformat(),
        end="" if end is None else end.isoformat(),
        basis=TYPED,
        owes=BY_AMOUNT if request.loan is not None else BY_LTV,
        units=as_amount(request.units if request.units is not None or request.start_value else USUAL_UNITS),
        ltv=as_percent(request.ltv if request.ltv is not None else USUAL_LTV),
        loan=as_amount(request.loan),
        spare_cash=as_amount(request.spare_cash),
        templates=list(request.templates),
        source=request.source.value,
        trade_at=request.trade_at.value,
        fan=bool(request.fan),
        base=request,
    )
    _fill_terms(
        draft,
        {
            "call_ltv": request.call_ltv,
            "warning_ltv": request.warning_ltv,
            "close_out_ltv": request.close_out_ltv,
            "cure_days": request.cure_days,
            "counting": request.counting,
            "hedge_haircut": request.hedge_haircut,
            "interest": request.interest,
            "capitalised": request.capitalised,
        },
    )
    return draft


def read_draft(draft: BacktestDraft, snapshot: Snapshot | None, today: date) -> Reading:
    """The request that the form makes, or a sentence for each field that does not."""
    reader = _Reader(draft)
    days = reader.days(today)
    loan = reader.today(snapshot) if draft.basis == TODAY else reader.typed()
    cash = reader.read("spare_cash", lambda name, text: _not_negative(name, amount(name, text)), empty=0.0)
    if not draft.templates:
        reader.problems["templates"] = "Choose at least one hedge; without one there is nothing to compare."
    if len(draft.name) > LONGEST_NAME:
        reader.problems["name"] = f"The name must have at most {LONGEST_NAME} characters."
    if reader.problems:
        return Reading(None, reader.problems)
    base = draft.base or BacktestRequest(())
    given: dict[str, object] = {
        **days,
        **loan,
        "templates": tuple(draft.templates),
        "spare_cash": cash,
        "source": Source(draft.source),
        "trade_at": TradeAt(draft.trade_at),
        "fan": (base.fan or FAN_MONTHS) if draft.fan else (),
        "name": draft.name.strip(),
    }
    return Reading(replace(base, **given), {})  # type: ignore[arg-type]  # given are its fields


def field_of(error: InvalidInput) -> str:
    """The field of the form to which a refusal belongs; of an unknown one the name stays."""
    plain = error.argument.split(".")[0]
    return ARGUMENTS.get(plain, plain)


class _Reader:
    """Reads field after field and notes what is wrong."""

    def __init__(self, draft: BacktestDraft) -> None:
        self.draft = draft
        self.problems: dict[str, str] = {}

    def read(self, name: str, reading: Callable[[str, str], T], empty: T | None = None) -> T | None:
        """One field; an empty one gives `empty` where that is allowed."""
        typed = str(getattr(self.draft, name))
        if not typed.strip() and (empty is not None or name in ("warning_ltv", "close_out_ltv")):
            return empty
        try:
            return reading(name, typed)
        except InvalidInput as error:
            self.problems[name] = sentence(LABELS[name], error)
            return None

    def days(self, today: date) -> dict[str, object]:
        if self.draft.event != OWN_DAYS:
            return {"event": self.draft.event, "start": None, "end": None}
        start, end = self.read("start", day), self.read("end", day)
        if start is not None and end is not None and end <= start:
            self.problems["end"] = "The last day must be after the first."
        elif end is not None and end > today:
            self.problems["end"] = "The last day must not be in the future: its price is not known."
        return {"event": None, "start": start, "end": end}

    def today(self, snapshot: Snapshot | None) -> dict[str, object]:
        if snapshot is None:
            self.problems["basis"] = "Without a price today's LTV is not known. Choose “other terms” and type one."
            return {}
        if snapshot.ltv >= 1:
            self.problems["basis"] = "Today's loan is larger than its gold is worth; choose “other terms”."
        units = gld_shares(snapshot)
        if units is None:
            self.problems["basis"] = "What is pledged today is not gold; choose “other terms”."
            return {}
        return of_today(snapshot, units)

    def typed(self) -> dict[str, object]:
        of_value = self.draft.base is not None and self.draft.base.start_value and not self.draft.units.strip()
        units = None if of_value else self.read("units", lambda name, text: _above_zero(name, amount(name, text)))
        by_ltv = self.draft.owes == BY_LTV
        call = self.read("call_ltv", _between_0_and_1)
        warning = self.read("warning_ltv", _between_0_and_1)
        close_out = self.read("close_out_ltv", _between_0_and_1)
        if call is not None and warning is not None and warning >= call:
            self.problems["warning_ltv"] = "The warning level must be below the call limit."
        if call is not None and close_out is not None and close_out < call:
            self.problems["close_out_ltv"] = "The close-out level must not be below the call limit."
        return {
            "units": units,
            "start_value": self.draft.base.start_value if of_value and self.draft.base else None,
            "ltv": self.read("ltv", _between_0_and_1) if by_ltv else None,
            "loan": None if by_ltv else self.read("loan", lambda name, text: _above_zero(name, amount(name, text))),
            "call_ltv": call,
            "warning_ltv": warning,
            "close_out_ltv": close_out,
            "cure_days": self.read("cure_days", _cure_days),
            "interest": self.read("interest", _interest, empty=0.0),
            "capitalised": self.draft.paying == CAPITALISED,
            "counting": HedgeCounting(self.draft.counting),
            "hedge_haircut": self.read("haircut", _share, empty=0.0),
        }


def _terms(loan: Loan) -> dict[str, object]:
    return {
        "call_ltv": loan.margin_call_ltv,
        "warning_ltv": loan.warning_ltv,
        "close_out_ltv": loan.close_out_ltv,
        "cure_days": loan.cure_days,
        "counting": loan.hedge_counting,
        "hedge_haircut": loan.hedge_haircut,
        "interest": loan.interest.rate,
        "capitalised": loan.interest.capitalised,
    }


def _fill_terms(draft: BacktestDraft, terms: Mapping[str, object]) -> None:
    for name in ("call_ltv", "warning_ltv", "close_out_ltv", "interest"):
        value = terms[name]
        setattr(draft, name, as_percent(None if value is None else round(float(value), 6)))  # type: ignore[arg-type]  # numbers all
    draft.haircut = as_percent(float(terms["hedge_haircut"]))  # type: ignore[arg-type]  # a number
    draft.cure_days = str(terms["cure_days"])
    draft.paying = CAPITALISED if terms["capitalised"] else PAID
    draft.counting = HedgeCounting(str(terms["counting"])).value


def _between_0_and_1(name: str, text: str) -> float:
    found = percent(name, text)
    if not 0 < found < 1:
        raise InvalidInput(name, "must be above 0 and below 100 %")
    return found


def _share(name: str, text: str) -> float:
    found = percent(name, text, least_bare=0.0)
    if not 0 <= found <= 1:
        raise InvalidInput(name, "must be between 0 and 100 %")
    return found


def _interest(name: str, text: str) -> float:
    found = percent(name, text, least_bare=0.0)
    if not -0.05 <= found <= 0.5:
        raise InvalidInput(name, "must be between −5 and 50 % a year")
    return found


def _cure_days(name: str, text: str) -> int:
    found = whole(name, text)
    if not 0 <= found <= 60:
        raise InvalidInput(name, "must be between 0 and 60")
    return found


def _above_zero(name: str, value: float) -> float:
    if value <= 0:
        raise InvalidInput(name, "must be above zero")
    return value


def _not_negative(name: str, value: float) -> float:
    if value < 0:
        raise InvalidInput(name, "must not be negative")
    return value
