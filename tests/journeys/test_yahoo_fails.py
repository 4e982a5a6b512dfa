"""What the pages show when Yahoo fails: the real client, a Yahoo on the loopback, a Wednesday noon in New York."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.servers import YahooDashboard, yahoo_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PATIENCE = 60_000


@pytest.fixture(scope="module")
def yahoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooDashboard]:
    with yahoo_dashboard(tmp_path_factory.mktemp("yahoo")) as running:
        yield running


async def open_overview(browser: Browser, yahoo: YahooDashboard) -> Page:
    page = await (await browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
    await page.goto(yahoo.dashboard.url)
    return page


@pytest.mark.parametrize("scenario", ["429", "500", "html", "truncated", "zero_price", "bad_print", "dead"])
async def test_last_price_stays_with_its_age_then_is_stale_then_recovers(
    browser: Browser, yahoo: YahooDashboard, scenario: str
) -> None:
    yahoo.tell(scenario="ok", price=460.0)
    page = await open_overview(browser, yahoo)
    pill, banner = page.get_by_label("live price"), page.get_by_role("alert")
    await expect(pill).to_contain_text("460.00", timeout=PATIENCE)
    await expect(pill).not_to_contain_text("stale", timeout=PATIENCE)

    yahoo.tell(scenario=scenario, price=460.0)
    await expect(banner).to_contain_text("STALE", timeout=PATIENCE)  # two intervals of five seconds
    await expect(banner).to_contain_text("No hedge is recommended")
    await expect(pill).to_contain_text("460.00")
    await expect(page.locator(".vd-figure.big .value")).to_contain_text("60.0")
    withheld = yahoo.dashboard.get("/api/strategies?symbol=GLD").json()
    assert withheld["quote"]["stale"]
    assert withheld["recommendations"]["balanced"]["name"] is None
    assert withheld["quote"]["price"] == 460.0

    yahoo.tell(scenario="ok", price=450.0)
    await expect(pill).to_contain_text("450.00", timeout=PATIENCE)
    await expect(banner).to_be_hidden()
    await page.context.close()


async def test_margin_call_is_said_in_words_when_the_price_falls_to_it(
    browser: Browser, yahoo: YahooDashboard
) -> None:
    yahoo.tell(scenario="ok", price=368.0)
    page = await open_overview(browser, yahoo)
    await expect(page.locator(".vd-sentence").first).to_contain_text("Margin call.", timeout=PATIENCE)
    await expect(page.locator(".vd-figure.big .value")).to_contain_text("75.0")
    yahoo.tell(scenario="ok", price=300.0)
    await expect(page.locator(".vd-sentence").first).to_contain_text("Close-out level reached.", timeout=PATIENCE)
    yahoo.tell(scenario="ok", price=460.0)
    await expect(page.locator(".vd-sentence").first).to_contain_text("No call in sight.", timeout=PATIENCE)
    await page.context.close()
