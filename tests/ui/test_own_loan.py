"""The pages about the owner's own loan, as a person without a browser meets them."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from nicegui.testing.user_simulation import user_simulation

from tests.builders import NOON
from tests.services.twins import until
from vaultdash.domain.collateral import Collateral, Lot
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import OptionContract, Right
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HeldOption, MarkBasis, OptionMark
from vaultdash.services.vault import Vault
from vaultdash.ui.components.positions_table import doubt_words
from vaultdash.ui.format import pct, unbroken, usd
from vaultdash.ui.frame import Page, _Banner, frame
from vaultdash.ui.pages import overview, settings, welcome

TRIES = 60


@pytest.fixture
async def vault(demo_vault: Vault) -> Vault:
    """The demo house with what it keeps and its first price."""
    await demo_vault.open()
    await demo_vault.heartbeat.beat()
    return demo_vault


@pytest.fixture
async def user(vault: Vault) -> AsyncIterator[User]:
    """A person in front of the pages about the own loan."""

    def root() -> None:
        frame(
            vault,
            (
                Page("/", "Overview", lambda: overview.build(vault)),
                Page("/settings", "Settings", lambda: settings.build(vault)),
                Page("/welcome", "Welcome", lambda: welcome.build(vault), in_navigation=False),
            ),
        )

    async with user_simulation(root) as person:
        person.javascript_rules[re.compile(".*")] = lambda _: True
        yield person


async def see(user: User, words: str) -> None:
    await user.should_see(words, retries=TRIES)


def press(user: User, label: str) -> None:
    """The first button with this text."""
    labels = user.find(kind=ui.label, content=label).elements
    found = min((each for each in labels if each.text == label), key=lambda each: each.id)
    assert found.parent_slot is not None
    UserInteraction(user, {found.parent_slot.parent}, None).click()


async def holding(vault: Vault, counting: HedgeCounting, contracts: int = 22) -> None:
    """Put options held against the loan, marked by the demo market's chain."""
    listing = await vault.chains.expirations("GLD")
    expiration = next(day for day in listing.days if day > NOON.date() + timedelta(days=100))
    chain = await vault.chains.chain("GLD", expiration)
    puts = [one.quote.contract for one in chain.options if one.quote.contract.right is Right.PUT]
    strike = min((put.strike for put in puts), key=lambda each: abs(each - chain.underlying.price))
    held = HeldOption("p", OptionContract("GLD", expiration, strike, Right.PUT), contracts, 9.5, NOON.date())

    def edit(kept: Portfolio) -> Portfolio:
        return replace(kept, options=(held,), loan=replace(kept.loan, hedge_counting=counting))

    await vault.book.change("main", edit, "test")
    await vault.held.refresh(vault.book.all)
    await vault.heartbeat.beat()


async def test_overview_counts_the_hedge_in_three_ways_and_never_mixes_them(user: User, vault: Vault) -> None:
    await holding(vault, HedgeCounting.AFTER_PAYMENT)
    beat = vault.heartbeat.current()
    assert beat is not None
    snapshot = beat.snapshot
    assert snapshot is not None
    loan, gold, worth = snapshot.portfolio.loan.amount, snapshot.gold_value, snapshot.hedge_value
    assert worth > 10_000
    await user.open("/")
    await see(user, "LTV as the lender counts it · after payment")
    for words, ltv in (
        ("LTV, hedge ignored", loan / gold),
        ("LTV, after payment · your lender", (loan - worth) / gold),
        ("LTV, hedge credited", loan / (gold + worth)),
    ):
        await see(user, words)
        await see(user, pct(ltv))
    await see(user, unbroken(f"Worth {usd(worth)} if closed now"))
    await see(user, "options held")
    await see(user, "together")


async def test_overview_follows_a_change_of_the_loan_at_once(user: User, vault: Vault) -> None:
    await user.open("/")
    await see(user, unbroken("$ 600,000"))
    await see(user, "Tell us your loan")
    kept = vault.book.current
    await vault.book.save(replace(kept, loan=replace(kept.loan, amount=650_000.0), lender="Bank A"), "api")
    await see(user, unbroken("$ 650,000"))
    await see(user, "Bank A")


