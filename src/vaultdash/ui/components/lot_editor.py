"""One lot of gold being typed: by start value and entry price or by weight; the other follows at once."""

from collections.abc import Callable, Mapping

from nicegui import ui

from vaultdash.domain.collateral import EntryMode
from vaultdash.domain.gold import INSTRUMENTS
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.components.loan_draft import LABELS, LotDraft, unit_of
from vaultdash.ui.format import number, price, unbroken, usd
from vaultdash.ui.theme import button, note, text

MODES = {EntryMode.VALUE.value: "start value + entry price", EntryMode.WEIGHT.value: "weight"}
RELATION = "weight = start value ÷ entry price"
GOLD = {
    symbol: f"{symbol} shares" if unit_of(symbol) == "shares" else f"Bullion in {each.unit}"
    for symbol, each in INSTRUMENTS.items()
}

LONG_UNITS = {"shares": "shares", "oz": "troy ounces", "g": "grams", "kg": "kilograms"}


class LotEditor:
    """The fields of one lot; they write into its draft and tell."""

    def __init__(
        self, draft: LotDraft, index: int, changed: Callable[[], object], remove: Callable[[], object] | None
    ) -> None:
        self._draft = draft
        self._changed = changed
        which = f" of lot {index + 1}"
        with ui.element("fieldset").classes("vd-lot").mark(f"lot-{index}"):
            with ui.element("div").classes("vd-card-head"):
                text("b", f"Lot {index + 1}")
                if remove is not None:
                    button("Remove this lot", remove, words=f"Remove lot {index + 1}")
            with ui.element("div").classes("vd-fields"):
                with ui.element("label").classes("vd-field"):
                    text("span", "What is pledged", "vd-field-label")
                    self._gold = ui.select(GOLD, value=draft.symbol, on_change=self._choose_gold).props(
                        "outlined dense options-dense"
                    )
                    self._gold.without_auto_validation()
                    self._gold.props["aria-label"] = f"What is pledged{which}"
                self._mode = Choice("Entered by", MODES, draft.mode, self._switch)
                self._fields = {
                    name: self._field(name, kind, LABELS[name] + which)
                    for name, kind in (
                        ("start_value", "amount"),
                        ("entry_price", "amount"),
                        ("weight", "amount"),
                        ("acquired_on", "day"),
                    )
                }
            self._unit = text("div", "", "vd-note warning")
            self._relation = note("").mark(f"relation-{index}")
        self.show()
        self._show_unit(changed=False)

    def _show_unit(self, *, changed: bool) -> None:
        """A number that was typed for another unit, and a unit that was not chosen, are said."""
        draft, unit = self._draft, LONG_UNITS[unit_of(self._draft.symbol)]
        said = ""
        if draft.is_added and unit != "shares":
            said = f"This lot is counted in {unit}, like the one before; choose another unit above if it is not."
        elif changed and draft.mode == EntryMode.WEIGHT and draft.weight.strip():
            said = f"The number typed stays: it means {draft.weight.strip()} {unit} now. Check it."
        self._unit.set_text(said)

    def _field(self, name: str, kind: str, words: str) -> Field:
        return Field(LABELS[name], lambda typed: self._type(name, typed), kind=kind, words=words)

    def show(self) -> None:
        """Fill the fields from the draft."""
        for name, field in self._fields.items():
            if name != self._follower:
                field.follow("", follows=False)
                field.fill(getattr(self._draft, name))
        self._mode.fill(self._draft.mode)
        self._derive()

    def say(self, problems: Mapping[str, str], *, every: bool) -> None:
        """What is wrong, by field; an empty field that nobody touched is not scolded unless `every`."""
        self._gold.error = problems.get("symbol")
        for name, field in self._fields.items():
            told = name in problems and (every or field.is_touched or bool(field.text))
            field.say(problems[name] if told and name != self._follower else None)

    @property
    def _follower(self) -> str:
        return "weight" if self._draft.mode == EntryMode.VALUE else "start_value"

    def _type(self, name: str, typed: str) -> None:
        setattr(self._draft, name, typed)
        if name in ("weight", "start_value"):
            self._unit.set_text("")
            setattr(self._draft, f"{name}_typed", bool(typed.strip()))
        self._derive()
        self._changed()

    def _switch(self, mode: str) -> None:
        self._draft.switch(mode)
        self.show()
        self._changed()

    def _choose_gold(self) -> None:
        self._draft.symbol, self._draft.is_added = str(self._gold.value), False
        self._show_unit(changed=True)
        self._derive()
        self._changed()

    def _derive(self) -> None:
        draft, unit = self._draft, unit_of(self._draft.symbol)
        units, value = draft.follows()
        by_value = draft.mode == EntryMode.VALUE
        self._fields["weight"].say_unit(unit)
        self._fields["start_value"].say_unit("USD")
        self._fields["entry_price"].say_unit("USD a share" if unit == "shares" else f"USD / {unit}")
        self._fields[self._follower].follow(
            (number(units, 4) if units is not None else "")
            if by_value
            else (usd(value) if value is not None else ""),
            follows=True,
        )
        if units is None or value is None:
            self._relation.set_text(f"{RELATION}. The entry price is for one {unit.removesuffix('s')}.")
            return
        each = f"{price(value / units)} a {unit.removesuffix('s')}"
        self._relation.set_text(unbroken(f"{RELATION}: {number(units, 4)} {unit} = {usd(value)} ÷ {each}"))
