"""Portfolios, alert plans and hedge templates as JSON text with the number of its layout, and back."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from vaultdash.domain.alert import AlertPlan
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.template import HedgeTemplate

T = TypeVar("T")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


class Documents(Generic[T]):
    """Writes things of one class in layout `schema`; `upgrades[n]` turns the content of layout n into n + 1."""

    def __init__(
        self, kind: type[T], what: str, schema: int = 1, upgrades: Mapping[int, Upgrade] | None = None
    ) -> None:
        self._adapter = TypeAdapter(kind)
        self._what = what
        self._schema = schema
        self._upgrades = upgrades or {}

    def packed(self, content: T) -> str:
        """ASCII JSON: {"schema": 1, "content": {...}}; floats come back bit by bit."""
        plain = self._adapter.dump_python(content, mode="json")
        return json.dumps({"schema": self._schema, "content": plain}, allow_nan=False, separators=(",", ":"))

    def unpacked(self, text: str) -> T:
        """What was packed by this release or an earlier one; DatabaseError when it cannot be trusted."""
        try:
            document = json.loads(text)
            schema, content = document["schema"], document["content"]
            if schema > self._schema:
                raise DatabaseError(
                    f"{self._what} in the database was written by a later release of Vault Dashboard; use that one"
                )
            for number in range(schema, self._schema):
                content = self._upgrades[number](content)
            return self._adapter.validate_python(content)
        except (ValueError, KeyError, TypeError) as error:
            raise DatabaseError(
                f"{self._what} in the database cannot be read ({str(error).splitlines()[0]}); restore a backup"
            ) from error


portfolio_documents = Documents(Portfolio, "A portfolio")
plan_documents = Documents(AlertPlan, "An alert plan")
template_documents = Documents(HedgeTemplate, "A hedge template")
