"""Hedge templates in a list: those of the house and the owner's own, each in words, with what can be done with it."""

from collections.abc import Callable, Sequence

from nicegui import ui

from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.template_words import template_lines
from vaultdash.ui.theme import button, text


class TemplateList:
    """A line a template; `copy`, `edit` and `remove` are told the template. Files come from the API."""

    def __init__(
        self,
        label: str,
        copy: Callable[[HedgeTemplate], object],
        edit: Callable[[HedgeTemplate], object],
        remove: Callable[[HedgeTemplate], object],
    ) -> None:
        self._copy = copy
        self._edit = edit
        self._remove = remove
        self._list = ui.element("ul").classes("vd-list")
        self._list.props["aria-label"] = label

    def show(self, templates: Sequence[HedgeTemplate]) -> None:
        """Lay out the lines anew."""
        self._list.clear()
        with self._list:
            for template in templates:
                self._line(template)

    def _line(self, template: HedgeTemplate) -> None:
        with ui.element("li").classes("vd-line").mark(f"template-{template.id}"):
            with ui.element("div").classes("vd-line-name"):
                text("b", template.name)
                owner = "" if template.is_system else f" · version {template.version}"
                text("span", f"{template.id}{owner}", "muted")
            with ui.element("div"):
                for said in template_lines(template)[1:]:
                    text("div", said)
            with ui.element("div").classes("vd-tabs"):
                button("Copy", lambda: self._copy(template), words=f"Copy {template.name}")
                if not template.is_system:
                    button("Edit", lambda: self._edit(template), words=f"Edit {template.name}")
                    button("Remove", lambda: self._remove(template), words=f"Remove {template.name}")
                for file_format in ("yaml", "json"):
                    link = ui.link(file_format.upper(), f"/api/templates/{template.id}/export?format={file_format}")
                    link.classes("vd-link")
                    link.props["download"] = f"{template.id}.{file_format}"
                    link.props["aria-label"] = f"{template.name} as a {file_format.upper()} file"
