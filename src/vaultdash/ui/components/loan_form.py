"""The fields of a loan in four groups: gold, loan, the lender's terms, interest; the first run asks the same ones."""

from collections.abc import Callable, Mapping
from datetime import date

from nicegui import ui
from nicegui.element import Element

from vaultdash.domain.exchange import CURRENCIES, DOLLAR
from vaultdash.domain.loan import DayCount, HedgeCounting, Loan
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.components.loan_draft import LABELS, LoanDraft, LotDraft
from vaultdash.ui.components.lot_editor import LotEditor
from vaultdash.ui.format import day
from vaultdash.ui.theme import button, note
from vaultdash.ui.typed import as_amount

COUNTINGS = {
    HedgeCounting.IGNORED.value: "ignored",
    HedgeCounting.AFTER_PAYMENT.value: "counted after payment",
    HedgeCounting.CREDITED.value: "credited",
}
COUNTING_HINTS = {
    HedgeCounting.IGNORED.value: "As with most banks: the gold is pledged here, the puts lie at a broker. "
    "LTV = loan ÷ gold.",
    HedgeCounting.AFTER_PAYMENT.value: "Options are sold and their proceeds repay the loan. "
    "LTV = (loan − options) ÷ gold.",
    HedgeCounting.CREDITED.value: "The same lender holds the options and counts them as collateral, less the "
    "haircut. LTV = loan ÷ (gold + options).",
}
INTEREST = {"paid": "paid in cash", "capitalised": "added to the loan"}
INTEREST_HINTS = {
    "paid": "The loan stays what it is.",
    "capitalised": "The loan grows from the day above on; it is added at each quarter's end.",
}
AMOUNT_HINT = "1,000,000 or 1'000'000 or 1 000 000"
DAY_HINT = "The day of that figure; today when you change it. May stay empty when interest is paid."
REFERENCES = {"USD": "SOFR", "CHF": "SARON", "EUR": "EURIBOR", "GBP": "SONIA"}
DAY_COUNTS = {DayCount.ACT_360.value: "act/360", DayCount.ACT_365.value: "act/365"}


class Fields:
    """Fields that write into a draft by name and tell; `show` fills them again, `say` puts the reasons below them."""

    def __init__(self, draft: LoanDraft, changed: Callable[[], object]) -> None:
        self.draft = draft
        self._changed = changed
        self._fields: dict[str, Field] = {}
        self._choices: dict[str, Choice] = {}

    def show(self, draft: LoanDraft) -> None:
        """Fill everything from another draft, which is typed into from now on."""
        self.draft = draft
        for name, field in self._fields.items():
            field.fill(getattr(draft, name))
            field.is_touched = False
            field.say(None)
        for name, choice in self._choices.items():
            choice.fill(getattr(draft, name))

    def say(self, problems: Mapping[str, str], *, every: bool) -> None:
        """Put the reasons where they belong; an empty field that nobody touched is not scolded unless `every`."""
        for name, field in self._fields.items():
            told = name in problems and (every or field.is_touched or bool(field.text))
            field.say(problems[name] if told else None)
        for name, choice in self._choices.items():
            choice.say(problems.get(name))

    def _field(self, name: str, *, unit: str = "", hint: str = "", kind: str = "") -> None:
        self._fields[name] = Field(
            LABELS[name],
            lambda typed: self._type(name, typed),
            value=getattr(self.draft, name),
            unit=unit,
            hint=hint,
            kind=kind,
        )

    def _type(self, name: str, value: object) -> None:
        setattr(self.draft, name, value)
        self._changed()


class GoldFields(Fields):
    """What is pledged: lots that can be added and removed."""

    def __init__(self, draft: LoanDraft, changed: Callable[[], object]) -> None:
        super().__init__(draft, changed)
        self._editors: list[LotEditor] = []
        self._lots = ui.element("div").classes("vd-lots")
        with ui.element("div").classes("vd-actions"):
            button("Add a lot", self._add)
        note(
            "All lots of a loan must be valued by the same price: GLD values bullion, the other funds value "
            "themselves."
        )
        self._draw()

    def show(self, draft: LoanDraft) -> None:
        """Fill everything from another draft."""
        super().show(draft)
        self._draw()

    def say(self, problems: Mapping[str, str], *, every: bool) -> None:
        """Put the reasons where they belong."""
        for number, editor in enumerate(self._editors):
            start = f"lots.{number}."
            own = {name.removeprefix(start): said for name, said in problems.items() if name.startswith(start)}
            editor.say(own, every=every)

    def _draw(self) -> None:
        self._lots.clear()
        several = len(self.draft.lots) > 1
        with self._lots:
            self._editors = [
                LotEditor(lot, number, self._changed, (lambda lot=lot: self._remove(lot)) if several else None)  # type: ignore[misc]  # mypy loses the default
                for number, lot in enumerate(self.draft.lots)
            ]

    def _add(self) -> None:
        last = self.draft.lots[-1]
        self.draft.lots.append(LotDraft(symbol=last.symbol, mode=last.mode, is_added=True))
        self._draw()
        self._changed()

    def _remove(self, lot: LotDraft) -> None:
        self.draft.lots = [each for each in self.draft.lots if each is not lot]
        self._draw()
        self._changed()


