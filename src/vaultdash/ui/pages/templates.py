"""Templates: the hedges of the house and the owner's own, copied, edited, given away and brought in."""

from nicegui import ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.template import LONGEST_TITLE, HedgeTemplate
from vaultdash.services.template_files import FileFormat, export_text, read_fields, template_of
from vaultdash.services.template_words import template_lines
from vaultdash.services.vault import Vault
from vaultdash.ui.components.name_question import NameQuestion
from vaultdash.ui.components.question import Question
from vaultdash.ui.components.template_list import TemplateList
from vaultdash.ui.components.template_text import TemplateText
from vaultdash.ui.theme import button, card, note, text, visible

WHAT = "A template is a hedge by rule, without prices or dates: the same one is compared, backtested and exported."
NONE = "You have no template of your own yet: copy one of the house below, or import a file."
UNNAMED = "new-template"


class TemplatesPage:
    """The page's parts; what is changed here is there for every page, command and backtest."""

    def __init__(self, vault: Vault) -> None:
        self._templates = vault.templates
        self._edited: HedgeTemplate | None = None
        self._question = Question()
        self._name = NameQuestion("Copy a template", "Name of the copy", LONGEST_TITLE)
        self._text = TemplateText(self._look, self._keep)
        with ui.element("div").classes("vd-page"):
            with card():
                text("p", "Hedges by rule: those of the house, and your own.", "vd-sentence")
                note(WHAT)
                with ui.element("div").classes("vd-actions"):
                    button("Import", self._import, words="Import a template from a file or text")
                    ui.link("Compare them", "/hedge").classes("vd-link")
                    ui.link("Test them on past falls", "/backtest").classes("vd-link")
                self._said = text("div", "").props("role=status").mark("templates-said")
                self._problem = text("div", "", "vd-problem call").props("role=alert")
            with card("Yours"):
                self._none = note(NONE)
                self._own = self._list("Your templates")
            with card("Of the house"):
                self._house = self._list("Templates of the house")

    async def load(self) -> None:
        """Read what is kept and lay it out."""
        try:
            found = await self._templates.all()
        except VaultError as error:
            self._problem.set_text(f"{error}")
            return
        own = [each for each in found if not each.is_system]
        visible(self._none, when=not own)
        self._own.show(own)
        self._house.show([each for each in found if each.is_system])

    def _list(self, label: str) -> TemplateList:
        return TemplateList(label, self._copy, self._edit, self._remove)

    async def _copy(self, template: HedgeTemplate) -> None:
        name = await self._name.ask(f"{template.name}, mine"[:LONGEST_TITLE])
        if name is None:
            return
        try:
            made = await self._templates.copy(template.id, name)
        except VaultError as error:
            self._tell(problem=str(error))
            return
        await self.load()
        self._tell(f"{made.name} is kept as {made.id}; edit it below.")

    def _edit(self, template: HedgeTemplate) -> None:
        self._edited = template
        self._text.open(f"Edit {template.name}", export_text(template, FileFormat.YAML), takes_file=False)

    def _import(self) -> None:
        self._edited = None
        self._text.open("Import a template", "", takes_file=True)

    async def _remove(self, template: HedgeTemplate) -> None:
        body = "Backtests that used it keep the version they used."
        if not await self._question.ask(f"Remove {template.name}?", body, "Remove it"):
            return
        try:
            await self._templates.remove(template.id, template.version)
        except VaultError as error:
            self._tell(problem=str(error))
        else:
            self._tell(f"{template.name} is removed.")
        await self.load()

    def _look(self, written: str) -> None:
        try:
            template = template_of(read_fields(written), UNNAMED if self._edited is None else self._edited.id)
        except VaultError as error:
            self._text.fail(f"{error}.")
            return
        self._text.show(template_lines(template)[1:])

    async def _keep(self, written: str) -> None:
        try:
            fields = read_fields(written)
            if self._edited is None:
                kept = await self._templates.create(fields)
            else:
                kept = await self._templates.rewrite(self._edited.id, fields, self._edited.version)
        except VaultError as error:
            self._text.fail(f"{error}.")
            return
        self._text.close()
        await self.load()
        self._tell(f"{kept.name} is kept as {kept.id}, version {kept.version}.")

    def _tell(self, said: str = "", problem: str = "") -> None:
        self._said.set_text(said)
        self._problem.set_text(f"{problem}." if problem else "")


async def build(vault: Vault) -> None:
    """Lay out the page and read the templates."""
    await TemplatesPage(vault).load()
