"""A borrower types the loan: both ways of entry, every refusal, positions, and what another hand does meanwhile."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.journeys.servers import Dashboard, demo_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PATIENCE = 60_000


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard whose loans these tests may change."""
    with demo_dashboard(tmp_path_factory.mktemp("settings")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One person's browser: what the pages are made of is loaded once."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A new tab."""
    page = await context.new_page()
    yield page
    await page.close()


async def opened(page: Page, own: Dashboard, path: str = "/settings") -> None:
    await page.goto(own.url + path)
    await expect(page.get_by_label("live price")).to_contain_text("DEMO", timeout=PATIENCE)
    if path == "/settings":
        await expect(fact(page, "Margin-call price")).not_to_have_text("–", timeout=PATIENCE)


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=name, exact=True)


def fact(page: Page, name: str) -> Locator:
    return page.locator(f".vd-facts dt:has-text('{name}') + dd").first


async def pick(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).first.click()


async def saved(page: Page) -> None:
    state = page.locator(".vd-savestate")
    await expect(state).to_have_text(re.compile("[Nn]ot saved"), timeout=PATIENCE)  # what was typed has arrived
    await pick(page, "Save")
    await expect(state).to_have_text("Everything is saved.", timeout=PATIENCE)


def lot(own: Dashboard) -> dict[str, object]:
    """The first lot of the first loan as it is kept."""
    kept: dict[str, object] = own.get("/api/portfolios").json()["portfolios"][0]["document"]["lots"][0]
    return kept


def money(text: str) -> float:
    return float(re.sub(r"[^0-9.]", "", text))


async def test_both_ways_of_entry_follow_from_each_other_and_are_kept_as_chosen(page: Page, own: Dashboard) -> None:
    await opened(page, own)
    await pick(page, "start value + entry price")
    value, price, weight = (field(page, f"{name} of lot 1") for name in ("Start value", "Entry price", "Weight"))
    await value.fill("1'000'000")
    await price.fill("460")
    await expect(weight).to_have_value("2,173.9130")  # 1,000,000 / 460
    await expect(weight).not_to_be_editable()
    await expect(page.get_by_text("weight = start value ÷ entry price: 2,173.9130 shares")).to_be_visible()
    await expect(page.locator(".vd-savestate")).to_contain_text("Not saved: collateral")

    await pick(page, "weight")
    await expect(weight).to_be_editable()
    await weight.fill("2 000")
    await expect(value).to_have_value(re.compile("920,000"))  # 2,000 x 460 follows
    await pick(page, "start value + entry price")
    await expect(value).to_have_value("1'000'000")  # what was typed is still there
    await pick(page, "weight")
    await expect(weight).to_have_value("2 000")

    await field(page, "Loan").fill("600,000")
    await saved(page)
    assert lot(own)["entry_mode"] == "weight"
    assert lot(own)["units"] == 2_000
    await expect(field(page, "Weight of lot 1")).to_have_value("2,000", timeout=PATIENCE)
    await expect(page.get_by_role("button", name="weight", exact=True)).to_have_attribute("aria-pressed", "true")
    await expect(fact(page, "Margin-call price")).to_contain_text("400.00")  # 600,000 / (0.75 x 2,000)

    await pick(page, "start value + entry price")
    await expect(field(page, "Weight of lot 1")).not_to_be_editable()  # the switch has arrived
    await field(page, "Start value of lot 1").fill("1,000,000")
    await expect(field(page, "Weight of lot 1")).to_have_value("2,173.9130")  # and what was typed
    await saved(page)
    await page.reload()
    await expect(field(page, "Start value of lot 1")).to_have_value("1,000,000", timeout=PATIENCE)
    await expect(field(page, "Entry price of lot 1")).to_have_value("460")
    await expect(field(page, "Weight of lot 1")).to_have_value("2,173.9130")
    chosen = page.get_by_role("button", name="start value + entry price")
    await expect(chosen).to_have_attribute("aria-pressed", "true")


async def test_what_follows_is_shown_beside_the_form_and_is_what_the_api_says(page: Page, own: Dashboard) -> None:
    await opened(page, own)
    await field(page, "Loan").fill("640000")
    await expect(fact(page, "Margin-call price")).to_contain_text("392.53")  # 640,000 / (0.75 x 2,173.913)
    await expect(fact(page, "Recommended collateral")).to_contain_text("1,066,667")  # 640,000 / 0.6
    await field(page, "Target LTV").fill("64")
    await expect(fact(page, "Recommended collateral")).to_contain_text("1,000,000")
    await saved(page)
    state = own.get("/api/portfolio").json()["portfolio"]
    assert state["margin_call_price"] == pytest.approx(640_000 / (0.75 * 1_000_000 / 460), rel=1e-12)
    assert (await fact(page, "Margin-call price").inner_text()).startswith(f"{state['margin_call_price']:.2f}")


