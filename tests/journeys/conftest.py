"""One browser and one demo dashboard for all journeys."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from scripts.setup import find_chromium

from tests.journeys.servers import Dashboard, demo_dashboard

expect.set_options(timeout=20_000)  # for what must come; a busy machine takes its time
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A journey has longer than other tests: a browser and a server of its own share the machine with all others."""
    for item in items:
        if item.path.parent.name == "journeys" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    directory: Path = tmp_path_factory.mktemp("dashboard")
    with demo_dashboard(directory) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = find_chromium()
    assert path is not None, "no Chromium: run `make test`, or set VAULT_CHROMIUM"
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        await running.close()


class Visitor:
    """A person with a browser: every request and every complaint of the page is noted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser) -> AsyncIterator[Visitor]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    yield Visitor(await context.new_page())
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser) -> AsyncIterator[Visitor]:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    yield Visitor(await context.new_page())
    await context.close()
