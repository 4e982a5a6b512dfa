"""Settings: the owner's loans with their gold, terms, options and every change that was made."""

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import structlog
from nicegui import app, background_tasks, ui

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import NotFound, Refused, Unavailable, VaultError
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HedgeMark
from vaultdash.services.heartbeat import Beat
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.vault import Vault
from vaultdash.ui.components.audit_trail import AuditTrail
from vaultdash.ui.components.loan_draft import LoanDraft, Reading, changed_fields
from vaultdash.ui.components.loan_form import GoldFields, InterestFields, LoanFields, TermsFields
from vaultdash.ui.components.loan_outlook import ZONE_WORDS, LoanOutlook
from vaultdash.ui.components.portfolio_list import PortfolioLine, PortfolioList
from vaultdash.ui.components.question import Question
from vaultdash.ui.format import money, owed, pct, unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.draft_prices import DraftPrices
from vaultdash.ui.pages.held_positions import ACTOR, HeldPositions, held_words
from vaultdash.ui.theme import Tabs, Tone, button, card, note, text, visible

log = structlog.get_logger()
DRAFT = "loan-draft"
NEW = "new"
TRAILS = (("this", "this loan"), ("all", "all loans"))
BROKEN = "Something went wrong in this server; its log says what."


@dataclass(slots=True)
class Edited:
    """What is being typed in this tab: it outlives a visit to another page. `id` is NEW for a loan not kept yet."""

    id: str
    version: int
    base: Portfolio
    kept: LoanDraft
    draft: LoanDraft

    @property
    def is_new(self) -> bool:
        """True for a loan that is not kept yet."""
        return self.id == NEW

    @property
    def is_changed(self) -> bool:
        """True while something typed is not kept."""
        return not self.draft.same_as(self.kept)