async def test_another_loan_is_shown_when_it_is_chosen(user: User, vault: Vault) -> None:
    kept = vault.book.current
    await vault.book.add(replace(kept, id="second", name="Second", loan=replace(kept.loan, amount=400_000.0)), "api")
    await user.open("/")
    await see(user, "My loan · 2,174 GLD")
    await vault.book.choose("second")
    await see(user, "Second · 2,174 GLD")
    await see(user, unbroken("$ 400,000"))


async def test_settings_tell_every_change_and_take_one_back(user: User, vault: Vault) -> None:
    kept = vault.book.current
    await vault.book.save(replace(kept, loan=replace(kept.loan, amount=650_000.0)), "api")
    await user.open("/settings")
    await see(user, "loan 600,000 → 650,000 USD")
    press(user, "Undo")
    await see(user, "taken back: loan 650,000 → 600,000 USD")
    assert vault.book.current.loan.amount == 600_000


async def test_the_only_loan_cannot_be_removed_and_an_example_is_called_one(user: User) -> None:
    await user.open("/settings")
    await see(user, "This loan is an EXAMPLE")
    await user.should_not_see("Remove")
    await see(user, "Everything is saved.")


async def test_the_first_run_can_be_skipped_step_by_step(user: User) -> None:
    await user.open("/welcome")
    await see(user, "What is pledged?")
    for _ in range(3):
        press(user, "Skip this step")
    press(user, "Next")
    await see(user, "Nothing is kept yet, because this is missing: gold and loan.")


async def test_a_loan_in_francs_is_told_in_francs_with_dollars_and_rate_beside(user: User, vault: Vault) -> None:
    kept = vault.book.current
    await vault.book.save(replace(kept, loan=replace(kept.loan, amount=480_000.0, currency="CHF")), "api")
    beat = await vault.heartbeat.beat()
    assert beat.snapshot is not None
    rate = beat.statuses["CHF=X"].quote
    dollars = 480_000 / rate.price
    assert beat.snapshot.portfolio.loan.amount == pytest.approx(dollars)
    await user.open("/")
    await see(user, unbroken(f"480,000 CHF ({usd(dollars)})"))
    await see(user, unbroken(f"A dollar costs {rate.price:.4f} CHF, from DEMO"))
    call = dollars / (0.75 * beat.snapshot.shares)
    await see(user, f"to GLD {call:,.2f}, before the lender calls, while a dollar costs {rate.price:.4f}\u00a0CHF")
    await see(user, "daily moves to a call, in USD")
    assert zone_label(user).startswith(f"LTV {pct(beat.snapshot.lender_ltv)};")
    await user.open("/settings")
    await see(user, "A dollar costs")
    await see(user, unbroken(f"480,000 CHF ({usd(dollars)})"))
    await see(user, "loan 600,000 USD → 480,000 CHF")


def zone_label(user: User) -> str:
    """What the bar of zones says to who cannot see it."""
    (bar,) = (each for each in user.find(kind=ui.element).elements if "vd-zones" in each.classes)
    return str(bar.props["aria-label"])


async def test_beside_a_real_price_an_invented_rate_shows_no_zone_and_no_hedge(user: User, vault: Vault) -> None:
    kept = vault.book.current
    vault.prices._best["GLD"] = replace(vault.prices.known("GLD"), source="Yahoo")
    vault.advisor._doubts._demo = False
    await vault.book.save(replace(kept, loan=replace(kept.loan, amount=600_000.0, currency="CHF")), "api")
    beat = await vault.heartbeat.beat()
    assert beat.snapshot is not None
    assert beat.snapshot.rate.is_demo
    await user.open("/")
    await see(user, "Not known now.")
    await see(user, unbroken("What a dollar costs in CHF is invented (DEMO), as no real rate could be had"))
    tables = user.find(kind=ui.table).elements
    of_falls = [each for each in tables if "after a fall" in each.props["aria-label"]]
    (falls,) = (each for each in of_falls if any(column["name"] == "price" for column in each.columns))
    assert beat.snapshot.is_called
    assert {cells["cells"]["ltv"]["tone"] for cells in falls.rows} == {""}
    await see(user, "invented (DEMO), because no real rate could be had: nothing is recommended on it")
    assert zone_label(user).startswith("LTV –;")


