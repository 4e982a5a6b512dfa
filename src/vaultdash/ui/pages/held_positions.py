"""The options held against a loan, on the settings page: entered, changed, closed, imported, taken out."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date
from typing import Any

import structlog
from nicegui import background_tasks, ui

from vaultdash.clock import NEW_YORK
from vaultdash.domain.errors import InvalidInput, NotFound, VaultError
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HedgeMark, HeldOption
from vaultdash.services.position_csv import ImportedOptions, new_option_id, read_positions
from vaultdash.services.vault import Vault
from vaultdash.ui.components.position_draft import PositionDraft
from vaultdash.ui.components.position_form import PositionForm
from vaultdash.ui.components.positions_import import PositionsImport
from vaultdash.ui.components.positions_table import PositionsTable
from vaultdash.ui.components.question import Question
from vaultdash.ui.format import day, usd
from vaultdash.ui.theme import button, card, note, text

log = structlog.get_logger()
ACTOR = "page"
EXAMPLE = (
    "The first line names the columns: contract (GLD 261218P00330000) or symbol, expiration, strike and right; "
    "contracts (negative when sold), price_paid (a share), opened_on; where wanted closed_on, closed_price, funding "
    "and note. Commas or semicolons between them. Nothing is kept before you have looked at it."
)
BROKEN = "something went wrong in this server; its log says what"


class HeldPositions:
    """Acts on the portfolio as it is kept, whatever is being typed about the loan itself."""

    def __init__(self, vault: Vault, question: Question) -> None:
        self._vault = vault
        self._question = question
        self._portfolio: Portfolio | None = None
        self._read: ImportedOptions | None = None
        self._turn = 0
        with card("Options held") as head, ui.element("div").classes("vd-stack") as self._root:
            with head, ui.element("div").classes("vd-tabs"):
                self._add = button("Add a position", self._open_new)
                self._import = button("Import CSV", self._open_import)
            self._sum = text("div", "").mark("positions-sum")
            self._table = PositionsTable(self._open_kept)
            self._problem = text("div", "", "vd-problem call").props("role=alert")
            note(
                "Held ones are marked at what closing them brings: the bid when bought, the ask when sold, of the "
                "listed chain; without a quote by the volatility surface, else at exercise value. Greeks are of the "
                "whole position."
            )
        self._form = PositionForm(self._save, self._ask_delete, self._wish, self._take_symbol)
        self._importing = PositionsImport(self._look, self._take)

    @property
    def _today(self) -> date:
        return self._vault.now().astimezone(NEW_YORK).date()

    def show(self, portfolio: Portfolio | None, hedge: HedgeMark | None) -> None:
        """The positions of a kept portfolio; None while a new one is being typed."""
        self._portfolio = portfolio
        options = portfolio.options if portfolio else ()
        marks = hedge.marks if hedge else ()
        self._table.show(options, marks, self._today, self._vault.now())
        if portfolio is None:
            self._sum.set_text("Save the loan first; then its options can be entered.")
        elif hedge is None:
            self._sum.set_text("")
        else:
            gain = hedge.value - hedge.cost
            self._sum.set_text(
                f"Worth {usd(hedge.value)} now, paid {usd(hedge.cost)}: a {'gain' if gain >= 0 else 'loss'} of "
                f"{usd(abs(gain))}."
            )

    def _open_new(self) -> None:
        if self._portfolio is None:
            self._problem.set_text("Save the loan first.")
            return
        self._problem.set_text("")
        self._form.open(PositionDraft(opened_on=self._today.isoformat()), None, "Add a position")
        self._begin(self._offer())

    def _open_kept(self, position_id: str) -> None:
        held = self._find(position_id)
        if held is None:
            return
        self._form.open(PositionDraft.of(held), position_id, "Change, close or delete a position")
        self._begin(self._offer(held.contract.expiration))

    def _find(self, position_id: str) -> HeldOption | None:
        options = self._portfolio.options if self._portfolio else ()
        return next((option for option in options if option.id == position_id), None)

    def _take_symbol(self, draft: PositionDraft) -> str | None:
        assert self._portfolio is not None
        return draft.take_symbol(self._portfolio.collateral.quoted_by)

    def _wish(self, expiration: date) -> None:
        self._begin(self._offer_strikes(expiration))

    async def _offer(self, expiration: date | None = None) -> None:
        """The listed expirations, behind the dialog; what is typed by hand needs none."""
        assert self._portfolio is not None
        symbol = self._portfolio.collateral.quoted_by
        try:
            listing = await self._vault.chains.expirations(symbol)
        except VaultError as error:
            self._form.offer_days((), self._today, f"The listed expirations are not at hand ({error}); type the day.")
            return
        self._form.offer_days(listing.days, self._today, f"Expirations of {symbol} as {listing.source} lists them.")
        if expiration is not None:
            await self._offer_strikes(expiration)

    async def _offer_strikes(self, expiration: date) -> None:
        assert self._portfolio is not None
        self._turn += 1
        turn = self._turn
        try:
            chain = await self._vault.chains.chain(self._portfolio.collateral.quoted_by, expiration)
        except VaultError:
            strikes: list[float] = []
        else:
            right = Right(self._form.draft.right)
            quotes = [one.quote.contract for one in chain.options]
            strikes = sorted({one.strike for one in quotes if one.right is right})
        if turn == self._turn:
            self._form.offer_strikes(strikes)

    async def _save(self, draft: PositionDraft, position_id: str | None) -> None:
        if self._portfolio is None:
            return
        root = self._portfolio.collateral.quoted_by
        found, problems = draft.read(root, position_id or new_option_id(), self._today)
        self._form.say(problems)
        if found is None:
            return

        def edit(kept: Portfolio) -> Portfolio:
            rest = kept.options
            if position_id is None:
                return replace(kept, options=(*rest, found))
            if all(option.id != position_id for option in rest):
                raise NotFound("This position was deleted meanwhile")
            return replace(kept, options=tuple(found if option.id == position_id else option for option in rest))

        problem = await self._change(edit)
        if problem:
            self._form.say({}, problem)
        else:
            self._form.close()

    async def _ask_delete(self, position_id: str) -> None:
        held = self._find(position_id)
        if held is None:
            return
        sure = await self._question.ask(
            "Delete this position?",
            f"{held.contract.osi}, {held.contracts} contracts. A position that ended is closed, not deleted; "
            "deleting is for one that never was. It can be undone below.",
            "Delete it",
        )
        if sure:

            def edit(kept: Portfolio) -> Portfolio:
                return replace(kept, options=tuple(option for option in kept.options if option.id != position_id))

            problem = await self._change(edit)
            self._form.say({}, problem or "")
            if not problem:
                self._form.close()

    def _open_import(self) -> None:
        if self._portfolio is None:
            self._problem.set_text("Save the loan first.")
            return
        self._problem.set_text("")
        self._read = None
        self._importing.open(EXAMPLE)

    def _look(self, rows: str) -> None:
        if self._portfolio is None:
            return
        try:
            self._read = read_positions(rows, self._portfolio, self._today)
        except InvalidInput as problem:
            self._read = None
            self._importing.fail(f"{problem}.")
            return
        self._importing.show(self._read.options, self._read.rejected, self._read.remarks)

    async def _take(self) -> None:
        read = self._read
        if read is None or not read.options:
            return

        def edit(kept: Portfolio) -> Portfolio:
            return replace(kept, options=(*kept.options, *read.options))

        problem = await self._change(edit)
        if problem:
            self._importing.fail(problem)
        else:
            self._importing.close()

    async def _change(self, edit: Callable[[Portfolio], Portfolio]) -> str | None:
        """Keep it; why that was refused, if it was. Prices of a new contract are asked for behind."""
        assert self._portfolio is not None
        try:
            kept = await self._vault.book.change(self._portfolio.id, edit, ACTOR)
        except VaultError as error:
            return f"{error}."
        self._begin(self._price(kept.portfolio))
        return None

    async def _price(self, portfolio: Portfolio) -> None:
        await self._vault.held.refresh((portfolio,))
        beat = self._vault.heartbeat.current()
        status = (beat.statuses.get(portfolio.collateral.quoted_by) or beat.status) if beat else None
        kept = self._vault.book.stored(portfolio.id).portfolio
        if status is not None and self._portfolio is not None and self._portfolio.id == portfolio.id:
            self.show(kept, self._vault.held.mark(kept, status.quote, self._vault.now()))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        async def careful() -> None:
            try:
                await work
            except VaultError as error:
                if not self._root.is_deleted:
                    self._problem.set_text(f"{error}.")
            except Exception as error:  # whatever it is, the page says so and stays usable
                log.error("positions_broke", reason=repr(error), exc_info=True)
                if not self._root.is_deleted:
                    self._problem.set_text(f"{BROKEN}.".capitalize())

        background_tasks.create(careful(), name="held positions", context=self._root)


def held_words(portfolio: Portfolio, today: date) -> str:
    """How many options are held, and when the first ends: `2 options, the first until 18 Dec 2026`."""
    held = portfolio.open_options(today)
    if not held:
        return "no options"
    first = min(option.contract.expiration for option in held)
    return (
        f"{len(held)} option{'s' if len(held) > 1 else ''}, {'the first ' if len(held) > 1 else ''}until {day(first)}"
    )
