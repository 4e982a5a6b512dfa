"""The dialog in which a held option is entered, changed, closed or deleted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from nicegui import ui

from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.components.position_draft import LABELS, PositionDraft
from vaultdash.ui.format import day, strike
from vaultdash.ui.theme import button, note, text, visible

RIGHTS = {Right.PUT.value: "Put", Right.CALL.value: "Call"}
FUNDINGS = {
    PremiumFunding.CASH.value: "cash",
    PremiumFunding.LOAN.value: "the loan",
    PremiumFunding.SELL_GOLD.value: "sold gold",
}
KINDS = {"expiration": "day", "opened_on": "day", "closed_on": "day"}
AMOUNTS = ("strike", "contracts", "price_paid", "closed_price")
UNITS = {"strike": "USD", "contracts": "of 100 shares", "price_paid": "USD a share", "closed_price": "USD a share"}
HINTS = {
    "contract": "As brokers write it: GLD 261218P00330000. It fills the fields below.",
    "contracts": "Negative when sold.",
    "closed_on": "Empty while it is held.",
}


class PositionForm:
    """Opened for a new or a kept position; `save` and `delete` are told, `wish` when an expiration is chosen."""

    def __init__(
        self,
        save: Callable[[PositionDraft, str | None], object],
        delete: Callable[[str], object],
        wish: Callable[[date], object],
        symbol_typed: Callable[[PositionDraft], str | None],
    ) -> None:
        self.draft = PositionDraft()
        self._id: str | None = None
        self._wish = wish
        self._symbol_typed = symbol_typed
        self._fields: dict[str, Field] = {}
        with ui.dialog() as self._dialog, ui.element("div").classes("vd-dialog wide").props("role=dialog"):
            self._title = text("h2", "", "vd-sentence")
            with ui.element("div").classes("vd-fields"):
                self._field("contract")
                self._field("contracts")
                self._right = Choice(
                    LABELS["right"], RIGHTS, self.draft.right, lambda value: self._type("right", value)
                )
                self._days = self._offer("Listed expirations", self._take_day)
                self._field("expiration")
                self._strikes = self._offer("Listed strikes", self._take_strike)
                self._field("strike")
                self._field("price_paid")
                self._field("opened_on")
                self._funding = Choice(
                    LABELS["funding"], FUNDINGS, self.draft.funding, lambda value: self._type("funding", value)
                )
                self._field("note")
            with ui.element("div").classes("vd-fields") as self._closing:
                self._field("closed_on")
                self._field("closed_price")
            self._listing = note("")
            self._problem = text("div", "", "vd-problem call").props("role=alert")
            with ui.element("div").classes("vd-actions"):
                button("Save position", lambda: save(self.draft, self._id), main=True)
                button("Cancel", self.close)
                self._delete = button("Delete", lambda: delete(self._id) if self._id else None)

    def open(self, draft: PositionDraft, position_id: str | None, title: str) -> None:
        """Show it with a draft of its own; a kept position can also be closed and deleted."""
        self.draft, self._id = draft, position_id
        self._title.set_text(title)
        for name, field in self._fields.items():
            field.fill(getattr(draft, name))
            field.say(None)
        self._right.fill(draft.right)
        self._funding.fill(draft.funding)
        self._problem.set_text("")
        visible(self._delete, when=position_id is not None)
        visible(self._closing, when=position_id is not None)
        self._dialog.open()

    def close(self) -> None:
        """Let it go."""
        self._dialog.close()

    def say(self, problems: Mapping[str, str], problem: str = "") -> None:
        """What is wrong, by field, and what is wrong with the whole."""
        for name, field in self._fields.items():
            field.say(problems.get(name))
        rest = [said for name, said in problems.items() if name not in self._fields]
        self._problem.set_text(" ".join([problem, *rest]).strip())

    def offer_days(self, days: Sequence[date], today: date, said: str) -> None:
        """The expirations that are listed, or in words why none can be offered."""
        self._days.set_options(
            {each.isoformat(): f"{day(each)} · {(each - today).days} d" for each in days}, value=None
        )
        self._listing.set_text(said)

    def offer_strikes(self, strikes: Sequence[float]) -> None:
        """The strikes that are listed for the expiration."""
        self._strikes.set_options({f"{each:g}": strike(each) for each in strikes}, value=None)

    def _field(self, name: str) -> None:
        kind = KINDS.get(name, "amount" if name in AMOUNTS else "")
        self._fields[name] = Field(
            LABELS[name],
            lambda typed: self._type(name, typed),
            unit=UNITS.get(name, ""),
            hint=HINTS.get(name, ""),
            kind=kind,
        )

    def _offer(self, label: str, take: Callable[[str], object]) -> ui.select:
        with ui.element("label").classes("vd-field"):
            text("span", label, "vd-field-label")
            offer = ui.select({}, with_input=True, on_change=lambda event: take(event.value) if event.value else None)
            offer.props("outlined dense options-dense use-input hide-selected fill-input input-debounce=0")
            offer.props["aria-label"] = label
        return offer

    def _type(self, name: str, value: str) -> None:
        setattr(self.draft, name, value)
        if name == "contract" and value.strip():
            problem = self._symbol_typed(self.draft)
            self._fields["contract"].say(problem)
            if problem is None:
                for each in ("expiration", "strike"):
                    self._fields[each].fill(getattr(self.draft, each))
                self._right.fill(self.draft.right)
        elif name == "expiration" and len(value) == len("2026-12-18"):
            self._take_day(value)

    def _take_day(self, value: str) -> None:
        self.draft.expiration = value
        self._fields["expiration"].fill(value)
        try:
            self._wish(date.fromisoformat(value))
        except ValueError:
            return  # half a date: what is wrong is said when it is saved

    def _take_strike(self, value: str) -> None:
        self.draft.strike = value
        self._fields["strike"].fill(value)
