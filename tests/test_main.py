"""The server as a process: how it begins, what stops it from beginning, and how it ends."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import websockets
from structlog.testing import capture_logs

from tests.api.live_server import LiveServer, free_port, vault_dash
from tests.api.test_wire import UNREADABLE, UPGRADE
from vaultdash.main import create_app, listen, require_loopback
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings, SettingsError


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "192.168.1.5", "::", "gold.example", "", "127.0.0.1.evil.com", "2130706433"]
)
def test_another_address_than_this_computers_own_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="without authentication"):
        require_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_this_computers_own_addresses_are_allowed(host: str) -> None:
    require_loopback(host)


def test_an_application_for_the_outside_is_not_even_made(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    with pytest.raises(SettingsError):
        create_app(demo_settings(host="0.0.0.0"), demo_vault, pages=False)


def test_a_taken_port_is_a_sentence(demo_settings: Callable[..., Settings]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"VAULT_PORT {port} on 127.0.0.1 .*another program"):
            listen(demo_settings(port=port))


def test_an_address_this_computer_has_not_is_a_sentence(
    demo_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_server", _refuse)
    with pytest.raises(SettingsError, match="VAULT_PORT 80 on ::1 cannot be used: Cannot assign requested address"):
        listen(demo_settings(host="::1", port=80))


def test_serving_the_outside_ends_at_once_with_a_sentence(tmp_path: Path) -> None:
    ended = vault_dash("serve", folder=tmp_path, VAULT_HOST="0.0.0.0", VAULT_PORT=str(free_port()))
    assert ended.returncode == 2
    assert "VAULT_HOST is '0.0.0.0'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("port", ["abc", "0", "70000", "80.5"])
def test_a_wrong_port_is_named_and_ends_the_start(tmp_path: Path, port: str) -> None:
    ended = vault_dash("serve", folder=tmp_path, VAULT_PORT=port)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"VAULT_PORT is '{port}'")
    assert "Traceback" not in ended.stderr


def test_starting_twice_says_so_and_leaves_the_first_alone(live_server: LiveServer, tmp_path: Path) -> None:
    ended = vault_dash("serve", "--port", str(live_server.port), folder=tmp_path)
    assert ended.returncode == 2
    assert "Is the dashboard running already?" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""  # no address that leads to the other one
    assert httpx.get(f"{live_server.url}/health", trust_env=False, timeout=30).status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_with_100_open_sockets_it_stops_within_ten_seconds(tmp_path: Path, how: int) -> None:
    server = LiveServer(tmp_path, WEBSOCKET_INTERVAL_SECONDS="0.5").wait()
    url = f"ws://127.0.0.1:{server.port}"
    pages = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    clients = await asyncio.gather(
        *(websockets.connect(url + path, proxy=None) for path in ["/ws/updates"] * 60 + [pages] * 20)
    )
    idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(20)]
    for _, writer in idle[:10]:  # handshakes that never come to an end
        writer.write((UPGRADE + UNREADABLE[0] + "\r\n").encode())
    code, took = await asyncio.to_thread(server.stop, how)
    for _, writer in idle:
        writer.close()
    assert code == 0
    assert took < 10
    assert "Traceback" not in server.said()
    await clients[0].wait_closed()
    assert clients[0].close_code == 1012  # the service restarts: a page knows to come back


async def test_a_client_that_does_not_read_cannot_keep_it_from_stopping(tmp_path: Path) -> None:
    server = LiveServer(tmp_path).wait()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    for _ in range(400):  # answers of 50 kB that nobody takes
        writer.write(b"GET /api/history?days=9000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await asyncio.sleep(1)
    code, took = await asyncio.to_thread(server.stop)
    writer.close()
    assert code == 0
    assert took < 10


def test_it_prints_its_address_first(live_server: LiveServer) -> None:
    assert live_server.process.stdout is not None
    line = live_server.process.stdout.readline().decode()
    assert line.startswith(f"Vault Dashboard: {live_server.url}  (market: demo")


def test_a_quiet_run_says_nothing_on_standard_error(live_server: LiveServer) -> None:
    httpx.get(f"{live_server.url}/nothing", trust_env=False, timeout=30)
    httpx.get(f"{live_server.url}/api/portfolio?symbol=NOSUCH", trust_env=False, timeout=30)
    assert "error" not in live_server.said()
    assert "nothing" not in live_server.said()


async def test_a_start_that_fails_is_logged_and_the_house_stays_up(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("no calendar today")

    demo_vault.warm = broken
    app = create_app(demo_settings(), demo_vault, pages=False)
    with capture_logs() as logged:
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0.05)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                assert (await client.get("/health")).status_code in (200, 503)
    said = [line for line in logged if line["event"] == "start_failed"]
    assert [line["reason"] for line in said] == ["ZeroDivisionError('no calendar today')"]


def test_what_the_pages_do_not_need_is_not_loaded_and_can_be_loaded_after_them() -> None:
    code = (
        "import sys, vaultdash.ui\n"
        "from vaultdash.ui import CLIENTS\n"
        "assert not set(CLIENTS) & set(sys.modules), set(CLIENTS) & set(sys.modules)\n"
        "import redis.asyncio, requests\n"
        "from vaultdash.cache.redis import RedisCache\n"
        "RedisCache('redis://127.0.0.1:1', b'x' * 32)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_what_is_loaded_before_the_pages_stays_as_it_was() -> None:
    code = (
        "import sys, redis.asyncio\n"
        "before = redis, redis.asyncio\n"
        "import vaultdash.ui\n"
        "assert (sys.modules['redis'], sys.modules['redis.asyncio']) == before\n"
        "assert 'aiohttp' not in sys.modules\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_page_that_is_written_to_refuses_in_the_shape_of_every_error(live_server: LiveServer) -> None:
    answer = httpx.put(f"{live_server.url}/", trust_env=False, timeout=30)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert "GET" in answer.headers["allow"]
    page = httpx.get(f"{live_server.url}/nothing", trust_env=False, timeout=30)
    assert page.headers["content-type"].startswith("text/html")


def _refuse(*_: object, **__: object) -> socket.socket:
    raise OSError(99, "Cannot assign requested address")
