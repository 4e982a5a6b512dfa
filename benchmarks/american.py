"""American options on a chain of 5,000: cold, on a spot tick, inverted, and as a scenario grid, beside QuantLib."""

import numpy as np
import QuantLib as ql  # noqa: N813

from benchmarks.engine import timed
from benchmarks.options import Options
from benchmarks.peers.american_formulas import (
    CARRY,
    SPOT,
    STRIKES,
    Array,
    Puts,
    pricer,
    puts,
    quantlib_greeks,
    quantlib_implied,
    quantlib_prices,
)
from benchmarks.report import Figure, Goal, Line
from vaultdash.pricing import american, american_price
from vaultdash.pricing.american_chain import AmericanChain
from vaultdash.pricing.american_implied import invert
from vaultdash.pricing.compiled import kernels_problem, warm_up

SAMPLES = 60
LOOPS = 2
FAST, HIGH = ql.QdFpAmericanEngine.fastScheme, ql.QdFpAmericanEngine.highPrecisionScheme
COLD_GOALS = (Goal("p50", 8.0), Goal("ratio", 1 / 70))
TICK_GOAL = Goal("p50", 4.0)
IMPLIED_GOAL = Goal("ratio", 1 / 80)
GRID_GOALS = (Goal("ratio", 1 / 100), Goal("p50", 16.0))
PRICE_ERROR, EXTREME_ERROR, IMPLIED_ERROR = (
    Goal("p50", 1e-4),
    Goal("p50", 1e-4),
    Goal("p50", 1e-5),
)
WORTH = 0.01  # USD of time value
GRID_CONTRACTS, GRID_SPOTS, GRID_SHIFTS = 40, 25, 20
EXTREME_COUNT, EXTREME_SEED = 5000, 20261121


def run(options: Options) -> list[Line]:
    """Everything in this process, one thread, compiled code loaded before."""
    warm_up()
    if kernels_problem():
        raise RuntimeError(f"no kernels: {kernels_problem()}")
    samples = options.samples or SAMPLES
    given = puts()
    exact = quantlib_prices(given, HIGH)
    kept = AmericanChain(
        given.years[::STRIKES],
        given.rate[::STRIKES],
        given.carry[::STRIKES],
        lowest_volatility=0.05,
        highest_volatility=1.2,
    )
    return [
        *chain_lines(given, kept, exact, samples),
        *implied_lines(given, exact, samples),
        *grid_lines(given, kept, samples),
        *extreme_lines(),
    ]


def chain_lines(given: Puts, kept: AmericanChain, exact: Array, samples: int) -> list[Line]:
    """C1 and C2: price and four Greeks, the boundaries found anew and kept."""
    terms = (given.strike, given.years, given.rate, given.carry, given.volatility, "P")
    spots = SPOT * (1.0 + 1e-4 * np.arange(samples))
    cold = [timed(lambda spot=spot: american(spot, *terms)) for spot in spots]  # type: ignore[misc]
    tick = [
        timed(lambda spot=spot: kept.value(spot, given.strike, given.expiry, given.volatility, "P"))  # type: ignore[misc]
        for spot in spots
    ]
    loops = Figure.of([timed(lambda: quantlib_greeks(given, FAST)) for _ in range(LOOPS)])
    error, kept_error = (
        np.abs(found - exact)
        for found in (
            american(SPOT, *terms).price,
            kept.value(SPOT, given.strike, given.expiry, given.volatility, "P").price,
        )
    )
    loop_error = float(np.abs(quantlib_prices(given, FAST) - exact).max())
    title, peer = f"price and 4 Greeks, {given.strike.size:,} puts", "QdFp fast, bumped"
    note = f"the peer's largest error is {loop_error:.1e} USD"
    return [
        Line("american", f"{title}, cold", "ms", Figure.of(cold), loops, peer, COLD_GOALS, note),
        Line("american", f"{title}, spot tick", "ms", Figure.of(tick), loops, peer, (TICK_GOAL,)),
        error_line("price, cold", "USD", error, PRICE_ERROR),
        error_line("price, spot tick", "USD", kept_error, PRICE_ERROR),
    ]


