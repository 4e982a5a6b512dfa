"""A number with its label; a click opens how it is made."""

from nicegui import ui

from vaultdash.ui.theme import TONES, Tone, text


class Figure:
    """A value, what it is called, and its formula with the inputs of the moment."""

    def __init__(self, label: str, *, big: bool = False) -> None:
        with ui.element("button").classes("vd-figure" + (" big" if big else "")).props("type=button") as self._button:
            with ui.element("span").classes("value"):
                self._value = text("span", "–")
                self._unit = text("small") if big else None
            self._label = text("span", label, "label")
            with ui.menu().props("anchor='bottom left' self='top left'"):
                self._formula = text("div", "", "vd-formula")

    def show(self, value: str, formula: str, *, label: str | None = None, tone: Tone = "") -> None:
        """Set what is seen; the % of a big figure is set small."""
        if self._unit is not None and value.endswith("%"):
            value, unit = value[:-2], "%"
            self._unit.set_text(unit)
        elif self._unit is not None:
            self._unit.set_text("")
        self._value.set_text(value)
        self._value.classes(remove=" ".join(TONES), add=tone)
        self._formula.set_text(formula)
        if label is not None:
            self._label.set_text(label)
