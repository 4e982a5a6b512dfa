"""Asks before something is done that the owner may not have meant."""

from nicegui import ui

from vaultdash.ui.theme import button, text


class Question:
    """One dialog for all questions of a page; `ask` gives the answer."""

    def __init__(self) -> None:
        with ui.dialog() as self._dialog, ui.element("div").classes("vd-dialog").props("role=alertdialog"):
            self._title = text("h2", "", "vd-sentence")
            self._body = text("p", "")
            with ui.element("div").classes("vd-actions"):
                self._yes = ui.element("button").classes("vd-button").props("type=button")
                with self._yes:
                    self._yes_words = ui.label("")
                self._yes.on("click", lambda: self._dialog.submit(True))
                button("Cancel", lambda: self._dialog.submit(False))

    async def ask(self, title: str, body: str, yes: str) -> bool:
        """True when the owner says `yes`; closing the dialog is a no."""
        self._title.set_text(title)
        self._body.set_text(body)
        self._yes_words.set_text(yes)
        return bool(await self._dialog)
