"""The alerts that stand: what happened, what to do, whom it reached; each can be acknowledged or put off."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from nicegui import ui

from vaultdash.domain.alert import AlertEvent, Channel, DeliveryState
from vaultdash.services.alert_board import AlertBoard, RaisedAlert
from vaultdash.ui.components.alert_phrases import SEVERITIES, SEVERITY_TONES, delivery_words
from vaultdash.ui.format import moment
from vaultdash.ui.theme import age_of, button, note, text

PUT_OFF = (("1 hour", 60), ("4 hours", 240), ("until tomorrow", 1440))


class AlertList:
    """`acknowledge` takes an event's id, `snooze` an id and a time."""

    def __init__(
        self,
        acknowledge: Callable[[str], Awaitable[None]],
        snooze: Callable[[str, datetime], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._acknowledge = acknowledge
        self._snooze = snooze
        self._now = now
        self._shown: object = None
        self._standing = ""
        self._figures: list[tuple[ui.label, AlertEvent]] = []
        self._box = ui.element("div").classes("vd-raised").mark("raised-alerts")

    def show(self, board: AlertBoard, standing: str) -> None:
        """Draw what is raised; nothing is drawn again when nothing changed. `standing` is how the loan stands now."""
        self._standing = standing
        if self._shown == (board.raised, board.undelivered):
            for label, event in self._figures:
                label.set_text(self._of_when(event))
            return
        self._shown = (board.raised, board.undelivered)
        names = {channel.id: channel for channel in board.channels}
        self._figures.clear()
        self._box.clear()
        with self._box:
            for event in board.undelivered:
                with ui.element("div").classes("vd-alert call").props("role=alert"):
                    text("b", event.title)
                    text("div", event.body, "vd-alert-body")
                    with ui.element("div").classes("vd-actions"):
                        button("I know", lambda event=event: self._acknowledge(event.id))  # type: ignore[misc]  # mypy loses the default
            for raised in board.raised:
                self._alert(raised, names)

    def _alert(self, raised: RaisedAlert, channels: Mapping[str, Channel]) -> None:
        event, state, now = raised.event, raised.state, self._now()
        if event.covered:
            note(f"{event.title}: told with the one above.")
            return
        tone = SEVERITY_TONES[event.severity]
        with ui.element("article").classes(f"vd-alert {tone}"):
            with ui.element("div").classes("vd-alert-head"):
                text("span", SEVERITIES[event.severity], f"vd-label {tone}")
                text("b", event.title)
                age_of(event.at.isoformat(), "").classes("vd-note").props(f'title="{moment(event.at)}"')
            self._figures.append((text("div", self._of_when(event), "vd-note").mark("figures-of"), event))
            text("div", event.body, "vd-alert-body")
            note(_whom(raised, channels, now))
            with ui.element("div").classes("vd-actions"):
                if state.acknowledged_at is not None:
                    text("span", f"You know since {moment(state.acknowledged_at)}.", "muted")
                else:
                    button(
                        "I know", lambda: self._acknowledge(event.id), words=f"Acknowledge: {event.title}", main=True
                    )
                if state.snoozed_until is not None and state.snoozed_until > now:
                    text("span", f"Put off until {moment(state.snoozed_until)}.", "muted")
                else:
                    for label, minutes in PUT_OFF:
                        button(
                            f"Remind me in {label}" if minutes < 1440 else "Remind me tomorrow",
                            lambda minutes=minutes: self._snooze(event.id, self._now() + timedelta(minutes=minutes)),  # type: ignore[misc]  # mypy loses the default
                        )

    def _of_when(self, event: AlertEvent) -> str:
        return f"Figures of {moment(event.at)}. {self._standing}"


def _whom(raised: RaisedAlert, channels: Mapping[str, Channel], now: datetime) -> str:
    rows = [row for row in raised.deliveries if row.state is not DeliveryState.CANCELLED]
    if not raised.deliveries:
        return "Told nobody: there was no channel when it was raised."
    told = [f"{_name(channels, row.channel_id)}: {delivery_words(row, now)}" for row in rows]
    return ". ".join(told) + "." if told else "What was still to be sent was taken back."


def _name(channels: Mapping[str, Channel], channel_id: str) -> str:
    known = channels.get(channel_id)
    return known.name if known else "a channel since removed"
