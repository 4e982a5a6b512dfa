"""American options the slow way: QuantLib's boundary engine, and small moves of the inputs for the Greeks."""

import numpy as np
import numpy.typing as npt

from vaultdash.pricing.base import Contracts, FloatArray, Valuation, intrinsic
from vaultdash.pricing.european import value as european_value
from vaultdash.pricing.qdfp import Regime, boundary_prices, finite_differences, outweighed, regimes

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")
SPOT_STEP = 1e-3  # of spot; a tenth of the deviation to expiry where that is less
NARROW = 0.1
VOLATILITY_STEP = 1e-3
RATE_STEP = 1e-4
ROUNDING = 1e-13  # of strike
EXERCISED = 1e-6  # of strike; where rate or yield outweigh the volatility, less time value than that is noise
LEAST_DEVIATION = 1e-10  # to expiry; QuantLib stumbles over less, which no price shows

Mask = npt.NDArray[np.bool_]
Moves = dict[str, tuple[FloatArray, FloatArray]]


def reference_valuation(flat: Contracts, rho: bool) -> Valuation:
    """Price and Greeks of flat contracts; rho is NaN unless asked for.

    Price: QuantLib's QdFp engine, finite differences where there are two boundaries. Delta, gamma, vega and rho by
    central differences, theta from the Black-Scholes equation. With one boundary delta is between 0 and +-1, gamma
    and vega are not negative and theta not positive, whatever the noise in the prices. An option is exercised now,
    and its Greeks are those of its intrinsic value, where its time value is at most 1e-6 of the strike and rate or
    yield outweigh the volatility (`qdfp.outweighed`), and elsewhere where it has none.
    """
    result = european_value(flat)  # already right at expiry and where early exercise never pays
    for chosen, valued in (
        (kind(flat, Regime.ONE_BOUNDARY, certain=False), _one_boundary),
        (kind(flat, Regime.TWO_BOUNDARIES, certain=False), _two_boundaries),
        (kind(flat, Regime.ONE_BOUNDARY, certain=True), _certain),
        (kind(flat, Regime.TWO_BOUNDARIES, certain=True), _certain),
    ):
        if chosen.any():
            part = valued(rows_of(flat, chosen), rho)
            for name in NAMES:
                getattr(result, name)[chosen] = getattr(part, name)
    if not rho:
        result.rho[:] = np.nan
    return result


def rows_of(flat: Contracts, chosen: Mask) -> Contracts:
    """Some of the rows."""
    return Contracts(*(column[chosen] for column in flat))


def kind(flat: Contracts, regime: Regime, certain: bool) -> Mask:
    """Rows of a regime that are not at expiry, with no volatility to speak of (`certain`) or with some."""
    belongs = regimes(flat.rate, flat.dividend_yield, flat.sign) == regime
    is_certain = flat.volatility * np.sqrt(flat.years) < LEAST_DEVIATION
    return np.asarray(belongs & (flat.years > 0) & (is_certain == certain), dtype=np.bool_)


def reference_prices(flat: Contracts) -> FloatArray:
    """The price of `reference_valuation` alone, at a fifth of its time."""
    prices = _unsnapped_prices(flat)
    return np.where(_is_exercised(flat, prices), intrinsic(flat), prices)


def _is_exercised(flat: Contracts, price: FloatArray) -> Mask:
    now = intrinsic(flat)
    is_strong = outweighed(flat) & (regimes(flat.rate, flat.dividend_yield, flat.sign) == Regime.ONE_BOUNDARY)
    least = np.where(is_strong & (flat.years > 0), EXERCISED, ROUNDING) * flat.strike
    return np.asarray((price <= now + least) & (now > 0), dtype=np.bool_)


def _unsnapped_prices(flat: Contracts) -> FloatArray:
    """Prices without a step to the intrinsic value, which a difference between two of them would take for a slope."""
    prices = european_value(flat).price
    for chosen, priced in (
        (kind(flat, Regime.ONE_BOUNDARY, certain=False), boundary_prices),
        (kind(flat, Regime.TWO_BOUNDARIES, certain=False), _difference_prices),
        (kind(flat, Regime.ONE_BOUNDARY, certain=True), _certain_prices),
        (kind(flat, Regime.TWO_BOUNDARIES, certain=True), _certain_prices),
    ):
        if chosen.any():
            prices[chosen] = np.maximum(prices[chosen], priced(rows_of(flat, chosen)))
    return np.maximum(prices, intrinsic(flat))


def _difference_prices(given: Contracts) -> FloatArray:
    return finite_differences(given).price


