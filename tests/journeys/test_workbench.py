"""Somebody who looks for a hedge to buy: found, bent, kept, compared on a phone, and refused where it bites."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
PATIENT = 120_000  # ms; the first chains of a server are priced while its kernels are still compiled
CHEAPEST = "The cheapest hedge that would repay a call at every price down to"


async def open_workbench(page: Page, dashboard: Dashboard, query: str = "") -> None:
    await page.goto(f"{dashboard.url}/workbench{query}")
    await expect(page.get_by_role("heading", name="Side by side")).to_be_visible(timeout=PATIENT)


async def test_the_cheapest_hedge_is_found_bent_and_kept_as_a_template(
    visitor: Visitor, dashboard: Dashboard
) -> None:
    page = visitor.page
    await open_workbench(page, dashboard)
    sentence = page.locator("p.vd-sentence").first
    await expect(sentence).to_contain_text(CHEAPEST, timeout=PATIENT)
    await expect(page.get_by_text("Proved the cheapest among")).to_be_visible()
    await page.get_by_label("LTV at most", exact=True).fill("70")
    await page.get_by_role("button", name="Find the cheapest", exact=True).click()
    await expect(page.locator(".vd-figure.big")).to_contain_text(re.compile(r"(69\.[0-9]|70\.0)"), timeout=PATIENT)
    await page.get_by_text("The certificate: what makes it the cheapest").click()
    await expect(page.get_by_text("Fractions of contracts would cost")).to_be_visible()

    strike = page.get_by_label("Strike of leg 1", exact=True)
    before = float((await strike.input_value()).replace(",", ""))
    cost = page.locator(".vd-bench-cost")
    cost_before = await cost.inner_text()
    await page.get_by_label("Higher listed strike, Strike of leg 1").click()
    await expect(strike).not_to_have_value(f"{before:g}")
    assert float((await strike.input_value()).replace(",", "")) > before
    await expect(cost).not_to_have_text(cost_before)
    await expect(page.get_by_text("the cheapest hedge, changed")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/workbench\?hedge=h1~GLD~"))

    await page.get_by_role("button", name="Save as a template").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name of the template").last.fill("Found at noon")
    await dialog.get_by_role("button", name="Save").last.click()
    await expect(page.get_by_text("Saved as the template Found at noon")).to_be_visible()
    kept = dashboard.get("/api/templates").json()["templates"]
    assert "Found at noon" in [one["name"] for one in kept]

    address = page.url
    title = await page.locator(".vd-bench-title").inner_text()
    await page.goto(dashboard.url + "/options")
    await page.goto(address)  # another person opens the link
    await expect(page.locator(".vd-bench-title")).to_contain_text(title.partition(" ·")[0], timeout=PATIENT)
    await expect(page.locator("p.vd-sentence").first).to_contain_text("does not stop the call at", timeout=PATIENT)
    await page.get_by_role("button", name="Put a copy beside").click()
    await expect(page).to_have_url(re.compile(r"&b=h1~GLD~"))  # a reload finds the copy, too
    assert visitor.complaints == []


async def test_four_hedges_are_compared_on_a_phone(phone: Visitor, dashboard: Dashboard) -> None:
    page = phone.page
    days = dashboard.get("/api/options/expirations?symbol=GLD").json()
    on = next(one for one in days["expirations"] if one["days_to_expiry"] >= 120)["expiration"][2:].replace("-", "")
    links = [f"h1~GLD~22P{strike}-{on}" for strike in (380, 400, 420)] + [f"h1~GLD~22P420-{on}~-22P360-{on}"]
    query = "&".join(f"{name}={link}" for name, link in zip(("hedge", "b", "c", "d"), links, strict=True))
    await open_workbench(page, dashboard, f"?{query}")
    table = page.locator(".vd-bench-sums")
    for letter, name in zip("ABCD", ("put 380", "put 400", "put 420", "put spread 420 / 360"), strict=True):
        head = table.locator(".vd-bench-head", has_text=f"{letter}{name}")
        await expect(head).to_be_visible(timeout=PATIENT)
    worst = table.get_by_role("row", name=re.compile("^worst LTV"))
    await expect(worst.get_by_role("cell").nth(3)).to_contain_text("%", timeout=PATIENT)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(".vd-bench-table")
    assert await box.evaluate("one => one.scrollWidth <= one.clientWidth")
    credited = page.get_by_role("button", name="options credited").first
    await credited.click()
    await expect(credited).to_have_attribute("aria-pressed", "true")
    await expect(worst.get_by_role("cell").first).to_contain_text("at ")


async def test_a_collar_with_the_gold_elsewhere_is_refused_with_the_rise_first(
    visitor: Visitor, dashboard: Dashboard
) -> None:
    page = visitor.page
    await open_workbench(page, dashboard)
    await page.get_by_label("Start from a template").click(timeout=PATIENT)
    await page.get_by_role("option", name="Collar 95/110", exact=True).click()
    sentence = page.locator("p.vd-sentence").first
    await expect(sentence).to_contain_text("Refused: the rise is the danger here", timeout=PATIENT)
    facts = page.locator("dl.vd-facts").filter(has_text="On a rise the broker calls at")
    await expect(facts).to_contain_text("once they are sold")
    await page.get_by_label("Free money at the broker", exact=True).fill("800,000")
    await expect(sentence).not_to_contain_text("Refused", timeout=PATIENT)
    await expect(page.get_by_text("The rise is the danger here: the broker calls at").first).to_be_visible()
    assert visitor.complaints == []
