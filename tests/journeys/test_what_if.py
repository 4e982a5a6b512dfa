"""Somebody who bends the market by hand: sliders whose figures are those of the API, on a desk and on a phone."""

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
PATIENT = 90_000  # ms; a machine that has just started prices its first chains without kernels
SENTENCE = ".vd-whatif .vd-sentence"


def a_link(dashboard: Dashboard) -> tuple[str, dict[str, Any]]:
    """Puts on the whole loan at a listed strike, as a link and as the API is asked for them."""
    days = dashboard.get("/api/options/expirations").json()["expirations"]
    day = next(each["expiration"] for each in days if each["days_to_expiry"] > 100)
    chain = httpx.get(f"{dashboard.url}/api/options/chain", params={"expiration": day}, timeout=60).json()
    strikes = {each["strike"] for each in chain["contracts"] if each["right"] == "P" and (each["bid"] or 0) > 1}
    strike = min(strikes, key=lambda one: abs(one - 0.95 * chain["quote"]["price"]))
    leg = {"right": "P", "strike": strike, "expiration": day, "contracts": 22}
    return f"h1~GLD~22P{strike:g}-{day[2:4]}{day[5:7]}{day[8:]}", {"legs": [leg]}


async def slid(page: Page, label: str, key: str, times: int) -> None:
    await page.locator(f".q-slider[aria-label='{label}'] [tabindex]").focus()
    for _ in range(times):
        await page.keyboard.press(key)


def shown(percent: str) -> float:
    return float(percent.replace("\u00a0", "").replace("%", "").replace("−", "-")) / 100


async def test_a_slider_leads_to_the_figures_of_the_api(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    link, hedge = a_link(dashboard)
    await page.goto(f"{dashboard.url}/what-if?hedge={link}")
    await expect(page.locator(SENTENCE)).to_contain_text("With the hedge", timeout=PATIENT)
    await slid(page, "Gold", "PageDown", 2)
    await slid(page, "Days forward", "PageUp", 3)
    await slid(page, "Volatility", "ArrowRight", 5)
    values = {}
    for label in ("Gold", "Days forward", "Volatility"):
        slider = page.locator(f".q-slider[aria-label='{label}']")
        values[label] = int(await slider.get_attribute("aria-valuenow") or "0")
    assert values["Gold"] < 0 < values["Days forward"]
    asked = {
        "hedge": hedge,
        "price_change": values["Gold"] / 100,
        "days": values["Days forward"],
        "volatility_change": values["Volatility"] / 100,
        "maps": False,
    }

    def told() -> dict[str, Any]:
        answer = httpx.post(f"{dashboard.url}/api/whatif", json=asked, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    words = f"falls {-values['Gold']} % to".replace(" %", "\u00a0%")
    await expect(page.locator(SENTENCE)).to_contain_text(words)
    for _ in range(20):  # the price moves every few seconds: both must be of the same one
        then = told()["then"]
        sentence = (await page.locator(SENTENCE).inner_text()).replace("\u00a0", " ")
        if f"to {then['price']:,.2f} USD" in sentence:
            break
        await page.wait_for_timeout(200)
    else:
        raise AssertionError(f"never at the price of the API: {sentence}")
    assert f"your LTV is {then['unhedged_ltv'] * 100:.1f} %" in sentence
    cells = {name: await page.locator(f"tr:has(th:text-is('{name}')) td").nth(2).inner_text() for name in ROWS}
    assert shown(cells["LTV after payment"]) == pytest.approx(then["ltvs"]["after_payment"], abs=6e-4)
    assert shown(cells["LTV, options credited"]) == pytest.approx(then["ltvs"]["credited"], abs=6e-4)
    assert money(cells["hedge, at what closing brings"]) == pytest.approx(then["hedge_value"], rel=2e-3)
    assert money(cells["of both"]) == pytest.approx(then["net_pnl"], rel=2e-3)
    assert visitor.complaints == []
    assert all("127.0.0.1" in request for request in visitor.requests if not request.startswith("data:"))


ROWS = ("LTV after payment", "LTV, options credited", "hedge, at what closing brings", "of both")


def money(text: str) -> float:
    found = float(re.sub(r"[^0-9]", "", text))
    return -found if "−" in text else found


async def test_maps_and_table_follow_and_a_grid_is_kept(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    link, _ = a_link(dashboard)
    await page.goto(f"{dashboard.url}/what-if?hedge={link}")
    await expect(page.locator(SENTENCE)).to_contain_text("With the hedge", timeout=PATIENT)
    await expect(page.locator(".vd-whatif .vd-chart:has(canvas)")).to_have_count(4)
    table = page.get_by_label("The loan over moves of gold, with and without the hedge")
    await expect(table.locator("tbody tr")).to_have_count(14)
    await page.get_by_text("Type a grid of your own").click()
    await page.get_by_label("Gold moves by").fill("−40, −20, 0")
    await page.get_by_label("Name", exact=True).fill("Three falls")
    await page.get_by_role("button", name="Keep it").click()
    await expect(page.get_by_text("Three falls is kept.")).to_be_visible()
    await expect(table.locator("tbody tr")).to_have_count(3)
    kept = dashboard.get("/api/whatif/grids").json()["grids"]
    assert [each["prices"] for each in kept if each["name"] == "Three falls"] == [[-0.4, -0.2, 0.0]]
    await page.get_by_role("button", name="Remove the grid that is chosen").click()
    await expect(table.locator("tbody tr")).to_have_count(14)
    assert visitor.complaints == []


async def test_on_a_phone_it_is_framed_and_nothing_is_cut_off(phone: Visitor, dashboard: Dashboard) -> None:
    page = phone.page
    link, _ = a_link(dashboard)
    await page.goto(f"{dashboard.url}/what-if?hedge={link}")
    await expect(page.get_by_text("What if: nothing here is the market")).to_be_visible(timeout=PATIENT)
    await expect(page.locator(SENTENCE)).to_contain_text("With the hedge", timeout=PATIENT)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.get_by_role("button", name=re.compile("order|buy", re.I)).count() == 0
    await page.get_by_role("button", name="Gold −30").click()
    await expect(page.locator(SENTENCE)).to_contain_text("falls 30\u00a0%")
    assert phone.complaints == []
