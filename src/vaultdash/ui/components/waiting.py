"""Says what is being asked and for how long; when it fails, why, with a button to try again."""

from collections.abc import Callable

from nicegui import ui

from vaultdash.ui.theme import text


class Waiting:
    """Hidden until told to wait or that something failed; seconds count in the browser."""

    def __init__(self, again: Callable[[], object]) -> None:
        with ui.element("div").classes("vd-waiting vd-hidden") as self._box:
            with ui.element("div").classes("vd-waiting-line"):
                self._said = text("span", "").props("role=status")
                self._seconds = text("span", "", "vd-seconds")
            with ui.element("div").classes("vd-failure vd-hidden").props("role=alert") as self._failure:
                self._reason = text("span", "")
                with ui.element("button").classes("vd-tab").props("type=button") as button:
                    ui.label("Try again")
                button.on("click", lambda: again())
            self._skeleton = ui.element("div").classes("vd-skeleton")
        self._count = 0

    def wait(self, what: str, *, skeleton: bool = True) -> None:
        """Say what is being asked."""
        self._count += 1
        self._said.set_text(f"{what} …")
        self._seconds.props(f'data-wait="{self._count}"')
        self._seconds.set_text("")
        self._reason.set_text("")
        _show(self._box, visible=True)
        _show(self._failure, visible=False)
        _show(self._skeleton, visible=skeleton)

    def fail(self, what: str, reason: str) -> None:
        """Say what could not be had, and why."""
        self._quiet()
        self._reason.set_text(f"{what}: {reason}")
        _show(self._box, visible=True)
        _show(self._failure, visible=True)
        _show(self._skeleton, visible=False)

    def done(self) -> None:
        """Nothing is awaited any more."""
        self._quiet()
        self._reason.set_text("")
        _show(self._box, visible=False)

    def _quiet(self) -> None:
        self._said.set_text("")
        self._seconds.props(remove="data-wait")
        self._seconds.set_text("")


def _show(element: ui.element, *, visible: bool) -> None:
    element.classes(add="" if visible else "vd-hidden", remove="vd-hidden" if visible else "")