async def test_a_currency_no_loan_has_is_asked_for_while_it_is_typed(user: User, vault: Vault) -> None:
    await user.open("/settings")
    await see(user, "Everything is saved.")
    press(user, "GBP")
    await see(user, "A dollar costs")
    await see(user, "SONIA, for instance.")
    status = await vault.quote_status("GBP=X")
    await see(user, unbroken(usd(600_000 / status.quote.price)))
    await see(user, "Not saved: currency, reference rate, day count.")
    fields = {each.props["aria-label"]: each.value for each in user.find(kind=ui.input).elements}
    assert fields["Reference rate"] == "4"


async def test_two_loans_of_the_same_name_are_not_kept(user: User, vault: Vault) -> None:
    kept = vault.book.current
    await vault.book.add(replace(kept, id="second", name="Second"), "api")
    await user.open("/settings")
    await see(user, "Everything is saved.")
    name = next(each for each in user.find(kind=ui.input).elements if each.props["aria-label"] == "Name")
    name.value = "second"
    await see(user, "Not saved: name.")
    assert name.error == "Name is that of another loan already; write “second 2”, for instance."


async def test_lots_of_different_kinds_are_told_in_ounces(user: User, vault: Vault) -> None:
    kept = vault.book.current
    lots = (Lot.by_weight("XAU-G", 3_000.0), Lot.by_weight("XAU-OZ", 45.45))
    await vault.book.save(replace(kept, collateral=Collateral(lots), loan=replace(kept.loan, amount=1e5)), "api")
    await user.open("/")
    await see(user, "141.9 oz of gold in 2 lots")  # 3,000 / 31.1034768 + 45.45


async def test_an_invented_price_beside_the_real_market_refuses_no_loan(user: User, vault: Vault) -> None:
    await user.open("/settings")
    await see(user, "Everything is saved.")
    amount = next(each for each in user.find(kind=ui.input).elements if each.props["aria-label"] == "Loan")
    amount.value = "9,000,000"
    await see(user, "Not saved: loan.")
    assert amount.error is not None
    assert "must be below 100 %" in amount.error
    vault.market = "auto"
    amount.value = "9,000,001"
    await until(lambda: amount.error is None)


async def test_a_rate_that_is_old_is_named_by_the_banner_and_not_the_price(user: User, vault: Vault) -> None:
    kept = vault.book.current
    await vault.book.save(replace(kept, loan=replace(kept.loan, amount=480_000.0, currency="CHF")), "api")
    beat = await vault.heartbeat.beat()
    gold = beat.statuses["GLD"]
    real = replace(gold, quote=replace(gold.quote, source="Yahoo"))
    statuses = {**beat.statuses, "GLD": real}
    vault.market = "auto"
    now = replace(beat, statuses=statuses, status=real)
    assert beat.snapshot is not None
    now = replace(now, status=now.status_of(beat.snapshot))
    banner = _Banner.__new__(_Banner)
    banner._vault = vault
    head, said, is_red = banner._words(now)
    assert (head, is_red) == ("RATE", True)
    assert said.startswith("What a dollar costs in CHF is invented: ")


def test_a_reason_that_several_positions_share_is_told_once() -> None:
    held = [
        HeldOption(str(strike), OptionContract("GLD", NOON.date(), strike, Right.PUT), 1, 9.5, NOON.date())
        for strike in (400.0, 410.0, 420.0)
    ]
    why = ("its chain is not loaded yet", "its chain is not loaded yet", "its price is old")
    marks = [
        OptionMark(each, MarkBasis.INTRINSIC, 1.0, None, None, "exercise value", problem=problem)
        for each, problem in zip(held, why, strict=True)
    ]
    assert doubt_words(marks) == "2 positions: its chain is not loaded yet. Put 420, 10 Jun 2026: its price is old."
