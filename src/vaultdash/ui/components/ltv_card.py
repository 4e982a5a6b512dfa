"""A small picture of LTV in the last days, with the way to all of it."""

from datetime import datetime

from nicegui import ui

from vaultdash.ui.components.ltv_chart import COUNTINGS, LtvChart
from vaultdash.ui.theme import card

DAYS = "7"


class LtvCard:
    """Fetches its records when it appears, and again with the first beat of every hour."""

    def __init__(self, portfolio_id: str) -> None:
        self._portfolio_id = portfolio_id
        self._hour: datetime | None = None
        with card(f"LTV in the last {DAYS} days") as head:
            with head:
                ui.link("History", "/history").classes("vd-tab")
            self._chart = LtvChart(portfolio_id, DAYS, small=True)

    def show(self, portfolio_id: str, at: datetime) -> None:
        """The current loan, and the moment of the beat: its record is written before the beat is told."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        if portfolio_id != self._portfolio_id:
            self._portfolio_id = portfolio_id
            self._chart.show(portfolio_id, DAYS, COUNTINGS[0][0])
        elif self._hour is not None and hour != self._hour:
            self._chart.refresh()
        self._hour = hour
