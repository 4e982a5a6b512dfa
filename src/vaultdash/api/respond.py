"""Sends an answer as JSON: encoded once by orjson, with an ETag so that an unchanged answer costs nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from fastapi import Request, Response

T = TypeVar("T")
R = TypeVar("R")
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def encode(payload: object) -> bytes:
    """JSON bytes of dataclasses, dates and numbers; NaN and infinity become null."""
    return orjson.dumps(payload, option=OPTIONS)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer ready to be sent, with its tag, which is weak, as gzip may follow."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, payload: object) -> "Encoded":
        """Encode an answer."""
        body = encode(payload)
        return cls(body, f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


class Remembered(Generic[T, R]):
    """What was made of objects that never change, for the last few of them."""

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._kept: dict[int, tuple[T, R]] = {}  # by identity, which is safe as the object is kept, too

    def of(self, source: T, make: Callable[[T], R]) -> R:
        """What `make(source)` is; made once for the same object."""
        kept = self._kept.pop(id(source), None) or (source, make(source))
        self._kept[id(source)] = kept  # the last used stands last
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return kept[1]


def respond(request: Request, payload: object, status: int = 200) -> Response:
    """The answer, or 304 when the client holds the same content already."""
    answer = payload if isinstance(payload, Encoded) else Encoded.of(payload)
    headers = {"ETag": answer.tag, "Cache-Control": "no-cache"}
    if status == 200 and _holds(request.headers.get("if-none-match", ""), answer.tag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, status, headers, "application/json")


def written(payload: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The answer to a change, which nobody keeps."""
    return Response(encode(payload), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def _holds(condition: str, tag: str) -> bool:
    known = {part.strip().removeprefix("W/") for part in condition.split(",")}
    return "*" in known or tag.removeprefix("W/") in known
