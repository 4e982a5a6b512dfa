"""The forward that call and put prices agree on, and the yield it implies: what S and the rate do not explain."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.domain.validation import finite, not_negative, positive
from vaultdash.pricing.american import american_price
from vaultdash.pricing.base import FloatArray, Numbers
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.european import european
from vaultdash.pricing.implied import implied_volatility

NEAR = 0.03  # |ln(K/S)| of the pairs that count
LEAST_PAIRS = 3
HIGHEST_YIELD = 0.03  # a year, up or down; what holding gold pays or costs stays well below it
WORST_YIELD_ERROR = 0.0035  # a year; with moments two and a third standard errors apart the yield is 1 % wrong
FARTHEST_SPOT = 0.01  # by which the options may price the share apart from the price they were read with
SPOT_ERROR = 3e-3  # of spot: what a share at a volatility of 25 % moves in the quarter of an hour quotes may be late
NO_YIELD_SAYS = (1e-3, 0.01)  # of spot, and of it a year: a larger gap is another moment rather than a yield
TICK_ERROR = 0.004  # USD: two mids on a tick of a cent
MEDIAN_ERROR = 1.2533  # standard error of a median against that of a mean
DEVIATION = 1.4826  # standard deviation of a normal over the median absolute one
MOST_VALUED = 9  # strikes at which early exercise is valued; it is smooth in between
MOST_ROUNDS = 8
DAYS_PER_YEAR = 365
SETTLED = 1e-7
SEARCHED_YIELD = 0.5  # a year, up or down: beyond it early exercise is not valued
EXPIRED = "The options have expired: there is no yield left to tell."


class ForwardBasis(StrEnum):
    """Where an effective yield is from."""

    PARITY = "parity"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, eq=False)
class ParityForward:
    """The forward of one expiry, USD, and the effective yield q in F = spot exp((r - q) T).

    `spot` is the price that goes with forward and yield: the one given, or, when only the forward could be told, the
    one that the options imply with no yield. `pairs` counts what was used; `forward_error` is the standard error in
    USD and `yield_error` a year (infinite without pairs). `residuals`, USD, are by how much C - P, without what
    early exercise is worth, exceeds exp(-rT) (F - K), at `strikes`. `remark` says in a sentence or two why a yield is
    assumed, and is empty when it is not.
    """

    forward: float
    effective_yield: float
    basis: ForwardBasis
    spot: float
    pairs: int
    forward_error: float
    yield_error: float
    strikes: FloatArray
    residuals: FloatArray
    remark: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Calls and puts of one expiry at the same strikes, ascending: mids and the sum of both spreads, USD."""

    strike: FloatArray
    call_mid: FloatArray
    put_mid: FloatArray
    spread: FloatArray


def pairs_of(strike: Numbers, sign: Numbers, bid: Numbers, ask: Numbers, usable: npt.ArrayLike = True) -> Pairs:
    """The strikes of one expiry at which call (`sign` +1) and put (-1) are both `usable`; one-dimensional arrays."""
    strikes, signs, bids, asks = np.broadcast_arrays(
        *(np.asarray(given, dtype=np.float64) for given in (strike, sign, bid, ask))
    )
    good = np.asarray(usable, dtype=np.bool_) & np.isfinite(bids) & np.isfinite(asks)
    calls, puts = np.flatnonzero(good & (signs > 0)), np.flatnonzero(good & (signs < 0))
    both, of_calls, of_puts = np.intersect1d(strikes[calls], strikes[puts], return_indices=True)
    call, put = calls[of_calls], puts[of_puts]
    mids, spreads = 0.5 * (bids + asks), asks - bids
    return Pairs(both, mids[call], mids[put], spreads[call] + spreads[put])


