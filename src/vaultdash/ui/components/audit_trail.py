"""Every change of a loan: when, what, by which way, and a button that takes it back."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.domain.record import PortfolioChange
from vaultdash.ui.format import moment
from vaultdash.ui.theme import button, note, text, visible

WAYS = {"page": "settings page", "api": "API", "cli": "command", "start": "first start"}
SHOWN = 50


class AuditTrail:
    """Newest first; `undo` is told the id of a change.

    A row that stays is the same element: a click on it is not lost when another change arrives meanwhile.
    """

    def __init__(self, undo: Callable[[int], object]) -> None:
        self._undo = undo
        self._rows: dict[int, tuple[ui.element, bool]] = {}  # by the change's id, and whether it was taken back
        self._empty = note("Nothing has been changed yet.")
        with (
            ui.element("div").classes("vd-scroll") as self._box,
            ui.element("table").classes("vd-sums vd-trail").props("aria-label='Changes of this loan'"),
        ):
            with ui.element("thead"), ui.element("tr"):
                for name in ("time", "what changed", "by", ""):
                    text("th", name, "left")
            self._body = ui.element("tbody")
        visible(self._box, when=False)
        self._rest = note("")

    def show(self, changes: Sequence[PortfolioChange]) -> None:
        """The rows of `changes`, newest first."""
        self._empty.set_text("" if changes else "Nothing has been changed yet.")
        visible(self._box, when=bool(changes))
        undone = {change.undoes for change in changes if change.undoes is not None}
        wanted = {change.id: (change, change.id in undone) for change in changes[:SHOWN]}
        for change_id, (row, is_undone) in tuple(self._rows.items()):
            if change_id not in wanted or wanted[change_id][1] != is_undone:
                row.delete()
                del self._rows[change_id]
        for place, (change_id, (change, is_undone)) in enumerate(wanted.items()):
            if change_id not in self._rows:
                with self._body:
                    row = self._row(change, is_undone=is_undone)
                row.move(target_index=place)
                self._rows[change_id] = row, is_undone
        more = len(changes) > SHOWN
        self._rest.set_text(f"The newest {SHOWN} are shown; the API gives all of them." if more else "")

    def _row(self, change: PortfolioChange, *, is_undone: bool) -> ui.element:
        with ui.element("tr") as row:
            text("td", moment(change.at), "vd-nowrap left")
            text("td", change.what, "left")
            text("td", WAYS.get(change.actor, change.actor), "left")
            with ui.element("td"):
                if change.before is not None and change.before != change.after and not is_undone:
                    button("Undo", lambda: self._undo(change.id), words=f"Undo: {change.what[:80]}".replace('"', ""))
                elif is_undone:
                    text("span", "taken back", "muted")
        return row
