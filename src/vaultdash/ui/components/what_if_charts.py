"""The hedge's worth and the LTV over the price, and heat maps of the LTV, as options of their charts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.risk.what_if import WhatIf, WhatIfMap
from vaultdash.ui.components.chart import Chart, axes, axis_label, mark, marks
from vaultdash.ui.format import day, number, pct, price, signed_pct
from vaultdash.ui.theme import UNHEDGED_COLOUR, ChartColours

LOWEST, HIGHEST = 0.38, 1.55
MOST_STEPS = 401  # of a map
MOST_LABELLED = 170  # cells that still have room for their figure
HIGHEST_SHOWN = 9.99  # LTV; no cover at all is beyond every scale
ROOMY = 0.10  # this far below the warning the map is a darker green
FILLS = {"roomy": "#2f9e77", "room": "#8cc9b1", "warning": "#d29534", "call": "#db5a5d", "close_out": "#84444a"}
DARK_FILLS = {"roomy": "#1f6e53", "room": "#3f9c7b", "warning": "#c07d1a", "call": "#cf4448", "close_out": "#6d2a30"}
DOLLARS = "v => (v < 0 ? '−' : '') + '$ ' + Math.abs(Math.round(v)).toLocaleString('en-US')"
THOUSANDS = "v => (v / 1000).toFixed(0).replace('-', '−') + 'k'"
HERE = "here"


class HeatMap(Chart):
    """A heat map whose mark moves without drawing the cells anew."""

    def place(self, column: int, row: int) -> None:
        """Put the mark on a cell, or next to nothing."""
        data = [[column, row]]
        for series in self._chart.options.get("series", ()):
            if series.get("id") == HERE:
                series["data"] = data
        self._chart.run_chart_method("setOption", {"series": [{"id": HERE, "data": data}]})


def worth_options(found: WhatIf, case: HedgeCase, hedge: ListedHedge, colours: ChartColours) -> dict[str, Any]:
    """What closing the hedge brings over the price: now, then and at its first expiration."""
    curves = found.curves
    last = hedge.first_expiration
    lines = [
        _line("today", curves.prices, curves.value_now, colours.text, dashed=True),
        _line(_then(found.change.days), curves.prices, curves.value_then, colours.gold, wide=True),
        _line(
            "at expiry" if last is None else f"at expiry, {day(last)}",
            curves.prices,
            curves.value_at_expiry,
            colours.puts,
        ),
    ]
    lines[0]["markLine"] = marks(colours, *_uprights(found, case, colours))
    base = _base(case, colours)
    base["yAxis"] |= {"axisLabel": axis_label(THOUSANDS, colours)}
    base["tooltip"] |= {":valueFormatter": DOLLARS}
    return {**base, "series": lines}


def ltv_options(
    found: WhatIf,
    case: HedgeCase,
    hedge: ListedHedge,
    loan: Loan,
    counting: HedgeCounting,
    colours: ChartColours,
) -> dict[str, Any]:
    """LTV in one counting over the price: without the hedge dashed, with it then and at expiry, and the call."""
    curves = found.curves
    then = curves.then[counting]
    lines = [
        _line("without the hedge", curves.prices, curves.unhedged_ltv, UNHEDGED_COLOUR, dashed=True),
        _line(f"with it, {_then(found.change.days)}", curves.prices, then, colours.gold, wide=True),
    ]
    if hedge.legs:
        lines.append(_line("with it, at expiry", curves.prices, curves.at_expiry[counting], colours.puts))
    call = mark({"yAxis": loan.margin_call_ltv}, f"margin call {pct(loan.margin_call_ltv, 0)}", colours.call)
    lines[0]["markLine"] = marks(colours, call, *_uprights(found, case, colours))
    lines[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": colours.call_area},
        "data": [[{"yAxis": loan.margin_call_ltv}, {"yAxis": HIGHEST_SHOWN}]],
    }
    base = _base(case, colours)
    top = max(1.0, min(found.then.unhedged_ltv, 1.5) + 0.1)
    base["yAxis"] |= {
        "min": 0.2 if then.min() >= 0.2 else 0.0,
        "max": round(top, 1),
        "axisLabel": axis_label("v => Math.round(v * 100) + ' %'", colours),
    }
    base["tooltip"] |= {":valueFormatter": "v => (v * 100).toFixed(1) + ' %'"}
    return {**base, "series": lines}


def map_options(
    found: WhatIfMap,
    case: HedgeCase,
    loan: Loan,
    counting: HedgeCounting,
    here: tuple[int, int],
    colours: ChartColours,
    *,
    dark: bool,
) -> dict[str, Any]:
    """Cells in the colours of the zones; each says its figures when it is pointed at, and in words which zone."""
    columns = [signed_pct(move, 0) for move in moves_of(found, case)]
    rows = [_row_words(found.kind, row) for row in found.rows.tolist()]
    ltv = np.minimum(np.nan_to_num(found.ltvs[counting], posinf=HIGHEST_SHOWN), HIGHEST_SHOWN).round(4).tolist()
    worth = found.hedge_value.round(0).tolist()
    data = [
        [column, row, ltv[row][column], worth[row][column], round(float(found.prices[column]), 2)]
        for row in range(len(rows))
        for column in range(len(columns))
    ]
    label = {"color": colours.text, "fontSize": 11}
    line = {"lineStyle": {"color": colours.line}}
    base = axes(colours, 0, 1)
    days = "'in ' + r + ' days'" if found.kind == "time" else "'volatility ' + r + ' points'"
    return {
        "animation": False,
        "grid": {"left": 46, "right": 12, "top": 8, "bottom": 66},
        "tooltip": base["tooltip"]
        | {
            "trigger": "item",
            ":formatter": (
                "p => { if (p.seriesId === 'here') return ''; const [c, w, l, v, s] = p.value; "
                f"const r = {rows}[w], z = {[name for name, _ in _limits(loan)]}; "
                f"const m = {[at for _, at in _limits(loan)]}; "
                " let i = 0; while (i < m.length && l >= m[i] - 1e-9) i++;"
                f" return 'Gold ' + s.toFixed(2) + ' (' + {columns}[c] + '), ' + {days} + '<br><b>LTV '"
                " + (l >= 9.9 ? 'no cover' : (l * 100).toFixed(1) + ' %') + '</b>: ' + (i ? z[i - 1] : 'room')"
                " + '<br>hedge worth $ ' + Math.round(v).toLocaleString('en-US'); }"
            ),
        },
        "xAxis": {
            "type": "category",
            "data": columns,
            "axisLabel": label | {"interval": _interval(len(columns), 6)},
            "axisLine": line,
            "axisTick": {"show": False},
            "splitArea": {"show": False},
        },
        "yAxis": {
            "type": "category",
            "data": rows,
            "axisLabel": label | {"interval": _interval(len(rows), 9)},
            "axisLine": line,
            "axisTick": {"show": False},
        },
        "visualMap": {
            "type": "piecewise",
            "seriesIndex": 0,
            "dimension": 2,
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "itemWidth": 11,
            "itemHeight": 9,
            "itemGap": 6,
            "textStyle": {"color": colours.text, "fontSize": 11},
            "pieces": _pieces(loan, dark=dark),
        },
        "series": [
            {
                "id": "map",
                "type": "heatmap",
                "data": data,
                "progressive": 0,
                "itemStyle": {"borderWidth": 0},
                "emphasis": {"itemStyle": {"borderColor": colours.strong, "borderWidth": 1}},
                "label": {
                    "show": len(data) <= MOST_LABELLED,
                    "fontSize": 10,
                    "color": "#ffffff" if dark else "#14110a",
                    ":formatter": "p => p.value[2] >= 9.9 ? '–' : Math.round(p.value[2] * 100)",
                },
            },
            {
                "id": HERE,
                "type": "scatter",
                "data": [list(here)],
                "symbol": "circle",
                "symbolSize": 13,
                "silent": True,
                "itemStyle": {"color": "rgba(0,0,0,0)", "borderColor": colours.strong, "borderWidth": 2.5},
                "z": 5,
            },
        ],
    }


def moves_of(found: WhatIfMap, case: HedgeCase) -> list[float]:
    """The columns as moves from the price now, fractions."""
    return [round(float(at) / case.spot - 1.0, 6) for at in found.prices]


def nearest(steps: Sequence[float], wanted: float) -> int:
    """The place of the step nearest to one that is wanted."""
    return min(range(len(steps)), key=lambda place: abs(steps[place] - wanted))


def _limits(loan: Loan) -> tuple[tuple[str, float], ...]:
    return (
        ("a warning", loan.warning_ltv),
        ("a call", loan.margin_call_ltv),
        ("a forced sale", loan.close_out_ltv),
    )


def _pieces(loan: Loan, *, dark: bool) -> list[dict[str, Any]]:
    fills = DARK_FILLS if dark else FILLS
    roomy, tolerance = loan.warning_ltv - ROOMY, 1e-9
    pieces = [
        {"lt": roomy, "label": f"< {pct(roomy, 0)}", "color": fills["roomy"]},
        {"gte": roomy, "lt": loan.warning_ltv - tolerance, "label": "room", "color": fills["room"]},
        {"gte": loan.warning_ltv, "lt": loan.margin_call_ltv, "label": "warning", "color": fills["warning"]},
    ]
    if loan.close_out_ltv > loan.margin_call_ltv:
        pieces.append(
            {"gte": loan.margin_call_ltv, "lt": loan.close_out_ltv, "label": "call", "color": fills["call"]}
        )
    pieces.append({"gte": loan.close_out_ltv, "label": "close-out", "color": fills["close_out"]})
    return pieces


def _interval(count: int, most: int) -> int:
    """How many labels are left out between two, so that hardly more than `most` are written: round steps."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, MOST_STEPS) if step * most >= count) - 1


