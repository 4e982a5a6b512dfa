"""A borrower whose loan is called opens the dashboard."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import Visitor
from tests.journeys.servers import Dashboard, demo_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with demo_dashboard(tmp_path_factory.mktemp("called"), VAULT_LOAN_AMOUNT="850000") as running:
        yield running


async def test_the_overview_says_what_ends_the_call_and_recommends_no_hedge(
    visitor: Visitor, called: Dashboard
) -> None:
    page = visitor.page
    await page.goto(called.url)
    state = called.get("/api/portfolio").json()["portfolio"]
    assert state["called"]
    assert state["zone"] in ("call", "close_out")
    sentence = page.locator(".vd-sentence").first
    await expect(sentence).to_contain_text("brings it down to the warning level")
    await expect(page.get_by_text("The loan is called at this price: its LTV")).to_be_visible()


async def test_the_hedge_page_says_to_repay_first(visitor: Visitor, called: Dashboard) -> None:
    page = visitor.page
    await page.goto(called.url + "/hedge")
    await expect(page.locator(".vd-sentence")).to_contain_text("Repay, add gold or sell gold first.")
    table = page.get_by_label("Six hedges side by side").first
    await expect(table).to_contain_text("ends the call at the price now")
    await expect(table).not_to_contain_text("recommended")
    await expect(page.get_by_text("Nothing is recommended now")).to_be_visible()
