"""Cost a year against the deepest fall that is kept, for every candidate, beside what is no option."""

from typing import Any

from vaultdash.domain.hedge_verdict import AlternativeKind, Frontier, FrontierPoint
from vaultdash.domain.loan import HedgeCounting
from vaultdash.ui.components.chart import axes, axis_label
from vaultdash.ui.format import pct, usd
from vaultdash.ui.theme import UNHEDGED_COLOUR, ChartColours

SYMBOLS = {
    AlternativeKind.NOTHING: "circle",
    AlternativeKind.REPAY: "diamond",
    AlternativeKind.ADD_GOLD: "triangle",
    AlternativeKind.SELL_GOLD: "rect",
}
NAMES = {
    AlternativeKind.NOTHING: "do nothing",
    AlternativeKind.REPAY: "repay",
    AlternativeKind.ADD_GOLD: "add gold",
    AlternativeKind.SELL_GOLD: "sell gold",
}
LEAST_TOP = 0.06  # of the gold a year


def frontier_options(found: Frontier, colours: ChartColours, picked: frozenset[int]) -> dict[str, Any]:
    """Lower right is better. Dominated candidates are grey, those on the frontier gold; alternatives have shapes of
    their own; `picked` are places of points that lie on the workbench. The name of a point is its place.
    """
    grey, gold, other = [], [], []
    for place, point in enumerate(found.points):
        item = _item(place, point, big=place in picked, paid=is_paid(found.counting))
        if point.alternative is not None:
            other.append(item | _alternative(point.alternative, colours))
        elif point.dominated_by is None:
            gold.append(
                item
                | {
                    "itemStyle": {
                        "color": colours.gold,
                        "borderColor": colours.strong,
                        "borderWidth": int(place in picked),
                    }
                }
            )
        else:
            grey.append(item)
    base = axes(colours, 0, 1)
    percent = axis_label("v => +(v * 100).toFixed(1) + ' %'", colours)
    name = {"nameLocation": "middle", "nameTextStyle": {"color": colours.text}}
    line = sorted((each["value"] for each in gold), key=lambda value: (value[0], value[1]))
    return {
        "animation": False,
        "grid": base["grid"] | {"bottom": 44, "left": 56, "top": 16, "right": 18},
        "tooltip": base["tooltip"] | {"trigger": "item", ":formatter": "p => p.data.words || ''"},
        "xAxis": base["xAxis"]
        | name
        | {
            "min": 0,
            "max": round(-found.price_range[0] * 1.06, 3),
            "name": "deepest fall it repays" if is_paid(found.counting) else "deepest fall without a call",
            "nameGap": 26,
        }
        | {
            "axisLabel": axis_label("v => (v > 0 ? '−' : '') + Math.round(v * 100) + ' %'", colours)
            | {"showMaxLabel": False}
        },
        "yAxis": base["yAxis"]
        | name
        | {"name": "cost a year, of the gold", "nameGap": 42, "axisLabel": percent, "max": _top(found)},
        "series": [
            _cloud("dominated", grey, colours.off, 6, 1),
            {
                "type": "line",
                "step": "start",
                "data": line,
                "showSymbol": False,
                "silent": True,
                "lineStyle": {"color": colours.gold, "width": 1, "opacity": 0.5},
            },
            _cloud("on the frontier", gold, colours.gold, 11, 3),
            _cloud("no option", other, UNHEDGED_COLOUR, 13, 4),
        ],
    }


def _top(found: Frontier) -> float:
    """The upper end of the costs that are drawn: what is far dearer than all that matters would hide the rest."""
    kept = [one.cost_per_year_pct for one in found.points if one.dominated_by is None or one.alternative is not None]
    dearest = max((one.cost_per_year_pct for one in found.points), default=0.01)
    return round(min(dearest, max(2.0 * max(kept, default=0.0), LEAST_TOP)) + 0.001, 3)


def is_paid(counting: HedgeCounting) -> bool:
    """True where hedges are counted once they are sold: the call comes, and they answer it."""
    return counting is HedgeCounting.AFTER_PAYMENT


def point_words(point: FrontierPoint, *, paid: bool) -> str:
    """What a point is, for its tooltip; plain text. `paid` where options count only once they are sold."""
    does = "sold at once it repays" if paid and point.alternative is None else "no call"
    kept = "called now" if point.deepest_fall is None else f"{does} down to {pct(-abs(point.deepest_fall))}"
    capital = f", {usd(point.capital)} put in" if point.capital else ""
    cost = f"{pct(point.cost_per_year_pct, 2)} a year ({usd(point.net_cost)}{capital})"
    return f"{point.title}: {cost}, {kept}, worst LTV {pct(min(point.worst_ltv, 9.0))}"


def _item(place: int, point: FrontierPoint, *, big: bool, paid: bool) -> dict[str, Any]:
    fall = 0.0 if point.deepest_fall is None else abs(point.deepest_fall)
    found: dict[str, Any] = {
        "name": NAMES[point.alternative] if point.alternative is not None else point.title,
        "value": [round(fall, 5), round(point.cost_per_year_pct, 6)],
        "place": place,
        "words": point_words(point, paid=paid).replace("&", "&amp;").replace("<", "&lt;"),
    }
    return found | {"symbolSize": 18} if big else found


def _alternative(kind: AlternativeKind, colours: ChartColours) -> dict[str, Any]:
    return {"symbol": SYMBOLS[kind], "itemStyle": {"color": colours.puts}}


def _cloud(name: str, data: list[dict[str, Any]], colour: str, size: int, z: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "data": data,
        "symbolSize": size,
        "z": z,
        "itemStyle": {"color": colour},
        "cursor": "pointer",
    }
