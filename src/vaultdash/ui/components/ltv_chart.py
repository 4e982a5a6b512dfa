"""LTV over time as a chart: the limits of the time as steps, gaps as gaps, crossings with what was told of them."""

from collections.abc import Iterable

from nicegui.element import Element

from vaultdash.domain.alert import AlertEvent, AlertEventKind, AlertMetric, AlertSeverity

SPANS = (("7", "7 d"), ("30", "30 d"), ("90", "90 d"), ("365", "1 y"), ("all", "all"))
COUNTINGS = (
    ("lender_ltv", "as the lender counts"),
    ("ltv_after_payment", "after payment"),
    ("ltv_credited", "credited"),
)
CROSSINGS = (AlertEventKind.RAISED, AlertEventKind.CLEARED)
SHOWN_METRICS = (AlertMetric.LTV, AlertMetric.HEDGED_LTV, AlertMetric.PRICE, AlertMetric.PROBABILITY)


class _Chart(Element, component="ltv_chart.js"):
    def __init__(self, portfolio_id: str, days: str, *, small: bool) -> None:
        super().__init__()
        self._props["portfolio"] = portfolio_id
        self._props["days"] = days
        self._props["counting"] = COUNTINGS[0][0]
        self._props["small"] = small


class LtvChart:
    """The chart fetches its records from the API; `days` is one of SPANS, a counting one of COUNTINGS.

    A small one has no line that reads out the record under the pointer.
    """

    def __init__(self, portfolio_id: str, days: str = "90", *, small: bool = False) -> None:
        self._chart = _Chart(portfolio_id, days, small=small)
        self._asked = (portfolio_id, days, COUNTINGS[0][0])

    def show(self, portfolio_id: str, days: str, counting: str) -> None:
        """Draw other days, another loan, or another way of counting."""
        if (portfolio_id, days, counting) != self._asked:
            self._asked = (portfolio_id, days, counting)
            self._chart.run_method("show", portfolio_id, days, counting)

    def refresh(self) -> None:
        """Fetch again: something was written."""
        self._chart.run_method("refresh")

    def mark(self, events: Iterable[AlertEvent]) -> None:
        """Mark these crossings."""
        self._chart.run_method("setEvents", [_described(event) for event in events if is_crossing(event)])


def is_crossing(event: AlertEvent) -> bool:
    """True for what was raised or cleared about the loan's standing; one told by another event is left out."""
    return event.kind in CROSSINGS and event.metric in SHOWN_METRICS and not event.covered


def _described(event: AlertEvent) -> dict[str, object]:
    raised = event.kind is AlertEventKind.RAISED
    loud = "--vd-call" if event.severity is AlertSeverity.CALL else "--vd-warning"
    return {
        "at": event.at.isoformat(),
        "raised": raised,
        "colour": loud if raised else "--vd-room",
        "text": "call" if raised and event.severity is AlertSeverity.CALL else "alert" if raised else "clear",
    }
