"""A part that a phone shows folded: there one reads first and changes later; a wider screen shows it open."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from vaultdash.ui.theme import text

FOLD_ON_PHONE = (
    "if (matchMedia('(max-width: 640px)').matches) "
    "document.querySelectorAll('details.vd-phone-fold').forEach(one => one.removeAttribute('open'))"
)


@contextmanager
def phone_fold(summary: str) -> Iterator[None]:
    """The block inside is the part; `FOLD_ON_PHONE`, once the browser is there, folds it."""
    with ui.element("details").classes("vd-phone-fold vd-phone-only vd-further").props("open"):
        text("summary", summary)
        with ui.element("div").classes("vd-stack vd-more"):
            yield


def fold_on_phone() -> None:
    """Fold what is to be folded, when this browser is a phone's."""
    ui.run_javascript(FOLD_ON_PHONE)
