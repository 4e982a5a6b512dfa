"""Backtest: which hedge would have brought a loan through a past fall, and at what price; every run is kept."""

from collections.abc import Coroutine
from datetime import date
from typing import Any

from nicegui import background_tasks, context, ui

from vaultdash.backtest.result import Ending
from vaultdash.domain.errors import VaultError
from vaultdash.domain.record import RunState, StoredRun
from vaultdash.services.backtest_market import IMPORT_HINT
from vaultdash.services.backtest_request import BacktestReport
from vaultdash.services.heartbeat import Beat
from vaultdash.services.vault import Vault
from vaultdash.ui.components.backtest_words import (
    hedge_name,
    hedges_of,
    is_working,
    net_words,
    with_days,
    working_words,
)
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.components.phone_fold import fold_on_phone
from vaultdash.ui.components.progress_bar import ProgressBar
from vaultdash.ui.components.waiting import Waiting
from vaultdash.ui.format import day, moment, pct, unbroken, usd
from vaultdash.ui.live import follow
from vaultdash.ui.pages.backtest_asking import LONGEST_ID, BacktestAsking
from vaultdash.ui.pages.backtest_kept import KeptRuns
from vaultdash.ui.pages.backtest_result import ResultView
from vaultdash.ui.theme import ChartColours, button, card, is_dark, note, text, visible

QUESTION = "Which hedge would have brought this loan through, and at what price?"
HOW = "Choose a fall of gold, the loan and the hedges; each is replayed day by day beside the path without a hedge."
GO_ON_DAYS, LONGEST_REST = 14, 4  # calendar days; so many without a session lie at most before the moved end
DEMO = f"Only DEMO prices are there, which are invented: nothing of this happened. {IMPORT_HINT}"