REFUSED = (
    ("Weight of lot 1", "0", "must be above zero"),
    ("Weight of lot 1", "-5", "must be above zero"),
    ("Weight of lot 1", "NaN", "must be a number"),
    ("Weight of lot 1", "a lot", "must be a number"),
    ("Weight of lot 1", "2.174", "may mean 2174 or 2.174"),
    ("Weight of lot 1", "1e400", "must be a number"),
    ("Entry price of lot 1", "0", "must be above zero"),
    ("Entry price of lot 1", "460,5", "write 460.5"),
    ("Entry price of lot 1", "1.000.000", "the point is decimal here"),
    ("Since of lot 1", "2199-01-01", "lies in the future"),
    ("Loan", "0", "must be above zero"),
    ("Loan", "-600000", "must be above zero"),
    ("Loan", "NaN", "must be a number"),
    ("Loan", "inf", "must be a number"),
    ("Loan", "six hundred", "must be a number"),
    ("Loan", "600.000", "may mean 600000 or 600"),
    ("Loan", "9,000,000", "a loan must be below 100 %"),
    ("Owed on", "2199-01-01", "lies in the future"),
    ("Warning", "75", "must be below the margin call of 75 %"),
    ("Warning", "0", "must be above 0 and below 100 %"),
    ("Margin call", "100", "must be above 0 and below 100 %"),
    ("Margin call", "0.75", "may mean 0.75 % or 75 %"),
    ("Margin call", "NaN", "must be per cent"),
    ("Close-out", "74", "must not be below the margin call of 75 %"),
    ("Close-out", "101 %", "must be above 0 and below 100 %"),
    ("Days to cure", "-1", "must be between 0 and 60"),
    ("Days to cure", "2.5", "must be a whole number"),
    ("Haircut", "101", "must be between 0 and 100 %"),
    ("Haircut", "-1", "must be between 0 and 100 %"),
    ("Reference rate", "0.045", "may mean 0.045 % or 4.5 %"),
    ("Spread", "60", "must be between -5 and 50 %"),
    ("Target LTV", "80", "must be below the margin call of 75 %"),
    ("Name", " ", "must not be empty"),
)
ALONE = (("Loan", "9,000,000"), ("Target LTV", "80"))  # judged only when the rest is right
TOGETHER = (("Warning", "75"), ("Close-out", "74"))  # judged by the margin call, which must be right then


def rounds() -> list[list[tuple[str, str, str]]]:
    """The refused values in as few rounds as can be: one a field, with those apart that depend on other fields."""
    found = [[case] for case in REFUSED if case[:2] in ALONE]
    found.append([case for case in REFUSED if case[:2] in TOGETHER])
    rest = [case for case in REFUSED if case[:2] not in (*ALONE, *TOGETHER)]
    while rest:
        now = [case for number, case in enumerate(rest) if case[0] not in {one[0] for one in rest[:number]}]
        found.append(now)
        rest = [case for case in rest if case not in now]
    return found


async def test_every_impossible_value_is_refused_where_it_is_typed_with_the_reason(
    page: Page, own: Dashboard
) -> None:
    await opened(page, own)
    await pick(page, "weight")
    before = own.get("/api/portfolio").json()["portfolio"]["margin_call_price"]
    refused = rounds()
    assert sorted(case for each in refused for case in each) == sorted(REFUSED)
    places = {
        name: field(page, name) if name not in ("Owed on", "Since of lot 1") else page.get_by_label(name, exact=True)
        for name, _, _ in REFUSED
    }
    usual = {name: await place.input_value() for name, place in places.items()}
    wrong: set[str] = set()
    for number, each in enumerate(refused):
        for name in wrong - {name for name, _, _ in each}:
            await places[name].fill(usual[name])
        for name, typed, _ in each:
            await places[name].fill(typed)
        wrong = {name for name, _, _ in each}
        for name, typed, reason in each:
            messages = page.locator(".vd-field", has=places[name]).locator(".q-field__messages")
            said = messages.last  # the one before may still be leaving
            await expect(said, f"{name} = {typed!r}").to_contain_text(reason, timeout=PATIENCE)
        if number <= len(ALONE):
            await pick(page, "Save")
            await expect(page.get_by_text("Not saved: what is wrong stands at each field.")).to_be_visible()
    for name in wrong:
        await places[name].fill(usual[name])
    await expect(page.locator(".q-field--error")).to_have_count(0, timeout=PATIENCE)
    after = own.get("/api/portfolio").json()["portfolio"]["margin_call_price"]
    assert after == before