class SettingsPage:
    """The page's parts and what is being typed; the book is the only one who keeps."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._every = False
        self._saving = False
        self._trail = "this"
        self._prices = DraftPrices(vault, self._begin, self._changed)
        self._edited = app.storage.client.get(DRAFT) or self._of_kept(vault.book.current.id)
        self._question = Question()
        with ui.element("div").classes("vd-stack") as self._root:
            self._head()
            with ui.element("div").classes("vd-columns vd-settings"):
                with ui.element("div").classes("vd-stack"):
                    self._form()
                with ui.element("div").classes("vd-beside"):
                    self._outlook = LoanOutlook()
            self._positions = HeldPositions(vault, self._question)
            with card("What was changed") as head:
                with head:
                    Tabs(TRAILS, self._trail, self._choose_trail)
                self._audit = AuditTrail(self._undo)
        self._show_edited()

    def _head(self) -> None:
        with card() as head:
            head.classes(remove="vd-hidden")
            with head:
                text("p", "Your loans, and what they are secured by.", "vd-sentence")
                button("Add a loan", self._open_new)
            self._list = PortfolioList(self._open, self._choose, self._remove)
            self._example = note("").mark("example-note")
            self._said = text("div", "", "vd-problem").props("role=status")

    def _form(self) -> None:
        draft = self._edited.draft
        with card("The gold"):
            gold = GoldFields(draft, self._changed)
        with card("The loan"):
            self._owed = loan = LoanFields(draft, self._changed, lambda: self._today)
        with card("The lender's terms"):
            terms = TermsFields(draft, self._changed)
        with card("Interest"):
            interest = InterestFields(draft, self._changed)
        self._groups = (gold, loan, terms, interest)
        with ui.element("div").classes("vd-savebar").mark("savebar") as self._bar:
            self._state = text("span", "", "vd-savestate").props("role=status").mark("save-state")
            with ui.element("div").classes("vd-tabs"):
                self._save_button = button("Save", self._save, main=True)
                self._discard = button("Discard changes", self._ask_discard)
            with ui.element("div").classes("vd-conflict vd-hidden").props("role=alert") as self._conflict:
                self._conflict_words = text("span", "")
                with ui.element("div").classes("vd-tabs"):
                    button("Load what is kept now", self._load_theirs)
                    button("Keep what I typed over it", self._save_over)

    @property
    def _today(self) -> date:
        return self._vault.now().astimezone(NEW_YORK).date()

    def _of_kept(self, portfolio_id: str) -> Edited:
        book = self._vault.book
        try:
            stored = book.stored(portfolio_id)
            portfolio, version = stored.portfolio, stored.version
        except NotFound:
            portfolio, version = book.current, 0  # nothing has been read yet
        draft = LoanDraft.of(portfolio)
        return Edited(portfolio.id, version, portfolio, draft, draft.copy())

    def _show_edited(self) -> None:
        self._every = False
        app.storage.client[DRAFT] = self._edited
        for group in self._groups:
            group.show(self._edited.draft)
        visible(self._conflict, when=False)
        self._changed()
        self.show_kept()

    def _changed(self) -> None:
        """After each keystroke: what is wrong, what would follow, and that it is not kept yet."""
        draft, reading = self._edited.draft, self._read()
        status = self._prices.status(draft.quoted_by)
        self._say(reading)
        self._outlook.show_price(status, self._vault.now())
        self._outlook.show_rate(self._prices.rate(draft.currency), self._vault.now())
        self._derive(reading, status)
        self._show_state(reading)

    def _read(self) -> Reading:
        edited, book = self._edited, self._vault.book
        names = [each.name for each in book.all if each.id != edited.id]
        return edited.draft.read(
            edited.base,
            self._today,
            self._prices.believed(edited.draft),
            book.believed_rate,
            is_new=edited.is_new,
            taken=names,
        )

    def _say(self, reading: Reading) -> None:
        for group in self._groups:
            group.say(reading.problems, every=self._every)
        self._owed.say_owed(None if self._edited.is_new else self._edited.base.loan)

    def _derive(self, reading: Reading, status: QuoteStatus | None) -> None:
        if reading.portfolio is None:
            first = next(iter(reading.problems.values()), "Something is missing.")
            count = len(reading.problems)
            self._outlook.say(first if count == 1 else f"{count} fields are missing or wrong. {first}")
        elif status is None:
            self._outlook.say("As soon as there is a price, this says what it means.")
        else:
            hedge = self._hedge(reading.portfolio, status)
            try:
                snapshot = self._vault.book.mark(reading.portfolio, status.quote.price, self._today, hedge)
            except Unavailable:
                self._outlook.say_no_rate(reading.portfolio.loan.currency)
            else:
                self._outlook.show(snapshot)

    def _show_state(self, reading: Reading) -> None:
        edited = self._edited
        names = changed_fields(edited.draft, edited.kept)
        if edited.is_new:
            words = "A new loan, not saved yet."
        elif names:
            words = f"Not saved: {', '.join(names)}."
        else:
            words = "Everything is saved."
        self._state.set_text(words)
        unsaved = edited.is_changed
        self._bar.props("data-unsaved=/settings" if unsaved else "", remove="" if unsaved else "data-unsaved")
        self._bar.classes(add="unsaved" if unsaved else "", remove="" if unsaved else "unsaved")
        visible(self._discard, when=unsaved or edited.is_new)
        ready = reading.portfolio is not None
        self._save_button.classes(add="" if ready else "faded", remove="faded" if ready else "")

    def _hedge(self, portfolio: Portfolio, status: QuoteStatus) -> HedgeMark | None:
        if status.quote.symbol != portfolio.collateral.quoted_by:
            return None
        return self._vault.held.mark(portfolio, status.quote, self._vault.now())

    def show_kept(self) -> None:
        """The list, the positions and the changes, as they are kept now."""
        book = self._vault.book
        lines = [self._line(portfolio) for portfolio in book.all]
        self._list.show(lines, book.current.id, self._edited.id)
        self._example.set_text(
            "This loan is an EXAMPLE: nobody has said yet what is owed on what. Type your own and save it."
            if book.is_example
            else ""
        )
        kept = next((each for each in book.all if each.id == self._edited.id), None)
        status = None if kept is None else self._prices.status(kept.collateral.quoted_by)
        self._positions.show(kept, None if kept is None or status is None else self._hedge(kept, status))
        self._begin(self._load_trail())

    def _line(self, portfolio: Portfolio) -> PortfolioLine:
        beat = self._vault.heartbeat.current()
        snapshot = beat.snapshots.get(portfolio.id) if beat else None
        if snapshot is None and beat is not None and beat.snapshot is not None:
            snapshot = beat.snapshot if beat.snapshot.portfolio.id == portfolio.id else None
        held = held_words(portfolio, self._today)
        if snapshot is None:
            return PortfolioLine(
                portfolio.id,
                portfolio.name,
                portfolio.lender,
                f"{money(portfolio.loan.owed(self._today), portfolio.loan.currency)}, {held}",
            )
        amount = owed(snapshot.portfolio.loan.amount, snapshot.rate)
        said = f"LTV {pct(snapshot.lender_ltv)}, {ZONE_WORDS[snapshot.zone]}; {amount}, {held}"
        tone: Tone = "" if snapshot.zone.value == "room" else snapshot.zone.value
        return PortfolioLine(portfolio.id, portfolio.name, portfolio.lender, unbroken(said), tone)

    async def _load_trail(self) -> None:
        whose = None if self._trail == "all" or self._edited.is_new else self._edited.id
        changes = await self._vault.book.changes(whose)
        if not self._root.is_deleted:
            self._audit.show(changes)

    def _choose_trail(self, whose: str) -> None:
        self._trail = whose
        self._begin(self._load_trail())

    async def _leave(self) -> bool:
        """True when what is typed may go."""
        if not self._edited.is_changed:
            return True
        return await self._question.ask("Drop what is not saved?", f"{self._state.text} It will be gone.", "Drop it")

    async def _open(self, portfolio_id: str) -> None:
        if await self._leave():
            self._edited = self._of_kept(portfolio_id)
            self._show_edited()

    async def _open_new(self) -> None:
        if await self._leave():
            base = replace(self._vault.book.current, id=NEW, options=())
            self._edited = Edited(NEW, 0, base, LoanDraft(name=""), LoanDraft(name=""))
            self._show_edited()
            self._said.set_text("")

    async def _choose(self, portfolio_id: str) -> None:
        await self._try(self._vault.book.choose(portfolio_id))

    async def _remove(self, portfolio_id: str) -> None:
        portfolio = self._vault.book.stored(portfolio_id).portfolio
        sure = await self._question.ask(
            f"Remove {portfolio.name}?",
            f"{money(portfolio.loan.amount, portfolio.loan.currency)} on {len(portfolio.collateral.lots)} lot(s), "
            f"{held_words(portfolio, self._today)}. It is no longer watched and raises no alerts. Its history "
            "stays, and the removal can be undone below, under “all loans”.",
            "Remove it",
        )
        if sure and await self._try(self._vault.book.remove(portfolio_id, ACTOR)) and self._edited.id == portfolio_id:
            self._edited = self._of_kept(self._vault.book.current.id)
            self._show_edited()

    async def _ask_discard(self) -> None:
        if await self._leave():
            self._edited = self._of_kept(self._vault.book.current.id if self._edited.is_new else self._edited.id)
            self._show_edited()

    def _load_theirs(self) -> None:
        self._edited = self._of_kept(self._edited.id)
        self._show_edited()

    async def _save_over(self) -> None:
        stored = self._vault.book.stored(self._edited.id)
        self._edited.version, self._edited.base = stored.version, stored.portfolio
        await self._save()

    async def _save(self) -> None:
        """Keep it when everything is right; else every field says what is wrong with it."""
        edited, self._every = self._edited, True
        self._changed()
        found = self._read().portfolio
        if found is None:
            self._said.set_text("Not saved: what is wrong stands at each field.")
            return
        if edited.is_new:
            found = replace(found, id=await self._vault.book.free_id(found.name))
        book = self._vault.book
        self._saving = True
        try:
            if edited.is_new:
                stored = await book.add(found, ACTOR)
            else:
                stored = await book.save(found, ACTOR, expected_version=edited.version)
        except Refused as error:
            self._show_conflict(f"{error}.")
            return
        except VaultError as error:
            self._said.set_text(f"Not saved: {error}.")
            return
        finally:
            self._saving = False
        self._edited = self._of_kept(stored.portfolio.id)
        self._show_edited()
        self._said.set_text(f"{stored.portfolio.name} is saved.")

    def _show_conflict(self, words: str) -> None:
        self._conflict_words.set_text(f"{words} What you typed is still here.")
        visible(self._conflict, when=True)

    async def _undo(self, change_id: int) -> None:
        await self._try(self._take_back(change_id))

    async def _take_back(self, change_id: int) -> None:
        undoing = await self._vault.book.undoing(change_id)
        said = f"Changes were made after that one. All of this would be different: {undoing.words}."
        if undoing.is_newest or await self._question.ask("Take back later changes, too?", said, "Take all back"):
            await self._vault.book.undo(change_id, ACTOR, expected_version=undoing.version)

    async def _try(self, work: Coroutine[Any, Any, object]) -> bool:
        try:
            await work
        except VaultError as error:
            self._said.set_text(f"{error}.")
            return False
        self._said.set_text("")
        return True

    def book_changed(self, _: str) -> None:
        """A loan was changed, here or elsewhere: show it, unless that would lose what is being typed."""
        edited = self._edited
        if edited.is_new or self._saving:
            self.show_kept()
            return
        try:
            stored = self._vault.book.stored(edited.id)
        except NotFound:
            if edited.is_changed:
                self._show_conflict("This loan was removed meanwhile.")
            else:
                self._edited = self._of_kept(self._vault.book.current.id)
                self._show_edited()
            return
        if stored.version != edited.version:
            theirs = LoanDraft.of(stored.portfolio)
            if not edited.is_changed:
                self._edited = self._of_kept(edited.id)
                self._show_edited()
                return
            if theirs.same_as(edited.kept):  # only its options were changed
                edited.version, edited.base = stored.version, stored.portfolio
            else:
                names = ", ".join(changed_fields(theirs, edited.kept))
                self._show_conflict(f"{stored.portfolio.name} was changed elsewhere meanwhile ({names}).")
        self.show_kept()

    def beat(self, _: Beat) -> None:
        """A new price: what follows from it."""
        if self._root.is_deleted:
            return
        self._changed()
        self.show_kept()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        async def careful() -> None:
            try:
                await work
            except VaultError as error:
                if not self._root.is_deleted:
                    self._said.set_text(f"{error}.")
            except Exception as error:  # whatever it is, the page says so and stays usable
                log.error("settings_page_broke", reason=repr(error), exc_info=True)
                if not self._root.is_deleted:
                    self._said.set_text(BROKEN)

        background_tasks.create(careful(), name="settings page", context=self._root)


def build(vault: Vault) -> None:
    """Lay out the page and follow the loans and the price."""
    page = SettingsPage(vault)
    follow(vault.book.changed, page.book_changed)
    follow(vault.heartbeat.feed, page.beat)
