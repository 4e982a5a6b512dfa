"""The hedge's worth and the LTV over the price; a slider sends only the lines and marks that have moved."""

from typing import Any

import numpy as np

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.pricing.base import FloatArray
from vaultdash.risk.what_if import WhatIf
from vaultdash.ui.components.chart import Chart, axes, axis_label, mark, marks
from vaultdash.ui.format import day, number, pct, price
from vaultdash.ui.theme import UNHEDGED_COLOUR, ChartColours

LOWEST, HIGHEST = 0.38, 1.55
HIGHEST_SHOWN = 9.99  # LTV; no cover at all is beyond every scale
HIGHEST_LTV = 1.2
DOLLARS = "v => (v < 0 ? '−' : '') + '$ ' + Math.abs(Math.round(v)).toLocaleString('en-US')"
THOUSANDS = "v => (v / 1000).toFixed(0).replace('-', '−') + 'k'"
MARKED = "marked"  # the line that carries the marks


class LineChart(Chart):
    """A chart whose lines are renewed without sending the rest again."""

    def renew(self, series: list[dict[str, Any]]) -> None:
        """Replace what these series say, by their ids."""
        self._chart.run_chart_method("setOption", {"series": series})


def worth_options(found: WhatIf, case: HedgeCase, hedge: ListedHedge, colours: ChartColours) -> dict[str, Any]:
    """What closing the hedge brings over the price: now, then and at its first expiration."""
    base = _base(case, colours)
    base["yAxis"] |= {"axisLabel": axis_label(THOUSANDS, colours)}
    base["tooltip"] |= {":valueFormatter": DOLLARS}
    return {**base, "series": worth_series(found, case, hedge, colours)}


def worth_series(found: WhatIf, case: HedgeCase, hedge: ListedHedge, colours: ChartColours) -> list[dict[str, Any]]:
    """Its lines; the first one carries the marks."""
    curves, last = found.curves, hedge.first_expiration
    expiry = "at expiry" if last is None else f"at expiry, {day(last)}"
    lines = [
        _line(MARKED, "today", curves.prices, curves.value_now, colours.text, dashed=True),
        _line("then", _then(found.change.days), curves.prices, curves.value_then, colours.gold, wide=True),
        _line("expiry", expiry, curves.prices, curves.value_at_expiry, colours.puts),
    ]
    lines[0]["markLine"] = marks(colours, *_uprights(found, case, colours))
    return lines


def ltv_options(
    found: WhatIf,
    case: HedgeCase,
    hedge: ListedHedge,
    loan: Loan,
    counting: HedgeCounting,
    colours: ChartColours,
) -> dict[str, Any]:
    """LTV in one counting over the price: without the hedge dashed, with it then and at expiry, and the call."""
    base = _base(case, colours)
    base["yAxis"] |= {
        "min": 0.0,
        "max": HIGHEST_LTV,
        "axisLabel": axis_label("v => Math.round(v * 100) + ' %'", colours),
    }
    base["tooltip"] |= {":valueFormatter": "v => (v * 100).toFixed(1) + ' %'"}
    return {**base, "series": ltv_series(found, case, hedge, loan, counting, colours)}


def ltv_series(
    found: WhatIf,
    case: HedgeCase,
    hedge: ListedHedge,
    loan: Loan,
    counting: HedgeCounting,
    colours: ChartColours,
) -> list[dict[str, Any]]:
    """Its lines; the first one carries the marks, the call limit of `loan` and the area above it."""
    curves, then = found.curves, _then(found.change.days)
    lines = [
        _line(MARKED, "without the hedge", curves.prices, curves.unhedged_ltv, UNHEDGED_COLOUR, dashed=True),
        _line("then", f"with it, {then}", curves.prices, curves.then[counting], colours.gold, wide=True),
    ]
    if hedge.legs:
        lines.append(_line("expiry", "with it, at expiry", curves.prices, curves.at_expiry[counting], colours.puts))
    call = mark({"yAxis": loan.margin_call_ltv}, f"margin call {pct(loan.margin_call_ltv, 0)}", colours.call)
    lines[0]["markLine"] = marks(colours, call, *_uprights(found, case, colours))
    lines[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": colours.call_area},
        "data": [[{"yAxis": loan.margin_call_ltv}, {"yAxis": HIGHEST_SHOWN}]],
    }
    return lines


def moved_marks(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of these lines only what moves with the price alone."""
    return [{"id": each["id"], "markLine": each["markLine"]} for each in series if "markLine" in each]


def _then(days: int) -> str:
    return "after the move" if days == 0 else f"in {number(days)} day{'' if days == 1 else 's'}"


def _base(case: HedgeCase, colours: ChartColours) -> dict[str, Any]:
    base = axes(colours, case.spot * LOWEST, case.spot * HIGHEST)
    base["grid"] |= {"top": 34, "left": 52, "bottom": 52}
    base["legend"] = {"bottom": 0, "textStyle": {"color": colours.text, "fontSize": 11}, "itemHeight": 8}
    return base


def _uprights(found: WhatIf, case: HedgeCase, colours: ChartColours) -> list[dict[str, Any]]:
    """Where the price is now and where it is moved to, their labels away from each other."""
    now = mark({"xAxis": round(case.spot, 4)}, f"now {price(case.spot)}", colours.text)
    if not found.change.price:
        return [now]
    falls = found.change.price < 0
    then = mark({"xAxis": round(found.then.price, 4)}, f"then {price(found.then.price)}", colours.gold)
    then["lineStyle"] = {"color": colours.gold, "type": "solid", "width": 1.5}
    then["label"] |= {"align": "right" if falls else "left"}
    now["label"] |= {"align": "left" if falls else "right"}
    return [now, then]


def _line(
    name: str,
    label: str,
    prices: FloatArray,
    values: FloatArray,
    colour: str,
    *,
    dashed: bool = False,
    wide: bool = False,
) -> dict[str, Any]:
    shown = np.nan_to_num(values, posinf=HIGHEST_SHOWN).round(4).tolist()
    return {
        "id": name,
        "name": label,
        "type": "line",
        "data": [list(pair) for pair in zip(prices.round(2).tolist(), shown, strict=True)],
        "showSymbol": False,
        "z": 4 if wide else 2,
        "lineStyle": {"width": 3 if wide else 1.8, "type": "dashed" if dashed else "solid", "color": colour},
        "itemStyle": {"color": colour},
    }
