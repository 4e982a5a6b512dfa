"""The backtest page in every state it may be in."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from nicegui.testing.user_simulation import user_simulation

from tests.services.backtest_house import by_reference
from vaultdash.backtest.result import Ending
from vaultdash.domain.errors import DatabaseError
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.pricing.compiled import Engine
from vaultdash.services.backtest_request import BacktestRequest
from vaultdash.services.vault import Vault
from vaultdash.ui.frame import Page, frame
from vaultdash.ui.pages import backtest

SHORT = BacktestRequest(
    ("protective_put_atm", "protective_put_otm_95"), event="jan-2026", ltv=0.66, units=1000.0, fan=(0, 1)
)


@pytest.fixture
async def house(demo_vault: Vault) -> Vault:
    """The demo house with a price, and an engine that needs no compiler."""
    demo_vault.backtests._work._engine = by_reference
    await demo_vault.heartbeat.beat()
    return demo_vault


@pytest.fixture
async def person(house: Vault) -> AsyncIterator[User]:
    def show(run: str | None = None, event: str | None = None):  # type: ignore[no-untyped-def]
        return backtest.build(house, run, event)

    def root() -> None:
        frame(house, (Page("/backtest", "Backtest", show),))

    async with user_simulation(root) as someone:
        someone.javascript_rules[re.compile("document.body.classList")] = lambda _: True
        yield someone


async def ended(house: Vault, run: StoredRun) -> StoredRun:
    async with asyncio.timeout(60):
        async for told in house.backtests.feed.follow():
            found = await house.backtests.run(run.id)
            if found.state not in (RunState.WAITING, RunState.RUNNING):
                return found
            assert told is not None
    raise AssertionError


def press(person: User, words: str, *, last: bool = False) -> None:
    """Press the button with exactly this label, the first of several unless the last is wanted."""
    labels = sorted((one for one in person.find(kind=ui.label).elements if one.text == words), key=lambda one: one.id)
    made = labels[-1 if last else 0].parent_slot
    assert made is not None
    UserInteraction(person, {made.parent}, None).click()


async def ended_or_done(house: Vault, run: StoredRun) -> StoredRun:
    found = await house.backtests.run(run.id)
    return found if found.state is RunState.DONE else await ended(house, found)


async def a_done_run(house: Vault, request: BacktestRequest = SHORT) -> StoredRun:
    done = await ended(house, await house.backtests.start(request))
    assert done.state is RunState.DONE, done.problem
    return done


class Held:
    """An engine that waits to be let go."""

    def __init__(self, house: Vault) -> None:
        self.gate = asyncio.Event()
        house.backtests._work._engine = self.engine

    async def engine(self) -> Engine:
        await self.gate.wait()
        return "reference"


async def test_with_nothing_kept_the_page_asks_and_marks_invented_prices(person: User) -> None:
    await person.open("/backtest")
    await person.should_see("Which hedge would have brought this loan through")
    await person.should_see("No backtest is kept yet")
    await person.should_see("Only DEMO prices are there", retries=50)
    await person.should_see("vault-dash history import")
    await person.should_see("January 2026 · ", retries=50)
    await person.should_see("at prices of the time")


async def test_a_backtest_is_asked_for_runs_and_is_shown(person: User, house: Vault) -> None:
    await person.open("/backtest")
    await person.should_see("95 % put over half", retries=50)
    press(person, "None")
    for name in ("ATM put", "95 % put", "Collar 95/110"):
        press(person, name)
    press(person, "Run the backtest")
    await person.should_see("On DEMO prices, which are invented", retries=200)
    (run,) = await house.backtests.runs()
    assert run.state is RunState.DONE
    await person.should_see("of 3")
    await person.should_see("shown above")
    asked = (await house.backtests.asked(run.id)).request
    assert set(asked.templates) == {"protective_put_atm", "protective_put_otm_95", "collar_95_110"}
    snapshot = house.heartbeat.current().snapshot  # type: ignore[union-attr]  # there was a beat
    assert snapshot is not None
    assert asked.units == snapshot.shares
    assert asked.counting is snapshot.portfolio.loan.hedge_counting


async def test_the_address_finds_a_run_again(person: User, house: Vault) -> None:
    run = await a_done_run(house)
    report = await house.backtests.result(run.id)
    await person.open(f"/backtest?run={run.id}")
    await person.should_see(report.sentence.replace(" %", "\u00a0%"), retries=50)
    await person.should_see("Bought earlier")
    await person.should_see("Everything, JSON")
    await person.should_see("this decided the calls")
    await person.should_see("In a panic")


async def test_a_reload_in_the_middle_finds_the_progress_and_then_the_result(person: User, house: Vault) -> None:
    held = Held(house)
    run = await house.backtests.start(SHORT)
    await person.open(f"/backtest?run={run.id}")
    await person.should_see("Replaying January 2026", retries=50)
    await person.should_see("it goes on, and is kept")
    held.gate.set()
    await person.should_see("On DEMO prices, which are invented", retries=200)


async def test_a_run_under_way_is_cancelled_and_run_again(person: User, house: Vault) -> None:
    Held(house)
    run = await house.backtests.start(SHORT)
    await person.open(f"/backtest?run={run.id}")
    await person.should_see("Replaying January 2026", retries=50)
    press(person, "Cancel")
    await person.should_see("January 2026, LTV 66 % was cancelled.", retries=50)
    assert (await house.backtests.run(run.id)).state is RunState.CANCELLED
    house.backtests._work._engine = by_reference
    press(person, "Run again")
    await person.should_see("On DEMO prices, which are invented", retries=200)
    assert len(await house.backtests.runs()) == 2


async def test_what_fails_says_why(person: User, house: Vault) -> None:
    async def broken() -> Engine:
        raise DatabaseError("The disk is full")

    house.backtests._work._engine = broken
    run = await ended(house, await house.backtests.start(SHORT))
    await person.open(f"/backtest?run={run.id}")
    await person.should_see("failed: The disk is full.", retries=50)


async def test_run_again_with_fills_the_form(person: User, house: Vault) -> None:
    run = await a_done_run(house)
    await person.open(f"/backtest?run={run.id}")
    await person.should_see("On DEMO prices, which are invented", retries=50)
    press(person, "Run again with …")
    await person.should_see("As asked for “January 2026, LTV 66 %”")
    await person.should_see("As asked for", retries=20)
    assert {field.value for field in person.find(kind=ui.input).elements} >= {"66", "1,000", "75"}


async def test_calls_open_on_the_last_day_can_be_followed_for_two_weeks(person: User, house: Vault) -> None:
    request = replace(SHORT, ltv=0.66, cure_days=5, counting=HedgeCounting.IGNORED, fan=())
    run = await a_done_run(house, request)
    assert (await house.backtests.result(run.id)).comparison.unhedged.summary.ending is Ending.OPEN
    await person.open(f"/backtest?run={run.id}")
    await person.should_see("Go on two weeks", retries=50)
    press(person, "Go on two weeks")
    await person.should_see("29 Jan 2026 to 13 Feb 2026, LTV 66 %", retries=200)
    later, _ = await house.backtests.runs()
    report = await house.backtests.result((await ended_or_done(house, later)).id)
    assert report.request == replace(request, end=date(2026, 2, 13))  # two weeks later is a Monday without a session
    assert report.comparison.unhedged.summary.ending is not Ending.OPEN
    await person.should_see("Run again with …", retries=50)
    await person.should_not_see("Go on two weeks", retries=20)


async def test_what_the_hedges_of_a_kept_run_are_is_never_cut_where_it_is_open(person: User, house: Vault) -> None:
    templates = (
        "protective_put_atm",
        "protective_put_otm_95",
        "protective_put_otm_90",
        "collar_95_110",
        "put_spread_95_80",
    )
    run = await a_done_run(house, replace(SHORT, templates=templates, fan=()))
    await person.open("/backtest")
    await person.should_see("and 1 more", retries=50)
    await person.open(f"/backtest?run={run.id}")
    await person.should_see("Put spread 95/80", retries=50)
    await person.should_not_see("and 1 more", retries=20)


async def test_a_loan_called_on_the_first_day_is_doubted_before_it_is_run(person: User) -> None:
    await person.open("/backtest")
    await person.should_see("Your own hedges", retries=50)
    press(person, "other terms")
    named = {one.props["aria-label"]: one for one in person.find(kind=ui.input).elements}
    UserInteraction(person, {named["LTV at the start"]}, None).clear().type("80")
    await person.should_see("is called on the first day", retries=20)


async def test_an_unknown_run_is_said_and_the_page_stays(person: User) -> None:
    await person.open("/backtest?run=gone")
    await person.should_see("There is no backtest 'gone'", retries=50)
    await person.should_see("Run the backtest")


async def test_the_fall_of_the_address_is_chosen(person: User) -> None:
    await person.open("/backtest?event=apr-2013")
    await person.should_see("Four sessions; 15 April", retries=50)


async def test_an_unknown_fall_is_said(person: User) -> None:
    await person.open("/backtest?event=nothing")
    await person.should_see("There is no fall “nothing” here", retries=50)


async def test_what_is_refused_is_said_where_it_was_typed(person: User, house: Vault) -> None:
    await person.open("/backtest")
    press(person, "other terms")
    await person.should_see("Prices of the time: the loan is drawn at the start.")
    named = {one.props["aria-label"]: one for one in person.find(kind=ui.input).elements}
    UserInteraction(person, {named["LTV at the start"]}, None).clear().type("166")
    await person.should_see("must be above 0 and below 100 %")
    press(person, "Run the backtest")
    assert await house.backtests.runs() == ()


async def test_recorded_quotes_that_are_not_there_are_refused_in_words(person: User, house: Vault) -> None:
    await person.open("/backtest")
    await person.should_see("Prices, entry dates, cash and name")
    await person.should_see("Two sessions after the all-time high", retries=50)  # the fall that can be replayed
    press(person, "observed chains")
    press(person, "Run the backtest")
    await person.should_see("no option chains of GLD are recorded", marker="form-problem", retries=100)
    assert await house.backtests.runs() == ()


async def test_two_runs_stand_side_by_side(person: User, house: Vault) -> None:
    await a_done_run(house)
    await a_done_run(house, BacktestRequest(("collar_95_110",), event="apr-2013", ltv=0.70, units=500.0))
    await person.open("/backtest")
    await person.should_see("April 2013, LTV 70 %", retries=50)
    press(person, "Beside")
    await person.should_see("LTV at the start", retries=20)
    press(person, "Beside", last=True)
    await person.should_see("1,000 GLD shares", retries=50)
    await person.should_see("500 GLD shares")
    await person.should_see("29 Jan 2026 – 2 Feb 2026")


async def test_a_fall_of_ones_own_is_offered(person: User, house: Vault) -> None:
    await house.events.add("My spring", date(2025, 3, 3), date(2025, 6, 2))
    await person.open("/backtest?event=my-spring")
    await person.should_see("My spring (yours)", retries=50)
    await person.should_see("Forget this fall")
    press(person, "Forget this fall")
    await person.should_not_see("My spring (yours)", retries=20)
    assert not [event for event in await house.events.all() if event.is_own]


async def test_without_a_database_the_falls_and_hedges_of_the_house_are_offered(
    person: User, house: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> None:
        raise DatabaseError("The disk is gone")

    monkeypatch.setattr(house.database, "reading", nothing)
    await person.open("/backtest")
    await person.should_see("Your own falls and hedges cannot be read: The disk is gone", retries=50)
    await person.should_see("The kept backtests cannot be read: The disk is gone", retries=50)
    await person.should_see("Collar 95/110")
