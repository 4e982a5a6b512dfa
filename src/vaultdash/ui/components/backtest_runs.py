"""The backtests that are kept: each with its state, and what can be done with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from nicegui import ui
from nicegui.element import Element

from vaultdash.ui.components.progress_bar import ProgressBar
from vaultdash.ui.format import moment
from vaultdash.ui.theme import Tone, button, note, text

MOST_BESIDE = 3
EMPTY = "No backtest is kept yet. Each one that is run is, until you delete it."


@dataclass(frozen=True, slots=True)
class RunLine:
    """One kept run as it stands in the list. `said` are its event, terms and hedges in words."""

    id: str
    name: str
    at: datetime
    said: str
    state: str
    tone: Tone
    is_done: bool
    is_working: bool
    progress: float
    problem: str = ""
    in_full: str = ""  # `said` with every hedge by name


@dataclass(frozen=True, slots=True)
class RunActs:
    """What the buttons of a line do; each is told the run's id."""

    open: Callable[[str], object]
    again: Callable[[str], object]
    rename: Callable[[str], object]
    remove: Callable[[str], object]
    cancel: Callable[[str], object]


class RunList:
    """Newest first; `beside` is told which ones are to stand side by side."""

    def __init__(self, acts: RunActs, beside: Callable[[tuple[str, ...]], object]) -> None:
        self._acts = acts
        self._beside = beside
        self._picked: list[str] = []
        self._shown: dict[str, tuple[Element, object]] = {}
        self._bars: dict[str, ProgressBar] = {}
        self._list = ui.element("ul").classes("vd-list").props("aria-label='Kept backtests'")
        self._said = note(EMPTY)

    def show(self, lines: Sequence[RunLine], opened: str | None) -> None:
        """Lay out anew only the lines that have changed, so that no menu closes under the owner's hand."""
        self._picked = [one for one in self._picked if any(line.id == one and line.is_done for line in lines)]
        for gone in set(self._shown) - {line.id for line in lines}:
            self._shown.pop(gone)[0].delete()
            self._bars.pop(gone, None)
        for place, line in enumerate(lines):
            key = (replace(line, progress=0.0), line.id == opened, line.id in self._picked)
            if line.id not in self._shown:
                with self._list:
                    box = ui.element("li").classes("vd-line").mark(f"run-{line.id}")
                box.move(self._list, place)
                self._shown[line.id] = (box, None)
            box, was = self._shown[line.id]
            if key != was:
                self._shown[line.id] = (box, key)
                self._lay_out(box, line, is_open=line.id == opened)
            if line.id in self._bars:
                self._bars[line.id].show(line.progress)
        done = sum(line.is_done for line in lines)
        hint = f"Choose up to {MOST_BESIDE} with “Beside” to see them next to each other." if done > 1 else ""
        self._said.set_text(hint if lines else EMPTY)

    def _lay_out(self, box: Element, line: RunLine, *, is_open: bool) -> None:
        box.clear()
        box.classes(add="picked" if is_open else "", remove="" if is_open else "picked")
        self._bars.pop(line.id, None)
        with box:
            with ui.element("div").classes("vd-line-name"):
                text("b", line.name)
                text("span", moment(line.at), "muted")
            with ui.element("div").classes("vd-line-name"):
                said = text("span", line.in_full if is_open and line.in_full else line.said)
                if line.in_full:
                    said.props["title"] = line.in_full
                if line.is_working:
                    self._bars[line.id] = ProgressBar(f"Progress of {line.name}", small=True)
                elif not line.is_done:
                    text("span", f"{line.state}{f': {line.problem}' if line.problem else ''}", line.tone)
            with ui.element("div").classes("vd-tabs"):
                self._buttons(line, is_open=is_open)

    def _buttons(self, line: RunLine, *, is_open: bool) -> None:
        acts, name = self._acts, line.name
        if line.is_working:
            button("Cancel", lambda: acts.cancel(line.id), words=f"Cancel {name}")
        elif line.is_done:
            beside = button("Beside", lambda: self._turn(line.id), words=f"Put {name} beside others")
            beside.props(f"aria-pressed={'true' if line.id in self._picked else 'false'}")
        if line.is_done and is_open:
            text("span", "shown above", "vd-badge")
        elif line.is_done or line.is_working:
            button("Open", lambda: acts.open(line.id), words=f"Open {name}")
        with ui.element("button").classes("vd-tab").props("type=button") as more:
            ui.label("More")
            more.props["aria-label"] = f"More for {name}"
            with ui.menu().props("auto-close"), ui.element("div").classes("vd-menu"):
                self._menu(line)

    def _menu(self, line: RunLine) -> None:
        acts = self._acts
        _entry("Run again with …", lambda: acts.again(line.id))
        _entry("Rename", lambda: acts.rename(line.id))
        if line.is_done:
            for words, address in exports(line.id):
                ui.link(words, address).classes("vd-menu-item").props("download")
        if not line.is_working:
            _entry("Delete", lambda: acts.remove(line.id))

    def _turn(self, run_id: str) -> None:
        if run_id in self._picked:
            self._picked.remove(run_id)
        else:
            self._picked = [*self._picked, run_id][-MOST_BESIDE:]  # a fourth takes the place of the first
        self._beside(tuple(self._picked))


def exports(run_id: str) -> tuple[tuple[str, str], ...]:
    """What of a run can be had as a file, by address."""
    start = f"/api/backtests/{run_id}"
    return (
        ("Daily series, CSV", f"{start}/series.csv"),
        ("Trades, CSV", f"{start}/trades.csv"),
        ("Everything, JSON", start),
    )


def _entry(words: str, act: Callable[[], object]) -> None:
    with ui.element("button").classes("vd-menu-item").props("type=button") as entry:
        ui.label(words)
    entry.on("click", lambda: act())
