"""What the endpoints have in common: how a symbol is given, and which errors are documented."""

from typing import Annotated, Any

from fastapi import Query

from vaultdash.domain.gold import clean_symbol
from vaultdash.services.vault import Vault

Symbol = Annotated[
    str | None, Query(description="default the collateral's; GLD, or any symbol the provider knows", max_length=15)
]
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}


def refusal(why: str) -> dict[str, Any]:
    """A documented answer in the shape of every error; the shape itself is built once, with `/health`."""
    return {"description": why, "content": _ERROR}


ERRORS: dict[int | str, dict[str, Any]] = {
    404: refusal("No such symbol, or nothing of the kind for it"),
    422: refusal("The request makes no sense; `argument` is what is wrong"),
    503: refusal("No source answered"),
}


def named(vault: Vault, symbol: str | None) -> str:
    """The symbol asked for, cleaned; the collateral's when none was given. Raises InvalidInput."""
    return vault.book.symbol if symbol is None else clean_symbol(symbol)