async def test_a_position_is_entered_counts_is_closed_and_taken_back(page: Page, own: Dashboard) -> None:
    await opened(page, own)
    listed = own.get("/api/options/expirations?symbol=GLD").json()
    expiration = next(day for day in (one if isinstance(one, str) else one["expiration"] for one in _days(listed)))
    await pick(page, "Add a position")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Expiration", exact=True).fill(expiration)
    await dialog.get_by_label("Contracts", exact=True).fill("0")
    await dialog.get_by_label("Strike", exact=True).fill("440")
    await dialog.get_by_label("Price paid", exact=True).fill("12.50")
    await dialog.get_by_role("button", name="Save position").click()
    await expect(dialog.get_by_text("must be a whole number other than zero")).to_be_visible()
    await dialog.get_by_label("Contracts", exact=True).fill("21")
    await dialog.get_by_role("button", name="Save position").click()
    await expect(dialog).to_have_count(0, timeout=PATIENCE)
    row = page.get_by_role("row", name=re.compile("Put 440"))
    await expect(row).to_contain_text("12.50")
    await expect(row).to_contain_text("quote", timeout=PATIENCE)

    await page.get_by_role("link", name="Overview", exact=True).click()
    await expect(page.get_by_text("21 × GLD Put 440")).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_role("button", name=re.compile("LTV, after payment"))).to_be_visible()
    await expect(page.get_by_text("together", exact=True).first).to_be_visible()

    await page.get_by_role("link", name="Settings", exact=True).click()
    await page.get_by_role("row", name=re.compile("Put 440")).click()
    await dialog.get_by_label("Closed on", exact=True).fill("2199-01-01")
    await dialog.get_by_label("Price got", exact=True).fill("9")
    await dialog.get_by_role("button", name="Save position").click()
    await expect(dialog.get_by_text("lies in the future")).to_be_visible()
    today = await dialog.get_by_label("Opened on", exact=True).input_value()
    await dialog.get_by_label("Closed on", exact=True).fill(today)
    await dialog.get_by_role("button", name="Save position").click()
    await expect(page.get_by_text("1 closed or expired")).to_be_visible(timeout=PATIENCE)
    await page.get_by_role("button", name=re.compile("Undo: .*closed")).first.click()
    await expect(page.get_by_role("row", name=re.compile("Put 440")).first).to_contain_text("12.50", timeout=PATIENCE)


def _days(answer: dict[str, object]) -> list[str]:
    found = answer.get("expirations") or answer.get("days")
    assert isinstance(found, list)
    return found[2:]


async def test_a_csv_is_looked_at_before_it_is_taken_and_bad_rows_say_why(page: Page, own: Dashboard) -> None:
    await opened(page, own)
    await pick(page, "Import CSV")
    good, bad = "GLD 271217P00300000,5,3.20,2026-01-05", "GLD 271217P00310000,0,3.20,2026-01-05"
    rows = f"contract,contracts,price_paid,opened_on\n{good}\n{bad}\n"
    await page.get_by_label("Rows of the CSV").fill(rows)
    await pick(page, "Look at it")
    await expect(page.get_by_text("1 position can be taken")).to_be_visible(timeout=PATIENCE)
    await expect(page.get_by_text("1 row cannot")).to_be_visible()
    await expect(page.get_by_text("other than zero").first).to_be_visible()
    await pick(page, "Take them")
    await expect(page.get_by_role("row", name=re.compile("Put 300"))).to_be_visible(timeout=PATIENCE)


