"""The house as a whole, on the demo market, for tests of its faces."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI

from tests.api.live_server import LiveServer
from tests.builders import NOON
from tests.conftest import BASE_URL
from tests.new_york import HOURS
from vaultdash.bootstrap import build_vault
from vaultdash.clock import NewYorkHours
from vaultdash.main import create_app
from vaultdash.services.pricing_kernels import share_machine_code
from vaultdash.services.vault import Vault
from vaultdash.settings import Settings
from vaultdash.storage.sql import SqlDatabase

share_machine_code()  # with the other processes of the run
SHARED_DATA = Path(__file__).parents[1] / ".." / "shared" / "data"
PLAIN_NAMES = ("WEBSOCKET_INTERVAL_SECONDS", "CORS_ORIGINS", "ENVIRONMENT")


@pytest.fixture(scope="session")
def new_york() -> NewYorkHours:
    """The calendar, loaded once."""
    HOURS.warm()
    return HOURS


@pytest.fixture
def demo_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings of the demo market and a new data directory; nothing of the machine's own gets in."""
    for name in list(os.environ):
        if name in PLAIN_NAMES or (name.startswith("VAULT_") and name != "VAULT_CHROMIUM"):
            monkeypatch.delenv(name)

    def make(**given: object) -> Settings:
        usual: dict[str, object] = {"_env_file": None, "market": "demo", "data_dir": tmp_path / "data"}
        return Settings(**{**usual, **given})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of this release and nothing in them, to be copied: to make them takes longer."""
    file = tmp_path_factory.mktemp("empty") / "vault.db"

    async def make() -> None:
        made = SqlDatabase(f"sqlite:///{file}")
        await made.open()
        await made.aclose()

    asyncio.run(make())
    return file


@pytest.fixture
async def demo_vault(
    demo_settings: Callable[..., Settings], new_york: NewYorkHours, empty_database: Path
) -> AsyncIterator[Vault]:
    """A Vault on the demo market at noon of a trading day; no beat yet."""
    settings = demo_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy(empty_database, settings.data_dir / "demo.db")
    vault = build_vault(settings, now=lambda: NOON, hours=new_york)
    yield vault
    await vault.aclose()


@pytest.fixture
async def api_app(demo_settings: Callable[..., Settings], demo_vault: Vault) -> AsyncIterator[FastAPI]:
    """The application without pages, running, with its first price."""
    app = create_app(demo_settings(), demo_vault, pages=False)
    async with app.router.lifespan_context(app):
        async with asyncio.timeout(10):
            await anext(aiter(demo_vault.heartbeat.feed.follow()))
        yield app


@pytest.fixture
async def api_client(api_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the application without a network."""
    transport = httpx.ASGITransport(api_app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def shared_data() -> Path:
    """Real market data, when it is there."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the shared market data")
    return SHARED_DATA.resolve()


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server in a process of its own, for all tests that need real sockets."""
    server = LiveServer(tmp_path_factory.mktemp("live"), WEBSOCKET_INTERVAL_SECONDS="0.5").wait()
    yield server
    code, _ = server.stop()
    assert code == 0, server.said()


@pytest.fixture
async def database(tmp_path: Path, empty_database: Path) -> AsyncIterator[SqlDatabase]:
    """An empty database in a SQLite file of its own, open."""
    shutil.copy(empty_database, tmp_path / "vault.db")
    opened = SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}")
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture(autouse=True)
def usual_logs() -> Iterator[None]:
    """A command run in this process sets up its own logs; the next test has the usual ones again."""
    yield
    structlog.reset_defaults()
