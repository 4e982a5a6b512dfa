"""Somebody who asks which hedge would have helped: pick a fall, run three hedges, read, take files, run again."""

import csv
import re

import pytest
from playwright.async_api import Page, expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
PATIENT = 240_000  # ms; the first backtest of a machine compiles its engine
THREE = {"ATM put": "protective_put_atm", "95 % put": "protective_put_otm_95", "Collar 95/110": "collar_95_110"}


async def ask(page: Page, *, ltv: str = "66") -> None:
    """April 2013, three hedges, a lender who credits them."""
    await page.get_by_label("Fall of gold").click()
    await page.get_by_role("option", name=re.compile("^April 2013")).click()
    await expect(page.get_by_text("was the worst day in thirty years")).to_be_visible()
    await page.get_by_role("button", name="other terms").click()
    await page.get_by_label("LTV at the start", exact=True).fill(ltv)
    await page.get_by_role("button", name="credited", exact=True).first.click()
    await page.get_by_label("Choose no hedge").click()
    hedges = page.get_by_role("group", name="Hedges")
    for name in THREE:
        await hedges.get_by_role("button", name=name, exact=True).click()
    await page.get_by_role("button", name="Run the backtest").click()


async def run_id_of(page: Page) -> str:
    await expect(page).to_have_url(re.compile(r"/backtest\?run=[0-9a-f]{16}$"), timeout=20_000)
    return page.url.rpartition("=")[2]


def state_of(dashboard: Dashboard, run_id: str) -> str:
    """Where a run stands, as the API tells it."""
    runs = dashboard.get("/api/backtests").json()["backtests"]
    return next(str(run["state"]) for run in runs if run["id"] == run_id)


async def test_a_fall_is_picked_three_hedges_run_and_their_files_are_taken(
    visitor: Visitor, dashboard: Dashboard
) -> None:
    page = visitor.page
    await page.goto(dashboard.url + "/backtest")
    await expect(page.get_by_text("Which hedge would have brought this loan through")).to_be_visible(timeout=20_000)
    await ask(page)
    run_id = await run_id_of(page)
    if state_of(dashboard, run_id) in ("waiting", "running"):
        await expect(page.get_by_role("progressbar", name="Progress of the backtest")).to_be_visible()
    await page.reload()  # wherever it is by now, it is found again
    sentence = page.locator("p.vd-sentence").first
    await expect(sentence).to_contain_text("On DEMO prices, which are invented", timeout=PATIENT)
    assert page.url.endswith(run_id)
    assert state_of(dashboard, run_id) == "done"

    ranking = page.get_by_label("Hedges, from the best to the worst").first
    await expect(ranking.locator("tbody tr")).to_have_count(4)
    await expect(ranking.locator("tbody tr").last).to_contain_text("No hedge")
    await expect(ranking.locator("tbody tr").first).to_contain_text("1 ·")
    canvas = page.locator(".vd-lanes-chart canvas")
    await expect(canvas).to_be_visible()
    assert (
        await canvas.evaluate("c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size") > 20
    )
    await ranking.get_by_text("Collar 95/110").click()
    await expect(page.get_by_role("heading", name="Collar 95/110")).to_be_visible()
    await expect(page.get_by_label("Trades of this hedge").first).to_contain_text("C Apr 2014")
    await page.get_by_role("button", name="options ignored").last.click()
    await expect(page.get_by_text("the calls were decided by credited").first).to_be_visible()
    await expect(ranking.locator("tbody tr").first).to_contain_text("would be a call")
    await expect(page.get_by_label("The same hedge, bought earlier").first.locator("tbody tr")).to_have_count(5)

    async with page.expect_download() as download:
        await page.get_by_role("link", name="Trades, CSV").first.click()
    file = await (await download.value).path()
    rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    assert len(rows) > 4
    assert any("collar_95_110" in row for row in rows)

    await page.get_by_label("Run exactly this again").click()
    await expect(page).not_to_have_url(re.compile(run_id), timeout=20_000)
    again = await run_id_of(page)
    await expect(sentence).to_contain_text("On DEMO prices, which are invented", timeout=PATIENT)
    first, second = (dashboard.get(f"/api/backtests/{one}/series.csv").text for one in (run_id, again))
    assert "2013-04-15" in first
    assert first == second
    assert visitor.complaints == []


