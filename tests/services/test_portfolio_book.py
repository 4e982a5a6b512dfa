"""Portfolios are kept, changed, brought back; whose portfolio a price is applied to."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.builders import NOON, a_held_put, a_loan, a_portfolio
from tests.services.twins import Clock
from vaultdash.domain.collateral import Collateral, EntryMode, Lot
from vaultdash.domain.errors import InvalidInput, NotFound, Refused
from vaultdash.domain.gold import instrument
from vaultdash.domain.loan import Interest
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.portfolio_book import RESEARCH_VALUE, PortfolioBook
from vaultdash.storage.sql import SqlDatabase

ON = NOON.date()
Books = Callable[..., PortfolioBook]


def owing(portfolio: Portfolio, amount: float) -> Portfolio:
    return replace(portfolio, loan=replace(portfolio.loan, amount=amount))


def named(name: str, portfolio_id: str, **fields: object) -> Portfolio:
    return replace(a_portfolio(**fields), id=portfolio_id, name=name)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def books(database: SqlDatabase, clock: Clock) -> Books:
    def make(first: Portfolio | None = None, **fields: object) -> PortfolioBook:
        return PortfolioBook(first or a_portfolio(), database, clock, **fields)  # type: ignore[arg-type]

    return make


@pytest.fixture
async def book(books: Books) -> PortfolioBook:
    opened = books()
    await opened.open()
    return opened


@pytest.fixture
async def other_process(tmp_path: Path, book: PortfolioBook, clock: Clock) -> AsyncIterator[PortfolioBook]:
    """The same file, opened as another process would."""
    database = SqlDatabase(f"sqlite:///{tmp_path / 'vault.db'}")
    opened = PortfolioBook(a_portfolio(), database, clock)
    await opened.open()
    yield opened
    await database.aclose()


# whose portfolio a price is applied to


def test_the_owners_portfolio_is_marked_at_a_quote(books: Books):
    snapshot = books().mark(a_portfolio(), 460.0, ON)
    assert (snapshot.price, snapshot.on) == (460.0, ON)
    assert snapshot.ltv == pytest.approx(0.6)


def test_bullion_is_valued_by_the_price_of_gld(books: Books):
    book = books(a_portfolio(3.0, loan=200_000, symbol="XAU-KG"))
    assert book.symbol == "GLD"
    assert book.holds("GLD")
    assert book.priced_by("GLD", 410.0, ON) == (book.current, True)


def test_the_owners_units_stay_at_any_price(books: Books):
    book = books()
    assert book.priced_by("GLD", 300.0, ON) == (book.current, True)


def test_another_symbol_makes_a_research_portfolio_with_the_owners_loan(books: Books):
    book = books()
    portfolio, own = book.priced_by("IAU", 86.0, ON)
    assert (own, portfolio.id, portfolio.loan) == (False, "research", book.current.loan)
    assert portfolio.collateral.instrument is instrument("IAU")
    assert portfolio.collateral.units_on(ON) * 86.0 == pytest.approx(RESEARCH_VALUE)


def test_a_given_value_is_a_what_if(books: Books):
    portfolio, own = books().priced_by("GLD", 400.0, ON, 800_000)
    assert (own, portfolio.collateral.units_on(ON)) == (False, pytest.approx(2_000))


@pytest.mark.parametrize("value", [0, 0.0, -1, math.nan])
@pytest.mark.parametrize("symbol", ["GLD", "IAU"])
def test_a_value_of_nothing_is_refused_and_not_replaced(books: Books, symbol: str, value: float):
    with pytest.raises(InvalidInput, match="portfolio_value"):
        books().priced_by(symbol, 460.0, ON, value)


# the first start


async def test_before_it_is_opened_the_portfolio_of_the_settings_stands_in(books: Books):
    book = books()
    assert book.all == (a_portfolio(),)
    with pytest.raises(NotFound):
        book.stored("main")


async def test_the_first_start_keeps_the_portfolio_of_the_settings(book: PortfolioBook):
    kept = book.stored("main")
    assert (kept.portfolio, kept.version, kept.created_at) == (a_portfolio(), 1, NOON)
    (change,) = await book.changes()
    assert (change.actor, change.before, change.after) == ("start", None, a_portfolio())
    assert change.what == "made: 2,173.913043 shares of GLD against a loan of 600,000 USD"


async def test_a_later_start_keeps_what_is_kept_and_says_what_the_settings_would_be(
    book: PortfolioBook, books: Books
):
    again = books(a_portfolio(100.0, 20_000), given=frozenset({"units", "market"}))
    with capture_logs() as logs:
        await again.open()
    assert again.current == a_portfolio()
    assert again.settings_remark is not None
    assert again.settings_remark.startswith("VAULT_UNITS: set in the environment, but what is kept")
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["settings_not_used"]


async def test_settings_that_say_the_same_need_no_remark(book: PortfolioBook, books: Books):
    again = books(given=frozenset({"units", "loan_amount", "margin_call_ltv"}))
    await again.open()
    assert again.settings_remark is None


async def test_an_example_is_one_until_it_was_saved_once(books: Books):
    book = books(is_example=True)
    await book.open()
    assert book.is_example
    saved = await book.save(book.current, "page")
    assert (saved.version, book.is_example) == (2, False)
    assert (await book.changes())[0].what == "confirmed as it is"
    again = books(is_example=True)
    await again.open()
    assert not again.is_example


async def test_an_example_gives_way_to_settings_that_say_what_is_owed(books: Books):
    example = books(is_example=True)
    await example.open()
    told = books(a_portfolio(1_000.0, 200_000), given=frozenset({"units", "loan_amount"}))
    await told.open()
    assert (told.current.loan.amount, told.is_example, told.settings_remark) == (200_000, False, None)
    third = books(a_portfolio(5.0, 5_000), given=frozenset({"units", "loan_amount"}))
    await third.open()
    assert third.current.loan.amount == 200_000


# changes


async def test_a_change_is_kept_with_its_old_value_and_told_in_words(book: PortfolioBook, clock: Clock):
    clock.go_on(60)
    before = book.current
    terms = replace(before.loan, amount=550_000.0, margin_call_ltv=0.72)
    saved = await book.save(replace(before, loan=terms), "page")
    assert (saved.version, saved.changed_at) == (2, clock())
    newest = (await book.changes("main"))[0]
    assert newest.what == "loan 600,000 → 550,000 USD; call LTV 0.75 → 0.72"
    assert (newest.before, newest.after, newest.actor) == (before, saved.portfolio, "page")


async def test_a_kept_change_is_there_after_a_restart(book: PortfolioBook, books: Books):
    await book.save(replace(owing(book.current, 512_345.67), options=(a_held_put(),)), "api")
    again = books()
    await again.open()
    assert again.current == book.current
    assert again.stored("main").version == 2


async def test_saving_what_is_kept_already_changes_nothing(book: PortfolioBook):
    assert (await book.save(book.current, "page")).version == 1
    assert len(await book.changes()) == 1


async def test_followers_hear_which_portfolio_changed(book: PortfolioBook):
    heard: list[str] = []
    with book.changed.heard_by(heard.append):
        heard.clear()
        await book.save(owing(book.current, 500_000), "page")
        await book.add(named("Second", "second"), "api")
        await book.choose("second")
        await book.remove("main", "page")
    assert heard == ["main", "second", "second", "main"]


async def test_a_change_that_cannot_be_written_is_not_shown(book: PortfolioBook, database: SqlDatabase):
    heard: list[str] = []
    with book.changed.heard_by(heard.append):
        heard.clear()
        with pytest.raises(InvalidInput):
            await book.change("main", lambda held: replace(held, name="one\ntwo"), "page")
    assert (book.current, heard) == (a_portfolio(), [])


async def test_who_changed_it_meanwhile_is_told(book: PortfolioBook):
    await book.save(owing(book.current, 580_000), "cli", expected_version=1)
    with pytest.raises(Refused) as refusal:
        await book.save(owing(book.current, 570_000), "page", expected_version=1)
    assert "changed by a vault-dash command at 16:00 on 10 Jun 2026 UTC" in str(refusal.value)
    assert "loan 600,000 → 580,000 USD" in str(refusal.value)
    assert book.current.loan.amount == 580_000


async def test_of_two_who_change_it_at_once_one_is_refused(book: PortfolioBook, other_process: PortfolioBook):
    outcomes = await asyncio.gather(
        *(
            one.save(owing(one.current, 500_000 + n), "page", expected_version=1)
            for n, one in enumerate((book, other_process))
        ),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "StoredPortfolio"]


async def test_another_process_is_noticed(book: PortfolioBook, other_process: PortfolioBook):
    heard: list[str] = []
    await other_process.save(owing(book.current, 444_000), "cli")
    with book.changed.heard_by(heard.append):
        heard.clear()
        await book.refresh()
        await book.refresh()
    assert (book.current.loan.amount, heard) == (444_000, ["main"])


async def test_another_processes_choice_is_noticed(book: PortfolioBook, other_process: PortfolioBook):
    await book.add(named("Second", "second"), "api")
    await other_process.choose("second")
    await book.refresh()
    assert book.current.id == "second"


# several


async def test_portfolios_stand_in_the_order_of_their_making(book: PortfolioBook):
    for name in ("zz", "aa"):
        await book.add(named(name, name), "api")
    assert [each.id for each in book.all] == ["main", "zz", "aa"]
    assert book.current.id == "main"


async def test_an_id_is_made_of_the_name(book: PortfolioBook):
    assert await book.free_id("Zürich: Bank & Söhne (2)") == "zurich-bank-sohne-2"
    assert await book.free_id("金") == "loan"
    assert await book.free_id("Main") == "main-2"
    assert await book.free_id("research") == "research-2"


async def test_the_id_of_a_removed_portfolio_is_not_given_again(book: PortfolioBook):
    await book.add(named("Second", "second"), "api")
    await book.remove("second", "api")
    assert await book.free_id("Second") == "second-2"


async def test_a_taken_id_is_refused(book: PortfolioBook):
    with pytest.raises(Refused, match="already"):
        await book.add(a_portfolio(), "api")


async def test_the_last_portfolio_stays(book: PortfolioBook):
    with pytest.raises(Refused, match="only portfolio"):
        await book.remove("main", "page")
    assert book.current.id == "main"


async def test_removing_the_current_one_makes_the_first_of_the_others_current(book: PortfolioBook, books: Books):
    await book.add(named("Second", "second"), "api")
    await book.choose("second")
    await book.remove("second", "page")
    assert book.current.id == "main"
    again = books()
    await again.open()
    assert again.current.id == "main"


async def test_the_chosen_one_is_current_after_a_restart(book: PortfolioBook, books: Books):
    await book.add(named("Second", "second"), "api")
    await book.choose("second")
    again = books()
    await again.open()
    assert again.current.id == "second"


ASKED: dict[str, Callable[[PortfolioBook], Awaitable[object]]] = {
    "choose": lambda book: book.choose("nothing"),
    "remove": lambda book: book.remove("nothing", "api"),
    "change": lambda book: book.change("nothing", lambda held: held, "api"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
async def test_what_is_not_there_is_not_found(book: PortfolioBook, ask: Callable[[PortfolioBook], Awaitable[object]]):
    with pytest.raises(NotFound, match="'nothing'"):
        await ask(book)
    with pytest.raises(NotFound, match="'nothing'"):
        book.stored("nothing")


# undo


async def test_a_change_can_be_taken_back_and_that_too(book: PortfolioBook):
    await book.save(owing(book.current, 500_000), "page")
    change = (await book.changes())[0]
    back, made = await book.undo(change.id, "page")
    assert back is not None
    assert (back.portfolio, back.version) == (a_portfolio(), 3)
    newest = (await book.changes())[0]
    assert newest == made
    assert (newest.undoes, newest.what) == (change.id, "taken back: loan 500,000 → 600,000 USD")
    again, _ = await book.undo(newest.id, "page")
    assert again is not None
    assert again.portfolio.loan.amount == 500_000


async def test_a_removed_portfolio_can_be_brought_back(book: PortfolioBook):
    await book.add(named("Second", "second"), "api")
    await book.remove("second", "api")
    back, _ = await book.undo((await book.changes())[0].id, "page")
    assert back == book.stored("second")
    assert [each.id for each in book.all] == ["main", "second"]


async def test_what_is_brought_back_does_not_get_the_name_another_loan_has_by_now(book: PortfolioBook):
    await book.add(named("Zurich", "zurich"), "api")
    await book.remove("zurich", "api")
    removal = (await book.changes())[0]
    await book.add(named("zurich", "other"), "api")
    with pytest.raises(Refused, match="“Zurich” is the name of another loan by now"):
        await book.undo(removal.id, "page")
    assert [each.name for each in book.all] == ["My loan", "zurich"]
    await book.change("other", lambda kept: replace(kept, name="Geneva"), "page")
    await book.undo(removal.id, "page")
    assert [each.name for each in book.all] == ["My loan", "Zurich", "Geneva"]


async def test_taking_back_the_making_takes_the_portfolio_away(book: PortfolioBook):
    await book.add(named("Second", "second"), "api")
    assert (await book.undo((await book.changes())[0].id, "page")).portfolio is None
    assert [each.id for each in book.all] == ["main"]


async def test_the_making_of_the_only_portfolio_stays(book: PortfolioBook):
    with pytest.raises(Refused, match="only portfolio"):
        await book.undo((await book.changes())[0].id, "page")


async def test_what_is_undone_already_is_not_undone_again(book: PortfolioBook):
    await book.save(owing(book.current, 500_000), "page")
    change = (await book.changes())[0]
    await book.undo(change.id, "page")
    with pytest.raises(Refused, match="already"):
        await book.undo(change.id, "page")


async def test_an_older_change_is_taken_back_only_by_who_knows_what_goes_with_it(book: PortfolioBook):
    await book.save(owing(book.current, 500_000), "page")
    older = (await book.changes())[0]
    await book.save(replace(book.current, lender="Bank B"), "page")
    undoing = await book.undoing(older.id)
    assert (undoing.is_newest, undoing.version) == (False, 3)
    assert undoing.words == "lender Bank B → none; loan 500,000 → 600,000 USD"
    with pytest.raises(Refused, match=re.escape(undoing.words)):
        await book.undo(older.id, "page")
    with pytest.raises(Refused, match="changed on the settings page"):
        await book.undo(older.id, "page", expected_version=2)
    assert book.current.loan.amount == 500_000
    back, _ = await book.undo(older.id, "page", expected_version=3)
    assert back is not None
    assert back.portfolio == a_portfolio()
    newest = (await book.changes())[0]
    again, _ = await book.undo(newest.id, "page")
    assert again is not None
    assert (again.portfolio.lender, again.portfolio.loan.amount) == ("Bank B", 500_000)


async def test_there_is_no_such_change(book: PortfolioBook):
    with pytest.raises(NotFound):
        await book.undo(999, "page")


# what may be entered


async def test_an_entered_loan_of_all_its_gold_or_more_is_refused_where_it_is_typed(books: Books):
    book = books(price=lambda symbol: 460.0)
    await book.open()
    with pytest.raises(InvalidInput, match="must be below 100 %") as refusal:
        await book.save(owing(book.current, 1_000_000), "page")
    assert refusal.value.argument == "loan_amount"


async def test_a_loan_at_its_call_limit_may_be_entered(books: Books):
    book = books(price=lambda symbol: 460.0)
    await book.open()
    await book.save(owing(book.current, 800_000), "page")
    assert book.mark(book.current, 460.0, ON).is_called


async def test_a_loan_that_the_price_brought_under_water_may_be_repaid_in_part_but_not_raised(books: Books):
    book = books(price=lambda symbol: 250.0)
    await book.open()
    await book.save(owing(book.current, 580_000), "page")
    with pytest.raises(InvalidInput, match="must be below 100 %"):
        await book.save(owing(book.current, 590_000), "page")


async def test_without_a_price_any_loan_may_be_entered(book: PortfolioBook):
    assert (await book.save(owing(book.current, 2_000_000), "page")).portfolio.loan.amount == 2_000_000


async def test_interest_that_is_added_grows_from_the_day_of_entry(book: PortfolioBook):
    loan = a_loan(600_000, interest=Interest(capitalised=True))
    saved = await book.save(replace(book.current, loan=loan), "page")
    assert saved.portfolio.loan.as_of == ON


ODD = {
    "symbol": lambda held: replace(held, collateral=Collateral.of(instrument("TSLA"), 10.0)),
    "units": lambda held: replace(held, collateral=Collateral.of(instrument("GLD"), 1e13)),
    "loan_amount": lambda held: owing(held, 1e13),
    "entry_price": lambda held: replace(held, collateral=Collateral((Lot.by_value("GLD", 1.0, 1e-9),))),
    "acquired_on": lambda held: replace(
        held, collateral=Collateral((Lot("GLD", 2_000.0, acquired_on=ON + timedelta(days=1)),))
    ),
    "as_of": lambda held: replace(held, loan=replace(held.loan, as_of=date(1066, 10, 14))),
    "name": lambda held: replace(held, name="My\x00loan"),
    "lender": lambda held: replace(held, lender="\ud800"),
    "opened_on": lambda held: replace(held, options=(a_held_put(opened_on=ON + timedelta(days=1)),)),
    "price_paid": lambda held: replace(held, options=(a_held_put(price_paid=1e6),)),
    "closed_on": lambda held: replace(held, options=(a_held_put(closed_on=date(2026, 7, 1), closed_price=1.0),)),
    "note": lambda held: replace(held, options=(a_held_put(note="\u202egnp"),)),
    "options": lambda held: replace(held, options=tuple(a_held_put(id=str(n)) for n in range(501))),
    "lots": lambda held: replace(held, collateral=Collateral((Lot("GLD", 1.0),) * 101)),
}


@pytest.mark.parametrize("argument", ODD)
async def test_what_cannot_be_meant_is_refused_by_name(book: PortfolioBook, argument: str):
    with pytest.raises(InvalidInput) as refusal:
        await book.change("main", ODD[argument], "api")
    assert refusal.value.argument == argument
    assert book.current == a_portfolio()


async def test_an_option_that_has_expired_since_does_not_stand_in_the_way(books: Books, clock: Clock):
    book = books(replace(a_portfolio(), options=(a_held_put(),)))
    await book.open()
    clock.go_on(days=90)
    assert (await book.save(owing(book.current, 550_000), "page")).version == 2


async def test_both_ways_of_entry_come_back_as_they_were_typed(book: PortfolioBook, books: Books):
    lots = (Lot.by_value("GLD", 920_000.0, 460.0, date(2026, 1, 2)), Lot.by_weight("XAU-KG", 0.1 + 0.2, 147_000.0))
    await book.save(replace(book.current, collateral=Collateral(lots)), "page")
    again = books()
    await again.open()
    assert again.current.collateral.lots == lots
    assert [lot.entry_mode for lot in lots] == [EntryMode.VALUE, EntryMode.WEIGHT]
