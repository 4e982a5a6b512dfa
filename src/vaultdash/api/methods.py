"""What endpoints take: HEAD is answered like GET, and a method, body or query that one does not know is refused."""

from collections.abc import Sequence
from re import Pattern
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vaultdash.api.errors import error_response

READING = ("GET", "HEAD")
WITH_BODY = ("POST", "PUT", "PATCH")
JSON = "application/json"
MOST_BODY_BYTES = 1_000_000
LONGEST_NAME = 80
STRICT = "/api/"  # monitors add what they like to what they watch


class Taken(NamedTuple):
    """What one route takes: a pattern of paths, methods, the media types of its body, the names of its query."""

    path: Pattern[str]
    methods: frozenset[str]
    media: frozenset[str]
    names: frozenset[str]


class Methods:
    """Guards the paths given, or with a slash at the end the beginnings of paths; others pass untouched.

    405 with `Allow` for a method that the endpoint does not take, 415 for a body that is not of its kind (JSON,
    unless the route names another), 413 for one above 1 MB, 422 below /api/ for a parameter that it does not know:
    one that is misspelt would else be passed over, and the answer be to another question.
    """

    def __init__(self, app: ASGIApp, *, paths: tuple[str, ...], most_bytes: int = MOST_BODY_BYTES) -> None:
        self.app = app
        self.paths = paths
        self.most_bytes = most_bytes
        self._routes: tuple[Taken, ...] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; the server leaves the body out for HEAD."""
        if scope["type"] != "http" or not self._is_ours(scope["path"]):
            return await self.app(scope, receive, send)
        if self._routes is None:
            self._routes = taken_by(scope["app"].router.routes)
        here = [route for route in self._routes if route.path.match(scope["path"])]
        asked = [route for route in here if scope["method"] in route.methods]
        if not asked and (here or scope["method"] not in READING):  # unknown paths may be read
            told = ", ".join(sorted(frozenset().union(*(route.methods for route in here)) or READING))
            headers = {"Allow": told}
            refusal = error_response(405, "method_not_allowed", f"Only {told} can be used here", headers=headers)
            return await refusal(scope, receive, send)
        strange = _strange(scope, asked) if scope["path"].startswith(STRICT) else None
        if strange is not None:
            return await strange(scope, receive, send)
        if scope["method"] == "HEAD":
            return await self.app({**scope, "method": "GET"}, receive, send)
        if scope["method"] not in WITH_BODY:
            return await self.app(scope, receive, send)
        media = frozenset(kind for route in asked for kind in route.media)
        return await self._with_body(scope, receive, send, media)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send, media: frozenset[str]) -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self.most_bytes:
            return await self._too_large(scope, receive, send)
        body = await self._body(receive)
        if body is None:
            return await self._too_large(scope, receive, send)
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if body and kind not in media:
            wanted = " or ".join(sorted(media))
            refusal = error_response(
                415, "unsupported_media_type", f"The body must be sent as Content-Type: {wanted}"
            )
            return await refusal(scope, receive, send)
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        return await self.app(scope, replay, send)

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body; None when it is too large. Of a client that left, what had come."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.most_bytes:
                return None
            if message["type"] != "http.request" or not message.get("more_body"):
                return b"".join(parts)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = error_response(
            413,
            "too_large",
            f"The body must have at most {self.most_bytes:,} bytes",
            headers={"Connection": "close"},  # what is left of it is not read
        )
        await refusal(scope, receive, send)

    def _is_ours(self, path: str) -> bool:
        return any(path == known or (known.endswith("/") and path.startswith(known)) for known in self.paths)


def taken_by(routes: Sequence[BaseRoute]) -> tuple[Taken, ...]:
    """What the routes of an application take; a route for any path, which says that there is none, does not count."""
    found = []
    for route in iter_route_contexts(routes):
        path, methods = getattr(route, "path_regex", None), route.methods
        if path is None or not methods or "{rest:path}" in (route.path or ""):
            continue
        extra: dict[str, Any] = getattr(route, "openapi_extra", None) or {}
        media = frozenset(extra.get("requestBody", {}).get("content", {JSON: None}))
        dependant = getattr(route, "dependant", None)
        names = () if dependant is None else dependant.query_params  # ours depend on nothing else
        allowed = frozenset(methods) | ({"HEAD"} if "GET" in methods else frozenset())
        found.append(Taken(path, allowed, media, frozenset(field.alias for field in names)))
    return tuple(found)


def _strange(scope: Scope, asked: Sequence[Taken]) -> Response | None:
    """The refusal of the first parameter that none of the routes knows."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    known = sorted({name for route in asked for name in route.names})
    unknown = next((name for name, _ in query if name not in known), None)
    if unknown is None or not asked:
        return None
    shown = unknown[:LONGEST_NAME] if unknown.isprintable() else "(unreadable)"
    takes = f"known are {', '.join(known)}" if known else "this endpoint takes none"
    return error_response(422, "invalid_input", f"{shown} is no parameter here; {takes}", shown)
