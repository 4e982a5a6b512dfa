"""The feed is off for an hour: what pages, alerts, API, history and WebSocket say of it, and of its end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, expect
from websockets.asyncio.client import ClientConnection, connect

from tests.journeys.servers import YahooDashboard, yahoo_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PATIENCE = 40_000


@pytest.fixture(scope="module")
def yahoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooDashboard]:
    with yahoo_dashboard(tmp_path_factory.mktemp("off")) as running:
        yield running


@pytest.fixture(scope="module")
def unheard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooDashboard]:
    """A dashboard whose Yahoo has never answered: DEMO stands in."""
    directory: Path = tmp_path_factory.mktemp("unheard")
    (directory / "switch").write_text("dead 460.0 0 first.crumb")
    with yahoo_dashboard(directory, market="auto") as running:
        yield running


@asynccontextmanager
async def listening(yahoo: YahooDashboard) -> AsyncIterator[ClientConnection]:
    address = yahoo.dashboard.url.replace("http", "ws") + "/ws/updates"
    async with connect(address, proxy=None) as client:
        yield client


async def heard(client: ClientConnection, kind: str, wanted: Any, seconds: float = PATIENCE / 1000) -> dict[str, Any]:
    """The first message of a type that is as wanted."""
    async with asyncio.timeout(seconds):
        while True:
            message = dict(orjson.loads(await client.recv()))
            if message["type"] == kind and wanted(message):
                return message


async def every_page(browser: Browser, yahoo: YahooDashboard) -> tuple[Any, list[str]]:
    """A page, and the addresses of all of them."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
    await page.goto(yahoo.dashboard.url)
    links = page.locator(".vd-nav a")
    await expect(links.first).to_be_visible(timeout=PATIENCE)
    return page, [str(await link.get_attribute("href")) for link in await links.all()]