def _row_words(kind: str, row: float) -> str:
    if kind == "time":
        return number(row)
    return f"{row * 100:+.4g}".replace("-", "−") if row else "0"


def _then(days: int) -> str:
    return "after the move" if days == 0 else f"in {days} days"


def _base(case: HedgeCase, colours: ChartColours) -> dict[str, Any]:
    base = axes(colours, case.spot * LOWEST, case.spot * HIGHEST)
    base["grid"] |= {"top": 34, "left": 52}
    base["legend"] = {"bottom": 0, "textStyle": {"color": colours.text, "fontSize": 11}, "itemHeight": 8}
    base["grid"]["bottom"] = 52
    return base


def _uprights(found: WhatIf, case: HedgeCase, colours: ChartColours) -> list[dict[str, Any]]:
    """Where the price is now, where it is moved to, and where the lender calls without options."""
    said = []
    if found.change.price:
        moved = mark({"xAxis": round(found.then.price, 4)}, f"then {price(found.then.price)}", colours.gold)
        said.append(moved | {"lineStyle": {"color": colours.gold, "type": "solid", "width": 1.5}})
    said.append(mark({"xAxis": round(case.spot, 4)}, f"now {price(case.spot)}", colours.text))
    said[-1]["label"] |= {"align": "left" if not said[:-1] or found.then.price < case.spot else "right"}
    if said[:-1]:
        said[0]["label"] |= {"align": "right" if found.then.price < case.spot else "left"}
    return said


def _line(
    name: str, prices: Any, values: Any, colour: str, *, dashed: bool = False, wide: bool = False
) -> dict[str, Any]:
    shown = np.minimum(np.nan_to_num(values, posinf=HIGHEST_SHOWN * 1e9), 1e12)
    return {
        "name": name,
        "type": "line",
        "data": [[round(at, 2), round(value, 4)] for at, value in zip(prices.tolist(), shown.tolist(), strict=True)],
        "showSymbol": False,
        "z": 4 if wide else 2,
        "lineStyle": {"width": 3 if wide else 1.8, "type": "dashed" if dashed else "solid", "color": colour},
        "itemStyle": {"color": colour},
    }
