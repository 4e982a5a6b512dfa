"""The workbench as a person meets it, over option chains that do as the test says, without a browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from nicegui.testing.user_simulation import user_simulation

from tests.api.conftest import LEAPS, KnownRate, by_quantlib
from tests.services.twins import Clock, FixedHours, ScriptedChains, until
from tests.ui.test_risk import NoCompute
from vaultdash.domain.collateral import Collateral
from vaultdash.domain.errors import Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.option_chains import OptionChains
from vaultdash.services.vault import Vault
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import workbench
from vaultdash.ui.pages.workbench_address import Asked

PATIENT = 100  # tries of a tenth of a second
LENDING = 850_000.0  # the call comes at 521 per 2,174 shares: above every listed put
Changed = Callable[[Callable[[Portfolio], Portfolio]], Awaitable[None]]


@pytest.fixture
async def house(demo_vault: Vault, listed: ScriptedChains, clock: Clock) -> Vault:
    """The demo house with a price, over a few scripted puts and calls; random paths cannot be followed in it."""
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    chains = OptionChains(listed, KnownRate(), FixedHours(), clock, by_quantlib)  # type: ignore[arg-type]  # a rate is enough
    demo_vault.chains = demo_vault.workbench._markets._chains = chains
    demo_vault.workbench._paths._compute = NoCompute()  # type: ignore[assignment]  # it refuses everything
    return demo_vault


@pytest.fixture
def change(house: Vault) -> Changed:
    """Makes another loan of the owner's."""

    async def changed(how: Callable[[Portfolio], Portfolio]) -> None:
        await house.book.save(how(house.book.current), "test")
        await house.heartbeat.beat()

    return changed


@pytest.fixture
async def person(house: Vault) -> AsyncIterator[User]:
    def show(hedge: str = "", b: str = "", contract: str = ""):  # type: ignore[no-untyped-def]
        return workbench.build(house, Asked(tuple(one for one in (hedge, b) if one), contract))

    def root() -> None:
        frame(house, (Page("/workbench", "Workbench", show),))

    async with user_simulation(root) as someone:
        someone.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield someone


async def see(person: User, words: str) -> None:
    await person.should_see(words, retries=PATIENT)


def press(person: User, words: str) -> None:
    """Press the first button with exactly this label."""
    labels = [one for one in person.find(kind=ui.label).elements if one.text == words]
    label = min(labels, key=lambda one: one.id)
    made = label.parent_slot
    assert made is not None
    UserInteraction(person, {made.parent}, None).click()


def field(person: User, words: str) -> ui.input:
    """The field of that name."""
    return next(one for one in person.find(kind=ui.input).elements if one.props.get("aria-label") == words)


def fill(person: User, words: str, value: str) -> None:
    """Type into the field of that name."""
    field(person, words).value = value


def choose(person: User, words: str, label: str) -> None:
    """Choose from the list of that name."""
    found = next(one for one in person.find(kind=ui.select).elements if one.props.get("aria-label") == words)
    found.value = next(value for value, name in dict(found.options).items() if name == label)


def said(person: User, marker: str) -> str:
    (found,) = person.find(marker=marker).elements
    assert isinstance(found, ui.label)
    return found.text


async def test_it_begins_with_the_cheapest_hedge_and_says_who_counts_it(person: User, house: Vault) -> None:
    await person.open("/workbench")
    await see(person, "The cheapest hedge that would repay a call at every price down to −60")
    await person.should_see("until 17 Jun 2027")  # the first expiration four months away
    await person.should_see("It does not stop the call at ")
    await person.should_see("Repaying $")
    await person.should_see("Your lender does not count it: you must sell it first")
    await person.should_see("Proved the cheapest among")
    await see(person, "No paths could be followed")  # asked last, once the candidates are drawn
    case, _ = await house.workbench.case()
    await person.should_see(f"({case.call_price:.2f})")


