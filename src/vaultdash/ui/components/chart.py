"""One chart whose options are replaced when its inputs change, and what the charts have in common."""

from typing import Any

from nicegui import ui

from vaultdash.ui.theme import ChartColours


class Chart:
    """Draws what it is given; its options have an animation only where nothing moves by itself."""

    def __init__(self, label: str = "") -> None:
        self._chart = ui.echart({"animation": False}).classes("vd-chart tall")
        if label:
            self._chart.props(f'role=img aria-label="{label}"')

    def show(self, options: dict[str, Any]) -> None:
        """Draw."""
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()


def axes(colours: ChartColours, lowest: float, highest: float) -> dict[str, Any]:
    """Two axes, a grid and a tooltip in the colours of the mode; the lower axis from `lowest` to `highest`."""
    line = {"lineStyle": {"color": colours.line}}
    return {
        "animation": False,
        "grid": {"left": 48, "right": 14, "top": 24, "bottom": 28},
        "tooltip": {
            "trigger": "axis",
            "backgroundColor": colours.surface,
            "borderColor": colours.line,
            "textStyle": {"color": colours.strong, "fontSize": 12},
            "confine": True,
        },
        "xAxis": {
            "type": "value",
            "min": round(lowest, 2),
            "max": round(highest, 2),
            "axisLabel": {"color": colours.text, "fontSize": 11, "showMinLabel": False, "showMaxLabel": False},
            "axisLine": line,
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {"type": "value", "axisLabel": {"color": colours.text, "fontSize": 11}, "splitLine": line},
    }


def axis_label(formatter: str, colours: ChartColours) -> dict[str, Any]:
    """Numbers along an axis, written by a JavaScript function of our own."""
    return {":formatter": formatter, "color": colours.text, "fontSize": 11}


def mark(where: dict[str, float], label: str, colour: str) -> dict[str, Any]:
    """A dashed line across the chart with a label."""
    style = {"color": colour, "type": "dashed"}
    upright = {"position": "end", "rotate": 0, "distance": 3, "align": "left", "color": colour}
    place = upright if "xAxis" in where else {"position": "insideEndTop"}
    return {**where, "lineStyle": style, "label": {"formatter": label} | place}


def marks(colours: ChartColours, *lines: dict[str, Any]) -> dict[str, Any]:
    """The `markLine` of a series."""
    label = {"color": colours.strong, "fontSize": 11}
    return {"silent": True, "symbol": "none", "label": label, "data": list(lines)}
