"""What came of a backtest: the picture, the ranking, and one hedge in detail."""

from nicegui import ui

from vaultdash.domain.loan import HedgeCounting
from vaultdash.services.backtest_request import BacktestReport
from vaultdash.ui.components.backtest_basis import (
    DRAWN,
    RANKED,
    counting_words,
    drawn_words,
    loan_basis,
    price_basis,
)
from vaultdash.ui.components.backtest_chart import backtest_options
from vaultdash.ui.components.backtest_detail import RunDetail
from vaultdash.ui.components.backtest_ranking import RankingTable
from vaultdash.ui.components.backtest_runs import exports
from vaultdash.ui.components.backtest_words import COUNTINGS, hedge_name, hedges_of, with_days
from vaultdash.ui.components.chart import Chart
from vaultdash.ui.components.hedge_colours import UNHEDGED, hedge_colours
from vaultdash.ui.format import unbroken
from vaultdash.ui.theme import ChartColours, Tabs, card, note, text, visible

COUNTED = tuple((counting.value, words) for counting, words in COUNTINGS.items())


class ResultView:
    """Hidden until a report is shown; picking a hedge or a way of counting draws it again."""

    def __init__(self) -> None:
        self._report: BacktestReport | None = None
        self._counting = HedgeCounting.IGNORED
        self._picked = UNHEDGED
        self._colours = ChartColours(dark=True)
        with ui.element("div").classes("vd-stack") as self._root:
            self._ranking_card()
            self._picture_card()
            with card("One hedge in detail"):
                self._detail = RunDetail()
            with card(), ui.element("details").classes("vd-past vd-further vd-phone-fold").props("open"):
                text("summary", "What this stands on", "vd-label")
                with ui.element("div").classes("vd-stack vd-more"):
                    self._loan = note("")
                    self._remarks = ui.element("ul").classes("vd-remarks vd-note")
                    self._prices = note("")
        visible(self._root, when=False)

    def _picture_card(self) -> None:
        with card("Gold and LTV") as head:
            with head:
                self._switch = Tabs(COUNTED, self._counting.value, self._count)
            self._legend = (
                ui.element("div").classes("vd-legend").props("role=group aria-label='Bring a hedge forward'")
            )
            with ui.element("div").classes("vd-lanes-chart"):
                self._chart = Chart("The price of gold, and below it the LTV of each hedge between the loan's limits")
            self._counted = note("")
            self._left_out = note("")
            note(DRAWN)

    def _ranking_card(self) -> None:
        with card("Hedges, from the best") as head:
            with head, ui.element("div").classes("vd-tabs") as self._files:
                pass
            with ui.element("div").classes("vd-ranking vd-cards"):
                self._table = RankingTable(self._pick)
            self._count_note = note("")
            note(RANKED)

    def show(self, report: BacktestReport, run_id: str) -> None:
        """Fill everything from a report; the deciding counting and the best hedge stand in front."""
        self._report = report
        comparison = report.comparison
        self._counting = comparison.scenario.loan.hedge_counting
        self._switch.show(self._counting.value)
        known = [run.template.id for run in hedges_of(comparison)]
        if self._picked not in known:
            self._picked = known[0] if known else UNHEDGED
        self._files.clear()
        with self._files:
            for words, address in exports(run_id):
                ui.link(words, address).classes("vd-tab").props("download")
        self._remarks.clear()
        with self._remarks:
            for remark in comparison.remarks[1 if comparison.is_demo else 0 :]:  # DEMO is said on top
                text("li", unbroken(with_days(remark)))
        visible(self._remarks, when=len(comparison.remarks) > int(comparison.is_demo))
        self._loan.set_text(loan_basis(comparison))
        self._prices.set_text(price_basis(comparison))
        visible(self._root, when=True)
        self._draw()

    def hide(self) -> None:
        """Nothing is shown until the next report."""
        self._report = None
        visible(self._root, when=False)

    def dress(self, colours: ChartColours) -> None:
        """Draw the picture in other colours."""
        self._colours = colours
        self._draw_picture()

    def _draw(self) -> None:
        report = self._report
        if report is None:
            return
        self._table.show(report.comparison, self._counting, self._picked)
        words = unbroken(counting_words(report.comparison, self._counting))
        self._counted.set_text(words)
        self._count_note.set_text(words)
        self._detail.show(report, self._picked)
        self._draw_legend(report)
        self._draw_picture()

    def _draw_legend(self, report: BacktestReport) -> None:
        runs = hedges_of(report.comparison)
        shades = hedge_colours(run.template.id for run in runs)
        names = {run.template.id: hedge_name(run.template) for run in runs} | {UNHEDGED: "No hedge"}
        self._legend.clear()
        with self._legend:
            for one, name in names.items():
                with ui.element("button").classes("vd-tab vd-chip").props("type=button") as made:
                    ui.element("i").classes("vd-swatch").style(f"background:{shades[one]}")
                    ui.label(name)
                made.props(f"aria-pressed={'true' if one == self._picked else 'false'}")
                made.on("click", lambda _, one=one: self._pick(one))

    def _draw_picture(self) -> None:
        if self._report is None:
            return
        comparison, event = self._report.comparison, self._report.event
        options, left_out = backtest_options(comparison, event, self._counting, self._picked, self._colours)
        self._chart.show(options)
        self._left_out.set_text(drawn_words(left_out))

    def _pick(self, chosen: str) -> None:
        self._picked = chosen
        self._draw()

    def _count(self, chosen: str) -> None:
        self._counting = HedgeCounting(chosen)
        self._draw()
