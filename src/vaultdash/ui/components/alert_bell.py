"""The bell in the header: how many alerts wait for an answer, the last events, and a toast for each new one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from nicegui import background_tasks, ui

from vaultdash.domain.alert import AlertEvent, AlertEventKind
from vaultdash.domain.errors import DatabaseError, VaultError
from vaultdash.services.alert_watch import AlertWatch
from vaultdash.ui.components.alert_phrases import KINDS, event_tone
from vaultdash.ui.components.toast import toast
from vaultdash.ui.format import moment
from vaultdash.ui.live import follow
from vaultdash.ui.theme import button, text, visible

log = structlog.get_logger()
SHOWN = 8
Waiting = Callable[[], Awaitable[Sequence[AlertEvent]]]
Doubts = Callable[[], Awaitable[Sequence[str]]]


async def nothing_doubted() -> Sequence[str]:
    """No doubt is known of."""
    return ()


class AlertBell:
    """Follows the events of `watch`; `waiting` gives the alerts that nobody has acknowledged yet, `doubts` why it is
    not sure that one would come and be told, in sentences; `look` again when that may have changed.
    """

    def __init__(
        self, watch: AlertWatch, waiting: Waiting, now: Callable[[], datetime], doubts: Doubts = nothing_doubted
    ) -> None:
        self._watch = watch
        self._waiting = waiting
        self._doubts = doubts
        self._drawn: object = None
        self._turn = asyncio.Lock()
        self._opened_at = now()
        self._told: set[str] = set()
        with ui.element("button").classes("vd-pill vd-bell").props("type=button aria-label=Alerts") as self._button:
            ui.html(BELL, sanitize=False)  # a drawing of our own
            self._count = text("b", "").props("role=status").mark("bell-count")
            with ui.menu().props("anchor='bottom right' self='top right'"):
                self._list = ui.element("div").classes("vd-bell-list")
        self._show((), (), ())
        follow(watch.events, self._update)
        background_tasks.create(self._begin(), name="alert bell", context=self._list)

    async def _begin(self) -> None:
        try:
            await self._refresh()
        except DatabaseError as error:  # every page that needs the database says so
            log.warning("bell_not_read", reason=str(error))

    async def look(self) -> None:
        """Ask again why an alert might not come."""
        try:
            await self._refresh()
        except DatabaseError as error:
            log.warning("bell_not_read", reason=str(error))

    async def _update(self, _: AlertEvent) -> None:
        events = await self._refresh()
        failed = {event.about for event in events if event.kind is AlertEventKind.TEST}  # told by what came of them
        for event in reversed(events):
            if event.at >= self._opened_at and event.id not in self._told:
                self._told.add(event.id)
                if event.id not in failed:
                    toast(event)

    async def _refresh(self) -> Sequence[AlertEvent]:
        """Read the last events anew: of several that came at once the feed tells only the last."""
        async with self._turn:  # nothing older is shown after something newer
            events = await self._watch.history(limit=SHOWN * 2)
            shown = [event for event in events if not event.covered][:SHOWN]
            self._show(shown, await self._waiting(), await self._doubts())
        return events

    def _show(self, events: Sequence[AlertEvent], waiting: Sequence[AlertEvent], doubts: Sequence[str]) -> None:
        drawn = [event.id for event in events], [event.id for event in waiting], list(doubts)
        if self._drawn == drawn:
            return
        self._drawn = drawn
        count = sum(not event.covered for event in waiting)
        self._count.set_text(str(count) if count else "!" if doubts else "")
        self._button.classes(
            add="raised" if count else "doubted" if doubts else "",
            remove=("" if count else "raised ") + ("" if doubts and not count else "doubted"),
        )
        words = f"Alerts: {count} wait for an answer" if count else "Alerts: none waits for an answer"
        self._button.props["aria-label"] = ". ".join([words, *doubts])
        visible(self._count, when=bool(count or doubts))
        unanswered = {event.id for event in waiting}
        self._list.clear()
        with self._list:
            for doubt in doubts:
                text("div", doubt, "warning")
            if not events:
                text("div", "Nothing has happened yet.", "muted")
            for event in events:
                self._line(event, is_waiting=event.id in unanswered)
            ui.link("All alerts", "/alerts").classes("vd-tab")

    def _line(self, event: AlertEvent, *, is_waiting: bool) -> None:
        with ui.element("div").classes("vd-bell-line"):
            text("b", event.title, event_tone(event))
            text("span", f"{KINDS[event.kind]} · {moment(event.at)}", "vd-note")
            if is_waiting and not event.covered:
                button("I know", lambda: self._acknowledge(event.id), words=f"Acknowledge: {event.title}")

    async def _acknowledge(self, event_id: str) -> None:
        try:
            await self._watch.acknowledge(event_id)
            await self._refresh()
        except VaultError as error:
            ui.notify(f"{error}.")


BELL = (
    '<svg viewBox="0 0 24 24" width="17" height="17" fill="none" stroke="currentColor" stroke-width="1.8" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M6 16V10a6 6 0 0 1 12 0v6l1.5 2h-15z"/>'
    '<path d="M10 20.5a2.2 2.2 0 0 0 4 0"/></svg>'
)
