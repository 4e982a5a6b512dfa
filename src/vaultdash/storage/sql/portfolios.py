"""Portfolios with their audit trail, and the owner's small preferences."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vaultdash.domain.errors import NotFound, Refused
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.record import PortfolioChange, StoredPortfolio
from vaultdash.storage.sql.documents import portfolio_documents
from vaultdash.storage.sql.rows import Statements, next_number, put_row
from vaultdash.storage.sql.tables import portfolio_changes, portfolios, preferences


class SqlPortfolios:
    """Each change is written with the document before and after it."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def all(self) -> Sequence[StoredPortfolio]:
        """Those not removed, in the order in which they were made."""
        rows = await self._statements.execute(
            sa.select(portfolios).where(portfolios.c.removed_at.is_(None)).order_by(portfolios.c.number)
        )
        return [_stored(row) for row in rows]

    async def get(self, portfolio_id: str) -> StoredPortfolio | None:
        """One, or None when there is none or it was removed."""
        row = await self._row(portfolio_id)
        return None if row is None or row.removed_at is not None else _stored(row)

    async def put(
        self,
        portfolio: Portfolio,
        at: datetime,
        actor: str,
        what: str,
        *,
        expected_version: int | None = None,
        undoes: int | None = None,
    ) -> StoredPortfolio:
        """Make or replace one; one that was removed comes back with its old place and versions going on.

        Raises Refused when it is no longer at `expected_version` (0: must not exist).
        """
        row = await self._row(portfolio.id)
        before = None if row is None or row.removed_at is not None else row.document
        version = 0 if row is None or before is None else row.version
        if expected_version is not None and expected_version != version:
            raise Refused(_stale(portfolio.id, version, expected_version))
        document = portfolio_documents.packed(portfolio)
        values: dict[str, Any] = {
            "id": portfolio.id,
            "number": await next_number(self._statements, portfolios.c.number) if row is None else row.number,
            "document": document,
            "version": 1 if row is None else row.version + 1,
            "created_at": at if row is None else row.created_at,
            "changed_at": at,
            "removed_at": None,
        }
        await put_row(self._statements, portfolios, values)
        await self._note(portfolio.id, at, actor, what, before, document, undoes)
        return StoredPortfolio(portfolio, values["version"], values["created_at"], at)

    async def remove(
        self, portfolio_id: str, at: datetime, actor: str, what: str, *, undoes: int | None = None
    ) -> None:
        """Take one out of the list; its history stays. Raises NotFound."""
        row = await self._row(portfolio_id)
        if row is None or row.removed_at is not None:
            raise NotFound(f"There is no portfolio {portfolio_id!r}")
        gone = {"version": row.version + 1, "changed_at": at, "removed_at": at}
        await self._statements.execute(sa.update(portfolios).where(portfolios.c.id == portfolio_id).values(**gone))
        await self._note(portfolio_id, at, actor, what, row.document, None, undoes)

    async def changes(self, portfolio_id: str | None = None, limit: int = 100) -> Sequence[PortfolioChange]:
        """The audit trail, newest first; of all portfolios unless one is named."""
        asked = sa.select(portfolio_changes).order_by(portfolio_changes.c.id.desc()).limit(limit)
        if portfolio_id is not None:
            asked = asked.where(portfolio_changes.c.portfolio_id == portfolio_id)
        return [_change(row) for row in await self._statements.execute(asked)]

    async def change(self, change_id: int) -> PortfolioChange | None:
        """One line of the audit trail."""
        if not 0 < change_id < 2**63:
            return None
        found = await self._statements.execute(
            sa.select(portfolio_changes).where(portfolio_changes.c.id == change_id)
        )
        row = found.one_or_none()
        return None if row is None else _change(row)

    async def revision(self) -> int:
        """Id of the newest change, 0 when there is none."""
        return await self._statements.scalar(sa.select(sa.func.max(portfolio_changes.c.id))) or 0

    async def _row(self, portfolio_id: str) -> sa.Row[Any] | None:
        found = await self._statements.execute(sa.select(portfolios).where(portfolios.c.id == portfolio_id))
        return found.one_or_none()

    async def _note(
        self,
        portfolio_id: str,
        at: datetime,
        actor: str,
        what: str,
        before: str | None,
        after: str | None,
        undoes: int | None,
    ) -> None:
        number = await next_number(self._statements, portfolio_changes.c.id)
        await self._statements.execute(
            sa.insert(portfolio_changes).values(
                id=number,
                portfolio_id=portfolio_id,
                at=at,
                actor=actor,
                what=what,
                before=before,
                after=after,
                undoes=undoes,
            )
        )


class SqlPreferences:
    """Small values by name, as JSON."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def get(self, name: str) -> object:
        """The value, or None."""
        text = await self._statements.scalar(sa.select(preferences.c.value).where(preferences.c.name == name))
        return None if text is None else json.loads(text)

    async def put(self, name: str, value: object) -> None:
        """Replace it."""
        await put_row(self._statements, preferences, {"name": name, "value": json.dumps(value)})


def _stored(row: sa.Row[Any]) -> StoredPortfolio:
    return StoredPortfolio(portfolio_documents.unpacked(row.document), row.version, row.created_at, row.changed_at)


def _change(row: sa.Row[Any]) -> PortfolioChange:
    before, after = (None if text is None else portfolio_documents.unpacked(text) for text in (row.before, row.after))
    return PortfolioChange(row.id, row.portfolio_id, row.at, row.actor, row.what, before, after, row.undoes)


def _stale(portfolio_id: str, version: int, expected: int) -> str:
    if expected == 0:
        return f"There is already a portfolio {portfolio_id!r}; choose another id"
    if version == 0:
        return f"There is no portfolio {portfolio_id!r} any more; it was removed meanwhile"
    return f"The portfolio {portfolio_id!r} was changed meanwhile; look at it again before changing it"