async def test_a_contract_is_bent_and_its_cost_follows_at_once(person: User, house: Vault) -> None:
    market = await house.workbench.market(LEAPS)
    put = next(one for one in market.options if one.right is Right.PUT and one.strike == 420)
    assert put.ask is not None
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    count = -int(-(await house.workbench.case())[0].units // 100)
    assert said(person, "hedge-cost").startswith(f"costs $\u00a0{count * (100 * put.ask + 0.65):,.0f},")
    fill(person, "Contracts of leg 1", "10")
    assert said(person, "hedge-cost").startswith(f"costs $\u00a0{10 * (100 * put.ask + 0.65):,.0f},")
    assert said(person, "hedge-title") == "A: put 420 · a contract, changed"
    fill(person, "Contracts of leg 1", "ten")
    await person.should_see("The number must be a number such as")
    fill(person, "Strike of leg 1", "411.37")
    await person.should_see("The 411.37 put of 17 Jun 2027 is not listed; take a strike that is.")
    assert said(person, "hedge-cost") == "No price while a leg has none."


async def test_a_sold_call_is_refused_until_the_broker_has_room_for_the_rise(person: User, house: Vault) -> None:
    await person.open("/workbench?hedge=h1~GLD~22P430-270617~-21C500-270617")
    await see(person, "Refused: the rise is the danger here: the broker asks $")
    await person.should_see("On a fall the lender calls at")
    fill(person, "Free money at the broker", "900,000")
    await see(person, "sold at once it would repay enough at every price down to −60")
    await person.should_see("The rise is the danger here: the broker calls at")
    await person.should_not_see("Refused", retries=1)
    press(person, "at the options' broker")
    await see(person, "the calls are covered, and a rise brings no call")


async def test_without_a_chain_it_says_so_and_tries_again(person: User, listed: ScriptedChains) -> None:
    listed.failure = Unavailable("the line is dead")
    await person.open("/workbench")
    await see(person, "No hedge can be looked for now.")
    await person.should_see("the line is dead")
    listed.failure = None
    press(person, "Try again")
    await see(person, "The cheapest hedge that would repay a call")


async def test_what_no_listed_put_can_do_is_said_with_what_can(person: User, change: Changed) -> None:
    await change(lambda was: replace(was, loan=replace(was.loan, amount=LENDING)))
    await person.open("/workbench")
    await see(person, "No listed hedge does it:")
    await see(person, "The loan is called at this price")


async def test_an_ltv_at_which_the_lender_calls_anyway_is_not_offered_instead(person: User) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    fill(person, "Puts at most", "9")
    press(person, "Find the cheapest")
    await see(person, "is above your call at 75.0")
    assert not [one for one in person.find(kind=ui.label).elements if one.text.startswith("Ask for ")]


async def test_an_answer_is_marked_as_that_of_the_question_before(person: User) -> None:
    def is_marked() -> bool:
        (found,) = person.find(marker="search-before").elements
        return "vd-hidden" not in found.classes

    await person.open("/workbench")
    await see(person, "Proved the cheapest among")
    assert not is_marked()
    fill(person, "LTV at most", "abc")
    assert is_marked()
    press(person, "Find the cheapest")
    await see(person, "The LTV must be")
    assert is_marked()
    fill(person, "LTV at most", "74")
    press(person, "Find the cheapest")
    await until(lambda: not is_marked())
    assert said(person, "search-status").startswith("Proved the cheapest among")


async def test_what_the_broker_wants_comes_first_where_it_decides_that_no_collar_is_had(person: User) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    press(person, "a collar that costs nothing")
    press(person, "Find the collar")
    await see(person, "No call is sold. The cheapest hedge sells")
    assert said(person, "broker-refuses").startswith("No call is sold.")
    assert not [one for one in person.find(kind=ui.label).elements if one.text.startswith("Allow $")]


async def test_a_lender_that_counts_nothing_is_helped_by_no_option(person: User) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    press(person, "ignored")
    press(person, "Find the cheapest")
    await see(person, "No hedge among")


async def test_gold_smaller_than_a_contract_is_remarked(person: User, change: Changed) -> None:
    def small(was: Portfolio) -> Portfolio:
        instrument = was.collateral.instrument
        return replace(was, collateral=Collateral.of(instrument, 40.0), loan=replace(was.loan, amount=11_000.0))

    await change(small)
    await person.open("/workbench")
    await see(person, "less than one contract of 100")


async def test_a_hedge_is_saved_as_a_template_and_taken_up_again(person: User, house: Vault) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    press(person, "Save as a template")
    await until(lambda: field(person, "Name of the template").value == "Put 420")
    fill(person, "Name of the template", "My floor")
    press(person, "Save")
    await see(person, "Saved as the template My floor")
    (kept,) = await house.templates.own()
    assert kept.name == "My floor"
    choose(person, "Start from a template", "My floor")
    await see(person, "B: put 420 · the template My floor")


async def test_the_counting_is_the_same_on_every_chart(person: User, house: Vault) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    press(person, "options credited")
    await see(person, "counts what they would pay as collateral")
    pressed = [
        one.parent_slot.parent.props["aria-pressed"]
        for one in person.find(kind=ui.label).elements
        if one.text == "options credited" and one.parent_slot is not None
    ]
    assert pressed == ["true"] * 3
    assert house.book.current.loan.hedge_counting is HedgeCounting.IGNORED


async def test_a_strategy_is_built_from_the_chain_beside_the_others(person: User) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    choose(person, "Start from a template", "Strategy: collar")
    await see(person, "B: collar ")
    press(person, "✕")
    await see(person, "the strategy: collar, changed")
    choose(person, "Start from a template", "Strategy: put ladder")  # its strikes are not listed
    await see(person, "must be at least two different ones")


async def test_an_expiration_that_is_not_read_yet_is_read_and_the_strike_moves_with_it(person: User) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    choose(person, "Expiration of leg 1", "17 Jul 2026")
    await see(person, "a contract, changed")
    await see(person, "costs $")
    assert said(person, "hedge-title").startswith("A: put 420")


async def test_a_link_to_a_day_that_is_not_listed_changes_nothing_silently(person: User) -> None:
    await person.open("/workbench?hedge=h1~GLD~22P420-270619")
    await see(person, "The 420 put of 19 Jun 2027 is not listed; take a strike that is.")
    assert said(person, "hedge-cost") == "No price while a leg has none."


async def test_the_best_for_a_budget_is_not_called_the_cheapest(person: User) -> None:
    await person.open("/workbench?contract=GLD270617P00420000")
    await see(person, "A: put 420 · a contract")
    press(person, "the best for a budget")
    press(person, "Find the best")
    await see(person, "The best protection needs a budget.")
    fill(person, "Costing at most", "20,000")
    press(person, "Find the best")
    await see(person, "the best for the budget")
    await person.should_not_see("The cheapest hedge that", retries=1)
