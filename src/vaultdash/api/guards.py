"""Stands before everything: foreign hosts and origins are refused, and every answer carries its security headers."""

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SCRIPT_TAG = re.compile(rb"(?m)^([ \t]*)<script\b")
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self' data:; worker-src 'self'; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)


def allowed_origins(port: int, configured: tuple[str, ...]) -> frozenset[str]:
    """The origins this server answers: its own loopback names at its port, and the configured ones."""
    return frozenset({f"http://{name}:{port}" for name in LOOPBACK_NAMES} | set(configured))


def allowed_hosts(configured: tuple[str, ...]) -> frozenset[str]:
    """The host names this server answers, without port."""
    return frozenset(set(LOOPBACK_NAMES) | {_host_name(urlsplit(origin).netloc) for origin in configured})


class OriginGuard:
    """Refuses a foreign Host (DNS rebinding) and, for WebSockets and writes, a foreign Origin."""

    def __init__(self, app: ASGIApp, *, origins: frozenset[str], hosts: frozenset[str]) -> None:
        self.app = app
        self.origins = origins
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 403 (421 for a host that is not ours)."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if _host_name(headers.get("host", "")) not in self.hosts:
            return await _refuse(scope, receive, send, 421, "This server does not answer to that host name.")
        origin = headers.get("origin")
        guarded = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if guarded and origin is not None and origin not in self.origins:
            return await _refuse(scope, receive, send, 403, "Requests from another origin are refused.")
        return await self.app(scope, receive, send)


class SecurityHeaders:
    """Adds the headers; gives each page a nonce and puts it on the script tags that begin a line of the template."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress its answer."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started: Message | None = None
        body = bytearray()
        nonce = secrets.token_urlsafe(16)

        async def dress(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
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
            MutableHeaders(raw=started["headers"])["Content-Length"] = str(len(page))
            await send(started)
            return await send({"type": "http.response.body", "body": page})

        return await self.app(scope, receive, dress)


def _host_name(host: str) -> str:
    name = host.rsplit(":", 1)[0] if re.search(r":\d+$", host) else host
    return name.lower()


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    await PlainTextResponse(reason, status)(scope, receive, send)
