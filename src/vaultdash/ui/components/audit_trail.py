"""Every change of a loan: when, what, by which way, and a button that takes it back."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.domain.record import PortfolioChange
from vaultdash.ui.format import moment
from vaultdash.ui.theme import button, note, text

WAYS = {"page": "settings page", "api": "API", "cli": "command", "start": "first start"}
SHOWN = 50


class AuditTrail:
    """Newest first; `undo` is told the id of a change."""

    def __init__(self, undo: Callable[[int], object]) -> None:
        self._undo = undo
        self._shown: object = None
        self._empty = note("Nothing has been changed yet.")
        self._box = ui.element("div").classes("vd-scroll")
        self._rest = note("")

    def show(self, changes: Sequence[PortfolioChange]) -> None:
        """Replace the rows."""
        now = tuple(change.id for change in changes)
        if now == self._shown:
            return
        self._shown = now
        self._empty.set_text("" if changes else "Nothing has been changed yet.")
        self._box.clear()
        undone = {change.undoes for change in changes if change.undoes is not None}
        with self._box:
            if changes:
                with ui.element("table").classes("vd-sums vd-trail").props("aria-label='Changes of this loan'"):
                    with ui.element("thead"), ui.element("tr"):
                        for name in ("time", "what changed", "by", ""):
                            text("th", name, "left")
                    with ui.element("tbody"):
                        for change in changes[:SHOWN]:
                            self._row(change, is_undone=change.id in undone)
        more = len(changes) > SHOWN
        self._rest.set_text(f"The newest {SHOWN} are shown; the API gives all of them." if more else "")

    def _row(self, change: PortfolioChange, *, is_undone: bool) -> None:
        with ui.element("tr"):
            text("td", moment(change.at), "vd-nowrap left")
            text("td", change.what, "left")
            text("td", WAYS.get(change.actor, change.actor), "left")
            with ui.element("td"):
                if change.before is not None and change.before != change.after and not is_undone:
                    button("Undo", lambda: self._undo(change.id), words=f"Undo: {change.what[:80]}".replace('"', ""))
                elif is_undone:
                    text("span", "taken back", "muted")
