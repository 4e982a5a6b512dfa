"""Tells of an alert in the corner of every open page; a call stays until it is closed."""

from nicegui import ui

from vaultdash.domain.alert import AlertEvent, AlertEventKind, AlertSeverity

TOLD = (
    AlertEventKind.RAISED,
    AlertEventKind.REMINDED,
    AlertEventKind.CLEARED,
    AlertEventKind.UNDELIVERED,
    AlertEventKind.CHANNEL_LOST,
    AlertEventKind.TEST,
)
SECONDS = 12.0


def toast(event: AlertEvent) -> None:
    """Show an event that is worth it, as plain text; what came of a test says more than that one was sent."""
    if event.kind not in TOLD or event.covered:
        return
    stays = event.severity is AlertSeverity.CALL and event.kind is not AlertEventKind.CLEARED
    ui.notify(
        event.title,
        caption=event.body.split("\n", 1)[0][:200],
        position="top-right",
        timeout=0 if stays else int(SECONDS * 1000),
        close_button="Close",
        multi_line=True,
        classes=f"vd-toast {event.severity.name.lower()}",
        html=False,
    )
