"""What the hedge page says of listed contracts: the hedge, or what is better, or why nothing is said."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from tests.api.conftest import KnownRate, by_quantlib
from tests.services.twins import Clock, FixedHours, ScriptedChains
from tests.services.workbench_house import HereAndNow
from tests.ui.test_risk import NoCompute
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.strategies.frontier_alternatives import Instead
from vaultdash.ui.components.listed_advice import advice_words, hedge_fall, reasons
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
    demo_vault.workbench._paths._compute = NoCompute()  # type: ignore[assignment]  # it refuses everything
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


@pytest.mark.parametrize("counting", [HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT])
async def test_where_a_hedge_must_be_sold_first_the_page_says_that_it_stops_no_call(
    person: User, house: Vault, counting: HedgeCounting
) -> None:
    kept = house.book.current
    await house.book.save(replace(kept, loan=replace(kept.loan, hedge_counting=counting)), "test")
    await house.heartbeat.beat()
    await person.open("/hedge")
    await person.should_see("counted after payment, LTV to 74", retries=100)
    await person.should_see("Random paths of it could not be followed", retries=100)
    await person.should_not_see("every one", retries=1)
    advice = await house.workbench.advise()
    words, tone = advice_words(advice)
    assert "no option stops the call of your lender" in words.lower()
    assert "sold at once" in words
    assert tone != "room"
    assert advice.cheapest is not None
    assert advice.cheapest.measure is not None
    alone = advice.cheapest.measure.countings[HedgeCounting.IGNORED]
    assert alone.deepest_fall is not None
    cell = hedge_fall(advice.cheapest.measure, advice.counting)
    assert cell.text.startswith(f"−{alone.deepest_fall * 100:.1f}")  # as without the hedge
    assert cell.sub.startswith("sold, it repays to −60")


async def test_what_random_paths_come_to_stands_below_the_hedge(person: User, house: Vault) -> None:
    house.workbench._paths._compute = HereAndNow()  # it runs what a process would
    await person.open("/hedge")
    await person.should_see("have a call that it does not cure", retries=400)


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
