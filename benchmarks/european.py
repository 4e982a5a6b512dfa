"""European options, 5,000 contracts: price with five Greeks, and implied volatility, beside the usual ways."""

import importlib.util
from collections.abc import Callable

import numpy as np

from benchmarks.engine import agree, ours_european, timed
from benchmarks.options import Options
from benchmarks.peers.implied_formulas import fast_vollib_loop, quantlib_implied_loop
from benchmarks.peers.option_formulas import Array, Chain, chain, numpy_scipy, quantlib_loop
from benchmarks.report import Figure, Goal, Line
from vaultdash.pricing import implied_volatility
from vaultdash.pricing.compiled import kernels_problem, warm_up

SAMPLES = 200
LOOPS = 3
PRICE_GOAL = Goal("ratio", 1 / 3)
IMPLIED_GOAL = Goal("ratio", 1 / 8)
ERROR_GOAL = Goal("p50", 1e-9)
WORTH = 1e-3  # USD of time value; below it a price says little about volatility


def run(options: Options) -> list[Line]:
    """Everything in this process, one thread, compiled code loaded before."""
    warm_up()
    if kernels_problem():
        raise RuntimeError(f"no kernels: {kernels_problem()}")
    samples = options.samples or SAMPLES
    given = chain()
    return [*price_lines(given, samples), *implied_lines(given, samples)]


def price_lines(given: Chain, samples: int) -> list[Line]:
    """Row A; the sides must agree before they are timed, and take turns."""
    agree(given)
    ours, plain = taking_turns(samples, lambda: ours_european(given), lambda: numpy_scipy(given))
    loops = [timed(lambda: quantlib_loop(given)) for _ in range(LOOPS)]
    count = len(given.strike)
    title, rate = f"price and 5 Greeks, {count:,} contracts", f"{count / ours.p50 / 1000:.0f} M contracts/s"
    return [
        Line("european", title, "ms", ours, plain, "NumPy and SciPy", (PRICE_GOAL,), rate),
        Line("european", title, "ms", ours, Figure.of(loops), "QuantLib loop"),
    ]


def implied_lines(given: Chain, samples: int) -> list[Line]:
    """Row B; a peer that is not installed is left out, and the note says so."""
    price = np.asarray(ours_european(given).price)
    years = given.years

    def ours() -> Array:
        terms = (given.spot, given.strike, years, given.rate, given.carry, given.right)
        return implied_volatility(price, *terms, exercise="european").value

    count = len(given.strike)
    title = f"implied volatility, {count:,} contracts"
    loops = Figure.of([timed(lambda: quantlib_implied_loop(given, price)) for _ in range(LOOPS)])
    has_vollib = importlib.util.find_spec("fast_vollib") is not None
    note = "" if has_vollib else "fast-vollib is not installed here"
    lines = []
    if has_vollib:
        invert = fast_vollib_loop(given, price)
        invert()
        mine, theirs = taking_turns(samples, ours, invert)
        lines.append(Line("european", title, "ms", mine, theirs, "fast-vollib", (IMPLIED_GOAL,)))
    else:
        mine, _ = taking_turns(samples, ours, lambda: None)
    note = ", ".join(filter(None, [f"{count / mine.p50 / 1000:.0f} M contracts/s", note]))
    lines.append(Line("european", title, "ms", mine, loops, "QuantLib loop", (IMPLIED_GOAL,), note))
    return [*lines, *error_lines(given, price, ours())]


def error_lines(given: Chain, price: Array, found: Array) -> list[Line]:
    """How far the round trip is from the volatilities it started from, where there is a time value."""
    sign = np.where(given.right == "C", 1.0, -1.0)
    share = given.spot * np.exp(-given.carry * given.years)
    cash = given.strike * np.exp(-given.rate * given.years)
    worth = price - np.maximum(sign * (share - cash), 0.0) >= WORTH
    error = np.abs(found - given.volatility)[worth]
    largest = Figure.one(float(np.max(np.where(np.isnan(error), np.inf, error))))
    note = f"{worth.sum():,} contracts with {WORTH:g} USD of time value"
    return [
        Line("european", "implied volatility, largest error", "volatility", largest, goals=(ERROR_GOAL,), note=note)
    ]


def taking_turns(samples: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[Figure, Figure]:
    """Milliseconds of both, one after the other, so that what slows the machine slows both."""
    mine, other = [], []
    ours()
    for _ in range(samples):
        mine.append(timed(ours))
        other.append(timed(theirs))
    return Figure.of(mine), Figure.of(other)
