"""A sortable table: it sorts by value and shows text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nicegui import events, ui

from vaultdash.ui.theme import Tone, visible

BODY = """
<q-tr :props="props" :class="[props.row.pick ? 'pick' : '', props.row.picked ? 'picked' : '']"
      :tabindex="props.row.pick ? 0 : -1"
      @click="() => props.row.pick && $parent.$emit('pick', props.row.id)"
      @keydown.enter="() => props.row.pick && $parent.$emit('pick', props.row.id)">
  <q-td v-for="col in props.cols" :key="col.name" :props="props" :data-label="col.label"
        :class="props.row.cells[col.name].tone">
    <i v-if="props.row.cells[col.name].swatch" class="vd-swatch"
       :style="{background: props.row.cells[col.name].swatch}"></i>
    <span>{{ props.row.cells[col.name].text }}</span>
    <span v-if="props.row.cells[col.name].sub" class="sub">{{ props.row.cells[col.name].sub }}</span>
  </q-td>
</q-tr>
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; numbers stand right."""

    name: str
    label: str
    left: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown, by what it sorts, and how it looks."""

    text: str
    sort: float | str | None = None
    tone: Tone = ""
    sub: str = ""
    swatch: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with an id and one cell a column."""

    id: str
    cells: dict[str, Cell] = field(default_factory=dict)


def described(row: Row, *, pick: bool = False, picked: bool = False) -> dict[str, object]:
    """A row as the browser gets it."""
    cells = {
        name: {
            "text": cell.text,
            "sort": cell.text if cell.sort is None else cell.sort,
            "tone": cell.tone,
            "sub": cell.sub,
            "swatch": cell.swatch,
        }
        for name, cell in row.cells.items()
    }
    return {"id": row.id, "cells": cells, "pick": pick, "picked": picked}


class DataTable:
    """Rows are replaced in place; with `pick` a row can be chosen by mouse or keyboard."""

    def __init__(
        self, columns: Sequence[Column], *, pick: Callable[[str], None] | None = None, label: str, roomy: bool = False
    ) -> None:
        self._pick = pick
        self._picked: str | None = None
        self._rows: Sequence[Row] = ()
        described = [
            {
                "name": column.name,
                "label": column.label,
                "align": "left" if column.left else "right",
                "sortable": True,
                ":field": f"row => row.cells['{column.name}'].sort",
                "headerStyle": "white-space:normal",
            }
            for column in columns
        ]
        self._table = ui.table(columns=described, rows=[], row_key="id", pagination=0)
        self._table.classes("vd-table roomy" if roomy else "vd-table").props(
            f'flat dense hide-pagination hide-no-data binary-state-sort aria-label="{label}"'
        )
        self._table.add_slot("body", BODY)
        if pick is not None:
            self._table.on("pick", self._on_pick)

    def label(self, name: str, label: str) -> None:
        """Give a column another label."""
        for column in self._table.columns:
            if column["name"] == name and column["label"] != label:
                column["label"] = label
                self._table.update()

    def show(self, rows: Sequence[Row], picked: str | None = None) -> None:
        """Replace the rows; the order the reader has chosen stays."""
        self._rows = rows
        self._picked = picked if picked is not None else self._picked
        pick = self._pick is not None
        self._table.rows = [described(row, pick=pick, picked=row.id == self._picked) for row in rows]
        visible(self._table, when=bool(rows))  # a head without rows says nothing

    def _on_pick(self, event: events.GenericEventArguments) -> None:
        chosen = str(event.args)
        if self._pick is not None and any(row.id == chosen for row in self._rows):
            self.show(self._rows, chosen)
            self._pick(chosen)
