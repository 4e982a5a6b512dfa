"""Everything that happened to alerts as a sortable table; a line opens where its messages went."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from nicegui import background_tasks, ui
from nicegui.element import Element

from vaultdash.domain.alert import AlertEvent, AlertMetric, Channel, Delivery
from vaultdash.domain.alert_words import measured
from vaultdash.ui.components.alert_phrases import KINDS, delivery_words, event_tone
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import moment, price
from vaultdash.ui.theme import note, text, visible

COLUMNS = (
    Column("at", "when", left=True),
    Column("kind", "what", left=True),
    Column("title", "alert", left=True),
    Column("value", "value then"),
    Column("price", "price then"),
)


class AlertHistory:
    """`deliveries` gives the messages of an event by its id."""

    def __init__(
        self, head: Element, deliveries: Callable[[str], Awaitable[Sequence[Delivery]]], now: Callable[[], datetime]
    ) -> None:
        self._deliveries = deliveries
        self._now = now
        self._events: dict[str, AlertEvent] = {}
        self._channels: dict[str, str] = {}
        with head:
            ui.link("As JSON", "/api/alerts/history").classes("vd-tab").props("target=_blank rel=noopener")
        self._empty = text("div", "Nothing has happened yet.", "vd-empty")
        with ui.element("div").classes("vd-history vd-hidden") as self._box:
            self._table = DataTable(COLUMNS, pick=self._pick, label="History of alerts")
        self._detail = ui.element("div").classes("vd-alert vd-hidden").mark("deliveries")
        note("Lines are only ever added. A click shows where the messages of a line went.")

    def show(self, events: Sequence[AlertEvent], channels: Sequence[Channel]) -> None:
        """Replace the lines, newest first; nothing is sent when nothing came."""
        self._channels |= {channel.id: channel.name for channel in channels}
        if list(self._events) == [event.id for event in events]:
            return
        self._events = {event.id: event for event in events}
        visible(self._empty, when=not events)
        visible(self._box, when=bool(events))
        self._table.show([_row(event) for event in events])

    async def _open(self, event_id: str) -> None:
        event, rows = self._events[event_id], await self._deliveries(event_id)
        self._detail.clear()
        visible(self._detail, when=True)
        with self._detail:
            text("b", event.title)
            if event.value is not None:
                note(f"Figures of {moment(event.at)}.")
            if event.body:
                text("div", event.body, "vd-alert-body")
            if not rows:
                note("No message was sent for this line.")
            for row in rows:
                name = self._channels.get(row.channel_id, "a channel since removed")
                note(f"{name}: {delivery_words(row, self._now())}")

    def _pick(self, event_id: str) -> None:
        background_tasks.create(self._open(event_id), name="deliveries", context=self._detail)


def _row(event: AlertEvent) -> Row:
    cells = {
        "at": Cell(moment(event.at), event.at.isoformat()),
        "kind": Cell(KINDS[event.kind], tone=event_tone(event)),
        "title": Cell(event.title, sub="told with a more severe one" if event.covered else ""),
        "value": Cell(_value(event), event.value),
        "price": Cell(price(event.price) if event.price is not None else "", event.price, sub=event.source),
    }
    return Row(event.id, cells)


def _value(event: AlertEvent) -> str:
    if event.value is None or event.metric is None:
        return ""
    if event.metric is AlertMetric.PRICE:
        return price(event.value)
    if event.metric is AlertMetric.STALE_DATA:
        return f"{event.value:.0f} min"
    return measured(event.value)
