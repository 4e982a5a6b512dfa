"""The owner's browser: the service worker as it is served, toasts and the bell in every tab, a phone."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard, demo_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
PATIENCE = 60_000.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A loan that the first demo price brings over its limits."""
    settings = {"VAULT_UNITS": "2174", "VAULT_LOAN_AMOUNT": "800000"}
    with demo_dashboard(tmp_path_factory.mktemp("watched"), **settings) as running:
        yield running


async def test_the_service_worker_answers_for_every_page_and_loads_nothing_else(watched: Dashboard) -> None:
    answer = watched.get("/service-worker.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["service-worker-allowed"] == "/"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
    assert "importScripts" not in answer.text
    assert watched.get("/static/vd/manifest.webmanifest").json()["scope"] == "/"


async def test_every_tab_tells_of_an_alert_and_one_answer_counts_in_all(browser: Browser, watched: Dashboard) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    first, second = Visitor(await context.new_page()), Visitor(await context.new_page())
    await first.page.goto(watched.url + "/")
    await second.page.goto(watched.url + "/alerts")
    for visitor in (first, second):
        bell = visitor.page.get_by_role("button", name="Alerts: 1 wait")
        await expect(bell).to_be_visible(timeout=PATIENCE)
    await second.page.get_by_role("button", name="Acknowledge").first.click()
    for visitor in (first, second):
        await expect(visitor.page.get_by_role("button", name="Alerts: none waits")).to_be_visible(timeout=PATIENCE)
    added = await second.page.evaluate(
        "async () => (await (await fetch('/api/alerts/channels', {method: 'POST', headers: "
        "{'Content-Type': 'application/json'}, body: JSON.stringify({kind: 'console', name: 'log', address: ''})})"
        ").json()).id"
    )
    await second.page.evaluate("id => fetch(`/api/alerts/channels/${id}/test`, {method: 'POST'})", added)
    for visitor in (first, second):
        await expect(visitor.page.locator(".vd-toast")).to_contain_text("Test: a message to log", timeout=PATIENCE)
        assert visitor.complaints == []
        assert all(url.split("/")[2] == watched.url.split("/")[2] for url in visitor.requests)
    await context.close()


async def test_on_a_phone_everything_is_reached_without_scrolling_sideways(
    phone: Visitor, watched: Dashboard
) -> None:
    page = phone.page
    await page.goto(watched.url + "/alerts")
    await expect(page.get_by_text("Add a rule")).to_be_visible(timeout=PATIENCE)
    await page.evaluate("document.querySelector('details.vd-add').open = true")
    await expect(page.get_by_role("button", name="Notify this browser")).to_be_visible(timeout=PATIENCE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.complaints == []
