"""American options: price and Greeks, by compiled kernels that solve for the exercise boundary."""

from dataclasses import replace

import numpy as np

from vaultdash.pricing.american_reference import (
    NAMES,
    RATE_STEP,
    Mask,
    reference_prices,
    reference_valuation,
    rows_of,
)
from vaultdash.pricing.base import Contracts, FloatArray, Numbers, Rights, Valuation, contracts, intrinsic
from vaultdash.pricing.compiled import Engine, answered
from vaultdash.pricing.european import european
from vaultdash.pricing.qdfp import Regime, regimes


def american(
    spot: Numbers,
    strike: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
    volatility: Numbers,
    right: Rights,
    rho: bool = False,
    engine: Engine = "kernel",
) -> Valuation:
    """Price and Greeks of American options; inputs, shapes, units and errors as in `european`.

    `rho` costs two more prices a contract, so it is all NaN unless asked for. `engine`: "kernel" is compiled code,
    within 1e-6 of the strike of QuantLib's high precision at yields up to 25 % and volatilities from 2 to 150 %;
    "reference" is QuantLib's accurate scheme, within 1e-5 of the strike, which is also what answers where nothing can
    be compiled. Where rate or yield outweigh the volatility (by three deviations to expiry, or 2 until expiry) the
    high-precision scheme itself answers either engine, and 1e-6 of the strike in time value counts as none; below a
    deviation to expiry of 0.005 it is too slow, and the accurate scheme's errors remain. Contracts that share expiry,
    rate and yield (a chain) cost a fraction of single ones.

    Price, delta, gamma and vega come from the integral over the exercise boundary (Andersen, Lake & Offengenden
    2016), theta from the Black-Scholes equation theta = r V - (r-q) S delta - sigma^2 S^2 gamma / 2, rho by a small
    move of the rate. European where exercise before expiry never pays (calls with q <= 0 <= r among them), finite
    differences where there are two boundaries (puts with q < r < 0). Where exercise now is best the option is its
    intrinsic value: delta is +1 or -1, the other Greeks are 0.
    """
    given = contracts(spot, strike, years, rate, dividend_yield, volatility, right)
    flat = Contracts(*(np.ravel(column) for column in given))
    result = answered(lambda: _by_kernel(flat, rho), lambda: reference_valuation(flat, rho), engine)
    return Valuation(*(getattr(result, name).reshape(given.spot.shape) for name in NAMES))


def american_price(
    spot: Numbers,
    strike: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
    volatility: Numbers,
    right: Rights,
    engine: Engine = "kernel",
) -> FloatArray:
    """The price of `american` alone."""
    given = contracts(spot, strike, years, rate, dividend_yield, volatility, right)
    flat = Contracts(*(np.ravel(column) for column in given))
    price = answered(lambda: _by_kernel(flat, rho=False).price, lambda: reference_prices(flat), engine)
    return price.reshape(given.spot.shape)


def _by_kernel(flat: Contracts, rho: bool) -> Valuation:
    from vaultdash.pricing import american_alive as alive  # numba comes with it

    def of_boundary(rows: Contracts) -> tuple[Valuation, Mask]:
        figures, is_sound = alive.alive_values(alive.puts(rows))
        rates = _rho(rows, figures[0]) if rho else np.full(len(rows.spot), np.nan)
        price, delta, gamma, vega, theta = figures
        return Valuation(price, delta, gamma, vega, theta, rates), is_sound

    never = regimes(flat.rate, flat.dividend_yield, flat.sign) == Regime.NEVER_EARLY
    chosen = alive.in_reach(flat)
    if chosen.size and chosen.all():
        whole, is_sound = of_boundary(flat)
        if is_sound.all():
            return whole
    result = Valuation(*(np.empty(len(flat.spot)) for _ in NAMES))
    if chosen.any():
        part, is_sound = of_boundary(rows_of(flat, chosen))
        _put(result, chosen, part)
        chosen[chosen] = is_sound
    if never.any():
        _put(result, never, _never_early(rows_of(flat, never), rho))
    rest = ~(chosen | never)
    if rest.any():
        _put(result, rest, reference_valuation(rows_of(flat, rest), rho))
    return result


def _never_early(rows: Contracts, rho: bool) -> Valuation:
    terms = (rows.spot, rows.strike, rows.years, rows.rate, rows.dividend_yield, rows.volatility)
    value = european(*terms, rows.sign.astype(np.int8))
    rates = value.rho if rho else np.full_like(value.rho, np.nan)
    return replace(value, price=np.maximum(value.price, intrinsic(rows)), rho=rates)  # rounding may be below it


def _put(result: Valuation, chosen: Mask, part: Valuation) -> None:
    for name in NAMES:
        getattr(result, name)[chosen] = getattr(part, name)


def _rho(rows: Contracts, price: FloatArray) -> FloatArray:
    """By a small move of the rate to both sides, or to one where the other side is priced differently."""
    from vaultdash.pricing import american_alive as alive

    regime = regimes(rows.rate, rows.dividend_yield, rows.sign)
    high, low = (
        np.where(regimes(moved, rows.dividend_yield, rows.sign) == regime, moved, rows.rate)
        for moved in (rows.rate + RATE_STEP, rows.rate - RATE_STEP)
    )
    sides = zip(rows._replace(rate=high), rows._replace(rate=low), strict=True)
    both = Contracts(*(np.concatenate(pair) for pair in sides))
    figures, _ = alive.alive_values(alive.puts(both))
    above, below = np.split(figures[0], 2)
    now = intrinsic(rows)
    return np.where((price <= now) & (now > 0), 0.0, (above - below) / (high - low))
