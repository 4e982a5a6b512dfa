"""Which hedges are compared: a button each, pressed when it takes part."""

from collections.abc import Callable, Sequence

from nicegui import ui
from nicegui.element import Element

from vaultdash.domain.template import HedgeTemplate
from vaultdash.strategies.templates import NO_HEDGE
from vaultdash.ui.components.backtest_draft import FIRST_HEDGES
from vaultdash.ui.components.backtest_words import hedge_name
from vaultdash.ui.components.hedge_colours import hedge_colours
from vaultdash.ui.theme import button, note, text


class HedgeChoice:
    """`changed` is told the chosen ids, in the order in which the hedges stand."""

    def __init__(self, changed: Callable[[list[str]], object]) -> None:
        self._changed = changed
        self._templates: Sequence[HedgeTemplate] = ()
        self._chosen: set[str] = set()
        self._buttons: dict[str, Element] = {}
        with ui.element("div").classes("vd-field wide"):
            with ui.element("div").classes("vd-actions"):
                text("span", "Hedges", "vd-field-label")
                button("All", lambda: self._take(self._ids()), words="Compare all hedges")
                button("A handful", lambda: self._take(list(FIRST_HEDGES)), words="Compare the usual handful")
                button("None", lambda: self._take([]), words="Choose no hedge")
                ui.link("Your own hedges: copy and change one", "/templates").classes("vd-link")
            self._box = ui.element("div").classes("vd-tabs vd-chips").props("role=group aria-label=Hedges")
            self._said = note("")
            self._problem = text("span", "", "vd-field-problem call").props("role=alert")

    def offer(self, templates: Sequence[HedgeTemplate], chosen: Sequence[str]) -> None:
        """Lay out what there is; the path without a hedge is always part of it, so it is not offered."""
        self._templates = [one for one in templates if one.id != NO_HEDGE]
        self._chosen = set(chosen)
        self._box.clear()
        self._buttons.clear()
        shades = hedge_colours(self._ids())
        with self._box:
            for template in self._templates:
                with ui.element("button").classes("vd-tab vd-chip").props("type=button") as made:
                    ui.element("i").classes("vd-swatch").style(f"background:{shades[template.id]}")
                    ui.label(hedge_name(template) + ("" if template.is_system else " · yours"))
                made.props["title"] = template.description
                made.on("click", lambda _, one=template.id: self._turn(one))
                self._buttons[template.id] = made
        self._press()

    def choose(self, chosen: Sequence[str]) -> None:
        """Press the buttons of these without telling."""
        self._chosen = set(chosen)
        self._press()

    def say(self, problem: str | None) -> None:
        """Say what is wrong with the choice, or nothing."""
        self._problem.set_text(problem or "")

    def _ids(self) -> list[str]:
        return [one.id for one in self._templates]

    def _turn(self, template_id: str) -> None:
        self._take([one for one in self._ids() if (one in self._chosen) != (one == template_id)])
        told = next(one for one in self._templates if one.id == template_id)
        self._said.set_text(f"{told.name}: {told.description}" if told.description else "")

    def _take(self, chosen: list[str]) -> None:
        known = self._ids()
        self._chosen = {one for one in chosen if one in known}
        self._press()
        self._changed([one for one in known if one in self._chosen])

    def _press(self) -> None:
        for one, made in self._buttons.items():
            made.props(f"aria-pressed={'true' if one in self._chosen else 'false'}")