async def test_a_run_is_renamed_put_beside_another_and_deleted(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    for ltv in ("60", "70"):
        await page.goto(dashboard.url + "/backtest")
        await ask(page, ltv=ltv)
        run_id = await run_id_of(page)
        await expect(page.get_by_role("button", name="Run exactly this again")).to_be_visible(timeout=PATIENT)
    line = page.get_by_role("listitem").filter(has_text="April 2013, LTV 70").first
    await line.get_by_role("button", name="More for").click()
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_role("dialog").get_by_label("Name of the run").last.fill("The harsh one")
    await page.get_by_role("dialog").get_by_role("button", name="Save").last.click()
    harsh = page.get_by_role("listitem").filter(has_text="The harsh one")
    await expect(harsh).to_be_visible()
    await harsh.get_by_role("button", name="Put The harsh one beside others").click()
    mild = page.get_by_role("listitem").filter(has_text="April 2013, LTV 60").first
    await mild.get_by_role("button", name=re.compile("beside others")).click()
    table = page.locator("table.vd-beside-table.wide")
    await expect(table.get_by_role("columnheader", name="The harsh one")).to_be_visible()
    await expect(table.get_by_role("row", name="LTV at the start")).to_contain_text("70.0")
    await harsh.get_by_role("button", name="More for").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_role("button", name="Delete it").click()
    await expect(harsh).to_have_count(0)
    await expect(page).to_have_url(re.compile("/backtest$"))
    assert dashboard.get(f"/api/backtests/{run_id}").status_code == 404
    assert visitor.complaints == []


async def test_from_a_past_fall_to_the_hedges_that_would_have_helped(visitor: Visitor, dashboard: Dashboard) -> None:
    page = visitor.page
    await page.goto(dashboard.url + "/risk")
    table = page.get_by_label("Past falls of gold on the loan").first
    await table.get_by_text("June 2013", exact=True).click(timeout=30_000)
    await expect(page.get_by_role("heading", name="June 2013")).to_be_visible()
    await page.get_by_role("link", name="Which hedge would have helped?").click()
    await expect(page.get_by_text("The Federal Reserve spoke of buying fewer bonds")).to_be_visible(timeout=20_000)
    await expect(page).to_have_url(re.compile("event=jun-2013"))


async def test_a_phone_shows_a_result_without_scrolling_sideways(phone: Visitor, dashboard: Dashboard) -> None:
    page = phone.page
    await page.goto(dashboard.url + "/backtest")
    await ask(page)
    await expect(page.get_by_role("button", name="Run exactly this again")).to_be_visible(timeout=PATIENT)
    await expect(page.locator(".vd-lanes-chart canvas")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    ranking = page.locator(".vd-ranking .q-table__middle")
    assert await ranking.evaluate("one => one.scrollWidth <= one.clientWidth")
    first = ranking.locator("tbody tr").first
    for words in ("the loan", "highest LTV", "bought for", "equity at the end"):
        cell = first.locator(f"td[data-label='{words}']")
        await expect(cell).to_be_visible()
        assert await cell.evaluate("one => getComputedStyle(one, '::before').content") == f'"{words}"'
    figures = page.get_by_label("Figures of this hedge").locator("..")
    assert await figures.evaluate("one => one.scrollWidth <= one.clientWidth")
    trades = page.get_by_label("Trades of this hedge").first
    await expect(trades).to_be_hidden()
    await page.locator("summary", has_text="Trades").click()
    await expect(trades).to_be_visible()
