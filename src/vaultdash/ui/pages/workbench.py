"""Workbench: hedges of listed contracts, found, bent and compared, each with what it costs and what it keeps away."""

from collections.abc import Coroutine, Sequence
from datetime import date
from typing import Any

from nicegui import background_tasks, context, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge_verdict import SolveStatus
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.heartbeat import Beat
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import CheapestReport, Goal, PathReport
from vaultdash.ui.components.phone_fold import fold_on_phone
from vaultdash.ui.components.workbench_draft import (
    Bench,
    HedgeDraft,
    Resolved,
    draft_of,
)
from vaultdash.ui.components.workbench_top import WorkbenchTop
from vaultdash.ui.components.workbench_words import case_words, infeasible_words, market_words
from vaultdash.ui.format import day, unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.workbench_address import Asked, address_of
from vaultdash.ui.pages.workbench_bench import BenchView
from vaultdash.ui.pages.workbench_broken import broken
from vaultdash.ui.pages.workbench_known import Known
from vaultdash.ui.pages.workbench_search import SearchCard
from vaultdash.ui.theme import ChartColours, is_dark, visible

ORIGINS = {
    Goal.CHEAPEST: "the cheapest hedge",
    Goal.BEST_PROTECTION: "the best for the budget",
    Goal.ZERO_COST: "the collar that costs nothing",
}
MOST_DAYS = 8  # expirations that an address may have read at once


