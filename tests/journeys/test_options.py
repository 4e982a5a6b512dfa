"""A borrower looks for a listed put."""

import asyncio
import csv
import io
import re
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PATIENCE = 60_000  # the first chain is priced while the compiled pricers still warm up


async def open_chain(page: Page, dashboard: Dashboard, path: str = "/options") -> Locator:
    """The page with its ladder filled."""
    await page.goto(dashboard.url + path)
    ladder = page.locator(".vd-ladder table")
    await expect(ladder.locator("tr[data-strike]").first).to_be_visible(timeout=PATIENCE)
    return ladder


async def test_the_page_begins_with_what_protection_costs(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    ladder = await open_chain(page, dashboard)
    answer = dashboard.get("/api/options").json()
    call = dashboard.get("/api/portfolio").json()["portfolio"]["margin_call_price"]
    puts = [one for one in answer["options"] if one["right"] == "P" and one["strike"] > call and one["ask"]]
    bought = [one for one in puts if set(one["reasons"]) <= {"no_bid", "wide_spread"}]
    first = min(bought, key=lambda one: one["strike"])
    sentence = page.locator(".vd-sentence").first
    await expect(sentence).to_contain_text(f"A put at {first['strike']:g} until")
    await expect(sentence).to_contain_text(f"margin-call price of {call:.2f}")
    await expect(sentence).to_contain_text("At invented prices.")
    row = ladder.locator(f"tr[data-strike='{first['strike']:g}']")
    await expect(row).to_have_class(re.compile("first"))
    await expect(ladder.locator("tr.vd-mark.call")).to_contain_text(f"margin call {call:.2f}")
    await expect(ladder.locator("tr.vd-mark.close_out")).to_contain_text("close-out")
    await expect(page.get_by_text("quotes are not used")).to_be_visible()
    await expect(page.get_by_text("dollar rate")).to_be_visible()


async def test_strikes_and_sides_are_chosen_without_asking_again(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    ladder = await open_chain(page, dashboard)
    near = await ladder.locator("tr[data-strike]").count()
    await page.get_by_role("button", name=re.compile("^all .* strikes$")).click()
    rows = ladder.locator("tr[data-strike]")
    strikes = {one["strike"] for one in dashboard.get("/api/options").json()["options"]}
    await expect(rows).to_have_count(len(strikes))
    assert near < len(strikes)
    await page.get_by_role("button", name="puts", exact=True).click()
    await expect(ladder.get_by_role("columnheader", name="gamma")).to_be_visible()
    await ladder.get_by_role("button", name="ask", exact=True).click()
    asks = [
        float(text.replace(",", ""))
        for text in await rows.locator("td:nth-child(3)").all_inner_texts()
        if text != "–"
    ]
    assert asks == sorted(asks, reverse=True)


async def test_columns_are_chosen_and_remembered(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    ladder = await open_chain(page, dashboard)
    await expect(ladder.get_by_role("columnheader", name="vega")).to_have_count(0)
    await page.locator("summary").click()
    await page.get_by_role("checkbox", name=re.compile("^vega")).check()
    await expect(ladder.get_by_role("columnheader", name="vega")).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("checkbox", name=re.compile("^vega"))).to_be_hidden()
    await page.reload()
    await expect(ladder.get_by_role("columnheader", name="vega")).to_have_count(2, timeout=PATIENCE)


async def test_the_keyboard_reaches_a_contract_and_comes_back(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    ladder = await open_chain(page, dashboard)
    assert await ladder.locator("td[tabindex='0']").count() == 1  # one stop for the Tab key
    await ladder.locator("td[tabindex='0']").focus()
    start = await page.evaluate("document.activeElement.parentElement.dataset.strike")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    strike = await page.evaluate("document.activeElement.parentElement.dataset.strike")
    assert float(strike) > float(start)
    said = page.locator("#vd-ladder-said")
    await expect(said).to_contain_text(f"Put {strike}")
    await page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    await expect(drawer).to_contain_text(f"Put {strike}, ")
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    assert await page.evaluate("document.activeElement.parentElement.dataset.strike") == strike


async def test_a_put_becomes_a_hedge_and_a_selection(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    ladder = await open_chain(page, dashboard)
    await ladder.locator("tr.first td.chosen").first.click()
    drawer = page.get_by_role("dialog")
    await expect(drawer).to_contain_text("contracts cover all of them")
    await expect(drawer.locator("canvas")).to_be_visible()
    await drawer.get_by_role("button", name="Add to selection").click()
    chosen = page.locator("section", has=page.get_by_role("heading", name="Chosen contracts"))
    await expect(chosen).to_contain_text("1 ×")
    await chosen.get_by_role("button", name=re.compile("more$")).click()
    await expect(chosen).to_contain_text("2 ×")
    await expect(chosen).to_contain_text("pledged shares")
    await ladder.locator("tr.first td.chosen").first.click()
    await drawer.get_by_role("link", name="Use in a hedge").click()
    listed = page.locator("section", has=page.get_by_role("heading", name="Your listed put"))
    await expect(listed).to_contain_text("cost $", timeout=PATIENCE)
    await expect(listed.locator("tbody tr")).to_have_count(12)
    assert "/hedge?contract=GLD" in page.url
    await listed.get_by_role("link", name="Back to the options").click()
    await expect(drawer).to_contain_text("Put ", timeout=PATIENCE)
    await page.keyboard.press("Escape")
    await expect(chosen).to_contain_text("2 ×")  # the selection has waited


async def test_the_chain_can_be_taken_away_as_a_file(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await open_chain(page, dashboard)
    async with page.expect_download() as started:
        await page.get_by_role("link", name="CSV").click()
    download = await started.value
    assert re.fullmatch(r"GLD-\d{4}-\d\d-\d\d-options\.csv", download.suggested_filename)
    text = await asyncio.to_thread(Path(await download.path()).read_text, "utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == len(dashboard.get("/api/options").json()["options"])


async def test_charts_follow_the_mode_without_a_complaint(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await open_chain(page, dashboard)
    smile = page.get_by_role("img", name="Implied volatility over the strike")
    await expect(smile.locator("canvas")).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_text("At the money")).to_be_visible()
    await page.get_by_role("button", name="Switch between dark and light").click()
    await page.wait_for_timeout(500)
    await expect(smile.locator("canvas")).to_be_visible()
    assert visitor.complaints == []


async def test_a_symbol_nobody_knows_is_said(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await open_chain(page, dashboard)
    await page.get_by_label("Symbol").fill("nosuch")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="No options of NOSUCH")).to_be_visible(timeout=PATIENCE)
    await page.get_by_label("Symbol").fill("gld")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator(".vd-ladder tr[data-strike]").first).to_be_visible(timeout=PATIENCE)


async def test_a_reload_shows_the_same_expiration(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await open_chain(page, dashboard)
    tab = page.get_by_role("group", name="Expiration").get_by_role("button").nth(1)
    await tab.click()
    words = await tab.inner_text()
    await expect(tab).to_have_attribute("aria-pressed", "true")
    told = (await tab.get_attribute("title") or "").split(",")[0]
    day = datetime.strptime(told, "%d %b %Y").date()  # noqa: DTZ007  # a day has no zone
    await page.wait_for_url(f"**/options?symbol=GLD&expiration={day}*", timeout=PATIENCE)
    await page.reload()
    again = page.get_by_role("group", name="Expiration").get_by_role("button", name=words)
    await expect(again).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)


async def test_the_phone_shows_puts_and_a_drawer_from_below(phone: Visitor, dashboard: Dashboard) -> None:
    page = phone.page
    ladder = await open_chain(page, dashboard)
    await expect(page.get_by_role("button", name="puts", exact=True)).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await ladder.locator("td[data-id]").first.click()
    drawer = page.locator(".vd-drawer-box")
    await expect(drawer).to_be_visible()
    await page.wait_for_timeout(400)
    box = await drawer.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    assert box["y"] + box["height"] == pytest.approx(844, abs=2)
    assert phone.complaints == []
