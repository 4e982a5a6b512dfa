"""The owner's loans in a list: which one the pages speak of, and what can be done with each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nicegui import ui

from vaultdash.ui.theme import TONES, Tone, button, text


@dataclass(frozen=True, slots=True)
class PortfolioLine:
    """One loan as it stands in the list."""

    id: str
    name: str
    lender: str
    said: str
    tone: Tone = ""


class PortfolioList:
    """A line a loan with its buttons; `edit`, `choose` and `remove` are told its id."""

    def __init__(
        self, edit: Callable[[str], object], choose: Callable[[str], object], remove: Callable[[str], object]
    ) -> None:
        self._edit = edit
        self._choose = choose
        self._remove = remove
        self._shown: object = None
        self._said: dict[str, ui.label] = {}
        self._list = ui.element("ul").classes("vd-list").props("aria-label='Your loans'")

    def show(self, lines: Sequence[PortfolioLine], current: str, edited: str | None) -> None:
        """Say how each loan stands; lines are laid out anew only when a loan or its buttons have changed."""
        now = (tuple((line.id, line.name, line.lender) for line in lines), current, edited)
        if now != self._shown:
            self._shown = now
            self._said.clear()
            self._list.clear()
            with self._list:
                for line in lines:
                    self._line(line, line.id == current, line.id == edited, alone=len(lines) == 1)
        for line in lines:
            said = self._said[line.id]
            said.set_text(line.said)
            said.classes(remove=" ".join(TONES), add=line.tone or "muted")

    def _line(self, line: PortfolioLine, is_current: bool, is_edited: bool, *, alone: bool) -> None:
        with ui.element("li").classes("vd-line" + (" picked" if is_edited else "")).mark(f"portfolio-{line.id}"):
            with ui.element("div").classes("vd-line-name"):
                text("b", line.name)
                text("span", line.lender or "no lender named", "muted")
            self._said[line.id] = text("span", "")
            with ui.element("div").classes("vd-tabs"):
                if is_current:
                    text("span", "shown on all pages", "vd-badge")
                else:
                    button("Show on all pages", lambda: self._choose(line.id), words=f"Show {line.name} on all pages")
                if not is_edited:
                    button("Edit", lambda: self._edit(line.id), words=f"Edit {line.name}")
                if not alone:
                    button("Remove", lambda: self._remove(line.id), words=f"Remove {line.name}")
