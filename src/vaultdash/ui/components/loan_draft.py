"""A loan as it is being typed: nothing typed is lost, and each thing that is wrong has its field and its reason."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, TypeVar

from vaultdash.domain.collateral import Collateral, EntryMode, Lot
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import InstrumentKind, instrument
from vaultdash.domain.loan import USUAL_REFERENCES, DayCount, HedgeCounting, Interest, Loan, day_count_after, restated
from vaultdash.domain.portfolio import DEFAULT_TARGET_LTV, Portfolio
from vaultdash.domain.validation import positive
from vaultdash.services.portfolio_entry import MOST_LOTS, Rates, entered, only_dollars
from vaultdash.ui import typed
from vaultdash.ui.components import loan_reading as reading

T = TypeVar("T")
LABELS = {
    "name": "Name",
    "lender": "Lender",
    "amount": "Loan",
    "as_of": "Owed on",
    "currency": "Currency",
    "warning_ltv": "Warning",
    "margin_call_ltv": "Margin call",
    "close_out_ltv": "Close-out",
    "cure_days": "Days to cure",
    "hedge_counting": "A hedge is",
    "hedge_haircut": "Haircut",
    "reference_rate": "Reference rate",
    "spread": "Spread",
    "day_count": "Day count",
    "capitalised": "Interest is",
    "target_ltv": "Target LTV",
    "symbol": "Gold",
    "entry_price": "Entry price",
    "start_value": "Start value",
    "weight": "Weight",
    "acquired_on": "Since",
}
WHERE = {"loan_amount": "amount", "lots": "lots.0.symbol", "units": "lots.0.weight"}  # whose field tells a reason
UNITS = {"XAU-OZ": "oz", "XAU-G": "g", "XAU-KG": "kg"}


def unit_of(symbol: str) -> str:
    """How one unit is written: `shares`, `oz`, `g`, `kg`."""
    return UNITS.get(symbol, "shares")


@dataclass(slots=True)
class LotDraft:
    """One lot as typed. What was filled in for the other way of entry is no longer typed by hand: `*_typed` tells."""

    symbol: str = "GLD"
    mode: str = EntryMode.WEIGHT.value
    start_value: str = ""
    entry_price: str = ""
    weight: str = ""
    acquired_on: str = ""
    start_value_typed: bool = False
    weight_typed: bool = False
    is_added: bool = field(default=False, compare=False)  # its unit is that of the lot before, not chosen

    @classmethod
    def of(cls, lot: Lot) -> "LotDraft":
        """A kept lot, ready for typing."""
        by_value = lot.entry_mode is EntryMode.VALUE
        return cls(
            symbol=lot.symbol,
            mode=lot.entry_mode.value,
            start_value=typed.as_amount(lot.start_value),
            entry_price=typed.as_amount(lot.entry_price),
            weight=typed.as_amount(lot.units, fine=not _is_share(lot.symbol)),
            acquired_on=lot.acquired_on.isoformat() if lot.acquired_on else "",
            start_value_typed=by_value,
            weight_typed=not by_value,
        )

    def switch(self, mode: str) -> None:
        """Enter it the other way: what was typed there stays; what was never typed is filled from this way."""
        self.fill()
        self.mode = mode

    def fill(self) -> None:
        """Fill what follows from what is typed, unless it was typed itself."""
        units, value = self.follows()
        if self.mode == EntryMode.VALUE and not self.weight_typed and units is not None:
            self.weight = typed.as_amount(units, fine=not _is_share(self.symbol))
        if self.mode == EntryMode.WEIGHT and not self.start_value_typed:
            self.start_value = typed.as_amount(value)

    def follows(self) -> tuple[float | None, float | None]:
        """Units and start value by the chosen way; None is what cannot be said yet."""
        try:
            if self.mode == EntryMode.VALUE:
                value = positive("start_value", typed.amount("start_value", self.start_value))
                units = value / positive("entry_price", typed.amount("entry_price", self.entry_price))
                return units, value
            units = positive("weight", self._weight())
        except InvalidInput:
            return None, None
        try:
            return units, units * positive("entry_price", typed.amount("entry_price", self.entry_price))
        except InvalidInput:
            return units, None

    def _weight(self) -> float:
        return typed.weight("weight", self.weight, instrument(self.symbol))

    def read(self, today: date) -> tuple[Lot | None, dict[str, str]]:
        """The lot, or by field what is wrong with it."""
        wrong = Problems()
        symbol = wrong.take("symbol", lambda: reading.gold(self.symbol))
        since = self.acquired_on
        acquired = wrong.take("acquired_on", lambda: reading.past("acquired_on", since, today, optional=True))
        if self.mode == EntryMode.VALUE:
            value = wrong.take("start_value", lambda: reading.above_zero("start_value", self.start_value))
            each = wrong.take("entry_price", lambda: reading.above_zero("entry_price", self.entry_price))
            if symbol is None or value is None or each is None or wrong.found:
                return None, wrong.found
            lot = wrong.take("start_value", lambda: Lot.by_value(symbol, value, each, acquired))
        else:
            units = wrong.take("weight", lambda: reading.sized("weight", self._weight()))
            price = None
            if self.entry_price.strip():
                price = wrong.take("entry_price", lambda: reading.above_zero("entry_price", self.entry_price))
            if symbol is None or units is None or wrong.found:
                return None, wrong.found
            lot = wrong.take("weight", lambda: Lot.by_weight(symbol, units, price, acquired))
        return lot, wrong.found


@dataclass(frozen=True, slots=True)
class Reading:
    """What a draft says: the portfolio when everything is right, else by field what is wrong with it."""

    portfolio: Portfolio | None
    problems: Mapping[str, str]
    lots: tuple[Lot | None, ...]


@dataclass(slots=True)
class LoanDraft:
    """Everything the owner types about a loan, as text. Lot fields are called `lots.0.weight` in problems.

    `as_of_typed` once the owner has said on which day the amount is owed; `was_owed` is the amount and the day of it
    before anything was typed over them.
    """

    name: str = "My loan"
    lender: str = ""
    amount: str = ""
    as_of: str = ""
    currency: str = "USD"
    warning_ltv: str = "70"
    margin_call_ltv: str = "75"
    close_out_ltv: str = "85"
    cure_days: str = "2"
    hedge_counting: str = HedgeCounting.IGNORED.value
    hedge_haircut: str = "0"
    reference_rate: str = "4.5"
    spread: str = "1.95"
    day_count: str = DayCount.ACT_360.value
    capitalised: bool = False
    target_ltv: str = typed.as_percent(DEFAULT_TARGET_LTV)
    lots: list[LotDraft] = field(default_factory=lambda: [LotDraft()])
    as_of_typed: bool = field(default=False, compare=False)
    day_count_typed: bool = field(default=False, compare=False)
    was_owed: tuple[str, str] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, portfolio: Portfolio) -> "LoanDraft":
        """A kept portfolio, ready for typing."""
        loan = portfolio.loan
        return cls(
            name=portfolio.name,
            lender=portfolio.lender,
            amount=typed.as_amount(loan.amount),
            as_of=loan.as_of.isoformat() if loan.as_of else "",
            currency=loan.currency,
            warning_ltv=typed.as_percent(loan.warning_ltv),
            margin_call_ltv=typed.as_percent(loan.margin_call_ltv),
            close_out_ltv=typed.as_percent(loan.close_out_ltv),
            cure_days=str(loan.cure_days),
            hedge_counting=loan.hedge_counting.value,
            hedge_haircut=typed.as_percent(loan.hedge_haircut),
            reference_rate=typed.as_percent(loan.interest.reference_rate),
            spread=typed.as_percent(loan.interest.spread),
            day_count=loan.interest.day_count.value,
            capitalised=loan.interest.capitalised,
            target_ltv=typed.as_percent(portfolio.target_ltv),
            lots=[LotDraft.of(lot) for lot in portfolio.collateral.lots],
        )

    @property
    def quoted_by(self) -> str:
        """The symbol whose price values the gold that is typed."""
        return instrument(self.lots[0].symbol).quoted_by

    def type_amount(self, text: str, today: date) -> None:
        """Another amount is owed today, unless a day was typed; typed back, it has the day that it had."""
        self.was_owed = self.was_owed or (self.amount, self.as_of)
        amount, day = self.was_owed
        self.amount = text
        if day and not self.as_of_typed:
            self.as_of = day if reading.same_amount(text, amount, self.currency) else today.isoformat()

    def type_day(self, text: str) -> None:
        """The day on which the amount is owed, as the owner says; emptied, it follows the amount again."""
        self.was_owed = self.was_owed or (self.amount, self.as_of)
        self.as_of, self.as_of_typed = text, bool(text)

    def type_currency(self, currency: str) -> None:
        """Another currency; what is usual of interest for the last one gives way to what is usual for this."""
        if not self.day_count_typed:
            self.day_count = day_count_after(DayCount(self.day_count), self.currency, currency).value
        if self.reference_rate == typed.as_percent(USUAL_REFERENCES[self.currency]):
            self.reference_rate = typed.as_percent(USUAL_REFERENCES[currency])
        self.currency = currency

    def copy(self) -> "LoanDraft":
        """A draft of its own with the same content."""
        return replace(self, lots=[replace(lot) for lot in self.lots])

    def same_as(self, other: "LoanDraft") -> bool:
        """True when both would be kept alike; what merely follows from something else does not count."""
        mine, others = self.copy(), other.copy()
        for draft in (mine, others):
            for lot in draft.lots:
                lot.start_value_typed = lot.weight_typed = False
                if lot.mode == EntryMode.VALUE:
                    lot.weight = ""
                else:
                    lot.start_value = ""
        return mine == others

    def read(
        self,
        base: Portfolio,
        today: date,
        price: float | None = None,
        rates: Rates = only_dollars,
        *,
        is_new: bool = False,
        taken: Collection[str] = (),
    ) -> Reading:
        """The portfolio with the id and the options of `base`, or what is wrong, by field.

        `price` is USD a share of the symbol that values the gold; with it, and with the rate of the loan's currency,
        a loan above the gold's value is refused. `taken` are the names of the other loans.
        """
        wrong = Problems()
        lots: list[Lot | None] = []
        for number, lot in enumerate(self.lots):
            found, problems = lot.read(today)
            lots.append(found)
            wrong.found.update({f"lots.{number}.{name}": said for name, said in problems.items()})
        good = tuple(lot for lot in lots if lot is not None)
        collateral = None
        if len(lots) > MOST_LOTS:
            wrong.found[f"lots.{MOST_LOTS}.symbol"] = f"More than {MOST_LOTS} lots cannot be kept."
        if good and len(good) == len(lots):
            collateral = wrong.take(f"lots.{len(lots) - 1}.symbol", lambda: Collateral(good))
        loan = self._loan(wrong, today)
        if loan is not None and not is_new:
            loan = self._restated(base.loan, loan, today)
        target = wrong.take("target_ltv", lambda: self._target(loan))
        known = () if not is_new and self.name == base.name else taken
        name = wrong.take("name", lambda: reading.own_name("name", self.name, known))
        lender = wrong.take("lender", lambda: reading.named("lender", self.lender, required=False))
        if wrong.found or collateral is None or loan is None or target is None or name is None or lender is None:
            return Reading(None, wrong.found, tuple(lots))
        kept = {"collateral": collateral, "loan": loan, "target_ltv": target, "name": name, "lender": lender}
        portfolio = wrong.take(f"lots.{len(lots) - 1}.symbol", lambda: replace(base, **kept))  # type: ignore[arg-type]  # each has its field's type
        if portfolio is not None:
            try:
                entered(portfolio, None if is_new else base, today, price, rates)
            except InvalidInput as problem:
                where = WHERE.get(problem.argument, problem.argument)
                wrong.found[where] = typed.sentence(LABELS.get(where.rsplit(".", 1)[-1], "It"), problem)
        return Reading(None if wrong.found else portfolio, wrong.found, tuple(lots))

    def _loan(self, wrong: "Problems", today: date) -> Loan | None:
        limits = {
            name: wrong.take(name, lambda name=name: reading.ltv(name, getattr(self, name)))  # type: ignore[misc]  # mypy loses the default
            for name in ("warning_ltv", "margin_call_ltv", "close_out_ltv")
        }
        warning, call, close_out = limits["warning_ltv"], limits["margin_call_ltv"], limits["close_out_ltv"]
        if call is not None:
            shown = typed.as_percent(call)
            if warning is not None and warning >= call:
                wrong.found["warning_ltv"] = f"Warning must be below the margin call of {shown} %."
            if close_out is not None and close_out < call:
                wrong.found["close_out_ltv"] = f"Close-out must not be below the margin call of {shown} %."
        amount = wrong.take("amount", lambda: reading.above_zero("amount", self.amount, self.currency))
        haircut = wrong.take("hedge_haircut", lambda: reading.haircut(self.hedge_haircut))
        cure_days = wrong.take("cure_days", lambda: reading.days(self.cure_days))
        as_of = wrong.take("as_of", lambda: reading.past("as_of", self.as_of, today, optional=not self.capitalised))
        reference = wrong.take("reference_rate", lambda: reading.rate("reference_rate", self.reference_rate))
        spread = wrong.take("spread", lambda: reading.rate("spread", self.spread))
        if wrong.found:
            return None
        interest = Interest(_sure(reference), _sure(spread), DayCount(self.day_count), self.capitalised)
        return wrong.take(
            "amount",
            lambda: Loan(
                amount=_sure(amount),
                currency=self.currency,
                margin_call_ltv=_sure(call),
                warning_ltv=_sure(warning),
                close_out_ltv=_sure(close_out),
                hedge_counting=HedgeCounting(self.hedge_counting),
                interest=interest,
                hedge_haircut=_sure(haircut),
                cure_days=_sure(cure_days),
                as_of=as_of,
            ),
        )

    def _restated(self, before: Loan, made: Loan, today: date) -> Loan:
        if self.amount == typed.as_amount(before.amount):  # shown with fewer digits than are kept
            made = replace(made, amount=before.amount)
        is_new_amount = made.amount != before.amount
        day_given = made.as_of != before.as_of or (is_new_amount and self.as_of_typed)
        return restated(before, made, today, day_given=day_given)

    def _target(self, loan: Loan | None) -> float:
        found = reading.ltv("target_ltv", self.target_ltv)
        if loan is not None and found >= loan.margin_call_ltv:
            limit = typed.as_percent(loan.margin_call_ltv)
            raise InvalidInput("target_ltv", f"must be below the margin call of {limit} %")
        return found


class Problems:
    """Collects what is wrong, by field, while the rest is read on."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def take(self, name: str, read: Callable[[], T]) -> T | None:
        """What `read` gives; when it refuses, the reason is noted under `name` and there is nothing."""
        try:
            return read()
        except InvalidInput as problem:
            where = self.field(name, problem)
            self.found.setdefault(where, typed.sentence(self.label(where), problem))
            return None

    def label(self, name: str) -> str:
        """How the field is called on the page."""
        return LABELS.get(name.rsplit(".", 1)[-1], name)

    def field(self, name: str, problem: InvalidInput) -> str:
        """Whose field tells it."""
        return name


def changed_fields(one: LoanDraft, other: LoanDraft) -> tuple[str, ...]:
    """In words, which fields two drafts do not have in common."""
    plain = [each.name for each in fields(one) if each.name in LABELS]
    found = [LABELS[name].lower() for name in plain if getattr(one, name) != getattr(other, name)]
    lots = LoanDraft(lots=one.lots).same_as(LoanDraft(lots=other.lots))
    return tuple(found) if lots else (*found, "collateral")


def _is_share(symbol: str) -> bool:
    return instrument(symbol).kind is not InstrumentKind.BULLION


def _sure(value: Any) -> Any:
    """What the check for problems has made certain."""
    assert value is not None
    assert not isinstance(value, float) or math.isfinite(value)
    return value