class LoanFields(Fields):
    """What is owed, to whom; another amount is owed on the day that `today` gives unless another one is typed."""

    def __init__(self, draft: LoanDraft, changed: Callable[[], object], today: Callable[[], date]) -> None:
        super().__init__(draft, changed)
        self._today = today
        with _grid():
            self._field("name", hint="How you call this loan.")
            self._field("lender", hint="Who calls; may stay empty.")
            self._field("amount", unit=draft.currency, kind="amount", hint=AMOUNT_HINT)
            self._field("as_of", kind="day", hint=DAY_HINT)
            self._choices["currency"] = Choice(
                LABELS["currency"],
                {currency: currency for currency in CURRENCIES},
                draft.currency,
                lambda value: self._type("currency", value),
            )
            self._name_currency()

    def show(self, draft: LoanDraft) -> None:
        """Fill everything from another draft."""
        super().show(draft)
        self._name_currency()

    def _name_currency(self) -> None:
        currency = self.draft.currency
        self._fields["amount"].say_unit(currency)
        self._choices["currency"].explain(
            ""
            if currency == DOLLAR.currency
            else f"Gold is priced in dollars: the loan is compared with it at what a dollar costs in {currency}, and "
            "the call price moves with that, too."
        )

    def say_owed(self, kept: Loan | None) -> None:
        """Beside the amount: what is owed today with the interest that was added since its day; None says nothing.

        While another currency is chosen and no other amount typed: that the figure stays.
        """
        today, figure, chosen = self._today(), self.draft.amount, self.draft.currency
        if kept is not None and chosen != kept.currency and figure == as_amount(kept.amount):
            said = (
                f"The figure stays: {figure} {kept.currency} is now {figure} {chosen}. Type what you owe in {chosen}."
            )
            self._fields["amount"].explain(said)
            return
        owed = None if kept is None else kept.owed(today)
        if kept is None or owed is None or owed == kept.amount:
            self._fields["amount"].explain(AMOUNT_HINT)
            return
        self._fields["amount"].explain(
            f"Owed today with interest: {owed:,.2f} {kept.currency}, of it {owed - kept.amount:,.2f} since "
            f"{day(kept.as_of)}. Another amount here is owed today, with nothing added, unless you say another day."
        )

    def _type(self, name: str, value: object) -> None:
        if name == "amount":
            self.draft.type_amount(str(value), self._today())
            self._fields["as_of"].fill(self.draft.as_of)
        elif name == "as_of":
            self.draft.type_day(str(value))
        elif name == "currency":
            self.draft.type_currency(str(value))
            self._name_currency()
        super()._type(name, value)


class TermsFields(Fields):
    """When the lender acts, how long it waits, and how it counts a hedge."""

    def __init__(self, draft: LoanDraft, changed: Callable[[], object]) -> None:
        super().__init__(draft, changed)
        with _grid():
            for name, hint in (
                ("warning_ltv", "You want to know."),
                ("margin_call_ltv", "The lender calls."),
                ("close_out_ltv", "The lender may sell."),
            ):
                self._field(name, unit="% LTV", hint=hint, kind="percent")
            self._field("cure_days", unit="business days", hint="From the call to the sale.", kind="amount")
            self._choices["hedge_counting"] = Choice(
                "A hedge is", COUNTINGS, draft.hedge_counting, lambda value: self._type("hedge_counting", value)
            )
            self._field(
                "hedge_haircut", unit="%", hint="What a lender that credits options leaves out.", kind="percent"
            )
            self._field(
                "target_ltv", unit="% LTV", hint="Decides the recommended collateral: loan ÷ target.", kind="percent"
            )
        self._explain()

    def show(self, draft: LoanDraft) -> None:
        """Fill everything from another draft."""
        super().show(draft)
        self._explain()

    def _type(self, name: str, value: object) -> None:
        super()._type(name, value)
        self._explain()

    def _explain(self) -> None:
        self._choices["hedge_counting"].explain(COUNTING_HINTS[self.draft.hedge_counting])


class InterestFields(Fields):
    """What the loan costs."""

    def __init__(self, draft: LoanDraft, changed: Callable[[], object]) -> None:
        super().__init__(draft, changed)
        with _grid():
            self._field("reference_rate", unit="% a year", hint=_reference_hint(draft.currency), kind="percent")
            self._field("spread", unit="% a year", hint="What the lender adds.", kind="percent")
            self._choices["day_count"] = Choice(
                "Day count", DAY_COUNTS, draft.day_count, lambda value: self._type("day_count", value)
            )
            self._paid = Choice("Interest is", INTEREST, self._paid_as, self._choose)
        self._paid.explain(INTEREST_HINTS[self._paid_as])

    def say(self, problems: Mapping[str, str], *, every: bool) -> None:
        """Put the reasons where they belong; what follows from the currency is shown."""
        super().say(problems, every=every)
        self._choices["day_count"].fill(self.draft.day_count)
        if self._fields["reference_rate"].text != self.draft.reference_rate:
            self._fields["reference_rate"].fill(self.draft.reference_rate)
        self._fields["reference_rate"].explain(_reference_hint(self.draft.currency))

    def _type(self, name: str, value: object) -> None:
        if name == "day_count":
            self.draft.day_count_typed = True
        super()._type(name, value)

    @property
    def _paid_as(self) -> str:
        return "capitalised" if self.draft.capitalised else "paid"

    def show(self, draft: LoanDraft) -> None:
        """Fill everything from another draft."""
        super().show(draft)
        self._paid.fill(self._paid_as)
        self._paid.explain(INTEREST_HINTS[self._paid_as])

    def _choose(self, value: str) -> None:
        self._type("capitalised", value == "capitalised")
        self._paid.explain(INTEREST_HINTS[value])


def _reference_hint(currency: str) -> str:
    return f"{REFERENCES[currency]}, for instance."


def _grid() -> Element:
    return ui.element("div").classes("vd-fields")
