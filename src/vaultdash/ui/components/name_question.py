"""Asks for a name."""

from nicegui import ui

from vaultdash.ui.components.field import Field
from vaultdash.ui.theme import button, text


class NameQuestion:
    """One dialog for all names of a page; `ask` gives what was typed, None when it was given up."""

    def __init__(self, title: str, label: str, longest: int) -> None:
        self._longest = longest
        with ui.dialog() as self._dialog, ui.element("div").classes("vd-dialog").props("role=dialog"):
            text("h2", title, "vd-sentence")
            self._field = Field(label, lambda _: self._field.say(None))
            with ui.element("div").classes("vd-actions"):
                button("Save", self._save, main=True)
                button("Cancel", lambda: self._dialog.submit(None))

    async def ask(self, name: str) -> str | None:
        """Ask with `name` as it is now."""
        self._field.fill(name)
        self._field.say(None)
        found: str | None = await self._dialog
        return found

    def _save(self) -> None:
        typed = self._field.text.strip()
        if not typed or len(typed) > self._longest:
            self._field.say(f"The name must have 1 to {self._longest} characters.")
            return
        self._dialog.submit(typed)
