"""The dialog in which a template is written or pasted as YAML or JSON, looked at in words, and then kept."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import events, ui

from vaultdash.services.template_files import MOST_BYTES
from vaultdash.ui.theme import button, note, text, visible

HINT = "Look at it says in words what the text means, or what is wrong with it. Nothing is kept before."


class TemplateText:
    """`look` is given the text and answers with `show` or `fail`; `keep` is given it when the owner agrees."""

    def __init__(self, look: Callable[[str], object], keep: Callable[[str], Awaitable[object]]) -> None:
        self._look = look
        self._keep = keep
        with ui.dialog() as self._dialog, ui.element("div").classes("vd-dialog wide").props("role=dialog"):
            self._title = text("h2", "", "vd-sentence")
            note(HINT)
            self._upload = ui.upload(
                label="Choose a file, or drop it here",
                auto_upload=True,
                max_files=1,
                max_file_size=MOST_BYTES,
                on_upload=self._uploaded,
                on_rejected=lambda: self.fail(f"That file is larger than {MOST_BYTES:,} bytes; a template is not."),
            ).classes("vd-upload")
            self._upload.props("flat bordered accept='.yaml,.yml,.json,application/json,text/plain'")
            self._text = ui.textarea(on_change=lambda _: self._changed()).classes("vd-paste")
            self._text.props("outlined rows=18 spellcheck=false")
            self._text.props["aria-label"] = "The template as YAML or JSON"
            self._problem = text("div", "", "vd-problem call").props("role=alert")
            with ui.element("div").props("role=status") as self._words:
                pass
            with ui.element("div").classes("vd-actions"):
                button("Look at it", self._looked)
                self._take = button("Keep it", self._kept, main=True)
                button("Cancel", self._dialog.close)

    @property
    def text(self) -> str:
        """What is written."""
        return str(self._text.value or "")

    def open(self, title: str, content: str, *, takes_file: bool) -> None:
        """Show it with this text."""
        self._title.set_text(title)
        visible(self._upload, when=takes_file)
        self._upload.reset()
        self._text.value = content
        self._changed()
        self._dialog.open()

    def close(self) -> None:
        """Let it go."""
        self._dialog.close()

    def fail(self, reason: str) -> None:
        """Why it cannot be kept."""
        self._changed()
        self._problem.set_text(reason)

    def show(self, lines: Sequence[str]) -> None:
        """What it means, in words; it may be kept now."""
        self._changed()
        with self._words:
            for line in lines:
                text("div", line)
        visible(self._take, when=True)

    def _changed(self) -> None:
        self._problem.set_text("")
        self._words.clear()
        visible(self._take, when=False)

    def _looked(self) -> None:
        self._look(self.text)

    async def _kept(self) -> None:
        await self._keep(self.text)

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        content = await event.file.read()
        self._upload.reset()
        try:
            self._text.value = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.fail("That file is no text in UTF-8.")
            return
        self._look(self.text)
