"""Maps errors to HTTP: the domain knows no status, and no answer echoes the input."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vaultdash.api.respond import encode
from vaultdash.api.schemas import ErrorAnswer, ErrorDetail
from vaultdash.domain.errors import (
    DatabaseError,
    InvalidInput,
    NotFound,
    ProviderError,
    RateLimited,
    Refused,
    VaultError,
)

log = structlog.get_logger()
STATUS: tuple[tuple[type[VaultError], int, str], ...] = (
    (InvalidInput, 422, "invalid_input"),
    (NotFound, 404, "not_found"),
    (Refused, 409, "refused"),
    (RateLimited, 503, "rate_limited"),
    (ProviderError, 503, "provider_unavailable"),
    (DatabaseError, 503, "database_unavailable"),
    (VaultError, 500, "internal"),
)
UNKNOWN_FIELD = ("unexpected_keyword_argument", "extra_forbidden")
HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    """Handle every error class in one shape."""
    app.add_exception_handler(VaultError, _vault_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_middleware(LastResort)


def error_response(
    status: int,
    code: str,
    message: str,
    argument: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer in the shape of every error."""
    body = encode(ErrorAnswer(ErrorDetail(code, message, argument)))
    return Response(body, status, headers, "application/json")


class LastResort:
    """Answers what nobody caught: the log has the traceback, the client a sentence without it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an answer that broke in the middle still breaks off."""
        begun = finished = gone = False

        async def listen() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or message["type"].endswith(".disconnect")
            return message

        async def watch(message: Message) -> None:
            nonlocal begun, finished
            await send(message)
            begun = True
            finished = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self.app(scope, listen, watch)
        except Exception as error:
            if scope["type"] not in ("http", "websocket"):
                raise
            if gone:  # who asked has left, which is what most often breaks an answer
                log.info("answer_abandoned", path=repr(scope["path"]), reason=repr(error))
                return
            log.error("answer_broke", path=repr(scope["path"]), reason=repr(error), exc_info=True)
            if begun and not finished and scope["type"] == "http":
                raise
            if begun:
                return
            response = error_response(500, "internal", "Something went wrong in this server; its log says what")
            await response(scope, receive, send)


async def _vault_error(request: Request, error: Exception) -> Response:
    status, code = next((status, code) for kind, status, code in STATUS if isinstance(error, kind))
    if status >= 500:
        log.warning("request_failed", path=repr(request.url.path), code=code, reason=str(error))
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(int(error.retry_after_seconds), 1))
    argument = error.argument if isinstance(error, InvalidInput) else None
    return error_response(status, code, str(error), argument, headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    named = [part for part in first["loc"] if isinstance(part, str) and part.isprintable()]  # others count characters
    argument = named[-1][:80] if named else None
    if first["type"] == "json_invalid":
        return error_response(422, "invalid_input", "body: is no JSON that can be read", "body")
    if first["type"] in UNKNOWN_FIELD:
        names = ", ".join(_known_fields(request, first["loc"]))
        told = f"{argument}: is no field that is known here" + (f"; they are {names}" if names else "")
        return error_response(422, "invalid_input", told, argument)
    message = str(first["msg"])
    return error_response(422, "invalid_input", f"{argument}: {message[:1].lower()}{message[1:]}", argument)


def _known_fields(request: Request, loc: Sequence[object]) -> list[str]:
    """The fields of the object in the body in which an unknown one stands; none where that cannot be told."""
    route = request.scope.get("route")
    bodies = route.dependant.body_params if isinstance(route, APIRoute) else []
    kind = _dataclass_in(bodies[0].field_info.annotation) if len(bodies) == 1 else None
    for name in loc[1:-1]:
        if isinstance(name, str) and kind is not None:  # a number is a place in a list of them
            kind = _dataclass_in(get_type_hints(kind).get(name))
    return [] if kind is None else [field.name for field in fields(kind)]


def _dataclass_in(kind: object) -> Any:
    """The dataclass itself, or that of `Entry | None` and `list[Entry]`; None where there is none."""
    if isinstance(kind, type) and is_dataclass(kind):
        return kind
    return next((found for each in get_args(kind) if (found := _dataclass_in(each)) is not None), None)


async def http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses, such as a method it does not know there."""
    assert isinstance(error, HTTPException)
    code = HTTP_CODES.get(error.status_code, "http_error")
    return error_response(error.status_code, code, str(error.detail), headers=error.headers)