class BacktestPage:
    """The page's parts. One run is open at a time; the address names it, so that a reload finds it again."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._run: StoredRun | None = None
        with ui.element("div").classes("vd-page") as self._root:
            self._top()
            self._asking = BacktestAsking(vault, self._begin, self._started)
            self._result = ResultView()
            self._kept = KeptRuns(vault, self._begin, self.open, self._run_again_with, self._changed, self._removed)

    def _top(self) -> None:
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", QUESTION).mark("backtest-sentence")
            with ui.element("div").classes("vd-figures") as self._figures:
                self._survived = Figure("hedges without a call", big=True)
                self._plain = Figure("without a hedge, highest LTV")
                self._best = Figure("best of the ranking")
                self._best_cost = Figure("its hedge, net")
            with ui.element("div").classes("vd-actions") as self._working:
                self._bar = ProgressBar("Progress of the backtest")
                self._progress = text("span", "", "muted").props("role=status").mark("progress")
                button("Cancel", self._cancel, words="Cancel the backtest")
            self._doubt = text("div", "", "vd-problem warning").props("role=status")
            self._waiting = Waiting(lambda: self._begin(self._again_opened()))
            with ui.element("div").classes("vd-actions") as self._acts:
                button("Run again", lambda: self._begin(self._run_again()), words="Run exactly this again")
                button("Run again with …", lambda: self._begin(self._run_again_with(self._opened)))
                with ui.element("span") as self._later:
                    self._go_on = button("", lambda: self._begin(self._run_on()), main=True)
            self._basis = note(HOW)
        for part in (self._figures, self._working, self._acts, self._later):
            visible(part, when=False)

    @property
    def _opened(self) -> str:
        return "" if self._run is None else self._run.id

    async def load(self, run_id: str | None, event_id: str | None) -> None:
        """Open the run that the address names, and offer what there is to choose from."""
        await self._kept.read()
        if run_id:
            await self.open(run_id)
        try:
            is_demo = await self._asking.offer(event_id)
        except VaultError as error:
            self._doubt.set_text(f"Falls of gold cannot be listed: {error}")
            return
        if self._run is None:
            self._doubt.set_text(DEMO if is_demo else "")

    def priced(self, _: Beat) -> None:
        """Today's loan stands at another price."""
        self._asking.priced()

    async def told(self, run: StoredRun) -> None:
        """A run has come further, or to its end."""
        await self._kept.told(run)
        if self._run is None or not is_working(self._run):
            return
        newest = self._kept.known(self._run.id) or await self._vault.backtests.run(self._run.id)
        if newest != self._run:
            await self._show(newest)

    async def open(self, run_id: str) -> None:
        """Show a kept run: its progress while it works, what came of it when it is done."""
        try:
            run = await self._vault.backtests.run(run_id[:LONGEST_ID])
        except VaultError as error:
            self._headline.set_text(f"{error}.")
            self._name_address("")
            return
        self._name_address(run.id)
        await self._show(run)
        ui.run_javascript("window.scrollTo({top: 0, behavior: 'smooth'})")

    async def _show(self, run: StoredRun) -> None:
        is_new, self._run = run.id != self._opened, run
        self._kept.mark_open(run.id)
        working = is_working(run)
        visible(self._working, when=working)
        visible(self._acts, when=not working)
        self._bar.show(run.progress)
        self._progress.set_text(working_words(run))
        if is_new:
            self._asking.show(when=False)  # later it stays as the owner has it
        if working:
            if is_new:
                self._clear()
            self._headline.set_text(f"Replaying {run.name} …")
            self._basis.set_text(f"Asked for {moment(run.created_at)}. You may leave; it goes on, and is kept.")
        elif run.state is RunState.DONE:
            await self._show_done(run)
        else:
            self._clear()
            reason = f": {run.problem}" if run.problem else ""
            word = "was cancelled" if run.state is RunState.CANCELLED else "failed"
            self._headline.set_text(f"{run.name} {word}{reason}.".replace("..", "."))
            self._basis.set_text(f"Asked for {moment(run.created_at)}.")

    async def _show_done(self, run: StoredRun) -> None:
        self._waiting.wait("Reading what came of it", skeleton=False)
        try:
            report = await self._vault.backtests.result(run.id)
        except VaultError as error:
            self._clear()
            self._headline.set_text(f"{run.name} cannot be shown.")
            self._waiting.fail("The result cannot be read", str(error))
            return
        self._waiting.done()
        self._headline.set_text(unbroken(report.sentence))
        self._doubt.set_text(with_days(report.comparison.remarks[0]) if report.comparison.is_demo else "")
        self._show_figures(report)
        ended = run.finished_at or run.created_at
        self._basis.set_text(unbroken(f"{run.name} · run {moment(ended)} · {with_days(report.comparison.source)}"))
        self._result.show(report, run.id)
        await self._offer_to_go_on(report, run)

    async def _offer_to_go_on(self, report: BacktestReport, run: StoredRun) -> None:
        """Calls still open on the last day are no answer yet: offer the days after it that are stored."""
        comparison = report.comparison
        is_open = any(one.summary.ending is Ending.OPEN for one in (*comparison.runs, comparison.unhedged))
        try:
            later = await self._vault.backtests.later_end(run.id, GO_ON_DAYS) if is_open else None
        except VaultError:  # what came of the run stands there all the same
            later = None
        if run.id != self._opened:  # another one was opened meanwhile
            return
        visible(self._later, when=later is not None)
        self._go_on.clear()
        if later is not None:
            with self._go_on:
                ui.label(go_on_words(comparison.scenario.end, later))
            self._go_on.props["aria-label"] = f"Calls are still open: run the same again to {day(later)}"

    def _show_figures(self, report: BacktestReport) -> None:
        comparison = report.comparison
        hedges = [run for run in hedges_of(comparison) if run.template.hedges]
        survived = sum(run.summary.survived for run in hedges)
        limit = comparison.scenario.loan.margin_call_ltv
        visible(self._figures, when=bool(hedges))
        self._survived.show(
            f"{survived} of {len(hedges)}",
            f"no close at an LTV of {pct(limit)} or above, options counted as the lender does",
            tone="room" if survived else "call",
        )
        plain = comparison.unhedged.summary
        self._plain.show(
            pct(plain.max_ltv),
            f"on {day(plain.max_ltv_on)}; the call comes at {pct(limit)}",
            tone="" if plain.survived else "call",
        )
        if hedges:
            best = hedges[0]
            summary = best.summary
            self._best.show(hedge_name(best.template), best.template.description)
            self._best_cost.show(
                net_words(summary.hedge_cost_net),
                f"paid {usd(summary.hedge_cost_paid)}, brought back {usd(summary.hedge_recovered)}, worth "
                f"{usd(summary.hedge_value_end)} at the end",
            )

    def _clear(self) -> None:
        """Take away what belongs to a result."""
        self._waiting.done()
        self._doubt.set_text("")
        for part in (self._figures, self._later):
            visible(part, when=False)
        self._result.hide()

    def dress(self, *, dark: bool) -> None:
        """Draw the picture for the other mode."""
        self._result.dress(ChartColours(dark=dark))

    async def _started(self, run_id: str) -> None:
        await self._kept.read()
        await self.open(run_id)

    async def _run_again(self) -> None:
        run = await self._vault.backtests.again(self._opened)
        await self._started(run.id)

    async def _run_on(self) -> None:
        run = await self._vault.backtests.go_on(self._opened, GO_ON_DAYS)
        await self._started(run.id)

    async def _run_again_with(self, run_id: str) -> None:
        await self._asking.again_with(run_id, self._kept.name_of(run_id))

    async def _again_opened(self) -> None:
        if self._run is not None:
            await self._show(await self._vault.backtests.run(self._run.id))

    async def _changed(self, run_id: str) -> None:
        """A run has another name, or was cancelled."""
        if run_id == self._opened:
            await self._again_opened()

    def _cancel(self) -> None:
        self._begin(self._cancelled())

    async def _cancelled(self) -> None:
        await self._vault.backtests.cancel(self._opened)
        await self._kept.read()
        await self._again_opened()

    def _removed(self, run_id: str) -> None:
        """A run was deleted: when it was the open one the page begins anew."""
        if run_id == self._opened:
            self._run = None
            self._clear()
            for part in (self._working, self._acts):
                visible(part, when=False)
            self._headline.set_text(QUESTION)
            self._basis.set_text(HOW)
            self._name_address("")
            self._asking.show(when=True)

    def _name_address(self, run_id: str) -> None:
        at = f"/backtest?run={run_id}" if run_id else "/backtest"
        ui.run_javascript(
            f"const at = '{at}'; if (location.pathname === '/backtest') history.replaceState({{page: at}}, '', at)"
        )

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        background_tasks.create(self._guarded(work), name="backtest page")

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        if self._root.is_deleted:
            work.close()
            return
        with self._root:
            try:
                await work
            except VaultError as error:
                ui.notify(with_days(f"{error}."), html=False)


def go_on_words(end: date, later: date) -> str:
    """What the button says: two weeks more, or as far as prices are stored."""
    return "Go on two weeks" if (later - end).days >= GO_ON_DAYS - LONGEST_REST else f"Go on to {day(later)}"


async def build(vault: Vault, run: str | None = None, event: str | None = None) -> None:
    """Lay out the page, open the run of the address, and follow what is under way."""
    page = BacktestPage(vault)
    await context.client.connected()
    fold_on_phone()
    page.dress(dark=await is_dark())
    ui.on("vd-theme", lambda sent: page.dress(dark=bool(sent.args)))
    follow(vault.backtests.feed, page.told)
    follow(vault.heartbeat.feed, page.priced)
    await page.load(run, event)