async def test_a_change_by_another_hand_loses_nothing_that_is_typed(
    page: Page, own: Dashboard, context: BrowserContext
) -> None:
    await opened(page, own)
    await field(page, "Lender").fill("Bank A")
    other = await context.new_page()
    await opened(other, own)
    await field(other, "Close-out").fill("88")
    await saved(other)
    await other.close()
    conflict = page.locator(".vd-conflict")
    await expect(conflict).to_contain_text("was changed elsewhere meanwhile (close-out)", timeout=PATIENCE)
    await expect(field(page, "Lender")).to_have_value("Bank A")
    await pick(page, "Load what is kept now")
    await expect(field(page, "Close-out")).to_have_value("88")
    await expect(field(page, "Lender")).to_have_value("")


async def test_leaving_with_unsaved_changes_is_asked_and_the_draft_waits(page: Page, own: Dashboard) -> None:
    await opened(page, own)
    await field(page, "Lender").fill("Bank B")
    await expect(page.locator("[data-unsaved]")).to_be_visible()
    asked: list[str] = []

    async def refuse(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        await dialog.dismiss()  # type: ignore[attr-defined]

    async def agree(dialog: object) -> None:
        await dialog.accept()  # type: ignore[attr-defined]

    page.once("dialog", refuse)
    await page.get_by_role("link", name="Hedge", exact=True).click()
    assert asked
    assert "not saved" in asked[0]
    await expect(field(page, "Lender")).to_have_value("Bank B")
    page.once("dialog", agree)
    await page.get_by_role("link", name="Hedge", exact=True).click()
    await expect(page.get_by_text("Six hedges side by side")).to_be_visible(timeout=PATIENCE)
    await page.get_by_role("link", name="Settings", exact=True).click()
    await expect(field(page, "Lender")).to_have_value("Bank B", timeout=PATIENCE)
    await expect(page.locator(".vd-savestate")).to_contain_text("Not saved: lender", timeout=PATIENCE)
    async with page.expect_event("dialog"):
        page.once("dialog", refuse)
        await page.evaluate("history.back()")
    await expect(page).to_have_url(own.url + "/settings")
    assert len(asked) == 2
    await expect(field(page, "Lender")).to_have_value("Bank B")
    await pick(page, "Discard changes")
    await pick(page, "Drop it")
    await expect(field(page, "Lender")).to_have_value("", timeout=PATIENCE)


async def test_a_second_loan_is_added_shown_on_all_pages_and_removed(page: Page, own: Dashboard) -> None:
    await opened(page, own)
    await pick(page, "Add a loan")
    await expect(page.locator(".vd-savestate")).to_have_text("A new loan, not saved yet.", timeout=PATIENCE)
    await field(page, "Name").fill("Coins")
    await page.get_by_role("combobox", name="What is pledged of lot 1").click()
    await page.get_by_role("option", name="Bullion in kilograms").click()
    await field(page, "Weight of lot 1").fill("12.441")
    await field(page, "Loan").fill("700 000")
    await saved(page)
    await page.get_by_role("button", name="Show Coins on all pages").click()
    header = page.get_by_role("button", name=re.compile("Coins · 12.4 kg of gold; choose another loan"))
    await expect(header).to_be_visible(timeout=PATIENCE)
    await page.get_by_role("link", name="Overview", exact=True).click()
    await expect(page.get_by_text("12.44 kg")).to_be_visible(timeout=PATIENCE)
    shown = own.get("/api/portfolio").json()["portfolio"]
    big = money(await page.locator(".vd-figure.big .value").inner_text())
    assert big == pytest.approx(shown["ltv"] * 100, abs=0.5)  # the price may have moved in between
    await header.click()
    await page.get_by_role("menuitemradio", name="My loan").click()
    await expect(page.locator(".vd-figure.big .label")).to_be_visible()
    await expect(page.get_by_text("12.44 kg")).to_have_count(0, timeout=PATIENCE)
    await page.get_by_role("link", name="Settings", exact=True).click()
    await page.get_by_role("button", name="Remove Coins").click()
    await pick(page, "Remove it")
    await expect(page.get_by_role("button", name="Remove Coins")).to_have_count(0, timeout=PATIENCE)


async def test_a_loan_valued_by_another_price_turns_the_page_to_that_price(page: Page, own: Dashboard) -> None:
    await opened(page, own, "/")
    kept = own.get("/api/portfolios").json()["portfolios"][0]["document"]
    lot = {"symbol": "IAU", "entry_mode": "weight", "units": 20_000.0}
    given = {"name": "Shares of IAU", "lots": [lot], "loan_amount": 500_000.0}
    async with httpx.AsyncClient(base_url=own.url, timeout=PATIENCE / 1000) as client:
        made = await client.post("/api/portfolios", json=given)
        assert made.status_code in (200, 201), made.text
        name = made.json()["id"]
        await client.post(f"/api/portfolios/{name}/current")
        await expect(page.get_by_text("IAU and the loan's prices")).to_be_visible(timeout=PATIENCE)
        await expect(page.get_by_label("live price")).to_contain_text("IAU", timeout=PATIENCE)
        await client.post(f"/api/portfolios/{kept['id']}/current")
        await expect(page.get_by_text("GLD and the loan's prices")).to_be_visible(timeout=PATIENCE)
        await client.delete(f"/api/portfolios/{name}")


async def test_overview_says_price_source_time_and_ltv_as_the_api_does(page: Page, own: Dashboard) -> None:
    await opened(page, own, "/")
    for _ in range(5):  # the price may move between the page's reading and ours
        answer = own.get("/api/portfolio").json()
        shown = (await page.locator(".vd-page").first.inner_text()).replace("\u00a0", " ")
        quote = answer["quote"]
        if f"GLD {quote['price']:.2f} from {quote['source']}" in shown:
            break
    assert f"GLD {quote['price']:.2f} from {quote['source']}" in shown
    big = (await page.locator(".vd-figure.big .value").inner_text()).replace("\n", "")
    lender = answer["portfolio"].get("lender_ltv", answer["portfolio"]["ltv"])
    assert big.startswith(f"{lender * 100:.1f}")
    at = await page.get_by_label("live price").locator("[data-at]").get_attribute("data-at")
    assert at is not None
    assert at[:19] == quote["at"][:19]


async def test_nothing_broke_behind_the_pages(own: Dashboard) -> None:
    log = Path(own.log).read_text(encoding="utf-8")  # noqa: ASYNC240 - nothing else runs meanwhile
    for word in ("_broke", "page_not_updated", "Traceback", "never awaited"):
        assert word not in log, log[-3000:]


async def test_another_amount_is_of_today_and_an_older_change_is_taken_back_only_after_a_question(
    page: Page, own: Dashboard
) -> None:
    gold = {"symbol": "GLD", "units": 3_000}
    grown = {"name": "Grown", "loan_amount": 600_000, "capitalised": True, "as_of": "2024-01-02", "lots": [gold]}
    async with httpx.AsyncClient(base_url=own.url) as client:
        kept = (await client.post("/api/portfolios", json=grown)).json()
        await opened(page, own)
        await pick(page, "Edit Grown")
        owed = page.get_by_text(f"Owed today with interest: {kept['owed_today']:,.2f} USD")
        await expect(owed).to_be_visible()
        currency = page.locator(".vd-field.wide", has=page.get_by_text("Currency", exact=True))
        await currency.get_by_text("CHF", exact=True).click()
        await expect(page.get_by_text("The figure stays: 600,000 USD is now 600,000 CHF.")).to_be_visible()
        await currency.get_by_text("USD", exact=True).click()
        await expect(owed).to_be_visible()
        amount, day = field(page, "Loan"), page.get_by_label("Owed on", exact=True)
        await expect(day).to_have_value("2024-01-02")
        await amount.fill("650,000")
        await expect(day).not_to_have_value("2024-01-02")
        await saved(page)
        found = (await client.get("/api/portfolios/grown")).json()
        assert (found["owed_today"], found["accrued_interest"]) == (650_000, 0)

        await field(page, "Lender").fill("Bank B")
        await saved(page)
        await page.get_by_role("button", name=re.compile("Undo: loan 600,000")).click()
        question = page.get_by_role("alertdialog")
        await expect(question).to_contain_text("lender Bank B → none; loan 650,000 → 600,000 USD")
        await question.get_by_role("button", name="Cancel").click()
        await expect(question).to_have_count(0)
        assert (await client.get("/api/portfolios/grown")).json()["lender"] == "Bank B"
        await page.get_by_role("button", name=re.compile("Undo: loan 600,000")).click()
        await question.get_by_role("button", name="Take all back").click()
        await expect(day).to_have_value("2024-01-02", timeout=PATIENCE)
        assert (await client.get("/api/portfolios/grown")).json()["owed_today"] == kept["owed_today"]
        await client.delete("/api/portfolios/grown")


async def test_on_a_phone_every_page_of_the_navigation_can_be_touched(page: Page, own: Dashboard) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await opened(page, own, "/")
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    assert await links.count() >= 7
    for number in range(await links.count()):
        box = await links.nth(number).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 36