class WorkbenchPage:
    """The bench and what is known of it; whatever is asked is asked behind the page."""

    def __init__(self, vault: Vault, asked: Asked) -> None:
        self._vault = vault
        self._asked = asked
        self._bench = Bench()
        self._known = Known(vault)
        self._report: CheapestReport | None = None
        self._searched: HedgeDraft | None = None  # what the search found last
        self._cheapest: HedgeDraft | None = None  # the same, when it is proved the cheapest
        self._reading: set[date] = set()
        self._named = ""  # the address in the browser, once it was written
        self._followed_at: list[Resolved] = []  # the hedges whose paths were asked for, at their prices then
        self._measuring = self._loading = self._begun = self._drawn = self._followed = False
        self._laid_meanwhile = False  # the owner took another hedge while the search was under way
        self._counting = vault.book.current.loan.hedge_counting
        if self._counting is HedgeCounting.IGNORED:
            self._counting = HedgeCounting.AFTER_PAYMENT
        with ui.element("div").classes("vd-page") as self._root:
            self._top = WorkbenchTop(self.load)
            self._body = ui.element("div").classes("vd-page vd-bench-body vd-hidden")  # until there is what to show
            with self._body:
                self._search = SearchCard(vault, self._found, self._changed_case, self._ended_search)
                self._view = BenchView(vault, self._bench, self, self._counting)
                self._calls = self._view.calls(self._search.draft, self._changed_case)
                self._frontier = self._view.frontier(vault)
                self._paths = self._view.paths(vault)

    # What the page asks for.

    def load(self) -> None:
        """Read loan, quotes and what the address names; begin with the recommendation when it names nothing."""
        if not self._loading:
            self._loading = True
            self.begin(self._load())

    async def _load(self) -> None:
        top, known, symbol = self._top, self._known, self._vault.book.symbol
        top.waiting.wait(f"Reading the option chains of {symbol}")
        try:
            case = await known.read_case()
            drafts = self._asked.drafts(symbol, case.units)
            for on in sorted({leg.expiration for draft in drafts for leg in draft.legs})[:MOST_DAYS]:
                await known.read_day(on)
            if known.market is None:
                await known.read_market()
        except VaultError as error:
            top.say("No hedge can be looked for now.", "warning")
            top.waiting.fail("What is needed cannot be read", f"{error}.")
            return
        finally:
            self._loading = False
        top.waiting.done()
        self._search.know(case, known.listed.expirations, known.usual_horizon)
        await self._view.editor.offer_templates()
        self.tell(self._asked.problem)
        for draft in drafts:
            self._bench.beside(draft)
        self._bench.choose(0)
        self.refresh()
        if not drafts:
            top.waiting.wait("Looking for the cheapest hedge", skeleton=False)
            self._search.find()

    async def update(self, _: Beat) -> None:
        """At each beat: the loan at its new price, and the quotes again when they have aged."""
        if self._root.is_deleted or self._loading:
            return
        if self._known.market is None:
            self.load()
            return
        was, followed = self._known.case, bool(self._known.verdicts)
        try:
            await self._known.read_case()
            await self._known.read_again(self._days())
        except VaultError as error:
            self._top.doubt([str(error)])
            return
        if followed and not self._known.verdicts:
            self._followed = False  # what they came to was dropped: they are followed again
        if self._known.case != was:
            self.refresh()

    def _days(self) -> list[date]:
        """Expirations that are used."""
        return sorted({leg.expiration for draft in self._bench.hedges for leg in draft.legs})

    # What lies on the workbench.

    def put(self, hedge: ListedHedge, origin: str) -> None:
        """Lay a hedge beside the others, and work on it."""
        self._bench.beside(draft_of(hedge, origin))
        self._laid_meanwhile = self._search.is_busy
        self.refresh()

    def refresh(self) -> None:
        """Show everything anew after a change, and ask for what is not known yet."""
        if self._root.is_deleted or self._known.case is None or self._known.market is None:
            return
        found = self._show()
        if self._begun:
            self._name_address()
        for on in self._days():
            if not self._known.listed.has(on) and on not in self._reading:
                self._reading.add(on)
                self.begin(self._read(on))
        if (self._known.lacks(found) or not self._known.knows_unhedged) and not self._measuring:
            self._measuring = True
            self.begin(self._measured())

    def _show(self) -> list[Resolved]:
        found = self._known.resolved(self._bench.hedges)
        visible(self._body, when=True)
        self._view.show(self._known, found)
        self._speak(found[self._bench.chosen])
        return found

    def _speak(self, found: Resolved) -> None:
        known, market, standing = self._known, self._known.market, self._known.standing
        if known.case is None:
            return
        self._top.stand_on(
            case_words(known.case, self._vault.book.symbol), "" if market is None else market_words(market)
        )
        said = [] if standing is None else [standing.withheld or "", *standing.remarks]
        said += [] if market is None else market.remarks
        is_demo = self._vault.market == "demo"  # the banner says of all prices that they are invented
        self._top.doubt([one for one in dict.fromkeys(said) if not (is_demo and "(DEMO)" in one)])
        self._show_calls()
        measure = known.measures.get(found.draft)
        if measure is not None and found.draft.legs:
            verdict, bare = known.verdicts.get(found.draft), known.verdicts.get(HedgeDraft())
            self._top.show(measure, verdict, bare, is_cheapest=found.draft == self._cheapest)
        elif not found.draft.legs:
            report = self._report
            if report is not None and report.found.hedge is None:
                self._top.say(f"No listed hedge does it: {infeasible_words(report.found)}", "call")
            elif known.unhedged is not None and not self._search.is_busy:
                self._top.show(known.unhedged, known.verdicts.get(found.draft), None, is_cheapest=False)

    async def _read(self, on: date) -> None:
        self._top.waiting.wait(f"Reading the chain of {day(on)}", skeleton=False)
        try:
            await self._known.read_day(on)
        except VaultError as error:
            self._top.waiting.fail(f"The chain of {day(on)} cannot be read", f"{error}.")
            return
        finally:
            self._reading.discard(on)
        self._top.waiting.done()
        self._view.editor.settle_strikes(self._known.listed, on)
        self.refresh()

    async def _measured(self) -> None:
        """Measure what is not measured, until nothing has changed meanwhile."""
        known = self._known
        try:
            while not self._root.is_deleted:
                lacking = known.lacks(known.resolved(self._bench.hedges))
                if not lacking and known.knows_unhedged:
                    break
                await known.measure(lacking)
        except VaultError as error:
            self._top.doubt([f"This cannot be measured: {error}"])
            return
        finally:
            self._measuring = False
        if self._root.is_deleted:
            return
        self._show()
        self._name_address()
        if not self._search.is_busy:
            self._ask_first()
        self._follow_first()

    def _ask_first(self) -> None:
        """What takes a core for seconds, one after the other once the hedge is there; later it is asked for."""
        if not self._begun:
            self._begun = True
            self.ask_frontier()

    def answered_frontier(self) -> None:
        """The candidates are drawn, or cannot be."""
        self._drawn = True
        self._follow_first()

    def _follow_first(self) -> None:
        draft = self._bench.current
        if self._drawn and not self._followed and draft.legs and draft in self._known.measures:
            self._followed = True
            self.ask_paths()

    def _name_address(self) -> None:
        at = address_of(self._bench.hedges, self._vault.book.symbol)
        if at == self._named:
            return
        self._named = at
        with self._root:
            ui.run_javascript(
                f"const at = '{at}'; "
                "if (location.pathname === '/workbench') history.replaceState({page: at}, '', at)"
            )

    # What came of what was asked.

    def _found(self, report: CheapestReport) -> None:
        """The search has answered."""
        if self._root.is_deleted:
            return
        self._report = report
        if report.market is not None:
            self._known.take(report.market)
        if report.found.hedge is None:
            self._cheapest = None
        else:
            goal = report.request.goal
            draft = draft_of(report.found.hedge, ORIGINS[goal])
            worked_on, stays = self._bench.chosen, self._laid_meanwhile
            if not (stays and self._bench.is_full):
                (self._bench.put if self._bench.current == self._searched else self._bench.beside)(draft)
            if stays:
                self._bench.choose(worked_on)
            self._laid_meanwhile = False
            self._searched = draft
            is_proved = goal is Goal.CHEAPEST and report.found.status is SolveStatus.OPTIMAL
            self._cheapest = draft if is_proved else None
        self.refresh()

    def _ended_search(self) -> None:
        """With a hedge, without one, or given up."""
        self._top.waiting.done()
        self._ask_first()

    def _changed_case(self) -> None:
        """The form of the search was changed, or what is known of the broker."""
        self._search.outdate()
        self._calls.follow(self._search.draft)
        change = self._search.change
        if change != self._known.change:
            self._known.change = change
            self.begin(self._judge_anew())
        else:
            self._show_calls()

    def _show_calls(self) -> None:
        measure = self._known.measures.get(self._bench.current)
        if self._known.case is not None:
            calls = None if measure is None else measure.calls
            self._calls.show(calls, self._known.case, wanted=self._search.sells_calls)

    async def _judge_anew(self) -> None:
        try:
            await self._known.read_case()
        except VaultError as error:
            self._top.doubt([str(error)])
            return
        self.refresh()

    def recommend(self) -> None:
        """Begin anew with what the loan needs."""
        self._search.begin_anew(self._known.usual_horizon)
        self._calls.follow(self._search.draft)

    def count_by(self, counting: HedgeCounting) -> None:
        """Another counting on every chart that depends on it."""
        self._counting = counting
        self.refresh()
        self.ask_frontier()

    def ask_frontier(self) -> None:
        """Ask for the candidates."""
        self._frontier.begin(self._search.draft.horizon, self._counting, self._known.change)

    def ask_paths(self) -> None:
        """Follow random paths of the hedges that have a price."""
        drafts = [draft for draft in self._bench.hedges if draft in self._known.measures and draft.legs]
        if drafts:
            self._followed_at = self._known.resolved(drafts)
            self._paths.begin(drafts, self._known.change)
        else:
            self.tell("No hedge on the workbench has a price, so no paths can be followed.")

    def told_paths(self, drafts: Sequence[HedgeDraft], report: PathReport) -> None:
        """The paths have been followed; the last verdict is that of no hedge."""
        if self._root.is_deleted:
            return
        found = dict(zip((*drafts, HedgeDraft()), report.found.verdicts, strict=True))
        if not self._known.judge(found, report.case, self._followed_at):
            self.tell("The loan, the price or the quotes have changed meanwhile: follow the paths once more.")
        self.refresh()

    def tell(self, words: str) -> None:
        """Say something in passing."""
        if words:
            with self._root:
                ui.notify(unbroken(words), html=False)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run behind the page; what fails unforeseen is said and logged."""
        background_tasks.create(self._guarded(work), name="workbench page")

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        if self._root.is_deleted:
            work.close()
            return
        with self._root:
            try:
                await work
            except VaultError as error:
                self.tell(f"{error}.")
            except Exception as error:  # noqa: BLE001  # whatever it is, the page says so and stays usable
                self._top.waiting.fail("That did not work", broken(error))

    def attach(self) -> None:
        """The browser is there."""
        self._view.attach()
        fold_on_phone()

    def dress(self, *, dark: bool) -> None:
        """Draw the charts for the other mode."""
        colours = ChartColours(dark=dark)
        self._view.dress(colours)
        self._frontier.dress(colours)
        self.refresh()


async def build(vault: Vault, asked: Asked) -> None:
    """Lay out the page at once, then read and ask behind it."""
    page = WorkbenchPage(vault, asked)
    page.load()
    await context.client.connected()
    page.dress(dark=await is_dark())
    page.attach()
    ui.on("vd-theme", lambda event: page.dress(dark=bool(event.args)))
    follow(vault.heartbeat.feed, page.update)
