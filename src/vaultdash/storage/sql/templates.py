"""The owner's hedge templates: every version is kept, the list knows the newest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.errors import NotFound, Refused
from vaultdash.domain.template import HedgeTemplate
from vaultdash.storage.sql.documents import template_documents
from vaultdash.storage.sql.rows import Statements, next_number, put_row
from vaultdash.storage.sql.tables import hedge_template_versions, hedge_templates

LARGEST = 2**63 - 1  # what a column of versions can hold


class SqlTemplates:
    """Each change adds a version; none is ever changed or taken away."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def all(self) -> Sequence[HedgeTemplate]:
        """The newest version of each that was not removed, in the order in which they were made."""
        newest = sa.and_(
            hedge_template_versions.c.template_id == hedge_templates.c.id,
            hedge_template_versions.c.version == hedge_templates.c.version,
        )
        rows = await self._statements.execute(
            sa.select(hedge_template_versions.c.document)
            .join(hedge_templates, newest)
            .where(hedge_templates.c.removed_at.is_(None))
            .order_by(hedge_templates.c.number)
        )
        return [template_documents.unpacked(row.document) for row in rows]

    async def get(self, template_id: str, version: int | None = None) -> HedgeTemplate | None:
        """One version, the newest for None; of a removed template only a named version."""
        if version is None:
            row = await self._row(template_id)
            if row is None or row.removed_at is not None:
                return None
            version = row.version
        if not 0 < version <= LARGEST:
            return None
        text = await self._statements.scalar(
            sa.select(hedge_template_versions.c.document).where(
                hedge_template_versions.c.template_id == template_id, hedge_template_versions.c.version == version
            )
        )
        return None if text is None else template_documents.unpacked(text)

    async def put(self, template: HedgeTemplate, at: datetime, *, expected_version: int) -> HedgeTemplate:
        """Keep a new version and give it back with its number.

        Raises Refused when the newest is not `expected_version`; 0: there must be none. A removed id may be made
        again, and its numbers go on.
        """
        row = await self._row(template.id)
        newest = 0 if row is None or row.removed_at is not None else row.version
        if newest != expected_version:
            raise Refused(_stale(template.id, newest, expected_version))
        kept = replace(template, version=1 if row is None else row.version + 1, is_system=False)
        values: dict[str, Any] = {
            "id": kept.id,
            "number": await next_number(self._statements, hedge_templates.c.number) if row is None else row.number,
            "version": kept.version,
            "created_at": at if row is None else row.created_at,
            "changed_at": at,
            "removed_at": None,
        }
        await put_row(self._statements, hedge_templates, values)
        await self._statements.execute(
            sa.insert(hedge_template_versions).values(
                template_id=kept.id, version=kept.version, at=at, document=template_documents.packed(kept)
            )
        )
        return kept

    async def remove(self, template_id: str, at: datetime) -> None:
        """Take one out of the list; its versions stay. Raises NotFound."""
        row = await self._row(template_id)
        if row is None or row.removed_at is not None:
            raise NotFound(f"There is no template {template_id!r}")
        gone = {"changed_at": at, "removed_at": at}
        await self._statements.execute(
            sa.update(hedge_templates).where(hedge_templates.c.id == template_id).values(**gone)
        )

    async def _row(self, template_id: str) -> sa.Row[Any] | None:
        found = await self._statements.execute(sa.select(hedge_templates).where(hedge_templates.c.id == template_id))
        return found.one_or_none()


def _stale(template_id: str, version: int, expected: int) -> str:
    if expected == 0:
        return f"There is already a template {template_id!r}; choose another id"
    if version == 0:
        return f"There is no template {template_id!r} any more; it was removed meanwhile"
    return (
        f"The template {template_id!r} was changed meanwhile: it is at version {version}, not {expected}; look at it "
        "again before changing it"
    )
