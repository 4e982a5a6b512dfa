"""What every pricer takes and gives: checked arrays in, price and Greeks out."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right

FloatArray = npt.NDArray[np.float64]
Numbers = npt.ArrayLike
Rights = str | npt.ArrayLike

# Beyond these, discount factors leave the range of a float; no market comes near.
LARGEST_EXPONENT = 500.0
LARGEST_DEVIATION = 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Price and Greeks of one share's option, float64 arrays of one shape.

    The shape is that to which the inputs broadcast; all-scalar input gives arrays of shape ().
    Theoretical units: price USD, delta per 1 USD, gamma per USD^2, vega per 1.00 of volatility, theta per year of
    calendar time (dV/dt, negative when the option decays), rho per 1.00 of the rate.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


class Contracts(NamedTuple):
    """Checked inputs of equal shape; `sign` is +1 for a call and -1 for a put."""

    spot: FloatArray
    strike: FloatArray
    years: FloatArray
    rate: FloatArray
    dividend_yield: FloatArray
    volatility: FloatArray
    sign: FloatArray


def contracts(
    spot: Numbers,
    strike: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
    volatility: Numbers,
    right: Rights,
) -> Contracts:
    """The inputs as float64 arrays broadcast to one shape; raises InvalidInput naming the argument at fault."""
    given = {
        "spot": _positive("spot", spot),
        "strike": _positive("strike", strike),
        "years": _not_negative("years", years),
        "rate": _finite("rate", rate),
        "dividend_yield": _finite("dividend_yield", dividend_yield),
        "volatility": _not_negative("volatility", volatility),
        "right": _signs(right),
    }
    shape: tuple[int, ...] = ()
    for argument, array in given.items():
        try:
            shape = np.broadcast_shapes(shape, array.shape)
        except ValueError:
            reason = f"has shape {array.shape}, which does not broadcast with {shape} of the arguments before it"
            raise InvalidInput(argument, reason) from None
    checked = Contracts(*np.broadcast_arrays(*given.values()))
    _require_computable(checked)
    return checked


def intrinsic(given: Contracts) -> FloatArray:
    """What exercise pays now, USD: max(S - K, 0) for a call, max(K - S, 0) for a put."""
    return np.maximum(given.sign * (given.spot - given.strike), 0.0)


def _finite(argument: str, value: Numbers) -> FloatArray:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(argument, "must be a number or an array of numbers") from None
    if not np.isfinite(array).all():
        raise InvalidInput(argument, "must be finite everywhere")
    return array


def _positive(argument: str, value: Numbers) -> FloatArray:
    array = _finite(argument, value)
    if (array <= 0).any():
        raise InvalidInput(argument, f"must be above zero, not {array.min():g}")
    return array


def _not_negative(argument: str, value: Numbers) -> FloatArray:
    array = _finite(argument, value)
    if (array < 0).any():
        raise InvalidInput(argument, f"must not be negative, not {array.min():g}")
    return array


def _signs(right: Rights) -> FloatArray:
    array = np.asarray(right)
    if array.dtype.kind in "UO":
        is_call = np.asarray(array == Right.CALL.value)
        is_put = np.asarray(array == Right.PUT.value)
        if (is_call | is_put).all():
            return np.where(is_call, 1.0, -1.0)
    raise InvalidInput("right", 'must be "C" or "P", or an array of them')


def _require_computable(given: Contracts) -> None:
    years = given.years
    with np.errstate(over="ignore"):
        for argument, yearly in (("rate", given.rate), ("dividend_yield", given.dividend_yield)):
            if (np.abs(yearly * years) > LARGEST_EXPONENT).any():
                raise InvalidInput(argument, f"times years must stay within {LARGEST_EXPONENT:g}")
        if (given.volatility * np.sqrt(years) > LARGEST_DEVIATION).any():
            raise InvalidInput("volatility", f"times the root of years must stay within {LARGEST_DEVIATION:g}")
