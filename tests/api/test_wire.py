"""How connections end: refused handshakes are answered, and nothing keeps the server from stopping."""

import asyncio
from contextlib import suppress

import httpx
import pytest

from tests.api.live_server import LiveServer

UPGRADE = (
    "GET /ws/updates HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
UNREADABLE = ("Transfer-Encoding: chunked\r\n", "Content-Length: 10\r\n", "Cookie: " + "y" * 9000 + "\r\n")


async def answer_to(request: bytes, port: int) -> bytes:
    """All that the server says until it hangs up, which it must within five seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


@pytest.mark.parametrize("header", UNREADABLE)
async def test_a_handshake_that_cannot_be_read_is_refused_and_not_left_waiting(
    live_server: LiveServer, header: str
) -> None:
    said = await answer_to((UPGRADE + header + "\r\n").encode(), live_server.port)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"nosniff" in said


async def test_a_handshake_with_bytes_beyond_ascii_is_refused(live_server: LiveServer) -> None:
    said = await answer_to(
        UPGRADE.replace("/ws/updates", "/ws/\xff\xfe").encode("latin-1") + b"\r\n", live_server.port
    )
    assert said.startswith(b"HTTP/1.1 4")
    assert "Traceback" not in live_server.said()


async def test_an_upgrade_without_its_connection_header_is_a_plain_request(live_server: LiveServer) -> None:
    for path in ("/health", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"):
        request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n"
        status = (await answer_to(request.encode(), live_server.port)).split(b" ")[1]
        assert status == (b"200" if path == "/health" else b"400")


async def test_a_head_of_60_kb_is_read_and_one_of_megabytes_is_refused(live_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        assert (await client.get("/health", headers={"X-Long": "x" * 60_000})).status_code == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", live_server.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ")
    said = b""
    for _ in range(20):
        writer.write(b"x" * 60_000)
        with suppress(TimeoutError):
            said = await asyncio.wait_for(reader.readline(), 0.1)
            break
    assert said.startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_x_forwarded_headers_are_not_believed(live_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        page = await client.get("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "6.6.6.6"})
    assert "https://127.0.0.1" not in page.text


async def test_requests_in_one_packet_are_answered_in_order(live_server: LiveServer) -> None:
    one = b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"
    said = await answer_to(
        one % (b"health", b"") + one % (b"api/none", b"") + one % (b"docs", b"Connection: close\r\n"),
        live_server.port,
    )
    assert [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]] == [200, 404, 200]
