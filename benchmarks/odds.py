"""The odds of a call: one closed form, and simulated courses beside NumPy and QuantLib, one thread each."""

from typing import NamedTuple

import numpy as np
import QuantLib as ql  # noqa: N813

from benchmarks.european import taking_turns
from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from vaultdash.pricing.compiled import Engine, kernels_problem
from vaultdash.risk import CallTerms, Flat, Jumps, StochasticVolatility, call_probability, simulated_odds
from vaultdash.risk.models import FilteredHistory, Model
from vaultdash.risk.simulation import warm_up_simulations

SAMPLES = 7
PATHS, FEW, MONTHS, DAYS = 50_048, 6_400, (1, 3, 6, 12), 252
ONCE_GOAL = Goal("p50", 5.0)
SIMULATION_GOAL = Goal("ratio", 1 / 4)
ERRORS_GOAL = Goal("p50", 3.0)
CALLS = 10_000
TERMS = CallTerms(1 / 0.60, 1 / 0.75, 1 / 0.85, monitoring="continuous")


def run(options: Options) -> list[Line]:
    """Everything in this process; compiled code is loaded before."""
    warm_up_simulations()
    if kernels_problem():
        raise RuntimeError(f"no kernels: {kernels_problem()}")
    samples = options.samples or SAMPLES
    simulated = [simulation_line(model, samples) for model in models()]
    return [closed_form_line(samples), *simulated, quantlib_line(samples), exactness_line()]


def models() -> tuple[Model, ...]:
    """One of each kind at 25 % in all."""
    variance = 0.25**2 / DAYS
    shocks = np.random.default_rng(1).standard_t(5.0, 5000)
    shocks = (shocks - shocks.mean()) / shocks.std()
    return (
        Flat(0.25),
        Jumps(0.243, 1.15, -0.021, 0.05),
        StochasticVolatility(0.25, 0.25, 2.7, 0.44, -0.2),
        FilteredHistory(variance, variance * 0.02, 0.06, 0.92, tuple(shocks.tolist())),
    )


def closed_form_line(samples: int) -> Line:
    """`call_probability` of six floats, with all its checks, and QuantLib's one-touch engine on a new price."""
    option, price = one_touch()
    option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(price.process))

    def ours() -> None:
        for _ in range(CALLS):
            call_probability(460.0, 368.0, 1.0, 0.25, 0.0, 0.06, "daily")

    def theirs() -> None:
        for step in range(CALLS):
            price.quote.setValue(TERMS.spot + 1e-9 * step)
            option.NPV()

    sides = taking_turns(samples, ours, theirs)
    mine, other = (
        Figure(*(part * 1e3 / CALLS for part in (side.p50, side.p95, side.p99)), side.samples) for side in sides
    )
    return Line("odds", "closed form, one call", "us", mine, other, "QuantLib one-touch", (ONCE_GOAL,))


class Price(NamedTuple):
    """A price that QuantLib follows, and its process."""

    quote: ql.SimpleQuote
    process: ql.BlackScholesMertonProcess


def one_touch() -> tuple[ql.VanillaOption, Price]:
    """1 at the end of a year when the call price was touched: QuantLib's cash-or-nothing American put."""
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count))
    level = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, count))
    quote = ql.SimpleQuote(TERMS.spot)
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(quote), flat, flat, level)
    payoff = ql.CashOrNothingPayoff(ql.Option.Put, TERMS.call_price, 1.0)
    return ql.VanillaOption(payoff, ql.AmericanExercise(today, today + 365, True)), Price(quote, process)


def simulation_line(model: Model, samples: int) -> Line:
    """The same model, terms and number of paths in the kernel and in NumPy, in turns."""

    def by(engine: Engine) -> object:
        return simulated_odds(TERMS, model, MONTHS, PATHS, 1, engine)

    ours, theirs = taking_turns(samples, lambda: by("kernel"), lambda: by("reference"))
    title = f"{model.name}, {PATHS:,} paths of {DAYS} days"
    return Line("odds", title, "ms", ours, theirs, "NumPy", (SIMULATION_GOAL,), rate(ours, theirs))


def quantlib_line(samples: int) -> Line:
    """QuantLib's Monte Carlo of the one-touch, in C++, antithetic, with its own bridge between the days."""
    option, price = one_touch()

    def theirs() -> float:
        engine = ql.MCDigitalEngine(
            price.process, "pseudorandom", timeSteps=DAYS, antitheticVariate=True, requiredSamples=FEW // 2, seed=1
        )
        option.setPricingEngine(engine)
        return float(option.NPV())

    expected, found = call_probability(TERMS.spot, TERMS.call_price, 1.0, 0.25), theirs()
    if abs(found - expected) > 0.03:
        raise RuntimeError(f"QuantLib simulates {found:.4f} where the closed form has {expected:.4f}")
    model = Flat(0.25)
    mine, other = taking_turns(max(samples // 2, 2), lambda: simulated_odds(TERMS, model, MONTHS, FEW), theirs)
    title = f"flat, {FEW:,} paths of {DAYS} days"
    return Line("odds", title, "ms", mine, other, "QuantLib Monte Carlo", note=rate(mine, other, FEW))


def rate(ours: Figure, theirs: Figure, paths: int = PATHS) -> str:
    """Steps of a path in a second, of both."""
    mine, other = (paths * DAYS / figure.p50 / 1e3 for figure in (ours, theirs))
    return f"{mine:.0f} M path-steps/s, the peer {other:.0f} M"


def exactness_line() -> Line:
    """How many standard errors the flat simulation is from the closed form, the worst of four horizons."""
    odds = simulated_odds(TERMS, Flat(0.25), MONTHS, 200_000)
    away = [
        abs(odds.probabilities[month] - call_probability(TERMS.spot, TERMS.call_price, month / 12, 0.25))
        / odds.standard_errors[month]
        for month in MONTHS
    ]
    largest = Figure.one(max(away))
    exact = call_probability(TERMS.spot, TERMS.call_price, 1.0, 0.25)
    note = f"{odds.probabilities[12]:.4f} within a year, closed form {exact:.4f}"
    title = "flat against the closed form"
    return Line("odds", title, "standard errors", largest, goals=(ERRORS_GOAL,), note=note)
