"""History: how LTV went, between which limits, what was crossed, and every record of it."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from nicegui import background_tasks, context, ui

from vaultdash.domain.alert import AlertEvent, AlertEventKind
from vaultdash.domain.errors import VaultError
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.record import LtvRecord, RecordKind
from vaultdash.services.heartbeat import Beat
from vaultdash.services.ltv_history import LtvSeries
from vaultdash.services.ltv_span import LtvSpan, span_of, zone_of
from vaultdash.services.vault import Vault
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.figure import Figure
from vaultdash.ui.components.ltv_chart import COUNTINGS, SPANS, LtvChart, is_crossing
from vaultdash.ui.components.paged_table import PagedTable
from vaultdash.ui.format import moment, number, pct, price, usd
from vaultdash.ui.live import follow
from vaultdash.ui.theme import TONES, Tabs, Tone, card, note, text

FIRST_SPAN = "90"
EVENTS_READ = 200
SPAN_WORDS = {
    "7": "In the last 7 days",
    "30": "In the last 30 days",
    "90": "In the last 90 days",
    "365": "In the last year",
    "all": "In all that is recorded",
}
HEADLINES = {
    Zone.ROOM: "LTV stayed below the warning level.",
    Zone.WARNING: "LTV reached the warning level, but no call.",
    Zone.CALL: "LTV reached the call limit.",
    Zone.CLOSE_OUT: "LTV reached the close-out level.",
}
TONE: dict[Zone, Tone] = {Zone.ROOM: "", Zone.WARNING: "warning", Zone.CALL: "call", Zone.CLOSE_OUT: "close_out"}
RECORD_COLUMNS = (
    Column("at", "time in New York", left=True),
    Column("why", "why", left=True),
    Column("ltv", "LTV as the lender counts"),
    Column("plain", "without options"),
    Column("price", "price"),
    Column("loan", "loan"),
    Column("gold", "gold"),
    Column("hedge", "options"),
    Column("mark", "price from", left=True),
)
SORTED_BY = {
    "at": attrgetter("at"),
    "why": attrgetter("kind.value"),
    "ltv": attrgetter("lender_ltv"),
    "plain": attrgetter("ltv"),
    "price": attrgetter("price"),
    "loan": attrgetter("loan_amount"),
    "gold": attrgetter("gold_value"),
    "hedge": attrgetter("hedge_value"),
    "mark": attrgetter("source", "is_fresh"),
}
EVENT_COLUMNS = (
    Column("at", "time", left=True),
    Column("what", "what", left=True),
    Column("value", "value"),
    Column("price", "price"),
)


class History:
    """The page's parts; `load` fills them for the loan and the days that were chosen."""

    def __init__(self, vault: Vault, portfolio_id: str) -> None:
        self._vault = vault
        self._root = context.slot.parent
        self._portfolio_id = portfolio_id
        self._days = FIRST_SPAN
        self._counting = COUNTINGS[0][0]
        self._series: LtvSeries | None = None
        self._events: Sequence[AlertEvent] = ()
        self._order: tuple[LtvSeries | None, str, bool] = (None, "at", True)
        self._sorted: Sequence[LtvRecord] = ()
        self._standing()
        with card("LTV over time") as head:
            self._chart = LtvChart(portfolio_id, FIRST_SPAN)
            with head:
                Tabs(SPANS, FIRST_SPAN, self._choose_days)
            with ui.element("div").classes("vd-ladder-bar"):
                text("span", "Options counted", "vd-note")
                Tabs(COUNTINGS, self._counting, self._choose_counting)
            self._hedged = note("")
        with card("Crossings"):
            self._crossings = DataTable(EVENT_COLUMNS, label="Limits crossed, newest first")
            self._crossed = note("")
        with card("Records") as head:
            with head:
                self._csv = ui.link("CSV", "#").classes("vd-tab").props("download title='These records as a file'")
            self._table = PagedTable(RECORD_COLUMNS, self._page, label="Records of LTV", sort_by="at")
            note(
                "One record an hour, with the first price of the hour, whether the market is open or not, and one at "
                "each crossing. A gap of more than two hours is shown as one. The file has its times in UTC."
            )

    def _standing(self) -> None:
        with card():
            with ui.element("p").classes("vd-sentence"):
                self._headline = text("span", "Reading what was recorded.").mark("headline")
                self._detail = text("span", "").mark("detail")
            if len(self._vault.book.all) > 1:
                names = {one.id: one.name for one in self._vault.book.all}
                ui.select(names, value=self._portfolio_id, on_change=lambda event: self._choose(event.value)).props(
                    "outlined dense aria-label='Loan'"
                ).classes("vd-controls")
            with ui.element("div").classes("vd-figures"):
                self._last = Figure("last recorded LTV")
                self._highest = Figure("highest")
                self._lowest = Figure("lowest")
                self._warned = Figure("hours at the warning level or beyond")
                self._called = Figure("hours at the call limit or beyond")
            self._failure = text("div", "", "vd-note call").props("role=alert")

    async def load(self) -> None:
        """Read what was written and show it; what cannot be read is said, and the rest stays."""
        try:
            days = None if self._days == "all" else int(self._days)
            self._series = await self._vault.records.series(self._portfolio_id, days)
            self._events = await self._vault.alerts.history(self._portfolio_id, EVENTS_READ)
        except VaultError as error:
            self._failure.set_text(f"The records cannot be read: {error}")
            return
        self._failure.set_text("")
        self._show_standing(self._series)
        self._show_crossings(self._series)
        self._table.show(len(self._series.records))
        address = f"/api/history/ltv.csv?days={self._days}&portfolio={self._portfolio_id}"
        self._csv.props(f'href="{address}"')

    async def news(self, at: datetime) -> None:
        """A beat has come: when it may have written something, read and draw it."""
        known = self._series.records[-1].at if self._series and self._series.records else None
        if known is not None and _hour(known) == _hour(at):
            return
        before = self._series
        await self.load()
        if self._series is not before:
            self._chart.refresh()

    async def crossed(self, event: AlertEvent) -> None:
        """An alert was raised or cleared."""
        if event.portfolio_id == self._portfolio_id and event.kind in (AlertEventKind.RAISED, AlertEventKind.CLEARED):
            await self.load()
            self._chart.refresh()

    async def _choose(self, portfolio_id: str) -> None:
        self._portfolio_id = portfolio_id
        await self._chosen()

    def _choose_days(self, days: str) -> None:
        self._days = days
        background_tasks.create(self._chosen(), name="history page", context=self._root)

    def _choose_counting(self, counting: str) -> None:
        self._counting = counting
        self._chart.show(self._portfolio_id, self._days, counting)

    async def _chosen(self) -> None:
        self._chart.show(self._portfolio_id, self._days, self._counting)
        await self.load()

    def _show_standing(self, series: LtvSeries) -> None:
        span = span_of(series.records)
        self._headline.classes(remove=" ".join(TONES), add=TONE[span.worst] if span else "muted")
        if span is None:
            self._headline.set_text(
                "No record yet. " if not series.gaps else f"{SPAN_WORDS[self._days]} nothing was recorded. "
            )
            self._detail.set_text(
                "The first one is written with the first price of the hour; from then on there is one every hour."
                if not series.gaps
                else f"The last record is of {moment(series.gaps[0][0])}."
            )
            for figure in (self._last, self._highest, self._lowest, self._warned, self._called):
                figure.show("–", "nothing was recorded in these days")
            return
        self._headline.set_text(f"{SPAN_WORDS[self._days]} {HEADLINES[span.worst]} ")
        self._detail.set_text(_detail(span, series))
        self._show_figures(span)
        held = any(record.hedge_value for record in series.records)
        self._hedged.set_text(
            "" if held else "No option was held in these days: all ways of counting give the same line."
        )

    def _show_figures(self, span: LtvSpan) -> None:
        for figure, record, label in (
            (self._last, span.last, "last recorded LTV"),
            (self._highest, span.highest, "highest"),
            (self._lowest, span.lowest, "lowest"),
        ):
            zone = zone_of(record)
            figure.show(
                pct(record.lender_ltv),
                f"as the lender counts, at {price(record.price)} from {record.source}\n{moment(record.at)}\n"
                f"{usd(record.loan_amount)} on gold worth {usd(record.gold_value)}",
                label=label,
                tone=TONE[zone],
            )
        for figure, zone in ((self._warned, Zone.WARNING), (self._called, Zone.CALL)):
            hours = span.hours_at_least(zone)
            figure.show(
                number(hours),
                f"of {number(span.recorded_hours)} recorded hours, against the limits of the time",
                tone=TONE[zone] if hours else "",
            )

    def _show_crossings(self, series: LtvSeries) -> None:
        start = series.records[0].at if series.records else None
        shown = [
            event for event in self._events if is_crossing(event) and start is not None and event.at >= _hour(start)
        ]
        self._chart.mark(shown)
        self._crossings.show([_event_row(event) for event in shown])
        self._crossed.set_text(
            "What was raised and cleared, with the price of the moment."
            if shown
            else "No alert was raised in these days."
        )

    def _page(self, sort_by: str, descending: bool, first: int, count: int) -> Sequence[Row]:  # as the table asks
        wanted = (self._series, sort_by, descending)
        if wanted != self._order or not self._sorted:
            records = self._series.records if self._series else ()
            self._sorted = sorted(records, key=SORTED_BY[sort_by], reverse=descending)
            self._order = wanted
        return [_record_row(record) for record in self._sorted[first : first + count]]


