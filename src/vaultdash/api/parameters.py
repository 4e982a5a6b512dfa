"""What the endpoints have in common: how a symbol and a version are given, and which errors are documented."""

from typing import Annotated, Any

from fastapi import Header, Query

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.services.vault import Vault

Symbol = Annotated[
    str | None, Query(description="default the collateral's; GLD, or any symbol the provider knows", max_length=15)
]
IfMatch = Annotated[str | None, Header(description='version that was read, such as "3"')]
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}


def refusal(why: str) -> dict[str, Any]:
    """A documented answer in the shape of every error; the shape itself is built once, with `/health`."""
    return {"description": why, "content": _ERROR}


ERRORS: dict[int | str, dict[str, Any]] = {
    404: refusal("No such symbol, or nothing of the kind for it"),
    422: refusal("The request makes no sense; `argument` is what is wrong"),
    503: refusal("No source answered"),
}

WRITING: dict[int | str, dict[str, Any]] = {
    **ERRORS,
    400: refusal("The body cannot be read"),
    409: refusal("Changed by somebody else meanwhile, or not possible now"),
    413: refusal("The body is too large"),
    415: refusal("The body is of another kind"),
}


def named(vault: Vault, symbol: str | None) -> str:
    """The symbol asked for, cleaned; the collateral's when none was given. Raises InvalidInput."""
    return vault.book.symbol if symbol is None else clean_symbol(symbol)


def told_version(if_match: str | None, *told: int | None) -> int | None:
    """The version that was read, by header or body; raises InvalidInput when they contradict each other."""
    given = {version for version in told if version is not None}
    if if_match is not None and if_match.strip() != "*":
        text = if_match.strip().removeprefix("W/").strip('"')
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise InvalidInput("If-Match", 'must be the version that was read, such as "3"')
        given.add(int(text))
    if len(given) > 1:
        raise InvalidInput("expected_version", "contradicts version or If-Match")
    return next(iter(given), None)
