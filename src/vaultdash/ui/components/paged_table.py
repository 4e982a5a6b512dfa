"""A table of which the browser holds one page: rows are sorted and cut out where they are."""

from collections.abc import Callable, Sequence

from nicegui import events, ui

from vaultdash.ui.components.data_table import BODY, Column, Row, described
from vaultdash.ui.format import number
from vaultdash.ui.theme import button, text

PAGE = 25
HEAD = """
<q-tr :props="props">
  <q-th v-for="col in props.cols" :key="col.name" :props="props" :aria-sort="col.order || 'none'">
    <button type="button" class="vd-sort" @click="() => $parent.$emit('order', col.name)">{{ col.label
      }}<span aria-hidden="true">{{ {ascending: ' ▴', descending: ' ▾'}[col.order] || '' }}</span></button>
  </q-th>
</q-tr>
"""


class PagedTable:
    """`rows` gives a page: the column to sort by, whether descending, the first row and how many of them."""

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Callable[[str, bool, int, int], Sequence[Row]],
        *,
        label: str,
        sort_by: str,
        descending: bool = True,
    ) -> None:
        self._rows = rows
        self._count = self._first = 0
        self._sort_by, self._descending = sort_by, descending
        self._columns = [
            {
                "name": column.name,
                "label": column.label,
                "align": "left" if column.left else "right",
                ":field": f"row => row.cells['{column.name}'].text",
                "headerStyle": "white-space:normal",
                "order": "",
            }
            for column in columns
        ]
        self._table = ui.table(columns=self._columns, rows=[], row_key="id", pagination=0)
        self._table.classes("vd-table roomy").props(f'flat dense hide-pagination hide-no-data aria-label="{label}"')
        self._table.add_slot("header", HEAD)
        self._table.add_slot("body", BODY)
        self._table.on("order", self._on_order)
        with ui.element("div").classes("vd-ladder-bar") as self._pager:
            self._buttons = (
                button("First", lambda: self._go(0), words=f"{label}: first page"),
                button("Before", lambda: self._go(self._first - PAGE), words=f"{label}: page before"),
                button("Next", lambda: self._go(self._first + PAGE), words=f"{label}: next page"),
                button("Last", lambda: self._go(self._count), words=f"{label}: last page"),
            )
            self._said = text("span", "", "vd-note").props("role=status")

    def show(self, count: int) -> None:
        """There are so many rows now; the order stays, and so does the page where it is still there."""
        self._count = count
        self._go(self._first)

    def _on_order(self, event: events.GenericEventArguments) -> None:
        chosen = str(event.args)
        if chosen not in {column["name"] for column in self._columns}:
            return
        self._descending = not self._descending if chosen == self._sort_by else True
        self._sort_by = chosen
        self._go(0)

    def _go(self, first: int) -> None:
        last = max(self._count - 1, 0) // PAGE * PAGE
        self._first = min(max(first, 0), last)
        for column in self._columns:
            ordered = "descending" if self._descending else "ascending"
            column["order"] = ordered if column["name"] == self._sort_by else ""
        found = self._rows(self._sort_by, self._descending, self._first, PAGE)
        self._table.columns = self._columns
        self._table.rows = [described(row) for row in found]
        self._table.update()
        shown = f"{number(self._first + 1)} to {number(self._first + len(found))} of {number(self._count)}"
        self._said.set_text(shown if found else "")
        at_begin, at_end = self._first == 0, self._first == last
        for each, off in zip(self._buttons, (at_begin, at_begin, at_end, at_end), strict=True):
            each.props("disabled" if off else "", remove="" if off else "disabled")
        self._pager.classes(add="" if last else "vd-hidden", remove="vd-hidden" if last else "")
