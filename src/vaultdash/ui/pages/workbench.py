"""Workbench: hedges of listed contracts, found, bent and compared, each with what it costs and what it keeps away."""

from collections.abc import Coroutine, Sequence
from datetime import date
from typing import Any

from nicegui import background_tasks, context, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.hedge_verdict import ListedMeasure, PathVerdict
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.heartbeat import Beat
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import CaseChange, CheapestReport, PathReport, Standing
from vaultdash.ui.components.workbench_draft import (
    Bench,
    HedgeDraft,
    Listed,
    Resolved,
    draft_of,
    resolve,
)
from vaultdash.ui.components.workbench_top import WorkbenchTop
from vaultdash.ui.components.workbench_words import case_words, infeasible_words, market_words
from vaultdash.ui.format import day, unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.workbench_address import Asked, address_of
from vaultdash.ui.pages.workbench_bench import BenchView
from vaultdash.ui.pages.workbench_broken import broken
from vaultdash.ui.pages.workbench_search import SearchCard
from vaultdash.ui.theme import ChartColours, is_dark

CHEAPEST = "the cheapest hedge"
QUOTES_KEPT = 300.0  # seconds until the quotes are read again
NOTHING = ListedHedge("no hedge")


class WorkbenchPage:
    """What lies on the workbench and what is known of it; whatever is asked is asked behind the page."""

    def __init__(self, vault: Vault, asked: Asked) -> None:
        self._vault = vault
        self._asked = asked
        self._bench = Bench()
        self._listed = Listed()
        self._case: HedgeCase | None = None
        self._standing: Standing | None = None
        self._market: HedgeMarket | None = None
        self._report: CheapestReport | None = None
        self._cheapest: HedgeDraft | None = None
        self._measures: dict[HedgeDraft, ListedMeasure] = {}
        self._unhedged: ListedMeasure | None = None
        self._verdicts: dict[HedgeDraft, PathVerdict] = {}
        self._change = CaseChange()
        self._measuring = self._loading = self._followed = False
        self._reading: set[date] = set()
        self._read_at = vault.now()
        self._counting = vault.book.current.loan.hedge_counting
        if self._counting is HedgeCounting.IGNORED:
            self._counting = HedgeCounting.AFTER_PAYMENT
        with ui.element("div").classes("vd-page") as self._root:
            self._top = WorkbenchTop(self.load)
            self._search = SearchCard(vault, self._found, self._changed_case)
            self._view = BenchView(self._bench, self, self._counting)
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
        top, symbol = self._top, self._vault.book.symbol
        top.waiting.wait(f"Reading the option chains of {symbol}")
        try:
            await self._read_case()
            market = await self._vault.workbench.market()
        except VaultError as error:
            top.say("No hedge can be looked for now.", "warning")
            top.waiting.fail("What is needed cannot be read", f"{error}.")
            return
        finally:
            self._loading = False
        self._take(market)
        top.waiting.done()
        days = sorted({option.expiration for option in market.options})
        horizon = days[0] if days else None
        assert self._case is not None
        self._search.know(self._case, self._listed.expirations, horizon)
        await self._view.offer_templates(self._vault)
        drafts = self._asked.drafts(self._vault.book.symbol, self._case.units)
        self.tell(self._asked.problem)
        for draft in drafts:
            self._bench.beside(draft)
        self._bench.choose(0)
        self.refresh()
        if not drafts:
            top.waiting.wait("Looking for the cheapest hedge", skeleton=False)
            self._search.find()
        self._ask_frontier()

    async def _read_case(self) -> None:
        case, standing = await self._vault.workbench.case(self._change)
        if case != self._case:
            self._measures.clear()
        self._case, self._standing = case, standing

    def _take(self, market: HedgeMarket, asked: Sequence[date] = ()) -> None:
        self._listed.add(market, asked)
        self._market = self._market or market
        self._measures.clear()

    async def update(self, _: Beat) -> None:
        """At each beat: the loan at its new price, and the quotes again when they have aged."""
        if self._root.is_deleted or self._loading:
            return
        if self._market is None:
            self.load()
            return
        try:
            was = self._case
            await self._read_case()
            if (self._vault.now() - self._read_at).total_seconds() > QUOTES_KEPT:
                self._read_at = self._vault.now()
                days = sorted({leg.expiration for draft in self._bench.hedges for leg in draft.legs})
                for on in days:
                    self._take(await self._vault.workbench.market(on, latest=on), [on])
        except VaultError as error:
            self._top.doubt([str(error)])
            return
        if self._case != was and not self._root.is_deleted:
            self.refresh()

    # What lies on the workbench.

    def put(self, hedge: ListedHedge, origin: str) -> None:
        """Lay a hedge beside the others, and work on it."""
        self._bench.beside(draft_of(hedge, origin))
        self.refresh()

    def refresh(self) -> None:
        """Show everything anew after a change, and ask for what is not known yet."""
        if self._case is None:
            return
        found = [resolve(draft, self._listed) for draft in self._bench.hedges]
        self._view.show(self._case, self._listed, found, self._measures, self._unhedged, self._verdicts)
        self._speak(found[self._bench.chosen])
        self._read_missing()
        self._measure(found)

    def _speak(self, found: Resolved) -> None:
        case, market, standing = self._case, self._market, self._standing
        if case is None:
            return
        self._top.stand_on(case_words(case, self._vault.book.symbol), "" if market is None else market_words(market))
        said = [] if standing is None else [standing.withheld or "", *standing.remarks]
        said += [] if market is None else market.remarks
        is_demo = self._vault.market == "demo"  # the banner says of all prices that they are invented
        self._top.doubt([one for one in dict.fromkeys(said) if not (is_demo and "(DEMO)" in one)])
        self._show_calls(found.draft)
        measure = self._measures.get(found.draft)
        if measure is not None and found.draft.legs:
            verdict = self._verdicts.get(found.draft)
            self._top.show(measure, verdict, is_cheapest=found.draft == self._cheapest)
        elif not found.draft.legs:
            report = self._report
            if report is not None and report.found.hedge is None:
                self._top.say(f"No listed hedge does it: {infeasible_words(report.found)}", "call")
            elif self._unhedged is not None:
                self._top.show(self._unhedged, None, is_cheapest=False)

    def _read_missing(self) -> None:
        """Chains of expirations that are used and not read yet."""
        used = {leg.expiration for draft in self._bench.hedges for leg in draft.legs}
        for on in sorted(used - self._reading):
            if not self._listed.has(on):
                self._reading.add(on)
                self.begin(self._read(on))

    async def _read(self, on: date) -> None:
        self._top.waiting.wait(f"Reading the chain of {day(on)}", skeleton=False)
        try:
            self._take(await self._vault.workbench.market(on, latest=on), [on])
        except VaultError as error:
            self._top.waiting.fail(f"The chain of {day(on)} cannot be read", f"{error}.")
            return
        finally:
            self._reading.discard(on)
        self._top.waiting.done()
        if not self._root.is_deleted:
            self._view.settle_strikes(self._listed, on)
            self.refresh()

    def _measure(self, found: Sequence[Resolved]) -> None:
        missing = any(one.hedge is not None and one.draft not in self._measures for one in found)
        if (missing or self._unhedged is None) and not self._measuring:
            self._measuring = True
            self.begin(self._measured())

    async def _measured(self) -> None:
        """Measure what is not measured, until nothing has changed meanwhile."""
        try:
            while not self._root.is_deleted:
                case = self._case
                found = [resolve(draft, self._listed) for draft in self._bench.hedges]
                missing = [(one.draft, one.hedge) for one in found if one.hedge and one.draft not in self._measures]
                if not missing and self._unhedged is not None and self._unhedged.case == case:
                    break
                hedges = [NOTHING, *(hedge for _, hedge in missing)]
                report = await self._vault.workbench.measure(hedges, self._change)
                self._unhedged = report.measures[0]
                if report.case != self._case:
                    self._measures.clear()
                    self._case, self._standing = report.case, report.standing
                for (draft, _), measure in zip(missing, report.measures[1:], strict=True):
                    self._measures[draft] = measure
        except VaultError as error:
            self._top.doubt([f"This cannot be measured: {error}"])
            return
        finally:
            self._measuring = False
        if self._root.is_deleted or self._case is None:
            return
        found = [resolve(draft, self._listed) for draft in self._bench.hedges]
        self._view.show(self._case, self._listed, found, self._measures, self._unhedged, self._verdicts)
        self._speak(found[self._bench.chosen])
        self._name_address()
        if not self._followed and self._bench.current in self._measures and self._bench.current.legs:
            self._followed = True  # later ones are asked for: each takes a core for seconds
            self.ask_paths()

    def _name_address(self) -> None:
        at = address_of(self._bench.hedges, self._vault.book.symbol)
        ui.run_javascript(
            f"const at = '{at}'; if (location.pathname === '/workbench') history.replaceState({{page: at}}, '', at)"
        )

    # What came of what was asked.

    def _found(self, report: CheapestReport) -> None:
        """The search has answered."""
        if self._root.is_deleted:
            return
        self._report = report
        self._top.waiting.done()
        if report.market is not None:
            self._take(report.market)
        if report.found.hedge is None:
            self._cheapest = None
        else:
            draft = draft_of(report.found.hedge, CHEAPEST)
            (self._bench.put if self._bench.current == self._cheapest else self._bench.beside)(draft)
            self._cheapest = self._bench.current
        self.refresh()

    def _changed_case(self) -> None:
        """The form of the search was changed, or what is known of the broker."""
        self._calls.follow(self._search.draft)
        change = self._search.change
        if change != self._change:
            self._change = change
            self.begin(self._judge_anew())
        elif self._case is not None:
            self._show_calls(self._bench.current)

    def _show_calls(self, draft: HedgeDraft) -> None:
        measure = self._measures.get(draft)
        if self._case is not None:
            self._calls.show(None if measure is None else measure.calls, self._case, wanted=self._search.sells_calls)

    async def _judge_anew(self) -> None:
        try:
            await self._read_case()
        except VaultError as error:
            self._top.doubt([str(error)])
            return
        self.refresh()

    def recommend(self) -> None:
        """Begin anew with what the loan needs."""
        days = sorted({option.expiration for option in self._market.options}) if self._market else []
        self._search.begin_anew(days[0] if days else None)
        self._calls.follow(self._search.draft)

    def count_by(self, counting: HedgeCounting) -> None:
        """Another counting on every chart that depends on it."""
        self._counting = counting
        self.refresh()
        self._ask_frontier()

    def _ask_frontier(self) -> None:
        self._frontier.begin(self._search.draft.horizon, self._counting, self._change)

    def ask_frontier(self) -> None:
        """Ask for the candidates again."""
        self._ask_frontier()

    def ask_paths(self) -> None:
        """Follow random paths of the hedges that have a price."""
        drafts = [draft for draft in self._bench.hedges if draft in self._measures and draft.legs]
        self._paths.begin(drafts, self._change)

    def told_paths(self, drafts: Sequence[HedgeDraft], report: PathReport) -> None:
        """The paths have been followed."""
        if self._root.is_deleted:
            return
        for draft, verdict in zip((*drafts, HedgeDraft()), report.found.verdicts, strict=True):
            self._verdicts[draft] = verdict
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
    ui.on("vd-theme", lambda event: page.dress(dark=bool(event.args)))
    follow(vault.heartbeat.feed, page.update)
