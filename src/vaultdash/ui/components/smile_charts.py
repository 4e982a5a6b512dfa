"""Volatility by strike and by expiry: what the quotes imply, and the smile fitted through the good ones."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from vaultdash.domain.option import Right
from vaultdash.pricing.surface import SmileFit, SmileModel, VolatilitySurface
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.ui.components.chart import axes, axis_label, mark, marks
from vaultdash.ui.format import day, number, pct, price
from vaultdash.ui.theme import ChartColours

CURVE_POINTS = 121
LOWEST, HIGHEST = 0.7, 1.35  # of the price: where smiles are looked at
PERCENT = "v => +(v * 100).toFixed(1) + ' %'"
MODEL_WORDS = {
    SmileModel.SVI: "a smile of its own (SVI)",
    SmileModel.SSVI: "the shape of all expiries (SSVI)",
    SmileModel.NEIGHBOUR: "read off the expiries around it",
    SmileModel.FLAT: "one volatility for all strikes",
}
KINDS = ("puts", "calls", "in the money", "not used")


def fit_of(surface: VolatilitySurface | None, expiration: date) -> SmileFit | None:
    """The slice of an expiration, when the surface has one."""
    slices = surface.slices if surface else ()
    return next((fit for fit in slices if fit.expiration == expiration), None)


def smile_options(
    chain: PricedChain, surface: VolatilitySurface | None, call: float | None, colours: ChartColours
) -> dict[str, Any]:
    """Implied volatility over the strike: out-of-the-money quotes filled, others hollow, and the fitted curve."""
    spot = chain.underlying.price
    points = _points(chain)
    fit = fit_of(surface, chain.expiration)
    good = [at for kind in KINDS[:2] for at in points[kind]]
    near = [at[0] for at in good if LOWEST * spot <= at[0] <= HIGHEST * spot]
    edges = [*near, spot, *([call] if call and call > 0.5 * spot else [])]
    lowest, highest = min(edges) - 0.02 * spot, max(edges) + 0.02 * spot
    series = [_cloud(kind, points[kind], colours) for kind in KINDS]
    curve = _curve(surface, fit, chain.years, lowest, highest)
    line = {
        "name": "fitted",
        "type": "line",
        "data": curve,
        "showSymbol": False,
        "lineStyle": {"width": 2, "color": colours.gold},
        "itemStyle": {"color": colours.gold},
        "z": 3,
    }
    known = [mark({"xAxis": spot}, f"now {price(spot)}", colours.text)]
    if call is not None:
        known.append(mark({"xAxis": call}, f"call {price(call)}", colours.call))
    series.append(line | {"markLine": marks(colours, *known)})
    base = axes(colours, lowest, highest)
    heights = [at[1] for at in [*good, *curve] if lowest <= at[0] <= highest]
    base["yAxis"] |= {"axisLabel": axis_label(PERCENT, colours)} | _height(heights)
    base["xAxis"] |= {"name": "strike", "nameLocation": "middle", "nameGap": 24}
    base["xAxis"] |= {"nameTextStyle": {"color": colours.text, "fontSize": 11}}
    base["grid"] |= {"top": 48, "bottom": 42}
    base["tooltip"] |= {
        "trigger": "item",
        ":formatter": "p => p.seriesName + ' ' + p.value[0] + '<br>' + (p.value[1] * 100).toFixed(1) + ' %'",
    }
    return {**base, "legend": _legend(colours), "series": series}


def term_options(
    chains: Sequence[PricedChain], surface: VolatilitySurface, chosen: date, colours: ChartColours
) -> dict[str, Any]:
    """At-the-money volatility over the days to expiry, of the expirations that have been loaded."""
    days = {chain.expiration: chain.days_to_expiry for chain in chains}
    fits = [fit for fit in surface.slices if fit.expiration in days]
    data = [
        {
            "name": day(fit.expiration) + (", few quotes" if fit.is_sparse else ""),
            "value": [days[fit.expiration], atm_volatility(surface, fit)],
            "symbol": "emptyCircle" if fit.is_sparse else "circle",
            "symbolSize": 13 if fit.expiration == chosen else 8,
        }
        for fit in fits
    ]
    longest = max((days[fit.expiration] for fit in fits), default=30)
    base = axes(colours, 0, max(longest * 1.06, 30))
    base["yAxis"] |= {"axisLabel": axis_label(PERCENT, colours)}
    base["yAxis"] |= _height([atm_volatility(surface, fit) for fit in fits])
    base["xAxis"] |= {"name": "days to expiry", "nameLocation": "middle", "nameGap": 24}
    base["xAxis"] |= {"nameTextStyle": {"color": colours.text, "fontSize": 11}}
    base["grid"] |= {"bottom": 42}
    base["tooltip"] |= {
        "trigger": "item",
        ":formatter": "p => p.name + '<br>' + (p.value[1] * 100).toFixed(1) + ' % at the money'",
    }
    line = {"width": 1.5, "color": colours.gold}
    return {
        **base,
        "series": [{"type": "line", "data": data, "lineStyle": line, "itemStyle": {"color": colours.gold}}],
    }


def atm_volatility(surface: VolatilitySurface, fit: SmileFit) -> float:
    """Volatility at the forward of an expiry, a fraction."""
    return float(np.sqrt(surface.variance_rate(0.0, fit.years)))


def fit_words(surface: VolatilitySurface | None, expiration: date) -> str:
    """How the smile of an expiration was found and how well it fits."""
    fit = fit_of(surface, expiration)
    if surface is None or fit is None:
        return "No smile: too few usable quotes."
    atm = pct(atm_volatility(surface, fit))
    if not fit.quotes:
        return f"At the money {atm}: {MODEL_WORDS[fit.model]}."
    return (
        f"At the money {atm}: {MODEL_WORDS[fit.model]}, from {fit.quotes} quotes, "
        f"off by {number(fit.rms_error * 100, 2)} volatility points on average (rms), "
        f"{number(fit.max_error * 100, 2)} at most."
    )


def _points(chain: PricedChain) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for option in chain.options:
        if option.implied_volatility is not None:
            strike = option.quote.contract.strike
            found[_kind(option, chain.forward)].append([strike, round(option.implied_volatility, 5)])
    return found


def _kind(option: PricedOption, forward: float) -> str:
    if not option.is_usable:
        return "not used"
    is_put = option.quote.contract.right is Right.PUT
    outside = option.quote.contract.strike < forward if is_put else option.quote.contract.strike >= forward
    return "in the money" if not outside else "puts" if is_put else "calls"


def _cloud(kind: str, points: list[list[float]], colours: ChartColours) -> dict[str, Any]:
    colour = {"puts": colours.puts, "calls": colours.calls}.get(
        kind, colours.text if kind != "not used" else colours.off
    )
    filled = kind in KINDS[:2]
    style = {"color": colour if filled else "transparent", "borderColor": colour, "borderWidth": 1}
    return {
        "name": kind,
        "type": "scatter",
        "data": points,
        "symbol": "diamond" if kind == "calls" else "circle",
        "symbolSize": 7 if filled else 6,
        "itemStyle": style if filled else style | {"opacity": 0.75},
        "z": 4 if filled else 2,
    }


def _curve(
    surface: VolatilitySurface | None, fit: SmileFit | None, years: float, lowest: float, highest: float
) -> list[list[float]]:
    if surface is None or fit is None or years <= 0:
        return []
    strikes = np.linspace(max(lowest, 0.01), highest, CURVE_POINTS)
    pairs = zip(strikes, surface.volatility(strikes, fit.years), strict=True)
    return [[round(float(at), 2), round(float(volatility), 5)] for at, volatility in pairs]


def _height(values: Sequence[float]) -> dict[str, Any]:
    """The axis around what is shown, never so close that a flat smile looks steep."""
    if not values:
        return {"min": 0.0, "max": 0.4}
    middle, half = 0.5 * (min(values) + max(values)), max(0.6 * (max(values) - min(values)), 0.02)
    lowest, highest = math.floor(100 * (middle - half)) / 100, math.ceil(100 * (middle + half)) / 100
    return {"min": max(lowest, 0.0), "max": highest}


def _legend(colours: ChartColours) -> dict[str, Any]:
    return {
        "top": 2,
        "left": 0,
        "itemWidth": 14,
        "itemHeight": 8,
        "textStyle": {"color": colours.text, "fontSize": 11},
        "inactiveColor": colours.off,
        "data": [*KINDS, "fitted"],
    }
