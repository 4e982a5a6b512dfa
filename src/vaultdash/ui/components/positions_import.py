"""The dialog in which a CSV of positions is pasted or uploaded, looked at, and then taken."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import events, ui

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.position import HeldOption
from vaultdash.services.position_csv import csv_text
from vaultdash.ui.components.chain_words import contract_name
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import day, number, price
from vaultdash.ui.theme import button, note, text, visible

LARGEST_FILE = 1_000_000
TAKEN = (
    Column("contract", "contract", left=True),
    Column("count", "contracts"),
    Column("paid", "paid a share"),
    Column("opened", "opened", left=True),
)
REJECTED = (Column("line", "line"), Column("text", "row", left=True), Column("reason", "why not", left=True))


class PositionsImport:
    """`read` is given the text and answers with `show`; `take` is called when the owner agrees."""

    def __init__(self, read: Callable[[str], object], take: Callable[[], object]) -> None:
        self._read = read
        with ui.dialog() as self._dialog, ui.element("div").classes("vd-dialog wide").props("role=dialog"):
            text("h2", "Import positions from a CSV", "vd-sentence")
            self._example = note("")
            self._upload = ui.upload(
                label="Choose a file, or drop it here",
                auto_upload=True,
                max_files=1,
                max_file_size=LARGEST_FILE,
                on_upload=self._uploaded,
                on_rejected=lambda: self.fail("That file is larger than 1 MB; positions take a few lines."),
            ).classes("vd-upload")
            self._upload.props("flat bordered accept='.csv,text/csv,text/plain'")
            self._text = (
                ui.textarea(placeholder="… or paste the rows here").classes("vd-paste").props("outlined rows=6")
            )
            self._text.props["aria-label"] = "Rows of the CSV"
            with ui.element("div").classes("vd-actions"):
                button("Look at it", lambda: read(str(self._text.value or "")))
            self._problem = text("div", "", "vd-problem call").props("role=alert")
            with ui.element("div").classes("vd-hidden") as self._taken_box:
                self._taken_words = text("h3", "", "vd-label")
                self._taken = DataTable(TAKEN, label="Positions that can be taken")
            with ui.element("div").classes("vd-hidden") as self._rejected_box:
                self._rejected_words = text("h3", "", "vd-label")
                self._rejected = DataTable(REJECTED, label="Rows that cannot be taken")
            with ui.element("div").classes("vd-actions"):
                self._take = button("Take them", take, main=True)
                button("Cancel", self._dialog.close)
        self.clear()

    def open(self, example: str) -> None:
        """Show it empty; `example` says which columns are understood."""
        self._example.set_text(example)
        self._text.value = ""
        self._upload.reset()
        self.clear()
        self._dialog.open()

    def close(self) -> None:
        """Let it go."""
        self._dialog.close()

    def clear(self) -> None:
        """Nothing has been looked at."""
        self._problem.set_text("")
        for box in (self._taken_box, self._rejected_box, self._take):
            visible(box, when=False)

    def fail(self, reason: str) -> None:
        """Why nothing of it can be taken."""
        self.clear()
        self._problem.set_text(reason)

    def show(
        self, options: Sequence[HeldOption], rejected: Sequence[tuple[int, str, str]], remarks: Sequence[str] = ()
    ) -> None:
        """What would be taken, and each row that would not, with its reason; remarks are about columns."""
        self.clear()
        self._problem.set_text(" ".join(f"{remark}." for remark in remarks))
        visible(self._taken_box, when=bool(options))
        visible(self._take, when=bool(options))
        visible(self._rejected_box, when=bool(rejected))
        count = len(options)
        self._taken_words.set_text(f"{count} position{'s' if count != 1 else ''} can be taken")
        self._rejected_words.set_text(f"{len(rejected)} row{'s' if len(rejected) != 1 else ''} cannot")
        self._taken.show([_taken(option) for option in options])
        self._rejected.show(
            [
                Row(str(line), {"line": Cell(str(line), line), "text": Cell(row[:120]), "reason": Cell(reason)})
                for line, row, reason in rejected
            ]
        )
        if not options and not rejected:
            self._problem.set_text("There is no row in it.")

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        content = await event.file.read()
        self._upload.reset()
        try:
            self._text.value = csv_text(content)
        except InvalidInput as problem:
            self.fail(f"The {problem}.")
            return
        outcome = self._read(str(self._text.value or ""))
        if isinstance(outcome, Awaitable):
            await outcome


def _taken(option: HeldOption) -> Row:
    return Row(
        option.id,
        {
            "contract": Cell(f"{option.contract.root} {contract_name(option.contract)}", option.contract.osi),
            "count": Cell(number(option.contracts), option.contracts),
            "paid": Cell(price(option.price_paid), option.price_paid),
            "opened": Cell(day(option.opened_on), option.opened_on.isoformat()),
        },
    )
