"""What every pricer takes and gives: checked arrays in, price and Greeks out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right

FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.uint32]
Numbers = npt.ArrayLike
Rights = str | npt.ArrayLike

# Beyond these, discount factors leave the range of a float; no market comes near.
LARGEST_EXPONENT = 500.0
LARGEST_DEVIATION = 1e4
FLOAT = np.dtype(np.float64)
CALL_CODE, PUT_CODE = ord(Right.CALL.value), ord(Right.PUT.value)  # as numpy stores one-letter text


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


class Columns(NamedTuple):
    """Inputs of a kernel: flat contiguous arrays of equal length whose numbers nobody has checked yet."""

    numbers: tuple[FloatArray, ...]
    code: CodeArray  # CALL_CODE or PUT_CODE, or anything else that somebody wrote
    shape: tuple[int, ...]


def columns(right: Rights, **numbers: Numbers) -> Columns:
    """Inputs ready for a kernel, broadcast but unchecked; raises InvalidInput when they are no numbers or do not fit.

    An array that is ready already is not copied.
    """
    given: dict[str, npt.NDArray[Any]] = {argument: _numbers(argument, value) for argument, value in numbers.items()}
    given["right"] = codes(right)
    shape = _shape(given)
    size = math.prod(shape)
    *flat, code = (_column(array, shape, size) for array in given.values())
    return Columns(tuple(flat), code, shape)


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
        "right": signs(right),
    }
    _shape(given)
    checked = Contracts(*np.broadcast_arrays(*given.values()))
    _require_computable(checked)
    return checked


def signs(right: Rights) -> FloatArray:
    """+1 for each call and -1 for each put; raises InvalidInput for anything else."""
    code = codes(right)
    is_call = code == CALL_CODE
    if not (is_call | (code == PUT_CODE)).all():
        raise no_right()
    return np.where(is_call, 1.0, -1.0)


def codes(right: Rights) -> CodeArray:
    """The code point of each letter, whatever the letter; arrays of int8, +1 for a call and -1 for a put, pass too.

    Raises InvalidInput when there is more or something else than one letter each.
    """
    try:
        array = np.asarray(right)
    except ValueError:  # rows of different lengths
        raise no_right() from None
    if array.dtype.kind == "O":
        if not all(isinstance(each, str) for each in array.flat):
            raise no_right()
        array = array.astype(np.str_)
    if array.dtype == "U1":
        return (array if array.flags.c_contiguous else array.copy()).view(np.uint32)
    if array.dtype == np.int8 and (np.abs(array) == 1).all():
        return np.where(array > 0, np.uint32(CALL_CODE), np.uint32(PUT_CODE))
    if array.dtype.kind == "U" and (np.char.str_len(array) == 1).all():
        return codes(array.astype("U1"))
    raise no_right()


def no_right() -> InvalidInput:
    """The refusal of what is neither call nor put."""
    return InvalidInput("right", 'must be "C" or "P", or an array of them')


def intrinsic(given: Contracts) -> FloatArray:
    """What exercise pays now, USD: max(S - K, 0) for a call, max(K - S, 0) for a put."""
    return np.maximum(given.sign * (given.spot - given.strike), 0.0)


def _shape(given: Mapping[str, npt.NDArray[Any]]) -> tuple[int, ...]:
    shape: tuple[int, ...] = ()
    for argument, array in given.items():
        if array.shape in ((), shape):
            continue
        try:
            shape = np.broadcast_shapes(shape, array.shape)
        except ValueError:
            reason = f"has shape {array.shape}, which does not broadcast with {shape} of the arguments before it"
            raise InvalidInput(argument, reason) from None
    return shape


def _column(array: npt.NDArray[Any], shape: tuple[int, ...], size: int) -> npt.NDArray[Any]:
    if array.ndim == 0:
        same = np.empty(size, dtype=array.dtype)
        same.fill(array.item())
        return same
    if array.ndim == 1 and array.flags.carray and array.size == size:
        return array
    flat = (array if array.shape == shape else np.broadcast_to(array, shape)).reshape(-1)
    # Kernels are compiled for one kind of array only: contiguous, aligned, writeable.
    return flat if flat.flags.carray else flat.copy()


def _numbers(argument: str, value: Numbers) -> FloatArray:
    if type(value) is np.ndarray and value.dtype is FLOAT:
        return value
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biufO":  # neither text, though it may look like a number, nor dates
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidInput(argument, "must be a number or an array of numbers")


def _finite(argument: str, value: Numbers) -> FloatArray:
    array = _numbers(argument, value)
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


def _require_computable(given: Contracts) -> None:
    years = given.years
    with np.errstate(over="ignore"):
        for argument, yearly in (("rate", given.rate), ("dividend_yield", given.dividend_yield)):
            if (np.abs(yearly * years) > LARGEST_EXPONENT).any():
                raise InvalidInput(argument, f"times years must stay within {LARGEST_EXPONENT:g}")
        if (given.volatility * np.sqrt(years) > LARGEST_DEVIATION).any():
            raise InvalidInput("volatility", f"times the root of years must stay within {LARGEST_DEVIATION:g}")
