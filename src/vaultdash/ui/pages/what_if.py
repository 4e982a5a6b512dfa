"""What if: gold, volatility, days, interest and the lender moved by hand, with and without the hedge."""

from nicegui import background_tasks, context, ui

from vaultdash.domain.errors import VaultError
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.risk.what_if import WhatIf, WhatIfMap
from vaultdash.services.vault import Vault
from vaultdash.services.workbench_request import ScenarioGrid, WhatIfReport, WhatIfRequest
from vaultdash.ui.components.what_if_beside import Beside
from vaultdash.ui.components.what_if_charts import (
    LineChart,
    ltv_options,
    ltv_series,
    moved_marks,
    worth_options,
    worth_series,
)
from vaultdash.ui.components.what_if_grid import GridCard
from vaultdash.ui.components.what_if_map import HeatMap, has_same_cells, map_options, moves_of, nearest
from vaultdash.ui.components.what_if_sliders import WhatIfSliders
from vaultdash.ui.components.what_if_table import WhatIfTable
from vaultdash.ui.components.what_if_words import (
    COUNTED,
    COUNTINGS,
    ZONE_WORDS,
    lender_of,
    ltv_words,
    sentence,
    zone_in,
)
from vaultdash.ui.components.what_if_words import tone as tone_of
from vaultdash.ui.components.zone_bar import ZoneBar
from vaultdash.ui.format import moment, pct, price, unbroken
from vaultdash.ui.live import follow
from vaultdash.ui.pages.what_if_hedge import ChosenHedge
from vaultdash.ui.theme import TONES, ChartColours, Tabs, card, is_dark, note, text

PIECES = 5
EVERYTHING = "all"
LABEL = "What if: nothing here is the market"


