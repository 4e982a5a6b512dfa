"""Hedge templates: those of the house, and the owner's own with all their versions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.template import HedgeTemplate
from vaultdash.services.portfolio_entry import slug
from vaultdash.services.template_files import fields_of, template_of
from vaultdash.storage.records import Database, TemplateRecords
from vaultdash.strategies.templates import TEMPLATES

MOST_TEMPLATES = 100
RESERVED = frozenset({"schema", "import"})  # paths of the API
HOUSE = {template.id: template for template in TEMPLATES}


class Templates:
    """Reads and keeps templates; the house's own are always there and never change."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def all(self) -> tuple[HedgeTemplate, ...]:
        """Those of the house first, then the owner's in the order in which they were made. Raises DatabaseError."""
        return (*TEMPLATES, *await self.own())

    async def own(self) -> tuple[HedgeTemplate, ...]:
        """The owner's alone, each in its newest version."""
        async with self._database.reading() as records:
            return tuple(await records.templates.all())

    async def named(self, template_id: str, version: int | None = None) -> HedgeTemplate:
        """One version, the newest unless one is given; raises NotFound, which says what there is.

        A version of a template that was removed is still found.
        """
        if template_id in HOUSE:
            if version not in (None, 1):
                raise NotFound(f"The template {template_id!r} is of the house and has version 1 only")
            return HOUSE[template_id]
        async with self._database.reading() as records:
            found = await records.templates.get(template_id, version)
            if found is not None:
                return found
            newest = None if version is None else await records.templates.get(template_id)
            known = [*HOUSE, *(each.id for each in await records.templates.all())]
        if newest is not None:
            raise NotFound(f"The template {template_id!r} has no version {version}; the newest is {newest.version}")
        raise NotFound(f"There is no template {template_id!r}; there are {', '.join(known)}")

    async def create(self, fields: Mapping[str, Any]) -> HedgeTemplate:
        """Keep a new template of the fields given (as `template_files` has them); without an id one is made of its
        name. Raises InvalidInput, or Refused where id or name are taken.
        """
        async with self._database.transaction() as records:
            kept = await records.templates.all()
            if len(kept) >= MOST_TEMPLATES:
                raise Refused(
                    f"There are {MOST_TEMPLATES} templates of yours, the most there may be; remove one first"
                )
            template = _entered(template_of(fields, await _free_id(records.templates, fields.get("name"))), kept)
            return await records.templates.put(template, self._now(), expected_version=0)

    async def change(
        self, template_id: str, fields: Mapping[str, Any], expected_version: int | None = None
    ) -> HedgeTemplate:
        """Keep a new version in which the fields given are changed: of `roll` those named, `legs` as a whole.

        Raises Refused when it was changed since `expected_version` or is of the house, NotFound, InvalidInput.
        """
        _require_own(template_id, "cannot be changed")
        async with self._database.transaction() as records:
            kept = await _newest(records.templates, template_id)
            was = fields_of(kept)
            roll = fields.get("roll")
            merged = {**was, **fields, **({"roll": {**was["roll"], **roll}} if isinstance(roll, dict) else {})}
            if merged["id"] != template_id:
                raise InvalidInput("id", "is another template's; copy the template to have it under another id")
            others = [each for each in await records.templates.all() if each.id != template_id]
            changed = _entered(template_of(merged), others)
            version = kept.version if expected_version is None else expected_version
            if version == kept.version and changed == replace(kept, version=1):
                return kept  # nothing was changed
            return await records.templates.put(changed, self._now(), expected_version=version)

    async def rewrite(
        self, template_id: str, fields: Mapping[str, Any], expected_version: int | None = None
    ) -> HedgeTemplate:
        """Keep a new version of these fields alone: what they leave out is as in a new template. Raises as above."""
        _require_own(template_id, "cannot be changed")
        return await self.change(template_id, fields_of(template_of(fields, template_id)), expected_version)

    async def copy(self, template_id: str, name: str, new_id: str | None = None) -> HedgeTemplate:
        """A new template of the owner's with another's rules, under another name; raises as `create` does."""
        source = await self.named(template_id)
        fields = {**fields_of(source), "name": name}
        del fields["id"]
        return await self.create(fields if new_id is None else {**fields, "id": new_id})

    async def bring(self, fields: Mapping[str, Any], *, replace_same: bool = False) -> HedgeTemplate:
        """What an imported document holds, as a new template, or with `replace_same` as a new version of the owner's
        template of that id; raises as `create` and `change` do.
        """
        own = fields.get("id")
        if isinstance(own, str) and own not in HOUSE:
            async with self._database.reading() as records:
                is_kept = await records.templates.get(own) is not None
            if is_kept and not replace_same:
                raise Refused(
                    f"You have a template {own!r} already; give another id, or say that it is to be replaced"
                )
            if is_kept:
                return await self.rewrite(own, fields)
        return await self.create(fields)

    async def remove(self, template_id: str, expected_version: int | None = None) -> None:
        """Take one out of the list; its versions stay for the runs that used them. Raises as `change` does."""
        _require_own(template_id, "cannot be removed")
        async with self._database.transaction() as records:
            kept = await _newest(records.templates, template_id)
            if expected_version not in (None, kept.version):
                raise Refused(
                    f"The template {template_id!r} was changed meanwhile: it is at version {kept.version}, not "
                    f"{expected_version}; look at it again before removing it"
                )
            await records.templates.remove(template_id, self._now())


async def _newest(records: TemplateRecords, template_id: str) -> HedgeTemplate:
    found = await records.get(template_id)
    if found is None:
        known = [each.id for each in await records.all()]
        told = f"yours are {', '.join(known)}" if known else "you have none of your own yet"
        raise NotFound(f"There is no template {template_id!r}; {told}")
    return found


async def _free_id(records: TemplateRecords, name: object) -> str:
    """An id made of a name that no template has or had."""
    taken = {*HOUSE, *RESERVED}
    while await records.get(found := slug(name if isinstance(name, str) else "", taken, "template"), 1) is not None:
        taken.add(found)
    return found


def _require_own(template_id: str, what: str) -> None:
    if template_id in HOUSE:
        raise Refused(f"The template {template_id!r} is of the house and {what}; copy it first, and change the copy")


def _entered(template: HedgeTemplate, others: Sequence[HedgeTemplate]) -> HedgeTemplate:
    """The template as it may be kept beside `others`; raises InvalidInput or Refused."""
    if template.id in HOUSE:
        raise Refused(f"{template.id!r} is the id of a template of the house; give another id, or none")
    if template.id in RESERVED:
        raise InvalidInput("id", f"must not be {template.id!r}, which is a path of the API")
    if not template.name.isprintable():
        raise InvalidInput("name", "must be plain text on one line")
    if not all(sign.isprintable() or sign in "\n\t" for sign in template.description):
        raise InvalidInput("description", "must be plain text")
    name = template.name.strip().casefold()
    same = next((each for each in (*TEMPLATES, *others) if each.name.strip().casefold() == name), None)
    if same is not None and same.id != template.id:
        raise Refused(f"The template {same.id!r} has that name already; give it another")
    return template
