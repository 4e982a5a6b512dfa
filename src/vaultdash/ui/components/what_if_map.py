"""A heat map of the LTV over the price and days or volatility, its cells in the colours of the zones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from nicegui import ui

from vaultdash.domain.listed_hedge import HedgeCase
from vaultdash.domain.loan import LTV_TOLERANCE, HedgeCounting, Loan
from vaultdash.pricing.base import FloatArray
from vaultdash.risk.what_if import WhatIfMap
from vaultdash.ui.components.chart import Chart, axes
from vaultdash.ui.format import number, signed_pct
from vaultdash.ui.theme import ChartColours

Places = npt.NDArray[np.int64]

MOST_STEPS = 401  # of a map
MOST_LABELLED = 170  # cells that still have room for their figure
ROOMY = 0.10  # this far below the warning the map is a darker green
WORDS = ("ample room", "room", "warning", "call", "close-out")
FILLS = ("#2f9e77", "#8cc9b1", "#d29534", "#db5a5d", "#84444a")
DARK_FILLS = ("#1f6e53", "#3f9c7b", "#c07d1a", "#cf4448", "#6d2a30")
NO_COVER = 99_990  # LTV in hundredths of a per cent, as it travels: beyond every scale
# A cell as it travels is a digit and two whole numbers; the browser makes a row of five of them: column, row, zone,
# LTV, worth.
CELLS = """((z, l, w, n) => l.map((v, i) => [i % n, Math.floor(i / n), +z[i], v / 1e4, w[i]]))"""
TOOLTIP = """p => {{
  const [c, r, z, l, w] = p.value, at = {prices}[c].toFixed(2), money = Math.abs(w).toLocaleString('en-US');
  return 'Gold ' + at + ' (' + {columns}[c] + '), {before}' + {rows}[r] + '{after}<br><b>LTV '
    + (l > 9.9 ? 'no cover' : l <= 0 ? 'repaid' : (l * 100).toFixed(1) + ' %') + '</b>: ' + {words}[z]
    + '<br>hedge worth ' + (w < 0 ? '−' : '') + '$ ' + money;
}}"""


class HeatMap(Chart):
    """A heat map whose cells are renewed without sending the rest again, with a ring on one of them."""

    def renew(self, found: WhatIfMap, loan: Loan, counting: HedgeCounting) -> None:
        """Other values in the same cells."""
        cells = f"{CELLS}({', '.join(_travelling(found, loan, counting))})"
        self._chart.run_chart_method(":setOption", f"{{series: [{{id: 'map', data: {cells}}}]}}")

    def place(self, here: tuple[int, int]) -> None:
        """Put the ring on a cell: its column and row."""
        ui.run_javascript(f"vdRing({self._chart.id}, {here[0]}, {here[1]})")


def map_options(
    found: WhatIfMap,
    case: HedgeCase,
    loan: Loan,
    counting: HedgeCounting,
    colours: ChartColours,
    *,
    dark: bool,
) -> dict[str, Any]:
    """The whole map; each cell says its figures when it is pointed at, and in words which zone it is."""
    columns = [signed_pct(move, 0) for move in moves_of(found, case)]
    rows = [_row_words(found.kind, row) for row in found.rows.tolist()]
    label, base = {"color": colours.text, "fontSize": 11}, axes(colours, 0, 1)
    axis = {"axisLine": base["xAxis"]["axisLine"], "axisTick": {"show": False}, "splitArea": {"show": False}}
    is_time = found.kind == "time"
    formatter = TOOLTIP.format(
        prices=found.prices.round(2).tolist(),
        columns=columns,
        rows=rows,
        before="in " if is_time else "volatility ",
        after=" days" if is_time else " points",
        words=list(WORDS),
    )
    cells = len(rows) * len(columns)
    return {
        "animation": False,
        "grid": {"left": 46, "right": 12, "top": 8, "bottom": 66},
        "tooltip": base["tooltip"] | {"trigger": "item", ":formatter": formatter},
        "xAxis": axis
        | {
            "type": "category",
            "data": columns,
            "axisLabel": label | {"interval": _left_out(len(columns), 6)},
        },
        "yAxis": axis
        | {"type": "category", "data": rows, "axisLabel": label | {"interval": _left_out(len(rows), 9)}},
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
            "textGap": 4,
            "textStyle": {"color": colours.text, "fontSize": 10},
            "pieces": [
                {"value": zone, "label": WORDS[zone], "color": fill}
                for zone, fill in enumerate(DARK_FILLS if dark else FILLS)
            ],
        },
        "series": [
            {
                "id": "map",
                "type": "heatmap",
                "data": _cells(found, loan, counting),
                "progressive": 0,
                "emphasis": {"itemStyle": {"borderColor": colours.strong, "borderWidth": 1}},
                "label": {
                    "show": cells <= MOST_LABELLED,
                    "fontSize": 10,
                    "color": "#ffffff" if dark else "#14110a",
                    ":formatter": "p => p.value[3] > 9.9 ? '–' : Math.round(p.value[3] * 100)",
                },
            },
        ],
    }


def moves_of(found: WhatIfMap, case: HedgeCase) -> list[float]:
    """The columns as moves from the price now, fractions."""
    return [round(float(at) / case.spot - 1.0, 6) for at in found.prices]


def has_same_cells(one: WhatIfMap, other: WhatIfMap) -> bool:
    """True when both have the same prices across and the same steps upward."""
    return np.array_equal(one.prices, other.prices) and np.array_equal(one.rows, other.rows)


def nearest(steps: Sequence[float], wanted: float) -> int:
    """The place of the step nearest to one that is wanted."""
    return min(range(len(steps)), key=lambda place: abs(steps[place] - wanted))


def zones_of(ltv: FloatArray, loan: Loan) -> Places:
    """For each LTV the place of its word in `WORDS`; on a limit is beyond it."""
    limits = np.array([loan.warning_ltv - ROOMY, loan.warning_ltv, loan.margin_call_ltv, loan.close_out_ltv])
    return np.searchsorted(limits - LTV_TOLERANCE, ltv, side="right")


def _columns(found: WhatIfMap, loan: Loan, counting: HedgeCounting) -> tuple[Places, Places, Places]:
    """Zone, LTV in hundredths of a per cent and worth in dollars of every cell, row by row."""
    ltv = found.ltvs[counting].ravel()
    hundredths = np.clip(np.nan_to_num(ltv, posinf=9.999) * 1e4, -NO_COVER, NO_COVER).round().astype(np.int64)
    return zones_of(ltv, loan), hundredths, found.hedge_value.ravel().round().astype(np.int64)


def _cells(found: WhatIfMap, loan: Loan, counting: HedgeCounting) -> list[list[float]]:
    zones, ltvs, worth = (column.tolist() for column in _columns(found, loan, counting))
    width = found.prices.size
    return [
        [place % width, place // width, zone, ltv / 1e4, value]
        for place, (zone, ltv, value) in enumerate(zip(zones, ltvs, worth, strict=True))
    ]


def _travelling(found: WhatIfMap, loan: Loan, counting: HedgeCounting) -> tuple[str, str, str, str]:
    """The arguments of `CELLS`."""
    zones, ltvs, worth = (column.tolist() for column in _columns(found, loan, counting))
    return (
        f"'{''.join(map(str, zones))}'",
        f"[{','.join(map(str, ltvs))}]",
        f"[{','.join(map(str, worth))}]",
        str(found.prices.size),
    )


def _left_out(count: int, most: int) -> int:
    """How many labels are left out between two, so that hardly more than `most` are written: round steps."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, MOST_STEPS) if step * most >= count) - 1


def _row_words(kind: str, row: float) -> str:
    if kind == "time":
        return number(row)
    return f"{row * 100:+.4g}".replace("-", "−") if row else "0"