def _detail(span: LtvSpan, series: LtvSeries) -> str:
    said = f"It was between {pct(span.lowest.lender_ltv)} and {pct(span.highest.lender_ltv)}, as the lender counts"
    said += f", highest on {moment(span.highest.at)}."
    missing = sum((end - start).total_seconds() for start, end in series.gaps) / 3600
    return said + (f" Of {number(missing)} hours there is no record." if missing else "")


def _record_row(record: LtvRecord) -> Row:
    marks = ("" if record.market_open else "market closed", "" if record.is_fresh else "stale")
    tone = TONE[zone_of(record)]
    return Row(
        f"{record.at.isoformat()} {record.kind.value}",
        {
            "at": Cell(moment(record.at).removesuffix(" New York")),
            "why": Cell("crossing" if record.kind is RecordKind.CROSSING else "hourly"),
            "ltv": Cell(pct(record.lender_ltv, 2), tone=tone),
            "plain": Cell(pct(record.ltv, 2)),
            "price": Cell(price(record.price)),
            "loan": Cell(usd(record.loan_amount)),
            "gold": Cell(usd(record.gold_value)),
            "hedge": Cell(usd(record.hedge_value) if record.hedge_value else "–"),
            "mark": Cell(" · ".join(filter(None, (record.source, *marks))).replace(" ", "\u00a0")),
        },
    )


def _event_row(event: AlertEvent) -> Row:
    raised = event.kind is AlertEventKind.RAISED
    tone: Tone = "room" if not raised else "call" if event.severity.name == "CALL" else "warning"
    shown = price(event.value) if event.metric is not None and event.metric.value == "price" else pct(event.value, 2)
    return Row(
        event.id,
        {
            "at": Cell(moment(event.at), event.at.timestamp()),
            "what": Cell(event.title, tone=tone),
            "value": Cell(shown, event.value),
            "price": Cell(price(event.price), event.price),
        },
    )


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


async def build(vault: Vault, portfolio: str | None = None) -> None:
    """Lay out the page for the current loan or the one named, and follow what is written."""
    known = {one.id for one in vault.book.all}
    page = History(vault, portfolio if portfolio in known and portfolio is not None else vault.book.current.id)

    async def beat(latest: Beat) -> None:
        await page.news(latest.at)

    await page.load()
    follow(vault.heartbeat.feed, beat)
    follow(vault.alerts.events, page.crossed)
