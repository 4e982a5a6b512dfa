"""A payoff chart whose strikes can be dragged along the price."""

import math
from collections.abc import Callable

from nicegui import events, ui

from vaultdash.ui.components.chart import Chart


class StrikeChart(Chart):
    """`moved` is told the place of a leg and the price, USD a share, to which its strike is being dragged."""

    def __init__(self, label: str, moved: Callable[[int, float], object]) -> None:
        super().__init__(label)
        self._moved = moved
        self._chart.on("strike", self._on_strike, args=["detail"])

    def attach(self) -> None:
        """Let the browser listen, once it has the chart."""
        ui.run_javascript(f"window.vdDragStrikes && vdDragStrikes({self._chart.id})")

    def _on_strike(self, event: events.GenericEventArguments) -> None:
        told = event.args.get("detail") if isinstance(event.args, dict) else None
        if not isinstance(told, dict):
            return
        place, price = told.get("place"), told.get("price")
        if isinstance(place, int) and isinstance(price, int | float) and math.isfinite(price) and price > 0:
            self._moved(place, float(price))