def parity_forward(
    strike: Numbers,
    call_mid: Numbers,
    put_mid: Numbers,
    spot: float,
    years: float,
    rate: float,
    spread: Numbers | None = None,
    engine: Engine = "kernel",
    spot_error: float = SPOT_ERROR,
) -> ParityForward:
    """The forward of one expiry of American options from its pairs with |ln(K/S)| <= 3 %.

    One-dimensional arrays of equal length, USD: strikes, mids of call and put, and optionally the sum of their
    spreads, by which pairs are weighted. `rate` continuous, `years` to expiry, `engine` as in `european`.
    `spot_error` is the standard error of `spot`, as a share of it, against the price the options were quoted by:
    0.003 for quotes of a running session, of which either may be a quarter of an hour late. Raises InvalidInput for
    lengths that differ and for a spot, years, rate or error that make no sense; rows that are not finite or not above
    zero are left out.

    F = median of K + exp(rT) (C - P), then q = r - ln(F/S)/T. Parity holds for European options; so at each (r, q)
    the volatility that each price implies gives the premium for early exercise, that is taken off, and the median
    taken again until q repeats itself.

    The yield is `assumed` to be 0 with fewer than 3 pairs, and when it is beyond 3 % or its standard error beyond
    0.35 % a year. The error holds `spot_error` / T, because a share price of another moment looks like a yield: with
    the usual one a yield is told from ten months on, and none that is told is wrong by more than 1 % as long as
    share and options lie less than 0.7 % apart. The forward stays that of the pairs, with the share price that they
    imply, unless it is beyond both 1 % of what the given spot and rate say and a yield of 3 %; then, and without
    pairs, it is S exp(rT).
    """
    positive("spot", spot)
    not_negative("years", years)
    finite("rate", rate)
    not_negative("spot_error", spot_error)
    pairs = _near_pairs(strike, call_mid, put_mid, spread, spot)
    carried = spot * math.exp(rate * years)
    nothing = np.zeros(0)
    if years == 0 or len(pairs.strike) < LEAST_PAIRS:
        remark = EXPIRED if years == 0 else _too_few(len(pairs.strike))
        return ParityForward(
            carried, 0.0, ForwardBasis.ASSUMED, spot, 0, math.inf, math.inf, nothing, nothing, remark
        )
    if spot_error / years <= WORST_YIELD_ERROR:
        fit = _settle(pairs, spot, years, rate, engine)
        yield_error = math.hypot(fit.error / fit.forward, spot_error) / years
        if abs(fit.dividend_yield) <= HIGHEST_YIELD and yield_error <= WORST_YIELD_ERROR:
            found = (len(pairs.strike), fit.error, yield_error, pairs.strike, fit.residuals)
            return ParityForward(fit.forward, fit.dividend_yield, ForwardBasis.PARITY, spot, *found)
    # Without its yield: what is left between forward and spot is a share price read at another moment.
    alone = _settle(pairs, spot, years, rate, engine, assumed_yield=0.0)
    yield_error = math.hypot(alone.error / alone.forward, spot_error) / years
    found = (len(pairs.strike), alone.error, yield_error, pairs.strike, alone.residuals)
    implied_spot = alone.forward * math.exp(-rate * years)
    told = _Told(spot, implied_spot, years, alone.dividend_yield, yield_error, spot_error)
    if told.is_absurd and abs(math.log(alone.forward / carried)) > FARTHEST_SPOT:
        off = alone.residuals + (alone.forward - carried) * math.exp(-rate * years)
        return ParityForward(carried, 0.0, ForwardBasis.ASSUMED, spot, *found[:4], off, told.unbelievable)
    return ParityForward(alone.forward, 0.0, ForwardBasis.ASSUMED, implied_spot, *found, told.unproven)


def _too_few(count: int) -> str:
    which = "1 strike near the share price has" if count == 1 else f"{count} strikes near the share price have"
    return f"{which} a call and a put to compare; {LEAST_PAIRS} are needed to tell a yield. It is taken as 0."


@dataclass(frozen=True, slots=True)
class _Told:
    """What the pairs say when it is not believed, and the sentences about it."""

    spot: float
    implied_spot: float
    years: float
    dividend_yield: float
    yield_error: float
    spot_error: float

    @property
    def is_absurd(self) -> bool:
        return abs(self.dividend_yield) > HIGHEST_YIELD

    @property
    def unbelievable(self) -> str:
        """For a forward that is not used either."""
        return (
            f"{self._apart}, which would be a yield of {self.dividend_yield:.1%} a year; more than "
            f"{HIGHEST_YIELD:.0%} is not believed. Forward and volatilities follow the share price, and no yield is "
            "assumed."
        )

    @property
    def unproven(self) -> str:
        """For a forward that is used without its yield."""
        follow = "Forward and volatilities follow the options, and no yield is assumed."
        least, a_year = NO_YIELD_SAYS
        explained = least + a_year * self.years
        if self.is_absurd or abs(self.implied_spot / self.spot - 1.0) > explained:
            return f"{self._apart}: the share price and the options seem to be of different moments. {follow}"
        if self.spot_error / self.years > WORST_YIELD_ERROR:
            return (
                f"{self._apart}. The expiry is too near, {self.years * DAYS_PER_YEAR:.0f} days ahead, to tell a "
                f"yield from a share price of another moment. {follow}"
            )
        said = f"{self.dividend_yield:.1%} +- {self.yield_error:.1%} a year"
        return f"The quotes of the pairs are too wide to tell a yield: {said}. {follow}"

    @property
    def _apart(self) -> str:
        gap = self.implied_spot - self.spot
        side = "above" if gap > 0 else "below"
        return f"The options price the share at {self.implied_spot:.2f} USD, {abs(gap):.2f} USD {side} its quote"


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    forward: float
    dividend_yield: float
    error: float
    residuals: FloatArray


