"""Sends an answer as JSON: encoded once by orjson, with an ETag so that an unchanged answer costs nothing."""

import hashlib

import orjson
from fastapi import Request, Response

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def encode(payload: object) -> bytes:
    """JSON bytes of dataclasses, dates and numbers; NaN and infinity become null."""
    return orjson.dumps(payload, option=OPTIONS)


def respond(request: Request, payload: object, status: int = 200) -> Response:
    """The answer, or 304 when the client holds the same content already; the tag is weak, as gzip may follow."""
    body = encode(payload)
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if status == 200 and _holds(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, "application/json")


def _holds(condition: str, tag: str) -> bool:
    known = {part.strip().removeprefix("W/") for part in condition.split(",")}
    return "*" in known or tag.removeprefix("W/") in known
