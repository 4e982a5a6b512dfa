"""The path verdict: four hedges under four models on the same paths, compiled beside NumPy, one thread."""

from datetime import UTC, date, datetime

import numpy as np

from benchmarks.european import taking_turns, timed
from benchmarks.odds import models
from benchmarks.options import Options
from benchmarks.report import Figure, Goal, Line
from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge, ListedOption, leg_at
from vaultdash.domain.loan import HedgeCounting, Interest, Loan
from vaultdash.domain.option import Right
from vaultdash.pricing.american import american_price
from vaultdash.pricing.compiled import Engine, kernels_problem, warm_up
from vaultdash.risk import Flat, call_probability, path_verdicts
from vaultdash.risk.path_verdict import growth_of_a_loan
from vaultdash.risk.simulation import warm_up_simulations

SAMPLES, PATHS, DAYS = 5, 20_096, 252
SPOT, UNITS = 430.0, 10_000.0
EXPIRATION = date(2027, 6, 17)
WHOLE_GOAL = Goal("p50", 3_000.0)
KERNEL_GOAL = Goal("ratio", 1 / 5)
ERRORS_GOAL = Goal("p50", 3.0)


def run(options: Options) -> list[Line]:
    """Everything in this process; compiled code is loaded before."""
    warm_up()
    warm_up_simulations()
    if kernels_problem():
        raise RuntimeError(f"no kernels: {kernels_problem()}")
    samples = options.samples or SAMPLES
    whole = [whole_line(counting, samples) for counting in (HedgeCounting.IGNORED, HedgeCounting.CREDITED)]
    return [*whole, kernel_line(samples), exactness_line()]


def case(counting: HedgeCounting = HedgeCounting.IGNORED) -> HedgeCase:
    """60 % LTV, called at 75 %."""
    loan = Loan(0.60 * SPOT * UNITS, hedge_counting=counting, interest=Interest(0.04, 0.02, capitalised=True))
    return HedgeCase(SPOT, UNITS, loan, datetime(2026, 5, 11, 20, tzinfo=UTC))


def hedges() -> list[ListedHedge | None]:
    """Nothing, puts, a spread and a collar, on every unit."""
    return [
        None,
        hedge("puts", (408.0, Right.PUT, 100)),
        hedge("spread", (408.0, Right.PUT, 100), (344.0, Right.PUT, -100)),
        hedge("collar", (387.0, Right.PUT, 100), (500.0, Right.CALL, -100)),
    ]


def hedge(title: str, *legs: tuple[float, Right, int]) -> ListedHedge:
    """Quoted a per cent around the model at 25 %."""
    years = case().years_to(EXPIRATION)
    bought = []
    for strike, right, contracts in legs:
        value = float(american_price(SPOT, strike, years, 0.045, 0.0, 0.25, right.value))
        option = ListedOption(right, strike, EXPIRATION, 0.99 * value, 1.01 * value, volatility=0.25)
        bought.append(leg_at(option, contracts))
    return ListedHedge(title, tuple(bought))


def whole_line(counting: HedgeCounting, samples: int) -> Line:
    """All of `path_verdicts`: option values at every close and price, paths, the judge, standard errors."""

    def asked() -> None:
        path_verdicts(case(counting), hedges(), models(), paths=PATHS)

    asked()
    ours = Figure.of([timed(asked) for _ in range(samples)])
    title = f"4 hedges, 4 models, {PATHS:,} paths of {DAYS} days, {counting.value}"
    steps = 16 * PATHS * DAYS / ours.p50 / 1e3
    return Line("path_verdict", title, "ms", ours, goals=(WHOLE_GOAL,), note=f"{steps:.0f} M path-days/s")


def kernel_line(samples: int) -> Line:
    """No hedge under the flat model: paths and judge alone, compiled and in NumPy, in turns."""

    def by(engine: Engine) -> object:
        return path_verdicts(case(), [None], [Flat(0.25)], paths=PATHS, engine=engine)

    ours, theirs = taking_turns(samples, lambda: by("kernel"), lambda: by("reference"))
    title = f"no hedge, flat, {PATHS:,} paths of {DAYS} days"
    return Line("path_verdict", title, "ms", ours, theirs, "NumPy", (KERNEL_GOAL,))


def exactness_line() -> Line:
    """How many standard errors no hedge is from the barrier formula, over ten seeds, in the mean."""
    here = case()
    owed = float(np.log(growth_of_a_loan(here, DAYS)[-1]))
    exact = call_probability(SPOT, here.call_price, 1.0, 0.25, 0.0, owed, "daily")
    found = [path_verdicts(here, [None], [Flat(0.25)], seed=seed).verdicts[0].odds[0] for seed in range(10)]
    away = [(odds.uncured - exact) / odds.uncured_error for odds in found]
    largest = Figure.one(max(abs(each) for each in away))
    note = f"mean {sum(away) / len(away):+.2f}; {found[0].uncured:.4f} within a year, formula {exact:.4f}"
    title = "no hedge against the barrier formula, worst of 10 seeds"
    return Line("path_verdict", title, "standard errors", largest, goals=(ERRORS_GOAL,), note=note)
