"""A fall on the loan as a picture: the price, the lanes of LTV below it, and the days that matter."""

from typing import Any

import numpy as np

from vaultdash.risk.replay import Replay
from vaultdash.ui.components.chart import axes, axis_label
from vaultdash.ui.format import day, pct
from vaultdash.ui.theme import ChartColours

LANES = {"warning": "rgba(208,138,29,.10)", "call": "rgba(217,72,77,.13)", "close": "rgba(122,47,53,.30)"}
WARNING = {True: "#dc9a33", False: "#b45309"}
GRID = "rgba(128,134,148,.22)"  # for both modes: a tab that sleeps does not say which one it is in


def replay_options(found: Replay, name: str, colours: ChartColours) -> dict[str, Any]:
    """Price over days with the warning, call and close-out prices, which rise when interest is added to the loan."""
    loan = found.loan
    closes = np.asarray(found.closes)
    owed = found.ltvs * closes  # a share
    levels = {
        "warning": owed / loan.warning_ltv,
        "call": owed / loan.margin_call_ltv,
        "close": owed / loan.close_out_ltv,
    }
    lows = np.where(np.isfinite(found.low_ltvs), owed / found.low_ltvs, np.nan)
    reached = np.concatenate([closes, lows[np.isfinite(lows)]])
    bottom = float(min(reached.min(), levels["close"].min())) * 0.98
    top = float(max(reached.max(), levels["warning"].max())) * 1.02
    axis = axes(colours, 0, 1)
    axis["xAxis"] = {
        **{key: axis["xAxis"][key] for key in ("axisLine", "axisTick", "splitLine")},
        "type": "category",
        "data": [each.isoformat() for each in found.days],
        "boundaryGap": False,
        "axisLabel": axis_label(
            "v => { const d = new Date(v + 'T12:00:00Z'); return d.toLocaleDateString('en-GB', "
            "{day: 'numeric', month: 'short', year: '2-digit', timeZone: 'UTC'}); }",
            colours,
        ),
    }
    axis["yAxis"] |= {"min": round(bottom, 2), "max": round(top, 2), "splitLine": {"lineStyle": {"color": GRID}}}
    axis["yAxis"]["axisLabel"] = axis_label("v => Math.round(v)", colours) | {
        "showMinLabel": False,
        "showMaxLabel": False,
    }
    axis["tooltip"] |= {":valueFormatter": "v => v == null ? '' : (+v).toFixed(2)"}
    words = {"color": colours.text, "fontSize": 11}
    axis["legend"] = {"top": 0, "textStyle": words, "icon": "roundRect", "itemHeight": 3, "itemWidth": 18}
    axis["grid"] = axis["grid"] | {"top": 34, "right": 26}
    warning = WARNING[colours.surface != "#ffffff"]
    series = [
        _line(name, closes, colours.gold, width=2.4) | {"markPoint": _markers(found, colours), "z": 5},
        *_band(levels, bottom),
        _line(f"warning {pct(loan.warning_ltv, 0)}", levels["warning"], warning, dash=[3, 4]),
        _line(f"call {pct(loan.margin_call_ltv, 0)}", levels["call"], colours.call, dash=[6, 4]),
        _line(f"close-out {pct(loan.close_out_ltv, 0)}", levels["close"], colours.close_out, dash=[6, 4]),
    ]
    if found.has_lows:
        series.append(_line("lows", lows, colours.gold, width=0.8, opacity=0.55))
    axis["legend"]["data"] = [each["name"] for each in series if not each["name"].startswith("lane")]
    return {**axis, "series": series}


def _band(levels: dict[str, Any], bottom: float) -> list[dict[str, Any]]:
    """Lanes between the levels, as areas stacked from the bottom of the picture."""
    floor = np.full(len(levels["call"]), bottom)
    heights = (
        ("close", levels["close"] - floor),
        ("call", levels["call"] - levels["close"]),
        ("warning", levels["warning"] - levels["call"]),
    )
    base = {"type": "line", "stack": "lanes", "symbol": "none", "silent": True, "lineStyle": {"width": 0}, "z": 1}
    quiet = {"tooltip": {"show": False}, "emphasis": {"disabled": True}}
    return [
        {**base, **quiet, "name": "lane base", "data": _points(floor)},
        *(
            {
                **base,
                **quiet,
                "name": f"lane {name}",
                "data": _points(height),
                "areaStyle": {"color": LANES[name], "opacity": 1},
            }
            for name, height in heights
        ),
    ]


def _markers(found: Replay, colours: ChartColours) -> dict[str, Any]:
    marked = []
    call = found.call
    if call is not None:
        marked.append(_pin(found, call.on, f"call {day(call.on)}", colours.call))
    if found.sale_on is not None and found.sale_on not in (found.close_out_on, found.call and found.call.on):
        marked.append(_pin(found, found.sale_on, "may be sold", colours.text, below=True))
    if found.close_out_on is not None:
        marked.append(_pin(found, found.close_out_on, "close-out", colours.close_out))
    return {"silent": True, "data": marked, "symbol": "circle", "symbolSize": 9}


def _pin(found: Replay, on: Any, words: str, colour: str, *, below: bool = False) -> dict[str, Any]:
    index = found.days.index(on)
    late = index > 0.7 * len(found.days)
    return {
        "coord": [on.isoformat(), round(found.closes[index], 4)],
        "itemStyle": {"color": colour},
        "label": {
            "formatter": words,
            "position": ("left" if late else "right") if not below else "bottom",
            "color": colour,
            "fontSize": 11,
        },
    }


def _line(
    name: str, values: Any, colour: str, *, width: float = 1.3, dash: list[int] | None = None, opacity: float = 1.0
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": _points(values),
        "showSymbol": False,
        "lineStyle": {"color": colour, "width": width, "type": dash or "solid", "opacity": opacity},
        "itemStyle": {"color": colour},
        "z": 3,
    }


def _points(values: Any) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
