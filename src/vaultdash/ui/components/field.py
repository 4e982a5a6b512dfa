"""A place to type: its name above it, its unit in it, and what is wrong with it below."""

from collections.abc import Callable, Mapping

from nicegui import ui

from vaultdash.ui.theme import Tabs, text, visible


class Field:
    """Text as it is typed; `changed` is told each keystroke of the person, never what the page fills in."""

    def __init__(
        self,
        label: str,
        changed: Callable[[str], object],
        *,
        value: str = "",
        unit: str = "",
        hint: str = "",
        kind: str = "",
        words: str = "",
    ) -> None:
        self.is_touched = False
        self._changed = changed
        self._filling = False
        with ui.element("label").classes(f"vd-field {kind}") as self._box:
            self._label = text("span", label, "vd-field-label")
            self._input = ui.input(value=value, on_change=self._typed).props("outlined dense no-error-icon")
            self._input.without_auto_validation()  # which would take back what is said within `changed`
            self._input.props["aria-label"] = words or label
            if kind == "day":
                self._input.props("type=date")
            elif kind in ("amount", "percent"):
                self._input.props("inputmode=decimal autocomplete=off")
            else:
                self._input.props("autocomplete=off maxlength=80")
            with self._input.add_slot("append"):
                self._unit = text("span", unit, "vd-field-unit")
            self._hint = text("span", hint, "vd-note")
            self._doubt = text("span", "", "vd-field-problem warning").props("role=status")

    @property
    def text(self) -> str:
        """What stands in it."""
        return str(self._input.value or "")

    def fill(self, value: str) -> None:
        """Put something in without telling; the person has not touched it."""
        self._filling = True
        self._input.value = value
        self._filling = False

    def follow(self, value: str, *, follows: bool) -> None:
        """When it `follows` from other fields it shows `value` and cannot be typed in."""
        if follows:
            self.fill(value)
            self.say(None)
        self._input.props("readonly" if follows else "", remove="" if follows else "readonly")
        self._input.classes(add="follows" if follows else "", remove="" if follows else "follows")

    def explain(self, hint: str) -> None:
        """What it means, below it."""
        self._hint.set_text(hint)

    def warn(self, doubt: str) -> None:
        """What is allowed and yet hardly meant, below it; nothing takes it away."""
        self._doubt.set_text(doubt)

    def say(self, problem: str | None) -> None:
        """Say what is wrong with it, or nothing."""
        self._input.error = problem

    def show(self, *, when: bool) -> None:
        """Show or hide it with all that belongs to it."""
        visible(self._box, when=when)

    def say_unit(self, unit: str) -> None:
        """The unit it is typed in."""
        self._unit.set_text(unit)

    def _typed(self) -> None:
        if not self._filling:
            self.is_touched = True
            self._changed(self.text)


class Choice:
    """One of a few, as buttons; with its name above."""

    def __init__(
        self, label: str, choices: Mapping[str, str], chosen: str, changed: Callable[[str], object], *, hint: str = ""
    ) -> None:
        with ui.element("div").classes("vd-field wide") as self._box:
            text("span", label, "vd-field-label")
            self._tabs = Tabs(tuple(choices.items()), chosen, changed)
            self._hint = text("span", hint, "vd-note")
            self._doubt = text("span", "", "vd-field-problem warning").props("role=status")
            self._problem = text("span", "", "vd-field-problem call")

    def fill(self, value: str) -> None:
        """Choose without telling."""
        self._tabs.show(value)

    def explain(self, hint: str) -> None:
        """What the choice means."""
        self._hint.set_text(hint)

    def warn(self, doubt: str) -> None:
        """What is allowed and yet hardly meant, below it; nothing takes it away."""
        self._doubt.set_text(doubt)

    def say(self, problem: str | None) -> None:
        """Say what is wrong with it, or nothing."""
        self._problem.set_text(problem or "")

    def show(self, *, when: bool) -> None:
        """Show or hide it with all that belongs to it."""
        visible(self._box, when=when)