def implied_lines(given: Puts, exact: Array, samples: int) -> list[Line]:
    """C3: the volatilities back from QuantLib's high-precision prices."""
    terms = (given.spot, given.strike, given.years, given.rate, given.carry, -np.ones_like(given.spot))
    ours = Figure.of([timed(lambda: invert(exact, *terms)) for _ in range(samples)])
    loops = Figure.of([timed(lambda: quantlib_implied(given, exact, FAST)) for _ in range(LOOPS)])
    worth = exact - np.maximum(given.strike - given.spot, 0.0) > WORTH
    found, _ = invert(exact, *terms)
    error = np.where(np.isnan(found), np.inf, np.abs(found - given.volatility))[worth]
    return [
        Line(
            "american",
            f"implied volatility, {given.strike.size:,} puts",
            "ms",
            ours,
            loops,
            "QdFp fast and brentq",
            (IMPLIED_GOAL,),
        ),
        error_line("implied volatility", "volatility", error, IMPLIED_ERROR),
    ]


def grid_lines(given: Puts, kept: AmericanChain, samples: int) -> list[Line]:
    """C4: a position's contracts at many spots and shifts of volatility."""
    chosen = np.linspace(0, given.strike.size - 1, GRID_CONTRACTS).astype(int)
    spot = SPOT * np.linspace(0.7, 1.3, GRID_SPOTS)[:, None, None]
    shift = np.linspace(-0.04, 0.20, GRID_SHIFTS)[:, None]
    volatility = given.volatility[chosen] + shift

    def ours() -> Array:
        return kept.prices(spot, given.strike[chosen], given.expiry[chosen], volatility, "P")

    shape = (GRID_SPOTS, GRID_SHIFTS, GRID_CONTRACTS)
    columns = (spot, *(column[chosen] for column in (given.strike, given.years, given.rate)))
    flat = [np.broadcast_to(column, shape).ravel() for column in columns]
    whole = Puts(
        *flat,
        np.full(flat[0].size, CARRY),
        np.broadcast_to(volatility, shape).ravel(),
        np.zeros(flat[0].size),
    )
    loops = Figure.of([timed(lambda: quantlib_prices(whole, FAST)) for _ in range(LOOPS)])
    figure = Figure.of([timed(ours) for _ in range(samples)])
    few = np.random.default_rng(EXTREME_SEED).permutation(whole.strike.size)[:1000]
    part = Puts(*(getattr(whole, name)[few] for name in Puts.__slots__))
    error = np.abs(ours().ravel()[few] - quantlib_prices(part, HIGH))
    title = f"scenario grid, {whole.strike.size:,} values"
    return [
        Line("american", title, "ms", figure, loops, "QdFp fast", GRID_GOALS),
        error_line("scenario grid", "USD", error, PRICE_ERROR),
    ]


def extreme_lines() -> list[Line]:
    """How far from high precision `american_price` is on a grid no market shows."""
    error = extreme_errors()
    worst = error_line("price on an extreme grid", "of strike", error, EXTREME_ERROR)
    print(
        f"extreme grid, seed {EXTREME_SEED}: largest {error.max():.1e}, median {np.median(error):.1e} of the strike"
    )
    return [worst]


def extreme_errors(count: int = EXTREME_COUNT) -> Array:
    """Spot half to twice the strike, a day to three years, 5 to 150 %, rates -1 to 8 %, yields 0 to 5 %."""
    random = np.random.default_rng(EXTREME_SEED)
    spot = np.exp(random.uniform(np.log(0.5), np.log(2.0), count))
    years = np.exp(random.uniform(np.log(1 / 365), np.log(3.0), count))
    volatility = np.exp(random.uniform(np.log(0.05), np.log(1.5), count))
    rate, carry = random.uniform(-0.01, 0.08, count), random.uniform(0.0, 0.05, count)
    right = np.where(random.random(count) < 0.4, "C", "P")
    prices = {"C": pricer(HIGH, is_call=True), "P": pricer(HIGH)}
    columns = (spot, rate * years, carry * years, volatility * np.sqrt(years), right)
    exact = [prices[kind](*numbers) for *numbers, kind in zip(*(column.tolist() for column in columns), strict=True)]
    return np.abs(american_price(spot, 1.0, years, rate, carry, volatility, right) - np.array(exact))


def error_line(what: str, unit: str, error: Array, goal: Goal) -> Line:
    """The largest error, and the median in the note."""
    note = f"median {np.median(error):.1e}, {error.size:,} contracts"
    return Line("american", f"{what}, largest error", unit, Figure.one(float(error.max())), goals=(goal,), note=note)
