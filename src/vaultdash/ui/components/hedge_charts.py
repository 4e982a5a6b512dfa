"""LTV and wealth over the gold price, and cost against protection, for all hedges at once."""

from collections.abc import Callable
from typing import Any

from vaultdash.domain.hedge import Comparison, MeasuredHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.strategies.measure import hedged_ltv, payoff_at
from vaultdash.ui.components.chart import axes, axis_label, mark, marks
from vaultdash.ui.components.hedge_colours import UNHEDGED, hedge_colours
from vaultdash.ui.format import pct, price
from vaultdash.ui.theme import ChartColours

NO_HEDGE = "No hedge"
LOWEST, HIGHEST, STEPS = 0.55, 1.30, 150


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
    limit, spot = situation.margin_call_ltv, situation.spot

    def ltv(hedge: MeasuredHedge | None, at: float) -> float:
        return hedged_ltv(hedge.plan if hedge else None, situation, at, counting)

    series = _lines(comparison, ltv, picked)
    call = mark({"yAxis": limit}, f"margin call {pct(limit, 0)}", colours.call)
    series[0]["markLine"] = marks(colours, call, mark({"xAxis": spot}, f"now {price(spot)}", colours.text))
    top = max(1.0, situation.loan_amount / situation.portfolio_value + 0.1)
    series[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": colours.call_area},
        "data": [[{"yAxis": limit}, {"yAxis": top}]],
    }
    lowest = min(point[1] for line in series for point in line["data"])
    axis = axes(colours, spot * LOWEST, spot * HIGHEST)
    axis["yAxis"] |= {
        "min": 0.3 if lowest >= 0.3 else 0.0,
        "max": round(top, 1),
        "axisLabel": axis_label("v => Math.round(v * 100) + ' %'", colours),
    }
    axis["tooltip"] |= {":valueFormatter": "v => (v * 100).toFixed(1) + ' %'"}
    return {**axis, "series": series}


def wealth_options(comparison: Comparison, colours: ChartColours, picked: str) -> dict[str, Any]:
    """Gain or loss at expiry against today, gold and hedge together, premium paid, over the gold price."""
    situation = comparison.situation
    call, spot = situation.margin_call_price, situation.spot

    def gain(hedge: MeasuredHedge | None, at: float) -> float:
        gold = situation.units * at - situation.portfolio_value
        return gold if hedge is None else gold + payoff_at(hedge.plan, situation, at) - hedge.cost.total_cost

    series = _lines(comparison, gain, picked)
    series[0]["markLine"] = marks(
        colours,
        mark({"xAxis": call}, f"call {price(call)}", colours.call),
        mark({"xAxis": spot}, f"now {price(spot)}", colours.text),
    )
    axis = axes(colours, spot * LOWEST, spot * HIGHEST)
    axis["yAxis"] |= {"axisLabel": axis_label("v => (v / 1000).toFixed(0) + 'k'", colours)}
    axis["tooltip"] |= {":valueFormatter": "v => '$ ' + Math.round(v).toLocaleString('en-US')"}
    return {**axis, "series": series}


def cost_options(comparison: Comparison, colours: ChartColours, picked: str) -> dict[str, Any]:
    """Cost a year against LTV at the call price: lower left is better."""
    of_hedges = hedge_colours(hedge.plan.name for hedge in comparison.hedges)
    points = [
        {
            "name": hedge.plan.title,
            "value": [hedge.cost.annualized_cost_pct, hedge.protection.hedged_ltv_at_threshold],
            "itemStyle": {"color": of_hedges[hedge.plan.name]},
            "symbolSize": 18 if hedge.plan.name == picked else 12,
            "label": {"position": "left" if index % 2 else "right"},
        }
        for index, hedge in enumerate(comparison.hedges)
    ]
    base = axes(colours, 0, 1)
    percent = axis_label("v => +(v * 100).toFixed(1) + ' %'", colours)
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
                "labelLayout": {"hideOverlap": True, "moveOverlap": "shiftY"},
            }
        ],
    }


def _lines(
    comparison: Comparison, value: Callable[[MeasuredHedge | None, float], float], picked: str
) -> list[dict[str, Any]]:
    """A line for no hedge, dashed, and one a hedge; the chosen one is wide."""
    prices = prices_of(comparison)
    colours = hedge_colours(hedge.plan.name for hedge in comparison.hedges)
    return [
        _line(
            NO_HEDGE if hedge is None else hedge.plan.title,
            [[round(at, 4), round(value(hedge, at), 6)] for at in prices],
            colours[UNHEDGED if hedge is None else hedge.plan.name],
            dashed=hedge is None,
            wide=hedge is not None and hedge.plan.name == picked,
        )
        for hedge in (None, *comparison.hedges)
    ]


def _line(name: str, points: list[list[float]], colour: str, *, dashed: bool, wide: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": points,
        "showSymbol": False,
        "z": 4 if wide else 2,
        "lineStyle": {"width": 3.5 if wide else 1.6, "type": "dashed" if dashed else "solid", "color": colour},
        "itemStyle": {"color": colour},
    }
