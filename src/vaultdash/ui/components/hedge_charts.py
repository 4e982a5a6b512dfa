"""LTV and wealth over the gold price, and cost against protection, for all hedges at once."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from vaultdash.domain.hedge import Comparison, MeasuredHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.strategies.measure import hedged_ltv, payoff_at
from vaultdash.ui.format import pct, price
from vaultdash.ui.theme import HEDGE_COLOURS, UNHEDGED_COLOUR, ChartColours

NO_HEDGE = "No hedge"
LOWEST, HIGHEST, STEPS = 0.55, 1.30, 150
LTV_CEILING = 1.0


def prices_of(comparison: Comparison) -> list[float]:
    """Gold prices of the charts: even steps and every kink."""
    spot = comparison.situation.spot
    even = {spot * (LOWEST + (HIGHEST - LOWEST) * step / STEPS) for step in range(STEPS + 1)}
    kinks = {leg.strike for hedge in comparison.hedges for leg in hedge.plan.legs}
    return sorted(even | kinks | {spot, comparison.situation.margin_call_price})


def ltv_options(
    comparison: Comparison, counting: HedgeCounting, colours: ChartColours, picked: str
) -> dict[str, Any]:
    """LTV over the gold price at expiry: a line a hedge, the call limit, the call zone, gold now."""
    situation = comparison.situation
    series = [
        _line(
            _title(hedge),
            [
                [spot, ltv]
                for spot in prices_of(comparison)
                if (ltv := hedged_ltv(hedge.plan if hedge else None, situation, spot, counting)) < 1.6
            ],
            _colour(hedge),
            dashed=hedge is None,
            wide=hedge is not None and hedge.plan.name == picked,
        )
        for hedge in (None, *comparison.hedges)
    ]
    limit = situation.margin_call_ltv
    series[0]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "label": {"color": colours.strong, "fontSize": 11},
        "data": [
            _mark({"yAxis": limit}, f"margin call {pct(limit, 0)}", colours.call, "insideEndTop"),
            _mark({"xAxis": situation.spot}, f"gold now {price(situation.spot)}", colours.text, "insideEndTop"),
        ],
    }
    series[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": colours.call_area},
        "data": [[{"yAxis": limit}, {"yAxis": LTV_CEILING}]],
    }
    axis = _axes(colours, situation.spot)
    axis["yAxis"] |= {"min": 0.3, "max": LTV_CEILING, "axisLabel": _label("v => Math.round(v * 100) + ' %'", colours)}
    axis["tooltip"] |= {":valueFormatter": "v => (v * 100).toFixed(1) + ' %'"}
    return {**axis, "series": series}


def wealth_options(comparison: Comparison, colours: ChartColours, picked: str) -> dict[str, Any]:
    """Gain or loss at expiry against today, gold and hedge together, premium paid, over the gold price."""
    situation = comparison.situation
    start = situation.portfolio_value

    def gain(hedge: MeasuredHedge | None, spot: float) -> float:
        gold = situation.units * spot - start
        return gold if hedge is None else gold + payoff_at(hedge.plan, situation, spot) - hedge.cost.total_cost

    series = [
        _line(
            _title(hedge),
            [[spot, gain(hedge, spot)] for spot in prices_of(comparison)],
            _colour(hedge),
            dashed=hedge is None,
            wide=hedge is not None and hedge.plan.name == picked,
        )
        for hedge in (None, *comparison.hedges)
    ]
    call = situation.margin_call_price
    series[0]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "label": {"color": colours.strong, "fontSize": 11},
        "data": [
            _mark({"xAxis": call}, f"call {price(call)}", colours.call, "insideEndTop"),
            _mark({"xAxis": situation.spot}, "gold now", colours.text, "insideEndTop"),
        ],
    }
    axis = _axes(colours, situation.spot)
    axis["yAxis"] |= {"axisLabel": _label("v => (v / 1000).toFixed(0) + 'k'", colours)}
    axis["tooltip"] |= {":valueFormatter": "v => '$ ' + Math.round(v).toLocaleString('en-US')"}
    return {**axis, "series": series}


def cost_options(comparison: Comparison, colours: ChartColours, picked: str) -> dict[str, Any]:
    """Cost a year against LTV at the call price: lower left is better."""
    points = [
        {
            "name": hedge.plan.title,
            "value": [hedge.cost.annualized_cost_pct, hedge.protection.hedged_ltv_at_threshold],
            "itemStyle": {"color": HEDGE_COLOURS[hedge.plan.name]},
            "symbolSize": 18 if hedge.plan.name == picked else 12,
            "label": {"position": "left" if index % 2 else "right"},
        }
        for index, hedge in enumerate(comparison.hedges)
    ]
    base = _axes(colours, comparison.situation.spot)
    percent = _label("v => (v * 100).toFixed(0) + ' %'", colours)
    name = {"nameLocation": "middle", "nameTextStyle": {"color": colours.text}}
    return {
        "animation": False,
        "grid": base["grid"] | {"bottom": 44, "left": 52},
        "tooltip": base["tooltip"]
        | {
            "trigger": "item",
            ":formatter": "p => p.name + '<br>' + (p.value[0] * 100).toFixed(2) + ' % of the gold a year<br>LTV '"
            " + (p.value[1] * 100).toFixed(1) + ' % at the call price'",
        },
        "xAxis": base["xAxis"]
        | name
        | {"min": 0, "max": None, "name": "cost a year", "nameGap": 26, "axisLabel": percent},
        "yAxis": base["yAxis"]
        | name
        | {"scale": True, "name": "LTV at the call price", "nameGap": 38, "axisLabel": percent},
        "series": [
            {
                "type": "scatter",
                "data": points,
                "label": {"show": True, "color": colours.strong, "fontSize": 11, "formatter": "{b}"},
                "labelLayout": {"hideOverlap": False, "moveOverlap": "shiftY"},
            }
        ],
    }


def _title(hedge: MeasuredHedge | None) -> str:
    return NO_HEDGE if hedge is None else hedge.plan.title


def _colour(hedge: MeasuredHedge | None) -> str:
    return UNHEDGED_COLOUR if hedge is None else HEDGE_COLOURS[hedge.plan.name]


def _line(name: str, points: Sequence[list[float]], colour: str, *, dashed: bool, wide: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": [[round(x, 4), round(y, 6)] for x, y in points],
        "showSymbol": False,
        "z": 4 if wide else 2,
        "lineStyle": {"width": 3.5 if wide else 1.6, "type": "dashed" if dashed else "solid", "color": colour},
        "itemStyle": {"color": colour},
    }


def _mark(where: dict[str, float], label: str, colour: str, position: str) -> dict[str, Any]:
    return {
        **where,
        "lineStyle": {"color": colour, "type": "dashed"},
        "label": {"formatter": label, "position": position},
    }


def _label(formatter: str, colours: ChartColours) -> dict[str, Any]:
    return {":formatter": formatter, "color": colours.text, "fontSize": 11}


def _axes(colours: ChartColours, spot: float) -> dict[str, Any]:
    line = {"lineStyle": {"color": colours.line}}
    return {
        "animation": False,
        "grid": {"left": 48, "right": 14, "top": 14, "bottom": 28},
        "tooltip": {
            "trigger": "axis",
            "backgroundColor": colours.surface,
            "borderColor": colours.line,
            "textStyle": {"color": colours.strong, "fontSize": 12},
            "confine": True,
        },
        "xAxis": {
            "type": "value",
            "min": round(spot * LOWEST, 2),
            "max": round(spot * HIGHEST, 2),
            "axisLabel": {"color": colours.text, "fontSize": 11, "showMinLabel": False, "showMaxLabel": False},
            "axisLine": line,
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {"type": "value", "axisLabel": {"color": colours.text, "fontSize": 11}, "splitLine": line},
    }


class HedgeChart:
    """One chart whose options are replaced when its inputs change."""

    def __init__(self) -> None:
        self._chart = ui.echart({"animation": False}).classes("vd-chart tall")

    def show(self, options: dict[str, Any]) -> None:
        """Draw."""
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()
