"""The price chart with the loan's prices as lines."""

from datetime import datetime

from nicegui.element import Element

from vaultdash.clock import NEW_YORK
from vaultdash.domain.portfolio import Snapshot
from vaultdash.ui.theme import Tabs

SPANS = (("30", "30 d"), ("120", "120 d"), ("365", "1 y"), ("1826", "5 y"), ("20000", "all"))
FIRST_SPAN = "365"


class _Chart(Element, component="price_chart.js"):
    def __init__(self, symbol: str) -> None:
        super().__init__()
        self._props["symbol"] = symbol
        self._props["days"] = int(FIRST_SPAN)


class PriceChart:
    """The chart fetches its bars from the API; lines and the live price are pushed."""

    def __init__(self, symbol: str, head: Element) -> None:
        self._chart = _Chart(symbol)
        self._lines: list[tuple[float, str, str]] = []
        with head:
            Tabs(SPANS, FIRST_SPAN, lambda days: self._chart.run_method("show", int(days)))

    def show(self, snapshot: Snapshot, at: datetime) -> None:
        """Move the live price and, when they changed, the lines."""
        lines = [
            (snapshot.warning_price, "warning", "--vd-warning"),
            (snapshot.margin_call_price, "margin call", "--vd-call"),
            (snapshot.close_out_price, "close-out", "--vd-close"),
        ]
        if lines != self._lines:
            self._lines = lines
            described = [{"price": price, "title": title, "colour": colour} for price, title, colour in lines]
            self._chart.run_method("setLines", described)
        day = at.astimezone(NEW_YORK).date().isoformat()
        self._chart.run_method("live", {"time": day, "value": snapshot.price})
