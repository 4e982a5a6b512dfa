"""A borrower opens the dashboard."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_overview_shows_price_source_time_and_ltv_as_the_api_gives_them(
    visitor: Visitor, dashboard: Dashboard
) -> None:
    page = visitor.page
    await page.goto(dashboard.url)
    pill = page.get_by_label("live price")
    await expect(pill).to_contain_text("DEMO")
    for _ in range(3):  # the price may move between the page's reading and ours
        answer = dashboard.get("/api/portfolio?symbol=GLD").json()
        shown = (await page.locator(".vd-page").inner_text()).replace("\u00a0", " ")
        price, ltv = f"{answer['quote']['price']:.2f}", f"{answer['portfolio']['ltv'] * 100:.1f}"
        if f"GLD {price} from DEMO" in shown:
            break
    assert f"GLD {price} from DEMO" in shown
    assert (await page.locator(".vd-figure.big .value").inner_text()).replace("\n", "").startswith(ltv)
    assert f"{answer['portfolio']['margin_call_price']:.2f}" in shown
    await expect(pill).to_contain_text("ago")


async def test_price_moves_without_reload(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await page.goto(dashboard.url)
    price = page.get_by_label("live price").locator("b").first
    await expect(price).not_to_have_text("…")
    before = await price.inner_text()
    await page.evaluate("window.stillTheSamePage = true")
    await expect(price).not_to_have_text(before, timeout=20_000)
    assert await page.evaluate("window.stillTheSamePage")


async def test_no_request_leaves_the_host_and_nothing_is_complained_about(
    visitor: Visitor, dashboard: Dashboard
) -> None:
    page = visitor.page
    for path in ("/", "/options", "/hedge", "/docs"):
        await page.goto(dashboard.url + path)
        await page.wait_for_load_state("networkidle")
    assert len(visitor.requests) > 20
    assert {urlsplit(url).hostname for url in visitor.requests if not url.startswith("data:")} == {"127.0.0.1"}
    assert visitor.complaints == []


async def test_price_chart_is_drawn_with_the_loans_prices(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await page.goto(dashboard.url)
    await expect(page.get_by_text("GLD daily closes")).to_be_visible()
    await expect(page.locator(".vd-price-chart canvas").first).to_be_visible()
    await page.get_by_role("button", name="all", exact=True).click()
    await expect(page.get_by_text("GLD daily closes 2004-11-18")).to_be_visible()


async def test_a_number_opens_its_formula(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await page.goto(dashboard.url)
    await page.get_by_role("button", name="margin-call price").click()
    await expect(page.get_by_text("loan ÷ (call limit × shares)")).to_be_visible()


async def test_a_fall_names_all_three_cures(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await page.goto(dashboard.url)
    await page.get_by_role("cell", name="−30", exact=False).first.click()
    await expect(page.get_by_text("add gold worth")).to_be_visible()
    await expect(page.get_by_text("sell gold worth")).to_be_visible()


async def test_demo_is_said_on_every_page(visitor: Visitor, dashboard: Dashboard) -> None:
    for path in ("/", "/options", "/hedge"):
        await visitor.page.goto(dashboard.url + path)
        await expect(visitor.page.get_by_role("alert")).to_contain_text("Every price here is invented")


async def test_dark_and_light_are_remembered(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await page.goto(dashboard.url)
    body = page.locator("body")
    await expect(page.get_by_label("live price")).to_contain_text("DEMO")
    was_dark = "body--dark" in (await body.get_attribute("class") or "")
    await page.get_by_role("button", name="Switch between dark and light").click()
    wanted = "body--light" if was_dark else "body--dark"
    await page.wait_for_function(f"document.body.classList.contains('{wanted}')")
    await page.reload()
    await page.wait_for_function(f"document.body.classList.contains('{wanted}')")


async def test_nothing_is_wider_than_the_phone(phone: Visitor, dashboard: Dashboard) -> None:
    for path in ("/", "/options", "/hedge"):
        await phone.page.goto(dashboard.url + path)
        await expect(phone.page.get_by_label("live price")).to_contain_text("GLD")
        await phone.page.wait_for_load_state("networkidle")
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 390
