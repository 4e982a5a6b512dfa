"""The volatility at which a model gives an option's price."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Exercise
from vaultdash.pricing import implied_reference as reference
from vaultdash.pricing.base import CALL_CODE, PUT_CODE, Columns, FloatArray, Numbers, Rights, columns, no_right
from vaultdash.pricing.compiled import Engine, answered, known_engine
from vaultdash.pricing.implied_reference import Found, Quoted
from vaultdash.pricing.implied_status import OK, WORDS
from vaultdash.pricing.qdfp import Regime, regimes


class ImpliedVolatility(NamedTuple):
    """Arrays of the shape to which the inputs broadcast.

    `value` per sqrt(year), NaN unless `status` is "ok". `status` is text, one of

    - "ok";
    - "no_quote": the price is missing (NaN), zero, negative or infinite;
    - "below_intrinsic": less than exercise pays, now or (discounted) at expiry;
    - "above_bound": no volatility makes the option worth as much;
    - "not_determined": there is no one volatility from 0.001 to 5, or the digits of the price do not tell which: an
      expired option, one that is worth its intrinsic value, a faulty spot, strike, time or rate;
    - "no_converge": the search ended without an answer.
    """

    value: FloatArray
    status: npt.NDArray[np.str_]


def implied_volatility(
    price: Numbers,
    spot: Numbers,
    strike: Numbers,
    years: Numbers,
    rate: Numbers,
    dividend_yield: Numbers,
    right: Rights,
    exercise: Exercise | str = Exercise.AMERICAN,
    engine: Engine = "kernel",
) -> ImpliedVolatility:
    """Implied volatility of option prices, by numpy's broadcasting of the first seven arguments.

    `price` USD per share, NaN or None where there is none; the others and `engine` as in `european`. A faulty row
    never raises: its status says why it has no volatility. InvalidInput is raised for what is no number, does not
    broadcast, is neither call nor put, or for an unknown `exercise` or `engine`.

    European: good to 1e-8, down to prices of 1e-7 USD, wherever rounding the price to a float moves the volatility
    by less than 5e-9. By parity on the option out of the money; start of Stefanica & Radoicic 2017, then steps of
    third order (Householder) on a function of the price that is nearly straight, as in Jaeckel 2015. American: as
    good as `american_price`; where exercise before expiry never pays it is the European one.
    """
    try:
        style = Exercise(exercise)
    except ValueError:
        raise InvalidInput("exercise", f"must be one of {', '.join(Exercise)}, not {exercise!r}") from None
    known_engine(engine)
    given = columns(
        right, price=price, spot=spot, strike=strike, years=years, rate=rate, dividend_yield=dividend_yield
    )
    if not ((given.code == CALL_CODE) | (given.code == PUT_CODE)).all():
        raise no_right()
    value, status = _european(given, engine) if style is Exercise.EUROPEAN else _american(given, engine)
    return ImpliedVolatility(value.reshape(given.shape), WORDS.take(status).reshape(given.shape))


def _european(given: Columns, engine: Engine) -> Found:
    def by_kernel() -> Found:
        from vaultdash.pricing import implied_kernels  # numba comes with it

        value, status = np.empty(given.code.size), np.empty(given.code.size, dtype=np.int8)
        arguments: list[Any] = [*given.numbers, given.code, value, status]
        implied_kernels.invert(*arguments)
        return value, status

    return answered(by_kernel, lambda: reference.invert_european(_quoted(given)), engine)


def _american(given: Columns, engine: Engine) -> Found:
    quoted = _quoted(given)
    is_european = regimes(quoted.rate, quoted.dividend_yield, quoted.sign) == Regime.NEVER_EARLY
    if is_european.all():
        return _european(given, engine)
    value, status = np.full(given.code.size, np.nan), np.zeros(given.code.size, dtype=np.int8)
    if is_european.any():
        numbers = tuple(column[is_european] for column in given.numbers)
        part = Columns(numbers, given.code[is_european], numbers[0].shape)
        value[is_european], status[is_european] = _european(part, engine)
    early = ~is_european
    value[early], status[early] = _early(quoted.rows(early), engine)
    return value, status


def _early(given: Quoted, engine: Engine) -> Found:
    value, status = np.full(given.price.shape, np.nan), reference.american_status(given)
    live = status == OK
    if live.any():
        part = given.rows(live)

        def by_kernel() -> Found:
            from vaultdash.pricing import american_implied  # numba comes with it

            return american_implied.invert(*part)

        value[live], status[live] = answered(by_kernel, lambda: reference.invert_american(part), engine)
    return value, status


def _quoted(given: Columns) -> Quoted:
    return Quoted(*[*given.numbers, np.where(given.code == CALL_CODE, 1.0, -1.0)])
