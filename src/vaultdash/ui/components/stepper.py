"""A number to type or to step: a button on each side, its name above, what is wrong below."""

from collections.abc import Callable

from nicegui import ui

from vaultdash.ui.theme import text


class Stepper:
    """`typed` is told what a person types, `step` -1 or 1; what the page fills in is told to nobody."""

    def __init__(
        self, label: str, typed: Callable[[str], object], step: Callable[[int], object], *, words: str, unit: str
    ) -> None:
        self._typed = typed
        self._filling = False
        with ui.element("div").classes("vd-field"):
            text("span", label, "vd-field-label")
            with ui.element("div").classes("vd-stepper"):
                self._button("−", f"Lower {unit}, {words}", lambda: step(-1))
                self._input = ui.input(on_change=self._changed).props("outlined dense no-error-icon")
                self._input.without_auto_validation()
                self._input.props("inputmode=decimal autocomplete=off")
                self._input.props["aria-label"] = words
                self._button("+", f"Higher {unit}, {words}", lambda: step(1))

    @staticmethod
    def _button(sign: str, words: str, act: Callable[[], object]) -> None:
        with ui.element("button").classes("vd-tab").props("type=button") as made:
            ui.label(sign)
        made.props["aria-label"] = words
        made.on("click", lambda: act())

    @property
    def text(self) -> str:
        """What stands in it."""
        return str(self._input.value or "")

    def fill(self, value: str) -> None:
        """Put something in without telling."""
        if value == self.text:
            return
        self._filling = True
        self._input.value = value
        self._filling = False

    def say(self, problem: str | None) -> None:
        """Say what is wrong with it, or nothing."""
        self._input.error = problem

    def _changed(self) -> None:
        if not self._filling:
            self._typed(self.text)
