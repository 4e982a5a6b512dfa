"""A new owner is led from an example to the own loan, and may skip every step."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.journeys.servers import Dashboard, demo_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PATIENCE = 60_000


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard nobody has told anything."""
    with demo_dashboard(tmp_path_factory.mktemp("welcome")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield await context.new_page()
    await context.close()


async def begun(page: Page, new: Dashboard) -> None:
    await page.goto(new.url)
    await page.get_by_role("link", name="Tell us your loan").click()
    await expect(page.get_by_text("What is pledged?")).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_label("live price")).to_contain_text("DEMO", timeout=PATIENCE)


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).first.click()


async def test_every_step_can_be_skipped_and_then_nothing_is_kept(page: Page, new: Dashboard) -> None:
    await begun(page, new)
    for head in ("What do you owe?", "When does your lender act?", "Where should alerts go?"):
        await press(page, "Skip this step")
        await expect(page.get_by_text(head)).to_be_visible()
    await press(page, "Next")
    await expect(page.get_by_text("Nothing is kept yet, because this is missing: gold and loan")).to_be_visible()
    await page.get_by_role("link", name="Open the overview").click()
    await expect(page.get_by_role("link", name="Tell us your loan")).to_be_visible(timeout=PATIENCE)


async def test_the_steps_end_in_the_owners_loan_on_every_page(page: Page, new: Dashboard) -> None:
    await begun(page, new)
    await press(page, "Next")
    await expect(page.get_by_text("Weight is missing.")).to_be_visible()
    await page.get_by_role("textbox", name="Weight of lot 1").fill("1,500")
    await press(page, "Next")
    await expect(page.get_by_text("What do you owe?")).to_be_visible()
    await page.get_by_role("textbox", name="Lender").fill("Bank of the Valley")
    await page.get_by_role("textbox", name="Loan", exact=True).fill("9'000'000")
    await press(page, "Next")
    await expect(page.get_by_text("a loan must be below 100 % of it")).to_be_visible()
    await page.get_by_role("textbox", name="Loan", exact=True).fill("400'000")
    await expect(page.locator(".vd-facts dt:has-text('Margin-call price') + dd").first).to_contain_text("355.56")
    await press(page, "Next")
    await page.get_by_role("textbox", name="Margin call").fill("80")
    await press(page, "Next")
    await expect(page.get_by_text("Where should alerts go?")).to_be_visible()
    await press(page, "Next")
    await expect(page.get_by_text("Your loan is kept, and shown")).to_be_visible()
    await page.get_by_role("link", name="Open the overview").click()
    await expect(page.get_by_text("Bank of the Valley")).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_role("link", name="Tell us your loan")).to_be_hidden()
    await expect(page.get_by_role("button", name=re.compile("^Loan on 1,500 GLD"))).to_be_visible()
    state = new.get("/api/portfolio").json()["portfolio"]
    assert state["margin_call_price"] == pytest.approx(400_000 / (0.80 * 1_500))
