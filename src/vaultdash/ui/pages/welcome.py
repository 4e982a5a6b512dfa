"""First run: gold, loan, the lender's terms, where alerts go; three minutes, and every step can be skipped."""

from collections.abc import Coroutine
from dataclasses import replace
from datetime import date
from typing import Any

import structlog
from nicegui import background_tasks, ui

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import Unavailable, VaultError
from vaultdash.services.alert_doubts import alert_doubts
from vaultdash.services.heartbeat import Beat
from vaultdash.services.vault import Vault
from vaultdash.ui.components.channel_setup import ChannelSetup
from vaultdash.ui.components.loan_draft import LoanDraft, Reading
from vaultdash.ui.components.loan_form import Fields, GoldFields, InterestFields, LoanFields, TermsFields
from vaultdash.ui.components.loan_outlook import LoanOutlook
from vaultdash.ui.components.steps import Steps
from vaultdash.ui.live import follow
from vaultdash.ui.pages.channel_actions import channel_actions
from vaultdash.ui.pages.draft_prices import DraftPrices
from vaultdash.ui.pages.held_positions import ACTOR
from vaultdash.ui.theme import button, card, note, text, visible

log = structlog.get_logger()
STEPS = ("Gold", "Loan", "Terms", "Alerts", "Done")
GOLD, LOAN, TERMS, ALERTS, DONE = range(5)
HEADS = (
    "What is pledged?",
    "What do you owe?",
    "When does your lender act?",
    "Where should alerts go?",
    "That is all.",
)
WHYS = (
    "Shares of a gold fund or bullion by weight. Type its weight, or what it was worth and at which price: the other "
    "follows.",
    "The amount as your last statement has it. The rate stands there too, or in the contract; typical values are "
    "filled in.",
    "The contract says at which loan-to-value it warns, calls and sells. 70, 75 and 85 % are usual; change what "
    "differs.",
    "Without a way to reach you, an alert stands only on these pages.",
    "",
)


