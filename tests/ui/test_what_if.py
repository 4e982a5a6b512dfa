"""The page of what-ifs, as a person without a browser meets it."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from tests.api.conftest import MONTH, KnownRate, by_quantlib
from tests.builders import a_held_put
from tests.services.twins import Clock, FixedHours, ScriptedChains, until
from tests.ui.test_templates import press
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.risk.what_if import WhatIfChange
from vaultdash.services.hedge_link import decode
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import ScenarioGrid, WhatIfRequest
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import what_if

TRIES = 100


@pytest.fixture
async def vault(demo_vault: Vault, listed: ScriptedChains, clock: Clock) -> Vault:
    """The demo house with what it keeps and a price, over a few scripted puts and calls."""
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    chains = OptionChains(listed, KnownRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    demo_vault.chains = demo_vault.workbench._markets._chains = chains
    return demo_vault


@pytest.fixture
async def user(vault: Vault) -> AsyncIterator[User]:
    """A person in front of the page."""

    def show(hedge: str | None = None):  # type: ignore[no-untyped-def]
        return what_if.build(vault, hedge)

    def root() -> None:
        frame(vault, (Page("/what-if", "What if", show),))

    async with user_simulation(root) as person:
        person.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield person


async def see(user: User, words: str) -> None:
    await user.should_see(words, retries=TRIES)


def slide(user: User, label: str, value: float) -> None:
    with user.client:
        (slider,) = [each for each in user.find(ui.slider).elements if each.props.get("aria-label") == label]
        slider.value = value


def said(user: User, marker: str) -> str:
    with user.client:
        return " ".join(each.text for each in user.find(marker=marker).elements if isinstance(each, ui.label))


def sentence(user: User) -> str:
    return "".join(said(user, f"what-if-{name}") for name in ("if", "unhedged", "with", "hedged")).replace(
        "\u00a0", " "
    )


async def shows(user: User, holds: Callable[[str], bool]) -> str:
    """The sentence once it is as wanted."""
    await until(lambda: holds(sentence(user)))
    return sentence(user)


async def test_nothing_here_is_the_market_and_nothing_can_be_ordered(user: User) -> None:
    await user.open("/what-if")
    await see(user, "What if: nothing here is the market")
    assert "If gold stays at" in await shows(user, lambda words: "With the hedge" in words)
    buttons = [each.text for each in user.find(ui.label).elements]
    assert not [
        words for words in buttons if re.search(r"\border\b|\bbuy\b", words.lower()) and "not an order" not in words
    ]


async def test_without_options_the_cheapest_hedge_is_looked_for_and_can_be_left_out(user: User) -> None:
    await user.open("/what-if")
    await shows(user, lambda words: "With the hedge" in words)
    await see(user, "It does not stop the call, for your lender reads the gold alone")
    assert "puts" in said(user, "hedge-words")
    press(user, "none")
    await shows(user, lambda words: words.endswith("No option protects it."))


async def test_a_slider_says_what_the_service_says(user: User, vault: Vault) -> None:
    await user.open("/what-if")
    press(user, "none")
    slide(user, "Gold", -30)
    slide(user, "Days forward", 90)
    words = await shows(user, lambda words: "falls 30 %" in words and "90 days" in words)
    report = await vault.workbench.what_if(WhatIfRequest(WhatIfChange(price=-0.3, days=90), with_maps=False))
    assert f"your LTV is {report.found.then.unhedged_ltv * 100:.1f} %: " in words
    assert f"to {report.found.then.price:,.2f} USD" in words


async def test_options_held_come_first(user: User, vault: Vault) -> None:
    await vault.book.save(replace(vault.book.current, options=(a_held_put(),)), "test")
    await vault.heartbeat.beat()
    await user.open("/what-if")
    await see(user, "5 puts 440")
    await shows(user, lambda words: "With the hedge" in words)


async def test_a_link_that_cannot_be_read_says_so_and_leaves_the_loan(user: User) -> None:
    await user.open("/what-if?hedge=nonsense")
    await see(user, "is not of a kind that is known here")
    await shows(user, lambda words: words.endswith("No option protects it."))


async def test_a_link_brings_its_hedge_at_the_prices_of_now(user: User, vault: Vault) -> None:
    await user.open(f"/what-if?hedge=h1~GLD~22P440-{MONTH:%y%m%d}")
    await see(user, "22 puts 440 until 17 Jul 2026")
    slide(user, "Gold", -20)
    words = await shows(user, lambda words: "falls 20 %" in words and "With the hedge" in words)
    hedge = await vault.workbench.resolve(decode(f"h1~GLD~22P440-{MONTH:%y%m%d}"))
    report = await vault.workbench.what_if(WhatIfRequest(WhatIfChange(price=-0.2), with_maps=False), hedge)
    assert f"{report.found.then.ltvs[HedgeCounting.AFTER_PAYMENT] * 100:.1f} %" in words
    press(user, "options held")
    await see(user, "You hold no option.")


async def test_harsher_terms_are_said_and_taken_back(user: User, vault: Vault) -> None:
    await user.open("/what-if")
    press(user, "none")
    slide(user, "Limits lower by", 10)
    await shows(user, lambda words: "limits 10 points lower" in words and ": a call" in words)
    press(user, "Put everything back to what it is now")
    assert "limits" not in await shows(user, lambda words: "limits" not in words)


async def test_a_grid_is_kept_chosen_and_removed(user: User, vault: Vault) -> None:
    await user.open("/what-if")
    await see(user, "No grid of your own is kept yet.")
    with user.client:
        fields = {each.props.get("aria-label"): each for each in user.find(ui.input).elements}
        fields["Gold moves by"].value = "−40, 0, ten"
        fields["Name"].value = "Autumn"
    press(user, "Keep it")
    await see(user, "'ten', which is no number")
    with user.client:
        fields["Gold moves by"].value = "−40, 0"
    press(user, "Keep it")
    await see(user, "Autumn is kept.")
    (kept,) = await vault.workbench.grids()
    assert kept.prices == (-0.4, 0.0)
    assert isinstance(kept, ScenarioGrid)
    with user.client:
        tables = [each for each in user.find(ui.table).elements if "over moves of gold" in str(each.props)]
    await until(lambda: len(tables[0].rows) == 2)
    press(user, "Remove the grid that is chosen")
    await see(user, "Autumn is removed.")
    await until(lambda: len(tables[0].rows) == 14)
    assert await vault.workbench.grids() == ()


async def test_without_a_price_it_says_so(user: User, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_price(*_: object, **__: object) -> None:
        raise Unavailable("There is no price yet; ask again in a few seconds")

    monkeypatch.setattr(vault.workbench, "what_if", no_price)
    await user.open("/what-if")
    await see(user, "There is no price yet; ask again in a few seconds.")
    await see(user, "Nothing can be reckoned yet.")


async def test_the_counting_switch_starts_where_the_hedge_can_be_seen(user: User, vault: Vault) -> None:
    assert vault.book.current.loan.hedge_counting is HedgeCounting.IGNORED
    await user.open("/what-if")
    await see(user, "With it, sold to repay")
    press(user, "credited")
    await see(user, "With it, credited")
