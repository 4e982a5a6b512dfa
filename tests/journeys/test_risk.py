"""Somebody who worries about a call: the odds, the loan for better ones, falls that were and falls of one's own."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
PATIENT = 90_000  # ms; the first simulation of a machine compiles


async def opened(visitor: Visitor, dashboard: Dashboard) -> Page:
    page = visitor.page
    await page.goto(dashboard.url + "/risk")
    await expect(page.get_by_text(re.compile(r"over a year, between .* depending on"))).to_be_visible(timeout=30_000)
    return page


async def test_the_odds_are_there_at_once_and_simulations_join_them(visitor: Visitor, dashboard: Dashboard) -> None:
    page = await opened(visitor, dashboard)
    told = dashboard.get("/api/risk/call-probability").json()
    basis = page.locator(".vd-note", has_text="a call is seen at a close").first
    await expect(basis).to_contain_text(f"call price {told['parameters']['call_price']:.2f}")
    await expect(page.get_by_text("closed form", exact=True).first).to_be_visible()
    await expect(page.get_by_text("paths a model and drift")).to_be_visible(timeout=PATIENT)
    models = page.get_by_label("Probability of a margin call by model", exact=True)
    for name in ("closed form", "jumps", "changing volatility", "past shocks"):
        await expect(models).to_contain_text(name)
    await expect(page.get_by_text("depending on the model and the drift")).to_be_visible()
    after = dashboard.get("/api/risk/call-probability").json()
    assert len({model["model"] for model in after["models"]}) == 5
    assert after["range"]["low"] <= after["probability"] <= after["range"]["high"]
    await page.get_by_text("Every model and drift, with standard errors").click()
    await expect(page.get_by_label("Probability of a margin call by model and drift")).to_contain_text("± ")
    assert visitor.complaints == []
    assert all("127.0.0.1" in request for request in visitor.requests if not request.startswith("data:"))


async def test_the_loan_for_a_wanted_probability(visitor: Visitor, dashboard: Dashboard) -> None:
    page = await opened(visitor, dashboard)
    table = page.get_by_label("The loan for a wanted probability")
    await page.get_by_role("button", name="1 %", exact=True).click()
    await expect(page.get_by_text("For a call in 1.0 % of all courses".replace(" %", "\u00a0%"))).to_be_visible()
    seldom = await table.locator("tbody tr").first.inner_text()
    field = page.get_by_label("Another probability of a call within a year")
    await field.fill("30")
    await expect(page.get_by_text("For a call in 30.0\u00a0% of all courses")).to_be_visible()
    likely = await table.locator("tbody tr").first.inner_text()
    ltvs = [float(re.findall(r"([\d.]+)\s%", text)[1]) for text in (seldom, likely)]
    assert ltvs[0] < ltvs[1]
    for wrong in ("300", "-5", "often"):
        await field.fill(wrong)
        await expect(page.locator(".vd-field", has=field)).to_contain_text("must be")


async def test_another_volatility_changes_the_odds(visitor: Visitor, dashboard: Dashboard) -> None:
    page = await opened(visitor, dashboard)
    await page.get_by_role("button", name="daily closes", exact=True).click()
    await expect(page.get_by_text("daily closes (in use)")).to_be_visible()
    await page.get_by_role("button", name="GVZ", exact=True).click()
    await expect(page.get_by_text("GVZ is not stored, so the best known volatility is used.")).to_be_visible()
    await page.get_by_label("Your own view: gold rises a year by").fill("-20")
    await expect(page.get_by_label("The loan for a wanted probability")).to_contain_text("your own view")
    await page.get_by_label("Your own view: gold rises a year by").fill("500")
    await expect(page.get_by_text("must be between −100 and 100 % a year")).to_be_visible()


async def test_falls_say_what_cures_them(visitor: Visitor, dashboard: Dashboard) -> None:
    page = await opened(visitor, dashboard)
    table = page.get_by_label("The loan after a fall of gold").first
    await expect(table.locator("tbody tr")).to_have_count(6)
    rows = {row["price_change_pct"]: row for row in dashboard.get("/api/risk/stress").json()["rows"]}
    deepest = table.locator("tbody tr", has_text="−40")
    await expect(deepest).to_contain_text("close-out")
    assert rows[-0.4]["zone"] == "close_out"
    repaid = re.findall(r"\$\s([\d,]+)", await deepest.inner_text())
    assert len(repaid) == (2 if rows[-0.4]["cure"]["sell_gold"] is None else 3)  # all the gold may not be enough
    assert float(repaid[0].replace(",", "")) == pytest.approx(rows[-0.4]["cure"]["repay_cash"], rel=0.05)
    await table.get_by_role("columnheader", name="price").click()
    await expect(table.locator("tbody tr").first).to_contain_text("−40")
    await expect(page.get_by_label("The loan under harsher terms").first).to_contain_text("limits 10 points lower")


async def test_past_falls_named_drawn_and_of_ones_own(visitor: Visitor, dashboard: Dashboard) -> None:
    page = await opened(visitor, dashboard)
    table = page.get_by_label("Past falls of gold on the loan").first
    await expect(table.locator("tbody tr")).to_have_count(20, timeout=30_000)
    await expect(page.get_by_text("Only DEMO prices are there")).to_be_visible()
    await table.get_by_text("2008 as a whole").click()
    await expect(page.get_by_role("heading", name="2008 as a whole")).to_be_visible()
    await expect(page.locator("canvas").first).to_be_visible()
    await page.get_by_role("button", name="drawn at each peak").click()
    await expect(page.get_by_text("A loan drawn at 60.0\u00a0% at each peak")).to_be_visible(timeout=20_000)
    await page.get_by_label("LTV at each peak").fill("74")
    await expect(page.get_by_text("A loan drawn at 74.0\u00a0% at each peak")).to_be_visible(timeout=20_000)
    await expect(table).to_contain_text("called")
    await page.get_by_role("button", name="Replay the loan on your own days").click()
    await expect(page.get_by_text("Say at least one of the days")).to_be_visible()
    await page.get_by_label("First day of your own fall").fill("2020-03-09")
    await page.get_by_label("Last day of your own fall").fill("2020-03-01")
    await page.get_by_role("button", name="Replay the loan on your own days").click()
    await expect(page.get_by_text("must be before the end")).to_be_visible(timeout=20_000)
    await page.get_by_label("Last day of your own fall").fill("2020-03-19")
    await page.get_by_role("button", name="Replay the loan on your own days").click()
    await expect(table.locator("tbody tr")).to_have_count(1, timeout=20_000)
    await expect(table).to_contain_text("9 Mar 2020")
    await page.get_by_role("button", name="Back to the named falls").click()
    await expect(table.locator("tbody tr")).to_have_count(20, timeout=20_000)
    assert visitor.complaints == []


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(phone: Visitor, dashboard: Dashboard) -> None:
    page = await opened(phone, dashboard)
    await expect(page.get_by_label("Past falls of gold on the loan").first).to_be_visible(timeout=30_000)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