async def asked(yahoo: YahooDashboard, path: str) -> dict[str, Any]:
    answer = await asyncio.to_thread(yahoo.dashboard.get, path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def until(yahoo: YahooDashboard, path: str, wanted: Any, seconds: float = PATIENCE / 1000) -> dict[str, Any]:
    """An answer of the API that is as wanted."""
    async with asyncio.timeout(seconds):
        while True:
            answer = await asked(yahoo, path)
            if wanted(answer):
                return answer
            await asyncio.sleep(0.2)


async def test_an_hour_without_a_price_is_said_everywhere_and_so_is_its_end(
    browser: Browser, yahoo: YahooDashboard
) -> None:
    await until(yahoo, "/api/portfolio", lambda answer: answer["quote"]["freshness"] == "live")
    page, addresses = await every_page(browser, yahoo)
    assert {"/", "/options", "/hedge", "/history", "/alerts", "/settings"} <= set(addresses)
    async with listening(yahoo) as client:
        await heard(client, "portfolio_update", lambda message: message["quote"]["stale"] is False)

        yahoo.tell(scenario="dead", hours_later=1)
        quote = await heard(client, "quote", lambda message: message["quote"]["stale"])
        assert quote["quote"]["price"] == 460.0
        assert quote["quote"]["age_seconds"] >= 3600
        alert = await heard(client, "alert", lambda message: message["event"]["kind"] == "raised")
        assert alert["event"]["metric"] == "stale_data"
        health = await heard(client, "health", lambda message: message["status"] == "degraded")
        assert health["dependencies"]["yahoo"] != "ok"
        update = await heard(client, "portfolio_update", lambda message: message["quote"]["stale"])
        assert update["quote"]["freshness"] == "stale"
        assert update["problem"]

        await the_api_says_it(yahoo, alert["event"]["id"])
        for address in addresses:
            await page.goto(yahoo.dashboard.url + address)
            banner = page.locator(".vd-banner.stale:not(.vd-hidden)")
            await expect(banner).to_contain_text("STALE", timeout=PATIENCE)
            await expect(banner).to_contain_text("60 min ago")
            await expect(page.get_by_label("live price")).to_contain_text("stale")
        await page.goto(f"{yahoo.dashboard.url}/history")
        await expect(page.get_by_text("Yahoo · stale").first).to_be_visible(timeout=PATIENCE)
        async with listening(yahoo) as late:  # who comes now is told what stands
            standing = await heard(late, "alert", lambda _: True)
            assert standing["event"]["id"] == alert["event"]["id"]

        yahoo.tell(scenario="ok", price=455.0, hours_later=1)
        quote = await heard(client, "quote", lambda message: not message["quote"]["stale"])
        assert quote["quote"]["price"] == 455.0
        cleared = await heard(client, "alert", lambda message: message["event"]["kind"] == "cleared")
        assert cleared["event"]["about"] == alert["event"]["id"]
        await heard(client, "health", lambda message: message["status"] == "ok")
    await expect(page.locator(".vd-banner")).to_be_hidden(timeout=PATIENCE)
    await expect(page.get_by_label("live price")).to_contain_text("455.00")
    answer = await asked(yahoo, "/api/strategies?symbol=GLD")
    assert answer["recommendations"]["balanced"]["name"]
    history = await asked(yahoo, "/api/alerts/history")
    # a feed that is off says nothing of the loan
    told = [(line["kind"], line["metric"]) for line in history["events"] if line["kind"] in ("raised", "cleared")]
    assert told == [
        ("cleared", "stale_data"),
        ("raised", "stale_data"),
    ]
    await page.context.close()


async def the_api_says_it(yahoo: YahooDashboard, event_id: str) -> None:
    """Price with its age, no advice, the raised alert, the marked record, health."""
    answer = await asked(yahoo, "/api/portfolio")
    assert (answer["quote"]["price"], answer["quote"]["stale"]) == (460.0, True)
    assert answer["quote"]["age_seconds"] >= 3600
    assert answer["quote"]["problem"]
    advice = await asked(yahoo, "/api/strategies?symbol=GLD")
    assert advice["recommendations"]["balanced"]["name"] is None
    assert advice["withheld"]
    alerts = await asked(yahoo, "/api/alerts")
    assert [one["event"]["id"] for one in alerts["raised"]] == [event_id]
    events = (await asked(yahoo, "/api/alerts/history"))["events"]
    assert event_id in {event["id"] for event in events}
    history = await until(yahoo, "/api/history/ltv", lambda answer: answer["records"][-1]["stale"])
    assert [row["stale"] for row in history["records"]] == [False, True]
    assert {row["price"] for row in history["records"]} == {460.0}
    health = yahoo.dashboard.get("/health").json()
    assert health["status"] == "degraded"
    assert health["quote_age_seconds"] >= 3600


async def test_a_real_fall_after_it_is_recorded_at_once_and_named(browser: Browser, yahoo: YahooDashboard) -> None:
    async with listening(yahoo) as client:
        yahoo.tell(scenario="ok", price=380.0, hours_later=1)  # 17 % down: an LTV of 72.6 %
        await heard(client, "quote", lambda message: message["quote"]["price"] == 380.0)
        told = await heard(client, "alert", lambda message: message["event"]["kind"] == "raised")
    assert (told["event"]["metric"], told["event"]["threshold"]) == ("ltv", 0.70)
    records = (await asked(yahoo, "/api/history/ltv"))["records"]
    crossing = [record for record in records if record["kind"] == "crossing"][-1]
    assert (crossing["price"], crossing["stale"]) == (380.0, False)
    assert crossing["ltv"] == pytest.approx(told["event"]["value"], abs=1e-12)
    page, _ = await every_page(browser, yahoo)
    await page.goto(f"{yahoo.dashboard.url}/history")
    await expect(page.locator(".vd-sentence").first).to_contain_text(
        "LTV reached the warning level", timeout=PATIENCE
    )
    row = page.get_by_label("Limits crossed, newest first").locator("tbody tr").first
    await expect(row).to_contain_text(told["event"]["title"].replace("\u00a0", " ")[:20], timeout=PATIENCE)
    await expect(row).to_contain_text("72.63")
    await page.context.close()


async def test_before_any_real_price_nothing_is_recorded_and_the_page_says_what_will_be(
    browser: Browser, unheard: YahooDashboard
) -> None:
    page, _ = await every_page(browser, unheard)
    await page.goto(f"{unheard.dashboard.url}/history")
    await expect(page.locator(".vd-sentence").first).to_contain_text("No record yet.", timeout=PATIENCE)
    await expect(page.get_by_text("The first is written with the first price of the hour")).to_be_visible(
        timeout=PATIENCE
    )
    await expect(page.locator(".vd-banner")).to_contain_text("the one above is invented", timeout=PATIENCE)
    assert (await asked(unheard, "/api/history/ltv?days=all"))["records"] == []
    unheard.tell(scenario="ok", price=460.0)
    await expect(page.locator(".vd-price-chart canvas").first).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_text("1 record since")).to_be_visible(timeout=PATIENCE)
    assert [row["demo"] for row in (await asked(unheard, "/api/history/ltv"))["records"]] == [False]
    await page.context.close()