class WelcomePage:
    """Five steps; what is typed is kept when the terms are passed, and nothing of the example stays."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._step = GOLD
        self._every = False
        self._is_saved = False
        self._prices = DraftPrices(vault, self._begin, self._redraw)
        current = vault.book.current
        draft = LoanDraft() if vault.book.is_example else LoanDraft.of(current)
        self._draft = draft
        with ui.element("div").classes("vd-stack") as self._root:
            with card():
                text("p", "Three minutes, and these pages speak of your own loan.", "vd-sentence")
                self._steps = Steps(STEPS, self._go)
            with ui.element("div").classes("vd-columns vd-settings"):
                with ui.element("div").classes("vd-stack"):
                    self._panels(draft)
                    self._said = text("div", "", "vd-problem call").props("role=alert")
                    with ui.element("div").classes("vd-actions"):
                        self._next = button("Next", self._forward, main=True)
                        self._skip = button("Skip this step", lambda: self._go(self._step + 1))
                        self._back = button("Back", lambda: self._go(self._step - 1))
                with ui.element("div").classes("vd-beside"):
                    self._outlook = LoanOutlook("What that means now")
        self._go(GOLD)

    def _day(self) -> date:
        return self._vault.now().astimezone(NEW_YORK).date()

    def _panels(self, draft: LoanDraft) -> None:
        self._boxes: list[ui.element] = []
        self._groups: dict[int, tuple[Fields, ...]] = {}
        for step, head in enumerate(HEADS):
            with ui.element("div").classes("vd-hidden") as box, card():
                text("h2", head, "vd-sentence")
                text("div", WHYS[step], "muted")
                if step == GOLD:
                    self._groups[step] = (GoldFields(draft, self._changed),)
                elif step == LOAN:
                    self._groups[step] = (
                        LoanFields(draft, self._changed, self._day),
                        InterestFields(draft, self._changed),
                    )
                elif step == TERMS:
                    self._groups[step] = (TermsFields(draft, self._changed),)
                elif step == ALERTS:
                    self._alerts()
                else:
                    self._done()
            self._boxes.append(box)

    def _alerts(self) -> None:
        async def told() -> None:
            channels = await actions.channels()
            names = ", ".join(channel.name for channel in channels)
            self._told.set_text(f"Alerts go to: {names}." if names else "")

        actions = channel_actions(self._vault, told)
        ChannelSetup(actions)
        self._told = text("b", "").mark("told")
        note("More ways, thresholds and quiet hours stand on the Alerts page; you can come back at any time.")

    def _done(self) -> None:
        self._outcome = text("p", "")
        self._doubts = text("p", "", "vd-said").props("role=status").mark("doubts")
        with ui.element("div").classes("vd-actions"):
            ui.link("Open the overview", "/").classes("vd-button")
            ui.link("Enter the options you hold", "/settings").classes("vd-tab")
            ui.link("Compare hedges", "/hedge").classes("vd-tab")
        note("Everything can be changed on the settings page; each change is kept with its old value.")

    def _go(self, step: int) -> None:
        self._step = min(max(step, GOLD), DONE)
        self._every = False
        self._said.set_text("")
        for number, box in enumerate(self._boxes):
            visible(box, when=number == self._step)
        self._steps.show(self._step)
        visible(self._back, when=self._step != GOLD)
        visible(self._next, when=self._step != DONE)
        visible(self._skip, when=self._step not in (ALERTS, DONE))
        self._changed()
        if self._step == DONE:
            self._tell()

    def _changed(self) -> None:
        reading = self._read()
        for step, groups in self._groups.items():
            for group in groups:
                group.say(reading.problems, every=self._every and step == self._step)
        draft, now = self._draft, self._vault.now()
        status = self._prices.status(draft.quoted_by)
        self._outlook.show_price(status, now)
        self._outlook.show_rate(self._prices.rate(draft.currency), now)
        if not any(step_of(name) == self._step for name in reading.problems):
            self._said.set_text("")
        if reading.portfolio is None:
            self._outlook.say("Type gold and loan, and this says what they mean.")
        elif status is None:
            self._outlook.say("As soon as there is a price, this says what it means.")
        else:
            try:
                snapshot = self._vault.book.mark(reading.portfolio, status.quote.price, self._day())
            except Unavailable:
                self._outlook.say_no_rate(reading.portfolio.loan.currency)
            else:
                self._outlook.show(snapshot)

    def _read(self) -> Reading:
        book = self._vault.book
        base = replace(book.current, options=()) if book.is_example else book.current
        return self._draft.read(
            base,
            self._day(),
            self._prices.believed(self._draft),
            book.believed_rate,
            is_new=book.is_example,
            taken=[each.name for each in book.all if each.id != base.id],
        )

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        async def careful() -> None:
            try:
                await work
            except VaultError as error:  # without that price the loan can be kept all the same
                log.info("no_price_for_draft", reason=str(error))

        background_tasks.create(careful(), name="welcome prices", context=self._root)

    def _redraw(self) -> None:
        if not self._root.is_deleted:
            self._changed()

    async def _forward(self) -> None:
        self._every = True
        self._changed()
        wrong = [name for name in self._read().problems if step_of(name) == self._step]
        if wrong:
            self._said.set_text("What is missing or wrong stands at its field. You can also skip this step.")
            return
        if self._step == TERMS and not await self._save():
            return
        self._go(self._step + 1)

    async def _save(self) -> bool:
        """Keep what was typed when it is a whole loan; gold and loan that were skipped leave the example."""
        found, book = self._read().portfolio, self._vault.book
        if found is None:
            return True
        try:
            await book.save(found, ACTOR)
        except VaultError as error:
            self._said.set_text(f"Not saved: {error}.")
            return False
        self._is_saved = True
        return True

    async def _tell_doubts(self) -> None:
        """Being kept is not being watched: what stands between the loan and a message is told here, too."""
        try:
            doubts = await alert_doubts(self._vault)
        except VaultError as error:
            doubts = (f"{error}.",)
        self._doubts.set_text(" ".join(doubts))

    def _tell(self) -> None:
        background_tasks.create(self._tell_doubts(), name="welcome doubts", context=self._root)
        problems = self._read().problems
        missing = sorted({STEPS[step_of(name)].lower() for name in problems})
        if self._is_saved or not self._vault.book.is_example:
            self._outcome.set_text("Your loan is kept, and shown on every page.")
        elif missing:
            self._outcome.set_text(
                f"Nothing is kept yet, because this is missing: {' and '.join(missing)}. Until then the pages show "
                "an example."
            )
        else:
            background_tasks.create(self._save_late(), name="welcome", context=self._root)

    async def _save_late(self) -> None:
        """The terms were skipped: the usual ones are kept."""
        if await self._save():
            self._outcome.set_text("Your loan is kept, with the usual terms until you type your lender's.")

    def beat(self, _: Beat) -> None:
        """A new price: what follows from it."""
        self._redraw()


def step_of(name: str) -> int:
    """On which step a field stands."""
    if name.startswith("lots."):
        return GOLD
    if name in (
        "name",
        "lender",
        "amount",
        "as_of",
        "currency",
        "reference_rate",
        "spread",
        "day_count",
        "capitalised",
    ):
        return LOAN
    return TERMS


def build(vault: Vault) -> None:
    """Lay out the steps and follow the price."""
    page = WelcomePage(vault)
    follow(vault.heartbeat.feed, page.beat)
