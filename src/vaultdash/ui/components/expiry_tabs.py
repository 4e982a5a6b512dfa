"""The expirations of a symbol as a row of buttons, narrowed to those within some days."""

from collections.abc import Callable
from datetime import date

from nicegui import ui
from nicegui.element import Element

from vaultdash.services.option_chains import Listing
from vaultdash.ui.components.chain_words import tab_label
from vaultdash.ui.format import day
from vaultdash.ui.theme import Tabs, text

ALL = "all"
SPANS = (("30", "30 d"), ("60", "60 d"), ("90", "90 d"), (ALL, "all"))


class ExpiryTabs:
    """Scrolls sideways; the chosen expiration stays in the row even when the span leaves it out."""

    def __init__(self, choose: Callable[[date], object]) -> None:
        self._choose = choose
        self._listing: Listing | None = None
        self._span = ALL
        self._chosen: date | None = None
        self._buttons: dict[date, Element] = {}
        with ui.element("div").classes("vd-expiry-bar"):
            Tabs(SPANS, ALL, self._narrow)
            self._row = ui.element("div").classes("vd-expiries").props("role=group aria-label=Expiration")

    def show(self, listing: Listing | None, chosen: date | None) -> None:
        """Fill the row; None empties it."""
        days = None if self._listing is None else self._listing.days
        self._listing = listing
        if listing is None or listing.days != days:
            self._chosen = chosen
            self._fill()
        elif chosen is not None:
            self.press(chosen)

    def clear(self) -> None:
        """No expirations, and none are awaited."""
        self._listing, self._buttons = None, {}
        self._row.clear()

    def press(self, chosen: date) -> None:
        """Mark an expiration as the one that is shown."""
        self._chosen = chosen
        if chosen not in self._buttons:
            self._fill()
        for on, button in self._buttons.items():
            button.props(f"aria-pressed={'true' if on == chosen else 'false'}")
        self._bring_into_view()

    def _narrow(self, span: str) -> None:
        self._span = span
        self._fill()

    def _fill(self) -> None:
        self._row.clear()
        self._buttons = {}
        listing = self._listing
        if listing is None:
            with self._row:
                for _ in range(6):
                    ui.element("i").classes("vd-tab-skeleton")
            return
        within = listing.days if self._span == ALL else listing.within(int(self._span))
        with self._row:
            if not within:
                text("span", f"No expiration within {self._span} days.", "vd-note")
            for on in sorted({*within, *([self._chosen] if self._chosen in listing.days else [])}):
                self._buttons[on] = self._button(on, listing)
        self._bring_into_view()

    def _bring_into_view(self) -> None:
        """Sideways only: the page itself stays where its reader is."""
        button = None if self._chosen is None else self._buttons.get(self._chosen)
        if button is not None:
            ui.run_javascript(
                f"requestAnimationFrame(() => {{ const tab = getElement({button.id}), row = tab?.parentElement;"
                "if (row) row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.clientWidth) / 2; })"
            )

    def _button(self, on: date, listing: Listing) -> Element:
        days = (on - listing.today).days
        with ui.element("button").classes("vd-tab").props("type=button") as button:
            ui.label(tab_label(on, days, listing.today))
        button.props(f"aria-pressed={'true' if on == self._chosen else 'false'}")
        button.props(f'title="{day(on)}, {days} days to expiry"')
        button.on("click", lambda _, on=on: self._choose(on))
        return button
