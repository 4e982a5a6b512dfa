"""The steps of a set-up: where one is, and a way to each."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.ui.theme import text


class Steps:
    """Numbered buttons; the current one is marked."""

    def __init__(self, names: Sequence[str], go: Callable[[int], object]) -> None:
        self._buttons = []
        with ui.element("ol").classes("vd-steps").props("aria-label=Steps"):
            for number, name in enumerate(names):
                with ui.element("li"), ui.element("button").classes("vd-tab").props("type=button") as made:
                    text("b", str(number + 1))
                    ui.label(name)
                made.on("click", lambda _, number=number: go(number))
                self._buttons.append(made)

    def show(self, current: int) -> None:
        """Mark where one is."""
        for number, made in enumerate(self._buttons):
            here = number == current
            made.props(f"aria-pressed={'true' if here else 'false'}")
            made.props("aria-current=step" if here else "", remove="" if here else "aria-current")
            made.classes(add="done" if number < current else "", remove="" if number < current else "done")
