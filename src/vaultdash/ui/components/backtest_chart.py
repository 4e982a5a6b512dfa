"""A backtest as a picture: the price with the fall above, and below it the LTV of each hedge between the limits."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from vaultdash.backtest.result import BacktestRun, Comparison
from vaultdash.domain.loan import HedgeCounting
from vaultdash.pricing.base import FloatArray
from vaultdash.services.selloff_events import Event
from vaultdash.ui.components.backtest_words import breach_of, hedges_of, repaid_beside
from vaultdash.ui.components.chart import axes, axis_label
from vaultdash.ui.components.hedge_colours import UNHEDGED, hedge_colours
from vaultdash.ui.format import day
from vaultdash.ui.theme import ChartColours

MOST_DAYS = 420  # beyond, days are left out: a screen has no more columns to show them in
BUCKETS = 200
HEIGHT, LTV_TOP, LTV_BOTTOM = 500, 164, 28  # pixels: of the picture, above and below the lanes
LABEL_WIDTH, TWO_LINES = 6.0, 27.0  # pixels: a letter of a limit's name, and what two lines of it take
HIGHEST_SHOWN = 1.15  # above it a loan is lost; the scale is for the others
LANE_FILL = {"warning": "rgba(208,138,29,.10)", "call": "rgba(217,72,77,.12)", "close": "rgba(122,47,53,.26)"}
WINDOW_FILL = "rgba(128,134,148,.13)"
GRID = "rgba(128,134,148,.22)"
AMBER = {True: "#dc9a33", False: "#b45309"}
DATE_LABEL = (
    "v => { const d = new Date(v + 'T12:00:00Z'); return d.toLocaleDateString('en-GB', "
    "{day: 'numeric', month: 'short', year: '2-digit', timeZone: 'UTC'}); }"
)
AS_PRICE = "v => v == null ? '–' : (+v).toFixed(2)"
AS_LTV = "v => v == null ? '–' : (+v).toFixed(1) + ' %'"


def lane(run: BacktestRun, counting: HedgeCounting) -> FloatArray:
    """The LTV of each day in one way of counting, fractions; NaN where there is no loan."""
    series = run.series
    return {
        HedgeCounting.IGNORED: series.ltv_ignored,
        HedgeCounting.AFTER_PAYMENT: series.ltv_after_payment,
        HedgeCounting.CREDITED: series.ltv_credited,
    }[counting]


def drawn_days(lanes: Sequence[FloatArray], must: Sequence[int] = (), most: int = MOST_DAYS) -> list[int]:
    """Which days are drawn, ascending: all of them up to `most`, else of each stretch the highest of every lane.

    `lanes` have one value a day; their highest value is kept exactly, so no breach is lost. `must` are kept, too, and
    the first and last day. Lanes that move together share their highest days, which keeps the number small.
    """
    count = len(lanes[0])
    if count <= most:
        return list(range(count))
    kept = {0, count - 1, *must}
    edges = np.linspace(0, count, BUCKETS + 1).astype(int)
    for values in lanes:
        filled = np.where(np.isfinite(values), values, -np.inf)
        for first, last in pairwise(edges):
            kept.add(int(first + np.argmax(filled[first:last])))
    return sorted(kept)


def backtest_options(
    comparison: Comparison,
    event: Event | None,
    counting: HedgeCounting,
    picked: str,
    colours: ChartColours,
) -> tuple[dict[str, Any], int]:
    """The picture of a comparison with one hedge brought forward, and how many days of the run it leaves out."""
    runs = hedges_of(comparison)
    shades = hedge_colours(run.template.id for run in runs)
    days = comparison.unhedged.series.days
    place = {on: index for index, on in enumerate(days)}
    chosen = next((run for run in runs if run.template.id == picked), None)
    paths = [*((run.template.id, run) for run in runs), (UNHEDGED, comparison.unhedged)]
    breaches = {one: breach_of(run, counting) for one, run in paths}
    trades = sorted({trade.on for trade in chosen.trades}) if chosen else []
    wanted = [on for on in (*breaches.values(), *trades, *_window(event, days)) if on in place]
    lanes = [lane(run, counting) for _, run in paths]
    kept = drawn_days([*lanes, -comparison.unhedged.series.price], [place[on] for on in wanted if on is not None])
    shown = [days[index].isoformat() for index in kept]
    repaying = [lane(run, counting) for run in comparison.repaid if run is not None]
    options = _frame(shown, comparison, [*lanes, *repaying], colours)
    bottom, top = options["yAxis"][1]["min"], options["yAxis"][1]["max"]
    price = comparison.unhedged.series.price[kept]
    series = [_price(comparison, price, event, days, colours)]
    if trades and chosen is not None:
        at = [
            [on.isoformat(), _point(comparison.unhedged.series.price[place[on]], 2)] for on in trades if on in place
        ]
        series.append(_trades(at, shades[picked]))
    for one, run in paths:
        is_picked = one == picked
        width = 3.0 if is_picked else 1.6 if one == UNHEDGED else 1.2
        name = "No hedge" if one == UNHEDGED else run.template.name
        line = _line(name, lane(run, counting)[kept], shades[one], width, faded=not is_picked and one != UNHEDGED)
        line["lineStyle"]["type"] = [5, 3] if one == UNHEDGED else "solid"
        line["markPoint"] = _breach(breaches[one], run, counting, place, shades[one], colours, named=is_picked)
        series.append(line | {"z": 6 if is_picked else 4})
    repaid = repaid_beside(comparison, chosen) if chosen else None
    if repaid is not None and chosen is not None:
        line = _line("same money repaid", lane(repaid, counting)[kept], shades[picked], 1.6)
        line["lineStyle"]["type"] = [2, 3]
        series.append(line | {"z": 5})
    nothing = _line("limits", np.array([]), colours.call, 0.0)  # of its own: no click in the legend takes them away
    series.append(nothing | {"markArea": _zones(comparison, top), "z": 1})
    series.append(nothing | {"markLine": _limits(comparison, colours, bottom, top), "z": 7})
    return {**options, "series": series}, len(days) - len(kept)


def _frame(
    shown: list[str], comparison: Comparison, lanes: Sequence[FloatArray], colours: ChartColours
) -> dict[str, Any]:
    """Two grids over the same days, the price above; the names of the limits stand in the margin at the right."""
    base = axes(colours, 0, 1)
    loan = comparison.scenario.loan
    every = np.concatenate([one[np.isfinite(one)] for one in lanes] or [np.array([loan.margin_call_ltv])])
    lowest = min(float(every.min(initial=loan.warning_ltv)), loan.warning_ltv)
    highest = min(max(float(every.max(initial=loan.close_out_ltv)), loan.close_out_ltv) + 0.02, HIGHEST_SHOWN)
    plain = {key: base["xAxis"][key] for key in ("axisLine", "axisTick", "splitLine")}
    days = {**plain, "type": "category", "data": shown, "boundaryGap": False}
    split = {"splitLine": {"lineStyle": {"color": GRID}}, "type": "value"}
    ends = {"showMinLabel": False, "showMaxLabel": False}
    bottom, top = round(max(lowest - 0.02, 0.0) * 100, 1), round(highest * 100, 1)
    names = [line for _, name, _ in _named_limits(comparison, bottom, top) for line in name.split("\n")]
    margin = round(LABEL_WIDTH * max(map(len, names))) + 12
    title = {"nameGap": 8, "nameTextStyle": {"color": colours.text, "fontSize": 11, "align": "left"}}
    words = {"color": colours.text, "fontSize": 11}
    return {
        "animation": False,
        "grid": [
            {"left": 48, "right": margin, "top": 26, "height": 106},
            {"left": 48, "right": margin, "top": LTV_TOP, "bottom": LTV_BOTTOM},
        ],
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "tooltip": base["tooltip"]
        | {"order": "valueDesc", "textStyle": {"color": colours.strong, "fontSize": 11}, "padding": [6, 9]},
        "xAxis": [
            {**days, "gridIndex": 0, "axisLabel": {"show": False}},
            {**days, "gridIndex": 1, "axisLabel": axis_label(DATE_LABEL, colours) | {"hideOverlap": True}},
        ],
        "yAxis": [
            {**split, "gridIndex": 0, "scale": True, "splitNumber": 3, "axisLabel": words | ends}
            | title
            | {"name": f"{comparison.scenario.symbol}, USD a share"},
            {
                **split,
                "gridIndex": 1,
                "min": bottom,
                "max": top,
                "axisLabel": axis_label("v => Math.round(v) + '%'", colours) | ends,
            }
            | title
            | {"name": "LTV"},
        ],
    }


def _price(
    comparison: Comparison, values: FloatArray, event: Event | None, days: Sequence[date], colours: ChartColours
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "name": "gold",
        "type": "line",
        "xAxisIndex": 0,
        "yAxisIndex": 0,
        "data": [_point(value, 2) for value in values],
        "showSymbol": False,
        "lineStyle": {"color": colours.gold, "width": 2.2},
        "itemStyle": {"color": colours.gold},
        "tooltip": {":valueFormatter": AS_PRICE},
        "z": 4,
    }
    window = _window(event, days)
    if window and event is not None:
        line["markArea"] = {
            "silent": True,
            "itemStyle": {"color": WINDOW_FILL},
            "label": {"color": colours.text, "fontSize": 11, "position": "insideTop"},
            "data": [[{"xAxis": window[0].isoformat(), "name": event.name}, {"xAxis": window[1].isoformat()}]],
        }
    return line


def _window(event: Event | None, days: Sequence[date]) -> tuple[date, ...]:
    """The first and last drawn day within the fall."""
    if event is None:
        return ()
    within = [on for on in days if event.start <= on <= event.end]
    return (within[0], within[-1]) if len(within) > 1 else ()


def _trades(at: list[list[Any]], colour: str) -> dict[str, Any]:
    return {
        "name": "trades",
        "type": "scatter",
        "xAxisIndex": 0,
        "yAxisIndex": 0,
        "symbol": "diamond",
        "symbolSize": 9,
        "data": at,
        "itemStyle": {"color": colour},
        "tooltip": {"show": False},
        "silent": True,
        "z": 6,
    }


def _line(name: str, values: FloatArray, colour: str, width: float, *, faded: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "data": [_point(value * 100, 2) for value in values],
        "showSymbol": False,
        "lineStyle": {"color": colour, "width": width, "opacity": 0.75 if faded else 1.0},
        "itemStyle": {"color": colour},
        "tooltip": {":valueFormatter": AS_LTV},
    }


def _breach(
    on: date | None,
    run: BacktestRun,
    counting: HedgeCounting,
    place: dict[date, int],
    shade: str,
    colours: ChartColours,
    *,
    named: bool,
) -> dict[str, Any]:
    """A dot where the limit is first reached; the date beside it for the hedge that is brought forward."""
    if on is None or on not in place:
        return {"data": []}
    through = place[on] / max(len(place) - 1, 1)
    value = _point(min(float(lane(run, counting)[place[on]]), HIGHEST_SHOWN) * 100, 2)
    return {
        "silent": True,
        "symbol": "circle",
        "symbolSize": 9 if named else 7,
        "z": 9,
        "data": [] if value is None else [{"coord": [on.isoformat(), value]}],
        "itemStyle": {"color": shade, "borderColor": colours.call, "borderWidth": 2},
        "label": {
            "show": named,
            "formatter": day(on),
            "position": "top",  # above the ring and so above the line of the limit, never struck through by it
            "distance": 7,
            "align": "left"
            if through < 0.12
            else "right",  # left of a first breach its own line lies below the limit
            "color": colours.call,
            "fontSize": 11,
            "backgroundColor": colours.surface,
            "padding": [1, 4],
            "borderRadius": 3,
        },
    }


def _named_limits(comparison: Comparison, bottom: float, top: float) -> list[tuple[float, str, str]]:
    """Each limit in per cent, its name for the margin, and which one it is; equal ones are one line with both names.

    Where the lines are far enough apart the number stands below the name, which leaves more room for the picture.
    """
    loan = comparison.scenario.loan
    named: dict[float, tuple[str, str]] = {}
    for limit, name in (
        (loan.warning_ltv, "warning"),
        (loan.margin_call_ltv, "call"),
        (loan.close_out_ltv, "close-out"),
    ):
        at = round(limit * 100, 2)
        named[at] = (f"{named[at][0]}, {name}" if at in named else name, name)
    pixels = (HEIGHT - LTV_TOP - LTV_BOTTOM) / (top - bottom)
    gaps = [(higher - lower) * pixels for lower, higher in pairwise(sorted(named))]
    parted = "\n" if min(gaps, default=HEIGHT) > TWO_LINES else " "
    return [(at, f"{name}{parted}{at:g} %", which) for at, (name, which) in named.items()]


def _limits(comparison: Comparison, colours: ChartColours, bottom: float, top: float) -> dict[str, Any]:
    amber = AMBER[colours.surface != "#ffffff"]
    looks = {
        "warning": (amber, [3, 4]),
        "call": (colours.call, [6, 4]),
        "close-out": (colours.close_out, [6, 4]),
    }
    return {
        "silent": True,
        "symbol": "none",
        "z": 8,
        "data": [
            {
                "yAxis": at,
                "lineStyle": {"color": looks[which][0], "type": looks[which][1], "width": 1.4},
                "label": {
                    "formatter": name,
                    "position": "end",
                    "distance": 6,
                    "color": looks[which][0],
                    "fontSize": 11,
                    "lineHeight": 12,
                },
            }
            for at, name, which in _named_limits(comparison, bottom, top)
        ],
    }


def _zones(comparison: Comparison, top: float) -> dict[str, Any]:
    """Amber between warning and call, red up to close-out, dark red above."""
    loan = comparison.scenario.loan
    edges = (
        ("warning", loan.warning_ltv * 100, loan.margin_call_ltv * 100),
        ("call", loan.margin_call_ltv * 100, loan.close_out_ltv * 100),
        ("close", loan.close_out_ltv * 100, top),
    )
    return {
        "silent": True,
        "data": [
            [{"yAxis": round(low, 2), "itemStyle": {"color": LANE_FILL[name]}}, {"yAxis": round(high, 2)}]
            for name, low, high in edges
            if high > low
        ],
    }


def _point(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
