"""How likely a margin call is, when, and how far it is: closed forms for gold that moves as a Brownian motion."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, overload

import numpy as np

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import LTV_TOLERANCE
from vaultdash.domain.portfolio import TRADING_DAYS, sigmas_to_price
from vaultdash.domain.validation import finite, not_negative, open_fraction, positive
from vaultdash.pricing.base import FloatArray, Numbers
from vaultdash.risk.first_passage import ever_probability, mean_touch_time, touch_probabilities, touch_probability

Monitoring = Literal["continuous", "daily"]
MONITORINGS: tuple[Monitoring, ...] = get_args(Monitoring)
DAILY_SHIFT = 0.5826  # -zeta(1/2)/sqrt(2 pi), Broadie, Glasserman and Kou 1997
ROOT_DAY = math.sqrt(1.0 / TRADING_DAYS)
LONGEST_YEARS = 1000.0
NUMBER = (float, int)

distance_in_sigmas = sigmas_to_price


@dataclass(frozen=True, slots=True)
class TimeToCall:
    """When a call comes, years from now.

    `median` and `tenth` are the times by which half and a tenth of all courses have led to a call; None when fewer
    ever do, or only after more than a thousand years. `ever` is the probability of a call at all. `expected` is the
    mean time of the call in the courses that lead to one within `years`, and `within` is their share.
    """

    median: float | None
    tenth: float | None
    ever: float
    years: float
    within: float
    expected: float | None


@overload
def call_probability(
    spot: float,
    call_price: float,
    years: float,
    volatility: float,
    drift: float = ...,
    loan_rate: float = ...,
    monitoring: Monitoring = ...,
) -> float: ...
@overload
def call_probability(
    spot: Numbers,
    call_price: Numbers,
    years: Numbers,
    volatility: Numbers,
    drift: Numbers = ...,
    loan_rate: Numbers = ...,
    monitoring: Monitoring = ...,
) -> float | FloatArray: ...
def call_probability(
    spot: Any,
    call_price: Any,
    years: Any,
    volatility: Any,
    drift: Any = 0.0,
    loan_rate: Any = 0.0,
    monitoring: Monitoring = "continuous",
) -> float | FloatArray:
    """The chance that the price falls to the call price H within `years`: numbers in, a float out; arrays, an array.

    `spot` and `call_price` USD, `volatility` per sqrt(year), `drift` mu of the price and `loan_rate` i, at which the
    loan and with it H grow, continuous per year. At H and below it, up to 1e-9 of the LTV, the call is there: 1.
    "continuous" watches every moment; "daily" every close (dt = 1/252) by moving H to H exp(-0.5826 sigma sqrt(dt))
    (Broadie, Glasserman and Kou 1997), an approximation that is best over many days. Without volatility the answer is
    whether the drift leads to H. Raises InvalidInput naming the argument.
    """
    shift = _shift(monitoring)
    if not (
        type(spot) is float
        and type(call_price) is float
        and type(years) is float
        and type(volatility) is float
        and type(drift) is float
        and type(loan_rate) is float
        and 0.0 < spot < math.inf
        and 0.0 < call_price < math.inf
        and 0.0 <= years < math.inf
        and 0.0 <= volatility < math.inf
        and -math.inf < drift < math.inf
        and -math.inf < loan_rate < math.inf
    ):  # the rest, and what is wrong, may take its time
        given = (spot, call_price, years, volatility, drift, loan_rate)
        if not all(isinstance(each, NUMBER) for each in given):
            return _of_arrays(*given, shift)
        spot, call_price = positive("spot", spot), positive("call_price", call_price)
        years, volatility = not_negative("years", years), not_negative("volatility", volatility)
        drift, loan_rate = finite("drift", drift), finite("loan_rate", loan_rate)
    distance = _distance(spot, call_price)
    if distance <= LTV_TOLERANCE:
        return 1.0
    return touch_probability(distance + shift * volatility, years, volatility, drift - loan_rate)


def ever_called(
    spot: float,
    call_price: float,
    volatility: float,
    drift: float = 0.0,
    loan_rate: float = 0.0,
    monitoring: Monitoring = "continuous",
) -> float:
    """The chance of a call however long one waits: 1 when nu = drift - loan_rate - sigma^2/2 is not above 0."""
    distance, growth = _watched(spot, call_price, volatility, drift, loan_rate, monitoring)
    return 1.0 if distance is None else ever_probability(distance, float(volatility), growth)


def time_to_call(
    spot: float,
    call_price: float,
    volatility: float,
    drift: float = 0.0,
    loan_rate: float = 0.0,
    monitoring: Monitoring = "continuous",
    years: float = 1.0,
) -> TimeToCall:
    """When the call comes; arguments as in `call_probability`, `years` is the horizon of the expected time."""
    distance, growth = _watched(spot, call_price, volatility, drift, loan_rate, monitoring)
    horizon, width = not_negative("years", years), float(volatility)
    if distance is None:
        return TimeToCall(0.0, 0.0, 1.0, horizon, 1.0, 0.0)
    return TimeToCall(
        median=_quantile(0.5, distance, width, growth),
        tenth=_quantile(0.1, distance, width, growth),
        ever=ever_probability(distance, width, growth),
        years=horizon,
        within=touch_probability(distance, horizon, width, growth),
        expected=mean_touch_time(distance, horizon, width, growth),
    )


def gap_risk(
    call_ltv: float,
    close_out_ltv: float,
    cure_days: float,
    volatility: float,
    drift: float = 0.0,
    loan_rate: float = 0.0,
    monitoring: Monitoring = "continuous",
) -> float:
    """The chance that, from the call price on, the close-out price is reached within the cure days: curing too late.

    `call_probability` with x = ln(c/m) and T = business days / 252.
    """
    call, sale = open_fraction("call_ltv", call_ltv), open_fraction("close_out_ltv", close_out_ltv)
    if sale < call:
        raise InvalidInput("close_out_ltv", f"must not be below the margin-call LTV of {call_ltv}")
    years = not_negative("cure_days", cure_days) / TRADING_DAYS
    return call_probability(sale, call, years, volatility, drift, loan_rate, monitoring)


def ltv_for_probability(
    probability: float,
    years: float,
    volatility: float,
    call_ltv: float,
    drift: float = 0.0,
    loan_rate: float = 0.0,
    monitoring: Monitoring = "continuous",
) -> float:
    """The highest LTV today at which a call at `call_ltv` within `years` is at most that probable.

    The reverse of `call_probability`, whose spot / call price is `call_ltv` / LTV. Always below `call_ltv`.
    """
    wanted, limit = open_fraction("probability", probability), open_fraction("call_ltv", call_ltv)
    time, width = not_negative("years", years), not_negative("volatility", volatility)
    growth = finite("drift", drift) - finite("loan_rate", loan_rate)
    shift = _shift(monitoring) * width
    near = 2.0 * LTV_TOLERANCE

    def is_safe(distance: float) -> bool:
        return touch_probability(distance + shift, time, width, growth) <= wanted

    far = max(near, width * math.sqrt(time))
    while not is_safe(far):
        if far > 1e4:  # exp(-1e4) is no loan any more
            return 0.0
        far *= 2.0
    return limit * math.exp(-_edge(is_safe, near, far))


def _edge(is_beyond: Callable[[float], bool], near: float, far: float) -> float:
    """The smallest number from `near` to `far` at which the statement holds; it holds at `far` and ever after."""
    if is_beyond(near):
        return near
    while True:
        middle = 0.5 * (near + far)
        if not near < middle < far:
            return far
        if is_beyond(middle):
            far = middle
        else:
            near = middle


def _quantile(share: float, distance: float, volatility: float, growth: float) -> float | None:
    def is_reached(years: float) -> bool:
        return touch_probability(distance, years, volatility, growth) >= share

    if not is_reached(LONGEST_YEARS):
        return None
    late = 1.0 / TRADING_DAYS
    while not is_reached(late):
        late = min(2.0 * late, LONGEST_YEARS)
    return _edge(is_reached, 0.0, late)


def _watched(
    spot: float, call_price: float, volatility: float, drift: float, loan_rate: float, monitoring: Monitoring
) -> tuple[float | None, float]:
    """ln(S/H) with the shift of the monitoring, None when the call is there; and the growth of S over H."""
    shift = _shift(monitoring) * not_negative("volatility", volatility)
    distance = _distance(positive("spot", spot), positive("call_price", call_price))
    growth = finite("drift", drift) - finite("loan_rate", loan_rate)
    return (None if distance <= LTV_TOLERANCE else distance + shift), growth


def _shift(monitoring: Monitoring) -> float:
    if monitoring == "continuous":
        return 0.0
    if monitoring == "daily":
        return DAILY_SHIFT * ROOT_DAY
    raise InvalidInput("monitoring", f"must be one of {', '.join(MONITORINGS)}, not {monitoring!r}")


def _distance(spot: float, call_price: float) -> float:
    ratio = spot / call_price
    return math.log(ratio) if 0.0 < ratio < math.inf else math.log(spot) - math.log(call_price)


def _of_arrays(
    spot: Numbers,
    call_price: Numbers,
    years: Numbers,
    volatility: Numbers,
    drift: Numbers,
    loan_rate: Numbers,
    shift: float,
) -> FloatArray:
    given = {
        "spot": _numbers("spot", spot, 0.0, exclusive=True),
        "call_price": _numbers("call_price", call_price, 0.0, exclusive=True),
        "years": _numbers("years", years, 0.0),
        "volatility": _numbers("volatility", volatility, 0.0),
        "drift": _numbers("drift", drift),
        "loan_rate": _numbers("loan_rate", loan_rate),
    }
    shape: tuple[int, ...] = ()
    for argument, array in given.items():
        try:
            shape = np.broadcast_shapes(shape, array.shape)
        except ValueError:
            reason = f"has shape {array.shape}, which does not broadcast with {shape} of the arguments before it"
            raise InvalidInput(argument, reason) from None
    price, level, time, width, own, owed = np.broadcast_arrays(*given.values())
    with np.errstate(over="ignore", under="ignore"):
        ratio = price / level
        usual = (ratio > 0.0) & (ratio < np.inf)
        distance = np.where(usual, np.log(np.where(usual, ratio, 1.0)), np.log(price) - np.log(level))
        growth = own - owed
    is_called = distance <= LTV_TOLERANCE
    far = np.where(is_called, 1.0, distance) + shift * width
    return np.where(is_called, 1.0, touch_probabilities(far, time, width, growth))


def _numbers(argument: str, value: Numbers, least: float = -math.inf, exclusive: bool = False) -> FloatArray:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufO":  # neither text, though it may look like a number, nor dates
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(argument, "must be a number or an array of numbers") from None
    if not np.isfinite(array).all():
        raise InvalidInput(argument, "must be finite everywhere")
    if (array < least).any() or (exclusive and (array == least).any()):
        wanted = "be above zero" if exclusive else "not be negative"
        raise InvalidInput(argument, f"must {wanted}, not {array.min():g}")
    return array