class WhatIfPage:
    """The page's parts; a slider draws anew what depends on it, and while one drawing is made the newest waits."""

    def __init__(self, vault: Vault, link: str | None) -> None:
        self._vault = vault
        self._grid: ScenarioGrid | None = None
        self._report: WhatIfReport | None = None
        self._maps: dict[str, WhatIfMap] = {}
        self._due: set[str] = set()
        self._draws = False
        self._seen: tuple[object, ...] | None = None
        self._dark = True
        self._counting = first_counting(vault.book.current.loan)
        with ui.element("section").classes("vd-page vd-whatif").props(f"aria-label='{LABEL}'") as self._root:
            text("div", LABEL, "vd-whatif-label")
            with card():
                with ui.element("p").classes("vd-sentence"):
                    self._pieces = [text("span", "") for _ in range(PIECES)]
                    for piece, name in zip(self._pieces, ("if", "unhedged", "with", "hedged"), strict=False):
                        piece.mark(f"what-if-{name}")
                self._withheld = text("div", "", "vd-problem warning").props("role=status").mark("withheld")
                self._problem = text("div", "", "vd-problem call").props("role=alert").mark("what-if-problem")
                self._basis = note("").mark("what-if-basis")
            with ui.element("div").classes("vd-columns vd-whatif-columns"):
                with ui.element("div"), ui.element("div").classes("vd-beside"), card("Move something"):
                    self._bars = self._zone_bars()
                    with ui.element("div").classes("vd-counted"):
                        self._tabs = Tabs(COUNTINGS, self._counting, self._choose_counting)
                    self._sliders = WhatIfSliders(self.changed)
                with ui.element("div").classes("vd-stack"):
                    self._lay_out(vault, link)
            with card("Scenario grids"):
                self._grids = GridCard(self._choose_grid, self._keep_grid, self._remove_grid)
            with card("What this stands on"):
                self._remarks = text("div", "", "vd-lines vd-note").mark("what-if-remarks")

    def _lay_out(self, vault: Vault, link: str | None) -> None:
        with card("The hedge") as head:
            self._hedge = ChosenHedge(vault, link, self._another_hedge, head)
            self._beside = Beside()
        with ui.element("div").classes("vd-columns even"):
            with card("What the hedge is worth"):
                self._worth = LineChart("Worth of the hedge over the gold price")
            with card("LTV over the price"):
                self._ltv = LineChart("LTV over the gold price, with and without the hedge")
        with ui.element("div").classes("vd-columns even"):
            with card("LTV with the hedge: price and time"):
                self._by_time = HeatMap("LTV with the hedge over gold price and days forward")
                note("Days forward upward, move of gold across. The ring is where the sliders are.")
            with card("LTV with the hedge: price and volatility"):
                self._by_volatility = HeatMap("LTV with the hedge over gold price and shift of volatility")
                note("Shift of volatility in points upward, on the day the slider is at.")
        with card("Moves of gold"):
            self._table = WhatIfTable()
            note("On the day and in the market that the sliders say, whatever the gold slider says.")

    def _zone_bars(self) -> tuple[ZoneBar, ZoneBar]:
        self._ltvs: list[ui.label] = []
        bars = []
        for label in ("Without the hedge", self._with_words()):
            with ui.element("div"):
                with ui.element("div").classes("vd-slide-head"):
                    self._bar_words = text("span", label, "vd-field-label")
                    self._ltvs.append(text("b", "–").mark("what-if-ltv"))
                bars.append(ZoneBar())
        return bars[0], bars[1]

    def _with_words(self) -> str:
        return f"With it, {COUNTED[self._counting]}"

    def changed(self, what: str) -> None:
        """Something was moved: draw what depends on it, soon."""
        self._due.add(what)
        if not self._draws:
            self._draws = True
            background_tasks.create(self._draw_all(), name="what-if page")

    async def update(self, _: object = None) -> None:
        """At a new price, or a change of the loan: everything."""
        beat = self._vault.heartbeat.current()
        snapshot = None if beat is None else beat.snapshot
        if beat is None:
            return
        status = beat.status
        stale = None if status is None else (status.is_stale, status.quote.source)
        seen = (snapshot and snapshot.price, snapshot and snapshot.portfolio, snapshot and snapshot.hedge, stale)
        if seen != self._seen:
            self._seen = seen
            await self._hedge.refresh()
            self.changed(EVERYTHING)

    async def begin(self) -> None:
        """Read the grids and choose the first hedge."""
        await self._read_grids(None)
        await self._hedge.begin()

    def dress(self, *, dark: bool) -> None:
        """Draw the charts for the other mode."""
        self._dark = dark
        if self._report is not None:
            self._show_charts(self._report, {EVERYTHING})

    async def _draw_all(self) -> None:
        try:
            while self._due and not self._root.is_deleted:
                due, self._due = self._due, set()
                with self._root:
                    await self._draw(due)
        finally:
            self._draws = False

    async def _draw(self, due: set[str]) -> None:
        change, hedge = self._sliders.change, self._hedge.hedge
        request = WhatIfRequest(change, with_maps=due != {"price"}, grid=self._grid)
        try:
            report = await self._vault.workbench.what_if(request, hedge)
        except VaultError as error:
            self._fail(f"{error}.")
            return
        self._report = report
        found, case = report.found, report.case
        self._problem.set_text("")
        self._sliders.show(case, report.hedge)
        self._show_sentence(found, report)
        self._beside.show(found, case, report.hedge)
        if due != {"price"}:
            self._table.show(found, case)
        self._show_charts(report, due)
        self._remarks.set_text(unbroken("\n".join([*found.remarks, *_capitals(report.standing.remarks)])))

    def _fail(self, reason: str) -> None:
        self._problem.set_text(reason)
        if self._report is None:
            self._pieces[0].set_text("Nothing can be reckoned yet.")

    def _show_sentence(self, found: WhatIf, report: WhatIfReport) -> None:
        case, standing = report.case, report.standing
        pieces = sentence(found, case, report.hedge)
        for label, (said, tone) in zip(self._pieces, (*pieces, *([("", "")] * PIECES)), strict=False):
            label.set_text(said)
            label.classes(remove=" ".join(TONES), add=tone)
        loan = lender_of(case, found.change)
        then, counting = found.then, self._counting
        ltvs = (then.unhedged_ltv, then.unhedged_zone), (then.ltvs[counting], zone_in(counting, then, loan))
        self._bar_words.set_text(self._with_words())
        for label, bar, (ltv, where) in zip(self._ltvs, self._bars, ltvs, strict=True):
            label.set_text(unbroken(f"{ltv_words(ltv)}, {ZONE_WORDS[where]}"))
            label.classes(remove=" ".join(TONES), add=tone_of(where))
            bar.show(ltv, loan)
        self._withheld.set_text("" if standing.withheld is None else standing.withheld)
        quote = standing.quote
        source = "a price you gave" if quote is None else f"{quote.source}, {moment(quote.at)}"
        self._basis.set_text(
            unbroken(
                f"From {standing.symbol} {price(case.spot)} ({source}), LTV {pct(case.ltv)} now, call at "
                f"{price(case.call_price)} without options · dollars earn {pct(standing.rate.value, 2)} "
                f"({standing.rate.source})"
            )
        )

    def _show_charts(self, report: WhatIfReport, due: set[str]) -> None:
        """Send what has changed: the marks alone where only the price moved, lines and cells, or everything."""
        found, case, hedge = report.found, report.case, report.hedge
        loan, colours, counting = lender_of(case, found.change), ChartColours(dark=self._dark), self._counting
        if EVERYTHING in due:
            self._worth.show(worth_options(found, case, hedge, colours))
            self._ltv.show(ltv_options(found, case, hedge, loan, counting, colours))
        else:
            lines = ltv_series(found, case, hedge, loan, counting, colours)
            self._ltv.renew(moved_marks(lines) if due == {"price"} else lines)
            if due - {"lender"}:  # its terms do not change what options are worth
                lines = worth_series(found, case, hedge, colours)
                self._worth.renew(moved_marks(lines) if due <= {"price", "lender"} else lines)
        for kind, chart, own in (("time", self._by_time, "days"), ("volatility", self._by_volatility, "volatility")):
            new, before = found.by_time if kind == "time" else found.by_volatility, self._maps.get(kind)
            shown = before if new is None else new
            if shown is None:
                continue
            self._maps[kind] = shown
            here = self._here(shown, report)
            if EVERYTHING in due or before is None or not has_same_cells(before, shown):
                chart.show(map_options(shown, case, loan, counting, colours, dark=self._dark))
            elif not due <= {"price", own}:
                chart.renew(shown, loan, counting)
            chart.place(here)

    @staticmethod
    def _here(shown: WhatIfMap, report: WhatIfReport) -> tuple[int, int]:
        change = report.found.change
        along = float(change.days) if shown.kind == "time" else change.volatility
        return nearest(moves_of(shown, report.case), change.price), nearest(shown.rows.tolist(), along)

    def _another_hedge(self, _: ListedHedge) -> None:
        self.changed(EVERYTHING)

    def _choose_counting(self, value: str) -> None:
        self._counting = HedgeCounting(value)
        if self._report is not None:
            self._show_sentence(self._report.found, self._report)
            self._show_charts(self._report, {EVERYTHING})

    def _choose_grid(self, grid: ScenarioGrid | None) -> None:
        self._grid = grid
        self.changed(EVERYTHING)

    async def _keep_grid(self, grid: ScenarioGrid) -> None:
        try:
            kept = await self._vault.workbench.keep_grid(grid)
        except VaultError as error:
            self._grids.tell(problem=f"{error}.")
            return
        await self._read_grids(kept.name)
        self._grids.tell(f"{kept.name} is kept.")
        self._choose_grid(kept)

    async def _remove_grid(self, name: str) -> None:
        try:
            await self._vault.workbench.remove_grid(name)
        except VaultError as error:
            self._grids.tell(problem=f"{error}.")
        else:
            self._grids.tell(f"{name} is removed.")
        await self._read_grids(None)
        self._choose_grid(None)

    async def _read_grids(self, chosen: str | None) -> None:
        try:
            self._grids.show(await self._vault.workbench.grids(), chosen)
        except VaultError as error:
            self._grids.tell(problem=f"Your grids cannot be read: {error}.")


def first_counting(loan: Loan) -> HedgeCounting:
    """The lender's own; of one who ignores options what selling them would do, for else no hedge is to be seen."""
    return HedgeCounting.AFTER_PAYMENT if loan.hedge_counting is HedgeCounting.IGNORED else loan.hedge_counting


def _capitals(remarks: tuple[str, ...]) -> list[str]:
    """Assumptions as sentences."""
    return [f"{each[:1].upper()}{each[1:]}{'' if each.endswith('.') else '.'}" for each in remarks]


async def build(vault: Vault, hedge: str | None = None) -> None:
    """Lay out the page, choose the hedge, and follow the price; `hedge` is the text of a link."""
    page = WhatIfPage(vault, hedge)
    await context.client.connected()
    page.dress(dark=await is_dark())
    ui.on("vd-theme", lambda event: page.dress(dark=bool(event.args)))
    await page.begin()
    follow(vault.heartbeat.feed, page.update)
    follow(vault.book.changed, page.update)
