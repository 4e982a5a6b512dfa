"""The Options page: it asks behind what is shown, the latest wish wins, and a failure leaves the rest usable."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from structlog.testing import capture_logs

from tests.api.conftest import LEAPS, MONTH, SOON
from tests.builders import a_contract, an_option_quote
from tests.services.twins import Clock, ScriptedChains, a_priced_smile, until
from vaultdash.domain.errors import NotFound, RateLimited, Unavailable
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import DEMO_SOURCE
from vaultdash.domain.option import Right
from vaultdash.services.exchange_rates import ExchangeRates
from vaultdash.services.vault import Vault
from vaultdash.ui.components.chain_ladder import _Ladder

PUT = a_contract(420.0).osi
TRIES = 60


async def see(user: User, words: str) -> None:
    await user.should_see(words, retries=TRIES)


def ladder(user: User) -> dict[str, Any]:
    (found,) = user.find(kind=_Ladder).elements
    return found._props


def press(user: User, label: str) -> None:
    """The first button with this text."""
    labels = user.find(kind=ui.label, content=label).elements
    found = min((each for each in labels if each.text == label), key=lambda each: each.id)
    assert found.parent_slot is not None
    UserInteraction(user, {found.parent_slot.parent}, None).click()


async def test_the_page_is_there_before_its_source_has_answered(user: User, listed: ScriptedChains) -> None:
    listed.gate.clear()
    await user.open("/options")
    await see(user, "Asking the demo market for the expirations of GLD")
    await see(user, "Refresh")
    await see(user, "Looking up what a put on GLD costs.")
    listed.gate.set()
    await see(user, "A put at 400 until 17 Jul 2026 costs")
    await see(user, "the first listed strike above your margin-call price of 368.00.")
    await user.should_not_see("Asking the demo market")


async def test_expirations_can_be_narrowed_by_days(user: User) -> None:
    await user.open("/options")
    await see(user, "17 Jun 27 · 372 d")
    press(user, "60 d")
    await user.should_not_see("17 Jun 27 · 372 d")
    await see(user, "12 Jun · 2 d")
    await see(user, "17 Jul · 37 d")


async def test_another_expiration_asks_for_it_alone(user: User, listed: ScriptedChains) -> None:
    await user.open("/options")
    await see(user, "A put at 400 until 17 Jul 2026")
    listed.asked.clear()
    press(user, "17 Jun 27 · 372 d")
    await see(user, "A put at 400 until 17 Jun 2027 costs")
    assert listed.asked == [("GLD", LEAPS)]


async def test_the_latest_wish_wins(user: User, listed: ScriptedChains) -> None:
    await user.open("/options")
    await see(user, "A put at 400 until 17 Jul 2026")
    listed.asked.clear()
    listed.gate.clear()
    press(user, "12 Jun · 2 d")
    press(user, "17 Jun 27 · 372 d")
    await until(lambda: len(listed.asked) == 2)
    listed.gate.set()
    await see(user, "A put at 400 until 17 Jun 2027 costs")
    await asyncio.sleep(0.2)
    assert ladder(user)["label"] == "GLD options of 17 Jun 2027"


async def test_a_source_that_does_not_answer_is_said_and_can_be_asked_again(
    user: User, listed: ScriptedChains
) -> None:
    listed.failure = RateLimited("Yahoo asks us to wait 60 s")
    await user.open("/options")
    await see(user, "No options of GLD: Yahoo asks us to wait 60 s")
    listed.failure = None
    press(user, "Try again")
    await see(user, "A put at 400 until 17 Jul 2026 costs")
    await user.should_not_see("Yahoo asks us to wait")


async def test_an_expiration_that_fails_leaves_the_others_usable(user: User, listed: ScriptedChains) -> None:
    await user.open("/options")
    await see(user, "A put at 400 until 17 Jul 2026")
    listed.failure = Unavailable("the line is cut")
    press(user, "12 Jun · 2 d")
    await see(user, "No quotes for 12 Jun 2026: the line is cut")
    press(user, "17 Jul · 37 d")
    await see(user, "A put at 400 until 17 Jul 2026 costs")
    await see(user, "Nothing newer could be had: the line is cut")


async def test_a_symbol_nobody_knows_is_said_and_another_one_can_be_shown(user: User, listed: ScriptedChains) -> None:
    listed.failure = NotFound("No source knows NOSUCH")
    await user.open("/options?symbol=NOSUCH")
    await see(user, "No options of NOSUCH: No source knows NOSUCH")
    listed.failure = None
    user.find(kind=ui.input).clear().type("iau").trigger("keydown.enter")
    await see(user, "Options on IAU.")
    await see(user, "Your loan is valued by GLD")
    assert [mark["tone"] for mark in ladder(user)["marks"]] == ["gold"]


async def test_a_symbol_that_is_none_is_refused_without_asking(user: User, listed: ScriptedChains) -> None:
    await user.open("/options")
    await see(user, "A put at 400")
    listed.asked.clear()
    user.find(kind=ui.input).clear().type("$%&").trigger("keydown.enter")
    await see(user, "No such symbol")
    assert listed.asked == []


async def test_old_quotes_are_said_to_be_old(user: User, listed: ScriptedChains, clock: Clock) -> None:
    await user.open("/options")
    await see(user, "A put at 400")
    listed.failure = Unavailable("the line is cut")
    clock.go_on(hours=2)
    press(user, "Refresh")
    await see(user, "The quotes are stale, of 2 h ago:")
    await see(user, "stale")


async def test_an_invented_chain_stands_under_a_red_banner_unless_all_is_invented(
    user: User, vault: Vault, listed: ScriptedChains
) -> None:
    listed.source = DEMO_SOURCE
    await user.open("/options")
    await see(user, "A put at 400")
    await user.should_not_see("No real option quotes could be had: every price")
    vault.market = "auto"
    press(user, "Refresh")
    await see(user, "No real option quotes could be had: every price of this chain is invented.")


async def test_while_the_exchange_rate_is_not_known_no_price_of_the_loan_is_marked(user: User, vault: Vault) -> None:
    vault.book.rates = ExchangeRates(lambda _: None)
    vault.book._first = replace(vault.book.current, loan=replace(vault.book.current.loan, currency="CHF"))
    await user.open("/options")
    await see(user, "what a dollar costs in CHF is not known yet, so no price of it is marked.")
    assert {mark["tone"] for mark in ladder(user)["marks"]} == {"gold"}


async def in_francs(vault: Vault) -> None:
    await vault.open()
    kept = vault.book.current
    await vault.book.save(replace(kept, loan=replace(kept.loan, amount=480_000.0, currency="CHF")), "test")
    await vault.heartbeat.beat()


async def test_a_put_that_is_pointed_out_no_longer_is_once_the_exchange_rate_is_old(
    user: User, vault: Vault, clock: Clock
) -> None:
    await in_francs(vault)
    vault.prices._now = clock
    await user.open("/options")
    await see(user, "A put at")
    assert ladder(user)["first"]
    clock.go_on(7200)
    vault.heartbeat.republish()
    await see(user, "by an exchange rate 2 hours old no put is pointed out.")
    assert not ladder(user)["first"]


async def test_by_an_invented_exchange_rate_no_price_of_the_loan_is_marked(user: User, vault: Vault) -> None:
    await in_francs(vault)
    vault.market = "auto"
    await user.open("/options")
    await see(user, "What a dollar costs in CHF is invented (DEMO), so no price of it is marked.")
    assert {mark["tone"] for mark in ladder(user)["marks"]} == {"gold"}
    assert not ladder(user)["first"]


async def test_the_loans_prices_stand_among_the_strikes(user: User) -> None:
    await user.open("/options")
    await see(user, "A put at 400")
    found = ladder(user)
    marks = {mark["tone"]: mark["label"] for mark in found["marks"]}
    assert marks["call"] == "margin call 368.00"
    assert marks["close_out"] == "close-out 324.71"
    assert marks["gold"] == "GLD 460.00"
    assert found["first"] == a_contract(400.0).osi


async def test_what_the_quotes_stand_on_is_written_beneath(user: User) -> None:
    await user.open("/options")
    await see(user, "3 of 26 quotes are not used")  # they are made without interest, and exercise pays more
    await see(user, "dollar rate 3.70")
    await see(user, "9 Jun 2026")


async def test_a_contract_opens_with_what_it_costs_and_covers(user: User) -> None:
    await user.open(f"/options?contract={PUT.replace(' ', '%20')}")
    await see(user, "Put 420, 17 Jul 2026")
    await see(user, "37 days to expiry")
    await see(user, "covers 100 of 2,174 shares")
    await see(user, "22 contracts cover all of them")
    await see(user, "The strike is above your margin-call price of 368.00")


async def test_a_call_says_why_it_protects_nothing(user: User) -> None:
    osi = a_contract(480.0, Right.CALL).osi
    await user.open(f"/options?contract={osi.replace(' ', '%20')}")
    await see(user, "Call 480, 17 Jul 2026")
    await see(user, "A bought call does not protect a loan on gold")


async def test_a_put_nobody_offers_has_no_cost(user: User, listed: ScriptedChains, clock: Clock) -> None:
    listed.quotes = (an_option_quote(a_contract(380.0), bid=0.0, ask=None), *a_priced_smile("GLD", MONTH, clock()))
    await user.open(f"/options?contract={a_contract(380.0).osi.replace(' ', '%20')}")
    await see(user, "Nobody offers this put now")
    await see(user, "No ask, so what it would gain or lose is not known.")


async def test_chosen_contracts_are_counted_and_summed_with_the_pledged_shares(user: User) -> None:
    await user.open(f"/options?contract={PUT.replace(' ', '%20')}")
    await see(user, "covers 100 of")
    press(user, "Add to selection")
    await see(user, "GLD Put 420, 17 Jul 2026")
    await see(user, "1 ×")
    await see(user, "2,174 pledged shares")
    await see(user, "the whole position")
    press(user, "+")
    await see(user, "2 ×")
    press(user, "17 Jun 27 · 372 d")  # it stays while another expiration is shown
    await see(user, "A put at 400 until 17 Jun 2027")
    await see(user, "GLD Put 420, 17 Jul 2026")
    press(user, "−")
    await see(user, "1 ×")
    press(user, "−")
    await see(user, "None yet.")


async def test_an_address_that_makes_no_sense_shows_the_usual_page(user: User) -> None:
    await user.open("/options?symbol=%25%25&expiration=never&contract=%00")
    await see(user, "A put at 400 until 17 Jul 2026 costs")
    await user.open("/options?expiration=2026-07-18")
    await see(user, "A put at 400 until 17 Jul 2026 costs")


async def test_leaving_while_something_loads_leaves_no_error(
    user: User, listed: ScriptedChains, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logs:
        listed.gate.clear()
        await user.open("/options")
        await see(user, "Asking the demo market")
        await user.open("/hedge")
        await see(user, "Six hedges side by side")
        listed.gate.set()
        await asyncio.sleep(0.2)
    assert [entry for entry in logs if entry["log_level"] in ("warning", "error")] == []
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_nothing_on_the_page_is_absurd_when_the_whole_chain_is_broken(
    user: User, listed: ScriptedChains
) -> None:
    listed.quotes = (
        an_option_quote(a_contract(400.0), bid=None, ask=None, last=None, volume=None, open_interest=None),
        an_option_quote(a_contract(440.0), bid=9.0, ask=2.0),
        an_option_quote(a_contract(480.0), bid=0.0, ask=5.0),
    )
    await user.open("/options")
    await see(user, "No put above your margin-call price of 368.00 can be bought for 17 Jul 2026.")
    await see(user, "3 of 3 quotes are not used")
    await see(user, "No smile: too few usable quotes.")
    shown = str(ladder(user)["rows"])
    assert not re.search(r"nan|inf\b|None %", shown, re.IGNORECASE)


async def test_a_listed_put_stands_on_top_of_the_hedges(user: User) -> None:
    await user.open(f"/hedge?contract={PUT.replace(' ', '%20')}")
    await see(user, "22 × Put 420, 17 Jul 2026 at")
    await see(user, "your lender ignores puts, so the call still comes at 368.00, where selling them brings LTV to")
    await see(user, "LTV at the call price, put ignored")
    await see(user, "Back to the options")
    await see(user, "Six hedges side by side")


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        (a_contract(480.0, Right.CALL).osi, "A bought call does not protect"),
        (a_contract(999.0).osi, "is not in the chain"),
        (a_contract(420.0, expiration=SOON.replace(day=13)).osi, "This contract cannot be used"),
        (a_contract(420.0, root="IAU").osi, "Your loan is valued by GLD"),
        ("x<script>", "is no option symbol"),
    ],
)
async def test_a_contract_that_cannot_be_used_is_said_in_a_sentence(user: User, contract: str, words: str) -> None:
    await user.open(f"/hedge?contract={contract.replace(' ', '%20')}")
    await see(user, words)
    await see(user, "Six hedges side by side")


async def test_the_age_of_what_is_shown_follows_the_heartbeat(user: User, vault: Vault, clock: Clock) -> None:
    await user.open("/options")
    await see(user, "A put at 400")
    clock.go_on(hours=2)
    await vault.heartbeat.beat()
    await see(user, "The quotes are stale, of 2 h ago:")


async def test_the_recommended_hedge_says_that_this_lender_does_not_count_it(user: User, vault: Vault) -> None:
    assert vault.book.current.loan.hedge_counting is HedgeCounting.IGNORED
    await user.open("/hedge")
    await see(user, ", for your wealth: your lender ignores it, and the call stays where it is.")
