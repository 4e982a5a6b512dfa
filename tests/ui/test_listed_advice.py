"""What the hedge page says of listed contracts: the hedge, or what is better, or why nothing is said."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from tests.api.conftest import KnownRate, by_quantlib
from tests.services.twins import Clock, FixedHours, ScriptedChains
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.strategies.frontier_alternatives import Instead
from vaultdash.ui.components.listed_advice import advice_words, reasons
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import hedge


@pytest.fixture
async def house(demo_vault: Vault, listed: ScriptedChains, clock: Clock) -> Vault:
    await demo_vault.open()
    kept = demo_vault.book.current
    counts = replace(kept.loan, hedge_counting=HedgeCounting.CREDITED)
    await demo_vault.book.save(replace(kept, loan=counts), "test")
    await demo_vault.heartbeat.beat()
    chains = OptionChains(listed, KnownRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    demo_vault.chains = demo_vault.workbench._markets._chains = chains
    return demo_vault


@pytest.fixture
async def person(house: Vault) -> AsyncIterator[User]:
    def root() -> None:
        frame(house, (Page("/hedge", "Hedge", lambda: hedge.build(house)),))

    async with user_simulation(root) as someone:
        someone.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield someone


async def test_the_hedge_page_shows_the_cheapest_listed_hedge_beside_what_is_no_option(
    person: User, house: Vault
) -> None:
    await person.open("/hedge")
    await person.should_see("From listed contracts")
    await person.should_see("Open in the workbench")
    await person.should_see("Whole contracts at the ask, commission included, as your lender counts", retries=100)
    advice = await house.workbench.advise()
    assert advice.cheapest is not None
    assert advice.cheapest.found.hedge is not None
    assert advice.cheapest.measure is not None
    words, _ = advice_words(advice)
    expected = {Instead.HEDGE: "Cheapest that keeps the call away down to", Instead.REPAY: "Repay rather than hedge"}
    assert words.startswith(expected[advice.without.verdict])


async def test_without_a_chain_the_page_says_why_and_what_remains(
    person: User, house: Vault, listed: ScriptedChains
) -> None:
    listed.failure = Unavailable("the line is dead")
    await person.open("/hedge")
    await person.should_see("the line is dead", retries=100)
    advice = await house.workbench.advise()
    assert advice.problem is not None
    assert reasons(advice) == advice.without.sentences


async def test_a_called_loan_is_told_to_be_cured_first(person: User, house: Vault) -> None:
    kept = house.book.current
    await house.book.save(replace(kept, loan=replace(kept.loan, amount=850_000.0)), "test")
    await house.heartbeat.beat()
    await person.open("/hedge")
    await person.should_see("Cure it first: repay", retries=100)
    words, tone = advice_words(await house.workbench.advise())
    assert "no put bought now undoes that" in words
    assert tone == "warning"
