"""How uvicorn treats connections here: a bounded request head, and clients that take nothing are cut off."""

from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST_HEAD_BYTES = 65_536
MOST_MESSAGE_BYTES = 1_000_000
PING_SECONDS = 5.0
PLAIN = b"x-content-type-options: nosniff\r\nreferrer-policy: same-origin\r\n"
CLOSING = b"content-length: 0\r\nconnection: close\r\n" + PLAIN + b"\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\n" + CLOSING
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + CLOSING


def wire_config(app: ASGIApp, **given: Any) -> uvicorn.Config:
    """uvicorn for this house: one process, no access log, sockets that answer no ping for 10 s are closed."""
    usual: dict[str, Any] = {
        "http": HttpWire,
        "ws": WebSocketWire,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "ws_max_size": MOST_MESSAGE_BYTES,
        "ws_per_message_deflate": False,  # one host: compressing for each client costs more than it saves
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": 5,
    }
    return uvicorn.Config(app, **{**usual, **given})


class HttpWire(HttpToolsProtocol):
    """HTTP with a limit on the request line and the headers together; the parser itself has none."""

    _in_head = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """The head is whole; an upgrade that is none is left out, since Engine.IO would take it for a WebSocket."""
        self._in_head = False
        if not (self.parser.should_upgrade() and self._should_upgrade()):
            self.headers[:] = [(name, value) for name, value in self.headers if name != b"upgrade"]
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a head that goes on for too long ends the connection."""
        before = self._in_head
        super().data_received(data)
        if before and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(HEAD_TOO_LARGE)
                self.transport.close()


class WebSocketWire(WebSocketsSansIOProtocol):
    """WebSockets whose dead clients are let go at once: closing politely would wait for them to read."""

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a handshake it cannot read is refused, where uvicorn would leave the client waiting."""
        try:
            super().data_received(data)
        except UnicodeError:
            self._refuse()
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self._refuse()

    def keepalive_timeout(self) -> None:
        """No pong: nobody is there."""
        super().keepalive_timeout()
        self.transport.abort()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; a handshake refused with an answer is complete, which uvicorn would otherwise log as an error."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Serve the client; if it took nothing to the end, it takes no farewell either."""
        await super().run_asgi()
        if not self.writable.is_set():
            self.transport.abort()

    def shutdown(self) -> None:
        """Say that the server ends; do not wait for a client that does not read or never shook hands."""
        if self.handshake_initiated and self.writable.is_set():
            super().shutdown()
            return
        self.stop_keepalive()
        self.transport.abort()

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(BAD_REQUEST)
            self.transport.close()
