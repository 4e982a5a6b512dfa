"""What the endpoints have in common: how a symbol is given, and which errors are documented."""

from typing import Annotated, Any

from fastapi import Query

from vaultdash.api.schemas import ErrorAnswer
from vaultdash.domain.gold import clean_symbol
from vaultdash.services.vault import Vault

Symbol = Annotated[
    str | None, Query(description="default the collateral's; GLD, or any symbol the provider knows", max_length=15)
]
ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorAnswer, "description": "No such symbol, or nothing of the kind for it"},
    422: {"model": ErrorAnswer, "description": "The request makes no sense; `argument` is what is wrong"},
    503: {"model": ErrorAnswer, "description": "No source answered"},
}


def named(vault: Vault, symbol: str | None) -> str:
    """The symbol asked for, cleaned; the collateral's when none was given. Raises InvalidInput."""
    return vault.book.symbol if symbol is None else clean_symbol(symbol)