def _one_boundary(given: Contracts, rho: bool) -> Valuation:
    spot, deviation = given.spot, given.volatility * np.sqrt(given.years)
    width = spot * np.minimum(SPOT_STEP, NARROW * deviation)
    moves = {"spot": (spot + width, spot - width), **_moves(given, rho)}
    price, slopes, (above, below) = _slopes(given, moves)
    delta = np.clip(slopes["spot"], np.minimum(given.sign, 0.0), np.maximum(given.sign, 0.0))
    gamma = np.maximum((above - 2.0 * price + below) / width**2, 0.0)
    theta = given.rate * price - (given.rate - given.dividend_yield) * spot * delta
    theta -= 0.5 * (given.volatility * spot) ** 2 * gamma
    vega = np.maximum(slopes["volatility"], 0.0)
    greeks = (delta, gamma, vega, theta, slopes.get("rate", np.full_like(price, np.nan)))
    return _exercised_where_best(given, Valuation(price, *greeks))


def _two_boundaries(given: Contracts, rho: bool) -> Valuation:
    _, slopes, _ = _slopes(given, _moves(given, rho))
    own, whole = finite_differences(given), european_value(given)
    price = np.maximum(own.price, np.maximum(intrinsic(given), whole.price))
    # Between two borders that are so near that the rate cannot move, early exercise gains next to nothing.
    rates = np.where(np.isnan(slopes["rate"]), whole.rho, slopes["rate"]) if rho else own.rho
    return _exercised_where_best(
        given, Valuation(price, own.delta, own.gamma, slopes["volatility"], own.theta, rates)
    )


def _moves(given: Contracts, rho: bool) -> Moves:
    bump = np.minimum(VOLATILITY_STEP, 0.5 * given.volatility)
    moves = {"volatility": (given.volatility + bump, given.volatility - bump)}
    if rho:
        # A difference between two pricing methods would measure their errors: stay on one side of the border.
        regime = regimes(given.rate, given.dividend_yield, given.sign)
        up, down = (
            np.where(regimes(moved, given.dividend_yield, given.sign) == regime, moved, given.rate)
            for moved in (given.rate + RATE_STEP, given.rate - RATE_STEP)
        )
        moves["rate"] = (up, down)
    return moves


def _slopes(given: Contracts, moves: Moves) -> tuple[FloatArray, dict[str, FloatArray], list[FloatArray]]:
    variants = [given, *(given._replace(**{name: side}) for name, sides in moves.items() for side in sides)]
    stacked = Contracts(*(np.concatenate(columns) for columns in zip(*variants, strict=True)))
    price, *moved = np.split(_unsnapped_prices(stacked), len(variants))
    slopes = {
        name: _slope(above - below, high - low)
        for (name, (high, low)), above, below in zip(moves.items(), moved[::2], moved[1::2], strict=True)
    }
    return price, slopes, moved[:2]


def _slope(rise: FloatArray, run: FloatArray) -> FloatArray:
    return np.divide(rise, run, out=np.full_like(rise, np.nan), where=run != 0)


def _exercised_where_best(given: Contracts, alive: Valuation) -> Valuation:
    exercised = _is_exercised(given, alive.price)
    return Valuation(
        np.where(exercised, intrinsic(given), alive.price),
        np.where(exercised, given.sign, np.clip(alive.delta, -1.0, 1.0)),
        np.where(exercised, 0.0, alive.gamma),
        np.where(exercised, 0.0, alive.vega),
        np.where(exercised, 0.0, np.minimum(alive.theta, 0.0)),  # more time never makes an American option cheaper
        np.where(exercised, 0.0, alive.rho),
    )


def _certain_prices(given: Contracts) -> FloatArray:
    return _certain(given, rho=False).price


def _certain(given: Contracts, rho: bool) -> Valuation:
    """Without volatility: the best of all exercise days, max over t of w (S exp(-qt) - K exp(-rt)), or nothing.

    The slope in t is zero where exp((r-q)t) = rK/(qS), so now, expiry and that day are the candidates.
    """
    spot, strike, years, rate, dividend_yield, _, sign = given
    with np.errstate(all="ignore"):
        turn = np.log(rate * strike / (dividend_yield * spot)) / (rate - dividend_yield)
    turn = np.where(np.isfinite(turn), np.clip(turn, 0.0, years), 0.0)
    days = np.stack([np.zeros_like(years), turn, years])
    shares, cash = spot * np.exp(-dividend_yield * days), strike * np.exp(-rate * days)
    best = np.argmax(sign * (shares - cash), axis=0)[None]
    day, share, money = (np.take_along_axis(column, best, axis=0)[0] for column in (days, shares, cash))
    worth = sign * (share - money)
    paid = np.where(worth > 0, sign, 0.0)
    waits_for_expiry = np.where(day == years, paid, 0.0)
    return Valuation(
        price=np.maximum(worth, 0.0),
        delta=paid * share / spot,
        gamma=np.zeros_like(years),
        vega=np.zeros_like(years),
        theta=waits_for_expiry * (dividend_yield * share - rate * money),
        rho=paid * day * money,
    )
