"""Who is let in, and what every answer carries."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import websockets
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse

from tests.api.live_server import LiveServer
from vaultdash.api.guards import POLICY, allowed_hosts, allowed_origins
from vaultdash.main import create_app
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings

FOREIGN = (
    "http://evil.com",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "null",
    "http://127.0.0.1.evil.com:{port}",
)
SOCKETS = ("/ws/updates", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket")
PATHS = (
    "/",
    "/hedge",
    "/health",
    "/docs",
    "/openapi.json",
    "/api/portfolio",
    "/api/strategies?spot=nan",
    "/api/nothing",
    "/nothing",
    "/static/vd/vault.css",
    "/static/vd/lightweight-charts.js",
    "/static/vd/none.css",
    "/_nicegui_ws/socket.io/?EIO=3",
    "/favicon.ico",
)


def test_a_server_answers_to_its_own_names_and_the_configured_ones() -> None:
    assert allowed_hosts(("https://gold.example:8443",)) == {"127.0.0.1", "localhost", "[::1]", "gold.example"}
    assert "http://127.0.0.1:8000" in allowed_origins(8000, ())
    assert "https://gold.example" in allowed_origins(8000, ("https://gold.example",))


@pytest.mark.parametrize(("host", "name"), [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("LOCALHOST", "localhost")])
def test_a_server_answers_to_the_host_it_listens_on(host: str, name: str) -> None:
    assert name in allowed_hosts((), host)
    assert f"http://{name}:8000" in allowed_origins(8000, (), host)


def test_port_80_is_not_written_in_an_origin() -> None:
    assert "http://localhost" in allowed_origins(80, ())


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_websocket_with_a_foreign_origin_is_refused(live_server: LiveServer, path: str, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(
            f"ws://127.0.0.1:{live_server.port}{path}", origin=origin.format(port=live_server.port), proxy=None
        )
    response = caught.value.response
    assert response.status_code == 403
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:{port}", "http://localhost:{port}"])
async def test_a_websocket_of_our_own_is_let_in(live_server: LiveServer, path: str, origin: str | None) -> None:
    own = origin and origin.format(port=live_server.port)
    url = f"ws://127.0.0.1:{live_server.port}{path}"
    async with websockets.connect(url, origin=own, proxy=None) as socket:  # type: ignore[arg-type]
        first = await asyncio.wait_for(socket.recv(), 20)
    assert "portfolio_update" in str(first) or str(first).startswith("0{")


@pytest.mark.parametrize(
    "path", ["/", "/health", "/static/vd/vault.css", "/static/docs/swagger-ui.css", "/ws", "/ws/updates/"]
)
async def test_a_websocket_elsewhere_is_told_that_there_is_none(live_server: LiveServer, path: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(f"ws://127.0.0.1:{live_server.port}{path}", proxy=None)
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize("host", ["evil.com", "evil.com:{port}", "127.0.0.1.evil.com", "", "127.0.0.1:1@evil.com"])
async def test_another_host_name_is_refused_everywhere(live_server: LiveServer, host: str) -> None:
    given = host.format(port=live_server.port)
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        for path in ("/", "/health", "/api/portfolio", "/static/vd/vault.css"):
            answer = await client.get(path, headers={"Host": given})
            assert answer.status_code == 421
            assert answer.json()["error"]["code"] == "foreign_host"
    with pytest.raises((websockets.InvalidStatus, websockets.InvalidMessage)):
        await websockets.connect(
            f"ws://127.0.0.1:{live_server.port}/ws/updates", additional_headers={"Host": given}, proxy=None
        )


async def test_what_writes_is_refused_from_a_foreign_origin(live_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for path in ("/", "/api/portfolio", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
                answer = await client.request(method, path, headers={"Origin": "http://evil.com"})
                assert answer.status_code == 403, path
                assert answer.json()["error"]["code"] == "foreign_origin"


async def test_reading_is_allowed_from_anywhere_but_shared_with_nobody(live_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        answer = await client.get("/api/portfolio", headers={"Origin": "http://evil.com"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


DATA = ("/api/history?symbol=GLD", "/api/nothing", "/health", "/docs", "/openapi.json")
IMAGE = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
FRAME = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FRIEND = "https://gold.example"


@pytest.mark.parametrize(
    "headers",
    [
        {**IMAGE, "Sec-Fetch-Site": "cross-site"},
        {**FRAME, "Sec-Fetch-Site": "cross-site"},
        {**FETCH, "Sec-Fetch-Site": "cross-site", "Origin": "http://evil.com"},
        {**FETCH, "Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {**FETCH, "Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_foreign_page_cannot_load_data_not_even_as_an_image(
    demo_settings: Callable[..., Settings], demo_vault: Vault, headers: dict[str, str]
) -> None:
    async with running_app(demo_settings(cors_origins=(FRIEND,)), demo_vault) as client:
        for method in ("GET", "HEAD", "OPTIONS"):
            for path in DATA:
                answer = await client.request(method, path, headers=headers)
                assert answer.status_code == 403, (method, path)
                assert method == "HEAD" or answer.json()["error"]["code"] == "foreign_origin"
        assert (await client.get("/static/docs/swagger-ui.css", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**LINK, "Sec-Fetch-Site": "none"},
        {**LINK, "Sec-Fetch-Site": "cross-site"},
        {**IMAGE, "Sec-Fetch-Site": "same-origin"},
        {**FETCH, "Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8000"},
        {**FETCH, "Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8000"},
        {**FETCH, "Sec-Fetch-Site": "cross-site", "Origin": FRIEND},
        {**FETCH, "Sec-Fetch-Site": "same-site", "Origin": FRIEND},
    ],
)
async def test_our_own_pages_friends_and_followed_links_may_load_data(
    demo_settings: Callable[..., Settings], demo_vault: Vault, headers: dict[str, str]
) -> None:
    async with running_app(demo_settings(cors_origins=(FRIEND,)), demo_vault) as client:
        for path in DATA:
            assert (await client.get(path, headers=headers)).status_code in (200, 404, 503), path


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_headers(live_server: LiveServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        for method, headers in (
            ("GET", {}),
            ("HEAD", {}),
            ("POST", {}),
            ("GET", {"Host": "evil.com"}),
            ("POST", {"Origin": "http://evil.com"}),
        ):
            answer = await client.request(method, path, headers=headers)
            assert answer.headers.get_list("x-content-type-options") == ["nosniff"], (method, headers)
            assert answer.headers.get_list("referrer-policy") == ["same-origin"]
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert answer.headers["cache-control"] == "no-store"
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/hedge", "/docs", "/nothing"])
async def test_only_our_own_scripts_carry_the_nonce_and_each_request_has_another(
    live_server: LiveServer, path: str
) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        first, second = await client.get(path), await client.get(path)
    nonces = [re.search(r"'nonce-([^']{20,})'", page.headers["content-security-policy"]) for page in (first, second)]
    assert nonces[0]
    assert nonces[1]
    assert nonces[0][1] != nonces[1][1]
    assert first.headers["content-security-policy"] == POLICY.format(nonce=nonces[0][1])
    tags = re.findall(r"<script\b[^>]*>", first.text)
    assert tags
    for tag in tags:
        outside = re.search(r'src="(https?:)?//', tag)
        assert not outside, tag
        assert f'nonce="{nonces[0][1]}"' in tag, tag
    assert first.text.count(nonces[0][1]) == len(tags)


@pytest.mark.parametrize(
    "injected",
    ["/?x=%0A<script>alert(1)</script>", "/%0A%3Cscript%3Ealert(1)%3C/script%3E", "/hedge?%0A%3Cscript%20src=x%3E=1"],
)
async def test_a_script_in_an_address_gets_no_nonce(live_server: LiveServer, injected: str) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        page = await client.get(injected)
    assert not re.search(r"<script[^>]*>alert", page.text)
    assert not re.search(r"<script[^>]* src=x", page.text)


async def test_head_is_answered_like_get_without_the_body(live_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False, timeout=30) as client:
        for path in ("/health", "/api/history?days=900", "/docs", "/openapi.json", "/static/vd/vault.css"):
            whole = await client.get(path, headers={"Accept-Encoding": "identity"})
            head = await client.head(path, headers={"Accept-Encoding": "identity"})
            assert (head.status_code, head.content) == (whole.status_code, b""), path
            if path != "/health":  # which holds an age
                assert head.headers["content-length"] == whole.headers["content-length"], path
        again = await client.get("/health")  # the connection is still in step
        assert again.status_code == 200


async def test_a_streamed_page_is_dressed_as_a_whole_and_other_streams_pass(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"<html>\n<scr", b"ipt>1</script>", b"\n</html>"):
            yield part

    async def page() -> StreamingResponse:
        return StreamingResponse(parts(), media_type="text/html", headers={"Content-Length": "36"})

    async def data() -> StreamingResponse:
        return StreamingResponse(parts(), media_type="application/octet-stream")

    async def inline() -> HTMLResponse:
        return HTMLResponse("<p>said: <script>alert(1)</script></p>")

    async with running_app(demo_settings(), demo_vault, page=page, data=data, inline=inline) as client:
        dressed = await client.get("/page")
        assert re.search(r'\n<script nonce="[^"]+">1</script>\n', dressed.text)
        assert int(dressed.headers["content-length"]) == len(dressed.content)
        assert (await client.get("/data")).content == b"<html>\n<script>1</script>\n</html>"
        assert "nonce" not in (await client.get("/inline")).text


async def test_a_configured_origin_may_read_and_no_other(
    demo_settings: Callable[..., Settings], demo_vault: Vault
) -> None:
    friend = "https://gold.example"
    async with running_app(demo_settings(cors_origins=(friend,)), demo_vault) as client:
        allowed = await client.get("/health", headers={"Origin": friend})
        assert allowed.headers["access-control-allow-origin"] == friend
        other = await client.get("/health", headers={"Origin": "https://evil.com"})
        assert "access-control-allow-origin" not in other.headers
        wish = {"Origin": friend, "Access-Control-Request-Method": "GET"}
        assert (await client.options("/api/portfolio", headers=wish)).status_code == 200
        refused = await client.options("/api/portfolio", headers={**wish, "Access-Control-Request-Method": "POST"})
        assert refused.status_code == 400
        assert (await client.get("/health", headers={"Host": "gold.example"})).status_code != 421
        assert (await client.post("/health", headers={"Origin": friend})).status_code == 405


async def test_a_configured_origin_may_open_the_websocket(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = LiveServer(tmp_path_factory.mktemp("cors"), CORS_ORIGINS="https://gold.example, http://lan:81").wait()
    try:
        url = f"ws://127.0.0.1:{server.port}"
        for path in SOCKETS:
            for origin in ("https://gold.example", "http://lan:81"):
                async with websockets.connect(url + path, origin=origin, proxy=None) as socket:  # type: ignore[arg-type]
                    assert await asyncio.wait_for(socket.recv(), 20)
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(url + path, origin="https://evil.com", proxy=None)  # type: ignore[arg-type]
    finally:
        server.stop()


@asynccontextmanager
async def running_app(
    settings: Settings, vault: Vault, **routes: Callable[..., object]
) -> AsyncIterator[httpx.AsyncClient]:
    app: FastAPI = create_app(settings, vault, pages=False)
    for name, endpoint in routes.items():
        app.add_api_route(f"/{name}", endpoint, response_model=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client:
        yield client
