"""The odds of a margin call by simulation: when it comes, and whether the sale follows before it can be cured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import LONGEST_CURE_DAYS, LTV_TOLERANCE
from vaultdash.domain.portfolio import TRADING_DAYS
from vaultdash.domain.validation import finite, positive
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine, answered, kernels_problem
from vaultdash.risk.margin_call import MONITORINGS, Monitoring
from vaultdash.risk.models import FilteredHistory, Flat, Jumps, Model, StochasticVolatility
from vaultdash.risk.simulation_reference import DIFFUSION, FILTERED, HESTON

MONTHS = (1, 3, 6, 12)
DAYS_IN_MONTH = TRADING_DAYS // 12
LONGEST_MONTHS = 120
PATHS = 50_000
WHOLE_BLOCKS = 128  # paths come in such numbers
MOST_PATHS = 1_000_000
SEED = 20_041_118  # the day GLD was first traded; any number does
LARGEST_SEED = 2**63 - 1
LARGEST_RATE = 5.0
NO_SHOCKS = np.zeros(1)


@dataclass(frozen=True, slots=True)
class CallTerms:
    """What is watched: the price today and the prices of call and sale, USD, all of which may be of one share.

    `drift` of the price and `loan_rate`, at which both limits grow with the loan, continuous per year; `cure_days`
    are business days. "daily" looks at each close, "continuous" at every moment between, too.
    """

    spot: float
    call_price: float
    close_out_price: float
    drift: float = 0.0
    loan_rate: float = 0.0
    cure_days: int = 2
    monitoring: Monitoring = "daily"

    def __post_init__(self) -> None:
        for name in ("spot", "call_price", "close_out_price"):
            positive(name, getattr(self, name))
        if self.close_out_price > self.call_price * (1.0 + LTV_TOLERANCE):
            raise InvalidInput("close_out_price", "must not be above the call price: the sale comes after the call")
        for name in ("drift", "loan_rate"):
            if abs(finite(name, getattr(self, name))) > LARGEST_RATE:
                raise InvalidInput(name, f"must be within {LARGEST_RATE:g} a year; write 0.05 for 5 %")
        if not 0 <= self.cure_days <= LONGEST_CURE_DAYS:
            raise InvalidInput("cure_days", f"must be between 0 and {LONGEST_CURE_DAYS}, not {self.cure_days}")
        if self.monitoring not in MONITORINGS:
            raise InvalidInput("monitoring", f"must be one of {', '.join(MONITORINGS)}, not {self.monitoring!r}")

    @property
    def is_called(self) -> bool:
        """True at the call price and below it."""
        return math.log(self.spot) - math.log(self.call_price) <= LTV_TOLERANCE


@dataclass(frozen=True, slots=True)
class SimulatedOdds:
    """What one set of paths says. `probabilities` of a call, and their standard errors, by months from now.

    `median_years` and `tenth_years`: when half and a tenth of all paths are called, None when fewer are within the
    longest horizon. `gap_probability`: the share of the called paths that reach the close-out price within the days
    to cure; None without a call. `basis` says where the parameters come from.
    """

    model: str
    probabilities: dict[int, float]
    standard_errors: dict[int, float]
    median_years: float | None
    tenth_years: float | None
    gap_probability: float | None
    gap_standard_error: float | None
    seed: int
    paths: int
    monitoring: Monitoring
    parameters: dict[str, float]
    basis: str
    engine: Engine


class Courses(NamedTuple):
    """What happened on each path: day of the call (0 without), sold before it was cured, ln(price/spot) at the end.

    Paths come in blocks of 128, of which the second half mirrors the chances of the first.
    """

    call_day: npt.NDArray[np.int32]
    is_sold: npt.NDArray[np.bool_]
    end: FloatArray


class Limits(NamedTuple):
    """ln(level / spot) at each close from today to the last day of the last cure: of the call, and of the sale.

    The levels may take any course, so a held option, which moves the price of the call from day to day, is another
    pair of arrays. A level of -inf is not allowed; -700 is never reached.
    """

    calls: FloatArray
    sales: FloatArray


def simulated_odds(
    terms: CallTerms,
    model: Model,
    months: Sequence[int] = MONTHS,
    paths: int = PATHS,
    seed: int = SEED,
    engine: Engine = "kernel",
) -> SimulatedOdds:
    """Probabilities by horizon, times and the gap, all from one set of paths; the same for the same arguments.

    `months` of 21 trading days each, `paths` are rounded up to a multiple of 128, half of them mirrored. `engine`:
    "kernel" is compiled code (compiled in the call when it never was), "reference" NumPy with other random numbers.
    Standard errors count a pair of mirrored paths as one draw. Raises InvalidInput naming the argument.
    """
    horizons = _months(months)
    count = whole_number("paths", paths, 2, MOST_PATHS)
    count += -count % WHOLE_BLOCKS
    known_seed = whole_number("seed", seed, 0, LARGEST_SEED)
    if terms.is_called:
        return _called(terms, model, horizons, count, known_seed, engine)
    steps = horizons[-1] * DAYS_IN_MONTH
    limits = limits_of(terms, steps + terms.cure_days)
    happened = follow(model, terms, limits, steps, count, known_seed, engine)
    days = happened.call_day
    called = int(np.count_nonzero(days))
    gap = float(np.count_nonzero(happened.is_sold)) / called if called else None
    within = {month: (days > 0) & (days <= month * DAYS_IN_MONTH) for month in horizons}
    return SimulatedOdds(
        model=model.name,
        probabilities={month: float(hit.mean()) for month, hit in within.items()},
        standard_errors={month: paired_error(hit) for month, hit in within.items()},
        median_years=_time(days, 0.5),
        tenth_years=_time(days, 0.1),
        gap_probability=gap,
        gap_standard_error=None if gap is None else _binomial_error(gap, called),
        seed=known_seed,
        paths=count,
        monitoring=terms.monitoring,
        parameters=model.parameters(),
        basis=model.basis,
        engine=_engine_used(engine),
    )


def limits_of(terms: CallTerms, days: int) -> Limits:
    """The limits of a loan that accrues at its rate, and no option."""
    growth = terms.loan_rate / TRADING_DAYS * np.arange(days + 1, dtype=np.float64)
    call, sale = (math.log(price) - math.log(terms.spot) for price in (terms.call_price, terms.close_out_price))
    return Limits(np.asarray(growth + call), np.asarray(growth + sale))


def follow(
    model: Model, terms: CallTerms, limits: Limits, steps: int, paths: int, seed: int, engine: Engine = "kernel"
) -> Courses:
    """Follow `paths` (a multiple of 128) for `steps` days, and those that are called for the days to cure.

    `limits` hold `steps` + the days to cure + 1 numbers each; nothing is checked.
    """
    kind, numbers, shocks, mirrored = encoded(model, terms.drift)

    def by(courses: object) -> Courses:
        happened = Courses(np.zeros(paths, np.int32), np.zeros(paths, np.bool_), np.zeros(paths))
        is_bridged = terms.monitoring == "continuous"
        fixed = (kind, seed, steps, terms.cure_days, is_bridged)
        courses(*fixed, *limits, numbers, shocks, mirrored, *happened)  # type: ignore[operator]  # kernel or reference
        return happened

    def by_kernel() -> Courses:
        from vaultdash.risk.simulation_kernels import courses  # numba comes with it

        return by(courses)

    def by_reference() -> Courses:
        from vaultdash.risk.simulation_reference import courses

        return by(courses)

    return answered(by_kernel, by_reference, engine)


def warm_up_simulations() -> None:
    """Compile the kernels, or load them from disk; never raises, see `pricing.compiled.kernels_problem`."""

    def run() -> None:
        from vaultdash.risk import path_verdict_kernels, price_paths_kernels, simulation_kernels

        for kernels in (simulation_kernels, price_paths_kernels, path_verdict_kernels):
            kernels.warm()

    answered(run, lambda: None, "kernel")


def _called(
    terms: CallTerms, model: Model, horizons: tuple[int, ...], paths: int, seed: int, engine: Engine
) -> SimulatedOdds:
    """The call is there: what is left to tell is whether the sale comes within the days to cure."""
    sales = limits_of(terms, terms.cure_days).sales
    if sales[0] >= -LTV_TOLERANCE:
        gap, error = 1.0, 0.0
    else:
        sale_terms = replace(terms, cure_days=0)
        reached = follow(model, sale_terms, Limits(sales, sales), terms.cure_days, paths, seed, engine).call_day > 0
        gap, error = float(reached.mean()), paired_error(reached)
    return SimulatedOdds(
        model=model.name,
        probabilities=dict.fromkeys(horizons, 1.0),
        standard_errors=dict.fromkeys(horizons, 0.0),
        median_years=0.0,
        tenth_years=0.0,
        gap_probability=gap,
        gap_standard_error=error,
        seed=seed,
        paths=paths,
        monitoring=terms.monitoring,
        parameters=model.parameters(),
        basis=model.basis,
        engine=_engine_used(engine),
    )


def _engine_used(asked: Engine) -> Engine:
    return "reference" if kernels_problem() is not None else asked


def encoded(model: Model, drift: float) -> tuple[int, FloatArray, FloatArray, FloatArray]:
    """Kind, numbers, shocks and their mirror images as `simulation_kernels.courses` takes them."""
    growth, day = drift / TRADING_DAYS, 1.0 / TRADING_DAYS
    match model:
        case FilteredHistory():
            shocks = np.array(model.residuals)
            ranks = np.argsort(shocks, kind="stable")
            mirrored = np.empty_like(shocks)
            mirrored[ranks] = shocks[ranks[::-1]]
            skew, tail = np.mean(shocks**3) / 6.0, (np.mean(shocks**4) - 3.0) / 24.0
            numbers = [growth, model.variance, model.omega, model.alpha, model.beta, skew, tail, model.block_days]
            ring = slice(0, model.block_days - 1)
            return (
                FILTERED,
                np.array(numbers, dtype=np.float64),
                np.concatenate([shocks, shocks[ring]]),
                np.concatenate([mirrored, mirrored[ring]]),
            )
        case StochasticVolatility():
            numbers = [growth, model.volatility**2 * day, model.reversion * day, model.long_run**2 * day]
            numbers += [model.vol_of_variance * day, model.correlation]
            return HESTON, np.array(numbers), NO_SHOCKS, NO_SHOCKS
        case Jumps():
            numbers = [growth, model.volatility**2 * day, model.intensity * day, model.mean, model.deviation]
            return DIFFUSION, np.array(numbers), NO_SHOCKS, NO_SHOCKS
        case Flat():
            return DIFFUSION, np.array([growth, model.volatility**2 * day, 0.0, 0.0, 0.0]), NO_SHOCKS, NO_SHOCKS


def paired_error(hits: npt.NDArray[np.bool_] | FloatArray) -> float:
    """Of the mean, from the means of mirrored pairs; never below that of one hit."""
    half = WHOLE_BLOCKS // 2
    pairs = hits.reshape(-1, 2, half).mean(axis=1)
    spread = float(pairs.std(ddof=1)) / math.sqrt(pairs.size)
    return max(spread, 1.0 / hits.size)


def _binomial_error(share: float, count: int) -> float:
    return max(math.sqrt(share * (1.0 - share) / count), 1.0 / count)


def _time(call_day: npt.NDArray[np.int32], share: float) -> float | None:
    """Years until this share of all paths is called."""
    days = np.sort(call_day[call_day > 0])
    rank = math.ceil(share * call_day.size)
    return float(days[rank - 1]) / TRADING_DAYS if days.size >= rank else None


def _months(months: Sequence[int]) -> tuple[int, ...]:
    known = tuple(sorted({whole_number("months", month, 1, LONGEST_MONTHS) for month in months}))
    if not known:
        raise InvalidInput("months", "must name at least one horizon")
    return known


def whole_number(argument: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise InvalidInput(argument, f"must be a whole number from {least} to {most}, not {value!r}")
    return int(value)
