"""Colours with names, and the small pieces every page is made of."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from nicegui import ui
from nicegui.element import Element

from vaultdash.ui.format import age

Tone = Literal["room", "warning", "call", "close_out", "muted", "gold", ""]
HEDGE_COLOURS = {
    "protective_put_atm": "#2f9e77",
    "protective_put_otm_95": "#3f88c5",
    "protective_put_otm_90": "#b8860b",
    "laddered_put_50_50_atm_otm95": "#8467c7",
    "laddered_put_33_33_33_atm_otm95_otm90": "#c2568c",
    "lease_duration_analysis": "#5f8f9f",
}
UNHEDGED_COLOUR = "#7d8494"
TONES = ("room", "warning", "call", "close_out", "muted", "gold")


class ChartColours:
    """What the charts need of the tokens, for one of the two modes."""

    def __init__(self, *, dark: bool) -> None:
        self.text = "#8d95a5" if dark else "#62697a"
        self.strong = "#e8eaee" if dark else "#1c1e22"
        self.line = "#252a33" if dark else "#e5e2da"
        self.surface = "#15181e" if dark else "#ffffff"
        self.call = "#d9484d"
        self.close_out = "#b4636b" if dark else "#7a2f35"
        self.gold = "#d6a834" if dark else "#8f6c00"
        self.puts = "#4f9bd9" if dark else "#2f74ad"
        self.calls = "#9a7fd6" if dark else "#7453b8"
        self.off = "#565d6c" if dark else "#b9bdc6"
        self.call_area = "rgba(217,72,77,.08)"


async def is_dark() -> bool:
    """Whether the page is dark now, as its browser says; dark when a tab that sleeps says nothing."""
    try:
        return bool(await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=10.0))
    except TimeoutError:
        return True


@contextmanager
def card(title: str | None = None) -> Iterator[Element]:
    """A flat card; the block inside it is its content. Yields the right side of its head for buttons."""
    with ui.element("section").classes("vd-card"):
        head = ui.element("div").classes("vd-card-head")
        if title is not None:
            with head:
                text("h2", title, "vd-label")
        else:
            head.classes("vd-hidden")
        yield head


def text(tag: str, content: str = "", classes: str = "") -> ui.label:
    """A piece of text in a tag of its own; content is never read as HTML."""
    label = ui.label(content).classes(classes)
    label.tag = tag
    return label


def note(content: str = "") -> ui.label:
    """Small muted text under a number: age, source, rule."""
    return text("div", content, "vd-note")


class Tabs:
    """Buttons of which one is pressed."""

    def __init__(self, choices: Sequence[tuple[str, str]], chosen: str, choose: Callable[[str], object]) -> None:
        self._choose = choose
        self._buttons: dict[str, Element] = {}
        with ui.element("div").classes("vd-tabs").props("role=group"):
            for value, label in choices:
                with ui.element("button").classes("vd-tab").props("type=button") as button:
                    ui.label(label)
                button.on("click", lambda _, value=value: self.pick(value))
                self._buttons[value] = button
        self._press(chosen)

    def pick(self, value: str) -> None:
        """Press a button and tell."""
        self._press(value)
        self._choose(value)

    def show(self, value: str) -> None:
        """Press a button without telling."""
        self._press(value)

    def _press(self, chosen: str) -> None:
        for value, button in self._buttons.items():
            button.props(f"aria-pressed={'true' if value == chosen else 'false'}")


def button(label: str, act: Callable[[], object], *, words: str = "", main: bool = False) -> Element:
    """A button; `words` say what it does where the label alone does not, `main` is the one thing to do."""
    with ui.element("button").classes("vd-button" if main else "vd-tab").props("type=button") as made:
        ui.label(label)
    if words:
        made.props["aria-label"] = words
    made.on("click", lambda: act())
    return made


def visible(element: Element, *, when: bool) -> None:
    """Show or hide."""
    element.classes(add="" if when else "vd-hidden", remove="vd-hidden" if when else "")


def age_of(at_iso: str, shown: str) -> ui.label:
    """An age that keeps counting in the browser."""
    label = ui.label(shown)
    label.tag = "span"
    label.props(f'data-at="{at_iso}"')
    return label


def show_age(label: ui.label, at: datetime | None, now: datetime) -> None:
    """Count from another moment; nothing without one."""
    label.props(f'data-at="{"" if at is None else at.isoformat()}"')
    label.set_text("" if at is None else age(max((now - at).total_seconds(), 0.0)))
