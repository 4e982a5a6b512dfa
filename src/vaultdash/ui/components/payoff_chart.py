"""What hedges of listed contracts pay at expiry and what they make of the LTV, over the price, on one chart each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import hedged_ltv
from vaultdash.strategies.listed_protection import funded
from vaultdash.ui.components.chart import axes, axis_label, mark, marks
from vaultdash.ui.format import pct, price
from vaultdash.ui.theme import UNHEDGED_COLOUR, ChartColours

LOWEST, HIGHEST, STEPS = 0.4, 1.5, 110  # of spot
NO_HEDGE = "No hedge"
STRIKES = "strikes"  # the series that can be dragged
DOLLARS = "v => (v < 0 ? '−' : '') + '$ ' + Math.abs(v / 1000).toLocaleString('en-US') + 'k'"
WHOLE_DOLLARS = "v => (v < 0 ? '−' : '') + '$ ' + Math.abs(Math.round(v)).toLocaleString('en-US')"


@dataclass(frozen=True, slots=True)
class Line:
    """A hedge on a chart: its name, such as `A · put 370`, and the colour that it has everywhere."""

    name: str
    hedge: ListedHedge
    colour: str


def prices_of(lines: Sequence[Line], case: HedgeCase) -> list[float]:
    """Even steps, and every price at which a payoff bends."""
    lowest, highest = case.spot * LOWEST, case.spot * HIGHEST
    even = {lowest + (highest - lowest) * step / STEPS for step in range(STEPS + 1)}
    kinks = {strike for line in lines for strike in line.hedge.strikes if lowest < strike < highest}
    return sorted(even | kinks | {case.spot, case.call_price} if lowest < case.call_price < highest else even | kinks)


def ltv_at(hedge: ListedHedge | None, case: HedgeCase, at: float, counting: HedgeCounting) -> float:
    """Hedged LTV, a fraction, at a price, every leg at exercise value; the premium is owed or sold gold where it is
    not paid in cash.
    """
    loan = replace(case.loan, hedge_counting=counting)
    owed, units = (loan.amount, case.units) if hedge is None else funded(hedge, case)[:2]
    return hedged_ltv(owed, units * at, 0.0 if hedge is None else hedge.payoff(at), loan)


def gain_options(
    lines: Sequence[Line],
    chosen: int,
    case: HedgeCase,
    breakevens: Sequence[float],
    colours: ChartColours,
    *,
    with_gold: bool,
) -> dict[str, Any]:
    """Gain or loss in USD at expiry against today, premium paid: of the hedges alone, or of gold and hedge together.

    The break-evens of the chosen hedge alone are marked where it is shown alone.
    """
    at = prices_of(lines, case)

    def gain(hedge: ListedHedge | None, price: float) -> float:
        gold = case.units * (price - case.spot) if with_gold else 0.0
        return gold if hedge is None else gold + hedge.payoff(price) - hedge.net_cost

    series = [] if not with_gold else [_line(NO_HEDGE, None, at, gain, UNHEDGED_COLOUR, dashed=True)]
    series += [
        _line(line.name, line.hedge, at, gain, line.colour, wide=place == chosen) for place, line in enumerate(lines)
    ]
    if not series:
        series = [_line(NO_HEDGE, None, at, gain, UNHEDGED_COLOUR, dashed=True)]
    series[0]["markLine"] = marks(colours, *_uprights(case, colours))
    if chosen >= 0:
        line = lines[chosen]
        series.append(_handles(line, lambda price: gain(line.hedge, price), colours))
    if not with_gold and chosen >= 0:
        series[chosen]["markPoint"] = _breakevens(breakevens, lines[chosen].colour, colours)
    base = _base(case, colours)
    base["grid"] |= {"left": 62}
    base["yAxis"] |= {"axisLabel": axis_label(DOLLARS, colours)}
    base["tooltip"] |= {":valueFormatter": WHOLE_DOLLARS}
    return {**base, "series": series}


def ltv_options(
    lines: Sequence[Line], chosen: int, case: HedgeCase, counting: HedgeCounting, colours: ChartColours
) -> dict[str, Any]:
    """Hedged LTV at expiry over the price in one counting, the path without a hedge dashed, the call in red."""
    at, limit = prices_of(lines, case), case.loan.margin_call_ltv

    def ltv(hedge: ListedHedge | None, price: float) -> float:
        return min(max(ltv_at(hedge, case, price, counting), -1.0), 9.0)

    series = [_line(NO_HEDGE, None, at, ltv, UNHEDGED_COLOUR, dashed=True)]
    series += [
        _line(line.name, line.hedge, at, ltv, line.colour, wide=place == chosen) for place, line in enumerate(lines)
    ]
    top = round(max(1.0, case.ltv + 0.1), 1)
    call = mark({"yAxis": limit}, f"margin call {pct(limit, 0)}", colours.call)
    series[0]["markLine"] = marks(colours, call, *_uprights(case, colours))
    series[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": colours.call_area},
        "data": [[{"yAxis": limit}, {"yAxis": top}]],
    }
    lowest = min(point[1] for each in series for point in each["data"])
    base = _base(case, colours)
    base["yAxis"] |= {
        "min": 0.3 if lowest >= 0.3 else 0.0,
        "max": top,
        "axisLabel": axis_label("v => Math.round(v * 100) + ' %'", colours),
    }
    base["tooltip"] |= {":valueFormatter": "v => (v * 100).toFixed(1) + ' %'"}
    return {**base, "series": series}


def _base(case: HedgeCase, colours: ChartColours) -> dict[str, Any]:
    base = axes(colours, case.spot * LOWEST, case.spot * HIGHEST)
    base["grid"] |= {"top": 34}
    base["tooltip"] |= {"axisPointer": {"type": "line", "label": {"show": False}}}
    return base


def _uprights(case: HedgeCase, colours: ChartColours) -> list[dict[str, Any]]:
    """Where the price stands, and where the lender calls; labels at two heights, as they may be near each other."""
    spot = mark({"xAxis": round(case.spot, 4)}, f"now {price(case.spot)}", colours.gold)
    found = [spot | {"lineStyle": {"color": colours.gold, "type": "solid", "width": 1.5}}]
    if LOWEST * case.spot < case.call_price < HIGHEST * case.spot:
        call = mark({"xAxis": round(case.call_price, 4)}, f"call {price(case.call_price)}", colours.call)
        is_left = case.call_price < case.spot
        call["label"] |= {"align": "right" if is_left else "left"}
        found.append(call)
    return found


def _handles(line: Line, gain: Callable[[float], float], colours: ChartColours) -> dict[str, Any]:
    """What is dragged: a handle at each strike of the hedge that is worked on, with the place of its leg."""
    strikes = [leg.option.strike for leg in line.hedge.legs]
    return {
        "name": STRIKES,
        "type": "scatter",
        "symbol": "roundRect",
        "symbolSize": [11, 18],
        "cursor": "ew-resize",
        "z": 6,
        "itemStyle": {"color": line.colour, "borderColor": colours.surface, "borderWidth": 2},
        "tooltip": {"show": False},
        "data": [
            {"value": [round(strike, 4), round(gain(strike), 2)], "place": place}
            for place, strike in enumerate(strikes)
        ],
    }


def _breakevens(found: Sequence[float], colour: str, colours: ChartColours) -> dict[str, Any]:
    clear = 13  # pixels: beyond the handle of a strike that lies beside it
    label = {"color": colours.strong, "fontSize": 11, "formatter": "{b}", "distance": clear}
    return {
        "silent": True,
        "symbol": "circle",
        "symbolSize": 8,
        "itemStyle": {"color": colours.surface, "borderColor": colour, "borderWidth": 2},
        "data": [
            {
                "name": f"even {price(one)}",
                "coord": [round(one, 4), 0],
                "label": label | {"position": "bottom" if place % 2 else "top"},
            }
            for place, one in enumerate(found)
        ],
    }


def _line(
    name: str,
    hedge: ListedHedge | None,
    prices: Sequence[float],
    value: Callable[[ListedHedge | None, float], float],
    colour: str,
    *,
    dashed: bool = False,
    wide: bool = False,
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": [[round(at, 4), round(value(hedge, at), 5)] for at in prices],
        "showSymbol": False,
        "z": 4 if wide else 2,
        "lineStyle": {"width": 3 if wide else 1.6, "type": "dashed" if dashed else "solid", "color": colour},
        "itemStyle": {"color": colour},
    }
