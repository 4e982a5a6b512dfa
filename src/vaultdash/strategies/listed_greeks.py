"""Volatility and Greeks of listed options, each at its own implied volatility."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from vaultdash.domain.hedge_verdict import Greeks
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption
from vaultdash.pricing import american, implied_volatility
from vaultdash.pricing.compiled import Engine, ready_engine

DAYS_PER_YEAR = 365.0
VOLATILITY_POINT = 0.01
UNKNOWN = Greeks()

OptionGreeks = Mapping[ListedOption, Greeks | None]


def volatilities(
    options: Sequence[ListedOption], case: HedgeCase, *, engine: Engine | None = None
) -> tuple[float | None, ...]:
    """Volatility of each option, a fraction: its own, else that of its mid by the American model, else None.

    An expired one needs none and gets 0.
    """
    found: list[float | None] = [
        0.0 if case.years_to(option.expiration) == 0 else option.volatility for option in options
    ]
    missing = [place for place, each in enumerate(found) if each is None and options[place].mid is not None]
    if missing:
        asked = [options[place] for place in missing]
        implied = implied_volatility(
            np.array([option.mid for option in asked], dtype=np.float64),
            case.spot,
            np.array([option.strike for option in asked]),
            np.array([case.years_to(option.expiration) for option in asked]),
            case.rate,
            case.dividend_yield,
            np.array([option.right.value for option in asked]),
            engine=engine or ready_engine(),
        )
        for place, value in zip(missing, implied.value.tolist(), strict=True):
            found[place] = value if math.isfinite(value) else None
    return tuple(found)


def option_greeks(options: Sequence[ListedOption], case: HedgeCase, *, engine: Engine | None = None) -> OptionGreeks:
    """Greeks of one share's option, for each distinct one, by the American model; None without a volatility.

    Delta USD per USD, gamma per USD^2, vega per volatility point, theta per calendar day.
    """
    chosen = list(dict.fromkeys(options))
    known = dict(zip(chosen, volatilities(chosen, case, engine=engine), strict=True))
    priced = [option for option in chosen if known[option] is not None]
    found: dict[ListedOption, Greeks | None] = dict.fromkeys(chosen)
    if priced:
        value = american(
            case.spot,
            np.array([option.strike for option in priced]),
            np.array([case.years_to(option.expiration) for option in priced]),
            case.rate,
            case.dividend_yield,
            np.array([known[option] for option in priced], dtype=np.float64),
            np.array([option.right.value for option in priced]),
            engine=engine or ready_engine(),
        )
        rows = zip(
            value.delta.tolist(),
            value.gamma.tolist(),
            (value.vega * VOLATILITY_POINT).tolist(),
            (value.theta / DAYS_PER_YEAR).tolist(),
            strict=True,
        )
        found.update(zip(priced, (Greeks(*row) for row in rows), strict=True))
    return found


def hedge_greeks(hedge: ListedHedge, known: OptionGreeks) -> Greeks:
    """The sum over the legs; all None when one of them is not known, zero without legs."""
    parts = [(leg.shares, known[leg.option]) for leg in hedge.legs]
    if any(each is None for _, each in parts):
        return UNKNOWN

    def total(name: str) -> float:
        return math.fsum(shares * getattr(each, name) for shares, each in parts)

    return Greeks(total("delta"), total("gamma"), total("vega"), total("theta"))
