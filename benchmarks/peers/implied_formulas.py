"""European implied volatility by others: QuantLib a contract at a time, and fast-vollib where it is installed."""

from collections.abc import Callable

import numpy as np
import QuantLib as ql  # noqa: N813

from benchmarks.peers.option_formulas import Array, Chain

ACCURACY = 1e-12  # of the deviation; its default of 1e-6 would be no comparison


def quantlib_implied_loop(given: Chain, price: Array) -> Array:
    """Volatilities; NaN where QuantLib finds none."""
    years = given.years
    forward = given.spot * np.exp((given.rate - given.carry) * years)
    kind = np.where(given.right == "C", 1, -1)
    columns = (kind, given.strike, forward, price, np.exp(-given.rate * years))
    found = []
    for each in zip(*(column.tolist() for column in columns), strict=True):
        try:
            found.append(ql.blackFormulaImpliedStdDev(*each, 0.0, ql.nullDouble(), ACCURACY, 100))
        except RuntimeError:
            found.append(np.nan)
    return np.array(found) / np.sqrt(years)


def fast_vollib_loop(given: Chain, price: Array) -> Callable[[], Array]:
    """Jaeckel's method by fast-vollib's compiled backend; its inputs are made ready before."""
    from fast_vollib import fast_implied_volatility

    count = len(given.strike)
    spot, carry, flag = np.full(count, given.spot), np.full(count, given.carry), np.char.lower(given.right)
    years = given.years

    def invert() -> Array:
        return np.asarray(
            fast_implied_volatility(
                price,
                spot,
                given.strike,
                years,
                given.rate,
                flag,
                carry,
                model="black_scholes_merton",
                return_as="numpy",
                on_error="ignore",
                backend="numba",
            )
        )

    return invert
