"""Stands before everything: foreign hosts and origins are refused, and every answer carries its security headers."""

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vaultdash.api.errors import error_response

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SCRIPT_TAG = re.compile(rb"(?m)^([ \t]*)<script\b")
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self' data:; worker-src 'self'; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)


def allowed_origins(port: int, configured: tuple[str, ...], host: str = "127.0.0.1") -> frozenset[str]:
    """The origins this server answers: its loopback names and its own host at its port, and the configured ones."""
    own = {f"http://{name}:{port}" for name in (*LOOPBACK_NAMES, url_host(host))}
    if port == 80:
        own |= {origin.removesuffix(":80") for origin in own}
    return frozenset(own | set(configured))


def allowed_hosts(configured: tuple[str, ...], host: str = "127.0.0.1") -> frozenset[str]:
    """The host names this server answers, without port."""
    named = {_host_name(urlsplit(origin).netloc) for origin in configured}
    return frozenset({*LOOPBACK_NAMES, url_host(host)} | named)


def url_host(host: str) -> str:
    """A host as a URL writes it: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host.lower()


class OriginGuard:
    """Refuses a foreign Host (DNS rebinding) and, for WebSockets and writes, a foreign Origin.

    `sockets` are the paths, or with a slash at the end the beginnings of paths, at which a WebSocket may knock;
    `data` are those which no page of another site may load, not even as an image: it would spend our requests.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        origins: frozenset[str],
        hosts: frozenset[str],
        sockets: tuple[str, ...],
        data: tuple[str, ...] = (),
    ) -> None:
        self.app = app
        self.origins = origins
        self.hosts = hosts
        self.sockets = sockets
        self.data = data

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it: 421 another host than ours, 403 a foreign origin, 404 no such socket."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        named = headers.getlist("host")
        if len(named) != 1 or _host_name(named[0]) not in self.hosts:
            return await refuse(
                scope, receive, send, 421, "foreign_host", "This server does not answer to that host name"
            )
        guarded = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        foreign = any(origin not in self.origins for origin in headers.getlist("origin"))
        if (guarded and foreign) or (_is_among(scope["path"], self.data) and _is_embedded(headers, foreign)):
            return await refuse(
                scope, receive, send, 403, "foreign_origin", "Requests from another origin are refused"
            )
        if scope["type"] == "websocket" and not _is_among(scope["path"], self.sockets):
            return await refuse(scope, receive, send, 404, "not_found", "There is no WebSocket here")
        return await self.app(scope, receive, send)


class SecurityHeaders:
    """Adds the headers; gives each page a nonce and puts it on the script tags that begin a line of the template."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress its answer."""
        if scope["type"] == "websocket":
            return await self.app(scope, receive, _refusal_dresser(scope, send))
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started: Message | None = None
        body = bytearray()
        nonce = secrets.token_urlsafe(16)

        async def dress(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                headers = _protect(message)
                if not headers.get("content-type", "").startswith("text/html"):
                    return await send(message)
                headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
                headers["Cache-Control"] = "no-store"
                started = message
                return None
            if started is None:
                return await send(message)
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return None
            page = SCRIPT_TAG.sub(rb'\1<script nonce="' + nonce.encode() + rb'"', bytes(body))
            if page or scope["method"] != "HEAD":  # the length of a page that was not made is unknown
                MutableHeaders(scope=started)["Content-Length"] = str(len(page))
            await send(started)
            return await send({"type": "http.response.body", "body": page})

        return await self.app(scope, receive, dress)


def _refusal_dresser(scope: Scope, send: Send) -> Send:
    """A refused handshake is an HTTP answer and carries the headers, too."""
    accepted = False

    async def dress(message: Message) -> None:
        nonlocal accepted
        accepted = accepted or message["type"] == "websocket.accept"
        if message["type"] == "websocket.http.response.start":
            _protect(message)
        elif message["type"] == "websocket.close" and not accepted and _can_explain(scope):
            start: Message = {"type": "websocket.http.response.start", "status": 403, "headers": []}
            _protect(start)
            await send(start)
            message = {"type": "websocket.http.response.body", "body": b""}
        await send(message)

    return dress


def _protect(message: Message) -> MutableHeaders:
    headers = MutableHeaders(scope=message)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    return headers


def _host_name(host: str) -> str:
    name = host.rsplit(":", 1)[0] if re.search(r":\d+$", host) else host
    return name.lower()


def _is_among(path: str, paths: tuple[str, ...]) -> bool:
    return any(path == known or (known.endswith("/") and path.startswith(known)) for known in paths)


def _is_embedded(headers: Headers, foreign: bool) -> bool:
    """True when a browser says that a foreign page loads this; a link that somebody follows does not count."""
    if headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document":
        return False
    site = headers.get("sec-fetch-site")
    unnamed = "origin" not in headers  # an image, a script or a frame: its page is not told
    return (site == "cross-site" and (foreign or unnamed)) or (site == "same-site" and foreign)


def _can_explain(scope: Scope) -> bool:
    return "websocket.http.response" in (scope.get("extensions") or {})


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, code: str, reason: str) -> None:
    """Answer with an error; a WebSocket's handshake gets it as an HTTP answer where the server can send one."""
    if scope["type"] == "websocket" and not _can_explain(scope):
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    await error_response(status, code, reason)(scope, receive, send)
