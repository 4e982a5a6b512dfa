"""Maps errors to HTTP: the domain knows no status, and no answer echoes the input."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from vaultdash.api.respond import encode
from vaultdash.api.schemas import ErrorAnswer, ErrorDetail
from vaultdash.domain.errors import InvalidInput, NotFound, ProviderError, RateLimited, Refused, VaultError

log = structlog.get_logger()
STATUS: tuple[tuple[type[VaultError], int, str], ...] = (
    (InvalidInput, 422, "invalid_input"),
    (NotFound, 404, "not_found"),
    (Refused, 409, "refused"),
    (RateLimited, 503, "rate_limited"),
    (ProviderError, 503, "provider_unavailable"),
    (VaultError, 500, "internal"),
)


def install(app: FastAPI) -> None:
    """Handle every error class in one shape."""
    app.add_exception_handler(VaultError, _vault_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


def _answer(
    status: int, code: str, message: str, argument: str | None = None, retry: float | None = None
) -> Response:
    body = encode(ErrorAnswer(ErrorDetail(code, message, argument)))
    headers = {} if retry is None else {"Retry-After": str(max(int(retry), 1))}
    return Response(body, status, headers, "application/json")


async def _vault_error(request: Request, error: Exception) -> Response:
    status, code = next((status, code) for kind, status, code in STATUS if isinstance(error, kind))
    if status >= 500:
        log.warning("request_failed", path=request.url.path, code=code, reason=str(error))
    retry = error.retry_after_seconds if isinstance(error, RateLimited) else None
    argument = error.argument if isinstance(error, InvalidInput) else None
    return _answer(status, code, str(error), argument, retry)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    argument = str(first["loc"][-1]) if first["loc"] else None
    message = str(first["msg"])
    return _answer(422, "invalid_input", f"{argument}: {message[:1].lower()}{message[1:]}", argument)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, "not_found" if error.status_code == 404 else "http_error", str(error.detail))