def _near_pairs(strike: Numbers, call_mid: Numbers, put_mid: Numbers, spread: Numbers | None, spot: float) -> Pairs:
    columns = [np.asarray(given, dtype=np.float64) for given in (strike, call_mid, put_mid)]
    spreads = np.zeros_like(columns[0]) if spread is None else np.asarray(spread, dtype=np.float64)
    if any(column.ndim != 1 or column.shape != spreads.shape for column in columns):
        raise InvalidInput("strike", "and both mids and the spread must be one-dimensional and of equal length")
    with np.errstate(all="ignore"):
        near = np.abs(np.log(columns[0] / spot)) <= NEAR
        near &= (columns[1] > 0) & (columns[2] > 0) & np.isfinite(columns[1] + columns[2] + spreads)
    strikes, calls, puts = (column[near] for column in columns)
    return Pairs(strikes, calls, puts, np.maximum(spreads[near], 0.0))


def _settle(
    pairs: Pairs, spot: float, years: float, rate: float, engine: Engine, assumed_yield: float | None = None
) -> _Fit:
    """Forward and yield that agree with each other, or with `assumed_yield` and a spot of the options' own."""
    weight = 1.0 / np.maximum(pairs.spread, 2.0 * TICK_ERROR)
    shares = pairs.call_mid - pairs.put_mid
    growth = math.exp(rate * years)

    def forwards(premium: FloatArray) -> FloatArray:
        return np.asarray(pairs.strike + growth * (shares - premium))

    def told_by(each: FloatArray) -> float:
        forward = _median_forward(each, weight, spot)
        return forward if assumed_yield is not None else rate - math.log(forward / spot) / years

    def again(number: float) -> tuple[float, FloatArray]:
        if assumed_yield is None:
            carry = float(np.clip(number, -SEARCHED_YIELD, SEARCHED_YIELD))
            each = forwards(_early_exercise(pairs, spot, years, rate, carry, engine))
        else:
            each = forwards(_early_exercise(pairs, number / growth, years, rate, assumed_yield, engine))
        return told_by(each), each

    number = told_by(forwards(np.zeros_like(shares)))
    tolerance = SETTLED if assumed_yield is None else SETTLED * spot
    before: tuple[float, float] | None = None
    for _ in range(MOST_ROUNDS):
        found, each = again(number)
        gap = found - number
        if abs(gap) < tolerance:
            break
        slope = 0.0 if before is None else (gap - before[1]) / (number - before[0])
        before = number, gap
        # A secant step where the last two rounds allow one: the plain repetition closes in slowly on long expiries.
        number = number - gap / slope if slope < -0.2 else found
    forward = _median_forward(each, weight, spot)
    misses = each - forward
    share = weight / weight.sum()
    scatter = MEDIAN_ERROR * DEVIATION * float(np.median(np.abs(misses)))
    quoted = math.sqrt(float(share**2 @ pairs.spread**2) / 12.0)  # a mid is anywhere between bid and ask
    error = max(max(scatter, TICK_ERROR) * math.sqrt(float(share @ share)), quoted)
    return _Fit(forward, rate - math.log(forward / spot) / years, error, misses / growth)


def _early_exercise(
    pairs: Pairs, spot: float, years: float, rate: float, dividend_yield: float, engine: Engine
) -> FloatArray:
    """What early exercise adds to C - P by strike: American less European price, each at its own volatility."""
    some = np.unique(np.linspace(0, len(pairs.strike) - 1, MOST_VALUED).round().astype(np.intp))
    some = np.argsort(pairs.strike, kind="stable")[some]
    mids = np.concatenate([pairs.call_mid[some], pairs.put_mid[some]])
    strikes = np.concatenate([pairs.strike[some], pairs.strike[some]])
    rights = np.repeat([Right.CALL.value, Right.PUT.value], len(some))
    market = (spot, strikes, years, rate, dividend_yield)
    volatility = np.asarray(implied_volatility(mids, *market, rights, engine=engine)[0], dtype=np.float64)
    known = np.isfinite(volatility)
    # A price that allows no volatility at this yield borrows the other right's.
    volatility = np.where(known, volatility, np.roll(volatility, len(some)))
    volatility = np.where(np.isfinite(volatility), volatility, np.median(volatility[known]) if known.any() else 0.0)
    american = american_price(*market, volatility, rights, engine=engine)
    premium = american - european(*market, volatility, rights, engine=engine).price
    calls, puts = np.split(premium, 2)
    return np.asarray(np.interp(pairs.strike, pairs.strike[some], calls - puts))


def _median_forward(each: FloatArray, weight: FloatArray, spot: float) -> float:
    return min(max(_weighted_median(each, weight), 0.5 * spot), 2.0 * spot)  # beyond, the mids are nonsense


def _weighted_median(values: FloatArray, weight: FloatArray) -> float:
    order = np.argsort(values)
    sorted_values, reached = values[order], np.cumsum(weight[order])
    middle = 0.5 * reached[-1]
    place = int(np.searchsorted(reached, middle * (1.0 - 1e-12)))
    if abs(reached[place] - middle) <= 1e-12 * middle:  # exactly between two
        return float(0.5 * (sorted_values[place] + sorted_values[place + 1]))
    return float(sorted_values[place])
